/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Growing byte buffer; always NUL-terminated behind len. Not thread-safe. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include "base/cleanup.h"

struct buf {
	char *data; /* NULL while empty; use buf_str for text */
	size_t len, cap;
};

void buf_done(struct buf *b); /* frees the bytes, leaves an empty buffer */
static inline void buf_donep(struct buf *b)
{
	buf_done(b);
}
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_str(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_reserve(struct buf *b, size_t n); /* room for n more bytes; still a string */
void buf_clear(struct buf *b);		   /* len = 0, keeps the memory */
void buf_consume(struct buf *b, size_t n); /* drop the first n bytes */
const char *buf_str(const struct buf *b);  /* never NULL */
/* Give the bytes to the caller (free()); the buffer is empty afterwards. Never NULL. */
char *buf_take(struct buf *b);

#endif
