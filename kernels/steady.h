/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When the warm-up is over. Pure functions; any thread. */
#ifndef KERNELS_STEADY_H
#define KERNELS_STEADY_H

#include <stdbool.h>
#include <stddef.h>

enum { STEADY_WINDOW = 10 };

/* Whether the last STEADY_WINDOW of values[0..n) are steady: the Theil-Sen slope (Theil 1950,
 * Sen 1968) over the window is below 1 % of the median, and the medians of its halves differ
 * by less than max(1 %, 3 standard errors taken from the MAD). Fewer values are not. */
bool steady_is_reached(const double *values, size_t n);
/* Median; reorders a copy, n >= 1. */
double steady_median(const double *values, size_t n);

#endif
