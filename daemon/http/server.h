/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server from inside. Loop thread, except where said. */
#ifndef DAEMON_HTTP_SERVER_H
#define DAEMON_HTTP_SERVER_H

#include "daemon/http/asset.h"
#include "daemon/http/deadline.h"
#include "daemon/http/metrics.h"
#include "daemon/http/park.h"
#include "daemon/http/reader.h"
#include "daemon/http/stream.h"
#include "daemon/http/writer.h"

struct listener;

enum stop_step { STOP_NOT, STOP_DRAIN, STOP_RESUME, STOP_CLOSE, STOP_DONE };

struct server {
	struct server_config config; /* limits with their defaults filled in */
	struct listener *listeners;
	size_t n_listeners;
	struct mailbox mailbox;
	struct writer writer;
	struct readers readers;
	struct deadlines deadlines;
	struct watches watches;
	struct stream_list streams;
	int64_t n_streams;
	uv_timer_t heartbeat;
	struct metrics metrics;
	struct assets assets;
	int64_t body_bytes;	   /* of all requests */
	struct request_list spare; /* freed ones, for the next */
	int n_spare;
	char url[128];

	bool is_stopping, is_stepping, is_flush_over;
	enum stop_step stop_step;
	uv_timer_t stop_timer;
	int n_handles; /* open ones: mailbox, deadlines, heartbeat, stop timer */
	void (*on_stopped)(void *arg);
	void *on_stopped_arg;
};

/* Let every listener with resumed connections run. */
void server_pump(struct server *s);
/* Count n bytes of bodies more (or less); false when that is over the limit. s may be NULL. */
bool server_account_body(struct server *s, int64_t n);
void server_log_failure(const struct request *rq, int code, const struct error *err);
/* stop.c */
void server_on_closed(struct server *s);
void server_stop_step(struct server *s);

#endif
