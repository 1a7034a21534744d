/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A report in text, Markdown, CSV and HTML: one row a benchmark and measure. */
#include "daemon/render/internal.h"

#include <math.h>
#include <string.h>

static const struct column columns[] = {
	{ "benchmark", "benchmark", "benchmark.name", CELL_CODE, NULL },
	{ "measure", "measure", "measure.name", CELL_TEXT, NULL },
	{ NULL, "units", "measure.units", CELL_TEXT, NULL },
	{ NULL, "iteration", "iteration", CELL_INT, NULL },
	{ "value", "value", "metric.value", CELL_VALUE, "measure.units" },
	{ "95 % interval", NULL, "interval", CELL_INTERVAL, "measure.units" },
	{ NULL, "low", "interval.low", CELL_NUMBER, NULL },
	{ NULL, "high", "interval.high", CELL_NUMBER, NULL },
	{ "min", "min", "statistics.min", CELL_VALUE, "measure.units" },
	{ "max", "max", "statistics.max", CELL_VALUE, "measure.units" },
	{ NULL, "q1", "statistics.q1", CELL_NUMBER, NULL },
	{ NULL, "q3", "statistics.q3", CELL_NUMBER, NULL },
	{ NULL, "mean", "statistics.mean", CELL_NUMBER, NULL },
	{ NULL, "stddev", "statistics.stddev", CELL_NUMBER, NULL },
	{ NULL, "mad", "statistics.mad", CELL_NUMBER, NULL },
	{ "cv", "cv", "statistics.cv", CELL_PERCENT, NULL },
	{ "n", "n_processes", "n_processes", CELL_INT, NULL },
	{ NULL, "n_samples", "n_samples", CELL_INT, NULL },
	{ "noise", "noise", "noise", CELL_TEXT, NULL },
	{ "vs history", "change", "change.effect", CELL_CHANGE, "change.interval" },
	{ NULL, "baseline", "change.baseline", CELL_NUMBER, NULL },
	{ NULL, "judged_by", "change.by", CELL_TEXT, NULL },
	{ "outcome", "outcome", "change.outcome", CELL_OUTCOME, NULL },
	{ NULL, "definition_hash", "definition_hash", CELL_TEXT, NULL },
	{ NULL, "program", "program", CELL_TEXT, NULL },
};

/* Flatten results[iteration][benchmark].measures[] to rows that know their benchmark. */
json_t *report_rows(const json_t *doc, struct arena *a)
{
	json_t *rows = arena_own_json(a, json_array()), *iteration, *benchmark, *entry;
	size_t i, b, m;

	json_array_foreach (doc_at(doc, "results"), i, iteration) {
		json_array_foreach (iteration, b, benchmark) {
			json_array_foreach (json_object_get(benchmark, "measures"), m, entry) {
				json_t *row = json_copy(entry);

				json_object_set(row, "benchmark",
					json_object_get(benchmark, "benchmark"));
				json_object_set(row, "iteration",
					json_object_get(benchmark, "iteration"));
				if (!json_object_get(row, "noise"))
					json_object_set(
						row, "noise", json_object_get(doc, "noise"));
				json_array_append_new(rows, row);
			}
		}
	}
	return rows;
}

static void add_those(json_t *to, const json_t *rows, const char *outcome, bool wanted)
{
	size_t i;
	json_t *row;

	json_array_foreach (rows, i, row) {
		const char *o = doc_str(row, "change.outcome");
		bool is_it = outcome ? !strcmp(o, outcome)
				     : !strcmp(o, "slower") || !strcmp(o, "faster");

		if (is_it == wanted)
			json_array_append(to, row);
	}
}

/* For a reader: slower, faster, then the others as they are. */
static json_t *rows_changed_first(const json_t *rows, struct arena *a)
{
	json_t *sorted = arena_own_json(a, json_array());

	add_those(sorted, rows, "slower", true);
	add_those(sorted, rows, "faster", true);
	add_those(sorted, rows, NULL, false);
	return sorted;
}

static size_t count_outcome(const json_t *rows, const char *outcome)
{
	size_t i, n = 0;
	json_t *row;

	json_array_foreach (rows, i, row)
		n += !strcmp(doc_str(row, "change.outcome"), outcome);
	return n;
}

static const char *verdict(const json_t *doc, const json_t *rows, struct arena *a)
{
	size_t n = json_array_size(rows), slower = count_outcome(rows, "slower");
	size_t faster = count_outcome(rows, "faster"), same = count_outcome(rows, "same");
	const char *noise = doc_str(doc, "noise");

	if (n == 0)
		return "nothing was measured";
	if (!strcmp(noise, "noisy"))
		return arena_printf(a,
			"unknown: %zu measured on a noisy host, nothing is concluded from it",
			n);
	if (json_is_true(doc_at(doc, "control.moved")))
		return doc_str(doc, "control.reason");
	if (slower)
		return arena_printf(a, "slower: %zu of %zu against their history", slower, n);
	if (faster)
		return arena_printf(a, "faster: %zu of %zu against their history", faster, n);
	if (same)
		return arena_printf(
			a, "same: no change against history in %zu of %zu", same, n);
	return arena_printf(a, "measured: %zu, no history to judge by yet", n);
}

/* Which rules applied, each once: "log_t, benchd's default: nothing is configured here". */
static const char *judged_by(const json_t *rows, struct arena *a)
{
	enum { SHOWN = 3 };
	const char *seen[SHOWN], *text = "";
	size_t i, n = 0;
	json_t *row;

	json_array_foreach (rows, i, row) {
		const char *by = doc_str(row, "change.by");
		size_t k = 0;

		while (k < n && strcmp(seen[k], by) != 0)
			k++;
		if (!*by || k < n)
			continue;
		if (n == SHOWN)
			return arena_printf(a, "%s; and others", text);
		seen[n++] = by;
		text = arena_printf(a, "%s%s%s", text, n > 1 ? "; " : "", by);
	}
	return text;
}

static void head_text(const json_t *doc, struct buf *out)
{
	char hash[9], when[32];

	text_printf(out, "report %s  branch %s %s  testbed %s  %s", doc_str(doc, "uuid"),
		doc_str(doc, "branch.name"),
		short_hash(doc_str(doc, "branch.head.version.hash"), hash),
		doc_str(doc, "testbed.name"), short_time(doc_str(doc, "start_time"), when));
	buf_add_str(out, "\n\n");
}

/* What the worker wants a reader of the numbers to know, a line each. */
static void notes_text(const json_t *doc, struct buf *out)
{
	const json_t *v;
	size_t i;

	json_array_foreach (doc_at(doc, "summary.notes"), i, v) {
		text_printf(out, "note: %s", json_string_value(v));
		buf_add_char(out, '\n');
	}
}

static void notes_markdown(const json_t *doc, struct buf *out)
{
	const json_t *v;
	size_t i;

	json_array_foreach (doc_at(doc, "summary.notes"), i, v) {
		buf_add_str(out, "\nNote: ");
		markdown_escape(out, json_string_value(v));
		buf_add_char(out, '\n');
	}
}

static void notes_html(const json_t *doc, struct buf *out)
{
	const json_t *v;
	size_t i;

	json_array_foreach (doc_at(doc, "summary.notes"), i, v) {
		buf_add_str(out, "<p>Note: ");
		html_escape(out, json_string_value(v));
		buf_add_str(out, "</p>\n");
	}
}

void report_text(const json_t *doc, struct arena *a, struct buf *out)
{
	json_t *rows = rows_changed_first(report_rows(doc, a), a);

	head_text(doc, out);
	if (json_array_size(rows)) {
		table_render(rows, columns, ARRAY_SIZE(columns), F_TEXT, a, out);
		buf_add_char(out, '\n');
	}
	samples_render(doc, F_TEXT, a, out);
	kernels_text(doc, a, out);
	scaling_text(doc, a, out);
	notes_text(doc, out);
	if (*judged_by(rows, a)) {
		text_printf(out, "judged by %s", judged_by(rows, a));
		buf_add_char(out, '\n');
	}
	buf_printf(out, "%s\n", verdict(doc, rows, a));
}

void report_markdown(const json_t *doc, struct arena *a, struct buf *out)
{
	json_t *rows = rows_changed_first(report_rows(doc, a), a);
	char hash[9];

	buf_add_str(out, "**");
	markdown_escape(out, verdict(doc, rows, a));
	buf_add_str(out, "**\n\nBranch ");
	markdown_code(out, doc_str(doc, "branch.name"));
	buf_add_char(out, ' ');
	markdown_code(out, short_hash(doc_str(doc, "branch.head.version.hash"), hash));
	buf_add_str(out, ", testbed ");
	markdown_code(out, doc_str(doc, "testbed.name"));
	buf_add_str(out, ", report ");
	markdown_code(out, doc_str(doc, "uuid"));
	buf_add_str(out, "\n\n");
	if (json_array_size(rows))
		table_render(rows, columns, ARRAY_SIZE(columns), F_MARKDOWN, a, out);
	if (*judged_by(rows, a)) {
		buf_add_str(out, "\nJudged by ");
		markdown_escape(out, judged_by(rows, a));
		buf_add_str(out, ".\n");
	}
	samples_render(doc, F_MARKDOWN, a, out);
	kernels_markdown(doc, a, out);
	scaling_markdown(doc, a, out);
	notes_markdown(doc, out);
}

void report_csv(const json_t *doc, struct arena *a, struct buf *out)
{
	if (!samples_csv(doc, a, out))
		table_render(report_rows(doc, a), columns, ARRAY_SIZE(columns), F_CSV, a, out);
}

/* Which build of it measured; "" where none did, or it was not told. */
static const char *short_program(const json_t *doc, struct arena *a)
{
	const json_t *programs = doc_at(doc, "summary.programs");

	return arena_printf(a, "%.12s", json_get_str(programs, "benchd-kernel", ""));
}

static void pair(struct buf *out, const char *term, const char *text)
{
	if (!*text)
		return;
	buf_printf(out, "<dt>%s</dt><dd>", term);
	html_escape(out, text);
	buf_add_str(out, "</dd>\n");
}

static void environment_html(const json_t *doc, struct buf *out)
{
	const json_t *identity = doc_at(doc, "environment.identity");
	char *text;

	if (!json_is_object(identity))
		return;
	text = json_dumps(identity, JSON_INDENT(2) | JSON_SORT_KEYS);
	buf_add_str(out, "<details><summary>Environment</summary><pre>");
	html_escape(out, text);
	buf_add_str(out, "</pre></details>\n");
	free(text);
}

void report_body(const json_t *doc, struct arena *a, struct buf *out)
{
	json_t *rows = rows_changed_first(report_rows(doc, a), a);

	buf_add_str(out, "<h1>Report</h1>\n<p class=\"verdict\">");
	html_escape(out, verdict(doc, rows, a));
	buf_add_str(out, "</p>\n<dl>");
	pair(out, "project", doc_str(doc, "project.name"));
	pair(out, "branch", doc_str(doc, "branch.name"));
	pair(out, "commit", doc_str(doc, "branch.head.version.hash"));
	pair(out, "testbed", doc_str(doc, "testbed.name"));
	pair(out, "started", doc_str(doc, "start_time"));
	pair(out, "ended", doc_str(doc, "end_time"));
	pair(out, "benchd-kernel", short_program(doc, a));
	pair(out, "noise", doc_str(doc, "noise"));
	pair(out, "judged by", judged_by(rows, a));
	pair(out, "report", doc_str(doc, "uuid"));
	buf_add_str(out, "</dl>\n");
	if (json_array_size(rows))
		table_region(rows, columns, ARRAY_SIZE(columns), "Results", a, out);
	kernels_html(doc, a, out);
	scaling_html(doc, a, out);
	notes_html(doc, out);
	environment_html(doc, out);
}

void report_html(const json_t *doc, struct arena *a, struct buf *out)
{
	page_begin(out, "Report");
	buf_add_str(out, "<main>");
	report_body(doc, a, out);
	buf_add_str(out, "</main>\n");
	page_end(out);
}
