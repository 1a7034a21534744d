/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steady state of a run: a rule while measuring, and an analysis of long series afterwards. */
#ifndef STATS_STEADY_H
#define STATS_STEADY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/error.h"

enum { STEADY_WINDOW = 10 };

/* While warming up: is the last window of samples (W = n, usually STEADY_WINDOW) steady?
 * |Theil-Sen slope| W / median < 1 % and |median of the first half - median of the second| <
 * max(1 % of the median, 3 SE). SE = standard error of a difference of two medians of W/2
 * values, 1.4826 MAD sqrt(pi/2 * 2/(W/2)). n < 4: false. */
bool steady_window(struct arena *a, const double *x, size_t n);

/* Afterwards: where a long in-process series becomes steady (Traini, Cortellessa, Di Pompeo and
 * Tucci 2022, after Barrett et al. 2017). */
struct steady_params {
	size_t window;	   /* for marking outliers: 200 */
	size_t least_tail; /* steady iff the last so many samples belong to it: 500 */
	double tolerance;  /* .05: segments whose mean ratio may lie in +-5 % are one level */
	size_t replicates; /* 10000 */
	double alpha;	   /* .05 */
	uint64_t seed;
};
struct steady_params steady_defaults(void);

struct steady {
	bool is_steady;
	size_t start;	   /* first sample of the steady part; n when there is none */
	size_t skipped;	   /* samples left out at the start */
	size_t n_outliers; /* marked */
	size_t n_segments;
};

enum { STEADY_MAX_SAMPLES = 20000 };

/* x: seconds per sample, > 0. Skips ceil(200/ln(1 + ceil(.1/mean))) samples; marks what lies
 * outside median +- 3(p99 - p1) of any window that contains it; segments the rest by optimal
 * partitioning with cost m(ln(2 pi var) + 1), least segment 2, penalty 15 ln n; walks back from
 * the last segment while the bootstrap interval of the ratio of means does not lie wholly
 * outside 1 +- tolerance. E_UNPROCESSABLE for values not above 0, E_TOO_LARGE over
 * STEADY_MAX_SAMPLES. */
int steady_find(struct arena *a, const double *x, size_t n, const struct steady_params *p,
	struct steady *ret, struct error *err) must_check;

#endif
