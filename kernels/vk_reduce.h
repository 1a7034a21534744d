/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reductions on a device, shared by stream.dot and the reduce family: shaders/reduce.comp. */
#ifndef KERNELS_VK_REDUCE_H
#define KERNELS_VK_REDUCE_H

#include "kernels/vk_plan.h"

enum vk_reduce { VK_REDUCE_SUM, VK_REDUCE_DOT, VK_REDUCE_LEAST, VK_REDUCE_ARGMAX };

struct vk_reduction {
	enum vk_reduce op;
	enum dtype dtype; /* f32, f64, i32 */
	bool uses_subgroups;
	uint32_t group;
	uint64_t n;
	int x, y;	     /* arrays; y of dot */
	int out, out_places; /* one element each; places of argmax */
};
/* Add the steps. The depth of a sum, for error limits: 16 serial adds and the levels of a tree
 * over the workgroup, in each pass. */
void vk_reduce_steps(struct vk_plan *v, const struct vk_reduction *r);
enum { VK_REDUCE_LOOPS = 16 + 11 }; /* turns of an invocation */

#endif
