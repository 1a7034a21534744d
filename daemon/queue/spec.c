/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a job's row to what the worker is told: workload, cells, arms. */
#include <string.h>
#include "base/secret.h"
#include "daemon/queue/internal.h"

int job_definition(struct arena *a, const struct job *j, json_t **ret_definition,
	struct extras *ret, struct error *err)
{
	json_t *o, *job;
	int r;

	r = json_parse(j->definition_json, strlen(j->definition_json), &o, err);
	if (r < 0)
		return error_prefix(err, "job %s: ", j->uuid);
	arena_own_json(a, o);
	job = arena_own_json(a, json_incref(json_object_get(o, "job")));
	json_object_del(o, "job");
	*ret = (struct extras){
		.base_argv = json_object_get(job, "base_argv"),
		.head_argv = json_object_get(job, "head_argv"),
		.base_parameters = json_object_get(job, "base_parameters"),
		.head_parameters = json_object_get(job, "head_parameters"),
		.start_point = json_object_get(job, "start_point"),
		.members = json_object_get(job, "members"),
		.paths = json_object_get(job, "paths"),
		.paths_ignore = json_object_get(job, "paths_ignore"),
		.unless_head = json_get_str(job, "unless_head", NULL),
		.is_merge_base = json_get_bool(job, "merge_base", false),
		.finds_branch = json_get_bool(job, "find_branch", false),
	};
	*ret_definition = o;
	return OK;
}

bool job_has_base(const struct job *j, const struct extras *x)
{
	return j->base_ref || x->base_argv || x->base_parameters;
}

static json_t *merge(struct arena *a, json_t *under, json_t *over)
{
	json_t *o = arena_own_json(a, under ? json_copy(under) : json_object());

	if (over)
		json_object_update(o, over);
	return o;
}

static json_t **argv_of(struct arena *a, const struct cell *cells, size_t n)
{
	json_t **argv = ARENA_ARRAY(a, json_t *, n);

	for (size_t i = 0; i < n; i++)
		argv[i] = cells[i].argv;
	return argv;
}

/* What both arms were measured with: the parameters that they differ in name neither. */
static json_t *shared_parameters(struct arena *a, json_t *parameters, const struct extras *x)
{
	json_t *o = merge(a, parameters, NULL);
	const char *key;
	json_t *v;

	json_object_foreach (x->base_parameters, key, v)
		(void)json_object_del(o, key);
	json_object_foreach (x->head_parameters, key, v)
		(void)json_object_del(o, key);
	return o;
}

/* K is calibrated with one of the settings and used for both, so it belongs to the pair: a
 * plain run of either has its own. */
static const char *hash_of_pair(
	struct arena *a, const struct cell *base, const struct cell *head)
{
	char *hash = arena_alloc(a, SHA256_HEX);
	const char *both =
		arena_printf(a, "%s %s", base->definition_hash, head->definition_hash);

	sha256_hex(both, strlen(both), hash);
	return hash;
}

static bool same_hooks(const struct cell *base, const struct cell *head)
{
	return (base->prepare ? json_equal(base->prepare, head->prepare) : !head->prepare) &&
	       (base->conclude ? json_equal(base->conclude, head->conclude) : !head->conclude);
}

/* Two settings of one workload: both arms carry the same names, without what they differ in, so
 * that they meet in one row. */
static int cells_by_parameters(struct arena *a, const struct workload *w, json_t *parameters,
	const struct extras *x, struct arm_cells *ret, struct error *err)
{
	struct cell *base, *head;
	size_t n_base, n_head;
	int r;

	r = workload_expand(
		w, merge(a, parameters, x->base_parameters), a, &base, &n_base, err);
	if (r == OK)
		r = workload_expand(
			w, merge(a, parameters, x->head_parameters), a, &head, &n_head, err);
	if (r < 0)
		return r;
	if (n_base != n_head || ret->n < n_head)
		return error_set_field(err, E_UNPROCESSABLE, "/head_parameters",
			"base has %zu cells and head has %zu; both settings must give the same "
			"cells",
			n_base, n_head);
	for (size_t i = 0; i < n_head; i++) {
		if (!same_hooks(&base[i], &head[i]))
			return error_set_field(err, E_UNPROCESSABLE, "/base_parameters",
				"'prepare' or 'conclude' names a parameter that base and head "
				"differ in, and both arms run the same hooks; name it in the "
				"command only");
		head[i].benchmark = ret->cells[i].benchmark;
		head[i].parameters = shared_parameters(a, head[i].parameters, x);
		head[i].suffix = parameters_suffix(a, head[i].parameters);
		head[i].definition_hash = hash_of_pair(a, &base[i], &head[i]);
	}
	ret->cells = head;
	ret->n = n_head;
	ret->base_argv = argv_of(a, base, n_base);
	ret->head_argv = argv_of(a, head, n_head);
	return OK;
}

int job_cells(struct arena *a, const struct workload *w, json_t *parameters,
	const struct extras *x, struct arm_cells *ret, struct error *err)
{
	int r;

	*ret = (struct arm_cells){ 0 };
	r = workload_expand(w, parameters, a, &ret->cells, &ret->n, err);
	if (r < 0)
		return r;
	if (x->base_parameters || x->head_parameters)
		return cells_by_parameters(a, w, parameters, x, ret, err);
	if (x->base_argv && ret->n != 1)
		return error_set_field(err, E_UNPROCESSABLE, "/base_argv",
			"two commands can be compared only in a workload of one cell");
	if (x->base_argv) {
		ret->base_argv = ARENA_ARRAY(a, json_t *, 1);
		ret->head_argv = ARENA_ARRAY(a, json_t *, 1);
		ret->base_argv[0] = x->base_argv;
		ret->head_argv[0] = x->head_argv ? x->head_argv : ret->cells[0].argv;
	}
	return OK;
}

static json_t *arm_json(const char *name, const char *ref, const char *hash)
{
	json_t *o = json_object();

	json_set_str(o, "name", name);
	json_set_str(o, "ref", hash ? NULL : ref);
	json_set_str(o, "hash", hash);
	return o;
}

/* A repository's arms have refs; elsewhere the arms only differ in their commands, and a hash
 * of the head is a label that the worker need not know. */
static json_t *arms_json(
	const struct job *j, const struct extras *x, bool has_repository, bool has_base)
{
	json_t *arms = json_array();

	if (has_base)
		json_array_append_new(
			arms, has_repository ? arm_json("base", j->base_ref, j->base_hash)
					     : arm_json("base", NULL, NULL));
	json_array_append_new(arms, has_repository ? arm_json("head", j->head_ref, j->head_hash)
						   : arm_json("head", NULL, NULL));
	/* Harmless when it is resolved already: an ancestor is its own merge base. */
	if (has_base && has_repository && x->is_merge_base)
		json_set_bool(json_array_get(arms, 0), "merge_base", true);
	if (has_repository && x->finds_branch)
		json_set_bool(json_array_get(arms, has_base), "find_branch", true);
	return arms;
}

static void add_argv_by_arm(json_t *spec, const struct arm_cells *c)
{
	json_t *cells = json_object_get(spec, "cells");

	for (size_t i = 0; i < c->n; i++) {
		json_t *by_arm = c->base_argv ? json_pack("{sO sO}", "base", c->base_argv[i],
							"head", c->head_argv[i])
					      : json_null();

		json_object_set_new(json_array_get(cells, i), "argv_by_arm", by_arm);
	}
}

int queue_job_plan(
	struct arena *a, const struct job *j, struct queue_plan *ret, struct error *err)
{
	json_t *definition, *parameters = NULL;
	struct queue_plan p = { 0 };
	struct arm_cells cells;
	struct extras x;
	int r;

	r = job_definition(a, j, &definition, &x, err);
	if (r == OK && j->parameters_json)
		r = json_parse(
			j->parameters_json, strlen(j->parameters_json), &parameters, err);
	if (r < 0)
		return r;
	if (parameters)
		arena_own_json(a, parameters);
	r = workload_read(definition, a, &p.workload, err);
	if (r == OK)
		r = job_cells(a, &p.workload, parameters, &x, &cells, err);
	if (r < 0)
		return error_prefix(err, "job %s: ", j->uuid);
	p.cells = cells.cells;
	p.n_cells = cells.n;
	p.spec = arena_own_json(a, workload_spec(&p.workload, cells.cells, cells.n));
	p.has_repository = json_object_get(p.spec, "repository") != NULL;
	p.has_base = job_has_base(j, &x);
	p.unless_head = x.unless_head;
	p.is_merge_base = x.is_merge_base;
	p.finds_branch = x.finds_branch;
	p.start_branch = json_get_str(x.start_point, "branch", NULL);
	p.start_hash = json_get_str(x.start_point, "hash", NULL);
	json_set_int(p.spec, "seed", (int64_t)j->seed);
	json_object_set_new(p.spec, "arms", arms_json(j, &x, p.has_repository, p.has_base));
	if (x.paths)
		json_object_set(p.spec, "paths", x.paths);
	if (x.paths_ignore)
		json_object_set(p.spec, "paths_ignore", x.paths_ignore);
	add_argv_by_arm(p.spec, &cells);
	*ret = p;
	return OK;
}
