/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stencil* in vectors. 27pt adds up its columns first: with A the centre row, B the four rows
 * beside it and C the four at the corners of the cross section, a point is c0 A + c1 (B + A's
 * neighbours) + c2 (C + B's neighbours) + c3 (C's neighbours): 14 operations, not 30. */
#include "kernels/simd/simd.h"
#include "kernels/stencil.h"

#define ALWAYS static inline __attribute__((always_inline))
#define W(shape, k) v_all((real)stencil_weights[shape][k])

/* n of LANES elements; n == LANES is known at compile time in the main loops. */
ALWAYS vec get(const real *p, size_t n)
{
	return n == (size_t)LANES ? v_load(p) : v_load_n(p, n);
}

ALWAYS vec point5(const struct stencil_row *r, int64_t j, size_t n)
{
	const real *up = r->at[0], *u = r->at[1], *down = r->at[2];
	vec sum = get(up + j, n) + get(down + j, n) + get(u + j - 1, n) + get(u + j + 1, n);

	return v_fma(W(STENCIL_5PT, 1), sum, W(STENCIL_5PT, 0) * get(u + j, n));
}

ALWAYS vec point7(const struct stencil_row *r, int64_t j, size_t n)
{
	const real *u = r->at[4], *a = r->at[3], *b = r->at[5], *c = r->at[1], *d = r->at[7];
	vec sum = get(a + j, n) + get(b + j, n) + get(c + j, n) + get(d + j, n) +
		  get(u + j - 1, n) + get(u + j + 1, n);

	return v_fma(W(STENCIL_7PT, 1), sum, W(STENCIL_7PT, 0) * get(u + j, n));
}

ALWAYS vec point27(const struct stencil_row *r, int64_t j, size_t n)
{
	const real *a = r->at[4], *b = r->sums, *c = b + r->width;
	vec faces = get(b + j, n) + (get(a + j - 1, n) + get(a + j + 1, n));
	vec edges = get(c + j, n) + (get(b + j - 1, n) + get(b + j + 1, n));
	vec corners = get(c + j - 1, n) + get(c + j + 1, n);
	vec v = v_fma(W(STENCIL_27PT, 1), faces, W(STENCIL_27PT, 0) * get(a + j, n));

	return v_fma(W(STENCIL_27PT, 3), corners, v_fma(W(STENCIL_27PT, 2), edges, v));
}

/* Columns 1 .. width - 2; past the caches from the first aligned column on. Rows longer than a
 * vector end with one that overlaps the one before it: the same values once more. */
#define ROW(name, POINT)                                                                       \
	static void name(const struct stencil_row *r)                                          \
	{                                                                                      \
		int64_t j = 1, end = r->width - 1;                                             \
		real *out = r->out;                                                            \
                                                                                               \
		if (end - j < LANES) {                                                         \
			v_store_n(out + j, POINT(r, j, (size_t)(end - j)), (size_t)(end - j)); \
			return;                                                                \
		}                                                                              \
		if (r->nontemporal) {                                                          \
			v_store(out + j, POINT(r, j, LANES));                                  \
			j += (int64_t)v_head(out + j, LANES);                                  \
			for (; j + LANES <= end; j += LANES)                                   \
				v_stream(out + j, POINT(r, j, LANES));                         \
		}                                                                              \
		for (; j + LANES <= end; j += LANES)                                           \
			v_store(out + j, POINT(r, j, LANES));                                  \
		if (j < end)                                                                   \
			v_store(out + end - LANES, POINT(r, end - LANES, LANES));              \
	}

ROW(row5, point5)
ROW(row7, point7)
ROW(row27_points, point27)

ALWAYS void add_columns(const struct stencil_row *r, int64_t j, size_t n)
{
	const real *const *at = (const real *const *)r->at;
	real *b = (real *)r->sums + j, *c = b + r->width;
	vec beside =
		get(at[1] + j, n) + get(at[3] + j, n) + get(at[5] + j, n) + get(at[7] + j, n);
	vec corner =
		get(at[0] + j, n) + get(at[2] + j, n) + get(at[6] + j, n) + get(at[8] + j, n);

	if (n == (size_t)LANES) {
		v_store(b, beside);
		v_store(c, corner);
	} else {
		v_store_n(b, beside, n);
		v_store_n(c, corner, n);
	}
}

static void row27(const struct stencil_row *r)
{
	int64_t j = 0;

	for (; j + LANES <= r->width; j += LANES)
		add_columns(r, j, LANES);
	if (j < r->width)
		add_columns(r, j, (size_t)(r->width - j));
	row27_points(r);
}

CODE_EXPORT(stencil) = { { row5, row7, row27 } };
