/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shutdown, in the only order that libmicrohttpd and libuv bear: no new connections; new work
 * answers 503; readers, then the writer finish what they have and the writer checkpoints; every
 * suspended connection is resumed and its answer sent; handles close; the daemons stop. Each
 * event on the loop calls server_stop_step, which goes as far as it can. */
#include "base/log.h"
#include "daemon/http/dispatch.h"
#include "daemon/http/exchange.h"
#include "daemon/http/listener.h"
#include "daemon/http/server.h"

enum { FLUSH_MS = 2000 };

static void pump_all(struct server *s)
{
	for (size_t i = 0; i < s->n_listeners; i++)
		listener_pump(&s->listeners[i]);
}

static void release_waiting(struct server *s)
{
	struct request *rq;
	struct stream *st;

	while ((rq = TAILQ_FIRST(&s->watches.parked))) {
		struct error err;

		park_remove(rq);
		error_set(&err, E_UNAVAILABLE, "benchd is shutting down; ask again soon");
		problem_fill(rq, &rq->response, E_UNAVAILABLE, &err);
		exchange_resume(rq->conn);
	}
	TAILQ_FOREACH(st, &s->streams, link)
	stream_end(st->rq);
}

/* What has not begun is taken back, what runs is answered without its outcome. */
static void expire_all(struct server *s)
{
	struct conn *c;

	for (size_t i = 0; i < s->n_listeners; i++)
		TAILQ_FOREACH(c, &s->listeners[i].conns, link)
	if (c->rq && c->rq->phase == PHASE_WORKING)
		dispatch_expired(c->rq);
}

static void cancel_queue(struct task_queue *q)
{
	struct task *t;

	while ((t = task_queue_take(q))) {
		struct task *owned = t->is_owned ? t : NULL;

		t->code = error_set(&t->err, E_UNAVAILABLE, "benchd is shutting down");
		t->done(t->arg, t->code, &t->err);
		free(owned);
	}
}

static bool is_answering(struct server *s)
{
	struct conn *c;

	for (size_t i = 0; i < s->n_listeners; i++)
		TAILQ_FOREACH(c, &s->listeners[i].conns, link)
	if (c->is_suspended || (c->rq && c->rq->phase >= PHASE_READY))
		return true;
	return false;
}

static void on_drain_timeout(uv_timer_t *t)
{
	struct server *s = t->data;

	log_warning("shutdown: work is not done after %lld s, giving up on the rest",
		(long long)(s->config.limits.drain_ns / NS_PER_S));
	expire_all(s);
	cancel_queue(&s->readers.queue);
	cancel_queue(&s->writer.queue);
	pump_all(s);
	server_stop_step(s);
}

static void on_flush_timeout(uv_timer_t *t)
{
	struct server *s = t->data;

	s->is_flush_over = true;
	server_stop_step(s);
}

/* True when both kinds of threads have ended. Readers first: a reader's snapshot would keep the
 * writer's last checkpoint from finishing. */
static bool drain(struct server *s)
{
	if (!readers_have_ended(&s->readers))
		return false;
	task_queue_close(&s->writer.queue);
	return writer_has_ended(&s->writer);
}

static void begin_flush(struct server *s)
{
	readers_join(&s->readers);
	writer_join(&s->writer);
	mailbox_deliver(&s->mailbox);
	s->stop_step = STOP_RESUME;
	uv_timer_start(&s->stop_timer, on_flush_timeout, FLUSH_MS, 0);
	pump_all(s);
}

static void on_handle_closed(uv_handle_t *h)
{
	struct server *s = h->data;

	s->n_handles--;
	server_on_closed(s);
}

static void close_handle(struct server *s, uv_handle_t *h)
{
	h->data = s;
	uv_close(h, on_handle_closed);
}

static void begin_close(struct server *s)
{
	s->stop_step = STOP_CLOSE;
	for (size_t i = 0; i < s->n_listeners; i++)
		listener_close_handles(&s->listeners[i]);
	close_handle(s, (uv_handle_t *)&s->mailbox.async);
	close_handle(s, (uv_handle_t *)&s->deadlines.timer);
	close_handle(s, (uv_handle_t *)&s->heartbeat);
	close_handle(s, (uv_handle_t *)&s->stop_timer);
}

static int open_handles(const struct server *s)
{
	int n = s->n_handles;

	for (size_t i = 0; i < s->n_listeners; i++)
		n += s->listeners[i].n_handles;
	return n;
}

void server_on_closed(struct server *s)
{
	if (open_handles(s) > 0)
		return;
	for (size_t i = 0; i < s->n_listeners; i++)
		listener_stop(&s->listeners[i]);
	s->stop_step = STOP_DONE;
	if (s->on_stopped)
		s->on_stopped(s->on_stopped_arg);
}

void server_stop_step(struct server *s)
{
	if (s->is_stepping)
		return; /* a step pumps, and a pump steps */
	s->is_stepping = true;
	if (s->stop_step == STOP_DRAIN && drain(s))
		begin_flush(s);
	if (s->stop_step == STOP_RESUME && (!is_answering(s) || s->is_flush_over))
		begin_close(s);
	s->is_stepping = false;
}

void server_stop(struct server *s, void (*done)(void *arg), void *arg)
{
	if (s->is_stopping)
		return;
	s->on_stopped = done;
	s->on_stopped_arg = arg;
	s->is_stopping = true;
	s->stop_step = STOP_DRAIN;
	for (size_t i = 0; i < s->n_listeners; i++)
		listener_quiesce(&s->listeners[i]);
	release_waiting(s);
	task_queue_close(&s->readers.queue);
	uv_timer_start(&s->stop_timer, on_drain_timeout,
		(uint64_t)(s->config.limits.drain_ns / NS_PER_MS), 0);
	pump_all(s);
	server_stop_step(s);
}
