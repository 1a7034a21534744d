/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bencher's seven tests. The order of operations is part of the contract: equal bits. */
#include "stats/threshold.h"

#include <math.h>
#include "stats/dist.h"
#include "stats/quantile.h"

static void set_limits(struct threshold_result *r, double baseline, double lower, double upper)
{
	r->baseline = baseline;
	r->lower_limit = lower;
	r->upper_limit = upper;
}

static void percentage(const struct threshold_model *m, double mean, struct threshold_result *r)
{
	set_limits(r, mean, mean - mean * m->lower, mean + mean * m->upper);
}

/* Both normal tests: upper quantile of the location-scale family, mirrored for the lower one.
 * NaN boundaries give NaN limits. */
static void location_scale(const struct threshold_model *m, double mean, double scale,
	double nu, struct threshold_result *r)
{
	double l = nu > 0 ? dist_t_quantile(m->lower, nu) : dist_normal_quantile(m->lower);
	double u = nu > 0 ? dist_t_quantile(m->upper, nu) : dist_normal_quantile(m->upper);

	set_limits(r, mean, mean * 2 - (mean + scale * l), mean + scale * u);
}

static void log_normal(
	const struct threshold_model *m, double mu, double sigma, struct threshold_result *r)
{
	double base = exp(mu), z = dist_normal_quantile(m->lower);
	double lower = base * 2 - exp(mu + sigma * z);

	if (m->lower_is_quantile)
		lower = exp(mu - sigma * z);
	set_limits(r, base, lower, exp(mu + sigma * dist_normal_quantile(m->upper)));
}

/* z_score, t_test and log_normal share their refusals: n < 2, s = 0, not finite. */
static void moments(struct arena *a, const struct threshold_model *m, const double *h, size_t n,
	double x, struct threshold_result *r)
{
	const double *y = m->test == TEST_LOG_NORMAL ? sample_logs(a, h, n) : h;
	double mean = sample_mean(y, n), sd = sample_sd(y, n, mean);

	r->reason =
		"the history has fewer than 2 values, or its mean or variance is not finite";
	if (n < 2 || !isfinite(mean) || !isfinite(sd))
		return;
	r->reason = "the history has no variance";
	if (sd == 0 && m->zero_variance_exact)
		threshold_exact(m, h, n, x, r);
	if (sd == 0)
		return;
	if (m->test == TEST_LOG_NORMAL)
		log_normal(m, mean, sd, r);
	else if (m->test == TEST_Z_SCORE)
		location_scale(m, mean, sd, 0, r);
	else
		location_scale(m, mean, sd * sqrt(1 + 1 / (double)n), (double)(n - 1), r);
}

static bool has_nan(const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (isnan(x[i]))
			return true;
	return false;
}

struct quartiles {
	double q1, q2, q3;
};

static bool find_quartiles(struct arena *a, const double *x, size_t n, struct quartiles *ret)
{
	double *s;

	if (n == 0 || has_nan(x, n))
		return false;
	s = sample_sorted(a, x, n);
	*ret = (struct quartiles){ sample_quantile(s, n, .25), sample_quantile(s, n, .5),
		sample_quantile(s, n, .75) };
	return isfinite(ret->q1) && isfinite(ret->q2) && isfinite(ret->q3);
}

/* Sizes of the relative steps between neighbours, newest first. */
static double *relative_steps(struct arena *a, const double *h, size_t n)
{
	double *d = ARENA_ARRAY(a, double, n);

	for (size_t i = 0; i + 1 < n; i++)
		d[i] = fabs((h[i + 1] - h[i]) / h[i]);
	return d;
}

static void quartile_band(struct arena *a, const struct threshold_model *m, const double *h,
	size_t n, struct threshold_result *r)
{
	struct quartiles q, d;

	r->reason = "a quartile of the history is not finite";
	if (!find_quartiles(a, h, n, &q))
		return;
	if (m->test == TEST_IQR) {
		set_limits(r, q.q2, q.q2 - (q.q3 - q.q1) * m->lower,
			q.q2 + (q.q3 - q.q1) * m->upper);
		return;
	}
	if (n < 2 || !find_quartiles(a, relative_steps(a, h, n), n - 1, &d))
		return;
	set_limits(r, q.q2, q.q2 - q.q2 * ((d.q3 - d.q1) * m->lower),
		q.q2 + q.q2 * ((d.q3 - d.q1) * m->upper));
}

void threshold_bencher(struct arena *a, const struct threshold_model *m, const double *h,
	size_t n, double x, struct threshold_result *r)
{
	size_t least = MAX(m->min_sample, (size_t)1);

	r->reason = "too few values in the history";
	if (n < least && !(m->test == TEST_STATIC && m->static_first))
		return;
	if (m->test == TEST_STATIC) {
		set_limits(r, NAN, m->lower, m->upper);
	} else if (m->test == TEST_PERCENTAGE) {
		double mean = sample_mean(h, n);

		r->reason = "the mean of the history is not finite";
		if (isfinite(mean))
			percentage(m, mean, r);
	} else if (m->test == TEST_IQR || m->test == TEST_DELTA_IQR) {
		quartile_band(a, m, h, n, r);
	} else {
		moments(a, m, h, n, x, r);
	}
	if (r->used != TEST_EXACT)
		threshold_judge_limits(m, x, r);
	if (isfinite(r->baseline) && r->baseline != 0)
		r->effect = (x - r->baseline) / fabs(r->baseline);
}
