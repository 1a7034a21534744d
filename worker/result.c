/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "worker/utf8.h"

enum { MAX_ERROR = 1000 };

static int refuse(struct error *err, int64_t line, const char *what, const char *should)
{
	return error_set(err, E_UNPROCESSABLE,
		"line %lld on BENCHD_RESULT_FD is wrong: '%s' %s (see the result protocol)",
		(long long)line, what, should);
}

static int read_name(const json_t *o, const char *key, const char *otherwise, int64_t line,
	const char **ret, struct error *err)
{
	const json_t *v = json_object_get(o, key);

	if (!v && otherwise) {
		*ret = otherwise;
		return OK;
	}
	if (!json_is_string(v) || !json_string_length(v) || json_string_length(v) > 1024)
		return refuse(err, line, key, "must be a string of 1 to 1024 bytes");
	*ret = json_string_value(v);
	return OK;
}

static bool same_parameters(const json_t *a, const json_t *b)
{
	return (!a && !b) || (a && b && json_equal(a, b));
}

static struct result_series *find_or_add(
	struct result *r, const char *benchmark, const char *measure, json_t *parameters)
{
	struct result_series *s;

	for (size_t i = 0; i < r->n_series; i++) {
		s = &r->series[i];
		if (!strcmp(s->benchmark, benchmark) && !strcmp(s->measure, measure) &&
			same_parameters(s->parameters, parameters))
			return s;
	}
	if (r->n_series == RESULT_MAX_SERIES)
		return NULL;
	if (r->n_series == r->cap_series) {
		size_t cap = r->cap_series ? 2 * r->cap_series : 8;
		struct result_series *bigger = ARENA_ARRAY(r->arena, struct result_series, cap);

		if (r->n_series)
			memcpy(bigger, r->series, r->n_series * sizeof(*bigger));
		r->series = bigger;
		r->cap_series = cap;
	}
	s = &r->series[r->n_series++];
	*s = (struct result_series){ .benchmark = arena_strdup(r->arena, benchmark),
		.measure = arena_strdup(r->arena, measure),
		.parameters =
			parameters ? arena_own_json(r->arena, json_incref(parameters)) : NULL };
	return s;
}

static void push(struct arena *a, struct doubles *d, double v)
{
	if (d->n == d->cap) {
		size_t cap = d->cap ? 2 * d->cap : 8;
		double *bigger = ARENA_ARRAY(a, double, cap);

		if (d->n)
			memcpy(bigger, d->v, d->n * sizeof(*bigger));
		d->v = bigger;
		d->cap = cap;
	}
	d->v[d->n++] = v;
}

/* Nanoseconds of a unit of time; 0 for any other unit. */
static double unit_ns(const char *unit)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = { { "ns", 1 }, { "us", 1e3 }, { "\xc2\xb5s", 1e3 }, { "\xce\xbcs", 1e3 },
		{ "ms", 1e6 }, { "s", 1e9 } };

	for (size_t i = 0; unit && i < ARRAY_SIZE(units); i++)
		if (!strcmp(unit, units[i].name))
			return units[i].ns;
	return 0;
}

const char *result_unit(const struct result_series *s)
{
	return unit_ns(s->unit) > 0 ? "ns" : s->unit;
}

static int add_values(struct result *r, const char *key, const json_t *list, const char *unit,
	struct doubles *to, struct error *err)
{
	double ns = unit_ns(unit);
	size_t i;
	const json_t *v;

	if (!list)
		return OK;
	if (!json_is_array(list))
		return refuse(err, r->n_lines, key, "must be an array of numbers");
	json_array_foreach (list, i, v) {
		double d = json_number_value(v);

		if (!json_is_number(v) || !isfinite(d))
			return refuse(
				err, r->n_lines, key, "must be an array of finite numbers");
		if (ns > 0 && d <= 0)
			return refuse(err, r->n_lines, key,
				"has a duration that is not greater than 0");
		if (++r->n_values > RESULT_MAX_SAMPLES)
			return refuse(err, r->n_lines, key,
				"brings more than 100000 values; report fewer samples");
		push(r->arena, to, ns > 0 ? d * ns : d);
	}
	return OK;
}

static int check_parameters(const json_t *p, int64_t line, struct error *err)
{
	const char *key;
	const json_t *v;

	if (!p)
		return OK;
	if (!json_is_object(p) || json_object_size(p) > 64)
		return refuse(
			err, line, "parameters", "must be an object of at most 64 members");
	json_object_foreach ((json_t *)p, key, v)
		if (!json_is_string(v) && !json_is_number(v) && !json_is_boolean(v))
			return refuse(err, line, "parameters",
				"may hold only strings, numbers and booleans");
	return OK;
}

static int read_hints(
	struct result *r, struct result_series *s, const json_t *o, struct error *err)
{
	const json_t *better = json_object_get(o, "better");
	const json_t *iterations = json_object_get(o, "iterations");
	const char *word = json_string_value(better);

	if (better && (!word || (strcmp(word, "lower") && strcmp(word, "higher"))))
		return refuse(err, r->n_lines, "better", "must be \"lower\" or \"higher\"");
	if (word)
		s->better = arena_strdup(r->arena, word);
	if (iterations && (!json_is_integer(iterations) || json_integer_value(iterations) < 1))
		return refuse(err, r->n_lines, "iterations", "must be an integer above 0");
	if (iterations)
		s->iterations = json_integer_value(iterations);
	return OK;
}

static int read_series(struct result *r, const json_t *o, struct error *err)
{
	json_t *parameters = json_object_get(o, "parameters");
	const char *benchmark, *measure, *unit;
	struct result_series *s;
	int e;

	if ((e = read_name(o, "benchmark", NULL, r->n_lines, &benchmark, err)) < 0 ||
		(e = read_name(o, "measure", "latency", r->n_lines, &measure, err)) < 0 ||
		(e = read_name(o, "unit", "", r->n_lines, &unit, err)) < 0 ||
		(e = check_parameters(parameters, r->n_lines, err)) < 0)
		return e;
	s = find_or_add(r, benchmark, measure, parameters);
	if (!s)
		return refuse(err, r->n_lines, "benchmark",
			"makes more than 1000 pairs of benchmark and measure");
	if (*unit && s->unit && strcmp(unit, s->unit))
		return refuse(err, r->n_lines, "unit", "differs from an earlier line's");
	if (*unit && !s->unit && (s->samples.n || s->warmup.n))
		return refuse(
			err, r->n_lines, "unit", "must stand in the first line of its values");
	if (*unit && !s->unit)
		s->unit = arena_strdup(r->arena, unit);
	if ((e = read_hints(r, s, o, err)) < 0)
		return e;
	e = add_values(r, "samples", json_object_get(o, "samples"), s->unit, &s->samples, err);
	if (e < 0)
		return e;
	return add_values(r, "warmup", json_object_get(o, "warmup"), s->unit, &s->warmup, err);
}

static int read_calibrated(struct result *r, const json_t *v, struct error *err)
{
	const json_t *k = json_object_get(v, "iterations");

	if (!json_is_integer(k) || json_integer_value(k) < 1)
		return refuse(err, r->n_lines, "calibrated",
			"must be an object with an integer 'iterations' above 0");
	r->calibrated = json_integer_value(k);
	return OK;
}

static int read_verify(struct result *r, json_t *v, struct error *err)
{
	const json_t *ok = json_object_get(v, "ok");

	if (!json_is_boolean(ok))
		return refuse(
			err, r->n_lines, "verify", "must be an object with a boolean 'ok'");
	r->verify_failed |= !json_is_true(ok);
	/* One proof is kept; a failed one wins. */
	if (!r->verify || !json_is_true(ok))
		r->verify = arena_own_json(r->arena, json_incref(v));
	return OK;
}

static int read_metadata(struct result *r, json_t *v, struct error *err)
{
	if (!json_is_object(v))
		return refuse(err, r->n_lines, "metadata", "must be an object");
	if (!r->metadata)
		r->metadata = arena_own_json(r->arena, json_object());
	json_object_update(r->metadata, v);
	return OK;
}

static const char *first_error(struct arena *a, const char *words)
{
	char *text = arena_printf(a, "%.*s", MAX_ERROR, words);

	utf8_trim(text);
	return text;
}

static int read_words(struct result *r, const json_t *o, struct error *err)
{
	json_t *v;

	if ((v = json_object_get(o, "hello"))) {
		if (!json_is_object(v) || json_get_int(v, "protocol", 1) != 1)
			return refuse(err, r->n_lines, "hello",
				"must be an object, and its 'protocol' must be 1");
		r->said_hello = true;
	}
	if ((v = json_object_get(o, "steady"))) {
		if (!json_is_boolean(v))
			return refuse(err, r->n_lines, "steady", "must be true or false");
		r->steady = (!r->steady_said || r->steady) && json_is_true(v);
		r->steady_said = true;
	}
	if ((v = json_object_get(o, "error"))) {
		if (!json_is_string(v))
			return refuse(err, r->n_lines, "error", "must be a string");
		if (!r->error)
			r->error = first_error(r->arena, json_string_value(v));
	}
	if ((v = json_object_get(o, "progress")) && !json_is_number(v))
		return refuse(err, r->n_lines, "progress", "must be a number from 0 to 1");
	return OK;
}

static int read_line(struct result *r, json_t *o, struct error *err)
{
	json_t *v;
	int e = read_words(r, o, err);

	if (e == OK && (v = json_object_get(o, "calibrated")))
		e = read_calibrated(r, v, err);
	if (e == OK && (v = json_object_get(o, "verify")))
		e = read_verify(r, v, err);
	if (e == OK && (v = json_object_get(o, "metadata")))
		e = read_metadata(r, v, err);
	if (e == OK && json_object_get(o, "benchmark"))
		e = read_series(r, o, err);
	return e;
}

static int parse_line(struct result *r, const char *line, size_t n, struct error *err)
{
	struct error inner;
	json_t *j = NULL;
	int e;

	if (n > RESULT_MAX_LINE)
		return refuse(err, r->n_lines, "the line", "is longer than 1 MiB");
	if (r->n_lines - r->n_signs > RESULT_MAX_LINES)
		return refuse(err, r->n_lines, "the line", "is one more than 10000");
	if (json_parse(line, n, &j, &inner) < 0)
		return refuse(err, r->n_lines, "the line", inner.text);
	r->n_signs += json_object_get(j, "progress") != NULL;
	e = json_is_object(j) ? read_line(r, j, err)
			      : refuse(err, r->n_lines, "the line", "is not a JSON object");
	json_decref(j);
	return e;
}

int result_read(
	struct arena *a, const char *text, size_t n, struct result *ret, struct error *err)
{
	*ret = (struct result){ .arena = a, .steady = true };
	while (n) {
		const char *nl = memchr(text, '\n', n);
		size_t len = nl ? (size_t)(nl - text) : n;

		if (strspn(text, " \t\r") < len) {
			int e;

			ret->n_lines++;
			e = parse_line(ret, text, len, err);
			if (e < 0)
				return e;
		}
		text += len + (nl != NULL);
		n -= len + (nl != NULL);
	}
	return OK;
}

const struct result_series *result_find(const struct result *r, const char *measure)
{
	for (size_t i = 0; i < r->n_series; i++)
		if (!strcmp(r->series[i].measure, measure) && r->series[i].samples.n)
			return &r->series[i];
	return NULL;
}

bool result_has_samples(const struct result *r)
{
	for (size_t i = 0; i < r->n_series; i++)
		if (r->series[i].samples.n)
			return true;
	return false;
}
