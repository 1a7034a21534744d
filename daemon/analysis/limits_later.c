/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An upload of an earlier commit that came late stands in the history of those behind it: what
 * benchd's own tests say of them is computed again, up to the next change. Limits only: alerts
 * are not raised from the past (limits_level.c). Bencher's tests keep what they said. */
#include <string.h>
#include "daemon/analysis/internal.h"

enum { LATER_MAX = 64 /* as many values as an own test looks at */ };

struct later {
	struct store *st;
	struct arena *a;
	const struct limits_run *run;
	const struct limit_choice *choice;
	struct metric_past all; /* with the late value among the others */
};

static void insert_self(struct later *l, const struct metric_past *past)
{
	size_t k = 0;

	l->all = *past;
	l->all.values = ARENA_ARRAY(l->a, struct past, past->n + 1);
	l->all.n = 0;
	while (k < past->n && past->values[k].version_number > past->self.version_number)
		l->all.values[l->all.n++] = past->values[k++];
	l->all.values[l->all.n++] = past->self;
	while (k < past->n)
		l->all.values[l->all.n++] = past->values[k++];
}

static int judge_again(struct later *l, size_t i, struct error *err)
{
	struct metric_past past = l->all;
	const struct past *v = &l->all.values[i];
	struct threshold_result t;
	struct metric_place m;
	const char *detail;
	int64_t at;
	int r = store_metric_of_point(
		l->st, l->a, past.series_id, v->report_id, v->iteration, &m, err);

	if (r < 0)
		return r == E_NOT_FOUND ? OK : r;
	past.self = *v;
	past.metric_id = m.id;
	past.values = ARENA_ARRAY(l->a, struct past, past.n);
	memcpy(past.values, l->all.values, i * sizeof(*v));
	memcpy(past.values + i, l->all.values + i + 1, (past.n - i - 1) * sizeof(*v));
	past.n--;
	r = limits_check(
		l->st, l->a, l->run, l->choice, &past, v->value, &t, &at, &detail, err);
	return r < 0 ? r
		     : store_boundary_save(l->st, m.id, l->choice->model.test, t.baseline,
			       t.lower_limit, t.upper_limit, detail, err);
}

static int next_change(const struct later *l, int64_t *ret, struct error *err)
{
	struct change_point *c;
	size_t n;
	int r = store_change_points(l->st, l->a, l->all.series_id, &c, &n, err);

	*ret = INT64_MAX;
	for (size_t i = n; r == OK && i-- > 0;)
		if (c[i].version_number > l->all.self.version_number)
			*ret = c[i].version_number;
	return r;
}

int limits_later(struct store *st, struct arena *a, const struct limits_run *run,
	const struct limit_choice *choice, const struct metric_past *past, struct error *err)
{
	struct later l = { .st = st, .a = a, .run = run, .choice = choice };
	size_t n = 0, first;
	int64_t end;
	int r;

	while (n < past->n && past->values[n].version_number > past->self.version_number)
		n++;
	if (n == 0 || !choice->model.by_segment || choice->model.kind != LIMIT_POINT)
		return OK;
	insert_self(&l, past);
	r = next_change(&l, &end, err);
	first = n > LATER_MAX ? n - LATER_MAX : 0;
	for (size_t i = first; r == OK && i < n; i++)
		if (l.all.values[i].version_number < end)
			r = judge_again(&l, i, err);
	return r;
}
