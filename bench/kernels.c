/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchd's CPU kernels beside their peers, interleaved in one run: STREAM in plain C (compiled
 * with the same flags as this file, and with -O3 for this processor), OpenBLAS, FFTW.
 * Usage: kernels THREADS PART..., a part is stream, gemm, fft or bars (bench/kernel_bars.c).
 * Both sides have as many threads. Each round times ours and the peer's in turn; printed are
 * the medians, the median and range of the rounds' ratios, and whether that median reaches its
 * goal. Ours is proven before it is timed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "bench/kernels.h"
#include "kernels/code.h"
#include "kernels/peer.h"
#include "kernels/proof.h"
#include "kernels/size.h"
#include "kernels/steady.h"

enum { ROUNDS = 15 };
static const double sample_ns = 20e6;

/* A rival works on arrays of its own of the same size; ctx is made by make. */
struct rival {
	const char *name;
	void *(*make)(const struct params *p);
	void (*run)(void *ctx);
	void (*free)(void *ctx);
};

/* --- plain C ------------------------------------------------------------------------------ */

struct plain {
	double *a, *b, *c;
	int64_t n;
	int threads;
};

/* The same loops as the compiler does best here. */
#ifdef __x86_64__
#define TUNED                                                                                  \
	__attribute__((noinline, optimize("O3"), target_clones("default", "avx2", "avx512f")))
#else
#define TUNED __attribute__((noinline, optimize("O3")))
#endif

static void copy_part(double *restrict c, const double *restrict a, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		c[i] = a[i];
}

static void triad_part(
	double *restrict a, const double *restrict b, const double *restrict c, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		a[i] = b[i] + 3.0 * c[i];
}

TUNED static void copy_tuned(double *restrict c, const double *restrict a, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		c[i] = a[i];
}

TUNED static void triad_tuned(
	double *restrict a, const double *restrict b, const double *restrict c, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		a[i] = b[i] + 3.0 * c[i];
}

static void *plain_make(const struct params *p)
{
	struct plain *x = xcalloc(1, sizeof(*x));

	x->n = p->dim[0] / 8;
	x->threads = p->threads;
	x->a = xmalloc((size_t)p->dim[0]);
	x->b = xmalloc((size_t)p->dim[0]);
	x->c = xmalloc((size_t)p->dim[0]);
#pragma omp parallel for num_threads(x->threads) schedule(static)
	for (int64_t i = 0; i < x->n; i++) {
		x->a[i] = 1;
		x->b[i] = 2;
		x->c[i] = 0;
	}
	return x;
}

/* One part of the arrays for each thread. */
#define PLAIN(name, call)                                                                      \
	static void name(void *ctx)                                                            \
	{                                                                                      \
		struct plain *x = ctx;                                                         \
                                                                                               \
		_Pragma("omp parallel for num_threads(x->threads) schedule(static, 1)") for (  \
			int t = 0; t < x->threads; t++)                                        \
		{                                                                              \
			int64_t lo = x->n * t / x->threads,                                    \
				n = x->n * (t + 1) / x->threads - lo;                          \
                                                                                               \
			call;                                                                  \
		}                                                                              \
	}

PLAIN(plain_copy, copy_part(x->c + lo, x->a + lo, n))
PLAIN(plain_triad, triad_part(x->a + lo, x->b + lo, x->c + lo, n))
PLAIN(tuned_copy, copy_tuned(x->c + lo, x->a + lo, n))
PLAIN(tuned_triad, triad_tuned(x->a + lo, x->b + lo, x->c + lo, n))

static void plain_free(void *ctx)
{
	struct plain *x = ctx;

	free(x->a);
	free(x->b);
	free(x->c);
	free(x);
}

static const struct rival copy_rival = { "plain C", plain_make, plain_copy, plain_free };
static const struct rival triad_rival = { "plain C", plain_make, plain_triad, plain_free };
static const struct rival copy_tuned_rival = { "plain C -O3", plain_make, tuned_copy,
	plain_free };
static const struct rival triad_tuned_rival = { "plain C -O3", plain_make, tuned_triad,
	plain_free };

/* --- libraries (kernels/peer.h) -------------------------------------------------------------
 */

struct library {
	const struct peer *peer;
	struct params p;
	void *state, *ctx; /* input and output; what the library made of them */
};

static void library_close(void *ctx)
{
	struct library *x = ctx;

	if (x->ctx)
		x->peer->close(x->ctx);
	x->p.kernel->free(x->state);
	free(x);
}

/* NULL, said aloud, where the library is not. */
static void *library_open(const struct params *p, enum backend b)
{
	struct library *x = xcalloc(1, sizeof(*x));
	struct error err;
	int r = OK;

	x->peer = peer_find(p->kernel, b);
	x->p = *p;
	if (!x->peer)
		r = error_set(&err, E_UNAVAILABLE, "not found at configure time");
	else
		r = x->peer->load(&err);
	if (r == OK)
		r = p->kernel->setup(&x->p, &x->state, &err);
	if (r == OK)
		r = x->peer->open(&x->p, x->state, &x->ctx, &err);
	if (r == OK)
		return x;
	printf("%s: no %s: %s\n", p->kernel->id, backend_name(b), err.text);
	library_close(x);
	return NULL;
}

static void library_run(void *ctx)
{
	struct library *x = ctx;

	x->peer->run(x->ctx);
}

static void *blas_make(const struct params *p)
{
	return library_open(p, BACKEND_BLAS);
}

static void *fftw_make(const struct params *p)
{
	return library_open(p, BACKEND_FFTW);
}

static const struct rival blas_rival = { "OpenBLAS", blas_make, library_run, library_close };
static const struct rival fftw_rival = { "FFTW MEASURE", fftw_make, library_run,
	library_close };

/* --- rounds ------------------------------------------------------------------------------- */

struct side {
	void (*run)(void *ctx, int64_t k);
	void *ctx;
	int64_t k;
};

struct rival_ctx {
	const struct rival *rival;
	void *ctx;
};

static void run_rival(void *ctx, int64_t k)
{
	struct rival_ctx *x = ctx;

	while (k-- > 0)
		x->rival->run(x->ctx);
}

/* ns of one iteration. */
static double time_side(const struct side *s)
{
	int64_t start = clock_monotonic_ns();

	s->run(s->ctx, s->k);
	return (double)(clock_monotonic_ns() - start) / (double)s->k;
}

static void calibrate(struct side *s)
{
	s->k = 1;
	time_side(s);
	for (double ns = time_side(s); ns * (double)s->k < sample_ns; ns = time_side(s))
		s->k = (int64_t)fmax((double)s->k * 2, ceil(sample_ns / fmax(ns, 1)));
}

static void print_row(const struct params *p, const char *peer, double goal, const double *ours,
	const double *theirs)
{
	struct counts c = { 0 };
	double ratio[ROUNDS], least = INFINITY, most = 0;
	char size[SIZE_TEXT];

	p->kernel->count(p, &c);
	for (int i = 0; i < ROUNDS; i++) {
		ratio[i] = theirs[i] / ours[i];
		least = fmin(least, ratio[i]);
		most = fmax(most, ratio[i]);
	}
	printf("%-14s %-4s %-14s %-12s %8.2f %8.2f %-8s %5.2f  (%.2f to %.2f)  ", p->kernel->id,
		dtype_name(p->dtype), size_format(p, size), peer,
		c.work / steady_median(ours, ROUNDS) * 1e9 / p->kernel->rate_scale,
		c.work / steady_median(theirs, ROUNDS) * 1e9 / p->kernel->rate_scale,
		p->kernel->rate_unit, steady_median(ratio, ROUNDS), least, most);
	if (goal > 0)
		printf("goal %.2f: %s\n", goal, goal_text(steady_median(ratio, ROUNDS), goal));
	else
		puts("no goal");
	fflush(stdout);
}

/* Both sides in turn; who begins alternates. */
static void compare_sides(
	const struct params *p, const struct rival *rival, double goal, void *state)
{
	struct rival_ctx ctx = { rival, rival->make(p) };
	struct side ours = { p->kernel->run, state, 1 }, theirs = { run_rival, &ctx, 1 };
	double a[ROUNDS], b[ROUNDS];

	if (!ctx.ctx)
		return;
	calibrate(&ours);
	calibrate(&theirs);
	for (int i = 0; i < ROUNDS; i++) {
		if (i % 2)
			b[i] = time_side(&theirs);
		a[i] = time_side(&ours);
		if (i % 2 == 0)
			b[i] = time_side(&theirs);
	}
	print_row(p, rival->name, goal, a, b);
	rival->free(ctx.ctx);
}

static int n_threads = 1;

static int compare(const char *kernel, const char *size, enum dtype d,
	const struct rival *rival, double goal)
{
	struct params p;
	struct proof proof;
	struct error err = { 0 };
	void *state = NULL;
	int r;

	params_init(&p, kernel_find(kernel));
	p.dtype = d;
	p.threads = n_threads;
	p.backend = n_threads > 1 ? BACKEND_THREADS : BACKEND_SIMD;
	r = size_parse(&p, size, &err);
	if (r == OK)
		r = p.kernel->setup(&p, &state, &err);
	if (r == OK) {
		p.kernel->poison(state);
		p.kernel->run(state, 1);
		proof_init(&proof);
		r = p.kernel->verify(state, &proof, &err);
	}
	if (r != OK || !proof.ok)
		fprintf(stderr, "%s %s: %s\n", kernel, size,
			r != OK ? err.text : "wrong output");
	else
		compare_sides(&p, rival, goal, state);
	p.kernel->free(state);
	return r != OK || !proof.ok;
}

/* --- parts -------------------------------------------------------------------------------- */

static int compare_streams(void)
{
	int bad = compare("stream.copy", "64Mi", DT_F64, &copy_rival, 0.95);

	bad |= compare("stream.copy", "64Mi", DT_F64, &copy_tuned_rival, 0);
	bad |= compare("stream.triad", "64Mi", DT_F64, &triad_rival, 0.95);
	return bad | compare("stream.triad", "64Mi", DT_F64, &triad_tuned_rival, 0);
}

/* The core types that are right for a processor; a library that knows none of its own takes an
 * older one's, and a comparison with that says little. */
static bool is_right_core(const char *library)
{
	static const char *const best[N_ISAS][6] = {
		[ISA_AVX2] = { "Haswell", "Zen", "SkylakeX", NULL },
		[ISA_AVX512] = { "SkylakeX", "Cooperlake", "SapphireRapids", "Zen", NULL },
	};
	const char *core = strstr(library, "kernels for ");

	for (int i = 0; core && best[isa_best()][i]; i++)
		if (strcmp(core + strlen("kernels for "), best[isa_best()][i]) == 0)
			return true;
	return !best[isa_best()][0];
}

static int compare_gemm(void)
{
	const struct peer *blas = peer_find(kernel_find("gemm"), BACKEND_BLAS);
	bool is_there = blas && peer_is_there(blas);
	bool is_right = is_there && is_right_core(blas->describe());
	int bad = 0;

	if (is_there)
		printf("%s%s\n", blas->describe(),
			is_right ? "" : ": not those of this processor, so without a goal");
	for (int d = DT_F32; d <= DT_F64; d++)
		for (int n = 512; n <= 1024; n *= 2) {
			char size[32];

			snprintf(size, sizeof(size), "%d", n);
			bad |= compare(
				"gemm", size, (enum dtype)d, &blas_rival, is_right ? 0.7 : 0);
		}
	return bad;
}

/* On more than one thread each has sequences of its own. */
static int compare_fft(void)
{
	int bad = 0;

	for (int d = DT_F32; d <= DT_F64; d++)
		for (int log = 10; log <= 18; log += 2) {
			char size[32];

			snprintf(size, sizeof(size), "%dx%d", 1 << log,
				n_threads > 1 ? 8 * n_threads : 1);
			bad |= compare("fft.c2c", size, (enum dtype)d, &fftw_rival, 0.5);
		}
	return bad;
}

const char *goal_text(double value, double goal)
{
	return value >= goal ? "met" : "NOT met";
}

/* B/s of the plain triad on arrays far beyond the caches, as STREAM counts them. */
double plain_triad_rate(int threads)
{
	const struct params p = { .dim = { 256 * MiB }, .threads = threads };
	struct plain *x = plain_make(&p);
	double ns[9];

	plain_triad(x);
	for (size_t i = 0; i < ARRAY_SIZE(ns); i++) {
		int64_t start = clock_monotonic_ns();

		plain_triad(x);
		ns[i] = (double)(clock_monotonic_ns() - start);
	}
	plain_free(x);
	return 3 * 8 * (double)(p.dim[0] / 8) / steady_median(ns, ARRAY_SIZE(ns)) * 1e9;
}

/* FLOP/s of the library's dgemm of 1024, 0 where there is none. */
double library_gemm_rate(int threads)
{
	struct params p;
	struct counts c = { 0 };
	struct library *x;
	double ns[9];

	params_init(&p, kernel_find("gemm"));
	p.threads = threads;
	p.dtype = DT_F64;
	p.kernel->count(&p, &c);
	x = blas_make(&p);
	if (!x)
		return 0;
	for (int i = -2; i < (int)ARRAY_SIZE(ns); i++) {
		int64_t start = clock_monotonic_ns();

		library_run(x);
		ns[i < 0 ? 0 : i] = (double)(clock_monotonic_ns() - start);
	}
	library_close(x);
	return c.flops / steady_median(ns, ARRAY_SIZE(ns)) * 1e9;
}

static int run_part(const char *part)
{
	if (strcmp(part, "stream") == 0)
		return compare_streams();
	if (strcmp(part, "gemm") == 0)
		return compare_gemm();
	if (strcmp(part, "fft") == 0)
		return compare_fft();
	if (strcmp(part, "bars") == 0)
		return compare_bars(n_threads);
	fprintf(stderr, "kernels: '%s' is no part; it is stream, gemm, fft or bars\n", part);
	return 1;
}

int main(int argc, char **argv)
{
	int bad = 0;

	n_threads = argc > 2 ? atoi(argv[1]) : 0;
	if (n_threads < 1 || n_threads > 1024) {
		fputs("usage: kernels THREADS stream|gemm|fft|bars...\n", stderr);
		return EXIT_FAILURE;
	}
	printf("threads: %d\n", n_threads);
	if (strcmp(argv[2], "bars") != 0)
		printf("%-14s %-4s %-14s %-12s %8s %8s %-8s %s\n", "KERNEL", "TYPE", "SIZE",
			"PEER", "OURS", "PEER'S", "", "RATIO (range)");
	for (int i = 2; i < argc; i++)
		bad |= run_part(argv[i]);
	return bad;
}
