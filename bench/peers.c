/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench/peers.h"

#include <math.h>
#include <string.h>
#include "stats/quantile.h"

static void store(struct arena *a, const size_t *right, size_t n, struct change_points *ret)
{
	*ret = (struct change_points){ n, ARENA_ARRAY(a, size_t, n),
		ARENA_ARRAY(a, double, n) };
	for (size_t i = 0; i < n; i++) {
		ret->index[i] = right[i];
		ret->score[i] = NAN;
	}
}

/* --- Perfherder --- */

struct window {
	double mean, variance;
	size_t n;
};

/* n points from x in steps of +1 or -1, weights n, n-1, ... 1. */
static struct window weigh(const double *x, ptrdiff_t step, size_t n)
{
	struct window w = { .n = n };
	double weights = 0;

	for (size_t i = 0; i < n; i++) {
		w.mean += (double)(n - i) / (double)n * x[(ptrdiff_t)i * step];
		weights += (double)(n - i) / (double)n;
	}
	w.mean /= weights;
	return w;
}

static void spread(const double *x, ptrdiff_t step, struct window *w)
{
	double mean = 0;

	/* Perfherder's variance is taken about the weighted mean. */
	mean = w->mean;
	for (size_t i = 0; i < w->n; i++) {
		double d = x[(ptrdiff_t)i * step] - mean;

		w->variance += d * d / (double)(w->n - 1);
	}
	if (w->n < 2)
		w->variance = 0;
}

static double weighted_t(const double *x, size_t at, size_t back, size_t forward)
{
	struct window l = weigh(x + at - 1, -1, back), r = weigh(x + at, 1, forward);

	spread(x + at - 1, -1, &l);
	spread(x + at, 1, &r);
	if (l.mean == r.mean)
		return 0;
	if (l.variance == 0 && r.variance == 0)
		return INFINITY;
	return fabs(r.mean - l.mean) /
	       sqrt(l.variance / (double)l.n + r.variance / (double)r.n);
}

enum { BACK_LEAST = 12, BACK_MOST = 24, FORWARD = 12 };

void peer_perfherder(struct arena *a, const double *x, size_t n, struct change_points *ret)
{
	double *t = ARENA_ARRAY(a, double, n + 1);
	size_t *found = ARENA_ARRAY(a, size_t, n), since = 0, count = 0;

	for (size_t i = 1; i < n; i++) {
		size_t back = MIN(MAX(since, (size_t)BACK_LEAST), (size_t)BACK_MOST);

		t[i] = weighted_t(x, i, MIN(back, i), MIN((size_t)FORWARD, n - i));
		since = t[i] > 7 ? 0 : since + 1;
	}
	for (size_t i = BACK_LEAST; i + FORWARD <= n; i++)
		if (t[i] > 7 && t[i - 1] <= t[i] && (i + 1 >= n || t[i + 1] <= t[i]))
			found[count++] = i;
	store(a, found, count, ret);
}

/* --- asv --- */

enum { SHORT = 20 };

struct asv {
	const double *y;
	size_t n;
	double *dist;		 /* cache, n x n, NaN = not known */
	double *sorted, *median; /* scratch */
	size_t *right, n_right;	 /* segments of the fit at hand */
	double *level;
	size_t *best, n_best;
	double best_value;
};

/* Sum of |y - median| over [l, r). */
static double dist(struct asv *s, size_t l, size_t r)
{
	double *known = &s->dist[l * s->n + r - 1], m, sum = 0;

	if (!isnan(*known))
		return *known;
	memcpy(s->sorted, s->y + l, (r - l) * sizeof(double));
	m = sample_median_in_place(s->sorted, r - l);
	for (size_t i = l; i < r; i++)
		sum += fabs(s->y[i] - m);
	return *known = sum;
}

static void fit_short(struct asv *s, double gamma, double *f, size_t *from)
{
	f[0] = -gamma;
	for (size_t r = 1; r <= s->n; r++) {
		f[r] = INFINITY;
		for (size_t l = r > SHORT ? r - SHORT : 0; l < r; l++) {
			double v = f[l] + gamma + dist(s, l, r);

			if (v <= f[r]) {
				f[r] = v;
				from[r] = l;
			}
		}
	}
	s->n_right = 0;
	for (size_t r = s->n; r > 0; r = from[r])
		s->right[s->n_right++] = r;
	for (size_t i = 0; i < s->n_right / 2; i++) {
		size_t swap = s->right[i];

		s->right[i] = s->right[s->n_right - 1 - i];
		s->right[s->n_right - 1 - i] = swap;
	}
}

/* Join neighbours while that lowers the cost; asv stops looking three places behind the best.
 */
static bool join_one(struct asv *s, double gamma)
{
	double best = 0;
	size_t at = s->n_right, l = 0;

	for (size_t j = 1; j < s->n_right && at + 2 >= j; j++) {
		size_t m = s->right[j - 1], r = s->right[j];
		double change = dist(s, l, r) - (dist(s, l, m) + dist(s, m, r) + gamma);

		if (change <= best) {
			best = change;
			at = j - 1;
		}
		l = m;
	}
	if (at >= s->n_right)
		return false;
	memmove(s->right + at, s->right + at + 1, (s->n_right - at - 1) * sizeof(*s->right));
	s->n_right--;
	return true;
}

static void shift_boundaries(struct asv *s)
{
	size_t l = 0;

	for (size_t j = 1; j < s->n_right; j++) {
		size_t m = s->right[j - 1], r = s->right[j], to = m;
		double score = dist(s, l, m) + dist(s, m, r);

		for (size_t k = m > l + SHORT ? m - SHORT : l + 1; k < r && k <= m + SHORT;
			k++) {
			double v = k == m ? INFINITY : dist(s, l, k) + dist(s, k, r);

			if (v < score) {
				score = v;
				to = k;
			}
		}
		l = s->right[j - 1] = to;
	}
}

static void set_levels(struct asv *s)
{
	size_t l = 0;

	for (size_t j = 0; j < s->n_right; j++) {
		memcpy(s->sorted, s->y + l, (s->right[j] - l) * sizeof(double));
		s->level[j] = sample_median_in_place(s->sorted, s->right[j] - l);
		l = s->right[j];
	}
}

/* |E_0| + SUM |E_j - rho E_{j-1}|. */
static double residuals(double rho, void *arg)
{
	const struct asv *s = arg;
	double before = s->y[0] - s->level[0], sum = fabs(before);

	for (size_t j = 0, i = 1; j < s->n_right; j++)
		for (; i < s->right[j]; i++) {
			double e = s->y[i] - s->level[j];

			sum += fabs(e - rho * before);
			before = e;
		}
	return sum;
}

typedef double (*function)(double x, void *arg);

/* Golden section whose first two looks are at a and b. */
static double golden(function f, void *arg, double a, double b, double x_tol, double f_tol)
{
	const double g = 2 / (1 + sqrt(5));
	double x0 = (g * a - (1 - g) * b) / (2 * g - 1),
	       x3 = (g * b - (1 - g) * a) / (2 * g - 1);
	double x1 = g * x0 + (1 - g) * x3, x2 = (1 - g) * x0 + g * x3;
	double f1 = f(x1, arg), f2 = f(x2, arg), f0 = fmax(fabs(f1), fabs(f2));

	while (fabs(x0 - x3) >= x_tol && !(fabs(f1 - f2) < f_tol * f0)) {
		if (f2 < f1) {
			x0 = x1;
			x1 = x2;
			x2 = g * x1 + (1 - g) * x3;
			f1 = f2;
			f2 = f(x2, arg);
		} else {
			x3 = x2;
			x2 = x1;
			x1 = g * x2 + (1 - g) * x0;
			f2 = f1;
			f1 = f(x1, arg);
		}
	}
	return f2 < f1 ? x2 : x1;
}

static double noise_floor(const struct asv *s)
{
	double least = INFINITY;

	if (s->n_right > 2) {
		for (size_t j = 0; j + 1 < s->n_right; j++)
			least = fmin(least, .1 * fabs(s->level[j + 1] - s->level[j]));
	} else {
		for (size_t j = 0; j < s->n_right; j++)
			least = fmin(least, .001 * fabs(s->level[j]));
	}
	return fmax(1e-300, least);
}

struct search {
	struct asv *s;
	double *f, gamma_0;
	size_t *from;
};

static double criterion(double x, void *arg)
{
	struct search *q = arg;
	struct asv *s = q->s;
	double gamma = q->gamma_0 * exp(x), rho, value;

	fit_short(s, gamma, q->f, q->from);
	while (join_one(s, gamma))
		;
	shift_boundaries(s);
	set_levels(s);
	rho = golden(residuals, s, -1, 1, .05, 1e-8);
	value = 4 * log((double)s->n) / (double)s->n * (double)s->n_right +
		log(noise_floor(s) + residuals(rho, s));
	if (value < s->best_value) {
		s->best_value = value;
		s->n_best = s->n_right;
		memcpy(s->best, s->right, s->n_right * sizeof(*s->best));
	}
	return value;
}

void peer_asv(struct arena *a, const double *x, size_t n, struct change_points *ret)
{
	struct asv s = { .y = x, .n = n, .best_value = INFINITY };
	struct search q = { .s = &s,
		.f = ARENA_ARRAY(a, double, n + 1),
		.from = ARENA_ARRAY(a, size_t, n + 1) };
	double low = log(.1 / (double)n);

	*ret = (struct change_points){ 0 };
	if (n < 2)
		return;
	s.dist = ARENA_ARRAY(a, double, n *n);
	for (size_t i = 0; i < n * n; i++)
		s.dist[i] = NAN;
	s.sorted = ARENA_ARRAY(a, double, n);
	s.level = ARENA_ARRAY(a, double, n);
	s.right = ARENA_ARRAY(a, size_t, n);
	s.best = ARENA_ARRAY(a, size_t, n);
	q.gamma_0 = dist(&s, 0, n);
	q.gamma_0 = q.gamma_0 == 0 ? 1 : q.gamma_0;
	golden(criterion, &q, low, 0, fabs(low) * .1, 0);
	store(a, s.best, s.n_best > 0 ? s.n_best - 1 : 0, ret);
}
