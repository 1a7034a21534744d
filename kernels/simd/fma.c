/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fma_peak in vectors: enough chains for two units of four cycles latency, few enough for the
 * registers (16, or 32 with AVX-512). FMA_BLOCK is a whole number of chains. */
#include "kernels/fma.h"
#include "kernels/simd/simd.h"

#if defined(__AVX512F__)
enum { CHAINS = FMA_BLOCK / LANES < 16 ? FMA_BLOCK / LANES : 16 };
#else
enum { CHAINS = 8 };
#endif
_Static_assert(FMA_BLOCK % (CHAINS * LANES) == 0, "whole groups of chains");

static void block(void *out_, const void *x_, int64_t steps)
{
	const vec a = v_all((real)FMA_A), b = v_all((real)FMA_B);
	const real *x = x_;
	real *out = out_;

	for (int i = 0; i < FMA_BLOCK; i += CHAINS * LANES) {
		vec v[CHAINS];

#pragma GCC unroll 16
		for (int c = 0; c < CHAINS; c++)
			v[c] = v_load(x + i + c * LANES);
		for (int64_t s = 0; s < steps; s++)
#pragma GCC unroll 16
			for (int c = 0; c < CHAINS; c++)
				v[c] = v_fma(v[c], a, b);
#pragma GCC unroll 16
		for (int c = 0; c < CHAINS; c++)
			v_store(out + i + c * LANES, v[c]);
	}
}

CODE_EXPORT(fma) = { block };
