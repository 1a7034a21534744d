/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runner's side of the zygote. */
#include "worker/zygote.h"

#include <errno.h>
#include <linux/futex.h>
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

enum { ANSWER_TIMEOUT_S = 30 };

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

bool zygote_open(struct zygote *z)
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
		desk_serve(z->desk, s[1], runner);
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
	d->seen_ns = 0;
	d->status = (struct launch_status){ .step = -1 };
	d->wants_counters = l->counters != NULL;
	d->has_event = d->is_adopted = false;
	memset(d->has_counter, 0, sizeof(d->has_counter));
	__atomic_store_n(&d->go, DESK_HOLD, __ATOMIC_RELEASE);
	plan->zygote = NULL;
	plan->counters = NULL;
	plan->cgroup = NULL;
	plan->writable = NULL;
	return put_string(d, &plan->directory);
}

static bool send_ask(struct zygote *z, const struct launch *l, const struct launch_fds *theirs)
{
	int fds[DESK_FDS], n = 0;

	fds[n++] = theirs->out;
	fds[n++] = theirs->err;
	if (theirs->result >= 0)
		fds[n++] = theirs->result;
	if (l->cgroup && l->cgroup->fd >= 0) {
		fds[n++] = l->cgroup->fd;
		fds[n++] = l->cgroup->procs_fd;
	}
	z->desk->has_result = theirs->result >= 0;
	z->desk->has_cgroup = l->cgroup && l->cgroup->fd >= 0;
	return desk_send(z->line, 'l', fds, n);
}

bool zygote_ask(struct zygote *z, const struct launch *l, const struct launch_fds *theirs)
{
	zygote_dismiss();
	return z->pid && fill_desk(z->desk, l) && fill_program(z->desk, l) &&
	       send_ask(z, l, theirs);
}

bool zygote_foresee(struct zygote *z, const struct launch *l, const struct launch_fds *theirs,
	const struct child *ours)
{
	zygote_dismiss();
	if (!z->pid || !fill_desk(z->desk, l) || !send_ask(z, l, theirs))
		return false;
	z->next = *ours;
	z->next.is_zygotes = true;
	z->next.pid = 0;
	z->next_plan = *l;
	/* The caller's is gone by then. */
	z->next_plan.directory = z->desk->plan.directory;
	z->is_standing = true;
	standing = z;
	return true;
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
	return true;
}

static void take_events(
	struct zygote_desk *d, const struct launch *l, struct child *c, const int *fds, int n)
{
	int at = 0;

	if (d->has_event && at < n)
		moments_adopt(&c->moments, fds[at++]);
	__atomic_store_n(&d->is_adopted, true, __ATOMIC_RELEASE);
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

static void await_exec(
	struct zygote *z, const struct launch *l, struct child *c, struct launch_status *s)
{
	int fds[DESK_FDS], n;
	char what;

	while ((what = desk_receive(z->line, fds, &n)) == 'w')
		take_events(z->desk, l, c, fds, n);
	*s = z->desk->status;
	if (what != 'x')
		break_off(z, s);
	c->pid = z->desk->pid > 0 ? z->desk->pid : 0;
	if (z->desk->pid < 0)
		*s = (struct launch_status){ .step = -1, .error = -z->desk->pid };
	if (what != 'x') /* it is of no use any more */
		zygote_close(z);
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
	say(z, DESK_AWAY);
	await_exec(z, &none, &z->next, &s);
	moments_close(&z->next.moments, z->next.pid, &(struct moments_seen){ 0 });
	while (z->next.pid > 0 && waitpid(z->next.pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	child_close(&z->next);
}

void zygote_await(
	struct zygote *z, const struct launch *l, struct child *c, struct launch_status *s)
{
	await_exec(z, l, c, s);
	if (z->desk && z->desk->seen_ns)
		c->started_ns = z->desk->seen_ns;
	if (c->pid <= 0)
		return;
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (c->pidfd < 0) {
		*s = (struct launch_status){ .step = -1, .error = errno };
		(void)kill(c->pid, SIGKILL);
	}
}
