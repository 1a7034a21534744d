/* SPDX-License-Identifier: GPL-3.0-or-later */
/* exp, log, 1/x in vectors. Polynomials interpolate at Chebyshev nodes (computed with 60
 * digits); errors below 2 ulp, checked against libm in tests/unit/kernels_math.c. */
#ifndef KERNELS_SIMD_MATH_H
#define KERNELS_SIMD_MATH_H

#include "kernels/simd/simd.h"
#if defined(__AVX512F__) && CODE_BITS == 64
#define MATH_TABLES
#include "kernels/simd/tables.h"
#endif

/* 1/x: with AVX-512 an estimate of 14 bits and Newton's steps, else a division. */
static inline vec v_rcp(vec x)
{
#if defined(__AVX512F__)
	const vec one = v_all(1);
#if CODE_BITS == 64
	vec y = (vec)_mm512_rcp14_pd((__m512d)x);

	y = v_fma(y, v_fma(-x, y, one), y);
#else
	vec y = (vec)_mm512_rcp14_ps((__m512)x);
#endif
	return v_fma(y, v_fma(-x, y, one), y);
#else
	return 1 / x;
#endif
}

/* 1/sqrt(x) of a positive normal number, the same way. */
static inline vec v_rsqrt(vec x)
{
#if defined(__AVX512F__)
	const vec half_x = (real)0.5 * x, c = v_all((real)1.5);
#if CODE_BITS == 64
	vec y = (vec)_mm512_rsqrt14_pd((__m512d)x);

	y *= v_fma(-half_x * y, y, c);
#else
	vec y = (vec)_mm512_rsqrt14_ps((__m512)x);
#endif
	return y * v_fma(-half_x * y, y, c);
#else
	return 1 / v_sqrt(x);
#endif
}

#if CODE_BITS == 64
#define EXP_MAGIC 0x1.8p52 /* adding it rounds to an integer in the low bits */
#define MANTISSA 52
#define BIAS 1023
#define LN2_HI 0x1.62e42feep-1
#define LN2_LO 0x1.a39ef35793c76p-33
#define EXP_LEAST -708
#define EXP_MOST 709
#define SQRT_HALF_BITS 0x3fe6a09e667f3bcdLL
#define TWO_MANTISSA 0x1p52
#define TWO_MANTISSA_BITS 0x4330000000000000LL
#else
#define EXP_MAGIC 0x1.8p23f
#define MANTISSA 23
#define BIAS 127
#define LN2_HI 0x1.62e4p-1f
#define LN2_LO 0x1.7f7d1cp-20f
#define EXP_LEAST -87
#define EXP_MOST 88
#define SQRT_HALF_BITS 0x3f3504f3
#define TWO_MANTISSA 0x1p23f
#define TWO_MANTISSA_BITS 0x4b000000
#endif

#ifdef MATH_TABLES
/* table[low 4 bits of index] */
static inline __m512d v_table(const void *table, veci index)
{
	const double *t = table;

	return _mm512_permutex2var_pd(_mm512_load_pd(t), (__m512i)index, _mm512_load_pd(t + 8));
}

/* exp(x) for x from EXP_LEAST to EXP_MOST: the caller knows. x = n ln 2 / 16 + r. */
static inline vec v_exp_near(vec x)
{
	vec t = v_fma(x, v_all(0x1.71547652b82fep+4), v_all(EXP_MAGIC)), n = t - EXP_MAGIC;
	vec r = v_fma(
		n, v_all(-0x1.a39ef35793c76p-37), v_fma(n, v_all(-0x1.62e42fee00000p-5), x));
	vec r2 = r * r, power, q;

	power = (vec)((veci)v_table(exp2_table, (veci)t) + ((veci)t << 48));
	q = v_fma(v_all(0x1.11120b03cd855p-7), r, v_all(0x1.555555551946fp-5));
	q = v_fma(v_all(0x1.6c17bb5ebddb4p-10), r2, q);
	q = v_fma(q, r2, v_fma(v_all(0x1.55555554dd388p-3), r, v_all(0.5)));
	return v_fma(power, v_fma(r2, q, r), power);
}
#else
/* (exp(r) - 1 - r) / r^2 for abs(r) <= ln 2 / 2. */
static inline vec exp_tail(vec r)
{
#if CODE_BITS == 64
	vec r2 = r * r, r4 = r2 * r2;
	vec a = v_fma(v_all(0x1.5555555555556p-3), r, v_all(0x1.0000000000001p-1));
	vec b = v_fma(v_all(0x1.11111111109b3p-7), r, v_all(0x1.5555555553d63p-5));
	vec c = v_fma(v_all(0x1.a01a01a7c41d5p-13), r, v_all(0x1.6c16c1788bd90p-10));
	vec d = v_fma(v_all(0x1.71de0dae63bb3p-19), r, v_all(0x1.a019b90d2ae7ap-16));
	vec e = v_fma(v_all(0x1.af38a9b0ec855p-26), r, v_all(0x1.289185613a3d6p-22));

	return v_fma(r4, v_fma(r4, e, v_fma(r2, d, c)), v_fma(r2, b, a));
#else
	vec q = v_fma(v_all(0.00139261837f), r, v_all(0.00836317893f));

	q = v_fma(q, r, v_all(0.0416665561f));
	q = v_fma(q, r, v_all(0.166665763f));
	return v_fma(q, r, v_all(0.5f));
#endif
}

/* exp(x) for x from EXP_LEAST to EXP_MOST: the caller knows. */
static inline vec v_exp_near(vec x)
{
	vec t, k, r, y;
	veci scale;

	t = v_fma(x, v_all((real)1.4426950408889634), v_all(EXP_MAGIC));
	k = t - EXP_MAGIC;
	r = v_fma(k, v_all((real)-LN2_LO), v_fma(k, v_all((real)-LN2_HI), x));
	y = 1 + v_fma(r * r, exp_tail(r), r);
	scale = ((veci)t + BIAS) << MANTISSA;
	return y * (vec)scale;
}
#endif

/* exp(x); x is held in the range where the result is a normal number. */
static inline vec v_exp(vec x)
{
	return v_exp_near(v_min(v_max(x, v_all(EXP_LEAST)), v_all(EXP_MOST)));
}

/* log(x) of a positive normal number: x = 2^k m, sqrt(1/2) <= m < sqrt(2), and
 * log m = 2 atanh(s), s = (m - 1)/(m + 1). */
static inline vec v_log(vec x)
{
	vecu kk = ((vecu)x - (vecu)v_alli(SQRT_HALF_BITS) +
			  (vecu)v_alli((lane)BIAS << MANTISSA)) >>
		  MANTISSA;
	vec k = (vec)(kk | (vecu)v_alli(TWO_MANTISSA_BITS)) - (TWO_MANTISSA + BIAS);
	vec m = (vec)((vecu)x - ((kk - BIAS) << MANTISSA));
	vec f = m - 1, s = f * v_rcp(f + 2), z = s * s, q;

#if CODE_BITS == 64
	vec z2 = z * z;

	q = v_fma(v_all(0.14619166134887971), z, v_all(0.15331501611145328));
	q = v_fma(q, z2, v_fma(v_all(0.18182895750119194), z, v_all(0.22222211043776858)));
	q = v_fma(q, z2, v_fma(v_all(0.28571428626533616), z, v_all(0.39999999999898273)));
	q = v_fma(q, z, v_all(0.66666666666666697));
#else
	q = v_fma(v_all(0.295820236f), z, v_all(0.399887348f));
	q = v_fma(q, z, v_all(0.666666852f));
#endif
	/* 2 s = f - s f, which is exact where it matters: near 1. */
	return v_fma(
		k, v_all((real)LN2_HI), f - v_fma(s, v_fma(-z, q, f), -(k * (real)LN2_LO)));
}

/* log(x) of a positive normal number with an absolute error of some 2^-53 (1 + abs(log x)): as
 * good as v_log for powers and pressures, but not relative to a log near 0. */
static inline vec v_log_absolute(vec x)
{
#ifdef MATH_TABLES
	veci past = (veci)x - (veci)v_all(0.75);
	vec k = (vec)_mm512_cvtepi64_pd((__m512i)(past >> MANTISSA));
	vec m = (vec)_mm512_getmant_pd((__m512d)x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_src);
	veci part = past >> (MANTISSA - 4);
	vec r = v_fma(m, (vec)v_table(part_rcp, part), v_all(-1)), r2 = r * r, q;

	q = v_fma(v_all(-0x1.0054dfade7a97p-3), r2,
		v_fma(v_all(0x1.24f09696038d8p-3), r, v_all(-0x1.55554b4a5ea90p-3)));
	q = v_fma(q, r2, v_fma(v_all(0x1.99998e7109f14p-3), r, v_all(-0x1.000000002604fp-2)));
	q = v_fma(q, r2, v_fma(v_all(0x1.555555557f937p-2), r, v_all(-0.5)));
	return v_fma(r2, q, r) +
	       v_fma(k, v_all(0x1.62e42fefa39efp-1), (vec)v_table(part_log, part));
#else
	return v_log(x);
#endif
}

#endif
