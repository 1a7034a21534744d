/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where benchd listens: what the configuration says, or sockets that systemd passed in. */
#ifndef DAEMON_SOCKETS_H
#define DAEMON_SOCKETS_H

#include "base/error.h"
#include "daemon/config.h"
#include "daemon/http/http.h"

enum { SOCKETS_MAX = 32 };

struct sockets {
	struct listen_addr listen[SOCKETS_MAX];
	size_t n_listen;
	int worker_fd;	 /* -1: none was passed in */
	bool has_remote; /* one that was passed in can be reached from other hosts */
};

/* One unit gives all its descriptors the same name, so they are told apart by address: a unix
 * socket called worker.sock is for workers, everything else for HTTP. Passed-in sockets take
 * the place of the default address; addresses that were asked for are listened on as well. */
int sockets_take(const struct config *c, struct sockets *ret, struct error *err) must_check;

#endif
