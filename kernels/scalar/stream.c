/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stream.*, plain C. */
#include "kernels/code.h"
#include "kernels/stream.h"

static void copy(void *out_, const void *x_, const void *y_, size_t n, bool nontemporal)
{
	real *restrict out = out_;
	const real *restrict x = x_;

	(void)y_, (void)nontemporal;
	for (size_t i = 0; i < n; i++)
		out[i] = x[i];
}

static void scale(void *out_, const void *x_, const void *y_, size_t n, bool nontemporal)
{
	real *restrict out = out_;
	const real *restrict x = x_;

	(void)y_, (void)nontemporal;
	for (size_t i = 0; i < n; i++)
		out[i] = (real)STREAM_SCALAR * x[i];
}

static void add(void *out_, const void *x_, const void *y_, size_t n, bool nontemporal)
{
	real *restrict out = out_;
	const real *restrict x = x_, *restrict y = y_;

	(void)nontemporal;
	for (size_t i = 0; i < n; i++)
		out[i] = x[i] + y[i];
}

static void triad(void *out_, const void *x_, const void *y_, size_t n, bool nontemporal)
{
	real *restrict out = out_;
	const real *restrict x = x_, *restrict y = y_;

	(void)nontemporal;
	for (size_t i = 0; i < n; i++)
		out[i] = x[i] + (real)STREAM_SCALAR * y[i];
}

/* 64 sums side by side keep the error of a block near that of a tree. */
static void dot_block(void *ret_sum, const void *x_, const void *y_, size_t n)
{
	const real *x = x_, *y = y_;
	real sum[64] = { 0 };

	for (size_t i = 0; i < n; i++)
		sum[i % 64] += x[i] * y[i];
	for (size_t half = 32; half; half /= 2)
		for (size_t i = 0; i < half; i++)
			sum[i] += sum[i + half];
	*(real *)ret_sum = sum[0];
}

CODE_EXPORT(stream) = { { copy, scale, add, triad }, dot_block };
