/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cron rules that file jobs. */
#include "daemon/http/handlers.h"

#include <string.h>
#include "daemon/schedule/schedule.h"

enum { PREVIEW_MOST = 100, PREVIEW_SHOWN = 5 };

static const struct schedule_desk *desk_of(struct request *rq)
{
	return ((const struct app *)request_app(rq))->desk;
}

static int64_t now_of(struct request *rq)
{
	return clock_wall(request_clock(rq));
}

static int find_schedule(struct request *rq, struct store *st, struct project *ret_project,
	struct schedule *ret, struct error *err)
{
	int r = find_project(rq, st, ret_project, err);

	return r < 0 ? r
		     : store_schedule_find(st, request_arena(rq), ret_project->id,
			       request_param(rq, "schedule"), ret, err);
}

static int schedule_json(struct request *rq, struct store *st, const struct schedule *s,
	json_t **ret, struct error *err)
{
	struct firing *last;
	size_t n;
	int r = store_firing_list(st, request_arena(rq), s->id, 1, &last, &n, err);

	if (r == OK)
		*ret = render_schedule(s, n ? last : NULL);
	return r;
}

static int answer_schedule(struct request *rq, struct store *st, int status,
	const struct schedule *s, struct error *err)
{
	json_t *doc;
	int r = schedule_json(rq, st, s, &doc, err);

	return r < 0 ? r : answer_json(rq, status, doc);
}

/* The next slots as people of its time zone write them. */
static int add_upcoming(
	struct request *rq, const struct schedule *s, json_t *o, struct error *err)
{
	struct slot slots[PREVIEW_SHOWN];
	json_t *list = json_array();
	size_t n = 0;
	int r = s->is_paused ? OK
			     : schedule_slots(s, MAX(now_of(rq), s->seen_ns), slots,
				       PREVIEW_SHOWN, &n, err);

	json_object_set_new(o, "upcoming", list);
	for (size_t i = 0; r == OK && i < n; i++) {
		const char *local = schedule_local(s, slots[i].at_ns, request_arena(rq), err);

		if (local)
			json_array_append_new(list, json_string(local));
	}
	return r;
}

int schedules_document(struct request *rq, struct store *st, const struct project *p,
	bool has_upcoming, json_t **ret, struct error *err)
{
	_cleanup_(json_decref)
	json_t *doc = json_array();
	struct schedule *list;
	size_t n = 0;
	int r = store_schedule_list(st, request_arena(rq), p->id, &list, &n, err);

	for (size_t i = 0; r == OK && i < n; i++) {
		json_t *one;

		r = schedule_json(rq, st, &list[i], &one, err);
		if (r == OK)
			json_array_append_new(doc, one);
		if (r == OK && has_upcoming)
			r = add_upcoming(rq, &list[i], one, err);
	}
	if (r == OK)
		*ret = TAKE(doc);
	return r;
}

int get_schedules(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	json_t *doc;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = schedules_document(rq, st, &p, false, &doc, err);
	return r < 0 ? r : answer(rq, 200, DOC_SCHEDULES, doc, err);
}

int get_schedule(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct schedule s;
	int r = find_schedule(rq, st, &p, &s, err);

	return r < 0 ? r : answer_schedule(rq, st, 200, &s, err);
}

/* A job that cannot be filed is refused now, not at night. */
static int check_job(
	struct request *rq, struct store *st, struct schedule *s, struct error *err)
{
	const struct principal *who = request_principal(rq);
	int r;

	s->may_exec = (who->scopes & 1u << S_EXEC) != 0;
	s->submitter = who->name;
	r = schedule_prove(st, request_arena(rq), desk_of(rq), s, now_of(rq), err);
	if (r < 0 && *err->field == '/') {
		char field[sizeof(err->field)];

		snprintf(field, sizeof(field), "/job%.100s", err->field);
		memcpy(err->field, field, sizeof(field));
	}
	return r == E_NOT_FOUND ? (err->code = E_UNPROCESSABLE) : r;
}

static int new_schedule(struct request *rq, struct store *st, const struct project *p,
	struct schedule *s, struct error *err)
{
	json_t *o;
	int r = read_object(rq, &o, err);

	*s = schedule_defaults();
	s->project_id = p->id;
	s->project_slug = p->slug;
	s->seen_ns = s->created_ns = s->modified_ns = now_of(rq);
	if (r == OK)
		r = schedule_read(o, "", request_arena(rq), NULL, s, err);
	if (r == OK)
		r = check_job(rq, st, s, err);
	return r == OK ? schedule_plan(s, err) : r;
}

int post_schedule(struct request *rq, struct store *st, struct error *err)
{
	struct schedule s;
	struct project p;
	int r = request_idempotent(rq, st, err);

	if (r != 0)
		return r < 0 ? r : OK;
	r = ensure_project(rq, st, &p, err);
	if (r == OK)
		r = new_schedule(rq, st, &p, &s, err);
	if (r == OK)
		r = store_schedule_add(st, request_arena(rq), &s, err);
	/* Its jitter depends on the id it has only now. */
	if (r == OK)
		r = schedule_plan(&s, err);
	if (r == OK)
		r = store_schedule_save(st, &s, err);
	if (r < 0)
		return r;
	request_wake(rq, WAKE_SCHEDULE);
	response_headerf(rq, "Location", "/v0/projects/%s/schedules/%s", p.slug, s.uuid);
	return answer_schedule(rq, st, 201, &s, err);
}

/* The file is the place to change what the file says; a pause is no change of it. */
static int check_source(const struct schedule *s, json_t *o, struct error *err)
{
	if (strcmp(s->source, "config") != 0 ||
		(o && json_object_size(o) == 1 && json_object_get(o, "paused")))
		return OK;
	return error_set(err, E_CONFLICT,
		"the schedule '%s' is declared in the configuration: change it there (only "
		"'paused' can be set here)",
		s->name);
}

static int change_schedule(
	struct request *rq, struct store *st, json_t *o, struct schedule *s, struct error *err)
{
	const struct schedule old = *s;
	int r = schedule_read(o, "", request_arena(rq), NULL, s, err);

	if (r == OK && strcmp(old.job_json, s->job_json) != 0)
		r = check_job(rq, st, s, err);
	if (r < 0)
		return r;
	/* Another rule counts from now, and so does one that was paused. */
	if (strcmp(old.cron, s->cron) || strcmp(old.time_zone, s->time_zone) ||
		(old.is_paused && !s->is_paused))
		s->seen_ns = now_of(rq);
	s->modified_ns = now_of(rq);
	return schedule_plan(s, err);
}

int patch_schedule(struct request *rq, struct store *st, struct error *err)
{
	struct schedule s;
	struct project p;
	json_t *o;
	int r = find_schedule(rq, st, &p, &s, err);

	if (r == OK)
		r = read_object(rq, &o, err);
	if (r == OK)
		r = check_source(&s, o, err);
	if (r == OK)
		r = change_schedule(rq, st, o, &s, err);
	if (r == OK)
		r = store_schedule_save(st, &s, err);
	if (r < 0)
		return r;
	request_wake(rq, WAKE_SCHEDULE);
	return answer_schedule(rq, st, 200, &s, err);
}

int delete_schedule(struct request *rq, struct store *st, struct error *err)
{
	struct schedule s;
	struct project p;
	int r = find_schedule(rq, st, &p, &s, err);

	if (r == OK)
		r = check_source(&s, NULL, err);
	if (r == OK)
		r = store_schedule_remove(st, &s, err);
	if (r == OK)
		answer_empty(rq);
	return r;
}

int run_schedule(struct request *rq, struct store *st, struct error *err)
{
	struct schedule s;
	struct firing f;
	struct project p;
	int r = find_schedule(rq, st, &p, &s, err);

	if (r == OK)
		r = schedule_run_now(
			st, request_arena(rq), desk_of(rq), &s, now_of(rq), &f, err);
	if (r < 0)
		return r;
	request_wake(rq, WAKE_QUEUE);
	response_headerf(rq, "Location", "/v0/projects/%s/jobs/%s", p.slug, f.job_uuid);
	return answer_json(rq, 202, render_firing(&f));
}

static json_t *slot_json(struct request *rq, const struct schedule *s, const struct slot *slot)
{
	struct error ignored;
	json_t *o = json_object();

	json_set_time(o, "slot", slot->at_ns);
	json_set_time(o, "due", slot->due_ns);
	json_set_str(o, "local", schedule_local(s, slot->at_ns, request_arena(rq), &ignored));
	return o;
}

int get_schedule_next(struct request *rq, struct store *st, struct error *err)
{
	struct slot slots[PREVIEW_MOST];
	struct schedule s;
	struct project p;
	json_t *doc;
	int64_t n;
	size_t n_found = 0;
	int r = find_schedule(rq, st, &p, &s, err);

	if (r == OK)
		r = request_query_int(rq, "n", 1, PREVIEW_MOST, 5, &n, err);
	if (r == OK && !s.is_paused)
		r = schedule_slots(
			&s, MAX(now_of(rq), s.seen_ns), slots, (size_t)n, &n_found, err);
	if (r < 0)
		return r;
	doc = json_array();
	for (size_t i = 0; i < n_found; i++)
		json_array_append_new(doc, slot_json(rq, &s, &slots[i]));
	return answer(rq, 200, DOC_SLOTS, doc, err);
}

int get_schedule_firings(struct request *rq, struct store *st, struct error *err)
{
	struct firing *list;
	struct schedule s;
	struct project p;
	json_t *doc;
	int64_t limit;
	size_t n;
	int r = find_schedule(rq, st, &p, &s, err);

	if (r == OK)
		r = request_query_int(rq, "limit", 1, 1000, 100, &limit, err);
	if (r == OK)
		r = store_firing_list(st, request_arena(rq), s.id, limit, &list, &n, err);
	if (r < 0)
		return r;
	doc = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(doc, render_firing(&list[i]));
	return answer(rq, 200, DOC_FIRINGS, doc, err);
}
