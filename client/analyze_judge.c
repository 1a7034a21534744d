/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl analyze --threshold: does a value, or a group of values, stand out? */
#include "client/analyze.h"

#include <math.h>
#include <string.h>
#include "base/text.h"
#include "stats/changepoint.h"
#include "stats/quantile.h"
#include "stats/threshold.h"

/* What Bencher's console proposes, on both sides, where no boundary is given. */
static double usual_boundary(enum threshold_test t)
{
	switch (t) {
	case TEST_PERCENTAGE:
		return .1;
	case TEST_Z_SCORE:
	case TEST_T_TEST:
	case TEST_LOG_NORMAL:
		return .99;
	case TEST_IQR:
	case TEST_DELTA_IQR:
		return 3;
	default:
		return NAN;
	}
}

static bool threshold_model(
	struct analysis *r, enum threshold_test t, struct threshold_model *ret)
{
	const struct analyze_options *o = &r->o;
	int direction = DIRECTION_WORSE, better = LOWER_IS_BETTER;
	struct threshold_model m = threshold_defaults(t);

	if (!o->lower && !o->upper)
		m.lower = m.upper = usual_boundary(t);
	m.zero_variance_exact = o->zero_variance_exact;
	m.lower_is_quantile = o->lower_is_quantile;
	m.static_first = o->static_first;
	if (!analyze_number(r, "lower-boundary", o->lower, &m.lower) ||
		!analyze_number(r, "upper-boundary", o->upper, &m.upper) ||
		!analyze_number(r, "alpha", o->alpha, &m.alpha) ||
		!analyze_number(r, "df", o->df, &m.df) ||
		!analyze_number(r, "min-effect", o->min_effect, &m.min_effect) ||
		!analyze_count(r, "min-sample-size", o->min_sample, &m.min_sample) ||
		!analyze_count(r, "max-sample-size", o->max_sample, &m.max_sample) ||
		!analyze_choice(r, "direction", o->direction, analyze_directions, &direction) ||
		!analyze_choice(r, "better", o->better, analyze_betters, &better))
		return false;
	m.direction = (enum direction)direction;
	m.better = (enum compare_better)better;
	if (threshold_validate(&m, &r->err) != OK) {
		usage_error(r->self, "%s", r->err.text);
		return false;
	}
	*ret = m;
	return true;
}

static void print_threshold_json(
	const char *name, double value, const struct threshold_result *t)
{
	json_t *j = json_object();

	json_set_str(j, "threshold", name);
	json_set_str(j, "used", strcmp(name, "cpd") ? threshold_name(t->used) : "seeded_mw");
	json_set_int(j, "n", (int64_t)t->n);
	json_set_real(j, "value", value);
	json_set_real(j, "baseline", t->baseline);
	json_set_real(j, "lower_limit", t->lower_limit);
	json_set_real(j, "upper_limit", t->upper_limit);
	json_set_real(j, "p", t->p);
	json_set_real(j, "effect", t->effect);
	if (isfinite(t->effect_lower) && isfinite(t->effect_upper))
		json_object_set_new(
			j, "effect_interval", analyze_pair(t->effect_lower, t->effect_upper));
	json_set_bool(j, "absolute", t->absolute);
	json_set_str(j, "alert", threshold_side_name(t->alert));
	json_set_str(j, "verdict", threshold_verdict_name(t->verdict));
	json_set_str(j, "reason", t->reason);
	analyze_print_json(j);
}

static void print_threshold(struct analysis *r, double value, const struct threshold_result *t)
{
	static const char *const titles[] = { "test", "n", "value", "baseline", "lower",
		"upper", "effect", "p", "verdict" };
	struct arena *a = r->c->arena;
	struct table *table = table_new(a, ARRAY_SIZE(titles));
	const char *cells[] = { r->o.threshold, arena_printf(a, "%zu", t->n),
		analyze_show(r, value), analyze_show(r, t->baseline),
		analyze_show(r, t->lower_limit), analyze_show(r, t->upper_limit),
		analyze_effect(r, t->effect, t->absolute), analyze_show(r, t->p),
		threshold_verdict_name(t->verdict) };

	for (size_t i = 0; i < ARRAY_SIZE(titles); i++)
		table_head(table, i, titles[i], i > 0 && i + 1 < ARRAY_SIZE(titles));
	table_add(table, cells);
	analyze_print_table(r, table);
	note(r->c, "%s: %s", threshold_verdict_name(t->verdict), t->reason);
}

static int exit_of(enum threshold_verdict v)
{
	return v == VERDICT_SLOWER    ? EXIT_SLOWER
	       : v == VERDICT_UNKNOWN ? EXIT_UNKNOWN
				      : EXIT_OK;
}

/* Files are oldest first unless told otherwise; the tests want the newest first. */
static void reverse(struct values *v)
{
	for (size_t i = 0; i < v->n / 2; i++) {
		double x = v->x[i];

		v->x[i] = v->x[v->n - 1 - i];
		v->x[v->n - 1 - i] = x;
	}
}

static int judge_value(struct analysis *r, const struct threshold_model *m, double *ret_value,
	struct threshold_result *ret)
{
	const struct analyze_options *o = &r->o;
	struct values h;

	if (!o->history || !o->value)
		return usage_error(r->self, "--threshold %s needs --history FILE and --value X",
			threshold_name(m->test));
	if (!analyze_number(r, "value", o->value, ret_value))
		return EXIT_USAGE;
	if (history_read(r->c->arena, o->history, o->column, threshold_is_bencher(m->test), &h,
		    &r->err) != OK)
		return analyze_failed(r);
	if (!o->newest_first)
		reverse(&h);
	if (threshold_check(r->c->arena, m, h.x, h.n, *ret_value, ret, &r->err) != OK)
		return analyze_failed(r);
	return EXIT_OK;
}

/* History of single values: each one stands for a commit of one process. */
static struct log_variance history_variance(struct analysis *r, const struct values *h)
{
	const double **each = ARENA_ARRAY(r->c->arena, const double *, h->n);
	size_t *ones = ARENA_ARRAY(r->c->arena, size_t, h->n);

	for (size_t i = 0; i < h->n; i++) {
		each[i] = &h->x[i];
		ones[i] = 1;
	}
	return threshold_log_variance(r->c->arena, each, ones, h->n);
}

/* A series begins: nothing to judge by, which is no error. */
static int judge_first(enum threshold_test t, struct threshold_result *ret)
{
	*ret = threshold_none(t, 0, "too few values in the history");
	return EXIT_OK;
}

/* As the daemon judges a value where a test of groups applies: the value is the head, the base
 * is the history (ab_log_t: its newest value, with the variance of all). */
static int judge_value_as_group(struct analysis *r, const struct threshold_model *m,
	double *ret_value, struct threshold_result *ret)
{
	struct threshold_groups g;
	struct values h;

	if (!analyze_number(r, "value", r->o.value, ret_value))
		return EXIT_USAGE;
	if (history_read(r->c->arena, r->o.history, r->o.column, false, &h, &r->err) != OK)
		return analyze_failed(r);
	if (h.n == 0)
		return judge_first(m->test, ret);
	if (!r->o.newest_first)
		reverse(&h);
	g = (struct threshold_groups){
		.base = h.x, .n_base = h.n, .head = ret_value, .n_head = 1
	};
	if (m->test == TEST_AB_LOG_T) {
		g.n_base = 1;
		if (values_are_positive(h.x, h.n))
			g.history = history_variance(r, &h);
	}
	if (threshold_check_groups(r->tails, r->c->arena, m, &g, ret, &r->err) != OK)
		return analyze_failed(r);
	return EXIT_OK;
}

static int judge_groups(struct analysis *r, const struct threshold_model *m, double *ret_value,
	struct threshold_result *ret)
{
	struct values base, head, h = { 0 };
	struct threshold_groups g = { 0 };
	int code;

	if (r->o.history && r->o.value && !r->o.base && !r->o.head)
		return judge_value_as_group(r, m, ret_value, ret);
	code = analyze_read_arms(r, &base, &head);
	if (code != EXIT_OK)
		return code;
	if (r->o.history &&
		history_read(r->c->arena, r->o.history, r->o.column, false, &h, &r->err) != OK)
		return analyze_failed(r);
	g = (struct threshold_groups){
		.base = base.x, .head = head.x, .n_base = base.n, .n_head = head.n
	};
	if (h.n > 0)
		g.history = history_variance(r, &h);
	if (threshold_check_groups(r->tails, r->c->arena, m, &g, ret, &r->err) != OK)
		return analyze_failed(r);
	*ret_value =
		ret->absolute ? ret->baseline + ret->effect : ret->baseline * (1 + ret->effect);
	return EXIT_OK;
}

/* --- cpd: is there a change point among the newest values? --- */

enum { CPD_LEAST = 20, CPD_RECENT = 30 };

static double median_of(struct analysis *r, const double *x, size_t from, size_t to)
{
	return sample_median(r->c->arena, x + from, to - from);
}

static void find_change(struct analysis *r, const double *x, size_t n,
	const struct change_points *c, bool lower_is_better, struct threshold_result *ret)
{
	size_t at = c->n ? c->index[c->n - 1] : 0, from = c->n > 1 ? c->index[c->n - 2] : 0;
	bool is_recent = c->n && at + CPD_RECENT >= n;

	*ret = (struct threshold_result){ .n = n - 1,
		.p = is_recent ? pow(10, -c->score[c->n - 1]) : NAN,
		.baseline = is_recent ? median_of(r, x, from, at) : median_of(r, x, at, n),
		.lower_limit = NAN,
		.upper_limit = NAN,
		.effect_lower = NAN,
		.effect_upper = NAN,
		.verdict = n < CPD_LEAST ? VERDICT_UNKNOWN : VERDICT_PASS,
		.reason = n < CPD_LEAST ? "too few values in the history"
					: "no recent change point" };
	ret->effect =
		change_relative(ret->baseline, is_recent ? median_of(r, x, at, n) : x[n - 1]);
	if (!is_recent || n < CPD_LEAST)
		return;
	ret->verdict = (ret->effect > 0) == lower_is_better ? VERDICT_SLOWER : VERDICT_FASTER;
	ret->alert = ret->effect > 0 ? SIDE_UPPER : SIDE_LOWER;
	ret->reason = arena_printf(
		r->c->arena, "the level changed at value %zu (from 0, the new one last)", at);
}

static int judge_changes(struct analysis *r, const struct threshold_model *m, double *ret_value,
	struct threshold_result *ret)
{
	const struct detector *d = detector_find("seeded_mw");
	struct detector_params p = detector_history_params(d, true, 1);
	struct change_points c;
	struct values h;
	double *x;

	if (!r->o.history || !r->o.value)
		return usage_error(
			r->self, "--threshold cpd needs --history FILE and --value X");
	if (!analyze_number(r, "value", r->o.value, ret_value))
		return EXIT_USAGE;
	if (history_read(r->c->arena, r->o.history, r->o.column, false, &h, &r->err) != OK)
		return analyze_failed(r);
	if (h.n == 0)
		return judge_first(TEST_LOG_T, ret);
	if (r->o.newest_first)
		reverse(&h);
	x = ARENA_ARRAY(r->c->arena, double, h.n + 1);
	memcpy(x, h.x, h.n * sizeof(*x));
	x[h.n] = *ret_value;
	p.min_effect = m->min_effect;
	if (r->o.alpha)
		p.alpha = m->alpha;
	if (change_points_detect(d, r->tails, r->c->arena, x, h.n + 1, &p, &c, &r->err) != OK)
		return analyze_failed(r);
	find_change(r, x, h.n + 1, &c, m->better == LOWER_IS_BETTER, ret);
	return EXIT_OK;
}

static int print_judged(struct analysis *r, const char *name, double value,
	const struct threshold_result *result)
{
	if (r->c->output == OUT_JSON)
		print_threshold_json(name, value, result);
	else
		print_threshold(r, value, result);
	return exit_of(result->verdict);
}

static int judge_by_cpd(struct analysis *r)
{
	struct threshold_model m;
	struct threshold_result result = { .verdict = VERDICT_UNKNOWN };
	double value = 0;
	int code;

	if (!threshold_model(r, TEST_LOG_T, &m))
		return EXIT_USAGE;
	code = judge_changes(r, &m, &value, &result);
	return code != EXIT_OK ? code : print_judged(r, "cpd", value, &result);
}

int analyze_judge(struct analysis *r)
{
	enum threshold_test t;
	struct threshold_model m;
	struct threshold_result result;
	double value = 0;
	int code;

	if (!strcmp(r->o.threshold, "cpd"))
		return judge_by_cpd(r);
	if (!threshold_find(r->o.threshold, &t)) {
		const char *near = nearest_name(r->o.threshold, threshold_names);

		return usage_error(r->self, "there is no test '%s'%s%s%s", r->o.threshold,
			near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
	if (!threshold_model(r, t, &m))
		return EXIT_USAGE;
	code = threshold_takes_groups(t) ? judge_groups(r, &m, &value, &result)
					 : judge_value(r, &m, &value, &result);
	if (code != EXIT_OK)
		return code;
	return print_judged(r, threshold_name(t), value, &result);
}
