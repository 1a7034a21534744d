/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the processes of a job say about each value of its report: spread, interval, noise. The
 * same processes count as for the value itself (ingest/): those that were not replaced; the
 * noisy ones only where there is nothing else. */
#include "daemon/http/handlers.h"

#include <math.h>
#include <string.h>
#include "stats/quantile.h"

struct value { /* of one process */
	const char *benchmark, *measure, *cell;
	double v;
	bool is_noisy;
};

static int compare_values(const void *a, const void *b)
{
	const struct value *x = a, *y = b;
	int c = strcmp(x->benchmark, y->benchmark);

	return c ? c : strcmp(x->measure, y->measure);
}

static int compare_ids(const void *a, const void *b)
{
	const struct process *p = a, *q = b;

	return (p->id > q->id) - (p->id < q->id);
}

struct values {
	struct value *items;
	size_t n;
};

/* All values of an arm, sorted by names. */
static int read_values(struct request *rq, struct store *st, const struct report *r,
	struct values *ret, struct error *err)
{
	struct arena *a = request_arena(rq);
	struct process *processes;
	struct series_values *values;
	int64_t *ids;
	size_t n_processes, n;
	int code = store_process_list(st, a, r->job_id, &processes, &n_processes, err);

	if (code == OK)
		code = store_job_values(st, a, r->job_id, &ids, &values, &n, err);
	if (code < 0)
		return code;
	if (n_processes)
		qsort(processes, n_processes, sizeof(*processes), compare_ids);
	ret->items = ARENA_ARRAY(a, struct value, n + 1);
	for (size_t i = 0; i < n; i++) {
		const struct process key = { .id = ids[i] };
		const struct process *p = n_processes ? bsearch(&key, processes, n_processes,
								sizeof(key), compare_ids)
						      : NULL;

		if (p && p->arm == r->arm && !p->replaced && isfinite(values[i].value))
			ret->items[ret->n++] =
				(struct value){ values[i].benchmark, values[i].measure, p->cell,
					values[i].value, p->noise == NOISE_NOISY };
	}
	if (ret->n)
		qsort(ret->items, ret->n, sizeof(*ret->items), compare_values);
	return OK;
}

/* First of the values with these names; NULL when there is none. */
static const struct value *first_of(
	const struct values *all, const char *benchmark, const char *measure)
{
	const struct value key = { .benchmark = benchmark, .measure = measure };
	size_t low = 0, high = all->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_values(&all->items[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < all->n && !compare_values(&all->items[low], &key) ? &all->items[low]
								       : NULL;
}

/* A reported name may be the name or the slug of what it was stored under. */
static const struct value *values_of(const struct values *all, const struct result *r)
{
	const char *benchmarks[] = { r->benchmark.name, r->benchmark.slug };
	const char *measures[] = { r->measure.slug, r->measure.name };

	for (size_t i = 0; i < 4; i++) {
		const struct value *v = first_of(all, benchmarks[i / 2], measures[i % 2]);

		if (v)
			return v;
	}
	return NULL;
}

static void set_summary(json_t *entry, const struct summary *s)
{
	json_t *o = json_object();

	json_set_real(o, "min", s->min);
	json_set_real(o, "q1", s->q1);
	json_set_real(o, "median", s->median);
	json_set_real(o, "q3", s->q3);
	json_set_real(o, "max", s->max);
	json_set_real(o, "mean", s->mean);
	json_set_real(o, "stddev", s->sd);
	json_set_real(o, "mad", s->mad);
	json_set_real(o, "cv", s->cv);
	json_object_set_new(entry, "statistics", o);
}

/* The worker's verdict on the cell that a value came from. */
static const char *cell_verdict(const json_t *summary, const char *cell)
{
	size_t i;
	json_t *c;

	json_array_foreach (json_object_get(summary, "cells"), i, c)
		if (!strcmp(json_get_str(c, "cell", ""), cell))
			return json_get_str(c, "verdict", NULL);
	return NULL;
}

static void add_entry(struct request *rq, const struct values *all, const struct result *r,
	const json_t *summary, json_t *entry)
{
	struct arena *a = request_arena(rq);
	const struct value *first = values_of(all, r), *end = all->items + all->n, *v;
	size_t n = 0, n_clean = 0;
	struct summary s;
	double *x;

	if (!first)
		return;
	for (v = first; v < end && !compare_values(v, first); v++, n++)
		n_clean += !v->is_noisy;
	x = ARENA_ARRAY(a, double, n);
	n = 0;
	for (v = first; v < end && !compare_values(v, first); v++)
		if (!n_clean || !v->is_noisy)
			x[n++] = v->v;
	sample_summarise(a, x, n, 0.05, &s);
	set_summary(entry, &s);
	json_set_opt(entry, "noise", n_clean ? cell_verdict(summary, first->cell) : "noisy");
}

int add_statistics(struct request *rq, struct store *st, const struct report *report,
	const struct result *results, size_t n, json_t **entries, struct error *err)
{
	_cleanup_(json_decref)
	json_t *summary = NULL;
	struct values all = { 0 };
	struct error ignored;
	int r;

	if (!report->job_id)
		return OK;
	r = read_values(rq, st, report, &all, err);
	if (r < 0)
		return r;
	if (report->summary_json &&
		json_parse(report->summary_json, strlen(report->summary_json), &summary,
			&ignored) < 0)
		summary = NULL;
	for (size_t i = 0; i < n; i++)
		add_entry(rq, &all, &results[i], summary, entries[i]);
	return OK;
}
