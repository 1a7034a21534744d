/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/http/dispatch.h"

#include <strings.h>
#include "daemon/http/exchange.h"
#include "daemon/http/park.h"
#include "daemon/http/server.h"
#include "daemon/http/stream.h"

/* Above this a reader parses the JSON, so that the writer's batch does not wait for it. */
enum { PARSE_ELSEWHERE = 32 * 1024 };

int dispatch_run(struct request *rq, struct store *st, bool is_writer, struct error *err)
{
	int r;

	rq->after = AFTER_ANSWER;
	r = access_check(rq, st, err);
	if (r == OK)
		r = coding_unpack(rq, err);
	if (r == OK)
		r = rq->handler(rq, st, err);
	if (r < 0)
		return r;
	if (is_writer)
		return idempotent_save(rq, st, err);
	if (rq->after == AFTER_STREAM)
		return stream_run(rq, st, err);
	if (rq->after == AFTER_ANSWER && !response_tag(rq))
		coding_pack(rq);
	return OK;
}

static int run_read(struct store *st, void *arg, struct error *err)
{
	return dispatch_run(arg, st, false, err);
}

static int run_write(struct store *st, void *arg, struct error *err)
{
	return dispatch_run(arg, st, true, err);
}

static void settle(struct request *rq, int code, const struct error *err)
{
	struct error none;

	if (code >= 0 && rq->after == AFTER_ANSWER && !rq->response.status) {
		code = error_set(&none, E_INTERNAL, "the handler of '%s' gave no answer",
			rq->route->path);
		err = &none;
	}
	if (code >= 0)
		return;
	server_log_failure(rq, code, err);
	problem_fill(rq, &rq->response, code, err);
	rq->after = AFTER_ANSWER;
}

static void answer_if_refused(struct request *rq, int code);
static int dispatch_write(struct request *rq);

static void follow(struct request *rq)
{
	if (rq->after == AFTER_WRITE) {
		rq->after = AFTER_ANSWER;
		rq->handler = rq->again;
		answer_if_refused(rq, dispatch_write(rq));
	} else if (rq->after == AFTER_PARK) {
		park_add(rq);
	} else if (rq->after == AFTER_STREAM) {
		stream_begin(rq);
	} else {
		exchange_resume(rq->conn);
	}
}

/* While is_out still holds the request: waking pumps, and a client may go meanwhile. */
static void notify_watchers(struct request *rq, int code)
{
	for (size_t i = 0; code >= 0 && i < rq->n_notify; i++)
		server_notify(rq->server, rq->notify[i]);
	rq->n_notify = 0;
}

static void on_handled(void *arg, int code, const struct error *err)
{
	struct request *rq = arg;

	notify_watchers(rq, code);
	rq->is_out = false;
	if (!rq->conn) {
		request_free(rq);
		return;
	}
	if (rq->is_abandoned)
		return; /* the late answer is on its way; its end frees the request */
	settle(rq, code, err);
	follow(rq);
}

static int hand(struct request *rq, struct task_queue *q, write_fn run, written_fn done)
{
	struct task *t = &rq->task;
	struct error err;
	int r;

	t->run = run;
	t->done = done;
	t->arg = rq;
	t->bytes = (int64_t)rq->body.len;
	t->code = OK;
	rq->seen_notify = rq->server->watches.n_notified;
	rq->is_out = true;
	r = task_queue_add(q, t, &err);
	if (r < 0) {
		rq->is_out = false;
		t->err = err;
	}
	return r;
}

int dispatch_read(struct request *rq, write_fn run, written_fn done)
{
	rq->is_on_writer = false;
	return hand(rq, &rq->server->readers.queue, run, done);
}

static int dispatch_write(struct request *rq)
{
	rq->is_on_writer = true;
	return hand(rq, &rq->server->writer.queue, run_write, on_handled);
}

/* After OK the request is another thread's: not a byte of it is touched here. */
static void answer_if_refused(struct request *rq, int code)
{
	struct error err;

	if (code == OK)
		return;
	err = rq->task.err;
	problem_fill(rq, &rq->response, code, &err);
	exchange_resume(rq->conn);
}

/* Before a write: everything slow that needs no transaction. Errors of the JSON come again, and
 * in words, when the handler asks for it. */
static int run_prepare(struct store *st, void *arg, struct error *err)
{
	struct request *rq = arg;
	struct error ignored;
	json_t *j;
	int r = access_check(rq, st, err);

	if (r == OK)
		r = coding_unpack(rq, err);
	if (r == OK && request_json(rq, &j, &ignored) < 0)
		rq->is_json_parsed = false;
	return r;
}

static void on_prepared(void *arg, int code, const struct error *err)
{
	struct request *rq = arg;

	if (!rq->conn || rq->is_abandoned || code < 0) {
		rq->after = AFTER_ANSWER;
		on_handled(rq, code, err);
		return;
	}
	rq->is_out = false;
	answer_if_refused(rq, dispatch_write(rq));
}

static bool is_packed(const struct request *rq)
{
	const char *coding = request_header(rq, "Content-Encoding");

	return rq->has_body && coding && !strcasecmp(coding, "gzip");
}

bool dispatch_inline(struct request *rq)
{
	struct error err = { 0 };
	int r;

	rq->phase = PHASE_READY;
	if (rq->refused != OK) {
		problem_fill(rq, &rq->response, rq->refused, &rq->task.err);
		return true;
	}
	if (rq->response.status)
		return true;
	if (rq->route->where != LOOP || access_needs_store(rq) || is_packed(rq))
		return false;
	rq->after = AFTER_ANSWER;
	rq->seen_notify = rq->server->watches.n_notified;
	r = rq->handler(rq, NULL, &err);
	settle(rq, r, &err);
	return rq->after == AFTER_ANSWER;
}

static int64_t allowed_ns(const struct request *rq)
{
	const struct server_limits *l = &rq->config->limits;

	if (rq->route->deadline_ns)
		return rq->route->deadline_ns;
	return rq->route->where == WRITER ? l->write_ns : l->read_ns;
}

void dispatch_hand_over(struct request *rq)
{
	bool is_slow = is_packed(rq) || rq->body.len > PARSE_ELSEWHERE;
	int r;

	request_own_head(rq);
	exchange_set_deadline(rq->conn, D_WORK, allowed_ns(rq));
	if (rq->after != AFTER_ANSWER) { /* a handler of the loop that parks or streams */
		follow(rq);
		return;
	}
	if (rq->route->where != WRITER)
		r = dispatch_read(rq, run_read, on_handled);
	else if (is_slow)
		r = dispatch_read(rq, run_prepare, on_prepared);
	else
		r = dispatch_write(rq);
	answer_if_refused(rq, r);
}

void dispatch_again(struct request *rq)
{
	exchange_set_deadline(
		rq->conn, D_WORK, MAX(rq->route->deadline_ns, rq->config->limits.read_ns));
	answer_if_refused(rq, dispatch_read(rq, run_read, on_handled));
}

static bool take_back(struct request *rq)
{
	struct server *s = rq->server;

	return task_queue_cancel(
		rq->is_on_writer ? &s->writer.queue : &s->readers.queue, &rq->task);
}

/* Nobody has begun: nothing was done, say so. Somebody has: the task keeps the request until it
 * comes home, and the client learns that the outcome is not known. */
void dispatch_expired(struct request *rq)
{
	struct error err;

	if (rq->is_parked) {
		rq->is_past_deadline = true;
		park_wake(rq);
	} else if (rq->is_out && take_back(rq)) {
		rq->is_out = false;
		error_set(&err, E_UNAVAILABLE,
			"benchd is too busy: the request had no turn in time and was dropped");
		problem_fill(rq, &rq->response, E_UNAVAILABLE, &err);
		exchange_resume(rq->conn);
	} else if (rq->is_out) {
		rq->is_abandoned = true;
		error_set(&err, E_DEADLINE,
			"the request was not answered in time; whether it was carried out is "
			"not known");
		server_log_failure(rq, E_DEADLINE, &err);
		rq->late = xcalloc(1, sizeof(*rq->late));
		problem_fill(rq, rq->late, E_DEADLINE, &err);
		exchange_resume(rq->conn);
	}
}
