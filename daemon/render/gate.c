/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A gate's verdict for people and for the step output of a CI. */
#include "daemon/render/internal.h"

#include <string.h>

static const struct column rule_columns[] = {
	{ "rule", "rule", "rule", CELL_TEXT, NULL },
	{ "outcome", "outcome", "outcome", CELL_TEXT, NULL },
	{ "reason", "reason", "reason", CELL_TEXT, NULL },
};

static const char *gate_verdict(const json_t *doc, struct arena *a)
{
	const char *outcome = doc_str(doc, "outcome");
	const json_t *rules = doc_at(doc, "rules"), *first = NULL;
	size_t i, n = 0;
	json_t *rule;

	json_array_foreach (rules, i, rule) {
		if (strcmp(doc_str(rule, "outcome"), outcome))
			continue;
		first = first ? first : rule;
		n++;
	}
	if (!strcmp(outcome, "pass"))
		return arena_printf(a, "pass: all of %zu rules", json_array_size(rules));
	if (!first)
		return arena_printf(a, "%s: %s", outcome, doc_str(doc, "reason"));
	return arena_printf(a, "%s: %zu of %zu rules; %s: %s", outcome, n,
		json_array_size(rules), doc_str(first, "rule"), doc_str(first, "reason"));
}

void gate_text(const json_t *doc, struct arena *a, struct buf *out)
{
	const json_t *rows = rows_worst_first(doc_at(doc, "rows"), a);

	if (json_array_size(rows)) {
		table_render(rows, compare_columns, n_compare_columns, F_TEXT, a, out);
		buf_add_char(out, '\n');
	}
	if (doc_len(doc, "rules")) {
		table_render(doc_at(doc, "rules"), rule_columns, ARRAY_SIZE(rule_columns),
			F_TEXT, a, out);
		buf_add_char(out, '\n');
	}
	text_escape(out, gate_verdict(doc, a));
	buf_add_char(out, '\n');
}

void gate_markdown(const json_t *doc, struct arena *a, struct buf *out)
{
	const json_t *rows = rows_worst_first(doc_at(doc, "rows"), a);
	const char *verdict = gate_verdict(doc, a);

	buf_add_str(out, "**");
	markdown_escape(out, doc_str(doc, "outcome"));
	buf_add_str(out, "**");
	markdown_escape(out, strchr(verdict, ':'));
	buf_add_str(out, "\n\n");
	table_render(doc_at(doc, "rules"), rule_columns, ARRAY_SIZE(rule_columns), F_MARKDOWN,
		a, out);
	if (!json_array_size(rows))
		return;
	buf_printf(out, "\n<details><summary>%zu measurements</summary>\n\n",
		json_array_size(rows));
	table_render(rows, compare_columns, n_compare_columns, F_MARKDOWN, a, out);
	buf_add_str(out, "\n</details>\n");
}
