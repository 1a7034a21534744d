#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prefix sums, reduce-then-scan: workgroups do not wait for each other (no API promises that
 * they progress). Each workgroup takes a span of ITEMS * workgroup elements.
 *   mode 0  the sum of each span -> sums
 *   mode 1  the prefix sums within the span, plus sums[workgroup] where has_sums -> out
 * Buffers: 0 in, 1 out, 2 sums; 1 and, without has_sums, 2 may be any where they are not used.
 * Workgroup: a power of two x 1 x 1. Constants: 3 ITEMS, 4 mode, 5 exclusive. Shared: a span,
 * a thirty-second of it and the workgroup. Loop turns: 3 ITEMS + log2(workgroup).
 * CPU twin: kernels/scalar/scan.c. */
#ifdef I64
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#endif
#include "common.glsl"

layout(constant_id = 3) const uint ITEMS = 8;
layout(constant_id = 4) const uint MODE = 0;
layout(constant_id = 5) const uint IS_EXCLUSIVE = 0;
layout(push_constant) uniform Push { uint n, has_sums; };
layout(binding = 0) readonly buffer In { WORD x[]; };
layout(binding = 1) writeonly buffer Out { WORD result[]; };
layout(binding = 2) buffer Sums { WORD sums[]; };
shared WORD part[gl_WorkGroupSize.x * ITEMS + gl_WorkGroupSize.x * ITEMS / 32];
shared WORD totals[gl_WorkGroupSize.x];

/* Shifted by one element each 32: neighbours that step by ITEMS meet no bank twice. */
uint place(uint i)
{
	return i + i / 32;
}

/* Inclusive prefix sums of totals[], in log2(workgroup) steps (Hillis and Steele 1986). */
void scan_totals()
{
	uint u = gl_LocalInvocationID.x;

	for (uint step = 1; step < gl_WorkGroupSize.x; step *= 2) {
		WORD left = WORD(0);

		barrier();
		if (u >= step)
			left = totals[u - step];
		barrier();
		if (u >= step)
			totals[u] = left + totals[u];
	}
	barrier();
}

void main()
{
	uint u = gl_LocalInvocationID.x, size = gl_WorkGroupSize.x;
	uint begin = group_index() * size * ITEMS;
	WORD sum = WORD(0);

	for (uint i = u; i < size * ITEMS; i += size)
		part[place(i)] = begin + i < n ? x[begin + i] : WORD(0);
	barrier();
	for (uint i = 0; i < ITEMS; i++)
		sum += part[place(u * ITEMS + i)];
	totals[u] = sum;
	scan_totals();
	if (MODE == 0) {
		if (u == size - 1 && begin < n)
			sums[group_index()] = totals[u];
		return;
	}
	sum = has_sums != 0 && begin < n ? sums[group_index()] : WORD(0);
	sum += u > 0 ? totals[u - 1] : WORD(0);
	for (uint i = 0; i < ITEMS; i++) {
		WORD v = part[place(u * ITEMS + i)];

		part[place(u * ITEMS + i)] = IS_EXCLUSIVE == 1 ? sum : sum + v;
		sum += v;
	}
	barrier();
	for (uint i = u; i < size * ITEMS; i += size)
		if (begin + i < n)
			result[begin + i] = part[place(i)];
}
