/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the server counts. Recorded on the loop only, read on any thread, without a lock. */
#ifndef DAEMON_HTTP_METRICS_H
#define DAEMON_HTTP_METRICS_H

#include <stdatomic.h>
#include "daemon/http/request.h"

enum { LATENCY_BUCKETS = 15, STATUS_CLASSES = 6 };

struct route_metrics {
	_Atomic int64_t by_status[STATUS_CLASSES]; /* 0: cut off, 1xx .. 5xx */
	_Atomic int64_t latency[LATENCY_BUCKETS + 1];
	_Atomic int64_t sum_ns;
};

struct metrics {
	const struct route *table;    /* the server's */
	struct route_metrics *routes; /* one more than there are routes: unmatched */
	size_t n_routes;
	_Atomic int64_t requests, errors, connections, deadline_closes;
};

void metrics_init(struct metrics *m, const struct route *routes);
void metrics_done(struct metrics *m);
void metrics_record(struct metrics *m, const struct request *rq);
void metrics_format(struct metrics *m, struct buf *out);

#endif
