/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/fft.h"

#include <math.h>
#include "base/cleanup.h"
#include "kernels/code.h"
#include "kernels/input.h"
#include "kernels/mem.h"
#include "kernels/omp.h"
#include "kernels/proof.h"

CODE_TABLES(fft);

static const struct named_size sizes[] = {
	{ "small", { 1 << 10, 64, 1 } },
	{ "medium", { 1 << 14, 64, 1 } },
	{ "large", { 1 << 18, 64, 1 } },
	{ NULL, { 0 } },
};

static const char *const input_names[] = { "random", "delta", "tone", NULL };
static const struct kernel_option options[] = {
	{ "input", "random, or one whose answer is known: a one at 0, a tone", input_names, 0,
		0, 0 },
	{ NULL, NULL, NULL, 0, 0, 0 },
};

/* 5 n log2 n is the convention (FFTW's benchFFT), not a count. */
static void count(const struct params *p, struct counts *ret)
{
	double n = (double)p->dim[0], batch = (double)p->dim[1];
	double w = (double)dtype_bytes(p->dtype);

	ret->flops = 5 * n * log2(n) * batch;
	ret->bytes = 4 * n * batch * w;
	ret->write_allocate_bytes = 2 * n * batch * w;
	ret->footprint_bytes = ret->bytes;
	ret->work = ret->flops;
	ret->n_outputs = n * batch;
}

static int check(const struct params *p, struct error *err)
{
	if (p->dim[0] < FFT_LEAST || p->dim[0] > 1 << 24)
		return error_set_field(err, E_UNPROCESSABLE, "size",
			"%lld points are out of range: %d to %d", (long long)p->dim[0],
			FFT_LEAST, 1 << 24);
	return OK;
}

/* --- tables ------------------------------------------------------------------------------- */

/* exp(-2 pi i a / n) from an angle in the first octant: exact at multiples of n/8. */
static void root_of(int64_t a, int64_t n, double *re, double *im)
{
	double c, s;
	int64_t r = 8 * (a % n), octant = r / n;
	int64_t in = octant % 2 ? (octant + 1) * n - r : r - octant * n; /* of n/8, times 8 */
	double x = 2 * M_PI * (double)in / (8 * (double)n);

	c = octant % 4 == 1 || octant % 4 == 2 ? sin(x) : cos(x);
	s = octant % 4 == 1 || octant % 4 == 2 ? cos(x) : sin(x);
	*re = octant >= 2 && octant < 6 ? -c : c;
	*im = octant < 4 ? -s : s;
}

static int make_roots(struct fft_plan *plan, enum dtype d, struct error *err)
{
	int r = mem_new(&plan->root, (size_t)(plan->n * dtype_bytes(d)), 4, err);

	for (int64_t j = 0; r == OK && j < plan->n / 2; j++) {
		double re, im;

		root_of(j, plan->n, &re, &im);
		real_set(plan->root, d, (size_t)(2 * j), re);
		real_set(plan->root, d, (size_t)(2 * j + 1), im);
	}
	return r;
}

static int make_twiddles(struct fft_plan *plan, int pass, enum dtype d, struct error *err)
{
	int64_t s = 1LL << 2 * pass, m = plan->n / (4 * s), repeat = s < FFT_REPEAT ? s : 1;
	int64_t pitch = m * repeat;
	int r = mem_new(
		&plan->twiddle[pass], (size_t)(6 * pitch * dtype_bytes(d)), 5 + pass, err);

	for (int64_t t = 0; r == OK && t < pitch; t++)
		for (int k = 1; k < 4; k++) {
			double re, im;

			root_of(t / repeat * k * s, plan->n, &re, &im);
			real_set(plan->twiddle[pass], d, (size_t)((2 * k - 2) * pitch + t), re);
			real_set(plan->twiddle[pass], d, (size_t)((2 * k - 1) * pitch + t), im);
		}
	return r;
}

static int make_plan(struct fft_plan *plan, const struct params *p, struct error *err)
{
	int r;

	plan->n = p->dim[0];
	while (4LL << 2 * plan->n_passes <= plan->n)
		plan->n_passes++;
	r = make_roots(plan, p->dtype, err);
	for (int k = 0; r == OK && k < plan->n_passes; k++)
		r = make_twiddles(plan, k, p->dtype, err);
	return r;
}

/* --- set up, run -------------------------------------------------------------------------- */

static void free_state(void *state)
{
	struct fft_state *s = state;

	if (!s)
		return;
	mem_free(s->plan.root);
	for (int k = 0; k < FFT_PASSES; k++)
		mem_free(s->plan.twiddle[k]);
	mem_free(s->in);
	mem_free(s->out);
	mem_free(s->work);
	free(s);
}
DEFINE_CLEANUP(struct fft_state *, free_state)

static size_t array_bytes(const struct fft_state *s)
{
	return (size_t)(2 * s->n * s->batch * dtype_bytes(s->p->dtype));
}

static void poison(void *state)
{
	struct fft_state *s = state;

	poison_fill(s->out, array_bytes(s), POISON_WORD, s->p->threads);
}

/* The tone of sequence b. */
static int64_t tone_of(const struct params *p, int64_t b)
{
	return (3 + 7 * b) % p->dim[0];
}

/* Real (part 0) or imaginary part of element j of sequence b, before rounding. */
static double element(const struct params *p, uint64_t key, int64_t b, int64_t j, int part)
{
	double v[2];

	switch ((enum fft_input)params_option(p, "input")) {
	case FFT_DELTA:
		return j == 0 && part == 0;
	case FFT_TONE:
		root_of(p->dim[0] - tone_of(p, b) * j % p->dim[0], p->dim[0], &v[0], &v[1]);
		return v[part];
	default:
		return input_real(
			p->dtype, key, (uint64_t)(2 * (b * p->dim[0] + j) + part), -1, 2);
	}
}

static int setup(const struct params *p, void **ret_state, struct error *err)
{
	_cleanup_(free_state)
	struct fft_state *s = xcalloc(1, sizeof(*s));
	uint64_t key = input_key(p->seed, 0);
	int r;

	*s = (struct fft_state){
		.p = p, .n = p->dim[0], .batch = p->dim[1], .code = CODE_PICK(fft, p)
	};
	r = make_plan(&s->plan, p, err);
	if (r == OK)
		r = mem_new(&s->in, array_bytes(s), 0, err);
	if (r == OK)
		r = mem_new(&s->out, array_bytes(s), 1, err);
	if (r == OK)
		r = mem_new(&s->work,
			(size_t)(4 * (s->n + FFT_PAD) * dtype_bytes(p->dtype) * p->threads), 2,
			err);
	if (r != OK)
		return r;
#pragma omp parallel for num_threads(p->threads) schedule(static)
	for (int64_t i = 0; i < 2 * s->n * s->batch; i++)
		real_set(s->in, p->dtype, (size_t)i,
			element(p, key, i / 2 / s->n, i / 2 % s->n, (int)(i % 2)));
	poison(s);
	*ret_state = TAKE(s);
	return OK;
}

static void run_one(const struct fft_state *s, int64_t b, int thread)
{
	int64_t w = dtype_bytes(s->p->dtype), at = 2 * b * s->n * w;

	s->code->transform(&s->plan, (char *)s->out + at, (char *)s->in + at,
		(char *)s->work + thread * 4 * (s->n + FFT_PAD) * w);
}

static void run(void *state, int64_t iterations)
{
	const struct fft_state *s = state;

	for (int64_t it = 0; it < iterations; it++) {
#pragma omp parallel for num_threads(s->p->threads) schedule(static) if (s->p->threads > 1)
		for (int64_t b = 0; b < s->batch; b++)
			run_one(s, b, omp_get_thread_num());
	}
}

/* --- proof -------------------------------------------------------------------------------- */

/* In place, decimation in time with bit reversal: another algorithm than the backends'. */
static void reference(double *x, int64_t n)
{
	for (int64_t i = 1, j = 0; i < n; i++) {
		int64_t bit = n >> 1;

		for (; j & bit; bit >>= 1)
			j ^= bit;
		j ^= bit;
		for (int part = 0; part < 2 && i < j; part++) {
			double t = x[2 * i + part];

			x[2 * i + part] = x[2 * j + part];
			x[2 * j + part] = t;
		}
	}
	for (int64_t len = 2; len <= n; len *= 2)
		for (int64_t k = 0; k < len / 2; k++) {
			double wr, wi;

			root_of(k, len, &wr, &wi);
			for (int64_t i = k; i < n; i += len) {
				double *a = x + 2 * i, *b = a + len;
				double re = b[0] * wr - b[1] * wi, im = b[0] * wi + b[1] * wr;

				b[0] = a[0] - re;
				b[1] = a[1] - im;
				a[0] += re;
				a[1] += im;
			}
		}
}

struct sums {
	double error, length, known;
	long double energy_in, energy_out;
};

/* What a known input gives at bin k: a delta 1 everywhere, a tone n in its bin. */
static double known_error(const struct fft_state *s, int64_t b, int64_t k, double re, double im)
{
	double want = 1;

	if (params_option(s->p, "input") == FFT_RANDOM)
		return 0;
	if (params_option(s->p, "input") == FFT_TONE)
		want = k == tone_of(s->p, b) ? (double)s->n : 0;
	return hypot(re - want, im);
}

static void check_sequence(const struct fft_state *s, int64_t b, double *x, struct sums *t)
{
	uint64_t key = input_key(s->p->seed, 0);

	for (int64_t i = 0; i < 2 * s->n; i++) {
		double v = element(s->p, key, b, i / 2, (int)(i % 2));

		x[i] = s->p->dtype == DT_F32 ? (double)(float)v : v;
		t->energy_in += (long double)x[i] * x[i];
	}
	reference(x, s->n);
	for (int64_t k = 0; k < s->n; k++) {
		size_t at = (size_t)(2 * (b * s->n + k));
		double re = real_get(s->out, s->p->dtype, at);
		double im = real_get(s->out, s->p->dtype, at + 1);

		t->error += (re - x[2 * k]) * (re - x[2 * k]) +
			    (im - x[2 * k + 1]) * (im - x[2 * k + 1]);
		t->length += x[2 * k] * x[2 * k] + x[2 * k + 1] * x[2 * k + 1];
		t->energy_out += (long double)re * re + (long double)im * im;
		t->known = fmax(t->known, known_error(s, b, k, re, im));
	}
}

/* Sequence 0 from the output by the inverse of the reference, over n, against the input:
 * relative L2. */
static double inverse_error(const struct fft_state *s, double *x)
{
	double error = 0, length = 0;

	for (int64_t i = 0; i < 2 * s->n; i++) {
		double v = real_get(s->out, s->p->dtype, (size_t)i);

		x[i] = i % 2 ? -v : v; /* the inverse is the transform between conjugates */
	}
	reference(x, s->n);
	for (int64_t i = 0; i < 2 * s->n; i++) {
		double v = real_get(s->in, s->p->dtype, (size_t)i);
		double e = (i % 2 ? -x[i] : x[i]) / (double)s->n - v;

		error += e * e;
		length += v * v;
	}
	return sqrt(error / length);
}

static int verify(void *state, struct proof *ret, struct error *err)
{
	const struct fft_state *s = state;
	double limit = 2 * dtype_eps(s->p->dtype) * log2((double)s->n);
	double *x = xcalloc((size_t)(2 * s->n), sizeof(*x));
	struct sums t = { 0 };

	(void)err;
	for (int64_t b = 0; b < s->batch; b++)
		check_sequence(s, b, x, &t);
	proof_claim(ret, "relative L2 error", sqrt(t.error / t.length), limit);
	proof_claim(ret, "Parseval: relative difference of energies",
		(double)fabsl(t.energy_out / (long double)s->n / t.energy_in - 1), limit);
	proof_claim(ret, "inverse of the output against the input, relative L2",
		inverse_error(s, x), limit);
	if (params_option(s->p, "input") != FFT_RANDOM)
		proof_claim(ret, "error of a known answer / its largest value",
			t.known / (params_option(s->p, "input") == FFT_TONE ? (double)s->n : 1),
			limit);
	ret->n_outputs = s->n * s->batch;
	proof_digest(ret, s->out, array_bytes(s));
	free(x);
	return OK;
}

static const char *const names[] = { "fft", "vkfft", NULL };

const struct kernel kernel_fft_c2c = {
	.id = "fft.c2c",
	.aliases = names,
	.title = "complex Fourier transforms, batched",
	.source = "Stockham's autosort (Cochran et al. 1967), radix 4; nominal 5 n log2 n FLOP",
	.dtypes = DT_REALS,
	.default_dtype = DT_F64,
	.n_dims = 2,
	.dims = "points x sequences",
	.dims_pow2 = 1u << 0,
	.dims_fixed = 1u << 0,
	.dim_min = 1,
	.dim_max = 1 << 24,
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
