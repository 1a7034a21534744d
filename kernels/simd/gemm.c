/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gemm in vectors: packed panels and a tile of C that stays in registers. 32 registers hold
 * 14 rows of 2 vectors, 16 hold 6. */
#include "kernels/gemm.h"
#include "kernels/simd/simd.h"

#if defined(__AVX512F__) || defined(__aarch64__)
enum { MR = 14, NV = 2 };
#else
enum { MR = 6, NV = 2 };
#endif
enum { NR = NV * LANES };

static void pack_a(void *dst_, const void *a_, int64_t lda, int64_t m, int64_t k)
{
	const real *a = a_;
	real *dst = dst_;

	for (int64_t i = 0; i < m; i += MR)
		for (int64_t l = 0; l < k; l++)
			for (int r = 0; r < MR; r++)
				*dst++ = i + r < m ? a[(i + r) * lda + l] : 0;
}

static void pack_b(void *dst_, const void *b_, int64_t ldb, int64_t k, int64_t n)
{
	const real *b = b_;
	real *dst = dst_;

	for (int64_t j = 0; j < n; j += NR)
		for (int64_t l = 0; l < k; l++, dst += NR) {
			const real *row = b + l * ldb + j;

			if (j + NR <= n)
				for (int v = 0; v < NV; v++)
					v_store(dst + v * LANES, v_load(row + v * LANES));
			else
				for (int c = 0; c < NR; c++)
					dst[c] = j + c < n ? row[c] : 0;
		}
}

/* Row i of the tile into out, `left` columns of it. */
static inline void put_row(const struct gemm_tile *t, int64_t i, const vec *acc)
{
	real *out = (real *)t->out + i * t->pitch;
	const real *c = t->c ? (const real *)t->c + i * t->pitch : NULL;

#pragma GCC unroll 3
	for (int v = 0; v < NV; v++) {
		int64_t left = t->n - v * LANES;
		size_t n = left < 0 ? 0 : left < LANES ? (size_t)left : (size_t)LANES;
		vec sum = (real)t->alpha * acc[v];

		if (n == 0)
			break;
		if (!t->is_first)
			sum += n == (size_t)LANES ? v_load(out + v * LANES)
						  : v_load_n(out + v * LANES, n);
		else if (c)
			sum = v_fma(v_all((real)t->beta), v_load_n(c + v * LANES, n), sum);
		if (n == (size_t)LANES)
			v_store(out + v * LANES, sum);
		else
			v_store_n(out + v * LANES, sum, n);
	}
}

static void tile(const struct gemm_tile *t, const void *a_, const void *b_)
{
	const real *a = a_, *b = b_;
	vec acc[MR][NV] = { { { 0 } } };

	for (int r = 0; r < MR; r++)
		__builtin_prefetch((const real *)t->out + r * t->pitch, 1);

	for (int64_t l = 0; l < t->k; l++, a += MR, b += NR) {
		vec bv[NV];

#pragma GCC unroll 3
		for (int v = 0; v < NV; v++)
			bv[v] = v_load(b + v * LANES);
#pragma GCC unroll 14
		for (int r = 0; r < MR; r++) {
			vec av = v_all(a[r]);

#pragma GCC unroll 3
			for (int v = 0; v < NV; v++)
				acc[r][v] = v_fma(av, bv[v], acc[r][v]);
		}
	}
#pragma GCC unroll 1
	for (int r = 0; r < MR; r++)
		if (r < t->m)
			put_row(t, r, acc[r]);
}

CODE_EXPORT(gemm) = { MR, NR, pack_a, pack_b, tile, NULL };
