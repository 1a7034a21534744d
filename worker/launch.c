/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "worker/cgroup.h"
#include "worker/namespaces.h"
#include "worker/zygote.h"

enum { EXEC_TIMEOUT_S = 30 };

void launch_init(struct launch *l)
{
	*l = (struct launch){
		.cgroup_procs_fd = -1, .uid = (uid_t)-1, .gid = (gid_t)-1, .kept_fd = -1
	};
	CPU_ZERO(&l->cpus);
}

void launch_limit(struct launch *l, int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit now;

	if (getrlimit(resource, &now) == 0)
		hard = MIN(hard, now.rlim_max);
	if (l->n_rlimits < LAUNCH_MAX_RLIMITS)
		l->rlimits[l->n_rlimits++] =
			(struct launch_rlimit){ resource, MIN(soft, hard), hard };
}

/* With a pidfd and, where the kernel can, straight into the cgroup: no race in which the child
 * does something outside of it. Without CLONE_VM on purpose: a child that shares memory starts
 * with the worker's peak resident set. */
static pid_t clone_child(const struct launch *l, uint64_t flags, int *ret_pidfd)
{
	struct clone3_args args = { .flags = flags | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)ret_pidfd,
		.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD };

	if (l->cgroup && l->cgroup->fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)l->cgroup->fd;
	}
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static pid_t fork_child(struct launch *l, int *ret_pidfd)
{
	pid_t pid = clone_child(l, 0, ret_pidfd);

	if (pid >= 0)
		return pid;
	if (errno != ENOSYS && errno != EPERM && errno != EINVAL && errno != EBADF &&
		errno != EOPNOTSUPP && errno != EBUSY)
		return -1;
	if (l->cgroup)
		l->cgroup_procs_fd = l->cgroup->procs_fd;
	pid = fork();
	if (pid > 0) {
		*ret_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		if (*ret_pidfd < 0) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			return -1;
		}
	}
	return pid;
}

/* Born inside other namespaces, yet our child: a helper joins them and clones with our process
 * as the parent. The runner itself stays where it is. */
static __attribute__((noreturn)) void be_helper(
	const struct launch *l, const struct launch_fds *fds, int out)
{
	pid_t pid = -1;
	int pidfd;

	if (syscall(SYS_setns, l->namespaces->pidfd, namespaces_flags()) == 0)
		pid = clone_child(l, CLONE_PARENT, &pidfd);
	if (pid == 0)
		launch_child(l, fds);
	if (pid < 0)
		pid = -errno;
	(void)!write(out, &pid, sizeof(pid));
	_exit(0);
}

static pid_t clone_inside(const struct launch *l, const struct launch_fds *fds, int *ret_pidfd)
{
	pid_t helper, pid = -ECHILD;
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return -1;
	helper = fork();
	if (helper == 0)
		be_helper(l, fds, p[1]);
	close(p[1]);
	if (helper > 0) {
		if (read(p[0], &pid, sizeof(pid)) != (ssize_t)sizeof(pid))
			pid = -ECHILD;
		while (waitpid(helper, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(p[0]);
	if (pid > 0) {
		*ret_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		return pid;
	}
	errno = -pid;
	return -1;
}

int launch_make_pipe(int *ret_ours, int *ret_theirs)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return -1;
	(void)fcntl(p[0], F_SETFL, O_NONBLOCK);
	*ret_ours = p[0];
	*ret_theirs = p[1];
	return 0;
}

int launch_make_outputs(const struct launch *l, struct child *c, struct launch_fds *theirs)
{
	if (launch_make_pipe(&c->out, &theirs->out) < 0)
		return -1;
	if (l->merges_output)
		theirs->err = fcntl(theirs->out, F_DUPFD_CLOEXEC, 0);
	else if (launch_make_pipe(&c->err, &theirs->err) < 0)
		return -1;
	if (theirs->err < 0)
		return -1;
	if (l->wants_result && launch_make_pipe(&c->result, &theirs->result) < 0)
		return -1;
	return 0;
}

static int make_status(struct child *c, struct launch_fds *theirs)
{
	int s[2];

	theirs->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (theirs->null < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s) < 0)
		return -1;
	c->status = s[0];
	theirs->status = s[1];
	return 0;
}

void launch_close_fds(struct launch_fds *f)
{
	int *fds[] = { &f->null, &f->out, &f->err, &f->result, &f->status };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

static int fork_here(
	struct launch *l, struct child *c, struct launch_fds *theirs, struct error *err)
{
	if (make_status(c, theirs) < 0)
		return error_errno(err, E_IO, "cannot make pipes for '%s'", l->argv[0]);
	c->forked_ns = clock_monotonic_ns();
	c->pid = l->namespaces ? clone_inside(l, theirs, &c->pidfd) : fork_child(l, &c->pidfd);
	if (c->pid == 0)
		launch_child(l, theirs);
	if (c->pid < 0)
		return error_errno(err, E_IO, "cannot start a process for '%s'", l->argv[0]);
	return OK;
}

const struct child no_child = { .pid = -1,
	.pidfd = -1,
	.schedstat = -1,
	.out = -1,
	.err = -1,
	.result = -1,
	.status = -1 };

void launch_foresee(const struct launch *l, const struct child *c)
{
	if (l->foresees && l->zygote && c->is_zygotes)
		zygote_foresee(l->zygote, l, c->pid);
}

int launch_start(const struct launch *plan, struct child *c, struct error *err)
{
	struct launch_fds theirs = { -1, -1, -1, -1, -1, getpid(), NULL };
	struct launch l = *plan;
	int r = OK;

	*c = no_child;
	if (l.zygote && (zygote_take(l.zygote, &l, c) || zygote_ask(l.zygote, &l, c)))
		return OK;
	if (launch_make_outputs(&l, c, &theirs) < 0)
		r = error_errno(err, E_IO, "cannot make pipes for '%s'", l.argv[0]);
	if (r == OK)
		r = fork_here(&l, c, &theirs, err);
	launch_close_fds(&theirs);
	if (r < 0)
		child_close(c);
	return r;
}

static const char *hint(enum launch_step step, int error)
{
	if (step != STEP_EXEC)
		return "";
	if (error == ENOENT)
		return " (its interpreter or loader is missing)";
	if (error == ENOEXEC)
		return " (not a program: a script needs a first line such as #!/bin/sh)";
	return "";
}

static int could_not_start(const struct launch *l, struct child *c,
	const struct launch_status *s, struct error *err)
{
	c->failed_step = (enum launch_step)s->step;
	c->failed_errno = s->error;
	return error_set(err, E_UNPROCESSABLE, "cannot start '%s': %s: %s%s", l->argv[0],
		launch_step_names[s->step], strerror(s->error), hint(c->failed_step, s->error));
}

/* recv, but not forever: 0 at end of file, -1 on time-out. */
static ssize_t await_status(int fd, struct launch_status *s)
{
	struct timeval limit = { .tv_sec = EXEC_TIMEOUT_S };
	ssize_t n;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	do
		n = recv(fd, s, sizeof(*s), 0);
	while (n < 0 && errno == EINTR);
	return n;
}

static int zygote_went(const struct launch *l, struct child *c, struct error *err)
{
	struct launch_status s;

	zygote_await(l->zygote, c, &s);
	c->exec_ns = s.stamp_ns;
	c->usage = s.usage;
	if (s.step == STEP_EXEC && !s.error)
		return OK;
	if (s.step < 0)
		s = (struct launch_status){ .step = STEP_PARENT,
			.error = s.error ? s.error : ECHILD };
	return could_not_start(l, c, &s, err);
}

void launch_release(const struct launch *l, struct child *c)
{
	if (c->is_going)
		return;
	c->is_going = true;
	if (c->is_zygotes)
		zygote_release(l->zygote, c);
	else if (l->wants_go)
		(void)!send(c->status, "g", 1, MSG_NOSIGNAL);
}

int launch_go(const struct launch *l, struct child *c, struct error *err)
{
	struct launch_status s = { 0 };
	bool is_ready = false;
	ssize_t n;

	launch_release(l, c);
	if (c->is_zygotes)
		return zygote_went(l, c, err);
	while ((n = await_status(c->status, &s)) == (ssize_t)sizeof(s)) {
		if (s.step < 0 || s.step >= N_STEPS || s.error)
			return could_not_start(l, c, &s, err);
		is_ready = true;
		c->exec_ns = s.stamp_ns;
		c->usage = s.usage;
	}
	c->started_ns = clock_monotonic_ns();
	if (n == 0 && is_ready)
		return OK;
	s = (struct launch_status){ .step = STEP_PARENT, .error = n < 0 ? errno : ECHILD };
	return could_not_start(l, c, &s, err);
}

void child_close(struct child *c)
{
	int *fds[] = { &c->pidfd, &c->schedstat, &c->out, &c->err, &c->result, &c->status };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
	moments_close(&c->moments);
}

int launch_open_proc(pid_t pid, const char *what)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool can_execute(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	if (!S_ISREG(st.st_mode)) {
		errno = EACCES;
		return false;
	}
	return access(path, X_OK) == 0;
}

static char *absolute(const char *name, const char *directory)
{
	return *name == '/' ? xstrdup(name) : xasprintf("%s/%s", directory, name);
}

char *launch_find(const char *name, const char *path, const char *directory)
{
	int worst = ENOENT;

	if (strchr(name, '/')) {
		char *full = absolute(name, directory);

		if (can_execute(full))
			return full;
		free(full);
		return NULL;
	}
	while (*path) {
		size_t n = strcspn(path, ":");
		char *full = xasprintf("%.*s/%s", (int)n, path, name);

		if (can_execute(full))
			return full;
		if (errno != ENOENT)
			worst = errno;
		free(full);
		path += n + (path[n] == ':');
	}
	errno = worst;
	return NULL;
}
