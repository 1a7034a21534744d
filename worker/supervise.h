/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One foreign process from start to the last of what it started: output drained into captures,
 * time limit, cancel, accounting, sweep. Used for measured processes and, with fewer wishes,
 * for git, build steps and hooks. Runner only. */
#ifndef WORKER_SUPERVISE_H
#define WORKER_SUPERVISE_H

#include "worker/capture.h"
#include "worker/channel.h"
#include "worker/launch.h"

enum { GRACE_S = 5, WEDGED_S = 10, RESULT_CAP = 16 * 1024 * 1024 };

#define TERMINATIONS(X)                                                                        \
	X(T_EXIT, "exit")                                                                      \
	X(T_SIGNAL, "signal")                                                                  \
	X(T_TIMEOUT, "timeout")                                                                \
	X(T_OOM, "oom")                                                                        \
	X(T_KILLED, "killed")                                                                  \
	X(T_OUTPUT_LIMIT, "output_limit")                                                      \
	X(T_FAILED_START, "failed_start")

enum termination {
#define X(id, name) id,
	TERMINATIONS(X)
#undef X
};
extern const char *const termination_names[];

/* What wait4 and /proc say about the process and the descendants it waited for. -1: unknown. */
struct account {
	int64_t wall_ns;      /* exec to exit */
	bool is_stamped;      /* by the kernel (worker/moments.h), not by our waking up */
	int64_t end_delay_ns; /* between the exit and our seeing it; 0 unknown */
	int64_t started_unix_ns;
	int64_t start_delay_ns; /* between the child's stamp before exec and our seeing exec */
	int64_t user_us, sys_us;
	int64_t maxrss_kib, maxrss_floor_kib;
	int64_t minflt, majflt, nvcsw, nivcsw;
	int64_t read_bytes, write_bytes; /* from and to block devices */
	int64_t runq_wait_ns;		 /* leader thread only */
	int64_t migrations;		 /* leader thread only */
};

/* Called between fork and exec (the child waits; pid 0: a zygote could not make it) and right
 * after the exit (the child is a zombie, not reaped yet): counters and noise signals hang here.
 * ending, which may be NULL, comes before after, but not always: it is known to end, and the
 * kernel is still busy with that. next is called while it runs, if its plan foresees: the plan
 * of the next one, which must live until then; NULL: not known. */
struct supervise_hooks {
	void (*before)(void *arg, pid_t pid);
	void (*ending)(void *arg);
	void (*after)(void *arg, pid_t pid);
	const struct launch *(*next)(void *arg);
	void *arg;
};

struct supervised {
	enum termination termination;
	int exit, signal; /* -1 / 0 when not applicable */
	int strays;	  /* processes it left behind, killed */
	bool is_wedged;	  /* something did not die within WEDGED_S */
	enum launch_step failed_step;
	int failed_errno;
	char failure[256]; /* sentence of a failed start */
	pid_t pid;
	struct account account;
	struct capture out, err; /* err unused when outputs are merged */
	struct buf result;
	bool result_flooded;  /* more than RESULT_CAP */
	struct child remains; /* descriptors and memory to be given back */
};

void supervised_done(struct supervised *s);
static inline void supervised_donep(struct supervised *s)
{
	supervised_done(s);
}

/* Start l and see it through. time_ns: limit of wall time, 0 none. output_cap: bytes kept of
 * each output. live (may be NULL): stream name under which merged output goes to the channel
 * while it comes. Returns OK whenever the story of the process is told by *s, also for a failed
 * start; an error means that the worker itself could not do its work. */
int supervise(struct channel *ch, const struct launch *l, int64_t time_ns, size_t output_cap,
	const char *live, const struct supervise_hooks *hooks, struct supervised *s,
	struct error *err) must_check;

#endif
