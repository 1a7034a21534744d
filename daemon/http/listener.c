/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/http/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "base/log.h"
#include "daemon/http/server.h"

enum { BACKLOG = 1024, FDS_KEPT = 128, IDLE_TIMEOUT_S = 120 };

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

/* --- sockets --- */

static int parse_host(
	const struct listen_addr *a, union address *ret, socklen_t *ret_n, struct error *err)
{
	const char *host = a->host && strcmp(a->host, "localhost") ? a->host : "127.0.0.1";

	memset(ret, 0, sizeof(*ret));
	if (a->port < 0 || a->port > 65535)
		return error_set(err, E_BAD_REQUEST,
			"cannot listen on '%s': port %d is not 0 to "
			"65535",
			host, a->port);
	if (inet_pton(AF_INET, host, &ret->in.sin_addr) == 1) {
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons((uint16_t)a->port);
		*ret_n = sizeof(ret->in);
		return OK;
	}
	if (inet_pton(AF_INET6, host, &ret->in6.sin6_addr) == 1) {
		ret->in6.sin6_family = AF_INET6;
		ret->in6.sin6_port = htons((uint16_t)a->port);
		*ret_n = sizeof(ret->in6);
		return OK;
	}
	return error_set(err, E_BAD_REQUEST,
		"cannot listen on '%s': give an IP address, such as 127.0.0.1 or ::", host);
}

static int open_tcp(const struct listen_addr *a, int *ret_fd, struct error *err)
{
	union address addr;
	socklen_t n = 0;
	_cleanup_(close)
	int fd = -1;
	int on = 1, r = parse_host(a, &addr, &n, err);

	if (r < 0)
		return r;
	fd = socket(addr.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_errno(err, E_IO, "cannot make a socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (addr.any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, &addr.any, n) < 0 || listen(fd, BACKLOG) < 0)
		return error_errno(
			err, E_IO, "cannot listen on '%s' port %d", a->host, a->port);
	*ret_fd = TAKE_FD(fd);
	return OK;
}

/* A socket file that nobody answers on is left over from a crash. */
static bool is_stale(const struct sockaddr_un *addr)
{
	_cleanup_(close)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (lstat(addr->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;
	return connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 &&
	       errno == ECONNREFUSED;
}

static int open_unix(const char *path, int *ret_fd, struct error *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	_cleanup_(close)
	int fd = -1;

	if (strlen(path) >= sizeof(addr.sun_path))
		return error_set(err, E_BAD_REQUEST,
			"cannot listen on '%s': a socket's path has at most %zu bytes", path,
			sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, path);
	if (is_stale(&addr))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
		chmod(path, 0660) < 0 || listen(fd, BACKLOG) < 0)
		return error_errno(err, E_IO, "cannot listen on '%s'", path);
	*ret_fd = TAKE_FD(fd);
	return OK;
}

static bool is_loopback(const union address *a)
{
	if (a->any.sa_family == AF_INET)
		return ntohl(a->in.sin_addr.s_addr) >> 24 == 127;
	if (a->any.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
	return a->any.sa_family == AF_UNIX;
}

static int open_socket(struct listener *l, const struct listen_addr *a, struct error *err)
{
	union address addr;
	socklen_t n = sizeof(addr);
	int r = OK;

	l->fd = -1;
	if (a->fd >= 0)
		l->fd = a->fd;
	else if (a->unix_path)
		r = open_unix(a->unix_path, &l->fd, err);
	else
		r = open_tcp(a, &l->fd, err);
	if (r < 0)
		return r;
	if (a->fd < 0 && a->unix_path)
		l->unix_path = xstrdup(a->unix_path);
	fcntl(l->fd, F_SETFL, fcntl(l->fd, F_GETFL) | O_NONBLOCK);
	if (getsockname(l->fd, &addr.any, &n) < 0)
		return error_errno(err, E_IO, "descriptor %d is not a socket", l->fd);
	l->is_local = is_loopback(&addr);
	l->is_unix = addr.any.sa_family == AF_UNIX;
	return OK;
}

void listener_format_url(const struct listener *l, char *out, size_t n)
{
	union address a;
	socklen_t len = sizeof(a);
	char host[INET6_ADDRSTRLEN] = "";

	memset(&a, 0, sizeof(a));
	getsockname(l->fd, &a.any, &len);
	if (a.any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &a.in.sin_addr, host, sizeof(host));
		snprintf(out, n, "http://%s:%d", host, ntohs(a.in.sin_port));
	} else if (a.any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &a.in6.sin6_addr, host, sizeof(host));
		snprintf(out, n, "http://[%s]:%d", host, ntohs(a.in6.sin6_port));
	} else {
		snprintf(out, n, "unix:%s", a.un.sun_path);
	}
}

/* --- libmicrohttpd --- */

static size_t keep_escapes(void *cls, struct MHD_Connection *mhd, char *s)
{
	return strlen(s);
}

static void on_mhd_log(void *cls, const char *fmt, va_list ap)
{
	char text[512];

	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = 0;
	log_debug("libmicrohttpd: %s", text);
}

static unsigned max_connections(const struct server_limits *limits)
{
	struct rlimit r = { 1024, 1024 };
	int64_t max = limits->max_connections;

	getrlimit(RLIMIT_NOFILE, &r);
	if (r.rlim_cur != RLIM_INFINITY)
		max = MIN(max, MAX((int64_t)r.rlim_cur - FDS_KEPT, 64));
	return (unsigned)max;
}

static unsigned max_per_ip(const struct listener *l)
{
	int64_t max = l->server->config.limits.max_connections_per_ip;

	if (max > 0)
		return (unsigned)max;
	return max < 0 || l->is_local ? 0 : 256;
}

static int start_mhd(struct listener *l, struct error *err)
{
	const struct server_limits *limits = &l->server->config.limits;
	const struct exchange_callbacks *cb = &exchange_callbacks;
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;

	l->mhd = MHD_start_daemon(flags, 0, NULL, NULL, cb->on_request, l->server,
		MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log, NULL, MHD_OPTION_LISTEN_SOCKET, l->fd,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)limits->connection_memory,
		MHD_OPTION_CONNECTION_LIMIT, max_connections(limits),
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, max_per_ip(l),
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S,
		MHD_OPTION_URI_LOG_CALLBACK, cb->on_line, l->server,
		MHD_OPTION_NOTIFY_CONNECTION, cb->on_connection, l, MHD_OPTION_NOTIFY_COMPLETED,
		cb->on_completed, NULL, MHD_OPTION_END);
	if (!l->mhd)
		return error_set(err, E_INTERNAL, "libmicrohttpd does not start");
	return OK;
}

static void on_timer(uv_timer_t *t);

/* MHD watches its sockets edge-triggered: after a run it may hold unread bytes that raise no
 * event. The timeout it asks for is therefore part of the protocol. */
void listener_pump(struct listener *l)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (l->is_running || !l->mhd)
		return; /* the run above us goes on with it when it ends */
	l->needs_pump = false;
	l->is_running = true;
	MHD_run(l->mhd);
	l->is_running = false;
	if (uv_is_closing((uv_handle_t *)&l->timer))
		return;
	if (l->needs_pump) /* resumed in that run, which its timeout does not tell */
		uv_timer_start(&l->timer, on_timer, 0, 0);
	else if (MHD_get_timeout(l->mhd, &ms) == MHD_YES)
		uv_timer_start(&l->timer, on_timer, ms, 0);
	else
		uv_timer_stop(&l->timer);
}

static void on_timer(uv_timer_t *t)
{
	listener_pump(container_of(t, struct listener, timer));
}

static void on_event(uv_poll_t *p, int status, int events)
{
	listener_pump(container_of(p, struct listener, poll));
}

int listener_start(
	struct listener *l, struct server *s, const struct listen_addr *addr, struct error *err)
{
	int r;

	l->server = s;
	l->quiesced_fd = -1;
	TAILQ_INIT(&l->conns);
	r = open_socket(l, addr, err);
	if (r == OK)
		r = start_mhd(l, err);
	if (r < 0)
		return r;
	uv_timer_init(s->config.loop, &l->timer);
	uv_poll_init(s->config.loop, &l->poll,
		MHD_get_daemon_info(l->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
	uv_poll_start(&l->poll, UV_READABLE, on_event);
	l->n_handles = 2;
	listener_pump(l);
	return OK;
}

void listener_quiesce(struct listener *l)
{
	if (l->mhd && l->quiesced_fd < 0)
		l->quiesced_fd = MHD_quiesce_daemon(l->mhd);
}

static void on_closed(uv_handle_t *h)
{
	struct listener *l = h->type == UV_TIMER
				     ? container_of((uv_timer_t *)h, struct listener, timer)
				     : container_of((uv_poll_t *)h, struct listener, poll);

	l->n_handles--;
	server_on_closed(l->server);
}

void listener_close_handles(struct listener *l)
{
	if (!l->n_handles)
		return;
	uv_poll_stop(&l->poll);
	uv_timer_stop(&l->timer);
	uv_close((uv_handle_t *)&l->poll, on_closed);
	uv_close((uv_handle_t *)&l->timer, on_closed);
}

void listener_stop(struct listener *l)
{
	if (l->mhd)
		MHD_stop_daemon(l->mhd); /* closes the socket, unless it was quiesced */
	else if (l->fd >= 0)
		close(l->fd);
	l->mhd = NULL;
	l->fd = -1;
	if (l->quiesced_fd >= 0)
		close(l->quiesced_fd);
	l->quiesced_fd = -1;
	if (l->unix_path)
		unlink(l->unix_path);
	free(TAKE(l->unix_path));
}
