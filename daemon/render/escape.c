/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One escaping function for each output language; everything user-made passes one of them. */
#include "daemon/render/render.h"

#include <string.h>
#include "base/text.h"

/* Control characters are not allowed in XML 1.0 at all, not even as references. */
static bool is_control(unsigned char c)
{
	return (c < 0x20 && c != '\t' && c != '\n') || c == 0x7f;
}

void html_escape(struct buf *out, const char *s)
{
	if (!s)
		return;
	if (!utf8_is_valid(s, strlen(s))) {
		buf_add_str(out, "(not UTF-8)");
		return;
	}
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '&')
			buf_add_str(out, "&amp;");
		else if (c == '<')
			buf_add_str(out, "&lt;");
		else if (c == '>')
			buf_add_str(out, "&gt;");
		else if (c == '"')
			buf_add_str(out, "&quot;");
		else if (c == '\'')
			buf_add_str(out, "&#39;");
		else
			buf_add_char(out, is_control(c) ? '?' : *s);
	}
}

void markdown_escape(struct buf *out, const char *s)
{
	for (; s && *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < 0x20 || c == 0x7f) {
			buf_add_char(out, ' ');
			continue;
		}
		if (strchr("\\`*_{}[]()<>#+!|~&@", c))
			buf_add_char(out, '\\');
		buf_add_char(out, *s);
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
	for (; *s; s++) {
		if (*s == '|')
			buf_add_char(out, '\\');
		buf_add_char(
			out, (unsigned char)*s < 0x20 || (unsigned char)*s == 0x7f ? ' ' : *s);
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
