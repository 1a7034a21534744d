/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Intervals: for quantiles, shifts, means and shares. Pure, any thread. alpha is the two-sided
 * error rate (.05 = a 95 % interval). Where a sample is too small for its level there is no
 * interval: the function says false and the bounds are NaN, never a guess. */
#ifndef STATS_INTERVAL_H
#define STATS_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "stats/mw_tails.h"

/* 1-based ranks [*ret_l, *ret_u] of the order-statistic interval of quantile q: l = the largest
 * with P(Bin(n,q) <= l-1) <= alpha/2, u = the smallest with P(Bin(n,q) >= u) <= alpha/2 (Hahn
 * and Meeker 1991). False when l = 0 or u > n. The median at 95 % needs n >= 6. */
bool interval_ranks(size_t n, double q, double alpha, size_t *ret_l, size_t *ret_u);
/* The values at those ranks of a sorted sample. */
bool interval_quantile(const double *sorted, size_t n, double q, double alpha,
	double *ret_lower, double *ret_upper);

/* An estimate with its interval. */
struct estimate {
	double value;
	bool has_interval;
	double lower, upper; /* NaN without */
	size_t k;	     /* bounds are the k-th smallest and k-th largest of n_candidates */
	size_t n_candidates;
};

enum { HODGES_LEHMANN_MAX = 4 * 1000 * 1000 }; /* differences held at once, 32 MB */

/* Shift of y against x: the median of all y_j - x_i, interval by inverting the Mann-Whitney
 * test (Hodges and Lehmann 1963; Hollander, Wolfe and Chicken 2014, 4.2-4.3). Give logarithms
 * for ratios. False, with value NaN, when a sample is empty or n_x n_y > HODGES_LEHMANN_MAX. */
bool hodges_lehmann(struct mw_tails *tails, struct arena *a, const double *x, size_t n_x,
	const double *y, size_t n_y, double alpha, struct estimate *ret);
/* Centre of paired differences: the median of the Walsh averages (d_i + d_j)/2, i <= j,
 * interval by inverting the signed-rank test (the same, 3.2-3.3). */
bool hodges_lehmann_paired(
	struct arena *a, const double *d, size_t n, double alpha, struct estimate *ret);

/* Wilson's interval for a share of k in n (Wilson 1927); n = 0 gives [0, 1]. */
void interval_share(size_t k, size_t n, double alpha, double *ret_lower, double *ret_upper);
/* Student's interval of the mean; false for n < 2. */
bool interval_mean(
	const double *x, size_t n, double alpha, double *ret_lower, double *ret_upper);

#endif
