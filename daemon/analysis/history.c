/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A history as a page shows it: points, segments, changes, and the limits on the next point. */
#include <math.h>
#include "daemon/analysis/internal.h"
#include "stats/quantile.h"

static void fill_segment(
	const struct timeline *t, size_t from, size_t to, struct history_segment *s)
{
	const struct commit_value *last = &t->commits[to - 1];
	double *x = timeline_values(t, from, to, NULL, &s->n);

	s->start = t->commits[from].first;
	s->end = last->first + last->n;
	s->median = s->n ? sample_median_in_place(x, s->n) : NAN;
	s->reason = t->commits[from].starts;
}

static void make_segments(const struct timeline *t, struct history *h)
{
	h->segments = ARENA_ARRAY(t->a, struct history_segment, t->n_commits + 1);
	for (size_t from = 0; from < t->n_commits;) {
		size_t to = from + 1;

		while (to < t->n_commits && !t->commits[to].starts)
			to++;
		fill_segment(t, from, to, &h->segments[h->n_segments++]);
		from = to;
	}
}

/* Change points before the oldest point shown belong to another page. */
static void keep_changes(const struct timeline *t, struct history *h)
{
	h->changes = ARENA_ARRAY(t->a, struct change_point, t->n_changes + 1);
	for (size_t i = 0; i < t->n_changes; i++)
		if (t->n_points && t->changes[i].version_number >= t->points[0].version_number)
			h->changes[h->n_changes++] = t->changes[i];
}

int analysis_history(struct store *st, struct arena *a, const struct series *s, int64_t max,
	struct history *ret, struct error *err)
{
	struct history h = { .series = *s };
	struct timeline t;
	int r;

	r = timeline_load(st, a, s, max, &t, err);
	if (r < 0)
		return r;
	h.points = t.points;
	h.n_points = t.n_points;
	make_segments(&t, &h);
	keep_changes(&t, &h);
	r = limits_next(st, &t, &h, err);
	if (r == OK)
		*ret = h;
	return r;
}
