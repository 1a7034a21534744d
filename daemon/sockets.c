/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/sockets.h"

#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "base/sd.h"

enum { FIRST_FD = 3 };

static bool is_worker_socket(const struct sockaddr_un *un)
{
	const char *slash = strrchr(un->sun_path, '/');

	return un->sun_family == AF_UNIX && slash && !strcmp(slash, "/worker.sock");
}

static bool is_remote(const struct sockaddr_storage *a)
{
	const struct sockaddr_in *v4 = (const void *)a;
	const struct sockaddr_in6 *v6 = (const void *)a;

	if (a->ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 != 127;
	return a->ss_family == AF_INET6 && !IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

static int take(struct sockets *s, int fd, struct error *err)
{
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		struct sockaddr_storage room;
	} addr = { 0 };
	socklen_t n = sizeof(addr) - 1;
	int is_listening = 0;
	socklen_t n_int = sizeof(int);

	if (getsockname(fd, &addr.any, &n) < 0)
		return error_errno(err, E_IO, "passed-in descriptor %d", fd);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &n_int) < 0 ||
		!is_listening)
		return error_set(err, E_BAD_REQUEST,
			"passed-in descriptor %d is no listening socket", fd);
	if (is_worker_socket(&addr.un)) {
		s->worker_fd = fd;
		return OK;
	}
	if (s->n_listen == SOCKETS_MAX)
		return error_set(
			err, E_BAD_REQUEST, "more than %d sockets were passed in", SOCKETS_MAX);
	s->has_remote |= is_remote(&addr.room);
	s->listen[s->n_listen++] = (struct listen_addr){ .fd = fd };
	return OK;
}

int sockets_take(const struct config *c, struct sockets *ret, struct error *err)
{
	struct sockets s = { .worker_fd = -1 };
	int r;

	for (int i = 0; i < sd_listen_fds(); i++) {
		r = take(&s, FIRST_FD + i, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < c->n_listen && s.n_listen < SOCKETS_MAX; i++)
		if (s.n_listen == 0 || c->is_listen_given)
			s.listen[s.n_listen++] = c->listen[i];
	*ret = s;
	return OK;
}
