/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worker's end of the link to benchd (docs/worker-protocol.md), or, in one-job mode, a file
 * that takes what would be sent. Worker process only. */
#ifndef WORKER_LINK_H
#define WORKER_LINK_H

#include <stdbool.h>
#include "base/buf.h"
#include "base/json.h"
#include "base/ndjson.h"

enum { LINK_MAX_LINE = 4 * 1024 * 1024, LINK_MAX_QUEUED = 16 * 1024 * 1024 };

struct link {
	int fd;		/* -1: not connected */
	bool is_file;	/* one-job mode: only written */
	bool is_broken; /* the peer is gone, or the file is full */
	struct buf out;
	struct ndjson in;
};

void link_init(struct link *l, int fd, bool is_file);
void link_done(struct link *l);
/* Connect to a unix socket: a new descriptor, or negative. */
int link_connect(const char *path, int *ret_fd, struct error *err) must_check;
/* Queue a message (taken) or whole lines of text; written as far as it goes at once. */
void link_send(struct link *l, json_t *message);
void link_send_text(struct link *l, const char *text, size_t n);
/* Call when poll says so. */
void link_write(struct link *l);
void link_read(struct link *l);
/* Next complete message, the caller owns it; NULL: none. Broken lines are skipped and counted.
 */
json_t *link_next(struct link *l, struct error *err);

#endif
