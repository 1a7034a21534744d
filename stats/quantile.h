/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Order statistics, spread and the numbers that stand for a sample. Pure functions of double[],
 * any thread; scratch comes from the caller's arena. No value may be NaN unless said otherwise
 * (values_check finds them); an empty sample gives NaN. */
#ifndef STATS_QUANTILE_H
#define STATS_QUANTILE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/error.h"

/* E_UNPROCESSABLE naming the index (0-based) of the first value that is NaN or infinite. */
int values_check(const double *x, size_t n, struct error *err) must_check;
bool values_are_positive(const double *x, size_t n); /* all > 0 */

/* Ascending, in place. */
void sample_sort(double *x, size_t n);
double *sample_sorted(struct arena *a, const double *x, size_t n); /* a sorted copy */
/* Natural logarithms, a new array. */
double *sample_logs(struct arena *a, const double *x, size_t n);

/* Quantile of type 7 of a sorted sample: r = q(n-1), linear between neighbours (Hyndman and Fan
 * 1996). 0 <= q <= 1. */
double sample_quantile(const double *sorted, size_t n, double q);
double sample_median(struct arena *a, const double *x, size_t n);
/* The same without scratch: sorts x. */
double sample_median_in_place(double *x, size_t n);
/* Sums run from the first value to the last, in double, so that Bencher's tests agree bit for
 * bit. sd has n-1 and is NaN for n < 2. */
double sample_mean(const double *x, size_t n);
double sample_sd(const double *x, size_t n, double mean);
/* 1.4826 times the median of |x - median|: estimates the sd of normal data. */
double sample_mad(struct arena *a, const double *x, size_t n);

/* Value of a process (of its samples), of an arm or of a commit (of its process values): the
 * median on the log scale, exp(median(ln x)); with a value <= 0 in it the plain median. */
double sample_centre(struct arena *a, const double *x, size_t n);

/* What a report shows of one arm's process values. */
struct summary {
	size_t n;
	double min, max, mean, sd, cv; /* cv = sd/|mean| */
	double median, q1, q3, mad;
	bool has_interval;   /* of the median: by order statistics, n >= 6 at 95 % */
	double lower, upper; /* the interval; NaN without */
};
void sample_summarise(
	struct arena *a, const double *x, size_t n, double alpha, struct summary *ret);

/* Samples within processes, one-way random effects on ln x (raw scale if a value is <= 0):
 * ICC = (MSB - MSW)/(MSB + (k-1) MSW), at least 0; design effect = 1 + (k-1) ICC; k = samples
 * per process (n0 of Donner and Koval 1980 when unequal). False with fewer than 2 processes or
 * when no process has 2 samples. */
struct clustering {
	double icc, design_effect, samples_per_process;
};
bool sample_clustering(struct arena *a, const double *const *samples, const size_t *n_samples,
	size_t n_processes, struct clustering *ret);

/* 95th percentile of |differences| (relative A/A differences of the past, or of consecutive
 * runs of one commit): the noise floor. */
double sample_noise_floor(struct arena *a, const double *differences, size_t n);

#endif
