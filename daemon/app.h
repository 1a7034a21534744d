/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What main hands to handlers (request_app): the parts of the daemon that they may ask. The
 * only header of this folder that http/ includes.
 *
 * Constant while the server runs but for the rules, which SIGHUP replaces as a whole. A set of
 * rules once seen stays valid until the daemon ends. Any thread. */
#ifndef DAEMON_APP_H
#define DAEMON_APP_H

#include <stdatomic.h>
#include <stdbool.h>
#include "daemon/queue/queue.h"

struct server;
struct workers;

struct app {
	_Atomic(const struct queue_rules *) rules;
	struct server *server;	 /* loop thread, but for what http.h says otherwise */
	struct workers *workers; /* workers_live() from any thread */
	const char *public_url;	 /* NULL: server_url() */
	const char *state_dir;
	int64_t started_ns;
};

static inline const struct queue_rules *app_rules(const struct app *app)
{
	return atomic_load(&((struct app *)app)->rules);
}

#endif
