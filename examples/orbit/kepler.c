/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include "kepler.h"

/* Kepler's equation by Newton's method with a fixed number of steps. */
static double newton_step(double x, double m, double e)
{
	return x - (x - e * sin(x) - m) / (1 - e * cos(x));
}

double kepler_solve(double m, double e)
{
	double x = m + e * sin(m);

	for (int i = 0; i < KEPLER_STEPS; i++)
		x = newton_step(x, m, e);
	return x;
}
