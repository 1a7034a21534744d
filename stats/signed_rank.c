/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Wilcoxon's signed-rank test. */
#include "stats/rank.h"

#include <math.h>
#include <string.h>
#include "stats/dist.h"

/* counts[w] = number of sign patterns whose positive (doubled) ranks sum to w: adding one rank
 * r shifts and adds. All terms are positive, so nothing cancels. */
static double *subset_sums(struct arena *a, const size_t *ranks, size_t n, size_t total)
{
	double *c = ARENA_ARRAY(a, double, total + 1);
	size_t reach = 0;

	c[0] = 1;
	for (size_t i = 0; i < n; i++) {
		reach += ranks[i];
		for (size_t w = reach + 1; w-- > ranks[i];)
			c[w] += c[w - ranks[i]];
	}
	return c;
}

static double lower_tail(const double *counts, size_t w, size_t n)
{
	double s = 0;

	for (size_t i = 0; i <= w; i++)
		s += counts[i];
	return ldexp(s, -(int)n);
}

static size_t drop_zeros(const double *d, size_t n, double *ret_abs, double *ret_signed)
{
	size_t m = 0;

	for (size_t i = 0; i < n; i++)
		if (d[i] != 0) {
			ret_abs[m] = fabs(d[i]);
			ret_signed[m++] = d[i];
		}
	return m;
}

static double exact_p(struct arena *a, const double *rank, size_t n, double w)
{
	size_t *doubled = ARENA_ARRAY(a, size_t, n);
	double *counts;

	for (size_t i = 0; i < n; i++)
		doubled[i] = (size_t)(2 * rank[i]);
	counts = subset_sums(a, doubled, n, n * (n + 1));
	return fmin(1, 2 * lower_tail(counts, (size_t)(2 * w), n));
}

static double normal_log10_p(double n, double w, double ties)
{
	double v = n * (n + 1) * (2 * n + 1) / 24 - ties / 48;

	return v > 0 ? dist_normal_log10_two_sided((n * (n + 1) / 4 - w - .5) / sqrt(v)) : 0;
}

void signed_rank(struct arena *a, const double *d, size_t n, struct rank_test *ret)
{
	double *magnitude = ARENA_ARRAY(a, double, n), *kept = ARENA_ARRAY(a, double, n);
	double *rank = ARENA_ARRAY(a, double, n), ties, plus = 0, all;
	size_t m = drop_zeros(d, n, magnitude, kept);

	*ret = (struct rank_test){ .p = 1, .n = m, .exact = true };
	if (m == 0)
		return;
	ties = rank_midranks(a, magnitude, m, rank);
	for (size_t i = 0; i < m; i++)
		plus += kept[i] > 0 ? rank[i] : 0;
	all = (double)m * (double)(m + 1) / 2;
	ret->statistic = fmin(plus, all - plus);
	ret->exact = ties == 0 ? m <= SIGNED_RANK_EXACT : m <= 20;
	if (ret->exact) {
		ret->p = exact_p(a, rank, m, ret->statistic);
		ret->log10_p = log10(ret->p);
	} else {
		ret->log10_p = normal_log10_p((double)m, ret->statistic, ties);
		ret->p = fmax(pow(10, ret->log10_p), 4.9e-324);
	}
}

static uint64_t normal_count(double n, double p)
{
	double k = n * (n + 1) / 4 +
		   dist_normal_quantile(p) * sqrt(n * (n + 1) * (2 * n + 1) / 24);

	return k > 0 ? (uint64_t)k : 0;
}

uint64_t signed_rank_count(struct arena *a, size_t n, double p)
{
	size_t *ranks, total = n * (n + 1) / 2;
	double *counts, sum = 0;
	uint64_t k = 0;

	if (n > SIGNED_RANK_EXACT)
		return normal_count((double)n, p);
	ranks = ARENA_ARRAY(a, size_t, n);
	for (size_t i = 0; i < n; i++)
		ranks[i] = i + 1;
	counts = subset_sums(a, ranks, n, total);
	for (; k <= total; k++) {
		sum += counts[k];
		if (ldexp(sum, -(int)n) > p)
			break;
	}
	return k;
}
