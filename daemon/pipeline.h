/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of jobs: queue -> worker -> ingest -> analysis. The table is in pipeline.c.
 *
 * Loop thread only, but pipeline_checks and pipeline_metrics. */
#ifndef DAEMON_PIPELINE_H
#define DAEMON_PIPELINE_H

#include <stdint.h>
#include <uv.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "daemon/queue/queue.h"
#include "daemon/workers/workers.h"

struct pipeline;
struct server;

struct pipeline_config {
	uv_loop_t *loop;
	const struct clock *clock;
	const struct queue_rules *(*rules)(void *arg); /* those in force now; any thread */
	void *arg;
	_Atomic int64_t *n_waiting; /* refreshed on a timer: jobs that are not over */
	_Atomic int64_t *n_cpus;    /* set when a worker says hello: it measures on so many */
	int64_t lease_ns, keep_answers_ns;
	int64_t keep_artifacts_ns, artifacts_bytes; /* files of jobs: so long, so much of all */
	bool needs_worker;	    /* not ready without one: we start it ourselves */
	void (*on_over)(void *arg); /* a job may have ended; NULL */
};

struct pipeline *pipeline_new(const struct pipeline_config *c);
void pipeline_free(struct pipeline *pl); /* NULL is fine; after pipeline_stop's done */
/* Take up what an earlier life of the daemon left, then serve the queue. */
void pipeline_start(struct pipeline *pl, struct server *server);
/* The callbacks of workers/ that belong to the pipeline; the rest of c is the caller's. */
void pipeline_listen(struct pipeline *pl, struct workers_config *c);
/* After a commit: bits of enum wake (http/http.h). */
void pipeline_wake(struct pipeline *pl, unsigned bits);
/* Start nothing more. Then stop the workers, which ends what runs, then pipeline_stop:
 * done(arg) once every job that ran is put back. */
void pipeline_hold(struct pipeline *pl);
void pipeline_stop(struct pipeline *pl, void (*done)(void *arg), void *arg);

/* For /readyz and /metrics; any thread. */
json_t *pipeline_checks(struct pipeline *pl);
void pipeline_metrics(struct pipeline *pl, struct buf *out);

#endif
