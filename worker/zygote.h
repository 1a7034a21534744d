/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small process that starts measured processes for the runner. It is forked from the runner
 * while that is young and does nothing else, so it stays small: its children share its memory
 * until their exec (CLONE_VM, each on a stack that is set apart) instead of copying the
 * runner's, which makes a start several times cheaper, and what they inherit as the floor under
 * their peak of memory is the zygote's, whatever the runner has grown to. They are the runner's
 * own children all the same (CLONE_PARENT): it watches, kills and reaps them as if it had
 * forked them. Runner and zygote have one table of descriptors (CLONE_FILES), so that pipes
 * and perf events need not be sent from one to the other; a child leaves it for a copy before
 * anything else sees it, and closes there what is not its own.
 *
 * The next child can be asked for ahead, while one runs. Nothing is done then: the zygote
 * sleeps on the cpu where that one began, and its end wakes the zygote up there, at the same
 * moment as the runner elsewhere. So the child is made while the runner reads the evidence of
 * the one before. It opens its own perf events and stands by, awake for a
 * moment, until zygote_release. At most one does, and nothing that is measured runs meanwhile.
 * (Made beside the running process it would be ready sooner, and lengthen that by 2 to 3 %.)
 * Nobody is woken up by the exec: the kernel's stamp in the shared ring tells of it, or, where
 * there are no events, a pipe that closes.
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
	int bell, null;		  /* what wakes it up; /dev/null for its children */
	struct zygote_desk *desk; /* memory shared with it */
	bool is_lost;		  /* it does not answer */
	/* The ends of the one that is being made: closed when that has a copy. */
	struct launch_fds theirs;
	/* One that was asked for ahead and waits for its program. */
	bool is_standing;
	struct child next;
	struct launch next_plan;
	/* Of the one that was asked for or taken last: does it stand by, or what became of it?
	 */
	bool is_met;
	struct launch_status early;
	char schedstat[64]; /* its, when it was released */
};

/* Fork it. False: not possible here. cpus (NULL: as inherited): where it keeps to, and its
 * children until they are about to stand by; apart from the runner's, so that neither waits for
 * the other.
 */
bool zygote_open(struct zygote *z, const cpu_set_t *cpus);
/* End it. Any z that was opened or zeroed. */
void zygote_close(struct zygote *z);

/* Ask for a process, and wait until it stands by: its pid, pipes and moments are in c, its
 * counters in l->counters. False: it cannot be asked for this one (too large a command line, or
 * the zygote is gone), fork it instead. */
bool zygote_ask(struct zygote *z, const struct launch *l, struct child *c);
/* When the one that runs now (its pid) has ended, make another by its plan: asked for while
 * that runs, so that the zygote, which sees its end itself, begins at once. It stands by until
 * zygote_take, which is false when none fits l. */
void zygote_foresee(struct zygote *z, const struct launch *l, pid_t running);
bool zygote_take(struct zygote *z, const struct launch *l, struct child *c);
/* End what stands by, of any zygote: before others of our children are swept away. */
void zygote_dismiss(void);
/* Let the process go on to its exec. */
void zygote_release(struct zygote *z, struct child *c);
/* Wait for that. Fills pidfd and started_ns of c, and what the child said last; its step is -1
 * when it said nothing: then the process, if pid is not 0, has ended. */
void zygote_await(struct zygote *z, struct child *c, struct launch_status *ret);

/* The child's side (async-signal-safe). */
void zygote_child_tell(struct zygote_desk *d, const struct launch_status *s);
void zygote_child_wait(struct zygote_desk *d);
/* In that wait: then it may have had to wait for a cpu, too. */
bool zygote_child_has_slept(const struct zygote_desk *d);
/* Open events on itself in the runner's table of descriptors, and leave that for a copy. 0; -1
 * and errno. */
int zygote_child_watch(struct zygote_desk *d);

#endif
