#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gemm: C = alpha A B + beta C0, row-major, m x k times k x n.
 *   tiled  a workgroup makes a tile of TILE x TILE of C, each invocation BLOCK x BLOCK of it in
 *          registers; slices of DEPTH columns of A and rows of B pass through shared memory
 *   naive  an element an invocation (BLOCK 1)
 * With HALF defined A and B are f16, two in a word, and everything else is f32.
 * Buffers: 0 A, 1 B, 2 C0, 3 C. Workgroup: (TILE / BLOCK)^2 x 1 x 1.
 * Constants: 3 TILE, 4 DEPTH, 5 BLOCK, 6 tiled (1) or naive (0). Shared: (2 TILE + 1) DEPTH
 * elements. Loop turns: kernels/vk_gemm.c. CPU twin: kernels/scalar/gemm.c. */
#include "common.glsl"

layout(constant_id = 3) const uint TILE = 64;
layout(constant_id = 4) const uint DEPTH = 16;
layout(constant_id = 5) const uint BLOCK = 4;
layout(constant_id = 6) const uint IS_TILED = 1;
layout(push_constant) uniform Push { REAL alpha, beta; uint m, n, k; };
#ifdef HALF
layout(binding = 0) readonly buffer A { uint a[]; };
layout(binding = 1) readonly buffer B { uint b[]; };
#define A_AT(i) (unpackHalf2x16(a[(i) / 2])[(i) % 2])
#define B_AT(i) (unpackHalf2x16(b[(i) / 2])[(i) % 2])
#else
layout(binding = 0) readonly buffer A { REAL a[]; };
layout(binding = 1) readonly buffer B { REAL b[]; };
#define A_AT(i) a[i]
#define B_AT(i) b[i]
#endif
layout(binding = 2) readonly buffer C0 { REAL c0[]; };
layout(binding = 3) writeonly buffer C { REAL c[]; };
shared REAL slice_a[DEPTH * (TILE + 1)]; /* transposed: one row a column of A */
shared REAL slice_b[DEPTH * TILE];

void load_slices(uint row, uint column, uint depth)
{
	uint size = gl_WorkGroupSize.x;

	for (uint i = gl_LocalInvocationID.x; i < TILE * DEPTH; i += size) {
		uint r = i / DEPTH, d = i % DEPTH;
		bool is_inside = row + r < m && depth + d < k;

		slice_a[d * (TILE + 1) + r] = is_inside ? A_AT((row + r) * k + depth + d) : REAL(0);
	}
	for (uint i = gl_LocalInvocationID.x; i < TILE * DEPTH; i += size) {
		uint d = i / TILE, j = i % TILE;
		bool is_inside = depth + d < k && column + j < n;

		slice_b[d * TILE + j] = is_inside ? B_AT((depth + d) * n + column + j) : REAL(0);
	}
}

void store(uint r, uint q, REAL v)
{
	if (r < m && q < n)
		c[r * n + q] = beta == REAL(0) ? alpha * v : alpha * v + beta * c0[r * n + q];
}

void naive()
{
	uint r = gl_WorkGroupID.y * TILE + gl_LocalInvocationID.x / TILE;
	uint q = gl_WorkGroupID.x * TILE + gl_LocalInvocationID.x % TILE;
	REAL sum = REAL(0);

	if (r >= m || q >= n)
		return;
	for (uint d = 0; d < k; d++)
		sum = fma(A_AT(r * k + d), B_AT(d * n + q), sum);
	store(r, q, sum);
}

void tiled()
{
	const uint across = TILE / BLOCK;
	uint row = gl_WorkGroupID.y * TILE, column = gl_WorkGroupID.x * TILE;
	uint y = gl_LocalInvocationID.x / across, x = gl_LocalInvocationID.x % across;
	REAL sum[BLOCK * BLOCK], left[BLOCK], right[BLOCK];

	for (uint i = 0; i < BLOCK * BLOCK; i++)
		sum[i] = REAL(0);
	for (uint depth = 0; depth < k; depth += DEPTH) {
		load_slices(row, column, depth);
		barrier();
		for (uint d = 0; d < DEPTH; d++) {
			for (uint i = 0; i < BLOCK; i++) {
				left[i] = slice_a[d * (TILE + 1) + y * BLOCK + i];
				right[i] = slice_b[d * TILE + i * across + x];
			}
			for (uint i = 0; i < BLOCK; i++)
				for (uint j = 0; j < BLOCK; j++)
					sum[i * BLOCK + j] = fma(left[i], right[j], sum[i * BLOCK + j]);
		}
		barrier();
	}
	for (uint i = 0; i < BLOCK; i++)
		for (uint j = 0; j < BLOCK; j++)
			store(row + y * BLOCK + i, column + j * across + x, sum[i * BLOCK + j]);
}

void main()
{
	if (IS_TILED == 1)
		tiled();
	else
		naive();
}
