/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The zygote's side: async-signal-safe calls only, no allocation, so that it stays small. */
#include "worker/desk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "worker/moments.h"
#include "worker/zygote.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
/* The last child left it by an exec: its frames are still marked. */
#define UNPOISON(p, n) __asan_unpoison_memory_region(p, n)
#else
#define UNPOISON(p, n) ((void)0)
#endif

enum { LINE_FD = RESULT_FD + 1, SPIN_NS = 150 * 1000 };

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

	d->has_slept = false;
	if (is_still_held(d) && __atomic_compare_exchange_n(&d->go, &hold, DESK_WAITING, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		d->has_slept = true;
		while (__atomic_load_n(&d->go, __ATOMIC_ACQUIRE) == DESK_WAITING)
			(void)syscall(
				SYS_futex, &d->go, FUTEX_WAIT, DESK_WAITING, NULL, NULL, 0);
	}
	if (__atomic_load_n(&d->go, __ATOMIC_ACQUIRE) == DESK_AWAY)
		_exit(0);
}

bool zygote_child_has_slept(const struct zygote_desk *d)
{
	return d->has_slept;
}

void zygote_child_watch(struct zygote_desk *d)
{
	struct counters c;
	int fds[DESK_FDS], n = d->n_ours;

	memcpy(fds, d->ours, (size_t)n * sizeof(int));
	d->has_event = d->has_events && (fds[n] = moments_event(0)) >= 0;
	n += d->has_event;
	if (d->wants_counters)
		counters_open(&c, 0);
	for (int i = 0; d->wants_counters && i < N_COUNTERS; i++) {
		d->has_counter[i] = c.fd[i] >= 0;
		if (d->has_counter[i])
			fds[n++] = c.fd[i];
	}
	(void)desk_send(d->line, 'w', fds, n);
	__atomic_store_n(&d->said, d->pid, __ATOMIC_RELEASE);
}

/* Clone into fn(arg) on the stack that a names; the parent goes on. */
#if defined(__x86_64__)
static long clone_into(const struct clone3_args *a, void (*fn)(void *), void *arg)
{
	/* Not in the frame pointer, which the child begins without. */
	register void (*to)(void *) __asm__("r12") = fn;
	register void *with __asm__("r13") = arg;
	long r;

	__asm__ volatile(
		"syscall\n\t"
		"test %%rax, %%rax\n\t"
		"jnz 1f\n\t"
		"xor %%ebp, %%ebp\n\t"
		"mov %[arg], %%rdi\n\t"
		"call *%[fn]\n\t"
		"hlt\n"
		"1:"
		: "=a"(r)
		: "0"((long)SYS_clone3), "D"(a), "S"(sizeof(*a)), [fn] "r"(to), [arg] "r"(with)
		: "rcx", "r11", "memory");
	return r;
}
#elif defined(__aarch64__)
static long clone_into(const struct clone3_args *a, void (*fn)(void *), void *arg)
{
	register long x8 __asm__("x8") = SYS_clone3;
	register long x0 __asm__("x0") = (long)a;
	register long x1 __asm__("x1") = sizeof(*a);
	register void (*to)(void *) __asm__("x19") = fn;
	register void *with __asm__("x20") = arg;

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, #0\n\t"
			 "mov x0, %[arg]\n\t"
			 "blr %[fn]\n\t"
			 "brk #1\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), [fn] "r"(to), [arg] "r"(with)
			 : "memory");
	return x0;
}
#else
#define NO_CLONE_HERE
static long clone_into(const struct clone3_args *a, void (*fn)(void *), void *arg)
{
	(void)a;
	(void)fn;
	(void)arg;
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

/* What a child needs of the zygote. */
struct birth {
	struct zygote_desk *desk;
	struct launch_fds fds;
	int group, procs; /* of the cgroup; -1 */
	pid_t pid;	  /* of the child */
	int pidfd;	  /* its; -1 */
};

static void be_child(void *arg)
{
	struct birth *b = arg;

	launch_child(&b->desk->plan, &b->fds);
}

/* It shares our memory until its exec, on a stack of its own, and does not hold us: we are not
 * woken up, on its cpu, by its exec. */
static long clone_child(struct birth *b, uint64_t flags)
{
	struct clone3_args a = { .flags = flags | CLONE_VM | CLONE_PARENT | CLONE_PIDFD |
					  CLONE_PARENT_SETTID,
		.parent_tid = (uint64_t)(uintptr_t)&b->desk->pid,
		.pidfd = (uint64_t)(uintptr_t)&b->pidfd,
		.stack = (uint64_t)(uintptr_t)b->desk->stack,
		.stack_size = DESK_STACK,
		.cgroup = (uint64_t)b->group };

	return clone_into(&a, be_child, b);
}

static void clone_one(struct birth *b)
{
	long pid = -1;

	if (b->group >= 0)
		pid = clone_child(b, CLONE_INTO_CGROUP);
	if (pid < 0) {
		b->desk->plan.cgroup_procs_fd = b->procs;
		pid = clone_child(b, 0);
	}
	if (pid < 0)
		b->pidfd = -1;
	b->pid = b->desk->pid = (pid_t)pid;
}

static bool make_pipe(struct zygote_desk *d, int *ret_theirs)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return false;
	d->ours[d->n_ours++] = p[0];
	*ret_theirs = p[1];
	return true;
}

static bool make_pipes(struct zygote_desk *d, struct launch_fds *fds)
{
	const struct launch *l = &d->plan;

	d->n_ours = 0;
	fds->out = fds->err = fds->result = fds->status = -1;
	if (!make_pipe(d, &fds->out))
		return false;
	if (l->merges_output)
		fds->err = fcntl(fds->out, F_DUPFD_CLOEXEC, 0);
	else if (!make_pipe(d, &fds->err))
		return false;
	return fds->err >= 0 && (!l->wants_result || make_pipe(d, &fds->result)) &&
	       (d->has_events || make_pipe(d, &fds->status));
}

/* The child waits for our cpu: one call, where their numbers lie in one piece. */
static void close_pipes(struct zygote_desk *d, const struct launch_fds *fds)
{
	int all[] = { fds->out, fds->err, fds->result, fds->status, d->ours[0], d->ours[1],
		d->ours[2], d->ours[3] };
	int n = 0, first = INT_MAX, last = -1;

	for (int i = 0; i < 4 + d->n_ours; i++)
		if (all[i] >= 0) {
			first = MIN(first, all[i]);
			last = MAX(last, all[i]);
			all[n++] = all[i];
		}
	if (n && last - first == n - 1 &&
		syscall(SYS_close_range, (unsigned)first, (unsigned)last, 0) == 0)
		return;
	for (int i = 0; i < n; i++)
		close(all[i]);
}

static void make_one(struct birth *b)
{
	struct zygote_desk *d = b->desk;

	UNPOISON(d->stack, DESK_STACK);
	if (make_pipes(d, &b->fds))
		clone_one(b);
	else
		d->pid = -errno;
	close_pipes(d, &b->fds);
	if (d->pid < 0)
		(void)desk_send(d->line, 'x', NULL, 0);
}

static void close_known(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The child has ended, as its program or before. */
static void see_end(struct birth *b)
{
	struct zygote_desk *d = b->desk;

	close_known(&b->pidfd);
	__atomic_store_n(&d->ended, b->pid, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&d->said, __ATOMIC_ACQUIRE) != b->pid)
		(void)desk_send(d->line, 'x', NULL, 0);
	else if (__atomic_exchange_n(&d->is_armed, 0, __ATOMIC_SEQ_CST))
		make_one(b);
}

static bool take_ask(struct birth *b)
{
	int fds[DESK_FDS], n;

	if (desk_receive(b->desk->line, fds, &n) != 'l')
		return false;
	close_known(&b->pidfd);
	close_known(&b->group);
	close_known(&b->procs);
	if (n == 2) {
		b->group = fds[0];
		b->procs = fds[1];
	}
	make_one(b);
	return true;
}

static void serve(struct birth *b)
{
	for (;;) {
		struct pollfd p[] = { { .fd = b->pidfd, .events = POLLIN },
			{ .fd = b->desk->line, .events = POLLIN } };

		if (poll(p, 2, -1) < 0)
			continue;
		if (p[0].revents)
			see_end(b);
		else if (p[1].revents && !take_ask(b))
			return;
	}
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

static void look_around(struct zygote_desk *d, const cpu_set_t *cpus)
{
	struct moments m;
	cpu_set_t all;

	CPU_ZERO(&all);
	(void)sched_getaffinity(0, sizeof(all), &all);
	if (cpus)
		CPU_OR(&all, &all, cpus);
	d->may_spin = CPU_COUNT(&all) > 1;
	moments_open(&m, 0);
	d->has_events = m.ring != NULL;
	moments_close(&m);
}

void desk_serve(struct zygote_desk *d, int line, pid_t runner, const cpu_set_t *cpus)
{
	struct birth b = { .desk = d,
		.fds = { .null = 0, .status = -1, .parent = runner, .desk = d },
		.group = -1,
		.procs = -1,
		.pidfd = -1 };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != runner || keep_only(line) < 0)
		_exit(1);
	launch_clear_signals();
	(void)setsid();
	d->line = LINE_FD;
	look_around(d, cpus);
	if (cpus)
		(void)sched_setaffinity(0, sizeof(*cpus), cpus);
	d->stack = mmap(NULL, DESK_STACK, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (d->stack != MAP_FAILED)
		serve(&b);
	_exit(0);
}
