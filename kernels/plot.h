/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plot of lines and points as SVG: axes with ticks, a legend, nothing else. Any thread. */
#ifndef KERNELS_PLOT_H
#define KERNELS_PLOT_H

#include <stdbool.h>
#include "base/buf.h"

struct plot_series {
	const char *name; /* borrowed, escaped when written */
	const double *x, *y;
	int n;
	bool has_line, has_points;
	const char *const *labels; /* one beside each point, or NULL; borrowed */
};

struct plot {
	const char *title, *x_label, *y_label;
	bool is_log; /* both axes, decades */
	const struct plot_series *series;
	int n_series;
	bool has_whole_x; /* no ticks between whole numbers: threads */
};

/* A whole SVG document. Values that are not finite (on logarithmic axes: not positive) are left
 * out. */
void plot_format(const struct plot *p, struct buf *out);

#endif
