/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small charts as SVG: presentation attributes only (a strict content security policy forbids
 * style attributes), each with a title and a description in words. */
#include "daemon/render/internal.h"

#include <math.h>
#include <string.h>

enum { ROW = 22, LABEL = 300, PLOT = 360, VALUES = 200, MAX_ROWS = 200 };

/* Blue and orange: told apart by people who do not see red and green. */
static const char *colour(const char *outcome)
{
	if (!strcmp(outcome, "slower"))
		return "#d55e00";
	if (!strcmp(outcome, "faster"))
		return "#0072b2";
	return "#777777";
}

static void svg_begin(
	struct buf *out, int width, int height, const char *title, const char *description)
{
	buf_printf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\" role=\"img\" font-family=\"sans-serif\" "
		"font-size=\"12\">\n<title>",
		width, height, width, height);
	html_escape(out, title);
	buf_add_str(out, "</title><desc>");
	html_escape(out, description);
	buf_add_str(out, "</desc>\n");
}

static void text(struct buf *out, double x, double y, const char *anchor, const char *s)
{
	buf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"currentColor\">",
		x, y, anchor);
	html_escape(out, s);
	buf_add_str(out, "</text>\n");
}

static void line(struct buf *out, double x1, double y1, double x2, double y2,
	const char *stroke, double width)
{
	buf_printf(out,
		"<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
		"stroke-width=\"%.1f\"/>\n",
		x1, y1, x2, y2, stroke, width);
}

/* Largest distance from zero of any interval: the axis is symmetric, so nothing is exaggerated
 * to one side. */
static double reach(const json_t *rows)
{
	double most = 0.01;
	size_t i;
	json_t *row;

	json_array_foreach (rows, i, row) {
		const double v[] = { doc_num(row, "effect"), doc_num(row, "interval.0"),
			doc_num(row, "interval.1") };

		for (size_t k = 0; k < ARRAY_SIZE(v); k++)
			if (isfinite(v[k]))
				most = fmax(most, fabs(v[k]));
	}
	return most;
}

static double at(double effect, double most)
{
	return LABEL + PLOT / 2.0 * (1 + fmax(-1, fmin(1, effect / most)));
}

static void forest_row(
	const json_t *row, double y, double most, struct arena *a, struct buf *out)
{
	double e = doc_num(row, "effect"), low = doc_num(row, "interval.0"),
	       high = doc_num(row, "interval.1");
	const char *fill = colour(doc_str(row, "outcome"));
	char change[VALUE_TEXT];

	text(out, LABEL - 10, y + 4, "end",
		arena_printf(
			a, "%.40s %.20s", doc_str(row, "benchmark"), doc_str(row, "measure")));
	if (isfinite(low) && isfinite(high))
		line(out, at(low, most), y, at(high, most), y, fill, 2);
	if (isfinite(e))
		buf_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n",
			at(e, most), y, fill);
	change_format(e, low, high, change);
	text(out, LABEL + PLOT + 10, y + 4, "start",
		arena_printf(a, "%s %s", change, outcome_mark(doc_str(row, "outcome"))));
}

void compare_svg(const json_t *doc, struct arena *a, struct buf *out)
{
	const json_t *rows = rows_worst_first(doc_at(doc, "rows"), a);
	size_t n = MIN(json_array_size(rows), (size_t)MAX_ROWS);
	double most = reach(rows);
	int height = (int)(n + 2) * ROW;
	char label[VALUE_TEXT];

	svg_begin(out, LABEL + PLOT + VALUES, height, "Change of head against base",
		compare_verdict(doc, a));
	line(out, at(0, most), 4, at(0, most), height - ROW, "#777777", 1);
	for (size_t i = 0; i < n; i++)
		forest_row(
			json_array_get(rows, i), (double)ROW * ((double)i + 1), most, a, out);
	text(out, LABEL, height - 6, "middle", percent_format(-most, label));
	text(out, at(0, most), height - 6, "middle", "0");
	text(out, LABEL + PLOT, height - 6, "middle", percent_format(most, label));
	buf_add_str(out, "</svg>\n");
}

static void extent(const json_t *points, double *ret_low, double *ret_high)
{
	double least;
	size_t i;
	json_t *p;

	*ret_low = INFINITY;
	*ret_high = -INFINITY;
	json_array_foreach (points, i, p) {
		double v = doc_num(p, "value");

		if (isfinite(v)) {
			*ret_low = fmin(*ret_low, v);
			*ret_high = fmax(*ret_high, v);
		}
	}
	/* At least a tenth of the level, so that mere noise does not fill the height. */
	least = fabs(*ret_high) * 0.1 - (*ret_high - *ret_low);
	if (isfinite(least) && least > 0) {
		*ret_low -= least / 2;
		*ret_high += least / 2;
	}
}

static const char *series_description(const json_t *doc, struct arena *a)
{
	const json_t *points = doc_at(doc, "points");
	size_t n = json_array_size(points);
	const char *units = doc_str(doc, "series.measure.units");
	char first[VALUE_TEXT], last[VALUE_TEXT];

	if (!n)
		return "no points";
	value_format(doc_num(json_array_get(points, 0), "value"), units, first);
	value_format(doc_num(json_array_get(points, n - 1), "value"), units, last);
	return arena_printf(a, "%zu points, from %s to %s, %zu changes", n, first, last,
		doc_len(doc, "changes"));
}

enum { SPARK_WIDTH = 240, SPARK_HEIGHT = 48, SPARK_PAD = 4 };

/* A sparkline: the points in version order, and a mark at each change. */
void series_svg(const json_t *doc, struct arena *a, struct buf *out)
{
	const json_t *points = doc_at(doc, "points"), *changes = doc_at(doc, "changes");
	size_t n = json_array_size(points), i, j;
	double low, high, step = n > 1 ? (SPARK_WIDTH - 2.0 * SPARK_PAD) / (double)(n - 1) : 0;
	json_t *p, *c;

	extent(points, &low, &high);
	svg_begin(out, SPARK_WIDTH, SPARK_HEIGHT,
		arena_printf(a, "%s %s", doc_str(doc, "series.benchmark.name"),
			doc_str(doc, "series.measure.name")),
		series_description(doc, a));
	json_array_foreach (changes, j, c)
		json_array_foreach (points, i, p)
			if (doc_int(p, "version") == doc_int(c, "version"))
				line(out, SPARK_PAD + (double)i * step, 0,
					SPARK_PAD + (double)i * step, SPARK_HEIGHT,
					colour(doc_str(c, "outcome")), 1);
	buf_add_str(out, "<polyline fill=\"none\" stroke=\"currentColor\" points=\"");
	json_array_foreach (points, i, p) {
		double v = doc_num(p, "value");
		double y = high > low ? (high - v) / (high - low) : 0.5;

		if (isfinite(v))
			buf_printf(out, "%.1f,%.1f ", SPARK_PAD + (double)i * step,
				SPARK_PAD + y * (SPARK_HEIGHT - 2 * SPARK_PAD));
	}
	buf_add_str(out, "\"/>\n</svg>\n");
}

/* Width of text at 11 px in a common sans-serif face: 6.5 px a character is never too little
 * for what stands in badges. */
static int text_width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return (int)(6.5 * (double)MIN(n, (size_t)60)) + 10;
}

void render_badge(const char *label, const char *message, enum outcome outcome, struct buf *out)
{
	int left = text_width(label), right = text_width(message);
	const char *name = outcome_name(outcome);
	char title[256];

	snprintf(title, sizeof(title), "%.100s: %.100s", label, message);
	svg_begin(out, left + right, 20, title, name);
	buf_printf(out, "<rect width=\"%d\" height=\"20\" fill=\"#444444\"/>\n", left);
	buf_printf(out, "<rect x=\"%d\" width=\"%d\" height=\"20\" fill=\"%s\"/>\n", left,
		right, outcome == OUTCOME_NONE ? "#777777" : colour(name));
	buf_printf(out, "<text x=\"%d\" y=\"14\" text-anchor=\"middle\" fill=\"#ffffff\">",
		left / 2);
	html_escape(out, label);
	buf_printf(out,
		"</text>\n<text x=\"%d\" y=\"14\" text-anchor=\"middle\" fill=\"#ffffff\">",
		left + right / 2);
	html_escape(out, message);
	buf_add_str(out, "</text>\n</svg>\n");
}
