/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/interval.h"

#include <math.h>
#include <gsl/gsl_cdf.h>
#include "stats/dist.h"
#include "stats/quantile.h"
#include "stats/rank.h"

/* Largest l in [0, n] with P(Bin(n,q) <= l-1) <= p. */
static size_t lower_rank(size_t n, double q, double p)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low + 1) / 2;

		if (gsl_cdf_binomial_P((unsigned)(mid - 1), q, (unsigned)n) <= p)
			low = mid;
		else
			high = mid - 1;
	}
	return low;
}

/* Smallest u in [1, n+1] with P(Bin(n,q) >= u) <= p. */
static size_t upper_rank(size_t n, double q, double p)
{
	size_t low = 1, high = n + 1;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (gsl_cdf_binomial_Q((unsigned)(mid - 1), q, (unsigned)n) <= p)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

bool interval_ranks(size_t n, double q, double alpha, size_t *ret_l, size_t *ret_u)
{
	*ret_l = *ret_u = 0;
	if (n == 0 || n > 1u << 30 || !(q > 0 && q < 1) || !(alpha > 0 && alpha < 1))
		return false;
	*ret_l = lower_rank(n, q, alpha / 2);
	*ret_u = upper_rank(n, q, alpha / 2);
	return *ret_l >= 1 && *ret_u <= n;
}

bool interval_quantile(const double *sorted, size_t n, double q, double alpha,
	double *ret_lower, double *ret_upper)
{
	size_t l, u;

	*ret_lower = *ret_upper = NAN;
	if (!interval_ranks(n, q, alpha, &l, &u))
		return false;
	*ret_lower = sorted[l - 1];
	*ret_upper = sorted[u - 1];
	return true;
}

static bool finish(double *candidates, size_t n, size_t k, struct estimate *ret)
{
	sample_sort(candidates, n);
	ret->value = sample_quantile(candidates, n, .5);
	ret->n_candidates = n;
	ret->k = k;
	ret->has_interval = k >= 1 && k <= (n + 1) / 2;
	if (ret->has_interval) {
		ret->lower = candidates[k - 1];
		ret->upper = candidates[n - k];
	}
	return true;
}

static const struct estimate nothing = { .value = NAN, .lower = NAN, .upper = NAN };

bool hodges_lehmann(struct mw_tails *tails, struct arena *a, const double *x, size_t n_x,
	const double *y, size_t n_y, double alpha, struct estimate *ret)
{
	double *d;

	*ret = nothing;
	if (n_x == 0 || n_y == 0 || n_x > HODGES_LEHMANN_MAX / n_y)
		return false;
	d = ARENA_ARRAY(a, double, n_x *n_y);
	for (size_t i = 0; i < n_x; i++)
		for (size_t j = 0; j < n_y; j++)
			d[i * n_y + j] = y[j] - x[i];
	return finish(d, n_x * n_y, mw_tails_count(tails, n_x, n_y, alpha / 2), ret);
}

bool hodges_lehmann_paired(
	struct arena *a, const double *d, size_t n, double alpha, struct estimate *ret)
{
	double *walsh;
	size_t m = 0;

	*ret = nothing;
	if (n == 0 || n > HODGES_LEHMANN_MAX / n)
		return false;
	walsh = ARENA_ARRAY(a, double, n *(n + 1) / 2);
	for (size_t i = 0; i < n; i++)
		for (size_t j = i; j < n; j++)
			walsh[m++] = (d[i] + d[j]) / 2;
	return finish(walsh, m, signed_rank_count(a, n, alpha / 2), ret);
}

void interval_share(size_t k, size_t n, double alpha, double *ret_lower, double *ret_upper)
{
	double z = -dist_normal_quantile(alpha / 2), p, centre, half, m = (double)n;

	*ret_lower = 0;
	*ret_upper = 1;
	if (n == 0)
		return;
	p = (double)k / m;
	centre = (p + z * z / (2 * m)) / (1 + z * z / m);
	half = z / (1 + z * z / m) * sqrt(p * (1 - p) / m + z * z / (4 * m * m));
	*ret_lower = k == 0 ? 0 : fmax(0, centre - half);
	*ret_upper = k == n ? 1 : fmin(1, centre + half);
}

bool interval_mean(
	const double *x, size_t n, double alpha, double *ret_lower, double *ret_upper)
{
	double m = sample_mean(x, n), half;

	*ret_lower = *ret_upper = NAN;
	if (n < 2)
		return false;
	half = dist_t_quantile(1 - alpha / 2, (double)(n - 1)) * sample_sd(x, n, m) /
	       sqrt((double)n);
	*ret_lower = m - half;
	*ret_upper = m + half;
	return true;
}
