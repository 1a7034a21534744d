/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Output of foreign programs as text that JSON can carry. Any thread. */
#ifndef WORKER_UTF8_H
#define WORKER_UTF8_H

#include <stddef.h>
#include "base/buf.h"

/* Append data[0..n) to out as UTF-8; each byte that is not part of a valid sequence, and NUL,
 * becomes U+FFFD. Returns how many bytes were used: less than n only when a sequence is cut off
 * at the end of data and the bytes before it were used. */
size_t utf8_clean(const char *data, size_t n, struct buf *out);
/* Cut off a sequence that a length limit left incomplete at the end of s. */
void utf8_trim(char *s);
/* The last line of text that has something in it, at most max bytes, cleaned; "" when none. */
void utf8_last_line(const char *data, size_t n, size_t max, struct buf *out);

#endif
