/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Vectors for kernels/simd/: as wide as the instruction set of this compilation, written with
 * the compiler's vector extensions, so that the same source is SSE2, AVX2, AVX-512 and NEON.
 *
 * Contraction is off: a fused multiply-add is written v_fma, and is one where the instruction
 * set has it. Tails go through partial loads and stores, never through scalar copies of the
 * formula, so that an element's bits do not depend on where a range ends. */
#ifndef KERNELS_SIMD_SIMD_H
#define KERNELS_SIMD_SIMD_H

#include <string.h>
#include "kernels/code.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif
#ifdef __aarch64__
#include <arm_neon.h>
#endif

#if defined(__AVX512F__)
#define VEC_BYTES 64
#elif defined(__AVX__)
#define VEC_BYTES 32
#else
#define VEC_BYTES 16
#endif
#define LANES ((int)(VEC_BYTES / sizeof(real)))

typedef real vec __attribute__((vector_size(VEC_BYTES)));
typedef real vec_mem __attribute__((vector_size(VEC_BYTES), aligned(sizeof(real)), may_alias));
#if CODE_BITS == 64
typedef int64_t lane;
typedef uint64_t ulane;
#else
typedef int32_t lane;
typedef uint32_t ulane;
#endif
/* Integers and masks (all ones / zero) of the same lanes. */
typedef lane veci __attribute__((vector_size(VEC_BYTES)));
typedef ulane vecu __attribute__((vector_size(VEC_BYTES)));
typedef lane veci_mem __attribute__((vector_size(VEC_BYTES), aligned(sizeof(lane)), may_alias));

static inline vec v_load(const real *p)
{
	return *(const vec_mem *)p;
}
static inline void v_store(real *p, vec v)
{
	*(vec_mem *)p = v;
}
static inline vec v_all(real x)
{
	return x - (vec){ 0 };
}
static inline veci v_alli(lane x)
{
	return x + (veci){ 0 };
}
/* a * b + c, rounded once where the instruction set can, else twice. */
static inline vec v_fma(vec a, vec b, vec c)
{
#if defined(__AVX512F__) && CODE_BITS == 64
	return (vec)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__AVX512F__)
	return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__) && CODE_BITS == 64
	return (vec)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif defined(__FMA__)
	return (vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__) && CODE_BITS == 64
	return (vec)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#elif defined(__aarch64__)
	return (vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
	return a * b + c;
#endif
}
#if defined(__AVX512F__) && CODE_BITS == 64
#define V_LOAD_MASKED_(rest, n, p)                                                             \
	((vec)_mm512_mask_loadu_pd((__m512d)(rest), (__mmask8)((1u << (n)) - 1), p))
#define V_STORE_MASKED_(p, n, v)                                                               \
	_mm512_mask_storeu_pd(p, (__mmask8)((1u << (n)) - 1), (__m512d)(v))
#elif defined(__AVX512F__)
#define V_LOAD_MASKED_(rest, n, p)                                                             \
	((vec)_mm512_mask_loadu_ps((__m512)(rest), (__mmask16)((1u << (n)) - 1), p))
#define V_STORE_MASKED_(p, n, v)                                                               \
	_mm512_mask_storeu_ps(p, (__mmask16)((1u << (n)) - 1), (__m512)(v))
#endif
/* First n < LANES elements; the other lanes are 0. */
static inline vec v_load_n(const real *p, size_t n)
{
	vec v = { 0 };

#ifdef V_LOAD_MASKED_
	v = V_LOAD_MASKED_(v, n, p);
#else
	for (size_t l = 0; l < n; l++)
		v[l] = p[l];
#endif
	return v;
}
/* The same with the first element in the other lanes, so that they compute something harmless.
 */
static inline vec v_load_part(const real *p, size_t n)
{
	vec v = v_all(p[0]);

#ifdef V_LOAD_MASKED_
	v = V_LOAD_MASKED_(v, n, p);
#else
	for (size_t l = 0; l < n; l++)
		v[l] = p[l];
#endif
	return v;
}
static inline void v_store_n(real *p, vec v, size_t n)
{
#ifdef V_STORE_MASKED_
	V_STORE_MASKED_(p, n, v);
#else
	for (size_t l = 0; l < n; l++)
		p[l] = v[l];
#endif
}
static inline vec v_select(veci mask, vec a, vec b) /* mask ? a : b */
{
	return (vec)((mask & (veci)a) | (~mask & (veci)b));
}
/* a < b ? x : y, in one comparison and one blend. */
static inline vec v_if_less(vec a, vec b, vec x, vec y)
{
#if defined(__AVX512F__) && CODE_BITS == 64
	return (vec)_mm512_mask_blend_pd(
		_mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_LT_OQ), (__m512d)y, (__m512d)x);
#elif defined(__AVX512F__)
	return (vec)_mm512_mask_blend_ps(
		_mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_LT_OQ), (__m512)y, (__m512)x);
#elif defined(__AVX__) && CODE_BITS == 64
	return (vec)_mm256_blendv_pd(
		(__m256d)y, (__m256d)x, _mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_LT_OQ));
#elif defined(__AVX__)
	return (vec)_mm256_blendv_ps(
		(__m256)y, (__m256)x, _mm256_cmp_ps((__m256)a, (__m256)b, _CMP_LT_OQ));
#else
	return v_select((veci)(a < b), x, y);
#endif
}
#if defined(__AVX512F__) && CODE_BITS == 64
#define V_BOTH_(name, a, b) ((vec)_mm512_##name##_pd((__m512d)(a), (__m512d)(b)))
#elif defined(__AVX512F__)
#define V_BOTH_(name, a, b) ((vec)_mm512_##name##_ps((__m512)(a), (__m512)(b)))
#elif defined(__AVX__) && CODE_BITS == 64
#define V_BOTH_(name, a, b) ((vec)_mm256_##name##_pd((__m256d)(a), (__m256d)(b)))
#elif defined(__AVX__)
#define V_BOTH_(name, a, b) ((vec)_mm256_##name##_ps((__m256)(a), (__m256)(b)))
#endif
static inline vec v_max(vec a, vec b) /* a > b ? a : b */
{
#ifdef V_BOTH_
	return V_BOTH_(max, a, b);
#else
	return v_select((veci)(a > b), a, b);
#endif
}
static inline vec v_min(vec a, vec b) /* a < b ? a : b */
{
#ifdef V_BOTH_
	return V_BOTH_(min, a, b);
#else
	return v_select((veci)(a < b), a, b);
#endif
}
/* Whether any lane of a mask is set. */
static inline bool v_any(veci mask)
{
#if defined(__AVX512F__)
	return _mm512_test_epi64_mask((__m512i)mask, (__m512i)mask) != 0;
#elif defined(__AVX__)
	return !_mm256_testz_si256((__m256i)mask, (__m256i)mask);
#elif defined(__SSE2__)
	return _mm_movemask_epi8((__m128i)mask) != 0;
#else
	lane any = 0;

	for (int l = 0; l < LANES; l++)
		any |= mask[l];
	return any != 0;
#endif
}
static inline vec v_sqrt(vec a)
{
#if defined(__AVX512F__) && CODE_BITS == 64
	return (vec)_mm512_sqrt_pd((__m512d)a);
#elif defined(__AVX512F__)
	return (vec)_mm512_sqrt_ps((__m512)a);
#elif defined(__AVX__) && CODE_BITS == 64
	return (vec)_mm256_sqrt_pd((__m256d)a);
#elif defined(__AVX__)
	return (vec)_mm256_sqrt_ps((__m256)a);
#else
	for (int l = 0; l < LANES; l++)
		a[l] = sizeof(real) == 8 ? (real)__builtin_sqrt((double)a[l])
					 : (real)__builtin_sqrtf((float)a[l]);
	return a;
#endif
}
/* Store past the caches; p is aligned to VEC_BYTES. v_fence orders it. */
static inline void v_stream(real *p, vec v)
{
#if defined(__AVX512F__)
	_mm512_stream_si512((void *)p, (__m512i)v);
#elif defined(__AVX__)
	_mm256_stream_si256((void *)p, (__m256i)v);
#elif defined(__SSE2__)
	_mm_stream_si128((void *)p, (__m128i)v);
#else
	v_store(p, v);
#endif
}
static inline void v_fence(void)
{
#ifdef __SSE2__
	_mm_sfence();
#endif
}
/* Elements to go before p is aligned to VEC_BYTES, at most n. */
static inline size_t v_head(const real *p, size_t n)
{
	size_t past = (uintptr_t)p % VEC_BYTES;
	size_t head = past ? (VEC_BYTES - past) / sizeof(real) : 0;

	return head < n ? head : n;
}

/* Elements 0, 2, 4 ... and 1, 3, 5 ... of a followed by b. */
#if VEC_BYTES / (CODE_BITS / 8) == 16
#define V_EVEN_ 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define V_ODD_ 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#elif VEC_BYTES / (CODE_BITS / 8) == 8
#define V_EVEN_ 0, 2, 4, 6, 8, 10, 12, 14
#define V_ODD_ 1, 3, 5, 7, 9, 11, 13, 15
#elif VEC_BYTES / (CODE_BITS / 8) == 4
#define V_EVEN_ 0, 2, 4, 6
#define V_ODD_ 1, 3, 5, 7
#else
#define V_EVEN_ 0, 2
#define V_ODD_ 1, 3
#endif
#if VEC_BYTES / (CODE_BITS / 8) == 16
#define V_LOW_ 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define V_HIGH_ 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif VEC_BYTES / (CODE_BITS / 8) == 8
#define V_LOW_ 0, 8, 1, 9, 2, 10, 3, 11
#define V_HIGH_ 4, 12, 5, 13, 6, 14, 7, 15
#elif VEC_BYTES / (CODE_BITS / 8) == 4
#define V_LOW_ 0, 4, 1, 5
#define V_HIGH_ 2, 6, 3, 7
#else
#define V_LOW_ 0, 2
#define V_HIGH_ 1, 3
#endif
/* a0 b0 a1 b1 ... of the lower, and of the upper halves. */
static inline vec v_low(vec a, vec b)
{
	return __builtin_shufflevector(a, b, V_LOW_);
}
static inline vec v_high(vec a, vec b)
{
	return __builtin_shufflevector(a, b, V_HIGH_);
}
static inline vec v_even(vec a, vec b)
{
	return __builtin_shufflevector(a, b, V_EVEN_);
}
static inline vec v_odd(vec a, vec b)
{
	return __builtin_shufflevector(a, b, V_ODD_);
}
/* p[index[0]], p[index[1]] ... */
static inline vec v_gather(const real *p, const int32_t *index)
{
#if defined(__AVX512F__) && CODE_BITS == 64
	return (vec)_mm512_i32gather_pd(_mm256_loadu_si256((const void *)index), p, 8);
#elif defined(__AVX512F__)
	return (vec)_mm512_i32gather_ps(_mm512_loadu_si512(index), p, 4);
#elif defined(__AVX2__) && CODE_BITS == 64
	return (vec)_mm256_i32gather_pd(p, _mm_loadu_si128((const void *)index), 8);
#elif defined(__AVX2__)
	return (vec)_mm256_i32gather_ps(p, _mm256_loadu_si256((const void *)index), 4);
#else
	vec v;

	for (int l = 0; l < LANES; l++)
		v[l] = p[index[l]];
	return v;
#endif
}
/* The same where index counts from `from`. */
static inline vec v_gather_from(const real *p, const int32_t *index, int32_t from)
{
	return v_gather((const real *)((uintptr_t)p -
				       (uintptr_t)((intptr_t)from * (intptr_t)sizeof(real))),
		index);
}

#endif
