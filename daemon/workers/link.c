/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One link: bytes in, objects out, and who is at the other end. */
#include <string.h>
#include "base/secret.h"
#include "daemon/model/model.h"
#include "daemon/workers/internal.h"

struct out { /* one line on its way */
	uv_write_t rq;
	struct buf text;
};

static const char *type_of(const json_t *m)
{
	return json_get_str(m, "type", "");
}

/* --- what other threads may see: under live_lock, as is every change of it --- */

static json_t *live_of(const struct worker *w)
{
	json_t *o = json_object(), *env = json_object(), *programs = json_object();
	json_t *told = json_object_get(w->hello, "environment");

	json_set_str(o, "testbed", w->ws->c.testbed);
	json_set_str(o, "host", json_get_str(w->hello, "host", ""));
	json_set_str(o, "version", json_get_str(w->hello, "version", ""));
	json_set_int(o, "pid", json_get_int(w->hello, "pid", 0));
	json_set_bool(o, "embedded", w->is_embedded);
	json_set_time(o, "connected", w->connected_ns);
	json_set_time(o, "last_heartbeat", w->heartbeat_at_ns);
	json_object_set_new(o, "slots", json_deep_copy(json_object_get(w->hello, "slots")));
	json_object_set_new(o, "busy", json_deep_copy(w->busy));
	json_set_str(env, "id", w->environment_hash);
	json_object_set_new(env, "identity", json_deep_copy(json_object_get(told, "identity")));
	json_object_set_new(env, "state",
		json_deep_copy(w->state ? w->state : json_object_get(told, "state")));
	json_object_set_new(o, "environment", env);
	if (*w->program)
		json_set_str(programs, "benchd-kernel", w->program);
	json_object_set_new(o, "programs", programs);
	json_object_set_new(o, "devices", json_deep_copy(json_object_get(w->hello, "devices")));
	json_object_set_new(o, "vulkan", w->vulkan ? json_deep_copy(w->vulkan) : json_array());
	return o;
}

json_t *workers_live(struct workers *ws)
{
	json_t *all = json_array();

	pthread_mutex_lock(&ws->live_lock);
	for (const struct worker *w = ws->links; w; w = w->next)
		if (w->has_said_hello && !w->is_closing)
			json_array_append_new(all, live_of(w));
	pthread_mutex_unlock(&ws->live_lock);
	return all;
}

/* --- closing --- */

static void on_closed(uv_handle_t *h)
{
	struct worker *w = h->data, **p;
	struct workers *ws = w->ws;

	pthread_mutex_lock(&ws->live_lock);
	for (p = &ws->links; *p && *p != w; p = &(*p)->next)
		;
	if (*p)
		*p = w->next;
	pthread_mutex_unlock(&ws->live_lock);
	if (w->is_told)
		ws->c.on_gone(ws->c.arg, w, w->gone);
	ndjson_done(&w->lines);
	json_decref(w->hello);
	json_decref(w->state);
	json_decref(w->vulkan);
	json_decref(w->busy);
	free(w->identity);
	free(w);
	handle_closed(ws);
}

void worker_drop(struct worker *w, const char *reason)
{
	if (w->is_closing)
		return;
	pthread_mutex_lock(&w->ws->live_lock);
	w->is_closing = true;
	pthread_mutex_unlock(&w->ws->live_lock);
	snprintf(w->gone, sizeof(w->gone), "%s", reason);
	uv_close((uv_handle_t *)&w->pipe, on_closed);
}

void link_close_all(struct workers *ws, const char *reason)
{
	for (struct worker *w = ws->links; w; w = w->next)
		worker_drop(w, reason);
}

void link_check_silence(struct workers *ws)
{
	int64_t now = clock_mono(ws->c.clock);

	for (struct worker *w = ws->links; w; w = w->next)
		if (now - w->heard_ns > 3 * ws->c.heartbeat_ns)
			worker_drop(w, "the worker sent no sign of life");
}

/* --- out --- */

static void on_written(uv_write_t *rq, int status)
{
	struct out *o = container_of(rq, struct out, rq);
	struct worker *w = rq->data;

	if (status < 0)
		worker_drop(w, "the link to the worker broke");
	buf_done(&o->text);
	free(o);
}

void worker_send(struct worker *w, json_t *m)
{
	struct out *o = xcalloc(1, sizeof(*o));
	uv_buf_t b;

	ndjson_format(&o->text, m);
	json_decref(m);
	o->rq.data = w;
	b = uv_buf_init(o->text.data, (unsigned)o->text.len);
	if (w->is_closing || uv_write(&o->rq, (uv_stream_t *)&w->pipe, &b, 1, on_written) < 0) {
		buf_done(&o->text);
		free(o);
		worker_drop(w, "the link to the worker broke");
		return;
	}
	if (uv_stream_get_write_queue_size((uv_stream_t *)&w->pipe) > LINK_QUEUE_BYTES)
		worker_drop(w, "the worker does not read what it is sent");
}

/* --- in --- */

/* The environment id is what series hang on: it must be the hash of what it claims to be. */
static bool take_environment(struct worker *w, const json_t *environment)
{
	char hash[65], *text = environment_read(environment, hash);

	if (!text)
		return false;
	free(w->identity);
	w->identity = text;
	memcpy(w->environment_hash, hash, sizeof(hash));
	return true;
}

static void on_hello(struct worker *w, json_t *m)
{
	json_t *slots = json_object_get(m, "slots");
	json_t *welcome;

	if (w->has_said_hello || json_get_int(m, "protocol", 0) != 1 ||
		!take_environment(w, json_object_get(m, "environment"))) {
		worker_drop(w, "the worker speaks another protocol, or its environment id is "
			       "not the hash of its identity");
		return;
	}
	w->n_ahead = MAX(0, MIN(64, json_get_int(slots, "ahead", 0)));
	w->n_shared = MAX(0, MIN(64, json_get_int(slots, "shared", 1)));
	pthread_mutex_lock(&w->ws->live_lock);
	w->hello = json_incref(m);
	program_read(m, w->program);
	w->has_said_hello = w->is_told = true;
	pthread_mutex_unlock(&w->ws->live_lock);
	welcome = json_object();
	json_set_str(welcome, "type", "welcome");
	json_set_int(welcome, "heartbeat_ns", w->ws->c.heartbeat_ns);
	json_set_str(welcome, "testbed", w->ws->c.testbed);
	worker_send(w, welcome);
	w->ws->c.on_hello(w->ws->c.arg, w);
}

static void on_heartbeat(struct worker *w, json_t *m)
{
	json_t *state = json_object_get(m, "state");
	json_t *environment = json_object_get(m, "environment");

	pthread_mutex_lock(&w->ws->live_lock);
	if (environment && take_environment(w, environment))
		json_object_set(json_object_get(w->hello, "environment"), "identity",
			json_object_get(environment, "identity"));
	program_read(m, w->program);
	w->heartbeat_at_ns = clock_wall(w->ws->c.clock);
	if (state) {
		json_decref(w->state);
		w->state = json_incref(state);
	}
	pthread_mutex_unlock(&w->ws->live_lock);
	w->ws->c.on_heartbeat(w->ws->c.arg, w, m);
}

static void on_devices(struct worker *w, json_t *m)
{
	pthread_mutex_lock(&w->ws->live_lock);
	json_decref(w->vulkan);
	w->vulkan = json_incref(json_object_get(m, "vulkan"));
	pthread_mutex_unlock(&w->ws->live_lock);
	w->ws->c.on_message(w->ws->c.arg, w, "devices", m);
}

static void on_object(struct worker *w, json_t *m)
{
	const char *type = type_of(m);

	if (!strcmp(type, "hello"))
		on_hello(w, m);
	else if (!w->has_said_hello)
		worker_drop(w, "the worker did not say hello first");
	else if (!strcmp(type, "heartbeat"))
		on_heartbeat(w, m);
	else if (!strcmp(type, "devices"))
		on_devices(w, m);
	else
		w->ws->c.on_message(w->ws->c.arg, w, type, m);
}

static void on_bytes(struct worker *w, const void *data, size_t n)
{
	json_t *m;

	w->heard_ns = clock_mono(w->ws->c.clock);
	ndjson_feed(&w->lines, data, n);
	while (!w->is_closing) {
		struct error err;

		if (ndjson_next(&w->lines, &m, &err) < 0) {
			worker_drop(w, "the worker sent something that is no message");
			return;
		}
		if (!m)
			break;
		on_object(w, m);
		json_decref(m);
	}
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
	static char space[64 * KiB]; /* one loop thread, and each read is consumed at once */

	*b = uv_buf_init(space, sizeof(space));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
	struct worker *w = s->data;

	if (n > 0)
		on_bytes(w, b->base, (size_t)n);
	else if (n < 0)
		worker_drop(
			w, n == UV_EOF ? "the worker closed its link" : uv_strerror((int)n));
}

int link_open(struct workers *ws, int fd, bool is_embedded, struct error *err)
{
	struct worker *w = xcalloc(1, sizeof(*w));

	w->ws = ws;
	w->id = ++ws->next_id;
	w->is_embedded = is_embedded;
	w->busy = json_array();
	w->connected_ns = clock_wall(ws->c.clock);
	w->heard_ns = clock_mono(ws->c.clock);
	ndjson_init(&w->lines, LINK_LINE_BYTES);
	uv_pipe_init(ws->c.loop, &w->pipe, 0);
	w->pipe.data = w;
	pthread_mutex_lock(&ws->live_lock);
	w->next = ws->links;
	ws->links = w;
	pthread_mutex_unlock(&ws->live_lock);
	handle_opened(ws);
	if (uv_pipe_open(&w->pipe, fd) < 0) {
		close(fd);
		worker_drop(w, "the link cannot be opened");
		return error_set(err, E_IO, "the worker's link cannot be opened");
	}
	uv_read_start((uv_stream_t *)&w->pipe, on_alloc, on_read);
	return OK;
}

int64_t worker_id(const struct worker *w)
{
	return w->id;
}

int64_t worker_ahead_slots(const struct worker *w)
{
	return w->n_ahead;
}

int64_t worker_shared_slots(const struct worker *w)
{
	return w->n_shared;
}

int64_t worker_cpus(const struct worker *w)
{
	const json_t *told = json_object_get(w->hello, "environment");

	return scaling_count_cpus(json_get_str(json_object_get(told, "identity"), "cpus", ""));
}

bool worker_is_embedded(const struct worker *w)
{
	return w->is_embedded;
}

const json_t *worker_offered_jobs(const struct worker *w)
{
	return json_object_get(w->hello, "jobs");
}

const char *worker_environment_hash(const struct worker *w)
{
	return w->environment_hash;
}

const char *worker_environment_identity(const struct worker *w)
{
	return w->identity;
}

const char *worker_program(const struct worker *w)
{
	return w->program;
}

void worker_set_useful(struct worker *w)
{
	if (w->is_embedded)
		w->ws->is_useful = true;
}

void worker_set_busy(struct worker *w, const char *job, bool is_busy)
{
	size_t i;
	json_t *v;

	pthread_mutex_lock(&w->ws->live_lock);
	if (is_busy) {
		json_array_append_new(w->busy, json_string(job));
	} else {
		json_array_foreach (w->busy, i, v)
			if (!strcmp(json_string_value(v), job))
				break;
		json_array_remove(w->busy, i);
	}
	pthread_mutex_unlock(&w->ws->live_lock);
}
