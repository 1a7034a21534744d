/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one writer thread and its group commit: see struct writer in http.h. */
#ifndef DAEMON_HTTP_WRITER_H
#define DAEMON_HTTP_WRITER_H

#include <stdatomic.h>
#include "daemon/http/task.h"

struct writer {
	pthread_t thread;
	struct task_queue queue;
	struct mailbox *out;	   /* the server's */
	struct store *store;	   /* the caller's; this thread's alone while it runs */
	const struct clock *clock; /* the caller's */
	_Atomic bool has_ended;
	_Atomic int64_t batches, batched, commit_ns;
};

/* Loop thread. After task_queue_close(&w->queue) what is queued is still written, the WAL is
 * checkpointed, then the thread ends and pokes the mailbox. */
void writer_start(struct writer *w, struct store *st, struct mailbox *out,
	const struct clock *clock, int64_t max_n, int64_t max_bytes);
bool writer_has_ended(struct writer *w);
void writer_join(struct writer *w);

#endif
