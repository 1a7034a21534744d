/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phys.ice_adjust, plain C with libm, in the order of the formulas. */
#include "kernels/ice.h"
#include "kernels/code.h"
#include "kernels/moist.h"

#if CODE_BITS == 64
#define F(name) name
#else
#define F(name) name##f
#endif

struct point {
	real t, p, rv, rc, ri, lv, ls, cph, rt, sigma, cf;
};

static real saturation(real t, real b, real g)
{
	return (real)MOIST_ES *
	       F(exp)(b * ((t - (real)MOIST_TT) / t) - g * F(log)(t / (real)MOIST_TT));
}

/* Condensate for the supersaturation q times sigma. */
static real partial_cloud(struct point *x, enum ice_cloud cloud, real s, real width)
{
	real q = s / width, c;

	if (cloud == ICE_GAUSS) {
		x->cf = F(erfc)(-q / (real)M_SQRT2) / 2;
		c = width * (q * x->cf + F(exp)(-q * q / 2) / (real)2.5066282746310002);
	} else {
		x->cf = F(fmin)(
			F(fmax)((real)0.5 + (real)0.36 * F(atan)((real)1.55 * q), 0), 1);
		c = q <= 0   ? F(exp)((real)1.2 * q - 1)
		    : q <= 2 ? F(fmin)((real)0.36787944117144233 + (real)0.66 * q +
					       (real)0.086 * q * q,
				       2)
			     : q;
		c *= width;
	}
	c = F(fmin)(c, x->rt);
	if (c < (real)1e-12)
		c = x->cf = 0;
	return c;
}

static void iterate(struct point *x, real ice_range, enum ice_cloud cloud)
{
	const real rd = (real)MOIST_RD, rv = (real)MOIST_RV;
	real ew =
		F(fmin)(saturation(x->t, (real)MOIST_BW_TT, (real)MOIST_GW), (real)0.99 * x->p);
	real ei =
		F(fmin)(saturation(x->t, (real)MOIST_BI_TT, (real)MOIST_GI), (real)0.99 * x->p);
	real f = F(fmin)(F(fmax)(((real)MOIST_TT - x->t) / ice_range, 0), 1);
	real rw = rd / rv * ew / (x->p - ew), ri = rd / rv * ei / (x->p - ei);
	real r = (1 - f) * rw + f * ri, l = (1 - f) * x->lv + f * x->ls;
	real ah = l * r / (rv * x->t * x->t) * (1 + rv * r / rd);
	real a = 1 / (1 + ah * l / x->cph);
	real s = a * (x->rt - r + ah * (l / x->cph) * (x->rc + x->ri)), c, rc;

	if (cloud == ICE_ALL_OR_NOTHING) {
		c = F(fmin)(F(fmax)(s, 0), x->rt);
		x->cf = c > (real)1e-12;
	} else {
		real width = F(sqrt)(4 * x->sigma * x->sigma + (real)4e-4 * r * a * r * a);

		c = partial_cloud(x, cloud, s, width);
	}
	rc = (1 - f) * c;
	x->t += ((rc - x->rc) * x->lv + (c - rc - x->ri) * x->ls) / x->cph;
	x->rc = rc;
	x->ri = c - rc;
	x->rv = x->rt - c;
}

static void points(const struct ice_arrays *a, int64_t lo, int64_t hi)
{
#define IN(name) ((const real *)a->name)[i]
#define OUT(name) ((real *)a->out_##name)[i]
	for (int64_t i = lo; i < hi; i++) {
		struct point x = {
			.t = IN(t), .p = IN(p), .rv = IN(rv), .rc = IN(rc), .ri = IN(ri)
		};

		x.lv = (real)moist_lv(IN(t));
		x.ls = (real)moist_ls(IN(t));
		x.cph = (real)MOIST_CPD + (real)MOIST_CPV * IN(rv) +
			(real)MOIST_CL * (IN(rc) + IN(rr)) +
			(real)MOIST_CI * (IN(ri) + IN(rs) + IN(rg));
		x.rt = IN(rv) + IN(rc) + IN(ri);
		x.sigma = a->cloud == ICE_ALL_OR_NOTHING ? 0 : IN(sigma);
		for (int k = 0; k < a->iters; k++)
			iterate(&x, (real)a->ice_range, a->cloud);
		OUT(t) = x.t;
		OUT(rv) = x.rv;
		OUT(rc) = x.rc;
		OUT(ri) = x.ri;
		OUT(cf) = x.cf;
	}
#undef IN
#undef OUT
}

CODE_EXPORT(ice) = { points };
