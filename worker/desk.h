/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the runner and its zygote share: memory in which the next process is described and told
 * of, and a line on which descriptors travel. Inside of worker/zygote.h. */
#ifndef WORKER_DESK_H
#define WORKER_DESK_H

#include "worker/cgroup.h"
#include "worker/counters.h"
#include "worker/launch.h"

enum { DESK_BYTES = 4 * 1024 * 1024, DESK_FDS = 8, DESK_STACK = 128 * 1024 };

/* Values of go: a futex. */
enum { DESK_HOLD, DESK_WAITING, DESK_GO, DESK_AWAY };

struct zygote_desk {
	/* The runner's, before it asks. */
	struct launch plan; /* pointers into text */
	bool has_cgroup, wants_counters;
	uint32_t go;
	uint32_t is_armed; /* when the one that runs ends, make the next by this plan */
	/* The child's. */
	struct launch_status status; /* step -1: it said nothing */
	bool has_event, has_counter[N_COUNTERS];
	pid_t said; /* the child whose descriptors are on their way to the runner */
	/* The zygote's. */
	pid_t ended;	 /* the last child whose end it has seen */
	bool may_spin;	 /* there is another cpu */
	bool has_events; /* else a pipe that closes with its exec goes to the runner */
	pid_t pid;	 /* -errno: the clone failed. The child fills it in first */
	int line;
	void *stack; /* of the child until its exec */
	int ours[4]; /* the runner's ends of the pipes, on their way to it */
	int n_ours;
	bool has_slept; /* the child, until its release */
	size_t n_text;
	_Alignas(16) char text[];
};

#define DESK_TEXT (DESK_BYTES - sizeof(struct zygote_desk))

/* One byte and descriptors. */
bool desk_send(int line, char what, const int *fds, int n);
/* 0: nothing came, the other end is gone or took too long. */
char desk_receive(int line, int fds[DESK_FDS], int *ret_n);

/* Is the clone of a zygote known for this architecture? */
bool desk_can_clone(void);
/* The zygote's life. */
void desk_serve(struct zygote_desk *d, int line, pid_t runner, const cpu_set_t *cpus)
	__attribute__((noreturn));

#endif
