/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spmv.csr, plain C: row by row, entry by entry. */
#include "kernels/spmv.h"
#include "kernels/code.h"

static void rows(const struct spmv_state *s, int64_t lo, int64_t hi)
{
	const real *value = s->value, *x = s->x;
	real *y = s->y;

	for (int64_t i = lo; i < hi; i++) {
		real sum = 0;

		for (int32_t k = s->row[i]; k < s->row[i + 1]; k++)
			sum += value[k] * x[s->column[k]];
		y[i] = sum;
	}
}

CODE_EXPORT(spmv) = { rows };
