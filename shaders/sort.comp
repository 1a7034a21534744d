#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sort.radix: one pass of a least-significant-digit radix sort, 8 bits a pass; pairs carry a
 * value. A workgroup takes a tile of keys; each of its subgroups takes a part of the tile in
 * order, so that equal digits keep theirs. Subgroups are full and of one size.
 *   mode 0  how often each digit is in each tile -> counts, digit-major: counts[digit * tiles +
 *           tile]; their exclusive prefix sums (scan.comp) are where each tile's digits go
 *   mode 1  keys (and values) to their places
 * Lanes with the same digit find each other by eight ballots (Merrill and Grimshaw 2011;
 * Adinets and Merrill 2022). Nothing waits for another workgroup.
 * Buffers: 0 keys in, 1 keys out, 2 counts, 3 values in, 4 values out.
 * Workgroup: a multiple of the subgroup size. Constants: 3 keys a lane, 4 mode, 5 values (1
 * from the buffer, 2 the key's own place), 6 subgroups of the workgroup. Shared: 256 words a
 * subgroup. Loop turns: kernels/vk_sort.c. CPU twin: kernels/sort.c. */
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_ballot : require
#ifdef I64
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#endif
#include "common.glsl"

layout(constant_id = 3) const uint ITEMS = 8;
layout(constant_id = 4) const uint MODE = 0;
layout(constant_id = 5) const uint HAS_VALUES = 0;
layout(constant_id = 6) const uint SUBGROUPS = 8;
layout(push_constant) uniform Push { uint n, shift, tiles; };
layout(binding = 0) readonly buffer KeysIn { KEY keys[]; };
layout(binding = 1) writeonly buffer KeysOut { KEY keys_out[]; };
layout(binding = 2) buffer Counts { uint counts[]; };
layout(binding = 3) readonly buffer ValuesIn { uint values[]; };
layout(binding = 4) writeonly buffer ValuesOut { uint values_out[]; };
shared uint seen[256 * SUBGROUPS];

/* Lanes of this subgroup with the same digit; lanes that are not valid match none. */
uvec4 match(uint digit, bool is_valid)
{
	uvec4 same = subgroupBallot(is_valid);

	for (uint bit = 0; bit < 8; bit++) {
		bool is_set = (digit >> bit & 1) == 1;
		uvec4 have = subgroupBallot(is_set);

		same &= is_set ? have : ~have;
	}
	return same;
}

void clear_seen()
{
	for (uint i = gl_LocalInvocationID.x; i < 256 * SUBGROUPS; i += gl_WorkGroupSize.x)
		seen[i] = 0;
	barrier();
}

/* For each digit, the counts of the subgroups become where each subgroup's keys begin. */
void begin_subgroups(uint tile)
{
	for (uint digit = gl_LocalInvocationID.x; digit < 256; digit += gl_WorkGroupSize.x) {
		uint sum = counts[digit * tiles + tile];

		for (uint s = 0; s < SUBGROUPS; s++) {
			uint c = seen[s * 256 + digit];

			seen[s * 256 + digit] = sum;
			sum += c;
		}
	}
	barrier();
}

uint key_index(uint tile, uint item)
{
	uint part = tile * SUBGROUPS + gl_SubgroupID;

	return (part * ITEMS + item) * gl_SubgroupSize + gl_SubgroupInvocationID;
}

void count_digits(uint tile)
{
	for (uint k = 0; k < ITEMS; k++) {
		uint i = key_index(tile, k);

		if (i < n)
			atomicAdd(seen[uint(keys[i] >> shift) & 255], 1);
	}
	barrier();
	for (uint digit = gl_LocalInvocationID.x; digit < 256; digit += gl_WorkGroupSize.x)
		counts[digit * tiles + tile] = seen[digit];
}

void main()
{
	uint tile = group_index(), rank[ITEMS], mine = gl_SubgroupID * 256;
	KEY key[ITEMS];

	if (tile >= tiles) /* the whole workgroup */
		return;
	clear_seen();
	if (MODE == 0) {
		count_digits(tile);
		return;
	}
	for (uint k = 0; k < ITEMS; k++) {
		uint i = key_index(tile, k), digit;
		bool is_valid = i < n;
		uvec4 same;

		key[k] = is_valid ? keys[i] : KEY(0);
		digit = uint(key[k] >> shift) & 255;
		same = match(digit, is_valid);
		rank[k] = is_valid ? seen[mine + digit] + subgroupBallotExclusiveBitCount(same) : 0;
		subgroupBarrier();
		if (is_valid && subgroupBallotFindLSB(same) == gl_SubgroupInvocationID)
			seen[mine + digit] += subgroupBallotBitCount(same);
		subgroupMemoryBarrierShared();
		subgroupBarrier();
	}
	barrier();
	begin_subgroups(tile);
	for (uint k = 0; k < ITEMS; k++) {
		uint i = key_index(tile, k), to;

		if (i >= n)
			continue;
		to = seen[mine + (uint(key[k] >> shift) & 255)] + rank[k];
		keys_out[to] = key[k];
		if (HAS_VALUES != 0)
			values_out[to] = HAS_VALUES == 1 ? values[i] : i;
	}
}
