#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* regrid.nearest .bilinear .conservative: one target point of one level an invocation. The
 * weights of both axes are separable: rows are blended first, then columns.
 *   direct  each invocation blends the source columns it takes
 *   shared  a workgroup of a row blends each source column once, into shared memory
 * Buffers: 0 source, 1 target, 2 first source row of each target row, 3 first source column of
 * each target column, 4 weights of rows (link-major), 5 weights of columns.
 * Constants: 3 row links, 4 column links (0: nearest), 5 columns in shared memory (0: direct).
 * Loop turns: row links * column links, or row links * columns / workgroup.
 * CPU twin: kernels/scalar/regrid.c. */
#include "common.glsl"

layout(constant_id = 3) const uint ROW_LINKS = 0;
layout(constant_id = 4) const uint COLUMN_LINKS = 0;
layout(constant_id = 5) const uint WINDOW = 0;
layout(push_constant) uniform Push { uint h, w, th, tw, is_flipped, column_is_cyclic; };
layout(binding = 0) readonly buffer Source { REAL source[]; };
layout(binding = 1) writeonly buffer Target { REAL target[]; };
layout(binding = 2) readonly buffer RowFirst { int row_first[]; };
layout(binding = 3) readonly buffer ColumnFirst { int column_first[]; };
layout(binding = 4) readonly buffer RowWeight { REAL row_weight[]; };
layout(binding = 5) readonly buffer ColumnWeight { REAL column_weight[]; };
shared REAL blended[WINDOW + 1];

uint wrap(int i, uint n, uint is_cyclic)
{
	if (i < 0)
		return uint(i + int(n));
	if (i >= int(n))
		return is_cyclic != 0 ? uint(i) - n : n - 1;
	return uint(i);
}

/* Where row i, counted from the south, is stored. */
uint row_at(int i)
{
	uint y = wrap(i, h, 0);

	return is_flipped != 0 ? h - 1 - y : y;
}

/* Source column x, blended over the rows that target row i takes. */
REAL blend_rows(uint field, uint i, int column)
{
	uint x = wrap(column, w, column_is_cyclic);
	REAL sum = REAL(0);

	for (uint a = 0; a < ROW_LINKS; a++) {
		uint y = row_at(row_first[i] + int(a));

		sum += row_weight[a * th + i] * source[field + y * w + x];
	}
	return sum;
}

REAL nearest(uint field, uint i, uint j)
{
	return source[field + row_at(row_first[i]) * w +
		wrap(column_first[j], w, column_is_cyclic)];
}

REAL direct(uint field, uint i, uint j)
{
	REAL sum = REAL(0);

	for (uint b = 0; b < COLUMN_LINKS; b++)
		sum += column_weight[b * tw + j] * blend_rows(field, i, column_first[j] + int(b));
	return sum;
}

/* The columns this workgroup takes begin at those of its first target. */
void fill_window(uint field, uint i)
{
	int begin = column_first[min(gl_WorkGroupID.x * gl_WorkGroupSize.x, tw - 1)];

	for (uint k = gl_LocalInvocationID.x; k < WINDOW; k += gl_WorkGroupSize.x)
		blended[k] = blend_rows(field, i, min(begin + int(k), int(2 * w) - 1));
	barrier();
}

REAL from_window(uint j)
{
	int begin = column_first[gl_WorkGroupID.x * gl_WorkGroupSize.x];
	REAL sum = REAL(0);

	for (uint b = 0; b < COLUMN_LINKS; b++)
		sum += column_weight[b * tw + j] * blended[column_first[j] - begin + int(b)];
	return sum;
}

void main()
{
	uint j = gl_GlobalInvocationID.x, i = gl_GlobalInvocationID.y;
	uint level = gl_GlobalInvocationID.z, field = level * h * w;
	REAL v;

	if (WINDOW > 0) /* one row a workgroup, so that i < th for all of it */
		fill_window(field, i);
	if (j >= tw || i >= th)
		return;
	if (COLUMN_LINKS == 0)
		v = nearest(field, i, j);
	else if (WINDOW > 0)
		v = from_window(j);
	else
		v = direct(field, i, j);
	target[(level * th + i) * tw + j] = v;
}
