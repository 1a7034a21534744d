/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small process that starts measured processes for the runner. It is forked from the runner
 * while that is young and does nothing else, so it stays small: its children share its memory
 * until their exec (CLONE_VM | CLONE_VFORK) instead of copying the runner's, which makes a
 * start several times cheaper, and what they inherit as the floor under their peak of memory is
 * the zygote's, whatever the runner has grown to. They are the runner's own children all the
 * same (CLONE_PARENT): it watches, kills and reaps them as if it had forked them.
 *
 * The child attaches its own perf events, hands them over, and stops before its exec until
 * zygote_release. So it can be asked for ahead, as soon as the process before has ended: it
 * stands by while the runner reads the evidence. At most one does; nothing that is measured
 * runs meanwhile.
 *
 * Not for processes in namespaces of their own. Where there is no such clone (an architecture
 * without the few lines of assembly, a seccomp filter), zygote_open says so and processes are
 * forked as ever. Runner only. */
#ifndef WORKER_ZYGOTE_H
#define WORKER_ZYGOTE_H

#include "worker/launch.h"

struct zygote_desk;

struct zygote {
	pid_t pid;		  /* 0: there is none */
	int line;		  /* to it */
	struct zygote_desk *desk; /* memory shared with it */
	/* One that was asked for ahead and waits for its program. */
	bool is_standing;
	struct child next;
	struct launch next_plan;
};

/* Fork it. False: not possible here. */
bool zygote_open(struct zygote *z);
/* End it. Any z that was opened or zeroed. */
void zygote_close(struct zygote *z);

/* Ask for a process: its ends of the pipes are theirs->out, err and result. False: it cannot be
 * asked for this one (too large a command line, or the zygote is gone), fork it instead. */
bool zygote_ask(struct zygote *z, const struct launch *l, const struct launch_fds *theirs);
/* Ask for one ahead, by the plan of the process before; takes over the pipes in *ours. It
 * stands by until zygote_take, which is false when none fits l. */
bool zygote_foresee(struct zygote *z, const struct launch *l, const struct launch_fds *theirs,
	const struct child *ours);
bool zygote_take(struct zygote *z, const struct launch *l, struct child *c);
/* End what stands by, of any zygote: before others of our children are swept away. */
void zygote_dismiss(void);
/* Let the process go on to its exec. */
void zygote_release(struct zygote *z);
/* Wait for that. Fills pid, pidfd, moments and started_ns of c, the descriptors of l->counters,
 * and what the child said last; its step is -1 when it said nothing: then the process, if pid
 * is not 0, has ended. */
void zygote_await(
	struct zygote *z, const struct launch *l, struct child *c, struct launch_status *ret);

/* The child's side (async-signal-safe). */
void zygote_child_tell(struct zygote_desk *d, const struct launch_status *s);
void zygote_child_wait(struct zygote_desk *d);
/* Open events on itself and hand them to the runner. */
void zygote_child_watch(struct zygote_desk *d);

#endif
