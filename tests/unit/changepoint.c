/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/stats.h"

#include "base/rng.h"
#include "stats/changepoint.h"
#include "stats/dist.h"

static double normal(struct rng *r)
{
	double u = rng_uniform(r);

	return dist_normal_quantile(u > 0 ? u : .5);
}

static struct change_points find(
	const char *name, const double *x, size_t n, const struct detector_params *p)
{
	struct change_points c = { 0 };
	struct error err = { 0 };
	const struct detector *d = detector_find(name);

	ck_assert_msg(d != NULL, "no detector %s", name);
	ck_assert_msg(
		change_points_detect(d, tails, arena, x, n, p, &c, &err) == OK, "%s", err.text);
	return c;
}

static void fill(double *x, size_t n, double level, double sd, struct rng *r)
{
	for (size_t i = 0; i < n; i++)
		x[i] = level * (1 + sd * normal(r));
}

START_TEST(one_clear_step_is_found_where_it_is)
{
	double x[100];
	struct rng r = { 7 };

	fill(x, 60, 100, .01, &r);
	fill(x + 60, 40, 110, .01, &r);
	for (const struct detector *d = detectors; d->name; d++) {
		struct change_points c = find(d->name, x, 100, NULL);

		ck_assert_msg(c.n == 1 && c.index[0] == 60, "%s finds %zu", d->name, c.n);
	}
}
END_TEST

START_TEST(a_change_five_commits_ago_is_found_by_the_exact_tail)
{
	double x[105];
	struct rng r = { 3 };
	struct change_points c;

	fill(x, 100, 100, .005, &r);
	fill(x + 100, 5, 105, .005, &r);
	c = find("seeded_mw", x, 105, NULL);
	ck_assert_uint_eq(c.n, 1);
	ck_assert_uint_eq(c.index[0], 100);
	near(c.score[0], -log10(2 / 96560646.), 1e-12);
}
END_TEST

START_TEST(constant_short_and_empty_histories_have_no_change)
{
	double x[50] = { 0 };

	for (const struct detector *d = detectors; d->name; d++) {
		for (size_t n = 0; n < 12; n++)
			ck_assert_uint_eq(find(d->name, x, n, NULL).n, 0);
		ck_assert_uint_eq(find(d->name, x, 50, NULL).n, 0);
	}
}
END_TEST

START_TEST(an_affine_change_of_the_unit_moves_nothing)
{
	double x[200], y[200];
	struct rng r = { 11 };
	struct change_points a, b;

	for (int i = 0; i < 4; i++)
		fill(x + 50 * i, 50, 100 + 7 * (i % 2), .02, &r);
	for (int i = 0; i < 200; i++)
		y[i] = exp(x[i] / 30);
	a = find("seeded_mw", x, 200, NULL);
	b = find("seeded_mw", y, 200, NULL); /* ranks: any rising function */
	ck_assert_uint_eq(a.n, b.n);
	ck_assert_int_eq(memcmp(a.index, b.index, a.n * sizeof(size_t)), 0);
	ck_assert_uint_ge(a.n, 3);
}
END_TEST

START_TEST(spikes_and_heavy_tails_are_no_change)
{
	double x[200];
	struct rng r = { 5 };
	size_t flagged = 0;

	for (int k = 0; k < 100; k++) {
		fill(x, 200, 100, .01, &r);
		for (int i = 0; i < 200; i++)
			if (rng_uniform(&r) < .03)
				x[i] *= 1.2 + .8 * rng_uniform(&r);
		flagged += find("seeded_mw", x, 200, NULL).n > 0;
	}
	ck_assert_uint_le(flagged, 8);
}
END_TEST

START_TEST(segments_closer_than_the_floor_are_merged_smallest_first)
{
	double x[90];
	struct detector_params p = detector_find("seeded_mw")->defaults;
	struct rng r = { 2 };
	struct change_points c;

	fill(x, 30, 100, .001, &r);
	fill(x + 30, 30, 101, .001, &r);
	fill(x + 60, 30, 105, .001, &r);
	ck_assert_uint_eq(find("seeded_mw", x, 90, &p).n, 2);
	p.min_effect = .02;
	c = find("seeded_mw", x, 90, &p);
	ck_assert_uint_eq(c.n, 1);
	ck_assert_uint_eq(c.index[0], 60);
	p.min_effect = .2;
	ck_assert_uint_eq(find("seeded_mw", x, 90, &p).n, 0);
}
END_TEST

START_TEST(the_history_rule_looks_at_the_newest_400_and_at_least_20)
{
	double x[600];
	struct rng r = { 4 };
	const struct detector *d = detector_find("seeded_mw");
	struct detector_params p = detector_history_params(d, true, 1);
	struct change_points c;

	fill(x, 100, 50, .01, &r);
	fill(x + 100, 400, 100, .01, &r);
	fill(x + 500, 100, 110, .01, &r);
	c = find("seeded_mw", x, 600, &p);
	ck_assert_uint_eq(c.n, 1);
	ck_assert_uint_eq(c.index[0], 500);
	ck_assert_uint_eq(find("seeded_mw", x + 490, 19, &p).n, 0);
	ck_assert_uint_eq(find("seeded_mw", x + 490, 20, &p).n, 1);
}
END_TEST

START_TEST(rounding_ties_are_broken_by_the_seed_and_only_by_it)
{
	double x[105];
	struct detector_params p = detector_find("seeded_mw")->defaults;

	for (int i = 0; i < 105; i++)
		x[i] = i < 100 ? 100 + i % 3 : 104;
	ck_assert_uint_eq(find("seeded_mw", x, 105, &p).n, 1);
	p.jitter = 1e-7;
	p.seed = 9;
	near(find("seeded_mw", x, 105, &p).score[0], find("seeded_mw", x, 105, &p).score[0], 0);
	near(find("seeded_mw", x, 105, &p).score[0], -log10(2 / 96560646.), 1e-12);
}
END_TEST

START_TEST(a_long_history_gives_the_same_answer_with_a_fresh_cache)
{
	/* 10,000 points, many steps: the answer must not depend on table eviction or caching.
	 */
	static double x[10000];
	struct rng r = { 12 };
	struct change_points a, b;

	for (int i = 0; i < 100; i++)
		fill(x + 100 * i, 100, i % 2 ? 100 : 104, .01, &r);
	a = find("seeded_mw", x, 10000, NULL);
	ck_assert_uint_ge(a.n, 97);
	ck_assert_uint_le(a.n, 101);
	mw_tails_free(tails);
	tails = mw_tails_new();
	b = find("seeded_mw", x, 10000, NULL);
	ck_assert_uint_eq(a.n, b.n);
	ck_assert_int_eq(memcmp(a.index, b.index, a.n * sizeof(size_t)), 0);
}
END_TEST

START_TEST(wrong_input_of_a_detector_is_named)
{
	const double x[] = { 1, 2, NAN };
	const struct detector *d = detector_find("seeded_mw");
	struct detector_params p = d->defaults;
	struct change_points c;
	struct error err = { 0 };

	ck_assert_int_eq(
		change_points_detect(d, tails, arena, x, 3, NULL, &c, &err), E_UNPROCESSABLE);
	ck_assert_ptr_nonnull(strstr(err.text, "value 2 (counted from 0) is NaN"));
	p.min_segment = 0;
	ck_assert_int_eq(
		change_points_detect(d, tails, arena, x, 2, &p, &c, &err), E_UNPROCESSABLE);
	ck_assert_str_eq(err.text, "'min_segment' must lie between 1 and 100000");
	ck_assert_ptr_null(detector_find("bocpd"));
}
END_TEST

START_TEST(segments_carry_their_medians_and_steps)
{
	double x[6] = { 1, 1, 1, 2, 2, 2 };
	size_t index[] = { 3 }, n;
	double score[] = { 1 };
	struct change_points c = { 1, index, score };
	struct segment *s = change_points_segments(arena, x, 6, &c, &n);

	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(s[1].start, 3);
	ck_assert_uint_eq(s[1].end, 6);
	near(s[1].median, 2., 0);
	near(s[1].change, 1., 0);
	ck_assert(isnan(s[0].change));
	change_points_segments(arena, x, 0, &(struct change_points){ 0 }, &n);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(a_step_below_zero_has_the_sign_of_its_direction)
{
	near(change_relative(-10, -20), -1, 0);
	near(change_relative(-1, 1), 2, 0);
	near(change_relative(4, 3), -.25, 0);
	near(change_relative(0, 0), 0, 0);
	ck_assert(isinf(change_relative(0, -1)) && change_relative(0, -1) < 0);
}
END_TEST

SUITE("changepoint", one_clear_step_is_found_where_it_is,
	a_change_five_commits_ago_is_found_by_the_exact_tail,
	constant_short_and_empty_histories_have_no_change,
	an_affine_change_of_the_unit_moves_nothing, spikes_and_heavy_tails_are_no_change,
	segments_closer_than_the_floor_are_merged_smallest_first,
	the_history_rule_looks_at_the_newest_400_and_at_least_20,
	rounding_ties_are_broken_by_the_seed_and_only_by_it,
	a_long_history_gives_the_same_answer_with_a_fresh_cache,
	wrong_input_of_a_detector_is_named, segments_carry_their_medians_and_steps,
	a_step_below_zero_has_the_sign_of_its_direction)
