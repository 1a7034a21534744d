/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sources that lie in memory in another order: rows from the north, columns that begin at
 * another meridian (0 to 360), a virtual row at each pole. Nothing is copied into order: rows
 * have a pitch that may be negative, and the axis of longitudes names stored columns. */
#include "kernels/regrid.h"

#include <math.h>
#include "base/cleanup.h"
#include "kernels/input.h"

/* Columns until the first one comes again. */
static int64_t ring(enum regrid_grid g, int64_t w)
{
	return g == REGRID_NODE ? w - 1 : w;
}

int64_t regrid_row(const struct regrid_state *s, int64_t r)
{
	return s->is_flipped ? s->h - 1 - r : r;
}

void *regrid_row_at(const struct regrid_state *s, int64_t level, int64_t r)
{
	int64_t rows = s->h + 2 * s->has_poles;

	return (char *)s->src +
	       (level * rows + regrid_row(s, r)) * s->w * dtype_bytes(s->p->dtype);
}

/* The order of the columns is turned: stored column j is the (j + turn)th from -180. Targets
 * before the seam keep their step from one to the next, so do those behind it. */
void axis_turn(struct regrid_axis *a)
{
	int64_t n = ring(a->grid, a->n_src);

	a->seam = 0;
	for (int64_t t = 0; a->turn && t < a->n_dst; t++) {
		int64_t i = a->first[t] - a->turn;

		a->first[t] = (int32_t)(i < 0 ? i + n : i);
		if (t > 0 && a->first[t] < a->first[t - 1])
			a->seam = t;
	}
}

int64_t axis_first(const struct regrid_axis *a, int64_t t)
{
	int64_t i = a->first[t] + a->turn, n = ring(a->grid, a->n_src);

	return a->turn && i >= n ? i - n : i;
}

static void swap(double *a, double *b)
{
	double v = *a;

	*a = *b;
	*b = v;
}

void regrid_source_init(const struct regrid_state *s, struct field *f)
{
	int64_t n = ring(s->grid, s->w);

	field_init(f, (int)params_option(s->p, "field"), params_option(s->p, "values"), s->grid,
		s->h, s->w);
	for (int k = 0; k < f->n_terms; k++) {
		double *turned = xcalloc((size_t)s->w, sizeof(*turned));

		for (int64_t j = 0; j < s->w; j++)
			turned[j] = f->column[k][s->turn ? (j + s->turn) % n : j];
		free(f->column[k]);
		f->column[k] = turned;
		for (int64_t i = 0; s->is_flipped && i < s->h / 2; i++)
			swap(&f->row[k][i], &f->row[k][s->h - 1 - i]);
	}
}

/* --- poles -------------------------------------------------------------------------------- */

/* Mean of a row, summed after Neumaier 1974: the rows next to a pole nearly cancel. */
static double zonal_mean(const struct regrid_state *s, const void *row)
{
	double sum = 0, rest = 0;

	for (int64_t j = 0; j < s->w; j++) {
		double v = real_get(row, s->p->dtype, (size_t)j), t = sum + v;

		rest += fabs(sum) >= fabs(v) ? sum - t + v : v - t + sum;
		sum = t;
	}
	return (sum + rest) / (double)s->w;
}

static void fill_pole(const struct regrid_state *s, int64_t level, int64_t row, int64_t pole)
{
	double mean = zonal_mean(s, regrid_row_at(s, level, row));
	void *out = regrid_row_at(s, level, pole);

	for (int64_t j = 0; j < s->w; j++)
		real_set(out, s->p->dtype, (size_t)j, mean);
}

void regrid_fill_poles(const struct regrid_state *s)
{
	for (int64_t level = 0; s->has_poles && level < s->levels; level++) {
		fill_pole(s, level, 0, -1);
		fill_pole(s, level, s->h - 1, s->h);
	}
}
