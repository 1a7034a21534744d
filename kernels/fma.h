/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fma_peak: x <- a x + b, `iterations` times on each of `elements` independent numbers, kept in
 * registers. The highest rate of multiply-adds the processor reaches.
 *
 * a = 1 - 2^-12, b = 2^-11, x0 uniform in [1, 2): x_n = 2 + (x0 - 2) a^n, so every single
 * iteration shows in the result. Used by fma.c, ceiling.c, vk_fma.c and the tests. */
#ifndef KERNELS_FMA_H
#define KERNELS_FMA_H

#include "kernels/kernels.h"

#define FMA_A (1 - 0x1p-12)
#define FMA_B 0x1p-11
enum { FMA_BLOCK = 256 }; /* elements are a multiple of this, or one block is part filled */

struct fma_state {
	const struct params *p;
	int64_t n, steps; /* elements, iterations of each */
	void *x, *out;	  /* of p->dtype, n elements rounded up to FMA_BLOCK */
	const struct fma_code *code;
};

struct fma_code {
	/* FMA_BLOCK elements; out and x are aligned. */
	void (*block)(void *out, const void *x, int64_t steps);
};

#endif
