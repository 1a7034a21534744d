#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dispatch.*: as little as a dispatch can do and still be seen to have run: each workgroup
 * copies one word. Buffers: 0 x, 1 out. CPU twin: kernels/dispatch.c. */
#include "common.glsl"

layout(push_constant) uniform Push { uint n; };
layout(binding = 0) readonly buffer X { uint x[]; };
layout(binding = 1) writeonly buffer Out { uint result[]; };

void main()
{
	uint i = group_index();

	if (i < n && gl_LocalInvocationID.x == 0)
		result[i] = x[i];
}
