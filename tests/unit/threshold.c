/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/stats.h"

#include "stats/dist.h"
#include "stats/quantile.h"
#include "stats/threshold.h"

static struct threshold_result check(
	struct threshold_model m, const double *h, size_t n, double x)
{
	struct threshold_result r;
	struct error err = { 0 };

	ck_assert_msg(threshold_validate(&m, &err) == OK, "%s", err.text);
	ck_assert_msg(threshold_check(arena, &m, h, n, x, &r, &err) == OK, "%s", err.text);
	return r;
}

static struct threshold_model model(enum threshold_test t, double lower, double upper)
{
	struct threshold_model m = threshold_defaults(t);

	m.lower = lower;
	m.upper = upper;
	return m;
}

/* A history with mean m and sd s exactly: m +- s sqrt((n-1)/n) pairs, and m if n is odd. */
static double *history(size_t n, double m, double s)
{
	double *h = ARENA_ARRAY(arena, double, n), pairs = (double)(n / 2 * 2);
	double d = s * sqrt((double)(n - 1) / pairs);

	for (size_t i = 0; i < n; i++)
		h[i] = i == n - 1 && n % 2 ? m : i % 2 ? m - d : m + d;
	return h;
}

START_TEST(z_score_matches_its_vectors)
{
	struct threshold_result r =
		check(model(TEST_Z_SCORE, .85, .85), history(6, 0, 1), 6, 1.03);

	near(r.upper_limit, 1.0364333894937896, 1e-12);
	near(r.lower_limit, -1.0364333894937896, 1e-12);
	ck_assert_int_eq(r.verdict, VERDICT_PASS);
	r = check(model(TEST_Z_SCORE, .977, .977), history(25, 100, 10), 25, 120);
	near(r.lower_limit, 80.04606689832175, 1e-12);
	near(r.upper_limit, 119.95393310167825, 1e-12);
	ck_assert_int_eq(r.alert, SIDE_UPPER);
	ck_assert_int_eq(r.verdict, VERDICT_SLOWER);
}
END_TEST

START_TEST(t_test_matches_its_vectors)
{
	struct threshold_result r =
		check(model(TEST_T_TEST, .85, NAN), history(6, 0, 1), 6, -2);

	near(r.lower_limit, -1.2483714094976244, 1e-12);
	ck_assert(isnan(r.upper_limit));
	ck_assert_int_eq(r.verdict, VERDICT_FASTER);
	r = check(model(TEST_T_TEST, .977, .977), history(25, 100, 10), 25, 100);
	near(r.lower_limit, 78.53909652847402, 1e-12);
	near(r.upper_limit, 121.46090347152598, 1e-12);
}
END_TEST

START_TEST(log_normal_matches_its_vectors)
{
	double h[30], g[26];
	struct threshold_result r;
	struct threshold_model m = model(TEST_LOG_NORMAL, .85, .85);

	for (int i = 0; i < 30; i++)
		h[i] = i % 5 + 1;
	r = check(m, h, 30, 5);
	near(r.baseline, 2.6051710846973517, 1e-14);
	near(r.lower_limit, .467218645251152, 1e-12);
	near(r.upper_limit, 4.743123524143551, 1e-12);
	m.lower_is_quantile = true;
	r = check(m, h, 30, 5);
	near(r.lower_limit * r.upper_limit, r.baseline * r.baseline, 1e-12);
	for (int i = 0; i < 25; i++)
		g[i] = 98 + i % 5;
	g[25] = 200;
	r = check(model(TEST_LOG_NORMAL, .977, .977), g, 26, 100);
	near(r.baseline, 102.69192869301948, 1e-12);
	near(r.lower_limit, 70.49040406473313, 1e-12);
	near(r.upper_limit, 134.89345332130583, 1e-12);
}
END_TEST

START_TEST(percentage_matches_its_vectors)
{
	const double one[] = { 1 }, hundred[] = { 99, 101 };
	struct threshold_result r = check(model(TEST_PERCENTAGE, 5, 5), one, 1, 0);

	near(r.lower_limit, -4., 0);
	near(r.upper_limit, 6., 0);
	r = check(model(TEST_PERCENTAGE, .1, .1), hundred, 2, 0);
	near(r.lower_limit, 90., 0);
	near(r.upper_limit, 110., 0);
	ck_assert_int_eq(r.alert, SIDE_LOWER);
}
END_TEST

START_TEST(iqr_and_delta_iqr_match_their_vectors)
{
	const double h[] = { 1, 2, 3, 4, 5 }, back[] = { 5, 4, 3, 2, 1 },
		     q[] = { 0, 1, 2, 3, 4 };
	struct threshold_result r = check(model(TEST_IQR, 1.5, 1.5), q, 5, 2);

	near(r.baseline, 2., 0); /* quartiles 1, 2, 3 */
	near(r.lower_limit, -1., 0);
	near(r.upper_limit, 5., 0);
	r = check(model(TEST_DELTA_IQR, 2, 2), h, 5, 3);
	near(r.lower_limit, 3 - 3 * ((.625 - .3125) * 2), 0);
	near(r.upper_limit, 3 + 3 * ((.625 - .3125) * 2), 0);
	r = check(model(TEST_DELTA_IQR, 2, 2), back, 5, 3);
	near(r.upper_limit, 3 + 3 * ((.375 - .2375) * 2), 1e-15);
}
END_TEST

START_TEST(an_empty_or_too_short_history_gives_no_limits)
{
	const double h[] = { 1, 2 };
	struct threshold_model m = model(TEST_T_TEST, NAN, .99);
	struct threshold_result r;

	for (enum threshold_test t = TEST_STATIC; t <= TEST_DELTA_IQR; t++) {
		r = check(model(t, NAN, .9), h, 0, 5);
		ck_assert_msg(isnan(r.upper_limit), "%s", threshold_name(t));
		ck_assert_int_eq(r.verdict, VERDICT_UNKNOWN);
		ck_assert_str_eq(r.reason, "too few values in the history");
	}
	m.min_sample = 3;
	ck_assert_int_eq(check(m, h, 2, 5).verdict, VERDICT_UNKNOWN);
	m = model(TEST_STATIC, NAN, 4);
	m.static_first = true;
	ck_assert_int_eq(check(m, h, 0, 5).verdict, VERDICT_SLOWER);
}
END_TEST

START_TEST(only_the_newest_values_count)
{
	const double h[] = { 1, 1, 1, 50, 50, 50 };
	struct threshold_model m = model(TEST_PERCENTAGE, NAN, .1);

	m.max_sample = 3;
	near(check(m, h, 6, 1).baseline, 1., 0);
}
END_TEST

START_TEST(no_variance_gives_no_limit_unless_the_model_asks_for_exact)
{
	const double h[] = { 7, 7, 7, 7 };
	struct threshold_model m = model(TEST_T_TEST, NAN, .99);
	struct threshold_result r = check(m, h, 4, 8);

	ck_assert_int_eq(r.verdict, VERDICT_UNKNOWN);
	ck_assert_str_eq(r.reason, "the history has no variance");
	m.zero_variance_exact = true;
	r = check(m, h, 4, 8);
	ck_assert_int_eq(r.verdict, VERDICT_SLOWER);
	ck_assert_int_eq(r.used, TEST_EXACT);
	ck_assert_int_eq(check(m, h, 4, 7).verdict, VERDICT_PASS);
	r = check(model(TEST_IQR, 3, 3), h, 4, 7.001);
	ck_assert_int_eq(r.alert, SIDE_UPPER);
	m = model(TEST_IQR, 3, 3);
	m.min_effect = .01;
	ck_assert_int_eq(check(m, h, 4, 7.001).alert, SIDE_NONE);
}
END_TEST

START_TEST(values_that_are_not_finite_make_benchers_limits_absent)
{
	const double h[] = { 1, 2, NAN, 4 }, zero[] = { 0, 1, 0, 2 },
		     negative[] = { -1, 1, 2, 3 };

	for (enum threshold_test t = TEST_PERCENTAGE; t <= TEST_DELTA_IQR; t++)
		ck_assert(isnan(check(model(t, NAN, .9), h, 4, 1).upper_limit));
	ck_assert(isnan(check(model(TEST_DELTA_IQR, NAN, 1), zero, 4, 1).upper_limit));
	ck_assert(isnan(check(model(TEST_LOG_NORMAL, NAN, .9), negative, 4, 1).upper_limit));
}
END_TEST

START_TEST(wrong_models_are_named_by_benchers_fields)
{
	struct error err = { 0 };
	struct threshold_model m = model(TEST_T_TEST, NAN, 1);

	ck_assert_int_eq(threshold_validate(&m, &err), E_UNPROCESSABLE);
	ck_assert_str_eq(err.text,
		"'upper_boundary' must be at least 0.5 and less than 1 for this test");
	m = model(TEST_STATIC, 2, 1);
	ck_assert_int_eq(threshold_validate(&m, &err), E_UNPROCESSABLE);
	ck_assert_str_eq(err.field, "lower_boundary");
	m = threshold_defaults(TEST_IQR);
	ck_assert_int_eq(threshold_validate(&m, &err), E_UNPROCESSABLE);
	m = threshold_defaults(TEST_LOG_T);
	m.min_sample = 65;
	ck_assert_int_eq(threshold_validate(&m, &err), E_UNPROCESSABLE);
	ck_assert_str_eq(err.field, "min_sample_size");
	m = model(TEST_LOG_T, NAN, .9);
	ck_assert_int_eq(threshold_validate(&m, &err), E_UNPROCESSABLE);
}
END_TEST

static const double tens[] = { 100, 102, 98, 101, 99, 103, 97, 100, 101, 99 };

START_TEST(log_t_matches_its_vector)
{
	struct threshold_model m = threshold_defaults(TEST_LOG_T);
	struct threshold_result r = check(m, tens, 10, 106);

	near(log(r.baseline), 4.60502013646157, 1e-14);
	near(r.p, .00689620815340315, 1e-12);
	near(r.lower_limit, 94.7251356313, 1e-11);
	near(r.upper_limit, 105.536924208, 1e-11);
	ck_assert_int_eq(r.verdict, VERDICT_SLOWER);
	m.better = HIGHER_IS_BETTER;
	r = check(m, tens, 10, 106);
	near(r.p, 1 - .00689620815340315, 1e-12);
	ck_assert_int_eq(r.verdict, VERDICT_PASS);
	m.direction = DIRECTION_BOTH;
	ck_assert_int_eq(check(m, tens, 10, 106).verdict, VERDICT_FASTER);
	m.min_effect = .07;
	ck_assert_int_eq(check(m, tens, 10, 106).verdict, VERDICT_PASS);
}
END_TEST

START_TEST(log_t_needs_its_history)
{
	struct threshold_model m = threshold_defaults(TEST_LOG_T);
	const double bad[] = { 1, INFINITY };
	struct threshold_result r = check(m, tens, 9, 200);
	struct error err = { 0 };

	ck_assert_int_eq(r.verdict, VERDICT_UNKNOWN);
	ck_assert_int_eq(r.alert, SIDE_NONE);
	ck_assert_int_eq(threshold_check(arena, &m, bad, 2, 1, &r, &err), E_UNPROCESSABLE);
	ck_assert_ptr_nonnull(strstr(err.text, "value 1 (counted from 0) is infinite"));
}
END_TEST

START_TEST(log_t_falls_back_to_exact_and_to_the_raw_scale)
{
	double h[10], z[10];
	struct threshold_model m = threshold_defaults(TEST_LOG_T);
	struct threshold_result r;

	for (int i = 0; i < 10; i++) {
		h[i] = 1000;
		z[i] = i % 3 - 1;
	}
	r = check(m, h, 10, 1021);
	ck_assert_int_eq(r.used, TEST_EXACT);
	ck_assert_int_eq(r.verdict, VERDICT_SLOWER);
	ck_assert_int_eq(check(m, h, 10, 1019).verdict, VERDICT_PASS);
	r = check(m, z, 10, 9);
	ck_assert(r.absolute);
	near(r.effect, 9.1, 1e-14);
	ck_assert_int_eq(r.verdict, VERDICT_SLOWER);
}
END_TEST

START_TEST(exact_compares_with_the_latest_value)
{
	double h[10] = { 1000, 1001, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000 };
	struct threshold_model m = threshold_defaults(TEST_EXACT);
	struct threshold_result r = check(m, h, 10, 1001);

	ck_assert_int_eq(r.verdict, VERDICT_SLOWER);
	ck_assert(isnan(r.p));
	near(r.effect, .001, 1e-15);
	ck_assert_int_eq(
		check(m, h, 10, 999).verdict, VERDICT_PASS); /* better: not asked for */
	m.direction = DIRECTION_BETTER;
	ck_assert_int_eq(check(m, h, 10, 999).verdict, VERDICT_FASTER);
	m.min_effect = .02;
	m.direction = DIRECTION_WORSE;
	ck_assert_int_eq(check(m, h, 10, 1020).verdict, VERDICT_PASS);
	h[0] = 0;
	ck_assert_int_eq(check(m, h, 10, 1).verdict, VERDICT_SLOWER);
}
END_TEST

START_TEST(ab_log_t_matches_its_vector)
{
	const double a[] = { 100, 101, 99 }, b[] = { 104, 103, 105 };
	const double *single[10];
	size_t ones[10];
	struct threshold_groups g = { .base = a, .head = b, .n_base = 3, .n_head = 3 };
	struct threshold_model m = threshold_defaults(TEST_AB_LOG_T);
	struct threshold_result r;
	struct error err = { 0 };

	for (int i = 0; i < 10; i++) {
		single[i] = &tens[i];
		ones[i] = 1;
	}
	g.history = threshold_log_variance(arena, single, ones, 10);
	near(g.history.nu, 9., 0);
	near(sqrt(g.history.s2), .0182622593906039, 1e-12);
	ck_assert_int_eq(threshold_check_groups(tails, arena, &m, &g, &r, &err), OK);
	near(r.p, .01071534583057, 1e-11);
	near(1 + r.effect, 1.0400026156396, 1e-13);
	near(1 + r.effect_lower, 1.010811214384, 1e-12);
	near(1 + r.effect_upper, 1.070037040692, 1e-12);
	ck_assert_int_eq(r.verdict, VERDICT_SLOWER); /* one-sided: p/2 < .01 */
	g.n_base = g.n_head = 1;
	g.history.nu = 8;
	ck_assert_int_eq(threshold_check_groups(tails, arena, &m, &g, &r, &err), OK);
	ck_assert_int_eq(r.verdict, VERDICT_UNKNOWN);
}
END_TEST

START_TEST(the_variance_of_history_is_pooled_within_commits)
{
	const double c1[] = { 1, exp(2) }, c2[] = { 1, exp(1), exp(2) }, c3[] = { 9 };
	const double *v[] = { c1, c2, c3 };
	const size_t n[] = { 2, 3, 1 };
	struct log_variance s = threshold_log_variance(arena, v, n, 3);

	near(s.nu, 3., 0);
	near(s.s2, (2. * 1 + 1. * 2) / 3, 1e-14);
}
END_TEST

START_TEST(mann_whitney_needs_enough_processes_for_its_level)
{
	const double a[] = { 100, 101, 99, 98, 102 }, b[] = { 110, 111, 109, 112, 113 };
	struct threshold_groups g = { .base = a, .head = b, .n_base = 4, .n_head = 4 };
	struct threshold_model m = threshold_defaults(TEST_MANN_WHITNEY);
	struct threshold_result r;
	struct error err = { 0 };

	ck_assert_int_eq(threshold_check_groups(tails, arena, &m, &g, &r, &err), OK);
	ck_assert_int_eq(r.verdict, VERDICT_UNKNOWN); /* least p 1/70 > .01 */
	m.alpha = .025;
	ck_assert_int_eq(threshold_check_groups(tails, arena, &m, &g, &r, &err), OK);
	near(r.p, 2 / 70., 1e-14);
	ck_assert_int_eq(r.verdict, VERDICT_SLOWER);
	g.n_base = g.n_head = 5;
	m.alpha = .01;
	ck_assert_int_eq(threshold_check_groups(tails, arena, &m, &g, &r, &err), OK);
	near(r.p, 2 / 252., 1e-14);
	ck_assert_int_eq(r.verdict, VERDICT_SLOWER);
	m.test = TEST_LOG_T;
	ck_assert_int_eq(
		threshold_check_groups(tails, arena, &m, &g, &r, &err), E_UNPROCESSABLE);
	ck_assert_str_eq(err.text, "'log_t' judges one value, not groups");
}
END_TEST

START_TEST(every_test_has_a_name_that_finds_it)
{
	enum threshold_test t;

	for (size_t i = 0; i < N_THRESHOLD_TESTS; i++) {
		ck_assert(threshold_find(threshold_names[i], &t));
		ck_assert_uint_eq(t, i);
	}
	ck_assert(!threshold_find("cusum", &t));
}
END_TEST

SUITE("threshold", z_score_matches_its_vectors, t_test_matches_its_vectors,
	log_normal_matches_its_vectors, percentage_matches_its_vectors,
	iqr_and_delta_iqr_match_their_vectors, an_empty_or_too_short_history_gives_no_limits,
	only_the_newest_values_count,
	no_variance_gives_no_limit_unless_the_model_asks_for_exact,
	values_that_are_not_finite_make_benchers_limits_absent,
	wrong_models_are_named_by_benchers_fields, log_t_matches_its_vector,
	log_t_needs_its_history, log_t_falls_back_to_exact_and_to_the_raw_scale,
	exact_compares_with_the_latest_value, ab_log_t_matches_its_vector,
	the_variance_of_history_is_pooled_within_commits,
	mann_whitney_needs_enough_processes_for_its_level, every_test_has_a_name_that_finds_it)
