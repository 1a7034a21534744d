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

bool workload_name_is_valid(const char *s)
{
	if (!isalnum((unsigned char)*s))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("._-", *s))
			return false;
	return true;
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
		return definition_refuse(err, "/steps", "belongs to kind 'suite'");
	if (r->steps && r->workloads)
		return definition_refuse(err, "/steps", "and 'workloads' exclude each other");
	if (r->control && r->kind != WORKLOAD_SUITE)
		return definition_refuse(err, "/control", "belongs to kind 'suite'");

	if (r->turns && (r->scaling || r->kind == WORKLOAD_SUITE))
		return definition_refuse(err, "/turns",
			"is for cells; those of 'scaling' take turns already, a suite has "
			"none");
	if (has_list && r->command)
		return definition_refuse(
			err, "/benchmarks", "and 'command' exclude each other");

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
		return definition_refuse(err, "/build", "belongs to kind 'build'");
	return OK;
}

static int check_parts(const struct raw *r, struct error *err)
{
	int e = only_for(r, err);

	if (e == OK && r->kernel)
		e = definition_check_kernel(r->kernel, err);
	if (e == OK && r->command)
		e = definition_check_argv(r->command, "/command", err);
	if (e == OK && r->repository)
		e = definition_check_repository(r->repository, err);
	if (e == OK && r->benchmarks)
		e = definition_check_benchmarks(r->benchmarks, err);
	if (e == OK && r->benchmarks && r->kind == WORKLOAD_COMMAND)
		e = definition_check_names(r->benchmarks, err);
	if (e == OK)
		e = definition_check_argv_list(r->build, "build", err);
	if (e == OK)
		e = definition_check_argv_list(r->setup, "setup", err);
	if (e == OK)
		e = definition_check_argv_list(r->prepare, "prepare", err);
	if (e == OK)
		e = definition_check_argv_list(r->conclude, "conclude", err);
	if (e == OK)
		e = definition_check_argv_list(r->cleanup, "cleanup", err);
	if (e == OK)
		e = definition_check_scalars(r->parameters, "parameters", false, err);
	if (e == OK)
		e = definition_check_matrix(r->matrix, err);
	if (e == OK)
		e = definition_check_environment(r->environment, err);
	if (e == OK)
		e = definition_check_strings(r->tags, "/tags", err);
	if (e == OK)
		e = definition_check_globs(r->artifacts, err);
	if (e == OK)
		e = definition_check_strings(r->workloads, "/workloads", err);
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
		return definition_refuse(err, "/name",
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
