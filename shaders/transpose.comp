#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transpose: out[j][i] = in[i][j] of rows x columns. A workgroup takes 32 x 32 elements, an
 * invocation four of them.
 *   tile   through shared memory, padded by a column against bank conflicts: rows are read and
 *          written side by side
 *   naive  straight, so that one side strides
 * Elements are words or pairs of words: nothing is computed with them.
 * Buffers: 0 in, 1 out. Workgroup: 32 x 8 x 1. Constant 3: tile (1) or naive (0). Loop turns: 8.
 * CPU twin: kernels/scalar/transpose.c. */
#include "common.glsl"

layout(constant_id = 3) const uint IS_TILED = 1;
layout(push_constant) uniform Push { uint rows, columns; };
layout(binding = 0) readonly buffer In { WORD x[]; };
layout(binding = 1) writeonly buffer Out { WORD result[]; };
shared WORD tile[32 * 33];

void main()
{
	uint i0 = gl_WorkGroupID.y * 32, j0 = gl_WorkGroupID.x * 32;
	uint u = gl_LocalInvocationID.x, v = gl_LocalInvocationID.y;

	if (IS_TILED == 0) {
		for (uint k = v; k < 32; k += 8)
			if (i0 + k < rows && j0 + u < columns)
				result[(j0 + u) * rows + i0 + k] = x[(i0 + k) * columns + j0 + u];
		return;
	}
	for (uint k = v; k < 32; k += 8)
		if (i0 + k < rows && j0 + u < columns)
			tile[k * 33 + u] = x[(i0 + k) * columns + j0 + u];
	barrier();
	for (uint k = v; k < 32; k += 8)
		if (j0 + k < columns && i0 + u < rows)
			result[(j0 + k) * rows + i0 + u] = tile[u * 33 + k];
}
