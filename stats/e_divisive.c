/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/e_divisive.h"

#include <math.h>
#include <string.h>
#include "stats/dist.h"
#include "stats/quantile.h"

/* --- the t-test, with Otava's variances --- */

struct change {
	size_t at;
	double p, magnitude;
};

/* Student's pooled two-sided test, df a+b-2, with the variance that divides by n in the place
 * of the one that divides by n-1: Otava's results depend on it. */
static struct change compare(const double *x, size_t lo, size_t at, size_t hi)
{
	double a = (double)(at - lo), b = (double)(hi - at), df = a + b - 2;
	double m1 = sample_mean(x + lo, at - lo), m2 = sample_mean(x + at, hi - at);
	double v1 = 0, v2 = 0, pooled, t;
	struct change c = { at, 1, 0 };

	for (size_t i = lo; i < at; i++)
		v1 += (x[i] - m1) * (x[i] - m1) / a;
	for (size_t i = at; i < hi; i++)
		v2 += (x[i] - m2) * (x[i] - m2) / b;
	c.magnitude = fmax(change_effect(m1, m2), change_effect(m2, m1));
	if (df <= 0)
		return c;
	if (v1 == 0 && v2 == 0) {
		c.p = m1 == m2 ? 1 : 0;
		return c;
	}
	pooled = ((a - 1) * v1 + (b - 1) * v2) / df;
	t = (m1 - m2) / sqrt(pooled * (1 / a + 1 / b));
	c.p = isfinite(t) ? dist_t_two_sided(t, df) : 0;
	return c;
}

/* --- the energy statistic inside one window --- */

/* d[i*(w+1)+j]: sum of |x_u - x_v| over u < i, v < j of the window. */
struct window {
	const double *x;
	size_t n;
	double *d;
};

static void window_init(struct window *w, const double *x, size_t n)
{
	w->x = x;
	w->n = n;
	for (size_t i = 0; i <= n; i++)
		w->d[i] = w->d[i * (n + 1)] = 0;
	for (size_t i = 1; i <= n; i++)
		for (size_t j = 1; j <= n; j++)
			w->d[i * (n + 1) + j] =
				w->d[(i - 1) * (n + 1) + j] + w->d[i * (n + 1) + j - 1] -
				w->d[(i - 1) * (n + 1) + j - 1] + fabs(x[i - 1] - x[j - 1]);
}

/* Sum of distances between points of [i0, i1) and of [j0, j1). */
static double between(const struct window *w, size_t i0, size_t i1, size_t j0, size_t j1)
{
	size_t m = w->n + 1;

	return w->d[i1 * m + j1] - w->d[i0 * m + j1] - w->d[i1 * m + j0] + w->d[i0 * m + j0];
}

/* Q = 2/(a+b) SUM|X-Y| - 2b/((a+b)(a-1)) SUM_{i<k}|X_i-X_k| - 2a/((a+b)(b-1))
 * SUM_{j<k}|Y_j-Y_k|; a term of one point is 0. `between` counts each pair inside a side twice.
 */
static double energy(const struct window *w, size_t s, size_t tau, size_t kappa)
{
	double a = (double)(tau - s), b = (double)(kappa - tau);
	double q = 2 / (a + b) * between(w, s, tau, tau, kappa);

	if (a > 1)
		q -= b / ((a + b) * (a - 1)) * between(w, s, tau, s, tau);
	if (b > 1)
		q -= a / ((a + b) * (b - 1)) * between(w, tau, kappa, tau, kappa);
	return q;
}

struct candidate {
	size_t lo, at, hi;
	double q;
};

static void improve(const struct window *w, size_t s, size_t e, struct candidate *best)
{
	for (size_t tau = s + 1; tau < e; tau++)
		for (size_t kappa = tau + 1; kappa <= e; kappa++) {
			double q = energy(w, s, tau, kappa);

			if (q > best->q)
				*best = (struct candidate){ s, tau, e, q };
		}
}

static double first_level(double p)
{
	return p < .05 ? 10 * p : p < .5 ? 2 * p : p;
}

static void insert(size_t *list, size_t *n, size_t at)
{
	size_t i = (*n)++;

	for (; i > 0 && list[i - 1] > at; i--)
		list[i] = list[i - 1];
	list[i] = at;
}

/* Change points of one window into list (ascending); returns how many. */
static size_t split_window(const struct window *w, double p, size_t *list)
{
	size_t n = 0;

	for (;;) {
		struct candidate best = { .q = -INFINITY };
		double found;

		for (size_t i = 0; i <= n; i++)
			improve(w, i > 0 ? list[i - 1] : 0, i < n ? list[i] : w->n, &best);
		if (best.at == 0)
			return n;
		found = compare(w->x, best.lo, best.at, best.hi).p;
		if (!(found <= first_level(p)))
			return n;
		insert(list, &n, best.at);
	}
}

/* --- weak points of the whole series, then merging --- */

struct weak {
	struct change *list;
	size_t n;
};

static void add_weak(struct weak *w, size_t at)
{
	size_t i = w->n;

	for (size_t k = 0; k < w->n; k++)
		if (w->list[k].at == at)
			return;
	for (; i > 0 && w->list[i - 1].at > at; i--)
		w->list[i] = w->list[i - 1];
	w->list[i] = (struct change){ .at = at };
	w->n++;
}

static void find_weak(struct arena *a, const double *x, size_t n,
	const struct detector_params *p, struct weak *ret)
{
	struct window w = { .d = ARENA_ARRAY(a, double, (p->window + 1) * (p->window + 1)) };
	size_t *list = ARENA_ARRAY(a, size_t, p->window + 1), next;

	ret->list = ARENA_ARRAY(a, struct change, n + 1);
	for (size_t start = 0; start < n; start = next) {
		size_t found;

		window_init(&w, x + start, MIN(p->window, n - start));
		found = split_window(&w, p->p, list);
		for (size_t i = 0; i < found; i++)
			add_weak(ret, start + list[i]);
		next = start + p->window / 2;
		if (found > 0)
			next = MAX(next, start + list[found - 1]);
	}
}

static void restate(struct weak *w, const double *x, size_t n, size_t i)
{
	size_t lo = i > 0 ? w->list[i - 1].at : 0, hi = i + 1 < w->n ? w->list[i + 1].at : n;

	w->list[i] = compare(x, lo, w->list[i].at, hi);
}

/* The point to be removed, or w->n when all are strong. */
static size_t weakest(const struct weak *w, const struct detector_params *p)
{
	size_t by_p = 0, by_size = 0;

	for (size_t i = 1; i < w->n; i++) {
		if (w->list[i].p > w->list[by_p].p)
			by_p = i;
		if (w->list[i].magnitude < w->list[by_size].magnitude)
			by_size = i;
	}
	if (!(w->list[by_p].p < p->p))
		return by_p;
	return w->list[by_size].magnitude > p->magnitude ? w->n : by_size;
}

static void merge(struct weak *w, const double *x, size_t n, const struct detector_params *p)
{
	for (size_t i = 0; i < w->n; i++)
		restate(w, x, n, i);
	while (w->n > 0) {
		size_t i = weakest(w, p);

		if (i == w->n)
			return;
		memmove(w->list + i, w->list + i + 1, (w->n - i - 1) * sizeof(*w->list));
		w->n--;
		/* Otava restates the two points after the removed one, not the one before it.
		 */
		if (i < w->n)
			restate(w, x, n, i);
		if (i + 1 < w->n)
			restate(w, x, n, i + 1);
	}
}

int e_divisive_detect(struct mw_tails *tails, struct arena *a, const double *x, size_t n,
	const struct detector_params *p, struct change_points *ret)
{
	struct weak w = { 0 };

	find_weak(a, x, n, p, &w);
	merge(&w, x, n, p);
	ret->n = w.n;
	ret->index = ARENA_ARRAY(a, size_t, w.n);
	ret->score = ARENA_ARRAY(a, double, w.n);
	for (size_t i = 0; i < w.n; i++) {
		ret->index[i] = w.list[i].at;
		ret->score[i] = NAN;
	}
	return OK;
}
