/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phys.satad, plain C with libm. */
#include <math.h>
#include "kernels/code.h"
#include "kernels/satad.h"

#if CODE_BITS == 64
#define F(name) name
#else
#define F(name) name##f
#endif

static void points(const struct satad_arrays *a, int64_t lo, int64_t hi)
{
	const real k = (real)SATAD_K, eps = (real)MOIST_EPS0, rest_of = (real)(1 - MOIST_EPS0);
	const real steep = (real)(SATAD_A3 * (SATAD_T0 - SATAD_A4));

	for (int64_t i = lo; i < hi; i++) {
		real t = ((const real *)a->in[0])[i], p = ((const real *)a->in[1])[i];
		real ql = ((const real *)a->in[3])[i], q = ((const real *)a->in[2])[i] + ql;
		real dry = t - k * ql, qv = q;

		for (int step = 0; step < a->steps; step++) {
			real d = t - (real)SATAD_A4;
			real e = (real)SATAD_A1 *
				 F(exp)((real)SATAD_A3 * (t - (real)SATAD_T0) / d);
			real rest = p - rest_of * e, qs = eps * e / rest;
			real slope = qs * p / rest * steep / (d * d);

			real change = (t - dry - k * (q - qs)) / (1 + k * slope);

			t -= change;
			qv = qs - slope * change;
		}
		qv = F(fmin)(qv, q);
		ql = q - qv;
		((real *)a->out[0])[i] = dry + k * ql;
		((real *)a->out[1])[i] = qv;
		((real *)a->out[2])[i] = ql;
	}
}

CODE_EXPORT(satad) = { points };
