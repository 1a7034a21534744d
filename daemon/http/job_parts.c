/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What belongs to one job: its events, log and processes; and the queue of all projects. */
#include "daemon/http/handlers.h"

#include <string.h>

enum { EVENTS_A_TURN = 500 };

static int next_events(struct request *rq, struct store *st, int64_t *cursor, struct buf *out,
	struct error *err)
{
	const char *uuid = request_state(rq);
	struct job_event *events;
	struct job j;
	size_t n;
	/* The job first: events that come after this look are sent at the next turn. */
	int r = store_job_find(st, request_arena(rq), uuid, &j, err);

	if (r == OK)
		r = store_job_events(
			st, request_arena(rq), j.id, *cursor, EVENTS_A_TURN, &events, &n, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		_cleanup_(json_decref)
		json_t *e = render_job_event(&events[i]);
		_cleanup_(free)
		char *text = json_text(e);

		buf_printf(out, "id: %lld\nevent: %s\ndata: %s\n\n", (long long)events[i].id,
			events[i].kind, text);
		*cursor = events[i].id;
	}
	if (n < EVENTS_A_TURN && job_state_is_final(j.state))
		return error_set(err, E_GONE, "the job has ended");
	return OK;
}

int get_job_events(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct job j;
	int r = find_path_job(rq, st, &p, &j, err);

	if (r < 0)
		return r;
	request_set_state(rq, arena_strdup(request_arena(rq), j.uuid));
	request_stream(rq, arena_printf(request_arena(rq), "job:%s", j.uuid), next_events);
	return OK;
}

/* Not what moved, only that something did: whoever listens asks for the queue again. */
static int next_move(struct request *rq, struct store *st, int64_t *cursor, struct buf *out,
	struct error *err)
{
	if ((*cursor)++ > 0)
		buf_add_str(out, "event: queue\ndata: {}\n\n");
	return OK;
}

int get_queue_events(struct request *rq, struct store *st, struct error *err)
{
	request_stream(rq, "queue", next_move);
	return OK;
}

int get_job_log(struct request *rq, struct store *st, struct error *err)
{
	struct job j;
	const char *text;
	struct project p;
	int r = find_path_job(rq, st, &p, &j, err);

	if (r == OK)
		r = store_job_log_read(st, request_arena(rq), j.id, &text, err);
	if (r == OK)
		response_text(rq, 200, "text/plain; charset=utf-8", text);
	return r;
}

/* results[] of each process, by process id. */
static int add_values(struct request *rq, struct store *st, int64_t job_id,
	const struct process *processes, json_t **rows, size_t n, struct error *err)
{
	struct series_values *values;
	int64_t *ids;
	size_t n_values, p = 0;
	int r = store_job_values(st, request_arena(rq), job_id, &ids, &values, &n_values, err);

	for (size_t i = 0; r == OK && i < n_values; i++) {
		size_t tried = 0;

		/* Both lists come in the order of the processes; be safe if they do not. */
		while (tried++ < n && processes[p].id != ids[i])
			p = (p + 1) % n;
		if (tried <= n)
			json_array_append_new(json_object_get(rows[p], "results"),
				render_process_values(&values[i]));
	}
	return r;
}

int processes_json(struct request *rq, struct store *st, int64_t job_id, const enum arm *arm,
	json_t **ret, struct error *err)
{
	struct process *list;
	size_t n;
	int r = store_process_list(st, request_arena(rq), job_id, &list, &n, err);
	json_t **rows, *doc;

	if (r < 0)
		return r;
	rows = ARENA_ARRAY(request_arena(rq), json_t *, n + 1);
	for (size_t i = 0; i < n; i++) {
		rows[i] = arena_own_json(request_arena(rq), render_process(&list[i]));
		json_object_set_new(rows[i], "results", json_array());
	}
	r = add_values(rq, st, job_id, list, rows, n, err);
	if (r < 0)
		return r;
	doc = json_array();
	for (size_t i = 0; i < n; i++)
		if (!arm || list[i].arm == *arm)
			json_array_append(doc, rows[i]);
	*ret = doc;
	return OK;
}

int get_job_processes(struct request *rq, struct store *st, struct error *err)
{
	struct job j;
	json_t *doc;
	struct project p;
	int r = find_path_job(rq, st, &p, &j, err);

	if (r == OK)
		r = processes_json(rq, st, j.id, NULL, &doc, err);
	return r < 0 ? r : answer(rq, 200, DOC_PROCESSES, doc, err);
}

static int jobs_in(
	struct request *rq, struct store *st, unsigned states, json_t **ret, struct error *err)
{
	const struct job_filter f = { .project_id = request_principal(rq)->project_id,
		.states = states,
		.limit = 1000,
		.queue_order = true };
	struct job *jobs;
	size_t n;
	int r = store_job_list(st, request_arena(rq), &f, &jobs, &n, err);

	if (r < 0)
		return r;
	*ret = json_array();
	for (size_t i = 0; i < n; i++) {
		int64_t position = 0;

		if (jobs[i].state == JOB_QUEUED &&
			store_job_position(st, jobs[i].id, &position, err) < 0)
			position = 0;
		json_array_append_new(
			*ret, render_job(&jobs[i], position, request_public_url(rq)));
	}
	return OK;
}

int get_queue(struct request *rq, struct store *st, struct error *err)
{
	unsigned waiting = 1u << JOB_AWAITING_APPROVAL | 1u << JOB_BLOCKED | 1u << JOB_QUEUED |
			   1u << JOB_WAITING_HOST | 1u << JOB_RETRY_WAIT;
	_cleanup_(json_decref)
	json_t *doc = json_object();
	json_t *part;
	int r = jobs_in(rq, st, 1u << JOB_RUNNING, &part, err);

	if (r < 0)
		return r;
	json_object_set_new(doc, "running", part);
	r = jobs_in(rq, st, waiting, &part, err);
	if (r < 0)
		return r;
	json_object_set_new(doc, "waiting", part);
	return answer(rq, 200, DOC_QUEUE, TAKE(doc), err);
}

int get_live(struct request *rq, struct store *st, struct error *err)
{
	const struct app *app = request_app(rq);
	_cleanup_(json_decref)
	json_t *workers = app->workers ? app->workers(app->arg) : json_array();
	int r = add_device_states(rq, st, workers, err);

	return r < 0 ? r : answer_json(rq, 200, TAKE(workers));
}
