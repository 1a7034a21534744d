/* SPDX-License-Identifier: GPL-3.0-or-later */
/* histogram.256 of bytes, histogram.4096 of the low 12 bits of words: how often each key comes.
 * Keys are uniform, Zipf-like (key = floor(bins^u) - 1: density 1/key), or all the same. Used
 * by histogram.c, vk_histogram.c and the tests. */
#ifndef KERNELS_HISTOGRAM_H
#define KERNELS_HISTOGRAM_H

#include "kernels/kernels.h"

enum { HISTOGRAM_MOST = 4096, HISTOGRAM_TABLES = 4 };

struct histogram_state {
	const struct params *p;
	int64_t n, bins;
	void *keys;	    /* n of u8 or u32 */
	uint32_t *counts;   /* the output: bins */
	uint32_t *tables;   /* HISTOGRAM_TABLES x bins of each thread */
	uint32_t *expected; /* counted while the input was made */
};

#endif
