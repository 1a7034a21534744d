/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stored deliveries of forges become jobs, one transaction a delivery: what was stored and not
 * processed when the daemon ended is processed by the next one. Loop thread. */
#ifndef DAEMON_RECEIVE_H
#define DAEMON_RECEIVE_H

#include <uv.h>
#include "base/clock.h"
#include "daemon/hooks/hooks.h"
#include "daemon/queue/queue.h"

struct receive;
struct server;

struct receive_config {
	uv_loop_t *loop;
	const struct clock *clock;
	const struct hooks *hooks;
	const struct queue_rules *(*rules)(void *arg);
	/* Writer thread, in the transaction that files the job: tell the forge it is pending.
	 */
	int (*on_filed)(void *arg, struct store *st, struct arena *a,
		const struct job_origin *o, const struct job *j, struct error *err);
	void (*on_processed)(void *arg); /* loop: jobs were filed or ended, messages queued */
	int64_t keep_ns;		 /* how long processed deliveries are kept */
	void *arg;
};

struct receive *receive_new(const struct receive_config *c);
void receive_start(struct receive *rc, struct server *server);
/* Deliveries were stored. */
void receive_wake(struct receive *rc);
/* Begin nothing more; what is being written ends with the server. */
void receive_stop(struct receive *rc);
void receive_free(struct receive *rc); /* NULL is fine; after the loop */
/* Metric families in OpenMetrics text; any thread. */
void receive_metrics(const struct receive *rc, struct buf *out);

#endif
