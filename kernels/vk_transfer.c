/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transfer.* on a Vulkan device: copy commands, or a shader (shaders/copy.comp) that reads or
 * writes host memory across the link itself. */
#include "kernels/transfer.h"
#include "kernels/vk_plan.h"

static const char *const variants[] = { "copy", "shader", NULL };

static int setup(struct gpu *g, const struct params *p, const char *variant, void *state,
	void **ret, struct error *err)
{
	struct transfer_state *s = state;
	struct vk_plan *v = vk_plan_new(g, p);
	uint64_t bytes = (uint64_t)s->bytes, n = (bytes + 15) / 16;
	int x, out, k;

	vk_plan_place(v, s->way == TRANSFER_H2D ? GPU_UPLOAD : GPU_DEVICE);
	x = vk_plan_input(v, s->x, bytes);
	vk_plan_place(v, s->way == TRANSFER_D2H ? GPU_READBACK : GPU_DEVICE);
	out = vk_plan_output(v, s->out, bytes, GPU_POISON);
	if (variant[0] == 'c') {
		vk_plan_copy(v, out, x, bytes);
	} else {
		k = vk_plan_kernel(v, "copy_u32v", VK_SPEC(VK_GROUP, 1, 1));
		vk_plan_step(v, k, VK_BUFS(x, out), VK_PUSH((uint32_t)n),
			vk_plan_fold(v, n, VK_GROUP));
	}
	return vk_plan_finish(v, ret, err);
}

static uint32_t needs(const struct params *p)
{
	(void)p;
	return 0;
}

#define TRANSFER_VK(name)                                                                      \
	const struct vk_kernel vk_transfer_##name = {                                          \
		.id = "transfer." #name,                                                       \
		.dtypes = DT_BIT(DT_U32),                                                      \
		.variants = variants,                                                          \
		.needs = needs,                                                                \
		.max_loop_iters = vk_no_loops,                                                 \
		.setup = setup,                                                                \
		VK_PLAN_HOOKS,                                                                 \
	}

TRANSFER_VK(h2d);
TRANSFER_VK(d2h);
TRANSFER_VK(d2d);
