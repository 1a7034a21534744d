/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is kept of a program's output: the first half of the cap and the last half, so that both
 * the beginning and the reason for the end survive a flood. One owner. */
#ifndef WORKER_CAPTURE_H
#define WORKER_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

struct capture {
	size_t cap;	 /* bytes kept at most */
	struct buf head; /* at most cap / 2 */
	char *tail;	 /* ring of cap - cap / 2 bytes; NULL until the head is full */
	size_t tail_at;	 /* where the next byte goes */
	size_t tail_n;	 /* bytes in the ring */
	int64_t total;	 /* bytes that came */
};

void capture_init(struct capture *c, size_t cap);
void capture_done(struct capture *c);
static inline void capture_donep(struct capture *c)
{
	capture_done(c);
}
void capture_add(struct capture *c, const char *data, size_t n);
static inline bool capture_is_cut(const struct capture *c)
{
	return c->total > (int64_t)(c->head.len + c->tail_n);
}
/* Append what was kept; where bytes are missing stands a line that says how many. */
void capture_text(const struct capture *c, struct buf *out);
/* Append the last line that has something in it, at most max bytes, as UTF-8. */
void capture_last_line(const struct capture *c, size_t max, struct buf *out);
/* The same for a compiler's or tool's output: the first line with "error:" or "fatal:" in it,
 * else the last one that has a letter or a digit. */
void capture_error_line(const struct capture *c, size_t max, struct buf *out);

#endif
