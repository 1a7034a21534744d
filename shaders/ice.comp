#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phys.ice_adjust: one point an invocation.
 * Buffers: 0 T, 1 p, 2 rv, 3 rc, 4 ri, 5 rr, 6 rs, 7 rg, 8 sigma (any buffer when cloud is 0),
 * 9 to 13 T, rv, rc, ri, cover out. Constants: 3 iterations, 4 cloud scheme as enum ice_cloud.
 * Loop turns: iterations, times 28 of erfc with scheme 2. CPU twin: kernels/scalar/ice.c. */
#include "common.glsl"
#include "math.glsl"

layout(constant_id = 3) const uint ITERS = 1;
layout(constant_id = 4) const uint CLOUD = 0;
layout(push_constant) uniform Push { REAL range_inv; uint n; };
layout(binding = 0) readonly buffer B0 { REAL in_t[]; };
layout(binding = 1) readonly buffer B1 { REAL in_p[]; };
layout(binding = 2) readonly buffer B2 { REAL in_rv[]; };
layout(binding = 3) readonly buffer B3 { REAL in_rc[]; };
layout(binding = 4) readonly buffer B4 { REAL in_ri[]; };
layout(binding = 5) readonly buffer B5 { REAL in_rr[]; };
layout(binding = 6) readonly buffer B6 { REAL in_rs[]; };
layout(binding = 7) readonly buffer B7 { REAL in_rg[]; };
layout(binding = 8) readonly buffer B8 { REAL in_sigma[]; };
layout(binding = 9) writeonly buffer B9 { REAL out_t[]; };
layout(binding = 10) writeonly buffer B10 { REAL out_rv[]; };
layout(binding = 11) writeonly buffer B11 { REAL out_rc[]; };
layout(binding = 12) writeonly buffer B12 { REAL out_ri[]; };
layout(binding = 13) writeonly buffer B13 { REAL out_cf[]; };

#include "moist.glsl"

struct Point {
	REAL t, p, rv, rc, ri, lv, ls, cph, rt, sigma, cf;
};

/* Condensate of a cloud that fills part of the point. */
REAL partial_cloud(inout Point x, REAL s, REAL width)
{
	REAL q = s / width, c;

	if (CLOUD == 2) {
		x.cf = real_erfc(-q * K(0.70710678118654752lf)) * K(0.5lf);
		c = q * x.cf + real_exp(K(-0.5lf) * q * q) * K(0.3989422804014327lf);
	} else {
		x.cf = clamp(K(0.5lf) + K(0.36lf) * real_atan(K(1.55lf) * q), K(0.0lf), K(1.0lf));
		if (q <= K(0.0lf))
			c = real_exp(K(1.2lf) * q - K(1.0lf));
		else if (q <= K(2.0lf))
			c = min(K(0.36787944117144233lf) + K(0.66lf) * q + K(0.086lf) * q * q,
				K(2.0lf));
		else
			c = q;
	}
	c = min(c * width, x.rt);
	if (c < K(1e-12lf)) {
		x.cf = K(0.0lf);
		return K(0.0lf);
	}
	return c;
}

void iterate(inout Point x)
{
	REAL d = x.t - TT, u = d / x.t, ln = real_log(x.t * K(0.0036608581051398447lf));
	REAL ew = min(ES * real_exp(BW_TT * u - GW * ln), K(0.99lf) * x.p);
	REAL ei = min(ES * real_exp(BI_TT * u - GI * ln), K(0.99lf) * x.p);
	REAL f = clamp(-d * range_inv, K(0.0lf), K(1.0lf));
	REAL rw = EPS0 * ew / (x.p - ew), ri = EPS0 * ei / (x.p - ei);
	REAL r = rw + f * (ri - rw), l = x.lv + f * (x.ls - x.lv);
	REAL ah = l * r / (RV * x.t * x.t) * (K(1.0lf) + RV / RD * r), lc = l / x.cph;
	REAL a = K(1.0lf) / (K(1.0lf) + ah * lc);
	REAL s = a * (x.rt - r + ah * lc * (x.rc + x.ri)), c, rc;

	if (CLOUD == 0) {
		c = min(max(s, K(0.0lf)), x.rt);
		x.cf = c > K(1e-12lf) ? K(1.0lf) : K(0.0lf);
	} else {
		c = partial_cloud(
			x, s, sqrt(K(4.0lf) * x.sigma * x.sigma + K(4e-4lf) * r * a * r * a));
	}
	rc = c - f * c;
	x.t += ((rc - x.rc) * x.lv + (c - rc - x.ri) * x.ls) / x.cph;
	x.rc = rc;
	x.ri = c - rc;
	x.rv = x.rt - c;
}

void main()
{
	uint i = invocation_index();
	Point x;
	REAL d;

	if (i >= n)
		return;
	x.t = in_t[i];
	x.p = in_p[i];
	x.rv = in_rv[i];
	x.rc = in_rc[i];
	x.ri = in_ri[i];
	x.sigma = CLOUD == 0 ? K(0.0lf) : in_sigma[i];
	d = x.t - TT;
	x.lv = LVTT + (CPV - CL) * d;
	x.ls = LSTT + (CPV - CI) * d;
	x.cph = CPD + CPV * x.rv + CL * (x.rc + in_rr[i]) + CI * (x.ri + in_rs[i] + in_rg[i]);
	x.rt = x.rv + x.rc + x.ri;
	x.cf = K(0.0lf);
	for (uint k = 0; k < ITERS; k++)
		iterate(x);
	out_t[i] = x.t;
	out_rv[i] = x.rv;
	out_rc[i] = x.rc;
	out_ri[i] = x.ri;
	out_cf[i] = x.cf;
}
