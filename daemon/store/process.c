/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measured processes and their raw samples. */
#include "daemon/store/internal.h"

#include <string.h>

#define VALUE_COLUMNS "v.benchmark, v.measure, v.unit, v.better, v.value, v.samples, v.warmup"
enum {
	BASE = Q_PROCESS * STATEMENTS_MAX,
	ADD = BASE,
	ADD_VALUE,
	LIST,
	VALUES,
	JOB_VALUES,
	BUMP,
	RECORD,
	JUDGE,
	SET_ASIDE,
	LAST_ATTEMPT,
	END
};
static const char *const sql[] = {
	[ADD - BASE] =
		"INSERT INTO process (job_id, attempt, seq, cell, arm, number, block, place,"
		" noise, is_replaced, is_steady, termination, record_json)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id",
	[ADD_VALUE - BASE] = "INSERT INTO process_value (process_id, benchmark, measure, unit, "
			     "better, value,"
			     " samples, warmup) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
	[LIST - BASE] = "SELECT id, job_id, attempt, seq, cell, arm, number, block, place,"
			" noise, is_replaced, is_steady, termination, record_json FROM process"
			" WHERE job_id = $1 ORDER BY attempt, seq",
	[VALUES - BASE] = "SELECT v.process_id, " VALUE_COLUMNS
			  " FROM process_value v WHERE v.process_id = $1 ORDER BY v.id",
	[JOB_VALUES - BASE] = "SELECT v.process_id, " VALUE_COLUMNS
			      " FROM process p JOIN process_value v ON v.process_id = p.id"
			      " WHERE p.job_id = $1 ORDER BY p.attempt, p.seq, v.id",
	[BUMP - BASE] = "UPDATE project SET generation = generation + 1"
			" WHERE id = (SELECT project_id FROM job WHERE id = $1)",
	[RECORD - BASE] = "SELECT id, record_json FROM process WHERE job_id = $1 AND seq = $2",
	[SET_ASIDE - BASE] = "UPDATE process SET is_replaced = 1"
			     " WHERE job_id = $1 AND cell = $2 AND is_replaced = 0",
	[LAST_ATTEMPT - BASE] = "SELECT attempt FROM process WHERE job_id = $1"
				" ORDER BY attempt DESC LIMIT 1",
	[JUDGE - BASE] = "UPDATE process SET noise = $2, is_replaced = $3, record_json = $4"
			 " WHERE id = $1",
};
const struct statements process_statements = { sql, END - BASE };

static int add_row(struct store *s, struct process *p, struct error *err)
{
	int r = db_get_int(s, ADD, 0, &p->id, err,
		ARGS(INT(p->job_id), INT(p->attempt), INT(p->seq), TEXT(p->cell),
			TEXT(arm_name(p->arm)), INT(p->index), INT(p->block), INT(p->order),
			TEXT(noise_name(p->noise)), INT(p->replaced), INT(p->steady),
			TEXT(p->termination), TEXT(p->record_json)));

	if (r == E_CONFLICT)
		return error_set(err, E_CONFLICT,
			"process %lld of cell '%.40s', arm %s, is stored already",
			(long long)p->index, p->cell, arm_name(p->arm));
	return r;
}

static int add_value(
	struct store *s, int64_t process_id, const struct series_values *v, struct error *err)
{
	_cleanup_(buf_done)
	struct buf samples = { 0 }, warmup = { 0 };

	return db_run(s, ADD_VALUE, err,
		ARGS(INT(process_id), TEXT(v->benchmark), TEXT(v->measure),
			TEXT(v->unit ? v->unit : ""), TEXT(better_name(v->better)),
			REAL(v->value), DOUBLES(v->samples, v->n_samples, &samples),
			DOUBLES(v->warmup, v->n_warmup, &warmup)));
}

int store_process_add(struct store *s, struct process *p, const struct series_values *v,
	size_t n, struct error *err)
{
	int r = add_row(s, p, err);

	for (size_t i = 0; r == OK && i < n; i++)
		r = add_value(s, p->id, &v[i], err);
	return r < 0 ? r : db_run(s, BUMP, err, ARGS(INT(p->job_id)));
}

/* The record with the three members of a verdict exchanged. */
static char *judge_record(const char *text, const struct process *p, json_t *signals)
{
	_cleanup_(json_decref)
	json_t *o = NULL;
	struct error ignored;

	if (json_parse(text, strlen(text), &o, &ignored) < 0)
		return xstrdup(text);
	json_set_str(o, "noise", noise_name(p->noise));
	json_set_bool(o, "replaced", p->replaced);
	if (signals)
		json_object_set(o, "signals", signals);
	return json_text(o);
}

int store_process_judge(
	struct store *s, const struct process *p, json_t *signals, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, RECORD, ARGS(INT(p->job_id), INT(p->seq)));
	_cleanup_(free)
	char *text = NULL;
	int64_t id;
	int r = query_one(&q, err, "the job has no process record %lld", (long long)p->seq);

	if (r < 0)
		return r;
	id = column_int(&q);
	text = judge_record((const char *)sqlite3_column_text(q.stmt, q.column), p, signals);
	query_done(&q);
	r = db_run(s, JUDGE, err,
		ARGS(INT(id), TEXT(noise_name(p->noise)), INT(p->replaced), TEXT(text)));
	return r < 0 ? r : db_run(s, BUMP, err, ARGS(INT(p->job_id)));
}

static void read_process(struct query *q, struct arena *a, struct process *p)
{
	p->id = column_int(q);
	p->job_id = column_int(q);
	p->attempt = column_int(q);
	p->seq = column_int(q);
	p->cell = column_text(q, a);
	p->arm = (enum arm)column_enum(q, arm_parse, ARM_HEAD);
	p->index = column_int(q);
	p->block = column_int(q);
	p->order = column_int(q);
	p->noise = (enum noise)column_enum(q, noise_parse, NOISE_SUSPECT);
	p->replaced = column_int(q);
	p->steady = column_int(q);
	p->termination = column_text(q, a);
	p->record_json = column_text(q, a);
}

int store_process_set_aside(
	struct store *s, int64_t job_id, const char *cell, struct error *err)
{
	int r = db_run(s, SET_ASIDE, err, ARGS(INT(job_id), TEXT(cell)));

	return r < 0 ? r : db_run(s, BUMP, err, ARGS(INT(job_id)));
}

int store_process_last_attempt(struct store *s, int64_t job_id, int64_t *ret, struct error *err)
{
	return db_get_int(s, LAST_ATTEMPT, 0, ret, err, ARGS(INT(job_id)));
}

int store_process_list(struct store *s, struct arena *a, int64_t job_id, struct process **ret,
	size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, LIST, ARGS(INT(job_id)));
	struct list l = LIST_OF(a, struct process);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW)
		read_process(&q, a, list_add(&l));
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

static void read_value(struct query *q, struct arena *a, struct series_values *v)
{
	v->benchmark = column_text(q, a);
	v->measure = column_text(q, a);
	v->unit = column_text(q, a);
	v->better = (enum better)column_enum(q, better_parse, BETTER_LOWER);
	v->value = column_real(q);
	v->samples = column_doubles(q, a, &v->n_samples);
	v->warmup = column_doubles(q, a, &v->n_warmup);
}

static int read_values(struct query *q, struct arena *a, struct list *ids, struct list *values,
	struct error *err)
{
	int r;

	while ((r = query_step(q, err)) == QUERY_ROW) {
		*(int64_t *)list_add(ids) = column_int(q);
		read_value(q, a, list_add(values));
	}
	return r;
}

int store_process_values(struct store *s, struct arena *a, int64_t process_id,
	struct series_values **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, VALUES, ARGS(INT(process_id)));
	struct list ids = LIST_OF(a, int64_t), values = LIST_OF(a, struct series_values);
	int r = read_values(&q, a, &ids, &values, err);

	*ret = values.items;
	*ret_n = values.n;
	return r;
}

int store_job_values(struct store *s, struct arena *a, int64_t job_id,
	int64_t **ret_process_ids, struct series_values **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, JOB_VALUES, ARGS(INT(job_id)));
	struct list ids = LIST_OF(a, int64_t), values = LIST_OF(a, struct series_values);
	int r = read_values(&q, a, &ids, &values, err);

	*ret_process_ids = ids.items;
	*ret = values.items;
	*ret_n = values.n;
	return r;
}
