/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phys.rain_ice, plain C with libm, column by column. */
#include <stdlib.h>
#include "kernels/code.h"
#if CODE_BITS == 64
#define F(name) name
#else
#define F(name) name##f
#endif
#include "kernels/rain_formulas.h"

static void columns(const struct rain_arrays *a, int64_t lo, int64_t hi)
{
	struct point *q = a->scratch;

	for (int64_t c = lo; c < hi; c++) {
		for (int64_t k = 0; k < a->levels; k++) {
			int64_t i = k * a->pitch + c;

			q[k].p = ((const real *)a->p)[i];
			q[k].rho = ((const real *)a->rho)[i];
			for (int f = 0; f < RAIN_FIELDS; f++)
				q[k].x[f] = ((const real *)a->in[f])[i];
		}
		((real *)a->precip)[c] = column(q, a->dz, a->levels, (real)a->dt);
		for (int64_t k = 0; k < a->levels; k++)
			for (int f = 0; f < RAIN_FIELDS; f++)
				((real *)a->out[f])[k * a->pitch + c] = q[k].x[f];
	}
}

CODE_EXPORT(rain) = { columns };
