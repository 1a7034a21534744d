/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reports: storing one with all its metrics and points, finding and removing one. */
#include "daemon/store/report.h"

#include <math.h>
#include <string.h>
#include "base/text.h"

enum {
	BASE = Q_REPORT * STATEMENTS_MAX,
	ADD = BASE,
	ADD_SERIES,
	ENSURE_SERIES,
	ADD_METRIC,
	ADD_POINT,
	ADD_SAMPLES,
	DEFINITION,
	PARAMETERS,
	VERSION_HASH,
	FIND,
	GET,
	BY_KEY,
	PROJECT,
	SERIES_OF,
	REMOVE_CHANGE,
	REMOVE_POINTS,
	REMOVE,
	REFRESH_SERIES,
	REMOVE_EMPTY_SERIES,
	END
};
static const char *const sql[] = {
	[ADD - BASE] =
		"INSERT INTO report (uuid, project_id, branch_id, head_id, version_id,"
		" version_number, testbed_id, environment_id, job_id, arm, noise, adapter,"
		" submitter, idempotency_key, start_ns, end_ns, created_ns, summary_json)"
		" VALUES ($1, $2, (SELECT branch_id FROM head WHERE id = $3), $3, $4, $5, $6, "
		"$7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
		" RETURNING id",
	[ADD_SERIES - BASE] =
		"INSERT INTO series (project_id, head_id, testbed_id, benchmark_id, measure_id,"
		" n_points, last_version, last_ns, last_value)"
		" VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8)"
		" ON CONFLICT (head_id, testbed_id, benchmark_id, measure_id) DO UPDATE SET"
		" n_points = series.n_points + 1,"
		" last_ns = CASE WHEN excluded.last_version < series.last_version"
		" THEN series.last_ns ELSE excluded.last_ns END,"
		" last_value = CASE WHEN excluded.last_version < series.last_version"
		" THEN series.last_value ELSE excluded.last_value END,"
		" last_version = CASE WHEN excluded.last_version < series.last_version"
		" THEN series.last_version ELSE excluded.last_version END RETURNING id",
	/* For what is measured beside a history: no point of it. */
	[ENSURE_SERIES - BASE] =
		"INSERT INTO series (project_id, head_id, testbed_id, benchmark_id, measure_id,"
		" n_points, last_version, last_ns, last_value)"
		" VALUES ($1, $2, $3, $4, $5, 0, -1, 0, 0)"
		" ON CONFLICT (head_id, testbed_id, benchmark_id, measure_id) DO UPDATE SET"
		" n_points = series.n_points RETURNING id",
	[ADD_METRIC - BASE] =
		"INSERT INTO metric (report_id, iteration, series_id, value, lower_value,"
		" upper_value, n_processes, n_samples, definition_id, parameter_set_id)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id",
	[ADD_POINT - BASE] =
		"INSERT INTO point (series_id, version_number, report_id, iteration,"
		" environment_id, definition_id, flags, n_processes, time_ns, value,"
		" lower_value, upper_value, hash, report_uuid)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
	[ADD_SAMPLES - BASE] = "INSERT INTO metric_sample (metric_id, samples) VALUES ($1, $2)",
	[DEFINITION - BASE] = "INSERT INTO definition (hash, workload_hash, program, driver)"
			      " VALUES ($1, $2, $3, $4) ON CONFLICT (hash)"
			      " DO UPDATE SET hash = excluded.hash RETURNING id",
	[PARAMETERS - BASE] =
		"INSERT INTO parameter_set (parameters_json) VALUES ($1)"
		" ON CONFLICT (parameters_json)"
		" DO UPDATE SET parameters_json = excluded.parameters_json RETURNING id",
	[VERSION_HASH - BASE] = "SELECT hash FROM version WHERE id = $1",
	[FIND - BASE] = "SELECT " REPORT_COLUMNS REPORT_FROM
			" WHERE r.project_id = $1 AND r.uuid = lower($2)",
	[GET - BASE] = "SELECT " REPORT_COLUMNS REPORT_FROM " WHERE r.id = $1",
	[BY_KEY - BASE] = "SELECT " REPORT_COLUMNS REPORT_FROM
			  " WHERE r.project_id = $1 AND r.idempotency_key = $2",
	[PROJECT - BASE] = "SELECT project_id FROM report WHERE id = $1",
	[SERIES_OF - BASE] = "SELECT DISTINCT series_id FROM metric WHERE report_id = $1",
	/* A change at a version of which nothing is left is none; a report measured beside the
	 * history leaves it alone. */
	[REMOVE_CHANGE - BASE] =
		"DELETE FROM change_point WHERE series_id = $2"
		" AND version_number = (SELECT version_number FROM report WHERE id = $1)"
		" AND EXISTS (SELECT 1 FROM point p WHERE p.series_id = $2"
		" AND p.version_number = change_point.version_number AND p.report_id = $1)"
		" AND NOT EXISTS (SELECT 1 FROM point p WHERE p.series_id = $2"
		" AND p.version_number = change_point.version_number AND p.report_id <> $1)",
	[REMOVE_POINTS - BASE] =
		"DELETE FROM point WHERE report_id = $1 AND series_id = $2"
		" AND version_number = (SELECT version_number FROM report WHERE id = $1)",
	[REMOVE - BASE] = "DELETE FROM report WHERE id = $1",
	[REFRESH_SERIES - BASE] =
		"UPDATE series SET n_points = (SELECT count(*) FROM point p"
		" WHERE p.series_id = series.id), last_version = COALESCE((SELECT"
		" p.version_number FROM point p WHERE p.series_id = series.id"
		" ORDER BY p.version_number DESC, p.report_id DESC, p.iteration DESC LIMIT 1),"
		" 0), last_ns = COALESCE((SELECT p.time_ns FROM point p"
		" WHERE p.series_id = series.id ORDER BY p.version_number DESC,"
		" p.report_id DESC, p.iteration DESC LIMIT 1), 0),"
		" last_value = COALESCE((SELECT p.value FROM point p"
		" WHERE p.series_id = series.id ORDER BY p.version_number DESC,"
		" p.report_id DESC, p.iteration DESC LIMIT 1), 0) WHERE id = $1",
	[REMOVE_EMPTY_SERIES - BASE] = "DELETE FROM series WHERE id = $1 AND n_points = 0",
};
const struct statements report_statements = { sql, END - BASE };

enum { HASH_BYTES = 20, UUID_BYTES = 16 };

/* One report being stored: what all its metrics have in common. */
struct storing {
	struct store *s;
	const struct new_report *r;
	int64_t id;
	uint8_t hash[HASH_BYTES], uuid[UUID_BYTES];
	bool has_hash;
	const char *last_definition, *last_parameters; /* the ids below belong to these */
	int64_t definition_id, parameters_id;
	struct buf scratch;
};

static void pack_uuid(const char *uuid, uint8_t out[UUID_BYTES])
{
	char hex[2 * UUID_BYTES + 1];
	size_t n = 0;

	for (; *uuid && n < 2 * UUID_BYTES; uuid++)
		if (*uuid != '-')
			hex[n++] = *uuid;
	hex[n] = 0;
	hex_parse(hex, out, UUID_BYTES);
}

static int load_hash(struct storing *t, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(t->s, VERSION_HASH, ARGS(INT(t->r->version_id)));
	const char *hash;
	int r = query_one(&q, err, "this version is not there");

	if (r < 0)
		return r;
	hash = (const char *)sqlite3_column_text(q.stmt, 0);
	t->has_hash = hash && hex_parse(hash, t->hash, HASH_BYTES);
	return OK;
}

static int add_row(struct storing *t, const char *uuid, struct error *err)
{
	const struct new_report *r = t->r;
	int code = db_get_int(t->s, ADD, 0, &t->id, err,
		ARGS(TEXT(uuid), INT(r->project_id), INT(r->head_id), INT(r->version_id),
			INT(r->version_number), INT(r->testbed_id), ID(r->environment_id),
			ID(r->job_id), TEXT(arm_name(r->arm)), TEXT(noise_name(r->noise)),
			TEXT(r->adapter ? r->adapter : "none"), TEXT(r->user),
			TEXT(r->idempotency_key), INT(r->start_ns), INT(r->end_ns),
			INT(r->created_ns), TEXT(r->summary_json)));

	if (code == E_CONFLICT && r->idempotency_key)
		return error_set_field(err, E_CONFLICT, "/idempotency_key",
			"a report with this idempotency key is stored already");
	return code;
}

/* Neighbours mostly share it. False: the id of `last` is that of text. */
static bool is_new(const char *text, const char **last, int64_t *id)
{
	if (text && *last && !strcmp(*last, text))
		return false;
	*last = text;
	*id = 0;
	return text != NULL;
}

static int find_definition(struct storing *t, const struct new_metric *m, struct error *err)
{
	bool is_made_of_both = m->workload_hash && m->definition_hash &&
			       strcmp(m->workload_hash, m->definition_hash) != 0;

	if (!is_new(m->definition_hash, &t->last_definition, &t->definition_id))
		return OK;
	return db_get_int(t->s, DEFINITION, 0, &t->definition_id, err,
		ARGS(TEXT(m->definition_hash), TEXT(is_made_of_both ? m->workload_hash : NULL),
			TEXT(m->program), TEXT(m->driver)));
}

static int find_parameters(struct storing *t, const struct new_metric *m, struct error *err)
{
	if (!is_new(m->parameters_json, &t->last_parameters, &t->parameters_id))
		return OK;
	return db_get_int(
		t->s, PARAMETERS, 0, &t->parameters_id, err, ARGS(TEXT(m->parameters_json)));
}

static int add_point(
	struct storing *t, const struct new_metric *m, int64_t series_id, struct error *err)
{
	const struct new_report *r = t->r;

	return db_run(t->s, ADD_POINT, err,
		ARGS(INT(series_id), INT(r->version_number), INT(t->id), INT(m->iteration),
			INT(r->environment_id), INT(t->definition_id), INT(m->flags),
			INT(m->n_processes), INT(r->start_ns), REAL(m->value), REAL(m->lower),
			REAL(m->upper), BLOB(t->has_hash ? t->hash : NULL, HASH_BYTES),
			BLOB(t->uuid, UUID_BYTES)));
}

static int find_series(
	struct storing *t, const struct new_metric *m, int64_t *ret_series, struct error *err)
{
	const struct new_report *r = t->r;

	if (m->flags & POINT_ASIDE)
		return db_get_int(t->s, ENSURE_SERIES, 0, ret_series, err,
			ARGS(INT(r->project_id), INT(r->head_id), INT(r->testbed_id),
				INT(m->benchmark_id), INT(m->measure_id)));
	return db_get_int(t->s, ADD_SERIES, 0, ret_series, err,
		ARGS(INT(r->project_id), INT(r->head_id), INT(r->testbed_id),
			INT(m->benchmark_id), INT(m->measure_id), INT(r->version_number),
			INT(r->start_ns), REAL(m->value)));
}

static int add_metric(struct storing *t, const struct new_metric *m, int64_t *ret_series,
	int64_t *ret_id, struct error *err)
{
	int code;

	if (!isfinite(m->value))
		return error_set(err, E_UNPROCESSABLE, "the value of a metric is finite");
	code = find_series(t, m, ret_series, err);
	if (code == OK)
		code = find_definition(t, m, err);
	if (code == OK)
		code = find_parameters(t, m, err);
	if (code < 0)
		return code;
	code = db_get_int(t->s, ADD_METRIC, 0, ret_id, err,
		ARGS(INT(t->id), INT(m->iteration), INT(*ret_series), REAL(m->value),
			REAL(m->lower), REAL(m->upper), INT(m->n_processes), INT(m->n_samples),
			ID(t->definition_id), ID(t->parameters_id)));
	if (code == E_CONFLICT)
		return error_set(err, E_CONFLICT,
			"the report has a benchmark's measure twice in iteration %lld",
			(long long)m->iteration);
	if (code == OK && !(m->flags & POINT_ASIDE))
		code = add_point(t, m, *ret_series, err);
	if (code == OK && m->samples && m->n_values)
		code = db_run(t->s, ADD_SAMPLES, err,
			ARGS(INT(*ret_id), DOUBLES(m->samples, m->n_values, &t->scratch)));
	return code;
}

static int add_metrics(struct storing *t, struct arena *a, int64_t **ret_series,
	int64_t **ret_metric_ids, struct error *err)
{
	const struct new_report *r = t->r;
	int64_t *series = ARENA_ARRAY(a, int64_t, r->n_metrics + 1);
	int64_t *metrics = ARENA_ARRAY(a, int64_t, r->n_metrics + 1);
	int code = OK;

	for (size_t i = 0; code == OK && i < r->n_metrics; i++)
		code = add_metric(t, &r->metrics[i], &series[i], &metrics[i], err);
	buf_done(&t->scratch);
	if (code < 0)
		return code;
	*ret_series = series;
	*ret_metric_ids = metrics;
	return generation_bump(t->s, r->project_id, err);
}

int store_report_add(struct store *s, struct arena *a, const struct new_report *r,
	int64_t *ret_id, const char **ret_uuid, int64_t **ret_series, int64_t **ret_metric_ids,
	struct error *err)
{
	struct storing t = { .s = s, .r = r };
	char uuid[UUID_TEXT];
	int code;

	pack_uuid(uuid_new(uuid), t.uuid);
	code = load_hash(&t, err);
	if (code == OK)
		code = add_row(&t, uuid, err);
	if (code == OK)
		code = add_metrics(&t, a, ret_series, ret_metric_ids, err);
	if (code < 0)
		return code;
	*ret_id = t.id;
	*ret_uuid = arena_strdup(a, uuid);
	return OK;
}

int store_report_extend(struct store *s, struct arena *a, int64_t id, const char *uuid,
	const struct new_report *r, int64_t **ret_series, int64_t **ret_metric_ids,
	struct error *err)
{
	struct storing t = { .s = s, .r = r, .id = id };
	int code;

	pack_uuid(uuid, t.uuid);
	code = load_hash(&t, err);
	return code < 0 ? code : add_metrics(&t, a, ret_series, ret_metric_ids, err);
}

/* --- finding --- */

static int find(struct query *q, struct arena *a, const char *what, struct report *ret,
	struct error *err)
{
	int r = query_one(q, err, "there is no report '%.80s'", what);

	if (r == OK)
		report_read(q, a, ret);
	query_done(q);
	return r;
}

int store_report_find(struct store *s, struct arena *a, int64_t project_id, const char *uuid,
	struct report *ret, struct error *err)
{
	struct query q = db_query(
		s, FIND, ARGS(INT(project_id), TEXT(uuid_complete(s, a, UUID_REPORT, uuid))));

	return find(&q, a, uuid, ret, err);
}

int store_report_get(
	struct store *s, struct arena *a, int64_t id, struct report *ret, struct error *err)
{
	struct query q = db_query(s, GET, ARGS(INT(id)));

	return find(&q, a, "of this id", ret, err);
}

int store_report_by_key(struct store *s, struct arena *a, int64_t project_id,
	const char *idempotency_key, struct report *ret, struct error *err)
{
	struct query q = db_query(s, BY_KEY, ARGS(INT(project_id), TEXT(idempotency_key)));

	return find(&q, a, idempotency_key, ret, err);
}

/* --- removing --- */

static int list_series(
	struct store *s, struct arena *a, int64_t id, struct list *l, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, SERIES_OF, ARGS(INT(id)));
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW)
		*(int64_t *)list_add(l) = column_int(&q);
	return r;
}

static int forget_points(
	struct store *s, int64_t id, const int64_t *series, size_t n, struct error *err)
{
	int r = OK;

	for (size_t i = 0; r == OK && i < n; i++) {
		r = db_run(s, REMOVE_CHANGE, err, ARGS(INT(id), INT(series[i])));
		if (r == OK)
			r = db_run(s, REMOVE_POINTS, err, ARGS(INT(id), INT(series[i])));
	}
	return r < 0 ? r : db_run(s, REMOVE, err, ARGS(INT(id)));
}

int store_report_remove(struct store *s, int64_t id, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct list l = LIST_OF(a, int64_t);
	const int64_t *series;
	int64_t project_id;
	int r = db_get_int(s, PROJECT, 0, &project_id, err, ARGS(INT(id)));

	if (r == OK && project_id == 0)
		return error_set(err, E_NOT_FOUND, "this report is not there");
	if (r == OK)
		r = list_series(s, a, id, &l, err);
	series = l.items;
	if (r == OK)
		r = forget_points(s, id, series, l.n, err);
	for (size_t i = 0; r == OK && i < l.n; i++) {
		r = db_run(s, REFRESH_SERIES, err, ARGS(INT(series[i])));
		if (r == OK)
			r = db_run(s, REMOVE_EMPTY_SERIES, err, ARGS(INT(series[i])));
		if (r == E_CONFLICT) /* something was measured beside the history: it stays */
			r = OK;
	}
	return r < 0 ? r : generation_bump(s, project_id, err);
}
