/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The metrics of reports, as a report shows them. */
#include "daemon/store/report.h"

#include <string.h>

#define COLUMNS                                                                                \
	"m.id, r.uuid, r.project_id, m.iteration, m.series_id, m.value, m.lower_value,"        \
	" m.upper_value, m.n_processes, m.n_samples, d.hash,"                                  \
	" COALESCE(d.workload_hash, d.hash), d.program, d.driver, "                            \
	"a.parameters_json, " BENCHMARK_COLUMNS ", " MEASURE_COLUMNS
#define FROM                                                                                   \
	" FROM metric m JOIN report r ON r.id = m.report_id"                                   \
	" JOIN series s ON s.id = m.series_id JOIN benchmark k ON k.id = s.benchmark_id"       \
	" JOIN measure u ON u.id = s.measure_id LEFT JOIN definition d ON d.id = "             \
	"m.definition_id"                                                                      \
	" LEFT JOIN parameter_set a ON a.id = m.parameter_set_id"
enum {
	BASE = Q_RESULT * STATEMENTS_MAX,
	OF_REPORT = BASE,
	GET,
	SAMPLES,
	OF_POINT,
	REPORT,
	REACH,
	END
};
static const char *const sql[] = {
	[OF_REPORT - BASE] = "SELECT " COLUMNS FROM " WHERE m.report_id = $1"
			     " ORDER BY m.iteration, k.name, u.name",
	[GET - BASE] = "SELECT " COLUMNS FROM " WHERE m.id = $1 AND r.project_id = $2",
	[SAMPLES - BASE] = "SELECT samples FROM metric_sample WHERE metric_id = $1",
	[OF_POINT - BASE] = "SELECT m.id, r.uuid, r.start_ns, r.end_ns FROM metric m"
			    " JOIN report r ON r.id = m.report_id"
			    " WHERE m.report_id = $1 AND m.iteration = $2 AND m.series_id = $3",
	[REPORT - BASE] = "SELECT report_id FROM metric WHERE id = $1",
	[REACH - BASE] =
		"SELECT CASE WHEN h.start_head_id IS NULL THEN 0 ELSE 1 END FROM report r"
		" JOIN metric m ON m.report_id = r.id JOIN series s ON s.id = m.series_id"
		" JOIN head h ON h.id = s.head_id JOIN point p ON p.series_id = s.id"
		" WHERE r.uuid = $1 LIMIT $2",
};
const struct statements result_statements = { sql, END - BASE };

static void read_result(struct query *q, struct arena *a, struct result *ret)
{
	char uuid[UUID_TEXT];
	const char *report_uuid;
	int64_t project_id;

	ret->metric.id = column_int(q);
	report_uuid = column_text(q, a);
	ret->metric.uuid = arena_strdup(a, metric_uuid(report_uuid, ret->metric.id, uuid));
	project_id = column_int(q);
	ret->iteration = column_int(q);
	ret->series_id = column_int(q);
	ret->metric.value = column_real(q);
	ret->metric.lower = column_real(q);
	ret->metric.upper = column_real(q);
	ret->metric.n_processes = column_int(q);
	ret->metric.n_samples = column_int(q);
	ret->definition_hash = column_text(q, a);
	ret->workload_hash = column_text(q, a);
	ret->program = column_text(q, a);
	ret->driver = column_text(q, a);
	ret->parameters_json = column_text(q, a);
	benchmark_read(q, a, project_id, &ret->benchmark);
	measure_read(q, a, project_id, &ret->measure);
}

int store_report_results(struct store *s, struct arena *a, int64_t report_id,
	struct result **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, OF_REPORT, ARGS(INT(report_id)));
	struct list l = LIST_OF(a, struct result);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW)
		read_result(&q, a, list_add(&l));
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

int store_metric_find(struct store *s, struct arena *a, int64_t project_id, const char *uuid,
	struct result *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, GET, ARGS(INT(metric_id_of_uuid(uuid)), INT(project_id)));
	int r = query_one(&q, err, "there is no metric '%.80s'", uuid);

	if (r < 0)
		return r;
	read_result(&q, a, ret);
	if (strcasecmp(ret->metric.uuid, uuid) != 0)
		return error_set(err, E_NOT_FOUND, "there is no metric '%.80s'", uuid);
	return OK;
}

int store_metric_of_point(struct store *s, struct arena *a, int64_t series_id,
	int64_t report_id, int64_t iteration, struct metric_place *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q =
		db_query(s, OF_POINT, ARGS(INT(report_id), INT(iteration), INT(series_id)));
	int r = query_one(&q, err, "this point has no metric");
	const char *report_uuid;
	char uuid[UUID_TEXT];

	if (r < 0)
		return r;
	ret->id = column_int(&q);
	report_uuid = column_text(&q, a);
	ret->uuid = arena_strdup(a, metric_uuid(report_uuid, ret->id, uuid));
	ret->start_ns = column_int(&q);
	ret->end_ns = column_int(&q);
	return OK;
}

int store_metric_report(
	struct store *s, int64_t metric_id, int64_t *ret_report_id, struct error *err)
{
	return db_get_int(s, REPORT, 0, ret_report_id, err, ARGS(INT(metric_id)));
}

int store_metric_samples(struct store *s, struct arena *a, int64_t metric_id, double **ret,
	size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, SAMPLES, ARGS(INT(metric_id)));
	int r = query_step(&q, err);

	*ret = NULL;
	*ret_n = 0;
	if (r != QUERY_ROW)
		return r;
	*ret = column_doubles(&q, a, ret_n);
	return OK;
}

int store_report_reach(
	struct store *s, const char *uuid, int64_t most, int64_t *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, REACH, ARGS(TEXT(uuid), INT(most)));
	int64_t n = 0;
	int r;

	/* A history that goes on in another head counts as one without end. */
	while ((r = query_step(&q, err)) == QUERY_ROW && n < most)
		n = column_int(&q) ? most : n + 1;
	*ret = n;
	return MIN(r, OK);
}
