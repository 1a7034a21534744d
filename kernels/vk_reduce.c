/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reduce.* on a Vulkan device. */
#include "kernels/vk_reduce.h"

#include <stdio.h>
#include <string.h>
#include "kernels/reduce.h"

enum { SERIAL = 16 };

static int add_kernel(struct vk_plan *v, const struct vk_reduction *r, bool is_first)
{
	char family[16];

	snprintf(family, sizeof(family), "reduce%s", r->uses_subgroups ? "_sub" : "");
	return vk_plan_kernel(v, vk_module(family, r->dtype),
		VK_SPEC(r->group, 1, 1, SERIAL, (uint32_t)r->op, is_first));
}

void vk_reduce_steps(struct vk_plan *v, const struct vk_reduction *r)
{
	uint64_t span = (uint64_t)r->group * SERIAL, w = (uint64_t)dtype_bytes(r->dtype);
	uint64_t n = r->n, most = (n + span - 1) / span;
	bool has_places = r->op == VK_REDUCE_ARGMAX, is_dot = r->op == VK_REDUCE_DOT;
	int kernel = add_kernel(v, r, true), again = add_kernel(v, r, false), turn = 0;
	int from = r->x, places = r->x, sums[2] = { 0 }, sums_places[2] = { 0 };

	for (int i = 0; i < 2; i++) {
		sums[i] = vk_plan_scratch(v, most * w);
		sums_places[i] = has_places ? vk_plan_scratch(v, most * 4) : sums[i];
	}
	for (bool is_first = true; is_first || n > 1; is_first = false) {
		uint64_t groups = (n + span - 1) / span;
		int to = groups == 1 ? r->out : sums[turn];
		int to_places = !has_places   ? to
				: groups == 1 ? r->out_places
					      : sums_places[turn];

		vk_plan_step(v, kernel,
			VK_BUFS(from, is_first && is_dot ? r->y : from, to, places, to_places),
			VK_PUSH((uint32_t)n), vk_plan_fold(v, groups, 1));
		from = to;
		places = to_places;
		kernel = again;
		n = groups;
		turn = !turn;
	}
}

/* --- the family --------------------------------------------------------------------------- */

static const char *const variants[] = { "tree", "subgroup", NULL };

/* What the device leaves: a value of the dtype and a place. */
struct memory {
	union {
		float f32;
		double f64;
		int32_t i32;
	} value;
	uint32_t place;
};

static void convert(void *state, const void *memory)
{
	struct reduce_state *s = state;
	const struct memory *m = memory;

	s->result.value = s->p->dtype == DT_F32	  ? (double)m->value.f32
			  : s->p->dtype == DT_F64 ? m->value.f64
						  : m->value.i32;
	s->result.index = s->op == REDUCE_ARGMAX ? m->place : 0;
}

static int setup(struct gpu *g, const struct params *p, const char *variant, void *state,
	void **ret, struct error *err)
{
	static const enum vk_reduce ops[] = { [REDUCE_SUM] = VK_REDUCE_SUM,
		[REDUCE_MIN] = VK_REDUCE_LEAST,
		[REDUCE_ARGMAX] = VK_REDUCE_ARGMAX };
	struct reduce_state *s = state;
	struct vk_plan *v = vk_plan_new(g, p);
	struct memory *m = vk_plan_convert(v, sizeof(*m), convert);
	uint64_t w = (uint64_t)dtype_bytes(p->dtype);
	struct vk_reduction r = { .op = ops[s->op],
		.dtype = p->dtype,
		.uses_subgroups = variant[0] == 's',
		.group = vk_knob(p, 0),
		.n = (uint64_t)s->n };

	r.x = vk_plan_input(v, s->x, r.n * w);
	r.out = vk_plan_output(v, &m->value, w, GPU_POISON);
	r.out_places = vk_plan_output(v, &m->place, 4, GPU_POISON);
	vk_reduce_steps(v, &r);
	return vk_plan_finish(v, ret, err);
}

static uint32_t needs(const struct params *p)
{
	bool uses_subgroups = p->variant && p->variant[0] == 's';

	return vk_needs_real(p) | (uses_subgroups ? GPU_SUBGROUP : 0);
}

static int64_t loops(const struct params *p)
{
	(void)p;
	return VK_REDUCE_LOOPS;
}

#define REDUCE_VK(name)                                                                        \
	const struct vk_kernel vk_reduce_##name = {                                            \
		.id = "reduce." #name,                                                         \
		.dtypes = DT_REALS | DT_BIT(DT_I32),                                           \
		.variants = variants,                                                          \
		.knobs = vk_group_knob,                                                        \
		.needs = needs,                                                                \
		.max_loop_iters = loops,                                                       \
		.setup = setup,                                                                \
		VK_PLAN_HOOKS,                                                                 \
	}

REDUCE_VK(sum);
REDUCE_VK(min);
REDUCE_VK(argmax);
