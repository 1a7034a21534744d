/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/text.h"

#include <ctype.h>
#include <string.h>
#include "base/buf.h"

const char *slug_format(const char *name, char out[SLUG_TEXT])
{
	size_t n = 0;

	for (; *name && n < SLUG_MAX; name++) {
		unsigned char c = (unsigned char)*name;

		if (c < 128 && isalnum(c))
			out[n++] = (char)tolower(c);
		else if (n && out[n - 1] != '-')
			out[n++] = '-';
	}
	while (n && out[n - 1] == '-')
		n--;
	out[n] = 0;
	return out;
}

bool slug_is_valid(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > SLUG_MAX || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++) {
		bool word = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9');

		if (!word && (s[i] != '-' || s[i + 1] == '-'))
			return false;
	}
	return true;
}

bool git_hash_is_valid(const char *s)
{
	return strlen(s) == 40 && strspn(s, "0123456789abcdef") == 40;
}

bool ref_name_is_valid(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > 256 || s[0] == '-' || s[0] == '/' || s[n - 1] == '/' ||
		s[n - 1] == '.')
		return false;
	if (strstr(s, "..") || strstr(s, "//") || strstr(s, "@{") || !strcmp(s, "@"))
		return false;
	if (n >= 5 && !strcmp(s + n - 5, ".lock"))
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c <= 0x20 || c == 0x7f || strchr("~^:?*[\\", c))
			return false;
		if (c == '.' && (i == 0 || s[i - 1] == '/'))
			return false;
	}
	return utf8_is_valid(s, n);
}

bool utf8_is_valid(const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;

	for (size_t i = 0; i < n;) {
		unsigned char c = s[i++];
		int more = c < 0x80		   ? 0
			   : c >= 0xc2 && c < 0xe0 ? 1
			   : c >= 0xe0 && c < 0xf0 ? 2
			   : c >= 0xf0 && c < 0xf5 ? 3
						   : -1;

		if (more < 0 || i + (size_t)more > n)
			return false;
		if ((c == 0xe0 && s[i] < 0xa0) || (c == 0xed && s[i] > 0x9f) ||
			(c == 0xf0 && s[i] < 0x90) || (c == 0xf4 && s[i] > 0x8f))
			return false;
		for (; more; more--)
			if ((s[i++] & 0xc0) != 0x80)
				return false;
	}
	return true;
}

bool glob_match(const char *p, const char *s)
{
	const char *star = NULL, *mark = NULL;

	while (*s) {
		if (*p == '*') {
			star = p++;
			mark = s;
		} else if (*p == '?' || *p == *s) {
			p++;
			s++;
		} else if (star) {
			p = star + 1;
			s = ++mark;
		} else {
			return false;
		}
	}
	while (*p == '*')
		p++;
	return !*p;
}

struct row {
	struct row *next;
	const char **cells;
};

struct table {
	struct arena *arena;
	size_t n;
	const char **titles;
	bool *right;
	struct row *first, **last;
};

struct table *table_new(struct arena *a, size_t n)
{
	struct table *t = ARENA_NEW(a, struct table);

	t->arena = a;
	t->n = n;
	t->titles = ARENA_ARRAY(a, const char *, n);
	t->right = ARENA_ARRAY(a, bool, n);
	t->last = &t->first;
	return t;
}

void table_head(struct table *t, size_t column, const char *title, bool right)
{
	t->titles[column] = arena_strdup(t->arena, title);
	t->right[column] = right;
}

void table_add(struct table *t, const char *const *cells)
{
	struct row *r = ARENA_NEW(t->arena, struct row);

	r->cells = ARENA_ARRAY(t->arena, const char *, t->n);
	for (size_t i = 0; i < t->n; i++)
		r->cells[i] = arena_strdup(t->arena, cells[i] ? cells[i] : "");
	*t->last = r;
	t->last = &r->next;
}

static size_t width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void pad(struct buf *out, size_t n)
{
	while (n--)
		buf_add_char(out, ' ');
}

static void text_row(
	const struct table *t, const char **cells, const size_t *widths, struct buf *out)
{
	size_t last = t->n;

	while (last && !*cells[last - 1])
		last--;
	for (size_t i = 0; i < last; i++) {
		size_t gap = widths[i] - width(cells[i]);

		if (i)
			buf_add_str(out, "  ");
		if (t->right[i])
			pad(out, gap);
		for (const char *s = cells[i]; *s; s++)
			buf_add_char(out, (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
		if (!t->right[i] && i + 1 < last)
			pad(out, gap);
	}
	buf_add_char(out, '\n');
}

static void markdown_row(const struct table *t, const char **cells, struct buf *out)
{
	buf_add_char(out, '|');
	for (size_t i = 0; i < t->n; i++) {
		buf_add_char(out, ' ');
		for (const char *s = cells[i]; *s; s++) {
			if (strchr("|\\`*_<>[]", *s))
				buf_add_char(out, '\\');
			buf_add_char(out, (unsigned char)*s < 0x20 ? ' ' : *s);
		}
		buf_add_str(out, " |");
	}
	buf_add_char(out, '\n');
}

static void csv_row(const struct table *t, const char **cells, struct buf *out)
{
	for (size_t i = 0; i < t->n; i++) {
		const char *s = cells[i];
		char *end;
		bool formula = *s && strchr("=+-@", *s) && (strtod(s, &end), *end || end == s);

		if (i)
			buf_add_char(out, ',');
		if (!formula && !strpbrk(s, ",\"\r\n")) {
			buf_add_str(out, s);
			continue;
		}
		buf_add_char(out, '"');
		if (formula)
			buf_add_char(out, '\'');
		for (; *s; s++) {
			if (*s == '"')
				buf_add_char(out, '"');
			buf_add_char(out, *s);
		}
		buf_add_char(out, '"');
	}
	buf_add_str(out, "\r\n");
}

static void text_table(const struct table *t, struct buf *out)
{
	size_t *widths = ARENA_ARRAY(t->arena, size_t, t->n);

	for (size_t i = 0; i < t->n; i++) {
		widths[i] = width(t->titles[i]);
		for (struct row *r = t->first; r; r = r->next)
			widths[i] = MAX(widths[i], width(r->cells[i]));
	}
	text_row(t, t->titles, widths, out);
	for (struct row *r = t->first; r; r = r->next)
		text_row(t, r->cells, widths, out);
}

void table_format(const struct table *t, enum table_style style, struct buf *out)
{
	for (size_t i = 0; i < t->n; i++)
		if (!t->titles[i])
			t->titles[i] = "";
	if (style == TABLE_TEXT) {
		text_table(t, out);
		return;
	}
	if (style == TABLE_CSV) {
		csv_row(t, t->titles, out);
		for (struct row *r = t->first; r; r = r->next)
			csv_row(t, r->cells, out);
		return;
	}
	markdown_row(t, t->titles, out);
	buf_add_char(out, '|');
	for (size_t i = 0; i < t->n; i++)
		buf_add_str(out, t->right[i] ? " ---: |" : " --- |");
	buf_add_char(out, '\n');
	for (struct row *r = t->first; r; r = r->next)
		markdown_row(t, r->cells, out);
}
