/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hartigan's dip. The empirical distribution is a staircase over distinct values: `under`
 * counts the points below a step, `upto` those at or below it. On a shrinking modal interval
 * the greatest convex minorant of the lower corners and the least concave majorant of the upper
 * corners are compared (Hartigan and Hartigan 1985). Distances are in points; the dip is half
 * of them over n. */
#include "stats/outlier.h"

#include <math.h>
#include "base/rng.h"
#include "stats/quantile.h"

struct stairs {
	const double *x;
	double *under, *upto;
	double *convex, *concave; /* both hulls, at every value of the interval */
	size_t *hull;		  /* scratch: vertices */
	bool *is_convex, *is_concave;
	size_t n;
};

static void stairs_init(struct stairs *s, struct arena *a, const double *x, size_t n)
{
	double *sorted = sample_sorted(a, x, n), *value = ARENA_ARRAY(a, double, n);

	*s = (struct stairs){ .x = value, .under = ARENA_ARRAY(a, double, n) };
	s->upto = ARENA_ARRAY(a, double, n);
	s->convex = ARENA_ARRAY(a, double, n);
	s->concave = ARENA_ARRAY(a, double, n);
	s->hull = ARENA_ARRAY(a, size_t, n);
	s->is_convex = ARENA_ARRAY(a, bool, n);
	s->is_concave = ARENA_ARRAY(a, bool, n);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || sorted[i] != sorted[i - 1]) {
			s->under[s->n] = (double)i;
			value[s->n++] = sorted[i];
		}
		s->upto[s->n - 1] = (double)(i + 1);
	}
}

/* Lower hull of (x, sign y) over [lo, hi], filled in at every value; vertices are marked. */
static void hull_make(struct stairs *s, size_t lo, size_t hi, double sign, const double *y,
	double *ret, bool *ret_is)
{
	size_t *v = s->hull, m = 0;

	for (size_t k = lo; k <= hi; k++) {
		while (m > 1 &&
			sign * (y[v[m - 1]] - y[v[m - 2]]) * (s->x[k] - s->x[v[m - 2]]) >=
				sign * (y[k] - y[v[m - 2]]) * (s->x[v[m - 1]] - s->x[v[m - 2]]))
			m--;
		v[m++] = k;
		ret_is[k] = false;
	}
	for (size_t i = 0; i < m; i++) {
		ret[v[i]] = y[v[i]];
		ret_is[v[i]] = true;
		for (size_t k = v[i] + 1; i + 1 < m && k < v[i + 1]; k++)
			ret[k] = y[v[i]] + (y[v[i + 1]] - y[v[i]]) * (s->x[k] - s->x[v[i]]) /
						   (s->x[v[i + 1]] - s->x[v[i]]);
	}
}

struct modal {
	size_t lo, hi;
	double gap;
};

/* Where the hulls are furthest apart, with the convex vertex at or before it and the concave
 * vertex at or after it. */
static struct modal widest(const struct stairs *s, size_t lo, size_t hi)
{
	struct modal m = { lo, hi, -INFINITY };
	size_t at = lo;

	for (size_t k = lo; k <= hi; k++)
		if ((s->is_convex[k] || s->is_concave[k]) &&
			s->concave[k] - s->convex[k] > m.gap) {
			m.gap = s->concave[k] - s->convex[k];
			at = k;
		}
	for (m.lo = at; !s->is_convex[m.lo]; m.lo--)
		;
	for (m.hi = at; !s->is_concave[m.hi]; m.hi++)
		;
	return m;
}

double dip_statistic(struct arena *a, const double *x, size_t n)
{
	struct stairs s;
	double dip = 1;
	size_t lo = 0, hi;

	if (n == 0)
		return NAN;
	stairs_init(&s, a, x, n);
	hi = s.n - 1;
	for (;;) {
		struct modal m;

		hull_make(&s, lo, hi, 1, s.under, s.convex, s.is_convex);
		hull_make(&s, lo, hi, -1, s.upto, s.concave, s.is_concave);
		m = widest(&s, lo, hi);
		if (m.gap <= dip)
			break;
		for (size_t k = lo; k < m.lo; k++)
			dip = fmax(dip, s.upto[k] - s.convex[k]);
		for (size_t k = m.hi + 1; k <= hi; k++)
			dip = fmax(dip, s.concave[k] - s.under[k]);
		if (m.lo == lo && m.hi == hi)
			break;
		lo = m.lo;
		hi = m.hi;
	}
	return dip / (2 * (double)n);
}

double dip_p(struct arena *a, const double *x, size_t n, size_t n_simulations, uint64_t seed)
{
	double observed = dip_statistic(a, x, n);
	double *u = ARENA_ARRAY(a, double, n);
	size_t as_large = 0;
	struct rng r;

	rng_init(&r, seed);
	for (size_t k = 0; k < n_simulations; k++) {
		_cleanup_(arena_free)
		struct arena *scratch = arena_new();

		for (size_t i = 0; i < n; i++)
			u[i] = rng_uniform(&r);
		as_large += dip_statistic(scratch, u, n) >= observed;
	}
	return (double)(as_large + 1) / (double)(n_simulations + 1);
}
