/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gzip (RFC 1952). Any thread. */
#ifndef DAEMON_HTTP_CODING_H
#define DAEMON_HTTP_CODING_H

#include <stdint.h>
#include "base/buf.h"
#include "base/error.h"

/* Appends to out; E_TOO_LARGE over max bytes, E_BAD_REQUEST when in is not whole gzip data. */
int gzip_unpack(
	const struct buf *in, int64_t max, struct buf *out, struct error *err) must_check;
/* out is empty before; it stays empty when zlib fails. */
void gzip_pack(const void *data, size_t n, int level, struct buf *out);

#endif
