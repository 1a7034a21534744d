/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The raw samples of a report, asked for with ?samples=1: one row a sample for programs (CSV),
 * one row a process and measure for people. */
#include "daemon/render/internal.h"

#include <math.h>
#include <string.h>

enum { MOST_VALUES = 12 };

static const struct column sample_columns[] = {
	{ NULL, "benchmark", "benchmark", CELL_TEXT, NULL },
	{ NULL, "measure", "measure", CELL_TEXT, NULL },
	{ NULL, "unit", "unit", CELL_TEXT, NULL },
	{ NULL, "arm", "arm", CELL_TEXT, NULL },
	{ NULL, "process", "index", CELL_INT, NULL },
	{ NULL, "block", "block", CELL_INT, NULL },
	{ NULL, "order", "order", CELL_INT, NULL },
	{ NULL, "noise", "noise", CELL_TEXT, NULL },
	{ NULL, "replaced", "replaced", CELL_TEXT, NULL },
	{ NULL, "warmup", "warmup", CELL_TEXT, NULL },
	{ NULL, "sample", "sample", CELL_INT, NULL },
	{ NULL, "value", "value", CELL_NUMBER, NULL },
};

static const struct column process_columns[] = {
	{ "benchmark", NULL, "benchmark", CELL_CODE, NULL },
	{ "measure", NULL, "measure", CELL_TEXT, NULL },
	{ "process", NULL, "index", CELL_INT, NULL },
	{ "noise", NULL, "noise", CELL_TEXT, NULL },
	{ "value", NULL, "value", CELL_VALUE, "unit" },
	{ "samples", NULL, "n", CELL_INT, NULL },
	{ "each", NULL, "each", CELL_TEXT, NULL },
};

/* What every row knows of its process and measure. */
static json_t *row_of(const json_t *process, const json_t *result)
{
	static const char *const of_process[] = { "arm", "index", "block", "order", "noise",
		"replaced" };
	static const char *const of_result[] = { "benchmark", "measure", "unit", "value" };
	json_t *row = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(of_process); i++)
		json_object_set(row, of_process[i], json_object_get(process, of_process[i]));
	for (size_t i = 0; i < ARRAY_SIZE(of_result); i++)
		json_object_set(row, of_result[i], json_object_get(result, of_result[i]));
	return row;
}

static void add_samples(
	const json_t *process, const json_t *result, bool is_warmup, json_t *rows)
{
	const json_t *v;
	size_t i;

	json_array_foreach (doc_at(result, is_warmup ? "warmup" : "samples"), i, v) {
		json_t *row = row_of(process, result);

		json_set_bool(row, "warmup", is_warmup);
		json_set_int(row, "sample", (int64_t)i);
		json_object_set(row, "value", (json_t *)v);
		json_array_append_new(rows, row);
	}
}

static void add_process(
	const json_t *process, const json_t *result, struct arena *a, json_t *rows)
{
	const json_t *samples = doc_at(result, "samples");
	json_t *row = row_of(process, result);
	_cleanup_(buf_done)
	struct buf each = { 0 };
	char text[VALUE_TEXT];
	size_t n = json_array_size(samples);

	for (size_t i = 0; n > 1 && i < MIN(n, (size_t)MOST_VALUES); i++)
		buf_printf(&each, "%s%s", i ? ", " : "",
			value_format(array_num(samples, i), doc_str(result, "unit"), text));
	if (n > MOST_VALUES)
		buf_printf(&each, ", %zu more", n - MOST_VALUES);
	json_set_int(row, "n", (int64_t)n);
	json_set_str(row, "each", buf_str(&each));
	json_array_append_new(rows, row);
}

static json_t *rows_of(const json_t *doc, bool each_sample, struct arena *a)
{
	json_t *rows = arena_own_json(a, json_array());
	const json_t *process, *result;
	size_t i, k;

	json_array_foreach (doc_at(doc, "processes"), i, process) {
		json_array_foreach (doc_at(process, "results"), k, result) {
			if (each_sample) {
				add_samples(process, result, true, rows);
				add_samples(process, result, false, rows);
			} else {
				add_process(process, result, a, rows);
			}
		}
	}
	return rows;
}

bool samples_csv(const json_t *doc, struct arena *a, struct buf *out)
{
	if (!json_is_array(doc_at(doc, "processes")))
		return false;
	table_render(rows_of(doc, true, a), sample_columns, ARRAY_SIZE(sample_columns), F_CSV,
		a, out);
	return true;
}

void samples_render(const json_t *doc, enum format f, struct arena *a, struct buf *out)
{
	const json_t *rows = rows_of(doc, false, a);

	if (!json_array_size(rows))
		return;
	buf_add_str(out, f == F_MARKDOWN ? "\n<details><summary>Processes</summary>\n\n" : "");
	table_render(rows, process_columns, ARRAY_SIZE(process_columns), f, a, out);
	buf_add_str(out, f == F_MARKDOWN ? "\n</details>\n" : "\n");
}
