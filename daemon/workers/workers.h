/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door of workers/: the daemon's end of the worker link (docs/worker-protocol.md).
 *
 * For: starting the embedded worker and starting it again when it dies, accepting the separate
 * unit's worker on a unix socket, NDJSON in both directions, sweeping what a dead worker left.
 * Not for: what a message means for a job (the pipeline is told by callbacks), the database.
 *
 * Loop thread only, but workers_live, which any thread may call. */
#ifndef DAEMON_WORKERS_WORKERS_H
#define DAEMON_WORKERS_WORKERS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"

struct workers;
struct worker; /* one connected worker; valid from on_hello until on_gone returns */

struct workers_config {
	uv_loop_t *loop;
	const struct clock *clock;
	const char *testbed;
	bool is_embedded;	 /* start benchd-worker and keep it running */
	const char *program;	 /* NULL: $BENCHD_WORKER, beside benchd, sbindir */
	const char *socket_path; /* listen here for workers of their own unit; NULL */
	int socket_fd;		 /* or a passed-in listening socket; -1 */
	const char *state_dir;
	int64_t heartbeat_ns;
	void *arg;
	/* All on the loop thread. message: every object but hello and heartbeat, borrowed. */
	void (*on_hello)(void *arg, struct worker *w);
	void (*on_message)(void *arg, struct worker *w, const char *type, json_t *message);
	void (*on_heartbeat)(void *arg, struct worker *w, json_t *message);
	void (*on_gone)(void *arg, struct worker *w, const char *reason);
	/* Something to log: the worker died and is started again, a peer was refused. */
	void (*on_trouble)(void *arg, const char *text);
};

/* After an error *ret is set all the same: workers_stop and workers_free it. */
int workers_start(
	const struct workers_config *c, struct workers **ret, struct error *err) must_check;
/* The embedded worker is to look for devices again (SIGHUP). */
void workers_probe(struct workers *ws);
/* End the embedded worker (SIGTERM, then SIGKILL), close all links, then done(arg). */
void workers_stop(struct workers *ws, void (*done)(void *arg), void *arg);
void workers_free(struct workers *ws); /* after done; NULL is fine */

/* Send one object; takes m over. A worker that does not read is dropped (4 MiB outstanding). */
void worker_send(struct worker *w, json_t *m);
/* Break the link: an embedded worker ends what it runs, another one when it is back and is not
 * told to go on. */
void worker_drop(struct worker *w, const char *reason);
int64_t worker_id(const struct worker *w); /* > 0, unique in this daemon's life */
int64_t worker_shared_slots(const struct worker *w);
int64_t worker_ahead_slots(const struct worker *w); /* exclusive jobs it takes in advance */
int64_t worker_cpus(const struct worker *w);	    /* it measures on; 0: it did not say */
bool worker_is_embedded(const struct worker *w);
/* [{job, attempt}] that it went on with while no daemon was there; NULL: none. Borrowed. */
const json_t *worker_offered_jobs(const struct worker *w);
const char *worker_environment_hash(const struct worker *w);
const char *worker_environment_identity(const struct worker *w); /* canonical JSON */
const char *worker_program(const struct worker *w); /* id of its benchd-kernel; "" */

/* It has measured something. A worker that does its work is started again at once when it dies;
 * the back-off is for one that does not. */
void worker_set_useful(struct worker *w);
void worker_set_busy(struct worker *w, const char *job, bool is_busy);

/* --- aside.c --- */
/* Until aside_return of the same owner no thread of this process runs on these cpus
 * ([numbers]), on which processes are measured: unless none were left, and but for at most 64
 * owners at a time. Loop thread. */
void aside_keep_off(const void *owner, const json_t *cpus);
void aside_return(const void *owner); /* also of one that kept off nothing */

/* What GET /v0/testbeds/live shows: array of {testbed, pid, version, host, embedded, connected,
 * last_heartbeat, slots, busy, environment: {id, identity, state}, programs, devices, vulkan}.
 * New reference; any thread. */
json_t *workers_live(struct workers *ws);

#endif
