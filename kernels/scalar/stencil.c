/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stencil*, plain C. */
#include "kernels/stencil.h"
#include "kernels/code.h"

#define W(shape, k) ((real)stencil_weights[shape][k])

static void row5(const struct stencil_row *r)
{
	const real *up = r->at[0], *u = r->at[1], *down = r->at[2];
	real *out = r->out;

	for (int64_t j = 1; j < r->width - 1; j++)
		out[j] = W(STENCIL_5PT, 0) * u[j] +
			 W(STENCIL_5PT, 1) * (up[j] + down[j] + u[j - 1] + u[j + 1]);
}

static void row7(const struct stencil_row *r)
{
	const real *u = r->at[4], *n = r->at[3], *s = r->at[5], *b = r->at[1], *t = r->at[7];
	real *out = r->out;

	for (int64_t j = 1; j < r->width - 1; j++)
		out[j] = W(STENCIL_7PT, 0) * u[j] +
			 W(STENCIL_7PT, 1) * (n[j] + s[j] + b[j] + t[j] + u[j - 1] + u[j + 1]);
}

static void row27(const struct stencil_row *r)
{
	const real *const *at = (const real *const *)r->at;
	real *out = r->out;

	for (int64_t j = 1; j < r->width - 1; j++) {
		real faces =
			at[1][j] + at[3][j] + at[5][j] + at[7][j] + at[4][j - 1] + at[4][j + 1];
		real edges = at[0][j] + at[2][j] + at[6][j] + at[8][j] + at[1][j - 1] +
			     at[1][j + 1] + at[3][j - 1] + at[3][j + 1] + at[5][j - 1] +
			     at[5][j + 1] + at[7][j - 1] + at[7][j + 1];
		real corners = at[0][j - 1] + at[0][j + 1] + at[2][j - 1] + at[2][j + 1] +
			       at[6][j - 1] + at[6][j + 1] + at[8][j - 1] + at[8][j + 1];

		out[j] = W(STENCIL_27PT, 0) * at[4][j] + W(STENCIL_27PT, 1) * faces +
			 W(STENCIL_27PT, 2) * edges + W(STENCIL_27PT, 3) * corners;
	}
}

CODE_EXPORT(stencil) = { { row5, row7, row27 } };
