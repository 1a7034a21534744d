/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Series: which histories there are. */
#include "daemon/store/report.h"

#define COLUMNS                                                                                \
	"s.id, s.project_id, s.n_points, s.last_ns, s.last_value, b.id, b.uuid, b.name,"       \
	" b.slug, b.created_ns, b.modified_ns, b.archived_ns, h.id, h.uuid, h.created_ns,"     \
	" t.id, t.uuid, t.name, t.slug, t.created_ns, t.modified_ns, "                         \
	"t.archived_ns, " BENCHMARK_COLUMNS ", " MEASURE_COLUMNS
#define FROM                                                                                   \
	" FROM series s JOIN head h ON h.id = s.head_id JOIN branch b ON b.id = h.branch_id"   \
	" JOIN testbed t ON t.id = s.testbed_id JOIN benchmark k ON k.id = s.benchmark_id"     \
	" JOIN measure u ON u.id = s.measure_id"
enum {
	BASE = Q_SERIES * STATEMENTS_MAX,
	GET = BASE,
	BY_KEY,
	LIST,
	LIST_OF_BRANCH,
	OF_BENCHMARK,
	END
};
static const char *const sql[] = {
	[GET - BASE] = "SELECT " COLUMNS FROM " WHERE s.id = $1",
	[BY_KEY - BASE] = "SELECT " COLUMNS FROM " WHERE s.head_id = $1 AND s.testbed_id = $2"
			  " AND s.benchmark_id = $3 AND s.measure_id = $4",
	/* Only current heads: the histories of replaced ones are over. A series without a
	 * point was only measured beside a history. */
	[LIST - BASE] = "SELECT " COLUMNS FROM " WHERE s.project_id = $1 AND s.n_points > 0"
			" AND h.replaced_ns = 0 AND k.archived_ns = 0"
			" AND b.archived_ns = 0 AND (t.archived_ns = 0 OR s.testbed_id = $2)"
			" AND (CAST($2 AS BIGINT) IS NULL OR s.testbed_id = $2)"
			" ORDER BY b.name, t.name, k.name, u.name LIMIT $3",
	[LIST_OF_BRANCH - BASE] = "SELECT " COLUMNS FROM " WHERE s.head_id = $1"
				  " AND s.n_points > 0 AND k.archived_ns = 0"
				  " AND (CAST($2 AS BIGINT) IS NULL OR s.testbed_id = $2)"
				  " ORDER BY t.name, k.name, u.name LIMIT $3",
	[OF_BENCHMARK - BASE] =
		"SELECT " COLUMNS FROM " WHERE s.benchmark_id = $1 AND s.n_points > 0"
		" AND h.replaced_ns = 0 AND b.archived_ns = 0"
		" ORDER BY s.id DESC LIMIT $2",
};
const struct statements series_statements = { sql, END - BASE };

static void read_series(struct query *q, struct arena *a, struct series *ret)
{
	ret->id = column_int(q);
	ret->project_id = column_int(q);
	ret->n_points = column_int(q);
	ret->last_ns = column_int(q);
	ret->last_value = column_real(q);
	branch_read(q, a, ret->project_id, &ret->branch);
	ret->head_id = ret->branch.head_id;
	testbed_read(q, a, ret->project_id, &ret->testbed);
	benchmark_read(q, a, ret->project_id, &ret->benchmark);
	measure_read(q, a, ret->project_id, &ret->measure);
}

int store_series_get(
	struct store *s, struct arena *a, int64_t id, struct series *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, GET, ARGS(INT(id)));
	int r = query_one(&q, err, "there is no series %lld", (long long)id);

	if (r == OK)
		read_series(&q, a, ret);
	return r;
}

int store_series_find(struct store *s, struct arena *a, int64_t project_id, const char *branch,
	const char *testbed, const char *benchmark, const char *measure, struct series *ret,
	struct error *err)
{
	struct branch b;
	struct testbed t;
	struct benchmark k;
	struct measure u;
	struct query q;
	int r = store_branch_find(s, a, project_id, branch, &b, err);

	if (r == OK)
		r = store_testbed_find(s, a, project_id, testbed, &t, err);
	if (r == OK)
		r = store_benchmark_find(s, a, project_id, benchmark, &k, err);
	if (r == OK)
		r = store_measure_find(s, a, project_id, measure, &u, err);
	if (r < 0)
		return r;
	q = db_query(s, BY_KEY, ARGS(INT(b.head_id), INT(t.id), INT(k.id), INT(u.id)));
	r = query_one(&q, err,
		"nothing was measured yet for '%.40s' (%.40s) on branch '%.40s', testbed "
		"'%.40s'",
		benchmark, measure, branch, testbed);
	if (r == OK)
		read_series(&q, a, ret);
	query_done(&q);
	return r;
}

/* All rows of q, which is done with then. */
static int read_list(
	struct query q, struct arena *a, struct series **ret, size_t *ret_n, struct error *err)
{
	struct list l = LIST_OF(a, struct series);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW)
		read_series(&q, a, list_add(&l));
	query_done(&q);
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

int store_series_list(struct store *s, struct arena *a, int64_t project_id, const char *branch,
	const char *testbed, int64_t limit, struct series **ret, size_t *ret_n,
	struct error *err)
{
	struct branch b = { 0 };
	struct testbed t = { 0 };
	int r = OK;

	if (branch)
		r = store_branch_find(s, a, project_id, branch, &b, err);
	if (r == OK && testbed)
		r = store_testbed_find(s, a, project_id, testbed, &t, err);
	if (r < 0)
		return r;
	return read_list(
		db_query(s, branch ? LIST_OF_BRANCH : LIST,
			ARGS(INT(branch ? b.head_id : project_id), ID(t.id), INT(limit))),
		a, ret, ret_n, err);
}

int store_series_of_benchmark(struct store *s, struct arena *a, int64_t benchmark_id,
	int64_t limit, struct series **ret, size_t *ret_n, struct error *err)
{
	return read_list(db_query(s, OF_BENCHMARK, ARGS(INT(benchmark_id), INT(limit))), a, ret,
		ret_n, err);
}
