/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gemm: out = alpha A B + beta C, row-major, A m x k, B k x n, C and out m x n.
 * Entries uniform in [-1, 1), or whole numbers from -8 to 8 (--input integer), whose result is
 * exact. --operands f16 rounds A and B to f16: a GPU reads them as such, the CPU as f32.
 * Blocking after Goto and van de Geijn 2008. Used by gemm.c, vk_gemm.c and the tests. */
#ifndef KERNELS_GEMM_H
#define KERNELS_GEMM_H

#include "kernels/kernels.h"

bool gemm_is_half(const struct params *p);
/* Bits of a normal f16 or 0 that v is exactly. */
uint16_t gemm_pack_half(double v);

struct gemm_state {
	const struct params *p;
	int64_t m, n, k;
	void *a, *b, *c, *out; /* c NULL when beta is 0 */
	double alpha, beta;
	void *packed_a, *packed_b; /* a block for each thread; one panel for all */
	int64_t mc, kc, nc, packed_a_bytes;
	const struct gemm_code *code;
};

/* How a finished product of a tile goes into out. */
struct gemm_tile {
	void *out;
	const void *c; /* NULL: beta is 0 */
	int64_t pitch, m, n, k;
	double alpha, beta;
	bool is_first; /* of the blocks along k: write, else add */
};

struct gemm_code {
	int mr, nr; /* rows and columns of a register tile; 0 = only `plain` */
	/* m x k of A (pitch lda) as panels of mr rows, k x n of B as panels of nr columns,
	 * padded with zeros. */
	void (*pack_a)(void *dst, const void *a, int64_t lda, int64_t m, int64_t k);
	void (*pack_b)(void *dst, const void *b, int64_t ldb, int64_t k, int64_t n);
	/* One register tile from a panel of each. */
	void (*tile)(const struct gemm_tile *t, const void *a, const void *b);
	/* Rows lo..hi of everything, without packing. */
	void (*plain)(const struct gemm_state *s, int64_t lo, int64_t hi);
};

#endif
