#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nbody: softened accelerations of all pairs, bodies passing through shared memory in tiles of
 * a workgroup (Nyland, Harris, Prins, GPU Gems 3, chapter 31). A dispatch adds what bodies
 * [begin, end) pull; the first one, with begin 0, starts from nothing.
 * Buffers: 0 to 3 x, y, z, mass; 4 to 6 accelerations. Workgroup: any x 1 x 1. Shared: four
 * reals an invocation. Loop turns: bodies of this dispatch, rounded up to tiles, + tiles.
 * CPU twin: kernels/scalar/nbody.c. */
#include "common.glsl"

layout(push_constant) uniform Push { REAL softening; uint n, begin, end; };
layout(binding = 0) readonly buffer X { REAL x[]; };
layout(binding = 1) readonly buffer Y { REAL y[]; };
layout(binding = 2) readonly buffer Z { REAL z[]; };
layout(binding = 3) readonly buffer M { REAL m[]; };
layout(binding = 4) buffer AX { REAL ax[]; };
layout(binding = 5) buffer AY { REAL ay[]; };
layout(binding = 6) buffer AZ { REAL az[]; };
shared REAL4 tile[gl_WorkGroupSize.x];

REAL4 load(uint i, uint stop)
{
	return i < stop ? REAL4(x[i], y[i], z[i], m[i]) : REAL4(0);
}

void main()
{
	uint i = invocation_index(), u = gl_LocalInvocationID.x, size = gl_WorkGroupSize.x;
	REAL4 me = load(i, n);
	REAL sx = REAL(0), sy = REAL(0), sz = REAL(0);

	for (uint first = begin; first < end; first += size) {
		tile[u] = load(first + u, end);
		barrier();
		for (uint j = 0; j < size; j++) {
			REAL4 other = tile[j];
			REAL dx = other.x - me.x, dy = other.y - me.y, dz = other.z - me.z;
			REAL inv = inversesqrt(dx * dx + dy * dy + dz * dz + softening);
			REAL f = other.w * inv * inv * inv;

			sx += dx * f;
			sy += dy * f;
			sz += dz * f;
		}
		barrier();
	}
	if (i >= n)
		return;
	ax[i] = begin > 0 ? ax[i] + sx : sx;
	ay[i] = begin > 0 ? ay[i] + sy : sy;
	az[i] = begin > 0 ? az[i] + sz : sz;
}
