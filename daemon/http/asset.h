/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Embedded files of the dashboard: a table in the program, so there is no file system and no
 * traversal. Made at start, constant afterwards. */
#ifndef DAEMON_HTTP_ASSET_H
#define DAEMON_HTTP_ASSET_H

#include "base/buf.h"
#include "base/embed.h"

struct asset {
	const struct embed *file;
	char *hashed; /* "app.1a2b3c4d5e6f.css" */
	char *etag;
	const char *mime;
	struct buf packed; /* gzip; empty when that would not be smaller */
};

struct assets {
	struct asset *list;
	size_t n;
};

void assets_init(struct assets *a, const struct embed *files /* NULL: none */);
void assets_done(struct assets *a);

#endif
