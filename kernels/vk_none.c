/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Built instead of vk_table.c and engine_vk.c when there is no Vulkan. */
#include "kernels/vk.h"

const struct vk_kernel *vk_find(const struct kernel *k)
{
	(void)k;
	return NULL;
}
