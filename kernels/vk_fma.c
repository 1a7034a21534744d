/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fma_peak on a Vulkan device: shaders/fma.comp. */
#include "kernels/fma.h"
#include "kernels/vk_plan.h"

enum { CHAINS = 8 };

static int setup(struct gpu *g, const struct params *p, const char *variant, void *state,
	void **ret, struct error *err)
{
	struct fma_state *s = state;
	struct vk_plan *v = vk_plan_new(g, p);
	uint32_t group = vk_knob(p, 0);
	uint64_t bytes = (uint64_t)(s->n * dtype_bytes(p->dtype));
	int x = vk_plan_input(v, s->x, bytes),
	    out = vk_plan_output(v, s->out, bytes, GPU_POISON);
	int k = vk_plan_kernel(v, vk_module("fma", p->dtype), VK_SPEC(group, 1, 1));

	(void)variant;
	vk_plan_step(v, k, VK_BUFS(x, out), VK_PUSH((uint32_t)s->n, (uint32_t)s->steps),
		vk_plan_fold(v, (uint64_t)(s->n + CHAINS - 1) / CHAINS, group));
	return vk_plan_finish(v, ret, err);
}

static int64_t loops(const struct params *p)
{
	return p->dim[1];
}

const struct vk_kernel vk_fma_peak = {
	.id = "fma_peak",
	.dtypes = DT_REALS,
	.knobs = vk_group_knob,
	.needs = vk_needs_real,
	.max_loop_iters = loops,
	.setup = setup,
	VK_PLAN_HOOKS,
};
