/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transpose, plain C: element by element inside a block. */
#include "kernels/transpose.h"
#include "kernels/code.h"

static void block(
	void *out_, int64_t out_pitch, const void *in_, int64_t in_pitch, int64_t m, int64_t n)
{
	const word *in = in_;
	word *out = out_;

	for (int64_t j = 0; j < n; j++)
		for (int64_t i = 0; i < m; i++)
			out[j * out_pitch + i] = in[i * in_pitch + j];
}

CODE_EXPORT(transpose) = { block };
