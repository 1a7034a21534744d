/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages leave: what has ended becomes rows, rows that are due go to threads that send them,
 * and what came of it goes back into the row. Loop thread, but answer_filed and
 * answer_metrics. */
#ifndef DAEMON_ANSWER_H
#define DAEMON_ANSWER_H

#include <uv.h>
#include "base/clock.h"
#include "daemon/notify/notify.h"

struct answer;
struct server;

struct answer_config {
	uv_loop_t *loop;
	const struct clock *clock;
	const struct notify_rules *rules;
	bool is_needed;	 /* there are hooks or webhooks */
	int64_t keep_ns; /* how long messages are kept that are done with */
};

struct answer *answer_new(const struct answer_config *c);
/* Takes up what an earlier life of the daemon left. */
void answer_start(struct answer *an, struct server *server);
/* Jobs may have ended, alerts been confirmed, messages been queued. */
void answer_wake(struct answer *an);
/* A hook has filed a job: on the writer, in the same transaction. */
int answer_filed(struct answer *an, struct store *st, struct arena *a,
	const struct job_origin *o, const struct job *j, struct error *err) must_check;
/* End what is being sent; done(arg) once it is noted. */
void answer_stop(struct answer *an, void (*done)(void *arg), void *arg);
void answer_free(struct answer *an); /* NULL is fine; after the loop */
void answer_metrics(const struct answer *an, struct buf *out);

#endif
