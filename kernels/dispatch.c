/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/dispatch.h"

#include "base/cleanup.h"
#include "kernels/input.h"
#include "kernels/mem.h"
#include "kernels/proof.h"

static const struct named_size sizes[] = {
	{ "small", { 1, 1, 1 } },
	{ "medium", { 64, 1, 1 } },
	{ "large", { 65536, 1, 1 } },
	{ NULL, { 0 } },
};

static void count(const struct params *p, struct counts *ret)
{
	*ret = (struct counts){
		.bytes = 8 * (double)p->dim[0],
		.write_allocate_bytes =
			p->backend == BACKEND_VULKAN ? 0 : 4 * (double)p->dim[0],
		.footprint_bytes = 8 * (double)p->dim[0],
		.work = 1,
		.n_outputs = (double)p->dim[0],
	};
}

static void free_state(void *state)
{
	struct dispatch_state *s = state;

	if (!s)
		return;
	mem_free(s->x);
	mem_free(s->out);
	free(s);
}
DEFINE_CLEANUP(struct dispatch_state *, free_state)

static uint32_t word(uint64_t key, int64_t i)
{
	return (uint32_t)(input_bits(key, (uint64_t)i) >> 32);
}

static void poison(void *state)
{
	struct dispatch_state *s = state;
	uint64_t key = input_key(s->p->seed, 0);

	for (int64_t i = 0; i < s->n; i++)
		s->out[i] = ~word(key, i);
}

static int setup(const struct params *p, void **ret_state, struct error *err)
{
	_cleanup_(free_state)
	struct dispatch_state *s = xcalloc(1, sizeof(*s));
	uint64_t key = input_key(p->seed, 0);
	int r;

	s->p = p;
	s->n = p->dim[0];
	r = mem_new((void **)&s->x, (size_t)s->n * 4, 0, err);
	if (r == OK)
		r = mem_new((void **)&s->out, (size_t)s->n * 4, 1, err);
	if (r != OK)
		return r;
	for (int64_t i = 0; i < s->n; i++)
		s->x[i] = word(key, i);
	poison(s);
	*ret_state = TAKE(s);
	return OK;
}

static void group(const struct dispatch_state *s, int64_t i)
{
	s->out[i] = s->x[i];
}

static void call_groups(const struct dispatch_state *s)
{
	void (*volatile f)(const struct dispatch_state *, int64_t) = group;

	for (int64_t i = 0; i < s->n; i++)
		f(s, i);
}

static void run(void *state, int64_t iterations)
{
	const struct dispatch_state *s = state;

	for (int64_t k = 0; k < iterations; k++) {
		if (s->p->backend != BACKEND_THREADS) {
			call_groups(s);
			continue;
		}
#pragma omp parallel for num_threads(s->p->threads) schedule(static)
		for (int64_t i = 0; i < s->n; i++)
			group(s, i);
	}
}

static int verify(void *state, struct proof *ret, struct error *err)
{
	const struct dispatch_state *s = state;
	uint64_t key = input_key(s->p->seed, 0);
	int64_t n_bad = 0;

	(void)err;
	for (int64_t i = 0; i < s->n; i++)
		n_bad += s->out[i] != word(key, i);
	proof_claim(ret, "workgroups that did not run", (double)n_bad, 0);
	ret->n_outputs = s->n;
	proof_digest(ret, s->out, (size_t)s->n * 4);
	return OK;
}

#define DISPATCH_KERNEL(name, names, what)                                                     \
	const struct kernel kernel_dispatch_##name = {                                         \
		.id = "dispatch." #name,                                                       \
		.aliases = names,                                                              \
		.title = what,                                                                 \
		.source = "uVkCompute overhead, clpeak kernel latency",                        \
		.dtypes = DT_BIT(DT_U32),                                                      \
		.default_dtype = DT_U32,                                                       \
		.n_dims = 1,                                                                   \
		.dims = "workgroups",                                                          \
		.dim_min = 1,                                                                  \
		.dim_max = 1 << 24,                                                            \
		.sizes = sizes,                                                                \
		.work_unit = "dispatches",                                                     \
		.rate_unit = "dispatches/s",                                                   \
		.rate_scale = 1,                                                               \
		.count = count,                                                                \
		.setup = setup,                                                                \
		.run = run,                                                                    \
		.poison = poison,                                                              \
		.verify = verify,                                                              \
		.free = free_state,                                                            \
	}

static const char *const void_names[] = { "void", "overhead", "dispatch_void_shader", NULL };
static const char *const latency_names[] = { "latency", "kernel_latency",
	"kernel_launch_latency", "queuedelay", NULL };

DISPATCH_KERNEL(void, void_names, "an almost empty dispatch among many");
DISPATCH_KERNEL(latency, latency_names, "one dispatch from submission to completion");
