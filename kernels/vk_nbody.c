/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nbody on a Vulkan device: shaders/nbody.comp, in dispatches of at most CHUNK pulling bodies,
 * so that no loop and no dispatch is long. */
#include <string.h>
#include "kernels/nbody.h"
#include "kernels/vk_plan.h"

enum { CHUNK = 32768 };

static uint32_t fill_push(
	const struct params *p, uint32_t n, uint32_t begin, uint32_t end, uint32_t push[6])
{
	double softening = NBODY_SOFTENING;
	float softening32 = (float)softening;
	uint32_t range[] = { n, begin, end };
	bool is_double = p->dtype == DT_F64;

	memset(push, 0, 6 * sizeof(*push));
	memcpy(push, is_double ? (void *)&softening : (void *)&softening32, is_double ? 8 : 4);
	memcpy(push + (is_double ? 2 : 1), range, sizeof(range));
	return is_double ? 24 : 16;
}

static int setup(struct gpu *g, const struct params *p, const char *variant, void *state,
	void **ret, struct error *err)
{
	struct nbody_state *s = state;
	struct vk_plan *v = vk_plan_new(g, p);
	uint64_t bytes = (uint64_t)(s->n * dtype_bytes(p->dtype));
	void *in[] = { s->x, s->y, s->z, s->m }, *out[] = { s->ax, s->ay, s->az };
	struct vk_bufs b = { .n = 7 };
	uint32_t group = vk_knob(p, 0), n = (uint32_t)s->n, push[6];
	int k;

	(void)variant;
	for (int i = 0; i < 7; i++)
		b.buf[i] = i < 4 ? vk_plan_input(v, in[i], bytes)
				 : vk_plan_output(v, out[i - 4], bytes, GPU_POISON);
	vk_plan_shared(v, 4 * group * (uint64_t)dtype_bytes(p->dtype));
	k = vk_plan_kernel(v, vk_module("nbody", p->dtype), VK_SPEC(group, 1, 1));
	for (uint32_t begin = 0; begin < n; begin += CHUNK) {
		uint32_t push_bytes = fill_push(p, n, begin, MIN(n, begin + CHUNK), push);

		vk_plan_step(v, k, b, push, push_bytes, vk_plan_fold(v, n, group));
	}
	return vk_plan_finish(v, ret, err);
}

static int64_t loops(const struct params *p)
{
	int64_t group = vk_knob(p, 0), most = MIN(p->dim[0], CHUNK);
	int64_t tiles = (most + group - 1) / group;

	return tiles * (group + 1);
}

const struct vk_kernel vk_nbody = {
	.id = "nbody",
	.dtypes = DT_REALS,
	.knobs = vk_group_knob,
	.needs = vk_needs_real,
	.max_loop_iters = loops,
	.setup = setup,
	VK_PLAN_HOOKS,
};
