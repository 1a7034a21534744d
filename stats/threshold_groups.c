/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Groups of process values: ab_log_t and mann_whitney. */
#include "stats/threshold.h"

#include <math.h>
#include "stats/dist.h"
#include "stats/interval.h"
#include "stats/quantile.h"
#include "stats/rank.h"

enum { LEAST_HISTORY_NU = 9 };

struct log_variance threshold_log_variance(
	struct arena *a, const double *const *values, const size_t *n_values, size_t n_commits)
{
	double *single = ARENA_ARRAY(a, double, n_commits), mean, sd;
	struct log_variance v = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < n_commits; i++) {
		const double *y = sample_logs(a, values[i], n_values[i]);

		if (n_values[i] == 1)
			single[n++] = y[0];
		if (n_values[i] < 2)
			continue;
		sd = sample_sd(y, n_values[i], sample_mean(y, n_values[i]));
		v.s2 += (double)(n_values[i] - 1) * sd * sd;
		v.nu += (double)(n_values[i] - 1);
	}
	if (v.nu > 0) {
		v.s2 /= v.nu;
	} else if (n >= 2) {
		mean = sample_mean(single, n);
		sd = sample_sd(single, n, mean);
		v = (struct log_variance){ sd * sd, (double)(n - 1) };
	}
	return v;
}

/* A t statistic with its scale. */
struct t_ratio {
	double d, se, nu;
};

struct arm {
	double n, mean, s2; /* of the logarithms; s2 = 0 for one value */
};

static struct arm arm_of(struct arena *a, const double *x, size_t n)
{
	const double *y = sample_logs(a, x, n);
	double mean = sample_mean(y, n), sd = n > 1 ? sample_sd(y, n, mean) : 0;

	return (struct arm){ (double)n, mean, sd * sd };
}

static bool pooled(const struct arm *b, const struct arm *h, const struct log_variance *v,
	struct t_ratio *ret)
{
	double nu = v->nu + b->n - 1 + h->n - 1;
	double s2 = (v->nu * v->s2 + (b->n - 1) * b->s2 + (h->n - 1) * h->s2) / nu;

	*ret = (struct t_ratio){ h->mean - b->mean, sqrt(s2 * (1 / b->n + 1 / h->n)), nu };
	return true;
}

static bool welch(const struct arm *b, const struct arm *h, struct t_ratio *ret)
{
	double vb = b->s2 / b->n, vh = h->s2 / h->n, v = vb + vh;

	if (b->n < 2 || h->n < 2)
		return false;
	*ret = (struct t_ratio){ h->mean - b->mean, sqrt(v),
		v > 0 ? v * v / (vb * vb / (b->n - 1) + vh * vh / (h->n - 1)) : 1 };
	return true;
}

static bool wants(const struct threshold_model *m, bool is_worse)
{
	return m->direction == DIRECTION_BOTH || (m->direction == DIRECTION_WORSE) == is_worse;
}

/* p is two-sided; each direction is judged at alpha by half of it. */
static void decide(const struct threshold_model *m, struct threshold_result *r)
{
	bool is_worse = (r->effect > 0) == (m->better == LOWER_IS_BETTER);

	r->verdict = VERDICT_PASS;
	r->reason = "p is not below alpha";
	if (r->effect == 0 || !wants(m, is_worse) || !(r->p / 2 < m->alpha))
		return;
	r->reason = "p is below alpha, but the effect is below min_effect";
	if (fabs(r->effect) < m->min_effect)
		return;
	r->reason = "p is below alpha and the effect reaches min_effect";
	r->alert = r->effect > 0 ? SIDE_UPPER : SIDE_LOWER;
	r->verdict = is_worse ? VERDICT_SLOWER : VERDICT_FASTER;
}

static void ab_log_t(struct arena *a, const struct threshold_model *m,
	const struct threshold_groups *g, double interval_alpha, struct threshold_result *r)
{
	struct arm b = arm_of(a, g->base, g->n_base), h = arm_of(a, g->head, g->n_head);
	struct t_ratio t;
	double half;

	r->reason = "too few processes, and no history to lend its variance";
	if (!(g->history.nu >= LEAST_HISTORY_NU ? pooled(&b, &h, &g->history, &t)
						: welch(&b, &h, &t)))
		return;
	r->baseline = exp(b.mean);
	r->effect = expm1(t.d);
	r->reason = "no variance: use the test 'exact'";
	if (!(t.se > 0))
		return;
	r->p = dist_t_two_sided(t.d / t.se, t.nu);
	half = dist_t_quantile(1 - interval_alpha / 2, t.nu) * t.se;
	r->effect_lower = expm1(t.d - half);
	r->effect_upper = expm1(t.d + half);
	decide(m, r);
}

static void ranks(struct mw_tails *tails, struct arena *a, const struct threshold_model *m,
	const struct threshold_groups *g, double interval_alpha, bool raw,
	struct threshold_result *r)
{
	const double *b = raw ? g->base : sample_logs(a, g->base, g->n_base);
	const double *h = raw ? g->head : sample_logs(a, g->head, g->n_head);
	struct rank_test test;
	struct estimate e;

	mann_whitney(tails, a, g->base, g->n_base, g->head, g->n_head, &test);
	hodges_lehmann(tails, a, b, g->n_base, h, g->n_head, interval_alpha, &e);
	r->baseline = sample_centre(a, g->base, g->n_base);
	r->absolute = raw;
	r->p = test.p;
	r->effect = raw ? e.value : expm1(e.value);
	r->effect_lower = raw ? e.lower : expm1(e.lower);
	r->effect_upper = raw ? e.upper : expm1(e.upper);
	decide(m, r);
}

/* With so few processes that even a full separation stays above alpha, the rank test can say
 * nothing: 4+4 for a two-sided .05, 5+5 for .01. */
static bool can_decide(struct mw_tails *tails, const struct threshold_model *m,
	const struct threshold_groups *g)
{
	if (!mw_tails_covers(g->n_base, g->n_head))
		return true;
	return mw_tails_lower(tails, g->n_base, g->n_head, 0, 1) < m->alpha;
}

static int check_groups(const struct threshold_groups *g, struct error *err)
{
	int r;

	if (g->n_base < 1 || g->n_head < 1)
		return error_set(
			err, E_UNPROCESSABLE, "each arm needs at least one process value");
	if (g->n_base > COMPARE_MAX || g->n_head > COMPARE_MAX)
		return error_set(
			err, E_TOO_LARGE, "more than %d process values in an arm", COMPARE_MAX);
	r = values_check(g->base, g->n_base, err);
	return r == OK ? values_check(g->head, g->n_head, err) : r;
}

int threshold_check_groups(struct mw_tails *tails, struct arena *a,
	const struct threshold_model *m, const struct threshold_groups *g,
	struct threshold_result *ret, struct error *err)
{
	double alpha = g->interval_alpha > 0 ? g->interval_alpha : .05;
	bool raw;
	int r = check_groups(g, err);

	if (r != OK)
		return r;
	if (!threshold_takes_groups(m->test))
		return error_set_field(err, E_UNPROCESSABLE, "test",
			"'%s' judges one value, not groups", threshold_name(m->test));
	*ret = threshold_none(
		m->test, g->n_base + g->n_head, "too few processes for this level");
	raw = !values_are_positive(g->base, g->n_base) ||
	      !values_are_positive(g->head, g->n_head);
	if (m->test == TEST_MANN_WHITNEY && can_decide(tails, m, g))
		ranks(tails, a, m, g, alpha, raw, ret);
	if (m->test == TEST_AB_LOG_T && raw)
		return error_set(err, E_UNPROCESSABLE,
			"'ab_log_t' needs values above 0; use 'mann_whitney'");
	if (m->test == TEST_AB_LOG_T)
		ab_log_t(a, m, g, alpha, ret);
	return OK;
}
