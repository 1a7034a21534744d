/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sort.radix with a buffer of one cache line for each digit: 256 streams of single keys would
 * wear out the TLB and the caches, whole lines do not. */
#include "kernels/simd/simd.h"
#include "kernels/sort.h"

enum { LINE = 64 / sizeof(word) };

static void count(int64_t *counts, const void *keys_, int64_t lo, int64_t hi)
{
	const word *keys = keys_;

	for (int64_t i = lo; i < hi; i++) {
		word k = keys[i];

#pragma GCC unroll 8
		for (unsigned pass = 0; pass < sizeof(word); pass++)
			counts[pass * SORT_DIGITS + (k >> 8 * pass & 255)]++;
	}
}

/* The keys that the buffer of a digit holds go out: those since the last line boundary. */
static void flush(const struct sort_pass *p, int digit)
{
	const word *buffer = (const word *)p->buffers + digit * LINE;
	int64_t end = p->at[digit], filled = end % LINE;

	for (int64_t k = 0; k < filled; k++)
		if (end - filled + k >= p->at[digit + SORT_DIGITS])
			((word *)p->out)[end - filled + k] = buffer[k];
}

/* Places are counted from a line boundary of `out`, so that full lines are aligned. at[256 + d]
 * keeps where digit d began: slots of its first line before that belong to others. */
static void scatter_keys(const struct sort_pass *p)
{
	const word *keys = p->keys;
	word *out = p->out, *buffers = p->buffers;

	for (int64_t i = p->lo; i < p->hi; i++) {
		word k = keys[i];
		int digit = (int)(k >> p->shift & 255);
		int64_t at = p->at[digit]++;
		word *buffer = buffers + digit * LINE;

		buffer[at % LINE] = k;
		if (at % LINE != LINE - 1)
			continue;
		if (at + 1 - LINE >= p->at[digit + SORT_DIGITS])
			memcpy(out + at + 1 - LINE, buffer, 64);
		else
			for (int64_t j = p->at[digit + SORT_DIGITS]; j <= at; j++)
				out[j] = buffer[j % LINE];
	}
	for (int digit = 0; digit < SORT_DIGITS; digit++)
		flush(p, digit);
}

static void scatter_pairs(const struct sort_pass *p)
{
	const word *keys = p->keys;
	word *out = p->out;

	for (int64_t i = p->lo; i < p->hi; i++) {
		int64_t at = p->at[keys[i] >> p->shift & 255]++;

		out[at] = keys[i];
		p->out_values[at] = p->values ? p->values[i] : (uint32_t)i;
	}
}

static void scatter(const struct sort_pass *p)
{
	if (p->out_values) {
		scatter_pairs(p);
		return;
	}
	memcpy(p->at + SORT_DIGITS, p->at, SORT_DIGITS * sizeof(*p->at));
	scatter_keys(p);
}

CODE_EXPORT(sort) = { count, scatter };
