/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs, their events and processes as JSON. */
#include "daemon/render/internal.h"

#include <string.h>

static json_t *ref_json(const char *ref, const char *hash)
{
	json_t *o;

	if (!ref && !hash)
		return json_null();
	o = json_object();
	json_set_str(o, "ref", ref);
	json_set_str(o, "hash", hash);
	return o;
}

static void set_link(json_t *o, const char *key, const char *base, const struct job *j,
	const char *what, const char *id, const char *rest)
{
	char text[512];

	snprintf(text, sizeof(text), "%s/v0/projects/%s/%s%s%s", base, j->project_slug, what,
		id ? id : "", rest);
	json_set_str(o, key, text);
}

static json_t *links_json(const struct job *j, const char *base)
{
	json_t *o = json_object();
	bool done = job_state_is_final(j->state);

	set_link(o, "self", base, j, "jobs/", j->uuid, "");
	set_link(o, "events", base, j, "jobs/", j->uuid, "/events");
	set_link(o, "log", base, j, "jobs/", j->uuid, "/log");
	set_link(o, "processes", base, j, "jobs/", j->uuid, "/processes");
	if (j->report_uuid)
		set_link(o, "report", base, j, "reports/", j->report_uuid, "");
	if (j->report_uuid && j->base_report_uuid)
		set_link(o, "compare", base, j, "compare?job=", j->uuid, "");
	if (!done)
		set_link(o, "cancel", base, j, "jobs/", j->uuid, "/cancel");
	return o;
}

/* Why a job that does not run yet waits. */
static const char *waiting_reason(const struct job *j, int64_t position, char out[128])
{
	switch (j->state) {
	case JOB_AWAITING_APPROVAL:
		return "a person has to approve it";
	case JOB_BLOCKED:
		return "the jobs it depends on are not finished";
	case JOB_WAITING_HOST:
		return "no worker for its testbed is connected";
	case JOB_RETRY_WAIT:
		return "it is tried again after a pause";
	case JOB_QUEUED:
		if (position > 1)
			snprintf(out, 128, "%lld job%s before it", (long long)position - 1,
				position == 2 ? " is" : "s are");
		else
			snprintf(out, 128, "it is the next one");
		return out;
	default:
		return NULL;
	}
}

static void set_waiting(json_t *o, const struct job *j, int64_t position)
{
	char text[128];
	const char *why = waiting_reason(j, position, text);

	if (why && j->reason && *j->reason)
		why = j->reason; /* the queue knows better */
	json_set_str(o, "waiting", why);
}

static void set_refs(json_t *o, const struct job *j)
{
	json_set_str(o, "branch", j->branch ? j->branch : "main");
	json_set_str(o, "testbed", j->testbed);
	json_object_set_new(o, "base", ref_json(j->base_ref, j->base_hash));
	json_object_set_new(o, "head", ref_json(j->head_ref, j->head_hash));
	json_object_set_new(o, "parameters", stored_json(j->parameters_json));
	json_set_str(o, "report", j->report_uuid);
	json_set_str(o, "base_report", j->base_report_uuid);
}

json_t *render_job(const struct job *j, int64_t position, const char *base)
{
	json_t *o = json_object(), *progress = json_object();

	json_set_str(o, "uuid", j->uuid);
	json_set_str(o, "project", j->project_slug);
	json_set_str(o, "workload", j->name);
	json_set_str(o, "kind", j->kind);
	json_set_str(o, "state", job_state_name(j->state));
	json_set_str(o, "phase", j->phase ? j->phase : "");
	json_set_str(o, "fault", j->fault == FAULT_NONE ? NULL : job_fault_name(j->fault));
	json_set_str(o, "reason", j->reason ? j->reason : "");
	json_set_str(o, "priority", priority_name(j->priority));
	json_set_int(o, "position", position);
	json_set_int(progress, "done", j->n_done);
	json_set_int(progress, "total", j->n_total);
	json_object_set_new(o, "progress", progress);
	set_refs(o, j);
	json_set_int(o, "attempt", j->attempt);
	/* Above 2^53 a number would not survive JavaScript. */
	if (j->seed <= 1ULL << 53)
		json_set_int(o, "seed", (int64_t)j->seed);
	else
		json_object_set_new(
			o, "seed", json_sprintf("%llu", (unsigned long long)j->seed));
	json_set_str(
		o, "outcome", j->outcome == OUTCOME_NONE ? NULL : outcome_name(j->outcome));
	json_set_str(o, "submitter", j->submitter);
	json_set_str(o, "trigger", j->trigger);
	json_set_time(o, "created", j->created_ns);
	json_set_time(o, "queued", j->queued_ns);
	json_set_time(o, "started", j->started_ns);
	json_set_time(o, "finished", j->finished_ns);
	set_waiting(o, j, position);
	json_object_set_new(o, "links", links_json(j, base));
	return o;
}

json_t *render_artifact(const struct artifact *f)
{
	json_t *o = json_object();

	json_set_str(o, "name", f->name);
	json_set_str(o, "arm", f->arm);
	json_set_int(o, "bytes", f->n_bytes);
	json_set_str(o, "sha256", f->sha256);
	json_set_time(o, "created", f->created_ns);
	return o;
}

json_t *render_job_event(const struct job_event *e)
{
	json_t *o = json_object();

	json_set_int(o, "id", e->id);
	json_set_time(o, "time", e->time_ns);
	json_set_str(o, "kind", e->kind);
	json_object_set_new(o, "data", stored_json(e->data_json));
	return o;
}

json_t *render_process(const struct process *p)
{
	json_t *o = stored_json(p->record_json);

	if (!json_is_object(o)) {
		json_decref(o);
		o = json_object();
	}
	json_set_int(o, "seq", p->seq);
	json_set_int(o, "index", p->index);
	json_set_str(o, "cell", p->cell);
	json_set_str(o, "arm", arm_name(p->arm));
	json_set_int(o, "block", p->block);
	json_set_int(o, "order", p->order);
	json_set_int(o, "attempt", p->attempt);
	json_set_str(o, "noise", noise_name(p->noise));
	json_set_bool(o, "replaced", p->replaced);
	json_set_bool(o, "steady", p->steady);
	json_set_str(o, "termination", p->termination);
	return o;
}

static json_t *reals(const double *v, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_real(v[i]));
	return list;
}

json_t *render_process_values(const struct series_values *v)
{
	json_t *o = json_object();

	json_set_str(o, "benchmark", v->benchmark);
	json_set_str(o, "measure", v->measure);
	json_set_str(o, "unit", v->unit);
	json_set_str(o, "better", better_name(v->better));
	json_object_set_new(o, "samples", reals(v->samples, v->n_samples));
	json_object_set_new(o, "warmup", reals(v->warmup, v->n_warmup));
	json_set_real(o, "value", v->value);
	return o;
}
