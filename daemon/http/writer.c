/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/http/writer.h"

#include <string.h>
#include "base/log.h"
#include "daemon/store/store.h"

enum { BATCH_MAX = 512 };
static const int64_t batch_ns = 20 * NS_PER_MS; /* then commit what there is */
static const int64_t busy_ns = 10 * NS_PER_MS;	/* pause when a stranger holds the database */
/* A checkpoint costs two syncs of the disk and writes each page once, however often it was
 * changed. One that lags, for readers that never pause, must end some day: the last limit. */
static const int64_t log_idle_bytes = 8 * MiB;	/* checkpoint when nothing waits */
static const int64_t log_busy_bytes = 32 * MiB; /* even when something does */
static const int64_t log_most_bytes = 64 * MiB; /* begin it anew, and shorten its file */

/* Behind others of its transaction: what it did must go without what they did. */
static void run_behind(struct writer *w, struct task *t)
{
	int r;

	t->code = store_savepoint(w->store, &t->err);
	if (t->code < 0)
		return;
	t->code = t->run(w->store, t->arg, &t->err);
	if (t->code < 0) {
		store_rollback_to(w->store);
		return;
	}
	/* Fails when an error below ended the whole transaction. */
	r = store_release(w->store, &t->err);
	if (r < 0)
		t->code = r;
}

/* The first of a transaction needs no savepoint, for which SQLite would copy each page before
 * it is changed: when it fails, all of the transaction goes, and another one is begun. Fails
 * when it cannot be begun. */
static int run_first(struct writer *w, struct task *t)
{
	struct error err;

	t->code = t->run(w->store, t->arg, &t->err);
	if (t->code >= 0)
		return OK;
	store_rollback(w->store);
	return store_begin(w->store, &err);
}

static int run_into(struct writer *w, struct task *t, struct task_list *batch, bool *is_first)
{
	int r = OK;

	if (*is_first)
		r = run_first(w, t);
	else
		run_behind(w, t);
	*is_first = *is_first && t->code < 0;
	TAILQ_INSERT_TAIL(batch, t, link);
	w->batched++;
	return r;
}

/* Fails when there is no transaction any more; then nothing was done in it. */
static int run_batch(struct writer *w, struct task_list *batch)
{
	int64_t until_ns = clock_mono(w->clock) + batch_ns;
	bool is_first = true;
	unsigned wake = 0;
	struct task *t;
	int r = OK;

	for (int n = 0; r == OK && n < BATCH_MAX && (t = task_queue_take(&w->queue)); n++) {
		r = run_into(w, t, batch, &is_first);
		if (t->code >= 0)
			wake |= t->wake;
		if (clock_mono(w->clock) > until_ns)
			break;
	}
	t = wake ? task_queue_call_standby(&w->queue, wake) : NULL;
	return t ? run_into(w, t, batch, &is_first) : r;
}

/* Nothing of the batch is durable: nobody may be told that it is. */
static void fail_batch(struct task_list *batch, int code, const struct error *err)
{
	struct task *t;

	TAILQ_FOREACH(t, batch, link)
	{
		if (t->code < 0)
			continue;
		t->code = code;
		t->err = *err;
	}
}

static void fail_waiting(struct writer *w, int code, const struct error *err)
{
	struct task_list batch = TAILQ_HEAD_INITIALIZER(batch);
	struct task *t;

	while ((t = task_queue_take(&w->queue))) {
		t->code = OK;
		TAILQ_INSERT_TAIL(&batch, t, link);
	}
	fail_batch(&batch, code, err);
	mailbox_post(w->out, &batch);
}

/* A disk that fills up may end the transaction under the savepoints; then the commit fails with
 * less telling words than the statement that met it. */
static void explain_full_disk(const struct task_list *batch, int *code, struct error *err)
{
	struct task *t;

	TAILQ_FOREACH(t, batch, link)
	{
		if (t->code != E_STORAGE_FULL)
			continue;
		*code = t->code;
		*err = t->err;
		return;
	}
}

static void write_batch(struct writer *w)
{
	struct task_list batch = TAILQ_HEAD_INITIALIZER(batch);
	struct error err = { 0 };
	int64_t start_ns;
	int r;

	if (run_batch(w, &batch) < 0) {
		mailbox_post(w->out, &batch);
		return;
	}
	start_ns = clock_mono(w->clock);
	r = store_commit(w->store, &err);
	w->commit_ns += clock_mono(w->clock) - start_ns;
	w->batches++;
	if (r < 0) {
		explain_full_disk(&batch, &r, &err);
		fail_batch(&batch, r, &err);
	}
	mailbox_post(w->out, &batch);
}

/* The transaction is opened before anything is taken from the queue, so that requests which
 * meet their deadline while a stranger locks the database can still be taken back. */
static int begin(struct writer *w, struct error *err)
{
	struct timespec pause = { 0, busy_ns };
	int r = store_begin(w->store, err);

	if (r == E_UNAVAILABLE && !task_queue_is_closed(&w->queue))
		nanosleep(&pause, NULL);
	else if (r < 0)
		fail_waiting(w, r, err);
	return r;
}

static void checkpoint(struct writer *w)
{
	bool is_idle = task_queue_length(&w->queue) == 0;
	struct store_log log = store_get_log(w->store);
	struct error err = { 0 };

	if (log.bytes < log_most_bytes &&
		log.pending_bytes < (is_idle ? log_idle_bytes : log_busy_bytes))
		return;
	if (store_checkpoint(w->store, log.bytes >= log_most_bytes, &err) < 0)
		log_warning("checkpoint: %s", err.text);
}

static void *work(void *arg)
{
	struct writer *w = arg;
	struct error err = { 0 };

	while (task_queue_wait_filled(&w->queue)) {
		if (begin(w, &err) < 0)
			continue;
		write_batch(w);
		checkpoint(w);
	}
	if (store_checkpoint(w->store, true, &err) < 0)
		log_warning("last checkpoint: %s", err.text);
	w->has_ended = true;
	mailbox_poke(w->out);
	return NULL;
}

int writer_submit(struct writer *w, write_fn run, written_fn done, void *arg, struct error *err)
{
	struct task *t = task_new(run, done, arg);
	int r = task_queue_add(&w->queue, t, err);

	if (r < 0)
		free(t);
	return r;
}

void writer_stand_by(
	struct writer *w, unsigned wake_bits, write_fn run, written_fn done, void *arg)
{
	free(task_queue_stand_by(&w->queue, task_new(run, done, arg), wake_bits));
}

bool writer_stand_down(struct writer *w)
{
	struct task *t = task_queue_stand_by(&w->queue, NULL, 0);

	free(t);
	return t != NULL;
}

void writer_start(struct writer *w, struct store *st, struct mailbox *out,
	const struct clock *clock, int64_t max_n, int64_t max_bytes)
{
	w->store = st;
	w->out = out;
	w->clock = clock;
	task_queue_init(&w->queue, max_n, max_bytes);
	pthread_create(&w->thread, NULL, work, w);
}

bool writer_has_ended(struct writer *w)
{
	return w->has_ended;
}

void writer_join(struct writer *w)
{
	pthread_join(w->thread, NULL);
	(void)writer_stand_down(w);
}
