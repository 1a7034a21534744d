/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stencil2d.5pt, stencil3d.7pt and .27pt: one step of a weighted mean over neighbours. Points
 * on the boundary keep their value. Arrays are row-major, the last dim is contiguous.
 *
 *   5pt   c0 u + c1 (4 neighbours)                 c0 = 1/2, c1 = 1/8
 *   7pt   c0 u + c1 (6 neighbours)                 c0 = 1/4, c1 = 1/8
 *   27pt  c0 u + c1 (6 at distance 1) + c2 (12 at sqrt 2) + c3 (8 at sqrt 3)
 *         c0 = 1/8, c1 = 1/16, c2 = 1/32, c3 = 1/64
 *
 * Weights are powers of two and add up to 1, so that products are exact. Used by stencil.c,
 * vk_stencil.c and the tests. */
#ifndef KERNELS_STENCIL_H
#define KERNELS_STENCIL_H

#include "kernels/kernels.h"

enum stencil_shape { STENCIL_5PT, STENCIL_7PT, STENCIL_27PT };

struct stencil_state {
	const struct params *p;
	enum stencil_shape shape;
	int64_t depth, height, width; /* depth 1 in two dimensions */
	void *in, *out;
	void *sums;	    /* 27pt: row buffers of each thread */
	int64_t sums_bytes; /* of one thread */
	int64_t tile;	    /* 3-D: rows of a plane that are done plane after plane */
	bool is_nontemporal;
	const struct stencil_code *code;
};

static const double stencil_weights[3][4] = {
	{ 0.5, 0.125, 0, 0 },
	{ 0.25, 0.125, 0, 0 },
	{ 0.125, 0.0625, 0.03125, 0.015625 },
};

/* A row of `width` points whose first and last stay; rows are given by their first point.
 * at[] points to the rows around it: 5pt above, itself, below; 7pt and 27pt the nine rows of
 * three planes, in order (the corners are not read by 7pt). */
struct stencil_row {
	void *out;
	const void *at[9];
	int64_t width;
	void *sums; /* 27pt: room for 2 rows */
	bool nontemporal;
};

struct stencil_code {
	void (*row[3])(const struct stencil_row *r); /* by shape */
};

#endif
