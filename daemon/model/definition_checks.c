/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of a definition may be. */
#include <string.h>
#include "base/cleanup.h"
#include "base/text.h"
#include "daemon/model/internal.h"

static const char *const adapters[] = { "none", "json", "python_pytest", "cpp_google",
	"shell_hyperfine", "magic", NULL };

int definition_refuse(struct error *err, const char *pointer, const char *what)
{
	return error_set_field(err, E_UNPROCESSABLE, pointer, "'%s' %s", pointer + 1, what);
}

int definition_check_argv(json_t *argv, const char *pointer, struct error *err)
{
	size_t i;
	json_t *v;

	if (!json_is_array(argv) || json_array_size(argv) == 0)
		return definition_refuse(
			err, pointer, "must be a list of words such as [\"make\", \"-j2\"]");
	json_array_foreach (argv, i, v) {
		const char *s = json_string_value(v);

		if (!s || strlen(s) != json_string_length(v) || strlen(s) > 131072)
			return definition_refuse(err, pointer,
				"must hold only strings (quote numbers), at most 128 KiB each");
		if (i == 0 && !*s)
			return definition_refuse(
				err, pointer, "must begin with the program's name");
	}
	return OK;
}

int definition_check_argv_list(json_t *list, const char *name, struct error *err)
{
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v) {
		char pointer[80];
		int r;

		snprintf(pointer, sizeof(pointer), "/%s/%zu", name, i);
		r = definition_check_argv(v, pointer, err);
		if (r < 0)
			return r;
	}
	return OK;
}

static bool is_scalar(const json_t *v)
{
	return json_is_string(v) || json_is_number(v) || json_is_boolean(v);
}

int definition_check_scalars(json_t *o, const char *name, bool lists, struct error *err)
{
	const char *key;
	json_t *v, *e;
	size_t i;

	json_object_foreach (o, key, v) {
		char pointer[128];
		bool ok = lists ? json_is_array(v) && json_array_size(v) > 0 : is_scalar(v);

		snprintf(pointer, sizeof(pointer), "/%s/%.64s", name, key);
		if (!workload_name_is_valid(key) || strlen(key) > 64)
			return definition_refuse(
				err, pointer, "is not a name a parameter can have");
		if (lists)
			json_array_foreach (v, i, e)
				ok &= is_scalar(e);
		if (!ok)
			return definition_refuse(err, pointer,
				lists ? "must be a list of strings, numbers or booleans"
				      : "must be a string, a number or a boolean");
	}
	return OK;
}

int definition_check_environment(json_t *o, struct error *err)
{
	const char *key;
	json_t *v;

	json_object_foreach (o, key, v) {
		char pointer[128];

		snprintf(pointer, sizeof(pointer), "/environment/%.64s", key);
		if (!*key || strchr(key, '=') || !strncmp(key, "BENCHD_", 7) ||
			!strncmp(key, "LD_", 3))
			return definition_refuse(err, pointer,
				"cannot be set; names with '=', BENCHD_ and LD_ are kept back");
		if (!json_is_string(v))
			return definition_refuse(err, pointer, "must be a string");
	}
	return OK;
}

static const struct json_field benchmark_fields[] = {
	{ "name", JF_STRING, 0, true, 1, 200, NULL },
	{ "command", JF_ARRAY, sizeof(void *), true, 1, 1000, NULL },
	{ "prepare", JF_ARRAY, 2 * sizeof(void *), false, 1, 100, NULL },
	{ "conclude", JF_ARRAY, 3 * sizeof(void *), false, 1, 100, NULL },
	{ "adapter", JF_ENUM, 4 * sizeof(void *), false, 0, 0, adapters },
};

int definition_check_names(const json_t *list, struct error *err)
{
	_cleanup_(json_decref)
	json_t *seen = json_object();
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v) {
		const char *name = json_get_str(v, "name", "");

		if (json_object_get(seen, name))
			return error_set_field(err, E_UNPROCESSABLE, "/benchmarks",
				"two of the 'benchmarks' are called '%.80s'", name);
		json_object_set_new(seen, name, json_true());
	}
	return OK;
}

int definition_check_benchmarks(json_t *list, struct error *err)
{
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v) {
		struct {
			const char *name;
			json_t *command, *prepare, *conclude;
			int adapter;
		} b = { 0 };
		char pointer[64];
		int r;

		snprintf(pointer, sizeof(pointer), "/benchmarks/%zu", i);
		r = json_read(v, pointer, benchmark_fields, ARRAY_SIZE(benchmark_fields), &b,
			JSON_REFUSE_UNKNOWN, err);
		if (r < 0)
			return r;
		snprintf(pointer, sizeof(pointer), "/benchmarks/%zu/command", i);
		r = definition_check_argv(b.command, pointer, err);
		if (r == OK)
			r = definition_check_argv_list(b.prepare, "prepare", err);
		if (r == OK)
			r = definition_check_argv_list(b.conclude, "conclude", err);
		if (r < 0)
			return r;
	}
	return OK;
}

static bool kernel_is_known(const char *pattern)
{
	for (size_t i = 0; kernel_ids[i]; i++)
		if (glob_match(pattern, kernel_ids[i]))
			return true;
	return false;
}

int definition_check_kernel(json_t *kernel, struct error *err)
{
	json_t *list = json_is_array(kernel) ? kernel : NULL;
	size_t n = list ? json_array_size(list) : 1;

	for (size_t i = 0; i < n; i++) {
		const char *s = json_string_value(list ? json_array_get(list, i) : kernel);
		const char *near;

		if (!s)
			return definition_refuse(
				err, "/kernel", "must be a kernel's id, a glob, or a list");
		if (kernel_is_known(s))
			continue;
		near = kernel_id_near(s);
		return error_set_field(err, E_UNPROCESSABLE, "/kernel",
			"no built-in kernel matches '%.60s'%s%s%s", s,
			near ? "; did you mean '" : "",
			near ? near : "; see `benchd-kernel list`", near ? "'?" : "");
	}
	return n ? OK : definition_refuse(err, "/kernel", "must name at least one kernel");
}

int definition_check_repository(const char *url, struct error *err)
{
	static const char *const allowed[] = { "/", "http://", "https://", "ssh://",
		"file:///" };

	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (!strncmp(url, allowed[i], strlen(allowed[i])))
			return OK;
	return definition_refuse(err, "/repository",
		"must be an absolute path or an http, https, ssh or file URL");
}

int definition_check_strings(json_t *list, const char *pointer, struct error *err)
{
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v)
		if (!json_is_string(v))
			return definition_refuse(err, pointer, "must hold only strings");
	return OK;
}

int definition_check_globs(json_t *list, struct error *err)
{
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v) {
		const char *s = json_string_value(v);

		if (!s || !*s || strlen(s) != json_string_length(v) || strlen(s) > 256 ||
			*s == '/')
			return definition_refuse(err, "/artifacts",
				"must hold patterns of 1 to 256 bytes, relative to the folder "
				"that the programs run in");
	}
	return OK;
}

int definition_check_matrix(json_t *matrix, struct error *err)
{
	const char *key;
	json_t *v;

	json_object_foreach (matrix, key, v) {
		char pointer[128];
		int r;

		snprintf(pointer, sizeof(pointer), "/matrix/%.64s", key);
		r = json_is_object(v) ? range_expand(matrix, key, pointer, err) : OK;
		if (r < 0)
			return r;
	}
	return definition_check_scalars(matrix, "matrix", true, err);
}
