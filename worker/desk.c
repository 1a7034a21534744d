/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The zygote's side: async-signal-safe calls only, no allocation, so that it stays small. */
#include "worker/desk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "worker/zygote.h"

enum { LINE_FD = RESULT_FD + 1, SPIN_NS = 100 * 1000 };

bool desk_send(int line, char what, const int *fds, int n)
{
	_Alignas(struct cmsghdr) char space[CMSG_SPACE(DESK_FDS * sizeof(int))] = { 0 };
	struct iovec iov = { &what, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t sent;

	if (n) {
		struct cmsghdr *c = (struct cmsghdr *)space;

		m.msg_control = space;
		m.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)n * sizeof(int));
	}
	do
		sent = sendmsg(line, &m, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == 1;
}

char desk_receive(int line, int fds[DESK_FDS], int *ret_n)
{
	_Alignas(struct cmsghdr) char space[CMSG_SPACE(DESK_FDS * sizeof(int))];
	char what = 0;
	struct iovec iov = { &what, 1 };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = sizeof(space) };
	struct cmsghdr *c;
	ssize_t got;

	*ret_n = 0;
	do
		got = recvmsg(line, &m, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got == 0)
		errno = ECHILD;
	if (got != 1)
		return 0;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_type == SCM_RIGHTS) {
		*ret_n = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(c), (size_t)*ret_n * sizeof(int));
	}
	return what;
}

void zygote_child_tell(struct zygote_desk *d, const struct launch_status *s)
{
	d->status = *s;
}

static int64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* To be woken up costs more than the rest of the wait mostly takes, and nothing is measured
 * now.
 */
static bool is_still_held(struct zygote_desk *d)
{
	int64_t until = now_ns() + SPIN_NS;

	while (__atomic_load_n(&d->go, __ATOMIC_ACQUIRE) == DESK_HOLD)
		if (!d->may_spin || now_ns() >= until)
			return true;
	return false;
}

void zygote_child_wait(struct zygote_desk *d)
{
	uint32_t hold = DESK_HOLD;

	if (is_still_held(d) && __atomic_compare_exchange_n(&d->go, &hold, DESK_WAITING, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&d->go, __ATOMIC_ACQUIRE) == DESK_WAITING)
			(void)syscall(
				SYS_futex, &d->go, FUTEX_WAIT, DESK_WAITING, NULL, NULL, 0);
	if (__atomic_load_n(&d->go, __ATOMIC_ACQUIRE) == DESK_AWAY)
		_exit(0);
}

void zygote_child_watch(struct zygote_desk *d)
{
	struct counters c;
	int fds[DESK_FDS], n = 0;

	moments_open(&d->moments, 0);
	d->has_event = d->moments.ring != NULL;
	if (d->has_event)
		fds[n++] = d->moments.fd;
	if (d->wants_counters)
		counters_open(&c, 0);
	for (int i = 0; d->wants_counters && i < N_COUNTERS; i++) {
		d->has_counter[i] = c.fd[i] >= 0;
		if (d->has_counter[i])
			fds[n++] = c.fd[i];
	}
	if (n)
		(void)desk_send(d->line, 'w', fds, n);
}

#if defined(__x86_64__)
static inline long clone_here(const struct clone3_args *a)
{
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "0"((long)SYS_clone3), "D"(a), "S"(sizeof(*a))
			 : "rcx", "r11", "memory");
	return r;
}
#elif defined(__aarch64__)
static inline long clone_here(const struct clone3_args *a)
{
	register long x8 __asm__("x8") = SYS_clone3;
	register long x0 __asm__("x0") = (long)a;
	register long x1 __asm__("x1") = sizeof(*a);

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x1), "r"(x8) : "memory");
	return x0;
}
#else
#define NO_CLONE_HERE
static inline long clone_here(const struct clone3_args *a)
{
	(void)a;
	return -ENOSYS;
}
#endif

bool desk_can_clone(void)
{
#ifdef NO_CLONE_HERE
	return false;
#else
	/* Without arguments it does nothing but say whether it is there and allowed. */
	return syscall(SYS_clone3, NULL, 0) < 0 && errno == EINVAL;
#endif
}

static __attribute__((noreturn)) void be_child(
	struct zygote_desk *d, const struct launch_fds *fds)
{
	d->pid = getpid();
	launch_child(&d->plan, fds);
}

/* The child runs on our stack while we are held: what lies above its frames stays as it is, and
 * no function it was called from returns in it. */
static __attribute__((noinline)) long clone_child(
	const struct clone3_args *a, struct zygote_desk *d, const struct launch_fds *fds)
{
	long pid = clone_here(a);

	if (pid == 0)
		be_child(d, fds);
	return pid;
}

static void start_one(
	struct zygote_desk *d, const struct launch_fds *fds, int cgroup, int procs)
{
	struct clone3_args a = { .flags = CLONE_VM | CLONE_VFORK | CLONE_PARENT };
	long pid = -1;

	if (cgroup >= 0) {
		a.flags |= CLONE_INTO_CGROUP;
		a.cgroup = (uint64_t)cgroup;
		pid = clone_child(&a, d, fds);
		a.flags &= ~CLONE_INTO_CGROUP;
		a.cgroup = 0;
		d->plan.cgroup_procs_fd = procs;
	}
	if (pid < 0)
		pid = clone_child(&a, d, fds);
	d->seen_ns = now_ns();
	d->pid = (pid_t)pid;
}

static void serve_one(struct zygote_desk *d, struct launch_fds *fds, const int *theirs, int n)
{
	int at = 0, cgroup = -1, procs = -1;

	moments_unmap(&d->moments);
	fds->out = theirs[at++];
	fds->err = theirs[at++];
	fds->result = d->has_result ? theirs[at++] : -1;
	if (d->has_cgroup) {
		cgroup = theirs[at++];
		procs = theirs[at++];
	}
	if (at == n)
		start_one(d, fds, cgroup, procs);
	else
		d->pid = -EMFILE;
	for (int i = 0; i < n; i++)
		close(theirs[i]);
	(void)desk_send(d->line, 'x', NULL, 0);
	/* The last mapping to go would take the records with it. */
	if (__atomic_load_n(&d->is_adopted, __ATOMIC_ACQUIRE))
		moments_unmap(&d->moments);
}

/* Nothing of the runner's may stay open here: its line and its locks end with it. What comes
 * later must not have a number that the program's descriptors get. */
static int keep_only(int line)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0)
		return -1;
	for (int fd = 0; fd <= RESULT_FD; fd++)
		if (dup2(null, fd) < 0)
			return -1;
	if (dup2(line, LINE_FD) < 0 || fcntl(LINE_FD, F_SETFD, FD_CLOEXEC) < 0)
		return -1;
	return (int)syscall(SYS_close_range, LINE_FD + 1, ~0U, 0);
}

void desk_serve(struct zygote_desk *d, int line, pid_t runner)
{
	struct launch_fds fds = { .null = 0, .status = -1, .parent = runner, .desk = d };
	int theirs[DESK_FDS], n;
	cpu_set_t cpus;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != runner || keep_only(line) < 0)
		_exit(1);
	launch_clear_signals();
	d->may_spin = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && CPU_COUNT(&cpus) > 1;
	d->line = LINE_FD;
	while (desk_receive(d->line, theirs, &n) == 'l')
		serve_one(d, &fds, theirs, n);
	_exit(0);
}
