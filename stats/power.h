/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Power: what a comparison can see, and how many processes it takes. Pure, any thread. */
#ifndef STATS_POWER_H
#define STATS_POWER_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/error.h"

/* Smallest detectable effect of m values against n, one-sided level alpha, as a relative change
 * (.07 = 7 %): exp((T_nu^-1(1-alpha) + Phi^-1(power)) s sqrt(1/m + 1/n)) - 1, s = sd of the
 * logarithms; nu <= 0 stands for m + n - 2. NaN when nu < 1 or s is not a number. */
double power_mde(double s, size_t m, size_t n, double nu, double alpha, double power);

/* Processes per side to see a relative effect: ceil(2 (z_{1-alpha} + z_power)^2 s^2 /
 * ln(1+effect)^2), at least 1; SIZE_MAX when the effect is 0. */
size_t power_processes(double s, double effect, double alpha, double power);

/* --- Kalibera and Jones 2013: how many repetitions at which level --- */

enum { KJ_MAX_LEVELS = 4 };

/* A balanced nested experiment: level 0 = samples, the top level = processes or builds. values
 * has r[0] * r[1] * ... numbers, the lowest level varying fastest. */
struct kj_design {
	size_t n_levels;	    /* 2..KJ_MAX_LEVELS */
	size_t r[KJ_MAX_LEVELS];    /* repetitions at each level, >= 2 */
	double cost[KJ_MAX_LEVELS]; /* of one more at this level, > 0, any one unit */
};

struct kj_plan {
	double s2[KJ_MAX_LEVELS]; /* S_i^2: mean sample variance of level-i means */
	double t2[KJ_MAX_LEVELS]; /* T_i^2 = max(0, S_i^2 - S_{i-1}^2/r_{i-1}) */
	size_t r[KJ_MAX_LEVELS];  /* best repetitions; the top level takes the rest: 0 */
};

/* Best r_i = ceil(sqrt(c_{i+1}/c_i * T_i^2/T_{i+1}^2)) below the top, at least 1; where
 * T_{i+1}^2 = 0, as many as asked for in the design. */
int kj_plan_make(struct arena *a, const struct kj_design *d, const double *values,
	struct kj_plan *ret, struct error *err) must_check;

/* Fieller's interval of the ratio of means y_new/y_old with half-widths h_new, h_old: false
 * when the old mean is not clearly different from 0 (y_old^2 <= h_old^2). */
bool ratio_interval(double y_new, double h_new, double y_old, double h_old, double *ret_lower,
	double *ret_upper);

#endif
