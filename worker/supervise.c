/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include "base/clock.h"
#include "worker/cgroup.h"
#include "worker/cpus.h"
#include "worker/desk.h"
#include "worker/moments.h"
#include "worker/namespaces.h"
#include "worker/sweep.h"
#include "worker/tree.h"
#include "worker/zygote.h"

const char *const termination_names[] = {
#define X(id, name) name,
	TERMINATIONS(X)
#undef X
};

enum { FLOOD = 1024 * 1024 /* bytes */, END_SPIN_NS = 200 * 1000 };

/* Why the process is being ended by us. */
enum reason { R_NONE, R_TIMEOUT, R_STOP, R_FLOOD };

struct tending {
	struct channel *ch;
	const struct launch *l;
	struct child *c;
	struct supervised *s;
	const struct supervise_hooks *hooks; /* NULL: none */
	const char *live;
	int64_t limit_ns;    /* CLOCK_MONOTONIC */
	int64_t kill_at_ns;  /* when patience ends; INT64_MAX: nobody is being ended */
	int64_t ended_ns;    /* when its end was seen */
	int64_t look_out_ns; /* from then on; INT64_MAX: never */
	enum reason reason;
	bool is_killed;
};

void supervised_done(struct supervised *s)
{
	capture_done(&s->out);
	capture_done(&s->err);
	buf_done(&s->result);
	if (s->remains.pid > 0)
		child_close(&s->remains);
	s->remains = no_child;
}

static void take_output(struct tending *t, struct capture *cap, const char *data, size_t n)
{
	/* Live output obeys the same cap: its head goes out as it comes, its tail at the end.
	 */
	size_t room = cap->cap / 2 - cap->head.len;

	if (t->live && room)
		channel_log(t->ch, t->live, data, MIN(n, room));
	capture_add(cap, data, n);
}

static void take_result(struct tending *t, const char *data, size_t n)
{
	struct buf *b = &t->s->result;

	if (b->len + n > RESULT_CAP)
		t->s->result_flooded = true;
	else if (!t->s->result_flooded)
		buf_add(b, data, n);
}

/* Read what is there, at most 1 MiB at a time so that nothing else starves. True at its end. */
static bool drain(struct tending *t, int fd, struct capture *cap)
{
	char chunk[64 * 1024];

	for (int i = 0; i < 16 && fd >= 0; i++) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		if (n <= 0)
			return true;
		if (cap)
			take_output(t, cap, chunk, (size_t)n);
		else
			take_result(t, chunk, (size_t)n);
	}
	return false;
}

/* The same while it runs: at its end there is nothing more to wait for. */
static void drain_open(struct tending *t, int *fd, struct capture *cap)
{
	if (!drain(t, *fd, cap))
		return;
	close(*fd);
	*fd = -1;
}

static void drain_all(struct tending *t)
{
	(void)drain(t, t->c->out, &t->s->out);
	(void)drain(t, t->c->err, &t->s->err);
	(void)drain(t, t->c->result, NULL);
}

/* The fault of that name (kernels/gpu/fault.c): a process that a driver keeps. */
static bool is_undead(const struct launch *l)
{
	static const char fault[] = "BENCHD_KERNEL_FAULT=undead:";

	for (char **e = l->envp; e && *e; e++)
		if (!strncmp(*e, fault, sizeof(fault) - 1))
			return true;
	return false;
}

static void kill_group(struct tending *t, int sig)
{
	if (sig == SIGKILL && is_undead(t->l))
		return;
	/* Its group has its pid. */
	(void)kill(-t->c->pid, sig);
	(void)kill(t->c->pid, sig);
}

static void begin_end(struct tending *t, enum reason why, bool at_once)
{
	if (t->reason == R_NONE) {
		t->reason = why;
		t->kill_at_ns = clock_monotonic_ns() + GRACE_S * NS_PER_S;
		if (!at_once)
			kill_group(t, SIGTERM);
	}
	if (at_once)
		t->kill_at_ns = 0;
}

static void check_limits(struct tending *t)
{
	int64_t now = clock_monotonic_ns();

	if (channel_must_stop(t->ch))
		begin_end(t, R_STOP, channel_in_a_hurry(t->ch));
	if (now >= t->limit_ns)
		begin_end(t, R_TIMEOUT, false);
	if (t->s->result_flooded)
		begin_end(t, R_FLOOD, true);
	if (now >= t->kill_at_ns && !t->is_killed) {
		kill_group(t, SIGKILL);
		t->is_killed = true;
	}
}

static int64_t next_event(const struct tending *t)
{
	int64_t until = t->reason == R_NONE ? t->limit_ns : INT64_MAX;

	if (!t->is_killed)
		until = MIN(until, t->kill_at_ns);
	return until;
}

/* To be woken up at once is for one who hardly does anything: not while output floods in. */
static void leave_priority(const struct supervised *s)
{
	if (s->out.total + s->err.total + (int64_t)s->result.len > FLOOD)
		cpus_step_back();
}

/* The last moments before its end, as far as that can be foreseen: the record of its exit comes
 * some 50 us before it can be reaped, which is time for a look at the host. True: it can be
 * reaped. */
static bool look_out(struct tending *t)
{
	struct pollfd p = { .fd = t->c->pidfd, .events = POLLIN };
	int64_t until = t->c->started_ns + t->l->ends_until_ns;

	while (!moments_has_exit(&t->c->moments, t->c->pid)) {
		if (clock_monotonic_ns() >= until)
			return false;
		desk_relax();
	}
	until = clock_monotonic_ns() + END_SPIN_NS;
	if (t->hooks && t->hooks->ending)
		t->hooks->ending(t->hooks->arg);
	while (poll(&p, 1, 0) == 0 && clock_monotonic_ns() < until)
		;
	return p.revents != 0;
}

/* Until the leader is a zombie. False: it did not die, not even of SIGKILL. */
static bool tend(struct tending *t)
{
	int64_t wedged_at = INT64_MAX;

	if (t->l->ends_from_ns && t->c->moments.ring)
		t->look_out_ns = t->c->started_ns + t->l->ends_from_ns;
	for (;;) {
		struct pollfd fds[] = { { .fd = t->c->pidfd, .events = POLLIN },
			{ .fd = t->c->out, .events = POLLIN },
			{ .fd = t->c->err, .events = POLLIN },
			{ .fd = t->c->result, .events = POLLIN } };

		channel_poll(t->ch, fds, ARRAY_SIZE(fds),
			MIN(MIN(next_event(t), wedged_at), t->look_out_ns));
		if (!fds[0].revents && clock_monotonic_ns() >= t->look_out_ns) {
			t->look_out_ns = INT64_MAX;
			fds[0].revents = look_out(t) ? POLLIN : 0;
		}
		if (fds[0].revents) {
			t->ended_ns = clock_monotonic_ns();
			return true;
		}
		if (fds[1].revents)
			drain_open(t, &t->c->out, &t->s->out);
		if (fds[2].revents)
			drain_open(t, &t->c->err, &t->s->err);
		if (fds[3].revents)
			drain_open(t, &t->c->result, NULL);
		check_limits(t);
		leave_priority(t->s);
		if (t->is_killed && wedged_at == INT64_MAX)
			wedged_at = clock_monotonic_ns() + WEDGED_S * NS_PER_S;
		if (clock_monotonic_ns() >= wedged_at)
			return false;
	}
}

static int64_t read_migrations(pid_t pid)
{
	char text[4096], *at;
	int fd = launch_open_proc(pid, "sched");
	ssize_t n = tree_read_again(fd, text, sizeof(text));

	if (fd >= 0)
		close(fd);
	at = n > 0 ? strstr(text, "se.nr_migrations") : NULL;
	at = at ? strchr(at, ':') : NULL;
	return at ? strtoll(at + 1, NULL, 10) : -1;
}

/* /proc/PID/schedstat: on a cpu, waiting for one (ns), turns on one. sscanf would take as long
 * as the file takes to read. */
static bool read_schedstat(const char *text, int64_t *ret_waited, int64_t *ret_turns)
{
	char *at = NULL, *last;

	(void)strtoll(text, &at, 10);
	*ret_waited = strtoll(at, &last, 10);
	*ret_turns = strtoll(last, &at, 10);
	return at != last;
}

/* Both files still speak while the process is a zombie: time on a cpu, waiting for one, and how
 * often it got one. What was never taken off its cpu was not moved to another; the longer file
 * tells of the others. */
static void read_scheduler(
	const struct child *c, const struct launch_usage *u, struct account *a)
{
	int64_t waited, waited_before, turns, turns_before;
	char text[128];
	bool is_known = tree_read_again(c->schedstat, text, sizeof(text)) > 0 &&
			read_schedstat(text, &waited, &turns) &&
			read_schedstat(u->schedstat, &waited_before, &turns_before);

	a->runq_wait_ns = is_known ? waited - waited_before : -1;
	a->migrations = is_known && turns == turns_before ? 0 : read_migrations(c->pid);
}

/* Everything since exec: what the child used up before that is taken off. */
static void fill_account(
	struct account *a, const struct rusage *ru, const struct launch_usage *u)
{
	a->user_us = ru->ru_utime.tv_sec * 1000000LL + ru->ru_utime.tv_usec - u->user_us;
	a->sys_us = ru->ru_stime.tv_sec * 1000000LL + ru->ru_stime.tv_usec - u->sys_us;
	a->user_us = MAX(a->user_us, (int64_t)0);
	a->sys_us = MAX(a->sys_us, (int64_t)0);
	a->maxrss_kib = ru->ru_maxrss;
	a->maxrss_floor_kib = u->maxrss_kib;
	a->minflt = ru->ru_minflt - u->minflt;
	a->majflt = ru->ru_majflt - u->majflt;
	a->nvcsw = ru->ru_nvcsw - u->nvcsw;
	a->nivcsw = ru->ru_nivcsw - u->nivcsw;
	a->read_bytes = ru->ru_inblock * 512LL;
	a->write_bytes = ru->ru_oublock * 512LL;
}

static enum termination judge(const struct tending *t, int status)
{
	if (t->reason == R_TIMEOUT)
		return T_TIMEOUT;
	if (t->reason == R_STOP)
		return T_KILLED;
	if (t->reason == R_FLOOD)
		return T_OUTPUT_LIMIT;
	if (!WIFSIGNALED(status))
		return T_EXIT;
	if (WTERMSIG(status) == SIGXFSZ)
		return T_OUTPUT_LIMIT;
	return WTERMSIG(status) == SIGKILL ? T_KILLED : T_SIGNAL;
}

/* The kernel's stamps where it gave them and they lie within what was seen from here. */
static void correct_times(struct tending *t)
{
	struct account *a = &t->s->account;
	struct child *c = t->c;
	struct moments_seen seen;

	moments_read(&c->moments, c->pid, &seen);
	if (seen.exec_ns >= c->exec_ns && seen.exec_ns <= c->seen_ns) {
		if (c->is_zygotes)
			a->start_delay_ns = seen.exec_ns - c->exec_ns;
		c->started_ns = seen.exec_ns;
		a->is_stamped = true;
	}
	if (seen.exit_ns >= c->started_ns && seen.exit_ns <= t->ended_ns && !seen.had_threads) {
		a->end_delay_ns = t->ended_ns - seen.exit_ns;
		t->ended_ns = seen.exit_ns;
	}
}

static void reap(struct tending *t)
{
	struct supervised *s = t->s;
	struct rusage ru = { 0 };
	int status = 0;

	correct_times(t);
	read_scheduler(t->c, &t->c->usage, &s->account);
	while (wait4(t->c->pid, &status, __WALL, &ru) < 0 && errno == EINTR)
		;
	fill_account(&s->account, &ru, &t->c->usage);
	s->account.wall_ns = t->ended_ns - t->c->started_ns;
	s->exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	s->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	s->termination = judge(t, status);
}

/* Whatever it left behind goes now; all of it hangs below us, the subreaper. Then the rest of
 * the output, which nobody can add to any more. */
static void clear_up(struct tending *t)
{
	int left = 0, n = 0, n_swept = 0;
	bool is_clean = sweep_has_nothing();

	/* The next one must not go with what is left of this one. */
	if (!is_clean)
		zygote_dismiss();
	if (t->l->namespaces) {
		n = sweep_count_children(t->l->namespaces->pid);
		namespaces_leave(t->l->namespaces);
	}
	if (t->l->cgroup && !is_clean)
		n += cgroup_kill(t->l->cgroup);
	if (!is_clean || t->l->namespaces)
		n_swept = sweep_descendants(NULL, 0, WEDGED_S * NS_PER_S, &left);
	t->s->strays = MAX(n, n_swept);
	t->s->is_wedged |= left > 0;
	if (t->l->cgroup && t->s->termination == T_KILLED && t->reason == R_NONE &&
		cgroup_had_oom(t->l->cgroup))
		t->s->termination = T_OOM;
	drain_all(t);
}

static void send_tail(struct tending *t)
{
	const struct capture *cap = &t->s->out;
	struct buf all = { 0 };

	if (!t->live || cap->total <= (int64_t)cap->head.len)
		return;
	capture_text(cap, &all);
	channel_log(t->ch, t->live, buf_str(&all) + cap->head.len, all.len - cap->head.len);
	buf_done(&all);
}

/* On a busy host we may be told late that exec succeeded. The child's own stamp from just
 * before exec bounds that: a delay far beyond the least one of this job is ours, not the
 * exec's. */
static void correct_start(struct child *c)
{
	static int64_t least_ns = NS_PER_MS / 2; /* until we know better */
	int64_t delay_ns = c->started_ns - c->exec_ns;

	/* Nobody looked; the kernel's stamp tells. */
	c->seen_ns = c->is_zygotes && c->moments.ring ? INT64_MAX : c->started_ns;
	if (c->seen_ns == INT64_MAX)
		return;
	least_ns = MIN(least_ns, delay_ns);
	if (delay_ns > 3 * least_ns + 100 * NS_PER_US)
		c->started_ns = c->exec_ns + least_ns;
}

static void note_start(struct supervised *s, struct child *c)
{
	s->pid = c->pid;
	s->account.start_delay_ns = c->started_ns - c->exec_ns;
	correct_start(c);
	s->account.started_unix_ns =
		clock_realtime_ns() - (clock_monotonic_ns() - c->started_ns);
}

static int start(const struct launch *l, struct child *c, struct error *err)
{
	int r = OK;

	if (l->namespaces)
		r = namespaces_enter(l->namespaces, l->writable, l->n_writable, err);
	if (r < 0)
		return r;
	r = launch_start(l, c, err);
	if (r < 0 && l->namespaces)
		namespaces_leave(l->namespaces);
	return r;
}

static int fail_start(
	const struct launch *l, struct child *c, struct supervised *s, const struct error *why)
{
	int status = 0;

	if (l->namespaces)
		namespaces_leave(l->namespaces);
	while (c->pid > 0 && waitpid(c->pid, &status, __WALL) < 0 && errno == EINTR)
		;
	s->termination = T_FAILED_START;
	s->failed_step = c->failed_step;
	s->failed_errno = c->failed_errno;
	if (c->failed_step == STEP_PARENT && WIFSIGNALED(status))
		snprintf(s->failure, sizeof(s->failure),
			"'%.120s' was ended by signal %d (%s) before it began", l->argv[0],
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(s->failure, sizeof(s->failure), "%.255s", why->text);
	child_close(c);
	return OK;
}

static void foresee(
	const struct launch *l, const struct child *c, const struct supervise_hooks *hooks)
{
	const struct launch *next = l;

	if (l->foresees && hooks && hooks->next)
		next = hooks->next(hooks->arg);
	if (next)
		launch_foresee(next, c);
}

int supervise(struct channel *ch, const struct launch *l, int64_t time_ns, size_t output_cap,
	const char *live, const struct supervise_hooks *hooks, struct supervised *s,
	struct error *err)
{
	struct child c;
	struct tending t = { .ch = ch,
		.l = l,
		.c = &c,
		.s = s,
		.hooks = hooks,
		.look_out_ns = INT64_MAX,
		.live = live,
		.limit_ns = INT64_MAX,
		.kill_at_ns = INT64_MAX };
	int r;

	*s = (struct supervised){ .exit = -1, .remains = no_child };
	capture_init(&s->out, output_cap);
	capture_init(&s->err, output_cap);
	r = start(l, &c, err);
	if (r < 0)
		return r;
	if (hooks && hooks->before)
		hooks->before(hooks->arg, c.pid);
	if (l->wants_go && !c.is_zygotes)
		moments_open(&c.moments, c.pid);
	/* Ours is the eye that sees a forked one start; a zygote sees its own. */
	if (!c.is_zygotes)
		channel_pay(ch);
	launch_release(l, &c);
	channel_pay(ch);
	r = launch_go(l, &c, err);
	if (r < 0) {
		return fail_start(l, &c, s, err);
	}
	note_start(s, &c);
	if (time_ns)
		t.limit_ns = c.started_ns + time_ns;
	foresee(l, &c, hooks);
	if (c.schedstat < 0)
		c.schedstat = launch_open_proc(c.pid, "schedstat");
	if (tend(&t)) {
		if (hooks && hooks->after)
			hooks->after(hooks->arg, c.pid);
		if (t.reason != R_NONE || channel_must_stop(ch))
			zygote_dismiss();
		reap(&t);
	} else {
		s->is_wedged = true;
		s->termination = T_KILLED;
	}
	clear_up(&t);
	send_tail(&t);
	s->remains = c;
	return OK;
}
