/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NDJSON over a stream: one JSON object a line, lines capped. Not thread-safe. */
#ifndef BASE_NDJSON_H
#define BASE_NDJSON_H

#include "base/buf.h"
#include "base/json.h"

struct ndjson {
	struct buf buf;
	size_t max_line; /* bytes; a longer line is E_TOO_LARGE */
	size_t scanned;	 /* bytes of buf already searched for a newline */
	bool skipping;	 /* inside a line that was too long */
};

void ndjson_init(struct ndjson *n, size_t max_line);
void ndjson_done(struct ndjson *n);
/* Add bytes as they came. */
void ndjson_feed(struct ndjson *n, const void *data, size_t len);
/* Next complete object: OK with *ret set (caller owns), OK with *ret = NULL when more bytes are
 * needed, or E_TOO_LARGE / E_BAD_REQUEST for that line only: call again for the next one. */
int ndjson_next(struct ndjson *n, json_t **ret, struct error *err) must_check;
/* Append j as one line to b. */
void ndjson_format(struct buf *b, const json_t *j);

#endif
