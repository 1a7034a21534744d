/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spmv.csr: entries of a row in vectors, x gathered. A row's last vector is masked; rows
 * shorter than half a vector go entry by entry. */
#include "kernels/simd/simd.h"
#include "kernels/spmv.h"

#ifdef __AVX512F__
static inline real add_lanes(vec v)
{
#if CODE_BITS == 64
	return _mm512_reduce_add_pd((__m512d)v);
#else
	return _mm512_reduce_add_ps((__m512)v);
#endif
}

/* x at n < LANES places; the other lanes are 0. */
static inline vec gather_n(const real *x, const int32_t *column, int n)
{
#if CODE_BITS == 64
	__mmask8 mask = (__mmask8)((1u << n) - 1);
	__m256i index = _mm256_maskz_loadu_epi32(mask, column);

	return (vec)_mm512_mask_i32gather_pd(_mm512_setzero_pd(), mask, index, x, 8);
#else
	__mmask16 mask = (__mmask16)((1u << n) - 1);
	__m512i index = _mm512_maskz_loadu_epi32(mask, column);

	return (vec)_mm512_mask_i32gather_ps(_mm512_setzero_ps(), mask, index, x, 4);
#endif
}

static inline real one_row(const real *value, const int32_t *column, int n, const real *x)
{
	vec sum = { 0 };
	int k = 0;

	for (; k + LANES <= n; k += LANES)
		sum = v_fma(v_load(value + k), v_gather(x, column + k), sum);
	if (k < n)
		sum = v_fma(v_load_n(value + k, (size_t)(n - k)),
			gather_n(x, column + k, n - k), sum);
	return add_lanes(sum);
}
#else
/* Gathers of AVX2 and less gain nothing over four sums side by side. */
static inline real one_row(const real *value, const int32_t *column, int n, const real *x)
{
	real sum[4] = { 0 };
	int k = 0;

	for (; k + 4 <= n; k += 4)
#pragma GCC unroll 4
		for (int c = 0; c < 4; c++)
			sum[c] += value[k + c] * x[column[k + c]];
	for (; k < n; k++)
		sum[0] += value[k] * x[column[k]];
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}
#endif

static void rows(const struct spmv_state *s, int64_t lo, int64_t hi)
{
	const real *value = s->value, *x = s->x;
	real *y = s->y;

	for (int64_t i = lo; i < hi; i++)
		y[i] = one_row(
			value + s->row[i], s->column + s->row[i], s->row[i + 1] - s->row[i], x);
}

CODE_EXPORT(spmv) = { rows };
