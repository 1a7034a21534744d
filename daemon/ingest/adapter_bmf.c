/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json: Bencher Metric Format, v0 and v1.
 *
 * v0: {"benchmark": {"measure": {"value": x, "lower_value"?: x, "upper_value"?: x}}}
 * v1: {"benchmark": [{"parameters"?: {...}, "measures": {"measure": {"name": x, ...}}}]}
 * One file is all v0 or all v1. */
#include "daemon/ingest/adapter.h"

#include <math.h>
#include <string.h>

enum { MAX_SCALARS = 8, MAX_NAME = 1024 };

static int bad(struct error *err, const char *benchmark, const char *measure, const char *what)
{
	return error_set(err, E_BAD_REQUEST, "benchmark '%.100s'%s%.60s%s: %s", benchmark,
		measure ? ", measure '" : "", measure ? measure : "", measure ? "'" : "", what);
}

static int read_scalar(const json_t *metric, const char *name, double *ret,
	const char *benchmark, const char *measure, struct error *err)
{
	const json_t *v = json_object_get(metric, name);

	if (!v || json_is_null(v))
		return OK;
	if (!json_is_number(v) || !isfinite(json_number_value(v)))
		return bad(err, benchmark, measure, "its values must be finite numbers");
	*ret = json_number_value(v);
	return OK;
}

static int read_metric(struct tool_output *out, const char *benchmark, const char *measure,
	const json_t *metric, json_t *parameters, bool need_value, struct error *err)
{
	double value = NAN, lower = NAN, upper = NAN;
	struct tool_result *r;
	int e;

	if (!json_is_object(metric))
		return bad(err, benchmark, measure, "must be an object with a 'value'");
	e = read_scalar(metric, "value", &value, benchmark, measure, err);
	if (e == OK)
		e = read_scalar(metric, "lower_value", &lower, benchmark, measure, err);
	if (e == OK)
		e = read_scalar(metric, "upper_value", &upper, benchmark, measure, err);
	if (e < 0)
		return e;
	if (isnan(value) && need_value)
		return bad(err, benchmark, measure, "'value' is missing");
	if (json_object_size(metric) > MAX_SCALARS)
		tool_output_skip(
			out, "'%.60s' has more than %d named values", measure, MAX_SCALARS);
	if (isnan(value)) {
		tool_output_skip(out, "'%.60s' has no 'value'", measure);
		return OK;
	}
	r = tool_output_add(out, benchmark, measure);
	if (!r)
		return error_set(err, E_TOO_LARGE, "the entry has more than %d results",
			ADAPTER_MAX_RESULTS);
	r->is_named = false;
	r->value = value;
	r->lower = lower;
	r->upper = upper;
	r->parameters = parameters;
	return OK;
}

static int read_measures(struct tool_output *out, const char *benchmark, json_t *measures,
	json_t *parameters, bool need_value, struct error *err)
{
	const char *measure;
	json_t *metric;

	json_object_foreach (measures, measure, metric) {
		int r = read_metric(
			out, benchmark, measure, metric, parameters, need_value, err);

		if (r < 0)
			return r;
	}
	return OK;
}

static int check_parameters(const char *benchmark, json_t *parameters, struct error *err)
{
	const char *key;
	json_t *v;

	json_object_foreach (parameters, key, v)
		if (!json_is_string(v) && !json_is_number(v) && !json_is_boolean(v))
			return bad(err, benchmark, NULL,
				"parameters must be strings, numbers or booleans");
	return OK;
}

/* 16, 16.0 and 1.6e1 are one value (RFC 8785). */
static json_t *plain_numbers(struct arena *a, json_t *parameters)
{
	json_t *o = arena_own_json(a, json_object()), *v;
	const char *key;

	json_object_foreach (parameters, key, v) {
		double d = json_is_real(v) ? json_real_value(v) : NAN;

		if (fabs(d) < 9007199254740992.0 && d == trunc(d))
			json_object_set_new(o, key, json_integer((json_int_t)d));
		else
			json_object_set(o, key, v);
	}
	return o;
}

static int read_v1(
	struct tool_output *out, const char *benchmark, json_t *list, struct error *err)
{
	json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		json_t *parameters = json_object_get(entry, "parameters");
		json_t *measures = json_object_get(entry, "measures");
		const char *name;
		int r;

		if (!json_is_object(measures) || (parameters && !json_is_object(parameters)))
			return bad(err, benchmark, NULL,
				"each entry must be an object with 'measures' and perhaps "
				"'parameters'");
		r = check_parameters(benchmark, parameters, err);
		if (r < 0)
			return r;
		if (json_object_size(parameters) == 0)
			parameters = NULL;
		else
			parameters = plain_numbers(out->arena, parameters);
		name = arena_printf(out->arena, "%s%s", benchmark,
			parameters_suffix(out->arena, parameters));
		r = read_measures(out, name, measures, parameters, false, err);
		if (r < 0)
			return r;
	}
	return OK;
}

static int read_bmf(const char *text, size_t n, enum average average, struct tool_output *out,
	struct error *err)
{
	size_t n_objects = 0, n_arrays = 0;
	const char *benchmark;
	json_t *j, *v;
	int r = tool_json(text, n, out, &j, err);

	(void)average;
	if (r < 0)
		return r;
	json_object_foreach (j, benchmark, v) {
		n_objects += json_is_object(v);
		n_arrays += json_is_array(v);
		if (!*benchmark || strlen(benchmark) > MAX_NAME)
			return error_set(err, E_BAD_REQUEST,
				"a benchmark's name must have 1 to %d bytes", MAX_NAME);
	}
	if (n_objects + n_arrays != json_object_size(j) || (n_objects && n_arrays))
		return error_set(err, E_BAD_REQUEST,
			"not Bencher Metric Format: benchmarks must be all objects (v0) or all "
			"arrays (v1)");
	json_object_foreach (j, benchmark, v) {
		r = json_is_object(v) ? read_measures(out, benchmark, v, NULL, true, err)
				      : read_v1(out, benchmark, v, err);
		if (r < 0)
			return r;
	}
	return OK;
}

const struct adapter adapter_bmf = { "json", read_bmf };
