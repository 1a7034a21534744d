/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of notify/ share. Not for other folders. */
#ifndef DAEMON_NOTIFY_INTERNAL_H
#define DAEMON_NOTIFY_INTERNAL_H

#include "base/buf.h"
#include "daemon/notify/notify.h"

const struct forge *forge_find(const struct notify_rules *n, const char *hook);
const struct webhook *webhook_find(const struct notify_rules *n, const char *name);

/* --- wire.c: one HTTP request --- */
enum { WIRE_HEADERS = 8 };
struct wire_request {
	const char *method, *url;
	const char *headers[WIRE_HEADERS]; /* "Name: value"; NULL-terminated */
	const char *body;		   /* JSON; NULL: none */
	size_t max_answer;		   /* bytes kept; more end the transfer */
};
struct wire_answer {
	long status; /* 0: there was none; text says why */
	struct buf body;
	bool is_cut;	   /* body is not all of it */
	bool is_forbidden; /* the address is not one that may be spoken to */
	char text[200];
	int64_t retry_after_s; /* 0: not said */
	int64_t limit_left;    /* X-RateLimit-Remaining; -1: not said */
	int64_t limit_reset_s; /* X-RateLimit-Reset, since 1970 */
};
struct wire;
struct wire *wire_new(const struct notify_rules *n, const atomic_bool *is_stopping);
void wire_free(struct wire *w);
/* ret->body is the caller's: buf_done. */
void wire_call(struct wire *w, const struct wire_request *rq, struct wire_answer *ret);
/* What an answer means for the message: done, again, or never. */
void wire_judge(const struct wire_answer *an, int64_t now_ns, struct send_result *ret);

/* --- one kind of message each --- */
struct sender {
	const struct notify_rules *rules;
	struct wire *wire;
};
void send_status(struct sender *s, const struct outgoing *o, const struct forge *f, json_t *m,
	int64_t now_ns, struct send_result *ret);
void send_comment(struct sender *s, const struct outgoing *o, const struct forge *f, json_t *m,
	int64_t now_ns, struct send_result *ret);
void send_webhook(struct sender *s, const struct outgoing *o, const struct webhook *w,
	int64_t now_ns, struct send_result *ret);

#endif
