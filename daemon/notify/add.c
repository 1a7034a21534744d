/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages become rows, in the transaction that is their reason. */
#include <string.h>
#include "base/clock.h"
#include "base/text.h"
#include "daemon/notify/internal.h"
#include "daemon/render/render.h"

static const char *text_of(struct arena *a, json_t *o)
{
	_cleanup_(free)
	char *text = json_text(o);

	return arena_strdup(a, text);
}

static int add(struct store *st, struct arena *a, struct outgoing *o, json_t *body,
	int64_t now_ns, struct error *err)
{
	o->body = text_of(a, arena_own_json(a, body));
	o->created_ns = o->due_ns = now_ns;
	return store_outgoing_add(st, a, o, err);
}

static const char *job_url(const struct notify_rules *n, struct arena *a, const struct job *j)
{
	if (!n->public_url)
		return NULL;
	return arena_printf(
		a, "%s/v0/projects/%s/jobs/%s", n->public_url, j->project_slug, j->uuid);
}

/* --- forges --- */

static int add_status(const struct notify_rules *n, struct store *st, struct arena *a,
	const struct forge *f, const struct job_origin *o, const struct job *j, int64_t now_ns,
	struct error *err)
{
	const char *word = notify_status_word(j);
	const char *context = arena_printf(a, "%s/%s", f->context, o->context);
	struct outgoing row = { .kind = "status",
		.target = f->hook,
		.event = word,
		.job_id = j->id,
		.lane = arena_printf(a, "status:%s:%s:%s", f->hook, o->hash, context) };
	json_t *body = json_object(), *payload = json_object();

	json_set_str(payload, "state", word);
	json_set_str(payload, "context", context);
	json_set_str(payload, "description", notify_status_text(a, j));
	if (n->public_url)
		json_set_str(payload, "target_url",
			arena_printf(a, "%s/projects/%s/jobs/%s", n->public_url,
				j->project_slug, j->uuid));
	json_set_str(body, "repository", o->repository);
	json_set_str(body, "hash", o->hash);
	json_object_set_new(body, "payload", payload);
	return add(st, a, &row, body, now_ns, err);
}

int notify_add_filed(const struct notify_rules *n, struct store *st, struct arena *a,
	const struct job_origin *o, const struct job *j, int64_t now_ns, struct error *err)
{
	const struct forge *f = forge_find(n, o->hook);

	return f && f->wants_status ? add_status(n, st, a, f, o, j, now_ns, err) : OK;
}

/* Silence where nothing is significant: bots that always talk are switched off. A comment that
 * is there is always brought up to date. */
static bool is_worth_a_comment(const struct forge *f, const struct job *j)
{
	return f->comment == COMMENT_ALWAYS || j->outcome == OUTCOME_SLOWER ||
	       j->outcome == OUTCOME_FASTER;
}

static int add_comment(const struct notify_rules *n, struct store *st, struct arena *a,
	const struct forge *f, const struct job_origin *o, const struct job *j, int64_t now_ns,
	struct error *err)
{
	const char *tag = notify_comment_tag(a, j);
	struct outgoing row = { .kind = "comment",
		.target = f->hook,
		.event = j->state == JOB_SUCCEEDED ? outcome_name(j->outcome) : "error",
		.job_id = j->id,
		.lane = arena_printf(
			a, "comment:%s:%lld:%s", f->hook, (long long)o->pull, tag) };
	json_t *body = json_object();

	json_set_str(body, "repository", o->repository);
	json_set_int(body, "pull", o->pull);
	json_set_str(body, "tag", tag);
	json_set_bool(body, "create", is_worth_a_comment(f, j));
	json_set_str(body, "text", notify_comment_text(a, n, j));
	return add(st, a, &row, body, now_ns, err);
}

int notify_add_ended(const struct notify_rules *n, struct store *st, struct arena *a,
	const struct job_origin *o, const struct job *j, int64_t now_ns, struct error *err)
{
	const struct forge *f = forge_find(n, o->hook);
	bool was_dropped = j->state == JOB_CANCELED || j->state == JOB_SUPERSEDED;
	int r = OK;

	if (f && f->wants_status)
		r = add_status(n, st, a, f, o, j, now_ns, err);
	if (r == OK && f && f->comment != COMMENT_NEVER && o->pull && !was_dropped)
		r = add_comment(n, st, a, f, o, j, now_ns, err);
	return r;
}

/* --- webhooks --- */

static bool wants_project(const struct webhook *w, const char *slug)
{
	size_t i;
	json_t *v;

	json_array_foreach (w->projects, i, v)
		if (!strcmp(json_string_value(v), slug))
			return true;
	return !w->projects;
}

/* data is borrowed. */
static int add_webhook(struct store *st, struct arena *a, const struct webhook *w,
	const char *type, int64_t job_id, json_t *data, int64_t now_ns, struct error *err)
{
	struct outgoing row = {
		.kind = "webhook", .target = w->name, .event = type, .job_id = job_id
	};
	json_t *body = json_object();

	json_set_str(body, "type", type);
	json_set_time(body, "timestamp", now_ns);
	json_object_set(body, "data", data);
	return add(st, a, &row, body, now_ns, err);
}

static json_t *job_data(const struct notify_rules *n, struct arena *a, const struct job *j)
{
	json_t *o = arena_own_json(a, json_object());

	json_set_str(o, "project", j->project_slug);
	json_set_str(o, "job", j->uuid);
	json_set_str(o, "workload", j->name);
	json_set_str(o, "state", job_state_name(j->state));
	json_set_str(o, "fault", j->fault == FAULT_NONE ? NULL : job_fault_name(j->fault));
	json_set_str(
		o, "outcome", j->outcome == OUTCOME_NONE ? NULL : outcome_name(j->outcome));
	json_set_str(o, "summary", notify_status_text(a, j));
	json_set_str(o, "branch", j->branch);
	json_set_str(o, "hash", j->head_hash);
	json_set_str(o, "trigger", j->trigger);
	json_set_str(o, "report", j->report_uuid);
	json_set_str(o, "url", job_url(n, a, j));
	return o;
}

int notify_add_job(const struct notify_rules *n, struct store *st, struct arena *a,
	const struct job *j, int64_t now_ns, struct error *err)
{
	json_t *data = job_data(n, a, j);
	int r = OK;

	for (size_t i = 0; r == OK && i < n->n_webhooks; i++) {
		const struct webhook *w = &n->webhooks[i];

		if (w->on_job && wants_project(w, j->project_slug))
			r = add_webhook(st, a, w, "job.finished", j->id, data, now_ns, err);
	}
	return r;
}

static json_t *alert_data(const struct notify_rules *n, struct arena *a, const struct alert *al,
	const char *project_slug)
{
	json_t *o = arena_own_json(a, json_object()), *interval = json_array();

	json_array_append_new(interval, json_real(al->effect_low));
	json_array_append_new(interval, json_real(al->effect_high));
	json_set_str(o, "project", project_slug);
	json_set_str(o, "alert", al->uuid);
	json_set_str(o, "benchmark", al->benchmark.name);
	json_set_str(o, "measure", al->measure.name);
	json_set_str(o, "units", al->measure.units);
	json_set_str(o, "branch", al->branch.name);
	json_set_str(o, "testbed", al->testbed.name);
	json_set_str(o, "hash", al->hash);
	json_set_str(o, "direction", outcome_name(al->direction));
	json_set_real(o, "effect", al->effect);
	json_object_set_new(o, "interval", interval);
	json_set_real(o, "baseline", al->baseline);
	json_set_real(o, "value", al->value);
	json_set_str(o, "url",
		n->public_url ? arena_printf(a, "%s/v0/projects/%s/alerts/%s", n->public_url,
					project_slug, al->uuid)
			      : NULL);
	return o;
}

int notify_add_alert(const struct notify_rules *n, struct store *st, struct arena *a,
	const struct alert *al, const char *project_slug, int64_t now_ns, struct error *err)
{
	json_t *data = alert_data(n, a, al, project_slug);
	int r = OK;

	for (size_t i = 0; r == OK && i < n->n_webhooks; i++) {
		const struct webhook *w = &n->webhooks[i];

		if (w->on_alert && wants_project(w, project_slug))
			r = add_webhook(st, a, w, "alert.confirmed", 0, data, now_ns, err);
	}
	return r;
}
