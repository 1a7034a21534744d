/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door of http/: libmicrohttpd inside the libuv loop, and what handlers see of a request.
 *
 * For: sockets, framing checks, limits, deadlines, routing, errors as problem+json, content
 * negotiation, parked and streaming answers, static assets.
 * Not for: SQL (store/), what a noun means (handlers_*.c in this folder read parameters, ask
 * the store, call render/).
 *
 * Threads: server_* on the loop thread. A handler runs on a reader thread with a read-only
 * store (READER), on the one writer thread inside a savepoint of a group commit (WRITER), or on
 * the loop without a store (LOOP: must be prepared and fast). Everything a handler allocates
 * comes from the request's arena. */
#ifndef DAEMON_HTTP_HTTP_H
#define DAEMON_HTTP_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/embed.h"
#include "base/error.h"
#include "base/json.h"
#include "daemon/render/render.h" /* enum format */

struct queue_rules;   /* queue/queue.h */
struct schedule_desk; /* schedule/schedule.h */
struct hooks;	      /* hooks/hooks.h */
struct store;
struct server;
struct request;

enum where { LOOP, READER, WRITER };
enum scope { S_NONE, S_READ, S_SUBMIT, S_TRIAGE, S_EXEC, S_ADMIN };

/* OK: the handler has set a response (or parked, or started a stream). A negative code: the
 * server answers problem+json from err, and a WRITER's savepoint is rolled back. */
typedef int (*handler_fn)(struct request *rq, struct store *st, struct error *err);

struct route {
	const char *method; /* "GET" (serves HEAD too), "POST", ... */
	/* "/v0/projects/{project}/jobs/{job}"; also the metrics label. A last segment {*name}
	 * takes the rest of the path as it is, slashes and suffix included. Elsewhere a suffix
	 * (.json .csv .md .txt .html .svg) on the last segment is cut off and picks the format,
	 * unless the template itself ends in it ("/openapi.json"). */
	const char *path;
	handler_fn handler;
	enum where where;
	enum scope scope;
	int64_t max_body;    /* bytes; 0 = no body taken */
	int64_t deadline_ns; /* 0 = the default of where */
	const char *summary; /* one line for OpenAPI */
};
extern const struct route routes[]; /* routes.c; ends with a NULL method */

/* --- what a handler may ask (any thread the handler runs on) --- */
struct arena *request_arena(struct request *rq);
struct server *request_server(struct request *rq); /* NULL under http_call */
void *request_app(struct request *rq);		   /* server_config.app: a struct app */
/* What the program tells its handlers: server_config.app points at one, main.c fills it before
 * server_start and leaves it alone afterwards. Strings and pointers are main's. The functions
 * are called on any thread with arg and take their own locks; NULL: there is no such thing. */
struct app {
	const char *version;	   /* of benchd: "0.1.0" */
	const char *testbed;	   /* default testbed name */
	bool allow_adhoc_commands; /* with scope exec */
	void *arg;
	/* The rules for filing jobs (queue_file_job, queue_find_workload). Replaced as a whole
	 * when the configuration is read again; a set once seen stays valid to the end. */
	const struct queue_rules *(*rules)(void *arg);
	/* Connected workers, new reference: array of { host, testbed, version, slots, busy:
	 * [job uuid], environment: { id, identity, state }, devices }. */
	json_t *(*workers)(void *arg);
	/* Readiness beside the store's own, new reference: array of { name, ok, detail }. */
	json_t *(*checks)(void *arg);
	/* A job that awaited approval may run: whoever hears of its state is to be told.
	 * Writer thread, in the same transaction; NULL: nobody. */
	int (*on_approved)(void *arg, struct store *st, struct arena *a, const struct job *j,
		struct error *err);
	/* Append metric families in OpenMetrics text, without "# EOF". */
	void (*metrics)(void *arg, struct buf *out);
	const struct schedule_desk *desk; /* where schedules file; writer thread */
	const struct hooks *hooks;	  /* of the configuration; NULL: none */
};
const struct clock *request_clock(struct request *rq);
/* Base URL for links, no trailing slash: server_config.public_url or the first listener. */
const char *request_public_url(struct request *rq);
/* server_format_metrics of the server that serves this request; any thread. */
void request_format_metrics(struct request *rq, struct buf *out);
const char *request_id(const struct request *rq);
const char *request_method(const struct request *rq);
const char *request_path(const struct request *rq); /* normalised, still percent-encoded */
/* Decoded segment of the template; never NULL for a name that stands in it. */
const char *request_param(const struct request *rq, const char *name);
/* Decoded query value, NULL when absent; "" when given without a value. */
const char *request_query(const struct request *rq, const char *name);
/* E_BAD_REQUEST with the nearest name where the query has a parameter that is not in names
 * (ends with NULL) nor "format": for routes of our own, where a name mistyped would change the
 * answer in silence. */
int request_query_only(
	struct request *rq, const char *const *names, struct error *err) must_check;
int request_query_int(struct request *rq, const char *name, int64_t min, int64_t max,
	int64_t otherwise, int64_t *ret, struct error *err) must_check;
const char *request_header(const struct request *rq, const char *name); /* NULL when absent */
/* Raw body (after decompression), request_json: parsed once, borrowed; E_MEDIA when the content
 * type is not JSON, E_BAD_REQUEST with line and column. */
const struct buf *request_body(const struct request *rq);
int request_json(struct request *rq, json_t **ret, struct error *err) must_check;
/* By ?format=, a path suffix (.json .csv .md .txt .html .svg), then Accept; formats is a bit
 * mask (1u << F_JSON | ...) of what the handler can render; otherwise E_NOT_ACCEPTABLE. */
int request_format(
	struct request *rq, unsigned formats, enum format *ret, struct error *err) must_check;
/* ?wait=60s or Prefer: wait=60, capped at 120 s; 0 when not asked. Sets Preference-Applied. */
int request_wait(struct request *rq, int64_t *ret_ns, struct error *err) must_check;

/* Who asks, after the access check. On a loopback listener without tokens configured everybody
 * has every scope but those the configuration keeps back. */
struct principal {
	int64_t token_id;   /* 0: anonymous */
	const char *name;   /* for logs, never NULL */
	unsigned scopes;    /* 1u << enum scope */
	int64_t project_id; /* 0: every project */
	bool is_loopback;
};
const struct principal *request_principal(const struct request *rq);
int request_need(struct request *rq, enum scope scope, struct error *err) must_check;

/* Does the caller show a key that a form left in a cookie? */
bool request_is_signed_in(const struct request *rq);

/* For POSTs that take an Idempotency-Key: call first in a WRITER handler. Without the header,
 * or with a new key: 0, go on; the answer that stands when the handler returns OK is stored in
 * the same transaction (a handler that parks sets its answer for now, such as the 202, before
 * it parks). Known key and same body: 1, the stored answer is set with Idempotency-Replayed:
 * true, return OK at once. Known key and other body: E_UNPROCESSABLE. */
int request_idempotent(struct request *rq, struct store *st, struct error *err) must_check;

/* For server_config.problem_page. */
void problem_page(struct request *rq, int code, const struct error *e, struct buf *out);

/* --- answers --- */
void response_json(struct request *rq, int status, json_t *j); /* takes j over */
void response_buf(
	struct request *rq, int status, const char *mime, struct buf *b); /* empties b */
void response_text(struct request *rq, int status, const char *mime, const char *text);
void response_header(struct request *rq, const char *name, const char *value);
void response_headerf(struct request *rq, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Strong or weak ETag; answers 304 by itself where If-None-Match has it (then returns true). */
bool response_not_modified(struct request *rq, const char *etag);

/* An embedded file by its plain name (revalidated) or its content-hash name (immutable),
 * gzipped where the client takes it; E_NOT_FOUND. Any thread. */
int response_asset(struct request *rq, const char *name, struct error *err) must_check;
/* "/assets/app.1a2b3c4d5e6f.css" for "app.css"; the plain name when there is no such file. */
const char *request_asset_url(struct request *rq, const char *name);
/* A page of the dashboard: text/html with the content security policy and its companions,
 * no-cache and a strong ETag of the bytes (304 where If-None-Match has it). Empties html. */
void response_page(struct request *rq, int status, struct buf *html);

/* What to poke after this writer request is committed: bits of enum wake, OR-ed over the batch
 * and handed to server_config.on_commit on the loop thread. */
enum wake {
	WAKE_QUEUE = 1,
	WAKE_JOBS = 2,
	WAKE_NOTIFY = 4,
	WAKE_SCHEDULE = 8,
	WAKE_HOOKS = 16
};
void request_wake(struct request *rq, unsigned bits);
/* WRITER handlers: server_notify(key) once this request is committed. key is copied. */
void request_notify(struct request *rq, const char *key);

/* READER handlers: once this returned OK, run then() on the writer, inside its transaction.
 * What is slow and needs no transaction is done before, so that other writes do not wait for
 * it. State goes from one to the other by request_set_state. */
void request_write(struct request *rq, handler_fn then);

/* Park this request until server_notify(key) or the deadline, then run again() on a reader; it
 * answers or parks again (deadline_ns 0: the deadline already set). key is copied, e.g.
 * "job:UUID". No notification is lost between what the handler read and the parking: in doubt
 * again() runs once too often. Over 1,024 parked requests, and at shutdown, the answer is 503.
 */
void request_park(struct request *rq, const char *key, int64_t deadline_ns /* monotonic */,
	handler_fn again);
bool request_deadline_passed(const struct request *rq); /* inside again() */

/* Answer with server-sent events: next() runs on a reader at once and after each
 * server_notify(key); it appends events newer than *cursor ("id: N\nevent: x\ndata: {}\n\n")
 * and moves *cursor; returning E_GONE ends the stream after what was appended. Last-Event-ID
 * sets the first cursor. Heartbeats every 15 s come from the server. */
typedef int (*stream_fn)(struct request *rq, struct store *st, int64_t *cursor, struct buf *out,
	struct error *err);
void request_stream(struct request *rq, const char *key, stream_fn next);

/* A value that outlives the first handler call (park, stream): kept with the request. */
void request_set_state(struct request *rq, void *state);
void *request_state(const struct request *rq);

/* --- the server --- */
struct listen_addr {
	const char *host; /* "127.0.0.1", "::1", or NULL with unix_path */
	int port;	  /* 0: any free port */
	const char *unix_path;
	int fd; /* >= 0: a passed-in listening socket, the rest is ignored; -1 otherwise */
};

/* The one writer thread: takes everything waiting, runs it in one transaction, each so that its
 * failure undoes it alone, commits once (synchronous=FULL), then reports all of it on the loop
 * thread. */
struct writer;
/* run: on the writer thread in the transaction; a negative return rolls just this one back.
 * done: on the loop thread after the commit, with run's code (or E_DB, E_STORAGE_FULL when the
 * commit failed). Both get arg. Loop thread only. E_UNAVAILABLE when the queue (4,096) is full.
 */
typedef int (*write_fn)(struct store *st, void *arg, struct error *err);
typedef void (*written_fn)(void *arg, int code, const struct error *err);
int writer_submit(struct writer *w, write_fn run, written_fn done, void *arg,
	struct error *err) must_check;

/* Have run() called at the end of the next transaction in which a request asked to poke one of
 * these bits (enum wake): what follows from such a request is then durable with it, at the cost
 * of one commit. One at a time. Loop thread only. */
void writer_stand_by(
	struct writer *w, unsigned wake_bits, write_fn run, written_fn done, void *arg);
/* Take it back; done is not called. False: there is none any more, done was or will be called.
 */
bool writer_stand_down(struct writer *w);

/* A reader job for code that is not a request (pipeline): on_done on the loop thread. */
int server_read(struct server *s, write_fn run, written_fn done, void *arg,
	struct error *err) must_check;

/* Limits and deadlines; 0 = the default in brackets. Tests make them small. */
struct server_limits {
	int64_t head_ns;	   /* first request head, and the rest of a later one (10 s) */
	int64_t idle_ns;	   /* between requests (30 s) */
	int64_t body_ns;	   /* whole body (60 s) */
	int64_t body_grace_ns;	   /* after it at least 1 KiB/s (10 s) */
	int64_t read_ns, write_ns; /* handlers of routes without a deadline (10 s, 30 s) */
	int64_t send_ns;	   /* sending, and more by size at send_rate (60 s) */
	int64_t send_rate;	   /* bytes a second (1 KiB) */
	int64_t heartbeat_ns;	   /* of event streams (15 s) */
	int64_t drain_ns;	   /* at shutdown for readers and writer (10 s) */
	int64_t max_streams, max_parked;      /* 256, 1,024 */
	int64_t max_queued, max_queued_bytes; /* of the writer: 4,096, 64 MiB */
	int64_t max_body_bytes;		      /* all bodies in memory at once (256 MiB) */
	int64_t max_connections, max_connections_per_ip; /* 10,240; 256, none on loopback */
	int64_t connection_memory;			 /* 16 KiB */
};

struct server_config {
	uv_loop_t *loop;
	const struct route *routes; /* ends with a NULL method */
	const struct embed *assets; /* dashboard files, ends with a NULL name; NULL: none */
	struct server_limits limits;
	const struct listen_addr *listen;
	size_t n_listen;
	const char *db_path; /* readers open it read-only themselves (store_open_reader) */
	struct store *writer_store; /* used by the writer thread only, after server_start */
	int n_readers;		    /* threads for reads, each with its own handle; 0 = 4 */
	const struct clock *clock;
	void *app; /* struct app, handed to handlers and on_commit */
	void (*on_commit)(void *app, unsigned wake_bits);
	bool require_tokens;	/* true as soon as a listener is not loopback */
	unsigned kept_back;	/* scope bits nobody has without a token, even on loopback */
	const char *public_url; /* NULL: made from the first listener */
	bool allow_anonymous_read;
	/* What a browser gets in place of a page of the dashboard; NULL: JSON like everybody.
	 */
	void (*problem_page)(
		struct request *rq, int code, const struct error *e, struct buf *out);
};
int server_start(
	const struct server_config *c, struct server **ret, struct error *err) must_check;
/* Base URL really listened on, such as "http://127.0.0.1:6610". */
const char *server_url(const struct server *s);
struct writer *server_writer(struct server *s);
/* Wake what is parked or streaming on key. Loop thread. */
void server_notify(struct server *s, const char *key);
/* Stop listening, finish, resume all, close; done() when everything is closed. Order of
 * shutdown as in HACKING.md. The stores stay the caller's. */
void server_stop(struct server *s, void (*done)(void *arg), void *arg);
void server_free(struct server *s);

/* One request without sockets, on the calling thread: routing, limits, access, handler (with
 * st, inside no transaction of ours), compression off. For tests of handlers and for the
 * program's own use. A handler that parks gives what again() answers with its deadline passed;
 * a stream gives what its first next() appended. free with reply_done. */
struct http_call {
	const struct server_config
		*config; /* routes, clock, app, access rules; NULL parts ok */
	const char *method, *target;
	const char *const *headers; /* name, value, name, value, ..., NULL; may be NULL */
	const char *body;	    /* NULL: none */
	size_t n_body;		    /* 0 with a body: strlen */
};
struct reply {
	int status;
	struct buf body;
	json_t *headers; /* object, lower-case names */
	unsigned wake;
};
void http_call(const struct http_call *c, struct store *st, struct reply *ret);
const char *reply_header(const struct reply *r, const char *name); /* NULL when absent */
void reply_done(struct reply *r);

/* Counters for /metrics, cumulative. Loop thread. */
struct server_stats {
	int64_t requests, errors /* 5xx */, connections, deadline_closes;
	int64_t batches, batched_requests, commit_ns;
	int64_t parked, streams, writer_queue; /* now */
};
void server_get_stats(const struct server *s, struct server_stats *ret);
/* Append route counters and latencies in OpenMetrics text. */
void server_format_metrics(struct server *s, struct buf *out);

#endif
