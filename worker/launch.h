/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starting a process the way a measurement needs it: everything is prepared before the fork,
 * only async-signal-safe calls run between fork and exec, nothing of the worker leaks into the
 * child, and a failed exec says at which step and why. Runner only, single-threaded. */
#ifndef WORKER_LAUNCH_H
#define WORKER_LAUNCH_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>
#include "base/error.h"
#include "worker/moments.h"

/* The steps of the child, in order; the name is what `layers` and errors call them. */
#define LAUNCH_STEPS(X)                                                                        \
	X(STEP_SESSION, "session")                                                             \
	X(STEP_CGROUP, "cgroup")                                                               \
	X(STEP_DESCRIPTORS, "descriptors")                                                     \
	X(STEP_PERSONALITY, "aslr")                                                            \
	X(STEP_DIRECTORY, "directory")                                                         \
	X(STEP_LIMITS, "rlimits")                                                              \
	X(STEP_IDENTITY, "identity")                                                           \
	X(STEP_PARENT, "parent")                                                               \
	X(STEP_PRIVILEGES, "no_new_privs")                                                     \
	X(STEP_LANDLOCK, "landlock")                                                           \
	X(STEP_SECCOMP, "seccomp")                                                             \
	X(STEP_AFFINITY, "affinity")                                                           \
	X(STEP_INPUT, "input")                                                                 \
	X(STEP_EXEC, "exec")

enum launch_step {
#define X(id, name) id,
	LAUNCH_STEPS(X)
#undef X
		N_STEPS
};
extern const char *const launch_step_names[N_STEPS];

enum { LAUNCH_MAX_RLIMITS = 8, RESULT_FD = 3, KEPT_FD = 4 };

struct launch_rlimit {
	int resource;
	rlim_t soft, hard;
};

struct cgroup;
struct counters;
struct landlock_path;
struct namespaces;
struct sock_fprog;
struct zygote;
struct zygote_desk;

/* What to start. Pointers are borrowed until launch_start returns; where it was foreseen, those
 * to cgroup, landlock and seccomp until it is taken or dismissed. */
struct launch {
	uint64_t serial; /* of its program, arguments and environment; 0: not counted */
	const char *exe; /* absolute path */
	char **argv, **envp;
	const char *directory;
	bool wants_result;    /* give it a result pipe as descriptor RESULT_FD */
	int kept_fd;	      /* inherited as KEPT_FD; not from a zygote; -1: none */
	bool merges_output;   /* one pipe for stdout and stderr */
	bool discards_output; /* stdout goes nowhere */
	/* Path of stdin, opened last, with no more rights than the program has; NULL: nothing.
	 */
	const char *input;
	bool wants_go;	/* wait after the fork until launch_go */
	cpu_set_t cpus; /* empty: as inherited */
	bool aslr_off;
	struct launch_rlimit rlimits[LAUNCH_MAX_RLIMITS];
	size_t n_rlimits;
	struct cgroup *cgroup; /* NULL: none */
	int cgroup_procs_fd;   /* set by launch_start: the child moves itself there */
	bool no_new_privs;
	bool drops_capabilities;
	uid_t uid; /* (uid_t)-1: stay */
	gid_t gid;
	struct namespaces *namespaces; /* NULL: none. Entered by supervise */
	const char *const *writable;   /* folders that stay writable in them */
	size_t n_writable;
	const struct landlock_path *landlock;
	size_t n_landlock;		  /* 0: no landlock */
	const struct sock_fprog *seccomp; /* NULL: none */
	struct zygote *zygote;		  /* starts it where it can; NULL: fork from here */
	bool foresees; /* the next will be started alike, with a program, arguments of its own
			*/
	/* Its end is looked out for, awake, in that time behind its exec; 0: not, mostly. */
	int64_t ends_from_ns, ends_until_ns;
	struct counters *counters; /* the zygote's child opens them; NULL: not wanted there */
};

/* What the child had used up when it reached exec: everything later is the program's. */
struct launch_usage {
	int64_t user_us, sys_us, minflt, majflt, nvcsw, nivcsw;
	int64_t maxrss_kib; /* the floor under the program's own peak */
	char schedstat[64]; /* text of /proc/self/schedstat, "" unknown */
};

/* What the child writes to the status socket: once before exec, once more when exec (or a step
 * before it) failed. */
struct launch_status {
	int32_t step, error; /* error 0: about to exec */
	int64_t stamp_ns;
	struct launch_usage usage;
};

/* A started process. */
struct child {
	pid_t pid;
	int pidfd;
	int schedstat;	      /* its file in /proc, from its exec on; -1 when not there */
	int out, err, result; /* our ends, non-blocking; -1 when not there */
	int status;	      /* until exec */
	int64_t forked_ns;    /* CLOCK_MONOTONIC */
	int64_t exec_ns;      /* the child's stamp just before exec */
	int64_t started_ns;   /* exec succeeded */
	int64_t seen_ns;      /* when we saw that; INT64_MAX: only its memory was seen to go */
	struct moments moments;
	bool is_going;		      /* launch_release was called */
	bool is_zygotes;	      /* a zygote starts it: pid is 0 until launch_go */
	struct launch_usage usage;    /* before exec */
	enum launch_step failed_step; /* when exec or a step before it failed */
	int failed_errno;
};

extern const struct child no_child;

void launch_init(struct launch *l);
/* The hard limit of this process is a wall that nobody may climb: beyond it, it is taken. */
void launch_limit(struct launch *l, int resource, rlim_t soft, rlim_t hard);
/* Fork. Afterwards the child exists, or a zygote is about to make it, and, with wants_go,
 * waits. E_IO: out of processes or descriptors. */
int launch_start(const struct launch *l, struct child *c, struct error *err) must_check;
/* While c runs, with the plan of the next: if l->foresees, let a zygote make that when c has
 * ended. It stands by, and launch_start takes it if it fits. */
void launch_foresee(const struct launch *l, const struct child *c);
/* Let it go on to exec. What the caller still has to do now happens beside that. */
void launch_release(const struct launch *l, struct child *c);
/* Wait for its exec, releasing it before if need be. OK: it runs, c->started_ns is set.
 * E_UNPROCESSABLE: it could not be started; failed_step and failed_errno say why, the child is
 * a zombie. */
int launch_go(const struct launch *l, struct child *c, struct error *err) must_check;
/* Close the descriptors and its moments; the process must have been reaped. Any c that was
 * started. */
void child_close(struct child *c);

/* /proc/PID/what to read; -1. */
int launch_open_proc(pid_t pid, const char *what);
/* Full path of program name as execvp would find it with PATH path, from folder directory. NULL
 * and errno when there is none. free() it. */
char *launch_find(const char *name, const char *path, const char *directory);

/* The child's side (child.c): never returns. */
struct launch_fds {
	int null, out, err, result, status;
	pid_t parent;
	struct zygote_desk *desk; /* NULL: talk by status */
};
/* A pipe that no exec inherits, our end non-blocking. 0; -1 and errno. */
int launch_make_pipe(int *ret_ours, int *ret_theirs);
/* Pipes for l: our ends go into c, theirs into the other. 0; -1 and errno, with what there is
 * by then. */
int launch_make_outputs(const struct launch *l, struct child *c, struct launch_fds *theirs);
/* All that are not -1, which they are afterwards. */
void launch_close_fds(struct launch_fds *f);

/* clone3's arguments as of Linux 5.7 (the C library's header may be older). */
struct clone3_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls,
		set_tid, set_tid_size, cgroup;
};
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

/* All signals at their defaults, none blocked; umask 077. Async-signal-safe. */
void launch_clear_signals(void);
void launch_child(const struct launch *l, const struct launch_fds *fds)
	__attribute__((noreturn));

#endif
