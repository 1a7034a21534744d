#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* histogram: workgroups count their part of the keys in shared memory and add it up.
 * Buffers: 0 keys in words (u32: one a word, u8: four), 1 counts, zeroed before.
 * Constants: 3 bins, a power of two, 4 bits of a key, 5 words an invocation takes.
 * Shared: a word a bin. Loop turns: words * (1 + 32 / bits) + 2 bins / workgroup.
 * CPU twin: kernels/histogram.c. */
#include "common.glsl"

layout(constant_id = 3) const uint BINS = 256;
layout(constant_id = 4) const uint BITS = 32;
layout(constant_id = 5) const uint WORDS = 16;
layout(push_constant) uniform Push { uint n; /* keys */ };
layout(binding = 0) readonly buffer Keys { uint keys[]; };
layout(binding = 1) buffer Counts { uint counts[]; };
shared uint bins[BINS];

void main()
{
	const uint per_word = 32 / BITS;
	uint u = gl_LocalInvocationID.x, size = gl_WorkGroupSize.x;
	uint n_words = n / per_word + (n % per_word == 0 ? 0 : 1);
	uint begin = group_index() * size * WORDS;

	for (uint b = u; b < BINS; b += size)
		bins[b] = 0;
	barrier();
	for (uint w = 0; w < WORDS; w++) {
		uint at = begin + w * size + u, word, here;

		if (at >= n_words)
			break;
		word = keys[at];
		here = min(n - at * per_word, per_word);
		for (uint k = 0; k < here; k++)
			atomicAdd(bins[word >> (k * BITS) & (BINS - 1)], 1);
	}
	barrier();
	for (uint b = u; b < BINS; b += size)
		if (bins[b] > 0)
			atomicAdd(counts[b], bins[b]);
}
