/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reader threads: each has its own read-only store handle for as long as it lives. */
#ifndef DAEMON_HTTP_READER_H
#define DAEMON_HTTP_READER_H

#include "daemon/http/task.h"

enum { READERS_MAX = 64 };

struct readers {
	struct task_queue queue;
	struct mailbox *out; /* the server's */
	const char *db_path; /* the caller's */
	pthread_t threads[READERS_MAX];
	int n;
	_Atomic int n_ended;
};

void readers_start(struct readers *r, int n, const char *db_path, struct mailbox *out);
/* After task_queue_close(&r->queue): what is queued is still run, then the threads end and poke
 * the mailbox. */
bool readers_have_ended(struct readers *r);
void readers_join(struct readers *r);

#endif
