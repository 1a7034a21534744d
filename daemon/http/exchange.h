/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A connection and the request it carries, as libmicrohttpd drives them. Loop thread. This and
 * listener.c are the only files that include microhttpd.h. */
#ifndef DAEMON_HTTP_EXCHANGE_H
#define DAEMON_HTTP_EXCHANGE_H

#include "daemon/http/deadline.h"
#include "daemon/http/request.h"

struct listener;
struct MHD_Connection;

struct conn {
	struct listener *listener;
	struct server *server;
	struct MHD_Connection *mhd;
	int fd; /* libmicrohttpd's; valid while this struct lives */
	struct deadline deadline;
	struct request *rq; /* NULL between requests */
	int64_t body_started_ns;
	bool is_suspended;
	TAILQ_ENTRY(conn) link; /* in the listener's list */
};
TAILQ_HEAD(conn_list, conn);

/* The answer stands: let libmicrohttpd come back for it. Nothing when it is not suspended. The
 * caller pumps afterwards (server_pump). */
void exchange_resume(struct conn *c);
void exchange_set_deadline(struct conn *c, enum deadline_kind kind, int64_t after_ns);
void exchange_on_expired(void *server, struct deadline *d, enum deadline_kind kind);

#endif
