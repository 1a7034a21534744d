/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/answer.h"

#include <pthread.h>
#include <string.h>
#include "base/log.h"
#include "base/secret.h"
#include "daemon/http/http.h"

enum { SENDERS = 4, A_ROUND = 100, TRY_AGAIN_MS = 2000, PRUNE_MS = 3600 * 1000 };
enum { IDLE_MS = 30 * 1000 /* nothing depends on it: every cause of a message wakes us */ };
#define OLDEST_NEWS_NS (24 * 3600 * NS_PER_S) /* webhooks are not told of older ends */

/* FREE -> CLAIMED (the loop hands a message over) -> SENT (the thread is through) -> FREE (it
 * is in the row). Under the lock, but for what only the loop changes. */
enum slot_state { SLOT_FREE, SLOT_CLAIMED, SLOT_SENT };
struct slot {
	struct answer *an;
	pthread_t thread;
	enum slot_state state;
	bool is_recording; /* the loop's */
	struct arena *arena;
	struct outgoing message;
	struct send_result result;
	int64_t ended_ns;
};

struct answer {
	struct answer_config c;
	struct server *server;
	uv_timer_t timer, prune;
	uv_async_t sent;
	bool is_started, is_recovered, is_busy, again;
	void (*done)(void *arg);
	void *done_arg;

	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct slot slots[SENDERS];
	atomic_bool is_stopping; /* ends transfers */

	_Atomic int64_t n_delivered, n_failed, n_retried, n_waiting;
};

/* One transaction: what is new, then what is due. */
struct round {
	struct answer *an;
	struct arena *arena;
	int64_t now_ns, next_due_ns, n_waiting;
	size_t max, n;
	struct outgoing claimed[SENDERS];
	bool is_full; /* there may be more to tell */
};

/* --- threads: sending --- */

static struct slot *wait_for_message(struct slot *s)
{
	struct answer *an = s->an;
	bool is_over;

	pthread_mutex_lock(&an->lock);
	while (s->state != SLOT_CLAIMED && !atomic_load(&an->is_stopping))
		pthread_cond_wait(&an->filled, &an->lock);
	is_over = s->state != SLOT_CLAIMED;
	pthread_mutex_unlock(&an->lock);
	return is_over ? NULL : s;
}

static void *run_sender(void *arg)
{
	struct slot *s = arg;
	struct answer *an = s->an;
	struct sender *sender = sender_new(an->c.rules, &an->is_stopping);

	while (wait_for_message(s)) {
		notify_send(sender, &s->message, clock_wall(an->c.clock), &s->result);
		s->ended_ns = clock_wall(an->c.clock);
		pthread_mutex_lock(&an->lock);
		s->state = SLOT_SENT;
		pthread_mutex_unlock(&an->lock);
		uv_async_send(&an->sent);
	}
	sender_free(sender);
	return NULL;
}

static enum slot_state state_of(struct slot *s)
{
	enum slot_state state;

	pthread_mutex_lock(&s->an->lock);
	state = s->state;
	pthread_mutex_unlock(&s->an->lock);
	return state;
}

/* --- the writer: what is new --- */

static int tell_ended(struct round *rd, struct store *st, struct error *err)
{
	const struct notify_rules *rules = rd->an->c.rules;
	struct job_origin *list;
	size_t n;
	int r = store_origin_untold(st, rd->arena, A_ROUND, &list, &n, err);

	rd->is_full |= n == A_ROUND;
	for (size_t i = 0; r == OK && i < n; i++) {
		struct job j;

		r = store_job_get(st, rd->arena, list[i].job_id, &j, err);
		if (r == OK)
			r = notify_add_ended(
				rules, st, rd->arena, &list[i], &j, rd->now_ns, err);
		if (r == OK)
			r = store_origin_told(st, list[i].job_id, rd->now_ns, err);
	}
	return r;
}

static bool wants_jobs(const struct notify_rules *n)
{
	for (size_t i = 0; i < n->n_webhooks; i++)
		if (n->webhooks[i].on_job)
			return true;
	return false;
}

static int tell_webhooks(struct round *rd, struct store *st, struct error *err)
{
	const struct notify_rules *rules = rd->an->c.rules;
	int64_t *ids;
	size_t n;
	int r;

	if (!wants_jobs(rules))
		return OK;
	r = store_ended_jobs(
		st, rd->arena, "webhooks", rd->now_ns - OLDEST_NEWS_NS, &ids, &n, err);
	for (size_t i = 0; r == OK && i < n; i++) {
		struct job j;

		r = store_job_get(st, rd->arena, ids[i], &j, err);
		if (r == OK)
			r = notify_add_job(rules, st, rd->arena, &j, rd->now_ns, err);
		if (r == E_NOT_FOUND)
			r = OK; /* removed meanwhile */
	}
	return r;
}

static int tell_alerts(struct round *rd, struct store *st, struct error *err)
{
	struct confirmed_alert *list;
	size_t n;
	int r = store_confirmed_alerts(st, rd->arena, rd->now_ns, A_ROUND, &list, &n, err);

	rd->is_full |= n == A_ROUND;
	for (size_t i = 0; r == OK && i < n; i++) {
		struct alert al;

		r = store_alert_find(st, rd->arena, list[i].project_id, list[i].uuid, &al, err);
		/* A snoozed one waits for the end of it; what was answered meanwhile is no
		 * news. */
		if (r == OK && al.state == ALERT_CONFIRMED &&
			MAX(list[i].time_ns, al.snoozed_ns) >= rd->now_ns - OLDEST_NEWS_NS)
			r = notify_add_alert(rd->an->c.rules, st, rd->arena, &al,
				list[i].project_slug, rd->now_ns, err);
		if (r == OK)
			r = store_confirmed_alert_told(st, list[i].event_id, err);
	}
	return r;
}

static int claim(struct round *rd, struct store *st, struct error *err)
{
	int r = OK;

	while (r == OK && rd->n < rd->max) {
		r = store_outgoing_claim(st, rd->arena, rd->now_ns, &rd->claimed[rd->n], err);
		rd->n += r == OK;
	}
	if (r == E_NOT_FOUND)
		r = OK;
	if (r == OK)
		r = store_outgoing_count(st, &rd->n_waiting, err);
	return r == OK ? store_outgoing_next_due(st, &rd->next_due_ns, err) : r;
}

static int on_round(struct store *st, void *arg, struct error *err)
{
	struct round *rd = arg;
	int r = OK;

	if (!rd->an->is_recovered)
		r = store_outgoing_recover(st, rd->now_ns, err);
	if (r == OK)
		r = tell_ended(rd, st, err);
	if (r == OK)
		r = tell_webhooks(rd, st, err);
	if (r == OK)
		r = tell_alerts(rd, st, err);
	return r == OK ? claim(rd, st, err) : r;
}

int answer_filed(struct answer *an, struct store *st, struct arena *a,
	const struct job_origin *o, const struct job *j, struct error *err)
{
	return notify_add_filed(an->c.rules, st, a, o, j, clock_wall(an->c.clock), err);
}

/* --- the loop: rounds --- */

static void begin_round(struct answer *an);

static void record_all(struct answer *an);

static void on_timer(uv_timer_t *t)
{
	record_all(t->data);
	answer_wake(t->data);
}

static void set_timer(struct answer *an, int64_t ms)
{
	if (!atomic_load(&an->is_stopping))
		uv_timer_start(&an->timer, on_timer, (uint64_t)MAX(ms, 1), 0);
}

static struct outgoing copy_message(struct arena *a, const struct outgoing *o)
{
	struct outgoing m = *o;

	m.uuid = arena_strdup(a, o->uuid);
	m.kind = arena_strdup(a, o->kind);
	m.target = arena_strdup(a, o->target);
	m.event = arena_strdup(a, o->event);
	m.lane = arena_strdup(a, o->lane);
	m.state = m.reason = "";
	m.body = arena_strdup(a, o->body);
	return m;
}

static void hand_over(struct answer *an, const struct outgoing *o)
{
	struct slot *s = an->slots;

	while (s->arena)
		s++; /* the round claimed no more than there were free */
	s->arena = arena_new();
	s->message = copy_message(s->arena, o);
	pthread_mutex_lock(&an->lock);
	s->state = SLOT_CLAIMED;
	pthread_cond_broadcast(&an->filled);
	pthread_mutex_unlock(&an->lock);
}

static void stop_when_idle(struct answer *an);

static void plan_next(struct answer *an, const struct round *rd)
{
	int64_t ms = IDLE_MS;

	if (!an->c.is_needed && !rd->next_due_ns)
		return;
	if (rd->next_due_ns)
		ms = (rd->next_due_ns - rd->now_ns) / NS_PER_MS + 1;
	/* With all threads busy the next one that is free looks again. */
	if (rd->n == rd->max)
		ms = MAX(ms, TRY_AGAIN_MS);
	set_timer(an, MIN(ms, IDLE_MS));
}

static void on_round_done(void *arg, int code, const struct error *err)
{
	struct round *rd = arg;
	struct answer *an = rd->an;

	an->is_busy = false;
	if (code < 0) {
		log_warning("messages wait: %s", err->text);
		set_timer(an, TRY_AGAIN_MS);
	} else {
		an->is_recovered = true;
		an->n_waiting = rd->n_waiting;
		for (size_t i = 0; i < rd->n; i++)
			hand_over(an, &rd->claimed[i]);
		plan_next(an, rd);
		an->again |= rd->is_full;
	}
	arena_free(rd->arena);
	free(rd);
	if (an->again && code == OK)
		begin_round(an);
	stop_when_idle(an);
}

static void begin_round(struct answer *an)
{
	struct round *rd;
	struct error err;

	an->again = false;
	if (atomic_load(&an->is_stopping))
		return;
	rd = xcalloc(1, sizeof(*rd));
	rd->an = an;
	rd->arena = arena_new();
	rd->now_ns = clock_wall(an->c.clock);
	for (size_t i = 0; i < SENDERS; i++)
		rd->max += !an->slots[i].arena;
	an->is_busy = true;
	if (writer_submit(server_writer(an->server), on_round, on_round_done, rd, &err) < 0)
		on_round_done(rd, err.code, &err);
}

void answer_wake(struct answer *an)
{
	/* Nobody is to be told anything: the first round ends what an earlier configuration
	 * left. */
	if (!an->is_started || (an->is_recovered && !an->c.is_needed))
		return;
	if (an->is_busy)
		an->again = true;
	else
		begin_round(an);
}

/* --- what came of a message --- */

static void set_again(struct answer *an, const struct slot *s, struct outgoing *o)
{
	const struct send_result *res = &s->result;
	double jitter = (double)(random_u64() >> 11) * 0x1p-53;
	int64_t wait = notify_retry_ns(an->c.rules, o->n_tries, res->wait_ns, jitter);

	/* We cut it off ourselves. */
	if (atomic_load(&an->is_stopping) && res->status == 0)
		wait = 0;
	o->state = wait < 0 ? "failed" : "waiting";
	o->due_ns = wait < 0 ? o->due_ns : s->ended_ns + wait;
	if (wait < 0)
		o->reason = arena_printf(s->arena, "given up after %lld tries: %s",
			(long long)o->n_tries, res->text);
}

static int on_record(struct store *st, void *arg, struct error *err)
{
	struct slot *s = arg;
	struct outgoing o = s->message;
	const struct outgoing_attempt at = { .number = o.n_attempts,
		.ended_ns = s->ended_ns,
		.status = s->result.status,
		.outcome = s->result.text };
	int r;

	o.reason = s->result.text;
	o.done_ns = s->ended_ns;
	if (s->result.outcome == SEND_DONE)
		o.state = "delivered";
	else if (s->result.outcome == SEND_GIVE_UP)
		o.state = "failed";
	else
		set_again(s->an, s, &o);
	if (!strcmp(o.state, "waiting"))
		o.done_ns = 0;
	s->message.state = o.state;
	s->message.reason = o.reason;
	r = store_outgoing_end(st, &o, &at, err);
	if (r == OK && s->result.is_limited)
		r = store_outgoing_hold(st, &o, s->ended_ns + s->result.wait_ns, err);
	return r;
}

static void count(struct answer *an, const struct slot *s)
{
	if (!strcmp(s->message.state, "delivered"))
		an->n_delivered++;
	else if (!strcmp(s->message.state, "waiting"))
		an->n_retried++;
	else
		an->n_failed++;
	if (!strcmp(s->message.state, "failed"))
		log_warning("the %s for '%s' is not delivered: %s", s->message.kind,
			s->message.target, s->message.reason);
}

static void on_recorded(void *arg, int code, const struct error *err)
{
	struct slot *s = arg;
	struct answer *an = s->an;

	s->is_recording = false;
	if (code < 0)
		log_warning("an attempt was not noted: %s", err->text);
	if (code < 0 && !atomic_load(&an->is_stopping)) {
		/* The row still says that it is being sent: note it before long. */
		set_timer(an, TRY_AGAIN_MS);
	} else {
		if (code == OK)
			count(an, s);
		arena_free(TAKE(s->arena));
		pthread_mutex_lock(&an->lock);
		s->state = SLOT_FREE;
		pthread_mutex_unlock(&an->lock);
		answer_wake(an);
	}
	stop_when_idle(an);
}

static void record(struct slot *s)
{
	struct error err;

	s->is_recording = true;
	if (writer_submit(server_writer(s->an->server), on_record, on_recorded, s, &err) < 0)
		on_recorded(s, err.code, &err);
}

static void record_all(struct answer *an)
{
	for (size_t i = 0; i < SENDERS; i++)
		if (!an->slots[i].is_recording && state_of(&an->slots[i]) == SLOT_SENT)
			record(&an->slots[i]);
}

static void on_sent(uv_async_t *h)
{
	record_all(h->data);
}

/* --- old rows --- */

static int on_prune(struct store *st, void *arg, struct error *err)
{
	const struct answer *an = arg;

	return store_outgoing_prune(st, clock_wall(an->c.clock) - an->c.keep_ns, err);
}

static void on_pruned(void *arg, int code, const struct error *err)
{
	if (code < 0)
		log_warning("old messages were not removed: %s", err->text);
}

static void on_prune_time(uv_timer_t *t)
{
	struct answer *an = t->data;
	struct error err;

	if (writer_submit(server_writer(an->server), on_prune, on_pruned, an, &err) < 0)
		on_pruned(an, err.code, &err);
}

/* --- birth and death --- */

struct answer *answer_new(const struct answer_config *c)
{
	struct answer *an = xcalloc(1, sizeof(*an));

	an->c = *c;
	pthread_mutex_init(&an->lock, NULL);
	pthread_cond_init(&an->filled, NULL);
	return an;
}

void answer_start(struct answer *an, struct server *server)
{
	an->server = server;
	an->is_started = true;
	uv_timer_init(an->c.loop, &an->timer);
	uv_timer_init(an->c.loop, &an->prune);
	uv_async_init(an->c.loop, &an->sent, on_sent);
	an->timer.data = an->prune.data = an->sent.data = an;
	uv_timer_start(&an->prune, on_prune_time, PRUNE_MS, PRUNE_MS);
	for (size_t i = 0; i < SENDERS; i++) {
		an->slots[i].an = an;
		if (pthread_create(&an->slots[i].thread, NULL, run_sender, &an->slots[i]) != 0)
			abort(); /* at start, as every other thread of ours */
	}
	answer_wake(an);
}

static bool is_idle(struct answer *an)
{
	for (size_t i = 0; i < SENDERS; i++)
		if (an->slots[i].arena)
			return false;
	return !an->is_busy;
}

static void stop_when_idle(struct answer *an)
{
	void (*done)(void *arg) = an->done;

	if (!done || !is_idle(an))
		return;
	an->done = NULL;
	for (size_t i = 0; i < SENDERS; i++)
		pthread_join(an->slots[i].thread, NULL);
	uv_close((uv_handle_t *)&an->timer, NULL);
	uv_close((uv_handle_t *)&an->prune, NULL);
	uv_close((uv_handle_t *)&an->sent, NULL);
	done(an->done_arg);
}

void answer_stop(struct answer *an, void (*done)(void *arg), void *arg)
{
	if (!an->is_started) {
		done(arg);
		return;
	}
	pthread_mutex_lock(&an->lock);
	atomic_store(&an->is_stopping, true);
	pthread_cond_broadcast(&an->filled);
	pthread_mutex_unlock(&an->lock);
	an->done = done;
	an->done_arg = arg;
	stop_when_idle(an);
}

void answer_free(struct answer *an)
{
	if (!an)
		return;
	for (size_t i = 0; i < SENDERS; i++)
		arena_free(an->slots[i].arena);
	pthread_mutex_destroy(&an->lock);
	pthread_cond_destroy(&an->filled);
	free(an);
}

void answer_metrics(const struct answer *an, struct buf *out)
{
	static const char line[] =
		"benchd_deliveries_total{direction=\"out\",outcome=\"%s\"} %lld\n";

	buf_printf(out, line, "delivered", (long long)an->n_delivered);
	buf_printf(out, line, "retried", (long long)an->n_retried);
	buf_printf(out, line, "failed", (long long)an->n_failed);
	buf_printf(out,
		"# TYPE benchd_deliveries_waiting gauge\n# HELP benchd_deliveries_waiting "
		"Messages that are to be sent.\nbenchd_deliveries_waiting %lld\n",
		(long long)an->n_waiting);
}
