/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Optimal partitioning: the segmentation that minimises SUM (cost of a segment + beta)
 * (Jackson et al. 2005; without the pruning of PELT, whose results it equals). O(n^2). */
#ifndef STATS_PARTITION_H
#define STATS_PARTITION_H

#include <stddef.h>
#include "base/arena.h"
#include "stats/changepoint.h"

/* Costs of all segments [s, t) for one s: fills cost[t] for every t in s+least..n. Called with
 * s rising: 0, then least..n-least. */
typedef void (*partition_cost)(void *arg, size_t s, size_t n, double *cost);

/* F(0) = -beta; F(t) = min over s of F(s) + C(s,t) + beta, s = 0 or s >= least, t - s >= least;
 * ties take the smallest s. */
void partition_find(struct arena *a, size_t n, size_t least, double beta, partition_cost cost,
	void *arg, struct change_points *ret);

/* pelt_mbic: z-scored series (sd n-1, 1 if 0), C = sum of squares about the mean + ln(t-s),
 * beta = penalty ln n (Zhang and Siegmund 2007, as in the R package changepoint). */
int pelt_mbic_detect(struct mw_tails *tails, struct arena *a, const double *x, size_t n,
	const struct detector_params *p, struct change_points *ret);
/* pelt_trend: z-scored, C = min(SSE of a constant, SSE of a least-squares line + ln n). For
 * sizes and memory growth, never for timings: a slow wander becomes a chain of lines. */
int pelt_trend_detect(struct mw_tails *tails, struct arena *a, const double *x, size_t n,
	const struct detector_params *p, struct change_points *ret);
/* potts_l1: C = SUM |y - median|, beta = penalty s ln n, s = 1.4826 MAD(first differences) /
 * sqrt 2 (0: population sd, then 1) (Storath, Weinmann and Unser 2017). O(n^2 log n). */
int potts_l1_detect(struct mw_tails *tails, struct arena *a, const double *x, size_t n,
	const struct detector_params *p, struct change_points *ret);

/* Divisive splits at the best place for pelt_mbic's cost, at most max_changes, each worth more
 * than beta = penalty ln n: the BinSeg of the R package, a peer in evaluations. Indices are
 * those of this library. */
void binary_segmentation(struct arena *a, const double *x, size_t n, double penalty,
	size_t max_changes, struct change_points *ret);

#endif
