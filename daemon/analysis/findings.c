/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was found, kept until the writer stores it. */
#include <math.h>
#include <string.h>
#include "daemon/analysis/internal.h"

/* Room for one more in an arena array. */
static void *grow(struct arena *a, void *items, size_t n, size_t *cap, size_t size)
{
	void *bigger;

	if (n < *cap)
		return items;
	*cap = *cap ? 2 * *cap : 8;
	bigger = arena_alloc(a, *cap * size);
	if (n)
		memcpy(bigger, items, n * size);
	return bigger;
}

#define GROW(f, what)                                                                          \
	((f)->what = grow(                                                                     \
		 (f)->a, (f)->what, (f)->n_##what, &(f)->cap_##what, sizeof(*(f)->what)),      \
		&(f)->what[(f)->n_##what++])

void findings_add_boundary(struct findings *f, const struct boundary_finding *b)
{
	*GROW(f, boundaries) = *b;
}

void findings_add_alert(struct findings *f, const struct alert_finding *al)
{
	*GROW(f, alerts) = *al;
}

void findings_add_change(struct findings *f, const struct change_finding *c)
{
	*GROW(f, changes) = *c;
}

void findings_add_limits(struct findings *f, const struct limits_finding *l)
{
	*GROW(f, limits) = *l;
}

static struct rerun *find_rerun(
	struct findings *f, const char *head, const char *base, int64_t origin_id)
{
	for (size_t i = 0; i < f->n_reruns; i++)
		if (!strcmp(f->reruns[i].head_hash, head) &&
			!strcmp(f->reruns[i].base_hash, base) &&
			f->reruns[i].origin_id == origin_id)
			return &f->reruns[i];
	return NULL;
}

/* The name that the workload's definition has for the benchmark: without parameters and what
 * the program reported beside it. */
static const char *cell_name(struct arena *a, const struct timeline *t)
{
	const char *name = t->series.benchmark.name;

	return arena_strndup(a, name, strcspn(name, "[/"));
}

static void add_name(struct arena *a, struct rerun *r, const char *name)
{
	const char **names = ARENA_ARRAY(a, const char *, r->n_benchmarks + 1);

	for (size_t i = 0; i < r->n_benchmarks; i++) {
		if (!strcmp(r->benchmarks[i], name))
			return;
		names[i] = r->benchmarks[i];
	}
	names[r->n_benchmarks++] = name;
	r->benchmarks = names;
}

void findings_add_rerun(struct judging *g, const char *head, const char *base,
	const struct timeline *t, int64_t n_fixed)
{
	struct findings *f = g->f;
	struct rerun *r = find_rerun(f, head, base, g->origin_id);

	if (!r) {
		r = GROW(f, reruns);
		*r = (struct rerun){ .origin_id = g->origin_id,
			.head_hash = head,
			.base_hash = base,
			.processes = g->n_processes };
	}
	r->is_fixed |= n_fixed > 0;
	r->processes = MAX(r->processes, n_fixed);
	add_name(f->a, r, cell_name(f->a, t));
}

/* --- storing them: writer thread --- */

static int save_flags(
	struct store *st, const struct point *p, size_t n, bool set, struct error *err)
{
	int r = OK;

	for (size_t i = 0; r == OK && i < n; i++)
		r = store_point_flags(st, p[i].series_id, p[i].version_number, p[i].report_id,
			set ? POINT_SUSPECT : 0, set ? 0 : POINT_SUSPECT, err);
	return r;
}

static int save_old(
	struct store *st, const struct alert *al, int64_t metric_id, struct error *err)
{
	int r;

	r = store_alert_save(st, al, err);
	return r == OK && metric_id ? store_alert_move(st, al, metric_id, err) : r;
}

static int save_alert(struct store *st, struct arena *a, const struct alert_finding *f,
	int64_t now_ns, struct error *err)
{
	struct alert al = f->alert;
	int r;

	al.modified_ns = now_ns;
	if (!al.id)
		al.created_ns = now_ns;
	r = al.id ? save_old(st, &al, f->metric_id, err)
		  : store_alert_add(st, a, &al, f->metric_id, err);
	if (r == OK)
		r = save_flags(st, f->clear, f->n_clear, false, err);
	return r == OK ? save_flags(st, f->set, f->n_set, true, err) : r;
}

static int save_all(struct store *st, struct arena *a, const struct findings *f, int64_t now_ns,
	struct error *err)
{
	int r = OK;

	for (size_t i = 0; r == OK && i < f->n_boundaries; i++) {
		const struct boundary_finding *b = &f->boundaries[i];

		r = store_boundary_save(st, b->metric_id, b->test, b->baseline, b->lower,
			b->upper, b->detail, err);
	}
	for (size_t i = 0; r == OK && i < f->n_limits; i++) {
		struct limits_run run = f->limits[i].run;

		run.now_ns = now_ns;
		r = analysis_limits(st, a, &run, err);
	}
	for (size_t i = 0; r == OK && i < f->n_alerts; i++)
		r = save_alert(st, a, &f->alerts[i], now_ns, err);
	if (r == OK)
		r = control_save(st, f, err);
	for (size_t i = 0; r == OK && i < f->n_changes; i++)
		r = store_change_points_save(st, f->changes[i].series_id, f->changes[i].changes,
			f->changes[i].n, now_ns, err);
	return r;
}

/* What was judged by other numbers is judged again, in the transaction that stores it. */
int analysis_save(struct store *st, struct arena *a, const struct findings *f, int64_t now_ns,
	struct job *j, struct rerun **ret, size_t *ret_n, struct error *err)
{
	struct findings *again;
	struct job stored;
	bool has_moved;
	int r = order_has_moved(st, f, &has_moved, err);

	if (r == OK && has_moved) {
		r = store_job_get(st, a, j->id, &stored, err);
		if (r == OK)
			r = analysis_judge(st, a, &stored, &again, err);
		if (r == OK)
			f = again;
	}
	if (r == OK)
		r = save_all(st, a, f, now_ns, err);
	if (r < 0)
		return r;
	j->outcome = f->outcome;
	j->result_json = f->result_json ? arena_strdup(a, f->result_json) : NULL;
	*ret = f->reruns;
	*ret_n = f->n_reruns;
	return OK;
}
