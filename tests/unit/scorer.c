/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/stats.h"

#include "bench/scorer.h"

#define SET(...)                                                                               \
	{                                                                                      \
		(size_t[]){ __VA_ARGS__ }, sizeof((size_t[]){ __VA_ARGS__ }) / sizeof(size_t)  \
	}

START_TEST(f1_matches_its_unit_values)
{
	struct points a[] = { SET(10, 20), SET(11, 20), SET(10), SET(0, 5) };
	struct points b[] = { { NULL, 0 }, SET(10), SET(50) };
	struct points two = SET(10, 20), one = SET(10);
	struct annotations ta = { a, 4 }, tb = { b, 3 };

	near(score_f1(arena, &ta, &two), 1., 1e-15);
	near(score_f1(arena, &tb, &one), .909090909, 1e-9);
}
END_TEST

START_TEST(cover_matches_its_unit_value)
{
	struct points a[] = { SET(10, 20), SET(10), SET(0, 5) };
	struct points two = SET(10, 20);
	struct annotations t = { a, 3 };

	near(score_cover(&t, &two, 45), .796296296, 1e-9);
}
END_TEST

START_TEST(a_point_found_is_used_up_once)
{
	struct points truth = SET(10, 12, 14), found = SET(12, 30), both = SET(8, 12);

	ck_assert_uint_eq(score_matches(arena, &truth, &found, 5), 1);
	/* 10 lies 2 from both and takes the smaller. */
	ck_assert_uint_eq(score_matches(arena, &truth, &both, 5), 2);
	ck_assert_uint_eq(score_matches(arena, &truth, &found, 1), 1);
}
END_TEST

START_TEST(perfect_and_empty_answers_score_as_they_should)
{
	struct points a[] = { SET(10, 20) }, none = { NULL, 0 };
	struct annotations t = { a, 1 }, empty = { &none, 1 };

	near(score_cover(&t, &a[0], 30), 1., 1e-15);
	near(score_cover(&t, &none, 30), 1. / 3, 1e-15);
	near(score_f1(arena, &empty, &none), 1., 0);
	near(score_f1(arena, &t, &none), .5, 1e-15); /* precision 1, recall 1/3 */
}
END_TEST

SUITE("scorer", f1_matches_its_unit_values, cover_matches_its_unit_value,
	a_point_found_is_used_up_once, perfect_and_empty_answers_score_as_they_should)
