/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/schedules.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "base/fs.h"
#include "base/log.h"
#include "daemon/http/http.h"

enum { TRY_AGAIN_MS = 10000, TEST_POLL_MS = 100 };
/* Without anything due the timer still waits, so that a clock that is set wakes it. */
#define FAR_AWAY_NS (366LL * 86400 * NS_PER_S)

struct schedules {
	struct schedules_config c;
	struct schedule_desk desk;
	struct server *server;
	int fd; /* timerfd; -1 */
	uv_poll_t poll;
	uv_timer_t again; /* after a failure; in tests always */
	bool is_started, is_stopping, is_busy, wake_again;
	json_t *from_config; /* to be synchronised; NULL: done */
	json_t *syncing;     /* the writer's while busy */
	struct schedule_tally tally;
	struct buf
		complaints; /* of the file's schedules, a line each; the writer's while busy */
	_Atomic int64_t n_filed, n_missed, n_failed, lag_ns;
};

/* --- the desk: writer thread --- */

static int desk_file(void *arg, struct store *st, struct arena *a, const struct schedule *s,
	json_t *body, int64_t now_ns, struct job *ret, struct error *err)
{
	struct schedules *all = arg;
	const struct filing f = { .project = s->project_slug,
		.may_exec = s->may_exec,
		.submitter = arena_printf(a, "schedule:%s", s->name),
		.trigger = "schedule",
		.now_ns = now_ns };

	if (!json_object_get(body, "priority"))
		json_set_str(body, "priority", priority_name(PRIORITY_NIGHTLY));
	return queue_file_job(st, a, all->c.rules(all->c.arg), &f, body, ret, err);
}

static int desk_supersede(void *arg, struct store *st, struct arena *a, const char *job_uuid,
	const char *reason, int64_t now_ns, struct error *err)
{
	return queue_give_way(st, a, job_uuid, reason, now_ns, err);
}

const struct schedule_desk *schedules_desk(struct schedules *s)
{
	return &s->desk;
}

/* --- one pass: writer thread --- */

/* A job that cannot be filed is told now, not in the night: the file may be read before the
 * workload that it names is there, so it is no error. */
static int prove_declared(
	struct schedules *s, struct store *st, struct arena *a, int64_t now, struct error *err)
{
	struct schedule *list;
	size_t n;
	int r = store_schedule_list(st, a, 0, &list, &n, err);

	for (size_t i = 0; r == OK && i < n; i++) {
		struct error why;

		if (strcmp(list[i].source, "config") != 0)
			continue;
		r = schedule_prove(st, a, &s->desk, &list[i], now, &why);
		if (r == E_DB || r == E_STORAGE_FULL || r == E_UNAVAILABLE)
			return OK; /* says nothing about the schedule */
		if (r < 0)
			buf_printf(&s->complaints,
				"the schedule '%s' could not file its job now: %s\n",
				list[i].name, why.text);
		r = OK;
	}
	return r;
}

static int pass_write(struct store *st, void *arg, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct schedules *s = arg;
	int64_t now = clock_wall(s->c.clock);
	int r = OK;

	if (s->syncing)
		r = schedule_sync(st, a, s->syncing, now, err);
	buf_clear(&s->complaints);
	if (r == OK && s->syncing)
		r = prove_declared(s, st, a, now, err);
	return r < 0 ? r : schedule_tick(st, a, &s->desk, now, &s->tally, err);
}

/* --- the timer --- */

static void arm(struct schedules *s, int64_t due_ns)
{
	int64_t now = clock_realtime_ns();
	int64_t at = due_ns ? MIN(due_ns, now + FAR_AWAY_NS) : now + FAR_AWAY_NS;
	const struct itimerspec t = { .it_value = { .tv_sec = at / NS_PER_S,
					      .tv_nsec = at % NS_PER_S } };

	if (s->fd >= 0)
		timerfd_settime(s->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &t, NULL);
}

static void on_again(uv_timer_t *t)
{
	schedules_wake(t->data);
}

static void count(struct schedules *s)
{
	const struct schedule_tally *t = &s->tally;

	s->n_filed += t->n_filed;
	s->n_missed += t->n_missed;
	s->n_failed += t->n_failed;
	if (t->n_filed)
		s->lag_ns = t->lag_ns;
	if (t->n_missed)
		log_notice("%lld slots of schedules were missed", (long long)t->n_missed);
	if (t->n_failed)
		log_warning("%lld schedules could not file their job; see their firings",
			(long long)t->n_failed);
}

static void tell_complaints(struct schedules *s)
{
	char *rest = buf_take(&s->complaints), *next = rest, *line;

	while ((line = strsep(&next, "\n")))
		if (*line)
			log_warning("%s", line);
	free(rest);
}

static void try_later(struct schedules *s)
{
	if (!s->is_stopping && s->fd >= 0)
		uv_timer_start(&s->again, on_again, TRY_AGAIN_MS, 0);
}

static void on_pass_done(void *arg, int code, const struct error *err)
{
	struct schedules *s = arg;

	s->is_busy = false;
	if (code < 0) {
		log_error("schedules: %s", err->text);
		/* A configuration that contradicts the stored rows must not stop the others. */
		if (s->syncing && code != E_DB && code != E_STORAGE_FULL &&
			code != E_UNAVAILABLE)
			json_decref(TAKE(s->syncing));
		try_later(s);
	} else {
		json_decref(TAKE(s->syncing));
		tell_complaints(s);
		count(s);
		arm(s, s->tally.next_due_ns);
		if (s->tally.is_held)
			try_later(s);
		if (s->tally.n_filed)
			s->c.on_filed(s->c.arg);
	}
	if (s->wake_again)
		schedules_wake(s);
}

void schedules_wake(struct schedules *s)
{
	struct error err;

	if (!s->is_started || s->is_stopping)
		return;
	if (s->is_busy) {
		s->wake_again = true;
		return;
	}
	s->is_busy = true;
	s->wake_again = false;
	if (s->from_config) {
		json_decref(s->syncing);
		s->syncing = TAKE(s->from_config);
	}
	if (writer_submit(server_writer(s->server), pass_write, on_pass_done, s, &err) < 0)
		on_pass_done(s, err.code, &err);
}

/* Expired, or ECANCELED: the clock was set. Either way: look what is due now. */
static void on_timer(uv_poll_t *p, int status, int events)
{
	struct schedules *s = p->data;
	uint64_t n;

	if (read(s->fd, &n, sizeof(n)) < 0 && errno == EAGAIN)
		return;
	schedules_wake(s);
}

static void open_timer(struct schedules *s)
{
	s->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (s->fd < 0)
		return;
	uv_poll_init(s->c.loop, &s->poll, s->fd);
	s->poll.data = s;
	uv_poll_start(&s->poll, UV_READABLE, on_timer);
}

/* --- birth and death --- */

struct schedules *schedules_new(const struct schedules_config *c)
{
	struct schedules *s = xcalloc(1, sizeof(*s));

	s->c = *c;
	s->fd = -1;
	s->desk = (struct schedule_desk){
		.file = desk_file, .supersede = desk_supersede, .arg = s
	};
	return s;
}

void schedules_start(struct schedules *s, struct server *server, json_t *from_config)
{
	bool is_moved = s->c.clock != &system_clock;

	s->server = server;
	s->is_started = true;
	s->from_config = from_config;
	uv_timer_init(s->c.loop, &s->again);
	s->again.data = s;
	if (!is_moved)
		open_timer(s);
	/* Without a timerfd (or with a clock that it does not know) we look ourselves. */
	if (s->fd < 0)
		uv_timer_start(&s->again, on_again, TEST_POLL_MS, TEST_POLL_MS);
	schedules_wake(s);
}

void schedules_reload(struct schedules *s, json_t *from_config)
{
	json_decref(s->from_config);
	s->from_config = from_config;
	schedules_wake(s);
}

void schedules_stop(struct schedules *s)
{
	if (!s->is_started || s->is_stopping)
		return;
	s->is_stopping = true;
	uv_close((uv_handle_t *)&s->again, NULL);
	if (s->fd >= 0)
		uv_close((uv_handle_t *)&s->poll, NULL);
}

void schedules_free(struct schedules *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	json_decref(s->from_config);
	json_decref(s->syncing);
	buf_done(&s->complaints);
	free(s);
}

void schedules_metrics(struct schedules *s, struct buf *out)
{
	buf_printf(out,
		"# TYPE benchd_schedule_firings counter\n# HELP benchd_schedule_firings Slots "
		"of "
		"schedules that filed a job or failed to.\n"
		"benchd_schedule_firings_total{state=\"filed\"} %lld\n"
		"benchd_schedule_firings_total{state=\"failed\"} %lld\n"
		"# TYPE benchd_schedule_missed counter\n# HELP benchd_schedule_missed Slots "
		"that "
		"passed while nobody was there.\nbenchd_schedule_missed_total %lld\n"
		"# TYPE benchd_schedule_lag_seconds gauge\n# HELP benchd_schedule_lag_seconds "
		"How late the last slot fired.\nbenchd_schedule_lag_seconds %.3f\n",
		(long long)s->n_filed, (long long)s->n_failed, (long long)s->n_missed,
		(double)s->lag_ns / (double)NS_PER_S);
}

/* --- the clock of tests --- */

static int64_t moved_wall(void *path)
{
	_cleanup_(buf_done)
	struct buf text = { 0 };
	struct error ignored;
	double offset = 0;

	if (file_read(path, 64, &text, &ignored) == OK)
		offset = strtod(buf_str(&text), NULL);
	return clock_realtime_ns() + (int64_t)(offset * (double)NS_PER_S);
}

static int64_t moved_mono(void *path)
{
	return clock_monotonic_ns();
}

const struct clock *schedules_clock(void)
{
	static struct clock moved;
	const char *path = getenv("BENCHD_TEST_CLOCK");

	if (!path || !*path)
		return &system_clock;
	moved = (struct clock){ moved_mono, moved_wall, (void *)path };
	return &moved;
}
