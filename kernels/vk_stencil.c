/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stencil2d.* and stencil3d.* on a Vulkan device: shaders/stencil.comp. */
#include "kernels/stencil.h"
#include "kernels/vk_plan.h"

static const char *const variants[] = { "direct", "shared", NULL };
enum { COLUMNS, ROWS, PLANES };
static const struct vk_knob knobs[] = {
	[COLUMNS] = { "columns", { 32, 64, 16 } },
	[ROWS] = { "rows", { 8, 4, 16 } },
	[PLANES] = { "planes", { 16, 8, 64 } },
	{ NULL, { 0 } },
};

static int setup(struct gpu *g, const struct params *p, const char *variant, void *state,
	void **ret, struct error *err)
{
	struct stencil_state *s = state;
	struct vk_plan *v = vk_plan_new(g, p);
	bool is_shared = variant[0] == 's', is_flat = s->shape == STENCIL_5PT;
	uint32_t x = vk_knob(p, COLUMNS), y = vk_knob(p, ROWS);
	uint32_t planes = is_shared ? vk_knob(p, PLANES) : 1;
	uint64_t w = (uint64_t)dtype_bytes(p->dtype);
	uint64_t bytes = (uint64_t)(s->depth * s->height * s->width) * w;
	int in = vk_plan_input(v, s->in, bytes);
	int out = vk_plan_output(v, s->out, bytes, GPU_POISON), k;

	if (is_shared)
		vk_plan_shared(v, (x + 2) * (y + 2) * (is_flat ? 1 : 3) * w);
	k = vk_plan_kernel(v, vk_module("stencil", p->dtype),
		VK_SPEC(x, y, 1, (uint32_t)s->shape, is_shared, planes));
	vk_plan_step(v, k, VK_BUFS(in, out),
		VK_PUSH((uint32_t)s->depth, (uint32_t)s->height, (uint32_t)s->width),
		(struct gpu_groups){ ((uint32_t)s->width + x - 1) / x,
			((uint32_t)s->height + y - 1) / y,
			((uint32_t)s->depth + planes - 1) / planes });
	return vk_plan_finish(v, ret, err);
}

/* A plane is loaded in at most 3 turns, for the smallest workgroups. */
static int64_t loops(const struct params *p)
{
	return (vk_knob(p, PLANES) + 2) * 4;
}

#define STENCIL_VK(symbol, name)                                                               \
	const struct vk_kernel vk_##symbol = {                                                 \
		.id = name,                                                                    \
		.dtypes = DT_REALS,                                                            \
		.variants = variants,                                                          \
		.knobs = knobs,                                                                \
		.needs = vk_needs_real,                                                        \
		.max_loop_iters = loops,                                                       \
		.setup = setup,                                                                \
		VK_PLAN_HOOKS,                                                                 \
	}

STENCIL_VK(stencil2d_5pt, "stencil2d.5pt");
STENCIL_VK(stencil3d_7pt, "stencil3d.7pt");
STENCIL_VK(stencil3d_27pt, "stencil3d.27pt");
