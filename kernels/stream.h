/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stream.copy .scale .add .triad .dot: McCalpin's STREAM operations on arrays of `size` bytes.
 *
 *   copy  out = x        scale  out = s x       add  out = x + y
 *   triad out = x + s y  dot    sum of x y      s = 3
 *
 * x and y are uniform in [1, 2). Used by stream.c, vk_stream.c and the tests. */
#ifndef KERNELS_STREAM_H
#define KERNELS_STREAM_H

#include "kernels/kernels.h"

enum stream_op { STREAM_COPY, STREAM_SCALE, STREAM_ADD, STREAM_TRIAD, STREAM_DOT };
#define STREAM_SCALAR 3.0

struct stream_state {
	const struct params *p;
	enum stream_op op;
	int64_t n;	     /* elements of each array */
	void *x, *y, *out;   /* of p->dtype; y NULL for copy and scale, out NULL for dot */
	double dot;	     /* the result of dot */
	void *partial;	     /* dot: sums of the blocks, of p->dtype */
	int64_t n_blocks;    /* dot: blocks of STREAM_BLOCK elements */
	bool is_nontemporal; /* stores go past the caches */
	const struct stream_code *code;
};

/* dot adds up blocks, then the blocks' sums as a balanced tree: the same bits for any number
 * of threads. */
enum { STREAM_BLOCK = 8192 };

/* The inner loops, compiled for each instruction set (kernels/code.h). n elements each. */
struct stream_code {
	void (*map[4])(void *out, const void *x, const void *y, size_t n, bool nontemporal);
	void (*dot_block)(void *ret_sum, const void *x, const void *y, size_t n);
};

#endif
