/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scan.incl, scan.excl: prefix sums of unsigned words, modulo 2^32 or 2^64. Elements are random
 * words. Used by scan.c, vk_scan.c and the tests. */
#ifndef KERNELS_SCAN_H
#define KERNELS_SCAN_H

#include "kernels/kernels.h"

enum { SCAN_BLOCK = 16384 }; /* elements: in and out of a block stay in L2 */

struct scan_state {
	const struct params *p;
	bool is_exclusive;
	int64_t n, n_blocks;
	void *in, *out;	   /* n words */
	uint64_t *offsets; /* sum before each block */
	const struct scan_code *code;
};

struct scan_code {
	uint64_t (*sum)(const void *in, size_t n);
	/* out = prefix sums of in plus offset; returns offset plus the sum of all. */
	uint64_t (*block)(void *out, const void *in, size_t n, uint64_t offset, bool exclusive);
};

#endif
