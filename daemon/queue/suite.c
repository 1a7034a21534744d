/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Suites: one job for each member, and one that waits for all of them. */
#include <string.h>
#include "base/text.h"
#include "daemon/queue/internal.h"

enum { MAX_MEMBERS = 200 };

static bool suite_has(json_t *patterns, const char *name)
{
	size_t i;
	json_t *v;

	json_array_foreach (patterns, i, v)
		if (glob_match(json_string_value(v), name))
			return true;
	return false;
}

static bool has_name(const char *const *names, size_t n, const char *name)
{
	for (size_t k = 0; k < n; k++)
		if (!strcmp(names[k], name))
			return true;
	return false;
}

/* The control comes first, so that it has run when the others are judged. Plain names next, as
 * written (built-in kernels too); then what the globs match. */
static int suite_members(struct desk *d, const char ***ret, size_t *ret_n)
{
	json_t *patterns = json_object_get(d->definition, "workloads"), *v;
	const char *control = json_get_str(d->definition, "control", NULL);
	const char *const *known;
	const char **names = ARENA_ARRAY(d->a, const char *, MAX_MEMBERS);
	size_t n = 0, n_known, i;
	int r;

	r = queue_list_workloads(
		d->st, d->a, d->rules, d->project.id, &known, &n_known, d->err);
	if (r < 0)
		return r;
	if (control)
		names[n++] = control;
	json_array_foreach (patterns, i, v)
		if (!strpbrk(json_string_value(v), "*?") && n < MAX_MEMBERS &&
			!has_name(names, n, json_string_value(v)))
			names[n++] = json_string_value(v);
	for (i = 0; i < n_known + (size_t)1000 && n < MAX_MEMBERS; i++) {
		const char *name = i < n_known ? known[i] : kernel_ids[i - n_known];

		if (!name)
			break;
		if (!has_name(names, n, name) && strcmp(name, d->name) != 0 &&
			suite_has(patterns, name))
			names[n++] = name;
	}
	if (n == 0)
		return desk_refuse(d, "/workload", "the suite names no workload that is known");
	*ret = names;
	*ret_n = n;
	return OK;
}

int desk_file_member(struct desk *d, json_t *body, const char *name, struct job *ret)
{
	_cleanup_(json_decref)
	json_t *member = json_copy(body);
	json_t *definition;
	const char *source;
	int r;

	r = queue_find_workload(
		d->st, d->a, d->rules, d->project.id, name, &definition, &source, d->err);
	if (r < 0)
		return r;
	if (!strcmp(json_get_str(definition, "kind", ""), "suite"))
		return error_set_field(d->err, E_UNPROCESSABLE, "/workload",
			"the suite '%s' holds the suite '%s'; suites cannot be nested", d->name,
			name);
	json_object_del(member, "definition");
	json_object_set_new(member, "workload", json_string(name));
	r = queue_file_job(
		d->st, d->a, d->rules, d->f, arena_own_json(d->a, TAKE(member)), ret, d->err);
	return r < 0 ? error_prefix(d->err, "member '%s': ", name) : OK;
}

/* What is judged beside the control waits for it, however it ends. */
int desk_file_control(
	struct desk *d, json_t **body, const char *name, json_t *members, int64_t *ret_id)
{
	json_t *copy = arena_own_json(d->a, json_copy(*body));
	json_t *list = json_deep_copy(json_object_get(*body, "depends_on"));
	struct job control;
	int r;

	r = desk_file_member(d, *body, name, &control);
	if (r < 0) {
		json_decref(list);
		return r;
	}
	if (!list)
		list = json_array();
	json_array_append_new(list, json_pack("{ss ss}", "job", control.uuid, "on", "any"));
	json_object_set_new(copy, "depends_on", list);
	json_array_append_new(members, json_string(control.uuid));
	*body = copy;
	*ret_id = control.id;
	return OK;
}

static int file_members(
	struct desk *d, json_t *body, json_t *members, int64_t **ret_ids, size_t *ret_n)
{
	const char *control = json_get_str(d->definition, "control", NULL);
	const char **names = NULL;
	int64_t *ids;
	size_t n = 0, done = 0;
	int r;

	r = suite_members(d, &names, &n);
	if (r < 0)
		return r;
	ids = ARENA_ARRAY(d->a, int64_t, n);
	if (control)
		r = desk_file_control(d, &body, control, members, &ids[done++]);
	for (size_t i = done; r == OK && i < n; i++) {
		struct job member;

		r = desk_file_member(d, body, names[i], &member);
		if (r < 0)
			return r;
		ids[done++] = member.id;
		json_array_append_new(members, json_string(member.uuid));
	}
	*ret_ids = ids;
	*ret_n = done;
	return r;
}

/* A suite's row waits for the rows of its members. */
int desk_file_suite(struct desk *d, json_t *body)
{
	json_t *members = arena_own_json(d->a, json_array());
	const struct extras x = { 0 };
	int64_t *ids = NULL;
	size_t n = 0;
	int r;

	if (json_object_get(d->definition, "steps"))
		r = desk_file_steps(d, body, members, &ids, &n);
	else
		r = file_members(d, body, members, &ids, &n);
	if (r < 0)
		return r;
	d->body.depends_on = NULL;
	d->body.supersede_key = d->job->supersede_key = NULL;
	d->job->state = JOB_BLOCKED;
	r = desk_add_row(d, &x, members);
	for (size_t i = 0; r == OK && i < n; i++)
		r = store_job_depends(d->st, d->job->id, ids[i], "any", d->err);
	return r;
}
