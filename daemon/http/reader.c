/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/http/reader.h"

#include "daemon/store/store.h"

enum { QUEUE_MAX = 4096 };

/* Opened at the first task: the readers start before the database is necessarily there. A task
 * sees one state of the database from its first read to its last. */
static void run_one(const struct readers *r, struct store **st, struct task *t)
{
	t->code = OK;
	if (!*st)
		t->code = store_open_reader(r->db_path, st, &t->err);
	if (t->code == OK)
		t->code = store_begin(*st, &t->err);
	if (t->code < 0)
		return;
	t->code = t->run(*st, t->arg, &t->err);
	store_rollback(*st);
}

static void *work(void *arg)
{
	struct readers *r = arg;
	_cleanup_(store_close)
	struct store *st = NULL;
	struct task *t;

	while ((t = task_queue_wait(&r->queue))) {
		struct task_list one = TAILQ_HEAD_INITIALIZER(one);

		run_one(r, &st, t);
		TAILQ_INSERT_TAIL(&one, t, link);
		mailbox_post(r->out, &one);
	}
	store_close(TAKE(st));
	r->n_ended++;
	mailbox_poke(r->out);
	return NULL;
}

void readers_start(struct readers *r, int n, const char *db_path, struct mailbox *out)
{
	r->n = MIN(n, READERS_MAX);
	r->db_path = db_path;
	r->out = out;
	task_queue_init(&r->queue, QUEUE_MAX, 0);
	for (int i = 0; i < r->n; i++)
		pthread_create(&r->threads[i], NULL, work, r);
}

bool readers_have_ended(struct readers *r)
{
	return r->n_ended == r->n;
}

void readers_join(struct readers *r)
{
	for (int i = 0; i < r->n; i++)
		pthread_join(r->threads[i], NULL);
}
