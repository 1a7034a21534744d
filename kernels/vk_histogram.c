/* SPDX-License-Identifier: GPL-3.0-or-later */
/* histogram.* on a Vulkan device: shaders/histogram.comp. */
#include "kernels/histogram.h"
#include "kernels/vk_plan.h"

enum { GROUP, WORDS };
static const struct vk_knob knobs[] = {
	[GROUP] = { "group", { VK_GROUP, 64, 128, 512, 1024 } },
	[WORDS] = { "words", { 16, 4, 64 } },
	{ NULL, { 0 } },
};

/* Arrays end on whole pages, so the last word of bytes may be read beyond them. */
static int setup(struct gpu *g, const struct params *p, const char *variant, void *state,
	void **ret, struct error *err)
{
	struct histogram_state *s = state;
	struct vk_plan *v = vk_plan_new(g, p);
	uint32_t group = vk_knob(p, GROUP), words = vk_knob(p, WORDS);
	uint64_t w = (uint64_t)dtype_bytes(p->dtype), n_words = ((uint64_t)s->n * w + 3) / 4;
	int keys = vk_plan_input(v, s->keys, 4 * n_words);
	int counts = vk_plan_output(v, s->counts, 4 * (uint64_t)s->bins, 0xffffffff);
	int k = vk_plan_kernel(v, "histogram",
		VK_SPEC(group, 1, 1, (uint32_t)s->bins, 8 * (uint32_t)w, words));

	(void)variant;
	vk_plan_shared(v, 4 * (uint64_t)s->bins);
	vk_plan_fill(v, counts, 0);
	vk_plan_step(v, k, VK_BUFS(keys, counts), VK_PUSH((uint32_t)s->n),
		vk_plan_fold(v, (n_words + words - 1) / words, group));
	return vk_plan_finish(v, ret, err);
}

static uint32_t needs(const struct params *p)
{
	(void)p;
	return 0;
}

static int64_t loops(const struct params *p)
{
	int64_t bins = p->dtype == DT_U8 ? 256 : HISTOGRAM_MOST;

	return vk_knob(p, WORDS) * (1 + 4 / dtype_bytes(p->dtype)) +
	       2 * (bins / vk_knob(p, GROUP) + 1);
}

#define HISTOGRAM_VK(name, type)                                                               \
	const struct vk_kernel vk_histogram_##name = {                                         \
		.id = "histogram." #name,                                                      \
		.dtypes = DT_BIT(type),                                                        \
		.knobs = knobs,                                                                \
		.needs = needs,                                                                \
		.max_loop_iters = loops,                                                       \
		.setup = setup,                                                                \
		VK_PLAN_HOOKS,                                                                 \
	}

HISTOGRAM_VK(256, DT_U8);
HISTOGRAM_VK(4096, DT_U32);
