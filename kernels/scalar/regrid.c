/* SPDX-License-Identifier: GPL-3.0-or-later */
/* regrid.*, plain C: each target from its sources, in the order of the formula. */
#include "kernels/code.h"
#include "kernels/regrid.h"

static int64_t wrap(int64_t i, int64_t n)
{
	return i < 0 ? i + n : i >= n ? i - n : i;
}

static void nearest(const struct regrid_row *r)
{
	const real *src = r->src;
	real *out = r->out;

	for (int64_t j = 0; j < r->n; j++)
		out[j] = src[r->col_first[j]];
}

static void separable(const struct regrid_row *r)
{
	const real *src = r->src;
	const real *weight = r->col_weight;
	real *out = r->out;

	for (int64_t j = 0; j < r->n; j++) {
		real sum = 0;

		for (int k = 0; k < r->n_row_links; k++)
			for (int l = 0; l < r->n_col_links; l++) {
				int64_t i = wrap((int64_t)r->col_first[j] + l, r->width);

				sum += (real)r->row_weight[k] * weight[l * r->col_pitch + j] *
				       src[k * r->row_pitch + i];
			}
		out[j] = sum;
	}
}

static void links(void *out_, const void *src_, const int64_t *row, const int32_t *index,
	const void *weight_, int64_t lo, int64_t hi)
{
	const real *src = src_, *weight = weight_;
	real *out = out_;

	for (int64_t i = lo; i < hi; i++) {
		real sum = 0;

		for (int64_t k = row[i]; k < row[i + 1]; k++)
			sum += weight[k] * src[index[k]];
		out[i] = sum;
	}
}

CODE_EXPORT(regrid) = { nearest, separable, links };
