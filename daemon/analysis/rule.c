/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The point rule: log_t on the newest commits of the segment (docs/methods.md). */
#include <math.h>
#include "daemon/analysis/internal.h"
#include "stats/power.h"
#include "stats/quantile.h"

struct threshold_model point_rule(enum better better, double min_effect)
{
	struct threshold_model m = threshold_defaults(TEST_LOG_T);

	m.better = better == BETTER_LOWER ? LOWER_IS_BETTER : HIGHER_IS_BETTER;
	m.min_effect = min_effect;
	return m;
}

/* Newest first, as the tests want it. */
static double *reversed(struct arena *a, const double *x, size_t n)
{
	double *y = ARENA_ARRAY(a, double, n + 1);

	for (size_t i = 0; i < n; i++)
		y[i] = x[n - 1 - i];
	return y;
}

int rule_apply_model(const struct timeline *t, size_t k, double value,
	const struct threshold_model *m, struct threshold_result *ret, struct error *err)
{
	size_t from = k < t->n_commits ? timeline_segment_start(t, k)
		      : k > 0	       ? timeline_segment_start(t, k - 1)
				       : 0;
	size_t n;
	double *h = timeline_values(t, from, k, NULL, &n);

	return threshold_check(t->a, m, reversed(t->a, h, n), n, value, ret, err);
}

int rule_apply(const struct timeline *t, size_t k, double value, double min_effect,
	struct threshold_result *ret, struct error *err)
{
	const struct threshold_model m = point_rule(t->series.measure.better, min_effect);

	return rule_apply_model(t, k, value, &m, ret, err);
}

static const char *outcome_word(const struct threshold_result *r)
{
	switch (r->verdict) {
	case VERDICT_SLOWER:
		return "slower";
	case VERDICT_FASTER:
		return "faster";
	case VERDICT_PASS:
		return "same";
	case VERDICT_UNKNOWN:
		break;
	}
	return "unknown";
}

static json_t *pair(double low, double high)
{
	return isfinite(low) && isfinite(high) ? json_pack("[ff]", low, high) : json_null();
}

const char *rule_detail(struct arena *a, const struct threshold_result *r, double value,
	double min_effect, int64_t segment_start)
{
	_cleanup_(json_decref)
	json_t *o = json_object();
	_cleanup_(free)
	char *text = NULL;

	json_set_str(o, "test", threshold_name(r->used));
	json_set_str(o, "origin", "default");
	json_set_str(o, "by", DEFAULT_RULE_TEXT);
	json_set_str(o, "outcome", outcome_word(r));
	json_set_real(o, "baseline", r->baseline);
	json_set_real(o, "value", value);
	json_set_real(o, "effect", r->effect);
	json_object_set_new(o, "interval", pair(r->effect_lower, r->effect_upper));
	json_set_real(o, "p", r->p);
	json_set_real(o, "alpha", DEFAULT_ALPHA);
	json_set_real(o, "min_effect", min_effect);
	json_set_int(o, "n_history", (int64_t)r->n);
	json_object_set_new(o, "limits", pair(r->lower_limit, r->upper_limit));
	json_set_int(o, "segment_start", segment_start);
	json_set_str(o, "reason", r->reason);
	text = json_text(o);
	return arena_strdup(a, text);
}

double segment_detectable(const struct timeline *t, size_t k)
{
	size_t n;
	double *x = timeline_values(t, timeline_segment_start(t, k), k + 1, NULL, &n), *l;

	if (n < 3 || !values_are_positive(x, n))
		return NAN;
	l = sample_logs(t->a, x, n);
	return power_mde(
		sample_sd(l, n, sample_mean(l, n)), 1, n, (double)n - 1, DEFAULT_ALPHA, 0.8);
}
