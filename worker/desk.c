/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The zygote's side: async-signal-safe calls only, no allocation, so that it stays small. */
#include "worker/desk.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "worker/cpus.h"
#include "worker/moments.h"
#include "worker/zygote.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
/* The last child left it by an exec: its frames are still marked. */
#define UNPOISON(p, n) __asan_unpoison_memory_region(p, n)
#else
#define UNPOISON(p, n) ((void)0)
#endif

enum { SPIN_NS = 150 * 1000 };

void desk_tell_news(struct zygote_desk *d)
{
	__atomic_add_fetch(&d->news, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&d->is_awaited, __ATOMIC_SEQ_CST))
		(void)syscall(SYS_futex, &d->news, FUTEX_WAKE, 1, NULL, NULL, 0);
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

	while (__atomic_load_n(&d->go, __ATOMIC_ACQUIRE) == DESK_HOLD) {
		if (!d->may_spin || now_ns() >= until)
			return true;
		desk_relax();
	}
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

int zygote_child_watch(struct zygote_desk *d)
{
	struct counters c;

	d->event = d->has_events ? moments_event(0) : -1;
	/* Who has the time makes its ring. The runner maps ours when that is under way. */
	d->leaves_ring = __atomic_load_n(&d->is_met, __ATOMIC_ACQUIRE);
	if (d->event >= 0 && !d->leaves_ring)
		d->ring = moments_map(d->event, d->ring);
	if (d->wants_counters)
		counters_open(&c, 0);
	for (int i = 0; i < N_COUNTERS; i++)
		d->counter[i] = d->wants_counters ? c.fd[i] : -1;
	__atomic_store_n(&d->watched, d->pid, __ATOMIC_RELEASE);
	/* From here on the table is ours alone; the runner may close what it does not keep. */
	if (unshare(CLONE_FILES) < 0)
		return -1;
	__atomic_store_n(&d->said, d->pid, __ATOMIC_SEQ_CST);
	desk_tell_news(d);
	return 0;
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

static void be_child(void *arg)
{
	struct zygote_desk *d = arg;

	launch_child(&d->plan, &d->fds);
}

/* It shares our memory until its exec, on a stack of its own, and does not hold us: we are not
 * woken up, on its cpu, by its exec. */
static long clone_child(struct zygote_desk *d, uint64_t flags)
{
	struct clone3_args a = { .flags = flags | CLONE_VM | CLONE_FILES | CLONE_PARENT |
					  CLONE_PIDFD | CLONE_PARENT_SETTID,
		.parent_tid = (uint64_t)(uintptr_t)&d->pid,
		.pidfd = (uint64_t)(uintptr_t)&d->pidfd,
		.stack = (uint64_t)(uintptr_t)d->stack,
		.stack_size = DESK_STACK,
		.cgroup = (uint64_t)d->group };

	return clone_into(&a, be_child, d);
}

/* Its pid; below 0: there is none. */
static pid_t make_one(struct zygote_desk *d)
{
	long pid = -1;

	UNPOISON(d->stack, DESK_STACK);
	if (d->group >= 0)
		pid = clone_child(d, CLONE_INTO_CGROUP);
	if (pid < 0) {
		d->plan.cgroup_procs_fd = d->procs;
		pid = clone_child(d, 0);
	}
	if (pid < 0) {
		d->pidfd = -1;
		__atomic_store_n(&d->pid, (pid_t)pid, __ATOMIC_SEQ_CST);
		desk_tell_news(d);
	}
	return (pid_t)pid;
}

static void close_pidfd(struct zygote_desk *d)
{
	int fd = d->pidfd;

	/* In this order: the runner closes what is left here when we have been killed. */
	__atomic_store_n(&d->pidfd, -1, __ATOMIC_SEQ_CST);
	if (fd >= 0)
		close(fd);
}

/* The child has ended, as its program or before. The next one's pid, if there is one. */
static pid_t see_end(struct zygote_desk *d, pid_t pid)
{
	close_pidfd(d);
	__atomic_store_n(&d->ended, pid, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&d->said, __ATOMIC_ACQUIRE) != pid)
		desk_tell_news(d);
	else if (__atomic_exchange_n(&d->is_armed, 0, __ATOMIC_SEQ_CST))
		return make_one(d);
	return -1;
}

static void serve(struct zygote_desk *d)
{
	uint64_t n;
	pid_t pid = -1;

	for (;;) {
		struct pollfd p[] = { { .fd = d->pidfd, .events = POLLIN },
			{ .fd = d->bell, .events = POLLIN } };

		if (poll(p, 2, -1) < 0) {
			if (errno != EINTR)
				_exit(1);
			continue;
		}
		if (p[0].revents) {
			pid = see_end(d, pid);
		} else if (read(d->bell, &n, sizeof(n)) == sizeof(n)) {
			close_pidfd(d);
			pid = make_one(d);
		} else {
			_exit(1);
		}
	}
}

void desk_serve(struct zygote_desk *d, pid_t runner, const cpu_set_t *cpus)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != runner)
		_exit(1);
	launch_clear_signals();
	(void)setsid();
	if (cpus)
		(void)sched_setaffinity(0, sizeof(*cpus), cpus);
	/* An ordinary task that has just used its cpu stays on the books of that for a while
	 * when it sleeps (EEVDF), which looks to the exec of our child as if its cpu were busy:
	 * then that is moved to the runner's. */
	if (d->may_spin)
		cpus_come_first();
	d->stack = mmap(NULL, DESK_STACK, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (d->stack != MAP_FAILED)
		serve(d);
	_exit(0);
}
