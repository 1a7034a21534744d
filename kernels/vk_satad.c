/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phys.satad on a Vulkan device: shaders/satad.comp. */
#include "kernels/satad.h"
#include "kernels/vk_plan.h"

static int setup(struct gpu *g, const struct params *p, const char *variant, void *state,
	void **ret, struct error *err)
{
	struct satad_state *s = state;
	struct vk_plan *v = vk_plan_new(g, p);
	uint64_t bytes = (uint64_t)(s->n * dtype_bytes(p->dtype));
	struct vk_bufs b = { .n = SATAD_INPUTS + SATAD_OUTPUTS };
	uint32_t group = vk_knob(p, 0);
	int k;

	(void)variant;
	for (int i = 0; i < SATAD_INPUTS; i++)
		b.buf[i] = vk_plan_input(v, s->in[i], bytes);
	for (int i = 0; i < SATAD_OUTPUTS; i++)
		b.buf[SATAD_INPUTS + i] = vk_plan_output(v, s->out[i], bytes, GPU_POISON);
	k = vk_plan_kernel(v, vk_module("satad", p->dtype),
		VK_SPEC(group, 1, 1, (uint32_t)s->arrays.steps));
	vk_plan_step(v, k, b, VK_PUSH((uint32_t)s->n), vk_plan_fold(v, (uint64_t)s->n, group));
	return vk_plan_finish(v, ret, err);
}

static int64_t loops(const struct params *p)
{
	return params_option(p, "steps");
}

const struct vk_kernel vk_phys_satad = {
	.id = "phys.satad",
	.dtypes = DT_REALS,
	.knobs = vk_group_knob,
	.needs = vk_needs_real,
	.max_loop_iters = loops,
	.setup = setup,
	VK_PLAN_HOOKS,
};
