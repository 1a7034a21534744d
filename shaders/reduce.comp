#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sum of x, or dot product of x and y: each workgroup adds SERIAL elements an invocation and
 * then its invocations as a tree into one partial sum; further dispatches add the partial sums.
 * The order depends on the workgroup size alone, so the result is the same bit for bit in every
 * run.
 * Buffers: 0 x, 1 y (dot only), 2 partial sums. Workgroup: a power of two x 1 x 1.
 * Constants: 3 SERIAL, 4 dot (0 or 1). CPU twins: kernels/stream.c, kernels/reduce.c. */
#include "common.glsl"

layout(constant_id = 3) const uint SERIAL = 16;
layout(constant_id = 4) const uint DOT = 0;
layout(push_constant) uniform Push { uint n; };
layout(binding = 0) readonly buffer X { REAL x[]; };
layout(binding = 1) readonly buffer Y { REAL y[]; };
layout(binding = 2) writeonly buffer Out { REAL partial[]; };
shared REAL sums[gl_WorkGroupSize.x];

void main()
{
	uint local = gl_LocalInvocationID.x, size = gl_WorkGroupSize.x;
	uint begin = group_index() * size * SERIAL;
	REAL sum = REAL(0);

	for (uint k = 0; k < SERIAL; k++) {
		uint i = begin + local + k * size;

		if (i < n)
			sum += DOT == 1 ? x[i] * y[i] : x[i];
	}
	sums[local] = sum;
	for (uint step = size / 2; step > 0; step /= 2) {
		barrier();
		if (local < step)
			sums[local] += sums[local + step];
	}
	if (local == 0 && begin < n)
		partial[group_index()] = sums[0];
}
