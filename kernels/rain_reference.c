/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

typedef double real;
#define F(name) name
#include "kernels/rain_formulas.h"

_Static_assert(sizeof(struct point) == sizeof(struct rain_point), "the same point");

void rain_processes(struct rain_point *q, double dt)
{
	struct point x;

	memcpy(&x, q, sizeof(x));
	processes(&x, dt);
	memcpy(q, &x, sizeof(x));
}

double rain_column(struct rain_point *q, const double *dz, int64_t levels, double dt)
{
	return column((struct point *)q, dz, levels, dt);
}
