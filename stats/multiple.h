/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Many tests at once: for colouring the view of a suite, never for alerting (an alert is
 * confirmed by re-runs instead). Pure, any thread. */
#ifndef STATS_MULTIPLE_H
#define STATS_MULTIPLE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"

/* Benjamini and Hochberg 1995: sort p, find the largest k with p_(k) <= q k/m, reject the first
 * k. is_dependent divides q by SUM 1/i (Benjamini and Yekutieli 2001). NaN counts as 1. Fills
 * ret_rejected[0..m) and returns how many are rejected. */
size_t benjamini_hochberg(struct arena *a, const double *p, size_t m, double q,
	bool is_dependent, bool *ret_rejected);
/* p values adjusted so that comparing with q gives the same answer. */
void benjamini_hochberg_adjust(
	struct arena *a, const double *p, size_t m, bool is_dependent, double *ret);
/* One-sided p of a t statistic by Student's distribution with 3 degrees of freedom: benchmark
 * noise has tails that heavy (statistics reference 1.4). */
double multiple_heavy_p(double t);

#endif
