/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading lines that tools print for people. Each function takes what it wants from the front
 * and returns true, or takes nothing and returns false. Pure; the text need not end in NUL. */
#ifndef DAEMON_INGEST_SCAN_H
#define DAEMON_INGEST_SCAN_H

#include "daemon/ingest/adapter.h"

struct scan {
	const char *p, *end;
};

bool scan_spaces(struct scan *s); /* one or more spaces and tabs */
void scan_skip(struct scan *s);	  /* any number of them */
bool scan_text(struct scan *s, const char *text);
/* Digits with '.' and ',' between them, commas dropped; no sign, no exponent. */
bool scan_number(struct scan *s, double *ret);
bool scan_time_unit(struct scan *s, double *ret_ns); /* "ns", "µs", ... */
/* Up to the next space, at least one byte. */
bool scan_word(struct scan *s, struct arena *a, const char **ret);
bool scan_end(const struct scan *s); /* nothing but spaces is left */
/* Does a run of spaces begin at p, which lies in s? Looking only there keeps a search linear.
 */
bool scan_is_gap(const struct scan *s, const char *p);
/* The next line without its end; false at the end of the text. */
bool scan_line(struct scan *text, struct scan *ret);
/* What is left, without spaces at both ends. */
const char *scan_rest(const struct scan *s, struct arena *a);
/* The first (or last) place of text in s, NULL when it is not there. */
const char *scan_find(const struct scan *s, const char *text);
const char *scan_find_last(const struct scan *s, const char *text);

/* Call line() for each line, with the one before it. E_BAD_REQUEST when no result came of it:
 * "no line such as 'example'". */
typedef void (*line_fn)(struct tool_output *out, struct scan line, struct scan before);
int scan_lines(const char *text, size_t n, line_fn line, const char *example,
	struct tool_output *out, struct error *err) must_check;

/* E_BAD_REQUEST when a tool does not give this average; allowed has bits 1u << enum average. */
int average_check(const char *adapter, enum average average, unsigned allowed,
	struct error *err) must_check;

#endif
