#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phys.rain_ice: one column an invocation, top down: the processes of each point, then implicit
 * upwind sedimentation of rain, snow and graupel through it. Rates and branches see the state at
 * the entry of the step; donors, thresholds on them and the melting cap see the live one.
 * Powers are taken from shared logarithms.
 * Buffers: 0 p, 1 rho, 2 dz (one a level), 3 to 9 v c r i s g T in, 10 to 16 the same out, 17
 * precipitation. Loop turns: levels. CPU twin: kernels/rain_formulas.h.
 * Source: Pinty and Jabouille 1998; Caniaux et al. 1994. */
#include "common.glsl"
#include "math.glsl"
#include "moist.glsl"

layout(push_constant) uniform Push { REAL dt; uint columns, levels; };
layout(binding = 0) readonly buffer B0 { REAL in_p[]; };
layout(binding = 1) readonly buffer B1 { REAL in_rho[]; };
layout(binding = 2) readonly buffer B2 { REAL in_dz[]; };
layout(binding = 3) readonly buffer B3 { REAL in_v[]; };
layout(binding = 4) readonly buffer B4 { REAL in_c[]; };
layout(binding = 5) readonly buffer B5 { REAL in_r[]; };
layout(binding = 6) readonly buffer B6 { REAL in_i[]; };
layout(binding = 7) readonly buffer B7 { REAL in_s[]; };
layout(binding = 8) readonly buffer B8 { REAL in_g[]; };
layout(binding = 9) readonly buffer B9 { REAL in_t[]; };
layout(binding = 10) writeonly buffer B10 { REAL out_v[]; };
layout(binding = 11) writeonly buffer B11 { REAL out_c[]; };
layout(binding = 12) writeonly buffer B12 { REAL out_r[]; };
layout(binding = 13) writeonly buffer B13 { REAL out_i[]; };
layout(binding = 14) writeonly buffer B14 { REAL out_s[]; };
layout(binding = 15) writeonly buffer B15 { REAL out_g[]; };
layout(binding = 16) writeonly buffer B16 { REAL out_t[]; };
layout(binding = 17) writeonly buffer B17 { REAL out_precip[]; };

const REAL ZERO = K(0.0lf), ONE = K(1.0lf), QMIN = K(1e-10lf);

struct Point {
	REAL p, rho, v, c, r, i, s, g, t; /* live */
	/* as they were at the entry */
	REAL t0, lv, ls, lf, cph, d, ka, dv, ai, aw, ssi, usw, ev;
	REAL ln_rho, ln_r, ln_s, ln_g; /* logarithms of rho and of the slopes */
	REAL vr, vs, vg;	       /* ventilation */
};

REAL saturation(REAL t, REAL ln, REAL b, REAL g)
{
	return ES * real_exp(b * ((t - TT) / t) - g * ln);
}

void freeze_slopes(inout Point x)
{
	REAL cj = K(0.888925534168lf) * real_exp(K(0.3lf) * x.ln_rho) /
		  sqrt(K(1.718e-5lf) + K(0.0049e-5lf) * (x.t0 - TT));
	REAL most = K(11.512925464970229lf); /* ln 1e5 */

	x.ln_r = K(5.986859316118599lf) - K(0.25lf) * (x.ln_rho + real_log(max(x.r, QMIN)));
	x.ln_s = min(most, K(-1.888572758603578lf) -
				   (x.ln_rho + real_log(max(x.s, QMIN))) / K(0.9lf));
	x.ln_g = min(most, K(5.346731864487555lf) -
				   (x.ln_rho + real_log(max(x.g, QMIN))) / K(3.3lf));
	x.vr = K(5.02654824574e7lf) * real_exp(K(-2.0lf) * x.ln_r) +
	       K(6.92982382988e8lf) * cj * real_exp(K(-2.9lf) * x.ln_r);
	x.vs = K(17.2lf) + K(18.5667138097lf) * cj * real_exp(K(-0.635lf) * x.ln_s);
	x.vg = K(2.70176968209e6lf) * real_exp(K(-1.5lf) * x.ln_g) +
	       K(1.68443642476e7lf) * cj * real_exp(K(-2.33lf) * x.ln_g);
}

void freeze(inout Point x)
{
	REAL ln = real_log(x.t * K(0.0036608581051398447lf)), ew, ei;

	x.t0 = x.t;
	ew = saturation(x.t, ln, BW_TT, GW);
	ei = saturation(x.t, ln, BI_TT, GI);
	x.lv = LVTT + (CPV - CL) * (x.t - TT);
	x.ls = LSTT + (CPV - CI) * (x.t - TT);
	x.lf = x.ls - x.lv;
	x.cph = CPD + CPV * x.v + CL * (x.c + x.r) + CI * (x.i + x.s + x.g);
	x.ln_rho = real_log(x.rho);
	x.d = real_exp(K(-0.4lf) * x.ln_rho);
	x.ka = K(2.38e-2lf) + K(0.0071e-2lf) * (x.t - TT);
	x.dv = K(0.211e-4lf) * real_exp(K(1.94lf) * ln) * K(1e5lf) / x.p;
	x.ai = x.ls * x.ls / (x.ka * RV * x.t * x.t) + RV * x.t / (x.dv * ei);
	x.aw = x.lv * x.lv / (x.ka * RV * x.t * x.t) + RV * x.t / (x.dv * ew);
	x.ssi = x.v * (x.p - ei) / (EPS0 * ei) - ONE;
	x.usw = ONE - x.v * (x.p - ew) / (EPS0 * ew);
	x.ev = x.v * x.p / (EPS0 + x.v);
	freeze_slopes(x);
}

/* min(max(amount, 0), donor) from one species to another, with its heat. */
void move(inout REAL donor, inout REAL receiver, inout REAL t, REAL amount, REAL heat_per_cph)
{
	REAL moved = min(max(amount, ZERO), donor);

	donor -= moved;
	receiver += moved;
	t += heat_per_cph * moved;
}

/* Vapour onto ice, or off it. */
void deposit(Point x, inout REAL on, inout REAL vapour, inout REAL t, REAL ventilation)
{
	REAL rate = x.ssi * ventilation / (x.rho * x.ai);

	if (rate > ZERO)
		move(vapour, on, t, rate * dt, x.ls / x.cph);
	else
		move(on, vapour, t, -rate * dt, -x.ls / x.cph);
}

void warm(inout Point x)
{
	move(x.c, x.r, x.t, K(1e-3lf) * max(x.c - K(0.5e-3lf) / x.rho, ZERO) * dt, ZERO);
	if (x.r > QMIN)
		move(x.c, x.r, x.t,
			K(2.67026825243e10lf) * x.c * real_exp(K(-3.8lf) * x.ln_r) * x.d * dt,
			ZERO);
	if (x.r > QMIN && x.c <= QMIN)
		move(x.r, x.v, x.t, max(x.usw, ZERO) * x.vr / (x.rho * x.aw) * dt,
			-x.lv / x.cph);
}

void cold(inout Point x)
{
	REAL c = x.t0 - TT;
	REAL least = min(K(2e-5lf),
		real_exp(K(2.302585092994046lf) * (K(0.06lf) * c - K(3.5lf))));

	move(x.i, x.s, x.t, K(1e-3lf) * real_exp(K(0.015lf) * c) * max(x.i - least, ZERO) * dt,
		ZERO);
	if (x.s > QMIN) {
		REAL sweep = real_exp(K(-1.27lf) * x.ln_s) * x.d * dt;

		move(x.i, x.s, x.t,
			K(14.0072236715lf) * real_exp(K(0.05lf) * c) * x.i * sweep, ZERO);
		move(x.c, x.s, x.t, K(56.0288946862lf) * x.c * sweep, x.lf / x.cph);
		deposit(x, x.s, x.v, x.t, x.vs);
	}
	if (x.g > QMIN) {
		move(x.c, x.g, x.t,
			K(2.08459581256e8lf) * x.c * real_exp(K(-3.16lf) * x.ln_g) * x.d * dt,
			x.lf / x.cph);
		deposit(x, x.g, x.v, x.t, x.vg);
	}
}

/* No more than what cools the air to the triple point. */
void melt(Point x, inout REAL what, inout REAL rain, inout REAL t, REAL ventilation)
{
	REAL flux = -(x.ka * (TT - x.t0) + x.dv * x.lv * (ES - x.ev) / (RV * x.t0));
	REAL rate = max(ZERO, flux) * ventilation / (x.rho * x.lf);
	REAL most = max(ZERO, x.cph * (t - TT) / x.lf);

	if (what > QMIN)
		move(what, rain, t, min(rate * dt, most), -x.lf / x.cph);
}

void processes(inout Point x)
{
	freeze(x);
	if (x.t0 < TT - K(35.0lf)) {
		move(x.c, x.i, x.t, x.c, x.lf / x.cph);
		move(x.r, x.g, x.t, x.r, x.lf / x.cph);
	}
	warm(x);
	if (x.t0 < TT) {
		cold(x);
		return;
	}
	move(x.i, x.c, x.t, x.i, -x.lf / x.cph);
	melt(x, x.s, x.r, x.t, x.vs);
	melt(x, x.g, x.r, x.t, x.vg);
}

/* Implicit upwind: positive and conservative for any dt. */
void fall(Point x, REAL dz, REAL factor, REAL power, inout REAL q, inout REAL flux)
{
	REAL w = ZERO;

	if (q > K(1e-12lf))
		w = min(K(20.0lf), factor * real_exp(power * (x.ln_rho + real_log(q))) * x.d);
	q = (x.rho * dz * q + dt * flux) / (x.rho * dz + dt * x.rho * w);
	flux = x.rho * w * q;
}

Point load(uint i)
{
	Point x;

	x.p = in_p[i];
	x.rho = in_rho[i];
	x.v = in_v[i];
	x.c = in_c[i];
	x.r = in_r[i];
	x.i = in_i[i];
	x.s = in_s[i];
	x.g = in_g[i];
	x.t = in_t[i];
	return x;
}

void store(uint i, Point x)
{
	out_v[i] = x.v;
	out_c[i] = x.c;
	out_r[i] = x.r;
	out_i[i] = x.i;
	out_s[i] = x.s;
	out_g[i] = x.g;
	out_t[i] = x.t;
}

void main()
{
	uint column = invocation_index();
	REAL flux_r = ZERO, flux_s = ZERO, flux_g = ZERO;

	if (column >= columns)
		return;
	for (uint k = 0; k < levels; k++) {
		Point x = load(k * columns + column);

		processes(x);
		fall(x, in_dz[k], K(22.3851185272lf), K(0.2lf), x.r, flux_r);
		fall(x, in_dz[k], K(11.7567870921lf), K(0.3lf), x.s, flux_s);
		fall(x, in_dz[k], K(9.17092100708lf), K(0.2lf), x.g, flux_g);
		store(k * columns + column, x);
	}
	out_precip[column] = flux_r * dt + flux_s * dt + flux_g * dt;
}
