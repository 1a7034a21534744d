/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sort.radix on a Vulkan device: shaders/sort.comp, and scan.comp for the places. */
#include "kernels/sort.h"
#include "kernels/vk_scan.h"

enum { ITEMS = 8, GROUP = 128, MODE_COUNT = 0, MODE_PLACE = 1 };
enum { NO_VALUES, OLD_VALUES, PLACE_VALUES };

struct arrays {
	int keys[2], values[2]; /* spare, out */
	int in, counts, places;
};

struct shape {
	uint32_t subgroups, tiles;
	uint32_t n;
};

static int add_kernel(struct vk_plan *v, enum dtype d, struct shape s, int mode, int values)
{
	return vk_plan_kernel(v, vk_module("sort", d),
		VK_SPEC(GROUP, 1, 1, ITEMS, (uint32_t)mode, (uint32_t)values, s.subgroups));
}

static struct arrays make_arrays(
	struct vk_plan *v, const struct sort_state *s, uint64_t count_bytes)
{
	uint64_t n = (uint64_t)s->n, bytes = n * (uint64_t)dtype_bytes(s->p->dtype);
	struct arrays a = { .in = vk_plan_input(v, s->in, bytes) };

	a.keys[0] = vk_plan_scratch(v, bytes);
	a.keys[1] = vk_plan_output(v, s->out, bytes, GPU_POISON);
	a.counts = vk_plan_scratch(v, count_bytes);
	a.places = vk_plan_scratch(v, count_bytes);
	a.values[0] = a.values[1] = a.counts;
	if (s->has_values) {
		a.values[0] = vk_plan_scratch(v, 4 * n);
		a.values[1] = vk_plan_output(v, s->out_values, 4 * n, 0xffffffff);
	}
	return a;
}

static void add_passes(struct vk_plan *v, const struct sort_state *s, struct shape shape,
	const struct arrays *a, const struct vk_scan *scan)
{
	enum dtype d = s->p->dtype;
	struct gpu_groups groups = vk_plan_fold(v, shape.tiles, 1);
	int count = add_kernel(v, d, shape, MODE_COUNT, NO_VALUES);
	int first =
		add_kernel(v, d, shape, MODE_PLACE, s->has_values ? PLACE_VALUES : NO_VALUES);
	int later = add_kernel(v, d, shape, MODE_PLACE, s->has_values ? OLD_VALUES : NO_VALUES);

	for (int pass = 0; pass < s->passes; pass++) {
		int from = pass == 0 ? a->in : a->keys[(pass + 1) % 2], to = pass % 2;

		vk_plan_step(v, count,
			VK_BUFS(from, a->keys[to], a->counts, a->values[!to], a->values[to]),
			VK_PUSH(shape.n, 8 * (uint32_t)pass, shape.tiles), groups);
		vk_scan_steps(v, scan);
		vk_plan_step(v, pass == 0 ? first : later,
			VK_BUFS(from, a->keys[to], a->places, a->values[!to], a->values[to]),
			VK_PUSH(shape.n, 8 * (uint32_t)pass, shape.tiles), groups);
	}
}

static int setup(struct gpu *g, const struct params *p, const char *variant, void *state,
	void **ret, struct error *err)
{
	struct sort_state *s = state;
	struct vk_plan *v = vk_plan_new(g, p);
	uint32_t lanes = vk_plan_info(v)->subgroup_size, tile = ITEMS * GROUP;
	struct shape shape = { .n = (uint32_t)s->n,
		.subgroups = MAX(1u, GROUP / MAX(1u, lanes)),
		.tiles = ((uint32_t)s->n + tile - 1) / tile };
	struct arrays a = make_arrays(v, s, (uint64_t)shape.tiles * SORT_DIGITS * 4);
	struct vk_scan scan = { .dtype = DT_U32,
		.in = a.counts,
		.out = a.places,
		.n = (uint64_t)shape.tiles * SORT_DIGITS,
		.is_exclusive = true,
		.group = VK_GROUP };

	(void)variant;
	vk_scan_prepare(v, &scan);
	vk_plan_subgroups(v, lanes);
	vk_plan_shared(v, (uint64_t)shape.subgroups * SORT_DIGITS * 4);
	add_passes(v, s, shape, &a, &scan);
	return vk_plan_finish(v, ret, err);
}

static uint32_t needs(const struct params *p)
{
	return GPU_SUBGROUP | (p->dtype == DT_U64 ? GPU_I64 : 0);
}

/* Keys of a lane with 8 ballots each, twice over; digits of an invocation with all subgroups.
 */
static int64_t loops(const struct params *p)
{
	(void)p;
	return ITEMS * 10 + SORT_DIGITS / GROUP * (1 + GROUP) + SORT_DIGITS;
}

const struct vk_kernel vk_sort_radix = {
	.id = "sort.radix",
	.dtypes = DT_BIT(DT_U32) | DT_BIT(DT_U64),
	.needs = needs,
	.max_loop_iters = loops,
	.setup = setup,
	VK_PLAN_HOOKS,
};
