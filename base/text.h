/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words and tables of words. Any thread. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"

enum { SLUG_MAX = 64, SLUG_TEXT = 65 };

/* Lower-case, each run of other characters one '-', at most 64: Bencher's rule. Empty text
 * gives
 * "" (the caller then makes a random one). */
const char *slug_format(const char *name, char out[SLUG_TEXT]);
bool slug_is_valid(const char *s);     /* [a-z0-9]+(-[a-z0-9]+)*, at most 64 bytes */
bool git_hash_is_valid(const char *s); /* 40 lower-case hexadecimal digits */
/* A name git accepts for a branch (git-check-ref-format(1)), at most 256 bytes, no leading '-'.
 */
bool ref_name_is_valid(const char *s);
bool utf8_is_valid(const char *s, size_t n);
/* fnmatch-like: '*' any run, '?' one character; the whole of s must match. */
bool glob_match(const char *pattern, const char *s);

/* Aligned text columns, as curl users read them: rows of cells; right marks numeric columns. */
struct table;
struct table *table_new(struct arena *a, size_t n_columns);
void table_head(struct table *t, size_t column, const char *title, bool right);
void table_add(struct table *t, const char *const *cells); /* n_columns strings, copied */
enum table_style { TABLE_TEXT, TABLE_MARKDOWN, TABLE_CSV };
struct buf;
/* Text pads by display columns of UTF-8; CSV quotes by RFC 4180 and defuses = + - @ cells. */
void table_format(const struct table *t, enum table_style style, struct buf *out);

#endif
