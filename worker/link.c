/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/link.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

void link_init(struct link *l, int fd, bool is_file)
{
	*l = (struct link){ .fd = fd, .is_file = is_file };
	ndjson_init(&l->in, LINK_MAX_LINE);
	if (fd >= 0 && !is_file)
		(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void link_done(struct link *l)
{
	if (l->fd >= 0 && !l->is_file)
		close(l->fd);
	l->fd = -1;
	buf_done(&l->out);
	ndjson_done(&l->in);
}

int link_connect(const char *path, int *ret_fd, struct error *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	_cleanup_(close)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(addr.sun_path))
		return error_set(err, E_BAD_REQUEST,
			"the socket path '%s' is longer than %zu bytes", path,
			sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return error_errno(err, E_UNAVAILABLE, "cannot connect to '%s'", path);
	*ret_fd = TAKE_FD(fd);
	return OK;
}

static ssize_t put(const struct link *l, const char *p, size_t n)
{
	if (l->is_file)
		return write(l->fd, p, n);
	return send(l->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void link_write(struct link *l)
{
	size_t sent = 0;

	while (sent < l->out.len && !l->is_broken) {
		ssize_t n = put(l, l->out.data + sent, l->out.len - sent);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			l->is_broken = true;
		if (n < 0)
			break;
		sent += (size_t)n;
	}
	buf_consume(&l->out, sent);
	if (l->is_broken)
		buf_clear(&l->out);
}

void link_send(struct link *l, json_t *message)
{
	ndjson_format(&l->out, message);
	json_decref(message);
	link_write(l);
}

void link_send_text(struct link *l, const char *text, size_t n)
{
	if (l->is_broken)
		return;
	buf_add(&l->out, text, n);
	link_write(l);
}

void link_read(struct link *l)
{
	char chunk[64 * 1024];
	ssize_t n = recv(l->fd, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		l->is_broken = true;
	if (n > 0)
		ndjson_feed(&l->in, chunk, (size_t)n);
}

json_t *link_next(struct link *l, struct error *err)
{
	json_t *j = NULL;

	if (ndjson_next(&l->in, &j, err) < 0)
		return NULL;
	err->code = OK;
	return j;
}
