/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/http_rig.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <strings.h>
#include <sys/socket.h>

/* --- the routes --- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_open;
	int entered;
} gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0 };

void gate_reset(void)
{
	gate.is_open = false;
	gate.entered = 0;
}

void gate_open(void)
{
	pthread_mutex_lock(&gate.lock);
	gate.is_open = true;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

void gate_wait_entered(int n)
{
	pthread_mutex_lock(&gate.lock);
	while (gate.entered < n)
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
}

static void gate_pass(void)
{
	pthread_mutex_lock(&gate.lock);
	gate.entered++;
	pthread_cond_broadcast(&gate.changed);
	while (!gate.is_open)
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
}

_Atomic int rig_n_health;

static int get_healthz(struct request *rq, struct store *st, struct error *err)
{
	rig_n_health++;
	response_text(rq, 200, "application/json", "{\"ok\":true}\n");
	return OK;
}

static int get_item(struct request *rq, struct store *st, struct error *err)
{
	json_t *o = json_object();
	enum format f;
	int r = request_format(rq, 1u << F_JSON | 1u << F_TEXT | 1u << F_CSV, &f, err);

	if (r < 0) {
		json_decref(o);
		return r;
	}
	json_set_str(o, "name", request_param(rq, "name"));
	json_set_opt(o, "q", request_query(rq, "q"));
	json_set_int(o, "format", f);
	if (!response_not_modified(rq, "\"v1\""))
		response_json(rq, 200, o);
	else
		json_decref(o);
	return OK;
}

static int get_file(struct request *rq, struct store *st, struct error *err)
{
	return response_asset(rq, request_param(rq, "path"), err);
}

static int get_big(struct request *rq, struct store *st, struct error *err)
{
	struct buf b = { 0 };
	int64_t n;
	int r = request_query_int(rq, "n", 0, 100000000, 5000, &n, err);

	if (r < 0)
		return r;
	for (int64_t i = 0; i < n; i++)
		buf_add_char(&b, (char)('a' + i % 7));
	response_header(rq, "ETag", "\"big\"");
	response_buf(rq, 200, "text/plain", &b);
	return OK;
}

static int post_row(struct request *rq, struct store *st, struct error *err)
{
	json_t *j;
	int r = request_json(rq, &j, err);

	if (r < 0)
		return r;
	fake_add_row();
	request_wake(rq, WAKE_QUEUE);
	if (json_get_bool(j, "fail", false))
		return error_set_field(err, E_UNPROCESSABLE, "/fail", "'fail' is true");
	response_text(rq, 201, "application/json", "{\"stored\":true}\n");
	return OK;
}

static int post_job(struct request *rq, struct store *st, struct error *err)
{
	int r = request_idempotent(rq, st, err);

	if (r != 0)
		return r < 0 ? r : OK;
	fake_add_row();
	response_header(rq, "Location", "/jobs/1");
	response_text(rq, 202, "application/json", "{\"job\":1}\n");
	return OK;
}

static int post_upload(struct request *rq, struct store *st, struct error *err)
{
	char text[64];

	snprintf(text, sizeof(text), "%zu\n", request_body(rq)->len);
	response_text(rq, 200, "text/plain", text);
	return OK;
}

static _Atomic int wait_level; /* what /wait waits for: set by post_level */

static int get_waited(struct request *rq, struct store *st, struct error *err)
{
	int64_t n;
	int r = request_query_int(rq, "level", 0, 1000, 1, &n, err);

	if (r < 0)
		return r;
	if (wait_level < n && !request_deadline_passed(rq)) {
		request_park(rq, "level", *(int64_t *)request_state(rq), get_waited);
		return OK;
	}
	response_text(rq, 200, "text/plain",
		request_deadline_passed(rq) ? "deadline\n" : "reached\n");
	return OK;
}

static int get_wait(struct request *rq, struct store *st, struct error *err)
{
	int64_t *until = ARENA_NEW(request_arena(rq), int64_t);
	int r = request_wait(rq, until, err);

	if (r < 0)
		return r;
	*until += clock_mono(request_clock(rq));
	request_set_state(rq, until);
	return get_waited(rq, st, err);
}

/* Looks first, then dawdles at the gate: what happens meanwhile must not be lost. */
static int get_slow_wait(struct request *rq, struct store *st, struct error *err)
{
	int64_t *until = ARENA_NEW(request_arena(rq), int64_t);
	bool is_reached = wait_level >= 1;

	*until = clock_mono(request_clock(rq)) + 60 * NS_PER_S;
	request_set_state(rq, until);
	gate_pass();
	if (is_reached)
		response_text(rq, 200, "text/plain", "reached\n");
	else
		request_park(rq, "level", *until, get_waited);
	return OK;
}

static int post_level(struct request *rq, struct store *st, struct error *err)
{
	wait_level++;
	request_wake(rq, WAKE_JOBS);
	response_text(rq, 204, NULL, "");
	return OK;
}

static int next_event(struct request *rq, struct store *st, int64_t *cursor, struct buf *out,
	struct error *err)
{
	for (; *cursor < wait_level; (*cursor)++)
		buf_printf(out, "id: %lld\nevent: level\ndata: {}\n\n", (long long)*cursor + 1);
	return wait_level >= 100 ? E_GONE : OK;
}

static int get_events(struct request *rq, struct store *st, struct error *err)
{
	request_stream(rq, "level", next_event);
	return OK;
}

static int get_gate(struct request *rq, struct store *st, struct error *err)
{
	gate_pass();
	response_text(rq, 200, "text/plain", "passed\n");
	return OK;
}

static int get_who(struct request *rq, struct store *st, struct error *err)
{
	response_text(rq, 200, "text/plain", request_principal(rq)->name);
	return OK;
}

static int get_page(struct request *rq, struct store *st, struct error *err)
{
	struct buf b = { 0 };

	buf_printf(&b, "<!doctype html><link rel=stylesheet href=\"%s\">",
		request_asset_url(rq, "app.css"));
	response_page(rq, 200, &b);
	return OK;
}

static int get_silent(struct request *rq, struct store *st, struct error *err)
{
	return OK;
}

/* A reader, the writer and a reader again; each says whether it saw a transaction. */
static char *three_steps(struct request *rq)
{
	if (!request_state(rq))
		request_set_state(rq, arena_strdup(request_arena(rq), "   "));
	return request_state(rq);
}

static int three_read(struct request *rq, struct store *st, struct error *err)
{
	three_steps(rq)[2] = fake.in_transaction ? 't' : '-';
	response_text(rq, 201, "text/plain", three_steps(rq));
	return OK;
}

static int three_write(struct request *rq, struct store *st, struct error *err)
{
	three_steps(rq)[1] = fake.in_transaction ? 't' : '-';
	fake_add_row();
	if (request_query(rq, "late"))
		return error_set(err, E_CONFLICT, "not like this");
	request_park(rq, "three", clock_mono(request_clock(rq)), three_read);
	return OK;
}

static int post_three(struct request *rq, struct store *st, struct error *err)
{
	three_steps(rq)[0] = fake.in_transaction ? 't' : '-';
	if (request_query(rq, "early"))
		return error_set(err, E_UNPROCESSABLE, "not this");
	request_write(rq, three_write);
	return OK;
}

const struct route rig_routes[] = {
	{ "GET", "/healthz", get_healthz, LOOP, S_NONE, 0, 0, "" },
	{ "GET", "/", get_healthz, LOOP, S_NONE, 0, 0, "" },
	{ "GET", "/items/{name}", get_item, READER, S_READ, 0, 0, "" },
	{ "DELETE", "/items/{name}", get_item, WRITER, S_SUBMIT, 0, 0, "" },
	{ "GET", "/items/{name}/parts/{part}", get_item, READER, S_READ, 0, 0, "" },
	{ "GET", "/files/{*path}", get_file, LOOP, S_NONE, 0, 0, "" },
	{ "GET", "/openapi.json", get_healthz, LOOP, S_NONE, 0, 0, "" },
	{ "GET", "/big", get_big, READER, S_NONE, 0, 0, "" },
	{ "POST", "/rows", post_row, WRITER, S_SUBMIT, 1024, 0, "" },
	{ "POST", "/jobs", post_job, WRITER, S_SUBMIT, 256 * KiB, 0, "" },
	{ "POST", "/upload", post_upload, WRITER, S_SUBMIT, 16 * MiB, 0, "" },
	{ "GET", "/wait", get_wait, READER, S_NONE, 0, 0, "" },
	{ "GET", "/slow-wait", get_slow_wait, READER, S_NONE, 0, 60 * NS_PER_S, "" },
	{ "POST", "/level", post_level, WRITER, S_NONE, 0, 0, "" },
	{ "GET", "/events", get_events, READER, S_NONE, 0, 0, "" },
	{ "GET", "/gate", get_gate, READER, S_NONE, 0, 0, "" },
	{ "POST", "/gate", get_gate, WRITER, S_NONE, 0, 0, "" },
	{ "GET", "/who", get_who, LOOP, S_READ, 0, 0, "" },
	{ "GET", "/page", get_page, LOOP, S_NONE, 0, 0, "" },
	{ "POST", "/three", post_three, READER, S_SUBMIT, 1024, 0, "" },
	{ "GET", "/silent", get_silent, READER, S_NONE, 0, 0, "" },
	{ NULL, NULL, NULL, LOOP, S_NONE, 0, 0, NULL },
};
/* http_call's default table; the daemon's own is not linked here. */
const struct route routes[] = { { NULL, NULL, NULL, LOOP, S_NONE, 0, 0, NULL } };

/* --- the server --- */

static void on_commit(void *app, unsigned bits)
{
	struct rig *r = app;

	r->wakes |= bits;
	r->wake_calls++;
	if (bits & WAKE_JOBS)
		server_notify(r->server, "level");
}

void rig_init(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	fake_reset();
	gate_reset();
	wait_level = 0;
	uv_loop_init(&r->loop);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	ck_assert_int_eq(store_open("", &r->store, NULL), OK);
	r->listen[0] = (struct listen_addr){ .host = "127.0.0.1", .fd = -1 };
	r->config = (struct server_config){ .loop = &r->loop,
		.routes = rig_routes,
		.listen = r->listen,
		.n_listen = 1,
		.db_path = "",
		.writer_store = r->store,
		.clock = &system_clock,
		.app = r,
		.on_commit = on_commit };
}

static void on_call(uv_async_t *a)
{
	struct rig *r = a->data;

	pthread_mutex_lock(&r->lock);
	if (r->fn)
		r->fn(r, r->fn_arg);
	r->fn = NULL;
	r->is_called = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

static void *run_loop(void *arg)
{
	struct rig *r = arg;

	uv_run(&r->loop, UV_RUN_DEFAULT);
	return NULL;
}

void rig_start(struct rig *r)
{
	struct error err = { 0 };

	uv_async_init(&r->loop, &r->call, on_call);
	r->call.data = r;
	ck_assert_msg(server_start(&r->config, &r->server, &err) == OK, "%s", err.text);
	if (!strncmp(server_url(r->server), "http://127", 10))
		sscanf(server_url(r->server), "http://127.0.0.1:%d", &r->port);
	pthread_create(&r->thread, NULL, run_loop, r);
}

void rig_call(struct rig *r, void (*fn)(struct rig *r, void *arg), void *arg)
{
	pthread_mutex_lock(&r->lock);
	r->fn = fn;
	r->fn_arg = arg;
	r->is_called = false;
	uv_async_send(&r->call);
	while (!r->is_called)
		pthread_cond_wait(&r->changed, &r->lock);
	pthread_mutex_unlock(&r->lock);
}

static void do_notify(struct rig *r, void *arg)
{
	server_notify(r->server, arg);
}

void rig_notify(struct rig *r, const char *key)
{
	rig_call(r, do_notify, (void *)key);
}

static void do_stats(struct rig *r, void *arg)
{
	server_get_stats(r->server, arg);
}

void rig_stats(struct rig *r, struct server_stats *ret)
{
	rig_call(r, do_stats, ret);
}

static void on_stopped(void *arg)
{
	struct rig *r = arg;

	uv_close((uv_handle_t *)&r->call, NULL);
}

static void do_stop(struct rig *r, void *arg)
{
	server_stop(r->server, on_stopped, r);
}

void rig_begin_stop(struct rig *r)
{
	rig_call(r, do_stop, NULL);
	r->is_stopped = true;
}

void rig_stop(struct rig *r)
{
	if (!r->is_stopped)
		rig_begin_stop(r);
	pthread_join(r->thread, NULL);
	ck_assert_int_eq(uv_loop_close(&r->loop), 0);
	server_free(r->server);
	store_close(r->store);
	ck_assert_int_eq(fake.readers, 0);
}

/* --- the client --- */

int client_connect(const struct rig *r)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)r->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

void client_send(int fd, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t k = send(fd, data, n, MSG_NOSIGNAL);

		if (k <= 0)
			return; /* the server may close early: the answer tells */
		data += k;
		n -= (size_t)k;
	}
}

void client_printf(int fd, const char *fmt, ...)
{
	char text[8192];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	client_send(fd, text, (size_t)n);
}

static int read_some(int fd, struct buf *b, int timeout_ms)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char text[65536];
	ssize_t n;

	if (poll(&p, 1, timeout_ms) <= 0)
		return -2;
	n = recv(fd, text, sizeof(text), 0);
	if (n > 0)
		buf_add(b, text, (size_t)n);
	return (int)n;
}

static int read_byte_by_byte_head(int fd, struct buf *head)
{
	while (head->len < 4 || memcmp(head->data + head->len - 4, "\r\n\r\n", 4)) {
		struct pollfd p = { fd, POLLIN, 0 };
		char c;

		if (poll(&p, 1, 30000) <= 0 || recv(fd, &c, 1, 0) != 1)
			return -1;
		buf_add_char(head, c);
	}
	return 0;
}

static void read_exactly(int fd, struct buf *b, size_t n)
{
	char text[65536];

	while (n > 0) {
		struct pollfd p = { fd, POLLIN, 0 };
		ssize_t k;

		if (poll(&p, 1, 30000) <= 0)
			return;
		k = recv(fd, text, MIN(n, sizeof(text)), 0);
		if (k <= 0)
			return;
		buf_add(b, text, (size_t)k);
		n -= (size_t)k;
	}
}

const char *answer_header(const struct answer *a, const char *name, char out[256])
{
	const char *line = buf_str(&a->head);
	size_t n = strlen(name);

	while ((line = strstr(line, "\r\n"))) {
		line += 2;
		if (strncasecmp(line, name, n) || line[n] != ':')
			continue;
		line += n + 1;
		line += strspn(line, " ");
		snprintf(out, 256, "%.*s", (int)strcspn(line, "\r"), line);
		return out;
	}
	return NULL;
}

void client_read(int fd, struct answer *a)
{
	char value[256];

	answer_done(a);
	if (read_byte_by_byte_head(fd, &a->head) < 0)
		return;
	if (sscanf(a->head.data, "HTTP/1.1 %d", &a->status) != 1)
		return;
	if (a->status == 100) {
		buf_clear(&a->head);
		client_read(fd, a);
	} else if (answer_header(a, "Content-Length", value)) {
		read_exactly(fd, &a->body, (size_t)atoll(value));
	}
}

size_t client_read_all(int fd, struct buf *out, int timeout_ms, bool *ret_is_closed)
{
	int n;

	do {
		n = read_some(fd, out, timeout_ms);
	} while (n > 0);
	if (ret_is_closed)
		*ret_is_closed = n != -2;
	return out->len;
}

void answer_done(struct answer *a)
{
	buf_done(&a->head);
	buf_done(&a->body);
	*a = (struct answer){ 0 };
}

void fetch(const struct rig *r, const char *method, const char *target, const char *headers,
	const char *body, struct answer *a)
{
	int fd = client_connect(r);
	struct buf b = { 0 };

	buf_printf(&b, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s", method, target,
		headers ? headers : "");
	if (body)
		buf_printf(&b, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			strlen(body));
	buf_printf(&b, "\r\n%s", body ? body : "");
	client_send(fd, b.data, b.len);
	buf_done(&b);
	client_read(fd, a);
	if (!strcmp(method, "HEAD"))
		buf_clear(&a->body);
	close(fd);
}

int count_text(const char *haystack, const char *needle)
{
	int n = 0;

	for (; (haystack = strstr(haystack, needle)); haystack += strlen(needle))
		n++;
	return n;
}
