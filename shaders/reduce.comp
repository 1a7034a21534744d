#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reductions: sum, dot product, least value, first place of the largest. Each workgroup takes
 * SERIAL elements an invocation, then its invocations as a tree in shared memory (or, with
 * SUBGROUP, by subgroup operations first), into one partial result; further dispatches reduce
 * the partial results. The order depends on the sizes alone, so the result is the same bit for
 * bit in every run.
 * Buffers: 0 x, 1 y (dot), 2 partial values, 3 places of x (argmax after the first pass), 4
 * partial places (argmax); those that are not used may be any. Workgroup: a power of two x 1 x 1.
 * Constants: 3 SERIAL, 4 operation as enum vk_reduce, 5 first pass (1) or later (0). Loop turns:
 * SERIAL + 10. CPU twins: kernels/stream.c, kernels/reduce.c. */
#ifdef SUBGROUP
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#endif
#include "common.glsl"

layout(constant_id = 3) const uint SERIAL = 16;
layout(constant_id = 4) const uint OP = 0;
layout(constant_id = 5) const uint IS_FIRST = 1;
layout(push_constant) uniform Push { uint n; };
layout(binding = 0) readonly buffer X { TYPE x[]; };
layout(binding = 1) readonly buffer Y { TYPE y[]; };
layout(binding = 2) writeonly buffer Out { TYPE partial[]; };
layout(binding = 3) readonly buffer Places { uint places[]; };
layout(binding = 4) writeonly buffer OutPlaces { uint partial_places[]; };
const uint SUM = 0, DOT = 1, LEAST = 2, ARGMAX = 3, NOWHERE = 0xffffffffu;

struct Item {
	TYPE value;
	uint place;
};
shared Item items[gl_WorkGroupSize.x];

Item combine(Item a, Item b)
{
	if (OP == SUM || OP == DOT)
		return Item(a.value + b.value, NOWHERE);
	if (OP == LEAST)
		return Item(min(a.value, b.value), NOWHERE);
	if (b.place == NOWHERE)
		return a;
	if (a.place == NOWHERE || b.value > a.value)
		return b;
	return a.value > b.value || a.place < b.place ? a : b;
}

Item load(uint i)
{
	TYPE v = x[i];

	if (OP == DOT && IS_FIRST == 1)
		v *= y[i];
	return Item(v, OP != ARGMAX ? NOWHERE : IS_FIRST == 1 ? i : places[i]);
}

/* Combining with it changes nothing. */
Item neutral(uint begin)
{
	return Item(OP == LEAST ? x[min(begin, n - 1)] : TYPE(0), NOWHERE);
}

#ifdef SUBGROUP
Item combine_subgroup(Item a)
{
	if (OP == SUM || OP == DOT)
		return Item(subgroupAdd(a.value), NOWHERE);
	if (OP == LEAST)
		return Item(subgroupMin(a.value), NOWHERE);
	/* lanes without an element hold no value that may win */
	bool has = a.place != NOWHERE;
	TYPE most = subgroupMax(has ? a.value : MOST_NEGATIVE);

	return Item(most, subgroupMin(has && a.value == most ? a.place : NOWHERE));
}
#endif

void main()
{
	uint local = gl_LocalInvocationID.x, size = gl_WorkGroupSize.x, count = size;
	uint begin = group_index() * size * SERIAL;
	Item mine = neutral(begin);

	for (uint k = 0; k < SERIAL; k++) {
		uint i = begin + local + k * size;

		if (i < n)
			mine = combine(mine, load(i));
	}
#ifdef SUBGROUP
	mine = combine_subgroup(mine);
	count = gl_NumSubgroups;
	if (gl_SubgroupInvocationID == 0)
		items[gl_SubgroupID] = mine;
#else
	items[local] = mine;
#endif
	barrier();
	/* count need not be a power of two where subgroups are not */
	while (count > 1) {
		uint keep = (count + 1) / 2;

		if (local + keep < count)
			items[local] = combine(items[local], items[local + keep]);
		count = keep;
		barrier();
	}
	if (local == 0 && begin < n) {
		partial[group_index()] = items[0].value;
		if (OP == ARGMAX)
			partial_places[group_index()] = items[0].place;
	}
}
