/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stream.* on a Vulkan device: shaders/stream.comp, reduce.comp. */
#include "kernels/stream.h"
#include "kernels/vk_plan.h"
#include "kernels/vk_reduce.h"

static const char *const variants[] = { "vector", "scalar", NULL };

/* 16 bytes an invocation (vector) or one element (scalar). */
static int setup_map(struct gpu *g, const struct params *p, const char *variant, void *state,
	void **ret, struct error *err)
{
	struct stream_state *s = state;
	struct vk_plan *v = vk_plan_new(g, p);
	bool is_vector = variant[0] == 'v', is_double = p->dtype == DT_F64;
	uint64_t bytes = (uint64_t)(s->n * dtype_bytes(p->dtype));
	uint64_t each = is_vector ? 16 : (uint64_t)dtype_bytes(p->dtype);
	uint64_t n = (bytes + each - 1) / each;
	const char *module = is_vector ? (is_double ? "stream_f64v" : "stream_f32v")
				       : (is_double ? "stream_f64" : "stream_f32");
	int x = vk_plan_input(v, s->x, bytes), y = s->y ? vk_plan_input(v, s->y, bytes) : x;
	int out = vk_plan_output(v, s->out, bytes, GPU_POISON);
	uint32_t group = vk_knob(p, 0);
	int k = vk_plan_kernel(v, module, VK_SPEC(group, 1, 1, (uint32_t)s->op));

	vk_plan_step(v, k, VK_BUFS(x, y, out), VK_PUSH((uint32_t)n), vk_plan_fold(v, n, group));
	return vk_plan_finish(v, ret, err);
}

static void read_f32(void *state, const void *sum)
{
	((struct stream_state *)state)->dot = (double)*(const float *)sum;
}

static void read_f64(void *state, const void *sum)
{
	((struct stream_state *)state)->dot = *(const double *)sum;
}

static int setup_dot(struct gpu *g, const struct params *p, const char *variant, void *state,
	void **ret, struct error *err)
{
	struct stream_state *s = state;
	struct vk_plan *v = vk_plan_new(g, p);
	uint64_t w = (uint64_t)dtype_bytes(p->dtype), n = (uint64_t)s->n;
	void *sum = vk_plan_convert(v, w, p->dtype == DT_F32 ? read_f32 : read_f64);
	struct vk_reduction r = {
		.op = VK_REDUCE_DOT, .dtype = p->dtype, .group = VK_GROUP, .n = n
	};

	(void)variant;
	r.x = vk_plan_input(v, s->x, n * w);
	r.y = vk_plan_input(v, s->y, n * w);
	r.out = vk_plan_output(v, sum, w, GPU_POISON);
	vk_reduce_steps(v, &r);
	return vk_plan_finish(v, ret, err);
}

static int64_t dot_loops(const struct params *p)
{
	(void)p;
	return VK_REDUCE_LOOPS;
}

#define STREAM_VK(name)                                                                        \
	const struct vk_kernel vk_stream_##name = {                                            \
		.id = "stream." #name,                                                         \
		.dtypes = DT_REALS,                                                            \
		.variants = variants,                                                          \
		.knobs = vk_group_knob,                                                        \
		.needs = vk_needs_real,                                                        \
		.max_loop_iters = vk_no_loops,                                                 \
		.setup = setup_map,                                                            \
		VK_PLAN_HOOKS,                                                                 \
	}

STREAM_VK(copy);
STREAM_VK(scale);
STREAM_VK(add);
STREAM_VK(triad);

const struct vk_kernel vk_stream_dot = {
	.id = "stream.dot",
	.dtypes = DT_REALS,
	.needs = vk_needs_real,
	.max_loop_iters = dot_loops,
	.setup = setup_dot,
	VK_PLAN_HOOKS,
};
