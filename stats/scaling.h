/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scaling over a number of workers: speed-up, efficiency and two laws. Pure, any thread. */
#ifndef STATS_SCALING_H
#define STATS_SCALING_H

#include <stdbool.h>
#include <stddef.h>
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
};

struct scaling {
	struct scaling_row *rows; /* by rising workers */
	size_t n;
	double mean_efficiency; /* over p > 1; NaN when there is none */
	size_t first_drop; /* first row whose efficiency is > 20 % below the one before; n =
			      none */
	/* Amdahl 1967: 1/S = f + (1-f)/p, least squares in f, kept in [0, 1]. */
	double serial_fraction, amdahl_limit; /* limit 1/f; infinite for f = 0 */
	double amdahl_rms;		      /* root mean square error of the speed-ups */
	/* Universal scalability law (Gunther 2007): S = p/(1 + sigma (p-1) + kappa p (p-1)),
	 * least squares of p/S - 1, sigma and kappa >= 0; needs two points with p > 1. */
	bool has_usl;
	double sigma, kappa;
	double usl_peak; /* sqrt((1-sigma)/kappa) workers; infinite for kappa = 0 */
	double usl_rms;
};

const char *scaling_label(double efficiency); /* > .8 "excellent", > .5 "good", else "poor" */

/* The point with p = 1 is the base and must be there once (E_UNPROCESSABLE); each p at most
 * once. */
int scaling_make(struct arena *a, enum scaling_kind kind, const struct scaling_point *points,
	size_t n, struct scaling *ret, struct error *err) must_check;

#endif
