/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/histogram.h"

#include <math.h>
#include <string.h>
#include "base/cleanup.h"
#include "kernels/input.h"
#include "kernels/mem.h"
#include "kernels/omp.h"
#include "kernels/proof.h"

static const struct named_size sizes[] = {
	{ "small", { 1 << 20, 1, 1 } },
	{ "medium", { 1 << 24, 1, 1 } },
	{ "large", { 1 << 28, 1, 1 } },
	{ NULL, { 0 } },
};

enum keys { UNIFORM, ZIPF, CONSTANT };
static const char *const keys_names[] = { "uniform", "zipf", "constant", NULL };
static const struct kernel_option options[] = {
	{ "keys", "how the keys are distributed", keys_names, 0, 0, 0 },
	{ NULL, NULL, NULL, 0, 0, 0 },
};

static int64_t bins_of(const struct params *p)
{
	return p->dtype == DT_U8 ? 256 : HISTOGRAM_MOST;
}

static void count(const struct params *p, struct counts *ret)
{
	double n = (double)p->dim[0], w = (double)dtype_bytes(p->dtype);
	double bins = (double)bins_of(p);

	ret->flops = 0;
	ret->bytes = n * w + 4 * bins;
	ret->write_allocate_bytes = 0;
	ret->footprint_bytes = n * w + 4 * bins * (1 + HISTOGRAM_TABLES * p->threads);
	ret->work = n;
	ret->n_outputs = bins;
}

static uint32_t key_of(const struct params *p, uint64_t key, int64_t i)
{
	double bins = (double)bins_of(p);

	switch ((enum keys)params_option(p, "keys")) {
	case ZIPF:
		return (uint32_t)(pow(bins, input_uniform(key, (uint64_t)i)) - 1);
	case CONSTANT:
		return 17;
	default:
		return (uint32_t)(input_bits(key, (uint64_t)i) % (uint64_t)bins);
	}
}

static void free_state(void *state)
{
	struct histogram_state *s = state;

	if (!s)
		return;
	mem_free(s->keys);
	mem_free(s->tables);
	free(s->counts);
	free(s->expected);
	free(s);
}
DEFINE_CLEANUP(struct histogram_state *, free_state)

static void poison(void *state)
{
	struct histogram_state *s = state;

	memset(s->counts, 0xff, (size_t)s->bins * sizeof(*s->counts));
}

/* The words' upper bits are noise that the kernel has to leave out. */
static void fill(struct histogram_state *s)
{
	uint64_t key = input_key(s->p->seed, 0), noise = input_key(s->p->seed, 1);

	for (int64_t i = 0; i < s->n; i++) {
		uint32_t k = key_of(s->p, key, i);

		s->expected[k]++;
		if (s->p->dtype == DT_U8)
			((uint8_t *)s->keys)[i] = (uint8_t)k;
		else
			((uint32_t *)s->keys)[i] = k | (uint32_t)input_bits(noise, (uint64_t)i)
							       << 12;
	}
}

static int setup(const struct params *p, void **ret_state, struct error *err)
{
	_cleanup_(free_state)
	struct histogram_state *s = xcalloc(1, sizeof(*s));
	int r;

	*s = (struct histogram_state){ .p = p, .n = p->dim[0], .bins = bins_of(p) };
	s->counts = xcalloc((size_t)s->bins, sizeof(*s->counts));
	s->expected = xcalloc((size_t)s->bins, sizeof(*s->expected));
	r = mem_new(&s->keys, (size_t)(s->n * dtype_bytes(p->dtype)), 0, err);
	if (r == OK)
		r = mem_new((void **)&s->tables,
			(size_t)(HISTOGRAM_TABLES * s->bins * p->threads) * 4, 1, err);
	if (r != OK)
		return r;
	fill(s);
	poison(s);
	*ret_state = TAKE(s);
	return OK;
}

/* --- run ---------------------------------------------------------------------------------- */

#define KEY8(i) ((const uint8_t *)s->keys)[i]
#define KEY32(i) (((const uint32_t *)s->keys)[i] & (HISTOGRAM_MOST - 1))

static void count_one(const struct histogram_state *s, uint32_t *table, int64_t lo, int64_t hi)
{
	if (s->p->dtype == DT_U8)
		for (int64_t i = lo; i < hi; i++)
			table[KEY8(i)]++;
	else
		for (int64_t i = lo; i < hi; i++)
			table[KEY32(i)]++;
}

/* Neighbours go to different tables, so that equal keys do not wait for each other's store. */
static void count_four(const struct histogram_state *s, uint32_t *t, int64_t lo, int64_t hi)
{
	uint32_t *t1 = t + s->bins, *t2 = t1 + s->bins, *t3 = t2 + s->bins;
	int64_t i = lo;

#define FOUR(KEY)                                                                              \
	for (; i + 4 <= hi; i += 4) {                                                          \
		t[KEY(i)]++;                                                                   \
		t1[KEY(i + 1)]++;                                                              \
		t2[KEY(i + 2)]++;                                                              \
		t3[KEY(i + 3)]++;                                                              \
	}
	if (s->p->dtype == DT_U8)
		FOUR(KEY8)
	else
		FOUR(KEY32)
#undef FOUR
	count_one(s, t, i, hi);
}

static void run_part(struct histogram_state *s, int thread)
{
	int64_t chunk = (s->n + s->p->threads - 1) / s->p->threads, lo = thread * chunk;
	uint32_t *t = s->tables + thread * HISTOGRAM_TABLES * s->bins;

	memset(t, 0, (size_t)(HISTOGRAM_TABLES * s->bins) * sizeof(*t));
	if (s->p->backend == BACKEND_SCALAR)
		count_one(s, t, MIN(lo, s->n), MIN(lo + chunk, s->n));
	else
		count_four(s, t, MIN(lo, s->n), MIN(lo + chunk, s->n));
}

static void add_tables(struct histogram_state *s)
{
	memset(s->counts, 0, (size_t)s->bins * sizeof(*s->counts));
	for (int t = 0; t < s->p->threads * HISTOGRAM_TABLES; t++)
		for (int64_t b = 0; b < s->bins; b++)
			s->counts[b] += s->tables[t * s->bins + b];
}

static void run(void *state, int64_t iterations)
{
	struct histogram_state *s = state;

	for (int64_t it = 0; it < iterations; it++) {
#pragma omp parallel for num_threads(s->p->threads) schedule(static, 1) if (s->p->threads > 1)
		for (int t = 0; t < s->p->threads; t++)
			run_part(s, t);
		add_tables(s);
	}
}

static int verify(void *state, struct proof *ret, struct error *err)
{
	const struct histogram_state *s = state;
	int64_t n_wrong = 0, total = 0;

	(void)err;
	for (int64_t b = 0; b < s->bins; b++) {
		n_wrong += s->counts[b] != s->expected[b];
		total += s->counts[b];
	}
	proof_claim(ret, "wrong bins", (double)n_wrong, 0);
	proof_claim(
		ret, "distance of the sum of all bins from n", (double)llabs(total - s->n), 0);
	ret->n_outputs = s->bins;
	proof_digest(ret, s->counts, (size_t)s->bins * sizeof(*s->counts));
	return OK;
}

#define HISTOGRAM_KERNEL(name, names, what, type)                                              \
	const struct kernel kernel_histogram_##name = {                                        \
		.id = "histogram." #name,                                                      \
		.aliases = names,                                                              \
		.title = what,                                                                 \
		.source = "each key read once; 4 tables a thread",                             \
		.dtypes = DT_BIT(type),                                                        \
		.default_dtype = type,                                                         \
		.n_dims = 1,                                                                   \
		.dims = "keys",                                                                \
		.dim_min = 1,                                                                  \
		.dim_max = 0xffffffff,                                                         \
		.sizes = sizes,                                                                \
		.options = options,                                                            \
		.work_unit = "keys",                                                           \
		.rate_unit = "Mkeys/s",                                                        \
		.rate_scale = 1e6,                                                             \
		.count = count,                                                                \
		.setup = setup,                                                                \
		.run = run,                                                                    \
		.poison = poison,                                                              \
		.verify = verify,                                                              \
		.free = free_state,                                                            \
	}

static const char *const names256[] = { "histo", NULL };
HISTOGRAM_KERNEL(256, names256, "how often each byte comes", DT_U8);
HISTOGRAM_KERNEL(4096, NULL, "how often each value of 12 bits comes", DT_U32);
