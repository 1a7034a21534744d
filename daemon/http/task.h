/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Work that goes from the loop to another thread and comes back: a bounded queue out, a mailbox
 * home. Used by readers and writer. */
#ifndef DAEMON_HTTP_TASK_H
#define DAEMON_HTTP_TASK_H

#include <pthread.h>
#include <sys/queue.h>
#include "daemon/http/http.h"

struct task {
	TAILQ_ENTRY(task) link;
	write_fn run;	 /* on the other thread */
	written_fn done; /* on the loop */
	void *arg;	 /* of both; the caller's */
	int64_t bytes;	 /* what it keeps in memory while it waits */
	unsigned wake;	 /* bits of enum wake that run asks for */
	int code;	 /* run's, or the commit's */
	struct error err;
	bool is_queued; /* under the queue's lock */
	bool is_owned;	/* from task_new: freed after done */
};
TAILQ_HEAD(task_list, task);

struct task *task_new(write_fn run, written_fn done, void *arg);

struct task_queue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct task_list list;
	int64_t n, bytes, max_n, max_bytes; /* limits 0: none */
	bool is_closed;
	struct task *standby;  /* waits for a task that asks for one of these bits */
	unsigned standby_bits; /* of enum wake */
};

void task_queue_init(struct task_queue *q, int64_t max_n, int64_t max_bytes);
void task_queue_done(struct task_queue *q);
/* Loop thread. E_UNAVAILABLE when the queue is full or closed. */
int task_queue_add(struct task_queue *q, struct task *t, struct error *err) must_check;
/* Loop thread: take a task back that nobody has begun. False: it runs or has run. */
bool task_queue_cancel(struct task_queue *q, struct task *t);
/* Other threads: the next task, NULL when the queue is empty (take) or closed and empty (wait).
 */
struct task *task_queue_take(struct task_queue *q);
struct task *task_queue_wait(struct task_queue *q);
/* Until something is there; false when the queue is closed and empty. */
bool task_queue_wait_filled(struct task_queue *q);
/* Loop thread: t takes the place of the one that stands by; NULL takes it back (NULL also when
 * it was called meanwhile). Returns the one that stood by. */
struct task *task_queue_stand_by(struct task_queue *q, struct task *t, unsigned bits);
/* Other threads: it, when it waits for one of these bits; NULL. */
struct task *task_queue_call_standby(struct task_queue *q, unsigned bits);
/* Nothing new is taken; what waits is still served. */
void task_queue_close(struct task_queue *q);
bool task_queue_is_closed(struct task_queue *q);
int64_t task_queue_length(struct task_queue *q);

struct mailbox {
	pthread_mutex_t lock;
	struct task_list list;
	uv_async_t async;
	bool is_delivering; /* inside mailbox_deliver, before on_batch */
	void (*on_batch)(
		void *arg, unsigned wake); /* on the loop, after the batch's done calls */
	void *arg;
};

void mailbox_init(
	struct mailbox *m, uv_loop_t *loop, void (*on_batch)(void *, unsigned), void *arg);
/* Any thread: hand a list of finished tasks over (emptied). */
void mailbox_post(struct mailbox *m, struct task_list *list);
/* Any thread: call on_batch soon. */
void mailbox_poke(struct mailbox *m);
/* Loop thread: deliver what is there now. */
void mailbox_deliver(struct mailbox *m);
/* After the async handle is closed. */
void mailbox_done(struct mailbox *m);

#endif
