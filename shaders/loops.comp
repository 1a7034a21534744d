#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many turns of one loop does the device run? kernels/gpu/loops.c reads the answer.
 * Buffers: 0 turns counted by each invocation. Workgroup: 32 x 1 x 1. */
#include "common.glsl"

layout(push_constant) uniform Push { uint turns; };
layout(binding = 0) buffer Counts { uint counts[]; };

void main()
{
	uint x = gl_LocalInvocationID.x + 1, n = 0;

	/* the state decides nothing, but no compiler can know that it does not */
	for (uint i = 0; i < turns; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		n += x != 0 ? 1 : 2;
	}
	counts[gl_LocalInvocationID.x] = n;
}
