/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a definition to the cells that are measured: parameters, matrix, argv, definition hash.
 */
#include "daemon/model/internal.h"

#include <string.h>
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/secret.h"
#include "base/text.h"

enum { MAX_CELLS = 1000 };

/* Parameters every kernel takes. */
static const char *const kernel_parameters[] = { "size", "backend", "dtype", "threads",
	"device", "levels", "field", "grid", "mode", "variant", "iters", NULL };

struct expansion {
	const struct workload *w;
	struct arena *arena;
	struct error *err;
	struct cell *cells;
	size_t n, cap;
	const char *label; /* of this combination: its parameters */
	int threads;	   /* of this cell, where the workload scales; else 0 */
	const json_t *own; /* the benchmark whose cell it is; NULL */
};

static json_t *member(const struct workload *w, const char *key)
{
	return json_object_get(w->definition, key);
}

static const char *scalar_text(struct arena *a, const json_t *v)
{
	char number[32];

	if (json_is_string(v))
		return json_string_value(v);
	if (json_is_integer(v))
		return arena_printf(a, "%lld", (long long)json_integer_value(v));
	if (json_is_real(v))
		return arena_strdup(a, json_number(json_real_value(v), number));
	return json_is_true(v) ? "true" : "false";
}

static bool is_kernel_parameter(const char *name)
{
	for (size_t i = 0; kernel_parameters[i]; i++)
		if (!strcmp(kernel_parameters[i], name))
			return true;
	return false;
}

static bool is_declared(const struct workload *w, const char *name)
{
	if (w->kind == WORKLOAD_KERNEL && is_kernel_parameter(name))
		return true;
	return json_object_get(member(w, "parameters"), name) ||
	       json_object_get(member(w, "matrix"), name);
}

/* ", it has size and backend": what could have been meant. */
static const char *declared_names(const struct workload *w, char *out, size_t n)
{
	const char *const parts[] = { "parameters", "matrix" };
	size_t len = 0;
	const char *key;
	json_t *v;

	*out = 0;
	for (size_t i = 0; w->kind == WORKLOAD_KERNEL && kernel_parameters[i] && len < n; i++)
		len += (size_t)snprintf(out + len, n - len, "%s%s", len ? ", " : "; it has ",
			kernel_parameters[i]);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		json_object_foreach (member(w, parts[i]), key, v)
			if (len < n)
				len += (size_t)snprintf(out + len, n - len, "%s%.64s",
					len ? ", " : "; it has ", key);
	return len ? out : "; it has none";
}

static int check_parameters(const struct workload *w, json_t *parameters, struct error *err)
{
	const char *key;
	json_t *v;

	json_object_foreach (parameters, key, v) {
		char pointer[128], names[256];

		snprintf(pointer, sizeof(pointer), "/parameters/%.64s", key);
		if (w->scaling.n && !strcmp(key, "threads"))
			return error_set_field(err, E_UNPROCESSABLE, pointer,
				"'threads' is what 'scaling' of the workload '%s' varies",
				w->name);
		if (!is_declared(w, key))
			return error_set_field(err, E_UNPROCESSABLE, pointer,
				"the workload '%s' has no parameter '%.64s'%s", w->name, key,
				declared_names(w, names, sizeof(names)));
		if (!json_is_string(v) && !json_is_number(v) && !json_is_boolean(v))
			return error_set_field(err, E_UNPROCESSABLE, pointer,
				"parameter '%.64s' must be a string, a number or a boolean",
				key);
	}
	return OK;
}

/* Fill "{name}" places of one argv element. The result stays one element, so a value can never
 * become two arguments; a value that begins with '-' cannot become an option either. */
static int fill(struct expansion *x, const char *text, json_t *parameters, const char **ret)
{
	struct buf b = { 0 };
	int r = OK;

	for (const char *p = text; *p; p++) {
		const char *end = *p == '{' ? strchr(p, '}') : NULL;
		const char *value;
		json_t *v;

		if ((p[0] == '{' && p[1] == '{') || (p[0] == '}' && p[1] == '}')) {
			buf_add_char(&b, *p++);
			continue;
		}
		if (!end) {
			buf_add_char(&b, *p);
			continue;
		}
		v = json_object_get(
			parameters, arena_strndup(x->arena, p + 1, (size_t)(end - p - 1)));
		if (!v) {
			r = error_set_field(x->err, E_UNPROCESSABLE, "/command",
				"'%.80s' names a parameter that is not declared under "
				"'parameters' or "
				"'matrix' (write '{{' for a plain brace)",
				text);
			break;
		}
		value = scalar_text(x->arena, v);
		if (b.len == 0 && *value == '-' && !json_is_number(v)) {
			r = error_set_field(x->err, E_UNPROCESSABLE, "/parameters",
				"the value '%.60s' begins with '-' and would become an option",
				value);
			break;
		}
		buf_add_str(&b, value);
		p = end;
	}
	*ret = arena_strndup(x->arena, buf_str(&b), b.len);
	buf_done(&b);
	return r;
}

static int fill_argv(
	struct expansion *x, const json_t *template, json_t *parameters, json_t **ret)
{
	json_t *argv = arena_own_json(x->arena, json_array());
	size_t i;
	json_t *v;

	json_array_foreach (template, i, v) {
		const char *s;
		int r = fill(x, json_string_value(v), parameters, &s);

		if (r < 0)
			return r;
		json_array_append_new(argv, json_string(s));
	}
	*ret = argv;
	return OK;
}

const char *parameters_suffix(struct arena *a, json_t *parameters)
{
	_cleanup_(json_decref)
	json_t *sorted = NULL;
	_cleanup_(free)
	char *text = NULL;
	struct buf b = { 0 };
	const char *key, *out;
	json_t *v;

	if (json_object_size(parameters) == 0)
		return "";
	text = json_canonical(parameters);
	sorted = json_loads(text, 0, NULL);
	json_object_foreach (sorted, key, v)
		buf_printf(&b, "%s%s=%s", b.len ? "," : "[", key, scalar_text(a, v));
	buf_add_char(&b, ']');
	out = arena_strndup(a, buf_str(&b), b.len);
	buf_done(&b);
	return out;
}

/* What changes what is measured, and nothing else: see docs/workloads.md. */
static const char *hash_of(struct expansion *x, const json_t *argv, json_t *parameters,
	const char *adapter, json_t *environment)
{
	static const char *const parts[] = { "build", "environment", "setup", "prepare",
		"conclude", "exit_codes", "input", "output", "cache", NULL };
	static const char *const own[] = { "prepare", "conclude" };
	const struct workload *w = x->w;
	_cleanup_(json_decref)
	json_t *o = json_object();
	_cleanup_(free)
	char *text = NULL;
	char hex[SHA256_HEX];

	json_set_str(o, "kind", workload_kind_name(w->kind));
	json_object_set(o, "argv", (json_t *)argv);
	json_object_set(o, "parameters", parameters);
	json_set_str(o, "adapter", adapter);
	for (size_t i = 0; parts[i]; i++)
		if (member(w, parts[i]))
			json_object_set(o, parts[i], member(w, parts[i]));
	json_set_int(o, "samples", w->protocol.samples);
	json_set_int(o, "warmup", w->protocol.warmup);
	json_set_int(o, "iterations", w->protocol.iterations);
	json_set_int(o, "memory", w->limits.memory_bytes);
	json_set_str(o, "isolation", w->isolation);
	json_set_str(o, "cpus", w->cpus);
	if (environment)
		json_object_set(o, "cell_environment", environment);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (json_object_get(x->own, own[i]))
			json_object_set(o, arena_printf(x->arena, "cell_%s", own[i]),
				json_object_get(x->own, own[i]));
	text = json_canonical(o);
	return arena_strdup(x->arena, sha256_hex(text, strlen(text), hex));
}

/* Most workloads have a cell or two, and a request that waits keeps its arena. */
static void grow_cells(struct expansion *x)
{
	struct cell *more;

	if (x->n < x->cap)
		return;
	x->cap = x->cap ? 2 * x->cap : 4;
	more = ARENA_ARRAY(x->arena, struct cell, x->cap);
	if (x->n)
		memcpy(more, x->cells, x->n * sizeof(*more));
	x->cells = more;
}

/* Its own take the place of the workload's. */
static json_t *hooks_of(struct expansion *x, const char *key, json_t *parameters)
{
	json_t *own = json_object_get(x->own, key), *filled;

	filled = hooks_fill(x->arena, own ? own : member(x->w, key), parameters);
	return filled ? filled : own;
}

static int add_cell(struct expansion *x, const char *benchmark, json_t *argv,
	json_t *parameters, const char *adapter)
{
	struct cell *c;

	if (x->n == MAX_CELLS)
		return error_set_field(x->err, E_UNPROCESSABLE, "/matrix",
			"the matrix has more than %d cells", MAX_CELLS);
	grow_cells(x);
	c = &x->cells[x->n];
	*c = (struct cell){ 0 };
	c->id = arena_printf(x->arena, "%zu", x->n);
	c->benchmark = arena_strdup(x->arena, benchmark);
	c->suffix = parameters_suffix(x->arena, parameters);
	c->argv = argv;
	c->parameters = parameters;
	c->adapter = adapter;
	if (x->threads) {
		c->group = arena_printf(x->arena, "%s%s", benchmark, x->label);
		c->threads = x->threads;
		c->environment = scaling_environment(x->arena, x->w, x->threads);
	} else if (json_is_true(member(x->w, "turns")))
		c->group = "turns";
	c->prepare = hooks_of(x, "prepare", parameters);
	c->conclude = hooks_of(x, "conclude", parameters);
	c->definition_hash = hash_of(x, argv, parameters, adapter, c->environment);
	x->n++;
	return OK;
}

/* Weak scaling is an option without a value. */
static bool is_flag(const char *key, const json_t *v)
{
	return json_is_true(v) && !strcmp(key, "weak");
}

static int add_kernel(struct expansion *x, const char *id, json_t *parameters)
{
	json_t *argv = arena_own_json(x->arena, json_pack("[sss]", "benchd-kernel", "run", id));
	const char *key;
	json_t *v;
	int r;

	json_object_foreach (parameters, key, v) {
		const char *value = scalar_text(x->arena, v);

		if (*value == '-')
			return error_set_field(x->err, E_UNPROCESSABLE, "/parameters",
				"the value '%.60s' of '%s' begins with '-'", value, key);
		json_array_append_new(argv, is_flag(key, v)
						    ? json_sprintf("--%s", key)
						    : json_sprintf("--%s=%s", key, value));
	}
	r = kernel_form_check(id, parameters, x->err);
	return r < 0 ? r : add_cell(x, id, argv, parameters, "none");
}

static int add_kernels(struct expansion *x, json_t *parameters)
{
	json_t *kernel = member(x->w, "kernel");
	size_t n = json_is_array(kernel) ? json_array_size(kernel) : 1;

	for (size_t i = 0; kernel_ids[i]; i++)
		for (size_t k = 0; k < n; k++) {
			const json_t *p =
				json_is_array(kernel) ? json_array_get(kernel, k) : kernel;
			int r;

			if (!glob_match(json_string_value(p), kernel_ids[i]))
				continue;
			r = add_kernel(x, kernel_ids[i], parameters);
			if (r < 0)
				return r;
			break;
		}
	return OK;
}

static int add_benchmarks(struct expansion *x, json_t *parameters)
{
	json_t *b;
	size_t i;

	json_array_foreach (member(x->w, "benchmarks"), i, b) {
		json_t *argv;
		int r = fill_argv(x, json_object_get(b, "command"), parameters, &argv);

		x->own = b;
		if (r == OK)
			r = add_cell(x, json_get_str(b, "name", ""), argv, parameters,
				json_get_str(b, "adapter", "none"));
		x->own = NULL;
		if (r < 0)
			return r;
	}
	return OK;
}

/* All commands of the workload with one set of parameters. */
static int add_combination(struct expansion *x, json_t *parameters)
{
	json_t *argv;
	int r;

	switch (x->w->kind) {
	case WORKLOAD_KERNEL:
		return add_kernels(x, parameters);
	case WORKLOAD_BUILD:
		return add_benchmarks(x, parameters);
	case WORKLOAD_COMMAND:
		if (member(x->w, "benchmarks"))
			return add_benchmarks(x, parameters);
		r = fill_argv(x, member(x->w, "command"), parameters, &argv);
		return r < 0 ? r : add_cell(x, x->w->name, argv, parameters, "none");
	default:
		return error_set(x->err, E_UNPROCESSABLE,
			"a suite has no cells of its own; its members are filed as jobs");
	}
}

static bool is_subset(const json_t *part, const json_t *whole)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)part, key, v)
		if (!json_equal(v, json_object_get(whole, key)))
			return false;
	return true;
}

static bool is_excluded(const struct workload *w, const json_t *parameters)
{
	size_t i;
	json_t *v;

	json_array_foreach (member(w, "exclude"), i, v)
		if (json_is_object(v) && is_subset(v, parameters))
			return true;
	return false;
}

static int add_with(
	struct expansion *x, const json_t *parameters, int threads, bool may_exclude)
{
	json_t *own = arena_own_json(x->arena, json_deep_copy(parameters));
	int r = OK;

	x->threads = threads;
	/* Exclusions see the size as it was asked for. */
	if (threads)
		json_set_int(own, "threads", threads);
	if (may_exclude && is_excluded(x->w, own))
		return OK;
	if (x->w->kind == WORKLOAD_KERNEL)
		r = kernel_values_check(own, x->err);
	if (r == OK && threads)
		r = scaling_set(x->w, own, threads, x->err);
	return r < 0 ? r : add_combination(x, own);
}

/* One combination of parameters; where the workload scales, on each number of threads. */
static int add_point(struct expansion *x, const json_t *parameters, bool may_exclude)
{
	const struct scaling_plan *s = &x->w->scaling;
	int r = OK;

	if (!s->n)
		return add_with(x, parameters, 0, may_exclude);
	x->label = parameters_suffix(x->arena, (json_t *)parameters);
	for (size_t i = 0; r == OK && i < s->n; i++)
		r = add_with(x, parameters, s->threads[i], may_exclude);
	return r;
}

/* Cartesian product over the matrix members that the job has not fixed. */
static int product(struct expansion *x, void *iter, json_t *parameters, json_t *fixed)
{
	json_t *matrix = member(x->w, "matrix"), *v;
	size_t i;

	while (iter && json_object_get(fixed, json_object_iter_key(iter)))
		iter = json_object_iter_next(matrix, iter);
	if (!iter)
		return add_point(x, parameters, true);
	json_array_foreach (json_object_iter_value(iter), i, v) {
		int r;

		json_object_set(parameters, json_object_iter_key(iter), v);
		r = product(x, json_object_iter_next(matrix, iter), parameters, fixed);
		if (r < 0)
			return r;
	}
	json_object_del(parameters, json_object_iter_key(iter));
	return OK;
}

int workload_expand(const struct workload *w, json_t *parameters, struct arena *a,
	struct cell **ret, size_t *ret_n, struct error *err)
{
	struct expansion x = { .w = w, .arena = a, .err = err };
	_cleanup_(json_decref)
	json_t *base = json_object();
	json_t *extra;
	size_t i;
	int r;

	r = check_parameters(w, parameters, err);
	if (r < 0)
		return r;
	if (member(w, "parameters"))
		json_object_update(base, member(w, "parameters"));
	if (parameters)
		json_object_update(base, parameters);
	r = product(&x, json_object_iter(member(w, "matrix")), base, parameters);
	json_array_foreach (member(w, "include"), i, extra) {
		_cleanup_(json_decref)
		json_t *more = json_deep_copy(base);

		if (r == OK && json_is_object(extra)) {
			json_object_update(more, extra);
			r = add_point(&x, more, false);
		}
	}
	if (r < 0)
		return r;
	if (x.n == 0)
		return error_set_field(err, E_UNPROCESSABLE, "/matrix",
			"nothing is left to measure after 'exclude'");
	*ret = x.cells;
	*ret_n = x.n;
	return OK;
}

const char *cell_result_name(
	const struct workload *w, const struct cell *c, const char *reported, struct arena *a)
{
	if (!reported || !strcmp(reported, c->benchmark))
		return arena_printf(a, "%s%s", c->benchmark, c->suffix);
	if (w->kind == WORKLOAD_KERNEL)
		return arena_printf(a, "%s%s", reported, c->suffix);
	return arena_printf(a, "%s/%s%s", c->benchmark, reported, c->suffix);
}

static json_t *protocol_json(const struct protocol *p)
{
	json_t *o = json_object();

	json_set_int(o, "processes", p->processes);
	json_set_int(o, "samples", p->samples);
	json_set_int(o, "warmup", p->warmup);
	json_set_int(o, "warmup_processes", p->warmup_processes);
	json_set_int(o, "max_processes", p->max_processes);
	json_set_int(o, "iterations", p->iterations);
	json_set_bool(o, "adaptive", p->adaptive);
	json_set_bool(o, "control", p->control);
	json_set_bool(o, "cachegrind", p->cachegrind);
	json_set_real(o, "target_ci", p->target_ci);
	json_set_real(o, "min_effect", p->min_effect);
	json_set_int(o, "budget_ns", p->budget_ns);
	json_set_int(o, "idle_wait_ns", p->idle_wait_ns);
	if (p->require)
		json_object_set(o, "require", p->require);
	return o;
}

static json_t *limits_json(const struct limits *l)
{
	json_t *o = json_object();

	json_set_int(o, "time_ns", l->time_ns);
	json_set_int(o, "build_time_ns", l->build_time_ns);
	json_set_int(o, "job_time_ns", l->job_time_ns);
	json_set_int(o, "output_bytes", l->output_bytes);
	json_set_int(o, "memory_bytes", l->memory_bytes);
	json_set_int(o, "file_size_bytes", l->file_size_bytes);
	return o;
}

static json_t *cell_json(const struct cell *c)
{
	json_t *o = json_object();

	json_set_str(o, "id", c->id);
	json_set_str(o, "benchmark", c->benchmark);
	json_object_set(o, "argv", c->argv);
	json_set_str(o, "adapter", c->adapter);
	json_set_str(o, "definition_hash", c->definition_hash);
	json_set_int(o, "iterations", 0);
	json_object_set(o, "parameters", c->parameters);
	json_set_opt(o, "group", c->group);
	if (c->prepare)
		json_object_set(o, "prepare", c->prepare);
	if (c->conclude)
		json_object_set(o, "conclude", c->conclude);
	if (c->environment)
		json_object_set(o, "environment", c->environment);
	json_set_str(o, "primary", "latency");
	return o;
}

json_t *workload_spec(const struct workload *w, const struct cell *cells, size_t n)
{
	static const char *const lists[] = { "build", "setup", "prepare", "conclude",
		"cleanup" };
	json_t *o = json_object(), *array = json_array(), *v;

	json_set_str(o, "kind", workload_kind_name(w->kind));
	json_set_str(o, "name", w->name);
	json_set_str(o, "slot", w->slot);
	json_set_opt(o, "repository", json_string_value(member(w, "repository")));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, cell_json(&cells[i]));
	json_object_set_new(o, "cells", array);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		v = member(w, lists[i]);
		json_object_set_new(o, lists[i], v ? json_incref(v) : json_array());
	}
	v = member(w, "environment");
	json_object_set_new(o, "environment", v ? json_incref(v) : json_object());
	program_to_spec(w->definition, o);
	if (member(w, "artifacts"))
		json_object_set(o, "artifacts", member(w, "artifacts"));
	json_object_set_new(o, "protocol", protocol_json(&w->protocol));
	json_object_set_new(o, "limits", limits_json(&w->limits));
	json_set_str(o, "isolation", w->isolation);
	json_set_str(o, "cpus", w->cpus);
	return o;
}
