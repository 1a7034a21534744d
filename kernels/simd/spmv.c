/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spmv.csr: entries of a row in vectors, x gathered. A row's last vector is masked; rows
 * shorter than half a vector go entry by entry. */
#include "kernels/simd/simd.h"
#include "kernels/spmv.h"

static inline real add_lanes(vec v)
{
#if defined(__AVX512F__) && CODE_BITS == 64
	return _mm512_reduce_add_pd((__m512d)v);
#elif defined(__AVX512F__)
	return _mm512_reduce_add_ps((__m512)v);
#else
	real sum = 0;

	for (int l = 0; l < LANES; l++)
		sum += v[l];
	return sum;
#endif
}

/* x at n < LANES places; the other lanes are 0. */
static inline vec gather_n(const real *x, const int32_t *column, int n)
{
#if defined(__AVX512F__) && CODE_BITS == 64
	__mmask8 mask = (__mmask8)((1u << n) - 1);
	__m256i index = _mm256_maskz_loadu_epi32(mask, column);

	return (vec)_mm512_mask_i32gather_pd(_mm512_setzero_pd(), mask, index, x, 8);
#elif defined(__AVX512F__)
	__mmask16 mask = (__mmask16)((1u << n) - 1);
	__m512i index = _mm512_maskz_loadu_epi32(mask, column);

	return (vec)_mm512_mask_i32gather_ps(_mm512_setzero_ps(), mask, index, x, 4);
#else
	vec v = { 0 };

	for (int l = 0; l < n; l++)
		v[l] = x[column[l]];
	return v;
#endif
}

static inline real one_row(const real *value, const int32_t *column, int n, const real *x)
{
	vec sum = { 0 };
	int k = 0;

	if (n <= LANES / 2) {
		real short_sum = 0;

		for (; k < n; k++)
			short_sum += value[k] * x[column[k]];
		return short_sum;
	}
	for (; k + LANES <= n; k += LANES)
		sum = v_fma(v_load(value + k), v_gather(x, column + k), sum);
	if (k < n)
		sum = v_fma(v_load_n(value + k, (size_t)(n - k)),
			gather_n(x, column + k, n - k), sum);
	return add_lanes(sum);
}

static void rows(const struct spmv_state *s, int64_t lo, int64_t hi)
{
	const real *value = s->value, *x = s->x;
	real *y = s->y;

	for (int64_t i = lo; i < hi; i++)
		y[i] = one_row(
			value + s->row[i], s->column + s->row[i], s->row[i + 1] - s->row[i], x);
}

CODE_EXPORT(spmv) = { rows };
