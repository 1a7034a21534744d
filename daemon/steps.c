/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The work of the steps in pipeline.c's table. Each does its part and says how it went; none
 * knows what follows. */
#include <string.h>
#include "daemon/ingest/ingest.h"
#include "daemon/run.h"

static const char *keep(struct run *run, const char *s)
{
	return arena_strdup(run->scratch, s);
}

static int finish(struct run *run, struct store *st, enum job_state state, enum job_fault fault,
	const char *reason, struct error *err)
{
	int r;

	r = queue_finish(st, &run->job, state, fault, reason, run->now_ns, err);
	if (r == OK && state != JOB_SUCCEEDED && !strcmp(run->job.trigger, "confirm"))
		r = analysis_abandon(st, run->scratch, &run->job, reason, run->now_ns, err);
	if (r < 0)
		return r;
	run->pl->n_ended[state]++;
	return JOB_IS_OVER;
}

/* --- dispatch: tell the worker --- */

int step_dispatch(struct run *run, struct store *st, struct error *err)
{
	json_t *m;

	if (!run->worker)
		return error_set(err, E_UNAVAILABLE, "the worker is gone");
	m = json_object();
	json_set_str(m, "type", "job");
	json_set_str(m, "job", run->uuid);
	json_set_int(m, "attempt", run->attempt);
	json_object_set(m, "spec", run->plan.spec);
	ahead_begin(run);
	worker_send(run->worker, m);
	return OK;
}

/* --- conclude: what the worker's `done` means --- */

#define RETRY_PAUSE_NS (5 * NS_PER_S) /* for each attempt so far */

static const char *retry_event(struct run *run, const char *reason)
{
	json_t *o = arena_own_json(run->scratch, json_object());
	_cleanup_(free)
	char *text = NULL;

	json_set_str(o, "state", "retry_wait");
	json_set_opt(o, "reason", reason && *reason ? reason : NULL);
	text = json_canonical(o);
	return arena_strdup(run->scratch, text);
}

/* The host's trouble is no result: once more, a little later, while there are attempts left. */
static int retry_later(struct run *run, struct store *st, const char *reason, struct error *err)
{
	struct job *j = &run->job;
	int r = queue_forgive(st, j, err);

	if (r < 0)
		return r;
	if (j->attempt >= j->max_attempts)
		return finish(run, st, JOB_FAILED, FAULT_RUNNER, reason, err);
	j->state = JOB_RETRY_WAIT;
	j->phase = "";
	j->reason = reason;
	j->not_before_ns = run->now_ns + j->attempt * RETRY_PAUSE_NS;
	j->lease_until_ns = 0;
	r = store_job_save(st, j, run->attempt, err);
	if (r == OK)
		r = store_job_event_add(
			st, j->id, run->now_ns, "state", retry_event(run, reason), err);
	return r < 0 ? r : JOB_IS_OVER;
}

/* The host was set otherwise in the middle: what was measured is no sample of anything. */
static int set_all_aside(struct run *run, struct store *st, struct error *err)
{
	int r = OK;

	for (size_t i = 0; r == OK && i < run->plan.n_cells; i++)
		r = store_process_set_aside(st, run->job_id, run->plan.cells[i].id, err);
	return r;
}

static int conclude_failed(
	struct run *run, struct store *st, const char *reason, struct error *err)
{
	int fault = job_fault_parse(json_get_str(run->done, "fault", "runner"));

	if (json_get_bool(run->done, "refused", false))
		return finish(run, st, JOB_FAILED, FAULT_RUNNER, reason, err);
	if (json_get_bool(run->done, "discard", false)) {
		int r = set_all_aside(run, st, err);

		if (r < 0)
			return r;
	}
	if (fault <= FAULT_NONE || fault == FAULT_RUNNER)
		return retry_later(run, st, reason, err);
	return finish(run, st, JOB_FAILED, (enum job_fault)fault, reason, err);
}

static int conclude_ended(
	struct run *run, struct store *st, const char *reason, struct error *err)
{
	const char *phase = run->job.phase;

	if (!strcmp(phase, PHASE_CANCELING))
		return finish(run, st, JOB_CANCELED, FAULT_NONE, run->job.reason, err);
	if (!strcmp(phase, PHASE_SUPERSEDING))
		return finish(run, st, JOB_SUPERSEDED, FAULT_NONE, run->job.reason, err);
	if (run->ending && !strcmp(run->ending, "timed_out"))
		return finish(run, st, JOB_TIMED_OUT, FAULT_NONE, reason, err);
	/* The worker was told to shut down. */
	snprintf(run->reason, sizeof(run->reason), "%s", reason);
	return step_put_back(run, st, err);
}

/* It was given to the worker ahead of its turn and has not begun. */
static int conclude_recalled(struct run *run, struct store *st, struct error *err)
{
	struct job *j = &run->job;
	int r;

	run->pl->n_recalled++;
	j->max_attempts++;
	if (j->attempt == 1)
		j->started_ns = 0;
	r = queue_put_back(st, j, "", run->now_ns, err);
	return r < 0 ? r : JOB_IS_OVER;
}

enum { NOISY_RUNS_MAX = 2 };
#define COOL_DOWN_NS (30 * NS_PER_S) /* and as much again for the second time */

/* More than that would be rejecting until the numbers please. A job that does not wait for a
 * quiet host (idle_wait 0) takes the host as it is. */
static bool may_measure_again(const struct run *run)
{
	return run->job.n_noisy_runs < NOISY_RUNS_MAX &&
	       run->plan.workload.protocol.idle_wait_ns > 0;
}

/* What the noisy cells measured is kept, marked as replaced; the others are not measured again.
 * *ret: how many cells are. */
static int set_noisy_aside(struct run *run, struct store *st, size_t *ret, struct error *err)
{
	json_t *cells = json_object_get(run->done, "cells"), *c;
	size_t i;
	int r = OK;

	*ret = 0;
	json_array_foreach (cells, i, c)
		if (r == OK && !strcmp(json_get_str(c, "verdict", ""), "noisy")) {
			r = store_process_set_aside(
				st, run->job_id, json_get_str(c, "cell", ""), err);
			++*ret;
		}
	return r;
}

static int measure_again(struct run *run, struct store *st, size_t n_cells, struct error *err)
{
	struct job *j = &run->job;
	int r;

	j->n_noisy_runs++;
	j->max_attempts++; /* the worker did its work */
	j->state = JOB_RETRY_WAIT;
	j->phase = "";
	j->reason = arena_printf(run->scratch,
		"the run was noisy in %zu of %zu benchmarks; they are measured again (%lld of "
		"%d) after a pause",
		n_cells, json_array_size(json_object_get(run->done, "cells")),
		(long long)j->n_noisy_runs, NOISY_RUNS_MAX);
	j->not_before_ns = run->now_ns + j->n_noisy_runs * COOL_DOWN_NS;
	j->lease_until_ns = 0;
	r = store_job_save(st, j, run->attempt, err);
	if (r == OK)
		r = store_job_event_add(
			st, j->id, run->now_ns, "state", retry_event(run, j->reason), err);
	return r < 0 ? r : JOB_IS_OVER;
}

static int conclude_measured(struct run *run, struct store *st, struct error *err)
{
	size_t n_noisy = 0;
	int r = OK;

	if (may_measure_again(run))
		r = set_noisy_aside(run, st, &n_noisy, err);
	return r == OK && n_noisy ? measure_again(run, st, n_noisy, err) : r;
}

static int note_devices(struct run *run, struct store *st, struct error *err)
{
	return queue_devices_ended(st, run->scratch, &run->job,
		run->pl->c.rules(run->pl->c.arg)->testbed,
		json_object_get(run->done, "devices"), run->now_ns, err);
}

/* Settings of the host were changed since it was claimed: what it was measured on. */
static void take_environment(struct run *run)
{
	char hash[65];
	char *identity = environment_read(json_object_get(run->done, "environment"), hash);

	if (!identity)
		return;
	free(run->identity);
	run->identity = identity;
	memcpy(run->environment_hash, hash, sizeof(run->environment_hash));
}

int step_conclude(struct run *run, struct store *st, struct error *err)
{
	const char *status = json_get_str(run->done, "status", "");
	const char *reason = keep(run, json_get_str(run->done, "reason", ""));
	int r = note_devices(run, st, err);

	if (r < 0)
		return r;
	take_environment(run);
	/* A short job may be over before the worker hears that nobody wants it. */
	if (run->is_unchanged)
		return finish(run, st, JOB_CANCELED, FAULT_NONE, run->job.reason, err);
	if (!strcmp(status, "succeeded"))
		return conclude_measured(run, st, err);
	if (!strcmp(status, "failed"))
		return conclude_failed(run, st, reason, err);
	if (!strcmp(status, "skipped"))
		return finish(run, st, JOB_SUCCEEDED, FAULT_NONE, reason, err);
	if (!strcmp(status, "timed_out"))
		return finish(run, st, JOB_TIMED_OUT, FAULT_NONE, reason, err);
	if (!strcmp(status, "canceled"))
		return conclude_ended(run, st, reason, err);
	if (!strcmp(status, "recalled"))
		return conclude_recalled(run, st, err);
	return error_set(err, E_UNPROCESSABLE, "the worker ended the job as '%.32s'", status);
}

/* --- ingest: stored processes become reports --- */

int step_ingest(struct run *run, struct store *st, struct error *err)
{
	const struct ingest in = { .st = st,
		.arena = run->scratch,
		.job = &run->job,
		.workload = &run->plan.workload,
		.cells = run->plan.cells,
		.n_cells = run->plan.n_cells,
		.has_base = run->plan.has_base,
		.is_merge_base = run->plan.is_merge_base,
		.start_branch = run->plan.start_branch,
		.start_hash = run->plan.start_hash,
		.now_ns = run->now_ns };
	int r;

	r = ingest_reports(&in, run->environment_hash, run->identity, run->done, err);
	if (r == E_NOT_FOUND)
		return finish(run, st, JOB_FAILED, FAULT_NO_RESULT, keep(run, err->text), err);
	return r;
}

/* --- judge and record: what the numbers mean --- */

int step_judge(struct run *run, struct store *st, struct error *err)
{
	struct job j = run->job;
	int r = OK;

	arena_free(run->findings_arena);
	run->findings_arena = arena_new();
	if (!run->is_at_once)
		r = store_job_get(st, run->findings_arena, run->job_id, &j, err);
	return r < 0 ? r : analysis_judge(st, run->findings_arena, &j, &run->findings, err);
}

static int file_rerun(
	struct run *run, struct store *st, const struct rerun *rerun, struct error *err)
{
	const struct queue_rules *rules = run->pl->c.rules(run->pl->c.arg);
	const struct rerun_order what = { .head_hash = rerun->head_hash,
		.base_hash = rerun->base_hash,
		.benchmarks = rerun->benchmarks,
		.n_benchmarks = rerun->n_benchmarks,
		.processes = rerun->processes,
		.is_fixed = rerun->is_fixed };
	struct job origin = run->job, filed;
	int r = OK;

	if (rerun->origin_id)
		r = store_job_get(st, run->scratch, rerun->origin_id, &origin, err);
	return r < 0 ? r
		     : queue_file_rerun(st, run->scratch, rules, &origin, &what, run->now_ns,
			       &filed, err);
}

int step_record(struct run *run, struct store *st, struct error *err)
{
	struct rerun *reruns;
	size_t n;
	int r;

	r = analysis_save(
		st, run->scratch, run->findings, run->now_ns, &run->job, &reruns, &n, err);
	/* Questions that only measuring again can answer become jobs of their own. */
	for (size_t i = 0; r == OK && i < n; i++)
		r = file_rerun(run, st, &reruns[i], err);
	return r;
}

int step_finish(struct run *run, struct store *st, struct error *err)
{
	/* run->reason: why the analysis failed; what was measured is kept and counts. */
	return finish(run, st, JOB_SUCCEEDED, FAULT_NONE, keep(run, run->reason), err);
}

/* --- ends without a result --- */

int step_put_back(struct run *run, struct store *st, struct error *err)
{
	struct job *j = &run->job;
	const char *reason = keep(run, run->reason);
	int r;

	if (run->ending && !strcmp(run->ending, "timed_out"))
		return finish(run, st, JOB_TIMED_OUT, FAULT_NONE,
			"the job ran longer than limits.job_time", err);
	/* A daemon that is stopped and started is no failed attempt, nor is waiting for others.
	 */
	if (run->pl->is_stopping || !run->begun_ns)
		j->max_attempts = MAX(j->max_attempts, j->attempt + 1);
	run->pl->n_put_back++;
	r = queue_put_back(st, j, reason, run->now_ns, err);
	return r < 0 ? r : JOB_IS_OVER;
}

int step_fail(struct run *run, struct store *st, struct error *err)
{
	return finish(run, st, JOB_FAILED, FAULT_RUNNER, keep(run, run->reason), err);
}
