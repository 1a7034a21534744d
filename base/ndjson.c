/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/ndjson.h"

#include <string.h>

void ndjson_init(struct ndjson *n, size_t max_line)
{
	*n = (struct ndjson){ .max_line = max_line };
}

void ndjson_done(struct ndjson *n)
{
	buf_done(&n->buf);
}

void ndjson_feed(struct ndjson *n, const void *data, size_t len)
{
	buf_add(&n->buf, data, len);
}

static void drop_line(struct ndjson *n, size_t bytes)
{
	buf_consume(&n->buf, bytes);
	n->scanned = 0;
}

int ndjson_next(struct ndjson *n, json_t **ret, struct error *err)
{
	*ret = NULL;
	for (;;) {
		const char *s = buf_str(&n->buf);
		const char *nl = n->buf.len > n->scanned
					 ? memchr(s + n->scanned, '\n', n->buf.len - n->scanned)
					 : NULL;
		size_t len = nl ? (size_t)(nl - s) : n->buf.len;
		int r;

		if (len > n->max_line && !n->skipping) {
			n->skipping = true;
			drop_line(n, nl ? len + 1 : len);
			n->skipping = !nl;
			return error_set(err, E_TOO_LARGE, "a line is longer than %zu bytes",
				n->max_line);
		}
		if (!nl) {
			if (n->skipping)
				drop_line(n, n->buf.len);
			n->scanned = n->buf.len;
			return OK;
		}
		if (n->skipping || strspn(s, " \t\r") >= len) {
			n->skipping = false;
			drop_line(n, len + 1);
			continue;
		}
		r = json_parse(s, len, ret, err);
		drop_line(n, len + 1);
		if (r == OK && !json_is_object(*ret)) {
			json_decref(*ret);
			*ret = NULL;
			r = error_set(err, E_BAD_REQUEST, "a line is not a JSON object");
		}
		return r;
	}
}

void ndjson_format(struct buf *b, const json_t *j)
{
	json_format(b, j);
	buf_add_char(b, '\n');
}
