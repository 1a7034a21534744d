/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/http/server.h"

#include <signal.h>
#include "base/log.h"
#include "daemon/http/listener.h"
#include "daemon/store/store.h"

enum { READERS_DEFAULT = 4 };

static void fill(int64_t *v, int64_t otherwise)
{
	if (!*v)
		*v = otherwise;
}

static void fill_limits(struct server_limits *l)
{
	fill(&l->head_ns, 10 * NS_PER_S);
	fill(&l->idle_ns, 30 * NS_PER_S);
	fill(&l->body_ns, 60 * NS_PER_S);
	fill(&l->body_grace_ns, 10 * NS_PER_S);
	fill(&l->read_ns, 10 * NS_PER_S);
	fill(&l->write_ns, 30 * NS_PER_S);
	fill(&l->send_ns, 60 * NS_PER_S);
	fill(&l->send_rate, 1 * KiB);
	fill(&l->heartbeat_ns, 15 * NS_PER_S);
	fill(&l->drain_ns, 10 * NS_PER_S);
	fill(&l->max_streams, 256);
	fill(&l->max_parked, 1024);
	fill(&l->max_queued, 4096);
	fill(&l->max_queued_bytes, 64 * MiB);
	fill(&l->max_body_bytes, 256 * MiB);
	fill(&l->max_connections, 10240);
	fill(&l->connection_memory, 16 * KiB);
}

void server_pump(struct server *s)
{
	for (size_t i = 0; i < s->n_listeners; i++)
		if (s->listeners[i].needs_pump)
			listener_pump(&s->listeners[i]);
	if (s->is_stopping)
		server_stop_step(s);
}

bool server_account_body(struct server *s, int64_t n)
{
	if (!s)
		return true;
	s->body_bytes += n;
	return n < 0 || s->body_bytes <= s->config.limits.max_body_bytes;
}

void server_log_failure(const struct request *rq, int code, const struct error *err)
{
	if (error_status(code) >= 500)
		log_warning("%s %s: %s (request %s)", rq->method, rq->path, err->text, rq->id);
}

/* After a batch came home: what it asked for, then one pump for all of it. */
static void on_batch(void *arg, unsigned wake)
{
	struct server *s = arg;

	if (wake && s->config.on_commit)
		s->config.on_commit(s->config.app, wake);
	server_pump(s);
}

static void init_loop_parts(struct server *s)
{
	uv_loop_t *loop = s->config.loop;

	mailbox_init(&s->mailbox, loop, on_batch, s);
	deadlines_init(&s->deadlines, loop, exchange_on_expired, s);
	uv_timer_init(loop, &s->heartbeat);
	s->heartbeat.data = s;
	uv_timer_init(loop, &s->stop_timer);
	s->stop_timer.data = s;
	s->n_handles = 4;
	watches_init(&s->watches);
	TAILQ_INIT(&s->streams);
	TAILQ_INIT(&s->spare);
}

static int start_listeners(struct server *s, struct error *err)
{
	const struct server_config *c = &s->config;

	s->listeners = xcalloc(c->n_listen, sizeof(*s->listeners));
	for (size_t i = 0; i < c->n_listen; i++) {
		int r = listener_start(&s->listeners[i], s, &c->listen[i], err);

		s->n_listeners = i + 1;
		if (r < 0)
			return r;
	}
	if (s->n_listeners)
		listener_format_url(&s->listeners[0], s->url, sizeof(s->url));
	return OK;
}

/* Nothing has been served yet: close what is open and let the loop run the callbacks. */
static void undo_start(struct server *s)
{
	server_stop(s, NULL, NULL);
	while (s->stop_step != STOP_DONE)
		uv_run(s->config.loop, UV_RUN_ONCE);
	server_free(s);
}

int server_start(const struct server_config *c, struct server **ret, struct error *err)
{
	struct server *s = xcalloc(1, sizeof(*s));
	int n_readers = c->n_readers > 0 ? c->n_readers : READERS_DEFAULT;
	int r;

	s->config = *c;
	fill_limits(&s->config.limits);
	signal(SIGPIPE, SIG_IGN);
	metrics_init(&s->metrics, c->routes);
	assets_init(&s->assets, c->assets);
	init_loop_parts(s);
	writer_start(&s->writer, c->writer_store, &s->mailbox, c->clock,
		s->config.limits.max_queued, s->config.limits.max_queued_bytes);
	readers_start(&s->readers, n_readers, c->db_path, &s->mailbox);
	r = start_listeners(s, err);
	if (r < 0) {
		undo_start(s);
		return r;
	}
	*ret = s;
	return OK;
}

const char *server_url(const struct server *s)
{
	return s->url;
}

struct writer *server_writer(struct server *s)
{
	return &s->writer;
}

int server_read(struct server *s, write_fn run, written_fn done, void *arg, struct error *err)
{
	struct task *t = task_new(run, done, arg);
	int r = task_queue_add(&s->readers.queue, t, err);

	if (r < 0)
		free(t);
	return r;
}

void server_get_stats(const struct server *s, struct server_stats *ret)
{
	*ret = (struct server_stats){
		.requests = s->metrics.requests,
		.errors = s->metrics.errors,
		.connections = s->metrics.connections,
		.deadline_closes = s->metrics.deadline_closes,
		.batches = s->writer.batches,
		.batched_requests = s->writer.batched,
		.commit_ns = s->writer.commit_ns,
		.parked = s->watches.n_parked,
		.streams = s->n_streams,
		.writer_queue = task_queue_length((struct task_queue *)&s->writer.queue),
	};
}

static void format_counter(struct buf *out, const char *name, const char *help, int64_t v)
{
	buf_printf(out, "# HELP benchd_%s %s\n# TYPE benchd_%s counter\nbenchd_%s_total %lld\n",
		name, help, name, name, (long long)v);
}

void server_format_metrics(struct server *s, struct buf *out)
{
	metrics_format(&s->metrics, out);
	format_counter(
		out, "http_connections", "Connections accepted.", s->metrics.connections);
	format_counter(out, "http_deadline_closes", "Connections cut at a deadline.",
		s->metrics.deadline_closes);
	format_counter(out, "writer_commits", "Group commits.", s->writer.batches);
	format_counter(
		out, "writer_requests", "Writes run in group commits.", s->writer.batched);
	buf_printf(out,
		"# HELP benchd_writer_commit_seconds Time in commits.\n"
		"# TYPE benchd_writer_commit_seconds counter\n"
		"# UNIT benchd_writer_commit_seconds seconds\n"
		"benchd_writer_commit_seconds_total %.9f\n"
		"# HELP benchd_writer_queue Writes that wait now.\n"
		"# TYPE benchd_writer_queue gauge\nbenchd_writer_queue %lld\n",
		(double)s->writer.commit_ns / NS_PER_S,
		(long long)task_queue_length(&s->writer.queue));
}

void server_free(struct server *s)
{
	struct request *rq;

	if (!s)
		return;
	while ((rq = TAILQ_FIRST(&s->spare))) {
		TAILQ_REMOVE(&s->spare, rq, parked);
		free(rq);
	}
	task_queue_done(&s->readers.queue);
	task_queue_done(&s->writer.queue);
	mailbox_done(&s->mailbox);
	metrics_done(&s->metrics);
	assets_done(&s->assets);
	free(s->listeners);
	free(s);
}
