/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Simulations that need no data (stopping rules), and speed. */
#include "bench/evaluate.h"

#include <math.h>
#include <stdio.h>
#include <time.h>
#include "stats/compare.h"
#include "stats/interval.h"
#include "stats/quantile.h"
#include "stats/threshold.h"

/* --- stopping --- */

/* A process value with a heavy tail: 12 % carry an exponential delay. */
static double heavy(struct rng *r)
{
	double x = 1 + .01 * rng_normal(r);

	return rng_uniform(r) < .12 ? x - .1 * log(1 - rng_uniform(r)) : x;
}

/* The true median of heavy(), by bisection on its distribution function is not closed: taken
 * from a long sample with its own seed. */
static double true_median(void)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	double *x = ARENA_ARRAY(a, double, 1000000);
	struct rng r;

	rng_init(&r, 424242);
	for (size_t i = 0; i < 1000000; i++)
		x[i] = heavy(&r);
	return sample_median_in_place(x, 1000000);
}

/* P = 10, then 5 more until the half-width is 1 % of the median or P = 50. */
static bool covers_when_adaptive(double truth, struct rng *r)
{
	double x[50], sorted[50], lo = 0, hi = 0;

	for (size_t n = 0; n < 50;) {
		size_t more = n == 0 ? 10 : 5;

		for (size_t i = 0; i < more; i++)
			x[n++] = heavy(r);
		for (size_t i = 0; i < n; i++)
			sorted[i] = x[i];
		sample_sort(sorted, n);
		if (!interval_quantile(sorted, n, .5, .05, &lo, &hi))
			return false;
		if ((hi - lo) / 2 <= .01 * sample_quantile(sorted, n, .5))
			break;
	}
	return lo <= truth && truth <= hi;
}

/* Looks after 10, 15, ... 50 pairs of the same code. */
static enum compare_outcome look_until_decided(double effect, struct rng *r)
{
	struct compare_params p = compare_defaults();
	double base[50], head[50];
	struct comparison c = { .outcome = COMPARE_UNKNOWN };
	struct error err = { 0 };

	p.min_effect = effect > 1 ? .02 : 0;
	for (size_t n = 0; n < 50;) {
		_cleanup_(arena_free)
		struct arena *a = arena_new();
		size_t more = n == 0 ? 10 : 5;

		for (size_t i = 0; i < more; i++, n++) {
			base[n] = heavy(r);
			head[n] = heavy(r) * effect;
		}
		if (compare_paired(a, base, head, n, &p, &c, &err) != OK ||
			c.outcome != COMPARE_UNKNOWN)
			break;
	}
	return c.outcome;
}

int evaluate_stopping(struct evaluation *e)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	size_t covered = 0, wrong = 0, seen = 0, n = 2000 / e->scale;
	double truth = true_median();
	struct rng r;

	printf("\nStopping rules under a heavy tail (12 %% of processes delayed)\n");
	rng_init(&r, 31);
	for (size_t k = 0; k < n; k++) {
		enum compare_outcome o;

		covered += covers_when_adaptive(truth, &r);
		o = look_until_decided(1, &r);
		wrong += o == COMPARE_FASTER || o == COMPARE_SLOWER;
		seen += look_until_decided(1.03, &r) == COMPARE_SLOWER;
	}
	target_row(e, 100 * (double)covered >= 93 * (double)n,
		"interval of the median with adaptive stop, heavy tail: covers, %",
		"at least 93", NULL, "%s", share_text(a, covered, n));
	target_row(e, 100 * (double)wrong <= 5 * (double)n,
		"nine looks at pairs of the same code, no floor: decided, %", "at most 5", NULL,
		"%s", share_text(a, wrong, n));
	printf("        +3 %% with a 2 %% floor is called slower in %s\n",
		share_text(a, seen, n));
	return OK;
}

/* --- speed --- */

/* Of one core: what else runs on the machine does not count. */
static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* kind 0: nothing; 1: a step of half a sd each 50 points; 2: large steps each 100; 3: a saw of
 * 3 and 3; 4: rounded to 8 levels. */
static void make(double *x, size_t n, int kind, struct rng *r)
{
	for (size_t i = 0; i < n; i++) {
		double z = rng_normal(r);

		x[i] = kind == 1   ? z + .5 * (double)(i / 50 % 2)
		       : kind == 2 ? z + 5 * (double)(i / 100 % 3)
		       : kind == 3 ? z + 50 * (double)(i / 3 % 2)
		       : kind == 4 ? floor(2 * z)
				   : z;
	}
}

static double time_detector(const char *name, const double *x, size_t n, size_t *ret_found)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct mw_tails *tails = mw_tails_new(); /* a cold cache */
	struct change_points c;
	struct error err = { 0 };
	double start = now_ms();

	if (change_points_detect(detector_find(name), tails, a, x, n, NULL, &c, &err) != OK)
		c.n = 0;
	start = now_ms() - start;
	mw_tails_free(tails);
	*ret_found = c.n;
	return start;
}

static void time_long(struct evaluation *e)
{
	static double x[10000];
	double worst = 0;

	for (int kind = 0; kind < 5; kind++) {
		struct rng r;
		size_t found;
		double ms;

		rng_init(&r, (uint64_t)kind);
		make(x, 10000, kind, &r);
		ms = time_detector("seeded_mw", x, 10000, &found);
		printf("        seeded_mw, 10,000 points, kind %d: %.1f ms, %zu change "
		       "points\n",
			kind, ms, found);
		worst = fmax(worst, ms);
	}
	target_row(e, worst < 250, "change points of 10,000 points, CPU time", "under 250 ms",
		NULL, "%.1f ms", worst);
}

static void time_many(struct evaluation *e)
{
	double x[200], start, ms = 0;
	struct rng r;

	rng_init(&r, 9);
	for (int k = 0; k < 2000; k++) {
		_cleanup_(arena_free)
		struct arena *a = arena_new();
		struct change_points c;
		struct error err = { 0 };

		make(x, 200, k % 5, &r);
		start = now_ms();
		if (change_points_detect(detector_find("seeded_mw"), e->tails, a, x, 200, NULL,
			    &c, &err) != OK)
			return;
		ms += now_ms() - start;
	}
	target_row(e, ms < 5000, "change points of 2,000 histories of 200 points, CPU time",
		"under 5000 ms", NULL, "%.0f ms", ms);
}

static void time_check(struct evaluation *e)
{
	struct threshold_model m = threshold_defaults(TEST_LOG_T);
	double h[200], start;
	struct rng r;
	size_t alerts = 0, n = 20000;

	rng_init(&r, 4);
	m.max_sample = 200;
	for (size_t i = 0; i < 200; i++)
		h[i] = 100 * exp(.02 * rng_normal(&r));
	start = now_ms();
	for (size_t k = 0; k < n; k++) {
		_cleanup_(arena_free)
		struct arena *a = arena_new();
		struct threshold_result t;
		struct error err = { 0 };

		if (threshold_check(a, &m, h, 200, h[k % 200], &t, &err) == OK)
			alerts += t.alert != SIDE_NONE;
	}
	start = (now_ms() - start) * 1000 / (double)n;
	target_row(e, start < 100, "log_t with 200 points of history, CPU time",
		"under 100 us a metric", NULL, "%.1f us (%zu alerts)", start, alerts);
}

int evaluate_speed(struct evaluation *e)
{
	static const char *const names[] = { "seeded_mw", "pelt_mbic", "pelt_trend", "potts_l1",
		"e_divisive" };
	static double x[400];
	struct rng r;

	printf("\nSpeed, one core\n");
	rng_init(&r, 2);
	make(x, 400, 2, &r);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t found;
		double cold = time_detector(names[i], x, 400, &found);

		printf("        %-10s 400 points: %.2f ms, %zu change points\n", names[i], cold,
			found);
	}
	time_long(e);
	time_many(e);
	time_check(e);
	return OK;
}
