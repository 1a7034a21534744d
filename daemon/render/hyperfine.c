/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A report as hyperfine's --export-json writes it, for the scripts people have around that.
 * Times in seconds, one a process; memory_usage_byte as hyperfine has since 1.20. Source: the
 * export of hyperfine, whose members are results[]{command, mean, stddev, median, user, system,
 * min, max, times[], exit_codes[], parameters{}}. */
#include "daemon/render/internal.h"

#include <math.h>
#include <string.h>
#include "stats/quantile.h"

#define NS 1e9
#define US 1e6

struct runs { /* of one benchmark */
	double *times, user, system;
	size_t n;
	json_t *exit_codes, *memory;
};

static const json_t *latency_of(const json_t *benchmark)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(benchmark, "measures"), i, entry)
		if (!strcmp(doc_str(entry, "measure.slug"), "latency"))
			return entry;
	return NULL;
}

static void add_run(struct runs *r, const json_t *process, double value)
{
	double memory = doc_num(process, "maxrss_kib");
	int64_t signal = json_get_int(process, "signal", 0);

	r->times[r->n++] = value / NS;
	r->user += doc_num(process, "user_us") / US;
	r->system += doc_num(process, "sys_us") / US;
	json_array_append_new(
		r->exit_codes, json_integer(signal ? 128 + signal : doc_int(process, "exit")));
	if (isfinite(memory))
		json_array_append_new(
			r->memory, json_integer((json_int_t)memory * (json_int_t)KiB));
}

/* Replaced processes were measured in a bad moment; another ran in the place of each. */
static void add_process(struct runs *r, const json_t *process, const char *benchmark)
{
	const json_t *v;
	size_t i;

	if (json_get_bool(process, "replaced", false))
		return;
	json_array_foreach (json_object_get(process, "results"), i, v) {
		double value = doc_num(v, "value");
		const char *measure = doc_str(v, "measure");

		if (isfinite(value) && !strcmp(doc_str(v, "benchmark"), benchmark) &&
			(!strcmp(measure, "latency") || !strcmp(measure, "Latency"))) {
			add_run(r, process, value);
			return;
		}
	}
}

static void collect(const json_t *doc, const json_t *entry, const char *benchmark,
	struct arena *a, struct runs *r)
{
	const json_t *processes = json_object_get(doc, "processes");
	const json_t *samples = json_object_get(entry, "samples"), *v;
	size_t i;

	*r = (struct runs){ .times = ARENA_ARRAY(a, double,
				    json_array_size(processes) + json_array_size(samples) + 1),
		.exit_codes = json_array(),
		.memory = json_array() };
	json_array_foreach (processes, i, v)
		add_process(r, v, benchmark);
	if (r->n == 0)
		json_array_foreach (samples, i, v)
			r->times[r->n++] = json_number_value(v) / NS;
}

static void set_summary(json_t *o, const struct runs *r, struct arena *a)
{
	double *sorted = sample_sorted(a, r->times, r->n), mean = sample_mean(r->times, r->n);
	bool has_usage = json_array_size(r->exit_codes) == r->n;

	json_set_real(o, "mean", mean);
	json_set_real(o, "stddev", r->n > 1 ? sample_sd(r->times, r->n, mean) : NAN);
	json_set_real(o, "median", sample_quantile(sorted, r->n, 0.5));
	json_set_real(o, "user", has_usage ? r->user / (double)r->n : NAN);
	json_set_real(o, "system", has_usage ? r->system / (double)r->n : NAN);
	json_set_real(o, "min", sorted[0]);
	json_set_real(o, "max", sorted[r->n - 1]);
}

static void set_runs(json_t *o, const struct runs *r)
{
	json_t *times = json_array();

	for (size_t i = 0; i < r->n; i++)
		json_array_append_new(times, json_real(r->times[i]));
	json_object_set_new(o, "times", times);
	if (json_array_size(r->memory) == r->n)
		json_object_set(o, "memory_usage_byte", r->memory);
	json_object_set(o, "exit_codes", r->exit_codes);
}

/* hyperfine's parameters are texts. */
static void set_parameters(json_t *o, const json_t *parameters)
{
	json_t *texts = json_object(), *v;
	const char *key;
	char number[32];

	json_object_foreach ((json_t *)parameters, key, v)
		json_set_str(texts, key,
			json_is_string(v)   ? json_string_value(v)
			: json_is_number(v) ? json_number(json_number_value(v), number)
					    : (json_is_true(v) ? "true" : "false"));
	if (json_object_size(texts))
		json_object_set(o, "parameters", texts);
	json_decref(texts);
}

static void add_benchmark(
	json_t *list, const json_t *doc, const json_t *benchmark, struct arena *a)
{
	const char *name = doc_str(benchmark, "benchmark.name");
	const json_t *entry = latency_of(benchmark);
	json_t *o = json_object();
	struct runs r;

	json_array_append_new(list, o);
	json_set_str(o, "command", name);
	if (!entry) {
		json_array_remove(list, json_array_size(list) - 1);
		return;
	}
	collect(doc, entry, name, a, &r);
	if (r.n == 0) /* an upload of a value alone */
		r.times[r.n++] = doc_num(entry, "metric.value") / NS;
	set_summary(o, &r, a);
	set_runs(o, &r);
	set_parameters(o, json_object_get(benchmark, "parameters"));
	json_decref(r.exit_codes);
	json_decref(r.memory);
}

void report_hyperfine(const json_t *doc, struct arena *a, struct buf *out)
{
	_cleanup_(json_decref)
	json_t *o = json_object();
	_cleanup_(free)
	char *text = NULL;
	json_t *list = json_array(), *iteration, *benchmark;
	size_t i, k;

	json_array_foreach (doc_at(doc, "results"), i, iteration)
		json_array_foreach (iteration, k, benchmark)
			add_benchmark(list, doc, benchmark, a);
	json_object_set_new(o, "results", list);
	text = json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
	buf_add_str(out, text);
	buf_add_char(out, '\n');
}
