/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/sd.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct {
	char socket[108];
	int64_t watchdog_ns;
	int n_fds;
} sd;

static long env_number(const char *name)
{
	const char *s = getenv(name);

	return s ? strtol(s, NULL, 10) : 0;
}

void sd_init(void)
{
	const char *socket = getenv("NOTIFY_SOCKET");
	long pid = env_number("WATCHDOG_PID");

	if (socket && strlen(socket) < sizeof(sd.socket))
		strcpy(sd.socket, socket);
	if (pid == 0 || pid == (long)getpid())
		sd.watchdog_ns = env_number("WATCHDOG_USEC") * 1000;
	if (env_number("LISTEN_PID") == (long)getpid())
		sd.n_fds = (int)env_number("LISTEN_FDS");
	for (int i = 0; i < sd.n_fds; i++) {
		fcntl(3 + i, F_SETFD, FD_CLOEXEC);
		fcntl(3 + i, F_SETFL, fcntl(3 + i, F_GETFL) | O_NONBLOCK);
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

void sd_notify(const char *state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len;
	int fd;

	if (!*sd.socket)
		return;
	strcpy(addr.sun_path, sd.socket);
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(sd.socket));
	if (sd.socket[0] == '@')
		addr.sun_path[0] = 0;
	else
		len++;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&addr, len);
	close(fd);
}

int64_t sd_watchdog_ns(void)
{
	return sd.watchdog_ns;
}

int sd_listen_fds(void)
{
	return sd.n_fds;
}
