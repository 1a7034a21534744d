/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/http/exchange.h"

#include <microhttpd.h>
#include <string.h>
#include <sys/socket.h>
#include "daemon/http/dispatch.h"
#include "daemon/http/listener.h"
#include "daemon/http/park.h"
#include "daemon/http/server.h"
#include "daemon/http/stream.h"

enum { STREAM_BLOCK = 16 * 1024, LEAST_RATE = 1024 /* bytes a second */ };
static const int64_t rate_check_ns = 5 * NS_PER_S;
static const char page_policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
	"connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
	"frame-ancestors 'none'";

void exchange_set_deadline(struct conn *c, enum deadline_kind kind, int64_t after_ns)
{
	deadline_set(&c->server->deadlines, &c->deadline, kind, after_ns);
}

static void suspend(struct conn *c)
{
	MHD_suspend_connection(c->mhd);
	c->is_suspended = true;
	c->listener->n_suspended++;
}

void exchange_resume(struct conn *c)
{
	if (c->rq && c->rq->phase == PHASE_WORKING)
		c->rq->phase = PHASE_ANSWER;
	if (!c->is_suspended)
		return;
	c->is_suspended = false;
	c->listener->n_suspended--;
	c->listener->needs_pump = true;
	MHD_resume_connection(c->mhd);
}

/* --- answering --- */

static ssize_t on_stream_read(void *cls, uint64_t pos, char *to, size_t max)
{
	struct request *rq = cls;
	int64_t n = stream_read(rq, to, max);

	if (n < 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == 0)
		suspend(rq->conn);
	return (ssize_t)n;
}

static void on_body_sent(void *cls)
{
	free(cls);
}

static struct MHD_Response *make_body(struct request *rq, struct response *res)
{
	size_t n = res->body.len;
	char *data;

	if (rq->stream && rq->stream->is_begun && res == &rq->response)
		return MHD_create_response_from_callback(
			MHD_SIZE_UNKNOWN, STREAM_BLOCK, on_stream_read, rq, NULL);
	if (res->fixed)
		return MHD_create_response_from_buffer(
			res->n_fixed, (void *)res->fixed, MHD_RESPMEM_PERSISTENT);
	if (n == 0)
		return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	data = buf_take(&res->body);
	return MHD_create_response_from_buffer_with_free_callback_cls(
		n, data, on_body_sent, data);
}

static void add(struct MHD_Response *m, const char *name, const char *value)
{
	(void)MHD_add_response_header(m, name, value);
}

static bool is_page(const char *mime)
{
	return mime && (!strncmp(mime, "text/html", 9) || !strncmp(mime, "image/svg", 9));
}

/* Whatever a browser may run gets the policy, whoever made it. */
static void add_page_headers(struct MHD_Response *m, const struct response *res)
{
	if (!response_find(res, "Content-Security-Policy"))
		add(m, "Content-Security-Policy", page_policy);
	add(m, "Referrer-Policy", "same-origin");
	add(m, "Cross-Origin-Opener-Policy", "same-origin");
	add(m, "Permissions-Policy", "camera=(), geolocation=(), microphone=()");
}

static void add_headers(struct MHD_Response *m, struct request *rq, struct response *res)
{
	add(m, "X-Request-Id", rq->id);
	add(m, "X-Content-Type-Options", "nosniff");
	if (res->mime)
		add(m, "Content-Type", res->mime);
	if (is_page(res->mime))
		add_page_headers(m, res);
	for (size_t i = 0; i < res->n_headers; i++)
		add(m, res->headers[i].name, res->headers[i].value);
	if (rq->varies && !response_find(res, "Vary"))
		add(m, "Vary", "Accept");
	if (!response_find(res, "Cache-Control"))
		add(m, "Cache-Control", "no-cache");
	if (res->is_closing || rq->server->is_stopping)
		add(m, "Connection", "close");
}

static void make_stream_head(struct response *res)
{
	res->status = 200;
	res->mime = "text/event-stream";
	response_add(res, "Cache-Control", "no-store");
	response_add(res, "X-Accel-Buffering", "no");
}

static enum MHD_Result answer(struct conn *c, struct request *rq)
{
	struct response *res = rq->is_abandoned ? rq->late : &rq->response;
	const struct server_limits *l = &c->server->config.limits;
	bool is_stream = rq->stream && rq->stream->is_begun && !rq->is_abandoned;
	int64_t n = (int64_t)(res->fixed ? res->n_fixed : res->body.len);
	struct MHD_Response *m;
	enum MHD_Result r;

	if (is_stream)
		make_stream_head(res);
	m = make_body(rq, res);
	if (!m)
		return MHD_NO;
	add_headers(m, rq, res);
	rq->phase = PHASE_DONE;
	if (is_stream)
		deadline_clear(&c->server->deadlines, &c->deadline);
	else
		exchange_set_deadline(
			c, D_SEND, l->send_ns + n * (NS_PER_S / 1000) / l->send_rate * 1000);
	rq->sent_status = res->status;
	r = MHD_queue_response(c->mhd, (unsigned)res->status, m);
	MHD_destroy_response(m);
	return r;
}

/* --- receiving --- */

static enum MHD_Result add_pair(void *cls, enum MHD_ValueKind kind, const char *name,
	size_t name_n, const char *value, size_t value_n)
{
	struct request *rq = cls;

	if (strlen(name) != name_n || (value && strlen(value) != value_n))
		request_refuse_close(rq, E_BAD_REQUEST, "a header contains a NUL");
	rq->headers[rq->n_headers++] = (struct pair){ name, value ? value : "" };
	return MHD_YES;
}

static void gather_headers(struct conn *c, struct request *rq)
{
	int n = MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, NULL, NULL);

	rq->headers = ARENA_ARRAY(rq->arena, struct pair, MAX(n, 1));
	MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, add_pair, rq);
}

static void check_stopping(struct conn *c, struct request *rq)
{
	if (c->server->is_stopping && rq->refused == OK)
		request_refuse_close(
			rq, E_UNAVAILABLE, "benchd is shutting down; try again soon");
}

/* A refusal before the body costs the client no upload: answered in the first call, it closes
 * the connection. Without a body the connection may live on. */
static enum MHD_Result begin(
	struct conn *c, struct request *rq, const char *method, const char *version)
{
	rq->method = method;
	rq->is_local = c->listener->is_local;
	rq->is_unix = c->listener->is_unix;
	gather_headers(c, rq);
	if (rq->refused == OK)
		request_begin(rq, version);
	check_stopping(c, rq);
	rq->phase = PHASE_BODY;
	if (rq->refused != OK && (rq->has_body || rq->refused_closes)) {
		rq->refused_closes = true;
		dispatch_inline(rq);
		return answer(c, rq);
	}
	if (rq->has_body) {
		c->body_started_ns = clock_mono(c->server->config.clock);
		exchange_set_deadline(c, D_BODY, c->server->config.limits.body_grace_ns);
	}
	return MHD_YES;
}

static void take_piece(struct conn *c, struct request *rq, const char *data, size_t n)
{
	int64_t max = rq->route ? rq->route->max_body : 0;

	request_add_body(rq, data, n);
	if (rq->n_received > 2 * max + 64 * KiB)
		shutdown(c->fd, SHUT_RDWR);
}

static enum MHD_Result finish(struct conn *c, struct request *rq)
{
	if (dispatch_inline(rq))
		return answer(c, rq);
	suspend(c);
	rq->phase = PHASE_WORKING;
	dispatch_hand_over(rq);
	return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *data, size_t *n, void **req_cls)
{
	struct request *rq = *req_cls;
	struct conn *c = rq->conn;

	switch (rq->phase) {
	case PHASE_NEW:
		return begin(c, rq, method, version);
	case PHASE_BODY:
		if (!*n)
			return finish(c, rq);
		take_piece(c, rq, data, *n);
		*n = 0;
		return MHD_YES;
	case PHASE_ANSWER:
		return answer(c, rq);
	case PHASE_READY:
	case PHASE_WORKING:
	case PHASE_DONE:
		break;
	}
	return MHD_YES; /* resumed by nobody of ours: wait on */
}

static struct conn *conn_of(struct MHD_Connection *mhd)
{
	return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* First line of a request: *req_cls of all that follows. */
static void *on_line(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	struct server *s = cls;
	struct conn *c = conn_of(mhd);
	struct request *rq = request_new(&s->config, s, uri);

	rq->conn = c;
	c->rq = rq;
	if (c->deadline.kind != D_HEAD)
		exchange_set_deadline(c, D_HEAD, s->config.limits.head_ns);
	return rq;
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **req_cls,
	enum MHD_RequestTerminationCode why)
{
	struct request *rq = *req_cls;
	struct conn *c = rq ? rq->conn : NULL;

	*req_cls = NULL;
	if (!c)
		return;
	metrics_record(&c->server->metrics, rq);
	park_remove(rq);
	stream_remove(rq);
	c->rq = NULL;
	rq->conn = NULL;
	exchange_set_deadline(c, D_IDLE, c->server->config.limits.idle_ns);
	if (!rq->is_out)
		request_free(rq);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
	enum MHD_ConnectionNotificationCode what)
{
	struct listener *l = cls;
	struct conn *c = *context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		c = xcalloc(1, sizeof(*c));
		c->listener = l;
		c->server = l->server;
		c->mhd = mhd;
		c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)
				->connect_fd;
		TAILQ_INSERT_TAIL(&l->conns, c, link);
		*context = c;
		l->server->metrics.connections++;
		exchange_set_deadline(c, D_HEAD, l->server->config.limits.head_ns);
		return;
	}
	deadline_clear(&l->server->deadlines, &c->deadline);
	TAILQ_REMOVE(&l->conns, c, link);
	*context = NULL;
	free(c);
}

const struct exchange_callbacks exchange_callbacks = {
	on_request,
	on_line,
	on_completed,
	on_connection,
};

/* --- deadlines --- */

static void cut(struct conn *c)
{
	c->server->metrics.deadline_closes++;
	shutdown(c->fd, SHUT_RDWR);
}

static void check_rate(struct conn *c)
{
	const struct server_limits *l = &c->server->config.limits;
	int64_t spent = clock_mono(c->server->config.clock) - c->body_started_ns;
	int64_t n = c->rq ? c->rq->n_received : 0;

	if (spent >= l->body_ns || n < LEAST_RATE * (spent / NS_PER_MS) / 1000)
		cut(c);
	else
		exchange_set_deadline(c, D_BODY, MIN(rate_check_ns, l->body_ns - spent));
}

void exchange_on_expired(void *server, struct deadline *d, enum deadline_kind kind)
{
	struct conn *c = container_of(d, struct conn, deadline);

	switch (kind) {
	case D_BODY:
		check_rate(c);
		break;
	case D_WORK:
		if (c->rq)
			dispatch_expired(c->rq);
		break;
	case D_IDLE:
		shutdown(c->fd, SHUT_RDWR);
		break;
	default:
		cut(c);
	}
	server_pump(server);
}
