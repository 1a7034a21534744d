/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records of measured processes, as the worker sends them. */
#include <math.h>
#include <string.h>
#include "daemon/ingest/ingest.h"
#include "stats/quantile.h"

enum { MAX_RESULTS = 1000, MAX_SAMPLES = 100000 };

struct raw_process {
	int64_t seq, index, block, order;
	const char *cell, *termination;
	int arm, noise;
	bool replaced, steady;
	json_t *results;
};
#define F(key, kind, required, min, max, names)                                                \
	{                                                                                      \
#key, kind, offsetof(struct raw_process, key), required, min, max, names       \
	}
static const struct json_field process_fields[] = {
	F(seq, JF_INT, true, 0, 1e12, NULL),
	F(cell, JF_STRING, true, 1, 16, NULL),
	F(arm, JF_ENUM, true, 0, 0, arm_names),
	F(index, JF_INT, true, 0, 1e6, NULL),
	F(block, JF_INT, false, 0, 1e6, NULL),
	F(order, JF_INT, false, 0, 1e6, NULL),
	F(noise, JF_ENUM, false, 0, 0, noise_names),
	F(replaced, JF_BOOL, false, 0, 0, NULL),
	F(steady, JF_BOOL, false, 0, 0, NULL),
	F(termination, JF_STRING, true, 1, 32, NULL),
	F(results, JF_ARRAY, false, 0, MAX_RESULTS, NULL),
};
#undef F

struct raw_result {
	const char *benchmark, *measure, *unit;
	int better;
	json_t *samples, *warmup;
};
static const struct json_field result_fields[] = {
	{ "benchmark", JF_STRING, offsetof(struct raw_result, benchmark), false, 1, 200, NULL },
	{ "measure", JF_STRING, offsetof(struct raw_result, measure), true, 1, 64, NULL },
	{ "unit", JF_STRING, offsetof(struct raw_result, unit), false, 0, 64, NULL },
	{ "better", JF_ENUM, offsetof(struct raw_result, better), false, 0, 0, better_names },
	{ "samples", JF_ARRAY, offsetof(struct raw_result, samples), true, 0, MAX_SAMPLES,
		NULL },
	{ "warmup", JF_ARRAY, offsetof(struct raw_result, warmup), false, 0, MAX_SAMPLES,
		NULL },
};

static const struct cell *find_cell(const struct ingest *in, const char *id)
{
	for (size_t i = 0; i < in->n_cells; i++)
		if (!strcmp(in->cells[i].id, id))
			return &in->cells[i];
	return NULL;
}

static int read_numbers(struct arena *a, const json_t *list, const char *pointer,
	const double **ret, size_t *ret_n, struct error *err)
{
	size_t n = json_array_size(list), i;
	double *x = ARENA_ARRAY(a, double, n + 1);
	json_t *v;

	json_array_foreach (list, i, v) {
		if (!json_is_number(v) || !isfinite(json_number_value(v)))
			return error_set_field(err, E_UNPROCESSABLE, pointer,
				"'%s' must hold finite numbers", pointer + 1);
		x[i] = json_number_value(v);
	}
	*ret = x;
	*ret_n = n;
	return OK;
}

static void scale(struct arena *a, double factor, const double **x, size_t n)
{
	double *scaled = ARENA_ARRAY(a, double, n + 1);

	for (size_t i = 0; i < n; i++)
		scaled[i] = (*x)[i] * factor;
	*x = scaled;
}

/* A measure has one unit in a project. Values in another one are converted; what cannot be
 * ("throughput" in GB/s where it is ops/s) is a measure of its own, named with its unit. */
static int fit_unit(const struct ingest *in, struct series_values *v, struct error *err)
{
	struct measure m;
	double factor = 1;
	int r;

	if (!*v->unit || !strcmp(v->unit, "1"))
		return OK; /* nothing said */
	r = store_measure_ensure(in->st, in->arena, in->job->project_id, v->measure, v->unit,
		&v->better, in->now_ns, &m, err);
	if (r < 0)
		return r;
	if (!strcmp(m.units, "Measure (units)")) /* made without units */
		return OK;
	if (!units_factor(v->unit, m.units, &factor)) {
		v->measure = arena_printf(in->arena, "%s (%s)", m.name, v->unit);
		return fit_unit(in, v, err);
	}
	if (factor == 1)
		return OK;
	scale(in->arena, factor, &v->samples, v->n_samples);
	scale(in->arena, factor, &v->warmup, v->n_warmup);
	v->unit = m.units;
	return OK;
}

static int read_result(const struct ingest *in, const struct cell *c, json_t *o, size_t i,
	struct series_values *ret, struct error *err)
{
	struct raw_result raw = { .unit = "", .better = BETTER_LOWER };
	struct series_values v = { 0 };
	char pointer[48];
	int r;

	snprintf(pointer, sizeof(pointer), "/results/%zu", i);
	r = json_read(o, pointer, result_fields, ARRAY_SIZE(result_fields), &raw,
		JSON_IGNORE_UNKNOWN, err);
	if (r == OK)
		r = read_numbers(
			in->arena, raw.samples, pointer, &v.samples, &v.n_samples, err);
	if (r == OK)
		r = read_numbers(in->arena, raw.warmup, pointer, &v.warmup, &v.n_warmup, err);
	if (r < 0)
		return r;
	v.benchmark = cell_result_name(in->workload, c, raw.benchmark, in->arena);
	v.measure = raw.measure;
	v.unit = raw.unit;
	v.better = (enum better)raw.better;
	r = fit_unit(in, &v, err);
	if (r < 0)
		return r;
	v.value = v.n_samples ? sample_centre(in->arena, v.samples, v.n_samples) : NAN;
	*ret = v;
	return OK;
}

static int read_results(const struct ingest *in, const struct cell *c, json_t *results,
	struct series_values **ret, size_t *ret_n, struct error *err)
{
	struct series_values *v =
		ARENA_ARRAY(in->arena, struct series_values, json_array_size(results) + 1);
	size_t i;
	json_t *o;

	json_array_foreach (results, i, o) {
		int r = read_result(in, c, o, i, &v[i], err);

		if (r < 0)
			return r;
	}
	*ret = v;
	*ret_n = json_array_size(results);
	return OK;
}

/* The record as evidence: everything but the results, which have their own table. */
static const char *record_text(struct arena *a, json_t *record)
{
	_cleanup_(json_decref)
	json_t *copy = json_copy(record);
	_cleanup_(free)
	char *text = NULL;

	json_object_del(copy, "results");
	text = json_text(copy);
	return arena_strdup(a, text);
}

int ingest_process(const struct ingest *in, json_t *record, struct error *err)
{
	struct raw_process raw = { .steady = true, .noise = NOISE_CLEAN };
	struct series_values *values;
	const struct cell *c;
	struct process p;
	size_t n;
	int r;

	r = json_read(record, "", process_fields, ARRAY_SIZE(process_fields), &raw,
		JSON_IGNORE_UNKNOWN, err);
	if (r < 0)
		return r;
	c = find_cell(in, raw.cell);
	if (!c)
		return error_set_field(
			err, E_UNPROCESSABLE, "/cell", "the job has no cell '%s'", raw.cell);
	r = read_results(in, c, raw.results, &values, &n, err);
	if (r < 0)
		return r;
	p = (struct process){ .job_id = in->job->id,
		.attempt = in->job->attempt,
		.seq = raw.seq,
		.index = raw.index,
		.block = raw.block,
		.order = raw.order,
		.cell = raw.cell,
		.arm = (enum arm)raw.arm,
		.noise = (enum noise)raw.noise,
		.replaced = raw.replaced,
		.steady = raw.steady,
		.termination = raw.termination,
		.record_json = record_text(in->arena, record) };
	r = store_process_add(in->st, &p, values, n, err);
	return r == E_CONFLICT ? OK : r;
}

int ingest_judged(const struct ingest *in, json_t *message, struct error *err)
{
	size_t i;
	json_t *v;
	int r = OK;

	json_array_foreach (json_object_get(message, "processes"), i, v) {
		int noise = noise_parse(json_get_str(v, "noise", ""));
		struct process p = { .job_id = in->job->id,
			.seq = json_get_int(v, "seq", -1),
			.noise = (enum noise)noise,
			.replaced = json_get_bool(v, "replaced", false) };

		if (noise < 0)
			return error_set_field(err, E_UNPROCESSABLE, "/processes",
				"a verdict is not clean, suspect or noisy");
		r = store_process_judge(in->st, &p, json_object_get(v, "signals"), err);
		if (r < 0)
			break;
	}
	return r;
}
