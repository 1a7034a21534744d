#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* y = A x with A in compressed sparse rows, LANES neighbouring invocations a row: they read its
 * entries side by side and add up as a tree (Bell and Garland 2009, the vector kernel).
 * Buffers: 0 x, 1 y, 2 row begins (n_rows + 1), 3 column indices, 4 values. Workgroup: a
 * multiple of LANES. Constant 3: LANES, a power of two. Shared: a real an invocation. Loop
 * turns: the longest row / LANES + log2 LANES + 2. CPU twin: kernels/spmv.c. */
#include "common.glsl"

layout(constant_id = 3) const uint LANES = 8;
layout(push_constant) uniform Push { uint n_rows; };
layout(binding = 0) readonly buffer X { REAL x[]; };
layout(binding = 1) writeonly buffer Y { REAL y[]; };
layout(binding = 2) readonly buffer Row { uint row[]; };
layout(binding = 3) readonly buffer Column { uint column[]; };
layout(binding = 4) readonly buffer Value { REAL value[]; };
shared REAL part[gl_WorkGroupSize.x];

void main()
{
	uint u = gl_LocalInvocationID.x, lane = u % LANES, i = invocation_index() / LANES;
	REAL sum = REAL(0);

	if (i < n_rows)
		for (uint k = row[i] + lane; k < row[i + 1]; k += LANES)
			sum += value[k] * x[column[k]];
	part[u] = sum;
	for (uint step = LANES / 2; step > 0; step /= 2) {
		barrier();
		if (lane < step)
			part[u] += part[u + step];
	}
	if (lane == 0 && i < n_rows)
		y[i] = part[u];
}
