/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log_t and exact: the point tests that Bencher does not have. */
#include "stats/threshold.h"

#include <math.h>
#include "stats/dist.h"
#include "stats/quantile.h"

static bool wants(const struct threshold_model *m, bool is_worse)
{
	return m->direction == DIRECTION_BOTH || (m->direction == DIRECTION_WORSE) == is_worse;
}

static void set_alert(
	const struct threshold_model *m, double effect, struct threshold_result *r)
{
	bool is_worse = (effect > 0) == (m->better == LOWER_IS_BETTER);

	if (effect == 0 || !wants(m, is_worse))
		return;
	r->alert = effect > 0 ? SIDE_UPPER : SIDE_LOWER;
	r->verdict = is_worse ? VERDICT_SLOWER : VERDICT_FASTER;
}

/* Reference = the latest value r; alert iff |x/r - 1| > min_effect (r = 0: any change). p is
 * absent: a deterministic measure has no noise to test against. */
void threshold_exact(const struct threshold_model *m, const double *h, size_t n, double x,
	struct threshold_result *r)
{
	double band = fabs(h[0]) * m->min_effect, step = x - h[0];

	r->used = TEST_EXACT;
	r->baseline = h[0];
	r->lower_limit = h[0] - band;
	r->upper_limit = h[0] + band;
	r->effect = h[0] != 0 ? step / fabs(h[0]) : step;
	r->absolute = h[0] == 0;
	r->verdict = VERDICT_PASS;
	r->reason = "equal to the latest value, within min_effect";
	if (x >= r->lower_limit && x <= r->upper_limit)
		return;
	r->reason = "differs from the latest value";
	set_alert(m, step, r);
}

/* The t statistic of one new value, on the scale of the test (logarithms, or raw). */
struct location {
	double mean, half; /* half-width of the prediction interval at alpha */
	double t, nu;
};

static void set_numbers(const struct threshold_model *m, const struct location *l, double y,
	struct threshold_result *r)
{
	bool raw = r->absolute;
	double d = y - l->mean;

	r->baseline = raw ? l->mean : exp(l->mean);
	r->lower_limit = raw ? l->mean - l->half : exp(l->mean - l->half);
	r->upper_limit = raw ? l->mean + l->half : exp(l->mean + l->half);
	r->effect = raw ? d : expm1(d);
	r->effect_lower = raw ? d - l->half : expm1(d - l->half);
	r->effect_upper = raw ? d + l->half : expm1(d + l->half);
}

static void decide(
	const struct threshold_model *m, const struct location *l, struct threshold_result *r)
{
	double above = dist_t_upper(l->t, l->nu), below = dist_t_upper(-l->t, l->nu);
	double worse = m->better == LOWER_IS_BETTER ? above : below;
	double better = m->better == LOWER_IS_BETTER ? below : above;

	r->p = m->direction == DIRECTION_WORSE	  ? worse
	       : m->direction == DIRECTION_BETTER ? better
						  : fmin(worse, better);
	r->verdict = VERDICT_PASS;
	r->reason = "p is not below alpha";
	if (!(r->p < m->alpha))
		return;
	r->reason = "p is below alpha, but the effect is below min_effect";
	if (fabs(r->effect) < m->min_effect)
		return;
	r->reason = "p is below alpha and the effect reaches min_effect";
	set_alert(m, r->effect, r);
}

/* The mean of equal logarithms may be off by a rounding, so the sd is no sure sign. */
static bool all_equal(const double *h, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (h[i] != h[0])
			return false;
	return true;
}

void threshold_log_t(struct arena *a, const struct threshold_model *m, const double *h,
	size_t n, double x, struct threshold_result *r)
{
	bool raw = !values_are_positive(h, n) || !(x > 0);
	const double *y = raw ? h : sample_logs(a, h, n);
	double now = raw ? x : log(x), mean = sample_mean(y, n), sd = sample_sd(y, n, mean);
	struct location l = { .mean = mean, .nu = m->df > 0 ? m->df : (double)n - 1 };

	r->reason = "the history has fewer than 2 values";
	if (n < 2)
		return;
	if (all_equal(h, n) || !(sd > 0)) {
		threshold_exact(m, h, n, x, r);
		return;
	}
	r->absolute = raw;
	sd *= sqrt(1 + 1 / (double)n);
	l.t = (now - mean) / sd;
	l.half = dist_t_quantile(1 - m->alpha, l.nu) * sd;
	set_numbers(m, &l, now, r);
	decide(m, &l, r);
}
