/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A comparison to paste into a pull request (Markdown) and as one HTML file. */
#include "daemon/render/internal.h"

#include <math.h>
#include <string.h>

enum { TOP_ROWS = 10 };

static void side_markdown(const json_t *side, struct buf *out)
{
	char hash[9];

	markdown_code(out, short_hash(doc_str(side, "hash"), hash));
	if (*doc_str(side, "branch")) {
		buf_add_str(out, " (");
		markdown_code(out, doc_str(side, "branch"));
		buf_add_char(out, ')');
	}
}

/* Never silence: how many did not change, and what change would have been seen. */
static void rest_markdown(const json_t *doc, struct arena *a, struct buf *out)
{
	const char *seen = detectable_text(doc_at(doc, "rows"), a);

	buf_printf(out, "%lld unchanged, %lld undecided%s%s.\n\n",
		(long long)doc_int(doc, "counts.same"),
		(long long)doc_int(doc, "counts.unknown"), *seen ? "; " : "", seen);
}

void compare_markdown(const json_t *doc, struct arena *a, struct buf *out)
{
	json_t *rows = rows_worst_first(doc_at(doc, "rows"), a);
	json_t *top = rows_significant(rows, TOP_ROWS, a);

	buf_printf(out, "**%s**", outcome_mark(doc_str(doc, "outcome")));
	markdown_escape(out, strchr(compare_verdict(doc, a), ':'));
	buf_add_str(out, "\n\n");
	side_markdown(doc_at(doc, "base"), out);
	buf_add_str(out, " → ");
	side_markdown(doc_at(doc, "head"), out);
	buf_add_str(out, "\n\n");
	if (json_array_size(top)) {
		table_render(top, compare_columns, n_compare_columns, F_MARKDOWN, a, out);
		buf_add_char(out, '\n');
	}
	rest_markdown(doc, a, out);
	compare_remarks(doc, "- ", F_MARKDOWN, out);
	if (json_array_size(rows) <= json_array_size(top))
		return;
	buf_printf(
		out, "\n<details><summary>All %zu rows</summary>\n\n", json_array_size(rows));
	table_render(rows, compare_columns, n_compare_columns, F_MARKDOWN, a, out);
	buf_add_str(out, "\n</details>\n");
}

static void side_html(const json_t *doc, const char *side, struct buf *out)
{
	const json_t *o = doc_at(doc, side);

	buf_printf(out, "<dt>%s</dt><dd><code>", side);
	html_escape(out, doc_str(o, "hash"));
	buf_add_str(out, "</code> ");
	html_escape(out, doc_str(o, "branch"));
	buf_add_char(out, ' ');
	html_escape(out, doc_str(o, "created"));
	buf_add_str(out, "</dd>\n");
}

void compare_html(const json_t *doc, struct arena *a, struct buf *out)
{
	json_t *rows = rows_worst_first(doc_at(doc, "rows"), a);

	page_begin(out, "Comparison");
	buf_add_str(out, "<main><h1>Comparison</h1>\n<p class=\"verdict\"><strong>");
	html_escape(out, outcome_mark(doc_str(doc, "outcome")));
	buf_add_str(out, "</strong>");
	html_escape(out, strchr(compare_verdict(doc, a), ':'));
	buf_add_str(out, "</p>\n<dl>");
	side_html(doc, "base", out);
	side_html(doc, "head", out);
	buf_add_str(out, "</dl>\n");
	if (json_array_size(rows)) {
		compare_svg(doc, a, out);
		table_render(rows, compare_columns, n_compare_columns, F_HTML, a, out);
	}
	buf_add_str(out, "<pre>");
	compare_remarks(doc, "", F_HTML, out);
	buf_add_str(out, "</pre></main>\n");
	page_end(out);
}
