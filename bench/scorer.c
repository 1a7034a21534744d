/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench/scorer.h"

#include <stdbool.h>
#include <string.h>

static size_t distance(size_t x, size_t y)
{
	return x > y ? x - y : y - x;
}

size_t score_matches(
	struct arena *a, const struct points *truth, const struct points *found, size_t margin)
{
	bool *used = ARENA_ARRAY(a, bool, found->n);
	size_t matches = 0;

	for (size_t i = 0; i < truth->n; i++) {
		size_t best = found->n;

		for (size_t k = 0; k < found->n; k++)
			if (!used[k] && distance(found->at[k], truth->at[i]) <= margin &&
				(best == found->n ||
					distance(found->at[k], truth->at[i]) <
						distance(found->at[best], truth->at[i])))
				best = k;
		if (best == found->n)
			continue;
		used[best] = true;
		matches++;
	}
	return matches;
}

static void insert(struct points *p, size_t at)
{
	size_t i = p->n;

	for (size_t k = 0; k < p->n; k++)
		if (p->at[k] == at)
			return;
	for (; i > 0 && p->at[i - 1] > at; i--)
		p->at[i] = p->at[i - 1];
	p->at[i] = at;
	p->n++;
}

static void insert_all(struct points *p, const struct points *from)
{
	for (size_t i = 0; i < from->n; i++)
		insert(p, from->at[i]);
}

static struct points with_zero(struct arena *a, const struct points *p)
{
	struct points r = { ARENA_ARRAY(a, size_t, p->n + 1), 0 };

	insert(&r, 0);
	insert_all(&r, p);
	return r;
}

double score_f1(struct arena *a, const struct annotations *truth, const struct points *found)
{
	struct points x = with_zero(a, found), all = { 0 };
	size_t total = 1;
	double recall = 0, precision;

	for (size_t k = 0; k < truth->n; k++)
		total += truth->by[k].n;
	all.at = ARENA_ARRAY(a, size_t, total);
	insert(&all, 0);
	for (size_t k = 0; k < truth->n; k++) {
		struct points t = with_zero(a, &truth->by[k]);

		insert_all(&all, &truth->by[k]);
		recall += (double)score_matches(a, &t, &x, SCORE_MARGIN) / (double)t.n;
	}
	recall /= (double)truth->n;
	precision = (double)score_matches(a, &all, &x, SCORE_MARGIN) / (double)x.n;
	return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
}

/* Next boundary of p after `at`, skipping anything outside (0, n). */
static size_t next_end(const struct points *p, size_t at, size_t n)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->at[i] > at && p->at[i] < n)
			return p->at[i];
	return n;
}

/* Largest overlap |A and B| / |A or B| of [lo, hi) with any segment of p. */
static double best_overlap(const struct points *p, size_t n, size_t lo, size_t hi)
{
	double best = 0;

	for (size_t s = 0, e; s < n; s = e) {
		size_t from, to;

		e = next_end(p, s, n);
		from = lo > s ? lo : s;
		to = hi < e ? hi : e;
		if (from < to) {
			size_t both = to - from, either = (hi - lo) + (e - s) - both;

			if ((double)both / (double)either > best)
				best = (double)both / (double)either;
		}
	}
	return best;
}

double score_cover(const struct annotations *truth, const struct points *found, size_t n)
{
	double sum = 0;

	for (size_t k = 0; k < truth->n; k++)
		for (size_t s = 0, e; s < n; s = e) {
			e = next_end(&truth->by[k], s, n);
			sum += (double)(e - s) / (double)n * best_overlap(found, n, s, e);
		}
	return sum / (double)truth->n;
}
