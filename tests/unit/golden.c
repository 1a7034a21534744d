/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Thresholds, rank tests and detectors against results computed independently by
 * tests/golden/stats.py. Inputs are made from seeds here as they are there. */
#include "tests/unit/stats.h"

#include <stdio.h>
#include "base/rng.h"
#include "stats/changepoint.h"
#include "stats/rank.h"
#include "stats/threshold.h"

#ifndef GOLDEN_DIR
#define GOLDEN_DIR "tests/golden"
#endif

static double value(int kind, size_t i, size_t n, double u, double v)
{
	static const double small[] = { 0, 1.5, .5, 2, -1, 1 };
	double level = 100;

	if ((kind == 1 || kind == 2) && i >= n / 3)
		level = 103;
	if ((kind == 1 || kind == 2) && i >= n - n / 4)
		level = 98;
	switch (kind) {
	case 2:
		return floor(level + 1.5 * u);
	case 3:
		return level + u / (v + 0.02);
	case 4:
		return u * 3 + .5;
	case 5:
		return floor(v * 4);
	case 6:
		return (level + u) * 1e200;
	case 7:
		return level + small[i * 6 / n] + 1.5 * u;
	case 8:
		return floor((level + small[i * 6 / n] + 1.5 * u) * 2) / 2;
	default:
		return level + 1.5 * u;
	}
}

static double *sample(int kind, size_t n, uint64_t seed)
{
	double *x = ARENA_ARRAY(arena, double, n);
	struct rng r;

	rng_init(&r, seed);
	for (size_t i = 0; i < n; i++) {
		double u = rng_uniform(&r);

		u += rng_uniform(&r);
		u += rng_uniform(&r);
		u += rng_uniform(&r);
		x[i] = value(kind, i, n, u - 2, rng_uniform(&r));
	}
	return x;
}

static FILE *open_golden(const char *name)
{
	const char *dir = getenv("top_srcdir");
	char *path = dir ? xasprintf("%s/tests/golden/%s", dir, name)
			 : xasprintf("%s/%s", GOLDEN_DIR, name);
	FILE *f = fopen(path, "r");

	ck_assert_msg(f != NULL, "cannot open %s", path);
	free(path);
	return f;
}

/* --- thresholds --- */

static bool is_bit_equal(enum threshold_test t)
{
	return t == TEST_PERCENTAGE || t == TEST_IQR || t == TEST_DELTA_IQR;
}

static void compare_limits(
	const char *line, const struct threshold_result *r, double b, double l, double u)
{
	double got[3] = { r->baseline, r->lower_limit, r->upper_limit }, want[3] = { b, l, u };

	for (int i = 0; i < 3; i++) {
		double allowed =
			is_bit_equal(r->used) ? 0 : 1e-9 * fmax(fabs(want[i]), fabs(b));

		if (r->used == TEST_Z_SCORE || r->used == TEST_T_TEST) /* b may cancel to 0 */
			allowed = 1e-9 * fmax(fabs(want[i]), fabs(u - l) / 2);
		ck_assert_msg(fabs(got[i] - want[i]) <= allowed, "%snumber %d: %.17g", line, i,
			got[i]);
	}
}

static void check_threshold(const char *line)
{
	char test[32];
	int kind, used = 0;
	size_t n;
	unsigned long seed;
	double b, want[3];
	struct threshold_model m;
	struct threshold_result r;
	struct error err = { 0 };
	enum threshold_test t;

	ck_assert_int_eq(
		sscanf(line, "%31s %d %zu %lu %lf%n", test, &kind, &n, &seed, &b, &used), 5);
	ck_assert(threshold_find(test, &t));
	m = threshold_defaults(t);
	m.min_sample = m.max_sample = 0;
	if (t == TEST_LOG_T)
		m.alpha = b;
	else
		m.lower = m.upper = b;
	ck_assert_int_eq(
		threshold_check(arena, &m, sample(kind, n, seed), n, 101, &r, &err), OK);
	if (sscanf(line + used, "%lf %lf %lf", &want[0], &want[1], &want[2]) == 3)
		compare_limits(line, &r, want[0], want[1], want[2]);
	else
		ck_assert_msg(r.used == TEST_EXACT || isnan(r.upper_limit), "%s", line);
}

START_TEST(thresholds_agree_with_independent_results)
{
	FILE *f = open_golden("stats-thresholds.txt");
	char line[512];
	size_t n = 0;

	for (; fgets(line, sizeof(line), f); n++)
		check_threshold(line);
	fclose(f);
	ck_assert_uint_ge(n, 1500);
}
END_TEST

/* --- rank tests --- */

static void check_rank(const char *line)
{
	char test[32];
	int kind;
	size_t n, m;
	unsigned long seed;
	double want, *x;
	struct rank_test t;

	ck_assert_int_eq(
		sscanf(line, "%31s %d %zu %zu %lu %lf", test, &kind, &n, &m, &seed, &want), 6);
	x = sample(kind, n + m, seed);
	for (size_t i = 0; i < n && m == 0; i++)
		x[i] -= kind == 5;
	if (m > 0)
		mann_whitney(tails, arena, x, n, x + n, m, &t);
	else
		signed_rank(arena, x, n, &t);
	ck_assert_msg(fabs(t.p - want) <= 1e-9 * want, "%sgot %.17g", line, t.p);
	ck_assert_msg(fabs(pow(10, t.log10_p) - want) <= 1e-9 * want, "%s", line);
}

START_TEST(rank_tests_agree_with_independent_results)
{
	FILE *f = open_golden("stats-ranks.txt");
	char line[512];
	size_t n = 0;

	for (; fgets(line, sizeof(line), f); n++)
		check_rank(line);
	fclose(f);
	ck_assert_uint_ge(n, 500);
}
END_TEST

/* --- detectors --- */

static void check_scores(const char *line, const char *rest, const struct change_points *c)
{
	for (size_t i = 0; i < c->n; i++) {
		char *end;
		double want = strtod(rest, &end);

		ck_assert_msg(end != rest, "%stoo few scores", line);
		ck_assert_msg(fabs(c->score[i] - want) <= 1e-9 * want, "%sscore %zu: %.17g",
			line, i, c->score[i]);
		rest = end;
	}
}

static void check_detector(const char *line)
{
	char name[32], want[256], got[256] = "-";
	int kind, used = 0, rest = 0;
	size_t n;
	unsigned long seed;
	struct change_points c;
	struct error err = { 0 };

	ck_assert_int_eq(
		sscanf(line, "%31s %d %zu %lu %255s%n", name, &kind, &n, &seed, want, &rest),
		5);
	ck_assert_int_eq(change_points_detect(detector_find(name), tails, arena,
				 sample(kind, n, seed), n, NULL, &c, &err),
		OK);
	for (size_t i = 0; i < c.n; i++)
		used += snprintf(got + used, sizeof(got) - (size_t)used, "%s%zu", i ? "," : "",
			c.index[i]);
	ck_assert_msg(strcmp(got, want) == 0, "%sgot %s", line, got);
	if (strcmp(name, "seeded_mw") == 0)
		check_scores(line, line + rest, &c);
}

START_TEST(detectors_agree_with_their_plain_definitions)
{
	FILE *f = open_golden("stats-detectors.txt");
	char line[512];
	size_t n = 0;

	for (; fgets(line, sizeof(line), f); n++)
		check_detector(line);
	fclose(f);
	ck_assert_uint_ge(n, 250);
}
END_TEST

SUITE("golden", thresholds_agree_with_independent_results,
	rank_tests_agree_with_independent_results, detectors_agree_with_their_plain_definitions)
