/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/steady.h"

#include <math.h>
#include <string.h>
#include "base/cleanup.h"

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double steady_median(const double *values, size_t n)
{
	_cleanup_(free)
	double *v = xmalloc(n * sizeof(*v));

	memcpy(v, values, n * sizeof(*v));
	qsort(v, n, sizeof(*v), compare);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static double theil_sen(const double *w)
{
	double slopes[STEADY_WINDOW * (STEADY_WINDOW - 1) / 2];
	size_t n = 0;

	for (int i = 0; i < STEADY_WINDOW; i++)
		for (int j = i + 1; j < STEADY_WINDOW; j++)
			slopes[n++] = (w[j] - w[i]) / (j - i);
	return steady_median(slopes, n);
}

static double mad(const double *w, double median)
{
	double d[STEADY_WINDOW];

	for (int i = 0; i < STEADY_WINDOW; i++)
		d[i] = fabs(w[i] - median);
	return steady_median(d, STEADY_WINDOW);
}

/* 1.4826 MAD estimates the standard deviation, 1.2533 / sqrt(n/2) makes it the error of the
 * median of a half; two halves add up in squares. */
bool steady_is_reached(const double *values, size_t n)
{
	enum { HALF = STEADY_WINDOW / 2 };
	const double *w = values + n - STEADY_WINDOW;
	double median, step, se;

	if (n < STEADY_WINDOW)
		return false;
	median = steady_median(w, STEADY_WINDOW);
	if (fabs(theil_sen(w)) * STEADY_WINDOW >= 0.01 * median)
		return false;
	step = fabs(steady_median(w, HALF) - steady_median(w + HALF, HALF));
	se = 1.4826 * mad(w, median) * 1.2533 * sqrt(2. / HALF);
	return step < fmax(0.01 * median, 3 * se);
}
