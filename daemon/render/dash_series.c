/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One history: the chart, its changes, its points. */
#include "daemon/render/dash.h"

#include <math.h>
#include <string.h>

static void expected(const json_t *doc, double low, double high, struct buf *out)
{
	const char *units = doc_str(doc, "series.measure.units");
	char text[VALUE_TEXT];

	buf_add_str(out, "The next commit is expected ");
	if (isfinite(low) && isfinite(high)) {
		buf_add_str(out, "within ");
		html_escape(out, interval_format(low, high, units, text));
	} else {
		buf_add_str(out, isfinite(low) ? "at or above " : "at or below ");
		html_escape(out, value_format(isfinite(low) ? low : high, units, text));
	}
}

/* The limits on the next commit, of which rule they are, or why there are none. */
static void rule(const json_t *doc, struct buf *out)
{
	double low = doc_num(doc, "boundary.lower"), high = doc_num(doc, "boundary.upper"),
	       least = doc_num(doc, "boundary.detectable");
	char text[VALUE_TEXT];

	buf_add_str(out, "<p class=\"verdict\">");
	if (isfinite(low) || isfinite(high)) {
		expected(doc, low, high, out);
	} else {
		buf_add_str(out, "There are no limits on the next commit: ");
		dash_text(out, doc, "boundary.reason");
		least = NAN; /* without limits nothing is seen */
	}
	if (isfinite(least)) {
		buf_add_str(out, "; a change from ");
		html_escape(out, percent_format(least, text));
		buf_add_str(out, " on would be seen");
	}
	buf_add_str(out, ".</p>\n");
	if (*doc_str(doc, "boundary.by")) {
		buf_add_str(out, "<p>What applies here: ");
		dash_text(out, doc, "boundary.by");
		buf_add_str(out, ".</p>\n");
	}
}

/* The same benchmark by other measures, on other branches and testbeds; scripts add what puts
 * them into the chart. */
static void others(const json_t *doc, struct arena *a, struct buf *out)
{
	static const char *const titles[] = { "Measure", "Branch", "Testbed", "#Last",
		"#Commits", "Measured", NULL };
	const json_t *list = doc_at(doc, "others"), *s;
	size_t i;

	if (!json_array_size(list))
		return;
	buf_add_str(out, "<h2>Other histories of this benchmark</h2>\n");
	dash_head(out, "Other histories of this benchmark", titles);
	json_array_foreach (list, i, s) {
		buf_printf(out, "<tr data-series=\"%lld\">", (long long)doc_int(s, "id"));
		dash_link_cell(out, dash_series_url(doc, doc_int(s, "id"), a),
			doc_str(s, "measure.name"));
		buf_add_str(out, "<td>");
		dash_text(out, s, "branch.name");
		buf_add_str(out, "</td><td>");
		dash_text(out, s, "testbed.name");
		buf_add_str(out, "</td>");
		dash_value_cell(out, doc_num(s, "last_value"), doc_str(s, "measure.units"));
		buf_printf(out, "<td class=\"n\">%lld</td>", (long long)doc_int(s, "n_points"));
		dash_time_cell(out, s, "last_time");
		buf_add_str(out, "</tr>\n");
	}
	dash_table_end(out, 0, NULL);
}

static void changes(const json_t *doc, struct arena *a, struct buf *out)
{
	static const char *const titles[] = { "Verdict", "#Change", "#Before", "#After",
		"Commit", "Author", "Found", NULL };
	const char *units = doc_str(doc, "series.measure.units");
	const json_t *list = doc_at(doc, "changes"), *c;
	char text[VALUE_TEXT], when[32];
	size_t i;

	if (!json_array_size(list)) {
		buf_add_str(
			out, "<h2>Changes</h2><p>No change of the level was confirmed.</p>\n");
		return;
	}
	buf_add_str(out, "<h2>Changes</h2>\n");
	dash_head(out, "Confirmed changes", titles);
	json_array_foreach (list, i, c) {
		buf_printf(out, "<tr><td><span class=\"o %s\">", doc_str(c, "outcome"));
		html_escape(out, outcome_mark(doc_str(c, "outcome")));
		buf_add_str(out, "</span></td><td class=\"n\">");
		html_escape(out, change_format(doc_num(c, "effect"), doc_num(c, "interval.0"),
					 doc_num(c, "interval.1"), text));
		buf_add_str(out, "</td>");
		dash_value_cell(out, doc_num(c, "before"), units);
		dash_value_cell(out, doc_num(c, "after"), units);
		dash_commit_cell(out, doc, c, a);
		buf_add_str(out, "<td>");
		dash_text(out, c, "author");
		buf_add_str(out, "</td><td>");
		html_escape(out, short_time(doc_str(c, "created"), when));
		buf_add_str(out, "</td></tr>\n");
	}
	dash_table_end(out, 0, NULL);
}

/* The commit before, to compare with; NULL for the first. */
static const char *hash_before(const json_t *points, size_t i)
{
	const char *own = doc_str(json_array_get(points, i), "hash");

	while (i-- > 0) {
		const char *h = doc_str(json_array_get(points, i), "hash");

		if (*h && strcmp(h, own) != 0)
			return h;
	}
	return NULL;
}

static void compare_cell(
	const json_t *doc, const json_t *points, size_t i, struct arena *a, struct buf *out)
{
	const char *head = doc_str(json_array_get(points, i), "hash");
	const char *base = hash_before(points, i);
	const char *const query[] = { "base", base, "head", head, "branch",
		doc_str(doc, "series.branch.name"), "testbed",
		doc_str(doc, "series.testbed.name"), NULL };

	buf_add_str(out, "<td>");
	if (base && *head) {
		buf_add_str(out, "<a ");
		dash_href(out, arena_printf(a, "%s/compare", dash_base(doc, a)), query);
		buf_printf(out,
			" aria-label=\"compare %.8s with %.8s\">with the one before</a>", head,
			base);
	}
	buf_add_str(out, "</td>");
}

static void flags_cell(const json_t *p, struct buf *out)
{
	const json_t *f;
	size_t i;

	buf_add_str(out, "<td>");
	json_array_foreach (doc_at(p, "flags"), i, f) {
		if (i)
			buf_add_char(out, ' ');
		html_escape(out, json_string_value(f));
	}
	buf_add_str(out, "</td>");
}

static void point_row(
	const json_t *doc, const json_t *points, size_t i, struct arena *a, struct buf *out)
{
	const json_t *p = json_array_get(points, i);
	const char *units = doc_str(doc, "series.measure.units");
	char text[VALUE_TEXT], when[32];

	buf_add_str(out, "<tr>");
	dash_commit_cell(out, doc, p, a);
	buf_add_str(out, "<td>");
	dash_text(out, p, "author");
	buf_add_str(out, "</td>");
	dash_value_cell(out, doc_num(p, "value"), units);
	buf_add_str(out, "<td class=\"n\">");
	html_escape(
		out, interval_format(doc_num(p, "lower"), doc_num(p, "upper"), units, text));
	buf_printf(out, "</td><td class=\"n\">%lld</td>", (long long)doc_int(p, "n_processes"));
	flags_cell(p, out);
	dash_link_cell(out,
		arena_printf(a, "%s/reports/%s", dash_base(doc, a), doc_str(p, "report")),
		short_time(doc_str(p, "time"), when));
	compare_cell(doc, points, i, a, out);
	buf_add_str(out, "</tr>\n");
}

static void beginnings(const json_t *doc, struct buf *out)
{
	const json_t *s;
	size_t i;

	json_array_foreach (doc_at(doc, "segments"), i, s)
		if (*doc_str(s, "text")) {
			buf_add_str(out, "<p>Note: ");
			dash_text(out, s, "text");
			buf_add_str(out, "</p>\n");
		}
}

void dash_series(const json_t *doc, struct arena *a, struct buf *out)
{
	static const char *const titles[] = { "Commit", "Author", "#Value", "#95 % interval",
		"#Processes", "Remarks", "Report", "Compare", NULL };
	const json_t *points = doc_at(doc, "points");

	buf_add_str(out, "<h1>");
	dash_text(out, doc, "series.benchmark.name");
	buf_add_str(out, " <small>");
	dash_text(out, doc, "series.measure.name");
	buf_add_str(out, ", ");
	dash_text(out, doc, "series.branch.name");
	buf_add_str(out, " on ");
	dash_text(out, doc, "series.testbed.name");
	buf_add_str(out, "</small></h1>\n");
	rule(doc, out);
	buf_add_str(out, "<figure id=\"plot\" data-src=\"");
	dash_text(out, doc, "twin");
	buf_add_str(out, "\" data-compare=\"");
	html_escape(out, arena_printf(a, "%s/compare", dash_base(doc, a)));
	buf_add_str(out, "\">\n");
	dash_series_chart(doc, a, out);
	buf_add_str(out,
		"<figcaption>Commits from left to right. Dot: the value of a commit, the "
		"median "
		"of its processes; bar: its 95 % interval. Vertical line: a confirmed change. "
		"Shaded at the right: where the next commit is expected.</figcaption>"
		"</figure>\n");
	beginnings(doc, out);
	changes(doc, a, out);
	others(doc, a, out);
	buf_add_str(out, "<h2>Commits</h2>\n");
	dash_head(out, "Commits, newest first", titles);
	for (size_t i = json_array_size(points); i-- > 0;)
		point_row(doc, points, i, a, out);
	dash_table_end(out, 0, NULL);
}
