/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sort.radix: random keys ascending, 8 bits a pass from the lowest, stable. With --what pairs
 * each key carries the 32-bit number of its place. Used by sort.c, vk_sort.c and the tests. */
#ifndef KERNELS_SORT_H
#define KERNELS_SORT_H

#include "kernels/kernels.h"

enum { SORT_DIGITS = 256 };

struct sort_state {
	const struct params *p;
	int64_t n;
	bool has_values;
	int passes;			     /* bytes of a key */
	void *in, *out, *spare;		     /* keys; out and spare take turns */
	uint32_t *out_values, *spare_values; /* NULL without values */
	int64_t *counts;		     /* of each thread and pass: SORT_DIGITS */
	const struct sort_code *code;
};

/* One thread's share of a pass: keys [lo, hi) to the places in at[digit], which move on. values
 * NULL: the place itself is the value (first pass) when out_values is there. */
struct sort_pass {
	const void *keys;
	void *out;
	const uint32_t *values;
	uint32_t *out_values;
	int64_t lo, hi;
	int64_t *at;
	int shift;
};

struct sort_code {
	/* Add the digits of keys [lo, hi) to counts[pass][digit], all passes in one reading. */
	void (*count)(int64_t *counts, const void *keys, int64_t lo, int64_t hi);
	void (*scatter)(const struct sort_pass *p);
};

#endif
