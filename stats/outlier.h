/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outliers: marked, never deleted. Robust statistics come first; all raw values stay stored. */
#ifndef STATS_OUTLIER_H
#define STATS_OUTLIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"

/* Hampel's rule: |x - median| > limit * 1.4826 MAD (limit 3). With MAD = 0 whatever differs
 * from the median is marked. Returns how many. */
size_t outliers_mark(struct arena *a, const double *x, size_t n, double limit, bool *ret_is);
/* Copy with z = (x - median)/MAD* cut at +-limit (4): for a mean that one value cannot move.
 * MAD = 0 leaves the values. */
double *outliers_winsorise(struct arena *a, const double *x, size_t n, double limit);

/* Two modes: Hartigan's dip (Hartigan and Hartigan 1985), the largest distance of the empirical
 * distribution from the nearest unimodal one. p by simulation of the uniform distribution
 * (seeded). Where p is small, report both modes and the share of the slow one. */
double dip_statistic(struct arena *a, const double *x, size_t n);
double dip_p(struct arena *a, const double *x, size_t n, size_t n_simulations, uint64_t seed);

/* Two modes parted at the cut that leaves the least squares on both sides. False for n < 4 or
 * no variance. */
struct modes {
	double cut, fast, slow; /* fast, slow: medians of the values below and above the cut */
	double slow_share;
};
bool modes_split(struct arena *a, const double *x, size_t n, struct modes *ret);

#endif
