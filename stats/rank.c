/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "stats/dist.h"

struct item {
	double value;
	size_t index;
};

static int by_value(const void *p, const void *q)
{
	const struct item *x = p, *y = q;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static struct item *sort_items(struct arena *a, const double *x, size_t n)
{
	struct item *items = ARENA_ARRAY(a, struct item, n);

	for (size_t i = 0; i < n; i++)
		items[i] = (struct item){ x[i], i };
	qsort(items, n, sizeof(*items), by_value);
	return items;
}

double rank_midranks(struct arena *a, const double *x, size_t n, double *ret)
{
	struct item *items = sort_items(a, x, n);
	double ties = 0;

	for (size_t i = 0, j; i < n; i = j) {
		double c;

		for (j = i + 1; j < n && items[j].value == items[i].value; j++)
			;
		c = (double)(j - i);
		ties += c * c * c - c;
		for (size_t k = i; k < j; k++)
			ret[items[k].index] = ((double)(i + 1) + (double)j) / 2;
	}
	return ties;
}

/* Pooled ranks: U of the first sample and the tie term. */
struct pooled {
	double u, ties;
};

static struct pooled pool(
	struct arena *a, const double *x, size_t n_x, const double *y, size_t n_y)
{
	size_t n = n_x + n_y;
	double *all = ARENA_ARRAY(a, double, n), *rank = ARENA_ARRAY(a, double, n), sum = 0;
	struct pooled p;

	memcpy(all, x, n_x * sizeof(*x));
	memcpy(all + n_x, y, n_y * sizeof(*y));
	p.ties = rank_midranks(a, all, n, rank);
	for (size_t i = 0; i < n_x; i++)
		sum += rank[i];
	p.u = sum - (double)n_x * (double)(n_x + 1) / 2;
	return p;
}

static double null_sd(double m, double n, double ties)
{
	double all = m + n, v = m * n / 12 * ((all + 1) - ties / (all * (all - 1)));

	return v > 0 ? sqrt(v) : 0;
}

void mann_whitney(struct mw_tails *tails, struct arena *a, const double *x, size_t n_x,
	const double *y, size_t n_y, struct rank_test *ret)
{
	double mn = (double)n_x * (double)n_y, lower, sd;
	struct pooled p;

	*ret = (struct rank_test){ .p = 1, .n = n_x + n_y };
	if (n_x == 0 || n_y == 0)
		return;
	p = pool(a, x, n_x, y, n_y);
	ret->statistic = p.u;
	lower = fmin(p.u, mn - p.u);
	ret->exact = p.ties == 0 && mw_tails_covers(n_x, n_y);
	sd = null_sd((double)n_x, (double)n_y, p.ties);
	if (ret->exact) {
		ret->p = fmin(1, 2 * mw_tails_lower(tails, n_x, n_y, (uint64_t)lower, 1));
		ret->log10_p = log10(ret->p);
	} else if (sd > 0) {
		ret->log10_p = dist_normal_log10_two_sided((mn / 2 - lower - .5) / sd);
		ret->p = fmax(pow(10, ret->log10_p), 4.9e-324);
	}
}

double mann_whitney_greater(struct mw_tails *tails, struct arena *a, const double *x,
	size_t n_x, const double *y, size_t n_y)
{
	double mn = (double)n_x * (double)n_y, over, sd;
	struct pooled p;

	if (n_x == 0 || n_y == 0)
		return 1;
	p = pool(a, x, n_x, y, n_y);
	over = mn - p.u; /* P(U >= u) = P(U <= mn - u) by symmetry */
	if (p.ties == 0 && mw_tails_covers(n_x, n_y)) {
		if (over <= floor(mn / 2))
			return mw_tails_lower(tails, n_x, n_y, (uint64_t)over, 1);
		/* Above the middle: 1 - P(U <= u - 1). */
		return p.u < 1 ? 1 : 1 - mw_tails_lower(tails, n_x, n_y, (uint64_t)p.u - 1, 1);
	}
	sd = null_sd((double)n_x, (double)n_y, p.ties);
	return sd > 0 ? dist_normal_upper((p.u - mn / 2 - .5) / sd) : 1;
}
