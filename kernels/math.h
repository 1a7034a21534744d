/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The vector functions of kernels/simd/math.h as loops over arrays, so that tests can compare
 * each compiled form with libm. */
#ifndef KERNELS_MATH_H
#define KERNELS_MATH_H

#include <stddef.h>

struct math_code {
	void (*exp)(void *out, const void *x, size_t n);
	void (*log)(void *out, const void *x, size_t n);
	void (*log_absolute)(void *out, const void *x, size_t n);
	void (*rcp)(void *out, const void *x, size_t n);
};

#endif
