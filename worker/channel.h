/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runner's line to the worker: NDJSON both ways over a socketpair. The runner is sequential
 * code; whenever it waits for anything it waits here, so that a cancel, a shutdown or the
 * worker's death is seen at once. One owner, one thread. */
#ifndef WORKER_CHANNEL_H
#define WORKER_CHANNEL_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/ndjson.h"

/* Why the job has to end early, mildest first. */
enum stop_cause {
	STOP_NONE,
	STOP_CANCELED,
	STOP_SUPERSEDED,
	STOP_TIMED_OUT, /* by the daemon's word or the job's own limit */
	STOP_DISK,	/* the disk runs full: no grace, but its end is told */
	STOP_SHUTDOWN,	/* no grace: kill and go */
	STOP_LOST,	/* the worker is gone: kill and go */
};

enum { CHANNEL_MAX_FDS = 8, CHANNEL_TOGETHER = 16 };
/* What may go out later waits at most so long for company. */
#define CHANNEL_PATIENCE_NS (100 * NS_PER_MS)

struct channel {
	int fd;
	const char *job; /* borrowed */
	int64_t attempt;
	struct buf out;
	int64_t written_ns; /* when something went out last */
	int n_soon;	    /* queued by channel_send_soon */
	int64_t due_ns;	    /* when what waits for company goes out; INT64_MAX: nothing does */
	struct ndjson in;
	int64_t deadline_ns; /* CLOCK_MONOTONIC; passing it is STOP_TIMED_OUT */
	bool deadline_hit;   /* that was the cause */
	enum stop_cause stop;
	void (*newest)(void *arg); /* queues what is news, whenever something goes out; NULL */
	void *newest_arg;
	void (*owed)(void *arg); /* what will send more; NULL: nothing is owed */
	void *owed_arg;
};

void channel_init(struct channel *c, int fd, const char *job, int64_t attempt);
void channel_done(struct channel *c);

/* A message of this type with job and attempt filled in. The caller adds members and gives it
 * to channel_send, which takes it. */
json_t *channel_message(const struct channel *c, const char *type);
/* Queue a message; what the socket takes at once goes out at once. Waits only when more than
 * 8 MiB are queued, as channel_send_soon does. */
void channel_send(struct channel *c, json_t *message);
/* Queue a message that others may catch up with: it goes out with the next one that
 * channel_send is given, with the CHANNEL_TOGETHERth of its kind, when CHANNEL_PATIENCE_NS have
 * gone by since something went out last, or when it is much. What the worker and the daemon do
 * with every message, on other cpus, is felt by a short process that is measured meanwhile: so
 * they are told of short ones together. */
void channel_send_soon(struct channel *c, json_t *message);
/* Queue a message for whenever something goes out. */
void channel_queue(struct channel *c, json_t *message);
/* Messages to be made and sent a little later: by pay(arg), which runs at channel_pay or before
 * the next message of anybody else or the next wait, whichever comes first. */
void channel_owe(struct channel *c, void (*pay)(void *arg), void *arg);
void channel_pay(struct channel *c);
/* Wait until everything queued is out or the worker is gone. */
void channel_flush(struct channel *c);

/* poll(2) on fds[0..n) (n <= CHANNEL_MAX_FDS) and on the line, at most until until_ns
 * (CLOCK_MONOTONIC; INT64_MAX: no limit). Returns early when c->stop gets worse. revents of fds
 * are 0 when none is ready. */
void channel_poll(struct channel *c, struct pollfd *fds, size_t n, int64_t until_ns);
/* Sleep, but wake up for a stop. True when the job has to stop. */
bool channel_sleep(struct channel *c, int64_t ns);
static inline bool channel_must_stop(const struct channel *c)
{
	return c->stop != STOP_NONE;
}
static inline bool channel_in_a_hurry(const struct channel *c)
{
	return c->stop >= STOP_DISK;
}

/* Convenience for the commonest messages. */
void channel_phase(struct channel *c, const char *phase, const char *detail);
/* stream is worker, build, stdout or stderr; data of any bytes: sent as UTF-8 (what is not
 * becomes U+FFFD) in pieces of at most 64 KiB. */
void channel_log(struct channel *c, const char *stream, const char *data, size_t n);
/* The same with channel_send_soon. */
void channel_log_soon(struct channel *c, const char *stream, const char *data, size_t n);
void channel_note(struct channel *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3))); /* one line on stream worker */

#endif
