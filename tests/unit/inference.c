/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bootstrap, sequential and multiple tests, suites, trends, outliers, steady state, scaling. */
#include "tests/unit/stats.h"

#include "base/rng.h"
#include "stats/bootstrap.h"
#include "stats/dist.h"
#include "stats/multiple.h"
#include "stats/outlier.h"
#include "stats/quantile.h"
#include "stats/scaling.h"
#include "stats/sequential.h"
#include "stats/steady.h"
#include "stats/suite.h"
#include "stats/trend.h"

static double normal(struct rng *r)
{
	double u = rng_uniform(r);

	return dist_normal_quantile(u > 0 ? u : .5);
}

/* --- bootstrap --- */

START_TEST(bca_bounds_follow_their_formula)
{
	/* Replicates 0..999, estimate 400: z0 = Phi^-1(.4); jackknife symmetric: a = 0. */
	double replicates[1000], lo, hi;
	const double symmetric[] = { 1, 2, 3 }, skewed[] = { 1, 1, 1, 1, 9 };
	double z0 = dist_normal_quantile(.4), z = dist_normal_quantile(.975);

	for (int i = 0; i < 1000; i++)
		replicates[i] = 999 - i;
	ck_assert(bootstrap_bca(400, replicates, 1000, symmetric, 3, .05, &lo, &hi));
	near(lo, 999 * (1 - dist_normal_upper(2 * z0 - z)), 1e-12);
	near(hi, 999 * (1 - dist_normal_upper(2 * z0 + z)), 1e-12);
	/* mean 2.6: sum d^2 = 4*2.56 + 40.96, sum d^3 = 4*4.096 - 262.144 */
	ck_assert(bootstrap_bca(400, replicates, 1000, skewed, 5, .05, &lo, &hi));
	double a = (4 * 4.096 - 262.144) / (6 * pow(51.2, 1.5));
	near(hi, 999 * (1 - dist_normal_upper(z0 + (z0 + z) / (1 - a * (z0 + z)))), 1e-12);
}
END_TEST

START_TEST(a_bootstrap_interval_covers_as_often_as_it_says)
{
	struct rng r = { 99 };
	struct bootstrap_params p = { .replicates = 500 };
	size_t hits = 0;

	for (int k = 0; k < 400; k++) {
		double x[20];
		const double *groups[] = { x };
		const size_t n[] = { 20 };
		struct estimate e;

		for (int i = 0; i < 20; i++)
			x[i] = exp(.5 * normal(&r));
		p.seed = (uint64_t)k;
		bootstrap_groups(arena, groups, n, 1, bootstrap_mean, NULL, &p, &e);
		hits += e.lower <= exp(.125) && e.upper >= exp(.125);
	}
	ck_assert_uint_ge(hits, 350); /* BCa of a skewed mean at n = 20: about 92 % */
	ck_assert_uint_le(hits, 395);
}
END_TEST

START_TEST(fewer_than_six_processes_get_no_bootstrap_interval)
{
	const double x[] = { 1, 2, 3, 4, 5, 6, 7 };
	const double *groups[] = { x, x };
	size_t n[] = { 7, 5 };
	struct bootstrap_params p = { .replicates = 200, .seed = 1 };
	struct estimate e, again;

	bootstrap_groups(arena, groups, n, 2, bootstrap_median_ratio, NULL, &p, &e);
	near(e.value, .75, 1e-15);
	ck_assert(!e.has_interval && isnan(e.lower));
	n[1] = 6;
	bootstrap_groups(arena, groups, n, 2, bootstrap_median_ratio, NULL, &p, &e);
	bootstrap_groups(arena, groups, n, 2, bootstrap_median_ratio, NULL, &p, &again);
	ck_assert(e.has_interval);
	near(e.lower, again.lower, 0);
	near(e.upper, again.upper, 0);
}
END_TEST

START_TEST(nested_resampling_widens_with_the_spread_between_processes)
{
	double apart[8][5], together[8][5];
	const double *x[8], *y[8];
	size_t n[8];
	struct rng r = { 3 };
	struct bootstrap_params p = { .replicates = 1000, .seed = 2 };
	struct estimate e, f;

	for (int g = 0; g < 8; g++) {
		for (int i = 0; i < 5; i++) {
			together[g][i] = 100 + normal(&r);
			apart[g][i] = together[g][i] + 5 * (g % 4);
		}
		x[g] = apart[g];
		y[g] = together[g];
		n[g] = 5;
	}
	bootstrap_nested(arena, x, n, 8, bootstrap_median, NULL, &p, &e);
	bootstrap_nested(arena, y, n, 8, bootstrap_median, NULL, &p, &f);
	ck_assert(e.has_interval && f.has_interval);
	ck_assert_double_gt(e.upper - e.lower, 3 * (f.upper - f.lower));
}
END_TEST

/* --- sequential --- */

START_TEST(the_sequential_test_matches_its_vector)
{
	struct sequential s;
	struct sequential_look l;

	sequential_init(&s, 1e-4, .02, .05, .005, LOWER_IS_BETTER);
	for (int i = 0; i < 10; i++)
		l = sequential_add(&s, .015);
	near(l.likelihood, 9125.461228, 1e-9);
	near(l.p, 1.0958e-4, 1e-4);
	near(sequential_half_width(1e-4, .02, .05, 10), .0099738, 1e-5);
	ck_assert_int_eq(l.outcome, COMPARE_SLOWER);
	s.better = HIGHER_IS_BETTER;
	ck_assert_int_eq(sequential_add(&s, .015).outcome, COMPARE_FASTER);
}
END_TEST

START_TEST(looking_after_every_pair_keeps_the_sequential_level)
{
	struct rng r = { 17 };
	size_t wrong = 0;

	for (int k = 0; k < 1000; k++) {
		struct sequential s;
		enum compare_outcome o = COMPARE_UNKNOWN;

		sequential_init(&s, 1e-4, .02, .05, 0, LOWER_IS_BETTER);
		for (int i = 0; i < 100 && o == COMPARE_UNKNOWN; i++)
			o = sequential_add(&s, .01 * normal(&r)).outcome;
		wrong += o == COMPARE_SLOWER || o == COMPARE_FASTER;
	}
	ck_assert_uint_le(wrong, 60);
}
END_TEST

START_TEST(a_tight_sequence_around_nothing_is_the_same)
{
	struct sequential s;
	enum compare_outcome o = COMPARE_UNKNOWN;

	sequential_init(&s, 1e-6, .02, .05, .02, LOWER_IS_BETTER);
	for (int i = 0; i < 30 && o == COMPARE_UNKNOWN; i++)
		o = sequential_add(&s, i % 2 ? .0005 : -.0005).outcome;
	ck_assert_int_eq(o, COMPARE_SAME);
}
END_TEST

/* --- many tests --- */

START_TEST(benjamini_hochberg_rejects_up_to_the_largest_k)
{
	const double p[] = { .9, .001, .039, .008, .041, .042, .06, .074, .205, .212 };
	bool r[10];
	double adjusted[10];

	ck_assert_uint_eq(benjamini_hochberg(arena, p, 10, .05, false, r), 2);
	ck_assert(r[1] && r[3] && !r[2]);
	ck_assert_uint_eq(benjamini_hochberg(arena, p, 10, .05, true, r), 1);
	ck_assert_uint_eq(benjamini_hochberg(arena, p, 10, .1, false, r), 6);
	ck_assert_uint_eq(benjamini_hochberg(arena, p, 0, .1, false, r), 0);
	benjamini_hochberg_adjust(arena, p, 10, false, adjusted);
	near(adjusted[1], .01, 1e-14);
	near(adjusted[2], .084, 1e-14); /* the least of this and later ones: .042 * 10/5 */
}
END_TEST

START_TEST(heavy_tailed_p_values_are_students_with_three_degrees)
{
	near(multiple_heavy_p(3.182446305283710), .025, 1e-9);
}
END_TEST

START_TEST(the_suite_number_is_a_geometric_mean_with_its_extremes)
{
	double base[2][8], head[2][8];
	struct suite_row rows[2];
	struct bootstrap_params p = { .replicates = 400, .seed = 5 };
	struct suite_number s;
	struct error err = { 0 };

	for (int i = 0; i < 8; i++) {
		base[0][i] = base[1][i] = 100 + .1 * i;
		head[0][i] = base[0][i] * 2;
		head[1][i] = base[0][i] / 8;
	}
	for (int i = 0; i < 2; i++)
		rows[i] = (struct suite_row){ base[i], head[i], 8, 8 };
	ck_assert_int_eq(suite_number_make(arena, rows, 2, LOWER_IS_BETTER, &p, &s, &err), OK);
	near(s.ratio, .5, 1e-12);
	ck_assert(s.has_interval && s.lower < .5 && s.upper > .5 && s.upper < .502);
	ck_assert_uint_eq(s.worst, 0);
	ck_assert_uint_eq(s.best, 1);
	near(s.best_ratio, .125, 1e-12);
	head[1][3] = 0;
	ck_assert_int_eq(suite_number_make(arena, rows, 2, LOWER_IS_BETTER, &p, &s, &err),
		E_UNPROCESSABLE);
	ck_assert_str_eq(err.text, "row 1 of the suite has a value that is not above 0");
}
END_TEST

/* --- trend --- */

START_TEST(mann_kendall_is_exact_for_few_points)
{
	const double up[] = { 1, 2, 3, 4, 5 }, mixed[] = { 1, 3, 2, 4 },
		     flat[] = { 2, 2, 2, 2 };
	struct trend t;

	mann_kendall(arena, up, 5, &t);
	near(t.p, 2. / 120, 1e-14);
	near(t.slope, 1., 1e-15);
	near(t.tau, 1., 0);
	mann_kendall(arena, mixed, 4, &t); /* one inversion: (1 + 3)/24 below, twice */
	near(t.p, 8. / 24, 1e-14);
	mann_kendall(arena, flat, 4, &t);
	near(t.p, 1., 0);
	mann_kendall(arena, up, 2, &t);
	near(t.p, 1., 0);
}
END_TEST

START_TEST(mann_kendall_with_ties_takes_the_corrected_variance)
{
	const double x[] = { 23, 24, 29, 6, 29, 24, 24, 29, 23 }; /* Gilbert 1987 style */
	struct trend t;
	double v = (9 * 8 * 23 - 2 * 1 * 9 - 3 * 2 * 11 - 3 * 2 * 11) / 18.;

	mann_kendall(arena, x, 9, &t);
	ck_assert(!t.exact);
	near(t.p, 2 * dist_normal_upper((fabs(t.s) - 1) / sqrt(v)), 1e-12);
}
END_TEST

/* --- outliers and modes --- */

START_TEST(outliers_are_marked_and_winsorised_not_deleted)
{
	const double x[] = { 10, 11, 9, 10, 12, 8, 100 };
	bool is[7];
	double *w = outliers_winsorise(arena, x, 7, 4);

	ck_assert_uint_eq(outliers_mark(arena, x, 7, 3, is), 1);
	ck_assert(is[6]);
	near(w[6], 10 + 4 * 1.4826, 1e-12);
	near(w[0], 10., 0);
}
END_TEST

START_TEST(the_dip_matches_an_independent_program)
{
	/* The diptest package; linear programs over all unimodal distributions agree. */
	const double even[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
	const double two[] = { 0, .1, .2, .3, .4, 10, 10.1, 10.2, 10.3, 10.4 };
	const double odd[] = { 1, 1, 2, 2, 2, 3, 7, 7, 8, 8, 8, 9 };

	near(dip_statistic(arena, even, 10), .05, 1e-12);
	near(dip_statistic(arena, two, 10), .24, 1e-12);
	near(dip_statistic(arena, odd, 12), 1 / 6., 1e-12);
	ck_assert_double_lt(dip_p(arena, two, 10, 500, 1), .02);
	ck_assert_double_gt(dip_p(arena, even, 10, 500, 1), .5);
}
END_TEST

START_TEST(two_modes_are_parted_at_the_gap)
{
	const double x[] = { 10, 30, 11, 10.5, 31, 9.5, 30.5, 10 };
	struct modes m;

	ck_assert(modes_split(arena, x, 8, &m));
	near(m.slow_share, 3. / 8, 0);
	near(m.fast, 10., 0);
	near(m.slow, 30.5, 0);
	ck_assert(m.cut > 11 && m.cut < 30);
	ck_assert(!modes_split(arena, (const double[]){ 1, 1, 1, 1 }, 4, &m));
}
END_TEST

/* --- steady state --- */

START_TEST(a_window_is_steady_only_when_flat)
{
	double x[10];
	struct rng r = { 8 };

	for (int i = 0; i < 10; i++)
		x[i] = 100 * (1 + .0001 * normal(&r));
	ck_assert(steady_window(arena, x, 10));
	for (int i = 0; i < 10; i++)
		x[i] *= 1 + .02 * (9 - i) / 9;
	ck_assert(!steady_window(arena, x, 10)); /* still falling by 2 % over the window */
	for (int i = 0; i < 10; i++)
		x[i] = i < 5 ? 102 : 100;
	ck_assert(!steady_window(arena, x, 10));
	ck_assert(!steady_window(arena, x, 3));
}
END_TEST

START_TEST(the_end_of_a_warm_up_is_found_afterwards)
{
	static double x[3000];
	struct rng r = { 21 };
	struct steady_params p = steady_defaults();
	struct steady s;
	struct error err = { 0 };

	p.replicates = 500;
	for (int i = 0; i < 3000; i++)
		x[i] = (i < 600 ? .012 : i < 1200 ? .0102 : .01) * (1 + .01 * normal(&r));
	x[2000] = .5; /* marked, so it parts nothing */
	ck_assert_int_eq(steady_find(arena, x, 3000, &p, &s, &err), OK);
	ck_assert(s.is_steady);
	ck_assert_uint_ge(s.start, 595);
	ck_assert_uint_le(s.start, 605); /* 2 % more than the end is within 5 % */
	ck_assert_uint_ge(s.n_outliers, 1);
	for (int i = 2700; i < 3000; i++)
		x[i] *= 1.3;
	ck_assert_int_eq(steady_find(arena, x, 3000, &p, &s, &err), OK);
	ck_assert(!s.is_steady);
	x[0] = -1;
	ck_assert_int_eq(steady_find(arena, x, 3000, &p, &s, &err), E_UNPROCESSABLE);
	ck_assert_str_eq(err.text, "every sample must be a finite number above 0");
}
END_TEST

/* --- scaling --- */

START_TEST(amdahl_and_usl_recover_what_made_the_times)
{
	const double p[] = { 8, 1, 2, 4, 16 };
	struct scaling_point amdahl[5], usl[5];
	struct scaling s;
	struct error err = { 0 };

	for (int i = 0; i < 5; i++) {
		amdahl[i] = (struct scaling_point){ p[i], 10 * (.1 + .9 / p[i]) };
		usl[i] = (struct scaling_point){ p[i],
			10 * (1 + .05 * (p[i] - 1) + .002 * p[i] * (p[i] - 1)) / p[i] };
	}
	ck_assert_int_eq(scaling_make(arena, SCALING_STRONG, amdahl, 5, &s, &err), OK);
	near(s.serial_fraction, .1, 1e-12);
	near(s.amdahl_limit, 10., 1e-12);
	near(s.rows[1].karp_flatt, .1, 1e-12);
	near(s.rows[0].efficiency, 1., 0);
	ck_assert_uint_eq(s.first_drop, 3); /* 8 workers: .588 after .769 */
	ck_assert_int_eq(scaling_make(arena, SCALING_STRONG, usl, 5, &s, &err), OK);
	near(s.sigma, .05, 1e-9);
	near(s.kappa, .002, 1e-9);
	near(s.usl_peak, sqrt(.95 / .002), 1e-9);
}
END_TEST

START_TEST(weak_scaling_and_wrong_points_are_told)
{
	struct scaling_point w[] = { { 1, 10 }, { 2, 12.5 }, { 4, 5 } };
	struct scaling s;
	struct error err = { 0 };

	ck_assert_int_eq(scaling_make(arena, SCALING_WEAK, w, 3, &s, &err), OK);
	near(s.rows[1].efficiency, .8, 1e-15);
	ck_assert(s.rows[2].superlinear);
	ck_assert_str_eq(scaling_label(.81), "excellent");
	w[0].workers = 3;
	ck_assert_int_eq(scaling_make(arena, SCALING_WEAK, w, 3, &s, &err), E_UNPROCESSABLE);
	ck_assert_str_eq(err.text, "the time with 1 worker is missing: it is the base");
	w[0].workers = 2;
	ck_assert_int_eq(scaling_make(arena, SCALING_WEAK, w, 3, &s, &err), E_UNPROCESSABLE);
	ck_assert_str_eq(err.text, "2 workers are given twice");
}
END_TEST

/* 10 % serial; 10 processes for each of four numbers of workers, with a heavy tail. */
static void fill_times(struct rng *rng, double times[4][10], struct scaling_sample samples[4])
{
	static const double p[] = { 1, 2, 4, 8 };

	for (int i = 0; i < 4; i++) {
		for (int k = 0; k < 10; k++)
			times[i][k] =
				10 * (.1 + .9 / p[i]) * (1 - .12 * log(1 - rng_uniform(rng)));
		samples[i] = (struct scaling_sample){ p[i], times[i], 10 };
	}
}

START_TEST(intervals_of_scaling_cover_as_often_as_they_say)
{
	int n_speedup = 0, n_serial = 0, n_trials = 200;
	struct error err = { 0 };
	struct rng rng;

	rng_init(&rng, 7);
	for (int trial = 0; trial < n_trials; trial++) {
		struct scaling_sample samples[4];
		double times[4][10];
		struct scaling s;

		fill_times(&rng, times, samples);
		ck_assert_int_eq(scaling_measure(arena, SCALING_STRONG, samples, 4,
					 (uint64_t)trial, &s, &err),
			OK);
		n_speedup += s.rows[3].speedup_lower <= 1 / (.1 + .9 / 8) &&
			     1 / (.1 + .9 / 8) <= s.rows[3].speedup_upper;
		n_serial += s.serial_lower <= .1 && .1 <= s.serial_upper;
		ck_assert(s.rows[0].speedup_lower != s.rows[0].speedup_lower);
	}
	/* 91 % in 200 trials is three standard errors below 95 %. */
	ck_assert_msg(n_speedup >= 182, "speed-up covered in %d of %d", n_speedup, n_trials);
	ck_assert_msg(n_serial >= 182, "fraction covered in %d of %d", n_serial, n_trials);
}
END_TEST

START_TEST(gustafsons_fraction_is_that_of_weak_scaling)
{
	struct scaling_point w[] = { { 1, 10 }, { 2, 0 }, { 4, 0 } };
	double five[] = { 1, 2, 3, 4, 5 };
	struct scaling_sample few = { 1, five, 5 };
	struct scaling s;
	struct error err = { 0 };

	for (int i = 1; i < 3; i++) /* S = p - .2 (p - 1) = p T1/Tp */
		w[i].time = 10 * w[i].workers / (w[i].workers - .2 * (w[i].workers - 1));
	ck_assert_int_eq(scaling_make(arena, SCALING_WEAK, w, 3, &s, &err), OK);
	near(s.serial_fraction, .2, 1e-12);
	near(s.law_rms, 0, 1e-12);
	ck_assert(isnan(s.amdahl_limit));
	/* Too few processes for an interval, and one number of workers for a law. */
	ck_assert_int_eq(scaling_measure(arena, SCALING_WEAK, &few, 1, 1, &s, &err), OK);
	ck_assert(isnan(s.serial_fraction) && isnan(s.serial_lower));
	near(s.rows[0].time, 3, 0);
}
END_TEST

SUITE("inference", bca_bounds_follow_their_formula,
	a_bootstrap_interval_covers_as_often_as_it_says,
	fewer_than_six_processes_get_no_bootstrap_interval,
	nested_resampling_widens_with_the_spread_between_processes,
	the_sequential_test_matches_its_vector,
	looking_after_every_pair_keeps_the_sequential_level,
	a_tight_sequence_around_nothing_is_the_same,
	benjamini_hochberg_rejects_up_to_the_largest_k,
	heavy_tailed_p_values_are_students_with_three_degrees,
	the_suite_number_is_a_geometric_mean_with_its_extremes,
	mann_kendall_is_exact_for_few_points,
	mann_kendall_with_ties_takes_the_corrected_variance,
	outliers_are_marked_and_winsorised_not_deleted, the_dip_matches_an_independent_program,
	two_modes_are_parted_at_the_gap, a_window_is_steady_only_when_flat,
	the_end_of_a_warm_up_is_found_afterwards, amdahl_and_usl_recover_what_made_the_times,
	weak_scaling_and_wrong_points_are_told, intervals_of_scaling_cover_as_often_as_they_say,
	gustafsons_fraction_is_that_of_weak_scaling)
