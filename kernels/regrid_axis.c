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
static void position(const struct regrid_axis *a, int64_t t, int64_t *num, int64_t *den)
{
	bool is_cell = a->grid == REGRID_CELL;

	*num = is_cell ? (2 * t + 1) * a->n_src - a->n_dst : t * (a->n_src - 1);
	*den = is_cell ? 2 * a->n_dst : a->n_dst - 1;
}

static void set_weight(struct regrid_axis *a, int link, int64_t t, double w)
{
	size_t at = (size_t)(link * a->n_dst + t);

	a->exact[at] = w;
	real_set(a->weight, a->dtype, at, w);
}

/* i = ceil(u - 1/2): ties go to the lower index. */
static void fill_nearest(struct regrid_axis *a)
{
	for (int64_t t = 0; t < a->n_dst; t++) {
		int64_t num, den, i;

		position(a, t, &num, &den);
		i = ceil_div(2 * num - den, 2 * den);
		a->first[t] = (int32_t)(i < 0 ? (a->is_cyclic ? i + a->n_src : 0)
					      : MIN(i, a->n_src - 1));
	}
}

/* Beyond the last centre of a latitude axis the last row has weight 1, or the pole its share:
 * half a step beyond the last centre, it is twice as near. */
static void place_bilinear(
	const struct regrid_axis *a, int64_t t, int64_t *ret_first, double *ret_r)
{
	int64_t num, den, i, last = a->n_src - 1;

	position(a, t, &num, &den);
	i = floor_div(num, den);
	*ret_r = (double)(num - i * den) / (double)den;
	if (a->has_poles && i < 0)
		*ret_r = (double)(2 * num + den) / (double)den;
	else if (a->has_poles && i >= last)
		*ret_r = (double)(2 * (num - last * den)) / (double)den;
	else if (!a->is_cyclic && i < 0)
		i = 0, *ret_r = 0;
	else if (!a->is_cyclic && i >= last)
		i = last - 1, *ret_r = 1;
	*ret_first = i;
}

static void fill_bilinear(struct regrid_axis *a)
{
	for (int64_t t = 0; t < a->n_dst; t++) {
		int64_t i;
		double r;

		place_bilinear(a, t, &i, &r);
		a->first[t] = (int32_t)i;
		set_weight(a, 0, t, 1 - r);
		set_weight(a, 1, t, r);
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
static double overlap(const struct regrid_axis *a, int64_t i, int64_t t)
{
	int64_t lo = MAX(i * a->n_dst, t * a->n_src);
	int64_t hi = MIN((i + 1) * a->n_dst, (t + 1) * a->n_src);
	int64_t all = a->n_src * a->n_dst;

	if (hi <= lo)
		return 0;
	if (!a->is_lat)
		return (double)(hi - lo) / (double)a->n_src;
	return band_area(lo, hi, all) / band_area(t * a->n_src, (t + 1) * a->n_src, all);
}

static void fill_conservative(struct regrid_axis *a)
{
	for (int64_t t = 0; t < a->n_dst; t++) {
		int64_t i = floor_div(t * a->n_src, a->n_dst);

		i = MAX(0, MIN(i, a->n_src - a->n_links));
		a->first[t] = (int32_t)i;
		for (int l = 0; l < a->n_links; l++)
			set_weight(a, l, t, overlap(a, i + l, t));
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

/* The step from a target's first source to the next one's, away from the seam. */
static int find_stride(const struct regrid_axis *a)
{
	int64_t from = a->n_dst > 2 && a->seam == 1 ? 1 : 0;
	int64_t stride = a->n_dst > from + 1 ? a->first[from + 1] - a->first[from] : 1;

	for (int64_t t = 1; t < a->n_dst; t++)
		if (t != a->seam && a->first[t] - a->first[t - 1] != stride)
			return 0;
	return (int)stride;
}

void axis_fill(struct regrid_axis *a)
{
	if (a->method == REGRID_NEAREST)
		fill_nearest(a);
	else if (a->method == REGRID_BILINEAR)
		fill_bilinear(a);
	else
		fill_conservative(a);
	axis_turn(a);
	a->stride = find_stride(a);
}

void axis_init(struct regrid_axis *a)
{
	size_t n;

	a->n_links = 1;
	a->is_cyclic = !a->is_lat && a->grid == REGRID_CELL;
	if (a->method != REGRID_NEAREST)
		a->n_links = a->method == REGRID_BILINEAR ? 2 : most_links(a);
	a->first = xcalloc((size_t)a->n_dst, sizeof(*a->first));
	n = (size_t)(a->n_dst * a->n_links);
	if (a->method != REGRID_NEAREST) {
		a->weight = xcalloc(n, (size_t)dtype_bytes(a->dtype));
		a->exact = xcalloc(n, sizeof(*a->exact));
	}
	axis_fill(a);
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
	double u = (double)num / (double)den, r = u - (double)axis_first(a, t);

	if (a->turn && a->is_cyclic && r < 0) /* the same column, a turn before */
		r = u - (double)(axis_first(a, t) - a->n_src);
	if (a->has_poles && a->first[t] == -1) /* from the pole to the first centre */
		r = 2 * u + 1;
	else if (a->has_poles && a->first[t] == a->n_src - 1)
		r = 2 * (u - (double)(a->n_src - 1));
	else if (!a->is_cyclic) /* the end rows hold beyond the ends */
		r = fmin(fmax(r, 0), 1);
	return r >= 0 && r <= 1 && fabs(a->exact[a->n_dst + t] - r) <= eps * (fabs(u) + 2) &&
	       fabs(a->exact[t] - (1 - r)) <= eps * (fabs(u) + 2);
}

static bool covers(const struct regrid_axis *a, int64_t t)
{
	int64_t lo = axis_first(a, t), hi = lo + a->n_links;

	return lo >= 0 && hi <= a->n_src && lo * a->n_dst <= t * a->n_src &&
	       hi * a->n_dst >= (t + 1) * a->n_src;
}

/* The meridian of the first column and the last one: the turned axis names the first. */
static bool is_turned_node(const struct regrid_axis *a)
{
	return a->turn && a->grid == REGRID_NODE;
}

int64_t axis_count_wrong(const struct regrid_axis *a, double eps)
{
	int64_t n = 0;

	for (int64_t t = 0; t < a->n_dst; t++) {
		int64_t num, den;

		position(a, t, &num, &den);
		if (a->method == REGRID_NEAREST)
			n += !is_nearest(a, num, den, axis_first(a, t)) &&
			     !(is_turned_node(a) && axis_first(a, t) == 0 &&
				     is_nearest(a, num, den, a->n_src - 1));
		else if (a->method == REGRID_BILINEAR)
			n += !encloses(a, num, den, t, eps);
		else
			n += !covers(a, t);
	}
	return n;
}
