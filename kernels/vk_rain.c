/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phys.rain_ice on a Vulkan device: shaders/rain.comp. */
#include <string.h>
#include "kernels/rain.h"
#include "kernels/vk_plan.h"

enum { FIRST_IN = 3, FIRST_OUT = FIRST_IN + RAIN_FIELDS, PRECIP = FIRST_OUT + RAIN_FIELDS };

/* dt of the dtype, then columns (those that pad the last vector too) and levels. */
static uint32_t fill_push(const struct rain_state *s, uint32_t push[4])
{
	double dt = s->arrays.dt;
	float dt32 = (float)dt;
	uint32_t sizes[] = { (uint32_t)s->arrays.pitch, (uint32_t)s->arrays.levels };
	bool is_double = s->p->dtype == DT_F64;

	memset(push, 0, 4 * sizeof(*push));
	memcpy(push, is_double ? (void *)&dt : (void *)&dt32, is_double ? 8 : 4);
	memcpy(push + (is_double ? 2 : 1), sizes, sizeof(sizes));
	return is_double ? 16 : 12;
}

static int setup(struct gpu *g, const struct params *p, const char *variant, void *state,
	void **ret, struct error *err)
{
	struct rain_state *s = state;
	struct vk_plan *v = vk_plan_new(g, p);
	uint64_t w = (uint64_t)dtype_bytes(p->dtype), bytes = (uint64_t)s->n * w;
	uint32_t push[4], group = vk_knob(p, 0), push_bytes = fill_push(s, push);
	uint64_t columns = (uint64_t)s->arrays.pitch;
	struct vk_bufs b = { .n = PRECIP + 1 };
	int k;

	(void)variant;
	b.buf[0] = vk_plan_input(v, s->pressure, bytes);
	b.buf[1] = vk_plan_input(v, s->rho, bytes);
	b.buf[2] = vk_plan_input(v, s->dz, (uint64_t)s->arrays.levels * w);
	for (int f = 0; f < RAIN_FIELDS; f++) {
		b.buf[FIRST_IN + f] = vk_plan_input(v, s->in[f], bytes);
		b.buf[FIRST_OUT + f] = vk_plan_output(v, s->out[f], bytes, GPU_POISON);
	}
	b.buf[PRECIP] = vk_plan_output(v, s->precip, columns * w, GPU_POISON);
	k = vk_plan_kernel(v, vk_module("rain", p->dtype), VK_SPEC(group, 1, 1));
	vk_plan_step(v, k, b, push, push_bytes, vk_plan_fold(v, columns, group));
	return vk_plan_finish(v, ret, err);
}

static int64_t loops(const struct params *p)
{
	return p->dim[1];
}

static const struct vk_knob knobs[] = {
	{ "group", { 128, 32, 64, 256 } },
	{ NULL, { 0 } },
};

const struct vk_kernel vk_phys_rain_ice = {
	.id = "phys.rain_ice",
	.dtypes = DT_REALS,
	.knobs = knobs,
	.needs = vk_needs_real,
	.max_loop_iters = loops,
	.setup = setup,
	VK_PLAN_HOOKS,
};
