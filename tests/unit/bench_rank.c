/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The order of commands that took turns: what is decided of numbers made here, and what is not.
 */
#include "client/bench.h"

#include <math.h>
#include <string.h>
#include "base/rng.h"
#include "stats/quantile.h"
#include "tests/lib/unit.h"

enum { ROUNDS = 20, MOST = 6 };

static struct client client;
static struct bench_result items[MOST];
static struct bench_results results;
static struct bench_ranking k;

int complain(struct client *c, const struct error *err)
{
	(void)c;
	ck_abort_msg("%s", err->text);
	return EXIT_FAILED;
}

/* Times of so many rounds, all scattered by a few percent alike: a round is slow for all. */
static void play(const double *times, size_t n, size_t rounds, double own)
{
	static const char *const names[MOST] = { "a", "b", "c", "d", "e", "f" };
	struct rng rng;

	client.arena = arena_new();
	rng_init(&rng, 5);
	for (size_t i = 0; i < n; i++) {
		items[i] = (struct bench_result){ .text = names[i],
			.n = rounds,
			.low = NAN,
			.high = NAN,
			.values = ARENA_ARRAY(client.arena, double, rounds),
			.blocks = ARENA_ARRAY(client.arena, int64_t, rounds),
			.median = times[i] };
	}
	for (size_t r = 0; r < rounds; r++) {
		double all = exp(0.1 * (rng_uniform(&rng) - 0.5));

		for (size_t i = 0; i < n; i++) {
			items[i].blocks[r] = (int64_t)r;
			items[i].values[r] =
				times[i] * all * exp(own * (rng_uniform(&rng) - 0.5));
		}
	}
	results = (struct bench_results){ .items = items, .n = n };
}

static void rank(size_t reference)
{
	ck_assert_int_eq(bench_rank(&client, &results, reference, &k), EXIT_OK);
}

START_TEST(the_fastest_is_what_the_others_are_compared_with)
{
	play((double[]){ 150, 100, 300 }, 3, ROUNDS, 0.01);
	rank(SIZE_MAX);
	ck_assert_uint_eq(k.reference, 1);
	ck_assert_uint_eq(k.order[0], 1);
	ck_assert_uint_eq(k.order[2], 2);
	ck_assert_int_eq(k.ratios[0].is, RATIO_SLOWER);
	ck_assert_double_eq_tol(k.ratios[0].ratio, 1.5, 0.01);
	ck_assert(k.ratios[2].low < 3 && k.ratios[2].high > 3);
	ck_assert_double_eq_tol(k.level, 0.05 / 3, 1e-12);
	ck_assert_uint_eq(k.n_needed, 7);
	arena_free(client.arena);
}
END_TEST

START_TEST(a_reference_may_be_slower_than_others)
{
	play((double[]){ 150, 100, 300 }, 3, ROUNDS, 0.01);
	rank(0);
	ck_assert_uint_eq(k.reference, 0);
	ck_assert_int_eq(k.ratios[1].is, RATIO_FASTER);
	ck_assert_double_eq_tol(k.ratios[1].ratio, 2. / 3, 0.01);
	ck_assert_int_eq(k.ratios[2].is, RATIO_SLOWER);
	ck_assert_double_eq_tol(k.level, 0.05 / 2, 1e-12);
	arena_free(client.arena);
}
END_TEST

/* The scatter that all have in common is ten times what is to be seen. */
START_TEST(rounds_are_compared_and_not_all_with_all)
{
	play((double[]){ 100, 103, 150 }, 3, ROUNDS, 0.01);
	rank(SIZE_MAX);
	ck_assert_int_eq(k.ratios[1].is, RATIO_SLOWER);
	for (size_t r = 0; r < ROUNDS; r++) /* each in another round */
		items[1].blocks[r] = ROUNDS + (int64_t)r;
	rank(SIZE_MAX);
	ck_assert_int_eq(k.ratios[1].is, RATIO_OPEN);
	ck_assert_uint_eq(k.ratios[1].n, 0);
	arena_free(client.arena);
}
END_TEST

START_TEST(what_is_alike_is_not_put_in_an_order)
{
	play((double[]){ 100, 100.1, 200, 200.2 }, 4, ROUNDS, 0.1);
	rank(SIZE_MAX);
	ck_assert_int_ne(k.ratios[1].is, RATIO_SLOWER);
	ck_assert_int_ne(k.ratios[1].is, RATIO_FASTER);
	ck_assert_int_eq(k.ratios[2].is, RATIO_SLOWER);
	ck_assert_int_ne(k.steps[2].is, RATIO_SLOWER); /* the last two */
	ck_assert_int_eq(k.steps[1].is, RATIO_SLOWER);
	arena_free(client.arena);
	play((double[]){ 100, 100.1, 200 }, 3, ROUNDS, 0.005);
	rank(SIZE_MAX);
	ck_assert_int_eq(k.ratios[1].is, RATIO_SAME);
	arena_free(client.arena);
}
END_TEST

START_TEST(few_rounds_decide_nothing)
{
	play((double[]){ 100, 1000, 5000, 9000, 20000 }, 5, 8, 0.01);
	rank(SIZE_MAX);
	ck_assert_uint_eq(k.n_needed, 9);
	ck_assert_int_eq(k.ratios[4].is, RATIO_OPEN);
	arena_free(client.arena);
	play((double[]){ 100, 1000, 5000, 9000, 20000 }, 5, 9, 0.01);
	rank(SIZE_MAX);
	ck_assert_int_eq(k.ratios[4].is, RATIO_SLOWER);
	arena_free(client.arena);
}
END_TEST

START_TEST(two_are_judged_as_the_daemon_does)
{
	play((double[]){ 100, 110 }, 2, 8, 0.01);
	rank(SIZE_MAX);
	ck_assert_double_eq_tol(k.level, 0.01, 1e-12);
	ck_assert_uint_eq(k.n_needed, 8);
	ck_assert_int_eq(k.ratios[1].is, RATIO_SLOWER);
	arena_free(client.arena);
}
END_TEST

/* Six commands that are one and the same: how often any order is claimed. Their times scatter
 * by more than the least effect that counts. */
START_TEST(orders_of_equals_are_seldom_claimed)
{
	enum { TRIALS = 200 };
	int n_claimed = 0;

	for (int t = 0; t < TRIALS; t++) {
		struct rng rng;
		bool is_claimed = false;

		play((double[]){ 100, 100, 100, 100, 100, 100 }, 6, 15, 0);
		rng_init(&rng, 100 + (uint64_t)t);
		for (size_t i = 0; i < 6; i++) {
			for (size_t r = 0; r < 15; r++)
				items[i].values[r] *= exp(0.3 * (rng_uniform(&rng) - 0.5));
			items[i].median = sample_median(client.arena, items[i].values, 15);
		}
		rank(SIZE_MAX);
		for (size_t i = 0; i < 6; i++)
			is_claimed |=
				i != k.reference && (k.ratios[i].is == RATIO_SLOWER ||
							    k.ratios[i].is == RATIO_FASTER);
		n_claimed += is_claimed;
		arena_free(client.arena);
	}
	/* At 5 % more than 20 of 200 have a chance of 1 in 800. */
	ck_assert_int_le(n_claimed, 20);
}
END_TEST

SUITE("bench_rank", the_fastest_is_what_the_others_are_compared_with,
	a_reference_may_be_slower_than_others, rounds_are_compared_and_not_all_with_all,
	what_is_alike_is_not_put_in_an_order, few_rounds_decide_nothing,
	two_are_judged_as_the_daemon_does, orders_of_equals_are_seldom_claimed)
