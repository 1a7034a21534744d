/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/reduce.h"

#include <math.h>
#include "base/cleanup.h"
#include "kernels/code.h"
#include "kernels/input.h"
#include "kernels/mem.h"
#include "kernels/proof.h"

CODE_TABLES(reduce);

static const struct named_size sizes[] = {
	{ "small", { 1 << 20, 1, 1 } },
	{ "medium", { 1 << 24, 1, 1 } },
	{ "large", { (1 << 28) - 1, 1, 1 } },
	{ NULL, { 0 } },
};

static enum reduce_op op_of(const struct params *p);

static void count(const struct params *p, struct counts *ret)
{
	double n = (double)p->dim[0], w = (double)dtype_bytes(p->dtype);

	ret->flops = op_of(p) == REDUCE_SUM && p->dtype != DT_I32 ? n - 1 : 0;
	ret->bytes = n * w;
	ret->write_allocate_bytes = 0;
	ret->footprint_bytes = n * w;
	ret->work = n * w;
	ret->n_outputs = op_of(p) == REDUCE_ARGMAX ? 2 : 1;
}

/* Element i as the array holds it. */
static double element(const struct params *p, uint64_t key, int64_t i)
{
	if (p->dtype == DT_I32)
		return (double)(int64_t)(input_bits(key, (uint64_t)i) % 15) - 7;
	return input_real(p->dtype, key, (uint64_t)i, -1, 2);
}

static void free_state(void *state)
{
	struct reduce_state *s = state;

	if (!s)
		return;
	mem_free(s->x);
	free(s->partial);
	free(s);
}
DEFINE_CLEANUP(struct reduce_state *, free_state)

static void poison(void *state)
{
	((struct reduce_state *)state)->result = (struct reduce_result){ NAN, -1 };
}

static void fill(struct reduce_state *s)
{
	uint64_t key = input_key(s->p->seed, 0);

	if (s->p->dtype != DT_I32) {
		input_fill(s->x, s->p->dtype, (size_t)s->n, key, -1, 2, s->p->threads);
		return;
	}
#pragma omp parallel for num_threads(s->p->threads) schedule(static)
	for (int64_t i = 0; i < s->n; i++)
		((int32_t *)s->x)[i] = (int32_t)element(s->p, key, i);
}

static int setup(const struct params *p, void **ret_state, struct error *err)
{
	_cleanup_(free_state)
	struct reduce_state *s = xcalloc(1, sizeof(*s));
	int r;

	s->p = p;
	s->op = op_of(p);
	s->n = p->dim[0];
	s->n_blocks = (s->n + REDUCE_BLOCK - 1) / REDUCE_BLOCK;
	s->partial = xcalloc((size_t)s->n_blocks, sizeof(*s->partial));
	s->code = CODE_PICK(reduce, p);
	r = mem_new(&s->x, (size_t)(s->n * dtype_bytes(p->dtype)), 0, err);
	if (r != OK)
		return r;
	fill(s);
	poison(s);
	*ret_state = TAKE(s);
	return OK;
}

/* --- run ---------------------------------------------------------------------------------- */

static void reduce_block(struct reduce_state *s, int64_t b)
{
	reduce_fn *const *f = s->p->dtype == DT_I32 ? s->code->whole : s->code->real;
	int64_t lo = b * REDUCE_BLOCK;

	f[s->op](&s->partial[b].value, (char *)s->x + lo * dtype_bytes(s->p->dtype),
		(size_t)MIN(REDUCE_BLOCK, s->n - lo));
	s->partial[b].index = b;
}

static struct reduce_result combine(
	const struct reduce_state *s, struct reduce_result a, struct reduce_result b)
{
	if (s->op == REDUCE_SUM) {
		a.value += b.value;
		if (s->p->dtype == DT_F32)
			a.value = (double)(float)a.value;
	} else if (s->op == REDUCE_MIN ? b.value < a.value : b.value > a.value) {
		a = b; /* of equal ones the first stays */
	}
	return a;
}

static struct reduce_result tree(const struct reduce_state *s, int64_t lo, int64_t hi)
{
	int64_t mid = lo + (hi - lo) / 2;

	if (hi - lo == 1)
		return s->partial[lo];
	return combine(s, tree(s, lo, mid), tree(s, mid, hi));
}

/* First place of the value in the block that the index names. */
static int64_t find(const struct reduce_state *s, struct reduce_result r)
{
	int64_t lo = r.index * REDUCE_BLOCK;
	const char *x = (const char *)s->x + lo * dtype_bytes(s->p->dtype);

	return lo + (int64_t)(s->p->dtype == DT_I32 ? s->code->find_whole(x, r.value)
						    : s->code->find_real(x, r.value));
}

static void run(void *state, int64_t iterations)
{
	struct reduce_state *s = state;

	for (int64_t k = 0; k < iterations; k++) {
		if (s->p->threads == 1) {
			for (int64_t b = 0; b < s->n_blocks; b++)
				reduce_block(s, b);
		} else {
#pragma omp parallel for num_threads(s->p->threads) schedule(static)
			for (int64_t b = 0; b < s->n_blocks; b++)
				reduce_block(s, b);
		}
		s->result = tree(s, 0, s->n_blocks);
		s->result.index = s->op == REDUCE_ARGMAX ? find(s, s->result) : 0;
	}
}

/* --- proof -------------------------------------------------------------------------------- */

/* Sum with one correction (Neumaier 1974) and sum of magnitudes, least value, first place of
 * the largest. */
struct truth {
	double sum, rest, magnitude, least, most;
	int64_t at;
};

static void add(struct truth *t, double v, int64_t i)
{
	double s = t->sum + v;

	t->rest += fabs(t->sum) >= fabs(v) ? (t->sum - s) + v : (v - s) + t->sum;
	t->sum = s;
	t->magnitude += fabs(v);
	t->least = fmin(t->least, v);
	if (v > t->most) {
		t->most = v;
		t->at = i;
	}
}

static void find_truth(const struct reduce_state *s, struct truth *ret)
{
	uint64_t key = input_key(s->p->seed, 0);

	*ret = (struct truth){ .least = INFINITY, .most = -INFINITY };
	for (int64_t i = 0; i < s->n; i++)
		add(ret, element(s->p, key, i), i);
}

/* Limit of a sum: its depth times eps times the sum of magnitudes; on a GPU 16 serial adds and
 * the levels of its trees (Higham 2002, ch. 4). */
static double sum_limit(const struct reduce_state *s, const struct truth *t)
{
	double depth = REDUCE_BLOCK / 64. + 16 + log2((double)s->n);

	if (s->p->dtype == DT_I32)
		return 0;
	return depth / 2 * dtype_eps(s->p->dtype) * t->magnitude;
}

static int verify(void *state, struct proof *ret, struct error *err)
{
	const struct reduce_state *s = state;
	struct truth t;

	(void)err;
	find_truth(s, &t);
	if (s->op == REDUCE_SUM)
		proof_claim(ret, "error of the sum", fabs(s->result.value - (t.sum + t.rest)),
			sum_limit(s, &t));
	if (s->op == REDUCE_MIN)
		proof_claim(
			ret, "error of the least value", fabs(s->result.value - t.least), 0);
	if (s->op == REDUCE_ARGMAX) {
		proof_claim(
			ret, "error of the largest value", fabs(s->result.value - t.most), 0);
		proof_claim(ret, "distance from its first place",
			(double)llabs(s->result.index - t.at), 0);
	}
	ret->n_outputs = s->op == REDUCE_ARGMAX ? 2 : 1;
	proof_digest(ret, &s->result, sizeof(s->result));
	return OK;
}

/* --- records ------------------------------------------------------------------------------ */

#define REDUCE_KERNEL(name, names, what)                                                       \
	const struct kernel kernel_reduce_##name = {                                           \
		.id = "reduce." #name,                                                         \
		.aliases = names,                                                              \
		.title = what,                                                                 \
		.source = "blocks, then a balanced tree",                                      \
		.dtypes = DT_REALS | DT_BIT(DT_I32),                                           \
		.default_dtype = DT_F64,                                                       \
		.n_dims = 1,                                                                   \
		.dims = "elements",                                                            \
		.dim_min = 2,                                                                  \
		.dim_max = 1LL << 36,                                                          \
		.sizes = sizes,                                                                \
		.work_unit = "B",                                                              \
		.rate_unit = "GB/s",                                                           \
		.rate_scale = 1e9,                                                             \
		.check = check,                                                                \
		.count = count,                                                                \
		.setup = setup,                                                                \
		.run = run,                                                                    \
		.poison = poison,                                                              \
		.verify = verify,                                                              \
		.free = free_state,                                                            \
	}

static int check(const struct params *p, struct error *err)
{
	if (p->dtype == DT_I32 && op_of(p) == REDUCE_SUM && p->dim[0] >= 1 << 28)
		return error_set_field(err, E_UNPROCESSABLE, "size",
			"a sum of i32 over more than 2^28 - 1 elements may overflow");
	return OK;
}

static const char *const sum_names[] = { "sum", "reduction", "tree_reduce", "atomic_reduce",
	"one_workgroup_reduce", NULL };
static const char *const min_names[] = { "min", NULL };
static const char *const argmax_names[] = { "argmax", NULL };

REDUCE_KERNEL(sum, sum_names, "sum of all elements");
REDUCE_KERNEL(min, min_names, "least element");
REDUCE_KERNEL(argmax, argmax_names, "first place of the largest element");

static enum reduce_op op_of(const struct params *p)
{
	return p->kernel == &kernel_reduce_sum	 ? REDUCE_SUM
	       : p->kernel == &kernel_reduce_min ? REDUCE_MIN
						 : REDUCE_ARGMAX;
}
