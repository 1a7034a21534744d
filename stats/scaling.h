/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scaling over a number of workers: speed-up, efficiency and two laws. Pure, any thread. */
#ifndef STATS_SCALING_H
#define STATS_SCALING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/error.h"

enum scaling_kind {
	SCALING_STRONG, /* the same work for all worker counts */
	SCALING_WEAK,	/* work per worker constant: efficiency = T1/Tp */
};

struct scaling_point {
	double workers; /* p >= 1 */
	double time;	/* T_p, the value of the arm, > 0 */
};

struct scaling_row {
	double workers, time;
	double speedup;	   /* strong: T1/Tp; weak: p T1/Tp */
	double efficiency; /* speedup / p */
	double karp_flatt; /* (1/S - 1/p)/(1 - 1/p) (Karp and Flatt 1990); NaN at p = 1 */
	bool superlinear;  /* efficiency > 1.02 at p > 1: look for cache effects */
	double speedup_lower, speedup_upper; /* scaling_measure; NaN: no interval */
};

struct scaling {
	struct scaling_row *rows; /* by rising workers */
	size_t n;
	double mean_efficiency; /* over p > 1; NaN when there is none */
	size_t first_drop; /* first row whose efficiency is > 20 % below the one before; n =
			      none */
	/* Strong: Amdahl 1967: 1/S = f + (1-f)/p. Weak: Gustafson 1988: S = p - f(p-1). Least
	 * squares in f, kept in [0, 1]; NaN without a point at p > 1. */
	double serial_fraction;
	double amdahl_limit; /* 1/f; infinite for f = 0; NaN when weak: there is none */
	double law_rms;	     /* root mean square error of the speed-ups */
	/* Universal scalability law (Gunther 2007): S = p/(1 + sigma (p-1) + kappa p (p-1)),
	 * least squares of p/S - 1, sigma and kappa >= 0; needs two points with p > 1. */
	bool has_usl;
	double sigma, kappa;
	double usl_peak; /* sqrt((1-sigma)/kappa) workers; infinite for kappa = 0 */
	double usl_rms;
	/* Intervals of the three, of scaling_measure: what the scatter of the processes does to
	 * them, not whether the law holds. NaN: none. */
	double serial_lower, serial_upper, sigma_lower, sigma_upper, kappa_lower, kappa_upper;
};

const char *scaling_label(double efficiency); /* > .8 "excellent", > .5 "good", else "poor" */

/* The point with p = 1 is the base and must be there once (E_UNPROCESSABLE); each p at most
 * once. */
int scaling_make(struct arena *a, enum scaling_kind kind, const struct scaling_point *points,
	size_t n, struct scaling *ret, struct error *err) must_check;

/* The process values of one number of workers. */
struct scaling_sample {
	double workers;
	const double *values; /* times, each > 0 */
	size_t n;	      /* at least 1 */
};
enum { SCALING_REPLICATES = 1000 };

/* The same from process values: T_p is their median, and with BOOTSTRAP_LEAST values or more
 * for each number of workers there are 95 % intervals: percentiles of SCALING_REPLICATES
 * bootstrap replicates, each of which draws the processes of every number of workers anew and
 * computes everything from them (Efron and Tibshirani 1993, chapter 13). */
int scaling_measure(struct arena *a, enum scaling_kind kind,
	const struct scaling_sample *samples, size_t n, uint64_t seed, struct scaling *ret,
	struct error *err) must_check;

#endif
