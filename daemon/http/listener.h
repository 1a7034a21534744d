/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One listening socket = one libmicrohttpd daemon in external epoll mode inside the loop. */
#ifndef DAEMON_HTTP_LISTENER_H
#define DAEMON_HTTP_LISTENER_H

#include <microhttpd.h>
#include "daemon/http/exchange.h"

struct exchange_callbacks {
	MHD_AccessHandlerCallback on_request;
	void *(*on_line)(void *cls, const char *uri, struct MHD_Connection *mhd);
	MHD_RequestCompletedCallback on_completed;
	MHD_NotifyConnectionCallback on_connection;
};
extern const struct exchange_callbacks exchange_callbacks;

struct listener {
	struct server *server;
	struct MHD_Daemon *mhd;
	uv_poll_t poll; /* its epoll descriptor */
	uv_timer_t timer;
	int fd, quiesced_fd;
	char *unix_path; /* removed at the end; NULL */
	bool is_local, is_unix;
	bool is_running, needs_pump; /* inside MHD_run; something was resumed */
	int64_t n_suspended;
	int n_handles; /* open ones of poll and timer */
	struct conn_list conns;
};

int listener_start(struct listener *l, struct server *s, const struct listen_addr *addr,
	struct error *err) must_check;
/* Let libmicrohttpd run: after any event, any timeout, any batch of resumes. */
void listener_pump(struct listener *l);
/* Stop accepting. */
void listener_quiesce(struct listener *l);
/* Close poll and timer; the callbacks count n_handles down and call server_on_closed. */
void listener_close_handles(struct listener *l);
/* Nothing is suspended any more, the handles are closed. */
void listener_stop(struct listener *l);
/* "http://127.0.0.1:6610" or "unix:/path" */
void listener_format_url(const struct listener *l, char *out, size_t n);

#endif
