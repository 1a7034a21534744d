/* SPDX-License-Identifier: GPL-3.0-or-later */
/* queue/ and analysis/ as the handlers see them, with outcomes that a test chooses. */
#include "tests/unit/handlers_fake.h"

#include <math.h>
#include <string.h>

struct fake fake;

int queue_find_workload(struct store *st, struct arena *a, const struct queue_rules *rules,
	int64_t project_id, const char *name, json_t **ret_definition, const char **ret_source,
	struct error *err)
{
	const char *text;
	int r;

	*ret_definition = json_object_get(rules->workloads, name);
	*ret_source = "config";
	if (*ret_definition)
		return OK;
	r = store_workload_find(st, a, project_id, name, &text, err);
	if (r < 0)
		return r;
	*ret_source = "api";
	r = json_parse(text, strlen(text), ret_definition, err);
	arena_own_json(a, *ret_definition);
	return r;
}

int queue_list_workloads(struct store *st, struct arena *a, const struct queue_rules *rules,
	int64_t project_id, const char *const **ret, size_t *ret_n, struct error *err)
{
	return store_workload_list(st, a, project_id, ret, ret_n, err);
}

int queue_file_job(struct store *st, struct arena *a, const struct queue_rules *rules,
	const struct filing *f, json_t *body, struct job *ret, struct error *err)
{
	const char *workload = json_get_str(body, "workload", NULL);
	struct project p;
	int r;

	fake.filing = *f;
	if (!workload)
		return error_set_field(
			err, E_UNPROCESSABLE, "/workload", "'workload' is missing");
	r = f->may_create_project ? store_project_ensure(st, a, f->project, f->now_ns, &p, err)
				  : store_project_find(st, a, f->project, &p, err);
	if (r < 0)
		return r;
	*ret = (struct job){ .project_id = p.id,
		.project_slug = p.slug,
		.name = workload,
		.kind = "kernel",
		.slot = "exclusive",
		.definition_json = "{}",
		.state = JOB_QUEUED,
		.priority = PRIORITY_MANUAL,
		.testbed = "bench01",
		.trigger = f->trigger,
		.submitter = f->submitter,
		.seed = 1,
		.max_attempts = 3,
		.created_ns = f->now_ns,
		.queued_ns = f->now_ns };
	return store_job_add(st, a, ret, err);
}

size_t queue_take_touched(struct arena *a, const struct touched_job **ret)
{
	return 0;
}

int queue_cancel(struct store *st, struct arena *a, const char *uuid, const char *by,
	int64_t now_ns, struct job *ret, struct error *err)
{
	int r = store_job_find(st, a, uuid, ret, err);

	if (r < 0)
		return r;
	if (job_state_is_final(ret->state))
		return error_set(err, E_CONFLICT, "job '%s' is %s already", uuid,
			job_state_name(ret->state));
	ret->state = JOB_CANCELED;
	ret->finished_ns = now_ns;
	return store_job_save(st, ret, -1, err);
}

int analysis_match_sides(struct store *st, struct arena *a, const struct side_refs *refs,
	struct report *base, struct report *head, struct error *err)
{
	return OK;
}

int analysis_find_report(struct store *st, struct arena *a, int64_t project_id, const char *ref,
	const char *branch, const char *testbed, struct report *ret, struct error *err)
{
	return store_report_find(st, a, project_id, ref, ret, err);
}

int analysis_compare(struct store *st, struct arena *a, const struct report *base,
	const struct report *head, const struct compare_rules *rules,
	struct report_comparison *ret, struct error *err)
{
	fake.rules = *rules;
	*ret = (struct report_comparison){
		.base = *base, .head = *head, .outcome = fake.outcome
	};
	return OK;
}

int analysis_compare_job(struct store *st, struct arena *a, const struct job *j,
	const struct compare_rules *rules, struct report_comparison *ret, struct error *err)
{
	return error_set(err, E_NOT_FOUND, "job '%s' compared nothing", j->uuid);
}

json_t *analysis_control(struct arena *a, const struct job *j)
{
	return NULL;
}

json_t *analysis_comparison_json(const struct report_comparison *c)
{
	return json_pack("{s{ss}s{ss}sss[]}", "base", "report", c->base.uuid, "head", "report",
		c->head.uuid, "outcome", outcome_name(c->outcome), "rows");
}

int analysis_gate(struct store *st, struct arena *a, const struct report_comparison *c,
	struct gate *ret, struct error *err)
{
	*ret = (struct gate){ .outcome = fake.gate, .comparison = c->outcome };
	return OK;
}

int analysis_gate_report(struct store *st, struct arena *a, const struct report *r,
	struct gate *ret, struct error *err)
{
	*ret = (struct gate){ .outcome = fake.gate, .comparison = OUTCOME_NONE };
	return OK;
}

int analysis_gate_job(struct store *st, struct arena *a, const struct job *j,
	const struct compare_rules *rules, struct gate *ret, struct error *err)
{
	if (!job_state_is_final(j->state))
		return error_set(err, E_CONFLICT, "job '%s' is not final", j->uuid);
	*ret = (struct gate){ .outcome = GATE_ERROR, .comparison = OUTCOME_UNKNOWN };
	return OK;
}

json_t *analysis_gate_json(const struct gate *g)
{
	return json_pack("{sss[]}", "outcome", gate_outcome_name(g->outcome), "rules");
}

int analysis_history(struct store *st, struct arena *a, const struct series *s, int64_t max,
	struct history *ret, struct error *err)
{
	*ret = (struct history){ .series = *s };
	return store_series_points(st, a, s->id, max, &ret->points, &ret->n_points, err);
}

json_t *analysis_history_json(const struct history *h)
{
	return json_pack("{s[]s[]s{}}", "segments", "changes", "boundary");
}

int queue_approve(struct store *st, struct arena *a, const char *uuid, const char *head,
	const char *by, int64_t now_ns, struct job *ret, struct error *err)
{
	return store_job_find(st, a, uuid, ret, err);
}

int queue_device_find(struct store *st, struct arena *a, const char *testbed, const char *name,
	struct device *ret, struct error *err)
{
	return store_device_find_uuid(st, a, testbed, name, ret, err);
}

int queue_device_clear(struct store *st, struct arena *a, const char *testbed, const char *name,
	const char *by, const char *note, int64_t now_ns, struct device *ret, struct error *err)
{
	int r = store_device_find_uuid(st, a, testbed, name, ret, err);

	if (r < 0)
		return r;
	ret->state = DEVICE_OK;
	ret->cleared_ns = now_ns;
	ret->cleared_by = by;
	return store_device_save(st, ret, err);
}
