/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables made of arrays of objects by a list of columns, in text, Markdown and CSV. */
#include "daemon/render/internal.h"

#include <math.h>
#include <string.h>

static const json_t *member(const json_t *o, const char *key)
{
	return json_is_array(o) ? json_array_get(o, (size_t)atoi(key))
				: json_object_get(o, key);
}

const json_t *doc_at(const json_t *doc, const char *path)
{
	char key[64];
	size_t n = strcspn(path, ".");

	while (doc && path[n]) {
		n = MIN(n, sizeof(key) - 1);
		memcpy(key, path, n);
		key[n] = 0;
		doc = member(doc, key);
		path += n + 1;
		n = strcspn(path, ".");
	}
	return doc ? member(doc, path) : NULL;
}

const char *doc_str(const json_t *doc, const char *path)
{
	const char *s = json_string_value(doc_at(doc, path));

	return s ? s : "";
}

double doc_num(const json_t *doc, const char *path)
{
	const json_t *v = doc_at(doc, path);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

int64_t doc_int(const json_t *doc, const char *path)
{
	const json_t *v = doc_at(doc, path);

	return json_is_number(v) ? (int64_t)json_number_value(v) : 0;
}

size_t doc_len(const json_t *doc, const char *path)
{
	return json_array_size(doc_at(doc, path));
}

double array_num(const json_t *list, size_t i)
{
	const json_t *v = json_array_get(list, i);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

const char *short_hash(const char *hash, char out[9])
{
	snprintf(out, 9, "%.8s", hash && *hash ? hash : "-");
	return out;
}

const char *short_time(const char *text, char out[32])
{
	snprintf(out, 32, "%.19s", text);
	if (strlen(out) == 19 && out[10] == 'T')
		out[10] = ' ';
	return out;
}

static const char *words(const json_t *list, struct arena *a)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	size_t i;
	json_t *w;

	json_array_foreach (list, i, w) {
		if (b.len)
			buf_add_char(&b, ' ');
		buf_add_str(&b, json_is_string(w) ? json_string_value(w) : doc_str(w, "slug"));
	}
	return arena_strdup(a, buf_str(&b));
}

static const char *change_cell(const json_t *row, const struct column *c, struct arena *a)
{
	const json_t *ci = c->units ? doc_at(row, c->units) : NULL;
	char text[VALUE_TEXT];
	double low = array_num(ci, 0), high = array_num(ci, 1);

	if (json_is_object(ci)) {
		low = doc_num(ci, "low");
		high = doc_num(ci, "high");
	}
	return arena_strdup(a, change_format(doc_num(row, c->path), low, high, text));
}

static const char *raw_cell(const json_t *v, struct arena *a)
{
	char text[32];

	if (json_is_string(v))
		return json_string_value(v);
	if (json_is_integer(v))
		return arena_printf(a, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	if (json_is_real(v))
		return arena_strdup(a, json_number(json_real_value(v), text));
	if (json_is_boolean(v))
		return json_is_true(v) ? "true" : "false";
	return json_is_array(v) ? words(v, a) : "";
}

/* An undecided row says why. */
static const char *outcome_cell(const json_t *row, const char *outcome, struct arena *a)
{
	const char *reason = doc_str(row, "reason");

	if (!row_decides(row))
		return arena_printf(a, "(%s)", outcome);
	if (!strcmp(outcome, "unknown") && *reason)
		return arena_printf(a, "%s: %s", outcome_mark(outcome), reason);
	return outcome_mark(outcome);
}

const char *cell_format(
	const json_t *row, const struct column *c, enum format f, struct arena *a)
{
	const json_t *v = doc_at(row, c->path);
	char text[VALUE_TEXT];

	if (f == F_CSV || !v || json_is_null(v))
		return raw_cell(v, a);
	switch (c->kind) {
	case CELL_PLACE:
		return doc_int(row, c->path) ? raw_cell(v, a) : "";
	case CELL_HASH:
		return arena_strdup(a, short_hash(doc_str(row, c->path), text));
	case CELL_TIME:
		return arena_strdup(a, short_time(doc_str(row, c->path), text));
	case CELL_VALUE:
		return arena_strdup(
			a, value_format(doc_num(row, c->path), doc_str(row, c->units), text));
	case CELL_CHANGE:
		return change_cell(row, c, a);
	case CELL_PERCENT:
		return share_in_words(doc_num(row, c->path), a);
	case CELL_NUMBER:
		return arena_printf(a, "%.3g", doc_num(row, c->path));
	case CELL_INTERVAL:
		return arena_strdup(a, interval_format(doc_num(v, "low"), doc_num(v, "high"),
					       doc_str(row, c->units), text));
	case CELL_DURATION:
		return arena_strdup(a, value_format(doc_num(row, c->path), "ns", text));
	case CELL_PAIR:
		return arena_printf(a, "%lld/%lld", (long long)doc_int(row, c->path),
			(long long)doc_int(row, c->units));
	case CELL_OUTCOME:
		return outcome_cell(row, doc_str(row, c->path), a);
	default:
		return raw_cell(v, a);
	}
}

static bool is_right(enum cell_kind kind)
{
	return kind == CELL_INT || kind == CELL_PLACE || kind == CELL_INTERVAL ||
	       kind == CELL_VALUE || kind == CELL_CHANGE || kind == CELL_PERCENT ||
	       kind == CELL_NUMBER || kind == CELL_DURATION || kind == CELL_PAIR;
}

static size_t shown_columns(
	const struct column *columns, size_t n, enum format f, const struct column **ret)
{
	size_t m = 0;

	for (size_t i = 0; i < n; i++)
		if (f == F_CSV ? columns[i].name != NULL : columns[i].title != NULL)
			ret[m++] = &columns[i];
	return m;
}

static void markdown_head(const struct column *const *shown, size_t m, struct buf *out)
{
	for (size_t i = 0; i < m; i++)
		buf_printf(out, "| %s ", shown[i]->title);
	buf_add_str(out, "|\n");
	for (size_t i = 0; i < m; i++)
		buf_add_str(out, is_right(shown[i]->kind) ? "| ---: " : "| --- ");
	buf_add_str(out, "|\n");
}

static void markdown_row(const json_t *row, const struct column *const *shown, size_t m,
	struct arena *a, struct buf *out)
{
	for (size_t i = 0; i < m; i++) {
		const char *text = cell_format(row, shown[i], F_MARKDOWN, a);

		const char *page = shown[i]->kind == CELL_CODE ? doc_str(row, "page") : "";

		buf_add_str(out, *page ? "| [" : "| ");
		if (shown[i]->kind == CELL_CODE || shown[i]->kind == CELL_HASH)
			markdown_code(out, text);
		else
			markdown_escape(out, text);
		if (*page)
			buf_printf(out, "](%s)", page); /* percent-encoded by whoever made it */
		buf_add_char(out, ' ');
	}
	buf_add_str(out, "|\n");
}

/* A row that has a page is entered through its code cell. */
static void html_text(
	const json_t *row, const struct column *c, const char *text, struct buf *out)
{
	const char *page = c->kind == CELL_CODE ? doc_str(row, "page") : "";

	if (*page) {
		buf_add_str(out, "<a href=\"");
		html_escape(out, page);
		buf_add_str(out, "\">");
	}
	html_escape(out, text);
	if (*page)
		buf_add_str(out, "</a>");
}

static void html_cell(
	const json_t *row, const struct column *c, struct arena *a, struct buf *out)
{
	buf_add_str(out, "<td");
	if (is_right(c->kind)) {
		buf_add_str(out, " class=\"n\"");
	} else if (c->kind == CELL_TIME) {
		buf_add_str(out, " class=\"t\"");
	} else if (c->kind == CELL_OUTCOME && row_decides(row)) {
		buf_add_str(out, " class=\"");
		html_escape(out, doc_str(row, c->path));
		buf_add_str(out,
			json_is_true(json_object_get(row, "stands_out")) ? " out\"" : "\"");
	}
	buf_add_char(out, '>');
	html_text(row, c, cell_format(row, c, F_HTML, a), out);
	buf_add_str(out, "</td>");
}

static bool is_among(const char *title, const char *const *titles)
{
	for (; *titles; titles++)
		if (!strcmp(title, *titles))
			return true;
	return false;
}

/* What a narrow screen leaves out, so that change and outcome are seen without scrolling. */
static bool is_detail(const struct column *c)
{
	static const char *const titles[] = { "base", "head", "p", "n", "detectable", "noise",
		"95 % interval", "min", "max", "cv", NULL };

	return is_among(c->title, titles);
}

static void html_rows(const json_t *rows, const struct column *const *shown, size_t m,
	struct arena *a, struct buf *out)
{
	size_t r;
	json_t *row;

	buf_add_str(out, "<table class=\"");
	for (size_t i = 0; i < m; i++)
		if (is_detail(shown[i]))
			buf_printf(out, "h%zu ", i + 1);
	buf_add_str(out, "\"><thead><tr>");
	for (size_t i = 0; i < m; i++)
		buf_printf(out, "<th scope=\"col\"%s>%s</th>",
			is_right(shown[i]->kind) ? " class=\"n\"" : "", shown[i]->title);
	buf_add_str(out, "</tr></thead><tbody>\n");
	json_array_foreach (rows, r, row) {
		buf_add_str(out, "<tr>");
		for (size_t i = 0; i < m; i++)
			html_cell(row, shown[i], a, out);
		buf_add_str(out, "</tr>\n");
	}
	buf_add_str(out, "</tbody></table>\n");
}

static const char *cleaned(const char *s, struct arena *a)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };

	text_escape(&b, s);
	return arena_strdup(a, buf_str(&b));
}

static void text_rows(const json_t *rows, const struct column *const *shown, size_t m,
	enum format f, struct arena *a, struct buf *out)
{
	struct table *t = table_new(a, m);
	const char **cells = ARENA_ARRAY(a, const char *, m);
	size_t r;
	json_t *row;

	for (size_t i = 0; i < m; i++)
		table_head(t, i, f == F_CSV ? shown[i]->name : shown[i]->title,
			is_right(shown[i]->kind));
	json_array_foreach (rows, r, row) {
		for (size_t i = 0; i < m; i++)
			cells[i] = f == F_CSV ? cell_format(row, shown[i], f, a)
					      : cleaned(cell_format(row, shown[i], f, a), a);
		table_add(t, cells);
	}
	table_format(t, f == F_CSV ? TABLE_CSV : TABLE_TEXT, out);
}

/* What no row has takes no room: statistics of one value a benchmark, the base of jobs that
 * compare nothing, the place of jobs that have ended. Programs find every column. */
static size_t drop_empty(const json_t *rows, const struct column **shown, size_t n,
	enum format f, struct arena *a)
{
	static const char *const titles[] = { "95 % interval", "min", "max", "cv", "p",
		"detectable", "against", "phase", "pos", "waits because", NULL };
	size_t m = 0, r;
	json_t *row;

	for (size_t i = 0; i < n; i++) {
		bool is_kept = !is_among(shown[i]->title, titles);

		json_array_foreach (rows, r, row)
			is_kept = is_kept || *cell_format(row, shown[i], f, a);
		if (is_kept)
			shown[m++] = shown[i];
	}
	return m;
}

void table_render(const json_t *rows, const struct column *columns, size_t n, enum format f,
	struct arena *a, struct buf *out)
{
	const struct column **shown = ARENA_ARRAY(a, const struct column *, n);
	size_t m = shown_columns(columns, n, f, shown), r;
	json_t *row;

	if (f != F_CSV)
		m = drop_empty(rows, shown, m, f, a);
	if (f == F_HTML) {
		html_rows(rows, shown, m, a, out);
	} else if (f == F_MARKDOWN) {
		markdown_head(shown, m, out);
		json_array_foreach (rows, r, row)
			markdown_row(row, shown, m, a, out);
	} else {
		text_rows(rows, shown, m, f, a, out);
	}
}

const char *outcome_mark(const char *outcome)
{
	static const struct {
		const char *name, *mark;
	} marks[] = { { "slower", "▼ slower" }, { "faster", "▲ faster" }, { "same", "= same" },
		{ "unknown", "? unknown" }, { "none", "-" } };

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (!strcmp(outcome, marks[i].name))
			return marks[i].mark;
	return outcome;
}
