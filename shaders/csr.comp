#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* y = A x with A in compressed sparse rows, one row an invocation; the general path of regrid
 * and spmv.csr (variant scalar). Vectors may be several, one behind the other (levels).
 * Buffers: 0 x, 1 y, 2 row begins (n_rows + 1), 3 column indices, 4 values.
 * Loop turns: the longest row. CPU twins: kernels/scalar/regrid.c, kernels/spmv.c. */
#include "common.glsl"

layout(push_constant) uniform Push { uint n_rows, n_columns, n_vectors; };
layout(binding = 0) readonly buffer X { REAL x[]; };
layout(binding = 1) writeonly buffer Y { REAL y[]; };
layout(binding = 2) readonly buffer Row { uint row[]; };
layout(binding = 3) readonly buffer Column { uint column[]; };
layout(binding = 4) readonly buffer Value { REAL value[]; };

void main()
{
	uint g = invocation_index(), vector = g / n_rows, i = g - vector * n_rows;
	REAL sum = REAL(0);

	if (vector >= n_vectors)
		return;
	for (uint k = row[i]; k < row[i + 1]; k++)
		sum += value[k] * x[vector * n_columns + column[k]];
	y[g] = sum;
}
