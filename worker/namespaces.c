/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/fs.h"

/* From sys/mount.h, which cannot be included beside linux/mount.h. */
int mount(const char *, const char *, const char *, unsigned long, const void *);
enum { NR_OPEN_TREE = 428, NR_MOVE_MOUNT = 429, NR_MOUNT_SETATTR = 442 };
enum { OPEN_CLONE = 1, RECURSIVE = 0x8000, MOVE_FROM_EMPTY = 4 };
enum { MS_PRIVATE_REC = 1 << 18 | 16384, MS_NOSUID_NODEV = 2 | 4, MS_NOSUID_NOEXEC = 2 | 8 };

struct wish {
	const char *path;
	int tree; /* clone of the mount, still writable */
};

int namespaces_flags(void)
{
	return CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
	       (geteuid() ? CLONE_NEWUSER : 0);
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

/* --- inside: process 1 sets its world up ------------------------------------------------- */

/* In the new user namespace this user is itself, and nobody else exists. */
static const char *map_user(unsigned uid, unsigned gid)
{
	char map[64];

	if (!uid)
		return NULL;
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	if (write_file("/proc/self/setgroups", "deny") < 0 ||
		write_file("/proc/self/uid_map", map) < 0)
		return "the user id";
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	return write_file("/proc/self/gid_map", map) < 0 ? "the group id" : NULL;
}

static const char *make_private(void)
{
	static const char *const own[] = { "/tmp", "/var/tmp", "/dev/shm" };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (access(own[i], F_OK) == 0 &&
			mount("tmpfs", own[i], "tmpfs", MS_NOSUID_NODEV, "mode=1777,size=20%") <
				0)
			return own[i];
	/* Terminals of others are files too. */
	if (access("/dev/pts", F_OK) == 0 &&
		mount("devpts", "/dev/pts", "devpts", MS_NOSUID_NOEXEC,
			"newinstance,ptmxmode=0666,mode=0600") < 0)
		return "/dev/pts";
	return NULL;
}

/* What belongs to the daemon and to other jobs is not to be read either. */
static const char *hide(const char *path)
{
	if (path && access(path, F_OK) == 0 &&
		mount("tmpfs", path, "tmpfs", MS_NOSUID_NODEV, "mode=0755,size=1m") < 0)
		return path;
	return NULL;
}

static const char *make_read_only(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	if (mount("none", "/", NULL, MS_PRIVATE_REC, NULL) < 0)
		return "private mounts";
	if (syscall(NR_MOUNT_SETATTR, AT_FDCWD, "/", RECURSIVE, &attr, sizeof(attr)) < 0)
		return "read-only mounts";
	return NULL;
}

static const char *clone_writable(struct wish *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		w[i].tree =
			(int)syscall(NR_OPEN_TREE, AT_FDCWD, w[i].path, OPEN_CLONE | O_CLOEXEC);
		if (w[i].tree < 0)
			return w[i].path;
	}
	return NULL;
}

/* Put the clones where they were; a private /tmp may have hidden the place. */
static const char *place_writable(const struct wish *w, size_t n)
{
	struct error err;

	for (size_t i = 0; i < n; i++) {
		if (access(w[i].path, F_OK) < 0 && dir_make(w[i].path, 0755, &err) < 0)
			return w[i].path;
		if (syscall(NR_MOVE_MOUNT, w[i].tree, "", AT_FDCWD, w[i].path,
			    MOVE_FROM_EMPTY) < 0)
			return w[i].path;
		close(w[i].tree);
	}
	return NULL;
}

static void raise_loopback(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s >= 0) {
		(void)ioctl(s, SIOCSIFFLAGS, &ifr);
		close(s);
	}
}

static const char *set_up(
	struct wish *w, size_t n, const char *hidden, unsigned uid, unsigned gid)
{
	const char *failed;

	if ((failed = map_user(uid, gid)) || (failed = clone_writable(w, n)) ||
		(failed = make_read_only()) || (failed = make_private()) ||
		(failed = hide(hidden)) || (failed = place_writable(w, n)))
		return failed;
	if (mount("proc", "/proc", "proc", MS_NOSUID_NODEV, NULL) < 0)
		return "/proc";
	raise_loopback();
	return NULL;
}

struct report {
	int error;
	char what[PATH_MAX];
};

static __attribute__((noreturn)) void reap_for_ever(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	for (;;) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		(void)sigwait(&set, &sig);
	}
}

/* Process 1: nothing but reaping; it ends by SIGKILL, its own or the runner's end. */
static __attribute__((noreturn)) void be_first(
	struct wish *w, size_t n, const char *hidden, unsigned uid, unsigned gid, int out)
{
	struct report rep = { 0 };
	const char *failed;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	failed = set_up(w, n, hidden, uid, gid);
	if (failed) {
		rep.error = errno ? errno : EINVAL;
		snprintf(rep.what, sizeof(rep.what), "%s", failed);
	}
	(void)!write(out, &rep, sizeof(rep));
	if (failed)
		_exit(1);
	/* Everything inherited goes, or pipes of the runner would never see their end. */
	(void)syscall(SYS_close_range, 0, ~0U, 0);
	reap_for_ever();
}

/* --- outside --------------------------------------------------------------------------- */

static pid_t clone_first(int *ret_pidfd)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size,
			tls;
	} args = { .flags = CLONE_PIDFD | (unsigned)namespaces_flags(),
		.pidfd = (uint64_t)(uintptr_t)ret_pidfd,
		.exit_signal = SIGCHLD };

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static int await_first(struct namespaces *n, int in, struct error *err)
{
	struct report rep;
	ssize_t got = read(in, &rep, sizeof(rep));

	if (got == (ssize_t)sizeof(rep) && !rep.error)
		return OK;
	errno = got == (ssize_t)sizeof(rep) ? rep.error : ECHILD;
	error_errno(err, E_UNPROCESSABLE, "cannot set up the namespaces (%s)",
		got == (ssize_t)sizeof(rep) ? rep.what : "process 1 died");
	namespaces_leave(n);
	return E_UNPROCESSABLE;
}

int namespaces_enter(
	struct namespaces *n, const char *const *writable, size_t n_writable, struct error *err)
{
	struct wish wishes[NAMESPACES_MAX_PATHS];
	unsigned uid = geteuid(), gid = getegid();
	int p[2], r;

	n_writable = MIN(n_writable, (size_t)NAMESPACES_MAX_PATHS);
	for (size_t i = 0; i < n_writable; i++)
		wishes[i] = (struct wish){ writable[i], -1 };
	if (pipe2(p, O_CLOEXEC) < 0)
		return error_errno(err, E_IO, "cannot make a pipe");
	n->pid = clone_first(&n->pidfd);
	if (n->pid == 0)
		be_first(wishes, n_writable, n->hidden, uid, gid, p[1]);
	close(p[1]);
	if (n->pid < 0) {
		n->pid = 0;
		close(p[0]);
		return error_errno(err, E_UNPROCESSABLE, "cannot make namespaces");
	}
	r = await_first(n, p[0], err);
	close(p[0]);
	return r;
}

void namespaces_leave(struct namespaces *n)
{
	if (!n->pid)
		return;
	(void)kill(n->pid, SIGKILL);
	while (waitpid(n->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(n->pidfd);
	n->pid = 0;
	n->pidfd = -1;
}
