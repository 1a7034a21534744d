/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ends of jobs, and what puts a job back: cancel, lost workers, timed work. */
#include <string.h>
#include "base/clock.h"
#include "daemon/queue/internal.h"

#define AGE_NS (3600 * NS_PER_S) /* each hour of waiting is worth one priority class */

int queue_note_state(struct store *st, const struct job *j, int64_t now_ns, struct error *err)
{
	_cleanup_(json_decref)
	json_t *o = json_object();
	_cleanup_(free)
	char *text = NULL;

	json_set_str(o, "state", job_state_name(j->state));
	json_set_int(o, "attempt", j->attempt);
	if (j->fault != FAULT_NONE)
		json_set_str(o, "fault", job_fault_name(j->fault));
	if (*j->reason)
		json_set_str(o, "reason", j->reason);
	if (j->outcome != OUTCOME_NONE)
		json_set_str(o, "outcome", outcome_name(j->outcome));
	text = json_text(o);
	queue_touch(j);
	return store_job_event_add(
		st, j->id, now_ns, job_state_is_final(j->state) ? "done" : "state", text, err);
}

int queue_finish(struct store *st, struct job *j, enum job_state state, enum job_fault fault,
	const char *reason, int64_t now_ns, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	int r;

	j->state = state;
	j->fault = fault;
	j->reason = reason;
	j->phase = "";
	j->finished_ns = now_ns;
	j->lease_until_ns = 0;
	r = store_job_save(st, j, j->attempt, err);
	if (r == OK)
		r = queue_note_state(st, j, now_ns, err);
	return r == OK ? queue_release(st, a, j, now_ns, err) : r;
}

static bool is_ending(const struct job *j)
{
	return !strcmp(j->phase, PHASE_CANCELING) || !strcmp(j->phase, PHASE_SUPERSEDING);
}

int queue_forgive(struct store *st, struct job *j, struct error *err)
{
	int64_t last;
	int r = store_process_last_attempt(st, j->id, &last, err);

	if (r == OK && last == j->attempt && j->attempt < ATTEMPTS_MOST)
		j->max_attempts = MAX(j->max_attempts,
			j->attempt + MIN(j->max_attempts, (int64_t)ATTEMPTS_IN_A_ROW));
	return r;
}

int queue_put_back(
	struct store *st, struct job *j, const char *reason, int64_t now_ns, struct error *err)
{
	int r;

	if (is_ending(j))
		return queue_finish(st, j,
			!strcmp(j->phase, PHASE_CANCELING) ? JOB_CANCELED : JOB_SUPERSEDED,
			FAULT_NONE, j->reason, now_ns, err);
	r = queue_forgive(st, j, err);
	if (r < 0)
		return r;
	if (j->attempt >= j->max_attempts)
		return queue_finish(st, j, JOB_FAILED, FAULT_RUNNER, reason, now_ns, err);
	j->state = JOB_QUEUED;
	j->phase = "";
	j->reason = reason;
	j->lease_until_ns = 0;
	j->worker_id = 0;
	r = store_job_save(st, j, j->attempt, err);
	return r == OK ? queue_note_state(st, j, now_ns, err) : r;
}

/* End a job that need not run any more: at once if it waits, by the pipeline if it runs. */
static int end_early(struct store *st, struct job *j, enum job_state state, const char *phase,
	const char *reason, int64_t now_ns, struct error *err)
{
	if (j->state != JOB_RUNNING)
		return queue_finish(st, j, state, FAULT_NONE, reason, now_ns, err);
	if (is_ending(j))
		return OK;
	j->phase = phase;
	j->reason = reason;
	return store_job_save(st, j, j->attempt, err);
}

/* What becomes of the members of a suite that is ended: they are its work. */
static int end_members(struct store *st, struct arena *a, const struct job *suite,
	enum job_state state, const char *phase, const char *reason, int64_t now_ns,
	struct error *err)
{
	json_t *definition, *v;
	struct extras x;
	size_t i;
	int r;

	if (strcmp(suite->kind, "suite") != 0)
		return OK;
	r = job_definition(a, suite, &definition, &x, err);
	json_array_foreach (r == OK ? x.members : NULL, i, v) {
		struct job member;

		if (r == OK)
			r = store_job_find(st, a, json_string_value(v), &member, err);
		if (r < 0)
			return r;
		if (!job_state_is_final(member.state) && (phase || member.state != JOB_RUNNING))
			r = end_early(st, &member, state, phase, reason, now_ns, err);
	}
	return r;
}

int queue_cancel(struct store *st, struct arena *a, const char *uuid, const char *by,
	int64_t now_ns, struct job *ret, struct error *err)
{
	const char *reason = arena_printf(a, "canceled by %.64s", by);
	struct job j;
	int r;

	r = store_job_find(st, a, uuid, &j, err);
	if (r < 0)
		return r;
	if (job_state_is_final(j.state))
		return error_set(err, E_CONFLICT, "job %s has ended already: %s", uuid,
			job_state_name(j.state));
	r = end_early(st, &j, JOB_CANCELED, PHASE_CANCELING, reason, now_ns, err);
	if (r == OK)
		r = end_members(st, a, &j, JOB_CANCELED, PHASE_CANCELING, reason, now_ns, err);
	if (r == OK)
		*ret = j;
	return r;
}

int queue_approve(struct store *st, struct arena *a, const char *uuid, const char *head,
	const char *by, int64_t now_ns, struct job *ret, struct error *err)
{
	int r = store_job_find(st, a, uuid, ret, err);

	if (r < 0)
		return r;
	if (ret->state != JOB_AWAITING_APPROVAL)
		return error_set(err, E_CONFLICT, "job %s awaits no approval: it is %s", uuid,
			job_state_name(ret->state));
	if (!ret->head_hash || strcmp(ret->head_hash, head) != 0)
		return error_set_field(err, E_CONFLICT, "/hash",
			"job %s measures commit %s, not %.40s; look at that one first", uuid,
			ret->head_hash ? ret->head_hash : "?", head);
	ret->state = JOB_QUEUED;
	ret->queued_ns = now_ns;
	ret->reason = arena_printf(a, "approved by %.64s", by);
	r = store_job_save(st, ret, ret->attempt, err);
	return r == OK ? queue_note_state(st, ret, now_ns, err) : r;
}

int queue_give_way(struct store *st, struct arena *a, const char *uuid, const char *reason,
	int64_t now_ns, struct error *err)
{
	struct job j;
	int r;

	r = store_job_find(st, a, uuid, &j, err);
	if (r < 0 || job_state_is_final(j.state) || j.state == JOB_RUNNING)
		return r;
	r = end_early(st, &j, JOB_SUPERSEDED, NULL, reason, now_ns, err);
	return r < 0 ? r : end_members(st, a, &j, JOB_SUPERSEDED, NULL, reason, now_ns, err);
}

/* A pull request's new head replaces whatever of it still waits or runs; a branch's new head
 * only what still waits (its commits stay behind for a backfill). */
static bool gives_way(const struct job *old, const char *key)
{
	bool is_pull = !strncmp(key, "pr:", 3);

	return old->state != JOB_RUNNING || is_pull;
}

int queue_supersede(struct store *st, struct arena *a, const struct job *j, int64_t now_ns,
	struct error *err)
{
	const char *reason = arena_printf(a, "superseded by job %s", j->uuid);
	struct job *old;
	size_t n;
	int r;

	r = store_job_superseded(st, a, j->supersede_key, j->id, &old, &n, err);
	for (size_t i = 0; r == OK && i < n; i++)
		if (old[i].project_id == j->project_id && !strcmp(old[i].name, j->name) &&
			gives_way(&old[i], j->supersede_key))
			r = end_early(st, &old[i], JOB_SUPERSEDED, PHASE_SUPERSEDING, reason,
				now_ns, err);
	return r;
}

static int requeue(struct store *st, struct job *j, int64_t now_ns, struct error *err)
{
	int r;

	j->state = JOB_QUEUED;
	j->reason = "";
	r = store_job_save(st, j, j->attempt, err);
	return r == OK ? queue_note_state(st, j, now_ns, err) : r;
}

static int wake_sleepers(struct store *st, struct arena *a, const struct queue_rules *rules,
	int64_t now_ns, struct error *err)
{
	const struct job_filter f = {
		.states = 1u << JOB_RETRY_WAIT | 1u << JOB_WAITING_HOST,
		.queue_order = true,
		.limit = 1000,
	};
	struct job *jobs;
	size_t n;
	int r;

	r = store_job_list(st, a, &f, &jobs, &n, err);
	for (size_t i = 0; r == OK && i < n; i++) {
		bool is_due =
			jobs[i].state == JOB_RETRY_WAIT
				? jobs[i].not_before_ns <= now_ns
				: jobs[i].testbed && !strcmp(jobs[i].testbed, rules->testbed);

		if (is_due)
			r = requeue(st, &jobs[i], now_ns, err);
	}
	return r;
}

int queue_tick(struct store *st, struct arena *a, const struct queue_rules *rules,
	int64_t now_ns, struct error *err)
{
	struct job *jobs;
	size_t n;
	int r;

	r = wake_sleepers(st, a, rules, now_ns, err);
	if (r == OK)
		r = store_job_age(st, now_ns - AGE_NS, now_ns, PRIORITY_PUSH, err);
	if (r == OK)
		r = store_job_expired(st, a, now_ns, &jobs, &n, err);
	for (size_t i = 0; r == OK && i < n; i++)
		r = queue_put_back(st, &jobs[i],
			"the worker sent no sign of life; the job starts again where it "
			"stopped",
			now_ns, err);
	return r;
}
