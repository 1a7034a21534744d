#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phys.satad: one point an invocation.
 * Buffers: 0 T, 1 p, 2 qv, 3 ql in; 4 T, 5 qv, 6 ql out. Constant 3: steps. Loop turns: steps.
 * CPU twin: kernels/scalar/satad.c. */
#include "common.glsl"
#include "math.glsl"
#include "moist.glsl"

layout(constant_id = 3) const uint STEPS = 3;
layout(push_constant) uniform Push { uint n; };
layout(binding = 0) readonly buffer B0 { REAL in_t[]; };
layout(binding = 1) readonly buffer B1 { REAL in_p[]; };
layout(binding = 2) readonly buffer B2 { REAL in_qv[]; };
layout(binding = 3) readonly buffer B3 { REAL in_ql[]; };
layout(binding = 4) writeonly buffer B4 { REAL out_t[]; };
layout(binding = 5) writeonly buffer B5 { REAL out_qv[]; };
layout(binding = 6) writeonly buffer B6 { REAL out_ql[]; };
const REAL A1 = K(611.21lf), A3 = K(17.502lf), A4 = K(32.19lf), T0 = K(273.16lf);
const REAL HEAT = K(2.5008e6lf / 1004.708857833067lf), ONE = K(1.0lf);

void main()
{
	uint i = invocation_index();
	REAL t, p, q, qv, ql, dry;

	if (i >= n)
		return;
	t = in_t[i];
	p = in_p[i];
	ql = in_ql[i];
	q = in_qv[i] + ql;
	dry = t - HEAT * ql;
	qv = q;
	for (uint k = 0; k < STEPS; k++) {
		REAL d = t - A4, e = A1 * real_exp(A3 * (t - T0) / d);
		REAL rest = p - (ONE - EPS0) * e, qs = EPS0 * e / rest;
		REAL slope = qs * p / rest * (A3 * (T0 - A4)) / (d * d);

		REAL change = (t - dry - HEAT * (q - qs)) / (ONE + HEAT * slope);

		t -= change;
		qv = qs - slope * change;
	}
	qv = min(qv, q);
	ql = q - qv;
	out_t[i] = dry + HEAT * ql;
	out_qv[i] = qv;
	out_ql[i] = ql;
}
