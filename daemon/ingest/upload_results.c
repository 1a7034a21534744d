/* SPDX-License-Identifier: GPL-3.0-or-later */
/* results[] of an upload: each entry through its adapter, then folded. */
#include "daemon/ingest/upload.h"

#include <string.h>

enum { BENCHMARK_MAX = 1024, MEASURE_MAX = 64 };

/* Enumerators follow enum average and enum fold, whose 0 is "none". */
static const char *const average_names[] = { "mean", "median", NULL };
static const char *const fold_names[] = { "min", "max", "mean", "median", NULL };

struct settings {
	const char *adapter;
	int average, fold; /* index of the names, -1: none */
};

static int read_settings(json_t *o, struct settings *s, struct error *err)
{
	static const struct json_field fields[] = {
		{ "adapter", JF_STRING, offsetof(struct settings, adapter), false, 1, 64,
			NULL },
		{ "average", JF_ENUM, offsetof(struct settings, average), false, 0, 0,
			average_names },
		{ "fold", JF_ENUM, offsetof(struct settings, fold), false, 0, 0, fold_names },
	};
	int r = OK;

	*s = (struct settings){ "magic", -1, -1 };
	if (o)
		r = json_read(o, "/settings", fields, ARRAY_SIZE(fields), s,
			JSON_IGNORE_UNKNOWN, err);
	if (r == OK && !adapter_is_known(s->adapter)) {
		const char *near = nearest_name(s->adapter, adapter_names);

		return error_set_field(err, E_UNPROCESSABLE, "/settings/adapter",
			"there is no adapter '%.40s'%s%s%s", s->adapter,
			near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
	return r;
}

/* Names of benchmarks that ask for no alerts (Bencher): the suffix goes. */
static void strip_ignore(struct arena *a, struct tool_result *r)
{
	static const char *const endings[] = { "_bencher_ignore", "BencherIgnore",
		"-bencher-ignore" };
	size_t n = strlen(r->benchmark);

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t k = strlen(endings[i]);

		if (n <= k || strcmp(r->benchmark + n - k, endings[i]) != 0)
			continue;
		r->benchmark = arena_strndup(a, r->benchmark, n - k);
		r->is_ignored = true;
		return;
	}
}

/* A command of several lines is a name of several words. */
static void flatten(struct arena *a, struct tool_result *r)
{
	char *p = arena_strdup(a, r->benchmark);

	r->benchmark = p;
	for (; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = ' ';
}

static int check_results(
	const struct tool_output *o, struct arena *a, const char *field, struct error *err)
{
	for (size_t i = 0; i < o->n; i++) {
		int r;

		if (o->items[i].is_named)
			flatten(a, &o->items[i]);
		strip_ignore(a, &o->items[i]);
		r = upload_check_name(
			"benchmark", o->items[i].benchmark, BENCHMARK_MAX, field, err);
		if (r == OK)
			r = upload_check_name(
				"measure", o->items[i].measure, MEASURE_MAX, field, err);
		if (r < 0)
			return r;
	}
	return OK;
}

static int read_entry(json_t *v, size_t i, const struct settings *s, struct arena *a,
	struct tool_output *ret, struct error *err)
{
	enum average average = (enum average)(s->average + 1);
	char field[32];
	int r;

	snprintf(field, sizeof(field), "/results/%zu", i);
	if (!json_is_string(v))
		return error_set_field(err, E_UNPROCESSABLE, field,
			"each of 'results' must be a string: the output of a tool as it is");
	r = adapter_read(
		s->adapter, json_string_value(v), json_string_length(v), average, a, ret, err);
	if (r < 0) {
		snprintf(err->field, sizeof(err->field), "%s", field);
		return r;
	}
	r = check_results(ret, a, field, err);
	if (r == OK)
		adapter_merge(ret, average);
	return r;
}

static int check_totals(const struct upload *u, struct error *err)
{
	size_t samples = 0;

	for (size_t i = 0; i < u->n_iterations; i++)
		for (size_t k = 0; k < u->iterations[i].n; k++)
			samples += u->iterations[i].items[k].n_samples;
	if (u->n_metrics > UPLOAD_MAX_METRICS)
		return error_set_field(err, E_TOO_LARGE, "/results",
			"the results have %lld values, at most %d in one report",
			(long long)u->n_metrics, UPLOAD_MAX_METRICS);
	if (samples > UPLOAD_MAX_SAMPLES)
		return error_set_field(err, E_TOO_LARGE, "/results",
			"the results have %zu raw samples, at most %d in one report", samples,
			UPLOAD_MAX_SAMPLES);
	return OK;
}

static void summarise(struct upload *u, struct arena *a)
{
	_cleanup_(json_decref)
	json_t *o = json_object();
	json_t *adapters = json_array();
	_cleanup_(free)
	char *text = NULL;
	const char *reason = NULL, *last = "";

	for (size_t i = 0; i < u->n_iterations; i++) {
		const struct tool_output *t = &u->iterations[i];

		u->n_skipped += (int64_t)t->n_skipped;
		reason = reason ? reason : t->skipped;
		if (strcmp(last, t->adapter) != 0)
			json_array_append_new(adapters, json_string(t->adapter));
		last = t->adapter;
	}
	json_object_set_new(o, "adapters", adapters);
	json_set_int(o, "skipped", u->n_skipped);
	json_set_opt(o, "skipped_reason", reason);
	text = json_text(o);
	u->summary_json = arena_strdup(a, text ? text : "{}");
}

int upload_read_results(
	json_t *settings, json_t *results, struct arena *a, struct upload *u, struct error *err)
{
	size_t n = json_array_size(results), i;
	struct tool_output *entries = ARENA_ARRAY(a, struct tool_output, n + 1), folded;
	struct settings s;
	json_t *v;
	int r = read_settings(settings, &s, err);

	if (r < 0)
		return r;
	u->iterations = entries;
	json_array_foreach (results, i, v) {
		r = read_entry(v, i, &s, a, &entries[i], err);
		if (r < 0)
			return r;
		u->n_iterations++;
		u->n_metrics += (int64_t)entries[i].n;
		if (u->n_metrics > UPLOAD_MAX_METRICS)
			return check_totals(u, err);
	}
	u->adapter = adapter_stored_name(s.adapter);
	if (s.fold >= 0 && n > 1) {
		adapter_fold(entries, n, (enum fold)(s.fold + 1), a, &folded);
		entries[0] = folded;
		u->n_iterations = 1;
		u->n_metrics = (int64_t)folded.n;
	}
	summarise(u, a);
	return check_totals(u, err);
}
