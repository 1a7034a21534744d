/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The general path of regrid.*: explicit links, of the separable weights or of the nearest
 * source on the sphere. */
#include "kernels/regrid.h"

#include <math.h>
#include "base/cleanup.h"
#include "kernels/input.h"
#include "kernels/mem.h"

static int64_t link_source(const struct regrid_state *s, int64_t i, int64_t j, int k, int l)
{
	return regrid_row(s, axis_source(&s->lat, i, k)) * s->w + axis_source(&s->lon, j, l);
}

/* The weight of link kl of target t, 0 for a source without value. */
static double link_weight(const struct regrid_state *s, int64_t t, int kl, int64_t *ret_source)
{
	int k = kl / s->lon.n_links, l = kl % s->lon.n_links;

	*ret_source = link_source(s, t / s->tw, t % s->tw, k, l);
	if (s->mask && s->mask[*ret_source])
		return 0;
	if (!s->lat.exact)
		return 1;
	return s->lat.exact[k * s->th + t / s->tw] * s->lon.exact[l * s->tw + t % s->tw];
}

static void add_link(struct regrid_state *s, int64_t source, double weight)
{
	struct regrid_links *c = &s->links;

	c->index[c->n_links] = (int32_t)source;
	real_set(c->weight, s->p->dtype, (size_t)c->n_links++, weight);
}

static int64_t any_valid(const struct regrid_state *s)
{
	int64_t i = 0;

	while (s->mask[i] && i + 1 < s->h * s->w)
		i++;
	return i;
}

/* Links of one target. With fracarea they are divided by their sum; a target that got none of
 * its area takes a NaN times some value. */
static void add_target(struct regrid_state *s, int64_t t, int per)
{
	double sum = 0, all = 1;
	int64_t source;

	for (int kl = 0; s->mask && kl < per; kl++)
		sum += link_weight(s, t, kl, &source);
	if (s->mask && !(sum > REGRID_LEAST_AREA)) {
		add_link(s, any_valid(s), NAN);
		return;
	}
	if (s->mask && params_option(s->p, "mask") == REGRID_FRACAREA)
		all = sum;
	for (int kl = 0; kl < per; kl++) {
		double w = link_weight(s, t, kl, &source);

		if (w != 0)
			add_link(s, source, w / all);
	}
}

int regrid_make_links(struct regrid_state *s, struct error *err)
{
	struct regrid_links *c = &s->links;
	int per = s->lat.n_links * s->lon.n_links, r;
	int64_t n = s->th * s->tw;

	c->n_rows = n;
	c->row = xcalloc((size_t)n + 1, sizeof(*c->row));
	r = mem_new((void **)&c->index, (size_t)(n * per) * 4, 3, err);
	if (r == OK)
		r = mem_new(&c->weight, (size_t)(n * per * dtype_bytes(s->p->dtype)), 4, err);
	for (int64_t t = 0; r == OK && t < n; t++) {
		if (s->is_chord)
			add_link(s, regrid_chord_source(s, t / s->tw, t % s->tw), 1);
		else
			add_target(s, t, per);
		c->row[t + 1] = c->n_links;
	}
	return r;
}

/* --- nearest on the sphere ---------------------------------------------------------------- */

/* Half the square of the chord between two points: 1 - cos of their angle, without
 * cancellation. */
static double chord(double lat1, double lat2, double cos1, double cos2, double dlon)
{
	double a = sin((lat1 - lat2) / 2 * (M_PI / 180)), b = sin(dlon / 2 * (M_PI / 180));

	return 2 * (a * a + cos1 * cos2 * b * b);
}

/* Exactly 0 at the poles, where all meridians meet. */
static double cos_lat(enum regrid_grid g, int64_t n, int64_t i)
{
	int64_t num = g == REGRID_CELL ? 2 * i + 1 : 2 * i;
	int64_t den = g == REGRID_CELL ? 2 * n : 2 * (n - 1);

	return sin(M_PI * (double)MIN(num, den - num) / (double)den);
}

/* Between target (i, j) and source row r, column c; c counts from -180, before or behind the
 * sheet too. */
static double chord_to(const struct regrid_state *s, int64_t i, int64_t j, int64_t r, int64_t c)
{
	double dlon = grid_lon(s->grid, s->tw, j) - grid_lon(s->grid, s->w, c);

	return chord(grid_lat(s->grid, s->th, i), grid_lat(s->grid, s->h, r),
		cos_lat(s->grid, s->th, i), cos_lat(s->grid, s->h, r), dlon);
}

/* Columns and rows before a target. */
static int64_t below(enum regrid_grid g, int64_t n_src, int64_t n_dst, int64_t t)
{
	int64_t num = g == REGRID_CELL ? (2 * t + 1) * n_src - n_dst : t * (n_src - 1);
	int64_t den = g == REGRID_CELL ? 2 * n_dst : n_dst - 1;

	return num / den - (num % den < 0);
}

static int64_t wrapped(const struct regrid_state *s, int64_t c)
{
	int64_t n = s->grid == REGRID_NODE ? s->w - 1 : s->w, j;

	if (s->turn == 0 && s->grid == REGRID_NODE)
		return MIN(c, s->w - 1);
	j = (c - s->turn) % n;
	return j < 0 ? j + n : j;
}

/* The nearest of the rows and columns around the target. What is no nearer than rounding tells
 * goes to the lower index: the column where all are at the pole, the row half-way. */
int64_t regrid_chord_source(const struct regrid_state *s, int64_t i, int64_t j)
{
	int64_t row = below(s->grid, s->h, s->th, i), column = below(s->grid, s->w, s->tw, j);
	int64_t best_row = 0, best_column = 0;
	double best = INFINITY;

	for (int64_t r = MAX(row, 0); r <= MIN(row + 1, s->h - 1); r++)
		for (int64_t c = column; c <= column + 1; c++) {
			double d = chord_to(s, i, j, r, c);

			if (d >= best * (1 - REGRID_CHORD_TIE) - 1e-30)
				continue;
			best = d;
			best_row = r;
			best_column = c;
		}
	return regrid_row(s, best_row) * s->w + wrapped(s, best_column);
}

/* Two rows and columns further on each side, and where the link really leads. */
int64_t regrid_count_farther(const struct regrid_state *s)
{
	int64_t n = 0;

	for (int64_t t = 0; t < s->th * s->tw; t++) {
		int64_t i = t / s->tw, j = t % s->tw, source = s->links.index[t];
		int64_t row = below(s->grid, s->h, s->th, i);
		int64_t column = below(s->grid, s->w, s->tw, j);
		double least = INFINITY, ours = INFINITY;

		for (int64_t r = MAX(row - 2, 0); r <= MIN(row + 3, s->h - 1); r++)
			for (int64_t c = column - 2; c <= column + 3; c++) {
				double d = chord_to(s, i, j, r, c);

				least = fmin(least, d);
				if (regrid_row(s, r) * s->w + wrapped(s, c) == source)
					ours = fmin(ours, d);
			}
		n += !(ours <= least * (1 + 2 * REGRID_CHORD_TIE) + 1e-30);
	}
	return n;
}
