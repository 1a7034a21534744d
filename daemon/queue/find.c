/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Workloads by name: configuration, then the project's own, then built-in kernels. */
#include <string.h>
#include "base/text.h"
#include "daemon/queue/internal.h"

static const char *nearest_workload(struct store *st, struct arena *a,
	const struct queue_rules *rules, int64_t project_id, const char *name)
{
	const char *const *names;
	const char *near = NULL;
	struct error ignored;
	size_t n;

	if (queue_list_workloads(st, a, rules, project_id, &names, &n, &ignored) == OK)
		near = nearest_name(name, names);
	return near ? near : kernel_id_near(name);
}

static int not_found(struct store *st, struct arena *a, const struct queue_rules *rules,
	int64_t project_id, const char *name, struct error *err)
{
	const char *near = nearest_workload(st, a, rules, project_id, name);

	return error_set_field(err, E_NOT_FOUND, "/workload",
		"there is no workload '%.64s'%s%s%s", name, near ? "; did you mean '" : "",
		near ? near : "", near ? "'?" : "");
}

/* Definitions are shared between threads; whoever gets one may change it, so it is a copy. */
static void take(struct arena *a, json_t *definition, const char *name, const char *source,
	json_t **ret, const char **ret_source)
{
	if (!json_object_get(definition, "name"))
		json_object_set_new(definition, "name", json_string(name));
	*ret = arena_own_json(a, definition);
	*ret_source = source;
}

int queue_find_workload(struct store *st, struct arena *a, const struct queue_rules *rules,
	int64_t project_id, const char *name, json_t **ret_definition, const char **ret_source,
	struct error *err)
{
	json_t *found = json_object_get(rules->workloads, name);
	const char *text;
	int r;

	if (found) {
		take(a, json_deep_copy(found), name, "config", ret_definition, ret_source);
		return OK;
	}
	r = project_id ? store_workload_find(st, a, project_id, name, &text, err) : E_NOT_FOUND;
	if (r == OK) {
		r = json_parse(text, strlen(text), &found, err);
		if (r == OK)
			take(a, found, name, "api", ret_definition, ret_source);
		return r;
	}
	if (r != E_NOT_FOUND)
		return r;
	found = json_object_get(rules->shipped, name);
	if (found) {
		take(a, json_deep_copy(found), name, "shipped", ret_definition, ret_source);
		return OK;
	}
	found = workload_from_kernel(name);
	if (!found)
		return not_found(st, a, rules, project_id, name, err);
	/* A glob is no name that a workload can have. */
	take(a, found, strpbrk(name, "*?") ? "kernels" : name, "kernel", ret_definition,
		ret_source);
	return OK;
}

static bool has_name(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

int queue_list_workloads(struct store *st, struct arena *a, const struct queue_rules *rules,
	int64_t project_id, const char *const **ret, size_t *ret_n, struct error *err)
{
	const char *const *saved = NULL;
	const char **names, *key;
	size_t n_saved = 0, n = 0, n_own;
	json_t *v;
	int r = OK;

	if (project_id)
		r = store_workload_list(st, a, project_id, &saved, &n_saved, err);
	if (r < 0)
		return r;
	names = ARENA_ARRAY(a, const char *,
		json_object_size(rules->workloads) + json_object_size(rules->shipped) +
			n_saved + 1);
	json_object_foreach (rules->workloads, key, v)
		names[n++] = key;
	for (size_t i = 0; i < n_saved; i++)
		if (!json_object_get(rules->workloads, saved[i]))
			names[n++] = saved[i];
	n_own = n;
	json_object_foreach (rules->shipped, key, v)
		if (!has_name(names, n_own, key))
			names[n++] = key;
	*ret = names;
	*ret_n = n;
	return OK;
}
