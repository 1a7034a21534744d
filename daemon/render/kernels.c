/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Of built-in kernels: what was proven, and how near each came to its ceiling. */
#include "daemon/render/internal.h"

static const struct column columns[] = {
	{ "kernel", "kernel", "benchmark", CELL_CODE, NULL },
	{ "answer", "answer", "answer", CELL_TEXT, NULL },
	{ "of ceiling", "of_ceiling", "of_ceiling", CELL_PERCENT, NULL },
	{ "bound by", "bound_by", "bound", CELL_TEXT, NULL },
	{ "device", "device", "place", CELL_TEXT, NULL },
};

static const char title[] = "Answers and ceilings";

/* Words for what the document has as truth values. */
static json_t *rows_of(const json_t *doc, struct arena *a)
{
	json_t *rows = arena_own_json(a, json_array()), *k;
	size_t i;

	json_array_foreach (doc_at(doc, "kernels"), i, k) {
		json_t *row = json_copy(k);
		bool is_doubtful = json_get_bool(k, "ceiling_doubtful", false);

		json_set_str(row, "answer",
			json_get_bool(k, "verified", false) ? "verified" : "NOT verified");
		json_set_str(row, "bound",
			arena_printf(a, "%s%s", json_get_str(k, "bound_by", ""),
				is_doubtful ? ", ceiling doubtful" : ""));
		json_set_str(row, "place",
			arena_printf(a, "%s%s", json_get_str(k, "device", ""),
				json_get_bool(k, "software", false) ? " (software)" : ""));
		json_array_append_new(rows, row);
	}
	return rows;
}

void kernels_text(const json_t *doc, struct arena *a, struct buf *out)
{
	json_t *rows = rows_of(doc, a);

	if (json_array_size(rows) == 0)
		return;
	table_render(rows, columns, ARRAY_SIZE(columns), F_TEXT, a, out);
	buf_add_char(out, '\n');
}

void kernels_markdown(const json_t *doc, struct arena *a, struct buf *out)
{
	json_t *rows = rows_of(doc, a);

	if (json_array_size(rows) == 0)
		return;
	buf_printf(out, "\n### %s\n\n", title);
	table_render(rows, columns, ARRAY_SIZE(columns), F_MARKDOWN, a, out);
}

void kernels_html(const json_t *doc, struct arena *a, struct buf *out)
{
	json_t *rows = rows_of(doc, a);

	if (json_array_size(rows) == 0)
		return;
	buf_printf(out, "<h2>%s</h2>\n", title);
	table_region(rows, columns, ARRAY_SIZE(columns), title, a, out);
}
