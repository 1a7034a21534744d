/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A comparison to paste into a pull request (Markdown) and as one HTML file. */
#include "daemon/render/internal.h"

#include <math.h>
#include <string.h>

enum { TOP_ROWS = 10 };

static void side_markdown(const json_t *side, struct buf *out)
{
	char hash[9];

	markdown_code(out, *doc_str(side, "what") ? doc_str(side, "what")
						  : short_hash(doc_str(side, "hash"), hash));
	if (*doc_str(side, "branch")) {
		buf_add_str(out, " (");
		markdown_code(out, doc_str(side, "branch"));
		buf_add_char(out, ')');
	}
}

/* What a reviewer needs first; the folded table has the rest. */
static const struct column top_columns[] = {
	{ "benchmark", NULL, "benchmark", CELL_CODE, NULL },
	{ "measure", NULL, "measure", CELL_TEXT, NULL },
	{ "base", NULL, "base", CELL_VALUE, "units" },
	{ "head", NULL, "head", CELL_VALUE, "units" },
	{ "change [95 % interval]", NULL, "effect", CELL_CHANGE, "interval" },
	{ "outcome", NULL, "outcome", CELL_OUTCOME, NULL },
};

/* Where the document says where its project's pages are, each row leads to its history. */
static void top_markdown(const json_t *doc, const json_t *top, struct arena *a, struct buf *out)
{
	json_t *linked = arena_own_json(a, json_deep_copy(top)), *row;
	const char *pages = doc_str(doc, "pages");
	size_t i;

	json_array_foreach (linked, i, row) {
		const char *const names[] = { doc_str(doc, "head.branch"),
			doc_str(doc, "head.testbed"), doc_str(row, "benchmark"),
			doc_str(row, "measure") };

		if (*pages)
			json_set_str(row, "page", history_page(pages, names, a));
	}
	table_render(linked, top_columns, ARRAY_SIZE(top_columns), F_MARKDOWN, a, out);
}

/* Never silence: how many did not change, and what change would have been seen. */
static void rest_markdown(const json_t *doc, struct arena *a, struct buf *out)
{
	const char *seen = detectable_text(doc_at(doc, "rows"), a);

	buf_printf(out, "%lld unchanged, %lld undecided%s%s.\n\n",
		(long long)doc_int(doc, "counts.same"),
		(long long)doc_int(doc, "counts.unknown"), *seen ? "; " : "", seen);
}

/* Everything but the folded table. */
static void head_markdown(
	const json_t *doc, const json_t *top, struct arena *a, struct buf *out)
{
	buf_printf(out, "**%s**", outcome_mark(doc_str(doc, "outcome")));
	markdown_escape(out, strchr(compare_verdict(doc, a), ':'));
	buf_add_str(out, "\n\n");
	side_markdown(doc_at(doc, "base"), out);
	buf_add_str(out, " → ");
	side_markdown(doc_at(doc, "head"), out);
	if (*doc_str(doc, "head.testbed")) {
		buf_add_str(out, " on ");
		markdown_code(out, doc_str(doc, "head.testbed"));
	}
	buf_add_str(out, "\n\n");
	if (json_array_size(top)) {
		top_markdown(doc, top, a, out);
		buf_add_char(out, '\n');
	}
	rest_markdown(doc, a, out);
	compare_remarks(doc, "- ", F_MARKDOWN, out);
}

/* The first n of the rows, folded; how many there are more is said. */
static void rows_markdown(const json_t *rows, size_t n, struct arena *a, struct buf *out)
{
	_cleanup_(json_decref)
	json_t *some = json_array();
	size_t all = json_array_size(rows);

	for (size_t i = 0; i < n; i++)
		json_array_append(some, json_array_get(rows, i));
	buf_printf(out, "\n<details><summary>%s %zu rows</summary>\n\n",
		n < all ? "The worst" : "All", n);
	table_render(some, compare_columns, n_compare_columns, F_MARKDOWN, a, out);
	if (n < all)
		buf_printf(out, "\n%zu left out.\n", all - n);
	buf_add_str(out, "\n</details>\n");
}

void compare_markdown(const json_t *doc, struct arena *a, struct buf *out)
{
	json_t *rows = rows_worst_first(doc_at(doc, "rows"), a);
	json_t *top = rows_significant(rows, TOP_ROWS, a);

	head_markdown(doc, top, a, out);
	if (json_array_size(rows))
		rows_markdown(rows, json_array_size(rows), a, out);
}

/* The greatest number of rows whose table has at most limit bytes. */
static size_t rows_that_fit(const json_t *rows, size_t limit, struct arena *a)
{
	size_t low = 0, high = json_array_size(rows);

	while (low < high) {
		_cleanup_(buf_done)
		struct buf b = { 0 };
		size_t middle = (low + high + 1) / 2;

		rows_markdown(rows, middle, a, &b);
		if (b.len <= limit)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

void render_comparison_comment(
	const json_t *doc, struct arena *a, size_t limit, struct buf *out)
{
	static const char cut[] = "\n(cut)\n";
	json_t *rows = rows_worst_first(doc_at(doc, "rows"), a);
	json_t *top = rows_significant(rows, TOP_ROWS, a);
	_cleanup_(buf_done)
	struct buf head = { 0 };
	size_t n;

	head_markdown(doc, top, a, &head);
	if (head.len > limit) {
		size_t keep = limit - sizeof(cut);

		while (keep && head.data[keep] != '\n')
			keep--;
		buf_add(out, head.data, keep);
		buf_add_str(out, cut);
		return;
	}
	buf_add(out, head.data, head.len);
	n = rows_that_fit(rows, limit - head.len, a);
	if (n >= MAX(json_array_size(top), (size_t)1))
		rows_markdown(rows, n, a, out);
	else if (json_array_size(rows) > json_array_size(top) && limit - head.len > 100)
		buf_printf(out, "\n%zu rows left out.\n",
			json_array_size(rows) - json_array_size(top));
}

const char *render_verdict(const json_t *comparison, struct arena *a)
{
	return compare_verdict(comparison, a);
}

static void side_html(const json_t *doc, const char *side, struct buf *out)
{
	const json_t *o = doc_at(doc, side);
	const char *project = doc_str(doc, "project.slug"), *report = doc_str(o, "report");
	char when[32];

	buf_printf(out, "<dt>%s</dt><dd><code>", side);
	html_escape(out, doc_str(o, "hash"));
	buf_add_str(out, "</code> ");
	html_escape(out, doc_str(o, "branch"));
	if (*doc_str(o, "testbed"))
		buf_add_str(out, " on ");
	html_escape(out, doc_str(o, "testbed"));
	buf_add_char(out, ' ');
	html_escape(out, short_time(doc_str(o, "created"), when));
	if (*doc_str(o, "what")) {
		buf_add_str(out, " <code>");
		html_escape(out, doc_str(o, "what"));
		buf_add_str(out, "</code>");
	}
	if (*project && *report) {
		buf_printf(out, " <a href=\"/projects/%s/reports/%s\">", project, report);
		buf_add_str(out, "report</a>");
	}
	buf_add_str(out, "</dd>\n");
}

void compare_body(const json_t *doc, struct arena *a, struct buf *out)
{
	json_t *rows = rows_worst_first(doc_at(doc, "rows"), a);

	buf_add_str(out, "<h1>Comparison</h1>\n<p class=\"verdict\"><strong>");
	html_escape(out, outcome_mark(doc_str(doc, "outcome")));
	buf_add_str(out, "</strong>");
	html_escape(out, strchr(compare_verdict(doc, a), ':'));
	buf_add_str(out, "</p>\n<dl>");
	side_html(doc, "base", out);
	side_html(doc, "head", out);
	buf_add_str(out, "</dl>\n");
	if (json_array_size(rows)) {
		buf_add_str(out, "<div class=\"forest\">");
		compare_svg(doc, a, out);
		buf_add_str(out, "</div>\n");
		table_region(rows, compare_columns, n_compare_columns, "Rows", a, out);
	}
	buf_add_str(out, "<pre>");
	compare_remarks(doc, "", F_HTML, out);
	buf_add_str(out, "</pre>");
}

void compare_html(const json_t *doc, struct arena *a, struct buf *out)
{
	page_begin(out, "Comparison");
	buf_add_str(out, "<main>");
	compare_body(doc, a, out);
	buf_add_str(out, "</main>\n");
	page_end(out);
}
