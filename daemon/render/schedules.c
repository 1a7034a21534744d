/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Schedules and their firings as JSON. */
#include "daemon/render/internal.h"

#include "base/clock.h"

static void set_seconds(json_t *o, const char *key, int64_t ns)
{
	json_set_real(o, key, (double)ns / (double)NS_PER_S);
}

json_t *render_firing(const struct firing *f)
{
	json_t *o = json_object();

	json_set_time(o, "slot", f->slot_ns);
	json_set_time(o, "fired", f->fired_ns);
	json_set_str(o, "state", firing_state_name(f->state));
	json_set_bool(o, "manual", f->is_manual);
	json_set_int(o, "missed", f->n_missed);
	json_set_str(o, "job", f->job_uuid);
	json_set_str(o, "job_state", f->job_state);
	json_set_str(o, "reason", f->reason);
	return o;
}

json_t *render_schedule(const struct schedule *s, const struct firing *last)
{
	json_t *o = json_object(), *job = stored_json(s->job_json);

	json_set_str(o, "uuid", s->uuid);
	json_set_str(o, "project", s->project_slug);
	json_set_str(o, "name", s->name);
	json_set_str(o, "cron", s->cron);
	json_set_str(o, "time_zone", s->time_zone);
	json_set_str(o, "misfire", misfire_name(s->misfire));
	json_set_str(o, "overlap", overlap_name(s->overlap));
	set_seconds(o, "grace", s->grace_ns);
	set_seconds(o, "jitter", s->jitter_ns);
	json_set_bool(o, "paused", s->is_paused);
	json_set_bool(o, "only_new", s->only_new);
	json_set_str(o, "source", s->source);
	json_set_str(o, "submitter", s->submitter);
	json_set_str(o, "workload", json_get_str(job, "workload", NULL));
	json_object_set_new(o, "job", job);
	json_set_time(o, "next_slot", s->is_paused ? 0 : s->slot_ns);
	json_set_time(o, "next", s->is_paused ? 0 : s->due_ns);
	json_set_time(o, "created", s->created_ns);
	json_set_time(o, "modified", s->modified_ns);
	json_object_set_new(o, "last", last ? render_firing(last) : json_null());
	return o;
}
