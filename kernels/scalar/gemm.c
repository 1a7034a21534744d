/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gemm, plain C: row by row, each element summed over k in order. */
#include "kernels/gemm.h"
#include "kernels/code.h"

static void plain(const struct gemm_state *s, int64_t lo, int64_t hi)
{
	const real *a = s->a, *b = s->b, *c = s->c;
	real *out = s->out;

	for (int64_t i = lo; i < hi; i++) {
		real *restrict row = out + i * s->n;

		for (int64_t j = 0; j < s->n; j++)
			row[j] = 0;
		for (int64_t l = 0; l < s->k; l++)
			for (int64_t j = 0; j < s->n; j++)
				row[j] += a[i * s->k + l] * b[l * s->n + j];
		for (int64_t j = 0; j < s->n; j++)
			row[j] = (real)s->alpha * row[j] +
				 (c ? (real)s->beta * c[i * s->n + j] : 0);
	}
}

CODE_EXPORT(gemm) = { .plain = plain };
