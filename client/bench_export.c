/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files that benchctl bench writes. JSON and CSV are hyperfine's, member for member; the
 * table of Markdown has medians, and ratios with their intervals. */
#include "client/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/fs.h"
#include "base/text.h"

static const char *const sorts[] = { "auto", "command", "mean-time", "median-time", NULL };

bool bench_sort_is_known(const char *word)
{
	for (size_t i = 0; sorts[i]; i++)
		if (!strcmp(sorts[i], word))
			return true;
	return false;
}

/* auto: what is looked at by time, what is exported as it was given. */
bool bench_sorts_by_time(const char *word, bool is_table)
{
	return !word || !strcmp(word, "auto") ? is_table : strcmp(word, "command") != 0;
}

static const struct bench_result *at(const struct bench_ranking *k, const char *sort, size_t i)
{
	return &k->of->items[bench_sorts_by_time(sort, false) ? k->order[i] : i];
}

static int write_text(struct client *c, const char *path, struct buf *b)
{
	struct error err = { 0 };

	return file_write(path, buf_str(b), b->len, 0644, &err) < 0 ? complain(c, &err)
								    : EXIT_OK;
}

static void write_json(const struct bench_ranking *k, const char *sort, struct buf *out)
{
	json_t *list = json_array(), *doc = json_pack("{so}", "results", list);
	char *text;

	for (size_t i = 0; i < k->of->n; i++)
		json_array_append(list, at(k, sort, i)->export);
	text = json_dumps(doc, JSON_INDENT(2));
	buf_printf(out, "%s\n", text);
	free(text);
	json_decref(doc);
}

/* --- CSV --- */

static const char *const csv_columns[] = { "command", "mean", "stddev", "median", "user",
	"system", "min", "max" };
enum { CSV_COLUMNS = ARRAY_SIZE(csv_columns), CSV_MAX = 32 };

/* Names of all parameters, behind the columns that each has. */
static size_t parameter_names(const struct bench_ranking *k, const char **names)
{
	size_t n = 0;

	for (size_t i = 0; i < k->of->n; i++) {
		const char *key;
		json_t *v;

		json_object_foreach (
			json_object_get(k->of->items[i].export, "parameters"), key, v) {
			size_t j = 0;

			while (j < n && strcmp(names[j], key) != 0)
				j++;
			if (j == n && n < CSV_MAX - CSV_COLUMNS)
				names[n++] = key;
		}
	}
	return n;
}

static const char *csv_cell(struct arena *a, const json_t *v)
{
	char number[32];

	return json_is_string(v)   ? json_string_value(v)
	       : json_is_number(v) ? arena_strdup(a, json_number(json_number_value(v), number))
				   : "";
}

void bench_csv(const struct bench_ranking *k, const char *sort, struct buf *out)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	const char *names[CSV_MAX], *cells[CSV_MAX];
	size_t n = parameter_names(k, names);
	struct table *t = table_new(a, CSV_COLUMNS + n);

	for (size_t i = 0; i < CSV_COLUMNS; i++)
		table_head(t, i, csv_columns[i], false);
	for (size_t i = 0; i < n; i++)
		table_head(
			t, CSV_COLUMNS + i, arena_printf(a, "parameter_%s", names[i]), false);
	for (size_t r = 0; r < k->of->n; r++) {
		const json_t *e = at(k, sort, r)->export;

		for (size_t i = 0; i < CSV_COLUMNS; i++)
			cells[i] = csv_cell(a, json_object_get(e, csv_columns[i]));
		for (size_t i = 0; i < n; i++)
			cells[CSV_COLUMNS + i] =
				json_get_str(json_object_get(e, "parameters"), names[i], "");
		table_add(t, cells);
	}
	table_format(t, TABLE_CSV, out);
}

/* --- Markdown --- */

/* One unit for all rows, that of the fastest. */
static double unit_of(const struct bench_ranking *k, const char **ret_name)
{
	static const char *const names[] = { "ns", "us", "ms", "s" };
	double ns = k->of->items[k->order[0]].median, unit = 1;
	size_t i = 0;

	for (; i + 1 < ARRAY_SIZE(names) && ns >= 1e3; i++, ns /= 1e3)
		unit *= 1e3;
	*ret_name = names[i];
	return unit;
}

static const char *relative(
	struct arena *a, const struct bench_ranking *k, const struct bench_result *r)
{
	size_t i = (size_t)(r - k->of->items);
	const struct bench_ratio *q = &k->ratios[i];

	if (i == k->reference)
		return "1.00";
	if (!isfinite(q->low) || !isfinite(q->high))
		return arena_printf(a, "%.2f", q->ratio);
	return arena_printf(a, "%.2f [%.2f, %.2f]", q->ratio, q->low, q->high);
}

static const char *code(struct arena *a, const char *text)
{
	struct buf b = { 0 };
	const char *out;

	buf_add_char(&b, '`');
	for (; *text; text++)
		if (*text == '|')
			buf_add_str(&b, "\\|");
		else
			buf_add_char(&b, *text == '\n' ? ' ' : *text);
	buf_add_char(&b, '`');
	out = arena_strdup(a, buf_str(&b));
	buf_done(&b);
	return out;
}

void bench_markdown(const struct bench_ranking *k, const char *sort, struct buf *out)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	const char *unit;
	double ns = unit_of(k, &unit);

	buf_printf(out,
		"| Command | Median [%s] | 95 %% interval | Min [%s] | Max [%s] | Relative |\n",
		unit, unit, unit);
	buf_add_str(out, "|:---|---:|---:|---:|---:|---:|\n");
	for (size_t i = 0; i < k->of->n; i++) {
		const struct bench_result *r = at(k, sort, i);
		double min = json_number_value(json_object_get(r->export, "min")) * 1e9;
		double max = json_number_value(json_object_get(r->export, "max")) * 1e9;

		buf_printf(out, "| %s | %.2f | ", code(a, r->text), r->median / ns);
		if (isfinite(r->low))
			buf_printf(out, "%.2f to %.2f", r->low / ns, r->high / ns);
		buf_printf(
			out, " | %.2f | %.2f | %s |\n", min / ns, max / ns, relative(a, k, r));
	}
}

int bench_export(struct client *c, const struct bench_ranking *k, const struct bench_files *f)
{
	const struct {
		const char *path;
		void (*write)(const struct bench_ranking *k, const char *sort, struct buf *out);
	} files[] = { { f->json, write_json }, { f->csv, bench_csv },
		{ f->markdown, bench_markdown } };
	int code = EXIT_OK;

	for (size_t i = 0; code == EXIT_OK && i < ARRAY_SIZE(files); i++) {
		_cleanup_(buf_done)
		struct buf b = { 0 };

		if (!files[i].path)
			continue;
		files[i].write(k, f->sort, &b);
		code = write_text(c, files[i].path, &b);
	}
	return code;
}
