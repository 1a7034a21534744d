/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nbody, plain C. */
#include "kernels/nbody.h"
#include <math.h>
#include "kernels/code.h"

#if CODE_BITS == 64
#define SQRT sqrt
#else
#define SQRT sqrtf
#endif

static void accelerate(const struct nbody_state *s, int64_t lo, int64_t hi)
{
	const real *x = s->x, *y = s->y, *z = s->z, *m = s->m;
	real *out_x = s->ax, *out_y = s->ay, *out_z = s->az;

	for (int64_t i = lo; i < hi; i++) {
		real ax = 0, ay = 0, az = 0;

		for (int64_t j = 0; j < s->n; j++) {
			real dx = x[j] - x[i], dy = y[j] - y[i], dz = z[j] - z[i];
			real r2 = dx * dx + dy * dy + dz * dz + (real)NBODY_SOFTENING;
			real f = m[j] / (r2 * SQRT(r2));

			ax += dx * f;
			ay += dy * f;
			az += dz * f;
		}
		out_x[i] = ax;
		out_y[i] = ay;
		out_z[i] = az;
	}
}

CODE_EXPORT(nbody) = { accelerate };
