/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs: adding, reading and saving one. Lists are in job_list.c, the queue in job_queue.c. */
#include "daemon/store/job.h"

#include "base/secret.h"

#define ALL_COLUMNS JOB_COLUMNS ", j.parameters_json, j.definition_json, j.result_json"
enum { BASE = Q_JOB * STATEMENTS_MAX, ADD = BASE, FIND, GET, SAVE, ATTEMPT, RENAME, END };
static const char *const sql[] = {
	[ADD - BASE] =
		"INSERT INTO job (uuid, project_id, name, kind, slot, state, is_final, fault,"
		" phase, priority, class, aged_ns, outcome, seed, attempt, max_attempts,"
		" worker_id, n_done, n_total, created_ns, queued_ns, started_ns, finished_ns,"
		" not_before_ns, lease_until_ns, branch, testbed, base_ref, head_ref,"
		" base_hash, head_hash, origin, supersede_key, submitter, reason,"
		" parameters_json, definition_json) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9,"
		" $10, $11, $18, $12, $13, $14, $15, 0, $16, $17, $18, $19, $20, $21, $22, 0,"
		" $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34) RETURNING id",
	[FIND - BASE] = "SELECT " ALL_COLUMNS JOB_FROM " WHERE j.uuid = lower($1)",
	[GET - BASE] = "SELECT " ALL_COLUMNS JOB_FROM " WHERE j.id = $1",
	[SAVE - BASE] =
		"UPDATE job SET state = $2, is_final = $3, fault = $4, phase = $5,"
		" reason = $6, outcome = $7, base_hash = $8, head_hash = $9, attempt = $10,"
		" max_attempts = $11, worker_id = $12, n_done = $13, n_total = $14,"
		" queued_ns = $15, started_ns = $16, finished_ns = $17, not_before_ns = $18,"
		" lease_until_ns = $19, report_uuid = $20, base_report_uuid = $21,"
		" result_json = COALESCE($22, result_json), n_noisy_runs = $24, n_told = $25"
		" WHERE id = $1 AND ($23 < 0 OR attempt = $23)",
	[RENAME - BASE] = "UPDATE job SET branch = $2 WHERE id = $1",
	[ATTEMPT - BASE] = "SELECT attempt FROM job WHERE id = $1",
};
const struct statements job_statements = { sql, END - BASE };

void job_read(struct query *q, struct arena *a, struct job *j)
{
	j->id = column_int(q);
	j->uuid = column_text(q, a);
	j->project_id = column_int(q);
	j->project_slug = column_text(q, a);
	j->name = column_text(q, a);
	j->kind = column_text(q, a);
	j->slot = column_text(q, a);
	j->state = (enum job_state)column_enum(q, job_state_parse, JOB_FAILED);
	j->fault = (enum job_fault)column_enum(q, job_fault_parse, FAULT_NONE);
	j->phase = column_text(q, a);
	j->priority = (enum priority)column_enum(q, priority_parse, PRIORITY_MANUAL);
	j->outcome = (enum outcome)column_enum(q, outcome_parse, OUTCOME_NONE);
	j->seed = (uint64_t)column_int(q);
	j->attempt = column_int(q);
	j->max_attempts = column_int(q);
	j->worker_id = column_int(q);
	j->n_done = column_int(q);
	j->n_total = column_int(q);
	j->created_ns = column_int(q);
	j->queued_ns = column_int(q);
	j->started_ns = column_int(q);
	j->finished_ns = column_int(q);
	j->not_before_ns = column_int(q);
	j->lease_until_ns = column_int(q);
	j->branch = column_text(q, a);
	j->testbed = column_text(q, a);
	j->base_ref = column_text(q, a);
	j->head_ref = column_text(q, a);
	j->base_hash = column_text(q, a);
	j->head_hash = column_text(q, a);
	j->trigger = column_text(q, a);
	j->supersede_key = column_text(q, a);
	j->submitter = column_text(q, a);
	j->report_uuid = column_text(q, a);
	j->base_report_uuid = column_text(q, a);
	j->reason = column_text(q, a);
	j->n_noisy_runs = column_int(q);
	j->n_told = column_int(q);
	j->parameters_json = j->definition_json = j->result_json = NULL;
}

int job_read_all(
	struct query *q, struct arena *a, struct job **ret, size_t *ret_n, struct error *err)
{
	struct list l = LIST_OF(a, struct job);
	int r;

	while ((r = query_step(q, err)) == QUERY_ROW)
		job_read(q, a, list_add(&l));
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

static void read_all_columns(struct query *q, struct arena *a, struct job *ret)
{
	job_read(q, a, ret);
	ret->parameters_json = column_text(q, a);
	ret->definition_json = column_text(q, a);
	ret->result_json = column_text(q, a);
}

int store_job_find(
	struct store *s, struct arena *a, const char *uuid, struct job *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, FIND, ARGS(TEXT(uuid_complete(s, a, UUID_JOB, uuid))));
	int r = query_one(&q, err, "there is no job '%.80s'", uuid);

	if (r == OK)
		read_all_columns(&q, a, ret);
	return r;
}

int store_job_get(
	struct store *s, struct arena *a, int64_t id, struct job *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, GET, ARGS(INT(id)));
	int r = query_one(&q, err, "this job is not there");

	if (r == OK)
		read_all_columns(&q, a, ret);
	return r;
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

int store_job_add(struct store *s, struct arena *a, struct job *j, struct error *err)
{
	char uuid[UUID_TEXT];
	const struct arg args[] = { TEXT(uuid_new(uuid)), INT(j->project_id), TEXT(j->name),
		TEXT(j->kind), TEXT(j->slot), TEXT(job_state_name(j->state)),
		INT(job_state_is_final(j->state)), TEXT(job_fault_name(j->fault)),
		TEXT(or_empty(j->phase)), TEXT(priority_name(j->priority)), INT(j->priority),
		TEXT(outcome_name(j->outcome)), INT((int64_t)j->seed), INT(j->attempt),
		INT(j->max_attempts), INT(j->n_done), INT(j->n_total), INT(j->created_ns),
		INT(j->queued_ns), INT(j->started_ns), INT(j->finished_ns),
		INT(j->not_before_ns), TEXT(j->branch), TEXT(j->testbed), TEXT(j->base_ref),
		TEXT(j->head_ref), TEXT(j->base_hash), TEXT(j->head_hash),
		TEXT(j->trigger ? j->trigger : "api"), TEXT(j->supersede_key),
		TEXT(j->submitter), TEXT(or_empty(j->reason)), TEXT(j->parameters_json),
		TEXT(j->definition_json) };
	int r = db_get_int(s, ADD, 0, &j->id, err, args, ARRAY_SIZE(args));

	if (r < 0)
		return r;
	j->uuid = arena_strdup(a, uuid);
	return generation_bump(s, j->project_id, err);
}

/* Nothing was changed: is the job gone, or taken over by a newer attempt? */
static int refused(struct store *s, int64_t id, int64_t expected, struct error *err)
{
	int64_t attempt;
	int r = db_get_int(s, ATTEMPT, -1, &attempt, err, ARGS(INT(id)));

	if (r < 0)
		return r;
	if (attempt < 0)
		return error_set(err, E_NOT_FOUND, "this job is not there");
	return error_set(err, E_CONFLICT,
		"the job is at attempt %lld, this is attempt %lld: it was put back in between",
		(long long)attempt, (long long)expected);
}

int store_job_save(
	struct store *s, const struct job *j, int64_t expected_attempt, struct error *err)
{
	const struct arg args[] = { INT(j->id), TEXT(job_state_name(j->state)),
		INT(job_state_is_final(j->state)), TEXT(job_fault_name(j->fault)),
		TEXT(or_empty(j->phase)), TEXT(or_empty(j->reason)),
		TEXT(outcome_name(j->outcome)), TEXT(j->base_hash), TEXT(j->head_hash),
		INT(j->attempt), INT(j->max_attempts), INT(j->worker_id), INT(j->n_done),
		INT(j->n_total), INT(j->queued_ns), INT(j->started_ns), INT(j->finished_ns),
		INT(j->not_before_ns), INT(j->lease_until_ns), TEXT(j->report_uuid),
		TEXT(j->base_report_uuid), TEXT(j->result_json), INT(expected_attempt),
		INT(j->n_noisy_runs), INT(j->n_told) };
	int r = db_run(s, SAVE, err, args, ARRAY_SIZE(args));

	if (r == OK && db_changes(s) == 0)
		r = refused(s, j->id, expected_attempt, err);
	return r < 0 ? r : generation_bump(s, j->project_id, err);
}

int store_job_set_branch(struct store *s, const struct job *j, struct error *err)
{
	return db_run(s, RENAME, err, ARGS(INT(j->id), TEXT(j->branch)));
}
