/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Definitions of what can be run (docs/workloads.md). */
#include "daemon/http/handlers.h"

#include <string.h>

static const struct queue_rules *rules_of(struct request *rq)
{
	const struct app *app = request_app(rq);

	return app->rules(app->arg);
}

static bool has_tag(json_t *definition, const char *tag)
{
	size_t i;
	json_t *t;

	json_array_foreach (json_object_get(definition, "tags"), i, t)
		if (!strcmp(json_string_value(t) ? json_string_value(t) : "", tag))
			return true;
	return false;
}

/* "nightly" has the tag, "!large" has it not. */
static bool tag_matches(struct request *rq, json_t *definition)
{
	const char *tag = request_query(rq, "tag");

	if (!tag || !*tag)
		return true;
	return *tag == '!' ? !has_tag(definition, tag + 1) : has_tag(definition, tag);
}

static json_t *workload_json(const char *name, json_t *definition, const char *source)
{
	json_t *o = json_object(), *tags = json_object_get(definition, "tags");

	json_set_str(o, "name", name);
	json_set_str(o, "kind", json_get_str(definition, "kind", NULL));
	json_set_str(o, "description", json_get_str(definition, "description", ""));
	json_object_set_new(o, "tags", tags ? json_incref(tags) : json_array());
	json_set_str(o, "source", source);
	json_object_set(o, "definition", definition);
	return o;
}

int get_workloads(struct request *rq, struct store *st, struct error *err)
{
	_cleanup_(json_decref)
	json_t *doc = json_array();
	const char *const *names;
	struct project p;
	size_t n;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = queue_list_workloads(
			st, request_arena(rq), rules_of(rq), p.id, &names, &n, err);
	for (size_t i = 0; r == OK && i < n; i++) {
		json_t *definition;
		const char *source;

		r = queue_find_workload(st, request_arena(rq), rules_of(rq), p.id, names[i],
			&definition, &source, err);
		if (r == OK && tag_matches(rq, definition))
			json_array_append_new(doc, workload_json(names[i], definition, source));
	}
	return r < 0 ? r : answer(rq, 200, DOC_WORKLOADS, TAKE(doc), err);
}

static int find_workload(struct request *rq, struct store *st, struct project *p,
	json_t **ret_definition, const char **ret_source, struct error *err)
{
	int r = find_project(rq, st, p, err);

	if (r < 0)
		return r;
	return queue_find_workload(st, request_arena(rq), rules_of(rq), p->id,
		request_param(rq, "name"), ret_definition, ret_source, err);
}

int get_workload(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	json_t *definition;
	const char *source;
	int r = find_workload(rq, st, &p, &definition, &source, err);

	return r < 0 ? r
		     : answer_json(rq, 200,
			       workload_json(request_param(rq, "name"), definition, source));
}

/* The name in the body may be left out; when it is given it must be that of the path. */
static int name_definition(struct request *rq, json_t *definition, struct error *err)
{
	const char *name = request_param(rq, "name");
	const char *given = json_get_str(definition, "name", NULL);

	if (given && strcmp(given, name))
		return error_set_field(err, E_UNPROCESSABLE, "/name",
			"the body is named '%.64s', the path '%.64s'", given, name);
	json_set_str(definition, "name", name);
	return OK;
}

int put_workload(struct request *rq, struct store *st, struct error *err)
{
	struct arena *a = request_arena(rq);
	_cleanup_(free)
	char *text = NULL;
	struct project p;
	struct workload w;
	struct cell *cells;
	json_t *definition;
	size_t n;
	int r = ensure_project(rq, st, &p, err);

	if (r == OK)
		r = read_object(rq, &definition, err);
	if (r == OK)
		r = name_definition(rq, definition, err);
	if (r == OK)
		r = workload_read(definition, a, &w, err);
	/* Expanding proves that every placeholder has a parameter. Suites name other
	 * workloads, which may come later. */
	if (r == OK && w.kind != WORKLOAD_SUITE)
		r = workload_expand(&w, NULL, a, &cells, &n, err);
	if (r < 0)
		return r;
	text = json_canonical(definition);
	r = store_workload_save(st, p.id, w.name, text, clock_wall(request_clock(rq)), err);
	return r < 0 ? r : answer_json(rq, 200, workload_json(w.name, definition, "api"));
}

int delete_workload(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = store_workload_remove(st, p.id, request_param(rq, "name"), err);
	if (r == OK)
		answer_empty(rq);
	return r;
}

static json_t *cell_json(const struct cell *c)
{
	json_t *o = json_object();

	json_set_str(o, "id", c->id);
	json_set_str(o, "benchmark", c->benchmark);
	json_object_set(o, "argv", c->argv);
	json_object_set(o, "parameters", c->parameters);
	json_set_str(o, "adapter", c->adapter);
	json_set_str(o, "definition_hash", c->definition_hash);
	return o;
}

/* ?parameters={"size":"64Mi"}: what a job would override. */
static int read_parameters(struct request *rq, json_t **ret, struct error *err)
{
	const char *text = request_query(rq, "parameters");
	int r;

	*ret = NULL;
	if (!text || !*text)
		return OK;
	r = json_parse(text, strlen(text), ret, err);
	if (r < 0)
		return error_set_field(err, E_BAD_REQUEST, "parameters",
			"'parameters' of the query is not JSON");
	arena_own_json(request_arena(rq), *ret);
	if (!json_is_object(*ret))
		return error_set_field(err, E_BAD_REQUEST, "parameters",
			"'parameters' of the query must be a JSON object");
	return OK;
}

int get_cells(struct request *rq, struct store *st, struct error *err)
{
	struct arena *a = request_arena(rq);
	struct project p;
	struct workload w;
	struct cell *cells;
	json_t *definition, *parameters, *doc;
	const char *source;
	size_t n;
	int r = find_workload(rq, st, &p, &definition, &source, err);

	if (r == OK)
		r = read_parameters(rq, &parameters, err);
	if (r == OK)
		r = workload_read(definition, a, &w, err);
	if (r == OK && w.kind == WORKLOAD_SUITE)
		return error_set(err, E_UNPROCESSABLE,
			"'%s' is a suite: ask for the cells of its workloads", w.name);
	if (r == OK)
		r = workload_expand(&w, parameters, a, &cells, &n, err);
	if (r < 0)
		return r;
	doc = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(doc, cell_json(&cells[i]));
	return answer(rq, 200, DOC_CELLS, doc, err);
}
