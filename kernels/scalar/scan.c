/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scan.*, plain C: one running sum. */
#include "kernels/scan.h"
#include "kernels/code.h"

static uint64_t sum(const void *in_, size_t n)
{
	const word *in = in_;
	word total = 0;

	for (size_t i = 0; i < n; i++)
		total += in[i];
	return total;
}

static uint64_t block(void *out_, const void *in_, size_t n, uint64_t offset, bool exclusive)
{
	const word *in = in_;
	word *out = out_, total = (word)offset;

	for (size_t i = 0; i < n; i++) {
		word before = total;

		total += in[i];
		out[i] = exclusive ? before : total;
	}
	return total;
}

CODE_EXPORT(scan) = { sum, block };
