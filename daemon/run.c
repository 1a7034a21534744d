/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs: their timers, their slot, and the worker's messages on their way to the store. */
#include "daemon/run.h"

#include <string.h>
#include "base/log.h"
#include "daemon/http/http.h"

enum { TRIM_EVERY = 50 }; /* ended jobs */
/* A process record is stored almost at once; the pause lets what follows it in the same breath,
 * most often `done`, into the same transaction. */
enum { FLUSH_MS = 100, FLUSH_SOON_MS = 5, MAX_INBOX = 20000 };
enum { SEVERAL = 4 }; /* messages: the worker has gathered them, and does without that pause */
#define GRACE_NS (15 * NS_PER_S) /* TERM, 5 s, KILL, and time to say so */

struct run *run_new(struct pipeline *pl, const struct job *j)
{
	struct run *run = xcalloc(1, sizeof(*run));

	run->pl = pl;
	run->job_id = j->id;
	run->attempt = j->attempt;
	snprintf(run->uuid, sizeof(run->uuid), "%s", j->uuid);
	run->is_exclusive = strcmp(j->slot, "shared") != 0;
	run->arena = arena_new();
	run->inbox = json_array();
	return run;
}

void run_add(struct run *run)
{
	struct pipeline *pl = run->pl;

	run->next = pl->runs;
	pl->runs = run;
	pl->n_runs++;
	pl->n_running = pl->n_runs;
	uv_timer_init(pl->c.loop, &run->timer);
	uv_timer_init(pl->c.loop, &run->flush);
	run->timer.data = run->flush.data = run;
	run->n_handles = 2;
}

struct run *run_find(struct pipeline *pl, const char *uuid, int64_t attempt)
{
	for (struct run *run = pl->runs; run; run = run->next)
		if (run->attempt == attempt && !strcmp(run->uuid, uuid))
			return run;
	return NULL;
}

/* --- end --- */

static void run_free(struct run *run)
{
	json_decref(run->inbox);
	json_decref(run->batch);
	json_decref(run->done);
	arena_free(run->arena);
	arena_free(run->findings_arena);
	free(run->identity);
	free(run);
}

static void on_handle_closed(uv_handle_t *h)
{
	struct run *run = h->data;
	struct pipeline *pl = run->pl;

	if (--run->n_handles > 0)
		return;
	run_free(run);
	pipeline_settle(pl);
}

void run_end(struct run *run)
{
	struct pipeline *pl = run->pl;
	bool was_full = claim_is_full(pl);
	struct run **p;

	for (p = &pl->runs; *p != run; p = &(*p)->next)
		;
	*p = run->next;
	pl->n_runs--;
	pl->n_running = pl->n_runs;
	run_release_slot(run);
	pl->n_pending++; /* until its timers are closed */
	uv_close((uv_handle_t *)&run->timer, on_handle_closed);
	uv_close((uv_handle_t *)&run->flush, on_handle_closed);
	pipeline_trim(pl, TRIM_EVERY);
	if (pl->c.on_over && !pl->is_stopping)
		pl->c.on_over(pl->c.arg);
	if (run->has_freed || was_full)
		claim_jobs(pl);
}

void run_release_slot(struct run *run)
{
	const struct worker *w = run->worker;

	aside_return(run);
	if (run->worker)
		worker_set_busy(run->worker, run->uuid, false);
	run->worker = NULL;
	if (!run->holds_slot)
		return;
	run->holds_slot = false;
	if (w)
		ahead_end(run, w);
	claim_jobs(run->pl);
}

/* --- timers --- */

static void on_deadline(uv_timer_t *t)
{
	run_cancel(t->data, "timed_out");
}

void run_arm(struct run *run, int64_t ns, uv_timer_cb cb)
{
	uv_timer_start(&run->timer, cb ? cb : on_deadline, (uint64_t)(ns / NS_PER_MS), 0);
}

void run_disarm(struct run *run)
{
	uv_timer_stop(&run->timer);
}

static void on_grace_over(uv_timer_t *t)
{
	struct run *run = t->data;

	if (run->worker)
		worker_drop(run->worker, "the worker does not end a job it was told to end");
}

void run_cancel(struct run *run, const char *ending)
{
	json_t *m;

	if (run->ending || !run->worker || run->step != STEP_MEASURE)
		return;
	run->ending = ending;
	m = json_object();
	json_set_str(m, "type", "cancel");
	json_set_str(m, "job", run->uuid);
	json_set_int(m, "attempt", run->attempt);
	json_set_str(m, "reason", ending);
	run_arm(run, GRACE_NS, on_grace_over);
	worker_send(run->worker, m);
}

/* --- messages --- */

static void on_flush(uv_timer_t *t)
{
	run_flush(t->data);
}

static void flush_within(struct run *run, uint64_t ms)
{
	if (!uv_is_active((uv_handle_t *)&run->flush) || uv_timer_get_due_in(&run->flush) > ms)
		uv_timer_start(&run->flush, on_flush, ms, 0);
}

static uint64_t soon_enough(const struct run *run, const char *type)
{
	if (message_can_wait(type))
		return FLUSH_MS;
	return json_array_size(run->inbox) < SEVERAL ? FLUSH_SOON_MS : 0;
}

void run_receive(struct run *run, const char *type, json_t *message)
{
	if (json_array_size(run->inbox) >= MAX_INBOX) {
		worker_drop(
			run->worker, "the worker sends faster than its messages are stored");
		return;
	}
	json_array_append(run->inbox, message);
	if (!strcmp(type, "phase"))
		aside_keep_off(run, json_object_get(message, "cpus"));
	if (!strcmp(type, "process")) {
		worker_set_useful(run->worker);
		run->told_ns = run->told_ns ? run->told_ns : clock_monotonic_ns();
	}
	if (!strcmp(type, "done")) {
		run->pl->telling_ns += MAX(0, json_get_int(message, "telling_ns", 0));
		/* The host is free from here on; storing and judging need it no more. The next
		 * job is claimed behind what is stored, so that one transaction does both. */
		uv_timer_stop(&run->flush);
		run_flush(run);
		run_release_slot(run);
	} else {
		flush_within(run, soon_enough(run, type));
	}
}

static int on_writer(struct store *st, void *arg, struct error *err)
{
	struct run *run = arg;
	int r;

	run->failed_at = STEP_MEASURE;
	run->reached = STEP_MEASURE;
	r = run_load(run, st, err);
	if (r == OK)
		r = messages_apply(run, st, err);
	if (r == OK && run->done)
		r = run_walk(run, st, steps[STEP_MEASURE].then, err);
	run->n_touched = queue_take_touched(run->scratch, &run->touched);
	return r;
}

static void send_stored(
	struct worker *w, const char *uuid, int64_t attempt, const char *what, int64_t value)
{
	json_t *m;

	if (!w || value < 1)
		return;
	m = json_object();
	json_set_str(m, "type", "stored");
	json_set_str(m, "job", uuid);
	json_set_int(m, "attempt", attempt);
	json_set_int(m, what, value);
	worker_send(w, m);
}

void run_release_told(struct worker *w, const char *uuid, int64_t attempt, int64_t n)
{
	send_stored(w, uuid, attempt, "n", n);
}

/* Told to the worker only now that the records are on disk. */
static void acknowledge(struct run *run)
{
	int64_t last = 0, seq = 0;
	size_t i, n = 0;
	json_t *m;

	json_array_foreach (run->batch, i, m) {
		last = json_get_int(m, "n", last);
		if (strcmp(json_get_str(m, "type", ""), "process") != 0)
			continue;
		n++;
		seq = MAX(seq, json_get_int(json_object_get(m, "process"), "seq", 0));
	}
	send_stored(run->worker, run->uuid, run->attempt, "seq", seq);
	run_release_told(worker_by_id(run->pl, run->worker_id), run->uuid, run->attempt, last);
	run->pl->n_processes += (int64_t)n;
	if (n && run->sent_ns)
		run->pl->storing_ns += clock_monotonic_ns() - run->sent_ns;
}

/* Nothing of the batch was stored. Put it back in front of what came since. */
static void keep_batch(struct run *run)
{
	json_array_extend(run->batch, run->inbox);
	json_decref(run->inbox);
	run->inbox = TAKE(run->batch);
	run->told_ns = run->sent_ns;
	json_decref(run->done);
	run->done = NULL;
}

static void give_up(struct run *run, const struct error *err)
{
	log_error("job %s: %s", run->uuid, err->text);
	snprintf(run->reason, sizeof(run->reason), "%s", err->text);
	run_cancel(run, "canceled");
	run_release_slot(run);
	run_enter(run,
		run->failed_at == STEP_MEASURE ? STEP_FAIL : steps[run->failed_at].otherwise);
}

static void on_batch_failed(struct run *run, int code, const struct error *err)
{
	size_t n = json_array_size(run->batch);

	if (run->is_stale) {
		log_notice("job %s: %s", run->uuid, err->text);
		run_cancel(run, "canceled");
		run_enter(run, STEP_OVER);
		return;
	}
	keep_batch(run);
	if (run->pl->is_stopping && !run->worker) {
		run_enter(run, STEP_OVER); /* the next start takes the job up */
	} else if (code == E_DB || code == E_STORAGE_FULL || code == E_UNAVAILABLE) {
		log_error("job %s: %s; trying again", run->uuid, err->text);
		uv_timer_start(&run->flush, on_flush, 1000, 0);
	} else if (n > 1) {
		run->is_one_by_one = true;
		run_flush(run);
	} else {
		give_up(run, err);
	}
}

static void on_batch_stored(void *arg, int code, const struct error *err)
{
	struct run *run = arg;

	run->is_busy = false;
	if (code == OK)
		run_notify(run);
	arena_free(TAKE(run->scratch));
	if (code < 0) {
		on_batch_failed(run, code, err);
		return;
	}
	acknowledge(run);
	json_decref(run->batch);
	run->batch = NULL;
	if (run->is_unchanged)
		run_cancel(run, "canceled");
	if (run->reached != STEP_MEASURE)
		run_enter(run, run->reached);
	else if (json_array_size(run->inbox))
		run_flush(run);
	else if (run->is_lost)
		run_enter(run, run->is_left ? STEP_OVER : STEP_PUT_BACK);
}

static json_t *take_batch(struct run *run)
{
	json_t *batch = run->inbox;

	if (!run->is_one_by_one) {
		run->inbox = json_array();
		return batch;
	}
	batch = json_array();
	json_array_append(batch, json_array_get(run->inbox, 0));
	json_array_remove(run->inbox, 0);
	return batch;
}

void run_flush(struct run *run)
{
	struct error err;

	if (run->is_busy || run->step != STEP_MEASURE || json_array_size(run->inbox) == 0)
		return;
	run->is_busy = true;
	run->batch = take_batch(run);
	run->scratch = arena_new();
	run->now_ns = pipeline_now(run->pl);
	run->sent_ns = run->told_ns;
	run->told_ns = 0;
	if (writer_submit(
		    server_writer(run->pl->server), on_writer, on_batch_stored, run, &err) < 0)
		on_batch_stored(run, err.code, &err);
}

void run_lose(struct run *run, const char *reason)
{
	run->is_lost = true;
	run->is_left = run->pl->is_stopping && run->worker && !worker_is_embedded(run->worker);
	run->worker = NULL;
	snprintf(run->reason, sizeof(run->reason), "%s", reason);
	run_release_slot(run);
	if (run->is_busy || run->step != STEP_MEASURE)
		return;
	/* What it still said counts; it may even have been done. */
	if (json_array_size(run->inbox))
		run_flush(run);
	else
		run_enter(run, run->is_left ? STEP_OVER : STEP_PUT_BACK);
}
