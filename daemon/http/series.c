/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Histories: the list of series, one series with its points, changes and limits. */
#include "daemon/http/handlers.h"

#include <string.h>
#include "daemon/analysis/analysis.h"

/* Author and subject of the commit, where the project knows it. */
void add_commit(
	struct request *rq, struct store *st, int64_t project_id, const char *hash, json_t *o)
{
	struct commit c;
	struct error ignored;

	if (!hash ||
		store_commit_find(st, request_arena(rq), project_id, hash, &c, &ignored) < 0)
		return;
	json_set_opt(o, "subject", c.subject);
	json_set_opt(o, "author", c.author);
}

static json_t *points_json(struct request *rq, struct store *st, const struct history *h)
{
	json_t *list = json_array();

	for (size_t i = 0; i < h->n_points; i++) {
		json_t *o = render_point(&h->points[i]);

		add_commit(rq, st, h->series.project_id, h->points[i].hash, o);
		json_array_append_new(list, o);
	}
	return list;
}

static void name_changes(
	struct request *rq, struct store *st, int64_t project_id, const json_t *changes)
{
	size_t i;
	json_t *c;

	json_array_foreach (changes, i, c)
		add_commit(rq, st, project_id, json_get_str(c, "hash", NULL), c);
}

int series_document(struct request *rq, struct store *st, const struct project *p,
	const struct series *s, int64_t max, json_t **ret, struct error *err)
{
	struct history h;
	int r = analysis_history(st, request_arena(rq), s, max, &h, err);

	if (r < 0)
		return r;
	*ret = analysis_history_json(&h);
	add_beginnings(rq, st, p, &h, *ret);
	json_object_set_new(*ret, "series", render_series(&h.series, p));
	json_object_set_new(*ret, "points", points_json(rq, st, &h));
	name_changes(rq, st, p->id, json_object_get(*ret, "changes"));
	return OK;
}

static int answer_series(struct request *rq, struct store *st, const struct project *p,
	const struct series *s, struct error *err)
{
	int64_t max;
	json_t *doc;
	int r = request_query_int(rq, "max", 1, 10000, 1000, &max, err);

	if (r < 0 || is_unchanged(rq, st, p, DOC_SERIES))
		return r;
	r = series_document(rq, st, p, s, max, &doc, err);
	return r < 0 ? r : answer(rq, 200, DOC_SERIES, doc, err);
}

static int list_series(
	struct request *rq, struct store *st, const struct project *p, struct error *err)
{
	struct series *list;
	size_t n;
	int64_t limit;
	json_t *doc;
	int r = request_query_int(rq, "limit", 1, 10000, 1000, &limit, err);

	if (r < 0 || is_unchanged(rq, st, p, DOC_SERIES_LIST))
		return r;
	r = store_series_list(st, request_arena(rq), p->id, request_query(rq, "branch"),
		request_query(rq, "testbed"), limit, &list, &n, err);
	if (r < 0)
		return r;
	doc = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(doc, render_series(&list[i], p));
	return answer(rq, 200, DOC_SERIES_LIST, doc, err);
}

int find_named_series(struct request *rq, struct store *st, const struct project *p,
	struct series *ret, struct error *err)
{
	static const char *const names[] = { "benchmark", "measure", "branch", "testbed" };
	const char *v[ARRAY_SIZE(names)];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		v[i] = request_query(rq, names[i]);
		if (!v[i])
			return error_set_field(err, E_BAD_REQUEST, names[i],
				"one history is named by all four of branch, testbed, "
				"benchmark and measure");
	}
	return store_series_find(
		st, request_arena(rq), p->id, v[2], v[3], v[0], v[1], ret, err);
}

int get_series_list(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	static const char *const names[] = { "branch", "testbed", "benchmark", "measure",
		"limit", "max", NULL };
	struct series s;
	int r = request_query_only(rq, names, err);

	if (r == OK)
		r = find_project(rq, st, &p, err);
	if (r < 0)
		return r;
	if (!request_query(rq, "benchmark") && !request_query(rq, "measure"))
		return list_series(rq, st, &p, err);
	r = find_named_series(rq, st, &p, &s, err);
	return r < 0 ? r : answer_series(rq, st, &p, &s, err);
}

static int parse_id(const char *text, int64_t *ret, struct error *err)
{
	char *end;

	*ret = strtoll(text, &end, 10);
	if (*end || end == text || *ret < 1)
		return error_set(err, E_NOT_FOUND, "there is no series '%.40s'", text);
	return OK;
}

int get_series(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct series s;
	int64_t id;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = parse_id(request_param(rq, "series"), &id, err);
	if (r == OK)
		r = store_series_get(st, request_arena(rq), id, &s, err);
	if (r == OK && s.project_id != p.id)
		r = error_set(err, E_NOT_FOUND, "there is no series %lld in project '%s'",
			(long long)id, p.slug);
	return r < 0 ? r : answer_series(rq, st, &p, &s, err);
}

/* "sum latency | 1.27 ms" or the last change of a series, as a picture for a README. */
int get_badge(struct request *rq, struct store *st, struct error *err)
{
	static const char *const names[] = { "branch", "testbed", "benchmark", "measure" };
	const char *v[4];
	_cleanup_(buf_done)
	struct buf out = { 0 };
	struct project p;
	struct series s;
	struct change_point *changes;
	size_t n;
	char value[VALUE_TEXT], change[VALUE_TEXT];
	int r = find_project(rq, st, &p, err);

	for (size_t i = 0; r == OK && i < 4; i++) {
		v[i] = request_query(rq, names[i]);
		if (!v[i])
			r = error_set_field(err, E_BAD_REQUEST, names[i],
				"'%s' of the query is missing", names[i]);
	}
	if (r == OK)
		r = store_series_find(
			st, request_arena(rq), p.id, v[0], v[1], v[2], v[3], &s, err);
	if (r == OK)
		r = store_change_points(st, request_arena(rq), s.id, &changes, &n, err);
	if (r < 0)
		return r;
	value_format(s.last_value, s.measure.units, value);
	if (n)
		percent_format(changes[n - 1].effect, change);
	render_badge(arena_printf(request_arena(rq), "%s %s", s.benchmark.name, s.measure.name),
		arena_printf(request_arena(rq), "%s%s%s", value, n ? ", last change " : "",
			n ? change : ""),
		n ? changes[n - 1].outcome : OUTCOME_NONE, &out);
	response_header(rq, "Cache-Control", "max-age=300");
	response_buf(rq, 200, format_mime(F_SVG), &out);
	return OK;
}
