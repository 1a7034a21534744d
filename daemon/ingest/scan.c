/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/ingest/scan.h"

#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"

enum { NUMBER_MAX = 64 };

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

bool scan_spaces(struct scan *s)
{
	const char *from = s->p;

	scan_skip(s);
	return s->p > from;
}

void scan_skip(struct scan *s)
{
	while (s->p < s->end && is_space(*s->p))
		s->p++;
}

bool scan_text(struct scan *s, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, text, n) != 0)
		return false;
	s->p += n;
	return true;
}

bool scan_number(struct scan *s, double *ret)
{
	char digits[NUMBER_MAX];
	const char *p = s->p;
	size_t n = 0;
	char *end;
	double v;

	for (; p < s->end && ((*p >= '0' && *p <= '9') || *p == '.' || *p == ','); p++) {
		if (n == NUMBER_MAX - 1)
			return false;
		if (*p != ',')
			digits[n++] = *p;
	}
	digits[n] = 0;
	v = strtod(digits, &end);
	if (n == 0 || *end)
		return false;
	s->p = p;
	*ret = v;
	return true;
}

bool scan_time_unit(struct scan *s, double *ret_ns)
{
	char unit[8];
	size_t n = 0;

	while (s->p + n < s->end && n < sizeof(unit) - 1 &&
		((s->p[n] >= 'a' && s->p[n] <= 'z') || (s->p[n] & 0x80)))
		n++;
	memcpy(unit, s->p, n);
	unit[n] = 0;
	*ret_ns = tool_time_unit(unit);
	if (*ret_ns == 0)
		return false;
	s->p += n;
	return true;
}

bool scan_word(struct scan *s, struct arena *a, const char **ret)
{
	const char *from = s->p;

	while (s->p < s->end && !is_space(*s->p))
		s->p++;
	if (s->p == from)
		return false;
	*ret = arena_strndup(a, from, (size_t)(s->p - from));
	return true;
}

bool scan_end(const struct scan *s)
{
	struct scan rest = *s;

	scan_skip(&rest);
	return rest.p == rest.end;
}

bool scan_is_gap(const struct scan *s, const char *p)
{
	return is_space(*p) && (p == s->p || !is_space(p[-1]));
}

bool scan_line(struct scan *text, struct scan *ret)
{
	const char *newline;

	if (text->p == text->end)
		return false;
	newline = memchr(text->p, '\n', (size_t)(text->end - text->p));
	*ret = (struct scan){ text->p, newline ? newline : text->end };
	text->p = newline ? newline + 1 : text->end;
	if (ret->end > ret->p && ret->end[-1] == '\r')
		ret->end--;
	return true;
}

const char *scan_rest(const struct scan *s, struct arena *a)
{
	struct scan rest = *s;

	scan_skip(&rest);
	while (rest.end > rest.p && is_space(rest.end[-1]))
		rest.end--;
	return arena_strndup(a, rest.p, (size_t)(rest.end - rest.p));
}

const char *scan_find(const struct scan *s, const char *text)
{
	return memmem(s->p, (size_t)(s->end - s->p), text, strlen(text));
}

const char *scan_find_last(const struct scan *s, const char *text)
{
	const char *found = NULL, *next = s->p;

	while ((next = memmem(next, (size_t)(s->end - next), text, strlen(text)))) {
		found = next;
		next++;
	}
	return found;
}

int scan_lines(const char *text, size_t n, line_fn line, const char *example,
	struct tool_output *out, struct error *err)
{
	struct scan all = { text, text + n }, l, before = { text, text };

	for (; scan_line(&all, &l); before = l)
		line(out, l, before);
	if (out->n == 0)
		return error_set(err, E_BAD_REQUEST, "there is no line such as '%s'", example);
	return OK;
}

int average_check(
	const char *adapter, enum average average, unsigned allowed, struct error *err)
{
	static const char *const names[] = { "none", "mean", "median" };

	if (allowed & 1u << average)
		return OK;
	return error_set(
		err, E_BAD_REQUEST, "%s offers no average '%s'", adapter, names[average]);
}
