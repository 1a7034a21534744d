/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Charts of the dashboard as SVG with presentation attributes only: they need no script. */
#include "daemon/render/dash.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 960, HEIGHT = 300, LEFT = 90, RIGHT = 12, TOP = 12, BOTTOM = 24, TICKS = 4 };
enum { STRIP_WIDTH = 640, STRIP_ROW = 12, MAX_STRIPS = 60, MAX_DOTS = 200 };

struct axis {
	double low, high;
	const char *units;
};

static void widen(struct axis *y, double v)
{
	if (!isfinite(v))
		return;
	y->low = fmin(y->low, v);
	y->high = fmax(y->high, v);
}

static struct axis fit(const json_t *doc)
{
	struct axis y = { INFINITY, -INFINITY, doc_str(doc, "series.measure.units") };
	const json_t *p;
	double pad;
	size_t i;

	json_array_foreach (doc_at(doc, "points"), i, p) {
		widen(&y, doc_num(p, "value"));
		widen(&y, doc_num(p, "lower"));
		widen(&y, doc_num(p, "upper"));
	}
	widen(&y, doc_num(doc, "boundary.lower"));
	widen(&y, doc_num(doc, "boundary.upper"));
	/* At least 10 % of the level, so that noise does not fill the page. */
	pad = fmax((y.high - y.low) * 0.05, fabs(y.high) * 0.05);
	y.low -= pad;
	y.high += pad;
	return y;
}

static double at_y(const struct axis *y, double v)
{
	return TOP + (HEIGHT - TOP - BOTTOM) * (y->high - v) / (y->high - y->low);
}

static double at_x(size_t i, size_t n)
{
	return LEFT + (WIDTH - LEFT - RIGHT) * ((double)i + 0.5) / (double)(n ? n : 1);
}

static void grid(const struct axis *y, struct buf *out)
{
	char text[VALUE_TEXT];

	for (int i = 0; i <= TICKS; i++) {
		double v = y->low + (y->high - y->low) * i / TICKS;

		buf_printf(out,
			"<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" class=\"grid\"/>"
			"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
			LEFT, at_y(y, v), WIDTH - RIGHT, at_y(y, v), LEFT - 6, at_y(y, v) + 4);
		html_escape(out, value_format(v, y->units, text));
		buf_add_str(out, "</text>\n");
	}
}

/* A limit on one side only: the band ends at the edge. */
static void band(const json_t *doc, const struct axis *y, struct buf *out)
{
	double low = doc_num(doc, "boundary.lower"), high = doc_num(doc, "boundary.upper");
	double top = at_y(y, isfinite(high) ? high : y->high);
	double bottom = at_y(y, isfinite(low) ? low : y->low);

	if (isfinite(low) || isfinite(high))
		buf_printf(out,
			"<rect x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" "
			"class=\"band\"><title>limits on the next commit</title></rect>\n",
			WIDTH - RIGHT - 60, top, 60, bottom - top);
}

static void change_lines(const json_t *doc, struct buf *out)
{
	const json_t *points = doc_at(doc, "points"), *c, *p;
	size_t n = json_array_size(points), i, k;

	json_array_foreach (doc_at(doc, "changes"), k, c)
		json_array_foreach (points, i, p)
			if (doc_int(p, "version") == doc_int(c, "version")) {
				double x = (at_x(i, n) + at_x(i ? i - 1 : 0, n)) / 2;

				buf_printf(out,
					"<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" "
					"class=\"change %s\"/><text x=\"%.1f\" y=\"%d\" "
					"class=\"%s\">",
					x, TOP, x, HEIGHT - BOTTOM, doc_str(c, "outcome"),
					x + 4, TOP + 10, doc_str(c, "outcome"));
				html_escape(out, outcome_mark(doc_str(c, "outcome")));
				buf_add_str(out, "</text>\n");
				break;
			}
}

static void point(const json_t *p, double x, const struct axis *y, struct buf *out)
{
	double v = doc_num(p, "value"), low = doc_num(p, "lower"), high = doc_num(p, "upper");
	bool is_doubted = doc_len(p, "flags") > 0;
	char text[VALUE_TEXT], hash[9];

	if (!isfinite(v))
		return;
	buf_printf(out, "<g class=\"point%s\"><title>", is_doubted ? " doubted" : "");
	html_escape(out, short_hash(doc_str(p, "hash"), hash));
	buf_add_char(out, ' ');
	dash_text(out, p, "subject");
	buf_add_str(out, ": ");
	html_escape(out, value_format(v, y->units, text));
	buf_add_str(out, "</title>");
	if (isfinite(low) && isfinite(high))
		buf_printf(out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", x,
			at_y(y, low), x, at_y(y, high));
	buf_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/></g>\n", x, at_y(y, v));
}

void dash_series_chart(const json_t *doc, struct arena *a, struct buf *out)
{
	const json_t *points = doc_at(doc, "points"), *p;
	size_t n = json_array_size(points), i;
	struct axis y = fit(doc);

	if (!n || !(y.high > y.low)) {
		buf_add_str(out, "<p>Nothing was measured yet.</p>\n");
		return;
	}
	buf_printf(out,
		"<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d "
		"%d\" "
		"role=\"img\" aria-label=\"%zu points, %zu confirmed changes\">\n",
		WIDTH, HEIGHT, n, doc_len(doc, "changes"));
	grid(&y, out);
	band(doc, &y, out);
	change_lines(doc, out);
	json_array_foreach (points, i, p)
		point(p, at_x(i, n), &y, out);
	buf_add_str(out, "</svg>\n");
}

/* --- processes of a report --- */

static const json_t *values_of(
	const json_t *process, const char *benchmark, const char *measure)
{
	const json_t *v;
	size_t i;

	json_array_foreach (doc_at(process, "results"), i, v)
		if (!strcmp(doc_str(v, "benchmark"), benchmark) &&
			!strcmp(doc_str(v, "measure"), measure))
			return v;
	return NULL;
}

static void dots(const json_t *samples, const struct axis *x, double y, const char *class,
	struct buf *out)
{
	size_t n = MIN(json_array_size(samples), (size_t)MAX_DOTS);

	for (size_t i = 0; i < n; i++) {
		double v = array_num(samples, i);

		if (isfinite(v))
			buf_printf(out,
				"<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\" class=\"%s\"/>",
				10 + (STRIP_WIDTH - 20) * (v - x->low) / (x->high - x->low), y,
				class);
	}
}

bool dash_has_strips(const json_t *doc, const char *benchmark, const char *measure)
{
	const json_t *p;
	size_t i;

	json_array_foreach (doc_at(doc, "processes"), i, p)
		if (doc_len(values_of(p, benchmark, measure), "samples"))
			return true;
	return false;
}

static struct axis fit_strips(
	const json_t *processes, const char *benchmark, const char *measure, const char *units)
{
	struct axis x = { INFINITY, -INFINITY, units };
	const json_t *p;
	size_t i;

	json_array_foreach (processes, i, p) {
		const json_t *v = values_of(p, benchmark, measure),
			     *samples = doc_at(v, "samples");

		for (size_t k = 0; v && k < json_array_size(samples); k++)
			widen(&x, array_num(samples, k));
	}
	if (x.high <= x.low) {
		x.low -= fabs(x.low) * 0.01 + 1e-9;
		x.high += fabs(x.high) * 0.01 + 1e-9;
	}
	return x;
}

static void strip_rows(const json_t *processes, const char *benchmark, const char *measure,
	const struct axis *x, struct buf *out)
{
	const json_t *p;
	size_t i, row = 0;

	json_array_foreach (processes, i, p) {
		const json_t *v = values_of(p, benchmark, measure);
		const char *noise = doc_str(p, "noise");

		if (!v || row == MAX_STRIPS)
			continue;
		buf_printf(out, "<g><title>process %lld: %s%s</title>",
			(long long)doc_int(p, "index"), noise,
			json_is_true(doc_at(p, "replaced")) ? ", replaced" : "");
		dots(doc_at(v, "samples"), x, STRIP_ROW * (double)(row + 1), noise, out);
		buf_add_str(out, "</g>\n");
		row++;
	}
}

/* What a tool brought has samples, and no processes. */
void dash_sample_chart(const json_t *m, struct arena *a, struct buf *out)
{
	const json_t *samples = doc_at(m, "samples");
	const char *units = doc_str(m, "measure.units");
	struct axis x = { INFINITY, -INFINITY, units };
	char low[VALUE_TEXT], high[VALUE_TEXT];

	for (size_t i = 0; i < json_array_size(samples); i++)
		widen(&x, array_num(samples, i));
	if (!isfinite(x.low))
		return;
	value_format(x.low, units, low);
	value_format(x.high, units, high);
	if (x.high <= x.low) {
		x.low -= fabs(x.low) * 0.01 + 1e-9;
		x.high += fabs(x.high) * 0.01 + 1e-9;
	}
	buf_printf(out,
		"<svg class=\"strip\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d "
		"%d\" role=\"img\" aria-label=\"",
		STRIP_WIDTH, 4 * STRIP_ROW);
	html_escape(out, arena_printf(a, "%zu samples, from %s to %s", json_array_size(samples),
				 low, high));
	buf_add_str(out, "\">\n");
	dots(samples, &x, STRIP_ROW, "clean", out);
	buf_printf(out, "<text x=\"10\" y=\"%d\">", 3 * STRIP_ROW);
	html_escape(out, low);
	buf_printf(out, "</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">", STRIP_WIDTH - 10,
		3 * STRIP_ROW);
	html_escape(out, high);
	buf_add_str(out, "</text></svg>\n");
}

void dash_strip_chart(const json_t *doc, const char *benchmark, const char *measure,
	const char *units, struct arena *a, struct buf *out)
{
	const json_t *processes = doc_at(doc, "processes");
	size_t n = MIN(json_array_size(processes), (size_t)MAX_STRIPS);
	struct axis x = fit_strips(processes, benchmark, measure, units);
	char low[VALUE_TEXT], high[VALUE_TEXT];

	if (!n || !isfinite(x.low))
		return;
	buf_printf(out,
		"<svg class=\"strip\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d "
		"%d\" "
		"role=\"img\" aria-label=\"",
		STRIP_WIDTH, (int)(n + 3) * STRIP_ROW);
	html_escape(out,
		arena_printf(a, "samples of %zu processes, from %s to %s", n,
			value_format(x.low, units, low), value_format(x.high, units, high)));
	buf_add_str(out, "\">\n");
	strip_rows(processes, benchmark, measure, &x, out);
	buf_printf(out, "<text x=\"10\" y=\"%d\">", (int)(n + 2) * STRIP_ROW);
	html_escape(out, low);
	buf_printf(out, "</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">", STRIP_WIDTH - 10,
		(int)(n + 2) * STRIP_ROW);
	html_escape(out, high);
	buf_add_str(out, "</text></svg>\n");
}
