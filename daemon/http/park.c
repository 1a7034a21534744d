/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/http/park.h"

#include <string.h>
#include "daemon/http/dispatch.h"
#include "daemon/http/exchange.h"
#include "daemon/http/server.h"
#include "daemon/http/stream.h"

static uint64_t hash_key(const char *s) /* FNV-1a */
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3ULL;
	return h;
}

void watches_init(struct watches *w)
{
	memset(w, 0, sizeof(*w));
	TAILQ_INIT(&w->parked);
}

void watch_add(struct watches *w, struct watch *watch, const char *key)
{
	watch->key = key;
	watch->hash = hash_key(key);
	LIST_INSERT_HEAD(&w->buckets[watch->hash % WATCH_BUCKETS], watch, link);
	watch->is_linked = true;
}

void watch_remove(struct watch *watch)
{
	if (watch->is_linked)
		LIST_REMOVE(watch, link);
	watch->is_linked = false;
}

bool watches_missed(const struct watches *w, const char *key, uint64_t seen)
{
	uint64_t hash = hash_key(key);

	if (w->n_notified - seen > NOTIFY_RING)
		return true;
	for (uint64_t i = seen; i < w->n_notified; i++)
		if (w->ring[i % NOTIFY_RING] == hash)
			return true;
	return false;
}

static void remember(struct watches *w, uint64_t hash)
{
	w->ring[w->n_notified++ % NOTIFY_RING] = hash;
}

/* Waking never adds to the table at once (all goes through a reader first), so the list is safe
 * to walk with the next one saved. */
static void notify(struct server *s, const char *key)
{
	uint64_t hash = hash_key(key);
	struct watch *w, *next;

	remember(&s->watches, hash);
	for (w = LIST_FIRST(&s->watches.buckets[hash % WATCH_BUCKETS]); w; w = next) {
		struct request *rq = container_of(w, struct request, watch);

		next = LIST_NEXT(w, link);
		if (w->hash != hash || strcmp(w->key, key))
			continue;
		if (rq->stream)
			stream_poke(rq);
		else
			park_wake(rq);
	}
}

void server_notify(struct server *s, const char *key)
{
	notify(s, key);
	if (!strncmp(key, "job:", 4))
		notify(s, "queue");    /* whoever watches all jobs */
	if (!s->mailbox.is_delivering) /* else the batch pumps once for all */
		server_pump(s);
}

void park_remove(struct request *rq)
{
	if (!rq->is_parked)
		return;
	watch_remove(&rq->watch);
	TAILQ_REMOVE(&rq->server->watches.parked, rq, parked);
	rq->server->watches.n_parked--;
	rq->is_parked = false;
}

void park_wake(struct request *rq)
{
	park_remove(rq);
	rq->handler = rq->again;
	dispatch_again(rq);
}

static void refuse(struct request *rq, int code, const char *text)
{
	struct error err;

	error_set(&err, code, "%s", text);
	problem_fill(rq, &rq->response, code, &err);
	exchange_resume(rq->conn);
}

static bool is_crowded(const struct request *rq)
{
	const struct server *s = rq->server;

	return s->watches.n_parked >= s->config.limits.max_parked;
}

void park_add(struct request *rq)
{
	struct server *s = rq->server;
	int64_t left_ns = rq->park_until_ns - clock_mono(s->config.clock);

	if (s->is_stopping) {
		refuse(rq, E_UNAVAILABLE, "benchd is shutting down; ask again soon");
		return;
	}
	if (rq->is_past_deadline) { /* again() may not park for ever */
		refuse(rq, E_DEADLINE, "there was no answer within the time to wait");
		return;
	}
	/* Work that is done already is answered as it is; a mere wait is turned away. */
	if (is_crowded(rq) && !rq->response.status) {
		refuse(rq, E_UNAVAILABLE, "too many requests are waiting; ask again soon");
		return;
	}
	rq->is_past_deadline = left_ns <= 0 || is_crowded(rq);
	TAILQ_INSERT_TAIL(&s->watches.parked, rq, parked);
	s->watches.n_parked++;
	rq->is_parked = true;
	watch_add(&s->watches, &rq->watch, rq->key);
	if (rq->is_past_deadline || watches_missed(&s->watches, rq->key, rq->seen_notify))
		park_wake(rq);
	else
		exchange_set_deadline(rq->conn, D_WORK, left_ns);
}
