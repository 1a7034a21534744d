/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of a suite: a graph by names. */
#include "daemon/model/model.h"

#include <string.h>
#include "base/text.h"

enum { MAX_STEPS = 500, NOT_SEEN = 0, OPEN, DONE };

struct step_text {
	const char *workload;
	json_t *parameters, *matrix, *after;
	int on;
};
#define F(key, kind, required, min, max, names)                                                \
	{                                                                                      \
#key, kind, offsetof(struct step_text, key), required, min, max, names         \
	}
static const char *const on_names[] = { "success", "any", NULL };
static const struct json_field fields[] = {
	F(workload, JF_STRING, true, 1, 64, NULL),
	F(parameters, JF_OBJECT, false, 0, 0, NULL),
	F(matrix, JF_OBJECT, false, 0, 0, NULL),
	F(after, JF_ARRAY, false, 0, MAX_STEPS, NULL),
	F(on, JF_ENUM, false, 0, 0, on_names),
};
#undef F

struct graph {
	struct arena *a;
	json_t *steps;
	const char **names, **path; /* path: from the first step to where we are */
	unsigned char *seen;
	size_t n, depth;
	const char **order;
	size_t n_order;
	struct error *err;
};

static size_t index_of(const struct graph *g, const char *name)
{
	size_t i = 0;

	while (i < g->n && strcmp(g->names[i], name) != 0)
		i++;
	return i;
}

static bool is_list_of_scalars(const json_t *list)
{
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v)
		if (json_is_object(v) || json_is_array(v) || json_is_null(v))
			return false;
	return json_array_size(list) > 0;
}

static bool is_name(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= 64 &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       n;
}

static int check_step(struct graph *g, const char *name, json_t *o)
{
	struct step_text s = { 0 };
	char pointer[100];
	const char *key;
	json_t *v;
	int r;

	snprintf(pointer, sizeof(pointer), "/steps/%.64s", name);
	if (!is_name(name) || !json_is_object(o))
		return error_set_field(g->err, E_UNPROCESSABLE, pointer,
			"'%.64s' must be an object under a name of letters, digits, '.', '_' "
			"and '-'",
			name);
	r = json_read(o, pointer, fields, ARRAY_SIZE(fields), &s, JSON_REFUSE_UNKNOWN, g->err);
	json_object_foreach (s.matrix, key, v)
		if (r == OK && !is_list_of_scalars(v))
			r = error_set_field(g->err, E_UNPROCESSABLE, pointer,
				"'matrix' of step '%.64s': '%.64s' must be a list of strings, "
				"numbers or booleans",
				name, key);
	return r;
}

static int unknown_step(struct graph *g, const char *name, const char *after)
{
	const char **all = ARENA_ARRAY(g->a, const char *, g->n + 1);
	const char *near;
	char pointer[100];

	memcpy(all, g->names, g->n * sizeof(*all));
	all[g->n] = NULL;
	near = nearest_name(after, all);
	snprintf(pointer, sizeof(pointer), "/steps/%.64s/after", name);
	return error_set_field(g->err, E_UNPROCESSABLE, pointer,
		"step '%.64s' comes after '%.64s', which is no step%s%s%s", name, after,
		near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* "a -> b -> c -> a", from the step that is met again. */
static int name_circle(struct graph *g, const char *again)
{
	const char *text = "";
	size_t from = 0;

	while (strcmp(g->path[from], again) != 0)
		from++;
	for (size_t i = from; i < g->depth; i++)
		text = arena_printf(g->a, "%s%s -> ", text, g->path[i]);
	return error_set_field(g->err, E_UNPROCESSABLE, "/steps",
		"the steps wait for each other in a circle: %.380s%.64s", text, again);
}

/* Depth first: a step is in order once all that it comes after is. */
static int visit(struct graph *g, size_t at)
{
	json_t *after = json_object_get(json_object_get(g->steps, g->names[at]), "after"), *v;
	size_t i;
	int r = OK;

	g->seen[at] = OPEN;
	g->path[g->depth++] = g->names[at];
	json_array_foreach (after, i, v) {
		const char *name = json_string_value(v) ? json_string_value(v) : "?";
		size_t next = index_of(g, name);

		if (next == g->n)
			return unknown_step(g, g->names[at], name);
		if (g->seen[next] == OPEN)
			return name_circle(g, name);
		if (g->seen[next] == NOT_SEEN)
			r = visit(g, next);
		if (r < 0)
			return r;
	}
	g->depth--;
	g->seen[at] = DONE;
	g->order[g->n_order++] = g->names[at];
	return OK;
}

int workload_order_steps(json_t *steps, struct arena *a, const char *const **ret, size_t *ret_n,
	struct error *err)
{
	size_t n = json_object_size(steps);
	struct graph g = { .a = a, .steps = steps, .err = err };
	const char *name;
	json_t *o;
	int r = OK;

	if (n == 0 || n > MAX_STEPS)
		return error_set_field(err, E_UNPROCESSABLE, "/steps",
			"'steps' must have 1 to %d members, not %zu", MAX_STEPS, n);
	g.names = ARENA_ARRAY(a, const char *, n);
	g.path = ARENA_ARRAY(a, const char *, n);
	g.order = ARENA_ARRAY(a, const char *, n);
	g.seen = ARENA_ARRAY(a, unsigned char, n);
	json_object_foreach (steps, name, o) {
		g.names[g.n++] = name;
		if (r == OK)
			r = check_step(&g, name, o);
	}
	for (size_t i = 0; r == OK && i < n; i++)
		if (g.seen[i] == NOT_SEEN)
			r = visit(&g, i);
	*ret = g.order;
	*ret_n = g.n_order;
	return r;
}
