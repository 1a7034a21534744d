/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/gemm.h"

#include <math.h>
#include "base/cleanup.h"
#include "kernels/code.h"
#include "kernels/host.h"
#include "kernels/input.h"
#include "kernels/mem.h"
#include "kernels/omp.h"
#include "kernels/proof.h"

CODE_TABLES(gemm);

static const struct named_size sizes[] = {
	{ "small", { 128, 128, 128 } },
	{ "medium", { 1024, 1024, 1024 } },
	{ "large", { 4096, 4096, 4096 } },
	{ "tiny", { 64, 64, 64 } },
	{ NULL, { 0 } },
};

static const char *const input_names[] = { "random", "integer", NULL };
static const char *const operands_names[] = { "same", "f16", NULL };
static const struct kernel_option options[] = {
	{ "input", "uniform in [-1, 1), or whole numbers whose result is exact", input_names, 0,
		0, 0 },
	{ "alpha", "factor of A B", NULL, -8, 8, 1 },
	{ "beta", "factor of C", NULL, -8, 8, 0 },
	{ "operands", "A and B of the dtype, or rounded to f16 (f32; sums stay f32)",
		operands_names, 0, 0, 0 },
	{ NULL, NULL, NULL, 0, 0, 0 },
};

bool gemm_is_half(const struct params *p)
{
	return params_option(p, "operands") == 1;
}

static void count(const struct params *p, struct counts *ret)
{
	double m = (double)p->dim[0], n = (double)p->dim[1], k = (double)p->dim[2];
	double w = (double)dtype_bytes(p->dtype), beta = params_option(p, "beta") != 0;

	double operand = p->backend == BACKEND_VULKAN && gemm_is_half(p) ? 2 : w;

	ret->flops = 2 * m * n * k + 3 * beta * m * n;
	ret->bytes = operand * (m * k + k * n) + w * (1 + beta) * m * n;
	ret->write_allocate_bytes = w * m * n;
	ret->footprint_bytes = ret->bytes;
	ret->work = ret->flops;
	ret->n_outputs = m * n;
}

/* Whole numbers stay exact while 64 k times alpha and beta fits the mantissa. */
static int check(const struct params *p, struct error *err)
{
	double most = (64 * (double)p->dim[2] + 8) * 8;

	if (gemm_is_half(p) && p->dtype != DT_F32)
		return error_set_field(err, E_UNPROCESSABLE, "operands",
			"operands of f16 are for sums in f32, not in %s", dtype_name(p->dtype));
	if (params_option(p, "input") == 1 && most > (p->dtype == DT_F32 ? 0x1p24 : 0x1p53))
		return error_set_field(err, E_UNPROCESSABLE, "input",
			"whole numbers are not exact for this k in %s; use --input random",
			dtype_name(p->dtype));
	return OK;
}

/* --- input -------------------------------------------------------------------------------- */

/* To 11 significant bits; what is too small for a normal f16 becomes 0, since a device may do
 * that too. */
static double round_half(double v)
{
	int exponent;

	frexp(v, &exponent);
	return exponent < -13 ? 0 : ldexp(rint(ldexp(v, 11 - exponent)), exponent - 11);
}

uint16_t gemm_pack_half(double v)
{
	int exponent, sign = signbit(v) ? 1 << 15 : 0;
	double mantissa = frexp(fabs(v), &exponent); /* [0.5, 1) */

	if (v == 0)
		return 0;
	return (uint16_t)(sign | (exponent + 14) << 10 | ((int)(mantissa * 2048) & 1023));
}

static double entry(const struct params *p, unsigned array, int64_t i)
{
	uint64_t key = input_key(p->seed, array);
	double v;

	if (params_option(p, "input") == 1)
		return (double)(int64_t)(input_bits(key, (uint64_t)i) % 17) - 8;
	v = input_real(p->dtype, key, (uint64_t)i, -1, 2);
	return gemm_is_half(p) && array < 2 ? round_half(v) : v;
}

static void fill(const struct params *p, void *a, unsigned array, int64_t n)
{
	bool is_plain = params_option(p, "input") == 0 && !gemm_is_half(p);

	if (is_plain) {
		input_fill(
			a, p->dtype, (size_t)n, input_key(p->seed, array), -1, 2, p->threads);
		return;
	}
	for (int64_t i = 0; i < n; i++)
		real_set(a, p->dtype, (size_t)i, entry(p, array, i));
}

static void free_state(void *state)
{
	struct gemm_state *s = state;

	if (!s)
		return;
	mem_free(s->a);
	mem_free(s->b);
	mem_free(s->c);
	mem_free(s->out);
	mem_free(s->packed_a);
	mem_free(s->packed_b);
	free(s);
}
DEFINE_CLEANUP(struct gemm_state *, free_state)

static void poison(void *state)
{
	struct gemm_state *s = state;

	poison_fill(s->out, (size_t)(s->m * s->n * dtype_bytes(s->p->dtype)), POISON_WORD,
		s->p->threads);
}

static int64_t round_up(int64_t v, int64_t to)
{
	return (v + to - 1) / to * to;
}

/* A panel of B fills most of L1, a block of A at most half of L2; blocks are of one size and as
 * many for each thread. */
static int make_blocks(struct gemm_state *s, struct error *err)
{
	int64_t w = dtype_bytes(s->p->dtype), mr = s->code->mr, nr = s->code->nr;
	const struct host *h = host_get();
	int64_t kc, rows, blocks;
	int r;

	if (mr == 0)
		return OK;
	kc = MAX(64, h->l1d_bytes * 9 / 10 / (nr * w) / 8 * 8);
	s->kc = round_up((s->k + (s->k + kc - 1) / kc - 1) / ((s->k + kc - 1) / kc), 8);
	rows = MAX(mr, h->l2_bytes / 2 / (s->kc * w));
	blocks = round_up((s->m + rows - 1) / rows, s->p->threads);
	s->mc = round_up((s->m + blocks - 1) / blocks, mr);
	s->nc = MIN(round_up(s->n, nr), round_up(4096, nr));
	s->packed_a_bytes = round_up(s->mc * s->kc * w, 4096);
	r = mem_new(&s->packed_a, (size_t)(s->packed_a_bytes * s->p->threads), 4, err);
	if (r == OK)
		r = mem_new(&s->packed_b, (size_t)(s->nc * s->kc * w), 5, err);
	return r;
}

static int make_arrays(struct gemm_state *s, struct error *err)
{
	int64_t w = dtype_bytes(s->p->dtype);
	int r = mem_new(&s->a, (size_t)(s->m * s->k * w), 0, err);

	if (r == OK)
		r = mem_new(&s->b, (size_t)(s->k * s->n * w), 1, err);
	if (r == OK && s->beta != 0)
		r = mem_new(&s->c, (size_t)(s->m * s->n * w), 2, err);
	if (r == OK)
		r = mem_new(&s->out, (size_t)(s->m * s->n * w), 3, err);
	return r;
}

static int setup(const struct params *p, void **ret_state, struct error *err)
{
	_cleanup_(free_state)
	struct gemm_state *s = xcalloc(1, sizeof(*s));
	int r;

	s->p = p;
	s->m = p->dim[0];
	s->n = p->dim[1];
	s->k = p->dim[2];
	s->alpha = (double)params_option(p, "alpha");
	s->beta = (double)params_option(p, "beta");
	s->code = CODE_PICK(gemm, p);
	r = make_arrays(s, err);
	if (r == OK)
		r = make_blocks(s, err);
	if (r != OK)
		return r;
	fill(p, s->a, 0, s->m * s->k);
	fill(p, s->b, 1, s->k * s->n);
	if (s->c)
		fill(p, s->c, 2, s->m * s->n);
	poison(s);
	*ret_state = TAKE(s);
	return OK;
}

/* --- run ---------------------------------------------------------------------------------- */

#define AT(array, i) ((char *)s->array + (i)*dtype_bytes(s->p->dtype))

/* Block of mc rows from i, of the panel of nc columns from j and the kc terms from l. */
static void multiply_block(
	const struct gemm_state *s, int64_t i, int64_t j, int64_t l, int thread)
{
	int64_t m = MIN(s->mc, s->m - i), n = MIN(s->nc, s->n - j), k = MIN(s->kc, s->k - l);
	int64_t w = dtype_bytes(s->p->dtype), mr = s->code->mr, nr = s->code->nr;
	char *a = (char *)s->packed_a + thread * s->packed_a_bytes, *b = s->packed_b;
	struct gemm_tile t = {
		.pitch = s->n, .k = k, .alpha = s->alpha, .beta = s->beta, .is_first = l == 0
	};

	s->code->pack_a(a, AT(a, i * s->k + l), s->k, m, k);
	for (int64_t jr = 0; jr < n; jr += nr)
		for (int64_t ir = 0; ir < m; ir += mr) {
			int64_t at = (i + ir) * s->n + j + jr;

			t.out = AT(out, at);
			t.c = s->c ? AT(c, at) : NULL;
			t.m = MIN(mr, m - ir);
			t.n = MIN(nr, n - jr);
			s->code->tile(&t, a + ir * k * w, b + jr * k * w);
		}
}

/* The threads pack a panel of B together, then take blocks of A. */
static void multiply_panel(const struct gemm_state *s, int64_t j, int64_t l)
{
	int64_t n = MIN(s->nc, s->n - j), k = MIN(s->kc, s->k - l), nr = s->code->nr;
	int64_t w = dtype_bytes(s->p->dtype);

#pragma omp for schedule(static)
	for (int64_t jr = 0; jr < n; jr += nr)
		s->code->pack_b((char *)s->packed_b + jr * k * w, AT(b, l * s->n + j + jr),
			s->n, k, MIN(nr, n - jr));
#pragma omp for schedule(dynamic, 1)
	for (int64_t i = 0; i < s->m; i += s->mc)
		multiply_block(s, i, j, l, omp_get_thread_num());
}

static void multiply(const struct gemm_state *s)
{
#pragma omp parallel num_threads(s->p->threads) if (s->p->threads > 1)
	for (int64_t j = 0; j < s->n; j += s->nc)
		for (int64_t l = 0; l < s->k; l += s->kc)
			multiply_panel(s, j, l);
}

static void run(void *state, int64_t iterations)
{
	const struct gemm_state *s = state;

	for (int64_t it = 0; it < iterations; it++)
		if (s->code->mr == 0)
			s->code->plain(s, 0, s->m);
		else
			multiply(s);
}

/* --- proof -------------------------------------------------------------------------------- */

enum { VECTORS = 20 };

/* y = X r for VECTORS columns r at once: X rows x columns of the dtype. */
static void times_vectors(const void *x, enum dtype d, int64_t rows, int64_t columns,
	const double *r, double *y, int threads)
{
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
	for (int64_t i = 0; i < rows; i++) {
		double sum[VECTORS] = { 0 };

		for (int64_t j = 0; j < columns; j++) {
			double v = real_get(x, d, (size_t)(i * columns + j));

			for (int q = 0; q < VECTORS; q++)
				sum[q] += v * r[j * VECTORS + q];
		}
		for (int q = 0; q < VECTORS; q++)
			y[i * VECTORS + q] = sum[q];
	}
}

/* Random signs; their seed is not that of the input. */
static double *make_signs(const struct gemm_state *s)
{
	double *r = xcalloc((size_t)(s->n * VECTORS), sizeof(*r));
	uint64_t key = input_key(~s->p->seed, 7);

	for (int64_t i = 0; i < s->n * VECTORS; i++)
		r[i] = input_bits(key, (uint64_t)i) & 1 ? 1 : -1;
	return r;
}

/* Largest difference of out r and alpha A (B r) + beta C r. NaN is infinite. */
static double difference(const struct gemm_state *s, const double *r)
{
	size_t rows = (size_t)(MAX(s->m, s->k) * VECTORS);
	double *br = xcalloc(rows, sizeof(double)), *abr = xcalloc(rows, sizeof(double));
	double *cr = xcalloc(rows, sizeof(double)), *y = xcalloc(rows, sizeof(double)),
	       worst = 0;
	enum dtype d = s->p->dtype;

	times_vectors(s->b, d, s->k, s->n, r, br, s->p->threads);
	times_vectors(s->a, d, s->m, s->k, br, abr, s->p->threads);
	if (s->c)
		times_vectors(s->c, d, s->m, s->n, r, cr, s->p->threads);
	times_vectors(s->out, d, s->m, s->n, r, y, s->p->threads);
	for (int64_t i = 0; i < s->m * VECTORS; i++) {
		double e = fabs(y[i] - (s->alpha * abr[i] + s->beta * cr[i]));

		worst = e <= worst ? worst : isnan(e) ? INFINITY : e;
	}
	free(br);
	free(abr);
	free(cr);
	free(y);
	return worst;
}

/* Elements of the inputs that are not what they were made to be. */
static int64_t count_changed(
	const struct gemm_state *s, const void *x, unsigned array, int64_t n)
{
	int64_t bad = 0;

#pragma omp parallel for num_threads(s->p->threads) reduction(+ : bad) if (s->p->threads > 1)
	for (int64_t i = 0; i < n; i++)
		bad += real_get(x, s->p->dtype, (size_t)i) != entry(s->p, array, i);
	return bad;
}

/* Freivalds 1979: a wrong result passes one vector of random signs with probability 1/2 at
 * most, all of them with 2^-20. Entries of [-1, 1) have variance 1/3, so rounding moves an
 * element by about eps k / 6 and a row's signed sum by sqrt(n) of that; the limit is 12 times
 * it, far below the rigorous 3 k eps norm(A) norm(B). */
static int verify(void *state, struct proof *ret, struct error *err)
{
	const struct gemm_state *s = state;
	double *r = make_signs(s), scale = fabs(s->alpha) + fabs(s->beta) + 1;
	double limit = 2 * scale * dtype_eps(s->p->dtype) * (double)s->k * sqrt((double)s->n);

	(void)err;
	if (params_option(s->p, "input") == 1)
		limit = 0;
	proof_claim(ret, "largest difference of out r and A (B r)", difference(s, r), limit);
	proof_claim(ret, "changed inputs",
		(double)(count_changed(s, s->a, 0, s->m * s->k) +
			 count_changed(s, s->b, 1, s->k * s->n)),
		0);
	ret->n_outputs = s->m * s->n;
	proof_digest(ret, s->out, (size_t)(s->m * s->n * dtype_bytes(s->p->dtype)));
	free(r);
	return OK;
}

static const char *const names[] = { "matmul", "dgemm", "sgemm", "matmul_tiled", "mkl-sgemm",
	NULL };

const struct kernel kernel_gemm = {
	.id = "gemm",
	.aliases = names,
	.title = "matrix product",
	.source = "blocking after Goto and van de Geijn 2008; 2 m n k FLOP",
	.dtypes = DT_REALS,
	.default_dtype = DT_F64,
	.n_dims = 3,
	.dims = "m x n x k",
	.dims_repeat = true,
	.dim_min = 1,
	.dim_max = 1 << 17,
	.sizes = sizes,
	.options = options,
	.work_unit = "FLOP",
	.rate_unit = "GFLOP/s",
	.rate_scale = 1e9,
	.check = check,
	.count = count,
	.setup = setup,
	.run = run,
	.poison = poison,
	.verify = verify,
	.free = free_state,
};
