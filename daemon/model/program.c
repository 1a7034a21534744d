/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a command is run: input, output, page cache, exit codes, ranges and hooks. */
#include "daemon/model/internal.h"

#include <math.h>
#include <string.h>
#include "base/buf.h"
#include "base/cleanup.h"

enum { RANGE_MAX = 1000 };

static const char *const outputs[] = { "capture", "discard", NULL };
static const char *const caches[] = { "any", "warm", "cold", NULL };

static bool is_one_of(const json_t *v, const char *const *names)
{
	for (size_t i = 0; json_is_string(v) && names[i]; i++)
		if (!strcmp(json_string_value(v), names[i]))
			return true;
	return false;
}

static int check_exit_codes(const json_t *list, struct error *err)
{
	size_t i;
	json_t *v;

	if (!list || (json_is_string(list) && !strcmp(json_string_value(list), "any")))
		return OK;
	if (!json_is_array(list) || json_array_size(list) < 1 || json_array_size(list) > 256)
		return error_set_field(err, E_UNPROCESSABLE, "/exit_codes",
			"'exit_codes' must be 'any' or a list of 1 to 256 integers");
	json_array_foreach (list, i, v)
		if (!json_is_integer(v) || json_integer_value(v) < 0 ||
			json_integer_value(v) > 255)
			return error_set_field(err, E_UNPROCESSABLE, "/exit_codes",
				"'exit_codes' must hold integers from 0 to 255");
	return OK;
}

static int check_directory(json_t *definition, enum workload_kind kind, struct error *err)
{
	const json_t *v = json_object_get(definition, "directory");

	if (!v)
		return OK;
	if (kind != WORKLOAD_COMMAND)
		return error_set_field(err, E_UNPROCESSABLE, "/directory",
			"'directory' belongs to kind 'command'; a build's programs run in its "
			"checkout");
	if (*json_string_value(v) != '/' ||
		strlen(json_string_value(v)) != json_string_length(v))
		return error_set_field(err, E_UNPROCESSABLE, "/directory",
			"'directory' must be an absolute path without NUL");
	if (json_array_size(json_object_get(definition, "artifacts")))
		return error_set_field(err, E_UNPROCESSABLE, "/directory",
			"'directory' and 'artifacts' exclude each other: files are kept from "
			"the fresh folder of a job only");
	return OK;
}

int program_check(json_t *definition, enum workload_kind kind, struct error *err)
{
	static const char *const keys[] = { "input", "output", "cache" };
	const json_t *input = json_object_get(definition, "input");
	const json_t *output = json_object_get(definition, "output");
	const json_t *cache = json_object_get(definition, "cache");

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (json_object_get(definition, keys[i]) && kind != WORKLOAD_COMMAND &&
			kind != WORKLOAD_BUILD)
			return error_set_field(err, E_UNPROCESSABLE,
				i == 0	 ? "/input"
				: i == 1 ? "/output"
					 : "/cache",
				"'%s' belongs to kind 'command' or 'build'", keys[i]);
	if (input && strlen(json_string_value(input)) != json_string_length(input))
		return error_set_field(
			err, E_UNPROCESSABLE, "/input", "'input' must be a path without NUL");
	if (output && !is_one_of(output, outputs))
		return error_set_field(err, E_UNPROCESSABLE, "/output",
			"'output' must be 'capture' or 'discard'");
	if (cache && !is_one_of(cache, caches))
		return error_set_field(err, E_UNPROCESSABLE, "/cache",
			"'cache' must be 'any', 'warm' or 'cold'");
	if (check_directory(definition, kind, err) < 0)
		return err->code;
	return check_exit_codes(json_object_get(definition, "exit_codes"), err);
}

static json_t *exit_codes_json(json_t *v)
{
	json_t *all;

	if (json_is_array(v))
		return json_incref(v);
	all = json_array();
	for (int i = 0; i <= (v ? 255 : 0); i++)
		json_array_append_new(all, json_integer(i));
	return all;
}

void program_to_spec(const json_t *definition, json_t *spec)
{
	json_set_opt(spec, "input", json_get_str(definition, "input", NULL));
	json_set_opt(spec, "directory", json_get_str(definition, "directory", NULL));
	json_set_str(spec, "output", json_get_str(definition, "output", "capture"));
	json_set_str(spec, "cache", json_get_str(definition, "cache", "any"));
	json_object_set_new(
		spec, "exit_codes", exit_codes_json(json_object_get(definition, "exit_codes")));
}

/* --- ranges --- */

struct range {
	double from, to, step;
};
static const struct json_field range_fields[] = {
	{ "from", JF_DOUBLE, offsetof(struct range, from), true, -1e15, 1e15, NULL },
	{ "to", JF_DOUBLE, offsetof(struct range, to), true, -1e15, 1e15, NULL },
	{ "step", JF_DOUBLE, offsetof(struct range, step), false, -1e15, 1e15, NULL },
};

/* Whole numbers stay whole, so that a name reads n=10 and not n=10.0; others are rounded to
 * what a sum of steps can mean. */
static json_t *number(double v)
{
	char text[32];

	snprintf(text, sizeof(text), "%.12g", v);
	v = strtod(text, NULL);
	return v == trunc(v) ? json_integer((json_int_t)v) : json_real(v);
}

int range_expand(json_t *matrix, const char *key, const char *pointer, struct error *err)
{
	struct range g = { .step = 1 };
	json_t *list;
	double n;
	int r = json_read(json_object_get(matrix, key), pointer, range_fields,
		ARRAY_SIZE(range_fields), &g, JSON_REFUSE_UNKNOWN, err);

	if (r < 0)
		return r;
	n = floor((g.to - g.from) / g.step + 1e-9) + 1;
	if (!(g.step != 0) || !(n >= 1) || n > RANGE_MAX)
		return error_set_field(err, E_UNPROCESSABLE, pointer,
			"'%s' must lead from 'from' to 'to' in 1 to %d steps", pointer + 1,
			RANGE_MAX);
	list = json_array();
	for (int i = 0; i < (int)n; i++)
		json_array_append_new(list, number(g.from + i * g.step));
	json_object_set_new(matrix, key, list);
	return OK;
}

/* --- hooks --- */

static const char *scalar_text(const json_t *v, char out[64])
{
	char text[32];

	if (json_is_string(v))
		return json_string_value(v);
	snprintf(out, 64, "%s",
		json_is_integer(v) ? ""
		: json_is_real(v)  ? json_number(json_real_value(v), text)
		: json_is_true(v)  ? "true"
				   : "false");
	if (json_is_integer(v))
		snprintf(out, 64, "%lld", (long long)json_integer_value(v));
	return out;
}

static json_t *filled(const char *text, const json_t *parameters, bool *changed)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	char scratch[64], name[65];

	for (const char *p = text; *p; p++) {
		const char *end = *p == '{' ? strchr(p, '}') : NULL;
		size_t n = end ? (size_t)(end - p - 1) : 0;
		json_t *v = NULL;

		if (n > 0 && n < sizeof(name)) {
			memcpy(name, p + 1, n);
			name[n] = 0;
			v = json_object_get(parameters, name);
		}
		if (!v) {
			buf_add_char(&b, *p);
			continue;
		}
		buf_add_str(&b, scalar_text(v, scratch));
		*changed = true;
		p = end;
	}
	return json_string(buf_str(&b));
}

json_t *hooks_fill(struct arena *a, const json_t *list, const json_t *parameters)
{
	json_t *out = arena_own_json(a, json_array()), *argv, *word;
	bool changed = false;
	size_t i, k;

	json_array_foreach (list, i, argv) {
		json_t *copy = json_array();

		json_array_foreach (argv, k, word)
			json_array_append_new(
				copy, filled(json_string_value(word), parameters, &changed));
		json_array_append_new(out, copy);
	}
	return changed ? out : NULL;
}
