/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/plot.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 860, HEIGHT = 480, LEFT = 80, RIGHT = 250, TOP = 44, BOTTOM = 56 };

/* Told apart also by people who see few colours (Okabe and Ito 2008). */
static const char *const colours[] = { "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9",
	"#e69f00", "#000000" };
enum { N_COLOURS = sizeof(colours) / sizeof(colours[0]) };

struct axis {
	double lo, hi; /* as drawn: logarithms on a logarithmic axis */
};

static void add_text(struct buf *out, const char *s)
{
	for (; *s; s++)
		switch (*s) {
		case '<':
			buf_add_str(out, "&lt;");
			break;
		case '>':
			buf_add_str(out, "&gt;");
			break;
		case '&':
			buf_add_str(out, "&amp;");
			break;
		default:
			buf_add_char(out, *s);
		}
}

static double scaled(const struct plot *p, double v)
{
	return p->is_log ? log10(v) : v;
}

static bool is_drawn(const struct plot *p, double x, double y)
{
	return isfinite(scaled(p, x)) && isfinite(scaled(p, y));
}

static void widen(struct axis *a, double v)
{
	a->lo = fmin(a->lo, v);
	a->hi = fmax(a->hi, v);
}

/* Whole decades, or from zero with a little room. */
static void settle(const struct plot *p, struct axis *a)
{
	if (!(a->lo <= a->hi))
		*a = (struct axis){ 0, 1 };
	a->lo = p->is_log ? floor(a->lo) : fmin(0, a->lo);
	a->hi = p->is_log ? ceil(a->hi) : a->hi * 1.05;
	if (a->hi <= a->lo)
		a->hi = a->lo + 1;
}

static void find_axes(const struct plot *p, struct axis *x, struct axis *y)
{
	*x = *y = (struct axis){ INFINITY, -INFINITY };
	for (int i = 0; i < p->n_series; i++)
		for (int k = 0; k < p->series[i].n; k++) {
			double vx = p->series[i].x[k], vy = p->series[i].y[k];

			if (!is_drawn(p, vx, vy))
				continue;
			widen(x, scaled(p, vx));
			widen(y, scaled(p, vy));
		}
	settle(p, x);
	settle(p, y);
}

static double place_x(struct axis a, double v)
{
	return LEFT + (v - a.lo) / (a.hi - a.lo) * (WIDTH - LEFT - RIGHT);
}

static double place_y(struct axis a, double v)
{
	return HEIGHT - BOTTOM - (v - a.lo) / (a.hi - a.lo) * (HEIGHT - TOP - BOTTOM);
}

/* 1, 2 or 5 times a power of ten: about six ticks. */
static double tick_step(const struct plot *p, struct axis a)
{
	double raw = (a.hi - a.lo) / 6, ten = pow(10, floor(log10(raw)));

	if (p->is_log) /* up to nine decades, each */
		return fmax(1, ceil((a.hi - a.lo) / 9));
	return raw / ten > 5   ? 10 * ten
	       : raw / ten > 2 ? 5 * ten
	       : raw / ten > 1 ? 2 * ten
			       : ten;
}

static void add_ticks(const struct plot *p, struct axis a, bool is_x, struct buf *out)
{
	double step = tick_step(p, a);

	if (is_x && p->has_whole_x)
		step = fmax(1, step);
	for (double v = ceil(a.lo / step) * step; v <= a.hi + step * 1e-9; v += step) {
		double at = is_x ? place_x(a, v) : place_y(a, v);

		double shown = p->is_log ? pow(10, v) : v;

		if (is_x)
			buf_printf(out,
				"<path class='g' d='M%.1f %dV%d'/>"
				"<text x='%.1f' y='%d' text-anchor='middle'>%g</text>\n",
				at, TOP, HEIGHT - BOTTOM, at, HEIGHT - BOTTOM + 18, shown);
		else
			buf_printf(out,
				"<path class='g' d='M%d %.1fH%d'/>"
				"<text x='%d' y='%.1f' text-anchor='end'>%g</text>\n",
				LEFT, at, WIDTH - RIGHT, LEFT - 6, at + 4, shown);
	}
}

static void add_label_of(const char *text, double x, double y, struct buf *out)
{
	buf_printf(out, "<text font-size='9' fill='#444' x='%.1f' y='%.1f'>", x + 6, y + 3);
	add_text(out, text);
	buf_add_str(out, "</text>\n");
}

static void add_points(const struct plot *p, const struct plot_series *s, const char *colour,
	struct axis x, struct axis y, struct buf *out)
{
	for (int k = 0; k < s->n; k++) {
		double at_x = place_x(x, scaled(p, s->x[k])),
		       at_y = place_y(y, scaled(p, s->y[k]));

		if (!is_drawn(p, s->x[k], s->y[k]))
			continue;
		buf_printf(out, "<circle r='4' fill='%s' cx='%.1f' cy='%.1f'>", colour, at_x,
			at_y);
		buf_add_str(out, "<title>");
		add_text(out, s->name);
		if (s->labels)
			buf_add_str(out, " "), add_text(out, s->labels[k]);
		buf_printf(out, ": %.4g</title></circle>\n", s->y[k]);
		if (s->labels)
			add_label_of(s->labels[k], at_x, at_y, out);
	}
}

static void add_series(
	const struct plot *p, int i, struct axis x, struct axis y, struct buf *out)
{
	const struct plot_series *s = &p->series[i];
	const char *colour = colours[i % N_COLOURS];
	bool is_first = true;

	if (s->has_line)
		buf_printf(out, "<path fill='none' stroke='%s' stroke-width='1.6' d='", colour);
	for (int k = 0; s->has_line && k < s->n; k++) {
		if (!is_drawn(p, s->x[k], s->y[k]))
			continue;
		buf_printf(out, "%s%.1f %.1f", is_first ? "M" : "L",
			place_x(x, scaled(p, s->x[k])), place_y(y, scaled(p, s->y[k])));
		is_first = false;
	}
	if (s->has_line)
		buf_add_str(out, "'/>\n");
	if (s->has_points)
		add_points(p, s, colour, x, y, out);
	if (s->has_line)
		buf_printf(out, "<rect x='%d' y='%d' width='12' height='2' fill='%s'/>",
			WIDTH - RIGHT + 14, TOP + 18 * i + 5, colour);
	if (s->has_points)
		buf_printf(out, "<rect x='%d' y='%d' width='8' height='8' rx='4' fill='%s'/>",
			WIDTH - RIGHT + 16, TOP + 18 * i + 2, colour);
	buf_printf(out, "<text x='%d' y='%d'>", WIDTH - RIGHT + 32, TOP + 18 * i + 10);
	add_text(out, s->name);
	buf_add_str(out, "</text>\n");
}

/* Long legends reach below the axes. */
static int height_of(const struct plot *p)
{
	int legend = TOP + 18 * p->n_series + 10;

	return legend > HEIGHT ? legend : HEIGHT;
}

static void add_label(struct buf *out, const char *where, const char *text)
{
	buf_printf(out, "<text text-anchor='middle' %s>", where);
	add_text(out, text);
	buf_add_str(out, "</text>\n");
}

void plot_format(const struct plot *p, struct buf *out)
{
	struct axis x, y;
	char where[80];

	find_axes(p, &x, &y);
	buf_printf(out,
		"<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' "
		"viewBox='0 0 %d %d' font-family='sans-serif' font-size='12'>\n"
		"<style>.g{stroke:#ddd;stroke-width:1}</style>\n"
		"<rect width='100%%' height='100%%' fill='#fff'/>\n",
		WIDTH, height_of(p), WIDTH, height_of(p));
	add_ticks(p, x, true, out);
	add_ticks(p, y, false, out);
	buf_printf(out, "<path fill='none' stroke='#444' d='M%d %dV%dH%d'/>\n", LEFT, TOP,
		HEIGHT - BOTTOM, WIDTH - RIGHT);
	for (int i = 0; i < p->n_series; i++)
		add_series(p, i, x, y, out);
	snprintf(where, sizeof(where), "x='%d' y='24' font-size='15'",
		LEFT + (WIDTH - LEFT - RIGHT) / 2);
	add_label(out, where, p->title);
	snprintf(where, sizeof(where), "x='%d' y='%d'", LEFT + (WIDTH - LEFT - RIGHT) / 2,
		HEIGHT - 14);
	add_label(out, where, p->x_label);
	snprintf(where, sizeof(where), "transform='translate(20 %d) rotate(-90)'", HEIGHT / 2);
	add_label(out, where, p->y_label);
	buf_add_str(out, "</svg>\n");
}
