/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef KEPLER_H
#define KEPLER_H

#define KEPLER_STEPS 10

/* Eccentric anomaly E of E - e sin E = m, in radians, 0 <= e < 1. */
double kepler_solve(double m, double e);

#endif
