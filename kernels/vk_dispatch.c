/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dispatch.* on a Vulkan device: shaders/dispatch.comp. */
#include "kernels/dispatch.h"
#include "kernels/vk_plan.h"

enum { GROUP = 64 };

static int setup(struct gpu *g, const struct params *p, const char *variant, void *state,
	void **ret, struct error *err)
{
	struct dispatch_state *s = state;
	struct vk_plan *v = vk_plan_new(g, p);
	uint64_t n = (uint64_t)s->n;
	int x = vk_plan_input(v, s->x, 4 * n),
	    out = vk_plan_output(v, s->out, 4 * n, GPU_POISON);
	int k = vk_plan_kernel(v, "dispatch", VK_SPEC(GROUP, 1, 1));

	(void)variant;
	vk_plan_step(v, k, VK_BUFS(x, out), VK_PUSH((uint32_t)n), vk_plan_fold(v, n, 1));
	return vk_plan_finish(v, ret, err);
}

static uint32_t needs(const struct params *p)
{
	(void)p;
	return 0;
}

const struct vk_kernel vk_dispatch_void = {
	.id = "dispatch.void",
	.dtypes = DT_BIT(DT_U32),
	.needs = needs,
	.max_loop_iters = vk_no_loops,
	.setup = setup,
	VK_PLAN_HOOKS,
};

const struct vk_kernel vk_dispatch_latency = {
	.id = "dispatch.latency",
	.dtypes = DT_BIT(DT_U32),
	.is_submission = true,
	.needs = needs,
	.max_loop_iters = vk_no_loops,
	.setup = setup,
	VK_PLAN_HOOKS,
};
