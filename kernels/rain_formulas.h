/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The formulas of phys.rain_ice for one point and one column, once, for the reference (f64) and
 * the scalar backend. The includer defines `real` and F(name), libm's name for it. Rates and
 * branches see the state at the entry of the step; donors, thresholds on them and the melting
 * cap see the live one. */
#ifndef KERNELS_RAIN_FORMULAS_H
#define KERNELS_RAIN_FORMULAS_H

#include <math.h>
#include "kernels/moist.h"
#include "kernels/rain.h"

struct point {
	real p, rho, x[RAIN_FIELDS];
};

static real saturation(real t, real b, real g)
{
	return (real)MOIST_ES *
	       F(exp)(b * ((t - (real)MOIST_TT) / t) - g * F(log)(t / (real)MOIST_TT));
}

/* Everything that stays as it was at the entry of a point's step. */
struct frozen {
	real t, lv, ls, lf, cph, d; /* d = rho^-0.4 */
	real lr, ls_, lg;	    /* slopes of r, s, g */
	real vr, vs, vg;	    /* ventilation */
	real ai, aw, ssi, usw, ev, ka, dv;
};

static real slope(real c, real rho, real q, real exponent)
{
	return c * F(pow)(rho * F(fmax)(q, (real)RAIN_QMIN), exponent);
}

static void freeze_slopes(struct frozen *f, const struct point *q)
{
	real cj = (real)RAIN_CJ * F(pow)(q->rho, (real)0.3) /
		  F(sqrt)((real)1.718e-5 + (real)0.0049e-5 * (f->t - (real)MOIST_TT));

	f->lr = slope((real)RAIN_LAM_R, q->rho, q->x[RAIN_R], -(real)0.25);
	f->ls_ = F(fmin)(
		(real)1e5, slope((real)RAIN_LAM_S, q->rho, q->x[RAIN_S], -1 / (real)0.9));
	f->lg = F(fmin)(
		(real)1e5, slope((real)RAIN_LAM_G, q->rho, q->x[RAIN_G], -1 / (real)3.3));
	f->vr = (real)5.02654824574e7 * F(pow)(f->lr, -2) +
		(real)6.92982382988e8 * cj * F(pow)(f->lr, -(real)2.9);
	f->vs = (real)17.2 + (real)18.5667138097 * cj * F(pow)(f->ls_, -(real)0.635);
	f->vg = (real)2.70176968209e6 * F(pow)(f->lg, -(real)1.5) +
		(real)1.68443642476e7 * cj * F(pow)(f->lg, -(real)2.33);
}

static void freeze(struct frozen *f, const struct point *q)
{
	const real *x = q->x;
	real t = x[RAIN_T], ew = saturation(t, (real)MOIST_BW_TT, (real)MOIST_GW),
	     ei = saturation(t, (real)MOIST_BI_TT, (real)MOIST_GI);

	f->t = t;
	f->lv = (real)moist_lv((double)t);
	f->ls = (real)moist_ls((double)t);
	f->lf = f->ls - f->lv;
	f->cph = (real)MOIST_CPD + (real)MOIST_CPV * x[RAIN_V] +
		 (real)MOIST_CL * (x[RAIN_C] + x[RAIN_R]) +
		 (real)MOIST_CI * (x[RAIN_I] + x[RAIN_S] + x[RAIN_G]);
	f->d = F(pow)(q->rho, -(real)0.4);
	f->ka = (real)2.38e-2 + (real)0.0071e-2 * (t - (real)MOIST_TT);
	f->dv = (real)0.211e-4 * F(pow)(t / (real)MOIST_TT, (real)1.94) * (real)MOIST_P00 /
		q->p;
	f->ai = f->ls * f->ls / (f->ka * (real)MOIST_RV * t * t) +
		(real)MOIST_RV * t / (f->dv * ei);
	f->aw = f->lv * f->lv / (f->ka * (real)MOIST_RV * t * t) +
		(real)MOIST_RV * t / (f->dv * ew);
	f->ssi = x[RAIN_V] * (q->p - ei) / ((real)MOIST_EPS0 * ei) - 1;
	f->usw = 1 - x[RAIN_V] * (q->p - ew) / ((real)MOIST_EPS0 * ew);
	f->ev = x[RAIN_V] * q->p / ((real)MOIST_EPS0 + x[RAIN_V]);
	freeze_slopes(f, q);
}

/* min(max(rate dt, 0), donor) goes from one species to another and heats by L / Cph. */
static void transfer(
	struct point *q, const struct frozen *f, int from, int to, real amount, real heat)
{
	real x = F(fmin)(F(fmax)(amount, 0), q->x[from]);

	q->x[from] -= x;
	q->x[to] += x;
	q->x[RAIN_T] += heat * x / f->cph;
}

static void deposit(struct point *q, const struct frozen *f, int on, real v, real dt)
{
	real rate = f->ssi * v / (q->rho * f->ai);

	if (rate > 0)
		transfer(q, f, RAIN_V, on, rate * dt, f->ls);
	else
		transfer(q, f, on, RAIN_V, -rate * dt, -f->ls);
}

static void warm(struct point *q, const struct frozen *f, real dt)
{
	transfer(q, f, RAIN_C, RAIN_R,
		(real)1e-3 * F(fmax)(q->x[RAIN_C] - (real)0.5e-3 / q->rho, 0) * dt, 0);
	if (q->x[RAIN_R] > (real)RAIN_QMIN)
		transfer(q, f, RAIN_C, RAIN_R,
			(real)2.67026825243e10 * q->x[RAIN_C] * F(pow)(f->lr, -(real)3.8) *
				f->d * dt,
			0);
	if (q->x[RAIN_R] > (real)RAIN_QMIN && q->x[RAIN_C] <= (real)RAIN_QMIN)
		transfer(q, f, RAIN_R, RAIN_V,
			F(fmax)(f->usw, 0) * f->vr / (q->rho * f->aw) * dt, -f->lv);
}

static void cold(struct point *q, const struct frozen *f, real dt)
{
	real c = f->t - (real)MOIST_TT,
	     least = F(fmin)((real)2e-5, F(pow)(10, (real)0.06 * c - (real)3.5));

	transfer(q, f, RAIN_I, RAIN_S,
		(real)1e-3 * F(exp)((real)0.015 * c) * F(fmax)(q->x[RAIN_I] - least, 0) * dt,
		0);
	if (q->x[RAIN_S] > (real)RAIN_QMIN) {
		real sweep = F(pow)(f->ls_, -(real)1.27) * f->d * dt;

		transfer(q, f, RAIN_I, RAIN_S,
			(real)14.0072236715 * F(exp)((real)0.05 * c) * q->x[RAIN_I] * sweep, 0);
		transfer(q, f, RAIN_C, RAIN_S, (real)56.0288946862 * q->x[RAIN_C] * sweep,
			f->lf);
		deposit(q, f, RAIN_S, f->vs, dt);
	}
	if (q->x[RAIN_G] > (real)RAIN_QMIN) {
		transfer(q, f, RAIN_C, RAIN_G,
			(real)2.08459581256e8 * q->x[RAIN_C] * F(pow)(f->lg, -(real)3.16) *
				f->d * dt,
			f->lf);
		deposit(q, f, RAIN_G, f->vg, dt);
	}
}

/* No more than what cools the air to the triple point. */
static void melt(struct point *q, const struct frozen *f, int what, real v, real dt)
{
	real flux = -(f->ka * ((real)MOIST_TT - f->t) +
		      f->dv * f->lv * ((real)MOIST_ES - f->ev) / ((real)MOIST_RV * f->t));
	real rate = F(fmax)(0, flux) * v / (q->rho * f->lf);
	real most = F(fmax)(0, f->cph * (q->x[RAIN_T] - (real)MOIST_TT) / f->lf);

	if (q->x[what] > (real)RAIN_QMIN)
		transfer(q, f, what, RAIN_R, F(fmin)(rate * dt, most), -f->lf);
}

static void processes(struct point *q, real dt)
{
	struct frozen f;

	freeze(&f, q);
	if (f.t < (real)MOIST_TT - 35) {
		transfer(q, &f, RAIN_C, RAIN_I, q->x[RAIN_C], f.lf);
		transfer(q, &f, RAIN_R, RAIN_G, q->x[RAIN_R], f.lf);
	}
	warm(q, &f, dt);
	if (f.t < (real)MOIST_TT) {
		cold(q, &f, dt);
		return;
	}
	transfer(q, &f, RAIN_I, RAIN_C, q->x[RAIN_I], -f.lf);
	melt(q, &f, RAIN_S, f.vs, dt);
	melt(q, &f, RAIN_G, f.vg, dt);
}

/* Implicit upwind, top down: positive and conservative for any dt. */
static real fall(struct point *q, const real *dz, int64_t levels, real dt, int what)
{
	static const real factor[] = {
		[RAIN_R] = RAIN_FALL_R, [RAIN_S] = RAIN_FALL_S, [RAIN_G] = RAIN_FALL_G
	};
	static const real power[] = {
		[RAIN_R] = RAIN_E_R - 1, [RAIN_S] = RAIN_E_S - 1, [RAIN_G] = RAIN_E_G - 1
	};
	real flux = 0;

	for (int64_t k = 0; k < levels; k++) {
		real *x = &q[k].x[what], rho = q[k].rho, w = 0;

		if (*x > (real)RAIN_FALLMIN)
			w = F(fmin)(20, factor[what] * F(pow)(rho * *x, power[what]) *
						F(pow)(rho, -(real)0.4));
		*x = (rho * dz[k] * *x + dt * flux) / (rho * dz[k] + dt * rho * w);
		flux = rho * w * *x;
	}
	return flux * dt;
}

static real column(struct point *q, const real *dz, int64_t levels, real dt)
{
	for (int64_t k = 0; k < levels; k++)
		processes(&q[k], dt);
	return fall(q, dz, levels, dt, RAIN_R) + fall(q, dz, levels, dt, RAIN_S) +
	       fall(q, dz, levels, dt, RAIN_G);
}

#endif
