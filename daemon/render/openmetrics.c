/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Comparisons and reports as OpenMetrics 1.0 gauges. */
#include "daemon/render/internal.h"

#include <math.h>

static void label(struct buf *out, const char *name, const char *value, bool first)
{
	buf_printf(out, "%s%s=\"", first ? "" : ",", name);
	openmetrics_escape(out, value);
	buf_add_char(out, '"');
}

static void sample(struct buf *out, const char *family, const char *benchmark,
	const char *measure, const char *units, double v)
{
	char number[32];

	if (!isfinite(v))
		return;
	buf_printf(out, "%s{", family);
	label(out, "benchmark", benchmark, true);
	label(out, "measure", measure, false);
	if (units)
		label(out, "units", units, false);
	buf_printf(out, "} %s\n", json_number(v, number));
}

static void family(struct buf *out, const char *name, const char *help)
{
	buf_printf(out, "# TYPE %s gauge\n# HELP %s %s\n", name, name, help);
}

static void compare_family(const json_t *rows, const char *name, const char *help,
	const char *path, double add, struct buf *out)
{
	size_t i;
	json_t *row;

	family(out, name, help);
	json_array_foreach (rows, i, row)
		sample(out, name, doc_str(row, "benchmark"), doc_str(row, "measure"), NULL,
			doc_num(row, path) + add);
}

void compare_openmetrics(const json_t *doc, struct arena *a, struct buf *out)
{
	const json_t *rows = doc_at(doc, "rows");

	compare_family(rows, "benchd_compare_ratio", "Head divided by base.", "effect", 1, out);
	compare_family(rows, "benchd_compare_ratio_low", "Lower end of the interval.",
		"interval.0", 1, out);
	compare_family(rows, "benchd_compare_ratio_high", "Upper end of the interval.",
		"interval.1", 1, out);
	compare_family(rows, "benchd_compare_head", "Value of head.", "head", 0, out);
	compare_family(rows, "benchd_compare_base", "Value of base.", "base", 0, out);
	buf_add_str(out, "# EOF\n");
}

static void report_family(const json_t *rows, const char *name, const char *help,
	const char *path, struct buf *out)
{
	size_t i;
	json_t *row;

	family(out, name, help);
	json_array_foreach (rows, i, row)
		sample(out, name, doc_str(row, "benchmark.name"), doc_str(row, "measure.name"),
			doc_str(row, "measure.units"), doc_num(row, path));
}

void report_openmetrics(const json_t *doc, struct arena *a, struct buf *out)
{
	const json_t *rows = report_rows(doc, a);

	report_family(rows, "benchd_result", "Value of a benchmark and measure.",
		"metric.value", out);
	report_family(
		rows, "benchd_result_low", "Lower end of the interval.", "interval.low", out);
	report_family(
		rows, "benchd_result_high", "Upper end of the interval.", "interval.high", out);
	report_family(
		rows, "benchd_result_processes", "Processes measured.", "n_processes", out);
	buf_add_str(out, "# EOF\n");
}
