/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wave.h"

/* Central differences in space, leapfrog in time. */
void wave_step(double *next, const double *now, const double *before, int n, double courant)
{
	double c2 = courant * courant;

	for (int i = 1; i < n - 1; i++)
		next[i] = 2 * now[i] - before[i] + c2 * (now[i + 1] - 2 * now[i] + now[i - 1]);
}
