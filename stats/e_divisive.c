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

/* --- the energy statistic inside one window ---
 *
 * Q = 2/(a+b) SUM|X-Y| - 2b/((a+b)(a-1)) SUM_{i<k}|X_i-X_k| - 2a/((a+b)(b-1))
 * SUM_{j<k}|Y_j-Y_k|, X = [s, tau), Y = [tau, kappa); a term of one point is 0. The sums are
 * built in Otava's order, since rounded data tie often and the last bit then chooses. */
struct window {
	const double *x;
	size_t n;
	double *right; /* right[t*(n+1)+k]: SUM |x_t - x_j| over t < j < k */
	double *left;  /* left[t]: SUM |x_i - x_t| over i < t */
	double *inner; /* scratch: SUM of left over s < t < tau, inside the piece */
	double *tail;  /* scratch: SUM of right[t] over tau <= t < kappa - 1 */
};

static void window_init(struct window *w, const double *x, size_t n)
{
	w->x = x;
	w->n = n;
	for (size_t t = 0; t < n; t++) {
		w->left[t] = 0;
		for (size_t i = 0; i < t; i++)
			w->left[t] += fabs(x[i] - x[t]);
		w->right[t * (n + 1) + t + 1] = 0;
		for (size_t k = t + 2; k <= n; k++)
			w->right[t * (n + 1) + k] =
				w->right[t * (n + 1) + k - 1] + fabs(x[t] - x[k - 1]);
	}
}

struct candidate {
	size_t lo, at, hi;
	double q;
};

static void fill_inner(struct window *w, size_t s, size_t e)
{
	double sum = 0;

	for (size_t t = s + 1; t < e; t++) {
		double before = 0;

		w->inner[t] = sum;
		for (size_t i = 0; i < s; i++)
			before += fabs(w->x[i] - w->x[t]);
		sum += w->left[t] - before;
	}
}

/* All tau for one kappa; ties take the smallest tau, then the smallest kappa. */
static void improve_column(
	struct window *w, size_t s, size_t e, size_t kappa, struct candidate *best)
{
	double head = 0, sum = 0, len = (double)(kappa - s);

	for (size_t t = kappa - 1; t > s; t--) {
		sum += w->right[t * (w->n + 1) + kappa];
		w->tail[t] = sum;
	}
	for (size_t tau = s + 1; tau < kappa; tau++) {
		double a = (double)(tau - s), b = (double)(kappa - tau), q;

		head += w->right[(tau - 1) * (w->n + 1) + kappa];
		q = 2 / len * (head - w->inner[tau]);
		if (a > 1)
			q -= 2 * b / (len * (a - 1)) * w->inner[tau];
		if (b > 1)
			q -= 2 * a / (len * (b - 1)) * w->tail[tau];
		if (q > best->q || (q == best->q && best->lo == s && tau < best->at))
			*best = (struct candidate){ s, tau, e, q };
	}
}

static void improve(struct window *w, size_t s, size_t e, struct candidate *best)
{
	fill_inner(w, s, e);
	for (size_t kappa = s + 2; kappa <= e; kappa++)
		improve_column(w, s, e, kappa, best);
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
static size_t split_window(struct window *w, double p, size_t *list)
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
	struct window w = { .right = ARENA_ARRAY(a, double, (p->window + 1) * (p->window + 1)),
		.left = ARENA_ARRAY(a, double, p->window + 1),
		.inner = ARENA_ARRAY(a, double, p->window + 1),
		.tail = ARENA_ARRAY(a, double, p->window + 1) };
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
