/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scan.* in vectors: prefix sums inside a vector by log2(LANES) shifted additions (Hillis and
 * Steele 1986), the sum so far carried from vector to vector. */
#include "kernels/scan.h"
#include "kernels/simd/simd.h"

typedef ulane vecu_mem
	__attribute__((vector_size(VEC_BYTES), aligned(sizeof(ulane)), may_alias));

static inline vecu u_load(const word *p)
{
	return *(const vecu_mem *)p;
}

static uint64_t sum(const void *in_, size_t n)
{
	const word *in = in_;
	vecu acc[4] = { { 0 } };
	word total = 0;
	size_t i = 0;

	for (; i + 4 * LANES <= n; i += 4 * LANES)
#pragma GCC unroll 4
		for (int c = 0; c < 4; c++)
			acc[c] += u_load(in + i + c * LANES);
	acc[0] += acc[1] + (acc[2] + acc[3]);
	for (int l = 0; l < LANES; l++)
		total += acc[0][l];
	for (; i < n; i++)
		total += in[i];
	return total;
}

/* v moved up by `by` lanes, zeros below: constant indices for the shuffle. */
#if VEC_BYTES / (CODE_BITS / 8) == 16
#define UP(v, by)                                                                              \
	__builtin_shufflevector((vecu){ 0 }, v, 16 - by, 17 - by, 18 - by, 19 - by, 20 - by,   \
		21 - by, 22 - by, 23 - by, 24 - by, 25 - by, 26 - by, 27 - by, 28 - by,        \
		29 - by, 30 - by, 31 - by)
#elif VEC_BYTES / (CODE_BITS / 8) == 8
#define UP(v, by)                                                                              \
	__builtin_shufflevector((vecu){ 0 }, v, 8 - by, 9 - by, 10 - by, 11 - by, 12 - by,     \
		13 - by, 14 - by, 15 - by)
#elif VEC_BYTES / (CODE_BITS / 8) == 4
#define UP(v, by) __builtin_shufflevector((vecu){ 0 }, v, 4 - by, 5 - by, 6 - by, 7 - by)
#else
#define UP(v, by) __builtin_shufflevector((vecu){ 0 }, v, 2 - by, 3 - by)
#endif

static inline vecu prefix(vecu v)
{
	v += UP(v, 1);
#if VEC_BYTES / (CODE_BITS / 8) >= 4
	v += UP(v, 2);
#endif
#if VEC_BYTES / (CODE_BITS / 8) >= 8
	v += UP(v, 4);
#endif
#if VEC_BYTES / (CODE_BITS / 8) >= 16
	v += UP(v, 8);
#endif
	return v;
}

static uint64_t block(void *out_, const void *in_, size_t n, uint64_t offset, bool exclusive)
{
	const word *in = in_;
	word *out = out_, total = (word)offset;
	size_t i = 0;

	for (; i + LANES <= n; i += LANES) {
		vecu v = u_load(in + i), sums = prefix(v);

		*(vecu_mem *)(out + i) = (exclusive ? sums - v : sums) + total;
		total += sums[LANES - 1];
	}
	for (; i < n; i++) {
		word before = total;

		total += in[i];
		out[i] = exclusive ? before : total;
	}
	return total;
}

CODE_EXPORT(scan) = { sum, block };
