/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gemm on a Vulkan device: shaders/gemm.comp. */
#include <string.h>
#include "kernels/gemm.h"
#include "kernels/vk_plan.h"

static const char *const variants[] = { "tiled", "naive", NULL };
enum { TILE, DEPTH, BLOCK };
static const struct vk_knob knobs[] = {
	[TILE] = { "tile", { 64, 32, 128 } },
	[DEPTH] = { "depth", { 16, 8, 32 } },
	[BLOCK] = { "block", { 4, 2, 8 } },
	{ NULL, { 0 } },
};

/* alpha and beta of the dtype, then m, n, k. */
static uint32_t fill_push(const struct gemm_state *s, uint32_t push[8])
{
	const double factors[] = { s->alpha, s->beta };
	const float factors32[] = { (float)s->alpha, (float)s->beta };
	const uint32_t sizes[] = { (uint32_t)s->m, (uint32_t)s->n, (uint32_t)s->k };
	bool is_double = s->p->dtype == DT_F64;
	int at = is_double ? 4 : 2;

	memset(push, 0, 8 * sizeof(*push));
	memcpy(push, is_double ? (void *)factors : (void *)factors32, (size_t)at * 4);
	memcpy(push + at, sizes, sizeof(sizes));
	return is_double ? 32 : 20;
}

static int add_kernel(
	struct vk_plan *v, const struct params *p, bool is_tiled, struct gpu_groups *groups)
{
	uint32_t tile = is_tiled ? vk_knob(p, TILE) : 16, depth = vk_knob(p, DEPTH);
	uint32_t block = is_tiled ? vk_knob(p, BLOCK) : 1, across = tile / block;

	if (is_tiled)
		vk_plan_shared(v, (2 * tile + 1) * depth * (uint64_t)dtype_bytes(p->dtype));
	groups->x = ((uint32_t)p->dim[1] + tile - 1) / tile;
	groups->y = ((uint32_t)p->dim[0] + tile - 1) / tile;
	return vk_plan_kernel(v, gemm_is_half(p) ? "gemm_f16" : vk_module("gemm", p->dtype),
		VK_SPEC(across * across, 1, 1, tile, depth, block, is_tiled));
}

/* A or B, packed to f16 where asked for. */
static int operand(struct vk_plan *v, const struct gemm_state *s, const void *x, uint64_t n)
{
	_cleanup_(free)
	uint16_t *half = NULL;

	if (!gemm_is_half(s->p))
		return vk_plan_input(v, x, n * (uint64_t)dtype_bytes(s->p->dtype));
	half = xcalloc(n + 1, sizeof(*half));
	for (uint64_t i = 0; i < n; i++)
		half[i] = gemm_pack_half((double)((const float *)x)[i]);
	return vk_plan_input(v, half, (n + 1) / 2 * 4);
}

static int setup(struct gpu *g, const struct params *p, const char *variant, void *state,
	void **ret, struct error *err)
{
	struct gemm_state *s = state;
	struct vk_plan *v = vk_plan_new(g, p);
	uint64_t w = (uint64_t)dtype_bytes(p->dtype);
	uint64_t m = (uint64_t)s->m, n = (uint64_t)s->n, l = (uint64_t)s->k;
	int a = operand(v, s, s->a, m * l), b = operand(v, s, s->b, l * n);
	int c = s->c ? vk_plan_input(v, s->c, m * n * w) : a;
	int out = vk_plan_output(v, s->out, m * n * w, GPU_POISON);
	struct gpu_groups groups = { 1, 1, 1 };
	uint32_t push[8], push_bytes = fill_push(s, push);
	int k = add_kernel(v, p, variant[0] == 't', &groups);

	vk_plan_step(v, k, VK_BUFS(a, b, c, out), push, push_bytes, groups);
	return vk_plan_finish(v, ret, err);
}

/* tiled: for each slice, two loads and for each of its columns two loads into registers and the
 * products of a block. */
static int64_t loops(const struct params *p)
{
	int64_t tile = vk_knob(p, TILE), depth = vk_knob(p, DEPTH), block = vk_knob(p, BLOCK);
	int64_t size = (tile / block) * (tile / block),
		slices = (p->dim[2] + depth - 1) / depth;
	int64_t load = 2 * ((tile * depth + size - 1) / size);

	if (p->variant && p->variant[0] == 'n')
		return p->dim[2];
	return slices * (1 + load + depth * (1 + 2 * block + block * block)) +
	       3 * block * block + block;
}

const struct vk_kernel vk_gemm = {
	.id = "gemm",
	.dtypes = DT_REALS,
	.variants = variants,
	.knobs = knobs,
	.needs = vk_needs_real,
	.max_loop_iters = loops,
	.setup = setup,
	VK_PLAN_HOOKS,
};
