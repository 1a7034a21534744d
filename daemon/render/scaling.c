/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `scaling` of a report in text, Markdown and HTML: a table and two laws for each benchmark. */
#include "daemon/render/internal.h"

#include <math.h>
#include <string.h>

static const struct column columns[] = {
	{ "threads", NULL, "threads", CELL_INT, NULL },
	{ "median", NULL, "value", CELL_VALUE, "unit" },
	{ "speed-up", NULL, "speedup", CELL_NUMBER, NULL },
	{ "95 % interval", NULL, "speedup_interval", CELL_INTERVAL, "none" },
	{ "efficiency %", NULL, "percent", CELL_NUMBER, NULL },
	{ "work/thread", NULL, "work_per_worker", CELL_NUMBER, NULL },
	{ "Karp-Flatt", NULL, "karp_flatt", CELL_NUMBER, NULL },
	{ "n", NULL, "n_processes", CELL_INT, NULL },
	{ "remark", NULL, "remark", CELL_TEXT, NULL },
};

static const char *remark(const json_t *row)
{
	if (json_is_true(doc_at(row, "oversubscribed")))
		return "more threads than cpus";
	return json_is_true(doc_at(row, "superlinear")) ? "superlinear: caches?" : "";
}

/* Rows that know the unit and their remark (arena). */
static json_t *rows_of(const json_t *section, struct arena *a)
{
	json_t *rows = arena_own_json(a, json_array()), *row;
	size_t i;

	json_array_foreach (json_object_get(section, "threads"), i, row) {
		json_t *copy = json_copy(row);

		json_set_str(copy, "unit", doc_str(section, "unit"));
		json_set_str(copy, "remark", remark(row));
		json_set_real(copy, "percent", 100 * doc_num(row, "efficiency"));
		json_array_append_new(rows, copy);
	}
	return rows;
}

/* "3.2 % [1.1, 5.0]" of a fraction. */
static const char *fraction(
	const json_t *doc, const char *value, const char *interval, struct arena *a)
{
	const json_t *ci = doc_at(doc, interval);
	double v = doc_num(doc, value);

	if (!json_is_object(ci))
		return arena_printf(a, "%.3g %%", 100 * v);
	return arena_printf(a, "%.3g %% [%.3g, %.3g]", 100 * v, 100 * doc_num(ci, "low"),
		100 * doc_num(ci, "high"));
}

static const char *law_text(const json_t *section, struct arena *a)
{
	const json_t *law = doc_at(section, "law");
	double limit = doc_num(law, "limit");
	const char *part;

	if (!isfinite(doc_num(law, "serial_fraction")))
		return "";
	part = fraction(law, "serial_fraction", "interval", a);
	if (!strcmp(doc_str(law, "name"), "gustafson"))
		return arena_printf(a, "; Gustafson: %s serial", part);
	if (!isfinite(limit))
		return arena_printf(a, "; Amdahl: %s serial", part);
	return arena_printf(a, "; Amdahl: %s serial, at most %.3g times faster", part, limit);
}

static const char *usl_text(const json_t *section, struct arena *a)
{
	const json_t *usl = doc_at(section, "usl");
	double peak = doc_num(usl, "peak");
	const char *text;

	if (!json_is_object(usl))
		return "";
	text = arena_printf(a, "; USL: contention %s, coherence %s",
		fraction(usl, "sigma", "sigma_interval", a),
		fraction(usl, "kappa", "kappa_interval", a));
	return isfinite(peak) ? arena_printf(a, "%s, best at %.0f threads", text, peak) : text;
}

/* One sentence, not escaped (arena). */
static const char *sentence(const json_t *section, struct arena *a)
{
	double mean = doc_num(section, "mean_efficiency");
	int64_t drop = doc_int(section, "first_drop");

	if (*doc_str(section, "note"))
		return arena_printf(a, "no speed-up: %s", doc_str(section, "note"));
	if (!isfinite(mean))
		return "one number of threads has no speed-up";
	return arena_printf(a, "mean efficiency %.3g %% (%s)%s%s%s", 100 * mean,
		doc_str(section, "label"),
		drop ? arena_printf(a, ", drops at %lld threads", (long long)drop) : "",
		law_text(section, a), usl_text(section, a));
}

static const char *title(const json_t *section, struct arena *a)
{
	return arena_printf(
		a, "%s, %s scaling", doc_str(section, "benchmark"), doc_str(section, "kind"));
}

void scaling_text(const json_t *doc, struct arena *a, struct buf *out)
{
	const json_t *section;
	size_t i;

	json_array_foreach (doc_at(doc, "scaling"), i, section) {
		json_t *rows = rows_of(section, a);

		text_printf(out, "%s", title(section, a));
		buf_add_char(out, '\n');
		if (json_array_size(rows))
			table_render(rows, columns, ARRAY_SIZE(columns), F_TEXT, a, out);
		text_printf(out, "%s", sentence(section, a));
		buf_add_str(out, "\n\n");
	}
}

void scaling_markdown(const json_t *doc, struct arena *a, struct buf *out)
{
	const json_t *section;
	size_t i;

	json_array_foreach (doc_at(doc, "scaling"), i, section) {
		json_t *rows = rows_of(section, a);

		buf_add_str(out, "\n### Scaling of ");
		markdown_code(out, doc_str(section, "benchmark"));
		buf_printf(out, " (%s)\n\n",
			strcmp(doc_str(section, "kind"), "weak") ? "strong" : "weak");
		if (json_array_size(rows))
			table_render(rows, columns, ARRAY_SIZE(columns), F_MARKDOWN, a, out);
		buf_add_char(out, '\n');
		markdown_escape(out, sentence(section, a));
		buf_add_char(out, '\n');
	}
}

void scaling_html(const json_t *doc, struct arena *a, struct buf *out)
{
	const json_t *section;
	size_t i;

	if (doc_len(doc, "scaling"))
		buf_add_str(out, "<h2>Scaling</h2>\n");
	json_array_foreach (doc_at(doc, "scaling"), i, section) {
		json_t *rows = rows_of(section, a);

		buf_add_str(out, "<h3>");
		html_escape(out, title(section, a));
		buf_add_str(out, "</h3>\n");
		if (json_array_size(rows)) {
			scaling_svg(section, a, out);
			table_region(
				rows, columns, ARRAY_SIZE(columns), title(section, a), a, out);
		}
		buf_add_str(out, "<p>");
		html_escape(out, sentence(section, a));
		buf_add_str(out, "</p>\n");
	}
}
