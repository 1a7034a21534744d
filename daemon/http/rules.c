/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules: thresholds by pattern, and which of all applies where. */
#include "daemon/http/handlers.h"

#include <string.h>
#include "daemon/analysis/analysis.h"

static int64_t now_of(struct request *rq)
{
	return clock_wall(request_clock(rq));
}

int get_limit_rules(struct request *rq, struct store *st, struct error *err)
{
	struct limit_rule *list;
	struct project p;
	size_t n;
	json_t *doc;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = store_rule_list(st, request_arena(rq), p.id, &list, &n, err);
	if (r < 0)
		return r;
	doc = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(doc, render_rule(&list[i]));
	return answer(rq, 200, DOC_RULES, doc, err);
}

static int find_rule(struct request *rq, struct store *st, struct project *p,
	struct limit_rule *ret, struct error *err)
{
	int r = find_project(rq, st, p, err);

	return r < 0 ? r
		     : store_rule_find(st, request_arena(rq), p->id, request_param(rq, "rule"),
			       ret, err);
}

int get_rule(struct request *rq, struct store *st, struct error *err)
{
	struct limit_rule rule;
	struct project p;
	int r = find_rule(rq, st, &p, &rule, err);

	return r < 0 ? r : answer_json(rq, 200, render_rule(&rule));
}

struct rule_body {
	const char *source, *branch, *testbed, *measure, *benchmark;
	json_t *model;
};

static int read_body(struct request *rq, struct rule_body *b, struct error *err)
{
	static const struct json_field fields[] = {
		{ "source", JF_STRING, offsetof(struct rule_body, source), false, 1, 256,
			NULL },
		{ "branch", JF_STRING, offsetof(struct rule_body, branch), false, 1, 256,
			NULL },
		{ "testbed", JF_STRING, offsetof(struct rule_body, testbed), false, 1, 64,
			NULL },
		{ "measure", JF_STRING, offsetof(struct rule_body, measure), false, 1, 64,
			NULL },
		{ "benchmark", JF_STRING, offsetof(struct rule_body, benchmark), false, 1, 1024,
			NULL },
		{ "model", JF_OBJECT, offsetof(struct rule_body, model), true, 0, 0, NULL },
	};
	json_t *o;
	int r = read_object(rq, &o, err);

	return r < 0 ? r
		     : json_read(
			       o, "", fields, ARRAY_SIZE(fields), b, JSON_REFUSE_UNKNOWN, err);
}

static const char *model_text(struct arena *a, const struct boundary_model *m)
{
	_cleanup_(json_decref)
	json_t *o = limit_model_json(m);
	_cleanup_(free)
	char *text = json_canonical(o);

	return arena_strdup(a, text);
}

/* The name is of the path: sent twice, it is made once. ?dry_run only checks. */
int put_rule(struct request *rq, struct store *st, struct error *err)
{
	struct arena *a = request_arena(rq);
	const char *name = request_param(rq, "rule");
	struct rule_body b = { 0 };
	struct boundary_model m;
	struct limit_rule rule;
	struct project p;
	int r = ensure_project(rq, st, &p, err);

	if (r == OK)
		r = check_slug("rule", name, err);
	if (r == OK)
		r = read_body(rq, &b, err);
	if (r == OK)
		r = limit_model_read(b.model, "/model", a, &m, err);
	if (r < 0)
		return r;
	rule = (struct limit_rule){ .project_id = p.id,
		.name = name,
		.source = b.source ? b.source : "api",
		.branch = b.branch,
		.testbed = b.testbed,
		.measure = b.measure,
		.benchmark = b.benchmark,
		.model_json = model_text(a, &m) };
	r = query_flag(rq, "dry_run") ? OK : store_rule_save(st, a, &rule, now_of(rq), err);
	return r < 0 ? r : answer_json(rq, 200, render_rule(&rule));
}

int delete_rule(struct request *rq, struct store *st, struct error *err)
{
	struct limit_rule rule;
	struct project p;
	int r = find_rule(rq, st, &p, &rule, err);

	if (r == OK)
		r = store_rule_remove(st, &rule, err);
	if (r == OK)
		answer_empty(rq);
	return r;
}

/* ?branch=&testbed=&benchmark=&measure=: things that may not exist yet. */
int get_limits_explain(struct request *rq, struct store *st, struct error *err)
{
	static const char *const names[] = { "branch", "testbed", "benchmark", "measure" };
	struct arena *a = request_arena(rq);
	const char *v[4];
	struct branch b;
	struct testbed t;
	struct benchmark k;
	struct measure u;
	struct limit_place where = { .branch = &b, .testbed = &t };
	struct project p;
	json_t *doc;
	int r = find_project(rq, st, &p, err);

	for (size_t i = 0; r == OK && i < 4; i++) {
		v[i] = request_query(rq, names[i]);
		if (!v[i])
			r = error_set_field(err, E_BAD_REQUEST, names[i],
				"'%s' of the query is missing", names[i]);
	}
	if (r == OK)
		r = store_branch_find(st, a, p.id, v[0], &b, err);
	if (r == OK)
		r = store_testbed_find(st, a, p.id, v[1], &t, err);
	if (r == OK)
		r = store_benchmark_find(st, a, p.id, v[2], &k, err);
	if (r == OK)
		r = store_measure_find(st, a, p.id, v[3], &u, err);
	if (r < 0)
		return r;
	where.benchmark = k.name;
	where.benchmark_slug = k.slug;
	where.measure = u.name;
	where.measure_slug = u.slug;
	where.measure_id = u.id;
	r = analysis_explain(st, a, p.id, &where, &doc, err);
	return r < 0 ? r : answer_json(rq, 200, doc);
}
