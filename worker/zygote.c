/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runner's side of the zygote. */
#include "worker/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "worker/counters.h"
#include "worker/desk.h"
#include "worker/sweep.h"
#include "worker/tree.h"

enum { ANSWER_TIMEOUT_S = 30, EXEC_SPIN_NS = 100 * 1000, MEET_SPIN_NS = 150 * 1000 };

static const struct launch_fds no_fds = { -1, -1, -1, -1, -1, 0, NULL };
static struct zygote *standing; /* the one with a child that stands by; NULL: none */

static void close_known(int fd)
{
	if (fd >= 0)
		close(fd);
}

static bool make_desk(struct zygote *z, const cpu_set_t *cpus)
{
	struct moments m;
	cpu_set_t all;

	z->desk = mmap(NULL, DESK_BYTES, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (z->desk == MAP_FAILED) {
		z->desk = NULL;
		return false;
	}
	z->desk->pidfd = -1;
	z->bell = eventfd(0, EFD_CLOEXEC);
	z->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (z->bell < 0 || z->null < 0)
		return false;
	CPU_ZERO(&all);
	(void)sched_getaffinity(0, sizeof(all), &all);
	if (cpus)
		CPU_OR(&all, &all, cpus);
	moments_open(&m, 0);
	*z->desk = (struct zygote_desk){ .may_spin = CPU_COUNT(&all) > 1,
		.has_events = m.ring != NULL,
		.bell = z->bell,
		.group = -1,
		.procs = -1,
		.pidfd = -1 };
	moments_close(&m);
	return true;
}

bool zygote_open(struct zygote *z, const cpu_set_t *cpus)
{
	pid_t runner = getpid();

	*z = (struct zygote){ .bell = -1, .null = -1, .theirs = no_fds, .next = no_child };
	/* Nobody shares our table yet: this does nothing but say whether a child may leave it.
	 */
	if (!desk_can_clone() || unshare(CLONE_FILES) < 0 || !make_desk(z, cpus)) {
		zygote_close(z);
		return false;
	}
	/* Without an exit signal, so that a wait for whatever is left of a process does not see
	 * it. */
	z->pid = (pid_t)syscall(SYS_clone, (unsigned long)CLONE_FILES, NULL, NULL, NULL, NULL);
	if (z->pid == 0)
		desk_serve(z->desk, runner, cpus);
	if (z->pid < 0) {
		z->pid = 0;
		zygote_close(z);
		return false;
	}
	sweep_spare(z->pid);
	return true;
}

void zygote_close(struct zygote *z)
{
	if (z->is_standing)
		zygote_dismiss();
	if (z->pid > 0) {
		(void)kill(z->pid, SIGKILL);
		while (waitpid(z->pid, NULL, __WALL) < 0 && errno == EINTR)
			;
		sweep_spare(0);
		launch_close_fds(&z->theirs);
	}
	if (z->desk) {
		close_known(z->desk->pidfd);
		close_known(z->bell);
		close_known(z->null);
		munmap(z->desk, DESK_BYTES);
	}
	z->pid = 0;
	z->desk = NULL;
}

static void *put(struct zygote_desk *d, const void *data, size_t n)
{
	size_t at = (d->n_text + 15) & ~(size_t)15;

	if (n > DESK_TEXT - at || at > DESK_TEXT)
		return NULL;
	memcpy(d->text + at, data, n);
	d->n_text = at + n;
	return d->text + at;
}

static bool put_string(struct zygote_desk *d, const char **s)
{
	if (*s)
		*s = put(d, *s, strlen(*s) + 1);
	else
		return true;
	return *s != NULL;
}

static bool put_list(struct zygote_desk *d, char ***list)
{
	char **copy;
	size_t n = 0;

	while ((*list)[n])
		n++;
	copy = put(d, *list, (n + 1) * sizeof(char *));
	for (size_t i = 0; copy && i < n; i++)
		if (!put_string(d, (const char **)&copy[i]))
			return false;
	*list = copy;
	return copy != NULL;
}

/* What the child reads behind its wait. */
static bool fill_program(struct zygote_desk *d, const struct launch *l)
{
	struct launch *plan = &d->plan;

	plan->exe = l->exe;
	plan->input = l->input;
	plan->argv = l->argv;
	plan->envp = l->envp;
	return put_string(d, &plan->exe) && put_string(d, &plan->input) &&
	       put_list(d, &plan->argv) && put_list(d, &plan->envp);
}

static bool fill_desk(struct zygote_desk *d, const struct launch *l)
{
	struct launch *plan = &d->plan;

	*plan = *l;
	d->n_text = 0;
	d->pid = 0;
	d->status = (struct launch_status){ .step = -1 };
	d->wants_counters = l->counters != NULL;
	d->event = -1;
	memset(d->counter, -1, sizeof(d->counter));
	d->group = l->cgroup ? l->cgroup->fd : -1;
	d->procs = l->cgroup ? l->cgroup->procs_fd : -1;
	d->is_met = 0;
	__atomic_store_n(&d->go, DESK_HOLD, __ATOMIC_RELEASE);
	plan->zygote = NULL;
	plan->counters = NULL;
	plan->cgroup = NULL;
	plan->writable = NULL;
	return put_string(d, &plan->directory);
}

/* What it is to write to, and what we read. */
static bool make_pipes(struct zygote *z, const struct launch *l, struct child *c)
{
	struct zygote_desk *d = z->desk;

	*c = no_child;
	c->is_zygotes = true;
	if (launch_make_outputs(l, c, &z->theirs) < 0)
		return false;
	if (!d->has_events && launch_make_pipe(&c->status, &z->theirs.status) < 0)
		return false;
	d->fds = z->theirs;
	d->fds.null = z->null;
	d->fds.parent = getpid();
	d->fds.desk = d;
	return true;
}

static void drop_pipes(struct zygote *z, struct child *c)
{
	child_close(c);
	launch_close_fds(&z->theirs);
}

static bool ring(const struct zygote *z)
{
	const uint64_t one = 1;

	return write(z->bell, &one, sizeof(one)) == (ssize_t)sizeof(one);
}

/* Does the child stand by? */
static bool has_said(const struct zygote_desk *d)
{
	pid_t pid = __atomic_load_n(&d->pid, __ATOMIC_ACQUIRE);

	return pid > 0 && __atomic_load_n(&d->said, __ATOMIC_SEQ_CST) == pid;
}

static bool is_gone(const struct zygote *z)
{
	const struct zygote_desk *d = z->desk;
	pid_t pid = __atomic_load_n(&d->pid, __ATOMIC_ACQUIRE);

	return pid < 0 || (pid > 0 && __atomic_load_n(&d->ended, __ATOMIC_SEQ_CST) == pid);
}

/* Of no use any more: it has died, or does not answer. */
static bool is_lost(const struct zygote *z, int64_t limit)
{
	siginfo_t si = { 0 };

	if (clock_monotonic_ns() >= limit)
		return true;
	return waitid(P_PID, (id_t)z->pid, &si, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 ||
	       si.si_pid == z->pid;
}

/* False: it did not come to that. */
static bool await_news(struct zygote *z)
{
	const struct timespec a_while = { .tv_nsec = 100 * NS_PER_MS };
	int64_t limit = clock_monotonic_ns() + ANSWER_TIMEOUT_S * NS_PER_S;
	struct zygote_desk *d = z->desk;
	bool is_here;

	if (has_said(d))
		return true;
	__atomic_store_n(&d->is_awaited, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		uint32_t news = __atomic_load_n(&d->news, __ATOMIC_SEQ_CST);

		is_here = has_said(d);
		if (is_here || is_gone(z) || is_lost(z, limit))
			break;
		(void)syscall(SYS_futex, &d->news, FUTEX_WAIT, news, &a_while, NULL, 0);
	}
	__atomic_store_n(&d->is_awaited, 0, __ATOMIC_SEQ_CST);
	/* Both at once: it stood by, and has ended since. */
	return is_here || has_said(d);
}

/* It stands by, or has ended before. False: that. */
static bool await_birth(struct zygote *z, struct child *c, struct launch_status *s)
{
	struct zygote_desk *d = z->desk;
	bool is_here = await_news(z);

	*s = d->status;
	c->pid = d->pid > 0 ? d->pid : 0;
	if (d->pid < 0)
		*s = (struct launch_status){ .step = -1, .error = -d->pid };
	if (is_here || is_gone(z))
		return is_here;
	/* The process is on its way out, or was never there, and the zygote of no use. */
	if (c->pid)
		(void)kill(c->pid, SIGKILL);
	*s = (struct launch_status){ .step = -1, .error = ECHILD };
	z->is_lost = true;
	return false;
}

static void close_lost(struct zygote *z)
{
	if (z->is_lost)
		zygote_close(z);
}

/* Has it opened its events? */
static bool has_watched(const struct zygote_desk *d)
{
	pid_t pid = __atomic_load_n(&d->pid, __ATOMIC_ACQUIRE);

	return pid > 0 && __atomic_load_n(&d->watched, __ATOMIC_ACQUIRE) == pid;
}

static void take_event(struct zygote_desk *d, struct child *c)
{
	if (d->event >= 0)
		moments_adopt(&c->moments, d->event);
	d->event = -1;
}

/* The rest of what it has opened on itself. */
static void take_counters(const struct zygote_desk *d, const struct launch *l)
{
	if (!l->counters)
		return;
	memcpy(l->counters->fd, d->counter, sizeof(d->counter));
	l->counters->is_open = true;
}

/* The same for one that will not run. */
static void drop_events(const struct zygote_desk *d)
{
	close_known(d->event);
	for (int i = 0; i < N_COUNTERS; i++)
		close_known(d->counter[i]);
}

/* Until it stands by; a moment mostly, too short to sleep. There has to be a ring when it goes
 * on. */
static void meet(struct zygote *z, const struct launch *l, struct child *c)
{
	struct zygote_desk *d = z->desk;
	int64_t soon = clock_monotonic_ns() + MEET_SPIN_NS;

	__atomic_store_n(&d->is_met, 1, __ATOMIC_RELEASE);
	while (d->may_spin && !has_watched(d) && clock_monotonic_ns() < soon)
		desk_relax();
	if (has_watched(d) && d->leaves_ring)
		take_event(d, c);
	while (d->may_spin && !has_said(d) && clock_monotonic_ns() < soon)
		desk_relax();
	z->is_met = await_birth(z, c, &z->early);
	if (z->is_met) {
		take_counters(d, l);
		if (d->leaves_ring)
			take_event(d, c);
	} else {
		drop_events(d);
		close_lost(z);
	}
}

bool zygote_ask(struct zygote *z, const struct launch *l, struct child *c)
{
	zygote_dismiss();
	if (z->pid && is_lost(z, INT64_MAX))
		zygote_close(z);
	if (!z->pid)
		return false;
	if (!fill_desk(z->desk, l) || !fill_program(z->desk, l) || !make_pipes(z, l, c) ||
		!ring(z)) {
		drop_pipes(z, c);
		*c = no_child;
		return false;
	}
	meet(z, l, c);
	return true;
}

void zygote_foresee(struct zygote *z, const struct launch *l, pid_t running)
{
	zygote_dismiss();
	if (!z->pid)
		return;
	if (!fill_desk(z->desk, l) || !fill_program(z->desk, l) ||
		!make_pipes(z, l, &z->next)) {
		drop_pipes(z, &z->next);
		return;
	}
	z->next_plan = *l;
	/* The caller's is gone by then. */
	z->next_plan.directory = z->desk->plan.directory;
	z->is_standing = true;
	standing = z;
	__atomic_store_n(&z->desk->is_armed, 1, __ATOMIC_SEQ_CST);
	/* It may have ended before we came here. */
	if (__atomic_load_n(&z->desk->ended, __ATOMIC_SEQ_CST) == running &&
		__atomic_exchange_n(&z->desk->is_armed, 0, __ATOMIC_SEQ_CST) && !ring(z)) {
		z->is_standing = false;
		standing = NULL;
		drop_pipes(z, &z->next);
	}
}

static bool is_confined_alike(const struct launch *a, const struct launch *b)
{
	return a->cgroup == b->cgroup && a->uid == b->uid && a->gid == b->gid &&
	       a->no_new_privs == b->no_new_privs &&
	       a->drops_capabilities == b->drops_capabilities &&
	       a->n_landlock == b->n_landlock && a->seccomp == b->seccomp &&
	       a->n_rlimits == b->n_rlimits &&
	       !memcmp(a->rlimits, b->rlimits, a->n_rlimits * sizeof(a->rlimits[0]));
}

/* All but what is filled in later. */
static bool is_alike(const struct launch *a, const struct launch *b)
{
	return is_confined_alike(a, b) && !strcmp(a->directory, b->directory) &&
	       CPU_EQUAL(&a->cpus, &b->cpus) && a->aslr_off == b->aslr_off &&
	       a->wants_result == b->wants_result && a->merges_output == b->merges_output &&
	       a->discards_output == b->discards_output && a->wants_go == b->wants_go &&
	       !a->counters == !b->counters;
}

static bool is_same_program(const struct launch *a, const struct launch *b)
{
	return a->serial && a->serial == b->serial;
}

bool zygote_take(struct zygote *z, const struct launch *l, struct child *c)
{
	if (!z->is_standing)
		return false;
	if (!is_alike(&z->next_plan, l) ||
		(!is_same_program(&z->next_plan, l) && !fill_program(z->desk, l))) {
		zygote_dismiss();
		return false;
	}
	*c = z->next;
	z->next = no_child;
	z->is_standing = false;
	standing = NULL;
	meet(z, l, c);
	return true;
}

static void say(struct zygote *z, uint32_t what)
{
	if (__atomic_exchange_n(&z->desk->go, what, __ATOMIC_ACQ_REL) == DESK_WAITING)
		(void)syscall(SYS_futex, &z->desk->go, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void zygote_release(struct zygote *z, struct child *c)
{
	if (!z->is_met)
		return;
	say(z, DESK_GO);
	/* It is at its exec, and was awake until now: so far it has waited for a cpu before
	 * that. */
	c->schedstat = launch_open_proc(c->pid, "schedstat");
	(void)tree_read_again(c->schedstat, z->schedstat, sizeof(z->schedstat));
}

void zygote_dismiss(void)
{
	struct zygote *z = standing;
	struct launch_status s;

	standing = NULL;
	if (!z)
		return;
	z->is_standing = false;
	/* Otherwise not even begun. */
	if (!__atomic_exchange_n(&z->desk->is_armed, 0, __ATOMIC_SEQ_CST)) {
		say(z, DESK_AWAY);
		(void)await_birth(z, &z->next, &s);
		while (z->next.pid > 0 && waitpid(z->next.pid, NULL, __WALL) < 0 &&
			errno == EINTR)
			;
		drop_events(z->desk);
	}
	drop_pipes(z, &z->next);
	close_lost(z);
}

static bool has_ended(const struct child *c, int timeout_ms)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) > 0;
}

/* The kernel's stamp tells of its exec, without anybody being woken up by it. We come here when
 * it is at that, so it is worth a few looks; nothing of the program has run yet. */
static bool await_stamp(const struct zygote *z, const struct child *c)
{
	int64_t now = clock_monotonic_ns(), soon = now + EXEC_SPIN_NS;
	int64_t limit = now + ANSWER_TIMEOUT_S * NS_PER_S;

	while (!moments_has_exec(&c->moments)) {
		bool looks_on = z->desk->may_spin && clock_monotonic_ns() < soon;

		desk_relax();
		/* Its last word says what came of it. */
		if (!looks_on && has_ended(c, 1))
			return true;
		if (!looks_on && clock_monotonic_ns() >= limit)
			return false;
	}
	return true;
}

/* Its end of this pipe closes with the exec, or with its end. */
static bool await_close(struct child *c)
{
	struct pollfd p[] = { { .fd = c->status }, { .fd = c->pidfd, .events = POLLIN } };

	if (c->status < 0 || poll(p, 2, ANSWER_TIMEOUT_S * 1000) <= 0)
		return false;
	c->started_ns = clock_monotonic_ns();
	return !p[1].revents || has_ended(c, 0);
}

static void await_exec(struct zygote *z, struct child *c, struct launch_status *s)
{
	bool has_begun;

	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (c->pidfd < 0) {
		*s = (struct launch_status){ .step = -1, .error = errno };
		(void)kill(c->pid, SIGKILL);
		return;
	}
	has_begun = c->moments.ring ? await_stamp(z, c) : await_close(c);
	*s = z->desk->status;
	if (!c->started_ns)
		c->started_ns = s->stamp_ns;
	if (!has_begun && !s->error) {
		*s = (struct launch_status){ .step = -1, .error = ETIMEDOUT };
		(void)kill(c->pid, SIGKILL);
	}
}

void zygote_await(struct zygote *z, struct child *c, struct launch_status *s)
{
	/* Behind its release, where it holds nobody up. */
	if (z->is_met)
		take_event(z->desk, c);
	launch_close_fds(&z->theirs);
	*s = z->early;
	if (z->is_met)
		await_exec(z, c, s);
	/* Unless it had to be woken up, and looked itself. */
	if (!*s->usage.schedstat)
		memcpy(s->usage.schedstat, z->schedstat, sizeof(s->usage.schedstat));
}
