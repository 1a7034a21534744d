/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scaling sweeps: `scaling` of a definition (docs/workloads.md). */
#include "daemon/model/internal.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include "base/cleanup.h"

static const char *const kinds[] = { "strong", "weak", NULL };

struct raw_scaling {
	int kind;
	json_t *threads;
	const char *size;
};
static const struct json_field fields[] = {
	{ "kind", JF_ENUM, offsetof(struct raw_scaling, kind), true, 0, 0, kinds },
	{ "threads", JF_ANY, offsetof(struct raw_scaling, threads), false, 0, 0, NULL },
	{ "size", JF_STRING, offsetof(struct raw_scaling, size), false, 1, 64, NULL },
};

static int refuse(struct error *err, const char *field, const char *text)
{
	return error_set_field(err, E_UNPROCESSABLE, field, "%s", text);
}

/* --- how many --- */

/* Of a list such as "1,4-7"; 0 when it is empty or no list. */
static int count_listed(const char *list)
{
	int n = 0;

	while (*list) {
		char *end;
		long first = strtol(list, &end, 10), last = first;

		if (end == list)
			return 0;
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		n += last >= first && last - first < SCALING_MAX_THREADS
			     ? (int)(last - first + 1)
			     : 0;
		list = *end == ',' ? end + 1 : end;
		if (*end && *end != ',')
			return 0;
	}
	return n;
}

int64_t scaling_count_cpus(const char *list)
{
	return MIN(count_listed(list), SCALING_MAX_THREADS);
}

static int count_cpus(const char *list)
{
	cpu_set_t set;
	int n = count_listed(list);

	if (n > 0)
		return MIN(n, SCALING_MAX_THREADS);
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	return MAX(CPU_COUNT(&set), 1);
}

/* 1, 2, 4, ... and all of them. */
static void fill_auto(struct scaling_plan *s, int all)
{
	for (int n = 1; n < all && s->n < SCALING_MAX - 1; n *= 2)
		s->threads[s->n++] = n;
	s->threads[s->n++] = all;
}

static int fill_list(struct scaling_plan *s, json_t *list, struct error *err)
{
	bool has_one = false;
	size_t i;
	json_t *v;

	if (json_array_size(list) < 1 || json_array_size(list) > SCALING_MAX)
		return error_set_field(err, E_UNPROCESSABLE, "/scaling/threads",
			"'scaling/threads' must be 'auto' or a list of 1 to %d numbers",
			SCALING_MAX);
	json_array_foreach (list, i, v) {
		json_int_t n = json_integer_value(v);

		if (n < 1 || n > SCALING_MAX_THREADS)
			return error_set_field(err, E_UNPROCESSABLE, "/scaling/threads",
				"'scaling/threads/%zu' must be a whole number from 1 to %d", i,
				SCALING_MAX_THREADS);
		for (size_t k = 0; k < s->n; k++)
			if (s->threads[k] == n)
				return error_set_field(err, E_UNPROCESSABLE, "/scaling/threads",
					"'scaling/threads' has %lld twice", (long long)n);
		s->threads[s->n++] = (int)n;
		has_one |= n == 1;
	}
	return has_one ? OK
		       : refuse(err, "/scaling/threads",
				 "'scaling/threads' lacks 1; the time with one thread is the "
				 "base of every speed-up");
}

/* --- reading --- */

/* Nothing else may say how many threads there are. */
static int check_alone(json_t *definition, struct error *err)
{
	static const char *const places[] = { "parameters", "matrix" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (json_object_get(json_object_get(definition, places[i]), "threads"))
			return error_set_field(err, E_UNPROCESSABLE, "/scaling",
				"'scaling' and '%s/threads' exclude each other; both say how "
				"many threads there are",
				places[i]);
	if (json_object_get(json_object_get(definition, "environment"), "OMP_NUM_THREADS"))
		return refuse(err, "/environment/OMP_NUM_THREADS",
			"'environment/OMP_NUM_THREADS' is what 'scaling' sets");
	return OK;
}

int scaling_read(json_t *definition, enum workload_kind kind, const char *cpus, struct arena *a,
	struct scaling_plan *ret, struct error *err)
{
	struct raw_scaling raw = { .size = NULL };
	json_t *o = json_object_get(definition, "scaling");
	struct scaling_plan s = { 0 };
	int r;

	*ret = s;
	if (!o)
		return OK;
	if (kind == WORKLOAD_SUITE)
		return refuse(err, "/scaling", "'scaling' belongs to what a suite runs");
	r = json_read(
		o, "/scaling", fields, ARRAY_SIZE(fields), &raw, JSON_REFUSE_UNKNOWN, err);
	if (r == OK)
		r = check_alone(definition, err);
	if (r < 0)
		return r;
	s.is_weak = raw.kind == 1;
	if (raw.size && (!s.is_weak || kind == WORKLOAD_KERNEL))
		return refuse(err, "/scaling/size",
			"'scaling/size' names what weak scaling of a command multiplies; "
			"kernels grow by themselves");
	s.size = arena_strdup(a, raw.size ? raw.size : "size");
	if (raw.threads && !json_is_string(raw.threads))
		r = fill_list(&s, raw.threads, err);
	else if (!raw.threads || !strcmp(json_string_value(raw.threads), "auto"))
		fill_auto(&s, count_cpus(cpus));
	else
		r = refuse(err, "/scaling/threads",
			"'scaling/threads' must be 'auto' or a list of numbers");
	*ret = s;
	return r;
}

void scaling_settle(json_t *definition, int64_t n_cpus)
{
	json_t *o = json_object_get(definition, "scaling"), *list;
	const json_t *threads = json_object_get(o, "threads");
	struct scaling_plan s = { 0 };

	if (!json_is_object(o) || n_cpus < 1 || *json_get_str(definition, "cpus", "") ||
		(threads && strcmp(json_get_str(o, "threads", ""), "auto") != 0))
		return;
	fill_auto(&s, (int)MIN(n_cpus, SCALING_MAX_THREADS));
	list = json_array();
	for (size_t i = 0; i < s.n; i++)
		json_array_append_new(list, json_integer(s.threads[i]));
	json_object_set_new(o, "threads", list);
}

void workload_pin_scaling(struct workload *w)
{
	json_t *o = json_object_get(w->definition, "scaling"), *list;

	if (!w->scaling.n || json_is_array(json_object_get(o, "threads")))
		return;
	list = json_array();
	for (size_t i = 0; i < w->scaling.n; i++)
		json_array_append_new(list, json_integer(w->scaling.threads[i]));
	json_object_set_new(o, "threads", list);
}

/* --- one number of threads --- */

/* 1000 -> 4000, "64Mi" -> "256Mi". */
static json_t *multiplied(const json_t *v, int by)
{
	const char *text = json_string_value(v);
	long long n = json_integer_value(v), product;
	char *end = NULL;

	errno = 0;
	if (text)
		n = strtoll(text, &end, 10);
	if (errno || n < 1 || (text && end == text) || __builtin_mul_overflow(n, by, &product))
		return NULL;
	if (end && strspn(end, "kKMGTiB") != strlen(end))
		return NULL;
	return text ? json_sprintf("%lld%s", product, end) : json_integer(product);
}

static int grow(const struct workload *w, json_t *parameters, int threads, struct error *err)
{
	const char *name = w->scaling.size;
	json_t *v = multiplied(json_object_get(parameters, name), threads);

	if (!v)
		return error_set_field(err, E_UNPROCESSABLE, "/scaling/size",
			"weak scaling multiplies the parameter '%.64s', which must be a whole "
			"number such as 1000 or 64Mi ('scaling/size' names another)",
			name);
	json_object_set_new(parameters, name, v);
	return OK;
}

static int check_backend(json_t *parameters, struct error *err)
{
	const json_t *v = json_object_get(parameters, "backend");

	if (!v)
		json_object_set_new(parameters, "backend", json_string("threads"));
	else if (!json_is_string(v) || strcmp(json_string_value(v), "threads") != 0)
		return refuse(err, "/scaling",
			"'scaling' of a kernel needs the backend 'threads'; the others have "
			"one");
	return OK;
}

int scaling_set(const struct workload *w, json_t *parameters, int threads, struct error *err)
{
	int r = OK;

	json_set_int(parameters, "threads", threads);
	if (w->kind == WORKLOAD_KERNEL)
		r = check_backend(parameters, err);
	if (r < 0 || !w->scaling.is_weak)
		return r;
	if (w->kind != WORKLOAD_KERNEL)
		return grow(w, parameters, threads, err);
	json_set_bool(parameters, "weak", true);
	return OK;
}

json_t *scaling_environment(struct arena *a, const struct workload *w, int threads)
{
	json_t *o;

	if (w->kind == WORKLOAD_KERNEL)
		return NULL;
	o = arena_own_json(a, json_object());
	json_object_set_new(o, "OMP_NUM_THREADS", json_sprintf("%d", threads));
	return o;
}
