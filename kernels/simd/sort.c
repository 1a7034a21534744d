/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sort.radix has nothing for vectors to do: what helps is two histograms in turn, so that equal
 * digits of neighbours do not wait for each other. Gathering keys of a digit into a line of its
 * own before they go out was slower here than storing them one by one. */
#include <string.h>
#include "kernels/code.h"
#include "kernels/sort.h"

static void count(int64_t *counts, const void *keys_, int64_t lo, int64_t hi)
{
	static const unsigned passes = sizeof(word);
	int64_t other[sizeof(word) * SORT_DIGITS];
	const word *keys = keys_;
	int64_t i = lo;

	memset(other, 0, sizeof(other));
	for (; i + 2 <= hi; i += 2)
#pragma GCC unroll 8
		for (unsigned pass = 0; pass < passes; pass++) {
			counts[pass * SORT_DIGITS + (keys[i] >> 8 * pass & 255)]++;
			other[pass * SORT_DIGITS + (keys[i + 1] >> 8 * pass & 255)]++;
		}
	for (; i < hi; i++)
		for (unsigned pass = 0; pass < passes; pass++)
			counts[pass * SORT_DIGITS + (keys[i] >> 8 * pass & 255)]++;
	for (unsigned k = 0; k < passes * SORT_DIGITS; k++)
		counts[k] += other[k];
}

static void scatter_keys(
	const word *keys, word *out, int64_t *at, int64_t lo, int64_t hi, int shift)
{
	for (int64_t i = lo; i < hi; i++)
		out[at[keys[i] >> shift & 255]++] = keys[i];
}

static void scatter(const struct sort_pass *p)
{
	const word *keys = p->keys;
	word *out = p->out;

	if (!p->out_values) {
		scatter_keys(keys, out, p->at, p->lo, p->hi, p->shift);
		return;
	}
	for (int64_t i = p->lo; i < p->hi; i++) {
		int64_t at = p->at[keys[i] >> p->shift & 255]++;

		out[at] = keys[i];
		p->out_values[at] = p->values ? p->values[i] : (uint32_t)i;
	}
}

CODE_EXPORT(sort) = { count, scatter };
