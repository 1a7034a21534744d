/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transpose: out[j][i] = in[i][j], in rows x columns, row-major. Elements are uniform in [1,
 * 2). Used by transpose.c, vk_transpose.c and the tests. */
#ifndef KERNELS_TRANSPOSE_H
#define KERNELS_TRANSPOSE_H

#include "kernels/kernels.h"

struct transpose_state {
	const struct params *p;
	int64_t rows, columns;
	void *in, *out;
	const struct transpose_code *code;
};

struct transpose_code {
	/* The block of m x n elements at in (pitch in elements) to out. */
	void (*block)(void *out, int64_t out_pitch, const void *in, int64_t in_pitch, int64_t m,
		int64_t n);
};

#endif
