/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fma_peak, plain C: eight numbers side by side hide the latency; product and sum are rounded
 * separately. */
#include "kernels/code.h"
#include "kernels/fma.h"

enum { CHAINS = 8 };

static void block(void *out_, const void *x_, int64_t steps)
{
	const real a = (real)FMA_A, b = (real)FMA_B;
	const real *x = x_;
	real *out = out_;

	for (int i = 0; i < FMA_BLOCK; i += CHAINS) {
		real v[CHAINS];

		for (int c = 0; c < CHAINS; c++)
			v[c] = x[i + c];
		for (int64_t s = 0; s < steps; s++)
#pragma GCC unroll 8
			for (int c = 0; c < CHAINS; c++)
				v[c] = v[c] * a + b;
		for (int c = 0; c < CHAINS; c++)
			out[i + c] = v[c];
	}
}

CODE_EXPORT(fma) = { block };
