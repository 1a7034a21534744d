/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The history of one series, commit by commit. */
#include <math.h>
#include <string.h>
#include "daemon/analysis/internal.h"

#define NOT_COUNTING (POINT_NOISY | POINT_SUSPECT | POINT_EXCLUDED | POINT_ASIDE | POINT_HELD)

static bool same_text(const char *a, const char *b)
{
	return (!a && !b) || (a && b && !strcmp(a, b));
}

static bool same_commit(const struct point *p, const struct point *q)
{
	return p->version_number == q->version_number &&
	       p->environment_id == q->environment_id &&
	       same_text(p->definition_hash, q->definition_hash);
}

/* Several runs of one commit: weighted by their processes, on the log scale; those that do not
 * count only where there is nothing else. */
static void average(const struct timeline *t, struct commit_value *c)
{
	double sum = 0, plain = 0, weight = 0;
	bool is_positive = true;

	for (size_t i = c->first; i < c->first + c->n; i++)
		c->counts |= !(t->points[i].flags & NOT_COUNTING);
	for (size_t i = c->first; i < c->first + c->n; i++) {
		const struct point *p = &t->points[i];
		double w = (double)MAX(p->n_processes, 1);

		if (c->counts && p->flags & NOT_COUNTING)
			continue;
		is_positive &= p->value > 0;
		sum += w * (p->value > 0 ? log(p->value) : 0);
		plain += w * p->value;
		weight += w;
	}
	c->value = is_positive ? exp(sum / weight) : plain / weight;
}

static bool is_any_in(const struct change_point *c, size_t n, int64_t after, int64_t upto)
{
	for (size_t i = 0; i < n; i++)
		if (c[i].version_number > after && c[i].version_number <= upto)
			return true;
	return false;
}

static bool has_change_at(const struct timeline *t, int64_t after, int64_t upto)
{
	return is_any_in(t->changes, t->n_changes, after, upto) ||
	       is_any_in(t->inherited, t->n_inherited, after, upto);
}

static const char *segment_reason(const struct timeline *t, const struct commit_value *before,
	const struct commit_value *c)
{
	const struct point *p, *q;

	if (!before)
		return "first";
	p = &t->points[before->first];
	q = &t->points[c->first];
	if (p->environment_id != q->environment_id)
		return "environment";
	if (!same_text(p->definition_hash, q->definition_hash))
		return same_text(p->workload_hash, q->workload_hash) ? "program" : "definition";
	return has_change_at(t, before->version, c->version) ? "change_point" : NULL;
}

void timeline_refresh(struct timeline *t)
{
	t->commits = ARENA_ARRAY(t->a, struct commit_value, t->n_points + 1);
	t->n_commits = 0;
	for (size_t i = 0; i < t->n_points;) {
		struct commit_value *c = &t->commits[t->n_commits++];

		c->version = t->points[i].version_number;
		c->hash = t->points[i].hash;
		c->first = i;
		while (i < t->n_points && same_commit(&t->points[c->first], &t->points[i]))
			i++;
		c->n = i - c->first;
		average(t, c);
		c->starts = segment_reason(t, t->n_commits > 1 ? c - 1 : NULL, c);
	}
}

int timeline_load(struct store *st, struct arena *a, const struct series *s, int64_t max,
	struct timeline *ret, struct error *err)
{
	struct timeline t = { .a = a, .series = *s };
	int r;

	r = store_series_points(st, a, s->id, max, &t.points, &t.n_points, err);
	if (r == OK)
		r = store_change_points(st, a, s->id, &t.changes, &t.n_changes, err);
	if (r == OK)
		r = store_inherited_changes(st, a, s->id, &t.inherited, &t.n_inherited, err);
	if (r < 0)
		return r;
	timeline_refresh(&t);
	*ret = t;
	return OK;
}

void timeline_add_change(struct timeline *t, const struct change_point *c)
{
	struct change_point *more = ARENA_ARRAY(t->a, struct change_point, t->n_changes + 1);
	size_t i = 0, n = 0;

	while (i < t->n_changes && t->changes[i].version_number < c->version_number)
		more[n++] = t->changes[i++];
	more[n++] = *c;
	for (; i < t->n_changes; i++)
		if (t->changes[i].version_number != c->version_number)
			more[n++] = t->changes[i];
	t->changes = more;
	t->n_changes = n;
}

size_t timeline_segment_start(const struct timeline *t, size_t k)
{
	while (k > 0 && !t->commits[k].starts)
		k--;
	return k;
}

size_t timeline_family_start(const struct timeline *t, size_t k)
{
	while (k > 0 &&
		(!t->commits[k].starts || !strcmp(t->commits[k].starts, "change_point")))
		k--;
	return k;
}

double *timeline_values(
	const struct timeline *t, size_t from, size_t to, size_t **ret_index, size_t *ret_n)
{
	double *x = ARENA_ARRAY(t->a, double, to - from + 1);
	size_t *index = ARENA_ARRAY(t->a, size_t, to - from + 1), n = 0;

	for (size_t i = from; i < to; i++)
		if (t->commits[i].counts) {
			index[n] = i;
			x[n++] = t->commits[i].value;
		}
	if (ret_index)
		*ret_index = index;
	*ret_n = n;
	return x;
}

size_t timeline_find(const struct timeline *t, int64_t report_id)
{
	for (size_t k = 0; k < t->n_commits; k++)
		for (size_t i = 0; i < t->commits[k].n; i++)
			if (t->points[t->commits[k].first + i].report_id == report_id)
				return k;
	return t->n_commits;
}
