/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/stream.h"

#include <math.h>
#include "base/cleanup.h"
#include "kernels/code.h"
#include "kernels/host.h"
#include "kernels/input.h"
#include "kernels/mem.h"
#include "kernels/proof.h"

CODE_TABLES(stream);

static const struct named_size sizes[] = {
	{ "small", { 1 * MiB, 1, 1 } },
	{ "medium", { 64 * MiB, 1, 1 } },
	{ "large", { 1 * GiB, 1, 1 } },
	{ NULL, { 0 } },
};

static const char *const stores_names[] = { "auto", "cached", "streaming", NULL };
static const struct kernel_option options[] = {
	{ "stores", "through the caches or past them; auto: past them for large arrays",
		stores_names, 0, 0, 0 },
	{ NULL, NULL, NULL, 0, 0, 0 },
};

static enum stream_op op_of(const struct params *p);

static int64_t elements(const struct params *p)
{
	return p->dim[0] / dtype_bytes(p->dtype);
}

static void count(const struct params *p, struct counts *ret)
{
	static const double flops[] = { 0, 1, 1, 2, 2 }, arrays[] = { 2, 2, 3, 3, 2 };
	enum stream_op op = op_of(p);
	double n = (double)elements(p), w = (double)dtype_bytes(p->dtype);

	ret->flops = flops[op] * n;
	ret->bytes = arrays[op] * n * w;
	ret->write_allocate_bytes = op == STREAM_DOT ? 0 : n * w;
	ret->footprint_bytes = arrays[op] * n * w;
	ret->work = ret->bytes;
	ret->n_outputs = op == STREAM_DOT ? 1 : n;
}

static void free_state(void *state)
{
	struct stream_state *s = state;

	if (!s)
		return;
	mem_free(s->x);
	mem_free(s->y);
	mem_free(s->out);
	mem_free(s->partial);
	free(s);
}
DEFINE_CLEANUP(struct stream_state *, free_state)

static int make_arrays(struct stream_state *s, const struct params *p, struct error *err)
{
	size_t bytes = (size_t)s->n * (size_t)dtype_bytes(p->dtype);
	bool needs_y = s->op >= STREAM_ADD;
	int r = mem_new(&s->x, bytes, 0, err);

	if (r == OK && needs_y)
		r = mem_new(&s->y, bytes, 1, err);
	if (r == OK && s->op == STREAM_DOT)
		r = mem_new(&s->partial, (size_t)s->n_blocks * 8, 2, err);
	else if (r == OK)
		r = mem_new(&s->out, bytes, 2, err);
	if (r != OK)
		return r;
	input_fill(s->x, p->dtype, (size_t)s->n, input_key(p->seed, 0), 1, 1, p->threads);
	if (needs_y)
		input_fill(
			s->y, p->dtype, (size_t)s->n, input_key(p->seed, 1), 1, 1, p->threads);
	if (s->out)
		poison_fill(s->out, bytes, POISON_WORD, p->threads);
	return OK;
}

static int setup(const struct params *p, void **ret_state, struct error *err)
{
	_cleanup_(free_state)
	struct stream_state *s = xcalloc(1, sizeof(*s));
	struct counts c = { 0 };
	int r;

	s->p = p;
	s->op = op_of(p);
	s->n = elements(p);
	s->n_blocks = (s->n + STREAM_BLOCK - 1) / STREAM_BLOCK;
	s->code = CODE_PICK(stream, p);
	count(p, &c);
	s->is_nontemporal =
		params_option(p, "stores") == 2 ||
		(params_option(p, "stores") == 0 &&
			c.footprint_bytes > (double)host_stream_threshold(p->threads));
	r = make_arrays(s, p, err);
	if (r != OK)
		return r;
	*ret_state = TAKE(s);
	return OK;
}

/* --- run ---------------------------------------------------------------------------------- */

/* The part [*lo, *hi) of thread t, cut at cache lines. */
static void part_of(const struct stream_state *s, int t, int n_threads, size_t *lo, size_t *hi)
{
	size_t n = (size_t)s->n, chunk = (n / (size_t)n_threads + 63) / 64 * 64;

	*lo = MIN(n, chunk * (size_t)t);
	*hi = t == n_threads - 1 ? n : MIN(n, chunk * (size_t)(t + 1));
}

static void run_part(struct stream_state *s, int t, int n_threads)
{
	size_t w = (size_t)dtype_bytes(s->p->dtype), lo, hi;

	part_of(s, t, n_threads, &lo, &hi);
	s->code->map[s->op]((char *)s->out + lo * w, (char *)s->x + lo * w,
		s->y ? (char *)s->y + lo * w : NULL, hi - lo, s->is_nontemporal);
}

static void run_map(struct stream_state *s)
{
	int n_threads = s->p->threads;

	if (n_threads == 1) {
		run_part(s, 0, 1);
		return;
	}
#pragma omp parallel for num_threads(n_threads) schedule(static, 1)
	for (int t = 0; t < n_threads; t++)
		run_part(s, t, n_threads);
}

static void dot_block(struct stream_state *s, int64_t b)
{
	size_t w = (size_t)dtype_bytes(s->p->dtype), lo = (size_t)b * STREAM_BLOCK;

	s->code->dot_block((char *)s->partial + (size_t)b * w, (char *)s->x + lo * w,
		(char *)s->y + lo * w, MIN(STREAM_BLOCK, (size_t)s->n - lo));
}

/* Sum of the blocks' sums [lo, hi) as a balanced tree. */
static double tree(const struct stream_state *s, int64_t lo, int64_t hi)
{
	int64_t mid = lo + (hi - lo) / 2;
	double sum;

	if (hi - lo == 1)
		return real_get(s->partial, s->p->dtype, (size_t)lo);
	sum = tree(s, lo, mid) + tree(s, mid, hi);
	return s->p->dtype == DT_F32 ? (double)(float)sum : sum;
}

static void run_dot(struct stream_state *s)
{
	if (s->p->threads == 1) {
		for (int64_t b = 0; b < s->n_blocks; b++)
			dot_block(s, b);
	} else {
#pragma omp parallel for num_threads(s->p->threads) schedule(static)
		for (int64_t b = 0; b < s->n_blocks; b++)
			dot_block(s, b);
	}
	s->dot = tree(s, 0, s->n_blocks);
}

static void run(void *state, int64_t iterations)
{
	struct stream_state *s = state;

	for (int64_t k = 0; k < iterations; k++)
		if (s->op == STREAM_DOT)
			run_dot(s);
		else
			run_map(s);
}

static void poison(void *state)
{
	struct stream_state *s = state;

	s->dot = NAN;
	if (s->out)
		poison_fill(s->out, (size_t)(s->n * dtype_bytes(s->p->dtype)), POISON_WORD,
			s->p->threads);
}

/* --- proof -------------------------------------------------------------------------------- */

/* Error of element i in units of its limit, from the inputs made anew. Copy, scale and add
 * are one rounding: exact on the CPU, 1 ulp on a GPU, whose rounding mode is open. Triad may be
 * fused or not: eps (|s y| + |result|) covers both (docs: tolerances of STREAM). */
static double element_error(const struct stream_state *s, uint64_t kx, uint64_t ky, size_t i)
{
	enum dtype d = s->p->dtype;
	double eps = dtype_eps(d), x = input_real(d, kx, i, 1, 1);
	double y = s->y ? input_real(d, ky, i, 1, 1) : 0, out = real_get(s->out, d, i), want;

	want = s->op == STREAM_COPY    ? x
	       : s->op == STREAM_SCALE ? STREAM_SCALAR * x
	       : s->op == STREAM_ADD   ? x + y
				       : x + STREAM_SCALAR * y;
	if (d == DT_F32)
		want = (double)(float)want;
	if (s->op == STREAM_COPY)
		return out == want ? 0 : INFINITY;
	if (s->op == STREAM_TRIAD)
		return fabs(out - want) / (eps * (fabs(STREAM_SCALAR * y) + fabs(want)));
	if (s->p->backend == BACKEND_VULKAN)
		return fabs(out - want) / (eps * fabs(want));
	return out == want ? 0 : INFINITY;
}

static void verify_map(const struct stream_state *s, struct proof *ret)
{
	uint64_t kx = input_key(s->p->seed, 0), ky = input_key(s->p->seed, 1);
	double worst = 0;
	int64_t n_bad = 0;

#pragma omp parallel for num_threads(s->p->threads) schedule(static) reduction(max : worst) \
	reduction(+ : n_bad)
	for (int64_t i = 0; i < s->n; i++) {
		double e = element_error(s, kx, ky, (size_t)i);

		worst = e > worst ? e : worst;
		n_bad += !(e <= 1);
	}
	proof_claim(ret, "elements out of tolerance", (double)n_bad, 0);
	proof_claim(ret, "largest error / tolerance", worst, 1);
	ret->n_outputs = s->n;
	proof_digest(ret, s->out, (size_t)(s->n * dtype_bytes(s->p->dtype)));
}

/* Sum and sum of magnitudes in long double, from the inputs made anew. The limit is the depth
 * of the sum: serial adds inside a block, then levels of the tree (Higham 2002, ch. 4). */
static void verify_dot(const struct stream_state *s, struct proof *ret)
{
	uint64_t kx = input_key(s->p->seed, 0), ky = input_key(s->p->seed, 1);
	enum dtype d = s->p->dtype;
	long double sum = 0;
	double depth = STREAM_BLOCK / 8. + 16 + log2((double)s->n_blocks);

#pragma omp parallel for num_threads(s->p->threads) schedule(static) reduction(+ : sum)
	for (int64_t i = 0; i < s->n; i++)
		sum += (long double)input_real(d, kx, (size_t)i, 1, 1) *
		       (long double)input_real(d, ky, (size_t)i, 1, 1);
	proof_claim(ret, "relative error of the sum",
		(double)fabsl((long double)s->dot - sum) / (double)sum, depth * dtype_eps(d));
	ret->n_outputs = 1;
	proof_digest(ret, &s->dot, sizeof(s->dot));
}

static int verify(void *state, struct proof *ret, struct error *err)
{
	const struct stream_state *s = state;

	(void)err;
	if (s->op == STREAM_DOT)
		verify_dot(s, ret);
	else
		verify_map(s, ret);
	return OK;
}

/* --- records ------------------------------------------------------------------------------ */

#define STREAM_KERNEL(name, names, what)                                                       \
	const struct kernel kernel_stream_##name = {                                           \
		.id = "stream." #name,                                                         \
		.aliases = names,                                                              \
		.title = what,                                                                 \
		.source = "McCalpin 1995, STREAM",                                             \
		.dtypes = DT_REALS,                                                            \
		.default_dtype = DT_F64,                                                       \
		.n_dims = 1,                                                                   \
		.dims = "bytes of each array",                                                 \
		.dim_min = 64,                                                                 \
		.dim_max = 64 * GiB,                                                           \
		.sizes = sizes,                                                                \
		.options = options,                                                            \
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

static const char *const copy_names[] = { "copy", "babelstream.copy", "copy_storage_buffer",
	"global_memory_bandwidth", "devicememory", NULL };
static const char *const scale_names[] = { "stream.mul", "scale", "mul", "babelstream.mul",
	NULL };
static const char *const add_names[] = { "add", "babelstream.add", NULL };
static const char *const triad_names[] = { "triad", "babelstream.triad", NULL };
static const char *const dot_names[] = { "dot", "stream.reduce", "babelstream.dot", NULL };

STREAM_KERNEL(copy, copy_names, "out = x");
STREAM_KERNEL(scale, scale_names, "out = 3 x");
STREAM_KERNEL(add, add_names, "out = x + y");
STREAM_KERNEL(triad, triad_names, "out = x + 3 y");
STREAM_KERNEL(dot, dot_names, "sum of x y");

static enum stream_op op_of(const struct params *p)
{
	const struct kernel *const order[] = { &kernel_stream_copy, &kernel_stream_scale,
		&kernel_stream_add, &kernel_stream_triad, &kernel_stream_dot };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (order[i] == p->kernel)
			return (enum stream_op)i;
	abort();
}
