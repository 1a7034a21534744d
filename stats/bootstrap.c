/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/bootstrap.h"

#include <math.h>
#include <string.h>
#include <gsl/gsl_cdf.h>
#include "base/rng.h"
#include "stats/dist.h"
#include "stats/quantile.h"

/* --- the interval --- */

/* Acceleration: SUM(m - th_i)^3 / (6 (SUM(m - th_i)^2)^1.5). */
static double acceleration(const double *jackknife, size_t n)
{
	double mean = sample_mean(jackknife, n), cubes = 0, squares = 0;

	for (size_t i = 0; i < n; i++) {
		double d = mean - jackknife[i];

		squares += d * d;
		cubes += d * d * d;
	}
	return squares > 0 ? cubes / (6 * pow(squares, 1.5)) : 0;
}

static double bias(double estimate, const double *sorted, size_t n)
{
	size_t below = 0;
	double share;

	while (below < n && sorted[below] < estimate)
		below++;
	/* A share of 0 or 1 has no quantile: half a replicate is put in its place. */
	share = below == 0 ? .5 : below == n ? (double)n - .5 : (double)below;
	return dist_normal_quantile(share / (double)n);
}

bool bootstrap_bca(double estimate, double *replicates, size_t n_replicates,
	const double *jackknife, size_t n_jackknife, double alpha, double *ret_lower,
	double *ret_upper)
{
	double z0, a, bounds[2];

	*ret_lower = *ret_upper = NAN;
	for (size_t i = 0; i < n_replicates; i++)
		if (!isfinite(replicates[i]))
			return false;
	if (n_replicates == 0 || !isfinite(estimate))
		return false;
	sample_sort(replicates, n_replicates);
	z0 = bias(estimate, replicates, n_replicates);
	a = acceleration(jackknife, n_jackknife);
	for (int i = 0; i < 2; i++) {
		double z = z0 + dist_normal_quantile(i ? 1 - alpha / 2 : alpha / 2);
		double at = 1 - a * z > 0 ? z0 + z / (1 - a * z) : i ? INFINITY : -INFINITY;

		bounds[i] = sample_quantile(replicates, n_replicates, gsl_cdf_ugaussian_P(at));
	}
	*ret_lower = bounds[0];
	*ret_upper = bounds[1];
	return true;
}

/* --- scratch: one copy of the groups that statistics may reorder --- */

struct copy {
	double **x;
	size_t *n;
	size_t n_groups;
};

static struct copy copy_make(struct arena *a, const size_t *n, size_t n_groups, size_t widest)
{
	struct copy c = { ARENA_ARRAY(a, double *, n_groups), ARENA_ARRAY(a, size_t, n_groups),
		n_groups };

	for (size_t g = 0; g < n_groups; g++)
		c.x[g] = ARENA_ARRAY(a, double, widest ? widest : n[g]);
	return c;
}

static void copy_fill(struct copy *c, const double *const *x, const size_t *n)
{
	for (size_t g = 0; g < c->n_groups; g++) {
		if (n[g])
			memcpy(c->x[g], x[g], n[g] * sizeof(double));
		c->n[g] = n[g];
	}
}

static double evaluate(const struct copy *c, bootstrap_statistic f, void *arg)
{
	return f(c->x, c->n, c->n_groups, arg);
}

static bool start(const struct bootstrap_params *p, double value, struct bootstrap_params *ret,
	struct estimate *e)
{
	*ret = *p;
	if (ret->replicates == 0)
		ret->replicates = BOOTSTRAP_REPLICATES;
	if (ret->alpha <= 0)
		ret->alpha = .05;
	*e = (struct estimate){ .value = value, .lower = NAN, .upper = NAN };
	e->n_candidates = ret->replicates;
	return isfinite(value);
}

/* --- independent groups --- */

static void resample(struct copy *c, const double *const *x, const size_t *n, struct rng *r)
{
	for (size_t g = 0; g < c->n_groups; g++)
		for (size_t i = 0; i < n[g]; i++)
			c->x[g][i] = x[g][rng_below(r, n[g])];
}

static double *jackknife_values(struct arena *a, struct copy *c, const double *const *x,
	const size_t *n, bootstrap_statistic f, void *arg, size_t *ret_n)
{
	size_t total = 0, k = 0;
	double *th;

	for (size_t g = 0; g < c->n_groups; g++)
		total += n[g];
	th = ARENA_ARRAY(a, double, total);
	for (size_t g = 0; g < c->n_groups; g++)
		for (size_t i = 0; i < n[g]; i++) {
			copy_fill(c, x, n);
			c->x[g][i] = x[g][n[g] - 1];
			c->n[g]--;
			th[k++] = evaluate(c, f, arg);
		}
	*ret_n = total;
	return th;
}

void bootstrap_groups(struct arena *a, const double *const *x, const size_t *n, size_t n_groups,
	bootstrap_statistic f, void *arg, const struct bootstrap_params *p,
	struct estimate *ret)
{
	struct copy c = copy_make(a, n, n_groups, 0);
	struct bootstrap_params q;
	struct rng r;
	double *th, *jack;
	size_t n_jack;

	copy_fill(&c, x, n);
	if (!start(p, evaluate(&c, f, arg), &q, ret))
		return;
	for (size_t g = 0; g < n_groups; g++)
		if (n[g] < BOOTSTRAP_LEAST)
			return;
	th = ARENA_ARRAY(a, double, q.replicates);
	rng_init(&r, q.seed);
	for (size_t b = 0; b < q.replicates; b++) {
		resample(&c, x, n, &r);
		th[b] = evaluate(&c, f, arg);
	}
	jack = jackknife_values(a, &c, x, n, f, arg, &n_jack);
	ret->has_interval = bootstrap_bca(
		ret->value, th, q.replicates, jack, n_jack, q.alpha, &ret->lower, &ret->upper);
}

/* --- samples inside processes --- */

static void resample_nested(struct copy *c, const double *const *x, const size_t *n,
	size_t n_processes, struct rng *r)
{
	for (size_t g = 0; g < n_processes; g++) {
		size_t from = rng_below(r, n_processes);

		c->n[g] = n[from];
		for (size_t i = 0; i < n[from]; i++)
			c->x[g][i] = x[from][rng_below(r, n[from])];
	}
}

static double without(struct copy *c, const double *const *x, const size_t *n, size_t left_out,
	bootstrap_statistic f, void *arg)
{
	size_t k = 0;

	for (size_t g = 0; g < c->n_groups; g++) {
		if (g == left_out)
			continue;
		memcpy(c->x[k], x[g], n[g] * sizeof(double));
		c->n[k++] = n[g];
	}
	return f(c->x, c->n, k, arg);
}

void bootstrap_nested(struct arena *a, const double *const *samples, const size_t *n_samples,
	size_t n_processes, bootstrap_statistic f, void *arg, const struct bootstrap_params *p,
	struct estimate *ret)
{
	size_t widest = 1;
	struct bootstrap_params q;
	struct copy c;
	struct rng r;
	double *th, *jack;

	for (size_t g = 0; g < n_processes; g++)
		widest = MAX(widest, n_samples[g]);
	c = copy_make(a, n_samples, n_processes, widest);
	copy_fill(&c, samples, n_samples);
	if (!start(p, evaluate(&c, f, arg), &q, ret) || n_processes < BOOTSTRAP_LEAST)
		return;
	th = ARENA_ARRAY(a, double, q.replicates);
	jack = ARENA_ARRAY(a, double, n_processes);
	rng_init(&r, q.seed);
	for (size_t b = 0; b < q.replicates; b++) {
		resample_nested(&c, samples, n_samples, n_processes, &r);
		th[b] = evaluate(&c, f, arg);
	}
	for (size_t g = 0; g < n_processes; g++)
		jack[g] = without(&c, samples, n_samples, g, f, arg);
	ret->has_interval = bootstrap_bca(ret->value, th, q.replicates, jack, n_processes,
		q.alpha, &ret->lower, &ret->upper);
}

/* --- statistics --- */

double bootstrap_mean(double *const *x, const size_t *n, size_t n_groups, void *arg)
{
	double sum = 0, count = 0;

	for (size_t g = 0; g < n_groups; g++)
		for (size_t i = 0; i < n[g]; i++, count++)
			sum += x[g][i];
	return sum / count;
}

/* Median of the groups' medians: for one group its median, for processes the value of an arm.
 */
double bootstrap_median(double *const *x, const size_t *n, size_t n_groups, void *arg)
{
	for (size_t g = 0; g < n_groups; g++)
		x[g][0] = sample_median_in_place(x[g], n[g]);
	for (size_t g = 1; g < n_groups; g++) { /* collect and sort by insertion */
		double v = x[g][0];
		size_t i = g;

		for (; i > 0 && x[i - 1][0] > v; i--)
			x[i][0] = x[i - 1][0];
		x[i][0] = v;
	}
	return n_groups == 0  ? NAN
	       : n_groups % 2 ? x[n_groups / 2][0]
			      : (x[n_groups / 2 - 1][0] + x[n_groups / 2][0]) / 2;
}

double bootstrap_median_ratio(double *const *x, const size_t *n, size_t n_groups, void *arg)
{
	return sample_median_in_place(x[1], n[1]) / sample_median_in_place(x[0], n[0]);
}

double bootstrap_mean_ratio(double *const *x, const size_t *n, size_t n_groups, void *arg)
{
	return sample_mean(x[1], n[1]) / sample_mean(x[0], n[0]);
}
