#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sum of x, or dot product of x and y: each workgroup adds SPAN elements into one partial sum,
 * and a second dispatch adds the partial sums. The order depends on the workgroup size alone, so
 * the result is the same bit for bit in every run.
 * Buffers: 0 input, 1 partial sums. Workgroup: a power of two x 1 x 1, at most 1024.
 * Constant 3: elements an invocation adds in series. CPU twin: kernels/reduce.c. */
#include "common.glsl"

layout(constant_id = 3) const uint SERIAL = 16;
layout(push_constant) uniform Push { uint n; };
layout(binding = 0) readonly buffer X { REAL x[]; };
layout(binding = 1) writeonly buffer Out { REAL partial[]; };
shared REAL sums[gl_WorkGroupSize.x];

void main()
{
	uint local = gl_LocalInvocationID.x, size = gl_WorkGroupSize.x;
	uint first = group_index() * size * SERIAL + local;
	REAL sum = REAL(0);

	for (uint k = 0; k < SERIAL; k++) {
		uint i = first + k * size;

		if (i < n)
			sum += x[i];
	}
	sums[local] = sum;
	for (uint step = size / 2; step > 0; step /= 2) {
		barrier();
		if (local < step)
			sums[local] += sums[local + step];
	}
	if (local == 0 && first < n)
		partial[group_index()] = sums[0];
}
