/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/partition.h"

#include <math.h>
#include <string.h>
#include "stats/quantile.h"

/* --- the recursion --- */

static void trace_back(struct arena *a, const size_t *from, size_t n, struct change_points *ret)
{
	size_t count = 0;

	for (size_t t = from[n]; t > 0; t = from[t])
		count++;
	ret->n = count;
	ret->index = ARENA_ARRAY(a, size_t, count);
	ret->score = ARENA_ARRAY(a, double, count);
	for (size_t t = from[n]; t > 0; t = from[t]) {
		ret->index[--count] = t;
		ret->score[count] = NAN;
	}
}

/* Each s pushes its costs forward: F(s) is final when its turn comes. */
void partition_find(struct arena *a, size_t n, size_t least, double beta, partition_cost cost,
	void *arg, struct change_points *ret)
{
	double *f = ARENA_ARRAY(a, double, n + 1), *c = ARENA_ARRAY(a, double, n + 1);
	size_t *from = ARENA_ARRAY(a, size_t, n + 1);

	*ret = (struct change_points){ 0 };
	if (n < 2 * least)
		return;
	f[0] = -beta;
	for (size_t t = 1; t <= n; t++)
		f[t] = INFINITY;
	for (size_t s = 0; s + least <= n; s = s == 0 ? least : s + 1) {
		cost(arg, s, n, c);
		for (size_t t = s + least; t <= n; t++)
			if (f[s] + c[t] + beta < f[t]) {
				f[t] = f[s] + c[t] + beta;
				from[t] = s;
			}
	}
	trace_back(a, from, n, ret);
}

/* --- squares: prefix sums of the z-scored series --- */

struct squares {
	double *y, *yy, *ty; /* sums of y, y^2 and i y over the first k points */
	double *ln;	     /* ln of a length */
	double extra;	     /* pelt_trend: price of a slope */
	size_t least;
};

static void squares_init(struct squares *q, struct arena *a, const double *x, size_t n)
{
	double mean = sample_mean(x, n), sd = sample_sd(x, n, mean);

	sd = sd > 0 ? sd : 1;
	q->y = ARENA_ARRAY(a, double, n + 1);
	q->yy = ARENA_ARRAY(a, double, n + 1);
	q->ty = ARENA_ARRAY(a, double, n + 1);
	q->ln = ARENA_ARRAY(a, double, n + 1);
	for (size_t m = 1; m <= n; m++)
		q->ln[m] = log((double)m);
	for (size_t i = 0; i < n; i++) {
		double z = (x[i] - mean) / sd;

		q->y[i + 1] = q->y[i] + z;
		q->yy[i + 1] = q->yy[i] + z * z;
		q->ty[i + 1] = q->ty[i] + (double)i * z;
	}
}

static inline double constant_sse(const struct squares *q, size_t s, size_t t)
{
	double sum = q->y[t] - q->y[s];
	double sse = q->yy[t] - q->yy[s] - sum * sum / (double)(t - s);

	return sse > 0 ? sse : 0;
}

/* What a least-squares line explains beyond the mean: Sxy^2/Sxx about the segment's middle. */
static inline double explained_by_line(const struct squares *q, size_t s, size_t t)
{
	double m = (double)(t - s), middle = ((double)s + (double)t - 1) / 2;
	double sxy = q->ty[t] - q->ty[s] - middle * (q->y[t] - q->y[s]);
	double sxx = m * (m * m - 1) / 12;

	return sxx > 0 ? sxy * sxy / sxx : 0;
}

static void mbic_cost(void *arg, size_t s, size_t n, double *cost)
{
	const struct squares *q = arg;

	for (size_t t = s + q->least; t <= n; t++)
		cost[t] = constant_sse(q, s, t) + q->ln[t - s];
}

static void trend_cost(void *arg, size_t s, size_t n, double *cost)
{
	const struct squares *q = arg;

	for (size_t t = s + q->least; t <= n; t++) {
		double flat = constant_sse(q, s, t);
		double line = fmax(0, flat - explained_by_line(q, s, t)) + q->extra;

		cost[t] = line < flat ? line : flat;
	}
}

static int detect_squares(struct arena *a, const double *x, size_t n,
	const struct detector_params *p, partition_cost cost, struct change_points *ret)
{
	struct squares q = { .least = p->min_segment, .extra = log((double)MAX(n, (size_t)1)) };

	*ret = (struct change_points){ 0 };
	if (n < 2)
		return OK;
	squares_init(&q, a, x, n);
	partition_find(a, n, p->min_segment, p->penalty * log((double)n), cost, &q, ret);
	return OK;
}

int pelt_mbic_detect(struct mw_tails *tails, struct arena *a, const double *x, size_t n,
	const struct detector_params *p, struct change_points *ret)
{
	return detect_squares(a, x, n, p, mbic_cost, ret);
}

int pelt_trend_detect(struct mw_tails *tails, struct arena *a, const double *x, size_t n,
	const struct detector_params *p, struct change_points *ret)
{
	return detect_squares(a, x, n, p, trend_cost, ret);
}

/* --- binary segmentation --- */

struct gain {
	size_t at;
	double value; /* cost of the whole minus cost of both parts */
};

static double mbic_segment(const struct squares *q, size_t s, size_t t)
{
	return constant_sse(q, s, t) + q->ln[t - s];
}

static struct gain best_gain(const struct squares *q, size_t lo, size_t hi)
{
	struct gain g = { 0, -INFINITY };

	for (size_t t = lo + q->least; t + q->least <= hi; t++) {
		double v = mbic_segment(q, lo, hi) - mbic_segment(q, lo, t) -
			   mbic_segment(q, t, hi);

		if (v > g.value)
			g = (struct gain){ t, v };
	}
	return g;
}

static void insert(struct change_points *c, size_t at)
{
	size_t i = c->n++;

	for (; i > 0 && c->index[i - 1] > at; i--)
		c->index[i] = c->index[i - 1];
	c->index[i] = at;
}

void binary_segmentation(struct arena *a, const double *x, size_t n, double penalty,
	size_t max_changes, struct change_points *ret)
{
	struct squares q = { .least = 2 };

	*ret = (struct change_points){ 0 };
	if (n < 4)
		return;
	squares_init(&q, a, x, n);
	ret->index = ARENA_ARRAY(a, size_t, max_changes + 1);
	ret->score = ARENA_ARRAY(a, double, max_changes + 1);
	while (ret->n < max_changes) {
		struct gain best = { 0, penalty * log((double)n) };

		for (size_t i = 0; i <= ret->n; i++) {
			size_t lo = i > 0 ? ret->index[i - 1] : 0;
			struct gain g = best_gain(&q, lo, i < ret->n ? ret->index[i] : n);

			if (g.value > best.value)
				best = g;
		}
		if (best.at == 0)
			return;
		insert(ret, best.at);
	}
}
