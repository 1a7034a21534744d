/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values over time in Bencher's shapes: one metric, and the histories of every combination of
 * branches, testbeds, benchmarks and measures. Slugs do where Bencher wants UUIDs. */
#include "daemon/http/handlers.h"

#include <math.h>
#include <string.h>

enum { LIST_MAX = 255, SERIES_MAX = 1000, POINTS_MAX = 1000 };

/* --- one metric --- */

static int add_boundary(
	struct request *rq, struct store *st, int64_t metric_id, json_t *doc, struct error *err)
{
	struct boundary b;
	int r = store_boundary_find(st, request_arena(rq), metric_id, &b, err);

	if (r == OK)
		json_object_set_new(doc, "boundary", render_boundary(&b));
	return r == E_NOT_FOUND ? OK : r;
}

int get_metric(struct request *rq, struct store *st, struct error *err)
{
	_cleanup_(json_decref)
	json_t *doc = json_object();
	struct report report;
	struct result result;
	struct project p;
	int64_t report_id;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = store_metric_find(
			st, request_arena(rq), p.id, request_param(rq, "metric"), &result, err);
	if (r == OK)
		r = store_metric_report(st, result.metric.id, &report_id, err);
	if (r == OK)
		r = store_report_get(st, request_arena(rq), report_id, &report, err);
	if (r < 0)
		return r;
	json_set_str(doc, "uuid", result.metric.uuid);
	json_set_str(doc, "report", report.uuid);
	json_set_int(doc, "iteration", result.iteration);
	json_set_time(doc, "start_time", report.start_ns);
	json_set_time(doc, "end_time", report.end_ns);
	json_object_set_new(doc, "branch", render_branch(&report.branch, &p, &report.version));
	json_object_set_new(doc, "testbed", render_testbed(&report.testbed, &p));
	json_object_set_new(doc, "benchmark", render_benchmark(&result.benchmark, &p));
	json_object_set_new(doc, "measure", render_measure(&result.measure, &p));
	json_object_set_new(doc, "metric", render_metric(&result.metric));
	r = add_boundary(rq, st, result.metric.id, doc, err);
	return r < 0 ? r : answer_json(rq, 200, TAKE(doc));
}

/* --- perf --- */

struct words {
	const char *items[LIST_MAX];
	size_t n;
};

/* "a,b,,c" of the query; empty ones are kept where they say which (heads). */
static int read_words(struct request *rq, const char *name, bool required, struct words *ret,
	struct error *err)
{
	const char *v = request_query(rq, name);

	ret->n = 0;
	while (v && *v) {
		size_t n = strcspn(v, ",");

		if (ret->n == LIST_MAX)
			return error_set_field(err, E_BAD_REQUEST, name,
				"'%s' has more than %d entries", name, LIST_MAX);
		ret->items[ret->n++] = arena_strndup(request_arena(rq), v, n);
		v += n + (v[n] == ',');
	}
	if (required && ret->n == 0)
		return error_set_field(err, E_BAD_REQUEST, name, "'%s' is missing", name);
	return OK;
}

struct perf {
	struct words branches, heads, testbeds, benchmarks, measures;
	int64_t start_ns, end_ns; /* 0: open */
};

static int read_perf(struct request *rq, struct perf *f, struct error *err)
{
	int r = read_words(rq, "branches", true, &f->branches, err);

	if (r == OK)
		r = read_words(rq, "heads", false, &f->heads, err);
	if (r == OK)
		r = read_words(rq, "testbeds", true, &f->testbeds, err);
	if (r == OK)
		r = read_words(rq, "benchmarks", true, &f->benchmarks, err);
	if (r == OK)
		r = read_words(rq, "measures", true, &f->measures, err);
	if (r == OK)
		r = query_ms(rq, "start_time", &f->start_ns, err);
	if (r == OK)
		r = query_ms(rq, "end_time", &f->end_ns, err);
	if (r == OK &&
		f->branches.n * f->testbeds.n * f->benchmarks.n * f->measures.n > SERIES_MAX)
		return error_set_field(err, E_BAD_REQUEST, "branches",
			"these are more than %d histories at once", SERIES_MAX);
	return r;
}

static int add_point(struct request *rq, struct store *st, const struct perf *f,
	const struct point *p, json_t *list, struct error *err)
{
	struct metric m = { .value = p->value, .lower = p->lower, .upper = p->upper };
	struct version v = { .number = p->version_number, .hash = p->hash };
	struct metric_place place;
	json_t *o;
	int r;

	if (p->flags & POINT_ASIDE || (f->start_ns && p->time_ns < f->start_ns))
		return OK;
	r = store_metric_of_point(
		st, request_arena(rq), p->series_id, p->report_id, p->iteration, &place, err);
	if (r < 0 || (f->end_ns && place.end_ns > f->end_ns))
		return r;
	m.uuid = place.uuid;
	o = json_object();
	json_set_str(o, "report", p->report_uuid);
	json_set_int(o, "iteration", p->iteration);
	json_set_time(o, "start_time", place.start_ns);
	json_set_time(o, "end_time", place.end_ns);
	json_object_set_new(o, "version", render_version(&v));
	json_object_set_new(o, "metric", render_metric(&m));
	json_array_append_new(list, o);
	return add_boundary(rq, st, place.id, o, err);
}

static int add_series(struct request *rq, struct store *st, const struct project *p,
	const struct perf *f, const struct series *s, json_t *results, struct error *err)
{
	_cleanup_(json_decref)
	json_t *metrics = json_array();
	struct point *points;
	size_t n;
	json_t *o;
	int r = store_series_points(st, request_arena(rq), s->id, POINTS_MAX, &points, &n, err);

	for (size_t i = 0; r == OK && i < n; i++)
		r = add_point(rq, st, f, &points[i], metrics, err);
	if (r < 0 || json_array_size(metrics) == 0)
		return r;
	o = json_object();
	json_object_set_new(o, "branch", render_branch(&s->branch, p, NULL));
	json_object_set_new(o, "testbed", render_testbed(&s->testbed, p));
	json_object_set_new(o, "benchmark", render_benchmark(&s->benchmark, p));
	json_object_set_new(o, "measure", render_measure(&s->measure, p));
	json_object_set_new(o, "metrics", TAKE(metrics));
	json_array_append_new(results, o);
	return OK;
}

/* Combination number i: the last list turns fastest. What is not there is left out. */
static int add_combination(struct request *rq, struct store *st, const struct project *p,
	const struct perf *f, size_t i, json_t *results, struct error *err)
{
	const char *measure = f->measures.items[i % f->measures.n];
	size_t rest = i / f->measures.n, branch;
	const char *benchmark = f->benchmarks.items[rest % f->benchmarks.n], *head;
	const char *testbed;
	struct series s;
	int r;

	rest /= f->benchmarks.n;
	testbed = f->testbeds.items[rest % f->testbeds.n];
	branch = rest / f->testbeds.n;
	r = store_series_find(st, request_arena(rq), p->id, f->branches.items[branch], testbed,
		benchmark, measure, &s, err);
	if (r < 0)
		return r == E_NOT_FOUND ? OK : r;
	/* A head that was replaced has no page of its own. */
	head = branch < f->heads.n ? f->heads.items[branch] : "";
	if (*head && strcasecmp(head, s.branch.head_uuid) != 0)
		return OK;
	return add_series(rq, st, p, f, &s, results, err);
}

int get_perf(struct request *rq, struct store *st, struct error *err)
{
	_cleanup_(json_decref)
	json_t *results = json_array();
	struct perf *f = ARENA_ARRAY(request_arena(rq), struct perf, 1);
	struct project p;
	size_t n;
	json_t *doc;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = read_perf(rq, f, err);
	n = r == OK ? f->branches.n * f->testbeds.n * f->benchmarks.n * f->measures.n : 0;
	for (size_t i = 0; r == OK && i < n; i++)
		r = add_combination(rq, st, &p, f, i, results, err);
	if (r < 0)
		return r;
	doc = json_object();
	json_object_set_new(doc, "project", render_project(&p));
	json_set_time(doc, "start_time", f->start_ns);
	json_set_time(doc, "end_time", f->end_ns);
	json_object_set_new(doc, "results", TAKE(results));
	return answer_json(rq, 200, doc);
}
