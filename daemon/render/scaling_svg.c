/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Speed-up over threads as SVG: the measured points with their intervals, and the line of the
 * ideal. Presentation attributes only; title and description say the same in words. */
#include "daemon/render/internal.h"

#include <math.h>

enum {
	WIDTH = 480,
	HEIGHT = 300,
	LEFT = 48,
	RIGHT = 12,
	TOP = 12,
	BOTTOM = 36,
	TICKS = 4,
	ROOM = 18
};

/* Both axes begin at 0 and have the scale of the larger of threads and speed-ups. */
struct frame {
	double most_x, most_y;
};

static double at_x(const struct frame *f, double v)
{
	return LEFT + (WIDTH - LEFT - RIGHT) * v / f->most_x;
}

static double at_y(const struct frame *f, double v)
{
	return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * v / f->most_y;
}

static struct frame fit(const json_t *rows)
{
	struct frame f = { 1, 1 };
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		double upper = doc_num(row, "speedup_interval.high");

		f.most_x = fmax(f.most_x, doc_num(row, "threads"));
		f.most_y = fmax(f.most_y, doc_num(row, "speedup"));
		f.most_y = fmax(f.most_y, isfinite(upper) ? upper : 0);
	}
	f.most_y = fmax(f.most_y, f.most_x);
	return f;
}

static void label(struct buf *out, double x, double y, const char *anchor, const char *text)
{
	buf_printf(out,
		"<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" "
		"fill=\"currentColor\">%s</text>\n",
		x, y, anchor, text);
}

static void stroke(struct buf *out, double x1, double y1, double x2, double y2,
	const char *colour, const char *more)
{
	buf_printf(out,
		"<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"%s/>\n", x1,
		y1, x2, y2, colour, more);
}

/* The numbers of threads that were measured, as far as there is room; there are no halves. */
static void thread_labels(
	const struct frame *f, const json_t *rows, struct arena *a, struct buf *out)
{
	double last = -ROOM;
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		double x = at_x(f, doc_num(row, "threads"));

		if (!isfinite(x) || x - last < ROOM)
			continue;
		label(out, x, HEIGHT - BOTTOM + 14, "middle",
			arena_printf(a, "%.0f", doc_num(row, "threads")));
		last = x;
	}
}

static void axes(const struct frame *f, const json_t *rows, struct arena *a, struct buf *out)
{
	for (int i = 0; i <= TICKS; i++) {
		double y = f->most_y * i / TICKS;

		stroke(out, LEFT, at_y(f, y), WIDTH - RIGHT, at_y(f, y), "#cccccc", "");
		label(out, LEFT - 4, at_y(f, y) + 4, "end", arena_printf(a, "%.3g", y));
	}
	thread_labels(f, rows, a, out);
	label(out, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 6, "middle",
		"threads (speed-up upwards)");
	stroke(out, at_x(f, 0), at_y(f, 0), at_x(f, f->most_x), at_y(f, f->most_x), "#777777",
		" stroke-dasharray=\"4 4\"");
}

static void points(const struct frame *f, const json_t *rows, struct buf *out)
{
	double last_x = NAN, last_y = NAN;
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		double x = at_x(f, doc_num(row, "threads"));
		double y = at_y(f, doc_num(row, "speedup"));
		double low = doc_num(row, "speedup_interval.low");

		if (!isfinite(x) || !isfinite(y))
			continue;
		if (isfinite(last_x))
			stroke(out, last_x, last_y, x, y, "#0072b2", " stroke-width=\"2\"");
		if (isfinite(low))
			stroke(out, x, at_y(f, low), x,
				at_y(f, doc_num(row, "speedup_interval.high")), "#0072b2", "");
		buf_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"#0072b2\"/>\n",
			x, y);
		last_x = x;
		last_y = y;
	}
}

void scaling_svg(const json_t *section, struct arena *a, struct buf *out)
{
	const json_t *rows = doc_at(section, "threads");
	struct frame f = fit(rows);

	buf_printf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\" role=\"img\" font-family=\"sans-serif\" "
		"font-size=\"12\">\n<title>Speed-up of ",
		WIDTH, HEIGHT, WIDTH, HEIGHT);
	html_escape(out, doc_str(section, "benchmark"));
	buf_add_str(out,
		" over threads</title><desc>Dots are measured, bars their 95 % intervals, the "
		"dashed line is the ideal; the table below has the numbers.</desc>\n");
	axes(&f, rows, a, out);
	points(&f, rows, out);
	buf_add_str(out, "</svg>\n");
}
