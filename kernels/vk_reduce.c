/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/vk_reduce.h"

enum { SERIAL = 16, SPAN = VK_GROUP * SERIAL };

void vk_reduce_steps(struct vk_plan *v, enum dtype d, int x, int y, uint64_t n, int out)
{
	const char *module = vk_module("reduce", d);
	uint64_t w = (uint64_t)dtype_bytes(d), n_first = (n + SPAN - 1) / SPAN;
	int first = vk_plan_kernel(v, module, VK_SPEC(VK_GROUP, 1, 1, SERIAL, y >= 0));
	int again = vk_plan_kernel(v, module, VK_SPEC(VK_GROUP, 1, 1, SERIAL, 0));
	int sums[2] = { out, out }, from = x, with = y >= 0 ? y : x, k = first, turn = 0;

	if (n_first > 1) {
		sums[0] = vk_plan_scratch(v, n_first * w);
		sums[1] = vk_plan_scratch(v, (n_first + SPAN - 1) / SPAN * w);
	}
	for (;;) {
		uint64_t groups = (n + SPAN - 1) / SPAN;
		int to = groups == 1 ? out : sums[turn];

		vk_plan_step(v, k, VK_BUFS(from, with, to), VK_PUSH((uint32_t)n),
			vk_plan_fold(v, groups, 1));
		if (groups == 1)
			return;
		from = with = to;
		n = groups;
		k = again;
		turn = !turn;
	}
}
