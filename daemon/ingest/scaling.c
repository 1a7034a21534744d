/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the cells of a scaling sweep relate: speed-up, efficiency and the laws. */
#include "daemon/ingest/internal.h"

#include <math.h>
#include <string.h>
#include "stats/scaling.h"

/* One cell's values with what sorts them: group, then benchmark, then the measure to be judged
 * by, then threads. */
struct spot {
	const struct measured_values *v;
	const char *base; /* benchmark without the cell's suffix */
	int rank;	  /* of its measure, 0 = best */
};

/* A time says it directly, a rate as well; of anything else the first one reported. */
static int rank_of(const char *measure)
{
	return !strcmp(measure, "latency") ? 0 : !strncmp(measure, "throughput", 10) ? 1 : 2;
}

static const char *base_of(struct arena *a, const struct measured_values *v)
{
	size_t n = strlen(v->benchmark), k = strlen(v->cell->suffix);

	if (k < n && !strcmp(v->benchmark + n - k, v->cell->suffix))
		n -= k;
	return arena_strndup(a, v->benchmark, n);
}

static int compare_points(const void *a, const void *b)
{
	const struct spot *p = a, *q = b;
	int c = strcmp(p->v->cell->group, q->v->cell->group);

	if (!c)
		c = strcmp(p->base, q->base);
	if (!c)
		c = p->rank - q->rank;
	if (!c)
		c = strcmp(p->v->measure, q->v->measure);
	return c ? c : p->v->cell->threads - q->v->cell->threads;
}

static bool is_same_benchmark(const struct spot *p, const struct spot *q)
{
	return !strcmp(p->v->cell->group, q->v->cell->group) && !strcmp(p->base, q->base);
}

/* The times of rates are those of the work: one worker's share of it is 1. */
static const double *times_of(
	struct arena *a, enum scaling_kind kind, const struct measured_values *v)
{
	double work = kind == SCALING_WEAK ? v->cell->threads : 1;
	double *t;

	if (v->better == BETTER_LOWER)
		return v->values;
	t = ARENA_ARRAY(a, double, v->n);
	for (size_t i = 0; i < v->n; i++)
		t[i] = work / v->values[i];
	return t;
}

/* --- JSON --- */

static json_t *interval(double low, double high)
{
	if (!isfinite(low) || !isfinite(high))
		return json_null();
	return json_pack("{sfsf}", "low", low, "high", high);
}

static json_t *row_json(
	const struct scaling_row *r, const struct spot *p, enum scaling_kind kind, int n_cpus)
{
	double workers = r->workers;
	json_t *o = json_object();

	json_set_int(o, "threads", p->v->cell->threads);
	json_set_str(o, "benchmark", p->v->benchmark);
	json_set_real(o, "value",
		p->v->better == BETTER_LOWER ? r->time
					     : (kind == SCALING_WEAK ? workers : 1) / r->time);
	json_set_int(o, "n_processes", (int64_t)p->v->n);
	json_set_real(o, "work_per_worker", kind == SCALING_WEAK ? 1 : 1 / workers);
	json_set_real(o, "speedup", r->speedup);
	json_object_set_new(
		o, "speedup_interval", interval(r->speedup_lower, r->speedup_upper));
	json_set_real(o, "efficiency", r->efficiency);
	json_object_set_new(o, "efficiency_interval",
		interval(r->speedup_lower / workers, r->speedup_upper / workers));
	json_set_real(o, "karp_flatt", r->karp_flatt);
	json_set_bool(o, "superlinear", r->superlinear);
	json_set_bool(o, "oversubscribed", n_cpus > 0 && p->v->cell->threads > n_cpus);
	return o;
}

static json_t *law_json(const struct scaling *s, enum scaling_kind kind)
{
	json_t *o = json_object();

	json_set_str(o, "name", kind == SCALING_WEAK ? "gustafson" : "amdahl");
	json_set_real(o, "serial_fraction", s->serial_fraction);
	json_object_set_new(o, "interval", interval(s->serial_lower, s->serial_upper));
	if (kind == SCALING_STRONG)
		json_set_real(o, "limit", s->amdahl_limit);
	json_set_real(o, "rms", s->law_rms);
	return o;
}

static json_t *usl_json(const struct scaling *s)
{
	json_t *o;

	if (!s->has_usl)
		return json_null();
	o = json_object();
	json_set_real(o, "sigma", s->sigma);
	json_object_set_new(o, "sigma_interval", interval(s->sigma_lower, s->sigma_upper));
	json_set_real(o, "kappa", s->kappa);
	json_object_set_new(o, "kappa_interval", interval(s->kappa_lower, s->kappa_upper));
	json_set_real(o, "peak", s->usl_peak);
	json_set_real(o, "rms", s->usl_rms);
	return o;
}

static void add_fits(json_t *o, const struct scaling *s, enum scaling_kind kind)
{
	json_set_real(o, "mean_efficiency", s->mean_efficiency);
	if (isfinite(s->mean_efficiency))
		json_set_str(o, "label", scaling_label(s->mean_efficiency));
	json_set_int(o, "first_drop",
		s->first_drop < s->n ? (int64_t)s->rows[s->first_drop].workers : 0);
	if (s->n < 2)
		return;
	json_object_set_new(o, "law", law_json(s, kind));
	json_object_set_new(o, "usl", usl_json(s));
}

/* "sum[n=1000]": the benchmark with the parameters that all its cells share. */
static const char *name_of(struct arena *a, const struct spot *p)
{
	const struct cell *c = p->v->cell;
	size_t n = strlen(c->benchmark);

	return arena_printf(
		a, "%s%s", p->base, strncmp(c->group, c->benchmark, n) ? "" : c->group + n);
}

static int host_cpus(const char *identity_json)
{
	_cleanup_(json_decref)
	json_t *identity = NULL;
	struct error ignored;

	if (!identity_json ||
		json_parse(identity_json, strlen(identity_json), &identity, &ignored) < 0)
		return 0;
	return (int)json_get_int(json_object_get(identity, "topology"), "threads", 0);
}

/* Points of one benchmark and measure, by rising threads. */
static json_t *section(const struct ingest *in, const struct spot *p, size_t n,
	enum scaling_kind kind, int n_cpus)
{
	struct scaling_sample *samples = ARENA_ARRAY(in->arena, struct scaling_sample, n);
	json_t *o = json_object(), *rows = json_array();
	struct scaling s;
	struct error err;

	json_set_str(o, "benchmark", name_of(in->arena, p));
	json_set_str(o, "kind", kind == SCALING_WEAK ? "weak" : "strong");
	json_set_str(o, "measure", p->v->measure);
	json_set_str(o, "unit", p->v->unit);
	for (size_t i = 0; i < n; i++)
		samples[i] = (struct scaling_sample){ p[i].v->cell->threads,
			times_of(in->arena, kind, p[i].v), p[i].v->n };
	if (scaling_measure(in->arena, kind, samples, n, in->job->seed, &s, &err) < 0) {
		json_set_str(o, "note", err.text);
	} else {
		for (size_t i = 0; i < s.n; i++)
			json_array_append_new(rows, row_json(&s.rows[i], &p[i], kind, n_cpus));
		add_fits(o, &s, kind);
	}
	json_object_set_new(o, "threads", rows);
	json_set_real(o, "level", .95);
	return o;
}

static size_t collect(const struct ingest *in, const struct measured_values *list, size_t n,
	struct spot *points)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (list[i].cell->threads)
			points[k++] = (struct spot){ &list[i], base_of(in->arena, &list[i]),
				rank_of(list[i].measure) };
	if (k)
		qsort(points, k, sizeof(*points), compare_points);
	return k;
}

json_t *scaling_sections(const struct ingest *in, const struct measured_values *list, size_t n,
	const char *identity_json)
{
	struct spot *points = ARENA_ARRAY(in->arena, struct spot, n + 1);
	size_t k = collect(in, list, n, points), end, last;
	enum scaling_kind kind = in->workload->scaling.is_weak ? SCALING_WEAK : SCALING_STRONG;
	int n_cpus = host_cpus(identity_json);
	json_t *sections;

	if (!in->workload->scaling.n)
		return NULL;
	sections = json_array();
	for (size_t i = 0; i < k; i = end) {
		for (end = i + 1; end < k && is_same_benchmark(&points[i], &points[end]);)
			end++;
		for (last = i + 1;
			last < end && !strcmp(points[last].v->measure, points[i].v->measure);)
			last++;
		json_array_append_new(
			sections, section(in, &points[i], last - i, kind, n_cpus));
	}
	return sections;
}
