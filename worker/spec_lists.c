/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of words, of commands and of variables. */
#include <string.h>
#include "base/json.h"
#include "worker/spec_internal.h"

int spec_read_argv(
	struct arena *a, json_t *j, const char *pointer, char ***ret, struct error *err)
{
	size_t n = json_array_size(j), bytes = 0;
	char **argv;

	if (!json_is_array(j) || n < 1 || n > SPEC_MAX_ARGS)
		return error_set_field(err, E_UNPROCESSABLE, pointer,
			"'%s' must be an array of 1 to %d strings", pointer, SPEC_MAX_ARGS);
	argv = ARENA_ARRAY(a, char *, n + 1);
	for (size_t i = 0; i < n; i++) {
		json_t *v = json_array_get(j, i);
		const char *s = json_string_value(v);

		if (!s || strlen(s) != json_string_length(v))
			return error_set_field(err, E_UNPROCESSABLE, pointer,
				"'%s/%zu' must be a string without NUL characters", pointer, i);
		bytes += strlen(s) + 1;
		if (bytes > SPEC_ARG_BYTES)
			return error_set_field(err, E_UNPROCESSABLE, pointer,
				"'%s' is longer than %d bytes in all", pointer, SPEC_ARG_BYTES);
		argv[i] = arena_strdup(a, s);
	}
	if (!*argv[0])
		return error_set_field(err, E_UNPROCESSABLE, pointer,
			"'%s/0' is empty; it names the program", pointer);
	*ret = argv;
	return OK;
}

int spec_read_steps(struct arena *a, json_t *j, const char *pointer, struct spec_steps *s,
	struct error *err)
{
	s->n = json_array_size(j);
	s->argv = ARENA_ARRAY(a, char **, s->n + 1);
	for (size_t i = 0; i < s->n; i++) {
		char *at = arena_printf(a, "%s/%zu", pointer, i);
		int r = spec_read_argv(a, json_array_get(j, i), at, &s->argv[i], err);

		if (r < 0)
			return r;
	}
	return OK;
}

static bool name_is_variable(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	return n && !s[n] && (*s < '0' || *s > '9');
}

int spec_read_environment(
	struct arena *a, json_t *j, size_t most, char ***ret, struct error *err)
{
	size_t n = json_object_size(j), i = 0;
	const char *key;
	char **list;
	json_t *v;

	if (n > most)
		return error_set_field(err, E_UNPROCESSABLE, "/environment",
			"'environment' has %zu members; at most %zu are taken", n, most);
	list = ARENA_ARRAY(a, char *, n + 1);
	json_object_foreach (j, key, v) {
		if (!name_is_variable(key) || !strncmp(key, "BENCHD_", 7))
			return error_set_field(err, E_UNPROCESSABLE, "/environment",
				"'environment/%.60s' cannot be set; use letters, digits and _, "
				"not starting with BENCHD_",
				key);
		if (!json_is_string(v) || json_string_length(v) > SPEC_ARG_BYTES / 2 ||
			strlen(json_string_value(v)) != json_string_length(v))
			return error_set_field(err, E_UNPROCESSABLE, "/environment",
				"'environment/%.60s' must be a string of at most %d bytes", key,
				SPEC_ARG_BYTES / 2);
		list[i++] = arena_printf(a, "%s=%s", key, json_string_value(v));
	}
	*ret = list;
	return OK;
}
