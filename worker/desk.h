/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the runner and its zygote share: memory in which the next process is described and told
 * of, and a line on which descriptors travel. Inside of worker/zygote.h. */
#ifndef WORKER_DESK_H
#define WORKER_DESK_H

#include "worker/cgroup.h"
#include "worker/counters.h"
#include "worker/launch.h"
#include "worker/moments.h"

enum { DESK_BYTES = 4 * 1024 * 1024, DESK_FDS = 8 };

/* Values of go: a futex. */
enum { DESK_HOLD, DESK_WAITING, DESK_GO, DESK_AWAY };

struct zygote_desk {
	/* The runner's, before it asks. */
	struct launch plan; /* pointers into text */
	bool has_result, has_cgroup, wants_counters;
	bool is_adopted; /* it has its own mapping of the event */
	uint32_t go;
	/* The child's. */
	struct launch_status status; /* step -1: it said nothing */
	bool has_event, has_counter[N_COUNTERS];
	struct moments moments; /* mapped by the child, unmapped by the zygote */
	/* The zygote's. */
	bool may_spin;	 /* there is another cpu */
	pid_t pid;	 /* -errno: the clone failed. The child fills it in first */
	int64_t seen_ns; /* CLOCK_MONOTONIC: exec succeeded, or it ended */
	int line;
	struct cgroup group;
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
void desk_serve(struct zygote_desk *d, int line, pid_t runner) __attribute__((noreturn));

#endif
