/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which command is the fastest, by how much, and what is not decided.
 *
 * Processes of one round are pairs: ratios are paired Hodges-Lehmann estimates with the
 * interval and the test of signed ranks (stats/compare.h). All statements together hold at 95 %
 * (Bonferroni): the fastest is chosen from the data, so that each pair of commands counts as
 * asked; with a given reference each of the others does. Two commands are judged as the daemon
 * does, at 1 %. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "client/bench.h"
#include "stats/compare.h"

#define TOGETHER 0.05

/* Values of the rounds that both have. */
static size_t match(struct client *c, const struct bench_result *a,
	const struct bench_result *b, double **ret_a, double **ret_b)
{
	size_t n = 0;

	*ret_a = ARENA_ARRAY(c->arena, double, a->n + 1);
	*ret_b = ARENA_ARRAY(c->arena, double, a->n + 1);
	for (size_t i = 0; i < a->n; i++)
		for (size_t k = 0; k < b->n; k++)
			if (a->blocks[i] == b->blocks[k]) {
				(*ret_a)[n] = a->values[i];
				(*ret_b)[n++] = b->values[k];
				break;
			}
	return MIN(n, (size_t)COMPARE_MAX);
}

static int compare(struct client *c, const struct bench_result *reference,
	const struct bench_result *other, const struct bench_ranking *k,
	struct bench_ratio *ret)
{
	static const int outcomes[] = { [COMPARE_SAME] = RATIO_SAME,
		[COMPARE_FASTER] = RATIO_FASTER,
		[COMPARE_SLOWER] = RATIO_SLOWER,
		[COMPARE_UNKNOWN] = RATIO_OPEN };
	struct compare_params p = compare_defaults();
	struct comparison r;
	struct error err = { 0 };
	double *a, *b;
	size_t n = match(c, reference, other, &a, &b);

	if (k->of->n > 2)
		p.alpha = p.interval_alpha = k->level;
	if (compare_paired(c->arena, a, b, n, &p, &r, &err) < 0)
		return complain(c, &err);
	*ret = (struct bench_ratio){ .ratio = n ? 1 + r.effect : NAN,
		.low = r.has_interval ? 1 + r.lower : NAN,
		.high = r.has_interval ? 1 + r.upper : NAN,
		.p = r.p,
		.n = n,
		.is = outcomes[r.outcome] };
	return EXIT_OK;
}

static void sort(struct bench_ranking *k)
{
	const struct bench_result *items = k->of->items;

	for (size_t i = 0; i < k->of->n; i++) {
		size_t at = i;

		for (; at && items[k->order[at - 1]].median > items[i].median; at--)
			k->order[at] = k->order[at - 1];
		k->order[at] = i;
	}
}

static double level_of(const struct bench_ranking *k)
{
	double n = (double)k->of->n;

	if (k->of->n == 2)
		return compare_defaults().alpha;
	return TOGETHER / fmax(k->is_given ? n - 1 : n * (n - 1) / 2, 1);
}

int bench_rank(struct client *c, const struct bench_results *r, size_t reference,
	struct bench_ranking *ret)
{
	int code = EXIT_OK;

	*ret = (struct bench_ranking){ .of = r,
		.order = ARENA_ARRAY(c->arena, size_t, r->n + 1),
		.ratios = ARENA_ARRAY(c->arena, struct bench_ratio, r->n + 1),
		.steps = ARENA_ARRAY(c->arena, struct bench_ratio, r->n + 1),
		.is_given = reference < r->n };
	sort(ret);
	ret->reference = ret->is_given ? reference : ret->order[0];
	ret->level = level_of(ret);
	/* The least p of n pairs is 2 / 2^n. */
	ret->n_needed = (size_t)ceil(log2(2 / ret->level));
	for (size_t i = 0; code == EXIT_OK && i < r->n; i++)
		if (i != ret->reference)
			code = compare(c, &r->items[ret->reference], &r->items[i], ret,
				&ret->ratios[i]);
	for (size_t i = 0; code == EXIT_OK && i + 1 < r->n; i++)
		code = compare(c, &r->items[ret->order[i]], &r->items[ret->order[i + 1]], ret,
			&ret->steps[i]);
	return code;
}

/* --- as JSON --- */

static json_t *interval(double low, double high)
{
	return isfinite(low) && isfinite(high) ? json_pack("[ff]", low, high) : json_null();
}

static json_t *entry(const struct bench_ranking *k, size_t place)
{
	static const char *const names[] = { [RATIO_SLOWER] = "slower",
		[RATIO_FASTER] = "faster",
		[RATIO_SAME] = "same",
		[RATIO_OPEN] = "unknown" };
	size_t i = k->order[place];
	const struct bench_result *r = &k->of->items[i];
	const struct bench_ratio *ratio = &k->ratios[i];
	json_t *o = json_object();

	json_set_str(o, "command", r->text);
	json_set_int(o, "place", (int64_t)place + 1);
	json_set_real(o, "median_ns", r->median);
	json_object_set_new(o, "interval_ns", interval(r->low, r->high));
	json_set_int(o, "runs", (int64_t)r->n);
	json_set_bool(o, "reference", i == k->reference);
	if (i == k->reference)
		return o;
	json_set_real(o, "ratio", ratio->ratio);
	json_object_set_new(o, "ratio_interval", interval(ratio->low, ratio->high));
	json_set_real(o, "p", ratio->p);
	json_set_str(o, "outcome", names[ratio->is]);
	return o;
}

json_t *bench_json(const struct bench_ranking *k)
{
	json_t *o = json_object(), *list = json_array();

	json_set_opt(o, "report", k->of->report);
	json_set_real(o, "level", k->level);
	for (size_t i = 0; i < k->of->n; i++)
		json_array_append_new(list, entry(k, i));
	json_object_set_new(o, "ranking", list);
	if (k->of->notes)
		json_object_set(o, "notes", k->of->notes);
	return o;
}
