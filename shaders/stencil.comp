#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stencil2d.5pt, stencil3d.7pt, .27pt: weighted means over neighbours; the boundary stays.
 *   direct  a point an invocation, neighbours through the caches
 *   shared  a workgroup walks through PLANES planes of its tile with the plane before, this one
 *           and the next in shared memory (in two dimensions: one plane)
 * Buffers: 0 in, 1 out. Workgroup: x columns, y rows. Constants: 3 shape as enum stencil_shape, 4
 * shared (1) or direct (0), 5 PLANES. Shared: 3 planes (2-D: 1) of (x + 2)(y + 2) elements.
 * Loop turns: PLANES * 4. CPU twin: kernels/scalar/stencil.c. */
#include "common.glsl"

layout(constant_id = 3) const uint SHAPE = 0;
layout(constant_id = 4) const uint IS_SHARED = 0;
layout(constant_id = 5) const uint PLANES = 16;
layout(push_constant) uniform Push { uint depth, height, width; };
layout(binding = 0) readonly buffer In { REAL u[]; };
layout(binding = 1) writeonly buffer Out { REAL result[]; };
const uint ROW = gl_WorkGroupSize.x + 2, PLANE = ROW * (gl_WorkGroupSize.y + 2);
const uint SLOTS = IS_SHARED == 0 ? 1 : SHAPE == 0 ? 1 : 3;
shared REAL tile[IS_SHARED == 0 ? 1 : PLANE * SLOTS];

uint at(uint k, uint i, uint j)
{
	return (k * height + i) * width + j;
}

/* Neighbour at (dk, di, dj) from memory or from the tile. */
REAL point(uint k, uint i, uint j, int dk, int di, int dj)
{
	if (IS_SHARED == 0)
		return u[at(uint(int(k) + dk), uint(int(i) + di), uint(int(j) + dj))];
	uint slot = SHAPE == 0 ? 0 : (k + uint(dk + 3)) % 3;

	return tile[slot * PLANE + uint(int(gl_LocalInvocationID.y) + 1 + di) * ROW +
		uint(int(gl_LocalInvocationID.x) + 1 + dj)];
}

#define P(dk, di, dj) point(k, i, j, dk, di, dj)

REAL around4(uint k, uint i, uint j)
{
	return P(0, -1, 0) + P(0, 1, 0) + P(0, 0, -1) + P(0, 0, 1);
}

REAL weigh27(uint k, uint i, uint j)
{
	REAL faces = around4(k, i, j) + P(-1, 0, 0) + P(1, 0, 0);
	REAL edges = P(-1, -1, 0) + P(-1, 1, 0) + P(1, -1, 0) + P(1, 1, 0) + P(-1, 0, -1) +
		P(-1, 0, 1) + P(0, -1, -1) + P(0, -1, 1) + P(0, 1, -1) + P(0, 1, 1) +
		P(1, 0, -1) + P(1, 0, 1);
	REAL corners = P(-1, -1, -1) + P(-1, -1, 1) + P(-1, 1, -1) + P(-1, 1, 1) +
		P(1, -1, -1) + P(1, -1, 1) + P(1, 1, -1) + P(1, 1, 1);

	return REAL(0.125) * P(0, 0, 0) + REAL(0.0625) * faces + REAL(0.03125) * edges +
		REAL(0.015625) * corners;
}

REAL weigh(uint k, uint i, uint j)
{
	if (SHAPE == 0)
		return REAL(0.5) * P(0, 0, 0) + REAL(0.125) * around4(k, i, j);
	if (SHAPE == 1)
		return REAL(0.25) * P(0, 0, 0) +
			REAL(0.125) * (around4(k, i, j) + P(-1, 0, 0) + P(1, 0, 0));
	return weigh27(k, i, j);
}

bool is_edge(uint k, uint i, uint j)
{
	return i == 0 || j == 0 || i == height - 1 || j == width - 1 ||
		(SHAPE != 0 && (k == 0 || k == depth - 1));
}

/* Plane k of the tile and its frame into its slot; outside of the grid the nearest point. */
void load_plane(uint k)
{
	uint slot = SHAPE == 0 ? 0 : k % 3, from = min(k, depth - 1);
	uint first = gl_LocalInvocationID.y * gl_WorkGroupSize.x + gl_LocalInvocationID.x;

	for (uint t = first; t < PLANE; t += gl_WorkGroupSize.x * gl_WorkGroupSize.y) {
		uint i = gl_WorkGroupID.y * gl_WorkGroupSize.y + t / ROW;
		uint j = gl_WorkGroupID.x * gl_WorkGroupSize.x + t % ROW;

		i = min(max(i, 1) - 1, height - 1);
		j = min(max(j, 1) - 1, width - 1);
		tile[slot * PLANE + t] = u[at(from, i, j)];
	}
}

void make_point(uint k, uint i, uint j)
{
	if (i < height && j < width && k < depth)
		result[at(k, i, j)] = is_edge(k, i, j) ? u[at(k, i, j)] : weigh(k, i, j);
}

void walk(uint i, uint j)
{
	uint begin = gl_WorkGroupID.z * PLANES, end = min(begin + PLANES, depth);

	if (SHAPE != 0) {
		load_plane(max(begin, 1) - 1);
		load_plane(begin);
	}
	for (uint k = begin; k < end; k++) {
		load_plane(SHAPE == 0 ? k : k + 1);
		barrier();
		make_point(k, i, j);
		barrier();
	}
}

void main()
{
	uint i = gl_GlobalInvocationID.y, j = gl_GlobalInvocationID.x;

	if (IS_SHARED == 0)
		make_point(gl_GlobalInvocationID.z, i, j);
	else
		walk(i, j);
}
