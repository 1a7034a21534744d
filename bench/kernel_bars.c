/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Regridding and column physics beside rates that they should reach on one core: on the machine
 * on which those were set, a triad in plain C moved 19.7 GB/s and OpenBLAS's dgemm of 1024 with
 * AVX-512 did 95 GFLOP/s. Both are measured here too, and the lesser of the two quotients
 * scales a bar to this machine; the ratios to both bars are printed. On more threads a bar that
 * holds for a core is multiplied by their number, and what fits the caches must be faster than
 * on one thread, measured in the same run. */
#include <math.h>
#include <stdio.h>
#include "bench/kernels.h"
#include "kernels/measure.h"
#include "kernels/proof.h"
#include "kernels/size.h"

enum { SAMPLES = 15 };
static const double triad_there = 19.7e9, gemm_there = 95e9;

struct bar {
	const char *kernel, *size;
	enum dtype dtype;
	double rate;	   /* of one core */
	double percent;	   /* of the ceiling, one core; 0 = none is asked */
	bool is_of_cores;  /* holds for each of the cores */
	bool is_in_caches; /* 0.85 of the cores' number times as fast on all */
};

static const struct bar bars[] = {
	{ "phys.ice_adjust", "10000x60", DT_F64, 150, 0, true, false },
	{ "phys.ice_adjust", "10000x60", DT_F32, 300, 0, true, false },
	{ "phys.rain_ice", "10000x60", DT_F64, 30, 0, true, false },
	{ "regrid.nearest", "500x1000", DT_F64, 8000, 0, false, true },
	{ "regrid.nearest", "3600x7200", DT_F64, 1500, 0, false, false },
	{ "regrid.bilinear", "500x1000", DT_F64, 3000, 0, false, true },
	{ "regrid.bilinear", "3600x7200", DT_F64, 1500, 80, false, false },
	{ "regrid.conservative", "500x1000", DT_F64, 2000, 0, false, true },
	{ "regrid.conservative", "3600x7200", DT_F64, 1200, 0, false, false },
};

static int measure(const struct bar *b, int threads, struct measurement *m, struct error *err)
{
	const struct measure_options o = { .n_samples = SAMPLES, .min_warmup = 3 };
	struct params p;
	int r;

	params_init(&p, kernel_find(b->kernel));
	p.dtype = b->dtype;
	p.threads = threads;
	p.backend = threads > 1 ? BACKEND_THREADS : BACKEND_SIMD;
	r = size_parse(&p, b->size, err);
	if (r == OK)
		r = measure_run(&p, &o, m, err);
	if (r == OK && !m->proof.ok)
		return error_set(
			err, E_CONFLICT, "wrong output: %s", proof_failed(&m->proof)->name);
	return r;
}

static void print_goal(const char *what, double value, double goal)
{
	printf("  %s %.4g: %.2f %s", what, goal, value / goal, goal_text(value, goal));
}

static void print_bar(
	const struct bar *b, const struct measurement *m, double scale, double one_rate)
{
	int threads = m->p.threads;
	double cores = b->is_of_cores ? threads : 1;

	printf("%-19s %-4s %-10s %8.4g %s", b->kernel, dtype_name(b->dtype), b->size, m->rate,
		m->p.kernel->rate_unit);
	if (threads == 1 || b->is_of_cores) {
		print_goal("goal", m->rate, b->rate * cores);
		print_goal("scaled to here", m->rate, b->rate * cores * scale);
	}
	if (one_rate > 0 && b->is_in_caches)
		print_goal("times one core", m->rate / one_rate, 0.85 * threads);
	else if (one_rate > 0)
		printf("  %.2f times one core", m->rate / one_rate);
	if (threads == 1 && b->percent > 0)
		print_goal("percent of the ceiling", m->percent, b->percent);
	printf("  (%.0f %% of the %s ceiling)\n", m->percent, m->bound_by ? m->bound_by : "?");
	fflush(stdout);
}

static int compare_bar(const struct bar *b, int threads, double scale)
{
	struct measurement one = { 0 }, m = { 0 };
	struct error err = { 0 };
	int r = threads > 1 ? measure(b, 1, &one, &err) : OK;

	if (r == OK)
		r = measure(b, threads, &m, &err);
	if (r == OK)
		print_bar(b, &m, scale, one.rate);
	else
		fprintf(stderr, "%s %s: %s\n", b->kernel, b->size, err.text);
	measurement_done(&one);
	measurement_done(&m);
	return r != OK;
}

int compare_bars(int threads)
{
	double triad = plain_triad_rate(1), gemm = library_gemm_rate(1);
	double scale = triad / triad_there;
	int bad = 0;

	printf("plain C triad here %.1f GB/s, %.2f of %.1f", triad / 1e9, scale,
		triad_there / 1e9);
	if (gemm > 0) {
		printf("; OpenBLAS dgemm here %.1f GFLOP/s, %.2f of %.0f", gemm / 1e9,
			gemm / gemm_there, gemm_there / 1e9);
		scale = fmin(scale, gemm / gemm_there);
	}
	printf("\nbars of that machine are scaled by %.2f, the lesser\n", scale);
	for (size_t i = 0; i < sizeof(bars) / sizeof(bars[0]); i++)
		bad |= compare_bar(&bars[i], threads, scale);
	return bad;
}
