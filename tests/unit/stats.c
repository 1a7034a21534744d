/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/stats.h"

#include "stats/compare.h"
#include "stats/dist.h"
#include "stats/interval.h"
#include "stats/power.h"
#include "stats/quantile.h"
#include "stats/rank.h"

START_TEST(quantiles_of_type_7_interpolate)
{
	const double x[] = { -6, -6, 1, 1, 9, 9 }, y[] = { 1, 2 }, z[] = { 1, 2, 3, 4, 5 };

	near(sample_quantile(x, 6, .25), -4.25, 0);
	near(sample_quantile(x, 6, .5), 1, 0);
	near(sample_quantile(x, 6, .75), 7, 0);
	near(sample_quantile(y, 2, .25), 1.25, 0);
	near(sample_quantile(y, 2, .75), 1.75, 0);
	near(sample_quantile(z, 5, .75), 4, 0);
	ck_assert(isnan(sample_quantile(x, 0, .5)));
}
END_TEST

START_TEST(a_value_that_is_not_a_number_is_refused)
{
	const double x[] = { 1, 2, NAN };
	struct error err = { 0 };

	ck_assert_int_eq(values_check(x, 3, &err), E_UNPROCESSABLE);
	ck_assert_str_eq(
		err.text, "value 2 (counted from 0) is NaN: only finite numbers are taken");
}
END_TEST

START_TEST(the_centre_is_the_median_on_the_log_scale)
{
	const double even[] = { 8, 2, 100, 1 }, odd[] = { 3, 1, 2 }, negative[] = { -1, 3 };
	const double pages[] = { 1966080, 1966080 };

	near(sample_centre(arena, even, 4), 4, 1e-15);
	near(sample_centre(arena, odd, 3), 2, 0);
	near(sample_centre(arena, pages, 2), 1966080, 0);
	near(sample_centre(arena, negative, 2), 1, 0);
}
END_TEST

START_TEST(ranks_of_the_median_interval_follow_the_binomial_tails)
{
	static const size_t want[][3] = { { 6, 1, 6 }, { 8, 1, 8 }, { 10, 2, 9 }, { 12, 3, 10 },
		{ 15, 4, 12 }, { 20, 6, 15 }, { 30, 10, 21 } };
	size_t l, u;

	for (size_t i = 0; i < N(want); i++) {
		ck_assert(interval_ranks(want[i][0], .5, .05, &l, &u));
		ck_assert_uint_eq(l, want[i][1]);
		ck_assert_uint_eq(u, want[i][2]);
	}
	for (size_t n = 0; n < 6; n++)
		ck_assert(!interval_ranks(n, .5, .05, &l, &u));
}
END_TEST

START_TEST(the_exact_mann_whitney_tail_matches_its_vectors)
{
	const double a[] = { 1, 2, 3, 4, 5.5 }, b[] = { 4.2, 6, 7, 8, 9, 10, 11 };
	double five[5], hundred[100];
	struct rank_test t;

	mann_whitney(tails, arena, a, 5, b, 7, &t);
	ck_assert(t.exact);
	near(t.statistic, 1., 0);
	near(t.p, .00505050505050505, 1e-12);
	for (int i = 0; i < 100; i++)
		hundred[i] = i;
	for (int i = 0; i < 5; i++)
		five[i] = 200 + i;
	mann_whitney(tails, arena, five, 5, hundred, 100, &t);
	near(t.p, 2 / 96560646., 1e-12); /* C(105, 5) = 96560646: 2.07e-8 */
	near(mann_whitney_greater(tails, arena, five, 5, hundred, 100), 1 / 96560646., 1e-12);
	near(mann_whitney_greater(tails, arena, hundred, 100, five, 5), 1., 1e-12);
}
END_TEST

START_TEST(ties_take_the_normal_branch_with_both_corrections)
{
	double five[5], hundred[100];
	struct rank_test t;

	for (int i = 0; i < 100; i++)
		hundred[i] = i;
	for (int i = 0; i < 5; i++)
		five[i] = 200;
	mann_whitney(tails, arena, five, 5, hundred, 100, &t);
	ck_assert(!t.exact);
	near(t.p, 1.74e-4, .01);
	for (int i = 0; i < 5; i++)
		five[i] = hundred[i] = 7;
	mann_whitney(tails, arena, five, 5, hundred, 5, &t);
	near(t.p, 1., 0);
}
END_TEST

/* Every count of every table up to 7 x 9 against enumeration by recursion. */
static double count_u(int a, int b, int u)
{
	if (u < 0 || a < 0 || b < 0)
		return 0;
	if (a == 0 || b == 0)
		return u == 0;
	return count_u(a - 1, b, u - b) + count_u(a, b - 1, u);
}

START_TEST(every_small_tail_equals_enumeration)
{
	for (int a = 1; a <= 6; a++)
		for (int b = 1; b <= 8; b++) {
			double total = 0, sum = 0;

			for (int u = 0; u <= a * b; u++)
				total += count_u(a, b, u);
			for (int u = 0; u <= a * b / 2; u++) {
				sum += count_u(a, b, u);
				near(mw_tails_lower(tails, a, b, u, 1), sum / total, 1e-14);
			}
		}
}
END_TEST

START_TEST(a_long_table_begun_for_small_p_gives_the_same_tails_when_completed)
{
	struct mw_tails *whole = mw_tails_new();
	double p = mw_tails_lower(tails, 12, 5000, 2000, 1e-6);

	near(p, mw_tails_lower(whole, 12, 5000, 2000, 1), 0);
	ck_assert_double_gt(mw_tails_lower(tails, 12, 5000, 29000, 1e-6), 1e-6);
	near(mw_tails_lower(tails, 12, 5000, 29000, 1),
		mw_tails_lower(whole, 5000, 12, 29000, 1), 0);
	ck_assert_double_gt(mw_tails_lower(whole, 12, 5000, 30000, 1), .5);
	mw_tails_free(whole);
}
END_TEST

START_TEST(the_table_cache_stays_within_its_budget)
{
	for (size_t b = 1000; b < 3000; b++)
		mw_tails_lower(tails, 12, b, b, 1);
	ck_assert_uint_le(mw_tails_bytes(tails), MW_TAILS_MAX_BYTES + 1024 * 1024);
}
END_TEST

START_TEST(hodges_lehmann_matches_its_vector)
{
	const double a[] = { 100, 101, 99, 103, 98 };
	const double b[] = { 104.5, 103.5, 105.5, 107.5, 102.5 };
	struct comparison c;
	struct compare_params p = compare_defaults();
	struct rank_test t;
	struct error err = { 0 };

	mann_whitney(tails, arena, a, 5, b, 5, &t);
	near(t.statistic, 1., 0);
	near(t.p, .0158730158730159, 1e-12);
	ck_assert_int_eq(compare_unpaired(tails, arena, a, 5, b, 5, &p, &c, &err), OK);
	near(1 + c.effect, 1.045, 1e-12);
	near(1 + c.lower, 1.0145631068, 1e-10);
	near(1 + c.upper, 1.0765306122, 1e-10);
	ck_assert_int_eq(c.outcome, COMPARE_UNKNOWN);
	p.alpha = .05;
	ck_assert_int_eq(compare_unpaired(tails, arena, a, 5, b, 5, &p, &c, &err), OK);
	ck_assert_int_eq(c.outcome, COMPARE_SLOWER);
	p.better = HIGHER_IS_BETTER;
	ck_assert_int_eq(compare_unpaired(tails, arena, a, 5, b, 5, &p, &c, &err), OK);
	ck_assert_int_eq(c.outcome, COMPARE_FASTER);
}
END_TEST

START_TEST(the_index_of_the_shift_interval_matches_the_table)
{
	ck_assert_uint_eq(mw_tails_count(tails, 3, 3, .025), 0);
	ck_assert_uint_eq(mw_tails_count(tails, 4, 4, .025), 1);
	ck_assert_uint_eq(mw_tails_count(tails, 5, 5, .025), 3);
	ck_assert_uint_eq(mw_tails_count(tails, 5, 7, .025), 6);
	ck_assert_uint_eq(mw_tails_count(tails, 10, 10, .025), 24);
	ck_assert_uint_eq(mw_tails_count(tails, 100, 100, .025), 4197);
}
END_TEST

START_TEST(the_paired_estimate_matches_its_vector)
{
	const double d[] = { .011, .02, -.004, .015, .03, .009, .012, .025 };
	struct rank_test t;
	struct estimate e;

	signed_rank(arena, d, 8, &t);
	ck_assert(t.exact);
	near(t.statistic, 1., 0);
	near(t.p, .015625, 1e-14);
	ck_assert(hodges_lehmann_paired(arena, d, 8, .05, &e));
	near(e.value, .01475, 1e-12);
	ck_assert_uint_eq(e.k, 4);
	near(e.lower, .004, 1e-12);
	near(e.upper, .025, 1e-12);
}
END_TEST

/* Enumerate all signs. */
static double signed_rank_by_force(const double *rank, int n, double w)
{
	int hits = 0;

	for (int mask = 0; mask < 1 << n; mask++) {
		double s = 0;

		for (int i = 0; i < n; i++)
			s += mask >> i & 1 ? rank[i] : 0;
		hits += s <= w;
	}
	return fmin(1, 2. * hits / (1 << n));
}

START_TEST(tied_differences_are_enumerated_over_midranks)
{
	const double d[] = { 1, 1, -1, 2, 2, 3, 0, 4, -2, 5 };
	const double rank[] = { 2, 2, 2, 5, 5, 7, 8, 5, 9 };
	struct rank_test t;

	signed_rank(arena, d, 10, &t);
	ck_assert_uint_eq(t.n, 9);
	near(t.statistic, 7., 0);
	near(t.p, signed_rank_by_force(rank, 9, 7), 1e-14);
}
END_TEST

START_TEST(equal_arms_are_the_same_and_few_pairs_are_unknown)
{
	const double a[] = { 5, 6, 7, 5, 6, 7, 5, 6, 7, 5 }, none[1] = { 0 };
	struct compare_params p = compare_defaults();
	struct comparison c;
	struct error err = { 0 };
	double b[10];

	ck_assert_int_eq(compare_paired(arena, a, a, 10, &p, &c, &err), OK);
	ck_assert_int_eq(c.outcome, COMPARE_SAME);
	near(c.p, 1., 0);
	ck_assert_int_eq(compare_paired(arena, a, a, 5, &p, &c, &err), OK);
	ck_assert_int_eq(c.outcome, COMPARE_UNKNOWN);
	ck_assert_str_eq(c.reason, "too few processes for an interval");
	for (size_t i = 0; i < 10; i++)
		b[i] = 2 * a[i] + .1 * (double)i;
	ck_assert_int_eq(compare_paired(arena, a, b, 7, &p, &c, &err), OK);
	ck_assert_int_eq(c.outcome, COMPARE_UNKNOWN);
	ck_assert_str_eq(c.reason, "so few processes cannot show a difference: their p is "
				   "never at most alpha; measure more");
	ck_assert_int_eq(compare_paired(arena, a, b, 8, &p, &c, &err), OK);
	ck_assert_int_eq(c.outcome, COMPARE_SLOWER);
	ck_assert_int_eq(compare_paired(arena, none, none, 0, &p, &c, &err), OK);
	ck_assert_int_eq(c.outcome, COMPARE_UNKNOWN);
}
END_TEST

START_TEST(a_paired_difference_is_slower_or_faster_by_the_direction)
{
	double a[12], b[12];
	struct compare_params p = compare_defaults();
	struct comparison c;
	struct error err = { 0 };

	for (int i = 0; i < 12; i++) {
		a[i] = 100 + 40 * sin(i); /* drift that pairs remove */
		b[i] = a[i] * (1.05 + .001 * i);
	}
	ck_assert_int_eq(compare_paired(arena, a, b, 12, &p, &c, &err), OK);
	ck_assert_int_eq(c.outcome, COMPARE_SLOWER);
	near(c.p, 2. / 4096, 1e-12);
	p.better = HIGHER_IS_BETTER;
	ck_assert_int_eq(compare_paired(arena, a, b, 12, &p, &c, &err), OK);
	ck_assert_int_eq(c.outcome, COMPARE_FASTER);
	p.min_effect = .1;
	ck_assert_int_eq(compare_paired(arena, a, b, 12, &p, &c, &err), OK);
	ck_assert_int_eq(c.outcome, COMPARE_SAME);
}
END_TEST

START_TEST(wrong_input_of_a_comparison_is_named)
{
	const double a[] = { 1, NAN };
	struct compare_params p = compare_defaults();
	struct comparison c;
	struct error err = { 0 };

	ck_assert_int_eq(compare_paired(arena, a, a, 2, &p, &c, &err), E_UNPROCESSABLE);
	ck_assert_ptr_nonnull(strstr(err.text, "base: value 1"));
	p.alpha = 1;
	ck_assert_int_eq(compare_paired(arena, a, a, 1, &p, &c, &err), E_UNPROCESSABLE);
	ck_assert_str_eq(err.text, "alpha must lie between 0 and 1");
}
END_TEST

START_TEST(a_value_of_zero_moves_the_comparison_to_the_raw_scale)
{
	double a[10], b[10];
	struct compare_params p = compare_defaults();
	struct comparison c;
	struct error err = { 0 };

	for (int i = 0; i < 10; i++) {
		a[i] = i;
		b[i] = i + 3 + .01 * i;
	}
	p.min_effect = 1;
	ck_assert_int_eq(compare_paired(arena, a, b, 10, &p, &c, &err), OK);
	ck_assert(c.absolute);
	ck_assert_int_eq(c.outcome, COMPARE_SLOWER);
	near(c.effect, 3.045, 1e-12);
}
END_TEST

START_TEST(the_smallest_detectable_effect_matches_its_vector)
{
	near(power_mde(.02, 1, 30, 0, .01, .8), .06947, 1e-4);
	ck_assert(isnan(power_mde(.02, 1, 1, 0, .01, .8)));
	/* 2 (2.3263 + .8416)^2 .02^2 / ln(1.05)^2 = 3.37 */
	ck_assert_uint_eq(power_processes(.02, .05, .01, .8), 4);
	ck_assert_uint_eq(power_processes(.02, 0, .01, .8), SIZE_MAX);
}
END_TEST

START_TEST(a_nested_plan_follows_kalibera_and_jones)
{
	/* Two levels, 3 samples in each of 2 processes. S_1^2 = 1, means 2 and 12: S_2^2 = 50.
	 */
	const double x[] = { 1, 2, 3, 11, 12, 13 };
	struct kj_design d = { 2, { 3, 2 }, { 1, 100 } };
	struct kj_plan p;
	struct error err = { 0 };

	ck_assert_int_eq(kj_plan_make(arena, &d, x, &p, &err), OK);
	near(p.s2[0], 1., 1e-14);
	near(p.s2[1], 50., 1e-14);
	near(p.t2[1], 50 - 1. / 3, 1e-14);
	ck_assert_uint_eq(p.r[0], 2); /* ceil(sqrt(100/49.67)) */
	d.r[1] = 1;
	ck_assert_int_eq(kj_plan_make(arena, &d, x, &p, &err), E_UNPROCESSABLE);
	ck_assert_ptr_nonnull(strstr(err.text, "level 1 has 1 repetitions"));
}
END_TEST

START_TEST(fiellers_interval_contains_the_ratio_or_is_refused)
{
	double lo, hi;

	ck_assert(ratio_interval(11, .5, 10, .5, &lo, &hi));
	/* (110 -+ sqrt(110^2 - 99.75*120.75)) / 99.75 */
	near(lo, (110 - sqrt(12100 - 99.75 * 120.75)) / 99.75, 1e-14);
	near(hi, (110 + sqrt(12100 - 99.75 * 120.75)) / 99.75, 1e-14);
	ck_assert(!ratio_interval(11, .5, 10, 10, &lo, &hi));
}
END_TEST

START_TEST(samples_of_one_process_count_less_than_they_seem)
{
	const double p1[] = { 10, 10.1, 9.9 }, p2[] = { 20, 20.2, 19.8 },
		     p3[] = { 30, 30.3, 29.7 };
	const double *all[] = { p1, p2, p3 }, *same[] = { p1, p1, p1 };
	const size_t n[] = { 3, 3, 3 };
	struct clustering c;

	ck_assert(sample_clustering(arena, all, n, 3, &c));
	ck_assert_double_gt(c.icc, .99);
	near(c.design_effect, 1 + 2 * c.icc, 1e-12);
	ck_assert(sample_clustering(arena, same, n, 3, &c));
	near(c.icc, 0., 0);
	ck_assert(!sample_clustering(arena, all, n, 1, &c));
}
END_TEST

START_TEST(a_share_has_wilsons_interval)
{
	double lo, hi;

	interval_share(0, 200, .05, &lo, &hi);
	near(lo, 0., 0);
	near(hi, .018845326, 1e-6);
	interval_share(10, 200, .05, &lo, &hi);
	near(lo, .027394, 1e-3);
	near(hi, .089580, 1e-3);
}
END_TEST

START_TEST(student_quantiles_hold_up_far_out)
{
	near(dist_t_quantile(.975, 13), 2.1603686564627922, 1e-13);
	near(dist_t_quantile(1 - 0x1p-50, 1), 1 / tan(M_PI * 0x1p-50), 1e-9);
	near(dist_t_quantile(.025, 13), -2.1603686564627922, 1e-13);
	ck_assert(isinf(dist_t_quantile(1, 3)));
	near(dist_normal_log10_two_sided(8.0000001), log10(2 * dist_normal_upper(8.0000001)),
		1e-3);
	near(dist_normal_log10_two_sided(100.), -2173.5, 1e-3);
}
END_TEST

SUITE("stats", quantiles_of_type_7_interpolate, a_value_that_is_not_a_number_is_refused,
	the_centre_is_the_median_on_the_log_scale,
	ranks_of_the_median_interval_follow_the_binomial_tails,
	the_exact_mann_whitney_tail_matches_its_vectors,
	ties_take_the_normal_branch_with_both_corrections, every_small_tail_equals_enumeration,
	a_long_table_begun_for_small_p_gives_the_same_tails_when_completed,
	the_table_cache_stays_within_its_budget, hodges_lehmann_matches_its_vector,
	the_index_of_the_shift_interval_matches_the_table,
	the_paired_estimate_matches_its_vector, tied_differences_are_enumerated_over_midranks,
	equal_arms_are_the_same_and_few_pairs_are_unknown,
	a_paired_difference_is_slower_or_faster_by_the_direction,
	wrong_input_of_a_comparison_is_named,
	a_value_of_zero_moves_the_comparison_to_the_raw_scale,
	the_smallest_detectable_effect_matches_its_vector,
	a_nested_plan_follows_kalibera_and_jones,
	fiellers_interval_contains_the_ratio_or_is_refused,
	samples_of_one_process_count_less_than_they_seem, a_share_has_wilsons_interval,
	student_quantiles_hold_up_far_out)
