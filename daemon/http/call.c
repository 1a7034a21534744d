/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A request without sockets: the same checks, routing and handlers, on the calling thread. */
#include <string.h>
#include "daemon/http/dispatch.h"
#include "daemon/http/request.h"
#include "daemon/http/stream.h"

static void set_headers(struct request *rq, const char *const *headers)
{
	size_t n = 0;

	while (headers && headers[n])
		n++;
	rq->headers = ARENA_ARRAY(rq->arena, struct pair, n / 2 + 2);
	for (size_t i = 0; i + 1 < n; i += 2)
		rq->headers[rq->n_headers++] = (struct pair){ headers[i], headers[i + 1] };
	if (!request_header(rq, "Host"))
		rq->headers[rq->n_headers++] = (struct pair){ "Host", "localhost" };
}

static void set_body(struct request *rq, const struct http_call *c)
{
	size_t n = c->body && !c->n_body ? strlen(c->body) : c->n_body;

	if (rq->refused != OK || !n)
		return;
	rq->has_body = true;
	request_add_body(rq, c->body, n);
	if (!rq->route->max_body)
		request_refuse(rq, E_TOO_LARGE, "%s %s takes no body", rq->method, rq->path);
}

static void run(struct request *rq, struct store *st)
{
	struct error err = { 0 };
	int r = dispatch_run(rq, st, rq->route->where == WRITER, &err);

	if (r >= 0 && rq->after == AFTER_WRITE) {
		rq->handler = rq->again;
		r = dispatch_run(rq, st, true, &err);
	}
	if (r >= 0 && rq->after == AFTER_PARK) {
		rq->is_past_deadline = true;
		rq->handler = rq->again;
		r = dispatch_run(rq, st, false, &err);
	}
	if (r >= 0 && rq->after == AFTER_STREAM)
		response_buf(rq, 200, "text/event-stream", &rq->stream->fresh);
	else if (r >= 0 && !rq->response.status)
		r = error_set(&err, E_INTERNAL, "the handler of '%s' gave no answer",
			rq->route->path);
	if (r < 0)
		problem_fill(rq, &rq->response, r, &err);
}

static void add_header(json_t *o, const char *name, const char *value)
{
	char lower[64];
	size_t i = 0;

	for (; name[i] && i < sizeof(lower) - 1; i++)
		lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] | 0x20) : name[i];
	lower[i] = 0;
	json_set_str(o, lower, value);
}

static void take_reply(struct request *rq, struct reply *ret)
{
	struct response *res = &rq->response;

	ret->status = res->status;
	ret->wake = rq->task.wake;
	ret->headers = json_object();
	add_header(ret->headers, "X-Request-Id", rq->id);
	if (res->mime)
		add_header(ret->headers, "Content-Type", res->mime);
	for (size_t i = 0; i < res->n_headers; i++)
		add_header(ret->headers, res->headers[i].name, res->headers[i].value);
	if (res->fixed)
		buf_add(&ret->body, res->fixed, res->n_fixed);
	else
		ret->body = res->body;
	res->body = (struct buf){ 0 };
}

void http_call(const struct http_call *c, struct store *st, struct reply *ret)
{
	struct server_config config = { .routes = routes, .clock = &system_clock };
	struct request *rq;

	if (c->config)
		config = *c->config;
	if (!config.routes)
		config.routes = routes;
	if (!config.clock)
		config.clock = &system_clock;
	*ret = (struct reply){ 0 };
	rq = request_new(&config, NULL, c->target);
	rq->method = c->method;
	rq->is_local = true;
	set_headers(rq, c->headers);
	request_begin(rq, "HTTP/1.1");
	set_body(rq, c);
	if (rq->refused != OK)
		problem_fill(rq, &rq->response, rq->refused, &rq->task.err);
	else if (!rq->response.status)
		run(rq, st);
	take_reply(rq, ret);
	request_free(rq);
}

const char *reply_header(const struct reply *r, const char *name)
{
	char key[64] = "";
	json_t *o = json_object();
	const char *value;

	add_header(o, name, "");
	if (json_object_size(o))
		snprintf(key, sizeof(key), "%s", json_object_iter_key(json_object_iter(o)));
	json_decref(o);
	value = json_string_value(json_object_get(r->headers, key));
	return value;
}

void reply_done(struct reply *r)
{
	buf_done(&r->body);
	json_decref(r->headers);
	*r = (struct reply){ 0 };
}
