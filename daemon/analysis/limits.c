/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The boundary of each metric of an upload, computed once, when it is stored. */
#include <math.h>
#include <string.h>
#include "daemon/analysis/internal.h"
#include "stats/changepoint.h"
#include "stats/power.h"
#include "stats/quantile.h"

#define NOT_COUNTING (POINT_NOISY | POINT_SUSPECT | POINT_EXCLUDED | POINT_ASIDE | POINT_HELD)
enum { CPD_RECENT = 30, CPD_MAX = 400 };

struct limiter {
	struct store *st;
	struct arena *a;
	const struct limits_run *run;
	struct limit_rules rules;
	struct mw_tails *tails; /* made when first needed */
};

/* What a test sees: values newest first, and where each is. */
struct view {
	double *x;
	const struct past **at;
	size_t n;
	double *same; /* values of the version under test */
	size_t n_same;
};

static bool is_seen(const struct metric_past *p, const struct past *v,
	const struct limit_model *m, int64_t now_ns)
{
	if (m->window_s && v->time_ns < now_ns - m->window_s * NS_PER_S)
		return false;
	if (!m->by_segment)
		return true;
	return !(v->flags & NOT_COUNTING) && v->version_number >= p->change &&
	       v->version_number <= p->self.version_number &&
	       v->environment_id == p->self.environment_id &&
	       v->definition_id == p->self.definition_id;
}

static void look_back(struct limiter *l, const struct metric_past *p,
	const struct limit_model *m, struct view *ret)
{
	bool is_groups = m->kind == LIMIT_POINT && threshold_takes_groups(m->t.test);

	*ret = (struct view){ .x = ARENA_ARRAY(l->a, double, p->n + 1),
		.at = ARENA_ARRAY(l->a, const struct past *, p->n + 1),
		.same = ARENA_ARRAY(l->a, double, is_groups ? p->n + 1 : 1) };
	for (size_t i = 0; i < p->n; i++) {
		const struct past *v = &p->values[i];

		if (!is_seen(p, v, m, l->run->now_ns))
			continue;
		if (is_groups && v->version_number == p->self.version_number) {
			ret->same[ret->n_same++] = v->value;
			continue;
		}
		ret->at[ret->n] = v;
		ret->x[ret->n++] = v->value;
	}
	if (m->t.max_sample)
		ret->n = MIN(ret->n, m->t.max_sample);
}

static struct mw_tails *tails_of(struct limiter *l)
{
	if (!l->tails)
		l->tails = mw_tails_new();
	return l->tails;
}

/* The values of this commit against those of the segment before it. */
static int check_groups(struct limiter *l, const struct limit_model *m, const struct view *v,
	double value, struct threshold_result *ret, struct error *err)
{
	struct threshold_groups g = { .base = v->x, .head = v->same, .n_base = v->n };
	const double **one = ARENA_ARRAY(l->a, const double *, v->n + 1);
	size_t *sizes = ARENA_ARRAY(l->a, size_t, v->n + 1);

	if (v->n < MAX(m->t.min_sample, (size_t)2))
		return OK;
	v->same[v->n_same] = value;
	g.n_head = v->n_same + 1;
	for (size_t i = 0; i < v->n; i++) {
		one[i] = &v->x[i];
		sizes[i] = 1;
	}
	if (m->t.test == TEST_AB_LOG_T && values_are_positive(v->x, v->n))
		g.history = threshold_log_variance(l->a, one, sizes, v->n);
	if (m->t.test == TEST_AB_LOG_T)
		g.n_base = MIN(g.n_base, (size_t)1); /* the newest before it */
	return threshold_check_groups(tails_of(l), l->a, &m->t, &g, ret, err);
}

static double median_of(struct arena *a, const double *x, size_t n)
{
	return sample_quantile(sample_sorted(a, x, n), n, .5);
}

/* A change point among the newest commits of what is seen and this value. */
static int check_changes(struct limiter *l, const struct limit_model *m, const struct view *v,
	double value, struct threshold_result *ret, int64_t *ret_at, struct error *err)
{
	const struct detector *d = detector_find("seeded_mw");
	struct detector_params params = detector_history_params(d, true, 1);
	size_t n = MIN(v->n, (size_t)CPD_MAX - 1), k;
	double *x = ARENA_ARRAY(l->a, double, n + 1);
	struct change_points c;
	int r;

	if (n + 1 < m->t.min_sample)
		return OK;
	for (size_t i = 0; i < n; i++)
		x[i] = v->x[n - 1 - i];
	x[n++] = value;
	params.min_effect = m->t.min_effect;
	r = change_points_detect(d, tails_of(l), l->a, x, n, &params, &c, err);
	ret->verdict = VERDICT_PASS;
	ret->n = n - 1;
	ret->reason = "no recent change point";
	if (r < 0 || c.n == 0 || c.index[c.n - 1] + CPD_RECENT < n)
		return r;
	k = c.index[c.n - 1];
	ret->baseline = median_of(l->a, x + (c.n > 1 ? c.index[c.n - 2] : 0),
		k - (c.n > 1 ? c.index[c.n - 2] : 0));
	ret->effect = change_relative(ret->baseline, median_of(l->a, x + k, n - k));
	ret->p = pow(10, -c.score[c.n - 1]);
	ret->verdict = (ret->effect > 0) == (m->t.better == LOWER_IS_BETTER) ? VERDICT_SLOWER
									     : VERDICT_FASTER;
	ret->reason = "a change point lies among the newest commits";
	*ret_at = k < n - 1 ? v->at[n - 2 - k]->version_number : l->run->version_number;
	return OK;
}

/* What this rule would see here with 80 % power. */
static double detectable(struct arena *a, const struct limit_model *m, const struct view *v)
{
	const double *y;

	if (v->n < 3 || !values_are_positive(v->x, v->n) || !(m->t.alpha > 0))
		return NAN;
	y = sample_logs(a, v->x, v->n);
	return power_mde(sample_sd(y, v->n, sample_mean(y, v->n)), 1, v->n, (double)v->n - 1,
		m->t.alpha, 0.8);
}

static json_t *pair(double low, double high)
{
	return isfinite(low) && isfinite(high) ? json_pack("[ff]", low, high) : json_null();
}

static const char *outcome_word(enum threshold_verdict v)
{
	static const char *const words[] = { "same", "slower", "faster", "unknown" };

	return words[v];
}

static const char *detail(const struct level *l)
{
	const struct threshold_result *r = l->result;
	const struct limit_choice *c = l->choice;
	_cleanup_(json_decref)
	json_t *o = json_object();
	_cleanup_(free)
	char *text = NULL;

	json_set_str(o, "test",
		c->model.kind == LIMIT_POINT ? threshold_name(r->used) : c->model.test);
	json_set_str(o, "origin", c->origin);
	json_set_opt(o, "rule", c->name);
	json_set_str(o, "by", limit_choice_text(l->a, c));
	json_set_str(o, "outcome", outcome_word(r->verdict));
	json_set_real(o, "baseline", r->baseline);
	json_set_real(o, "value", l->metric->value);
	json_set_real(o, "effect", r->effect);
	json_object_set_new(o, "interval", pair(r->effect_lower, r->effect_upper));
	json_set_real(o, "p", r->p);
	json_set_real(o, "alpha", c->model.t.alpha > 0 ? c->model.t.alpha : NAN);
	json_set_real(o, "min_effect", c->model.t.min_effect);
	json_set_int(o, "confirm", c->model.confirm);
	json_set_int(o, "n_history", (int64_t)r->n);
	json_object_set_new(o, "limits", pair(r->lower_limit, r->upper_limit));
	json_set_int(o, "segment_start", MAX(l->past->change, 0));
	json_set_real(o, "detectable", l->detectable);
	json_set_str(o, "reason", r->reason);
	text = json_text(o);
	return arena_strdup(l->a, text);
}

/* The alert of the series that a report raised on this side; NULL: none. */
static int find_limit_alert(const struct level *l, int64_t report_id, const char *side,
	const struct alert **ret, struct error *err)
{
	struct alert *of;
	size_t n;
	int r = store_alert_of_report(l->st, l->a, report_id, &of, &n, err);

	*ret = NULL;
	for (size_t i = 0; r == OK && i < n; i++)
		if (of[i].series_id == l->past->series_id && of[i].limit_side &&
			!strcmp(of[i].limit_side, side))
			*ret = &of[i];
	return r;
}

/* How many reports in a row, with this one, are beyond the limit on this side; *ret_told:
 * another iteration of this report was, too. */
static int count_in_a_row(const struct level *l, const char *side, int64_t *ret, bool *ret_told,
	struct error *err)
{
	const struct alert *al = NULL;
	struct error ignored;
	json_t *o;
	int r;

	*ret = 1;
	r = find_limit_alert(l, l->run->report_id, side, &al, err);
	*ret_told = al;
	for (size_t i = 0; r == OK && i < l->past->n; i++)
		if (l->past->values[i].report_id != l->run->report_id) {
			r = find_limit_alert(l, l->past->values[i].report_id, side, &al, err);
			if (r == OK && al)
				*ret = 2;
			break;
		}
	if (r == OK && *ret == 2 && al->detail_json &&
		json_parse(al->detail_json, strlen(al->detail_json), &o, &ignored) == OK) {
		*ret = 1 + json_get_int(o, "in_a_row", 1);
		json_decref(o);
	}
	return r;
}

/* One of Bencher's: every value beyond a limit is an alert of its own, open until a person
 * dismisses it. But one value is no message: that is sent when the next report is beyond the
 * limit, too, and once until a report is inside it again. */
static int alert_value(const struct level *l, struct error *err)
{
	enum { TELL_AT = 2 };
	const struct threshold_result *r = l->result;
	struct alert al = { .series_id = l->past->series_id,
		.report_id = l->run->report_id,
		.state = ALERT_CONFIRMED,
		.limit_side = threshold_side_name(r->alert),
		.direction = r->verdict == VERDICT_FASTER ? OUTCOME_FASTER : OUTCOME_SLOWER,
		.effect = r->effect,
		.effect_low = NAN,
		.effect_high = NAN,
		.p = NAN,
		.baseline = r->baseline,
		.value = l->metric->value,
		.version_number = l->run->version_number,
		.hash = l->run->hash,
		.created_ns = l->run->now_ns,
		.modified_ns = l->run->now_ns };
	int64_t row;
	bool is_told;
	int e;

	if (r->alert == SIDE_NONE)
		return OK;
	e = count_in_a_row(l, al.limit_side, &row, &is_told, err);
	if (e < 0)
		return e;
	al.detail_json = arena_printf(l->a, "{\"in_a_row\":%lld}", (long long)row);
	al.reason = row == 1 ? "one value beyond its limit: a message waits for the next "
			       "report to show it, too"
			     : arena_printf(l->a, "beyond its limit in %lld reports in a row",
				       (long long)row);
	e = store_alert_add(l->st, l->a, &al, l->metric->id, err);
	return e == OK && row == TELL_AT && !is_told ? store_alert_tell(l->st, &al, err) : e;
}

static int check(
	struct limiter *l, struct level *v, struct threshold_result *ret, struct error *err)
{
	const struct limit_model *m = &v->choice->model;
	struct limit_model seen = *m;
	struct view view;
	int r;

	*ret = threshold_none(m->t.test, 0, "too few values in the history");
	look_back(l, v->past, m, &view);
	v->detectable = m->kind == LIMIT_POINT && threshold_is_bencher(m->t.test)
				? NAN
				: detectable(l->a, m, &view);
	/* Improvements are marked, too. */
	if (seen.by_segment && seen.t.direction == DIRECTION_WORSE)
		seen.t.direction = DIRECTION_BOTH;
	if (m->kind == LIMIT_CHANGES)
		r = check_changes(l, &seen, &view, v->metric->value, ret, &v->at, err);
	else if (threshold_takes_groups(m->t.test))
		r = check_groups(l, &seen, &view, v->metric->value, ret, err);
	else
		r = threshold_check(l->a, &seen.t, view.x, view.n, v->metric->value, ret, err);
	return r;
}

int limits_check(struct store *st, struct arena *a, const struct limits_run *run,
	const struct limit_choice *choice, const struct metric_past *past, double value,
	struct threshold_result *ret, int64_t *ret_at, const char **ret_detail,
	struct error *err)
{
	struct limiter l = { .st = st, .a = a, .run = run };
	const struct limits_metric metric = { .id = past->metric_id, .value = value };
	struct level v = { .st = st,
		.a = a,
		.run = run,
		.metric = &metric,
		.past = past,
		.choice = choice,
		.result = ret,
		.at = -1 };
	int r = check(&l, &v, ret, err);

	mw_tails_free(l.tails);
	*ret_at = v.at;
	*ret_detail = r == OK ? detail(&v) : NULL;
	return r;
}

static int judge_metric(struct limiter *l, const struct limits_metric *metric,
	const struct metric_past *past, struct error *err)
{
	const struct limit_place where = { .benchmark = past->benchmark,
		.benchmark_slug = past->benchmark_slug,
		.measure = past->measure,
		.measure_slug = past->measure_slug,
		.measure_id = past->measure_id };
	struct limit_choice choice;
	struct threshold_result result;
	struct level v = { .st = l->st,
		.a = l->a,
		.run = l->run,
		.metric = metric,
		.past = past,
		.choice = &choice,
		.result = &result,
		.at = -1 };
	struct boundary b;
	int r = limit_rules_choose(&l->rules, &where, past->better, &choice, err);

	if (r < 0)
		return r;
	result = threshold_none(choice.model.t.test, 0, "no limits are wanted here");
	v.detectable = NAN;
	if (choice.model.kind != LIMIT_OFF)
		r = check(l, &v, &result, err);
	if (r < 0)
		return r;
	b = (struct boundary){ result.baseline, result.lower_limit, result.upper_limit,
		choice.model.test, detail(&v) };
	r = store_boundary_add(l->st, metric->id, choice.model_id, &b, err);
	if (r == OK)
		r = limits_later(l->st, l->a, l->run, &choice, past, err);
	if (r < 0 || metric->is_ignored || choice.model.kind == LIMIT_OFF)
		return r;
	return choice.model.by_segment ? level_judge(&v, err) : alert_value(&v, err);
}

static int judge_all(struct limiter *l, struct error *err)
{
	const struct limits_run *run = l->run;
	struct metric_past *pasts = ARENA_ARRAY(l->a, struct metric_past, run->n + 1);
	int r;

	for (size_t i = 0; i < run->n; i++)
		pasts[i] =
			(struct metric_past){ .metric_id = run->metrics[i].id, .change = -1 };
	r = limit_rules_load(&l->rules, run->project_id, err);
	if (r == OK)
		r = store_iteration_pasts(l->st, l->a, run->report_id, run->iteration,
			run->branch->head_id, limit_rules_reach(&l->rules), pasts, run->n, err);
	for (size_t i = 0; r == OK && i < run->n; i++)
		if (pasts[i].series_id)
			r = judge_metric(l, &run->metrics[i], &pasts[i], err);
	return r;
}

int analysis_limits(
	struct store *st, struct arena *a, const struct limits_run *run, struct error *err)
{
	struct limiter l = { .st = st, .a = a, .run = run };
	int r;

	l.rules = (struct limit_rules){
		.st = st, .a = a, .branch = run->branch, .testbed = run->testbed
	};
	r = run->n ? judge_all(&l, err) : OK;
	mw_tails_free(l.tails);
	return r;
}
