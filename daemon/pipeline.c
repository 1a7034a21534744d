/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A job's life is one table. Read it first: everything else is what its words mean.
 *
 * Nothing but this file moves a job from step to step. A step says "done" or "failed"; the
 * table says what follows, and the step that is due stands in the job's row (phase), written in
 * the same transaction as the work before it. So a daemon that is killed at any instant finds
 * every job where it was: what was measured is stored and is not measured again. */
#include "daemon/pipeline.h"

#include <malloc.h>
#include <string.h>
#include "base/log.h"
#include "daemon/http/http.h"
#include "daemon/run.h"

static int64_t job_time(const struct run *run)
{
	return run->plan.workload.limits.job_time_ns;
}

/* clang-format off */
const struct step steps[n_steps] = {
	/* step              phase       by         work           then           on error       after a restart  deadline */
	[STEP_WAIT]      = { NULL,       BY_NOBODY, NULL,          STEP_DISPATCH, STEP_WAIT,     STEP_WAIT,       NULL },
	[STEP_DISPATCH]  = { "dispatch", BY_LOOP,   step_dispatch, STEP_MEASURE,  STEP_PUT_BACK, STEP_PUT_BACK,   NULL },
	[STEP_MEASURE]   = { "measure",  BY_WORKER, NULL,          STEP_CONCLUDE, STEP_PUT_BACK, STEP_PUT_BACK,   job_time },
	[STEP_CONCLUDE]  = { "measure",  BY_WRITER, step_conclude, STEP_INGEST,   STEP_FAIL,     STEP_PUT_BACK,   NULL },
	[STEP_INGEST]    = { "ingest",   BY_WRITER, step_ingest,   STEP_JUDGE,    STEP_FAIL,     STEP_PUT_BACK,   NULL },
	[STEP_JUDGE]     = { "analyse",  BY_READER, step_judge,    STEP_RECORD,   STEP_FINISH,   STEP_JUDGE,      NULL },
	[STEP_RECORD]    = { "analyse",  BY_WRITER, step_record,   STEP_FINISH,   STEP_FINISH,   STEP_JUDGE,      NULL },
	[STEP_FINISH]    = { "analyse",  BY_WRITER, step_finish,   STEP_OVER,     STEP_FAIL,     STEP_JUDGE,      NULL },
	[STEP_PUT_BACK]  = { NULL,       BY_WRITER, step_put_back, STEP_OVER,     STEP_FAIL,     STEP_WAIT,       NULL },
	[STEP_FAIL]      = { NULL,       BY_WRITER, step_fail,     STEP_OVER,     STEP_OVER,     STEP_OVER,       NULL },
	[STEP_OVER]      = { NULL,       BY_NOBODY, NULL,          STEP_OVER,     STEP_OVER,     STEP_OVER,       NULL },
};
/* clang-format on */

enum { READING_MOST = 2, TICK_MS = 5000, COUNT_EVERY_TICKS = 6, PRUNE_EVERY_TICKS = 720 };
#define TRY_AGAIN_NS (1 * NS_PER_S)

int64_t pipeline_now(const struct pipeline *pl)
{
	return clock_wall(pl->c.clock);
}

static void notify(struct pipeline *pl, const char *what, const char *uuid)
{
	char key[48];

	snprintf(key, sizeof(key), "%s:%s", what, uuid);
	server_notify(pl->server, key);
}

void pipeline_notify_touched(struct pipeline *pl, const struct touched_job *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		notify(pl, "job", list[i].uuid);
		if (list[i].is_final)
			notify(pl, "end", list[i].uuid);
	}
}

void run_notify(struct run *run)
{
	bool is_told = false;

	pipeline_notify_touched(run->pl, run->touched, run->n_touched);
	for (size_t i = 0; i < run->n_touched; i++) {
		bool is_own = !strcmp(run->touched[i].uuid, run->uuid);

		is_told |= is_own;
		run->has_freed |= !is_own || !run->touched[i].is_final;
	}
	run->n_touched = 0;
	if (!is_told)
		notify(run->pl, "job", run->uuid);
}

/* --- on the writer thread --- */

int run_load(struct run *run, struct store *st, struct error *err)
{
	int r;

	run->is_stale = false;
	r = store_job_get(st, run->scratch, run->job_id, &run->job, err);
	if (r == E_NOT_FOUND || (r == OK && (run->job.attempt != run->attempt ||
						    run->job.state != JOB_RUNNING))) {
		run->is_stale = true;
		return error_set(err, E_CONFLICT, "job %s is no longer run as attempt %lld",
			run->uuid, (long long)run->attempt);
	}
	return r;
}

/* The step that is due, in the row; somebody's wish to end the job is not overwritten. */
static int save_step(
	struct run *run, struct store *st, const struct step *due, struct error *err)
{
	struct job *j = &run->job;
	_cleanup_(free)
	char *text = NULL;
	int r;

	if (!due->phase || !strcmp(j->phase, due->phase) ||
		!strcmp(j->phase, PHASE_CANCELING) || !strcmp(j->phase, PHASE_SUPERSEDING))
		return store_job_save(st, j, run->attempt, err);
	j->phase = due->phase;
	r = store_job_save(st, j, run->attempt, err);
	if (r < 0)
		return r;
	text = xasprintf("{\"phase\":\"%s\"}", due->phase);
	return store_job_event_add(st, run->job_id, run->now_ns, "phase", text, err);
}

/* A brief judgement is passed in the transaction that stores what it judges: one commit, and
 * one look at rows that are at hand. False: none was, and the reader's turn comes. */
static bool judge_at_once(struct run *run, struct store *st)
{
	const struct job before = run->job;
	struct error err = { 0 };
	bool is_brief;
	int r = OK;

	if (analysis_is_brief(st, &run->job, &is_brief, &err) < 0 || !is_brief ||
		store_savepoint(st, &err) < 0)
		return false;
	run->is_at_once = true;
	for (enum step_id at = STEP_JUDGE; r == OK; at = steps[at].then)
		r = steps[at].work(run, st, &err);
	run->is_at_once = false;
	if (r == JOB_IS_OVER && store_release(st, &err) == OK)
		return true;
	store_rollback_to(st);
	run->job = before;
	return false;
}

int run_walk(struct run *run, struct store *st, enum step_id at, struct error *err)
{
	while (steps[at].by == BY_WRITER) {
		int r = steps[at].work(run, st, err);

		if (r < 0) {
			run->failed_at = at;
			return r;
		}
		at = r == JOB_IS_OVER ? STEP_OVER : steps[at].then;
		if (at == STEP_JUDGE && judge_at_once(run, st))
			at = STEP_OVER;
		r = at == STEP_OVER ? OK : save_step(run, st, &steps[at], err);
		if (r < 0)
			return r;
	}
	run->reached = at;
	return OK;
}

static int on_writer(struct store *st, void *arg, struct error *err)
{
	struct run *run = arg;
	int r;

	run->failed_at = run->step;
	r = run_load(run, st, err);
	if (r == OK)
		r = run_walk(run, st, run->step, err);
	run->n_touched = queue_take_touched(run->scratch, &run->touched);
	return r;
}

static int on_reader(struct store *st, void *arg, struct error *err)
{
	struct run *run = arg;

	run->failed_at = run->step;
	run->reached = steps[run->step].then;
	return steps[run->step].work(run, st, err);
}

/* --- on the loop --- */

static void send_off(struct run *run);

static void on_pause_over(uv_timer_t *t)
{
	send_off(t->data);
}

/* A full disk or a locked database is no fault of the job: try again. */
static bool is_passing(int code)
{
	return code == E_DB || code == E_STORAGE_FULL || code == E_UNAVAILABLE;
}

static void on_failure(struct run *run, int code, const struct error *err)
{
	enum step_id next = steps[run->failed_at].otherwise;

	if (run->is_stale) {
		log_notice("job %s: %s", run->uuid, err->text);
		run_enter(run, STEP_OVER);
		return;
	}
	log_error("job %s: %s", run->uuid, err->text);
	if (is_passing(code) && run->pl->is_stopping) {
		run_enter(run, STEP_OVER); /* the next start takes the job up */
		return;
	}
	if (is_passing(code)) {
		run_arm(run, TRY_AGAIN_NS, on_pause_over);
		return;
	}
	snprintf(run->reason, sizeof(run->reason), "%s", err->text);
	run_enter(run, next);
}

/* Few at a time: the readers are there for those who ask, too, and each judgement holds whole
 * histories in memory. */
static void begin_next_reading(struct pipeline *pl)
{
	struct run *oldest = NULL;

	for (struct run *run = pl->runs; run; run = run->next)
		if (run->waits_for_reader)
			oldest = run; /* new ones are put in front */
	if (oldest && pl->n_reading < READING_MOST)
		send_off(oldest);
}

static void on_step_done(void *arg, int code, const struct error *err)
{
	struct run *run = arg;

	run->is_busy = false;
	if (run->is_reading) {
		run->is_reading = false;
		run->pl->n_reading--;
		begin_next_reading(run->pl);
	}
	if (code == OK && steps[run->step].by == BY_WRITER)
		run_notify(run);
	arena_free(TAKE(run->scratch));
	if (code < 0) {
		on_failure(run, code, err);
		return;
	}
	run_enter(run, run->reached);
}

static void send_off(struct run *run)
{
	struct pipeline *pl = run->pl;
	bool writes = steps[run->step].by == BY_WRITER;
	struct error err;
	int r;

	run->waits_for_reader = !writes && pl->n_reading >= READING_MOST;
	if (run->waits_for_reader)
		return;
	run->is_reading = !writes;
	pl->n_reading += !writes;
	run->is_busy = true;
	run->is_stale = false;
	run->now_ns = pipeline_now(pl);
	run->scratch = arena_new();
	r = writes ? writer_submit(
			     server_writer(pl->server), on_writer, on_step_done, run, &err)
		   : server_read(pl->server, on_reader, on_step_done, run, &err);
	if (r < 0)
		on_step_done(run, r, &err);
}

void run_enter(struct run *run, enum step_id id)
{
	const struct step *s = &steps[id];
	struct error err;
	int r;

	run->step = id;
	run_disarm(run);
	switch (s->by) {
	case BY_LOOP:
		r = s->work(run, NULL, &err);
		if (r < 0)
			snprintf(run->reason, sizeof(run->reason), "%s", err.text);
		run_enter(run, r < 0 ? s->otherwise : s->then);
		break;
	case BY_WRITER:
	case BY_READER:
		send_off(run);
		break;
	case BY_WORKER:
		run_arm(run, s->deadline_ns(run), NULL);
		break;
	case BY_NOBODY:
		run_end(run);
		break;
	}
}

/* --- workers --- */

static void on_hello(void *arg, struct worker *w)
{
	struct pipeline *pl = arg;

	if (pl->n_workers == PIPELINE_WORKERS) {
		worker_drop(w, "too many workers");
		return;
	}
	pl->workers[pl->n_workers++] = w;
	pl->n_connected = (int64_t)pl->n_workers;
	log_info("a worker is connected, environment %.12s", worker_environment_hash(w));
	*pl->c.n_cpus = worker_cpus(w);
	reunion_take_up(pl, w);
	claim_jobs(pl);
}

static void on_message(void *arg, struct worker *w, const char *type, json_t *m)
{
	struct pipeline *pl = arg;
	const char *uuid = json_get_str(m, "job", "");
	int64_t attempt = json_get_int(m, "attempt", -1);
	struct run *run = run_find(pl, uuid, attempt);

	if (!strcmp(type, "devices")) {
		devices_take(pl, m);
		return;
	}
	if (!message_is_known(type)) {
		log_warning("the worker sent a message of unknown type '%.32s'", type);
		return;
	}
	/* Of an attempt that is over: fenced off. */
	if (run && run->worker == w && run->step == STEP_MEASURE)
		run_receive(run, type, m);
	else if (!run || !run->is_adrift)
		run_release_told(w, uuid, attempt, json_get_int(m, "n", 0));
}

struct leases {
	struct pipeline *pl;
	int64_t until_ns;
	size_t n;
	struct {
		int64_t id, attempt;
	} of[];
};

static int extend_leases(struct store *st, void *arg, struct error *err)
{
	const struct leases *l = arg;
	int r = OK;

	for (size_t i = 0; i < l->n && r == OK; i++) {
		r = store_job_lease(st, l->of[i].id, l->of[i].attempt, l->until_ns, err);
		if (r == E_CONFLICT || r == E_NOT_FOUND)
			r = OK; /* the run will find out by itself */
	}
	return r;
}

static void on_leases_done(void *arg, int code, const struct error *err)
{
	struct leases *l = arg;
	struct pipeline *pl = l->pl;

	if (code < 0)
		log_warning("leases were not extended: %s", err->text);
	free(l);
	pipeline_settle(pl);
}

static void on_heartbeat(void *arg, struct worker *w, json_t *m)
{
	struct pipeline *pl = arg;
	struct leases *l = xcalloc(1, sizeof(*l) + (size_t)pl->n_runs * sizeof(l->of[0]));
	struct error err;

	l->pl = pl;
	l->until_ns = pipeline_now(pl) + pl->c.lease_ns;
	for (struct run *run = pl->runs; run; run = run->next)
		if (run->worker == w) {
			l->of[l->n].id = run->job_id;
			l->of[l->n++].attempt = run->attempt;
		}
	pl->n_pending++;
	if (l->n == 0 || writer_submit(server_writer(pl->server), extend_leases, on_leases_done,
				 l, &err) < 0)
		on_leases_done(l, OK, NULL);
}

static void on_gone(void *arg, struct worker *w, const char *reason)
{
	struct pipeline *pl = arg;

	for (size_t i = 0; i < pl->n_workers; i++)
		if (pl->workers[i] == w)
			pl->workers[i--] = pl->workers[--pl->n_workers];
	pl->n_connected = (int64_t)pl->n_workers;
	pl->n_short = 0;
	if (!pl->is_stopping)
		log_warning("lost a worker: %s", reason);
	for (struct run *run = pl->runs, *next; run; run = next) {
		next = run->next;
		if (run->worker == w)
			run_lose(run, reason);
	}
	(void)claim_stand_down(pl); /* it may have been for this one */
	claim_jobs(pl);
}

static void on_trouble(void *arg, const char *text)
{
	log_warning("worker: %s", text);
}

void pipeline_listen(struct pipeline *pl, struct workers_config *c)
{
	c->arg = pl;
	c->on_hello = on_hello;
	c->on_message = on_message;
	c->on_heartbeat = on_heartbeat;
	c->on_gone = on_gone;
	c->on_trouble = on_trouble;
}

/* --- timed work --- */

/* What ingest and analysis of a job used is spread over the heap in pieces that the allocator
 * keeps: some megabytes after a thousand jobs. Pages that are free as a whole go back. */
void pipeline_trim(struct pipeline *pl, int64_t at_least)
{
	int64_t n = 0;

	for (int i = 0; i < job_state_count; i++)
		n += pl->n_ended[i];
	if (n - pl->n_ended_trimmed < at_least)
		return;
	pl->n_ended_trimmed = n;
	malloc_trim(0);
}

static int prune_files(struct pipeline *pl, struct store *st, int64_t now_ns, struct error *err)
{
	pl->has_new_files = false;
	return store_artifact_prune(
		st, now_ns - pl->c.keep_artifacts_ns, pl->c.artifacts_bytes, err);
}

static int tick_write(struct store *st, void *arg, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct pipeline *pl = arg;
	int64_t now = pipeline_now(pl);
	bool is_time = pl->n_ticks % PRUNE_EVERY_TICKS == 1;
	int r;

	r = queue_tick(st, a, pl->c.rules(pl->c.arg), now, err);
	if (r == OK && is_time)
		r = store_idempotency_prune(st, now - pl->c.keep_answers_ns, err);
	if (r == OK && (is_time || pl->has_new_files))
		r = prune_files(pl, st, now, err);
	return r;
}

static int tick_count(struct store *st, void *arg, struct error *err)
{
	struct pipeline *pl = arg;
	int64_t counts[job_state_count], n_open = 0;
	int r;

	r = store_job_counts(st, counts, err);
	for (int i = 0; r == OK && i < job_state_count; i++) {
		if (!job_state_is_final((enum job_state)i))
			n_open += counts[i];
	}
	if (r == OK)
		*pl->c.n_waiting = n_open;
	return r;
}

static void on_tick_done(void *arg, int code, const struct error *err)
{
	struct pipeline *pl = arg;

	if (code < 0)
		log_warning("timed work: %s", err->text);
	pl->is_ticking = false;
	pipeline_settle(pl);
	claim_jobs(pl);
}

static void on_count_done(void *arg, int code, const struct error *err)
{
	if (code < 0)
		log_warning("jobs were not counted: %s", err->text);
	pipeline_settle(arg);
}

/* Leases are wall times. When the clock was set or the host slept, those of workers that are
 * there get their time back before anybody looks for expired ones. */
static void forgive_jump(struct pipeline *pl)
{
	int64_t wall = clock_wall(pl->c.clock), mono = clock_mono(pl->c.clock);
	int64_t jump = (wall - pl->tick_wall_ns) - (mono - pl->tick_mono_ns);

	for (size_t i = 0; pl->tick_wall_ns && jump > NS_PER_S && i < pl->n_workers; i++)
		on_heartbeat(pl, pl->workers[i], NULL);
	pl->tick_wall_ns = wall;
	pl->tick_mono_ns = mono;
}

static void on_tick(uv_timer_t *t)
{
	struct pipeline *pl = t->data;
	struct error err;

	if (pl->is_stopping || pl->is_ticking)
		return;
	forgive_jump(pl);
	pipeline_trim(pl, 1);
	pl->is_ticking = true;
	pl->n_pending++;
	if (writer_submit(server_writer(pl->server), tick_write, on_tick_done, pl, &err) < 0)
		on_tick_done(pl, err.code, &err);
	if (pl->n_ticks++ % COUNT_EVERY_TICKS != 0)
		return;
	pl->n_pending++;
	if (server_read(pl->server, tick_count, on_count_done, pl, &err) < 0)
		on_count_done(pl, err.code, &err);
}

void pipeline_wake(struct pipeline *pl, unsigned bits)
{
	if (bits & WAKE_QUEUE)
		claim_jobs(pl);
	if (bits & WAKE_JOBS)
		look_for_cancels(pl);
	if (pl->server && bits & (WAKE_QUEUE | WAKE_JOBS))
		server_notify(pl->server, "queue");
}

/* --- birth and death --- */

struct pipeline *pipeline_new(const struct pipeline_config *c)
{
	struct pipeline *pl = xcalloc(1, sizeof(*pl));

	pl->c = *c;
	return pl;
}

void pipeline_start(struct pipeline *pl, struct server *server)
{
	pl->server = server;
	pl->is_started = true;
	uv_timer_init(pl->c.loop, &pl->tick);
	uv_timer_init(pl->c.loop, &pl->patience);
	pl->tick.data = pl->patience.data = pl;
	pl->n_timers = 2;
	recover_jobs(pl);
	uv_timer_start(&pl->tick, on_tick, 0, TICK_MS);
}

static void stop_when_settled(struct pipeline *pl)
{
	if (pl->is_stopping && pl->done && pl->n_runs == 0 && pl->n_pending == 0 &&
		pl->n_timers == 0) {
		void (*done)(void *arg) = TAKE(pl->done);

		done(pl->done_arg);
	}
}

void pipeline_settle(struct pipeline *pl)
{
	pl->n_pending--;
	stop_when_settled(pl);
}

static void on_timer_closed(uv_handle_t *h)
{
	struct pipeline *pl = h->data;

	pl->n_timers--;
	stop_when_settled(pl);
}

void pipeline_hold(struct pipeline *pl)
{
	pl->is_stopping = true;
	(void)claim_stand_down(pl);
}

void pipeline_stop(struct pipeline *pl, void (*done)(void *arg), void *arg)
{
	pipeline_hold(pl);
	reunion_leave(pl);
	pl->done = done;
	pl->done_arg = arg;
	if (pl->n_timers) {
		uv_close((uv_handle_t *)&pl->tick, on_timer_closed);
		uv_close((uv_handle_t *)&pl->patience, on_timer_closed);
	}
	/* Keeps done() from running before this function has returned. */
	pl->n_pending++;
	pipeline_settle(pl);
}

void pipeline_free(struct pipeline *pl)
{
	free(pl);
}

/* --- for other threads --- */

/* Where workers come from elsewhere, jobs may wait for one: that is no fault of this daemon. */
json_t *pipeline_checks(struct pipeline *pl)
{
	bool has_worker = pl->n_connected > 0;

	return json_pack("[{ss sb ss}]", "name", "worker", "ok",
		has_worker || !pl->c.needs_worker, "detail",
		has_worker ? "connected" : "no worker is connected");
}

void pipeline_metrics(struct pipeline *pl, struct buf *out)
{
	buf_add_str(out,
		"# TYPE benchd_jobs_ended counter\n# HELP benchd_jobs_ended Jobs ended "
		"since the start, by state.\n");
	for (int i = 0; i < job_state_count; i++)
		if (job_state_is_final((enum job_state)i))
			buf_printf(out, "benchd_jobs_ended_total{state=\"%s\"} %lld\n",
				job_state_name((enum job_state)i), (long long)pl->n_ended[i]);
	buf_printf(out,
		"# TYPE benchd_workers gauge\n# HELP benchd_workers Connected workers.\n"
		"benchd_workers %lld\n"
		"# TYPE benchd_running_jobs gauge\n# HELP benchd_running_jobs Jobs in the "
		"pipeline.\nbenchd_running_jobs %lld\n"
		"# TYPE benchd_jobs_put_back counter\n# HELP benchd_jobs_put_back Jobs put "
		"back "
		"because their worker was lost.\nbenchd_jobs_put_back_total %lld\n"
		"# TYPE benchd_jobs_recalled counter\n# HELP benchd_jobs_recalled Jobs that a "
		"worker was given ahead of their turn and gave back.\n"
		"benchd_jobs_recalled_total %lld\n"
		"# TYPE benchd_processes counter\n# HELP benchd_processes Measured processes "
		"stored.\nbenchd_processes_total %lld\n"
		"# TYPE benchd_process_storing_seconds counter\n"
		"# HELP benchd_process_storing_seconds From a measured process told to its "
		"record durable.\nbenchd_process_storing_seconds_total %.9f\n"
		"# TYPE benchd_process_telling_seconds counter\n"
		"# HELP benchd_process_telling_seconds What telling of processes held jobs "
		"up.\nbenchd_process_telling_seconds_total %.9f\n",
		(long long)pl->n_connected, (long long)pl->n_running, (long long)pl->n_put_back,
		(long long)pl->n_recalled, (long long)pl->n_processes,
		(double)pl->storing_ns / NS_PER_S, (double)pl->telling_ns / NS_PER_S);
}
