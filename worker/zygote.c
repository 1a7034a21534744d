/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runner's side of the zygote. */
#include "worker/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "worker/counters.h"
#include "worker/desk.h"
#include "worker/sweep.h"
#include "worker/tree.h"

enum { ANSWER_TIMEOUT_S = 30, EXEC_SPIN_NS = 100 * 1000, MEET_SPIN_NS = 150 * 1000 };

static struct zygote *standing; /* the one with a child that stands by; NULL: none */

static bool make_desk(struct zygote *z)
{
	z->desk = mmap(NULL, DESK_BYTES, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (z->desk == MAP_FAILED)
		z->desk = NULL;
	return z->desk != NULL;
}

static bool make_line(int s[2])
{
	struct timeval limit = { .tv_sec = ANSWER_TIMEOUT_S };

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s) < 0)
		return false;
	(void)setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return true;
}

bool zygote_open(struct zygote *z, const cpu_set_t *cpus)
{
	pid_t runner = getpid();
	int s[2];

	*z = (struct zygote){ .line = -1 };
	if (!desk_can_clone() || !make_desk(z) || !make_line(s)) {
		zygote_close(z);
		return false;
	}
	/* Without an exit signal, so that a wait for whatever is left of a process does not see
	 * it. */
	z->pid = (pid_t)syscall(SYS_clone, 0UL, NULL, NULL, NULL, NULL);
	if (z->pid == 0)
		desk_serve(z->desk, s[1], runner, cpus);
	close(s[1]);
	z->line = s[0];
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
		close(z->line);
	}
	if (z->desk)
		munmap(z->desk, DESK_BYTES);
	z->pid = 0;
	z->line = -1;
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
	d->has_event = false;
	memset(d->has_counter, 0, sizeof(d->has_counter));
	__atomic_store_n(&d->go, DESK_HOLD, __ATOMIC_RELEASE);
	plan->zygote = NULL;
	plan->counters = NULL;
	plan->cgroup = NULL;
	plan->writable = NULL;
	return put_string(d, &plan->directory);
}

static bool send_ask(struct zygote *z, const struct launch *l)
{
	if (l->cgroup && l->cgroup->fd >= 0)
		return desk_send(
			z->line, 'l', (int[]){ l->cgroup->fd, l->cgroup->procs_fd }, 2);
	return desk_send(z->line, 'l', NULL, 0);
}

static bool await_birth(
	struct zygote *z, const struct launch *l, struct child *c, struct launch_status *s);

/* Until it stands by; a moment mostly, too short to sleep. Its event has to be ours before it
 * goes on. */
static void meet(struct zygote *z, const struct launch *l, struct child *c)
{
	const struct zygote_desk *d = z->desk;
	int64_t soon = clock_monotonic_ns() + MEET_SPIN_NS;
	pid_t pid = 0;

	while (d->may_spin && clock_monotonic_ns() < soon) {
		pid = __atomic_load_n(&d->pid, __ATOMIC_ACQUIRE);
		if (pid > 0 && c->schedstat < 0)
			c->schedstat = launch_open_proc(pid, "schedstat");
		if (pid > 0 && __atomic_load_n(&d->said, __ATOMIC_ACQUIRE) == pid)
			break;
	}
	z->is_met = await_birth(z, l, c, &z->early);
	if (z->is_met && c->schedstat < 0)
		c->schedstat = launch_open_proc(c->pid, "schedstat");
	(void)tree_read_again(c->schedstat, z->schedstat, sizeof(z->schedstat));
}

bool zygote_ask(struct zygote *z, const struct launch *l, struct child *c)
{
	zygote_dismiss();
	if (!z->pid || !fill_desk(z->desk, l) || !fill_program(z->desk, l) || !send_ask(z, l))
		return false;
	*c = no_child;
	c->is_zygotes = true;
	meet(z, l, c);
	return true;
}

void zygote_foresee(struct zygote *z, const struct launch *l, pid_t running)
{
	zygote_dismiss();
	if (!z->pid || !fill_desk(z->desk, l))
		return;
	z->next = no_child;
	z->next.is_zygotes = true;
	z->next_plan = *l;
	/* The caller's is gone by then. */
	z->next_plan.directory = z->desk->plan.directory;
	z->is_standing = true;
	standing = z;
	__atomic_store_n(&z->desk->is_armed, 1, __ATOMIC_SEQ_CST);
	/* It may have ended before we came here. */
	if (__atomic_load_n(&z->desk->ended, __ATOMIC_SEQ_CST) == running &&
		__atomic_exchange_n(&z->desk->is_armed, 0, __ATOMIC_SEQ_CST) &&
		!send_ask(z, l)) {
		z->is_standing = false;
		standing = NULL;
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

bool zygote_take(struct zygote *z, const struct launch *l, struct child *c)
{
	if (!z->is_standing)
		return false;
	if (!is_alike(&z->next_plan, l) || !fill_program(z->desk, l)) {
		zygote_dismiss();
		return false;
	}
	*c = z->next;
	z->is_standing = false;
	standing = NULL;
	meet(z, l, c);
	return true;
}

static void take_descriptors(
	struct zygote_desk *d, const struct launch *l, struct child *c, const int *fds, int n)
{
	int at = 0;

	if (at < n)
		c->out = fds[at++];
	if (!d->plan.merges_output && at < n)
		c->err = fds[at++];
	if (d->plan.wants_result && at < n)
		c->result = fds[at++];
	if (!d->has_events && at < n)
		c->status = fds[at++];
	if (d->has_event && at < n)
		moments_adopt(&c->moments, fds[at++]);
	for (int i = 0; l->counters && i < N_COUNTERS; i++)
		l->counters->fd[i] = d->has_counter[i] && at < n ? fds[at++] : -1;
	if (l->counters)
		l->counters->is_open = true;
	while (at < n)
		close(fds[at++]);
}

/* The process is on its way out, or was never there. */
static void break_off(struct zygote *z, struct launch_status *s)
{
	if (z->desk->pid > 0)
		(void)kill(z->desk->pid, SIGKILL);
	*s = (struct launch_status){ .step = -1, .error = errno ? errno : ECHILD };
}

/* Its descriptors come, or it has ended before. False: that. */
static bool await_birth(
	struct zygote *z, const struct launch *l, struct child *c, struct launch_status *s)
{
	int fds[DESK_FDS], n;
	char what = desk_receive(z->line, fds, &n);

	if (what == 'w')
		take_descriptors(z->desk, l, c, fds, n);
	*s = z->desk->status;
	c->pid = z->desk->pid > 0 ? z->desk->pid : 0;
	if (what != 'w' && what != 'x')
		break_off(z, s);
	if (z->desk->pid < 0)
		*s = (struct launch_status){ .step = -1, .error = -z->desk->pid };
	if (what != 'w' && what != 'x') /* it is of no use any more */
		zygote_close(z);
	return what == 'w';
}

static void say(struct zygote *z, uint32_t what)
{
	if (__atomic_exchange_n(&z->desk->go, what, __ATOMIC_ACQ_REL) == DESK_WAITING)
		(void)syscall(SYS_futex, &z->desk->go, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void zygote_release(struct zygote *z)
{
	say(z, DESK_GO);
}

void zygote_dismiss(void)
{
	const struct launch none = { 0 };
	struct zygote *z = standing;
	struct launch_status s;

	standing = NULL;
	if (!z)
		return;
	z->is_standing = false;
	/* Not even begun. */
	if (__atomic_exchange_n(&z->desk->is_armed, 0, __ATOMIC_SEQ_CST))
		return;
	say(z, DESK_AWAY);
	(void)await_birth(z, &none, &z->next, &s);
	while (z->next.pid > 0 && waitpid(z->next.pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	child_close(&z->next);
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
	const int ours[] = { c->out, c->err, c->result };

	/* Behind its release, where it holds nobody up. */
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (ours[i] >= 0)
			(void)fcntl(ours[i], F_SETFL, O_NONBLOCK);
	*s = z->early;
	if (z->is_met)
		await_exec(z, c, s);
	/* It went on as it stood by, without a wait for the cpu. */
	if (!*s->usage.schedstat)
		memcpy(s->usage.schedstat, z->schedstat, sizeof(s->usage.schedstat));
}
