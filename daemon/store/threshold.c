/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Thresholds and their models. A model never changes: another one replaces it. */
#include "daemon/store/report.h"

#include <math.h>
#include <string.h>

#define MODEL_COLUMNS                                                                          \
	"m.id, m.uuid, m.test, m.min_sample_size, m.max_sample_size, m.window_s,"              \
	" m.lower_boundary, m.upper_boundary, m.own_json, m.created_ns, m.replaced_ns"
#define COLUMNS                                                                                \
	"x.id, x.project_id, x.uuid, x.created_ns, x.modified_ns, b.id, b.uuid, b.name,"       \
	" b.slug, b.created_ns, b.modified_ns, b.archived_ns, h.id, h.uuid, h.created_ns,"     \
	" t.id, t.uuid, t.name, t.slug, t.created_ns, t.modified_ns, "                         \
	"t.archived_ns, " MEASURE_COLUMNS ", " MODEL_COLUMNS
#define FROM                                                                                   \
	" FROM threshold x JOIN branch b ON b.id = x.branch_id"                                \
	" JOIN head h ON h.branch_id = b.id AND h.replaced_ns = 0"                             \
	" JOIN testbed t ON t.id = x.testbed_id JOIN measure u ON u.id = x.measure_id"         \
	" LEFT JOIN model m ON m.threshold_id = x.id AND m.replaced_ns = 0"
#define FILTER                                                                                 \
	" WHERE x.project_id = $1 AND (CAST($2 AS BIGINT) IS NULL OR x.branch_id = $2)"        \
	" AND (CAST($3 AS BIGINT) IS NULL OR x.testbed_id = $3)"                               \
	" AND (CAST($4 AS BIGINT) IS NULL OR x.measure_id = $4)"
enum {
	BASE = Q_THRESHOLD * STATEMENTS_MAX,
	ENSURE = BASE,
	FIND,
	FIND_KEY,
	LIST,
	COUNT,
	MODEL,
	MODEL_BY_UUID,
	REPLACE_MODEL,
	ADD_MODEL,
	TOUCH,
	REMOVE,
	PROJECT,
	OF_PAIR,
	OF_BRANCH,
	BOUNDARY_MODEL,
	MODELS_OF_PAIR,
	REPORT_LIMITS,
	END
};
static const char *const sql[] = {
	[ENSURE - BASE] =
		"INSERT INTO threshold (uuid, project_id, branch_id, testbed_id, measure_id,"
		" created_ns, modified_ns) VALUES ($1, $2, $3, $4, $5, $6, $6)"
		" ON CONFLICT (branch_id, testbed_id, measure_id)"
		" DO UPDATE SET modified_ns = threshold.modified_ns RETURNING id",
	[FIND - BASE] =
		"SELECT " COLUMNS FROM " WHERE x.project_id = $1 AND x.uuid = lower($2)",
	[FIND_KEY - BASE] = "SELECT " COLUMNS FROM " WHERE x.branch_id = $1"
			    " AND x.testbed_id = $2 AND x.measure_id = $3",
	[LIST - BASE] = "SELECT " COLUMNS FROM FILTER
			" ORDER BY CASE WHEN $7 = 0 THEN x.created_ns WHEN $7 = 1"
			" THEN -x.created_ns WHEN $7 = 2 THEN x.modified_ns"
			" ELSE -x.modified_ns END, x.id LIMIT $5 OFFSET $6",
	[COUNT - BASE] = "SELECT count(*) FROM threshold x" FILTER,
	[MODEL - BASE] = "SELECT " MODEL_COLUMNS
			 " FROM model m WHERE m.threshold_id = $1 AND m.replaced_ns = 0",
	[MODEL_BY_UUID - BASE] =
		"SELECT " MODEL_COLUMNS
		" FROM model m WHERE m.threshold_id = $1 AND m.uuid = lower($2)",
	[REPLACE_MODEL - BASE] = "UPDATE model SET replaced_ns = $2"
				 " WHERE threshold_id = $1 AND replaced_ns = 0",
	[ADD_MODEL - BASE] =
		"INSERT INTO model (uuid, threshold_id, test, min_sample_size, max_sample_size,"
		" window_s, lower_boundary, upper_boundary, own_json, created_ns)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
	[TOUCH - BASE] = "UPDATE threshold SET modified_ns = $2 WHERE id = $1",
	[REMOVE - BASE] = "DELETE FROM threshold WHERE id = $1",
	[PROJECT - BASE] = "SELECT project_id FROM threshold WHERE id = $1",
	[OF_PAIR - BASE] = "SELECT id, project_id, branch_id, testbed_id, measure_id"
			   " FROM threshold WHERE branch_id = $1 AND testbed_id = $2",
	[OF_BRANCH - BASE] = "SELECT id, project_id, branch_id, testbed_id, measure_id"
			     " FROM threshold WHERE branch_id = $1",
	[MODELS_OF_PAIR - BASE] =
		"SELECT x.id, x.measure_id, " MODEL_COLUMNS " FROM threshold x JOIN model m"
		" ON m.threshold_id = x.id AND m.replaced_ns = 0"
		" WHERE x.branch_id = $1 AND x.testbed_id = $2",
	[REPORT_LIMITS - BASE] =
		"SELECT y.metric_id, y.baseline, y.lower_limit, y.upper_limit, y.test,"
		" y.detail_json, x.uuid, x.created_ns, x.modified_ns, " MODEL_COLUMNS
		" FROM metric k JOIN boundary y ON y.metric_id = k.id"
		" LEFT JOIN model m ON m.id = y.model_id"
		" LEFT JOIN threshold x ON x.id = m.threshold_id WHERE k.report_id = $1",
	[BOUNDARY_MODEL - BASE] = "UPDATE boundary SET model_id = $2 WHERE metric_id = $1",
};
const struct statements threshold_statements = { sql, END - BASE };

struct triple {
	int64_t id, project_id, branch_id, testbed_id, measure_id;
};

/* --- reading --- */

static void read_model(struct query *q, struct arena *a, struct boundary_model *m)
{
	m->id = column_int(q);
	m->uuid = column_text(q, a);
	m->test = column_text(q, a);
	m->min_sample_size = column_int(q);
	m->max_sample_size = column_int(q);
	m->window_s = column_int(q);
	m->lower_boundary = column_real(q);
	m->upper_boundary = column_real(q);
	m->own_json = column_text(q, a);
	m->created_ns = column_int(q);
	m->replaced_ns = column_int(q);
}

static void read_threshold(struct query *q, struct arena *a, struct threshold *x)
{
	x->id = column_int(q);
	x->project_id = column_int(q);
	x->uuid = column_text(q, a);
	x->created_ns = column_int(q);
	x->modified_ns = column_int(q);
	branch_read(q, a, x->project_id, &x->branch);
	testbed_read(q, a, x->project_id, &x->testbed);
	measure_read(q, a, x->project_id, &x->measure);
	read_model(q, a, &x->model);
	x->has_model = x->model.id != 0;
}

int store_threshold_find(struct store *s, struct arena *a, int64_t project_id, const char *uuid,
	struct threshold *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, FIND, ARGS(INT(project_id), TEXT(uuid)));
	int r = query_one(&q, err, "there is no threshold '%.80s'", uuid);

	if (r == OK)
		read_threshold(&q, a, ret);
	return r;
}

int store_threshold_of(struct store *s, struct arena *a, int64_t branch_id, int64_t testbed_id,
	int64_t measure_id, struct threshold *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q =
		db_query(s, FIND_KEY, ARGS(INT(branch_id), INT(testbed_id), INT(measure_id)));
	int r = query_one(
		&q, err, "there is no threshold for this branch, testbed and measure");

	if (r == OK)
		read_threshold(&q, a, ret);
	return r;
}

static int filter_args(struct store *s, struct arena *a, int64_t project_id,
	const struct threshold_filter *f, struct arg args[7], struct error *err)
{
	bool by_modified = f->page.sort && !strcmp(f->page.sort, "modified");
	struct window w = page_window(&f->page);
	struct branch b = { 0 };
	struct testbed t = { 0 };
	struct measure u = { 0 };
	int r = OK;

	if (f->branch)
		r = store_branch_find(s, a, project_id, f->branch, &b, err);
	if (r == OK && f->testbed)
		r = store_testbed_find(s, a, project_id, f->testbed, &t, err);
	if (r == OK && f->measure)
		r = store_measure_find(s, a, project_id, f->measure, &u, err);
	args[0] = INT(project_id);
	args[1] = ID(b.id);
	args[2] = ID(t.id);
	args[3] = ID(u.id);
	args[4] = INT(w.limit);
	args[5] = INT(w.offset);
	args[6] = INT(2 * by_modified + f->page.descending);
	return r;
}

int store_threshold_list(struct store *s, struct arena *a, int64_t project_id,
	const struct threshold_filter *f, struct threshold **ret, size_t *ret_n,
	int64_t *ret_total, struct error *err)
{
	struct list l = LIST_OF(a, struct threshold);
	struct arg args[7];
	struct query q;
	int r = filter_args(s, a, project_id, f, args, err);

	if (r < 0)
		return r;
	q = db_query(s, LIST, args, 7);
	while ((r = query_step(&q, err)) == QUERY_ROW)
		read_threshold(&q, a, list_add(&l));
	query_done(&q);
	*ret = l.items;
	*ret_n = l.n;
	return r < 0 ? r : db_get_int(s, COUNT, 0, ret_total, err, args, 4);
}

int store_threshold_get_model(struct store *s, struct arena *a, int64_t threshold_id,
	const char *uuid, struct boundary_model *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, MODEL_BY_UUID, ARGS(INT(threshold_id), TEXT(uuid)));
	int r = query_one(&q, err, "this threshold never had a model '%.80s'", uuid);

	if (r == OK)
		read_model(&q, a, ret);
	return r;
}

/* --- writing --- */

static bool is_same_real(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static bool is_same_text(const char *a, const char *b)
{
	return (!a && !b) || (a && b && !strcmp(a, b));
}

static bool is_same_model(const struct boundary_model *a, const struct boundary_model *b)
{
	return !strcmp(a->test, b->test) && a->min_sample_size == b->min_sample_size &&
	       a->max_sample_size == b->max_sample_size && a->window_s == b->window_s &&
	       is_same_real(a->lower_boundary, b->lower_boundary) &&
	       is_same_real(a->upper_boundary, b->upper_boundary) &&
	       is_same_text(a->own_json, b->own_json);
}

/* The model in force; has_model false without one. */
static int current_model(struct store *s, struct arena *a, int64_t threshold_id,
	struct boundary_model *ret, bool *has_model, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, MODEL, ARGS(INT(threshold_id)));
	int r = query_step(&q, err);

	*has_model = r == QUERY_ROW;
	if (r == QUERY_ROW)
		read_model(&q, a, ret);
	return r < 0 ? r : OK;
}

static int add_model(struct store *s, int64_t threshold_id, const struct boundary_model *m,
	int64_t now_ns, struct error *err)
{
	char uuid[UUID_TEXT];

	return db_run(s, ADD_MODEL, err,
		ARGS(TEXT(uuid_new(uuid)), INT(threshold_id), TEXT(m->test),
			ID(m->min_sample_size), ID(m->max_sample_size), ID(m->window_s),
			REAL(m->lower_boundary), REAL(m->upper_boundary), TEXT(m->own_json),
			INT(now_ns)));
}

/* Puts m (NULL: none) in force where it differs from what is. */
static int set_model(struct store *s, int64_t threshold_id, const struct boundary_model *m,
	int64_t now_ns, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct boundary_model now;
	bool has_model;
	int r = current_model(s, a, threshold_id, &now, &has_model, err);

	if (r < 0 || (!m && !has_model) || (m && has_model && is_same_model(m, &now)))
		return r;
	r = db_run(s, REPLACE_MODEL, err, ARGS(INT(threshold_id), INT(now_ns)));
	if (r == OK && m)
		r = add_model(s, threshold_id, m, now_ns, err);
	return r < 0 ? r : db_run(s, TOUCH, err, ARGS(INT(threshold_id), INT(now_ns)));
}

static int ensure(struct store *s, const struct triple *t, const struct boundary_model *m,
	int64_t now_ns, int64_t *ret_id, struct error *err)
{
	char uuid[UUID_TEXT];
	int r = db_get_int(s, ENSURE, 0, ret_id, err,
		ARGS(TEXT(uuid_new(uuid)), INT(t->project_id), INT(t->branch_id),
			INT(t->testbed_id), INT(t->measure_id), INT(now_ns)));

	if (r == OK)
		r = set_model(s, *ret_id, m, now_ns, err);
	return r < 0 ? r : generation_bump(s, t->project_id, err);
}

int store_threshold_save(struct store *s, int64_t project_id, int64_t branch_id,
	int64_t testbed_id, int64_t measure_id, const struct boundary_model *m, int64_t now_ns,
	int64_t *ret_id, struct error *err)
{
	struct triple t = { 0, project_id, branch_id, testbed_id, measure_id };

	return ensure(s, &t, m, now_ns, ret_id, err);
}

int store_threshold_remove(struct store *s, int64_t id, struct error *err)
{
	int64_t project_id;
	int r = db_get_int(s, PROJECT, 0, &project_id, err, ARGS(INT(id)));

	if (r == OK && project_id == 0)
		return error_set(err, E_NOT_FOUND, "this threshold is not there");
	if (r == OK)
		r = db_run(s, REMOVE, err, ARGS(INT(id)));
	if (r == E_CONFLICT)
		return error_set(err, E_CONFLICT,
			"limits of stored metrics were computed with this threshold: remove "
			"its "
			"model instead");
	return r < 0 ? r : generation_bump(s, project_id, err);
}

static int list_triples(struct query *q, struct list *l, struct error *err)
{
	int r;

	while ((r = query_step(q, err)) == QUERY_ROW) {
		struct triple *t = list_add(l);

		t->id = column_int(q);
		t->project_id = column_int(q);
		t->branch_id = column_int(q);
		t->testbed_id = column_int(q);
		t->measure_id = column_int(q);
	}
	query_done(q);
	return r;
}

static bool is_kept(int64_t measure_id, const int64_t *keep, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (keep[i] == measure_id)
			return true;
	return false;
}

int store_threshold_reset(struct store *s, int64_t branch_id, int64_t testbed_id,
	const int64_t *keep_measure_ids, size_t n_keep, int64_t now_ns, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct list l = LIST_OF(a, struct triple);
	struct query q = db_query(s, OF_PAIR, ARGS(INT(branch_id), INT(testbed_id)));
	int r = list_triples(&q, &l, err);
	struct triple *t = l.items;

	for (size_t i = 0; r == OK && i < l.n; i++)
		if (!is_kept(t[i].measure_id, keep_measure_ids, n_keep))
			r = set_model(s, t[i].id, NULL, now_ns, err);
	if (r == OK && l.n)
		r = generation_bump(s, t[0].project_id, err);
	return r;
}

static bool has_counterpart(const struct triple *t, const struct triple *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (in[i].testbed_id == t->testbed_id && in[i].measure_id == t->measure_id)
			return true;
	return false;
}

static int clone_one(struct store *s, struct arena *a, const struct triple *from,
	int64_t to_branch_id, int64_t now_ns, struct error *err)
{
	struct triple to = *from;
	struct boundary_model m;
	bool has_model;
	int64_t id;
	int r = current_model(s, a, from->id, &m, &has_model, err);

	to.branch_id = to_branch_id;
	return r < 0 ? r : ensure(s, &to, has_model ? &m : NULL, now_ns, &id, err);
}

int thresholds_clone(struct store *s, int64_t from_branch_id, int64_t to_branch_id,
	int64_t now_ns, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct list from = LIST_OF(a, struct triple), to = LIST_OF(a, struct triple);
	struct query q = db_query(s, OF_BRANCH, ARGS(INT(from_branch_id)));
	struct triple *f, *t;
	int r = list_triples(&q, &from, err);

	if (r == OK) {
		q = db_query(s, OF_BRANCH, ARGS(INT(to_branch_id)));
		r = list_triples(&q, &to, err);
	}
	f = from.items;
	t = to.items;
	for (size_t i = 0; r == OK && i < from.n; i++)
		r = clone_one(s, a, &f[i], to_branch_id, now_ns, err);
	for (size_t i = 0; r == OK && i < to.n; i++)
		if (!has_counterpart(&t[i], f, from.n))
			r = set_model(s, t[i].id, NULL, now_ns, err);
	return r;
}

int store_boundary_set_model(
	struct store *s, int64_t metric_id, int64_t model_id, struct error *err)
{
	int r = db_run(s, BOUNDARY_MODEL, err, ARGS(INT(metric_id), ID(model_id)));

	return r < 0 ? r : generation_bump_metric(s, metric_id, err);
}

int store_threshold_models(struct store *s, struct arena *a, int64_t branch_id,
	int64_t testbed_id, struct measure_model **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, MODELS_OF_PAIR, ARGS(INT(branch_id), INT(testbed_id)));
	struct list l = LIST_OF(a, struct measure_model);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW) {
		struct measure_model *m = list_add(&l);

		m->threshold_id = column_int(&q);
		m->measure_id = column_int(&q);
		read_model(&q, a, &m->model);
	}
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

static int compare_limits(const void *a, const void *b)
{
	const struct metric_limits *x = a, *y = b;

	return (x->metric_id > y->metric_id) - (x->metric_id < y->metric_id);
}

int store_report_limits(struct store *s, struct arena *a, int64_t report_id,
	struct metric_limits **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, REPORT_LIMITS, ARGS(INT(report_id)));
	struct list l = LIST_OF(a, struct metric_limits);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW) {
		struct metric_limits *m = list_add(&l);

		m->metric_id = column_int(&q);
		m->boundary.baseline = column_real(&q);
		m->boundary.lower = column_real(&q);
		m->boundary.upper = column_real(&q);
		m->boundary.test = column_text(&q, a);
		m->boundary.detail_json = column_text(&q, a);
		m->threshold_uuid = column_text(&q, a);
		m->threshold_created_ns = column_int(&q);
		m->threshold_modified_ns = column_int(&q);
		read_model(&q, a, &m->model);
		m->has_model = m->model.id != 0;
	}
	if (l.n)
		qsort(l.items, l.n, sizeof(struct metric_limits), compare_limits);
	*ret = l.items;
	*ret_n = l.n;
	return r;
}
