/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One escaping function for each output language; everything user-made passes one of them. */
#include "daemon/render/internal.h"

#include <stdarg.h>
#include <string.h>

/* Bytes of a character at s that no output may carry as it is: controls (C0, DEL, C1), which a
 * terminal obeys and XML 1.0 forbids, and the overrides of direction (Unicode TR 9), which make
 * a line read as what it is not. 0: an ordinary one. */
static size_t odd_bytes(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	if (s[0] < 0x20 || s[0] == 0x7f)
		return 1;
	if (s[0] == 0xc2 && s[1] >= 0x80 && s[1] <= 0x9f)
		return 2;
	if (s[0] == 0xe2 && s[1] == 0x80 && s[2] >= 0xaa && s[2] <= 0xae)
		return 3;
	if (s[0] == 0xe2 && s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9)
		return 3;
	return 0;
}

void text_escape(struct buf *out, const char *s)
{
	while (s && *s) {
		size_t odd = odd_bytes(s);

		buf_add_char(out, odd ? '?' : *s);
		s += odd ? odd : 1;
	}
}

void text_printf(struct buf *out, const char *fmt, ...)
{
	_cleanup_(free)
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort(); /* out of memory */
	va_end(ap);
	text_escape(out, text);
}

void html_escape(struct buf *out, const char *s)
{
	if (!s)
		return;
	if (!utf8_is_valid(s, strlen(s))) {
		buf_add_str(out, "(not UTF-8)");
		return;
	}
	while (*s) {
		size_t odd = *s == '\t' || *s == '\n' ? 0 : odd_bytes(s);

		if (odd)
			buf_add_char(out, '?');
		else if (*s == '&')
			buf_add_str(out, "&amp;");
		else if (*s == '<')
			buf_add_str(out, "&lt;");
		else if (*s == '>')
			buf_add_str(out, "&gt;");
		else if (*s == '"')
			buf_add_str(out, "&quot;");
		else if (*s == '\'')
			buf_add_str(out, "&#39;");
		else
			buf_add_char(out, *s);
		s += odd ? odd : 1;
	}
}

void markdown_escape(struct buf *out, const char *s)
{
	while (s && *s) {
		size_t odd = odd_bytes(s);

		if (odd) {
			buf_add_char(out, ' ');
			s += odd;
			continue;
		}
		if (strchr("\\`*_{}[]<>|~&", *s))
			buf_add_char(out, '\\');
		buf_add_char(out, *s);
		/* Forges look for "@name" and "#1" in the text that is left after escapes are
		 * undone; a comment splits them. */
		if (*s == '@' || *s == '#')
			buf_add_str(out, "<!-- -->");
		s++;
	}
}

static size_t longest_run(const char *s, char c)
{
	size_t best = 0, run = 0;

	for (; *s; s++) {
		run = *s == c ? run + 1 : 0;
		best = MAX(best, run);
	}
	return best;
}

/* CommonMark 6.1: a span ends at a run of back-ticks of the opening's length. A table cell ends
 * at '|' even inside a span, unless it is escaped (GFM 4.10). */
void markdown_code(struct buf *out, const char *s)
{
	size_t fence;
	bool pad;

	if (!s || !*s)
		return;
	fence = longest_run(s, '`') + 1;
	pad = s[0] == '`' || s[strlen(s) - 1] == '`';
	for (size_t i = 0; i < fence; i++)
		buf_add_char(out, '`');
	if (pad)
		buf_add_char(out, ' ');
	while (*s) {
		size_t odd = odd_bytes(s);

		if (*s == '|')
			buf_add_char(out, '\\');
		buf_add_char(out, odd ? ' ' : *s);
		s += odd ? odd : 1;
	}
	if (pad)
		buf_add_char(out, ' ');
	for (size_t i = 0; i < fence; i++)
		buf_add_char(out, '`');
}

/* OpenMetrics 1.0, "escaped-string": backslash, newline and quote. */
void openmetrics_escape(struct buf *out, const char *s)
{
	for (; s && *s; s++) {
		if (*s == '\n')
			buf_add_str(out, "\\n");
		else if (*s == '\\' || *s == '"')
			buf_printf(out, "\\%c", *s);
		else
			buf_add_char(out, *s);
	}
}
