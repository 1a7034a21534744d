#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fma_peak: x <- a x + b, `steps` times on each element, in eight independent chains an
 * invocation so that latency hides behind throughput. a and b as in kernels/fma.h.
 * Buffers: 0 x, 1 out. Loop turns: steps. CPU twin: kernels/scalar/fma.c. */
#include "common.glsl"

layout(push_constant) uniform Push { uint n, steps; };
layout(binding = 0) readonly buffer X { REAL x[]; };
layout(binding = 1) writeonly buffer Out { REAL result[]; };

const REAL A = REAL(1) - REAL(1) / REAL(4096), B = REAL(1) / REAL(2048);

REAL load(uint i)
{
	return i < n ? x[i] : REAL(1);
}

void store(uint i, REAL v)
{
	if (i < n)
		result[i] = v;
}

void main()
{
	uint i = group_index() * gl_WorkGroupSize.x * 8 + gl_LocalInvocationID.x;
	uint s = gl_WorkGroupSize.x;
	REAL v0 = load(i), v1 = load(i + s), v2 = load(i + 2 * s), v3 = load(i + 3 * s);
	REAL v4 = load(i + 4 * s), v5 = load(i + 5 * s), v6 = load(i + 6 * s);
	REAL v7 = load(i + 7 * s);

	for (uint k = 0; k < steps; k++) {
		v0 = fma(A, v0, B);
		v1 = fma(A, v1, B);
		v2 = fma(A, v2, B);
		v3 = fma(A, v3, B);
		v4 = fma(A, v4, B);
		v5 = fma(A, v5, B);
		v6 = fma(A, v6, B);
		v7 = fma(A, v7, B);
	}
	store(i, v0);
	store(i + s, v1);
	store(i + 2 * s, v2);
	store(i + 3 * s, v3);
	store(i + 4 * s, v4);
	store(i + 5 * s, v5);
	store(i + 6 * s, v6);
	store(i + 7 * s, v7);
}
