/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A request from inside the machinery. Handlers see only what http.h declares.
 *
 * Life: NEW (head complete: framing, target, route, limits, access) -> BODY (pieces) -> READY
 * (answer here, or suspend and hand over) -> WORKING -> ANSWER -> DONE. The loop owns it but
 * for the time its task is out (is_out): then the other thread owns everything except conn,
 * phase and the late answer. Freed when its connection's exchange is over and its task is home.
 */
#ifndef DAEMON_HTTP_REQUEST_H
#define DAEMON_HTTP_REQUEST_H

#include "base/secret.h"
#include "daemon/http/task.h"

enum phase { PHASE_NEW, PHASE_BODY, PHASE_READY, PHASE_WORKING, PHASE_ANSWER, PHASE_DONE };
enum after { AFTER_ANSWER, AFTER_PARK, AFTER_STREAM, AFTER_WRITE };
enum { PARAMS_MAX = 8, QUERY_MAX = 64, HEADERS_MAX = 24, FORMAT_NONE = -1 };

struct pair {
	const char *name, *value;
};

struct response {
	int status; /* 0: not set */
	const char *mime;
	struct pair headers[HEADERS_MAX]; /* texts static or in the request's arena */
	size_t n_headers;
	struct buf body;
	const void *fixed; /* static bytes instead of body; NULL */
	size_t n_fixed;
	bool is_closing; /* Connection: close */
	bool is_encoded; /* Content-Encoding is set already */
};

struct conn;
struct stream;

/* Waiting for server_notify(key): a member of park.c's table. */
struct watch {
	LIST_ENTRY(watch) link;
	uint64_t hash;
	const char *key;
	bool is_linked;
};

enum { NOTIFY_MAX = 64 };

struct request {
	struct server *server;		    /* NULL under http_call */
	const struct server_config *config; /* the server's */
	struct conn *conn;		    /* NULL without a socket, or when it has gone */
	enum phase phase;
	struct arena *arena;
	char id[UUID_TEXT];
	int64_t started_ns; /* monotonic: request line read */

	/* head */
	const char *method, *target; /* as sent */
	bool is_head, has_body, is_chunked;
	int64_t content_length; /* -1: none given */
	bool is_http10;
	struct pair *headers;
	size_t n_headers;
	const char *path; /* normalised, percent-encoded, without query */
	struct pair *query;
	size_t n_query;

	/* route */
	const struct route *route; /* NULL: none */
	struct pair params[PARAMS_MAX];
	size_t n_params;
	int suffix;  /* enum format of a path suffix, or FORMAT_NONE */
	bool varies; /* Accept was looked at */

	/* refusal: answered instead of running the handler; its text is in task.err */
	int refused; /* OK or a code */
	bool refused_closes;
	const char *allow; /* of a 405 */

	/* body */
	struct buf body;
	int64_t n_received, n_accounted;
	bool is_unpacked;
	json_t *json;
	bool is_json_parsed;

	struct principal principal;
	bool is_local, is_unix; /* came over a loopback or unix listener; the latter */
	bool has_token;
	const char *cookie; /* the key of a browser that signed in; arena */

	/* work */
	handler_fn handler; /* the route's, then again of a parked one */
	struct task task;
	bool is_out, is_abandoned, is_on_writer;
	enum after after; /* what follows the handler */
	struct response response;
	int sent_status;       /* 0: no answer was queued */
	struct response *late; /* the loop's, when the task did not come back in time */
	uint64_t seen_notify;  /* counter of notifications when the work was handed out */

	/* park */
	struct watch watch;
	TAILQ_ENTRY(request) parked; /* list of all parked */
	bool is_parked;
	const char *key;
	int64_t park_until_ns;
	handler_fn again;
	bool is_past_deadline;
	struct stream *stream;
	void *state;

	/* keys to wake once this is committed */
	const char *notify[NOTIFY_MAX];
	size_t n_notify;

	/* idempotency */
	const char *idem_scope, *idem_key, *idem_hash; /* NULL: nothing to store */
};

struct request *request_new(
	const struct server_config *c, struct server *s, const char *target);
void request_free(struct request *rq); /* NULL is fine */

/* Head complete: everything that needs no store. Fills refused instead of failing. The caller
 * has set method, headers, is_local. */
void request_begin(struct request *rq, const char *version);
/* A piece of body; counts on when it is refused. */
void request_add_body(struct request *rq, const char *data, size_t n);
/* The headers' memory goes away with the connection: copy it before the work leaves the loop.
 */
void request_own_head(struct request *rq);
void request_refuse(struct request *rq, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, and the connection ends with the answer. Returns false. */
bool request_refuse_close(struct request *rq, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
const char *request_find(const struct pair *p, size_t n, const char *name); /* exact case */

/* target.c: path and query of a request target; E_BAD_REQUEST. */
int target_parse(struct request *rq, struct error *err) must_check;
/* Percent-decode n bytes of s; '+' is a space in queries. Refuses %00, bad digits, bad UTF-8.
 */
int target_decode(struct arena *a, const char *s, size_t n, bool is_query, const char **ret,
	struct error *err) must_check;

/* framing.c: shapes that smuggle requests, methods, versions; fills refused. */
bool framing_check(struct request *rq, const char *version);

/* route.c: finds the row, fills params and suffix, or refuses with 404 or 405. */
bool route_match(struct request *rq);

/* response.c */
void response_done(struct response *r);
void response_add(struct response *r, const char *name, const char *value); /* not copied */
const char *response_find(const struct response *r, const char *name);

/* problem.c: make the answer of an error; texts of e are copied into the body. */
void problem_fill(
	const struct request *rq, struct response *r, int code, const struct error *e);

/* negotiate.c */
bool negotiate_wants_text(const struct request *rq); /* errors as one line of text */
bool negotiate_wants_page(const struct request *rq); /* a browser */
bool negotiate_takes_gzip(const struct request *rq);

/* An answer to GET that has no tag gets one of its bytes; true: the client has it already
 * (304).
 */
bool response_tag(struct request *rq);

/* coding.c: unpack a gzipped body, pack an answer of 1 KiB and more. */
int coding_unpack(struct request *rq, struct error *err) must_check;
void coding_pack(struct request *rq);

/* access.c: what the loop can say (refuses), and what needs the store. */
void access_check_head(struct request *rq);
int access_check(struct request *rq, struct store *st, struct error *err) must_check;
/* Does the route need the store to know who asks? */
bool access_needs_store(const struct request *rq);

/* The token of a key; E_UNAUTHORIZED when there is none, or it was revoked or has expired. */
int access_find_key(struct request *rq, struct store *st, const char *key, struct token *ret,
	struct error *err) must_check;

extern const char login_cookie_name[]; /* what the form to sign in leaves (login.c) */

/* idempotent.c: after the handler returned OK on the writer. */
int idempotent_save(struct request *rq, struct store *st, struct error *err) must_check;

#endif
