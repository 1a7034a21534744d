/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "client/analyze.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"

struct reader {
	struct arena *arena;
	const char *path, *column;
	struct values *values;
	size_t capacity;
	char **cells; /* of the line at hand */
	size_t cells_capacity;
	bool is_open; /* a quote of the line is not closed */
	bool any;     /* NaN and infinity are taken */
};

static const char *name_of(const struct reader *r)
{
	return strcmp(r->path, "-") ? r->path : "standard input";
}

static int add(struct reader *r, double v, struct error *err)
{
	struct values *to = r->values;

	if (to->n >= ANALYZE_MAX_VALUES)
		return error_set(err, E_TOO_LARGE, "%s has more than %d values", name_of(r),
			ANALYZE_MAX_VALUES);
	if (to->n >= r->capacity) {
		double *x;

		r->capacity = r->capacity ? 2 * r->capacity : 1024;
		x = ARENA_ARRAY(r->arena, double, r->capacity);
		if (to->n)
			memcpy(x, to->x, to->n * sizeof(*x));
		to->x = x;
	}
	to->x[to->n++] = v;
	return OK;
}

/* --- JSON --- */

static int read_array(struct reader *r, const json_t *list, struct error *err)
{
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v) {
		int e;

		if (json_is_object(v))
			v = json_object_get(v, r->column);
		if (!json_is_number(v) && !(r->any && json_is_null(v)))
			return error_set(err, E_UNPROCESSABLE,
				"%s: element %zu (counted from 0) is %s: only numbers, and "
				"objects with a number '%s', are taken",
				name_of(r), i, json_is_null(v) ? "null" : "not a number",
				r->column);
		e = add(r, json_is_null(v) ? NAN : json_number_value(v), err);
		if (e != OK)
			return e;
	}
	return OK;
}

static int read_json(struct reader *r, const char *text, size_t n, struct error *err)
{
	_cleanup_(json_decref)
	json_t *j = NULL;
	const json_t *list;
	int e = json_parse(text, n, &j, err);

	if (e != OK)
		return error_prefix(err, "%s: ", name_of(r));
	list = json_is_array(j) ? j : json_object_get(j, r->column);
	if (!list)
		list = json_object_get(json_array_get(json_object_get(j, "series"), 0), "raw");
	if (!json_is_array(list))
		return error_set(err, E_UNPROCESSABLE,
			"%s: neither an array of numbers nor an object with the array '%s'",
			name_of(r), r->column);
	return read_array(r, list, err);
}

/* --- text --- */

struct line {
	char *text;
	size_t number; /* from 1 */
};

static char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = 0;
	return s;
}

static bool parse_number(const char *s, bool any, double *ret)
{
	char *end;

	if (!*s || strpbrk(s, any ? "xX" : "xXpPnN")) /* no hexadecimal, nan or inf */
		return false;
	*ret = strtod(s, &end);
	return *end == 0 && (any || isfinite(*ret));
}

static void add_cell(struct reader *r, size_t n, char *cell)
{
	if (n >= r->cells_capacity) {
		char **cells;

		r->cells_capacity = r->cells_capacity ? 2 * r->cells_capacity : 16;
		cells = ARENA_ARRAY(r->arena, char *, r->cells_capacity);
		if (n)
			memcpy(cells, r->cells, n * sizeof(*cells));
		r->cells = cells;
	}
	r->cells[n] = trim(cell);
}

/* Cells of one line into r->cells, in place; quotes as in RFC 4180. Returns how many. */
static size_t split(struct reader *r, char *line, char separator)
{
	size_t n = 0;

	for (char *p = line;; p++) {
		char *out = p, *start = p, end;
		bool quoted = false;

		for (; *p && (quoted || *p != separator); p++)
			if (*p == '"' && quoted && p[1] == '"')
				*out++ = *p++;
			else if (*p == '"')
				quoted = !quoted;
			else
				*out++ = *p;
		end = *p;
		r->is_open |= quoted;
		*out = 0;
		add_cell(r, n++, start);
		if (!end)
			return n;
	}
}

static char separator_of(const char *line)
{
	return strchr(line, ',')    ? ','
	       : strchr(line, ';')  ? ';'
	       : strchr(line, '\t') ? '\t'
				    : 0;
}

/* A value, good or bad: "nan", "1e400" and "0x10" are no names of columns. */
static bool is_numeric(const char *s)
{
	char *end;

	strtod(s, &end);
	return *s && *end == 0;
}

/* The first line is one when it names the column, or when none of its cells is a number. */
static bool is_header(const struct reader *r, char **cells, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_numeric(r->column) && strcmp(cells[i], r->column) == 0)
			return true;
	for (size_t i = 0; i < n; i++)
		if (is_numeric(cells[i]))
			return false;
	return n > 0;
}

static int missing_column(
	struct reader *r, const struct line *l, char **cells, size_t n, struct error *err)
{
	struct buf names = { 0 };
	int e;

	for (size_t i = 0; i < n && i < 20; i++)
		buf_printf(&names, "%s'%.40s'", i ? ", " : "", cells[i]);
	e = error_set(err, E_UNPROCESSABLE,
		"%s: line %zu names no column '%s'; choose one with --column: %s", name_of(r),
		l->number, r->column, buf_str(&names));
	buf_done(&names);
	return e;
}

/* Which column to read, from the first line; *ret_is_header: that line holds no values. */
static int find_column(struct reader *r, const struct line *l, char **cells, size_t n,
	size_t *ret_column, bool *ret_is_header, struct error *err)
{
	char *end;
	unsigned long k = strtoul(r->column, &end, 10);

	*ret_column = 0;
	*ret_is_header = is_header(r, cells, n);
	for (size_t i = 0; *ret_is_header && i < n; i++)
		if (strcmp(cells[i], r->column) == 0) {
			*ret_column = i;
			return OK;
		}
	if (isdigit((unsigned char)r->column[0]) && *end == 0 && k >= 1 && k <= n) {
		*ret_column = k - 1;
		return OK;
	}
	if (n == 1 && !*ret_is_header)
		return OK;
	if (*ret_is_header)
		return n == 1 && strcmp(r->column, "value") == 0
			       ? OK
			       : missing_column(r, l, cells, n, err);
	return error_set(err, E_UNPROCESSABLE,
		"%s: line %zu has %zu columns and no header; choose one with --column 1..%zu",
		name_of(r), l->number, n, n);
}

static int read_cell(struct reader *r, const struct line *l, char **cells, size_t n,
	size_t column, struct error *err)
{
	double v;

	if (column >= n)
		return error_set(err, E_UNPROCESSABLE,
			"%s: line %zu has %zu columns: column %zu is missing", name_of(r),
			l->number, n, column + 1);
	if (!parse_number(cells[column], r->any, &v))
		return error_set(err, E_UNPROCESSABLE,
			"%s: line %zu, column %zu: '%.40s' is not a finite number", name_of(r),
			l->number, column + 1, cells[column]);
	return add(r, v, err);
}

static int read_text(struct reader *r, char *text, struct error *err)
{
	size_t column = 0, number = 0;
	bool is_first = true;
	char separator = 0;

	for (char *next = text; next;) {
		struct line l = { next, ++number };
		bool is_head = false;
		size_t n;
		int e = OK;

		next = strchr(next, '\n');
		if (next)
			*next++ = 0;
		l.text = trim(l.text);
		if (!*l.text || *l.text == '#')
			continue;
		separator = is_first ? separator_of(l.text) : separator;
		n = split(r, l.text, separator);
		if (r->is_open)
			return error_set(err, E_UNPROCESSABLE,
				"%s: line %zu opens a quote that it does not close", name_of(r),
				l.number);
		if (is_first)
			e = find_column(r, &l, r->cells, n, &column, &is_head, err);
		is_first = false;
		if (e == OK && !is_head)
			e = read_cell(r, &l, r->cells, n, column, err);
		if (e != OK)
			return e;
	}
	return OK;
}

/* --- both --- */

static int read_stdin(struct buf *b, struct error *err)
{
	for (;;) {
		ssize_t n;

		buf_reserve(b, 65536);
		n = read(STDIN_FILENO, b->data + b->len, 65536);
		if (n < 0)
			return error_errno(err, E_IO, "cannot read standard input");
		b->len += (size_t)n;
		b->data[b->len] = 0;
		if (b->len > ANALYZE_MAX_BYTES)
			return error_set(err, E_TOO_LARGE,
				"standard input is larger than %d bytes", ANALYZE_MAX_BYTES);
		if (n == 0)
			return OK;
	}
}

int history_read(struct arena *a, const char *path, const char *column, bool any,
	struct values *ret, struct error *err)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	struct reader r = { .arena = a,
		.path = path,
		.column = column ? column : "value",
		.values = ret,
		.any = any };
	const char *start;
	int e;

	*ret = (struct values){ 0 };
	e = strcmp(path, "-") ? file_read(path, ANALYZE_MAX_BYTES, &b, err)
			      : read_stdin(&b, err);
	if (e != OK)
		return e;
	if (b.len > 0 && memchr(b.data, 0, b.len))
		return error_set(err, E_UNPROCESSABLE, "%s is not text: it holds a zero byte",
			name_of(&r));
	start = buf_str(&b);
	if (strncmp(start, "\xef\xbb\xbf", 3) == 0)
		start += 3;
	start += strspn(start, " \t\r\n");
	return *start == '[' || *start == '{'
		       ? read_json(&r, start, strlen(start), err)
		       : read_text(&r,
				 b.len ? b.data + (start - buf_str(&b)) : arena_strdup(a, ""),
				 err);
}

int values_read(struct arena *a, const char *path, const char *column, struct values *ret,
	struct error *err)
{
	const struct reader r = { .path = path };
	int e = history_read(a, path, column, false, ret, err);

	if (e == OK && ret->n == 0)
		return error_set(err, E_UNPROCESSABLE, "%s holds no values", name_of(&r));
	return e;
}
