/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/transfer.h"

#include <string.h>
#include "base/cleanup.h"
#include "kernels/input.h"
#include "kernels/mem.h"
#include "kernels/proof.h"

static const struct named_size sizes[] = {
	{ "small", { 1 * MiB, 1, 1 } },
	{ "medium", { 64 * MiB, 1, 1 } },
	{ "large", { 1 * GiB, 1, 1 } },
	{ NULL, { 0 } },
};

static enum transfer_way way_of(const struct params *p);

/* A link carries each byte once; a memory carries it in and out. */
static void count(const struct params *p, struct counts *ret)
{
	bool is_link = p->backend == BACKEND_VULKAN && way_of(p) != TRANSFER_D2D;
	double n = (double)(p->dim[0] / 4 * 4);

	ret->flops = 0;
	ret->bytes = is_link ? n : 2 * n;
	ret->write_allocate_bytes = p->backend == BACKEND_VULKAN ? 0 : n;
	ret->footprint_bytes = 2 * n;
	ret->work = ret->bytes;
	ret->n_outputs = n / 4;
}

static void free_state(void *state)
{
	struct transfer_state *s = state;

	if (!s)
		return;
	mem_free(s->x);
	mem_free(s->out);
	free(s);
}
DEFINE_CLEANUP(struct transfer_state *, free_state)

static uint32_t word(uint64_t key, int64_t i)
{
	return (uint32_t)(input_bits(key, (uint64_t)i) >> 32);
}

/* The complement of what belongs there. */
static void poison(void *state)
{
	struct transfer_state *s = state;
	uint64_t key = input_key(s->p->seed, 0);

	for (int64_t i = 0; i < s->bytes / 4; i++)
		s->out[i] = ~word(key, i);
}

static int setup(const struct params *p, void **ret_state, struct error *err)
{
	_cleanup_(free_state)
	struct transfer_state *s = xcalloc(1, sizeof(*s));
	uint64_t key = input_key(p->seed, 0);
	int r;

	s->p = p;
	s->way = way_of(p);
	s->bytes = p->dim[0] / 4 * 4;
	r = mem_new((void **)&s->x, (size_t)s->bytes, 0, err);
	if (r == OK)
		r = mem_new((void **)&s->out, (size_t)s->bytes, 1, err);
	if (r != OK)
		return r;
	for (int64_t i = 0; i < s->bytes / 4; i++)
		s->x[i] = word(key, i);
	poison(s);
	*ret_state = TAKE(s);
	return OK;
}

static void copy_part(const struct transfer_state *s, int t, int n_threads)
{
	size_t n = (size_t)s->bytes, chunk = (n / (size_t)n_threads + 63) / 64 * 64;
	size_t lo = MIN(n, chunk * (size_t)t), hi = t == n_threads - 1 ? n : MIN(n, lo + chunk);

	memcpy((char *)s->out + lo, (const char *)s->x + lo, hi - lo);
}

static void run(void *state, int64_t iterations)
{
	const struct transfer_state *s = state;
	int n_threads = s->p->threads;

	for (int64_t k = 0; k < iterations; k++) {
		if (n_threads == 1) {
			copy_part(s, 0, 1);
			continue;
		}
#pragma omp parallel for num_threads(n_threads) schedule(static, 1)
		for (int t = 0; t < n_threads; t++)
			copy_part(s, t, n_threads);
	}
}

static int verify(void *state, struct proof *ret, struct error *err)
{
	const struct transfer_state *s = state;
	uint64_t key = input_key(s->p->seed, 0);
	int64_t n_bad = 0;

	(void)err;
	for (int64_t i = 0; i < s->bytes / 4; i++)
		n_bad += s->out[i] != word(key, i);
	proof_claim(ret, "words that are not those of the input", (double)n_bad, 0);
	ret->n_outputs = s->bytes / 4;
	proof_digest(ret, s->out, (size_t)s->bytes);
	return OK;
}

#define TRANSFER_KERNEL(name, names, what)                                                     \
	const struct kernel kernel_transfer_##name = {                                         \
		.id = "transfer." #name,                                                       \
		.aliases = names,                                                              \
		.title = what,                                                                 \
		.source = "vkpeak copy-*, clpeak transfer bandwidth",                          \
		.dtypes = DT_BIT(DT_U32),                                                      \
		.default_dtype = DT_U32,                                                       \
		.n_dims = 1,                                                                   \
		.dims = "bytes",                                                               \
		.dim_min = 64,                                                                 \
		.dim_max = 64 * GiB,                                                           \
		.sizes = sizes,                                                                \
		.work_unit = "B",                                                              \
		.rate_unit = "GB/s",                                                           \
		.rate_scale = 1e9,                                                             \
		.count = count,                                                                \
		.setup = setup,                                                                \
		.run = run,                                                                    \
		.poison = poison,                                                              \
		.verify = verify,                                                              \
		.free = free_state,                                                            \
	}

static const char *const h2d_names[] = { "h2d", "copy-h2d", "busspeeddownload", NULL };
static const char *const d2h_names[] = { "d2h", "copy-d2h", "busspeedreadback", NULL };
static const char *const d2d_names[] = { "d2d", "copy-d2d", NULL };

TRANSFER_KERNEL(h2d, h2d_names, "host memory to device memory");
TRANSFER_KERNEL(d2h, d2h_names, "device memory to host memory");
TRANSFER_KERNEL(d2d, d2d_names, "device memory to device memory");

static enum transfer_way way_of(const struct params *p)
{
	return p->kernel == &kernel_transfer_h2d   ? TRANSFER_H2D
	       : p->kernel == &kernel_transfer_d2h ? TRANSFER_D2H
						   : TRANSFER_D2D;
}
