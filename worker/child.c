/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between fork and exec: only async-signal-safe calls, no allocation, no locks. */
#include "worker/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "worker/cpus.h"
#include "worker/landlock.h"
#include "worker/zygote.h"

const char *const launch_step_names[N_STEPS] = {
#define X(id, name) name,
	LAUNCH_STEPS(X)
#undef X
};

static void fill_usage(const struct launch_fds *fds, struct launch_usage *u)
{
	struct rusage ru;
	ssize_t n = -1;
	int fd = -1;

	if (getrusage(RUSAGE_SELF, &ru) == 0) {
		u->user_us = ru.ru_utime.tv_sec * 1000000LL + ru.ru_utime.tv_usec;
		u->sys_us = ru.ru_stime.tv_sec * 1000000LL + ru.ru_stime.tv_usec;
		u->minflt = ru.ru_minflt;
		u->majflt = ru.ru_majflt;
		u->nvcsw = ru.ru_nvcsw;
		u->nivcsw = ru.ru_nivcsw;
		u->maxrss_kib = ru.ru_maxrss;
	}
	/* A zygote's child that was not held up need not look: the runner has. */
	if (!fds->desk || zygote_child_has_slept(fds->desk))
		fd = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, u->schedstat, sizeof(u->schedstat) - 1);
		close(fd);
	}
	u->schedstat[n > 0 ? n : 0] = 0;
}

static void tell(const struct launch_fds *fds, int step, int error)
{
	struct launch_status s = { .step = step, .error = error };
	struct timespec ts;

	if (!error)
		fill_usage(fds, &s.usage);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	s.stamp_ns = ts.tv_sec * 1000000000LL + ts.tv_nsec;
	if (fds->desk)
		zygote_child_tell(fds->desk, &s);
	else
		(void)!send(fds->status, &s, sizeof(s), MSG_NOSIGNAL);
}

void launch_clear_signals(void)
{
	/* The kernel's struct sigaction: the C library keeps two signals to itself, which may
	 * have been ignored by whoever started us. All zero is SIG_DFL. */
	const unsigned long dfl[4] = { 0 };
	sigset_t none;

	/* Ignored signals and the mask survive exec; the child starts with neither. */
	for (int sig = 1; sig < NSIG; sig++)
		(void)syscall(SYS_rt_sigaction, sig, dfl, NULL, 8);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	umask(077);
}

/* A zygote has its signals clear, and a session: one more for each process would cost more than
 * all other steps here, at its end once more. A group of its own is what it is killed by. */
static int start_session(const struct launch_fds *fds)
{
	if (fds->desk)
		return setpgid(0, 0) < 0 ? errno : 0;
	launch_clear_signals();
	return setsid() < 0 ? errno : 0;
}

static int join_cgroup(const struct launch *l)
{
	if (l->cgroup_procs_fd < 0)
		return 0;
	return write(l->cgroup_procs_fd, "0", 1) == 1 ? 0 : errno;
}

static int set_output(const struct launch *l, const struct launch_fds *fds)
{
	int fd = fds->out;

	if (l->discards_output)
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return fd < 0 || dup2(fd, 1) < 0 ? errno : 0;
}

/* A pipe without a writer must not hold us up; the program finds it as it is. */
static int open_input(const struct launch *l)
{
	int fd;

	if (!l->input)
		return 0;
	fd = open(l->input, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || dup2(fd, 0) < 0 || fcntl(0, F_SETFL, 0) < 0)
		return errno;
	return 0;
}

static int set_descriptors(const struct launch *l, const struct launch_fds *fds)
{
	int keep = RESULT_FD, e = set_output(l, fds);

	if (e)
		return e;

	if (dup2(fds->null, 0) < 0 || dup2(fds->err, 2) < 0)
		return errno;
	if (fds->result >= 0) {
		if (dup2(fds->result, RESULT_FD) < 0)
			return errno;
		keep = RESULT_FD + 1;
	}
	if (l->kept_fd >= 0) {
		if (dup2(l->kept_fd, KEPT_FD) < 0)
			return errno;
		keep = KEPT_FD + 1;
	}
	/* What is closed now a zygote's child need not close in its exec, which we wait for. */
	if (syscall(SYS_close_range, keep, ~0U,
		    fds->desk && fds->status < 0 ? 0 : CLOSE_RANGE_CLOEXEC) == 0)
		return 0;
	/* Linux before 5.11: everything of ours is CLOEXEC anyway; this catches the rest. */
	for (int fd = keep; fd < 1024; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	return 0;
}

static int set_affinity(const struct launch *l)
{
	if (!CPU_COUNT(&l->cpus))
		return 0;
	return sched_setaffinity(0, sizeof(l->cpus), &l->cpus) < 0 ? errno : 0;
}

static int set_personality(const struct launch *l)
{
	int now;

	if (!l->aslr_off)
		return 0;
	now = personality(0xffffffff);
	return personality((unsigned long)now | ADDR_NO_RANDOMIZE) < 0 ? errno : 0;
}

static int set_limits(const struct launch *l)
{
	for (size_t i = 0; i < l->n_rlimits; i++) {
		const struct launch_rlimit *want = &l->rlimits[i];
		const struct rlimit r = { want->soft, want->hard };

		if (setrlimit(want->resource, &r) < 0)
			return errno;
	}
	return 0;
}

static int change_identity(const struct launch *l)
{
	if (l->uid == (uid_t)-1)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(l->gid, l->gid, l->gid) < 0 ||
		setresuid(l->uid, l->uid, l->uid) < 0)
		return errno;
	return 0;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (int cap = 0; cap < 64; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	return syscall(SYS_capset, &head, none) < 0 ? errno : 0;
}

static int drop_privileges(const struct launch *l)
{
	int e = 0;

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (l->drops_capabilities)
		e = drop_capabilities();
	if (!e && l->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		e = errno;
	return e;
}

static int set_landlock(const struct launch *l)
{
	return l->n_landlock ? landlock_restrict(l->landlock, l->n_landlock) : 0;
}

static int set_seccomp(const struct launch *l)
{
	if (!l->seccomp)
		return 0;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, l->seccomp, 0, 0) < 0 ? errno : 0;
}

static int tie_to_parent(const struct launch *l, pid_t parent)
{
	/* After the change of uid, which clears it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return errno;
	/* From inside a pid namespace the parent reads as 0. */
	if (!l->namespaces && getppid() != parent)
		_exit(127);
	return 0;
}

static void wait_for_go(const struct launch *l, const struct launch_fds *fds)
{
	char c;

	if (!l->wants_go)
		return;
	while (recv(fds->status, &c, 1, 0) < 0)
		if (errno != EINTR)
			_exit(127);
}

/* While we still have the worker's identity, with which events are opened; a zygote's child has
 * done that, and stops further on. */
static void stand_by(const struct launch *l, const struct launch_fds *fds)
{
	if (!fds->desk)
		wait_for_go(l, fds);
}

static int take_step(const struct launch *l, const struct launch_fds *fds, int step)
{
	switch (step) {
	case STEP_SESSION:
		return start_session(fds);
	case STEP_CGROUP:
		return join_cgroup(l);
	case STEP_DESCRIPTORS:
		return set_descriptors(l, fds);
	case STEP_PERSONALITY:
		return set_personality(l);
	case STEP_DIRECTORY:
		return chdir(l->directory) < 0 ? errno : 0;
	case STEP_LIMITS:
		return set_limits(l);
	case STEP_IDENTITY:
		stand_by(l, fds);
		return change_identity(l);
	case STEP_PARENT:
		return tie_to_parent(l, fds->parent);
	case STEP_PRIVILEGES:
		return drop_privileges(l);
	case STEP_LANDLOCK:
		return set_landlock(l);
	case STEP_AFFINITY:
		return set_affinity(l);
	case STEP_INPUT:
		/* What comes now belongs to the one program. */
		if (fds->desk)
			zygote_child_wait(fds->desk);
		return open_input(l);
	case STEP_SECCOMP:
		return set_seccomp(l);
	}
	return 0;
}

#ifdef __SANITIZE_ADDRESS__
void __asan_handle_no_return(void);
/* A zygote goes on on the same stack: what was marked there for our frames must go. */
#define LEAVE_STACK() __asan_handle_no_return()
#else
#define LEAVE_STACK() ((void)0)
#endif

/* That of one who comes first is not for programs. */
static void restore_slack(void)
{
	if (cpus_timer_slack())
		(void)prctl(PR_SET_TIMERSLACK, cpus_timer_slack(), 0, 0, 0);
}

void launch_child(const struct launch *l, const struct launch_fds *fds)
{
	/* First, since the runner has something to do about them. */
	if (fds->desk && zygote_child_watch(fds->desk) < 0) {
		tell(fds, STEP_DESCRIPTORS, errno);
		_exit(127);
	}
	restore_slack();
	for (int step = 0; step < STEP_EXEC; step++) {
		int e = take_step(l, fds, step);

		if (e) {
			tell(fds, step, e);
			_exit(127);
		}
	}
	tell(fds, STEP_EXEC, 0);
	LEAVE_STACK();
	execve(l->exe, l->argv, l->envp);
	tell(fds, STEP_EXEC, errno);
	_exit(127);
}
