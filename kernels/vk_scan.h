/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prefix sums on a Vulkan device, as steps of a plan: scan.* and the places of sort.radix. Sums
 * of spans, their own prefix sums by the same steps, then all spans. Shader: scan.comp. */
#ifndef KERNELS_VK_SCAN_H
#define KERNELS_VK_SCAN_H

#include "kernels/vk_plan.h"

enum { VK_SCAN_ITEMS = 8, VK_SCAN_LEVELS = 4, VK_SCAN_LOOPS = 3 * VK_SCAN_ITEMS + 10 };

struct vk_scan {
	enum dtype dtype; /* u32 or u64 */
	int in, out;	  /* arrays of n elements; not the same one */
	uint64_t n;	  /* at least 1 */
	bool is_exclusive;
	uint32_t group; /* a power of two */
	/* Made by vk_scan_prepare. */
	int kernel[3], sums[VK_SCAN_LEVELS], scanned[VK_SCAN_LEVELS];
};

/* Shaders and scratch arrays; then the steps may be added as often as wanted. */
void vk_scan_prepare(struct vk_plan *v, struct vk_scan *s);
void vk_scan_steps(struct vk_plan *v, const struct vk_scan *s);

#endif
