/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rank tests: Mann-Whitney (two samples) and Wilcoxon's signed-rank test (pairs).
 *
 * Units of inference are process values or commit values, never samples of one process. Values
 * must be finite. Functions are pure except for the table cache, which belongs to one thread.
 */
#ifndef STATS_RANK_H
#define STATS_RANK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "stats/mw_tails.h"

struct rank_test {
	double statistic; /* U of the first sample, or W = the smaller signed rank sum */
	double p;	  /* two-sided, in (0, 1] */
	double log10_p;	  /* does not underflow */
	bool exact;	  /* from the exact null distribution, not the normal one */
	size_t n;	  /* observations that counted (zeros dropped for pairs) */
};

/* Ranks from 1; equal values share the mean of theirs. Returns SUM (c^3 - c) over groups of c
 * equal values, 0 when there is no tie. */
double rank_midranks(struct arena *a, const double *x, size_t n, double *ret);

/* Two-sided test of two samples. Exact when nothing is tied and the tails cover the sizes, else
 * normal with tie and continuity correction: z = (mn/2 - u - 1/2)/sd, u = min(U, mn - U),
 * sd^2 = mn/12 ((N+1) - SUM(c^3-c)/(N(N-1))), sd = 0: p = 1. An empty sample: p = 1. */
void mann_whitney(struct mw_tails *tails, struct arena *a, const double *x, size_t n_x,
	const double *y, size_t n_y, struct rank_test *ret);
/* One-sided p = P(U >= observed) of "x tends to be larger than y", by the same rules. */
double mann_whitney_greater(struct mw_tails *tails, struct arena *a, const double *x,
	size_t n_x, const double *y, size_t n_y);

/* Two-sided signed-rank test of differences. Zeros are dropped. Without ties exact up to
 * n = SIGNED_RANK_EXACT; with ties by full enumeration over doubled ranks up to n = 20; else
 * normal with tie and continuity correction. No difference left: p = 1. */
enum { SIGNED_RANK_EXACT = 200 };
void signed_rank(struct arena *a, const double *d, size_t n, struct rank_test *ret);
/* Number of w >= 0 with P(W <= w) <= p in the null distribution of n untied pairs: the index k
 * of the interval [A_(k), A_(N+1-k)] over Walsh averages. Normal approximation over
 * SIGNED_RANK_EXACT. */
uint64_t signed_rank_count(struct arena *a, size_t n, double p);

#endif
