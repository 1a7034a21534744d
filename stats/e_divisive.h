/* SPDX-License-Identifier: GPL-3.0-or-later */
/* e_divisive as Apache Otava (formerly Hunter) applies it: energy statistics inside windows
 * (Matteson and James 2014), a t-test instead of permutations, then merging from weak to
 * strong. Not calibrated, since the p value is taken after a maximum: for compatibility, not a
 * default.
 */
#ifndef STATS_E_DIVISIVE_H
#define STATS_E_DIVISIVE_H

#include "stats/changepoint.h"

/* Parameters used: window (50), p (.001), magnitude (0). */
int e_divisive_detect(struct mw_tails *tails, struct arena *a, const double *x, size_t n,
	const struct detector_params *p, struct change_points *ret);

#endif
