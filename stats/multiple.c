/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/multiple.h"

#include <math.h>
#include <stdlib.h>
#include "stats/dist.h"

struct item {
	double p;
	size_t index;
};

static int by_p(const void *x, const void *y)
{
	double p = ((const struct item *)x)->p, q = ((const struct item *)y)->p;

	return (p > q) - (p < q);
}

static struct item *sorted(struct arena *a, const double *p, size_t m)
{
	struct item *s = ARENA_ARRAY(a, struct item, m);

	for (size_t i = 0; i < m; i++)
		s[i] = (struct item){ isnan(p[i]) ? 1 : p[i], i };
	qsort(s, m, sizeof(*s), by_p);
	return s;
}

static double harmonic(size_t m)
{
	double s = 0;

	for (size_t i = 1; i <= m; i++)
		s += 1 / (double)i;
	return s;
}

size_t benjamini_hochberg(struct arena *a, const double *p, size_t m, double q,
	bool is_dependent, bool *ret_rejected)
{
	struct item *s = sorted(a, p, m);
	size_t k = 0;

	if (is_dependent && m > 0)
		q /= harmonic(m);
	for (size_t i = 0; i < m; i++)
		if (s[i].p <= q * (double)(i + 1) / (double)m)
			k = i + 1;
	for (size_t i = 0; i < m; i++)
		ret_rejected[s[i].index] = i < k;
	return k;
}

void benjamini_hochberg_adjust(
	struct arena *a, const double *p, size_t m, bool is_dependent, double *ret)
{
	struct item *s = sorted(a, p, m);
	double scale = is_dependent ? harmonic(m) : 1, least = 1;

	for (size_t i = m; i-- > 0;) {
		least = fmin(least, s[i].p * scale * (double)m / (double)(i + 1));
		ret[s[i].index] = least;
	}
}

double multiple_heavy_p(double t)
{
	return dist_t_upper(t, 3);
}
