/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/dist.h"

#include <math.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

double dist_normal_quantile(double p)
{
	if (isnan(p) || p < 0 || p > 1)
		return NAN;
	if (p == 0 || p == 1)
		return p == 0 ? -INFINITY : INFINITY;
	return gsl_cdf_ugaussian_Pinv(p);
}

double dist_normal_upper(double z)
{
	return isnan(z) ? NAN : gsl_cdf_ugaussian_Q(z);
}

double dist_normal_log10_two_sided(double z)
{
	if (!(z > 0))
		return 0;
	if (z <= 8)
		return log10(2 * gsl_cdf_ugaussian_Q(z));
	return log10(2) - z * z / (2 * M_LN10) - log10(z * sqrt(2 * M_PI));
}

/* t with P(T > t) = q for 0 < q <= 1/2. Newton on ln Q converges from GSL's value in one or two
 * steps; a step that would leave the neighbourhood is not taken. */
static double upper_t_quantile(double q, double nu)
{
	double t = gsl_cdf_tdist_Qinv(q, nu);

	for (int i = 0; i < 3 && t > 0 && isfinite(t); i++) {
		double tail = gsl_cdf_tdist_Q(t, nu), density = gsl_ran_tdist_pdf(t, nu);
		double step = density > 0 ? tail * log(tail / q) / density : 0;

		if (!(fabs(step) < .1 * t))
			break;
		t += step;
		if (fabs(step) < 1e-15 * t)
			break;
	}
	return t;
}

double dist_t_quantile(double p, double nu)
{
	if (isnan(p) || isnan(nu) || p < 0 || p > 1)
		return NAN;
	if (p == 0 || p == 1)
		return p == 0 ? -INFINITY : INFINITY;
	nu = nu < 1 ? 1 : nu;
	return p < .5 ? -upper_t_quantile(p, nu) : upper_t_quantile(1 - p, nu);
}

double dist_t_upper(double t, double nu)
{
	if (isnan(t) || isnan(nu))
		return NAN;
	if (isinf(t))
		return t > 0 ? 0 : 1;
	return gsl_cdf_tdist_Q(t, nu < 1 ? 1 : nu);
}

double dist_t_two_sided(double t, double nu)
{
	double p = 2 * dist_t_upper(fabs(t), nu);

	return p > 1 ? 1 : p;
}
