/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The process values behind a report: what every test takes. */
#include <math.h>
#include <string.h>
#include "daemon/analysis/internal.h"

bool measure_is_companion(const struct measure *m)
{
	static const char *const slugs[] = { "cpu-time", "memory-peak", "package-energy",
		"user-instructions", "user-cycles", "user-branch-misses", "user-cache-misses" };

	for (size_t i = 0; i < ARRAY_SIZE(slugs); i++)
		if (!strcmp(m->slug, slugs[i]))
			return true;
	return false;
}

static int compare_samples(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;
	int c = strcmp(x->benchmark, y->benchmark);

	if (c == 0)
		c = strcmp(x->measure, y->measure);
	return c ? c : (x->block > y->block) - (x->block < y->block);
}

static int compare_processes(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static const struct process *find_process(const struct process *p, size_t n, int64_t id)
{
	const struct process key = { .id = id };

	return n ? bsearch(&key, p, n, sizeof(key), compare_processes) : NULL;
}

static int load_processes(struct store *st, struct arena *a, const struct report *r,
	struct report_values *ret, struct error *err)
{
	struct series_values *values;
	struct process *processes;
	size_t n_processes, n_values;
	int64_t *ids;
	int code;

	code = store_process_list(st, a, r->job_id, &processes, &n_processes, err);
	if (code == OK)
		code = store_job_values(st, a, r->job_id, &ids, &values, &n_values, err);
	if (code < 0)
		return code;
	if (n_processes)
		qsort(processes, n_processes, sizeof(*processes), compare_processes);
	ret->all = ARENA_ARRAY(a, struct sample, n_values + 1);
	for (size_t i = 0; i < n_values; i++) {
		const struct process *p = find_process(processes, n_processes, ids[i]);

		if (!p || p->arm != r->arm || p->replaced || !isfinite(values[i].value))
			continue;
		ret->all[ret->n++] = (struct sample){ .benchmark = values[i].benchmark,
			.measure = values[i].measure,
			.block = p->block,
			.value = values[i].value,
			.is_noisy = p->noise == NOISE_NOISY };
	}
	return OK;
}

/* An upload says one value an iteration. */
static void take_iterations(
	struct arena *a, const struct result *all, size_t n, struct report_values *ret)
{
	ret->all = ARENA_ARRAY(a, struct sample, n + 1);
	for (size_t i = 0; i < n; i++)
		ret->all[ret->n++] = (struct sample){ .benchmark = all[i].benchmark.name,
			.measure = all[i].measure.name,
			.block = all[i].iteration,
			.value = all[i].metric.value };
}

static void keep_first(
	struct arena *a, const struct result *all, size_t n, struct report_values *ret)
{
	struct result *first = ARENA_ARRAY(a, struct result, n + 1);

	for (size_t i = 0; i < n; i++)
		if (all[i].iteration == all[0].iteration)
			first[ret->n_results++] = all[i];
	ret->results = first;
}

int report_values_load(struct store *st, struct arena *a, const struct report *r,
	struct report_values *ret, struct error *err)
{
	struct report_values v = { 0 };
	struct result *all;
	size_t n;
	int code;

	code = store_report_results(st, a, r->id, &all, &n, err);
	if (code == OK && r->job_id)
		code = load_processes(st, a, r, &v, err);
	if (code < 0)
		return code;
	if (!r->job_id)
		take_iterations(a, all, n, &v);
	if (v.n)
		qsort(v.all, v.n, sizeof(*v.all), compare_samples);
	keep_first(a, all, n, &v);
	*ret = v;
	return OK;
}

/* Processes name a measure as the program did: by slug or by name. */
static const struct sample *find_run(const struct report_values *v, const char *benchmark,
	const char *measure, size_t *ret_n)
{
	const struct sample key = {
		.benchmark = benchmark, .measure = measure, .block = INT64_MIN
	};
	size_t low = 0, high = v->n, end;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare_samples(&v->all[mid], &key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (end = low; end < v->n && !strcmp(v->all[end].benchmark, benchmark) &&
			!strcmp(v->all[end].measure, measure);
		end++)
		;
	*ret_n = end - low;
	return &v->all[low];
}

struct sample *report_values_of(
	struct arena *a, const struct report_values *v, const struct result *of, size_t *ret_n)
{
	const char *names[] = { of->benchmark.name, of->benchmark.slug };
	const char *measures[] = { of->measure.name, of->measure.slug };
	const struct sample *run = NULL;
	struct sample *out;
	size_t n = 0, k = 0;

	for (int i = 0; i < 4 && n == 0; i++)
		run = find_run(v, names[i / 2], measures[i % 2], &n);
	out = ARENA_ARRAY(a, struct sample, n + 1);
	for (size_t i = 0; i < n; i++)
		if (!run[i].is_noisy)
			out[k++] = run[i];
	if (k == 0 && n) {
		memcpy(out, run, n * sizeof(*out));
		k = n;
	}
	*ret_n = k;
	return out;
}

#define MIRROR_TOLERANCE 1e-3

/* *product: 0 before the first pair of values. */
static bool product_stays(struct arena *a, const struct report_values *v,
	const struct result *of, double *product)
{
	const struct result latency = { .benchmark = of->benchmark,
		.measure = { .name = "Latency", .slug = "latency" } };
	size_t n, n_latency;
	const struct sample *rate = report_values_of(a, v, of, &n);
	const struct sample *time = report_values_of(a, v, &latency, &n_latency);

	if (n == 0 || n != n_latency)
		return false;
	for (size_t i = 0; i < n; i++) {
		double p = rate[i].value * time[i].value;

		if (*product == 0)
			*product = p;
		if (rate[i].block != time[i].block || !(p > 0) || !isfinite(p) ||
			fabs(p / *product - 1) > MIRROR_TOLERANCE)
			return false;
	}
	return true;
}

bool result_mirrors_latency(struct arena *a, const struct report_values *base,
	const struct report_values *head, const struct result *of)
{
	static const char rate[] = "throughput"; /* "throughput-gb-s" has a unit of its own */
	double product = 0;

	return !strncmp(of->measure.slug, rate, strlen(rate)) &&
	       product_stays(a, base, of, &product) && product_stays(a, head, of, &product);
}

double *sample_numbers(struct arena *a, const struct sample *s, size_t n)
{
	double *x = ARENA_ARRAY(a, double, n + 1);

	for (size_t i = 0; i < n; i++)
		x[i] = s[i].value;
	return x;
}

static int cache_find(
	struct value_cache *c, int64_t report_id, struct cached **ret, struct error *err)
{
	struct cached *e;
	int r;

	for (e = c->first; e; e = e->next)
		if (e->report.id == report_id) {
			*ret = e;
			return OK;
		}
	e = ARENA_NEW(c->a, struct cached);
	r = store_report_get(c->st, c->a, report_id, &e->report, err);
	if (r == OK)
		r = report_values_load(c->st, c->a, &e->report, &e->values, err);
	if (r < 0)
		return r;
	e->next = c->first;
	c->first = e;
	*ret = e;
	return OK;
}

int cache_values(struct value_cache *c, int64_t report_id, const struct series *s, double **ret,
	size_t *ret_n, struct error *err)
{
	struct cached *e;
	int r;

	*ret_n = 0;
	r = cache_find(c, report_id, &e, err);
	for (size_t i = 0; r == OK && i < e->values.n_results; i++) {
		const struct result *res = &e->values.results[i];
		struct sample *x;

		if (res->benchmark.id != s->benchmark.id || res->measure.id != s->measure.id)
			continue;
		x = report_values_of(c->a, &e->values, res, ret_n);
		*ret = sample_numbers(c->a, x, *ret_n);
		break;
	}
	return r;
}
