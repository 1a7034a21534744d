/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/power.h"

#include <math.h>
#include <stdint.h>
#include "stats/dist.h"
#include "stats/quantile.h"

double power_mde(double s, size_t m, size_t n, double nu, double alpha, double power)
{
	double scale;

	if (nu <= 0)
		nu = (double)m + (double)n - 2;
	if (m < 1 || n < 1 || nu < 1 || !(s >= 0))
		return NAN;
	scale = s * sqrt(1 / (double)m + 1 / (double)n);
	return expm1((dist_t_quantile(1 - alpha, nu) + dist_normal_quantile(power)) * scale);
}

size_t power_processes(double s, double effect, double alpha, double power)
{
	double z = dist_normal_quantile(1 - alpha) + dist_normal_quantile(power);
	double n = 2 * z * z * s * s / (log1p(effect) * log1p(effect));

	if (!(n < 1e15))
		return SIZE_MAX;
	return n < 1 ? 1 : (size_t)ceil(n);
}

static int check_design(const struct kj_design *d, struct error *err)
{
	if (d->n_levels < 2 || d->n_levels > KJ_MAX_LEVELS)
		return error_set(err, E_UNPROCESSABLE, "%zu levels: 2 to %d are allowed",
			d->n_levels, KJ_MAX_LEVELS);
	for (size_t i = 0; i < d->n_levels; i++) {
		if (d->r[i] < 2)
			return error_set(err, E_UNPROCESSABLE,
				"level %zu has %zu repetitions: at least 2 are needed", i,
				d->r[i]);
		if (!(d->cost[i] > 0))
			return error_set(err, E_UNPROCESSABLE,
				"the cost of level %zu must be greater than 0", i);
	}
	return OK;
}

/* Mean variance of groups of r neighbours among n means; the groups' means replace them. */
static double collapse(double *means, size_t n, size_t r)
{
	double sum = 0;

	for (size_t g = 0; g < n / r; g++) {
		double m = sample_mean(means + g * r, r), sd = sample_sd(means + g * r, r, m);

		sum += sd * sd;
		means[g] = m;
	}
	return sum / (double)(n / r);
}

static size_t best_repetitions(const struct kj_design *d, const struct kj_plan *p, size_t i)
{
	double r;

	if (p->t2[i + 1] <= 0)
		return d->r[i];
	r = ceil(sqrt(d->cost[i + 1] / d->cost[i] * p->t2[i] / p->t2[i + 1]));
	return r < 1 ? 1 : r > 1e9 ? (size_t)1e9 : (size_t)r;
}

int kj_plan_make(struct arena *a, const struct kj_design *d, const double *values,
	struct kj_plan *ret, struct error *err)
{
	size_t n = 1;
	double *means;
	int r = check_design(d, err);

	if (r != OK)
		return r;
	for (size_t i = 0; i < d->n_levels; i++)
		n *= d->r[i];
	means = ARENA_ARRAY(a, double, n);
	for (size_t i = 0; i < n; i++)
		means[i] = values[i];
	*ret = (struct kj_plan){ 0 };
	for (size_t i = 0; i < d->n_levels; n /= d->r[i++])
		ret->s2[i] = collapse(means, n, d->r[i]);
	ret->t2[0] = ret->s2[0];
	for (size_t i = 1; i < d->n_levels; i++)
		ret->t2[i] = fmax(0, ret->s2[i] - ret->s2[i - 1] / (double)d->r[i - 1]);
	for (size_t i = 0; i + 1 < d->n_levels; i++)
		ret->r[i] = best_repetitions(d, ret, i);
	return OK;
}

bool ratio_interval(double y_new, double h_new, double y_old, double h_old, double *ret_lower,
	double *ret_upper)
{
	double below = y_old * y_old - h_old * h_old, product = y_old * y_new, root;

	*ret_lower = *ret_upper = NAN;
	root = product * product - below * (y_new * y_new - h_new * h_new);
	if (!(below > 0) || !(root >= 0))
		return false;
	*ret_lower = (product - sqrt(root)) / below;
	*ret_upper = (product + sqrt(root)) / below;
	return true;
}
