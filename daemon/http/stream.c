/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/http/stream.h"

#include <string.h>
#include "daemon/http/dispatch.h"
#include "daemon/http/exchange.h"
#include "daemon/http/server.h"

enum { OUT_MAX = 64 * 1024 };

static int64_t first_cursor(struct request *rq)
{
	const char *text = request_header(rq, "Last-Event-ID");
	int64_t v;

	if (!text)
		text = request_query(rq, "last_event_id");
	v = text && strlen(text) < 19 ? strtoll(text, NULL, 10) : 0;
	return MAX(v, 0);
}

void request_stream(struct request *rq, const char *key, stream_fn next)
{
	struct stream *st = ARENA_NEW(rq->arena, struct stream);

	st->rq = rq;
	st->next = next;
	st->cursor = first_cursor(rq);
	rq->stream = st;
	rq->key = arena_strdup(rq->arena, key);
	rq->after = AFTER_STREAM;
}

int stream_run(struct request *rq, struct store *db, struct error *err)
{
	struct stream *st = rq->stream;
	int r = st->next(rq, db, &st->cursor, &st->fresh, err);

	st->is_over = r == E_GONE;
	return st->is_over ? OK : r;
}

static void take_fresh(struct stream *st)
{
	buf_add(&st->out, buf_str(&st->fresh), st->fresh.len);
	buf_clear(&st->fresh);
	st->is_ended |= st->is_over;
}

static int run_again(struct store *db, void *arg, struct error *err)
{
	return stream_run(arg, db, err);
}

static void on_run(void *arg, int code, const struct error *err)
{
	struct request *rq = arg;
	struct stream *st = rq->stream;

	rq->is_out = false;
	if (!rq->conn) {
		stream_remove(rq);
		request_free(rq);
		return;
	}
	take_fresh(st);
	if (code < 0) {
		server_log_failure(rq, code, err);
		st->is_ended = true;
	}
	if (st->is_dirty && !st->is_ended)
		stream_poke(rq);
	if (st->out.len || st->is_ended)
		exchange_resume(rq->conn);
}

void stream_poke(struct request *rq)
{
	struct stream *st = rq->stream;

	if (!st->is_begun || st->is_ended)
		return;
	st->is_dirty = true;
	if (rq->is_out || st->out.len >= OUT_MAX)
		return;
	st->is_dirty = false;
	if (dispatch_read(rq, run_again, on_run) < 0)
		st->is_dirty = true; /* the heartbeat tries again */
}

static bool check_room(struct request *rq)
{
	struct server *s = rq->server;
	struct error err;

	if (!s->is_stopping && s->n_streams < s->config.limits.max_streams)
		return true;
	error_set(&err, E_UNAVAILABLE, "too many event streams are open; try again soon");
	problem_fill(rq, &rq->response, E_UNAVAILABLE, &err);
	buf_done(&rq->stream->fresh);
	rq->stream = NULL;
	return false;
}

void stream_begin(struct request *rq)
{
	struct server *s = rq->server;
	struct stream *st = rq->stream;

	if (check_room(rq)) {
		buf_add_str(&st->out, "retry: 3000\n\n");
		take_fresh(st);
		st->is_begun = true;
		watch_add(&s->watches, &rq->watch, rq->key);
		TAILQ_INSERT_TAIL(&s->streams, st, link);
		if (s->n_streams++ == 0)
			uv_timer_start(&s->heartbeat, stream_on_heartbeat,
				(uint64_t)(s->config.limits.heartbeat_ns / NS_PER_MS),
				(uint64_t)(s->config.limits.heartbeat_ns / NS_PER_MS));
		if (watches_missed(&s->watches, rq->key, rq->seen_notify))
			stream_poke(rq);
	}
	exchange_resume(rq->conn);
}

int64_t stream_read(struct request *rq, char *to, size_t max)
{
	struct stream *st = rq->stream;
	size_t n = MIN(max, st->out.len);

	if (n > 0) {
		memcpy(to, st->out.data, n);
		buf_consume(&st->out, n);
	}
	if (st->is_dirty && !rq->is_out && !st->is_ended)
		stream_poke(rq);
	if (n == 0 && st->is_ended)
		return -1;
	return (int64_t)n;
}

void stream_remove(struct request *rq)
{
	struct stream *st = rq->stream;
	struct server *s = rq->server;

	if (!st)
		return;
	if (st->is_begun) {
		watch_remove(&rq->watch);
		TAILQ_REMOVE(&s->streams, st, link);
		if (--s->n_streams == 0)
			uv_timer_stop(&s->heartbeat);
	}
	st->is_begun = false;
	if (rq->is_out)
		return; /* the reader still writes to fresh; on_run comes here again */
	buf_done(&st->fresh);
	buf_done(&st->out);
	rq->stream = NULL;
}

void stream_end(struct request *rq)
{
	rq->stream->is_ended = true;
	exchange_resume(rq->conn);
}

/* Tells proxies that the stream lives, and finds clients that have gone. */
void stream_on_heartbeat(uv_timer_t *t)
{
	struct server *s = t->data;
	struct stream *st, *next;

	for (st = TAILQ_FIRST(&s->streams); st; st = next) {
		next = TAILQ_NEXT(st, link);
		if (st->is_dirty)
			stream_poke(st->rq);
		if (st->out.len)
			continue;
		buf_add_str(&st->out, ": ping\n\n");
		exchange_resume(st->rq->conn);
	}
	server_pump(s);
}
