/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/scan.h"

#include "base/cleanup.h"
#include "kernels/code.h"
#include "kernels/input.h"
#include "kernels/mem.h"
#include "kernels/proof.h"

CODE_TABLES(scan);

static const struct named_size sizes[] = {
	{ "small", { 1 << 18, 1, 1 } },
	{ "medium", { 1 << 24, 1, 1 } },
	{ "large", { 1 << 28, 1, 1 } },
	{ NULL, { 0 } },
};

extern const struct kernel kernel_scan_excl;

static void count(const struct params *p, struct counts *ret)
{
	double n = (double)p->dim[0], w = (double)dtype_bytes(p->dtype);

	ret->flops = 0;
	ret->bytes = 2 * n * w;
	ret->write_allocate_bytes = n * w;
	ret->footprint_bytes = 2 * n * w;
	ret->work = ret->bytes;
	ret->n_outputs = n;
}

/* Element i; cut to 32 bits for u32. */
static uint64_t element(const struct params *p, uint64_t key, int64_t i)
{
	uint64_t v = input_bits(key, (uint64_t)i);

	return p->dtype == DT_U32 ? v >> 32 : v;
}

static void free_state(void *state)
{
	struct scan_state *s = state;

	if (!s)
		return;
	mem_free(s->in);
	mem_free(s->out);
	free(s->offsets);
	free(s);
}
DEFINE_CLEANUP(struct scan_state *, free_state)

static size_t array_bytes(const struct scan_state *s)
{
	return (size_t)(s->n * dtype_bytes(s->p->dtype));
}

/* No word is impossible in a sum modulo 2^n; all but a few of the poisoned ones are wrong. */
static void poison(void *state)
{
	struct scan_state *s = state;

	poison_fill(s->out, array_bytes(s), POISON_WORD, s->p->threads);
}

static void fill(struct scan_state *s)
{
	uint64_t key = input_key(s->p->seed, 0);

#pragma omp parallel for num_threads(s->p->threads) schedule(static)
	for (int64_t i = 0; i < s->n; i++)
		if (s->p->dtype == DT_U32)
			((uint32_t *)s->in)[i] = (uint32_t)element(s->p, key, i);
		else
			((uint64_t *)s->in)[i] = element(s->p, key, i);
}

static int setup(const struct params *p, void **ret_state, struct error *err)
{
	_cleanup_(free_state)
	struct scan_state *s = xcalloc(1, sizeof(*s));
	int r;

	*s = (struct scan_state){ .p = p,
		.is_exclusive = p->kernel == &kernel_scan_excl,
		.n = p->dim[0],
		.code = CODE_PICK(scan, p) };
	s->n_blocks = (s->n + SCAN_BLOCK - 1) / SCAN_BLOCK;
	s->offsets = xcalloc((size_t)s->n_blocks + 1, sizeof(*s->offsets));
	r = mem_new(&s->in, array_bytes(s), 0, err);
	if (r == OK)
		r = mem_new(&s->out, array_bytes(s), 1, err);
	if (r != OK)
		return r;
	fill(s);
	poison(s);
	*ret_state = TAKE(s);
	return OK;
}

/* --- run ---------------------------------------------------------------------------------- */

static uint64_t scan_block(const struct scan_state *s, int64_t b, uint64_t offset)
{
	int64_t lo = b * SCAN_BLOCK, w = dtype_bytes(s->p->dtype);

	return s->code->block((char *)s->out + lo * w, (char *)s->in + lo * w,
		(size_t)MIN(SCAN_BLOCK, s->n - lo), offset, s->is_exclusive);
}

/* Reduce, then scan: sums of blocks side by side, their prefix sums, blocks side by side. */
static void scan_threads(const struct scan_state *s)
{
	int64_t w = dtype_bytes(s->p->dtype);
	uint64_t total = 0;

#pragma omp parallel for num_threads(s->p->threads) schedule(static)
	for (int64_t b = 0; b < s->n_blocks; b++)
		s->offsets[b] = s->code->sum((char *)s->in + b * SCAN_BLOCK * w,
			(size_t)MIN(SCAN_BLOCK, s->n - b * SCAN_BLOCK));
	for (int64_t b = 0; b < s->n_blocks; b++) {
		uint64_t sum = s->offsets[b];

		s->offsets[b] = total;
		total += sum;
	}
#pragma omp parallel for num_threads(s->p->threads) schedule(static)
	for (int64_t b = 0; b < s->n_blocks; b++)
		scan_block(s, b, s->offsets[b]);
}

static void run(void *state, int64_t iterations)
{
	const struct scan_state *s = state;

	for (int64_t it = 0; it < iterations; it++) {
		uint64_t total = 0;

		if (s->p->threads > 1)
			scan_threads(s);
		else
			for (int64_t b = 0; b < s->n_blocks; b++)
				total = scan_block(s, b, total);
	}
}

/* Every prefix, from the input made anew. */
static int verify(void *state, struct proof *ret, struct error *err)
{
	const struct scan_state *s = state;
	uint64_t key = input_key(s->p->seed, 0), total = 0;
	int64_t n_wrong = 0;

	(void)err;
	for (int64_t i = 0; i < s->n; i++) {
		uint64_t v = element(s->p, key, i), want = s->is_exclusive ? total : total + v;
		uint64_t got = s->p->dtype == DT_U32 ? ((uint32_t *)s->out)[i]
						     : ((uint64_t *)s->out)[i];

		n_wrong += got != (s->p->dtype == DT_U32 ? (uint32_t)want : want);
		total += v;
	}
	proof_claim(ret, "wrong prefix sums", (double)n_wrong, 0);
	ret->n_outputs = s->n;
	proof_digest(ret, s->out, array_bytes(s));
	return OK;
}

#define SCAN_KERNEL(name, names, what)                                                         \
	const struct kernel kernel_scan_##name = {                                             \
		.id = "scan." #name,                                                           \
		.aliases = names,                                                              \
		.title = what,                                                                 \
		.source = "one pass; threads: reduce, then scan",                              \
		.dtypes = DT_BIT(DT_U32) | DT_BIT(DT_U64),                                     \
		.default_dtype = DT_U32,                                                       \
		.n_dims = 1,                                                                   \
		.dims = "elements",                                                            \
		.dim_min = 1,                                                                  \
		.dim_max = 1LL << 36,                                                          \
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

static const char *const incl_names[] = { "scan.inclusive", "prefix_sum", "inclusive_scan",
	NULL };
static const char *const excl_names[] = { "scan.exclusive", "exclusive_scan", NULL };
SCAN_KERNEL(incl, incl_names, "prefix sums, each with its own element");
SCAN_KERNEL(excl, excl_names, "prefix sums, each without its own element");
