/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The histories of all metrics of one iteration at once: what limits are computed from. */
#include "daemon/store/internal.h"

enum { BASE = Q_PAST * STATEMENTS_MAX, VALUES = BASE, SELF, CHANGES, ADD_BOUNDARY, END };
#define POINT_COLUMNS                                                                          \
	"m.id, p.version_number, p.report_id, p.iteration, p.time_ns, p.environment_id,"       \
	" p.definition_id, p.flags, p.value"
static const char *const sql[] = {
	/* The same history on one head of the chain. The version of the $6th newest point
	 * bounds the range, so that its length does not depend on the history's. */
	[VALUES - BASE] =
		"SELECT " POINT_COLUMNS " FROM metric m JOIN series c ON c.id = m.series_id"
		" JOIN series o ON o.head_id = $3 AND o.testbed_id = c.testbed_id"
		" AND o.benchmark_id = c.benchmark_id AND o.measure_id = c.measure_id"
		" JOIN point p ON p.series_id = o.id AND p.version_number <= $5"
		" AND p.version_number >= COALESCE((SELECT q.version_number FROM point q"
		" WHERE q.series_id = o.id AND q.version_number >= $4"
		" AND q.version_number <= $5"
		" ORDER BY q.version_number DESC, q.report_id DESC, q.iteration DESC"
		" LIMIT 1 OFFSET $6), CAST($4 AS BIGINT))"
		" WHERE m.report_id = $1 AND m.iteration = $2",
	[SELF - BASE] =
		"SELECT " POINT_COLUMNS ", c.id, u.id, k.name, k.slug, u.name, u.slug, u.better"
		" FROM metric m JOIN report r ON r.id = m.report_id"
		" JOIN series c ON c.id = m.series_id JOIN benchmark k ON k.id = c.benchmark_id"
		" JOIN measure u ON u.id = c.measure_id JOIN point p ON p.series_id = "
		"m.series_id"
		" AND p.version_number = r.version_number AND p.report_id = m.report_id"
		" AND p.iteration = m.iteration WHERE m.report_id = $1 AND m.iteration = $2",
	[CHANGES - BASE] =
		"SELECT m.id, p.version_number FROM metric m JOIN series c ON c.id = "
		"m.series_id"
		" JOIN series o ON o.head_id = $3 AND o.testbed_id = c.testbed_id"
		" AND o.benchmark_id = c.benchmark_id AND o.measure_id = c.measure_id"
		" JOIN change_point p ON p.series_id = o.id AND p.version_number >= $4"
		" AND p.version_number <= $5 WHERE m.report_id = $1 AND m.iteration = $2",
	[ADD_BOUNDARY - BASE] =
		"INSERT INTO boundary (metric_id, model_id, test, baseline, lower_limit,"
		" upper_limit, detail_json) VALUES ($1, $2, $3, $4, $5, $6, $7)",
};
const struct statements past_statements = { sql, END - BASE };

struct pasts {
	struct store *s;
	struct arena *a;
	int64_t report_id, iteration, max;
	struct metric_past *list;
	size_t n;
};

static struct metric_past *past_of(const struct pasts *t, int64_t metric_id)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (t->list[mid].metric_id == metric_id)
			return &t->list[mid];
		if (t->list[mid].metric_id < metric_id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static void read_past(struct query *q, struct past *p)
{
	p->version_number = column_int(q);
	p->report_id = column_int(q);
	p->iteration = column_int(q);
	p->time_ns = column_int(q);
	p->environment_id = column_int(q);
	p->definition_id = column_int(q);
	p->flags = (unsigned)column_int(q);
	p->value = column_real(q);
}

static void add_value(struct arena *a, struct metric_past *m, const struct past *p)
{
	if (m->n == m->capacity) {
		struct past *more;

		m->capacity = m->capacity ? 2 * m->capacity : 128;
		more = ARENA_ARRAY(a, struct past, m->capacity);
		for (size_t i = 0; i < m->n; i++)
			more[i] = m->values[i];
		m->values = more;
	}
	m->values[m->n++] = *p;
}

static int read_head(const struct pasts *t, const struct head_walk *w, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(t->s, VALUES,
		ARGS(INT(t->report_id), INT(t->iteration), INT(w->head_id), INT(w->least),
			INT(w->most), INT(t->max)));
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW) {
		struct metric_past *m = past_of(t, column_int(&q));
		struct past p;

		read_past(&q, &p);
		if (m && !(p.flags & POINT_ASIDE) &&
			(p.report_id != t->report_id || p.iteration != t->iteration))
			add_value(t->a, m, &p);
	}
	return r;
}

/* Also where the level changed on the branch that this one begins on. */
static int read_changes(const struct pasts *t, const struct head_walk *w, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(t->s, CHANGES,
		ARGS(INT(t->report_id), INT(t->iteration), INT(w->head_id), INT(w->least),
			INT(w->most)));
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW) {
		struct metric_past *m = past_of(t, column_int(&q));
		int64_t version = column_int(&q);

		if (m && version <= m->self.version_number)
			m->change = MAX(m->change, version);
	}
	return r;
}

static int read_selves(const struct pasts *t, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(t->s, SELF, ARGS(INT(t->report_id), INT(t->iteration)));
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW) {
		struct metric_past *m = past_of(t, column_int(&q));

		if (!m)
			continue;
		read_past(&q, &m->self);
		m->series_id = column_int(&q);
		m->measure_id = column_int(&q);
		m->benchmark = column_text(&q, t->a);
		m->benchmark_slug = column_text(&q, t->a);
		m->measure = column_text(&q, t->a);
		m->measure_slug = column_text(&q, t->a);
		m->better = (enum better)column_enum(&q, better_parse, BETTER_LOWER);
	}
	return r;
}

static int read_alerts(const struct pasts *t, struct error *err)
{
	struct iteration_alert *alerts;
	size_t n;
	int r = alerts_of_iteration(t->s, t->a, t->report_id, t->iteration, &alerts, &n, err);

	for (size_t i = 0; r == OK && i < n; i++) {
		struct metric_past *m = past_of(t, alerts[i].metric_id);
		const struct alert *al = &alerts[i].alert;

		if (!m)
			continue;
		if (al->state == ALERT_CONFIRMED &&
			(!m->confirmed || m->confirmed->id < al->id))
			m->confirmed = al;
		if (al->state == ALERT_SUSPECT && (!m->open || m->open->id < al->id))
			m->open = al;
	}
	return r;
}

/* Newest first, as Bencher orders: version, start of the report, iteration. */
static int compare_pasts(const void *a, const void *b)
{
	const struct past *x = a, *y = b;

	if (x->version_number != y->version_number)
		return x->version_number < y->version_number ? 1 : -1;
	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? 1 : -1;
	if (x->report_id != y->report_id)
		return x->report_id < y->report_id ? 1 : -1;
	return x->iteration < y->iteration ? 1 : -1;
}

static void sort_values(const struct pasts *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct metric_past *m = &t->list[i];

		if (m->n)
			qsort(m->values, m->n, sizeof(*m->values), compare_pasts);
		m->n = MIN(m->n, (size_t)t->max);
	}
}

int store_iteration_pasts(struct store *s, struct arena *a, int64_t report_id,
	int64_t iteration, int64_t head_id, int64_t max, struct metric_past *list, size_t n,
	struct error *err)
{
	struct pasts t = { s, a, report_id, iteration, max, list, n };
	struct head_walk w = { .head_id = head_id };
	int r = read_selves(&t, err);

	while (r == OK) {
		r = head_walk(s, &w, err);
		if (r != QUERY_ROW)
			break;
		r = read_head(&t, &w, err);
		if (r == OK)
			r = read_changes(&t, &w, err);
	}
	if (r == OK)
		r = read_alerts(&t, err);
	sort_values(&t);
	return r;
}

int store_boundary_add(struct store *s, int64_t metric_id, int64_t model_id,
	const struct boundary *b, struct error *err)
{
	int r = db_run(s, ADD_BOUNDARY, err,
		ARGS(INT(metric_id), ID(model_id), TEXT(b->test), REAL(b->baseline),
			REAL(b->lower), REAL(b->upper), TEXT(b->detail_json)));

	return r < 0 ? r : generation_bump_metric(s, metric_id, err);
}
