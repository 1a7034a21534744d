#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transfer.*, variant shader: out = x, 16 bytes an invocation.
 * Buffers: 0 x, 1 out. CPU twin: kernels/transfer.c. */
#include "common.glsl"

layout(push_constant) uniform Push { uint n; };
layout(binding = 0) readonly buffer X { uvec4 x[]; };
layout(binding = 1) writeonly buffer Out { uvec4 result[]; };

void main()
{
	uint i = invocation_index();

	if (i < n)
		result[i] = x[i];
}
