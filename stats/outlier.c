/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/outlier.h"

#include <math.h>
#include "stats/quantile.h"

size_t outliers_mark(struct arena *a, const double *x, size_t n, double limit, bool *ret_is)
{
	double middle = sample_median(a, x, n), spread = sample_mad(a, x, n);
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		ret_is[i] = fabs(x[i] - middle) > limit * spread;
		count += ret_is[i];
	}
	return count;
}

double *outliers_winsorise(struct arena *a, const double *x, size_t n, double limit)
{
	double middle = sample_median(a, x, n), reach = limit * sample_mad(a, x, n);
	double *w = ARENA_ARRAY(a, double, n);

	for (size_t i = 0; i < n; i++)
		w[i] = reach > 0 ? fmin(fmax(x[i], middle - reach), middle + reach) : x[i];
	return w;
}

bool modes_split(struct arena *a, const double *x, size_t n, struct modes *ret)
{
	double *s = sample_sorted(a, x, n), total = 0, left = 0, best = -INFINITY;
	size_t cut = 0;

	if (n < 4 || s[0] == s[n - 1])
		return false;
	for (size_t i = 0; i < n; i++)
		total += s[i] - s[0];
	for (size_t k = 1; k < n; k++) { /* k values on the left; between-group squares */
		double right = 0, gain;

		left += s[k - 1] - s[0];
		right = total - left;
		gain = left * left / (double)k + right * right / (double)(n - k);
		if (s[k] > s[k - 1] && gain > best) {
			best = gain;
			cut = k;
		}
	}
	*ret = (struct modes){ .cut = (s[cut - 1] + s[cut]) / 2,
		.fast = sample_quantile(s, cut, .5),
		.slow = sample_quantile(s + cut, n - cut, .5),
		.slow_share = (double)(n - cut) / (double)n };
	return true;
}
