/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bootstrap intervals, bias-corrected and accelerated (BCa; Efron 1987). What is resampled are
 * processes, not samples. Seeded: the same seed gives the same interval. */
#ifndef STATS_BOOTSTRAP_H
#define STATS_BOOTSTRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "stats/interval.h"

enum { BOOTSTRAP_LEAST = 6, BOOTSTRAP_REPLICATES = 10000 };

struct bootstrap_params {
	size_t replicates; /* 0 = BOOTSTRAP_REPLICATES */
	double alpha;	   /* two-sided; 0 = .05 */
	uint64_t seed;	   /* stored with the result */
};

/* A statistic of n_groups arrays. It may reorder the values it is given (they are a scratch
 * copy), but not keep them. */
typedef double (*bootstrap_statistic)(
	double *const *x, const size_t *n, size_t n_groups, void *arg);

/* Independent groups (one sample = one group; two arms = two): each group is resampled by
 * itself, in each replicate. Fewer than BOOTSTRAP_LEAST values in any group: no interval, only
 * the estimate. ret->k is 0.
 *
 * z0 = Phi^-1(share of replicates below the estimate); a from the jackknife over all values,
 * one left out at a time; quantiles of type 7 at Phi(z0 + (z0+z)/(1 - a(z0+z))). */
void bootstrap_groups(struct arena *a, const double *const *x, const size_t *n, size_t n_groups,
	bootstrap_statistic f, void *arg, const struct bootstrap_params *p,
	struct estimate *ret);

/* Samples inside processes: each replicate resamples the processes, then the samples inside
 * each. The statistic sees one array per process. The jackknife leaves out whole processes. */
void bootstrap_nested(struct arena *a, const double *const *samples, const size_t *n_samples,
	size_t n_processes, bootstrap_statistic f, void *arg, const struct bootstrap_params *p,
	struct estimate *ret);

/* Statistics ready to use; arg is not read. */
double bootstrap_mean(double *const *x, const size_t *n, size_t n_groups, void *arg);
double bootstrap_median(double *const *x, const size_t *n, size_t n_groups, void *arg);
/* Group 1 over group 0: of medians, of means. */
double bootstrap_median_ratio(double *const *x, const size_t *n, size_t n_groups, void *arg);
double bootstrap_mean_ratio(double *const *x, const size_t *n, size_t n_groups, void *arg);

/* The BCa bounds from an estimate, its replicates (sorted here) and its jackknife values. */
bool bootstrap_bca(double estimate, double *replicates, size_t n_replicates,
	const double *jackknife, size_t n_jackknife, double alpha, double *ret_lower,
	double *ret_upper);

#endif
