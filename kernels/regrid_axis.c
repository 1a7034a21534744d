/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Indices and weights of an axis, from integers. On a cell grid the centre of target t stands
 * at u = ((2t + 1) n_src - n_dst) / (2 n_dst) in source indices, on a node grid at
 * u = t (n_src - 1) / (n_dst - 1): a floor of such a quotient is exact, a floor of a rounded
 * coordinate puts one tie in eight on the wrong side. */
#include "kernels/regrid.h"

#include <math.h>
#include <string.h>
#include "base/cleanup.h"
#include "kernels/input.h"

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t ceil_div(int64_t a, int64_t b)
{
	return -floor_div(-a, b);
}

/* Where target t stands, as num / den. */
static void position(
	enum regrid_grid g, int64_t n_src, int64_t n_dst, int64_t t, int64_t *num, int64_t *den)
{
	*num = g == REGRID_CELL ? (2 * t + 1) * n_src - n_dst : t * (n_src - 1);
	*den = g == REGRID_CELL ? 2 * n_dst : n_dst - 1;
}

static void set_weight(struct regrid_axis *a, enum dtype d, int link, int64_t t, double w)
{
	size_t at = (size_t)(link * a->n_dst + t);

	a->exact[at] = w;
	real_set(a->weight, d, at, w);
}

/* i = ceil(u - 1/2): ties go to the lower index. */
static void fill_nearest(struct regrid_axis *a, enum regrid_grid g)
{
	for (int64_t t = 0; t < a->n_dst; t++) {
		int64_t num, den, i;

		position(g, a->n_src, a->n_dst, t, &num, &den);
		i = ceil_div(2 * num - den, 2 * den);
		a->first[t] = (int32_t)(i < 0 ? (a->is_cyclic ? i + a->n_src : 0)
					      : MIN(i, a->n_src - 1));
	}
}

/* Beyond the last centre of a latitude axis the last row has weight 1. */
static void fill_bilinear(struct regrid_axis *a, enum regrid_grid g, enum dtype d)
{
	for (int64_t t = 0; t < a->n_dst; t++) {
		int64_t num, den, i;
		double r;

		position(g, a->n_src, a->n_dst, t, &num, &den);
		i = floor_div(num, den);
		r = (double)(num - i * den) / (double)den;
		if (!a->is_cyclic && i < 0)
			i = 0, r = 0;
		if (!a->is_cyclic && i > a->n_src - 2)
			i = a->n_src - 2, r = 1;
		a->first[t] = (int32_t)i;
		set_weight(a, d, 0, t, 1 - r);
		set_weight(a, d, 1, t, r);
	}
}

/* 2 cos((a + b)/2) sin((b - a)/2), with the cosine of a latitude as the sine of its distance
 * from the nearer pole, which is exact in integers: no cancellation, not even at the poles. */
double band_area(int64_t lo, int64_t hi, int64_t n)
{
	int64_t from_pole = MIN(lo + hi, 2 * n - lo - hi);

	return 2 * sin(M_PI * (double)from_pole / (double)(2 * n)) *
	       sin(M_PI * (double)(hi - lo) / (double)(2 * n));
}

/* Edges stand at i / n of the axis, compared as integers i n_dst and t n_src. A share of a
 * target's length (longitude) or of its area on the sphere (latitude). */
static double overlap(const struct regrid_axis *a, bool is_lat, int64_t i, int64_t t)
{
	int64_t lo = MAX(i * a->n_dst, t * a->n_src);
	int64_t hi = MIN((i + 1) * a->n_dst, (t + 1) * a->n_src);
	int64_t all = a->n_src * a->n_dst;

	if (hi <= lo)
		return 0;
	if (!is_lat)
		return (double)(hi - lo) / (double)a->n_src;
	return band_area(lo, hi, all) / band_area(t * a->n_src, (t + 1) * a->n_src, all);
}

static void fill_conservative(struct regrid_axis *a, bool is_lat, enum dtype d)
{
	for (int64_t t = 0; t < a->n_dst; t++) {
		int64_t i = floor_div(t * a->n_src, a->n_dst);

		i = MAX(0, MIN(i, a->n_src - a->n_links));
		a->first[t] = (int32_t)i;
		for (int l = 0; l < a->n_links; l++)
			set_weight(a, d, l, t, overlap(a, is_lat, i + l, t));
	}
}

/* Most sources that one target overlaps. */
static int most_links(const struct regrid_axis *a)
{
	int64_t most = 1;

	for (int64_t t = 0; t < a->n_dst; t++)
		most = MAX(most, ceil_div((t + 1) * a->n_src, a->n_dst) -
					 floor_div(t * a->n_src, a->n_dst));
	return (int)most;
}

static int find_stride(const struct regrid_axis *a)
{
	int64_t stride = a->n_dst > 1 ? a->first[1] - a->first[0] : 1;

	for (int64_t t = 1; t < a->n_dst; t++)
		if (a->first[t] != a->first[0] + stride * t)
			return 0;
	return (int)stride;
}

void axis_fill(struct regrid_axis *a, enum regrid_method m, enum regrid_grid g, bool is_lat,
	enum dtype d)
{
	if (m == REGRID_NEAREST)
		fill_nearest(a, g);
	else if (m == REGRID_BILINEAR)
		fill_bilinear(a, g, d);
	else
		fill_conservative(a, is_lat, d);
	a->stride = find_stride(a);
}

void axis_init(struct regrid_axis *a, enum regrid_method m, enum regrid_grid g, bool is_lat,
	int64_t n_src, int64_t n_dst, enum dtype d)
{
	size_t n;

	*a = (struct regrid_axis){ .n_src = n_src, .n_dst = n_dst, .n_links = 1 };
	a->is_cyclic = !is_lat && g == REGRID_CELL;
	if (m != REGRID_NEAREST)
		a->n_links = m == REGRID_BILINEAR ? 2 : most_links(a);
	a->first = xcalloc((size_t)n_dst, sizeof(*a->first));
	n = (size_t)(n_dst * a->n_links);
	if (m != REGRID_NEAREST) {
		a->weight = xcalloc(n, (size_t)dtype_bytes(d));
		a->exact = xcalloc(n, sizeof(*a->exact));
	}
	axis_fill(a, m, g, is_lat, d);
}

void axis_done(struct regrid_axis *a)
{
	free(TAKE(a->first));
	free(TAKE(a->weight));
	free(TAKE(a->exact));
}

double axis_unity_error(const struct regrid_axis *a, enum dtype d)
{
	double worst = 0;

	for (int64_t t = 0; a->weight && t < a->n_dst; t++) {
		double sum = 0;

		for (int l = 0; l < a->n_links; l++)
			sum += real_get(a->weight, d, (size_t)(l * a->n_dst + t));
		worst = fmax(worst, fabs(sum - 1));
	}
	return worst;
}

/* --- checks from the outside -------------------------------------------------------------- */

/* u - i in (-1/2, 1/2], counted around a cyclic axis; beyond the ends the end is nearest. */
static bool is_nearest(const struct regrid_axis *a, int64_t num, int64_t den, int64_t i)
{
	int64_t off = 2 * (num - i * den), turn = 2 * a->n_src * den;

	if (i < 0 || i >= a->n_src)
		return false;
	if (a->is_cyclic && off > turn / 2)
		off -= turn;
	if (a->is_cyclic && off <= -turn / 2)
		off += turn;
	if (!a->is_cyclic && ((i == 0 && off < 0) || (i == a->n_src - 1 && off > 0)))
		return true;
	return off > -den && off <= den;
}

/* first <= u <= first + 1, and the second weight is the distance from the first. */
static bool encloses(
	const struct regrid_axis *a, int64_t num, int64_t den, int64_t t, double eps)
{
	double u = (double)num / (double)den, r = u - a->first[t];

	if (!a->is_cyclic) /* the end rows hold beyond the ends */
		r = fmin(fmax(r, 0), 1);
	return r >= 0 && r <= 1 && fabs(a->exact[a->n_dst + t] - r) <= eps * (fabs(u) + 2) &&
	       fabs(a->exact[t] - (1 - r)) <= eps * (fabs(u) + 2);
}

static bool covers(const struct regrid_axis *a, int64_t t)
{
	int64_t lo = a->first[t], hi = lo + a->n_links;

	return lo >= 0 && hi <= a->n_src && lo * a->n_dst <= t * a->n_src &&
	       hi * a->n_dst >= (t + 1) * a->n_src;
}

int64_t axis_count_wrong(
	const struct regrid_axis *a, enum regrid_method m, enum regrid_grid g, double eps)
{
	int64_t n = 0;

	for (int64_t t = 0; t < a->n_dst; t++) {
		int64_t num, den;

		position(g, a->n_src, a->n_dst, t, &num, &den);
		if (m == REGRID_NEAREST)
			n += !is_nearest(a, num, den, a->first[t]);
		else if (m == REGRID_BILINEAR)
			n += !encloses(a, num, den, t, eps);
		else
			n += !covers(a, t);
	}
	return n;
}
