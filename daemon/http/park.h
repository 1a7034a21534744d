/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests that wait for server_notify(key): parked ones and event streams. Loop thread. */
#ifndef DAEMON_HTTP_PARK_H
#define DAEMON_HTTP_PARK_H

#include "daemon/http/request.h"

enum { WATCH_BUCKETS = 512, NOTIFY_RING = 1024 };
LIST_HEAD(watch_list, watch);
TAILQ_HEAD(request_list, request);

struct watches {
	struct watch_list buckets[WATCH_BUCKETS];
	uint64_t n_notified;	    /* notifications so far */
	uint64_t ring[NOTIFY_RING]; /* hashes of the last keys */
	struct request_list parked;
	int64_t n_parked;
};

void watches_init(struct watches *w);
void watch_add(struct watches *w, struct watch *watch, const char *key);
void watch_remove(struct watch *watch); /* also when it is not in */
/* Was key notified since counter seen? May say yes without cause, never no. */
bool watches_missed(const struct watches *w, const char *key, uint64_t seen);

/* Take rq, whose handler has parked it, into the table, or run it again at once. */
void park_add(struct request *rq);
/* Its key was notified, or its deadline has passed. */
void park_wake(struct request *rq);
void park_remove(struct request *rq); /* also when it is not in */

#endif
