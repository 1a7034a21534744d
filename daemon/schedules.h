/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Schedules in the life of the daemon: the timer that wakes them, and the desk where they file
 * their jobs. What a slot is and what becomes of it is in schedule/.
 *
 * The timer is a timerfd on CLOCK_REALTIME: it is right when the host wakes from sleep, and it
 * wakes us when somebody sets the clock. Loop thread only, but schedules_metrics. */
#ifndef DAEMON_SCHEDULES_H
#define DAEMON_SCHEDULES_H

#include <uv.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "daemon/queue/queue.h"
#include "daemon/schedule/schedule.h"

struct schedules;
struct server;

struct schedules_config {
	uv_loop_t *loop;
	const struct clock *clock; /* not system_clock: asked ten times a second (tests) */
	const struct queue_rules *(*rules)(void *arg); /* those in force now; any thread */
	void (*on_filed)(void *arg);		       /* after a commit that filed jobs */
	void *arg;
};

struct schedules *schedules_new(const struct schedules_config *c);
void schedules_free(struct schedules *s); /* NULL is fine; after the loop has ended */
/* from_config: name -> schedule; taken over. Again on SIGHUP: schedules_reload. */
void schedules_start(struct schedules *s, struct server *server, json_t *from_config);
void schedules_reload(struct schedules *s, json_t *from_config);
/* A commit may have changed what is due. */
void schedules_wake(struct schedules *s);
void schedules_stop(struct schedules *s);
/* Where handlers file and prove; any thread's writer handle. */
const struct schedule_desk *schedules_desk(struct schedules *s);
void schedules_metrics(struct schedules *s, struct buf *out);

/* The clock of tests: the system's, plus the seconds that the file named by BENCHD_TEST_CLOCK
 * holds. &system_clock when the variable is not set. */
const struct clock *schedules_clock(void);

#endif
