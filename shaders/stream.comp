#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stream.copy .scale .add .triad: one element (REAL: scalar or vector) an invocation.
 * Buffers: 0 x, 1 y, 2 out. Constant 3: the operation, as enum stream_op.
 * CPU twin: kernels/scalar/stream.c. */
#include "common.glsl"

layout(constant_id = 3) const uint OP = 0;
layout(push_constant) uniform Push { uint n; };
layout(binding = 0) readonly buffer X { REAL x[]; };
layout(binding = 1) readonly buffer Y { REAL y[]; };
layout(binding = 2) writeonly buffer Out { REAL result[]; };

void main()
{
	uint i = invocation_index();

	if (i >= n)
		return;
	switch (OP) {
	case 0:
		result[i] = x[i];
		break;
	case 1:
		result[i] = REAL(3) * x[i];
		break;
	case 2:
		result[i] = x[i] + y[i];
		break;
	default:
		result[i] = x[i] + REAL(3) * y[i];
	}
}
