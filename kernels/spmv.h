/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spmv.csr: y = A x with A in compressed rows. Matrices of --matrix: 27pt, the Laplacian of
 * HPCG on a cube (26 on the diagonal, -1 elsewhere); 5pt on a square (4, -1); power, rows of 1
 * to 256 random entries with density 1/length. Size: n, the edge of the cube; the square has
 * about as many rows, power exactly. x is uniform in [1, 2). Used by spmv.c, vk_spmv.c and the
 * tests. */
#ifndef KERNELS_SPMV_H
#define KERNELS_SPMV_H

#include "kernels/kernels.h"

enum spmv_matrix { SPMV_27PT, SPMV_5PT, SPMV_POWER };

struct spmv_state {
	const struct params *p;
	enum spmv_matrix matrix;
	int64_t edge, n; /* of the grid; rows */
	int64_t nnz, longest;
	int32_t *row;	 /* n + 1 */
	int32_t *column; /* nnz */
	void *value, *x, *y;
	int32_t *cut; /* rows where the threads' shares begin: threads + 1, equal entries */
	const struct spmv_code *code;
};

struct spmv_code {
	void (*rows)(const struct spmv_state *s, int64_t lo, int64_t hi);
};

#endif
