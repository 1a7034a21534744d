/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reduce.sum .min .argmax over n elements: reals uniform in [-1, 1), whole numbers from -7 to 7
 * (whose sum fits i32 for n < 2^28). argmax gives the lowest index of the largest value. Used
 * by reduce.c, vk_reduce.c and the tests. */
#ifndef KERNELS_REDUCE_H
#define KERNELS_REDUCE_H

#include "kernels/kernels.h"

enum reduce_op { REDUCE_SUM, REDUCE_MIN, REDUCE_ARGMAX };

/* Blocks are reduced one by one, their results as a balanced tree: the same bits for any number
 * of threads. */
enum { REDUCE_BLOCK = 16384 };

/* What a reduction gives; index only of argmax. Whole numbers below 2^53 are exact here. */
struct reduce_result {
	double value;
	int64_t index;
};

struct reduce_state {
	const struct params *p;
	enum reduce_op op;
	int64_t n, n_blocks;
	void *x;		       /* n elements of the dtype */
	struct reduce_result *partial; /* one a block */
	struct reduce_result result;   /* the output; poisoned: NaN and -1 */
	const struct reduce_code *code;
};

/* One block, in reals or in whole numbers of the same width: the sum, the least, the largest
 * value. */
typedef void reduce_fn(double *ret, const void *x, size_t n);
struct reduce_code {
	reduce_fn *real[3], *whole[3]; /* by enum reduce_op */
	/* First place of a value that is there. */
	size_t (*find_real)(const void *x, double value);
	size_t (*find_whole)(const void *x, double value);
};

#endif
