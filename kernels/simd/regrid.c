/* SPDX-License-Identifier: GPL-3.0-or-later */
/* regrid.*, in vectors: blend the source rows of a target row into a buffer that stays in the
 * L1 cache, then gather the target's columns from it. Where targets take every second source
 * (half resolution), loads and shuffles replace gathers and the buffer. */
#include "kernels/regrid.h"
#include "kernels/simd/simd.h"

/* Bytes ahead of the loads: hardware prefetchers stop at pages, fields of memory size do not.
 */
enum { AHEAD = 4096 };

static inline void fetch_ahead(const real *p)
{
	for (int b = 0; b < 2 * VEC_BYTES; b += 64)
		__builtin_prefetch((const char *)p + AHEAD + b);
}

static inline void put(real *p, vec v, bool nontemporal)
{
	if (nontemporal)
		v_stream(p, v);
	else
		v_store(p, v);
}

/* --- nearest ------------------------------------------------------------------------------ */

static void nearest_tail(const struct regrid_row *r, const real *src, int64_t j)
{
	for (real *out = r->out; j < r->n; j++)
		out[j] = src[r->col_first[j]];
}

/* Elements 0, 2, 4 ... of s. */
static inline vec take_even(const real *s)
{
	return v_even(v_load(s), v_load(s + LANES));
}

static int64_t nearest_stride2(const struct regrid_row *r, const real *src)
{
	const real *s = src + r->col_first[0];
	real *out = r->out;
	const bool nontemporal = r->is_nontemporal && LANES < r->n;
	int64_t j = 0,
		ahead = r->n - AHEAD / (2 * (int64_t)sizeof(real)); /* rows are skipped */

	/* The last vector would read one source behind its row. */
	if (nontemporal)
		v_store_n(out, take_even(s), (size_t)(j = (int64_t)v_head(out, LANES)));
	for (; j + LANES < r->n; j += LANES) {
		if (nontemporal && j < ahead)
			fetch_ahead(s + 2 * j);
		put(out + j, take_even(s + 2 * j), nontemporal);
	}
	return j;
}

static void nearest(const struct regrid_row *r)
{
	const real *src = r->src;
	real *out = r->out;
	int64_t j = 0;

	if (r->col_stride == 2)
		j = nearest_stride2(r, src);
	else
		for (; j + LANES <= r->n; j += LANES)
			v_store(out + j, v_gather(src, r->col_first + j));
	nearest_tail(r, src, j);
}

/* --- separable ---------------------------------------------------------------------------- */

/* buf[0..n) = sum over the row links of weight * row, columns lo.. (not across the seam). */
static void blend(const struct regrid_row *r, real *buf, int64_t lo, int64_t n)
{
	const real *s = (const real *)r->src + lo;
	int64_t i = 0;

	for (; i + LANES <= n; i += LANES) {
		vec v = (real)r->row_weight[0] * v_load(s + i);

		for (int k = 1; k < r->n_row_links; k++)
			v = v_fma(v_all((real)r->row_weight[k]),
				v_load(s + k * r->row_pitch + i), v);
		v_store(buf + i, v);
	}
	if (i < n) {
		vec v = (real)r->row_weight[0] * v_load_n(s + i, (size_t)(n - i));

		for (int k = 1; k < r->n_row_links; k++)
			v = v_fma(v_all((real)r->row_weight[k]),
				v_load_n(s + k * r->row_pitch + i, (size_t)(n - i)), v);
		v_store_n(buf + i, v, (size_t)(n - i));
	}
}

/* Columns lo .. lo + n - 1 of a cyclic row, cut at the seam. */
static void blend_cyclic(const struct regrid_row *r, int64_t lo, int64_t n)
{
	real *buf = r->buffer;

	while (n > 0) {
		int64_t at = lo < 0 ? lo + r->width : lo >= r->width ? lo - r->width : lo;
		int64_t part = r->width - at < n ? r->width - at : n;

		blend(r, buf, at, part);
		buf += part;
		lo += part;
		n -= part;
	}
}

static void gather(const struct regrid_row *r, int64_t lo, int64_t j)
{
	const real *buf = r->buffer, *weight = r->col_weight;
	real *out = r->out;

	for (; j + LANES <= r->n; j += LANES) {
		vec v = v_load(weight + j) * v_gather_from(buf, r->col_first + j, (int32_t)lo);

		for (int l = 1; l < r->n_col_links; l++)
			v = v_fma(v_load(weight + l * r->col_pitch + j),
				v_gather_from(buf + l, r->col_first + j, (int32_t)lo), v);
		v_store(out + j, v);
	}
	for (; j < r->n; j++) {
		const real *b = buf + (r->col_first[j] - lo);
		vec v = { weight[j] * b[0] };

		for (int l = 1; l < r->n_col_links; l++) {
			vec w = { weight[l * r->col_pitch + j] }, x = { b[l] };

			v = v_fma(w, x, v);
		}
		out[j] = v[0];
	}
}

/* Two rows, two columns, every second source, no seam: no buffer. */
struct half {
	const real *s, *t, *w0, *w1; /* two source rows, weights of their columns */
	vec a, b;		     /* weights of the rows */
};

static inline vec half_of(const struct half *h, int64_t j)
{
	vec lo = v_fma(h->b, v_load(h->t + 2 * j), h->a * v_load(h->s + 2 * j));
	vec hi = v_fma(h->b, v_load(h->t + 2 * j + LANES), h->a * v_load(h->s + 2 * j + LANES));

	return v_fma(v_load(h->w1 + j), v_odd(lo, hi), v_load(h->w0 + j) * v_even(lo, hi));
}

static int64_t half(const struct regrid_row *r)
{
	const real *s = (const real *)r->src + r->col_first[0];
	const real *w = r->col_weight;
	struct half h = { s, s + r->row_pitch, w, w + r->col_pitch,
		v_all((real)r->row_weight[0]), v_all((real)r->row_weight[1]) };
	real *out = r->out;
	const bool nontemporal = r->is_nontemporal && LANES <= r->n;
	int64_t j = 0;

	if (nontemporal)
		v_store_n(out, half_of(&h, 0), (size_t)(j = (int64_t)v_head(out, LANES)));
	for (; j + LANES <= r->n; j += LANES) {
		if (nontemporal) {
			fetch_ahead(s + 2 * j);
			fetch_ahead(h.t + 2 * j);
		}
		put(out + j, half_of(&h, j), nontemporal);
	}
	return j;
}

static void separable(const struct regrid_row *r)
{
	int64_t lo = r->col_first[0], hi = r->col_first[r->n - 1] + r->n_col_links, j = 0;

	if (r->col_stride == 2 && r->n_row_links == 2 && r->n_col_links == 2 && lo >= 0 &&
		hi <= r->width)
		j = half(r);
	if (j == r->n)
		return;
	lo = r->col_first[j];
	blend_cyclic(r, lo, hi - lo);
	gather(r, lo, j);
}

/* --- links -------------------------------------------------------------------------------- */

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
