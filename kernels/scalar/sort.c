/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sort.radix, plain C: each key straight to its place. */
#include "kernels/sort.h"
#include "kernels/code.h"

static void count(int64_t *counts, const void *keys_, int64_t lo, int64_t hi)
{
	const word *keys = keys_;

	for (int64_t i = lo; i < hi; i++)
		for (unsigned pass = 0; pass < sizeof(word); pass++)
			counts[pass * SORT_DIGITS + (keys[i] >> 8 * pass & 255)]++;
}

static void scatter(const struct sort_pass *p)
{
	const word *keys = p->keys;
	word *out = p->out;

	for (int64_t i = p->lo; i < p->hi; i++) {
		int64_t at = p->at[keys[i] >> p->shift & 255]++;

		out[at] = keys[i];
		if (p->out_values)
			p->out_values[at] = p->values ? p->values[i] : (uint32_t)i;
	}
}

CODE_EXPORT(sort) = { count, scatter };
