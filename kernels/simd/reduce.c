/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reduce.* in vectors, eight side by side to hide latencies. */
#include "kernels/reduce.h"
#include "kernels/simd/simd.h"

enum { CHAINS = 8, STEP = CHAINS * LANES };

static inline veci w_load(const lane *p)
{
	return *(const veci_mem *)p;
}
static inline veci w_load_n(const lane *p, size_t n)
{
	veci v = { 0 };

	memcpy(&v, p, n * sizeof(lane));
	return v;
}
static inline veci w_min(veci a, veci b)
{
	veci less = a < b;

	return (less & a) | (~less & b);
}
static inline veci w_max(veci a, veci b)
{
	return w_min(a, b) ^ a ^ b;
}

/* Fold x[0..n) with F into acc, tails of less than a vector with the neutral element. */
#define FOLD(V, LOAD, LOAD_N, F, START, PAD)                                                   \
	V acc[CHAINS];                                                                         \
	size_t i = 0;                                                                          \
                                                                                               \
	_Pragma("GCC unroll 8") for (int c = 0; c < CHAINS; c++) acc[c] = START;               \
	for (; i + STEP <= n; i += STEP)                                                       \
		_Pragma("GCC unroll 8") for (int c = 0; c < CHAINS; c++) acc[c] =              \
			F(acc[c], LOAD(x + i + c * LANES));                                    \
	for (; i + LANES <= n; i += LANES)                                                     \
		acc[0] = F(acc[0], LOAD(x + i));                                               \
	if (i < n)                                                                             \
		acc[1] = F(acc[1], PAD(LOAD_N(x + i, n - i)));                                 \
	_Pragma("GCC unroll 3") for (int half = CHAINS / 2; half; half /= 2)                   \
		_Pragma("GCC unroll 4") for (int c = 0; c < half; c++) acc[c] =                \
			F(acc[c], acc[c + half])

#define PLUS(a, b) ((a) + (b))
#define AS_IS(v) (v)
#define PAD_FIRST(v) v_load_part(x + i, n - i)

static void sum(double *ret, const void *x_, size_t n)
{
	const real *x = x_;
	real total = 0;
	FOLD(vec, v_load, v_load_n, PLUS, v_all(0), AS_IS);

	for (int l = 0; l < LANES; l++)
		total += acc[0][l];
	*ret = (double)total;
}

static void sum_whole(double *ret, const void *x_, size_t n)
{
	const lane *x = x_;
	lane total = 0;
	FOLD(veci, w_load, w_load_n, PLUS, v_alli(0), AS_IS);

	for (int l = 0; l < LANES; l++)
		total += acc[0][l];
	*ret = (double)total;
}

/* Lanes behind the end of a whole-number tail repeat its first element. */
static inline veci pad_whole(const lane *x, size_t n)
{
	veci v = v_alli(x[0]);

	memcpy(&v, x, n * sizeof(lane));
	return v;
}
#define PAD_WHOLE(v) pad_whole(x + i, n - i)

#define EXTREME(name, V, type, LOAD, LOAD_N, F, ALL, PAD, OP)                                  \
	static void name(double *ret, const void *x_, size_t n)                                \
	{                                                                                      \
		const type *x = x_;                                                            \
		type best;                                                                     \
		FOLD(V, LOAD, LOAD_N, F, ALL(x[0]), PAD);                                      \
                                                                                               \
		best = acc[0][0];                                                              \
		for (int l = 1; l < LANES; l++)                                                \
			best = acc[0][l] OP best ? acc[0][l] : best;                           \
		*ret = (double)best;                                                           \
	}
EXTREME(least, vec, real, v_load, v_load_n, v_min, v_all, PAD_FIRST, <)
EXTREME(most, vec, real, v_load, v_load_n, v_max, v_all, PAD_FIRST, >)
EXTREME(least_whole, veci, lane, w_load, w_load_n, w_min, v_alli, PAD_WHOLE, <)
EXTREME(most_whole, veci, lane, w_load, w_load_n, w_max, v_alli, PAD_WHOLE, >)

/* Reads whole groups of lanes: mem_new gives the room behind the array. The value is there, so
 * the search ends before what was not written can matter. */
#define FIND(name, V, type, LOAD, ALL)                                                         \
	static size_t name(const void *x_, double value)                                       \
	{                                                                                      \
		const type *x = x_;                                                            \
		const V wanted = ALL((type)value);                                             \
		size_t i = 0;                                                                  \
                                                                                               \
		while (!v_any((veci)(LOAD(x + i) == wanted)))                                  \
			i += LANES;                                                            \
		while (x[i] != (type)value)                                                    \
			i++;                                                                   \
		return i;                                                                      \
	}
FIND(find_real, vec, real, v_load, v_all)
FIND(find_whole, veci, lane, w_load, v_alli)

CODE_EXPORT(reduce) = { { sum, least, most }, { sum_whole, least_whole, most_whole }, find_real,
	find_whole };
