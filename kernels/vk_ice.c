/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phys.ice_adjust on a Vulkan device: shaders/ice.comp. */
#include <string.h>
#include "kernels/ice.h"
#include "kernels/vk_plan.h"

/* The shader's push constants: 1 / ice_range of the dtype, then the number of points. */
static uint32_t fill_push(const struct ice_state *s, uint32_t push[4])
{
	double inv = 1 / s->arrays.ice_range;
	float inv32 = (float)inv;
	uint32_t n = (uint32_t)s->n;
	bool is_double = s->p->dtype == DT_F64;

	memset(push, 0, 4 * sizeof(*push));
	memcpy(push, is_double ? (void *)&inv : (void *)&inv32, is_double ? 8 : 4);
	push[is_double ? 2 : 1] = n;
	return is_double ? 16 : 8;
}

static int setup(struct gpu *g, const struct params *p, const char *variant, void *state,
	void **ret, struct error *err)
{
	struct ice_state *s = state;
	struct vk_plan *v = vk_plan_new(g, p);
	uint64_t bytes = (uint64_t)(s->n * dtype_bytes(p->dtype));
	struct vk_bufs b = { .n = ICE_INPUTS + ICE_OUTPUTS };
	uint32_t push[4], group = vk_knob(p, 0), push_bytes = fill_push(s, push);
	int k;

	(void)variant;
	for (int i = 0; i < ICE_INPUTS; i++)
		b.buf[i] = s->in[i] ? vk_plan_input(v, s->in[i], bytes) : b.buf[0];
	for (int i = 0; i < ICE_OUTPUTS; i++)
		b.buf[ICE_INPUTS + i] = vk_plan_output(v, s->out[i], bytes, GPU_POISON);
	k = vk_plan_kernel(v, vk_module("ice", p->dtype),
		VK_SPEC(group, 1, 1, (uint32_t)s->arrays.iters, (uint32_t)s->arrays.cloud));
	vk_plan_step(v, k, b, push, push_bytes, vk_plan_fold(v, (uint64_t)s->n, group));
	return vk_plan_finish(v, ret, err);
}

static int64_t loops(const struct params *p)
{
	return params_option(p, "iters") * (1 + 28);
}

const struct vk_kernel vk_phys_ice_adjust = {
	.id = "phys.ice_adjust",
	.dtypes = DT_REALS,
	.knobs = vk_group_knob,
	.needs = vk_needs_real,
	.max_loop_iters = loops,
	.setup = setup,
	VK_PLAN_HOOKS,
};
