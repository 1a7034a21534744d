/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trend over an order: drift of a run over its processes. Pure, any thread. */
#ifndef STATS_TREND_H
#define STATS_TREND_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"

enum { MANN_KENDALL_EXACT = 40 };

struct trend {
	double s;     /* Kendall's score: rising minus falling pairs */
	double tau;   /* s / (n(n-1)/2) */
	double p;     /* two-sided */
	bool exact;   /* from the counts of inversions (no ties, n <= MANN_KENDALL_EXACT) */
	double slope; /* Theil-Sen: the median of (x_j - x_i)/(j - i), per position */
};

/* Mann-Kendall test (Mann 1945; Kendall 1975). Normal branch: variance (n(n-1)(2n+5) -
 * SUM c(c-1)(2c+5))/18 over tied groups, continuity 1. n < 3 or no variance: p = 1. The slope
 * is NaN for n < 2. At most 5,000 points are used (the newest). */
void mann_kendall(struct arena *a, const double *x, size_t n, struct trend *ret);
/* Theil-Sen slope alone. */
double theil_sen(struct arena *a, const double *x, size_t n);

#endif
