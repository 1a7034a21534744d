/* SPDX-License-Identifier: GPL-3.0-or-later */
/* potts_l1: piecewise constant median regression. The costs of all segments that begin at s
 * grow to the right, one point at a time, with the lower half of the values in a heap of the
 * largest and the upper half in a heap of the smallest. */
#include "stats/partition.h"

#include <math.h>
#include "stats/quantile.h"

struct heap {
	double *v; /* largest first; the upper half is stored negated */
	size_t n;
	double sum;
};

static void heap_add(struct heap *h, double v)
{
	size_t i = h->n++;

	h->sum += v;
	for (; i > 0 && h->v[(i - 1) / 2] < v; i = (i - 1) / 2)
		h->v[i] = h->v[(i - 1) / 2];
	h->v[i] = v;
}

static double heap_take(struct heap *h)
{
	double top = h->v[0], last = h->v[--h->n];
	size_t i = 0;

	h->sum -= top;
	for (size_t child; (child = 2 * i + 1) < h->n; i = child) {
		if (child + 1 < h->n && h->v[child + 1] > h->v[child])
			child++;
		if (h->v[child] <= last)
			break;
		h->v[i] = h->v[child];
	}
	h->v[i] = last;
	return top;
}

struct potts {
	const double *y;
	struct heap low, high; /* high holds -value */
};

/* Keeps low.n = high.n or low.n = high.n + 1, so that the median is low's top. */
static void add(struct potts *q, double v)
{
	if (q->low.n > 0 && v > q->low.v[0])
		heap_add(&q->high, -v);
	else
		heap_add(&q->low, v);
	if (q->low.n > q->high.n + 1)
		heap_add(&q->high, -heap_take(&q->low));
	else if (q->high.n > q->low.n)
		heap_add(&q->low, -heap_take(&q->high));
}

static void cost(void *arg, size_t s, size_t n, double *cost)
{
	struct potts *q = arg;

	q->low.n = q->high.n = 0;
	q->low.sum = q->high.sum = 0;
	for (size_t t = s + 1; t <= n; t++) {
		double m;

		add(q, q->y[t - 1]);
		m = q->low.v[0];
		cost[t] = (m * (double)q->low.n - q->low.sum) +
			  (-q->high.sum - m * (double)q->high.n);
	}
}

/* Noise level from neighbours, so that steps hardly count. */
static double noise(struct arena *a, const double *x, size_t n)
{
	double *d = ARENA_ARRAY(a, double, n), mean, s;

	for (size_t i = 0; i + 1 < n; i++)
		d[i] = x[i + 1] - x[i];
	s = sample_mad(a, d, n - 1) / M_SQRT2;
	if (s > 0)
		return s;
	mean = sample_mean(x, n);
	s = sample_sd(x, n, mean) * sqrt((double)(n - 1) / (double)n);
	return s > 0 ? s : 1;
}

/* Sums of values far from 0 would lose the noise: then count from the median. */
static const double *near_zero(struct arena *a, const double *x, size_t n, double s)
{
	double middle = sample_median(a, x, n), *y;

	if (fabs(middle) < 1e8 * s)
		return x;
	y = ARENA_ARRAY(a, double, n);
	for (size_t i = 0; i < n; i++)
		y[i] = x[i] - middle;
	return y;
}

int potts_l1_detect(struct mw_tails *tails, struct arena *a, const double *x, size_t n,
	const struct detector_params *p, struct change_points *ret)
{
	struct potts q = { 0 };
	double s;

	*ret = (struct change_points){ 0 };
	if (n < 2)
		return OK;
	s = noise(a, x, n);
	q.y = near_zero(a, x, n, s);
	q.low.v = ARENA_ARRAY(a, double, n + 1);
	q.high.v = ARENA_ARRAY(a, double, n + 1);
	partition_find(a, n, p->min_segment, p->penalty * s * log((double)n), cost, &q, ret);
	return OK;
}
