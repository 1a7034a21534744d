/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/trend.h"

#include <math.h>
#include "stats/dist.h"
#include "stats/quantile.h"

enum { MAX_POINTS = 5000 };

static const double *newest(const double *x, size_t *n)
{
	const double *from = *n > MAX_POINTS ? x + *n - MAX_POINTS : x;

	*n = MIN(*n, (size_t)MAX_POINTS);
	return from;
}

double theil_sen(struct arena *a, const double *x, size_t n)
{
	double *slope;
	size_t m = 0;

	x = newest(x, &n);
	if (n < 2)
		return NAN;
	slope = ARENA_ARRAY(a, double, n *(n - 1) / 2);
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			slope[m++] = (x[j] - x[i]) / (double)(j - i);
	return sample_median_in_place(slope, m);
}

static double score(const double *x, size_t n)
{
	double s = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			s += (x[j] > x[i]) - (x[j] < x[i]);
	return s;
}

/* SUM c(c-1)(2c+5) over groups of c equal values. */
static double tie_term(struct arena *a, const double *x, size_t n)
{
	double *s = sample_sorted(a, x, n), sum = 0;

	for (size_t i = 0, j; i < n; i = j) {
		double c;

		for (j = i + 1; j < n && s[j] == s[i]; j++)
			;
		c = (double)(j - i);
		sum += c * (c - 1) * (2 * c + 5);
	}
	return sum;
}

/* P(inversions <= k) of a random permutation of n: counts by inserting one element after
 * another, each as a sliding sum. */
static double inversions_lower(struct arena *a, size_t n, size_t k)
{
	size_t most = n * (n - 1) / 2;
	double *c = ARENA_ARRAY(a, double, most + 1), *next = ARENA_ARRAY(a, double, most + 1);
	double sum = 0;

	c[0] = 1;
	for (size_t m = 2; m <= n; m++) {
		double *swap = c;

		for (size_t i = 0; i <= m * (m - 1) / 2; i++) {
			next[i] = 0;
			for (size_t j = i >= m - 1 ? i - (m - 1) : 0; j <= i; j++)
				next[i] += c[j] / (double)m;
		}
		c = next;
		next = swap;
	}
	for (size_t i = 0; i <= k; i++)
		sum += c[i];
	return sum;
}

static double normal_p(double s, double n, double ties)
{
	double v = (n * (n - 1) * (2 * n + 5) - ties) / 18;
	double z = v > 0 ? (fabs(s) - 1) / sqrt(v) : 0;

	return z > 0 ? 2 * dist_normal_upper(z) : 1;
}

void mann_kendall(struct arena *a, const double *x, size_t n, struct trend *ret)
{
	double pairs, ties;

	x = newest(x, &n);
	*ret = (struct trend){ .p = 1, .slope = theil_sen(a, x, n) };
	if (n < 3)
		return;
	pairs = (double)n * (double)(n - 1) / 2;
	ret->s = score(x, n);
	ret->tau = ret->s / pairs;
	ties = tie_term(a, x, n);
	ret->exact = ties == 0 && n <= MANN_KENDALL_EXACT;
	if (ret->exact)
		ret->p = fmin(
			1, 2 * inversions_lower(a, n, (size_t)((pairs - fabs(ret->s)) / 2)));
	else
		ret->p = normal_p(ret->s, (double)n, ties);
}
