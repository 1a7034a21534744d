/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Distributions as this library needs them, on top of GSL. Pure functions, any thread.
 *
 * GSL calls abort() on a domain error; these wrappers check first, so no input of a user gets
 * there. */
#ifndef STATS_DIST_H
#define STATS_DIST_H

/* Quantile of the standard normal distribution, 0 < p < 1 (-INFINITY at 0, INFINITY at 1). */
double dist_normal_quantile(double p);
/* P(Z > z). */
double dist_normal_upper(double z);
/* log10 of the two-sided tail 2 P(Z > z), 0 for z <= 0. From z = 8 on by the leading term of
 * the asymptotic series, phi(z)/z (Abramowitz and Stegun 26.2.12), so that it never
 * underflows. */
double dist_normal_log10_two_sided(double z);

/* Quantile of Student's distribution, nu >= 1 degrees of freedom (smaller ones count as 1),
 * 0 < p < 1. GSL's value, polished by Newton steps on the nearer tail. */
double dist_t_quantile(double p, double nu);
/* P(T > t). */
double dist_t_upper(double t, double nu);
/* min(1, 2 P(T > |t|)). */
double dist_t_two_sided(double t, double nu);

#endif
