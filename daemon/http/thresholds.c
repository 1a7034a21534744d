/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Thresholds in Bencher's shapes: one for a branch, testbed and measure; its models never
 * change, another one replaces them. */
#include "daemon/http/handlers.h"

#include <string.h>
#include "daemon/analysis/analysis.h"

static int64_t now_of(struct request *rq)
{
	return clock_wall(request_clock(rq));
}

static int find_threshold(struct request *rq, struct store *st, struct project *p,
	struct threshold *ret, struct error *err)
{
	int r = find_project(rq, st, p, err);

	return r < 0 ? r
		     : store_threshold_find(st, request_arena(rq), p->id,
			       request_param(rq, "threshold"), ret, err);
}

int get_thresholds(struct request *rq, struct store *st, struct error *err)
{
	static const char *const sorts[] = { "created", "modified", NULL };
	struct threshold_filter f = { .branch = request_query(rq, "branch"),
		.testbed = request_query(rq, "testbed"),
		.measure = request_query(rq, "measure") };
	const char *sort = request_query(rq, "sort");
	struct threshold *list;
	struct project p;
	size_t n;
	int64_t total;
	json_t *doc;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = read_page(rq, sorts, sort && !strcmp(sort, "modified"), &f.page, err);
	if (r == OK)
		r = store_threshold_list(
			st, request_arena(rq), p.id, &f, &list, &n, &total, err);
	if (r < 0)
		return r;
	doc = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(doc, render_threshold(&list[i], &p));
	return answer_page_of(rq, DOC_THRESHOLDS, doc, total, err);
}

struct place {
	const char *branch, *testbed, *measure; /* NameIds */
};

static int read_place(json_t *o, struct place *ret, struct error *err)
{
	static const struct json_field fields[] = {
		{ "branch", JF_STRING, offsetof(struct place, branch), true, 1, 256, NULL },
		{ "testbed", JF_STRING, offsetof(struct place, testbed), true, 1, 64, NULL },
		{ "measure", JF_STRING, offsetof(struct place, measure), true, 1, 64, NULL },
	};

	return json_read(o, "", fields, ARRAY_SIZE(fields), ret, JSON_IGNORE_UNKNOWN, err);
}

static int add_threshold(struct request *rq, struct store *st, const struct project *p,
	const struct place *at, const struct boundary_model *m, struct threshold *ret,
	struct error *err)
{
	struct arena *a = request_arena(rq);
	struct branch b;
	struct testbed t;
	struct measure u;
	int64_t id;
	int r = store_branch_find(st, a, p->id, at->branch, &b, err);

	if (r == OK)
		r = store_testbed_find(st, a, p->id, at->testbed, &t, err);
	if (r == OK)
		r = store_measure_find(st, a, p->id, at->measure, &u, err);
	if (r < 0)
		return r;
	r = store_threshold_of(st, a, b.id, t.id, u.id, ret, err);
	if (r == OK)
		return error_set(err, E_CONFLICT,
			"there is a threshold for this branch, testbed and measure already: "
			"PUT %s/%s gives it another model",
			request_path(rq), ret->uuid);
	if (r != E_NOT_FOUND)
		return r;
	r = store_threshold_save(st, p->id, b.id, t.id, u.id, m, now_of(rq), &id, err);
	return r < 0 ? r : store_threshold_of(st, a, b.id, t.id, u.id, ret, err);
}

int post_threshold(struct request *rq, struct store *st, struct error *err)
{
	struct boundary_model m;
	struct place at = { 0 };
	struct threshold t;
	struct project p;
	json_t *o;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = read_object(rq, &o, err);
	if (r == OK)
		r = read_place(o, &at, err);
	if (r == OK)
		r = limit_model_read(o, "", request_arena(rq), &m, err);
	if (r == OK)
		r = add_threshold(rq, st, &p, &at, &m, &t, err);
	if (r < 0)
		return r;
	response_headerf(rq, "Location", "%s/%s", request_path(rq), t.uuid);
	return answer_json(rq, 201, render_threshold(&t, &p));
}

/* ?model=: one that was in force earlier. */
int get_threshold(struct request *rq, struct store *st, struct error *err)
{
	const char *model = request_query(rq, "model");
	struct threshold t;
	struct project p;
	int r = find_threshold(rq, st, &p, &t, err);

	if (r == OK && model) {
		r = store_threshold_get_model(
			st, request_arena(rq), t.id, model, &t.model, err);
		t.has_model = true;
	}
	return r < 0 ? r : answer_json(rq, 200, render_threshold(&t, &p));
}

/* {"test": null} takes the model away. */
int put_threshold(struct request *rq, struct store *st, struct error *err)
{
	struct boundary_model m;
	struct threshold t;
	struct project p;
	bool removes;
	int64_t id;
	json_t *o;
	int r = find_threshold(rq, st, &p, &t, err);

	if (r == OK)
		r = read_object(rq, &o, err);
	if (r < 0)
		return r;
	removes = json_is_null(json_object_get(o, "test"));
	if (!removes)
		r = limit_model_read(o, "", request_arena(rq), &m, err);
	if (r == OK)
		r = store_threshold_save(st, p.id, t.branch.id, t.testbed.id, t.measure.id,
			removes ? NULL : &m, now_of(rq), &id, err);
	if (r == OK)
		r = store_threshold_find(st, request_arena(rq), p.id, t.uuid, &t, err);
	return r < 0 ? r : answer_json(rq, 200, render_threshold(&t, &p));
}

int delete_threshold(struct request *rq, struct store *st, struct error *err)
{
	struct threshold t;
	struct project p;
	int r = find_threshold(rq, st, &p, &t, err);

	if (r == OK)
		r = store_threshold_remove(st, t.id, err);
	if (r == OK)
		answer_empty(rq);
	return r;
}
