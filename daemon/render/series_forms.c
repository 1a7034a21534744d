/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One history as text, CSV and a line of SVG; alerts as an Atom feed. */
#include "daemon/render/internal.h"

#include <math.h>
#include <string.h>

static const struct column point_columns[] = {
	{ "version", "version", "version", CELL_INT, NULL },
	{ "commit", "hash", "hash", CELL_HASH, NULL },
	{ "time", "time", "time", CELL_TIME, NULL },
	{ "value", "value", "value", CELL_VALUE, "units" },
	{ NULL, "lower", "lower", CELL_NUMBER, NULL },
	{ NULL, "upper", "upper", CELL_NUMBER, NULL },
	{ "n", "n_processes", "n_processes", CELL_INT, NULL },
	{ NULL, "report", "report", CELL_TEXT, NULL },
	{ "flags", "flags", "flags", CELL_WORDS, NULL },
	{ "change", NULL, "change.effect", CELL_CHANGE, "change.interval" },
	{ "", "outcome", "change.outcome", CELL_OUTCOME, NULL },
	{ "subject", "subject", "subject", CELL_TEXT, NULL },
	{ NULL, "author", "author", CELL_TEXT, NULL },
};

/* Points with the units of the series and the change that begins at them. */
static json_t *point_rows(const json_t *doc, struct arena *a)
{
	json_t *rows = arena_own_json(a, json_array()), *p, *c;
	const json_t *changes = doc_at(doc, "changes");
	size_t i, j;

	json_array_foreach (doc_at(doc, "points"), i, p) {
		json_t *row = json_copy(p);

		json_set_str(row, "units", doc_str(doc, "series.measure.units"));
		json_array_foreach (changes, j, c)
			if (doc_int(c, "version") == doc_int(p, "version"))
				json_object_set(row, "change", c);
		json_array_append_new(rows, row);
	}
	return rows;
}

static void beginnings_text(const json_t *doc, struct buf *out)
{
	const json_t *s;
	size_t i;

	json_array_foreach (doc_at(doc, "segments"), i, s)
		if (*doc_str(s, "text")) {
			text_printf(out, "note: %s", doc_str(s, "text"));
			buf_add_char(out, '\n');
		}
}

static void last_line(const json_t *doc, struct buf *out)
{
	size_t n = doc_len(doc, "points"), changes = doc_len(doc, "changes");
	const json_t *points = doc_at(doc, "points"),
		     *last = n ? json_array_get(points, n - 1) : NULL;
	char value[VALUE_TEXT];

	if (!n) {
		buf_add_str(out, "no points\n");
		return;
	}
	value_format(doc_num(last, "value"), doc_str(doc, "series.measure.units"), value);
	buf_printf(out, "%zu points, %zu change%s, last value %s\n", n, changes,
		changes == 1 ? "" : "s", value);
}

void series_text(const json_t *doc, struct arena *a, struct buf *out)
{
	json_t *rows = point_rows(doc, a);

	text_printf(out, "%s %s on %s, branch %s", doc_str(doc, "series.benchmark.name"),
		doc_str(doc, "series.measure.name"), doc_str(doc, "series.testbed.name"),
		doc_str(doc, "series.branch.name"));
	buf_add_str(out, "\n\n");
	if (json_array_size(rows)) {
		table_render(rows, point_columns, ARRAY_SIZE(point_columns), F_TEXT, a, out);
		buf_add_char(out, '\n');
	}
	beginnings_text(doc, out);
	last_line(doc, out);
}

void series_csv(const json_t *doc, struct arena *a, struct buf *out)
{
	table_render(
		point_rows(doc, a), point_columns, ARRAY_SIZE(point_columns), F_CSV, a, out);
}

static void element(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, "<%s>", name);
	html_escape(out, text);
	buf_printf(out, "</%s>", name);
}

/* tag: URIs (RFC 4151) stay the same while the state of an alert changes; `updated` moves. */
static void entry(const json_t *al, struct arena *a, struct buf *out)
{
	const json_t *ci = doc_at(al, "interval");
	char change[VALUE_TEXT];

	change_format(doc_num(al, "effect"), array_num(ci, 0), array_num(ci, 1), change);
	buf_add_str(out, "<entry>");
	element(out, "id", arena_printf(a, "tag:benchd,2026:alert:%s", doc_str(al, "uuid")));
	element(out, "updated", doc_str(al, "modified"));
	element(out, "title",
		arena_printf(a, "%s: %s %s %s", doc_str(al, "state"),
			doc_str(al, "benchmark.name"), doc_str(al, "measure.name"), change));
	element(out, "summary",
		arena_printf(a, "branch %s, testbed %s, commit %s", doc_str(al, "branch.name"),
			doc_str(al, "testbed.name"), doc_str(al, "hash")));
	buf_add_str(out, "</entry>\n");
}

void alerts_atom(const json_t *doc, struct arena *a, struct buf *out)
{
	const char *updated = "1970-01-01T00:00:00Z";
	size_t i;
	json_t *al;

	json_array_foreach (doc, i, al)
		if (strcmp(doc_str(al, "modified"), updated) > 0)
			updated = doc_str(al, "modified");
	buf_add_str(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
			 "<feed xmlns=\"http://www.w3.org/2005/Atom\">"
			 "<id>tag:benchd,2026:alerts</id><title>benchd alerts</title>"
			 "<author><name>benchd</name></author>");
	element(out, "updated", updated);
	buf_add_char(out, '\n');
	json_array_foreach (doc, i, al)
		entry(al, a, out);
	buf_add_str(out, "</feed>\n");
}
