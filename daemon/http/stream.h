/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Server-sent events (HTML standard, section 9.2). The database is the queue: next() reads what
 * is newer than the cursor, and is not asked again before the client has taken most of what
 * there is, so a slow client costs one buffer and misses nothing. Loop thread, but for
 * stream_run. */
#ifndef DAEMON_HTTP_STREAM_H
#define DAEMON_HTTP_STREAM_H

#include "daemon/http/request.h"

struct stream {
	stream_fn next;
	int64_t cursor;	  /* the reader's while a task is out */
	struct buf fresh; /* the same: what next() appended */
	bool is_over;	  /* the same: next() said E_GONE */
	struct buf out;	  /* the loop's: not sent yet */
	bool is_dirty;	  /* notified while a task was out or out was full */
	bool is_ended;	  /* nothing comes after out */
	bool is_begun;	  /* the answer's head is queued */
	TAILQ_ENTRY(stream) link;
	struct request *rq;
};
TAILQ_HEAD(stream_list, stream);

/* On the reader, after the handler called request_stream: the first events. */
int stream_run(struct request *rq, struct store *st, struct error *err) must_check;
/* The handler and the first next() are home: register and begin to answer. */
void stream_begin(struct request *rq);
/* Something happened that next() may have to tell. */
void stream_poke(struct request *rq);
/* What to send now: bytes, 0 = nothing yet, -1 = the end. */
int64_t stream_read(struct request *rq, char *to, size_t max);
void stream_remove(struct request *rq); /* also when it is none */
void stream_end(struct request *rq);	/* after what is in out */
void stream_on_heartbeat(uv_timer_t *t);

#endif
