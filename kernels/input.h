/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input as a function of (seed, array, index): splitmix64 (Steele, Lea, Flood 2014) used as a
 * counter, so that any thread on any backend makes any element alone and gets the same bytes.
 * Any thread. */
#ifndef KERNELS_INPUT_H
#define KERNELS_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include "base/rng.h"
#include "kernels/kernels.h"

/* Key of input array number `array` (0, 1, ...) of a run with this seed. */
static inline uint64_t input_key(uint64_t seed, unsigned array)
{
	return rng_mix(seed + array + 1);
}
static inline uint64_t input_bits(uint64_t key, uint64_t i)
{
	return rng_mix(key + (i + 1) * 0x9E3779B97F4A7C15ULL);
}
/* Uniform in [0, 1) with 53 bits. */
static inline double input_uniform(uint64_t key, uint64_t i)
{
	return (double)(input_bits(key, i) >> 11) * 0x1p-53;
}
/* The value an array of reals holds: uniform in [lo, lo + span), rounded once to the dtype. */
static inline double input_real(enum dtype d, uint64_t key, uint64_t i, double lo, double span)
{
	double v = lo + span * input_uniform(key, i);

	return d == DT_F32 ? (double)(float)v : v;
}

/* Fill dst[0..n) of dtype f32 or f64 as input_real says, with `threads` OpenMP threads. */
void input_fill(
	void *dst, enum dtype d, size_t n, uint64_t key, double lo, double span, int threads);
/* Poison: every 32-bit word 0x7FF87FF8, which is a NaN as f32 and as f64. For integers the
 * kernel chooses the word. */
#define POISON_WORD 0x7FF87FF8u
void poison_fill(void *dst, size_t bytes, uint32_t word, int threads);
/* Read and write one element of an array of f32 or f64. */
static inline double real_get(const void *a, enum dtype d, size_t i)
{
	return d == DT_F32 ? (double)((const float *)a)[i] : ((const double *)a)[i];
}
static inline void real_set(void *a, enum dtype d, size_t i, double v)
{
	if (d == DT_F32)
		((float *)a)[i] = (float)v;
	else
		((double *)a)[i] = v;
}

#endif
