/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filing, watching and cancelling jobs. */
#include "daemon/http/handlers.h"

#include <string.h>
#include "base/secret.h"

static const struct queue_rules *rules_of(struct request *rq)
{
	const struct app *app = request_app(rq);

	return app->rules(app->arg);
}

/* What is told to those who watch a job, and to those who only wait for its end: they would be
 * woken in vain by each of its steps. */
static char *job_key(struct request *rq, const char *uuid)
{
	return arena_printf(request_arena(rq), "job:%s", uuid);
}

static char *end_key(struct request *rq, const char *uuid)
{
	return arena_printf(request_arena(rq), "end:%s", uuid);
}

/* Those who wait for jobs that ended along with this one, as far as there is room. */
static void notify_touched(struct request *rq)
{
	const struct touched_job *list;
	size_t n = queue_take_touched(request_arena(rq), &list);

	for (size_t i = 0; i < MIN(n, (size_t)30); i++) {
		request_notify(rq, job_key(rq, list[i].uuid));
		if (list[i].is_final)
			request_notify(rq, end_key(rq, list[i].uuid));
	}
}

int find_path_job(struct request *rq, struct store *st, struct project *ret_project,
	struct job *ret, struct error *err)
{
	const char *uuid = request_param(rq, "job");
	int r = find_project(rq, st, ret_project, err);

	if (r == OK)
		r = store_job_find(st, request_arena(rq), uuid, ret, err);
	if (r == OK && ret->project_id != ret_project->id)
		return error_set(err, E_NOT_FOUND, "there is no job '%.40s' in project '%s'",
			uuid, ret_project->slug);
	return r;
}

int job_json(struct request *rq, struct store *st, const struct job *j, json_t **ret,
	struct error *err)
{
	int64_t position = 0;
	int r = OK;

	if (j->state == JOB_QUEUED)
		r = store_job_position(st, j->id, &position, err);
	if (r == OK)
		*ret = render_job(j, position, request_public_url(rq));
	return r;
}

/* What a job waits for or waited for: the members of a suite, the jobs of depends_on. */
static int load_awaited(struct request *rq, struct store *st, const struct job *j,
	struct job **ret, size_t *ret_n, struct error *err)
{
	int64_t *ids;
	int r = store_job_awaited(st, request_arena(rq), j->id, &ids, ret_n, err);

	if (r != OK)
		return r;
	*ret = arena_alloc(request_arena(rq), (*ret_n + 1) * sizeof(**ret));
	for (size_t i = 0; r == OK && i < *ret_n; i++)
		r = store_job_get(st, request_arena(rq), ids[i], &(*ret)[i], err);
	return r;
}

static int add_awaited(struct request *rq, struct store *st, const struct job *j, json_t *doc,
	struct error *err)
{
	json_t *list = json_array();
	struct job *on = NULL;
	size_t n = 0;
	int r = load_awaited(rq, st, j, &on, &n, err);

	for (size_t i = 0; r == OK && i < n; i++) {
		json_t *o = json_object();

		json_set_str(o, "uuid", on[i].uuid);
		json_set_str(o, "workload", on[i].name);
		json_set_str(o, "state", job_state_name(on[i].state));
		json_set_str(o, "report", on[i].report_uuid);
		json_array_append_new(list, o);
	}
	json_object_set_new(doc, "awaits", list);
	return r;
}

/* For people a finished job carries its report and its comparison. */
static int add_results(struct request *rq, struct store *st, const struct project *p,
	const struct job *j, json_t *doc, struct error *err)
{
	struct report report;
	json_t *part = NULL;
	int r;

	if (!job_state_is_final(j->state) || !j->report_uuid)
		return OK;
	r = store_report_find(st, request_arena(rq), p->id, j->report_uuid, &report, err);
	if (r == OK)
		r = report_document(rq, st, p, &report, false, &part, err);
	if (r == OK)
		json_object_set_new(doc, "report_document", TAKE(part));
	if (r == OK)
		r = job_comparison(rq, st, j, &part, err);
	if (r == OK && part)
		json_object_set_new(doc, "comparison", part);
	return r;
}

int job_awaited(struct request *rq, struct store *st, const struct project *p,
	const struct job *j, bool with_results, json_t **ret, struct error *err)
{
	json_t *list = arena_own_json(request_arena(rq), json_array()), *o;
	struct job *on = NULL;
	size_t n = 0;
	int r = load_awaited(rq, st, j, &on, &n, err);

	for (size_t i = 0; r == OK && i < n; i++) {
		r = job_json(rq, st, &on[i], &o, err);
		if (r == OK)
			json_array_append_new(list, o);
		if (r == OK && with_results)
			r = add_results(rq, st, p, &on[i], o, err);
	}
	*ret = list;
	return r;
}

/* A suite has no results but those of its members. */
static int add_members(struct request *rq, struct store *st, const struct project *p,
	const struct job *j, json_t *doc, struct error *err)
{
	json_t *list;
	int r = job_awaited(rq, st, p, j, true, &list, err);

	if (r == OK)
		json_object_set(doc, "members", list);
	return r;
}

/* The answer of every route that gives one job. */
static int answer_job(struct request *rq, struct store *st, int status, const struct project *p,
	const struct job *j, struct error *err)
{
	_cleanup_(json_decref)
	json_t *doc = NULL;
	enum format f;
	int r = request_format(rq, render_formats(DOC_JOB), &f, err);

	if (r == OK)
		r = job_json(rq, st, j, &doc, err);
	if (r == OK)
		r = add_awaited(rq, st, j, doc, err);
	if (r == OK && f != F_JSON)
		r = add_results(rq, st, p, j, doc, err);
	if (r == OK && f != F_JSON && !strcmp(json_get_str(doc, "kind", ""), "suite"))
		r = add_members(rq, st, p, j, doc, err);
	if (r < 0)
		return r;
	if (!job_state_is_final(j->state))
		response_header(rq, "Retry-After", "2");
	return answer(rq, status, DOC_JOB, TAKE(doc), err);
}

/* After parking: the job as it is now; 202 when the time was over before it was final. */
static int answer_waited(struct request *rq, struct store *st, struct error *err)
{
	const char *uuid = request_state(rq);
	struct project p;
	struct job j;
	int r = store_job_find(st, request_arena(rq), uuid, &j, err);

	if (r == OK)
		r = store_project_find(st, request_arena(rq), j.project_slug, &p, err);
	if (r < 0)
		return r;
	if (!job_state_is_final(j.state) && !request_deadline_passed(rq)) {
		request_park(rq, end_key(rq, uuid), 0, answer_waited);
		return OK;
	}
	return answer_job(rq, st, job_state_is_final(j.state) ? 200 : 202, &p, &j, err);
}

/* Wait for the job as long as the request asks. True: parked. */
static int wait_for(struct request *rq, const struct job *j, bool *ret, struct error *err)
{
	int64_t wait_ns;
	int r = request_wait(rq, &wait_ns, err);

	*ret = r == OK && wait_ns > 0 && !job_state_is_final(j->state);
	if (!*ret)
		return r;
	request_set_state(rq, arena_strdup(request_arena(rq), j->uuid));
	request_park(rq, end_key(rq, j->uuid), clock_mono(request_clock(rq)) + wait_ns,
		answer_waited);
	return OK;
}

static bool may_exec(struct request *rq)
{
	return (request_principal(rq)->scopes & 1u << S_EXEC) != 0;
}

/* A token of one project files jobs there only; others may name a project that is not there
 * yet, which queue_file_job then makes. */
static int check_filing(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	int r = find_project(rq, st, &p, err);

	return r == E_NOT_FOUND && may_create_project(rq) ? OK : r;
}

static int file_job(struct request *rq, struct store *st, struct job *ret, struct error *err)
{
	const struct filing f = {
		.project = request_param(rq, "project"),
		.may_create_project = may_create_project(rq),
		.may_exec = may_exec(rq),
		.submitter = request_principal(rq)->name,
		.trigger = "api",
		.now_ns = clock_wall(request_clock(rq)),
	};
	json_t *body;
	int r = check_filing(rq, st, err);

	if (r == OK)
		r = read_object(rq, &body, err);
	if (r == OK)
		r = queue_file_job(st, request_arena(rq), rules_of(rq), &f, body, ret, err);
	return r;
}

int post_job(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct job j;
	bool parked;
	int r = request_query_only(rq, (const char *[]){ "wait", NULL }, err);

	if (r == OK)
		r = request_idempotent(rq, st, err);
	if (r != 0)
		return r < 0 ? r : OK;
	r = file_job(rq, st, &j, err);
	if (r == OK)
		r = store_project_find(st, request_arena(rq), j.project_slug, &p, err);
	if (r < 0)
		return r;
	request_wake(rq, WAKE_QUEUE);
	notify_touched(rq);
	response_headerf(rq, "Location", "/v0/projects/%s/jobs/%s", p.slug, j.uuid);
	r = answer_job(rq, st, 202, &p, &j, err);
	return r < 0 ? r : wait_for(rq, &j, &parked, err);
}

int get_job(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct job j;
	bool parked = false;
	int r = request_query_only(rq, (const char *[]){ "wait", NULL }, err);

	if (r == OK)
		r = find_path_job(rq, st, &p, &j, err);
	if (r == OK)
		r = wait_for(rq, &j, &parked, err);
	if (r < 0 || parked)
		return r;
	return answer_job(rq, st, 200, &p, &j, err);
}

/* ?cursor= is the uuid of the last job seen: stable while new jobs come. */
static int read_cursor(
	struct request *rq, struct store *st, struct job_filter *f, struct error *err)
{
	const char *cursor = request_query(rq, "cursor");
	struct job last;
	int r;

	if (!cursor)
		return OK;
	if (!uuid_is_valid(cursor))
		return error_set_field(err, E_BAD_REQUEST, "cursor",
			"'cursor' of the query is not one that an answer gave");
	r = store_job_find(st, request_arena(rq), cursor, &last, err);
	if (r == OK && last.project_id != f->project_id)
		r = error_set_field(
			err, E_BAD_REQUEST, "cursor", "the cursor is of another project");
	if (r == OK)
		f->before_id = last.id;
	return r;
}

static void link_next(struct request *rq, const struct job *last, const struct job_filter *f)
{
	static const char *const names[] = { "state", "workload", "branch" };
	_cleanup_(buf_done)
	struct buf b = { 0 };

	buf_printf(&b, "<%s?limit=%lld&cursor=%s", request_path(rq), (long long)f->limit,
		last->uuid);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *v = request_query(rq, names[i]);

		if (!v)
			continue;
		buf_printf(&b, "&%s=", names[i]);
		for (; *v; v++)
			if (strchr("-._~,", *v) || (*v >= '0' && *v <= '9') ||
				(*v >= 'a' && *v <= 'z') || (*v >= 'A' && *v <= 'Z'))
				buf_add_char(&b, *v);
			else
				buf_printf(&b, "%%%02X", (unsigned char)*v);
	}
	response_headerf(rq, "Link", "%s>; rel=\"next\"", buf_str(&b));
}

/* Only waiting and running states asked for: their natural order is that of the queue. */
static bool wants_queue_order(unsigned states)
{
	return states && !(states & ~(1u << JOB_QUEUED | 1u << JOB_RUNNING | 1u << JOB_BLOCKED |
					    1u << JOB_WAITING_HOST | 1u << JOB_RETRY_WAIT |
					    1u << JOB_AWAITING_APPROVAL));
}

static int jobs_json(struct request *rq, struct store *st, const struct job *jobs, size_t n,
	json_t **ret, struct error *err)
{
	_cleanup_(json_decref)
	json_t *doc = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *o;
		int r = job_json(rq, st, &jobs[i], &o, err);

		if (r < 0)
			return r;
		json_array_append_new(doc, o);
	}
	*ret = TAKE(doc);
	return OK;
}

#define AS_MANY "; there may be others: limit (at most 1000) and cursor show them"

int get_jobs(struct request *rq, struct store *st, struct error *err)
{
	struct job_filter f = { .name = request_query(rq, "workload"),
		.branch = request_query(rq, "branch") };
	struct project p;
	struct job *jobs;
	size_t n;
	json_t *doc = NULL;
	static const char *const names[] = { "state", "workload", "branch", "limit", "cursor",
		NULL };
	int r = request_query_only(rq, names, err);

	if (r == OK)
		r = find_project(rq, st, &p, err);
	f.project_id = p.id;
	if (r == OK)
		r = query_bits(rq, "state", job_state_names, &f.states, err);
	if (r == OK)
		r = request_query_int(rq, "limit", 1, 1000, 100, &f.limit, err);
	if (r == OK)
		r = read_cursor(rq, st, &f, err);
	f.queue_order = wants_queue_order(f.states);
	if (r == OK)
		r = store_job_list(st, request_arena(rq), &f, &jobs, &n, err);
	if (r == OK)
		r = jobs_json(rq, st, jobs, n, &doc, err);
	if (r < 0)
		return r;
	if (n < (size_t)f.limit)
		return answer(rq, 200, DOC_JOBS, doc, err);
	if (!f.queue_order)
		link_next(rq, &jobs[n - 1], &f);
	return answer_part(rq, DOC_JOBS, doc, AS_MANY, err);
}

int cancel_job(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct job j;
	int r = find_path_job(rq, st, &p, &j, err);

	if (r == OK)
		r = queue_cancel(st, request_arena(rq), j.uuid, request_principal(rq)->name,
			clock_wall(request_clock(rq)), &j, err);
	if (r < 0)
		return r;
	request_wake(rq, WAKE_JOBS | WAKE_QUEUE);
	notify_touched(rq);
	request_notify(rq, job_key(rq, j.uuid));
	return answer_job(rq, st, 202, &p, &j, err);
}
