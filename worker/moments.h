/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When a process became its program and when it ended, as stamped by the kernel in the
 * process's own context: a watcher that wakes up late on a busy host cannot move them. Needs
 * software events (perf_event_paranoid up to 2, or CAP_PERFMON); without them both are unknown
 * and the watcher's own times have to do. Runner only. */
#ifndef WORKER_MOMENTS_H
#define WORKER_MOMENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Zero-initialise. */
struct moments {
	void *ring; /* NULL: not watching */
	int fd;
};

/* CLOCK_MONOTONIC; 0: unknown. */
struct moments_seen {
	int64_t exec_ns; /* the first exec succeeded */
	int64_t exit_ns; /* the leader ended; newer kernels give its memory back behind that */
	/* Other threads were started: they may outlive the leader, whose end then says little.
	 */
	bool had_threads;
};

/* Begin to watch pid (0: ourselves), which must not have reached exec. Failing is not an error.
 */
void moments_open(struct moments *m, pid_t pid);
/* The same in steps, for a process that opens the event on itself: its descriptor; -1: not
 * possible. Nothing is recorded until there is a ring, which lives as long as anybody has it
 * mapped: here in the place of ring, NULL: anywhere. NULL: not possible. Async-signal-safe. */
int moments_event(pid_t pid);
void *moments_map(int fd, void *ring);
/* It takes the descriptor. */
void moments_adopt(struct moments *m, int fd);
/* Has it reached exec, or ended? */
bool moments_has_exec(const struct moments *m);
/* Has pid ended, without ever having started another thread? Its memory need not be given back
 * yet. */
bool moments_has_exit(const struct moments *m, pid_t pid);
/* What was seen, for pid a zombie. Any m that was opened or zeroed. */
void moments_read(const struct moments *m, pid_t pid, struct moments_seen *ret);
/* End the watch. Any m that was opened or zeroed. */
void moments_close(struct moments *m);

#endif
