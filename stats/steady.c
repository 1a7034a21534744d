/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/steady.h"

#include <math.h>
#include "base/rng.h"
#include "stats/partition.h"
#include "stats/quantile.h"
#include "stats/trend.h"

bool steady_window(struct arena *a, const double *x, size_t n)
{
	size_t half = n / 2;
	double median = sample_median(a, x, n), level = .01 * fabs(median), se, gap;

	if (n < 4 || !(level > 0))
		return false;
	if (!(fabs(theil_sen(a, x, n)) * (double)n < level))
		return false;
	se = sample_mad(a, x, n) * sqrt(M_PI / 2 * (1 / (double)half + 1 / (double)(n - half)));
	gap = fabs(sample_median(a, x, half) - sample_median(a, x + half, n - half));
	return gap < fmax(level, 3 * se);
}

struct steady_params steady_defaults(void)
{
	return (struct steady_params){ .window = 200,
		.least_tail = 500,
		.tolerance = .05,
		.replicates = 10000,
		.alpha = .05,
		.seed = 1 };
}

/* --- marking outliers --- */

static void slide(double *sorted, size_t n, double out, double in)
{
	size_t i = 0;

	while (sorted[i] != out)
		i++;
	for (; i + 1 < n && sorted[i + 1] < in; i++)
		sorted[i] = sorted[i + 1];
	for (; i > 0 && sorted[i - 1] > in; i--)
		sorted[i] = sorted[i - 1];
	sorted[i] = in;
}

/* Each window marks what it holds outside median +- 3(p99 - p1). */
static size_t mark(struct arena *a, const double *x, size_t n, size_t w, bool *ret_is)
{
	double *sorted;
	size_t count = 0;

	w = MIN(w, n);
	sorted = sample_sorted(a, x, w);
	for (size_t end = w; w > 0 && end <= n; end++) {
		double middle, reach;

		if (end > w)
			slide(sorted, w, x[end - w - 1], x[end - 1]);
		middle = sample_quantile(sorted, w, .5);
		reach = 3 * (sample_quantile(sorted, w, .99) - sample_quantile(sorted, w, .01));
		for (size_t i = end - w; i < end; i++)
			ret_is[i] |= fabs(x[i] - middle) > reach;
	}
	for (size_t i = 0; i < n; i++)
		count += ret_is[i];
	return count;
}

/* --- segments by mean and variance --- */

struct normal_cost {
	double *y, *yy; /* prefix sums of the standardised series */
};

static void cost(void *arg, size_t s, size_t n, double *cost)
{
	const struct normal_cost *c = arg;

	for (size_t t = s + 2; t <= n; t++) {
		double m = (double)(t - s), mean = (c->y[t] - c->y[s]) / m;
		double var = (c->yy[t] - c->yy[s]) / m - mean * mean;

		cost[t] = m * (log(2 * M_PI * fmax(var, 1e-10)) + 1);
	}
}

static void segment(struct arena *a, const double *x, size_t n, struct change_points *ret)
{
	struct normal_cost c = { ARENA_ARRAY(a, double, n + 1), ARENA_ARRAY(a, double, n + 1) };
	double mean = sample_mean(x, n), sd = sample_sd(x, n, mean);

	for (size_t i = 0; i < n; i++) {
		double z = sd > 0 ? (x[i] - mean) / sd : 0;

		c.y[i + 1] = c.y[i] + z;
		c.yy[i + 1] = c.yy[i] + z * z;
	}
	partition_find(a, n, 2, 15 * log((double)n), cost, &c, ret);
}

/* --- walking back from the end --- */

static double resampled_mean(const double *x, size_t n, struct rng *r)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += x[rng_below(r, n)];
	return sum / (double)n;
}

/* Percentile interval of mean(x)/mean(y) against 1 +- tolerance. */
static bool is_elsewhere(struct arena *a, const double *x, size_t n_x, const double *y,
	size_t n_y, const struct steady_params *p)
{
	double *ratio = ARENA_ARRAY(a, double, p->replicates), lower, upper;
	struct rng r;

	rng_init(&r, p->seed);
	for (size_t b = 0; b < p->replicates; b++)
		ratio[b] = resampled_mean(x, n_x, &r) / resampled_mean(y, n_y, &r);
	sample_sort(ratio, p->replicates);
	lower = sample_quantile(ratio, p->replicates, p->alpha / 2);
	upper = sample_quantile(ratio, p->replicates, 1 - p->alpha / 2);
	return lower > 1 + p->tolerance || upper < 1 - p->tolerance;
}

/* Index in x of the first sample that belongs to the last level. */
static size_t walk_back(struct arena *a, const double *x, size_t n,
	const struct change_points *c, const struct steady_params *p)
{
	size_t last = c->n ? c->index[c->n - 1] : 0, start = last;

	for (size_t i = c->n; i-- > 0;) {
		size_t lo = i > 0 ? c->index[i - 1] : 0, hi = c->index[i];

		if (is_elsewhere(a, x + lo, hi - lo, x + last, n - last, p))
			return start;
		start = lo;
	}
	return start;
}

static size_t warm_up(const double *x, size_t n)
{
	double skip = ceil(200 / log(1 + ceil(.1 / sample_mean(x, n))));

	return skip < (double)n ? (size_t)skip : n;
}

int steady_find(struct arena *a, const double *x, size_t n, const struct steady_params *p,
	struct steady *ret, struct error *err)
{
	bool *is_outlier;
	double *kept;
	size_t *origin, m = 0, k;
	struct change_points c = { 0 };

	if (n > STEADY_MAX_SAMPLES)
		return error_set(err, E_TOO_LARGE, "%zu samples: at most %d are taken", n,
			STEADY_MAX_SAMPLES);
	if (!values_are_positive(x, n) || (n > 0 && values_check(x, n, NULL) != OK))
		return error_set(
			err, E_UNPROCESSABLE, "every sample must be a finite number above 0");
	*ret = (struct steady){ .start = n, .skipped = warm_up(x, n) };
	is_outlier = ARENA_ARRAY(a, bool, n);
	kept = ARENA_ARRAY(a, double, n);
	origin = ARENA_ARRAY(a, size_t, n);
	ret->n_outliers = mark(a, x, n, p->window, is_outlier);
	for (size_t i = ret->skipped; i < n; i++)
		if (!is_outlier[i]) {
			origin[m] = i;
			kept[m++] = x[i];
		}
	if (m < 4)
		return OK;
	segment(a, kept, m, &c);
	ret->n_segments = c.n + 1;
	k = walk_back(a, kept, m, &c, p);
	ret->start = k > 0 ? origin[k] : ret->skipped;
	ret->is_steady = ret->start + p->least_tail <= n;
	return OK;
}
