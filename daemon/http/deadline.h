/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Deadlines of connections. libmicrohttpd knows only inactivity, which a client that drips a
 * byte a second never meets. One ordered list a kind, so that arming at the tail is cheap, and
 * one timer that runs only while something is armed. Loop thread. */
#ifndef DAEMON_HTTP_DEADLINE_H
#define DAEMON_HTTP_DEADLINE_H

#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>
#include "base/clock.h"

enum deadline_kind { D_NONE, D_HEAD, D_IDLE, D_BODY, D_WORK, D_SEND, D_KINDS };

struct deadline {
	TAILQ_ENTRY(deadline) link;
	int64_t at_ns; /* by the loop's time */
	enum deadline_kind kind;
};
TAILQ_HEAD(deadline_list, deadline);

struct deadlines {
	uv_timer_t timer;
	struct deadline_list lists[D_KINDS];
	int64_t armed_ns; /* when the timer fires; 0: it does not */
	/* The deadline is disarmed already and may be armed again. */
	void (*on_expired)(void *arg, struct deadline *d, enum deadline_kind kind);
	void *arg;
};

void deadlines_init(struct deadlines *ds, uv_loop_t *loop,
	void (*on_expired)(void *, struct deadline *, enum deadline_kind), void *arg);
/* Arm, or arm anew, after_ns from now. */
void deadline_set(
	struct deadlines *ds, struct deadline *d, enum deadline_kind kind, int64_t after_ns);
void deadline_clear(struct deadlines *ds, struct deadline *d);

#endif
