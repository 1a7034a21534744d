/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tools that write a JSON document: java_jmh (-rf json), c_sharp_dot_net (BenchmarkDotNet's
 * JsonExporter) and js_vitest (--outputJson). Raw values become samples. */
#include "daemon/ingest/scan.h"

#include <math.h>
#include <string.h>
#include "base/cleanup.h"

enum { NONE = 1u << AVERAGE_NONE, MEAN = 1u << AVERAGE_MEAN, MEDIAN = 1u << AVERAGE_MEDIAN };

/* --- java_jmh --- */

/* "ops/ms" (more is better), "ms/op", or of the profiler of the collector "B/op". */
struct jmh_unit {
	bool is_rate, is_bytes;
	double factor; /* times this for ns, or divided by it for ops/s */
};

static bool jmh_unit(const char *unit, struct jmh_unit *ret)
{
	const char *slash = unit ? strchr(unit, '/') : NULL;
	char time[8];
	double ns;

	if (!slash)
		return false;
	*ret = (struct jmh_unit){ .is_bytes = !strcmp(unit, "B/op"), .factor = 1 };
	if (ret->is_bytes)
		return true;
	ret->is_rate = !strncmp(unit, "ops/", 4);
	snprintf(time, sizeof(time), "%.*s",
		ret->is_rate ? 7 : (int)MIN(slash - unit, (ptrdiff_t)7),
		ret->is_rate ? unit + 4 : unit);
	ns = tool_time_unit(time);
	ret->factor = ret->is_rate ? ns / 1e9 : ns;
	return ns > 0 && (ret->is_rate || !strcmp(slash, "/op"));
}

static double jmh_value(double v, const struct jmh_unit *u)
{
	return u->is_rate ? v / u->factor : v * u->factor;
}

/* rawData[fork][iteration] */
static void jmh_samples(struct tool_output *out, const json_t *forks, const struct jmh_unit *u,
	struct tool_result *r)
{
	size_t n = 0, i;
	json_t *fork;

	json_array_foreach (forks, i, fork)
		n += json_array_size(fork);
	if (n == 0 || n > ADAPTER_MAX_SAMPLES)
		return;
	r->samples = ARENA_ARRAY(out->arena, double, n);
	json_array_foreach (forks, i, fork) {
		size_t k;
		double *x = tool_numbers(out, fork, 1, &k);

		for (size_t j = 0; j < k; j++)
			r->samples[r->n_samples++] = jmh_value(x[j], u);
	}
}

static double bound(const json_t *list, size_t i, const struct jmh_unit *u)
{
	const json_t *v = json_array_get(list, i);

	return json_is_number(v) ? jmh_value(json_number_value(v), u) : NAN;
}

static void jmh_describe(struct tool_result *r, const struct jmh_unit *u)
{
	r->unit = u->is_bytes  ? "bytes (B)"
		  : u->is_rate ? "operations / second (ops/s)"
			       : "nanoseconds (ns)";
	r->better = u->is_rate ? BETTER_HIGHER : BETTER_LOWER;
}

/* Bytes of an operation are what others call allocated; JMH before 1.37 has a dot before it. */
static const char *jmh_measure(const char *key)
{
	static const char norm[] = "gc.alloc.rate.norm";

	return !strcmp(key, norm) || !strcmp(key, "\xc2\xb7gc.alloc.rate.norm") ? "allocated"
										: key;
}

/* Secondary metrics of profilers whose unit is a time, a rate or bytes are measures by their
 * name. */
static void jmh_metric(
	struct tool_output *out, const char *name, const char *measure, const json_t *m)
{
	const json_t *confidence = json_object_get(m, "scoreConfidence");
	double score = json_get_real(m, "score", NAN);
	struct tool_result *r;
	struct jmh_unit u;

	if (!jmh_unit(tool_string(m, "scoreUnit"), &u) || !isfinite(score)) {
		if (!measure)
			tool_output_skip(
				out, "'%.100s' has no score in a unit known here", name);
		return;
	}
	r = tool_output_add(out, name,
		measure	    ? measure
		: u.is_rate ? "throughput"
			    : "latency");
	if (!r)
		return;
	if (measure)
		jmh_describe(r, &u);
	r->value = jmh_value(score, &u);
	r->lower = bound(confidence, 0, &u);
	r->upper = bound(confidence, 1, &u);
	jmh_samples(out, json_object_get(m, "rawData"), &u, r);
}

/* Runs that differ in their parameters are benchmarks of their own. */
static const char *jmh_name(struct tool_output *out, const json_t *b)
{
	const char *name = tool_string(b, "benchmark");
	json_t *params = json_object_get(b, "params"), *v;
	const char *key;

	json_object_foreach (params, key, v)
		if (!json_is_string(v))
			return name;
	return name && json_is_object(params) ? arena_printf(out->arena, "%s%s", name,
							parameters_suffix(out->arena, params))
					      : name;
}

static int read_jmh(const char *text, size_t n, enum average average, struct tool_output *out,
	struct error *err)
{
	json_t *list, *b, *secondary, *m;
	const char *name, *key;
	size_t i;
	int r = average_check("java_jmh", average, NONE | MEAN, err);

	if (r == OK)
		r = json_parse(text, n, &list, err);
	if (r < 0)
		return r;
	arena_own_json(out->arena, list);
	json_array_foreach (list, i, b) {
		name = jmh_name(out, b);
		if (!name || !json_is_object(json_object_get(b, "primaryMetric")))
			break;
		jmh_metric(out, name, NULL, json_object_get(b, "primaryMetric"));
		secondary = json_object_get(b, "secondaryMetrics");
		json_object_foreach (secondary, key, m)
			if (strlen(key) <= 64)
				jmh_metric(out, name, jmh_measure(key), m);
	}
	if (json_array_size(list) == 0 || i < json_array_size(list))
		return error_set(err, E_BAD_REQUEST,
			"not the JSON of JMH: a list of objects with 'benchmark' and "
			"'primaryMetric'");
	return OK;
}

/* --- c_sharp_dot_net --- */

static void dot_net_memory(struct tool_output *out, const char *name, const json_t *m)
{
	static const char *const members[][2] = { { "BytesAllocatedPerOperation", "allocated" },
		{ "Gen0Collections", "gen0-collects" }, { "Gen1Collections", "gen1-collects" },
		{ "Gen2Collections", "gen2-collects" },
		{ "TotalOperations", "total-operations" } };

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		double v = json_get_real(m, members[i][0], NAN);
		struct tool_result *r =
			isfinite(v) ? tool_output_add(out, name, members[i][1]) : NULL;

		if (r)
			r->value = v;
	}
}

static int dot_net_one(
	struct tool_output *out, const json_t *b, bool is_median, struct error *err)
{
	const char *space = tool_string(b, "Namespace"), *method = tool_string(b, "Method");
	const json_t *s = json_object_get(b, "Statistics");
	double value = json_get_real(s, is_median ? "Median" : "Mean", NAN);
	double spread =
		json_get_real(s, is_median ? "InterquartileRange" : "StandardDeviation", NAN);
	struct tool_result *r;
	const char *name;

	if (!method)
		return error_set(err, E_BAD_REQUEST,
			"not the JSON of BenchmarkDotNet: a benchmark has no 'Method'");
	name = space && *space ? arena_printf(out->arena, "%s.%s", space, method) : method;
	if (!isfinite(value)) {
		tool_output_skip(out, "'%.100s' has no statistics", name);
		return OK;
	}
	r = tool_output_add(out, name, "latency");
	if (r) {
		r->value = value;
		r->lower = value - spread;
		r->upper = value + spread;
		r->samples = tool_numbers(
			out, json_object_get(s, "OriginalValues"), 1, &r->n_samples);
	}
	dot_net_memory(out, name, json_object_get(b, "Memory"));
	return OK;
}

static int read_dot_net(const char *text, size_t n, enum average average,
	struct tool_output *out, struct error *err)
{
	json_t *j, *list, *b;
	size_t i;
	int r = tool_json(text, n, out, &j, err);

	if (r < 0)
		return r;
	list = json_object_get(j, "Benchmarks");
	if (!json_is_array(list) || !json_object_get(j, "HostEnvironmentInfo"))
		return error_set(err, E_BAD_REQUEST,
			"not the JSON of BenchmarkDotNet: 'HostEnvironmentInfo' or "
			"'Benchmarks' is missing");
	json_array_foreach (list, i, b) {
		r = dot_net_one(out, b, average == AVERAGE_MEDIAN, err);
		if (r < 0)
			return r;
	}
	return OK;
}

/* --- js_vitest --- */

static void vitest_one(
	struct tool_output *out, const char *group, const json_t *b, enum average average)
{
	const char *name = tool_string(b, "name");
	double mean = json_get_real(b, average == AVERAGE_MEDIAN ? "median" : "mean", NAN);
	double sd = json_get_real(b, "sd", NAN), hz = json_get_real(b, "hz", NAN);
	double rme = json_get_real(b, "rme", NAN);
	struct tool_result *r;

	if (!name || !isfinite(mean)) {
		tool_output_skip(out, "'%.100s' has a benchmark without a time", group);
		return;
	}
	name = arena_printf(out->arena, "%s > %s", group, name);
	r = tool_output_add(out, name, "latency");
	if (r) { /* milliseconds */
		r->value = mean * 1e6;
		r->lower = average == AVERAGE_MEDIAN ? NAN : mean * 1e6 - sd * 1e6;
		r->upper = average == AVERAGE_MEDIAN ? NAN : mean * 1e6 + sd * 1e6;
		r->samples =
			tool_numbers(out, json_object_get(b, "samples"), 1e6, &r->n_samples);
	}
	r = isfinite(hz) ? tool_output_add(out, name, "throughput") : NULL;
	if (r) {
		r->value = hz;
		r->lower = hz - hz * (rme / 100);
		r->upper = hz + hz * (rme / 100);
	}
}

static int vitest_file(
	struct tool_output *out, const json_t *file, enum average average, struct error *err)
{
	const json_t *groups = json_object_get(file, "groups");
	json_t *group, *b;
	size_t i, k;

	json_array_foreach (groups, i, group) {
		const char *name = tool_string(group, "fullName");
		const json_t *list = json_object_get(group, "benchmarks");

		if (!name || !json_is_array(list))
			return error_set(err, E_BAD_REQUEST,
				"not the JSON of Vitest: a group has no 'fullName' or "
				"'benchmarks'");
		json_array_foreach (list, k, b)
			vitest_one(out, name, b, average);
	}
	return OK;
}

static int read_vitest(const char *text, size_t n, enum average average,
	struct tool_output *out, struct error *err)
{
	json_t *j, *files, *file;
	size_t i;
	int r = tool_json(text, n, out, &j, err);

	if (r < 0)
		return r;
	files = json_object_get(j, "files");
	if (!json_is_array(files))
		return error_set(
			err, E_BAD_REQUEST, "not the JSON of Vitest: 'files' is missing");
	json_array_foreach (files, i, file) {
		r = vitest_file(out, file, average, err);
		if (r < 0)
			return r;
	}
	return OK;
}

const struct adapter adapter_jmh = { "java_jmh", read_jmh };
const struct adapter adapter_dot_net = { "c_sharp_dot_net", read_dot_net };
const struct adapter adapter_vitest = { "js_vitest", read_vitest };
