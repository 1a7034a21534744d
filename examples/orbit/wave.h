/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef WAVE_H
#define WAVE_H

/* One leapfrog step of the wave equation on n points with fixed ends. */
void wave_step(double *next, const double *now, const double *before, int n, double courant);

#endif
