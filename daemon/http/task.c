/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/http/task.h"

struct task *task_new(write_fn run, written_fn done, void *arg)
{
	struct task *t = xcalloc(1, sizeof(*t));

	t->run = run;
	t->done = done;
	t->arg = arg;
	t->is_owned = true;
	return t;
}

void task_queue_init(struct task_queue *q, int64_t max_n, int64_t max_bytes)
{
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->filled, NULL);
	TAILQ_INIT(&q->list);
	q->n = q->bytes = 0;
	q->max_n = max_n;
	q->max_bytes = max_bytes;
	q->is_closed = false;
	q->standby = NULL;
}

void task_queue_done(struct task_queue *q)
{
	pthread_cond_destroy(&q->filled);
	pthread_mutex_destroy(&q->lock);
}

static int check_room(const struct task_queue *q, const struct task *t, struct error *err)
{
	if (q->is_closed)
		return error_set(err, E_UNAVAILABLE, "benchd is shutting down; try again soon");
	if (q->max_n && q->n >= q->max_n)
		return error_set(err, E_UNAVAILABLE,
			"too much work is waiting (%lld requests); try again soon",
			(long long)q->n);
	if (q->max_bytes && q->n && q->bytes + t->bytes > q->max_bytes)
		return error_set(err, E_UNAVAILABLE,
			"too much work is waiting (%lld bytes); try again soon",
			(long long)q->bytes);
	return OK;
}

int task_queue_add(struct task_queue *q, struct task *t, struct error *err)
{
	int r;

	pthread_mutex_lock(&q->lock);
	r = check_room(q, t, err);
	if (r == OK) {
		TAILQ_INSERT_TAIL(&q->list, t, link);
		t->is_queued = true;
		q->n++;
		q->bytes += t->bytes;
		pthread_cond_signal(&q->filled);
	}
	pthread_mutex_unlock(&q->lock);
	return r;
}

static void take_out(struct task_queue *q, struct task *t)
{
	TAILQ_REMOVE(&q->list, t, link);
	t->is_queued = false;
	q->n--;
	q->bytes -= t->bytes;
}

bool task_queue_cancel(struct task_queue *q, struct task *t)
{
	bool was_queued;

	pthread_mutex_lock(&q->lock);
	was_queued = t->is_queued;
	if (was_queued)
		take_out(q, t);
	pthread_mutex_unlock(&q->lock);
	return was_queued;
}

static struct task *take_first(struct task_queue *q)
{
	struct task *t = TAILQ_FIRST(&q->list);

	if (t)
		take_out(q, t);
	return t;
}

struct task *task_queue_take(struct task_queue *q)
{
	struct task *t;

	pthread_mutex_lock(&q->lock);
	t = take_first(q);
	pthread_mutex_unlock(&q->lock);
	return t;
}

static void wait_filled(struct task_queue *q)
{
	while (TAILQ_EMPTY(&q->list) && !q->is_closed)
		pthread_cond_wait(&q->filled, &q->lock);
}

struct task *task_queue_wait(struct task_queue *q)
{
	struct task *t;

	pthread_mutex_lock(&q->lock);
	wait_filled(q);
	t = take_first(q);
	pthread_mutex_unlock(&q->lock);
	return t;
}

bool task_queue_wait_filled(struct task_queue *q)
{
	bool is_filled;

	pthread_mutex_lock(&q->lock);
	wait_filled(q);
	is_filled = !TAILQ_EMPTY(&q->list);
	pthread_mutex_unlock(&q->lock);
	return is_filled;
}

struct task *task_queue_stand_by(struct task_queue *q, struct task *t, unsigned bits)
{
	struct task *before;

	pthread_mutex_lock(&q->lock);
	before = q->standby;
	q->standby = t;
	q->standby_bits = bits;
	pthread_mutex_unlock(&q->lock);
	return before;
}

struct task *task_queue_call_standby(struct task_queue *q, unsigned bits)
{
	struct task *t = NULL;

	pthread_mutex_lock(&q->lock);
	if (q->standby && q->standby_bits & bits) {
		t = q->standby;
		q->standby = NULL;
	}
	pthread_mutex_unlock(&q->lock);
	return t;
}

void task_queue_close(struct task_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->is_closed = true;
	pthread_cond_broadcast(&q->filled);
	pthread_mutex_unlock(&q->lock);
}

bool task_queue_is_closed(struct task_queue *q)
{
	bool is_closed;

	pthread_mutex_lock(&q->lock);
	is_closed = q->is_closed;
	pthread_mutex_unlock(&q->lock);
	return is_closed;
}

int64_t task_queue_length(struct task_queue *q)
{
	int64_t n;

	pthread_mutex_lock(&q->lock);
	n = q->n;
	pthread_mutex_unlock(&q->lock);
	return n;
}

void mailbox_deliver(struct mailbox *m)
{
	struct task_list list = TAILQ_HEAD_INITIALIZER(list);
	unsigned wake = 0;
	struct task *t;

	pthread_mutex_lock(&m->lock);
	TAILQ_CONCAT(&list, &m->list, link);
	pthread_mutex_unlock(&m->lock);
	m->is_delivering = true;
	while ((t = TAILQ_FIRST(&list))) {
		struct task *owned = t->is_owned ? t : NULL;

		TAILQ_REMOVE(&list, t, link);
		if (t->code >= 0)
			wake |= t->wake;
		t->done(t->arg, t->code, &t->err); /* may free t when not owned */
		free(owned);
	}
	m->is_delivering = false;
	m->on_batch(m->arg, wake);
}

static void on_async(uv_async_t *a)
{
	mailbox_deliver(container_of(a, struct mailbox, async));
}

void mailbox_init(
	struct mailbox *m, uv_loop_t *loop, void (*on_batch)(void *, unsigned), void *arg)
{
	pthread_mutex_init(&m->lock, NULL);
	TAILQ_INIT(&m->list);
	m->is_delivering = false;
	m->on_batch = on_batch;
	m->arg = arg;
	uv_async_init(loop, &m->async, on_async);
}

void mailbox_post(struct mailbox *m, struct task_list *list)
{
	pthread_mutex_lock(&m->lock);
	TAILQ_CONCAT(&m->list, list, link);
	pthread_mutex_unlock(&m->lock);
	uv_async_send(&m->async);
}

void mailbox_poke(struct mailbox *m)
{
	uv_async_send(&m->async);
}

void mailbox_done(struct mailbox *m)
{
	pthread_mutex_destroy(&m->lock);
}
