/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A message by its kind. */
#include <string.h>
#include "base/clock.h"
#include "daemon/notify/internal.h"

#define WEBHOOK_ANSWER (64 * KiB)

struct sender *sender_new(const struct notify_rules *n, const atomic_bool *is_stopping)
{
	struct sender *s = xcalloc(1, sizeof(*s));

	s->rules = n;
	s->wire = wire_new(n, is_stopping);
	return s;
}

void sender_free(struct sender *s)
{
	if (!s)
		return;
	wire_free(s->wire);
	free(s);
}

/* The id stays the same over all attempts: receivers know by it what they have. */
void send_webhook(struct sender *s, const struct outgoing *o, const struct webhook *w,
	int64_t now_ns, struct send_result *ret)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	int64_t t = now_ns / NS_PER_S;
	const struct wire_request rq = { .method = "POST",
		.url = w->url,
		.headers = { arena_printf(a, "webhook-id: %s", o->uuid),
			arena_printf(a, "webhook-timestamp: %lld", (long long)t),
			arena_printf(a, "webhook-signature: %s",
				notify_sign(&w->secrets, o->uuid, t, o->body, a)) },
		.body = o->body,
		.max_answer = WEBHOOK_ANSWER };
	struct wire_answer an;

	wire_call(s->wire, &rq, &an);
	wire_judge(&an, now_ns, ret);
	buf_done(&an.body);
}

static void give_up(struct send_result *ret, const char *what, const char *name)
{
	*ret = (struct send_result){ .outcome = SEND_GIVE_UP };
	snprintf(ret->text, sizeof(ret->text), "the %s '%.80s' is not configured any more",
		what, name);
}

static void send_to_forge(struct sender *s, const struct outgoing *o, const struct forge *f,
	int64_t now_ns, struct send_result *ret)
{
	_cleanup_(json_decref)
	json_t *m = NULL;
	struct error err;

	if (json_parse(o->body, strlen(o->body), &m, &err) < 0) {
		*ret = (struct send_result){ .outcome = SEND_GIVE_UP };
		snprintf(ret->text, sizeof(ret->text), "the stored message: %.200s", err.text);
	} else if (!strcmp(o->kind, "status")) {
		send_status(s, o, f, m, now_ns, ret);
	} else {
		send_comment(s, o, f, m, now_ns, ret);
	}
}

void notify_send(
	struct sender *s, const struct outgoing *o, int64_t now_ns, struct send_result *ret)
{
	const struct webhook *w;
	const struct forge *f;

	if (!strcmp(o->kind, "webhook")) {
		w = webhook_find(s->rules, o->target);
		if (w)
			send_webhook(s, o, w, now_ns, ret);
		else
			give_up(ret, "webhook", o->target);
		return;
	}
	f = forge_find(s->rules, o->target);
	if (f)
		send_to_forge(s, o, f, now_ns, ret);
	else
		give_up(ret, "hook", o->target);
}
