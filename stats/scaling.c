/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/scaling.h"

#include <math.h>
#include <stdlib.h>

const char *scaling_label(double efficiency)
{
	return efficiency > .8 ? "excellent" : efficiency > .5 ? "good" : "poor";
}

static int by_workers(const void *p, const void *q)
{
	double x = ((const struct scaling_row *)p)->workers;
	double y = ((const struct scaling_row *)q)->workers;

	return (x > y) - (x < y);
}

static int check(const struct scaling_row *r, size_t n, struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (!(r[i].workers >= 1 && isfinite(r[i].workers)))
			return error_set(
				err, E_UNPROCESSABLE, "a worker count must be at least 1");
		if (!(r[i].time > 0 && isfinite(r[i].time)))
			return error_set(err, E_UNPROCESSABLE,
				"the time with %g workers must be above 0", r[i].workers);
		if (i > 0 && r[i].workers == r[i - 1].workers)
			return error_set(err, E_UNPROCESSABLE, "%g workers are given twice",
				r[i].workers);
	}
	if (n == 0 || r[0].workers != 1)
		return error_set(err, E_UNPROCESSABLE,
			"the time with 1 worker is missing: it is the base");
	return OK;
}

static void fill_row(struct scaling_row *r, double base, enum scaling_kind kind)
{
	double p = r->workers, s = base / r->time * (kind == SCALING_WEAK ? p : 1);

	r->speedup = s;
	r->efficiency = s / p;
	r->karp_flatt = p > 1 ? (1 / s - 1 / p) / (1 - 1 / p) : NAN;
	r->superlinear = p > 1 && r->efficiency > 1.02;
	r->speedup_lower = r->speedup_upper = NAN;
}

/* Least squares in f of a law that is linear in it; both laws keep f in [0, 1]. */
static double fit_fraction(const struct scaling *s, enum scaling_kind kind)
{
	double top = 0, bottom = 0;

	for (size_t i = 1; i < s->n; i++) {
		double p = s->rows[i].workers, speedup = s->rows[i].speedup;
		double u = kind == SCALING_WEAK ? p - 1 : 1 - 1 / p;

		top += u * (kind == SCALING_WEAK ? p - speedup : 1 / speedup - 1 / p);
		bottom += u * u;
	}
	return bottom > 0 ? fmin(1, fmax(0, top / bottom)) : NAN;
}

static void fit_law(struct scaling *s, enum scaling_kind kind)
{
	double f = fit_fraction(s, kind), squares = 0;

	for (size_t i = 1; i < s->n; i++) {
		double p = s->rows[i].workers;
		double law = kind == SCALING_WEAK ? p - f * (p - 1) : 1 / (f + (1 - f) / p);
		double e = law - s->rows[i].speedup;

		squares += e * e;
	}
	s->serial_fraction = f;
	s->amdahl_limit = kind == SCALING_WEAK ? NAN : f > 0 ? 1 / f : f == 0 ? INFINITY : NAN;
	s->law_rms = s->n > 1 ? sqrt(squares / (double)(s->n - 1)) : NAN;
}

/* Sums of the two-parameter least-squares problem y = sigma u + kappa v. */
struct normal_equations {
	double uu, uv, vv, uy, vy;
};

static struct normal_equations usl_sums(const struct scaling *s)
{
	struct normal_equations q = { 0 };

	for (size_t i = 1; i < s->n; i++) {
		double p = s->rows[i].workers, u = p - 1, v = p * (p - 1);
		double y = p / s->rows[i].speedup - 1;

		q.uu += u * u;
		q.uv += u * v;
		q.vv += v * v;
		q.uy += u * y;
		q.vy += v * y;
	}
	return q;
}

/* The unconstrained optimum when it is in the quadrant, else the better of its two edges. */
static void solve(const struct normal_equations *q, double *ret_sigma, double *ret_kappa)
{
	double det = q->uu * q->vv - q->uv * q->uv, sigma, kappa;

	sigma = det > 0 ? (q->uy * q->vv - q->vy * q->uv) / det : -1;
	kappa = det > 0 ? (q->vy * q->uu - q->uy * q->uv) / det : -1;
	if (sigma < 0 || kappa < 0) {
		double only_sigma = fmax(0, q->uy / q->uu), only_kappa = fmax(0, q->vy / q->vv);
		/* Loss without the constant term. */
		double with_sigma = only_sigma * (only_sigma * q->uu - 2 * q->uy);
		double with_kappa = only_kappa * (only_kappa * q->vv - 2 * q->vy);

		sigma = with_sigma <= with_kappa ? only_sigma : 0;
		kappa = with_sigma <= with_kappa ? 0 : only_kappa;
	}
	*ret_sigma = sigma;
	*ret_kappa = kappa;
}

static void fit_usl(struct scaling *s)
{
	struct normal_equations q = usl_sums(s);
	double squares = 0;

	s->has_usl = s->n >= 3;
	if (!s->has_usl)
		return;
	solve(&q, &s->sigma, &s->kappa);
	s->usl_peak = s->kappa <= 0 ? INFINITY : sqrt(fmax(0, 1 - s->sigma) / s->kappa);
	for (size_t i = 1; i < s->n; i++) {
		double p = s->rows[i].workers;
		double e = p / (1 + s->sigma * (p - 1) + s->kappa * p * (p - 1)) -
			   s->rows[i].speedup;

		squares += e * e;
	}
	s->usl_rms = sqrt(squares / (double)(s->n - 1));
}

int scaling_make(struct arena *a, enum scaling_kind kind, const struct scaling_point *points,
	size_t n, struct scaling *ret, struct error *err)
{
	struct scaling s = { .rows = ARENA_ARRAY(a, struct scaling_row, n),
		.n = n,
		.serial_lower = NAN,
		.serial_upper = NAN,
		.sigma_lower = NAN,
		.sigma_upper = NAN,
		.kappa_lower = NAN,
		.kappa_upper = NAN };
	double sum = 0;
	int r;

	for (size_t i = 0; i < n; i++)
		s.rows[i] = (struct scaling_row){ .workers = points[i].workers,
			.time = points[i].time };
	qsort(s.rows, n, sizeof(*s.rows), by_workers);
	r = check(s.rows, n, err);
	if (r != OK)
		return r;
	s.first_drop = n;
	for (size_t i = 0; i < n; i++) {
		fill_row(&s.rows[i], s.rows[0].time, kind);
		sum += i > 0 ? s.rows[i].efficiency : 0;
		if (i > 0 && s.first_drop == n &&
			s.rows[i].efficiency < .8 * s.rows[i - 1].efficiency)
			s.first_drop = i;
	}
	s.mean_efficiency = n > 1 ? sum / (double)(n - 1) : NAN;
	fit_law(&s, kind);
	fit_usl(&s);
	*ret = s;
	return OK;
}
