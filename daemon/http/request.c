/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/http/request.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include "base/rng.h"
#include "daemon/http/server.h"
#include "daemon/http/stream.h"

enum { SPARE_MAX = 64 };

/* Request ids name, they protect nothing: random enough to be unique, and without a system call
 * a request. */
static void make_id(char out[UUID_TEXT])
{
	static _Thread_local struct rng rng;
	uint64_t w[2];
	char hex[33];

	if (!rng.state)
		rng_init(&rng, random_u64());
	w[0] = rng_next(&rng);
	w[1] = rng_next(&rng);
	hex_format(w, sizeof(w), hex);
	hex[12] = '4';
	hex[16] = "89ab"[w[1] & 3];
	for (int i = 0, k = 0; k < 32; k++) {
		if (k == 8 || k == 12 || k == 16 || k == 20)
			out[i++] = '-';
		out[i++] = hex[k];
		out[i] = 0;
	}
}

/* Requests come and go a hundred thousand times a second: the last few that went are kept. */
static struct request *take_spare(struct server *s)
{
	struct request *rq = s ? TAILQ_FIRST(&s->spare) : NULL;

	if (!rq)
		return xcalloc(1, sizeof(*rq));
	TAILQ_REMOVE(&s->spare, rq, parked);
	s->n_spare--;
	memset(rq, 0, sizeof(*rq));
	return rq;
}

static void keep_spare(struct server *s, struct request *rq)
{
	if (!s || s->n_spare >= SPARE_MAX) {
		free(rq);
		return;
	}
	TAILQ_INSERT_HEAD(&s->spare, rq, parked);
	s->n_spare++;
}

struct request *request_new(const struct server_config *c, struct server *s, const char *target)
{
	struct request *rq = take_spare(s);

	rq->server = s;
	rq->config = c;
	rq->arena = arena_new();
	rq->target = arena_strdup(rq->arena, target ? target : "");
	rq->path = "/";
	rq->method = "";
	rq->content_length = -1;
	rq->suffix = FORMAT_NONE;
	rq->principal.name = "anonymous";
	rq->started_ns = clock_mono(c->clock);
	make_id(rq->id);
	return rq;
}

void request_free(struct request *rq)
{
	if (!rq)
		return;
	server_account_body(rq->server, -rq->n_accounted);
	buf_done(&rq->body);
	json_decref(rq->json);
	response_done(&rq->response);
	if (rq->late)
		response_done(rq->late);
	free(rq->late);
	if (rq->stream) { /* begun by a handler that came home too late */
		buf_done(&rq->stream->fresh);
		buf_done(&rq->stream->out);
	}
	arena_free(rq->arena);
	keep_spare(rq->server, rq);
}

static void refuse(struct request *rq, int code, const char *fmt, va_list ap)
{
	char text[sizeof(rq->task.err.text)];

	vsnprintf(text, sizeof(text), fmt, ap);
	rq->refused = error_set(&rq->task.err, code, "%s", text);
}

void request_refuse(struct request *rq, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	refuse(rq, code, fmt, ap);
	va_end(ap);
}

bool request_refuse_close(struct request *rq, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	refuse(rq, code, fmt, ap);
	va_end(ap);
	rq->refused_closes = true;
	return false;
}

const char *request_find(const struct pair *p, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(p[i].name, name))
			return p[i].value;
	return NULL;
}

static bool check_body_limit(struct request *rq)
{
	int64_t max = rq->route->max_body;

	if (max == 0 && rq->has_body)
		request_refuse(rq, E_TOO_LARGE, "%s %s takes no body", rq->method, rq->path);
	else if (rq->content_length > max && rq->has_body)
		request_refuse(rq, E_TOO_LARGE, "the body has %lld bytes, at most %lld",
			(long long)rq->content_length, (long long)max);
	return rq->refused == OK;
}

static bool check_encoding(struct request *rq)
{
	const char *coding = request_header(rq, "Content-Encoding");

	if (coding && strcasecmp(coding, "gzip") && strcasecmp(coding, "identity"))
		request_refuse(rq, E_MEDIA,
			"Content-Encoding '%s' is not known; it may be 'gzip'", coding);
	return rq->refused == OK;
}

void request_begin(struct request *rq, const char *version)
{
	rq->is_head = !strcmp(rq->method, "HEAD");
	if (!framing_check(rq, version))
		return;
	rq->refused = target_parse(rq, &rq->task.err);
	if (rq->refused != OK || !route_match(rq))
		return;
	rq->handler = rq->route->handler;
	if (check_body_limit(rq) && check_encoding(rq))
		access_check_head(rq);
}

static void drop_body(struct request *rq)
{
	server_account_body(rq->server, -rq->n_accounted);
	rq->n_accounted = 0;
	buf_done(&rq->body);
}

void request_add_body(struct request *rq, const char *data, size_t n)
{
	int64_t max = rq->route ? rq->route->max_body : 0;

	rq->n_received += (int64_t)n;
	if (rq->refused == OK && rq->n_received > max) {
		request_refuse_close(
			rq, E_TOO_LARGE, "the body has more than %lld bytes", (long long)max);
		drop_body(rq);
	}
	if (rq->refused != OK)
		return;
	rq->n_accounted += (int64_t)n;
	if (!server_account_body(rq->server, (int64_t)n)) {
		request_refuse_close(rq, E_UNAVAILABLE,
			"too many bodies are being received; try again soon");
		drop_body(rq);
		return;
	}
	if (!rq->body.data && rq->content_length > 0)
		buf_reserve(&rq->body, (size_t)MIN(rq->content_length, 64 * KiB));
	buf_add(&rq->body, data, n);
}

void request_own_head(struct request *rq)
{
	for (size_t i = 0; i < rq->n_headers; i++) {
		rq->headers[i].name = arena_strdup(rq->arena, rq->headers[i].name);
		rq->headers[i].value = arena_strdup(rq->arena, rq->headers[i].value);
	}
	rq->method = arena_strdup(rq->arena, rq->method);
}

/* --- what a handler may ask --- */

struct arena *request_arena(struct request *rq)
{
	return rq->arena;
}

struct server *request_server(struct request *rq)
{
	return rq->server;
}

void *request_app(struct request *rq)
{
	return rq->config->app;
}

const struct clock *request_clock(struct request *rq)
{
	return rq->config->clock;
}

const char *request_public_url(struct request *rq)
{
	if (rq->config->public_url)
		return rq->config->public_url;
	return rq->server ? server_url(rq->server) : "http://127.0.0.1:6610";
}

void request_format_metrics(struct request *rq, struct buf *out)
{
	if (rq->server)
		server_format_metrics(rq->server, out);
}

const char *request_id(const struct request *rq)
{
	return rq->id;
}

const char *request_method(const struct request *rq)
{
	return rq->method;
}

const char *request_path(const struct request *rq)
{
	return rq->path;
}

const char *request_param(const struct request *rq, const char *name)
{
	const char *value = request_find(rq->params, rq->n_params, name);

	return value ? value : "";
}

const char *request_query(const struct request *rq, const char *name)
{
	return request_find(rq->query, rq->n_query, name);
}

static bool is_among(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return !strcmp(name, "format");
}

int request_query_only(struct request *rq, const char *const *names, struct error *err)
{
	for (size_t i = 0; i < rq->n_query; i++) {
		const char *name = rq->query[i].name, *near;

		if (is_among(name, names))
			continue;
		near = nearest_name(name, names);
		return error_set_field(err, E_BAD_REQUEST, name,
			"query parameter '%.40s' is not known here%s%s%s", name,
			near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
	return OK;
}

int request_query_int(struct request *rq, const char *name, int64_t min, int64_t max,
	int64_t otherwise, int64_t *ret, struct error *err)
{
	const char *text = request_query(rq, name);
	char *end = NULL;
	long long v;

	*ret = otherwise;
	if (!text)
		return OK;
	v = strtoll(text, &end, 10);
	if (!*text || strlen(text) > 18 || *end || end == text || v < min || v > max)
		return error_set_field(err, E_BAD_REQUEST, name,
			"query parameter '%s' is '%.40s'; it must be a whole number from %lld "
			"to "
			"%lld",
			name, text, (long long)min, (long long)max);
	*ret = v;
	return OK;
}

const char *request_header(const struct request *rq, const char *name)
{
	for (size_t i = 0; i < rq->n_headers; i++)
		if (!strcasecmp(rq->headers[i].name, name))
			return rq->headers[i].value;
	return NULL;
}

const struct buf *request_body(const struct request *rq)
{
	return &rq->body;
}

static bool is_json_type(const char *type)
{
	size_t n = type ? strcspn(type, "; \t") : 0;

	if (n == strlen("application/json") && !strncasecmp(type, "application/json", n))
		return true;
	return n > 17 && !strncasecmp(type, "application/", 12) &&
	       !strncasecmp(type + n - 5, "+json", 5);
}

int request_json(struct request *rq, json_t **ret, struct error *err)
{
	const char *type = request_header(rq, "Content-Type");
	int r;

	if (!rq->is_json_parsed) {
		if (!is_json_type(type))
			return error_set(err, E_MEDIA,
				"the body must be 'Content-Type: application/json', not '%s'",
				type ? type : "(none)");
		r = json_parse(buf_str(&rq->body), rq->body.len, &rq->json, err);
		if (r < 0)
			return error_prefix(err, "the body is not valid: ");
		rq->is_json_parsed = true;
	}
	*ret = rq->json;
	return OK;
}

bool request_is_signed_in(const struct request *rq)
{
	return rq->cookie != NULL;
}

const struct principal *request_principal(const struct request *rq)
{
	return &rq->principal;
}

void request_wake(struct request *rq, unsigned bits)
{
	rq->task.wake |= bits;
}

void request_notify(struct request *rq, const char *key)
{
	assert(rq->n_notify < NOTIFY_MAX);
	rq->notify[rq->n_notify++] = arena_strdup(rq->arena, key);
}

void request_park(struct request *rq, const char *key, int64_t deadline_ns, handler_fn again)
{
	rq->after = AFTER_PARK;
	rq->key = arena_strdup(rq->arena, key);
	if (deadline_ns) /* parked again: the first one holds */
		rq->park_until_ns = deadline_ns;
	rq->again = again;
}

void request_write(struct request *rq, handler_fn then)
{
	rq->after = AFTER_WRITE;
	rq->again = then;
}

bool request_deadline_passed(const struct request *rq)
{
	return rq->is_past_deadline;
}

void request_set_state(struct request *rq, void *state)
{
	rq->state = state;
}

void *request_state(const struct request *rq)
{
	return rq->state;
}
