/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fft.c2c on a Vulkan device: shaders/fft.comp, in one dispatch while a transform fits shared
 * memory and in two of about the square root beyond. */
#include "kernels/fft.h"
#include "kernels/vk_plan.h"

/* A transform in shared memory: at most 32 KiB, which every device has. */
enum { SHARED_MOST = 32 * 1024, ENOUGH = 256 };

struct dispatch {
	int in, out, roots;
	uint32_t log, count, inner, total, has_twiddle;
	uint32_t in_stride, in_distance, out_stride, out_distance;
};

static uint32_t log_of(int64_t n)
{
	return (uint32_t)(63 - __builtin_clzll((unsigned long long)n));
}

static uint32_t shared_bytes(uint32_t log, uint32_t transforms, uint32_t complex_bytes)
{
	return ((1u << log) + (transforms > 1)) * transforms * complex_bytes;
}

/* Transforms that share a workgroup: enough to fill it, and eight where neighbours of different
 * transforms are neighbours in memory. */
static uint32_t transforms_of(const struct gpu_info *i, const struct dispatch *d, uint32_t w)
{
	uint32_t quarter = (1u << d->log) / 4, t = 1, least = d->in_distance == 1 ? 8 : 1;

	while ((t < least || quarter * t < ENOUGH) &&
		quarter * 2 * t <= i->max_group_invocations &&
		shared_bytes(d->log, 2 * t, w) <= MIN(SHARED_MOST, i->shared_bytes))
		t *= 2;
	return t;
}

static void add_dispatch(struct vk_plan *v, enum dtype dtype, const struct dispatch *d)
{
	const struct gpu_info *i = vk_plan_info(v);
	uint32_t w = 2 * (uint32_t)dtype_bytes(dtype), t = transforms_of(i, d, w);
	uint32_t group = (1u << d->log) / 4 * t;
	int k;

	vk_plan_shared(v, shared_bytes(d->log, t, w));
	k = vk_plan_kernel(v, vk_module("fft", dtype),
		VK_SPEC(group, 1, 1, d->log, t, d->in_distance == 1, d->out_distance == 1));
	vk_plan_step(v, k, VK_BUFS(d->in, d->out, d->roots),
		VK_PUSH(d->count, d->inner, d->total, d->has_twiddle, d->in_stride,
			d->in_distance, d->out_stride, d->out_distance),
		vk_plan_fold(v, (d->count + t - 1) / t, 1));
}

/* n = n1 x n2: columns of n1 with a twiddle, then rows of n2, written where they belong. */
static void add_four_steps(struct vk_plan *v, const struct fft_state *s, int in, int out)
{
	uint32_t log = log_of(s->n), n1 = 1u << (log + 1) / 2, n2 = 1u << log / 2;
	uint32_t batch = (uint32_t)s->batch, total = (uint32_t)s->n;
	uint64_t w = 2 * (uint64_t)dtype_bytes(s->p->dtype);
	int roots = vk_plan_input(v, s->plan.root, (uint64_t)s->n / 2 * w);
	int between = vk_plan_scratch(v, (uint64_t)(s->n * s->batch) * w);
	const struct dispatch columns = { in, between, roots, (log + 1) / 2, batch * n2, n2,
		total, 1, n2, 1, n2, 1 };
	const struct dispatch rows = { between, out, roots, log / 2, batch * n1, n1, total, 0,
		1, n2, n1, 1 };

	add_dispatch(v, s->p->dtype, &columns);
	add_dispatch(v, s->p->dtype, &rows);
}

static void add_one_step(struct vk_plan *v, const struct fft_state *s, int in, int out)
{
	uint64_t w = 2 * (uint64_t)dtype_bytes(s->p->dtype);
	uint32_t n = (uint32_t)s->n;
	int roots = vk_plan_input(v, s->plan.root, (uint64_t)s->n / 2 * w);
	const struct dispatch all = { in, out, roots, log_of(s->n), (uint32_t)s->batch, 1, n, 0,
		1, n, 1, n };

	add_dispatch(v, s->p->dtype, &all);
}

static uint32_t log_most(const struct vk_plan *v, uint32_t complex_bytes)
{
	uint32_t group = vk_plan_info(v)->max_group_invocations;

	return MIN(log_of(SHARED_MOST / complex_bytes), log_of(4 * (int64_t)group));
}

static void refuse(struct vk_plan *v, const struct fft_state *s, uint32_t log)
{
	struct error e = { 0 };

	error_set_field(&e, E_NOT_IMPLEMENTED, "size",
		"two dispatches reach 2^%u points in %s on '%s'; %lld are asked for", 2 * log,
		dtype_name(s->p->dtype), vk_plan_info(v)->name, (long long)s->n);
	vk_plan_fail(v, &e);
}

static int setup(struct gpu *g, const struct params *p, const char *variant, void *state,
	void **ret, struct error *err)
{
	struct fft_state *s = state;
	struct vk_plan *v = vk_plan_new(g, p);
	uint32_t w = 2 * (uint32_t)dtype_bytes(p->dtype), log = log_most(v, w);
	uint64_t bytes = (uint64_t)(s->n * s->batch) * w;
	int in = vk_plan_input(v, s->in, bytes);
	int out = vk_plan_output(v, s->out, bytes, GPU_POISON);

	(void)variant;
	if (s->n <= 1LL << log)
		add_one_step(v, s, in, out);
	else if (s->n <= 1LL << 2 * log)
		add_four_steps(v, s, in, out);
	else
		refuse(v, s, log);
	return vk_plan_finish(v, ret, err);
}

static int64_t loops(const struct params *p)
{
	(void)p;
	return 13 + 8;
}

const struct vk_kernel vk_fft_c2c = {
	.id = "fft.c2c",
	.dtypes = DT_REALS,
	.needs = vk_needs_real,
	.max_loop_iters = loops,
	.setup = setup,
	VK_PLAN_HOOKS,
};
