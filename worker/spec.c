/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/spec.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "worker/cpus.h"

const char *const spec_isolation_names[] = { "none", "basic", "strict", NULL };
const char *const spec_cache_names[] = { "any", "warm", "cold", NULL };
static const char *const outputs[] = { "capture", "discard", NULL };
static const char *const kinds[] = { "kernel", "command", "build", NULL };
static const char *const slots[] = { "exclusive", "shared", NULL };
static const char *const adapters[] = { "none", "json", "python_pytest", "cpp_google",
	"shell_hyperfine", NULL };

enum { ARG_BYTES = 128 * 1024, MAX_HAVE = 100000, MAX_ENV = 256, TRIM_FROM = 256 };
#define DAY_NS (86400e9)

/* The JSON members as they come; turned into struct spec once they are checked. */
struct raw {
	int kind, slot, isolation, output, cache;
	int64_t seed;
	const char *input, *directory, *name, *repository, *cpus;
	json_t *arms, *cells, *have, *environment, *protocol, *limits;
	json_t *build, *setup, *prepare, *conclude, *cleanup, *exit_codes;
	json_t *paths, *paths_ignore, *artifacts, *refused_devices;
};

#define RAW(key, kind, required, ...)                                                          \
	{                                                                                      \
#key, kind, offsetof(struct raw, key), required, __VA_ARGS__                   \
	}
static const struct json_field raw_fields[] = {
	RAW(kind, JF_ENUM, true, 0, 0, kinds),
	RAW(slot, JF_ENUM, false, 0, 0, slots),
	RAW(isolation, JF_ENUM, false, 0, 0, spec_isolation_names),
	RAW(output, JF_ENUM, false, 0, 0, outputs),
	RAW(cache, JF_ENUM, false, 0, 0, spec_cache_names),
	RAW(input, JF_STRING, false, 1, 4096, NULL),
	RAW(directory, JF_STRING, false, 1, 4096, NULL),
	RAW(seed, JF_INT, false, 0, 0, NULL),
	RAW(name, JF_STRING, false, 0, 256, NULL),
	RAW(repository, JF_STRING, false, 0, 4096, NULL),
	RAW(cpus, JF_STRING, false, 0, 1024, NULL),
	RAW(arms, JF_ARRAY, false, 1, SPEC_ARMS, NULL),
	RAW(cells, JF_ARRAY, true, 1, SPEC_MAX_CELLS, NULL),
	RAW(have, JF_ARRAY, false, 0, MAX_HAVE, NULL),
	RAW(environment, JF_OBJECT, false, 0, 0, NULL),
	RAW(protocol, JF_OBJECT, false, 0, 0, NULL),
	RAW(limits, JF_OBJECT, false, 0, 0, NULL),
	RAW(build, JF_ARRAY, false, 0, SPEC_MAX_STEPS, NULL),
	RAW(setup, JF_ARRAY, false, 0, SPEC_MAX_STEPS, NULL),
	RAW(prepare, JF_ARRAY, false, 0, SPEC_MAX_STEPS, NULL),
	RAW(conclude, JF_ARRAY, false, 0, SPEC_MAX_STEPS, NULL),
	RAW(cleanup, JF_ARRAY, false, 0, SPEC_MAX_STEPS, NULL),
	RAW(exit_codes, JF_ARRAY, false, 0, 256, NULL),
	RAW(artifacts, JF_ARRAY, false, 0, 64, NULL),
	RAW(refused_devices, JF_ARRAY, false, 0, 256, NULL),
	RAW(paths, JF_ARRAY, false, 1, SPEC_MAX_ARGS, NULL),
	RAW(paths_ignore, JF_ARRAY, false, 1, SPEC_MAX_ARGS, NULL),
};

#define PROTOCOL(key, kind, ...)                                                               \
	{                                                                                      \
#key, kind, offsetof(struct spec_protocol, key), false, __VA_ARGS__, NULL      \
	}
static const struct json_field protocol_fields[] = {
	PROTOCOL(processes, JF_INT, 1, 1000),
	PROTOCOL(samples, JF_INT, 1, 10000),
	PROTOCOL(warmup, JF_INT, 0, 10000),
	PROTOCOL(max_processes, JF_INT, 1, 1000),
	PROTOCOL(iterations, JF_INT, 0, 1e15),
	PROTOCOL(warmup_processes, JF_INT, 0, 1000),
	PROTOCOL(budget_ns, JF_INT, 0, DAY_NS),
	PROTOCOL(idle_wait_ns, JF_INT, 0, DAY_NS),
	PROTOCOL(target_ci, JF_DOUBLE, 0, 10),
	PROTOCOL(min_effect, JF_DOUBLE, 0, 10),
	PROTOCOL(adaptive, JF_BOOL, 0, 0),
	PROTOCOL(control, JF_BOOL, 0, 0),
	PROTOCOL(cachegrind, JF_BOOL, 0, 0),
};

#define LIMIT(key, least, most)                                                                \
	{                                                                                      \
#key, JF_INT, offsetof(struct spec_limits, key), false, least, most, NULL      \
	}
static const struct json_field limit_fields[] = {
	LIMIT(time_ns, 1e6, 7 * DAY_NS),
	LIMIT(build_time_ns, 1e6, 7 * DAY_NS),
	LIMIT(job_time_ns, 1e6, 30 * DAY_NS),
	LIMIT(output_bytes, 0, 64 * 1024 * 1024),
	LIMIT(memory_bytes, 0, 1e15),
	LIMIT(file_size_bytes, 0, 1e15),
};

static int read_argv(
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
		if (bytes > ARG_BYTES)
			return error_set_field(err, E_UNPROCESSABLE, pointer,
				"'%s' is longer than %d bytes in all", pointer, ARG_BYTES);
		argv[i] = arena_strdup(a, s);
	}
	if (!*argv[0])
		return error_set_field(err, E_UNPROCESSABLE, pointer,
			"'%s/0' is empty; it names the program", pointer);
	*ret = argv;
	return OK;
}

static int read_steps(struct arena *a, json_t *j, const char *pointer, struct spec_steps *s,
	struct error *err)
{
	s->n = json_array_size(j);
	s->argv = ARENA_ARRAY(a, char **, s->n + 1);
	for (size_t i = 0; i < s->n; i++) {
		char *at = arena_printf(a, "%s/%zu", pointer, i);
		int r = read_argv(a, json_array_get(j, i), at, &s->argv[i], err);

		if (r < 0)
			return r;
	}
	return OK;
}

static int read_arm(json_t *j, size_t i, struct spec_arm *arm, struct error *err)
{
	static const struct json_field fields[] = {
		{ "name", JF_STRING, offsetof(struct spec_arm, name), true, 1, 64, NULL },
		{ "ref", JF_STRING, offsetof(struct spec_arm, ref), false, 1, 256, NULL },
		{ "hash", JF_STRING, offsetof(struct spec_arm, hash), false, 1, 64, NULL },
		{ "merge_base", JF_BOOL, offsetof(struct spec_arm, is_merge_base), false, 0, 0,
			NULL },
		{ "find_branch", JF_BOOL, offsetof(struct spec_arm, finds_branch), false, 0, 0,
			NULL },
	};
	char pointer[32];
	int r;

	snprintf(pointer, sizeof(pointer), "/arms/%zu", i);
	r = json_read(j, pointer, fields, ARRAY_SIZE(fields), arm, JSON_IGNORE_UNKNOWN, err);
	if (r < 0)
		return r;
	if (arm->hash && !git_hash_is_valid(arm->hash))
		return error_set_field(err, E_UNPROCESSABLE, pointer,
			"'%s/hash' must be 40 lower-case hexadecimal digits", pointer);
	if (arm->ref && !ref_name_is_valid(arm->ref))
		return error_set_field(err, E_UNPROCESSABLE, pointer,
			"'%s/ref' is '%.80s', which is not a name git accepts", pointer,
			arm->ref);
	return OK;
}

static int read_arms(json_t *j, struct spec *s, struct error *err)
{
	s->arms[0] = (struct spec_arm){ .name = "head" };
	s->n_arms = 1;
	if (!j)
		return OK;
	s->n_arms = json_array_size(j);
	for (size_t i = 0; i < s->n_arms; i++) {
		int r = read_arm(json_array_get(j, i), i, &s->arms[i], err);

		if (r < 0)
			return r;
	}
	if (s->arms[0].is_merge_base && (s->n_arms != 2 || s->arms[1].is_merge_base))
		return error_set_field(err, E_UNPROCESSABLE, "/arms/0/merge_base",
			"'merge_base' needs a second arm that is a commit by itself");
	if (s->n_arms == 2 && !strcmp(s->arms[0].name, s->arms[1].name))
		return error_set_field(err, E_UNPROCESSABLE, "/arms",
			"'arms' has two arms called '%s'; their names must differ",
			s->arms[0].name);
	return OK;
}

static bool name_is_variable(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	return n && !s[n] && (*s < '0' || *s > '9');
}

static int read_environment(
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
		if (!json_is_string(v) || json_string_length(v) > ARG_BYTES / 2 ||
			strlen(json_string_value(v)) != json_string_length(v))
			return error_set_field(err, E_UNPROCESSABLE, "/environment",
				"'environment/%.60s' must be a string of at most %d bytes", key,
				ARG_BYTES / 2);
		list[i++] = arena_printf(a, "%s=%s", key, json_string_value(v));
	}
	*ret = list;
	return OK;
}

struct raw_cell {
	const char *id, *benchmark, *primary;
	const char *group;
	json_t *argv, *argv_by_arm, *environment, *prepare, *conclude;
	int adapter;
	int64_t iterations;
};

static int read_cell_argv(struct arena *a, struct spec *s, const struct raw_cell *raw,
	const char *pointer, struct spec_cell *c, struct error *err)
{
	for (size_t i = 0; i < s->n_arms; i++) {
		json_t *own = json_object_get(raw->argv_by_arm, s->arms[i].name);
		char *at = arena_printf(
			a, own ? "%s/argv_by_arm/%s" : "%s/argv", pointer, s->arms[i].name);
		int r = read_argv(a, own ? own : raw->argv, at, &c->argv[i], err);

		if (r < 0)
			return r;
	}
	return OK;
}

static int read_cell(struct arena *a, json_t *j, size_t i, struct spec *s, struct error *err)
{
	static const struct json_field fields[] = {
		{ "id", JF_STRING, offsetof(struct raw_cell, id), true, 1, 64, NULL },
		{ "benchmark", JF_STRING, offsetof(struct raw_cell, benchmark), true, 1, 1024,
			NULL },
		{ "primary", JF_STRING, offsetof(struct raw_cell, primary), false, 1, 64,
			NULL },
		{ "argv", JF_ANY, offsetof(struct raw_cell, argv), false, 0, 0, NULL },
		{ "argv_by_arm", JF_OBJECT, offsetof(struct raw_cell, argv_by_arm), false, 0, 0,
			NULL },
		{ "adapter", JF_ENUM, offsetof(struct raw_cell, adapter), false, 0, 0,
			adapters },
		{ "iterations", JF_INT, offsetof(struct raw_cell, iterations), false, 0, 1e15,
			NULL },
		{ "group", JF_STRING, offsetof(struct raw_cell, group), false, 1, 4096, NULL },
		{ "environment", JF_OBJECT, offsetof(struct raw_cell, environment), false, 0, 0,
			NULL },
		{ "prepare", JF_ARRAY, offsetof(struct raw_cell, prepare), false, 0,
			SPEC_MAX_STEPS, NULL },
		{ "conclude", JF_ARRAY, offsetof(struct raw_cell, conclude), false, 0,
			SPEC_MAX_STEPS, NULL },
	};
	struct raw_cell raw = { .primary = "latency" };
	struct spec_cell *c = &s->cells[i];
	char pointer[32];
	int r;

	snprintf(pointer, sizeof(pointer), "/cells/%zu", i);
	r = json_read(j, pointer, fields, ARRAY_SIZE(fields), &raw, JSON_IGNORE_UNKNOWN, err);
	if (r < 0)
		return r;
	*c = (struct spec_cell){ .id = raw.id,
		.benchmark = raw.benchmark,
		.primary = raw.primary,
		.adapter = raw.adapter ? adapters[raw.adapter] : NULL,
		.group = raw.group,
		.iterations = raw.iterations };
	r = read_cell_argv(a, s, &raw, pointer, c, err);
	if (r == OK && raw.environment)
		r = read_environment(
			a, raw.environment, SPEC_MAX_CELL_ENV, &c->environment, err);
	if (r == OK)
		r = read_steps(a, raw.prepare, "/prepare", &c->prepare, err);
	return r < 0 ? r : read_steps(a, raw.conclude, "/conclude", &c->conclude, err);
}

static int read_cells(struct arena *a, json_t *j, struct spec *s, struct error *err)
{
	s->n_cells = json_array_size(j);
	s->cells = ARENA_ARRAY(a, struct spec_cell, s->n_cells);
	for (size_t i = 0; i < s->n_cells; i++) {
		int r = read_cell(a, json_array_get(j, i), i, s, err);

		if (r < 0)
			return r;
	}
	return OK;
}

/* Ids are mostly positions. "": no cell of this job. */
static const char *own_cell_id(const struct spec *s, const char *id)
{
	size_t k = strtoul(id, NULL, 10);

	if (k < s->n_cells && !strcmp(s->cells[k].id, id))
		return s->cells[k].id;
	for (k = 0; k < s->n_cells; k++)
		if (!strcmp(s->cells[k].id, id))
			return s->cells[k].id;
	return "";
}

static const char *own_arm_name(const struct spec *s, const char *name)
{
	for (size_t i = 0; i < s->n_arms; i++)
		if (!strcmp(s->arms[i].name, name))
			return s->arms[i].name;
	return strcmp(name, "control") ? "" : "control";
}

/* The JSON of what was measured can be large, and what is in memory here hides the size of
 * small programs (maxrss_floor_kib): it is let go. */
static void read_have(struct arena *a, json_t *whole, json_t *j, struct spec *s)
{
	size_t i;
	json_t *v;

	s->have = ARENA_ARRAY(a, struct spec_have, json_array_size(j));
	json_array_foreach (j, i, v) {
		s->have[s->n_have++] = (struct spec_have){
			.cell = own_cell_id(s, json_get_str(v, "cell", "")),
			.arm = own_arm_name(s, json_get_str(v, "arm", "")),
			.seq = json_get_int(v, "seq", 0),
			.index = json_get_int(v, "index", 0),
			.block = json_get_int(v, "block", 0),
			.value = json_get_real(v, "value", 0),
			.is_noisy = !strcmp(json_get_str(v, "noise", "clean"), "noisy"),
			.is_replaced = json_get_bool(v, "replaced", false),
			.is_count = json_object_get(v, "tool") != NULL,
		};
	}
	json_object_del(whole, "have");
	if (s->n_have > TRIM_FROM)
		(void)malloc_trim(0);
}

static int read_exit_codes(json_t *j, struct spec *s, struct error *err)
{
	size_t i;
	json_t *v;

	if (!json_array_size(j))
		s->exit_codes[0] = 1;
	json_array_foreach (j, i, v) {
		if (!json_is_integer(v) || json_integer_value(v) < 0 ||
			json_integer_value(v) > 255)
			return error_set_field(err, E_UNPROCESSABLE, "/exit_codes",
				"'exit_codes/%zu' must be an integer from 0 to 255", i);
		s->exit_codes[json_integer_value(v)] = 1;
	}
	return OK;
}

/* What cannot be checked is not met: unknown names are refused. */
static int read_require(json_t *j, uint32_t *ret, struct error *err)
{
	static const char *const names[] = {
#define X(id, name) name,
		REQUIREMENTS(X)
#undef X
	};
	size_t i, k;
	json_t *v;

	json_array_foreach (j, i, v) {
		for (k = 0; k < N_REQUIREMENTS; k++)
			if (json_is_string(v) && !strcmp(names[k], json_string_value(v)))
				break;
		if (k == N_REQUIREMENTS)
			return error_set_field(err, E_UNPROCESSABLE, "/protocol/require",
				"'protocol/require/%zu' is nothing that this worker can check",
				i);
		*ret |= 1U << k;
	}
	return OK;
}

static int read_numbers(const struct raw *raw, struct spec *s, struct error *err)
{
	int r = OK;

	s->protocol = (struct spec_protocol){ .processes = 10,
		.samples = s->kind == KIND_KERNEL ? 5 : 1,
		.warmup = 1,
		.max_processes = 50,
		.budget_ns = 300 * NS_PER_S,
		.idle_wait_ns = 120 * NS_PER_S,
		.target_ci = 0.01,
		.min_effect = 0.02,
		.adaptive = true };
	s->limits = (struct spec_limits){ .time_ns = 60 * NS_PER_S,
		.build_time_ns = 600 * NS_PER_S,
		.job_time_ns = 3600 * NS_PER_S,
		.output_bytes = MiB,
		.file_size_bytes = GiB };
	if (raw->protocol)
		r = json_read(raw->protocol, "/protocol", protocol_fields,
			ARRAY_SIZE(protocol_fields), &s->protocol, JSON_IGNORE_UNKNOWN, err);
	if (r == OK)
		r = read_require(
			json_object_get(raw->protocol, "require"), &s->protocol.require, err);
	if (r == OK && raw->limits)
		r = json_read(raw->limits, "/limits", limit_fields, ARRAY_SIZE(limit_fields),
			&s->limits, JSON_IGNORE_UNKNOWN, err);
	s->protocol.max_processes = MAX(s->protocol.max_processes, s->protocol.processes);
	return r;
}

static int read_all_steps(
	struct arena *a, const struct raw *raw, struct spec *s, struct error *err)
{
	const struct {
		json_t *j;
		const char *pointer;
		struct spec_steps *steps;
	} lists[] = {
		{ raw->build, "/build", &s->build },
		{ raw->setup, "/setup", &s->setup },
		{ raw->prepare, "/prepare", &s->prepare },
		{ raw->conclude, "/conclude", &s->conclude },
		{ raw->cleanup, "/cleanup", &s->cleanup },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		int r = read_steps(a, lists[i].j, lists[i].pointer, lists[i].steps, err);

		if (r < 0)
			return r;
	}
	return OK;
}

static int read_paths(struct arena *a, const struct raw *raw, struct spec *s, struct error *err)
{
	int r = OK;

	if (json_array_size(raw->artifacts))
		r = read_argv(a, raw->artifacts, "/artifacts", &s->artifacts, err);
	if (r == OK && raw->paths)
		r = read_argv(a, raw->paths, "/paths", &s->paths, err);
	if (r == OK && raw->paths_ignore)
		r = read_argv(a, raw->paths_ignore, "/paths_ignore", &s->paths_ignore, err);
	return r;
}

/* What no single member can know. */
static int check_whole(const struct spec *s, struct error *err)
{
	struct error inner;
	cpu_set_t set;

	if (cpus_parse(s->cpus, &set, &inner) < 0)
		return error_set_field(
			err, E_UNPROCESSABLE, "/cpus", "'cpus' is wrong: %s", inner.text);
	for (size_t i = 0; i < s->n_arms; i++) {
		const struct spec_arm *arm = &s->arms[i];

		if (s->repository && !arm->ref && !arm->hash)
			return error_set_field(err, E_UNPROCESSABLE, "/arms",
				"'arms/%zu' needs 'ref' or 'hash', because there is a "
				"repository",
				i);
	}
	if (s->kind == KIND_BUILD && !s->repository)
		return error_set_field(err, E_UNPROCESSABLE, "/repository",
			"'repository' is missing; a workload of kind build needs it");
	return OK;
}

int spec_read(struct arena *a, json_t *j, struct spec **ret, struct error *err)
{
	struct spec *s = ARENA_NEW(a, struct spec);
	struct raw raw = { .isolation = ISOLATION_BASIC, .name = "", .cpus = "" };
	int r;

	r = json_read(
		j, "", raw_fields, ARRAY_SIZE(raw_fields), &raw, JSON_IGNORE_UNKNOWN, err);
	if (r < 0)
		return r;
	arena_own_json(a, json_incref(j));
	s->kind = (enum spec_kind)raw.kind;
	s->isolation = (enum spec_isolation)raw.isolation;
	s->is_exclusive = raw.slot == 0;
	s->seed = (uint64_t)raw.seed;
	s->name = raw.name;
	s->repository = raw.repository && *raw.repository ? raw.repository : NULL;
	s->cpus = raw.cpus;
	s->input = raw.input;
	s->directory = raw.directory;
	s->refused_devices = raw.refused_devices;
	s->discards_output = raw.output == 1;
	s->cache = (enum spec_cache)raw.cache;
	if ((r = read_arms(raw.arms, s, err)) < 0 ||
		(r = read_cells(a, raw.cells, s, err)) < 0 ||
		(r = read_numbers(&raw, s, err)) < 0 ||
		(r = read_environment(a, raw.environment, MAX_ENV, &s->environment, err)) < 0 ||
		(r = read_exit_codes(raw.exit_codes, s, err)) < 0 ||
		(r = read_paths(a, &raw, s, err)) < 0 ||
		(r = read_all_steps(a, &raw, s, err)) < 0)
		return r;
	read_have(a, j, raw.have, s);
	r = check_whole(s, err);
	if (r < 0)
		return r;
	*ret = s;
	return OK;
}
