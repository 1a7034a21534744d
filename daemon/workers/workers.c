/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Start and stop of all links; the socket where workers of their own unit connect. */
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include "daemon/workers/internal.h"

void handle_opened(struct workers *ws)
{
	ws->n_handles++;
}

void handle_closed(struct workers *ws)
{
	if (--ws->n_handles == 0 && ws->done)
		ws->done(ws->done_arg);
}

static void on_handle_closed(uv_handle_t *h)
{
	handle_closed(h->data);
}

/* --- the socket --- */

/* The socket's mode says who may connect; who did is asked again, because folders get copied.
 */
static bool peer_is_welcome(int fd)
{
	struct ucred peer = { 0 };
	socklen_t n = sizeof(peer);
	struct passwd *worker = getpwnam("benchd-worker");

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid() || (worker && peer.uid == worker->pw_uid);
}

static int n_links(const struct workers *ws)
{
	int n = 0;

	for (const struct worker *w = ws->links; w; w = w->next)
		n++;
	return n;
}

static void on_temporary_closed(uv_handle_t *h)
{
	free(h);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct workers *ws = listener->data;
	uv_pipe_t *accepted = xcalloc(1, sizeof(*accepted));
	uv_os_fd_t fd;
	struct error err;
	int copy = -1;

	uv_pipe_init(ws->c.loop, accepted, 0);
	if (status == 0 && uv_accept(listener, (uv_stream_t *)accepted) == 0 &&
		uv_fileno((uv_handle_t *)accepted, &fd) == 0 && peer_is_welcome(fd) &&
		n_links(ws) < WORKER_MAX)
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	uv_close((uv_handle_t *)accepted, on_temporary_closed);
	if (copy >= 0 && link_open(ws, copy, false, &err) < 0)
		ws->c.on_trouble(ws->c.arg, err.text);
	else if (copy < 0)
		ws->c.on_trouble(ws->c.arg, "a connection to the worker socket was refused");
}

static int bind_socket(struct workers *ws, struct error *err)
{
	const char *path = ws->c.socket_path;
	int r;

	if (ws->c.socket_fd >= 0) {
		r = uv_pipe_open(&ws->listener, ws->c.socket_fd);
	} else {
		struct stat s;

		/* Left by a killed daemon: the lock on the state folder says it is dead. */
		if (lstat(path, &s) == 0 && S_ISSOCK(s.st_mode))
			unlink(path);
		r = uv_pipe_bind(&ws->listener, path);
	}
	if (r == 0)
		r = uv_listen((uv_stream_t *)&ws->listener, 16, on_connection);
	if (r < 0)
		return error_set(err, E_IO, "cannot listen on '%s' for workers: %s",
			path ? path : "the passed-in socket", uv_strerror(r));
	if (ws->c.socket_fd < 0)
		chmod(path, 0660);
	return OK;
}

static int start_listening(struct workers *ws, struct error *err)
{
	uv_pipe_init(ws->c.loop, &ws->listener, 0);
	ws->listener.data = ws;
	ws->is_listening = true;
	handle_opened(ws);
	return bind_socket(ws, err);
}

/* --- the whole --- */

static void on_timer(uv_timer_t *t)
{
	link_check_silence(t->data);
}

int workers_start(const struct workers_config *c, struct workers **ret, struct error *err)
{
	struct workers *ws = xcalloc(1, sizeof(*ws));
	uint64_t every_ms = (uint64_t)(c->heartbeat_ns / NS_PER_MS);
	int r = OK;

	ws->c = *c;
	pthread_mutex_init(&ws->live_lock, NULL);
	sweep_owner(c->state_dir, ws->owner);
	uv_timer_init(c->loop, &ws->timer);
	ws->timer.data = ws;
	uv_timer_start(&ws->timer, on_timer, every_ms, every_ms);
	handle_opened(ws);
	*ret = ws;
	if (c->socket_path || c->socket_fd >= 0)
		r = start_listening(ws, err);
	if (r == OK && c->is_embedded)
		r = embedded_start(ws, err);
	return r;
}

void workers_stop(struct workers *ws, void (*done)(void *arg), void *arg)
{
	bool was_embedded = ws->program != NULL;

	ws->is_stopping = true;
	ws->done = done;
	ws->done_arg = arg;
	link_close_all(ws, "benchd was stopped while it ran; finished processes are kept");
	if (was_embedded && ws->child.data)
		embedded_stop(ws);
	if (ws->is_listening)
		uv_close((uv_handle_t *)&ws->listener, on_handle_closed);
	uv_close((uv_handle_t *)&ws->timer, on_handle_closed);
}

void workers_free(struct workers *ws)
{
	if (!ws)
		return;
	pthread_mutex_destroy(&ws->live_lock);
	free(ws->program);
	free(ws);
}
