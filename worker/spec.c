/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/spec_internal.h"

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

enum { MAX_HAVE = 100000, MAX_ENV = 256 };
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
		int r = spec_read_steps(a, lists[i].j, lists[i].pointer, lists[i].steps, err);

		if (r < 0)
			return r;
	}
	return OK;
}

static int read_paths(struct arena *a, const struct raw *raw, struct spec *s, struct error *err)
{
	int r = OK;

	if (json_array_size(raw->artifacts))
		r = spec_read_argv(a, raw->artifacts, "/artifacts", &s->artifacts, err);
	if (r == OK && raw->paths)
		r = spec_read_argv(a, raw->paths, "/paths", &s->paths, err);
	if (r == OK && raw->paths_ignore)
		r = spec_read_argv(
			a, raw->paths_ignore, "/paths_ignore", &s->paths_ignore, err);
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
		(r = spec_read_cells(a, raw.cells, s, err)) < 0 ||
		(r = read_numbers(&raw, s, err)) < 0 ||
		(r = spec_read_environment(a, raw.environment, MAX_ENV, &s->environment, err)) <
			0 ||
		(r = read_exit_codes(raw.exit_codes, s, err)) < 0 ||
		(r = read_paths(a, &raw, s, err)) < 0 ||
		(r = read_all_steps(a, &raw, s, err)) < 0)
		return r;
	spec_read_have(a, j, raw.have, s);
	r = check_whole(s, err);
	if (r < 0)
		return r;
	*ret = s;
	return OK;
}
