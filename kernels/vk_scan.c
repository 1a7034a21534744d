/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scan.* on a Vulkan device. */
#include "kernels/vk_scan.h"

#include "kernels/scan.h"

enum { SUMS, WITHIN, EXCLUSIVE }; /* kernels */

static uint64_t spans_of(const struct vk_scan *s, uint64_t n)
{
	uint64_t span = (uint64_t)s->group * VK_SCAN_ITEMS;

	return (n + span - 1) / span;
}

static int add_kernel(struct vk_plan *v, const struct vk_scan *s, int which)
{
	return vk_plan_kernel(v, vk_module("scan", s->dtype),
		VK_SPEC(s->group, 1, 1, VK_SCAN_ITEMS, which != SUMS, which == EXCLUSIVE));
}

void vk_scan_prepare(struct vk_plan *v, struct vk_scan *s)
{
	uint64_t w = (uint64_t)dtype_bytes(s->dtype), span = (uint64_t)s->group * VK_SCAN_ITEMS;
	uint64_t n = spans_of(s, s->n);

	vk_plan_shared(v, (span + span / 32 + s->group) * w);
	for (int level = 0; n > 1 && level < VK_SCAN_LEVELS; level++) {
		s->sums[level] = vk_plan_scratch(v, n * w);
		s->scanned[level] = vk_plan_scratch(v, n * w);
		n = spans_of(s, n);
	}
	s->kernel[EXCLUSIVE] = add_kernel(v, s, EXCLUSIVE);
	if (spans_of(s, s->n) > 1)
		s->kernel[SUMS] = add_kernel(v, s, SUMS);
	if (!s->is_exclusive)
		s->kernel[WITHIN] = add_kernel(v, s, WITHIN);
}

static void add_level(
	struct vk_plan *v, const struct vk_scan *s, int level, int in, int out, uint64_t n)
{
	uint64_t spans = spans_of(s, n);
	struct gpu_groups groups = vk_plan_fold(v, spans, 1);
	int within = s->kernel[level > 0 || s->is_exclusive ? EXCLUSIVE : WITHIN];

	if (spans == 1) {
		vk_plan_step(v, within, VK_BUFS(in, out, in), VK_PUSH((uint32_t)n, 0), groups);
		return;
	}
	vk_plan_step(v, s->kernel[SUMS], VK_BUFS(in, out, s->sums[level]),
		VK_PUSH((uint32_t)n, 0), groups);
	add_level(v, s, level + 1, s->sums[level], s->scanned[level], spans);
	vk_plan_step(v, within, VK_BUFS(in, out, s->scanned[level]), VK_PUSH((uint32_t)n, 1),
		groups);
}

void vk_scan_steps(struct vk_plan *v, const struct vk_scan *s)
{
	add_level(v, s, 0, s->in, s->out, s->n);
}

/* --- the family --------------------------------------------------------------------------- */

static int setup(struct gpu *g, const struct params *p, const char *variant, void *state,
	void **ret, struct error *err)
{
	struct scan_state *s = state;
	struct vk_plan *v = vk_plan_new(g, p);
	uint64_t bytes = (uint64_t)(s->n * dtype_bytes(p->dtype));
	struct vk_scan scan = { .dtype = p->dtype,
		.n = (uint64_t)s->n,
		.is_exclusive = s->is_exclusive,
		.group = vk_knob(p, 0) };

	(void)variant;
	scan.in = vk_plan_input(v, s->in, bytes);
	scan.out = vk_plan_output(v, s->out, bytes, GPU_POISON);
	vk_scan_prepare(v, &scan);
	vk_scan_steps(v, &scan);
	return vk_plan_finish(v, ret, err);
}

static uint32_t needs(const struct params *p)
{
	return p->dtype == DT_U64 ? GPU_I64 : 0;
}

static int64_t loops(const struct params *p)
{
	(void)p;
	return VK_SCAN_LOOPS;
}

static const struct vk_knob knobs[] = {
	{ "group", { VK_GROUP, 64, 128, 512 } },
	{ NULL, { 0 } },
};

#define SCAN_VK(name)                                                                          \
	const struct vk_kernel vk_scan_##name = {                                              \
		.id = "scan." #name,                                                           \
		.dtypes = DT_BIT(DT_U32) | DT_BIT(DT_U64),                                     \
		.knobs = knobs,                                                                \
		.needs = needs,                                                                \
		.max_loop_iters = loops,                                                       \
		.setup = setup,                                                                \
		VK_PLAN_HOOKS,                                                                 \
	}

SCAN_VK(incl);
SCAN_VK(excl);
