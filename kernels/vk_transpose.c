/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transpose on a Vulkan device: shaders/transpose.comp. */
#include "kernels/transpose.h"
#include "kernels/vk_plan.h"

static const char *const variants[] = { "tile", "naive", NULL };
enum { EDGE = 32, ROWS = 8 };

static int setup(struct gpu *g, const struct params *p, const char *variant, void *state,
	void **ret, struct error *err)
{
	struct transpose_state *s = state;
	struct vk_plan *v = vk_plan_new(g, p);
	uint64_t bytes = (uint64_t)(s->rows * s->columns * dtype_bytes(p->dtype));
	int in = vk_plan_input(v, s->in, bytes);
	int out = vk_plan_output(v, s->out, bytes, GPU_POISON);
	int k = vk_plan_kernel(v, p->dtype == DT_F64 ? "transpose_64" : "transpose_32",
		VK_SPEC(EDGE, ROWS, 1, variant[0] == 't'));

	vk_plan_shared(v, EDGE * (EDGE + 1) * (uint64_t)dtype_bytes(p->dtype));
	vk_plan_step(v, k, VK_BUFS(in, out), VK_PUSH((uint32_t)s->rows, (uint32_t)s->columns),
		(struct gpu_groups){ ((uint32_t)s->columns + EDGE - 1) / EDGE,
			((uint32_t)s->rows + EDGE - 1) / EDGE, 1 });
	return vk_plan_finish(v, ret, err);
}

static uint32_t needs(const struct params *p)
{
	(void)p;
	return 0;
}

static int64_t loops(const struct params *p)
{
	(void)p;
	return 2 * EDGE / ROWS;
}

const struct vk_kernel vk_transpose = {
	.id = "transpose",
	.dtypes = DT_REALS,
	.variants = variants,
	.needs = needs,
	.max_loop_iters = loops,
	.setup = setup,
	VK_PLAN_HOOKS,
};
