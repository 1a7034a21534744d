/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Test fields with closed forms, as sums of products of a function of latitude and a function
 * of longitude. f1 to f4 as in the earlier system's tests; y2 and y32 after Jones 1999 (SCRIP).
 * Means over cells are integrals of the factors: with area element cos(lat) dlat dlon. */
#include "kernels/regrid.h"

#include <math.h>
#include "base/cleanup.h"

const char *const field_names[] = { "f1", "f2", "f3", "f4", "y2", "y32", "const", "linear",
	NULL };
enum { F1, F2, F3, F4, Y2, Y32, CONST, LINEAR };
#define CONST_VALUE 3.7

double grid_lat(enum regrid_grid g, int64_t n, int64_t i)
{
	return g == REGRID_CELL ? -90 + 180 * ((double)i + 0.5) / (double)n
				: -90 + 180 * (double)i / (double)(n - 1);
}

double grid_lon(enum regrid_grid g, int64_t n, int64_t i)
{
	return g == REGRID_CELL ? -180 + 360 * ((double)i + 0.5) / (double)n
				: -180 + 360 * (double)i / (double)(n - 1);
}

/* --- points: factor k at latitude or longitude in degrees --------------------------------- */

static double lat_factor(int field, int k, double deg)
{
	double phi = deg * (M_PI / 180), s = sin(phi), c = cos(phi);

	switch (field) {
	case F1:
		return k == 0 ? s : 0.5 * sin(2 * phi);
	case F2:
		return exp(-deg * deg / 1800);
	case F3:
		return k == 0	? 1
		       : k == 1 ? 0.05 * deg * deg + 0.2 * cos(0.1 * deg)
				: 0.1 * deg;
	case F4:
		return k == 0 ? sin(2 * phi) : 0.5 * sin(5 * phi);
	case Y2:
		return k == 0 ? 2 : c * c;
	case Y32:
		return k == 0 ? 2 : pow(sin(2 * phi), 16);
	case CONST:
		return CONST_VALUE;
	default: /* 1 + 0.02 lon + 0.05 lat */
		return k == 0 ? 1 + 0.05 * deg : 1;
	}
}

static double lon_factor(int field, int k, double deg)
{
	double lam = deg * (M_PI / 180);

	switch (field) {
	case F1:
		return k == 0 ? cos(lam) : cos(2 * lam);
	case F2:
		return exp(-deg * deg / 1800);
	case F3:
		return k == 0 ? 0.1 * deg * deg + 0.3 * sin(0.1 * deg) : k == 1 ? 1 : 0.1 * deg;
	case F4:
		return k == 0 ? cos(3 * lam) : cos(2 * lam);
	case Y2:
		return k == 0 ? 1 : cos(2 * lam);
	case Y32:
		return k == 0 ? 1 : cos(16 * lam);
	case CONST:
		return 1;
	default:
		return k == 0 ? 1 : 0.02 * deg;
	}
}

static int terms_of(int field)
{
	return field == F2 || field == CONST ? 1 : field == F3 ? 3 : 2;
}

/* --- means -------------------------------------------------------------------------------- */

bool field_has_means(int field)
{
	return field == F1 || field == Y2 || field == CONST;
}

/* Sine and cosine of the latitude of edge i of n, from the distance to the nearer pole. */
static double edge_sin(int64_t i, int64_t n)
{
	int64_t from_pole = MIN(i, n - i);
	double s = cos(M_PI * (double)from_pole / (double)n);

	return 2 * i < n ? -s : s;
}

static double edge_cos(int64_t i, int64_t n)
{
	return sin(M_PI * (double)MIN(i, n - i) / (double)n);
}

/* (cos^3 a - cos^3 b)/3 over the area (sin b - sin a) of the band: with the sum and difference
 * formulas tan((a + b)/2) is left, in front of a polynomial of the cosines. */
static double mean_sin_cos2(int64_t i, int64_t n)
{
	double ca = edge_cos(i, n), cb = edge_cos(i + 1, n);
	int64_t from_pole = MIN(2 * i + 1, 2 * n - 2 * i - 1);
	double tan_mid = 1 / tan(M_PI * (double)from_pole / (double)(2 * n));

	return (2 * i + 1 < n ? -1 : 1) * tan_mid * (ca * ca + ca * cb + cb * cb) / 3;
}

/* Mean of the factor over row i of n, weighted with cos: integrals of sin cos, of
 * 0.5 sin 2phi cos = sin cos^2, and of cos^3. */
static double lat_mean(int field, int k, int64_t i, int64_t n)
{
	double sa = edge_sin(i, n), sb = edge_sin(i + 1, n);

	if (field == F1)
		return k == 0 ? (sa + sb) / 2 : mean_sin_cos2(i, n);
	if (field == Y2 && k == 1)
		return 1 - (sa * sa + sa * sb + sb * sb) / 3;
	return field == Y2 ? 2 : CONST_VALUE;
}

/* Mean of cos(m lam) over column j of n: sin(m pi/n)/(m pi/n) times its value at the middle. */
static double cosine_mean(int m, int64_t j, int64_t n)
{
	double half = m * M_PI / (double)n;

	return cos(m * 2 * M_PI * (((double)j + 0.5) / (double)n - 0.5)) * sin(half) / half;
}

static double lon_mean(int field, int k, int64_t j, int64_t n)
{
	if (field == F1)
		return cosine_mean(k + 1, j, n);
	return field == Y2 && k == 1 ? cosine_mean(2, j, n) : 1;
}

/* --- tables ------------------------------------------------------------------------------- */

static double row_value(
	int field, bool is_mean, enum regrid_grid g, int64_t n, int64_t i, int k)
{
	if (!is_mean)
		return lat_factor(field, k, grid_lat(g, n, i));
	return lat_mean(field, k, i, n);
}

static double column_value(
	int field, bool is_mean, enum regrid_grid g, int64_t n, int64_t j, int k)
{
	if (!is_mean)
		return lon_factor(field, k, grid_lon(g, n, j));
	return lon_mean(field, k, j, n);
}

void field_init(
	struct field *f, int field, bool is_mean, enum regrid_grid g, int64_t h, int64_t w)
{
	f->n_terms = terms_of(field);
	for (int k = 0; k < f->n_terms; k++) {
		f->row[k] = xcalloc((size_t)h, sizeof(double));
		f->column[k] = xcalloc((size_t)w, sizeof(double));
		for (int64_t i = 0; i < h; i++)
			f->row[k][i] = row_value(field, is_mean, g, h, i, k);
		for (int64_t j = 0; j < w; j++)
			f->column[k][j] = column_value(field, is_mean, g, w, j, k);
	}
}

void field_done(struct field *f)
{
	for (int k = 0; k < f->n_terms; k++) {
		free(TAKE(f->row[k]));
		free(TAKE(f->column[k]));
	}
}
