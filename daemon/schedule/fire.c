/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every slot once: the row of the slot and the job it files are one transaction, and the row is
 * unique, so there is no instant at which a kill could lose or double a firing. */
#include "daemon/schedule/schedule.h"

#include <string.h>
#include "base/clock.h"
#include "base/failpoint.h"

struct firer {
	struct store *st;
	struct arena *a;
	const struct schedule_desk *desk;
	int64_t now_ns;
	struct error *err;
};

static int read_job(struct firer *f, const struct schedule *s, json_t **ret)
{
	int r = json_parse(s->job_json, strlen(s->job_json), ret, f->err);

	if (r == OK)
		arena_own_json(f->a, *ret);
	return r;
}

/* The commit that the firing before measured, if its job did. */
static int add_known(struct firer *f, const struct schedule *s, json_t *body)
{
	struct firing before;
	struct job j;
	int r = store_firing_previous(f->st, f->a, s->id, &before, f->err);

	if (r == OK)
		r = store_job_get(f->st, f->a, before.job_id, &j, f->err);
	if (r == E_NOT_FOUND)
		return OK;
	/* That one found no new commit either: what it knew holds. */
	if (r == OK && j.head_hash && !strcmp(j.kind, "build") &&
		(j.state == JOB_SUCCEEDED || j.state == JOB_CANCELED))
		json_set_str(body, "unless_head", j.head_hash);
	return r;
}

static int file_job(struct firer *f, const struct schedule *s, bool is_manual, struct job *ret)
{
	json_t *body;
	int r = read_job(f, s, &body);

	if (r == OK && s->only_new && !is_manual)
		r = add_known(f, s, body);

	return r < 0 ? r
		     : f->desk->file(
			       f->desk->arg, f->st, f->a, s, body, f->now_ns, ret, f->err);
}

/* What is no fault of the schedule must not use up its slot. */
static bool is_passing(int code)
{
	return code == E_UNAVAILABLE || code == E_DB || code == E_STORAGE_FULL;
}

/* Nothing of a job that cannot be filed stays behind, but the reason does. */
static int file_for(struct firer *f, const struct schedule *s, struct firing *row)
{
	struct job job;
	int r;

	r = store_savepoint(f->st, f->err);
	if (r < 0)
		return r;
	r = file_job(f, s, false, &job);
	if (r == OK) {
		row->job_id = job.id;
		row->job_uuid = job.uuid;
		row->state = FIRING_FILED;
		return store_release(f->st, f->err);
	}
	store_rollback_to(f->st);
	if (is_passing(r))
		return r;
	row->state = FIRING_FAILED;
	row->reason = arena_strdup(f->a, f->err->text);
	return OK;
}

static bool is_over(const struct firing *f)
{
	int state = f->job_state ? job_state_parse(f->job_state) : -1;

	return state < 0 || job_state_is_final((enum job_state)state);
}

/* The job of the firing before: does it let this one through? */
static int make_way(struct firer *f, const struct schedule *s, struct firing *row, bool *ret_go)
{
	struct firing before;
	int r;

	*ret_go = true;
	if (s->overlap == OVERLAP_ALLOW)
		return OK;
	r = store_firing_previous(f->st, f->a, s->id, &before, f->err);
	if (r == E_NOT_FOUND || (r == OK && is_over(&before)))
		return OK;
	if (r < 0)
		return r;
	if (s->overlap == OVERLAP_SUPERSEDE)
		return f->desk->supersede(f->desk->arg, f->st, f->a, before.job_uuid,
			arena_printf(f->a, "superseded by the next firing of schedule '%s'",
				s->name),
			f->now_ns, f->err);
	*ret_go = false;
	row->state = FIRING_SKIPPED;
	row->reason = arena_printf(f->a, "job %s of the firing before is still %s",
		before.job_uuid, before.job_state);
	return OK;
}

static int fire(struct firer *f, const struct schedule *s, struct firing *row)
{
	bool go;
	int r;

	r = make_way(f, s, row, &go);
	if (r == OK && go)
		r = file_for(f, s, row);
	return r == OK ? store_firing_save(f->st, row, f->err) : r;
}

static const char *late_text(struct firer *f, int64_t late_ns)
{
	char text[TIME_TEXT];

	return arena_printf(f->a,
		"nobody was there: benchd was not running, the host slept or its clock was "
		"set; "
		"%s late",
		duration_format((double)late_ns, text));
}

/* The newest slot that is due; those before it are only counted. */
static int deal_with(struct firer *f, const struct schedule *s, const struct arrears *due,
	struct schedule_tally *tally)
{
	int64_t late = f->now_ns - due->newest.due_ns;
	struct firing row = { .schedule_id = s->id,
		.slot_ns = due->newest.at_ns,
		.fired_ns = f->now_ns,
		.n_missed = due->n_before,
		.state = FIRING_MISSED,
		.reason = "" };
	bool is_missed = late > s->grace_ns && s->misfire == MISFIRE_SKIP;
	int r;

	if (is_missed)
		row.reason = late_text(f, late);
	r = store_firing_add(f->st, &row, f->err);
	if (r == E_CONFLICT)
		return OK; /* the clock was set back: this slot fired in an earlier pass */
	failpoint("schedule.row");
	if (r == OK && !is_missed)
		r = fire(f, s, &row);
	if (r < 0)
		return r;
	failpoint("schedule.filed");
	tally->n_filed += row.state == FIRING_FILED;
	tally->n_failed += row.state == FIRING_FAILED;
	tally->n_missed += due->n_before + is_missed;
	if (row.state == FIRING_FILED && late > tally->lag_ns)
		tally->lag_ns = late;
	return OK;
}

static int advance(struct firer *f, struct schedule *s, struct schedule_tally *tally)
{
	struct arrears due = { 0 };
	int r = OK;

	/* Set back: what lies between now and what was seen comes again, and rows tell which of
	 * it has been dealt with. */
	if (s->seen_ns > f->now_ns)
		s->seen_ns = f->now_ns;
	else
		r = schedule_arrears(s, f->now_ns, &due, f->err);
	if (r == OK && due.newest.at_ns) {
		r = deal_with(f, s, &due, tally);
		s->seen_ns = due.newest.at_ns;
	}
	if (r == OK)
		r = schedule_plan(s, f->err);
	return r == OK ? store_schedule_save(f->st, s, f->err) : r;
}

static int in_savepoint(struct firer *f, struct schedule *s, struct schedule_tally *tally)
{
	int r = store_savepoint(f->st, f->err);

	if (r == OK)
		r = advance(f, s, tally);
	if (r == OK)
		return store_release(f->st, f->err);
	store_rollback_to(f->st);
	return r;
}

static int advance_all(
	struct firer *f, struct schedule *list, size_t n, struct schedule_tally *tally)
{
	int r = OK;

	for (size_t i = 0; r == OK && i < n; i++) {
		r = in_savepoint(f, &list[i], tally);
		if (r == E_UNAVAILABLE) { /* the others may fit */
			tally->is_held = true;
			r = OK;
		}
	}
	return r;
}

int schedule_tick(struct store *st, struct arena *a, const struct schedule_desk *desk,
	int64_t now_ns, struct schedule_tally *ret, struct error *err)
{
	struct firer f = { .st = st, .a = a, .desk = desk, .now_ns = now_ns, .err = err };
	struct schedule *list;
	size_t n;
	int r;

	*ret = (struct schedule_tally){ 0 };
	r = store_schedule_ahead(st, a, now_ns, &list, &n, err);
	if (r == OK)
		r = advance_all(&f, list, n, ret);
	if (r == OK)
		r = store_schedule_due(st, a, now_ns, &list, &n, err);
	if (r == OK)
		r = advance_all(&f, list, n, ret);
	return r == OK ? store_schedule_earliest(st, &ret->next_due_ns, err) : r;
}

int schedule_run_now(struct store *st, struct arena *a, const struct schedule_desk *desk,
	const struct schedule *s, int64_t now_ns, struct firing *ret, struct error *err)
{
	struct firer f = { .st = st, .a = a, .desk = desk, .now_ns = now_ns, .err = err };
	struct job job;
	int r;

	r = file_job(&f, s, true, &job);
	if (r < 0)
		return r;
	*ret = (struct firing){ .schedule_id = s->id,
		.slot_ns = now_ns,
		.fired_ns = now_ns,
		.is_manual = true,
		.state = FIRING_FILED,
		.reason = "",
		.job_id = job.id,
		.job_uuid = job.uuid,
		.job_state = job_state_name(job.state) };
	do
		r = store_firing_add(st, ret, err);
	while (r == E_CONFLICT && ret->slot_ns++ < INT64_MAX);
	return r;
}

int schedule_prove(struct store *st, struct arena *a, const struct schedule_desk *desk,
	const struct schedule *s, int64_t now_ns, struct error *err)
{
	struct firer f = { .st = st, .a = a, .desk = desk, .now_ns = now_ns, .err = err };
	struct job job;
	int r;

	r = store_savepoint(st, err);
	if (r < 0)
		return r;
	r = file_job(&f, s, true, &job);
	store_rollback_to(st);
	return r;
}

/* --- the rows of the configuration --- */

static int find_or_ensure(struct firer *f, const char *project, struct project *ret)
{
	return store_project_ensure(
		f->st, f->a, project ? project : "default", f->now_ns, ret, f->err);
}

static bool same_rule(const struct schedule *a, const struct schedule *b)
{
	return !strcmp(a->cron, b->cron) && !strcmp(a->time_zone, b->time_zone);
}

static int put_row(struct firer *f, struct schedule *s, const struct schedule *old)
{
	s->modified_ns = f->now_ns;
	s->seen_ns = old && same_rule(s, old) ? old->seen_ns : f->now_ns;
	if (old) {
		s->id = old->id;
		s->uuid = old->uuid;
		s->created_ns = old->created_ns;
		s->is_paused = old->is_paused;
	} else {
		s->created_ns = f->now_ns;
	}
	if (schedule_plan(s, f->err) < 0)
		return f->err->code;
	return old ? store_schedule_save(f->st, s, f->err)
		   : store_schedule_add(f->st, f->a, s, f->err);
}

static int sync_one(struct firer *f, const char *name, json_t *o)
{
	struct schedule s = schedule_defaults(), old;
	const char *project = NULL;
	struct project p;
	int r;

	s.name = name;
	s.source = "config";
	s.submitter = "config";
	s.may_exec = true;
	r = schedule_read(o, "", f->a, &project, &s, f->err);
	if (r == OK)
		r = find_or_ensure(f, project, &p);
	if (r < 0)
		return r;
	s.project_id = p.id;
	r = store_schedule_find(f->st, f->a, p.id, name, &old, f->err);
	if (r == OK && strcmp(old.source, "config") != 0)
		return error_set(f->err, E_CONFLICT,
			"the schedule '%s' of project '%s' was made through the API; remove "
			"that "
			"one, or give the one of the configuration another name",
			name, p.slug);
	return r == OK || r == E_NOT_FOUND ? put_row(f, &s, r == OK ? &old : NULL) : r;
}

static bool is_in(json_t *from_config, const struct schedule *s)
{
	json_t *o = json_object_get(from_config, s->name);

	return o && !strcmp(json_get_str(o, "project", "default"), s->project_slug);
}

/* Gone from the file, or planned by rules that the host may have changed. */
static int review(struct firer *f, json_t *from_config, struct schedule *s)
{
	bool is_config = !strcmp(s->source, "config");
	struct error ignored;

	if (is_config && !is_in(from_config, s))
		return store_schedule_remove(f->st, s, f->err);
	/* A zone that is no longer known: the schedule stays, and says so when it is asked. */
	if (is_config || schedule_plan(s, &ignored) < 0)
		return OK;
	return store_schedule_save(f->st, s, f->err);
}

int schedule_sync(struct store *st, struct arena *a, json_t *from_config, int64_t now_ns,
	struct error *err)
{
	struct firer f = { .st = st, .a = a, .now_ns = now_ns, .err = err };
	struct schedule *list;
	const char *name;
	json_t *o;
	size_t n;
	int r;

	r = store_schedule_list(st, a, 0, &list, &n, err);
	for (size_t i = 0; r == OK && i < n; i++)
		r = review(&f, from_config, &list[i]);
	json_object_foreach (from_config, name, o)
		if (r == OK)
			r = sync_one(&f, name, o);
	return r;
}
