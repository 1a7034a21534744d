/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A suite of steps: each step is a job, or one for each combination of its matrix, and waits
 * for all jobs of the steps it comes after. */
#include <string.h>
#include "daemon/queue/internal.h"

enum { MAX_JOBS = 1000 };

struct steps {
	struct desk *d;
	json_t *body;	 /* of the suite */
	json_t *jobs_of; /* step -> UUIDs */
	json_t *members;
	int64_t *ids;
	size_t n;
};

/* depends_on: what the suite itself waits for, and the jobs of the steps before. */
static json_t *waits_for(struct steps *s, json_t *step)
{
	json_t *list = json_deep_copy(json_object_get(s->body, "depends_on")), *before, *uuid;
	const char *on = json_get_str(step, "on", "success");
	size_t i, k;

	if (!list)
		list = json_array();
	json_array_foreach (json_object_get(step, "after"), i, before)
		json_array_foreach (
			json_object_get(s->jobs_of, json_string_value(before)), k, uuid)
			json_array_append_new(
				list, json_pack("{sO ss}", "job", uuid, "on", on));
	return list;
}

static int file_one(
	struct steps *s, const char *name, json_t *step, json_t *waits, json_t *combination)
{
	json_t *body = arena_own_json(s->d->a, json_copy(s->body));
	json_t *own = json_object_get(step, "parameters"), *parameters = json_object();
	struct job job;
	int r;

	if (s->n == MAX_JOBS)
		return error_set_field(s->d->err, E_UNPROCESSABLE, "/workload",
			"the steps of the suite make more than %d jobs", MAX_JOBS);
	json_object_update(parameters, json_object_get(s->body, "parameters"));
	if (own)
		json_object_update(parameters, own);
	json_object_update(parameters, combination);
	json_object_set_new(body, "parameters", parameters);
	json_object_set(body, "depends_on", waits);
	r = desk_file_member(s->d, body, json_get_str(step, "workload", ""), &job);
	if (r < 0)
		return error_prefix(s->d->err, "step '%s': ", name);
	s->ids[s->n++] = job.id;
	json_array_append_new(s->members, json_string(job.uuid));
	json_array_append_new(json_object_get(s->jobs_of, name), json_string(job.uuid));
	return OK;
}

/* The k-th combination of a matrix; false behind the last one. */
static bool combination(json_t *matrix, size_t k, json_t *into)
{
	const char *key;
	json_t *values;

	json_object_foreach (matrix, key, values) {
		size_t n = json_array_size(values);

		json_object_set(into, key, json_array_get(values, k % n));
		k /= n;
	}
	return k == 0;
}

static int file_step(struct steps *s, const char *name)
{
	json_t *step = json_object_get(json_object_get(s->d->definition, "steps"), name);
	json_t *waits = arena_own_json(s->d->a, waits_for(s, step));
	int r = OK;

	json_object_set_new(s->jobs_of, name, json_array());
	for (size_t k = 0; r == OK; k++) {
		json_t *chosen = arena_own_json(s->d->a, json_object());

		if (!combination(json_object_get(step, "matrix"), k, chosen))
			break;
		r = file_one(s, name, step, waits, chosen);
	}
	return r;
}

int desk_file_steps(
	struct desk *d, json_t *body, json_t *members, int64_t **ret_ids, size_t *ret_n)
{
	struct steps s = { .d = d,
		.body = body,
		.jobs_of = arena_own_json(d->a, json_object()),
		.members = members,
		.ids = ARENA_ARRAY(d->a, int64_t, MAX_JOBS + 1) };
	const char *control = json_get_str(d->definition, "control", NULL);
	const char *const *order;
	size_t n;
	int r;

	r = workload_order_steps(
		json_object_get(d->definition, "steps"), d->a, &order, &n, d->err);
	if (r == OK && control)
		r = desk_file_control(d, &s.body, control, members, &s.ids[s.n++]);
	for (size_t i = 0; r == OK && i < n; i++)
		r = file_step(&s, order[i]);
	*ret_ids = s.ids;
	*ret_n = s.n;
	return r;
}
