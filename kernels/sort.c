/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/sort.h"

#include <string.h>
#include "base/cleanup.h"
#include "kernels/code.h"
#include "kernels/input.h"
#include "kernels/mem.h"
#include "kernels/proof.h"

CODE_TABLES(sort);

static const struct named_size sizes[] = {
	{ "small", { 1 << 16, 1, 1 } },
	{ "medium", { 1 << 22, 1, 1 } },
	{ "large", { 1 << 25, 1, 1 } },
	{ NULL, { 0 } },
};

static const char *const what_names[] = { "keys", "pairs", NULL };
static const struct kernel_option options[] = {
	{ "what", "keys alone, or keys that carry a 32-bit value", what_names, 0, 0, 0 },
	{ NULL, NULL, NULL, 0, 0, 0 },
};

/* One reading for all histograms, then each pass reads and writes. */
static void count(const struct params *p, struct counts *ret)
{
	double n = (double)p->dim[0], w = (double)dtype_bytes(p->dtype);
	double value = params_option(p, "what") == 1 ? 4 : 0;

	ret->flops = 0;
	ret->bytes = n * (w + 2 * w * (w + value));
	ret->write_allocate_bytes = n * w * (w + value);
	ret->footprint_bytes = n * (3 * w + 2 * value);
	ret->work = n;
	ret->n_outputs = n;
}

static void free_state(void *state)
{
	struct sort_state *s = state;

	if (!s)
		return;
	mem_free(s->in);
	mem_free(s->out);
	mem_free(s->spare);
	mem_free(s->out_values);
	mem_free(s->spare_values);
	free(s->counts);
	free(s);
}
DEFINE_CLEANUP(struct sort_state *, free_state)

static size_t array_bytes(const struct sort_state *s)
{
	return (size_t)(s->n * dtype_bytes(s->p->dtype));
}

/* Poisoned keys are all equal: no such multiset was put in. */
static void poison(void *state)
{
	struct sort_state *s = state;

	poison_fill(s->out, array_bytes(s), POISON_WORD, s->p->threads);
	if (s->has_values)
		poison_fill(s->out_values, (size_t)s->n * 4, 0xffffffff, s->p->threads);
}

static uint64_t element(const struct params *p, uint64_t key, int64_t i)
{
	uint64_t v = input_bits(key, (uint64_t)i);

	return p->dtype == DT_U32 ? v >> 32 : v;
}

static void fill(struct sort_state *s)
{
	uint64_t key = input_key(s->p->seed, 0);

#pragma omp parallel for num_threads(s->p->threads) schedule(static)
	for (int64_t i = 0; i < s->n; i++)
		if (s->p->dtype == DT_U32)
			((uint32_t *)s->in)[i] = (uint32_t)element(s->p, key, i);
		else
			((uint64_t *)s->in)[i] = element(s->p, key, i);
}

static int make_arrays(struct sort_state *s, struct error *err)
{
	int r = mem_new(&s->in, array_bytes(s), 0, err);

	if (r == OK)
		r = mem_new(&s->out, array_bytes(s), 1, err);
	if (r == OK)
		r = mem_new(&s->spare, array_bytes(s), 2, err);
	if (r == OK && s->has_values)
		r = mem_new((void **)&s->out_values, (size_t)s->n * 4, 4, err);
	if (r == OK && s->has_values)
		r = mem_new((void **)&s->spare_values, (size_t)s->n * 4, 5, err);
	return r;
}

static int setup(const struct params *p, void **ret_state, struct error *err)
{
	_cleanup_(free_state)
	struct sort_state *s = xcalloc(1, sizeof(*s));
	int r;

	*s = (struct sort_state){ .p = p,
		.n = p->dim[0],
		.code = CODE_PICK(sort, p),
		.has_values = params_option(p, "what") == 1,
		.passes = (int)dtype_bytes(p->dtype) };
	s->counts = xcalloc(
		(size_t)(p->threads * (s->passes + 1) * SORT_DIGITS), sizeof(*s->counts));
	r = make_arrays(s, err);
	if (r != OK)
		return r;
	fill(s);
	poison(s);
	*ret_state = TAKE(s);
	return OK;
}

/* --- run ---------------------------------------------------------------------------------- */

static int64_t share(const struct sort_state *s, int thread)
{
	return s->n * thread / s->p->threads;
}

/* Counts of a thread: a histogram for each pass, then places. */
static int64_t *counts_of(const struct sort_state *s, int thread)
{
	return s->counts + (int64_t)thread * (s->passes + 1) * SORT_DIGITS;
}

/* From the counts of all threads to each one's first place of each digit. */
static void make_places(const struct sort_state *s, int pass)
{
	int64_t at = 0;

	for (int d = 0; d < SORT_DIGITS; d++)
		for (int t = 0; t < s->p->threads; t++) {
			int64_t *counts = counts_of(s, t);

			counts[s->passes * SORT_DIGITS + d] = at;
			at += counts[pass * SORT_DIGITS + d];
		}
}

static void count_all(const struct sort_state *s, const void *keys)
{
#pragma omp parallel for num_threads(s->p->threads) schedule(static, 1) if (s->p->threads > 1)
	for (int t = 0; t < s->p->threads; t++) {
		int64_t *counts = counts_of(s, t);

		memset(counts, 0, (size_t)(s->passes * SORT_DIGITS) * sizeof(*counts));
		s->code->count(counts, keys, share(s, t), share(s, t + 1));
	}
}

static void scatter_all(const struct sort_state *s, struct sort_pass p)
{
#pragma omp parallel for num_threads(s->p->threads) schedule(static, 1) if (s->p->threads > 1)
	for (int t = 0; t < s->p->threads; t++) {
		struct sort_pass mine = p;

		mine.lo = share(s, t);
		mine.hi = share(s, t + 1);
		mine.at = counts_of(s, t) + s->passes * SORT_DIGITS;
		s->code->scatter(&mine);
	}
}

/* The number of passes is even: spare, out, ..., out. A thread's share of the keys changes with
 * every pass, so several threads count again. */
static void sort_once(const struct sort_state *s)
{
	struct sort_pass p = { .keys = s->in };

	count_all(s, s->in);
	for (int pass = 0; pass < s->passes; pass++) {
		bool to_out = pass % 2 == 1;

		if (pass > 0 && s->p->threads > 1)
			count_all(s, p.keys);
		make_places(s, pass);
		p.out = to_out ? s->out : s->spare;
		p.out_values = to_out ? s->out_values : s->spare_values;
		p.shift = 8 * pass;
		scatter_all(s, p);
		p.keys = p.out;
		p.values = p.out_values;
	}
}

static void run(void *state, int64_t iterations)
{
	for (int64_t it = 0; it < iterations; it++)
		sort_once(state);
}

/* --- proof -------------------------------------------------------------------------------- */

/* Sum, xor and a mixed sum tell multisets apart. */
struct multiset {
	uint64_t sum, folded, mixed;
};

static void add(struct multiset *m, uint64_t v)
{
	m->sum += v;
	m->folded ^= v;
	m->mixed += rng_mix(v + 0x9E3779B97F4A7C15ULL);
}

static uint64_t key_at(const struct sort_state *s, int64_t i)
{
	return s->p->dtype == DT_U32 ? ((const uint32_t *)s->out)[i]
				     : ((const uint64_t *)s->out)[i];
}

/* Pairs: the value names the place its key came from, and grows among equal keys. */
static int64_t count_wrong_values(const struct sort_state *s, uint64_t key)
{
	int64_t n = 0;

	for (int64_t i = 0; s->has_values && i < s->n; i++) {
		uint32_t from = s->out_values[i];

		n += from >= s->n || element(s->p, key, from) != key_at(s, i) ||
		     (i > 0 && key_at(s, i - 1) == key_at(s, i) &&
			     s->out_values[i - 1] >= from);
	}
	return n;
}

static int verify(void *state, struct proof *ret, struct error *err)
{
	const struct sort_state *s = state;
	uint64_t key = input_key(s->p->seed, 0);
	struct multiset in = { 0 }, out = { 0 };
	int64_t n_unsorted = 0;

	(void)err;
	for (int64_t i = 0; i < s->n; i++) {
		add(&in, element(s->p, key, i));
		add(&out, key_at(s, i));
		n_unsorted += i > 0 && key_at(s, i - 1) > key_at(s, i);
	}
	proof_claim(ret, "keys out of order", (double)n_unsorted, 0);
	proof_claim(ret, "difference of sum, xor and mixed sum of the keys",
		(double)(in.sum != out.sum) + (double)(in.folded != out.folded) +
			(double)(in.mixed != out.mixed),
		0);
	proof_claim(ret, "values that are wrong or out of order",
		(double)count_wrong_values(s, key), 0);
	ret->n_outputs = s->n;
	proof_digest(ret, s->out, array_bytes(s));
	return OK;
}

static const char *const names[] = { "sort", "radixsort", "hybridsort", NULL };

const struct kernel kernel_sort_radix = {
	.id = "sort.radix",
	.aliases = names,
	.title = "radix sort, 8 bits a pass",
	.source = "Knuth, TAOCP 3, 5.2.5; all histograms in one reading",
	.dtypes = DT_BIT(DT_U32) | DT_BIT(DT_U64),
	.default_dtype = DT_U32,
	.n_dims = 1,
	.dims = "keys",
	.dim_min = 2,
	.dim_max = 1LL << 31,
	.sizes = sizes,
	.options = options,
	.work_unit = "keys",
	.rate_unit = "Mkeys/s",
	.rate_scale = 1e6,
	.count = count,
	.setup = setup,
	.run = run,
	.poison = poison,
	.verify = verify,
	.free = free_state,
};
