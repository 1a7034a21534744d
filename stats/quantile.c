/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/quantile.h"

#include <math.h>
#include <string.h>
#include "stats/interval.h"

int values_check(const double *x, size_t n, struct error *err)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(x[i]))
			return error_set(err, E_UNPROCESSABLE,
				"value %zu (counted from 0) is %s: only finite numbers are "
				"taken",
				i, isnan(x[i]) ? "NaN" : "infinite");
	return OK;
}

bool values_are_positive(const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(x[i] > 0))
			return false;
	return true;
}

static int by_value(const void *p, const void *q)
{
	double x = *(const double *)p, y = *(const double *)q;

	return (x > y) - (x < y);
}

static void insertion_sort(double *x, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		double v = x[i];
		size_t j = i;

		for (; j > 0 && x[j - 1] > v; j--)
			x[j] = x[j - 1];
		x[j] = v;
	}
}

void sample_sort(double *x, size_t n)
{
	if (n < 32)
		insertion_sort(x, n);
	else
		qsort(x, n, sizeof(*x), by_value);
}

static double *copy(struct arena *a, const double *x, size_t n)
{
	double *c = ARENA_ARRAY(a, double, n);

	if (n)
		memcpy(c, x, n * sizeof(*c));
	return c;
}

double *sample_sorted(struct arena *a, const double *x, size_t n)
{
	double *c = copy(a, x, n);

	sample_sort(c, n);
	return c;
}

double *sample_logs(struct arena *a, const double *x, size_t n)
{
	double *c = ARENA_ARRAY(a, double, n);

	for (size_t i = 0; i < n; i++)
		c[i] = log(x[i]);
	return c;
}

double sample_quantile(const double *sorted, size_t n, double q)
{
	double r, f;
	size_t i;

	if (n == 0)
		return NAN;
	r = q * (double)(n - 1);
	i = (size_t)r;
	f = r - (double)i;
	if (i + 1 >= n)
		return sorted[n - 1];
	return f == 0 ? sorted[i] : sorted[i] + (sorted[i + 1] - sorted[i]) * f;
}

double sample_median_in_place(double *x, size_t n)
{
	sample_sort(x, n);
	return sample_quantile(x, n, .5);
}

double sample_median(struct arena *a, const double *x, size_t n)
{
	return sample_median_in_place(copy(a, x, n), n);
}

double sample_mean(const double *x, size_t n)
{
	double s = 0;

	for (size_t i = 0; i < n; i++)
		s += x[i];
	return n ? s / (double)n : NAN;
}

double sample_sd(const double *x, size_t n, double mean)
{
	double s = 0;

	for (size_t i = 0; i < n; i++)
		s += (x[i] - mean) * (x[i] - mean);
	return n > 1 ? sqrt(s / (double)(n - 1)) : NAN;
}

double sample_mad(struct arena *a, const double *x, size_t n)
{
	double *d = copy(a, x, n), m = sample_median_in_place(d, n);

	for (size_t i = 0; i < n; i++)
		d[i] = fabs(d[i] - m);
	return 1.4826 * sample_median_in_place(d, n);
}

double sample_centre(struct arena *a, const double *x, size_t n)
{
	double *sorted;

	if (!values_are_positive(x, n) || n % 2)
		return sample_median(a, x, n);
	sorted = copy(a, x, n);
	sample_sort(sorted, n);
	/* Sizes and counts come out as they went in: exp(log(x)) is not always x. */
	if (n && sorted[n / 2 - 1] == sorted[n / 2])
		return sorted[n / 2];
	return exp(sample_median(a, sample_logs(a, x, n), n));
}

void sample_summarise(
	struct arena *a, const double *x, size_t n, double alpha, struct summary *ret)
{
	double *s = sample_sorted(a, x, n);

	*ret = (struct summary){ .n = n, .lower = NAN, .upper = NAN };
	ret->min = n ? s[0] : NAN;
	ret->max = n ? s[n - 1] : NAN;
	ret->mean = sample_mean(x, n);
	ret->sd = sample_sd(x, n, ret->mean);
	ret->cv = ret->sd / fabs(ret->mean);
	ret->median = sample_quantile(s, n, .5);
	ret->q1 = sample_quantile(s, n, .25);
	ret->q3 = sample_quantile(s, n, .75);
	ret->mad = sample_mad(a, x, n);
	ret->has_interval = interval_quantile(s, n, .5, alpha, &ret->lower, &ret->upper);
}

static bool all_positive(const double *const *samples, const size_t *n_samples, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!values_are_positive(samples[i], n_samples[i]))
			return false;
	return true;
}

struct anova {
	double between, within, n0;
	size_t n, groups;
};

static void add_squares(
	struct arena *a, const double *const *x, const size_t *k, size_t p, struct anova *ret)
{
	double *mean = ARENA_ARRAY(a, double, p), grand = 0, squares = 0;

	for (size_t i = 0; i < p; i++) {
		mean[i] = k[i] ? sample_mean(x[i], k[i]) : 0;
		grand += mean[i] * (double)k[i];
		squares += (double)k[i] * (double)k[i];
		ret->n += k[i];
		ret->groups += k[i] > 0;
	}
	grand /= (double)ret->n;
	for (size_t i = 0; i < p; i++) {
		ret->between += (double)k[i] * (mean[i] - grand) * (mean[i] - grand);
		for (size_t j = 0; j < k[i]; j++)
			ret->within += (x[i][j] - mean[i]) * (x[i][j] - mean[i]);
	}
	ret->n0 = ((double)ret->n - squares / (double)ret->n) / (double)(ret->groups - 1);
}

bool sample_clustering(struct arena *a, const double *const *samples, const size_t *n_samples,
	size_t n_processes, struct clustering *ret)
{
	const double **x = ARENA_ARRAY(a, const double *, n_processes);
	bool logs = all_positive(samples, n_samples, n_processes);
	struct anova v = { 0 };
	double msb, msw;

	for (size_t i = 0; i < n_processes; i++)
		x[i] = logs ? sample_logs(a, samples[i], n_samples[i]) : samples[i];
	add_squares(a, x, n_samples, n_processes, &v);
	if (v.groups < 2 || v.n <= v.groups)
		return false;
	msb = v.between / (double)(v.groups - 1);
	msw = v.within / (double)(v.n - v.groups);
	ret->samples_per_process = v.n0;
	ret->icc = msb > msw ? (msb - msw) / (msb + (v.n0 - 1) * msw) : 0;
	ret->design_effect = 1 + (v.n0 - 1) * ret->icc;
	return true;
}

double sample_noise_floor(struct arena *a, const double *differences, size_t n)
{
	double *d = copy(a, differences, n);

	for (size_t i = 0; i < n; i++)
		d[i] = fabs(d[i]);
	sample_sort(d, n);
	return sample_quantile(d, n, .95);
}
