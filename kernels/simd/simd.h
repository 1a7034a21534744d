/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Vectors for kernels/simd/: as wide as the instruction set of this compilation, written with
 * the compiler's vector extensions, so that the same source is SSE2, AVX2, AVX-512 and NEON.
 *
 * Contraction is on in these files: a * b + c is one fused operation where the CPU has it, in
 * every lane alike. Tails go through partial loads and stores, never through scalar copies
 * of the formula, so that an element's bits do not depend on where a range ends. */
#ifndef KERNELS_SIMD_SIMD_H
#define KERNELS_SIMD_SIMD_H

#include <string.h>
#include "kernels/code.h"

#ifdef __x86_64__
#include <immintrin.h>
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
#else
typedef int32_t lane;
#endif
/* Integers and masks (all ones / zero) of the same lanes. */
typedef lane veci __attribute__((vector_size(VEC_BYTES)));
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
	return x - (veci){ 0 };
}
/* First n < LANES elements; the other lanes are 0. */
static inline vec v_load_n(const real *p, size_t n)
{
	vec v = { 0 };

	memcpy(&v, p, n * sizeof(real));
	return v;
}
static inline void v_store_n(real *p, vec v, size_t n)
{
	memcpy(p, &v, n * sizeof(real));
}
static inline vec v_select(veci mask, vec a, vec b) /* mask ? a : b */
{
	return (vec)((mask & (veci)a) | (~mask & (veci)b));
}
static inline vec v_max(vec a, vec b) /* a > b ? a : b */
{
	return v_select((veci)(a > b), a, b);
}
static inline vec v_min(vec a, vec b) /* a < b ? a : b */
{
	return v_select((veci)(a < b), a, b);
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

#endif
