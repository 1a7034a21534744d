/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading of workload definitions: docs/workloads.md. */
#include "daemon/model/internal.h"

#include <ctype.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

static const char *const isolations[] = { "none", "basic", "strict", NULL };
static const char *const slots[] = { "exclusive", "shared", NULL };
static const char *const adapters[] = { "none", "json", "python_pytest", "cpp_google",
	"shell_hyperfine", "magic", NULL };

struct raw {
	const char *name, *description, *cpus, *repository;
	const char *input, *directory, *output, *cache;
	int kind, isolation, slot;
	bool turns;
	json_t *kernel, *command, *build, *benchmarks, *workloads, *tags;
	const char *control;
	json_t *steps;
	json_t *parameters, *matrix, *exclude, *include, *protocol, *limits, *environment;
	json_t *setup, *prepare, *conclude, *cleanup, *exit_codes, *scaling, *artifacts;
};

#define F(key, kind, member, min, max, names)                                                  \
	{                                                                                      \
		key, kind, offsetof(struct raw, member), false, min, max, names                \
	}
static const struct json_field fields[] = {
	F("name", JF_STRING, name, 1, WORKLOAD_NAME_MAX, NULL),
	{ "kind", JF_ENUM, offsetof(struct raw, kind), true, 0, 0, workload_kind_names },
	F("description", JF_STRING, description, 0, 1000, NULL),
	F("tags", JF_ARRAY, tags, 0, 32, NULL),
	F("kernel", JF_ANY, kernel, 0, 0, NULL),
	F("command", JF_ARRAY, command, 1, 1000, NULL),
	F("repository", JF_STRING, repository, 1, 4096, NULL),
	F("build", JF_ARRAY, build, 0, 100, NULL),
	F("benchmarks", JF_ARRAY, benchmarks, 1, 1000, NULL),
	F("workloads", JF_ARRAY, workloads, 1, 100, NULL),
	F("control", JF_STRING, control, 1, 64, NULL),
	F("steps", JF_OBJECT, steps, 0, 0, NULL),
	F("parameters", JF_OBJECT, parameters, 0, 0, NULL),
	F("matrix", JF_OBJECT, matrix, 0, 0, NULL),
	F("exclude", JF_ARRAY, exclude, 0, 1000, NULL),
	F("include", JF_ARRAY, include, 0, 1000, NULL),
	F("turns", JF_BOOL, turns, 0, 0, NULL),
	F("scaling", JF_OBJECT, scaling, 0, 0, NULL),
	F("protocol", JF_OBJECT, protocol, 0, 0, NULL),
	F("limits", JF_OBJECT, limits, 0, 0, NULL),
	F("environment", JF_OBJECT, environment, 0, 0, NULL),
	F("isolation", JF_ENUM, isolation, 0, 0, isolations),
	F("slot", JF_ENUM, slot, 0, 0, slots),
	F("cpus", JF_STRING, cpus, 0, 256, NULL),
	F("setup", JF_ARRAY, setup, 0, 100, NULL),
	F("prepare", JF_ARRAY, prepare, 0, 100, NULL),
	F("conclude", JF_ARRAY, conclude, 0, 100, NULL),
	F("cleanup", JF_ARRAY, cleanup, 0, 100, NULL),
	F("exit_codes", JF_ANY, exit_codes, 0, 0, NULL),
	F("input", JF_STRING, input, 1, 4096, NULL),
	F("directory", JF_STRING, directory, 1, 4096, NULL),
	F("output", JF_STRING, output, 1, 16, NULL),
	F("cache", JF_STRING, cache, 1, 16, NULL),
	F("artifacts", JF_ARRAY, artifacts, 1, 64, NULL),
};
#undef F

#define P(key, kind, member, min, max)                                                         \
	{                                                                                      \
		key, kind, offsetof(struct protocol, member), false, min, max, NULL            \
	}
static const struct json_field protocol_fields[] = {
	P("processes", JF_INT, processes, 1, 1000),
	P("samples", JF_INT, samples, 1, 10000),
	P("warmup", JF_INT, warmup, 0, 10000),
	P("warmup_processes", JF_INT, warmup_processes, 0, 1000),
	P("max_processes", JF_INT, max_processes, 1, 1000),
	P("iterations", JF_INT, iterations, 0, 1e15),
	P("adaptive", JF_BOOL, adaptive, 0, 0),
	P("control", JF_BOOL, control, 0, 0),
	P("counters", JF_OBJECT, counters, 0, 0),
	P("require", JF_ARRAY, require, 0, 16),
	P("target_ci", JF_DOUBLE, target_ci, 1e-5, 1),
	P("min_effect", JF_DOUBLE, min_effect, 0, 10),
	P("budget", JF_DURATION, budget_ns, 0, 86400),
	P("idle_wait", JF_DURATION, idle_wait_ns, 0, 3600),
};
#undef P

#define L(key, kind, member, min, max)                                                         \
	{                                                                                      \
		key, kind, offsetof(struct limits, member), false, min, max, NULL              \
	}
static const struct json_field limit_fields[] = {
	L("time", JF_DURATION, time_ns, 0.001, 86400),
	L("build_time", JF_DURATION, build_time_ns, 1, 86400),
	L("job_time", JF_DURATION, job_time_ns, 1, 604800),
	L("output", JF_BYTES, output_bytes, 1024, 67108864),
	L("memory", JF_BYTES, memory_bytes, 0, 1e15),
	L("file_size", JF_BYTES, file_size_bytes, 0, 1e15),
};
#undef L

static const struct protocol default_protocol = {
	.processes = 10,
	.samples = 5,
	.warmup = 1,
	.max_processes = 50,
	.adaptive = true,
	.target_ci = 0.01,
	.min_effect = 0.02,
	.budget_ns = 300 * NS_PER_S,
	.idle_wait_ns = 120 * NS_PER_S,
};
static const struct limits default_limits = {
	.time_ns = 60 * NS_PER_S,
	.build_time_ns = 600 * NS_PER_S,
	.job_time_ns = 3600 * NS_PER_S,
	.output_bytes = MiB,
	.file_size_bytes = GiB,
};

static int refuse(struct error *err, const char *pointer, const char *what)
{
	return error_set_field(err, E_UNPROCESSABLE, pointer, "'%s' %s", pointer + 1, what);
}

bool workload_name_is_valid(const char *s)
{
	if (!isalnum((unsigned char)*s))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("._-", *s))
			return false;
	return true;
}

static int check_argv(json_t *argv, const char *pointer, struct error *err)
{
	size_t i;
	json_t *v;

	if (!json_is_array(argv) || json_array_size(argv) == 0)
		return refuse(
			err, pointer, "must be a list of words such as [\"make\", \"-j2\"]");
	json_array_foreach (argv, i, v) {
		const char *s = json_string_value(v);

		if (!s || strlen(s) != json_string_length(v) || strlen(s) > 131072)
			return refuse(err, pointer,
				"must hold only strings (quote numbers), at most 128 KiB each");
		if (i == 0 && !*s)
			return refuse(err, pointer, "must begin with the program's name");
	}
	return OK;
}

static int check_argv_list(json_t *list, const char *name, struct error *err)
{
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v) {
		char pointer[80];
		int r;

		snprintf(pointer, sizeof(pointer), "/%s/%zu", name, i);
		r = check_argv(v, pointer, err);
		if (r < 0)
			return r;
	}
	return OK;
}

static bool is_scalar(const json_t *v)
{
	return json_is_string(v) || json_is_number(v) || json_is_boolean(v);
}

static int check_scalars(json_t *o, const char *name, bool lists, struct error *err)
{
	const char *key;
	json_t *v, *e;
	size_t i;

	json_object_foreach (o, key, v) {
		char pointer[128];
		bool ok = lists ? json_is_array(v) && json_array_size(v) > 0 : is_scalar(v);

		snprintf(pointer, sizeof(pointer), "/%s/%.64s", name, key);
		if (!workload_name_is_valid(key) || strlen(key) > 64)
			return refuse(err, pointer, "is not a name a parameter can have");
		if (lists)
			json_array_foreach (v, i, e)
				ok &= is_scalar(e);
		if (!ok)
			return refuse(err, pointer,
				lists ? "must be a list of strings, numbers or booleans"
				      : "must be a string, a number or a boolean");
	}
	return OK;
}

static int check_environment(json_t *o, struct error *err)
{
	const char *key;
	json_t *v;

	json_object_foreach (o, key, v) {
		char pointer[128];

		snprintf(pointer, sizeof(pointer), "/environment/%.64s", key);
		if (!*key || strchr(key, '=') || !strncmp(key, "BENCHD_", 7) ||
			!strncmp(key, "LD_", 3))
			return refuse(err, pointer,
				"cannot be set; names with '=', BENCHD_ and LD_ are kept back");
		if (!json_is_string(v))
			return refuse(err, pointer, "must be a string");
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

/* Their values would run into one. */
static int check_names(const json_t *list, struct error *err)
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

static int check_benchmarks(json_t *list, struct error *err)
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
		r = check_argv(b.command, pointer, err);
		if (r == OK)
			r = check_argv_list(b.prepare, "prepare", err);
		if (r == OK)
			r = check_argv_list(b.conclude, "conclude", err);
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

static int check_kernel(json_t *kernel, struct error *err)
{
	json_t *list = json_is_array(kernel) ? kernel : NULL;
	size_t n = list ? json_array_size(list) : 1;

	for (size_t i = 0; i < n; i++) {
		const char *s = json_string_value(list ? json_array_get(list, i) : kernel);
		const char *near;

		if (!s)
			return refuse(
				err, "/kernel", "must be a kernel's id, a glob, or a list");
		if (kernel_is_known(s))
			continue;
		near = kernel_id_near(s);
		return error_set_field(err, E_UNPROCESSABLE, "/kernel",
			"no built-in kernel matches '%.60s'%s%s%s", s,
			near ? "; did you mean '" : "",
			near ? near : "; see `benchd-kernel list`", near ? "'?" : "");
	}
	return n ? OK : refuse(err, "/kernel", "must name at least one kernel");
}

/* A repository is an absolute path or a URL of a protocol that git may use here. */
static int check_repository(const char *url, struct error *err)
{
	static const char *const allowed[] = { "/", "http://", "https://", "ssh://",
		"file:///" };

	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (!strncmp(url, allowed[i], strlen(allowed[i])))
			return OK;
	return refuse(err, "/repository",
		"must be an absolute path or an http, https, ssh or file URL");
}

static int only_for(const struct raw *r, struct error *err)
{
	/* Several commands in place of the one. */
	bool has_list = r->kind == WORKLOAD_COMMAND && r->benchmarks;
	const struct {
		const char *pointer;
		bool is_set;
		enum workload_kind kind;
	} rules[] = {
		{ "/kernel", r->kernel != NULL, WORKLOAD_KERNEL },
		{ "/command", has_list || r->command, WORKLOAD_COMMAND },
		{ "/repository", r->repository != NULL, WORKLOAD_BUILD },
		{ "/benchmarks", has_list || r->benchmarks,
			has_list ? WORKLOAD_COMMAND : WORKLOAD_BUILD },
		{ "/workloads", r->workloads != NULL, WORKLOAD_SUITE },
	};

	if (r->steps && r->kind != WORKLOAD_SUITE)
		return refuse(err, "/steps", "belongs to kind 'suite'");
	if (r->steps && r->workloads)
		return refuse(err, "/steps", "and 'workloads' exclude each other");
	if (r->control && r->kind != WORKLOAD_SUITE)
		return refuse(err, "/control", "belongs to kind 'suite'");

	if (r->turns && (r->scaling || r->kind == WORKLOAD_SUITE))
		return refuse(err, "/turns",
			"is for cells; those of 'scaling' take turns already, a suite has "
			"none");
	if (has_list && r->command)
		return refuse(err, "/benchmarks", "and 'command' exclude each other");

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		bool wanted = (enum workload_kind)r->kind == rules[i].kind;

		if (wanted && !rules[i].is_set && !r->steps)
			return error_set_field(err, E_UNPROCESSABLE, rules[i].pointer,
				"'%s' is missing; a workload of kind '%s' needs it",
				rules[i].pointer + 1,
				workload_kind_name((enum workload_kind)r->kind));
		if (!wanted && rules[i].is_set)
			return error_set_field(err, E_UNPROCESSABLE, rules[i].pointer,
				"'%s' belongs to kind '%s', this is '%s'", rules[i].pointer + 1,
				workload_kind_name(rules[i].kind),
				workload_kind_name((enum workload_kind)r->kind));
	}
	if (r->build && r->kind != WORKLOAD_BUILD)
		return refuse(err, "/build", "belongs to kind 'build'");
	return OK;
}

static int check_strings(json_t *list, const char *pointer, struct error *err)
{
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v)
		if (!json_is_string(v))
			return refuse(err, pointer, "must hold only strings");
	return OK;
}

/* Globs of files below the folder that the programs run in. */
static int check_globs(json_t *list, struct error *err)
{
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v) {
		const char *s = json_string_value(v);

		if (!s || !*s || strlen(s) != json_string_length(v) || strlen(s) > 256 ||
			*s == '/')
			return refuse(err, "/artifacts",
				"must hold patterns of 1 to 256 bytes, relative to the folder "
				"that the programs run in");
	}
	return OK;
}

static int check_matrix(json_t *matrix, struct error *err)
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
	return check_scalars(matrix, "matrix", true, err);
}

static int check_parts(const struct raw *r, struct error *err)
{
	int e = only_for(r, err);

	if (e == OK && r->kernel)
		e = check_kernel(r->kernel, err);
	if (e == OK && r->command)
		e = check_argv(r->command, "/command", err);
	if (e == OK && r->repository)
		e = check_repository(r->repository, err);
	if (e == OK && r->benchmarks)
		e = check_benchmarks(r->benchmarks, err);
	if (e == OK && r->benchmarks && r->kind == WORKLOAD_COMMAND)
		e = check_names(r->benchmarks, err);
	if (e == OK)
		e = check_argv_list(r->build, "build", err);
	if (e == OK)
		e = check_argv_list(r->setup, "setup", err);
	if (e == OK)
		e = check_argv_list(r->prepare, "prepare", err);
	if (e == OK)
		e = check_argv_list(r->conclude, "conclude", err);
	if (e == OK)
		e = check_argv_list(r->cleanup, "cleanup", err);
	if (e == OK)
		e = check_scalars(r->parameters, "parameters", false, err);
	if (e == OK)
		e = check_matrix(r->matrix, err);
	if (e == OK)
		e = check_environment(r->environment, err);
	if (e == OK)
		e = check_strings(r->tags, "/tags", err);
	if (e == OK)
		e = check_globs(r->artifacts, err);
	if (e == OK)
		e = check_strings(r->workloads, "/workloads", err);
	return e;
}

static int read_counters(const struct raw *raw, struct protocol *p, struct error *err)
{
	static const struct json_field counter_fields[] = {
		{ "cachegrind", JF_BOOL, offsetof(struct protocol, cachegrind), false, 0, 0,
			NULL },
	};
	int r = json_read(p->counters, "/protocol/counters", counter_fields,
		ARRAY_SIZE(counter_fields), p, JSON_REFUSE_UNKNOWN, err);

	if (r == OK && p->cachegrind &&
		(raw->kind == WORKLOAD_KERNEL || raw->kind == WORKLOAD_SUITE))
		return error_set_field(err, E_UNPROCESSABLE, "/protocol/counters/cachegrind",
			"'cachegrind' counts whole processes, so it is for commands and "
			"builds; "
			"a kernel's process also makes inputs and proofs");
	return r;
}

/* What the host must be, or it is not measured there; docs/workloads.md. The worker checks. */
static int check_require(const json_t *list, struct error *err)
{
	static const char *const names[] = { "quiet", "governor", "no_turbo", "whole_cores",
		"aslr", "no_swap", "isolated", "counters", "energy", "bare_metal", "mains" };
	size_t i, k;
	json_t *v;

	json_array_foreach (list, i, v) {
		for (k = 0; k < ARRAY_SIZE(names); k++)
			if (json_is_string(v) && !strcmp(names[k], json_string_value(v)))
				break;
		if (k == ARRAY_SIZE(names))
			return error_set_field(err, E_UNPROCESSABLE, "/protocol/require",
				"'protocol/require/%zu' must be quiet, governor, no_turbo, "
				"whole_cores, aslr, no_swap, isolated, counters, energy, "
				"bare_metal or mains",
				i);
	}
	return OK;
}

static int read_protocol(const struct raw *raw, struct protocol *p, struct error *err)
{
	int r = json_read(raw->protocol, "/protocol", protocol_fields,
		ARRAY_SIZE(protocol_fields), p, JSON_REFUSE_UNKNOWN, err);

	if (r == OK)
		r = check_require(p->require, err);
	return r == OK && p->counters ? read_counters(raw, p, err) : r;
}

int workload_read(json_t *definition, struct arena *a, struct workload *ret, struct error *err)
{
	struct raw raw = { .isolation = 1, .description = "", .cpus = "" };
	struct workload w = { .protocol = default_protocol, .limits = default_limits };
	const char *const *order;
	size_t n_steps;
	int r;

	r = json_read(
		definition, "", fields, ARRAY_SIZE(fields), &raw, JSON_REFUSE_UNKNOWN, err);
	if (r < 0)
		return r;
	if (raw.name && !workload_name_is_valid(raw.name))
		return refuse(err, "/name",
			"must begin with a letter or digit and hold only letters, digits, '.', "
			"'_' "
			"and '-'");
	r = check_parts(&raw, err);
	if (r == OK)
		r = program_check(definition, (enum workload_kind)raw.kind, err);
	if (r == OK)
		r = scaling_read(
			definition, (enum workload_kind)raw.kind, raw.cpus, a, &w.scaling, err);
	if (r == OK && raw.steps)
		r = workload_order_steps(raw.steps, a, &order, &n_steps, err);
	if (r == OK && raw.protocol)
		r = read_protocol(&raw, &w.protocol, err);
	if (r == OK && raw.limits)
		r = json_read(raw.limits, "/limits", limit_fields, ARRAY_SIZE(limit_fields),
			&w.limits, JSON_REFUSE_UNKNOWN, err);
	if (r < 0)
		return r;
	w.protocol.max_processes = MAX(w.protocol.max_processes, w.protocol.processes);
	w.name = arena_strdup(a, raw.name ? raw.name : "");
	w.description = arena_strdup(a, raw.description);
	w.kind = (enum workload_kind)raw.kind;
	w.definition = definition;
	w.isolation = isolations[raw.isolation];
	w.slot = slots[raw.slot];
	w.cpus = arena_strdup(a, raw.cpus);
	w.source = "";
	*ret = w;
	return OK;
}
