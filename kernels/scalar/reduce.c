/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reduce.*, plain C. A sum has 64 partial sums, so that its error stays near that of a tree. */
#include "kernels/reduce.h"
#include "kernels/code.h"

#if CODE_BITS == 64
typedef int64_t whole;
#else
typedef int32_t whole;
#endif

static void sum(double *ret, const void *x_, size_t n)
{
	const real *x = x_;
	real part[64] = { 0 };

	for (size_t i = 0; i < n; i++)
		part[i % 64] += x[i];
	for (size_t half = 32; half; half /= 2)
		for (size_t i = 0; i < half; i++)
			part[i] += part[i + half];
	*ret = (double)part[0];
}

static void sum_whole(double *ret, const void *x_, size_t n)
{
	const whole *x = x_;
	whole total = 0;

	for (size_t i = 0; i < n; i++)
		total += x[i];
	*ret = (double)total;
}

#define EXTREME(name, type, OP)                                                                \
	static void name(double *ret, const void *x_, size_t n)                                \
	{                                                                                      \
		const type *x = x_;                                                            \
		type best = x[0];                                                              \
                                                                                               \
		for (size_t i = 1; i < n; i++)                                                 \
			best = x[i] OP best ? x[i] : best;                                     \
		*ret = (double)best;                                                           \
	}
EXTREME(least, real, <)
EXTREME(most, real, >)
EXTREME(least_whole, whole, <)
EXTREME(most_whole, whole, >)

#define FIND(name, type)                                                                       \
	static size_t name(const void *x_, double value)                                       \
	{                                                                                      \
		const type *x = x_;                                                            \
		size_t i = 0;                                                                  \
                                                                                               \
		while (x[i] != (type)value)                                                    \
			i++;                                                                   \
		return i;                                                                      \
	}
FIND(find_real, real)
FIND(find_whole, whole)

CODE_EXPORT(reduce) = { { sum, least, most }, { sum_whole, least_whole, most_whole }, find_real,
	find_whole };
