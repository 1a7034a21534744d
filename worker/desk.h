/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the runner and its zygote share: memory in which the next process is described and told
 * of, and the table of descriptors: a number means the same to both, and nothing has to be
 * sent. A child leaves that table for a copy of its own. Inside of worker/zygote.h. */
#ifndef WORKER_DESK_H
#define WORKER_DESK_H

#include "worker/cgroup.h"
#include "worker/counters.h"
#include "worker/launch.h"

enum { DESK_BYTES = 4 * 1024 * 1024, DESK_STACK = 128 * 1024 };

/* Values of go: a futex. */
enum { DESK_HOLD, DESK_WAITING, DESK_GO, DESK_AWAY };

struct zygote_desk {
	/* The runner's, for good. */
	bool may_spin;	 /* there is another cpu */
	bool has_events; /* else a pipe tells of the exec by closing */
	int bell;	 /* an eventfd: there is something to be made */
	/* The runner's, before it asks. */
	struct launch plan;    /* pointers into text */
	struct launch_fds fds; /* the child's ends */
	int group, procs;      /* of the cgroup; -1 */
	bool wants_counters;
	uint32_t go;
	uint32_t is_armed; /* when the one that runs ends, make the next by this plan */
	uint32_t is_met;   /* it has nothing to do but wait for the child */
	/* The child's. */
	struct launch_status status;	/* step -1: it said nothing */
	int event, counter[N_COUNTERS]; /* its perf events; -1 */
	bool leaves_ring;		/* of its event, to the runner */
	pid_t watched;			/* the child that has filled in these */
	pid_t said;			/* the child that stands by, on a table of its own */
	/* The zygote's. */
	pid_t ended; /* the last child whose end it has seen */
	pid_t pid;   /* of the child. -errno: the clone failed. The child fills it in first */
	int pidfd;   /* its; -1 */
	void *stack; /* of the child until its exec */
	void *ring;  /* of its event, or of the last one's: where the zygote sees it */
	/* A futex that tells of said, ended and a clone that failed, to one who says it sleeps.
	 */
	uint32_t news;
	uint32_t is_awaited;
	bool has_slept; /* the child, until its release */
	size_t n_text;
	_Alignas(16) char text[];
};

#define DESK_TEXT (DESK_BYTES - sizeof(struct zygote_desk))

/* In a loop that looks again and again: leaves a core that is shared to its other half. */
static inline void desk_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* Wake up the runner if it sleeps on news. */
void desk_tell_news(struct zygote_desk *d);

/* Is the clone of a zygote known for this architecture? */
bool desk_can_clone(void);
/* The zygote's life. */
void desk_serve(struct zygote_desk *d, pid_t runner, const cpu_set_t *cpus)
	__attribute__((noreturn));

#endif
