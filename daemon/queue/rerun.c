/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measuring two commits again, to decide what one run could only suspect. */
#include <string.h>
#include "daemon/queue/internal.h"

/* Only what is in question: other benchmarks of the build would cost time and decide nothing.
 */
static void keep_benchmarks(json_t *definition, const struct rerun_order *what)
{
	json_t *all = json_object_get(definition, "benchmarks"), *kept = json_array(), *v;
	size_t i;

	json_array_foreach (all, i, v)
		for (size_t k = 0; k < what->n_benchmarks; k++)
			if (!strcmp(json_get_str(v, "name", ""), what->benchmarks[k])) {
				json_array_append(kept, v);
				break;
			}
	if (json_array_size(kept))
		json_object_set(definition, "benchmarks", kept);
	json_decref(kept);
}

static json_t *make_body(struct arena *a, const struct job *origin,
	const struct rerun_order *what, json_t *definition, struct error *err)
{
	json_t *body = arena_own_json(a, json_object()), *parameters;

	json_object_set(body, "definition", definition);
	json_set_str(body, "head", what->head_hash);
	json_set_str(body, "base", what->base_hash);
	json_set_opt(body, "branch", origin->branch);
	json_set_opt(body, "testbed", origin->testbed);
	json_set_str(body, "priority", priority_name(PRIORITY_CONFIRM));
	json_object_set_new(body, "protocol",
		json_pack("{sI sb sI}", "processes", (json_int_t)what->processes, "adaptive",
			!what->is_fixed, "max_processes",
			(json_int_t)MIN(1000, 5 * what->processes)));
	if (!origin->parameters_json)
		return body;
	if (json_parse(origin->parameters_json, strlen(origin->parameters_json), &parameters,
		    err) < 0)
		return NULL;
	json_object_set_new(body, "parameters", parameters);
	return body;
}

int queue_file_rerun(struct store *st, struct arena *a, const struct queue_rules *rules,
	const struct job *origin, const struct rerun_order *what, int64_t now_ns,
	struct job *ret, struct error *err)
{
	const struct filing f = {
		.project = origin->project_slug,
		.is_own = true,
		.submitter = "benchd",
		.trigger = "confirm",
		.now_ns = now_ns,
	};
	json_t *definition, *body;
	struct extras x;
	int r;

	r = job_definition(a, origin, &definition, &x, err);
	if (r < 0)
		return r;
	if (what->benchmarks)
		keep_benchmarks(definition, what);
	body = make_body(a, origin, what, definition, err);
	if (!body)
		return error_prefix(err, "job %s: ", origin->uuid);
	r = queue_file_job(st, a, rules, &f, body, ret, err);
	return r < 0 ? error_prefix(err, "the re-run of job %s: ", origin->uuid) : OK;
}
