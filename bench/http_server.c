/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server for `make bench-http`: benchd's HTTP machinery and store with three routes, so that
 * figures say what the machinery costs and not what a noun costs.
 *
 *   http-server DATABASE    prints "listening on URL"; ends at SIGTERM */
#include <signal.h>
#include <stdio.h>
#include "base/log.h"
#include "base/secret.h"
#include "daemon/http/http.h"
#include "daemon/store/store.h"

static int get_healthz(struct request *rq, struct store *st, struct error *err)
{
	response_text(rq, 200, "application/json", "{\"ok\":true}\n");
	return OK;
}

static int get_read(struct request *rq, struct store *st, struct error *err)
{
	struct project *list;
	size_t n;
	int64_t total;
	struct page page = { .page = 1, .per_page = 8 };
	int r = store_project_list(st, request_arena(rq), &page, &list, &n, &total, err);

	if (r < 0)
		return r;
	response_json(rq, 200, json_integer((json_int_t)total));
	return OK;
}

/* One durable row a request, with its body parsed: the least a real POST does. */
static int post_row(struct request *rq, struct store *st, struct error *err)
{
	char key[SHA256_HEX], hash[SHA256_HEX];
	struct idempotent i = { .body_hash = hash,
		.status = 202,
		.content_type = "application/json",
		.body = "{}",
		.created_ns = clock_realtime_ns() };
	json_t *j;
	int r = request_json(rq, &j, err);

	if (r < 0)
		return r;
	sha256_hex(buf_str(request_body(rq)), request_body(rq)->len, hash);
	snprintf(key, sizeof(key), "%s", request_id(rq));
	r = store_idempotency_save(st, "bench", key, &i, err);
	if (r < 0)
		return r;
	response_text(rq, 202, "application/json", "{\"accepted\":true}\n");
	return OK;
}

const struct route routes[] = {
	{ "GET", "/healthz", get_healthz, LOOP, S_NONE, 0, 0, "" },
	{ "GET", "/read", get_read, READER, S_NONE, 0, 0, "" },
	{ "POST", "/rows", post_row, WRITER, S_SUBMIT, 64 * KiB, 0, "" },
	{ NULL, NULL, NULL, LOOP, S_NONE, 0, 0, NULL },
};

struct bench {
	struct server *server;
	uv_signal_t signal;
};

static void on_stopped(void *arg)
{
	struct bench *b = arg;
	struct server_stats s;

	server_get_stats(b->server, &s);
	fprintf(stderr, "%lld requests, %lld writes in %lld commits of %.0f us\n",
		(long long)s.requests, (long long)s.batched_requests, (long long)s.batches,
		s.batches ? (double)s.commit_ns / 1000 / (double)s.batches : 0);
	uv_close((uv_handle_t *)&b->signal, NULL);
}

static void on_signal(uv_signal_t *sig, int number)
{
	struct bench *b = sig->data;

	server_stop(b->server, on_stopped, b);
}

int main(int argc, char **argv)
{
	struct listen_addr listen = { .host = "127.0.0.1", .fd = -1 };
	struct server_config c = { .loop = uv_default_loop(),
		.routes = routes,
		.listen = &listen,
		.n_listen = 1,
		.db_path = argc > 1 ? argv[1] : "bench.db",
		.clock = &system_clock };
	struct bench b;
	struct error err = { 0 };

	if (store_open(c.db_path, &c.writer_store, &err) < 0 ||
		server_start(&c, &b.server, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	uv_signal_init(c.loop, &b.signal);
	b.signal.data = &b;
	uv_signal_start(&b.signal, on_signal, SIGTERM);
	printf("listening on %s\n", server_url(b.server));
	fflush(stdout);
	uv_run(c.loop, UV_RUN_DEFAULT);
	server_free(b.server);
	store_close(c.writer_store);
	return uv_loop_close(c.loop) ? 1 : 0;
}
