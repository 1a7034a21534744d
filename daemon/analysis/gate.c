/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One verdict for CI. Unknown is never a pass, and what was not measured is an error. */
#include <math.h>
#include <string.h>
#include "daemon/analysis/internal.h"

enum { MAX_RULES = 8, MAX_NAMED = 5 };

static void add_rule(
	struct gate *g, const char *rule, enum gate_outcome outcome, const char *reason)
{
	static const int severity[] = {
		[GATE_PASS] = 0, [GATE_UNKNOWN] = 1, [GATE_FAIL] = 2, [GATE_ERROR] = 3
	};

	g->rules[g->n_rules++] = (struct gate_rule){ rule, outcome, reason };
	if (severity[outcome] > severity[g->outcome])
		g->outcome = outcome;
}

static void gate_init(struct gate *g, struct arena *a)
{
	*g = (struct gate){ .outcome = GATE_PASS,
		.comparison = OUTCOME_NONE,
		.rules = ARENA_ARRAY(a, struct gate_rule, MAX_RULES) };
}

static const char *percent(struct arena *a, double x)
{
	return isfinite(x) ? arena_printf(a, "%+.1f %%", 100 * x) : "?";
}

static const char *row_text(struct arena *a, const struct comparison_row *row)
{
	const char *effect = percent(a, row->effect);

	if (!isfinite(row->low) || !isfinite(row->high))
		return arena_printf(a, "%s: %s %s", row->benchmark, row->measure, effect);
	return arena_printf(a, "%s: %s %s [%.1f, %.1f]", row->benchmark, row->measure, effect,
		100 * row->low, 100 * row->high);
}

/* The first few rows of an outcome, in words. */
static const char *rows_text(
	struct arena *a, const struct report_comparison *c, enum outcome which)
{
	const char *text = "";
	int64_t n = 0;

	for (size_t i = 0; i < c->n_rows; i++) {
		if (!c->rows[i].decides || c->rows[i].outcome != which || n++ >= MAX_NAMED)
			continue;
		text = arena_printf(
			a, "%s%s%s", text, *text ? "; " : "", row_text(a, &c->rows[i]));
	}
	return n > MAX_NAMED
		       ? arena_printf(a, "%s; and %lld more", text, (long long)n - MAX_NAMED)
		       : text;
}

static const char *set_text(struct arena *a, const struct report_comparison *c)
{
	if (!c->n_added && !c->n_removed)
		return "";
	return arena_printf(a, "%zu only in head%s%s, %zu only in base%s%s", c->n_added,
		c->n_added ? ", such as " : "", c->n_added ? c->added[0] : "", c->n_removed,
		c->n_removed ? ", such as " : "", c->n_removed ? c->removed[0] : "");
}

int analysis_gate(struct store *st, struct arena *a, const struct report_comparison *c,
	struct gate *ret, struct error *err)
{
	struct report_comparison *copy = ARENA_NEW(a, struct report_comparison);

	*copy = *c;
	gate_init(ret, a);
	ret->compared = copy;
	ret->comparison = c->outcome;
	ret->rows = arena_own_json(a, comparison_rows_json(c));
	if (c->n_rows == 0) {
		add_rule(ret, "something was measured on both sides", GATE_ERROR,
			"base and head have no benchmark in common");
		return OK;
	}
	add_rule(ret, "no slower benchmark", c->counts[OUTCOME_SLOWER] ? GATE_FAIL : GATE_PASS,
		rows_text(a, c, OUTCOME_SLOWER));
	add_rule(ret, "every benchmark is decided",
		c->counts[OUTCOME_UNKNOWN] ? GATE_UNKNOWN : GATE_PASS,
		rows_text(a, c, OUTCOME_UNKNOWN));
	add_rule(ret, "the same benchmarks on both sides",
		c->n_added || c->n_removed ? GATE_UNKNOWN : GATE_PASS, set_text(a, c));
	add_rule(ret, "the same environment on both sides",
		c->same_environment ? GATE_PASS : GATE_UNKNOWN,
		c->n_environment_difference ? c->environment_difference[0] : "");
	return OK;
}

/* --- against the history --- */

struct against { /* counts over the rows of a report */
	struct arena *a;
	struct store *st;
	const struct report_values *values;
	const struct result *results; /* of all iterations */
	size_t n_results;
	json_t *rows;
	int64_t n, n_slower, n_unknown;
	const char *slower, *unknown; /* the first of each, in words */
};

/* What the history says of a result; NULL: nothing. */
static int load_change(
	struct against *g, const struct result *res, json_t **ret, struct error *err)
{
	struct boundary b;
	int r = store_boundary_find(g->st, g->a, res->metric.id, &b, err);

	*ret = NULL;
	if (r == OK && b.detail_json)
		r = json_parse(b.detail_json, strlen(b.detail_json), ret, err);
	if (*ret)
		arena_own_json(g->a, *ret);
	return r == E_NOT_FOUND ? OK : r;
}

static const struct result *latency_of(const struct against *g, const struct result *of)
{
	for (size_t i = 0; i < g->n_results; i++) {
		const struct result *res = &g->results[i];

		if (res->benchmark.id == of->benchmark.id && res->iteration == of->iteration &&
			!strcmp(res->measure.slug, "latency"))
			return res;
	}
	return NULL;
}

/* Baselines may be medians of an even number, where those of time and rate mirror each other
 * only about. */
#define SAME_WORK 0.01

/* A rate that is the work through the latency, of the same work as in the history: it says the
 * same once more, and only latency counts. */
static int is_mirror(struct against *g, const struct result *res, const json_t *change,
	bool *ret, struct error *err)
{
	const struct result *time = latency_of(g, res);
	json_t *other = NULL;
	double work, before;
	int r;

	*ret = false;
	if (!time || !result_mirrors_latency(g->a, g->values, g->values, res))
		return OK;
	r = load_change(g, time, &other, err);
	if (r < 0 || !other) /* where latency has no limits, the rate speaks for both */
		return r;
	work = res->metric.value * time->metric.value;
	before = json_get_real(change, "baseline", NAN) * json_get_real(other, "baseline", NAN);
	*ret = !isfinite(before) || fabs(before / work - 1) <= SAME_WORK;
	return OK;
}

static void count_row(struct against *g, const struct result *res, json_t *change, bool decides)
{
	const char *outcome = json_get_str(change, "outcome", "unknown");
	const char *text = arena_printf(g->a, "%s: %s %s", res->benchmark.name,
		res->measure.name, percent(g->a, json_get_real(change, "effect", NAN)));

	g->n++;
	if (decides && !strcmp(outcome, "slower") && g->n_slower++ == 0)
		g->slower = text;
	if (decides && !strcmp(outcome, "unknown") && g->n_unknown++ == 0)
		g->unknown = arena_printf(g->a, "%s: %s", res->benchmark.name,
			json_get_str(change, "reason", ""));
	json_set_str(change, "benchmark", res->benchmark.name);
	json_set_str(change, "measure", res->measure.name);
	json_set_str(change, "units", res->measure.units);
	json_set_str(change, "better", better_name(res->measure.better));
	json_object_set(change, "base", json_object_get(change, "baseline"));
	json_object_set(change, "head", json_object_get(change, "value"));
	json_set_str(change, "method", json_get_str(change, "test", ""));
	json_set_bool(change, "decides", decides);
	json_array_append(g->rows, change);
}

static int add_result(struct against *g, const struct result *res, struct error *err)
{
	json_t *change;
	bool mirrors = false;
	int r;

	if (measure_is_companion(&res->measure))
		return OK;
	r = load_change(g, res, &change, err);
	if (r < 0 || (change && !strcmp(json_get_str(change, "test", ""), "off")))
		return r;
	if (!change)
		change = arena_own_json(g->a, json_pack("{ss ss}", "outcome", "unknown",
						      "reason", "there are no limits for it"));
	r = is_mirror(g, res, change, &mirrors, err);
	if (r == OK)
		count_row(g, res, change, !mirrors);
	return r;
}

/* What such a run shows is no proof: nothing fails for it. */
static void soften(struct gate *g)
{
	for (size_t i = 0; i < g->n_rules; i++)
		if (g->rules[i].outcome == GATE_FAIL)
			g->rules[i].outcome = GATE_UNKNOWN;
	if (g->outcome == GATE_FAIL)
		g->outcome = GATE_UNKNOWN;
}

/* Numbers of a host that moved prove nothing about the code. */
static int add_control(struct gate *gate, struct store *st, struct arena *a,
	const struct report *r, struct error *err)
{
	json_t *control;
	struct job j;
	bool moved;
	int code;

	if (!r->job_id)
		return OK;
	code = store_job_get(st, a, r->job_id, &j, err);
	control = code == OK ? analysis_control(a, &j) : NULL;
	if (!control)
		return code;
	moved = json_get_bool(control, "moved", false);
	if (moved)
		soften(gate);
	add_rule(gate, "the control kernel did not move", moved ? GATE_UNKNOWN : GATE_PASS,
		moved ? json_get_str(control, "reason", "") : "");
	return OK;
}

int analysis_gate_report(struct store *st, struct arena *a, const struct report *r,
	struct gate *ret, struct error *err)
{
	struct report_values values;
	struct result *results = NULL;
	struct against g = { .a = a,
		.st = st,
		.values = &values,
		.rows = arena_own_json(a, json_array()),
		.slower = "",
		.unknown = "" };
	int code;

	gate_init(ret, a);
	code = report_values_load(st, a, r, &values, err);
	if (code == OK)
		code = store_report_results(st, a, r->id, &results, &g.n_results, err);
	g.results = results;
	for (size_t i = 0; code == OK && i < g.n_results; i++)
		code = add_result(&g, &results[i], err);
	if (code < 0)
		return code;
	ret->rows = g.rows;
	add_rule(ret, "something was measured", g.n ? GATE_PASS : GATE_ERROR,
		g.n ? "" : "the report has no results");
	add_rule(ret, "no benchmark beyond its limits", g.n_slower ? GATE_FAIL : GATE_PASS,
		g.slower);
	add_rule(ret, "every benchmark has limits", g.n_unknown ? GATE_UNKNOWN : GATE_PASS,
		g.unknown);
	if (r->noise == NOISE_NOISY)
		soften(ret);
	add_rule(ret, "the run was not noisy",
		r->noise == NOISE_NOISY ? GATE_UNKNOWN : GATE_PASS,
		r->noise == NOISE_NOISY ? "too much else ran on the host" : "");
	code = add_control(ret, st, a, r, err);
	if (code < 0)
		return code;
	ret->comparison = g.n_slower	? OUTCOME_SLOWER
			  : g.n_unknown ? OUTCOME_UNKNOWN
					: OUTCOME_SAME;
	return OK;
}

int analysis_gate_job(struct store *st, struct arena *a, const struct job *j,
	const struct compare_rules *rules, struct gate *ret, struct error *err)
{
	struct report_comparison c;
	struct report report;
	int r;

	if (!job_state_is_final(j->state))
		return error_set(err, E_CONFLICT, "job %s has not ended yet: %s; wait for it",
			j->uuid, job_state_name(j->state));
	if (j->state != JOB_SUCCEEDED || !j->report_uuid) {
		gate_init(ret, a);
		add_rule(ret, "the job succeeded", GATE_ERROR,
			arena_printf(a, "%s%s%s", job_state_name(j->state),
				*j->reason ? ": " : "", j->reason));
		return OK;
	}
	if (j->base_report_uuid) {
		r = analysis_compare_job(st, a, j, rules, &c, err);
		return r < 0 ? r : analysis_gate(st, a, &c, ret, err);
	}
	r = store_report_find(st, a, j->project_id, j->report_uuid, &report, err);
	return r < 0 ? r : analysis_gate_report(st, a, &report, ret, err);
}
