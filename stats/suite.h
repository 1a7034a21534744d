/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One number for a suite: the geometric mean of head/base over its benchmarks. It speaks of
 * this suite; it says nothing about other benchmarks. Always show the worst and best rows
 * beside it.
 */
#ifndef STATS_SUITE_H
#define STATS_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/error.h"
#include "stats/bootstrap.h"
#include "stats/compare.h"

struct suite_row {
	const double *base, *head; /* process values, > 0 */
	size_t n_base, n_head;
};

struct suite_number {
	double ratio; /* G = exp(mean ln(b_i/a_i)), b_i and a_i the medians of an arm */
	bool has_interval;
	double lower, upper;
	size_t worst, best;		/* rows */
	double worst_ratio, best_ratio; /* head/base there */
};

/* Interval: BCa, resampling the processes of each benchmark and arm. No interval when an arm
 * has fewer than BOOTSTRAP_LEAST processes. E_UNPROCESSABLE for no rows, an empty arm or a
 * value that is not above 0 (names the row). */
int suite_number_make(struct arena *a, const struct suite_row *rows, size_t n,
	enum compare_better better, const struct bootstrap_params *p, struct suite_number *ret,
	struct error *err) must_check;

#endif
