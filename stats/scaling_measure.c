/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scaling from process values: medians, and what their scatter does to all that follows. */
#include <math.h>
#include <string.h>
#include "base/rng.h"
#include "stats/bootstrap.h"
#include "stats/quantile.h"
#include "stats/scaling.h"

/* What one replicate gives; rows by rising workers. */
struct replicates {
	double *speedup; /* [row][replicate] */
	double *serial, *sigma, *kappa;
	size_t n;
};

static struct replicates replicates_new(struct arena *a, size_t n_rows)
{
	return (struct replicates){
		.speedup = ARENA_ARRAY(a, double, n_rows *SCALING_REPLICATES),
		.serial = ARENA_ARRAY(a, double, SCALING_REPLICATES),
		.sigma = ARENA_ARRAY(a, double, SCALING_REPLICATES),
		.kappa = ARENA_ARRAY(a, double, SCALING_REPLICATES),
	};
}

static double drawn_median(const struct scaling_sample *s, struct rng *rng, double *scratch)
{
	for (size_t i = 0; i < s->n; i++)
		scratch[i] = s->values[rng_below(rng, s->n)];
	return sample_median_in_place(scratch, s->n);
}

static int replicate(enum scaling_kind kind, const struct scaling_sample *samples, size_t n,
	struct rng *rng, double *scratch, struct replicates *to, struct error *err)
{
	struct arena *a = arena_new();
	struct scaling_point *points = ARENA_ARRAY(a, struct scaling_point, n);
	struct scaling s;
	int r;

	for (size_t i = 0; i < n; i++)
		points[i] = (struct scaling_point){ samples[i].workers,
			drawn_median(&samples[i], rng, scratch) };
	r = scaling_make(a, kind, points, n, &s, err);
	for (size_t i = 0; r == OK && i < n; i++)
		to->speedup[i * SCALING_REPLICATES + to->n] = s.rows[i].speedup;
	if (r == OK) {
		to->serial[to->n] = s.serial_fraction;
		to->sigma[to->n] = s.sigma;
		to->kappa[to->n++] = s.kappa;
	}
	arena_free(a);
	return r;
}

static void percentiles(double *x, double *ret_lower, double *ret_upper)
{
	sample_sort(x, SCALING_REPLICATES);
	*ret_lower = sample_quantile(x, SCALING_REPLICATES, .025);
	*ret_upper = sample_quantile(x, SCALING_REPLICATES, .975);
}

static void set_intervals(struct scaling *s, const struct replicates *from)
{
	for (size_t i = 1; i < s->n; i++)
		percentiles(from->speedup + i * SCALING_REPLICATES, &s->rows[i].speedup_lower,
			&s->rows[i].speedup_upper);
	if (s->n > 1)
		percentiles(from->serial, &s->serial_lower, &s->serial_upper);
	if (!s->has_usl)
		return;
	percentiles(from->sigma, &s->sigma_lower, &s->sigma_upper);
	percentiles(from->kappa, &s->kappa_lower, &s->kappa_upper);
}

int scaling_measure(struct arena *a, enum scaling_kind kind,
	const struct scaling_sample *samples, size_t n, uint64_t seed, struct scaling *ret,
	struct error *err)
{
	struct scaling_point *points = ARENA_ARRAY(a, struct scaling_point, n);
	struct replicates all;
	struct rng rng;
	size_t least = SIZE_MAX, most = 0;
	double *scratch;
	int r;

	for (size_t i = 0; i < n; i++) {
		least = MIN(least, samples[i].n);
		most = MAX(most, samples[i].n);
		points[i] = (struct scaling_point){ samples[i].workers,
			sample_median(a, samples[i].values, samples[i].n) };
	}
	r = scaling_make(a, kind, points, n, ret, err);
	if (r != OK || least < BOOTSTRAP_LEAST)
		return r;
	all = replicates_new(a, n);
	scratch = ARENA_ARRAY(a, double, most);
	rng_init(&rng, seed);
	for (int i = 0; r == OK && i < SCALING_REPLICATES; i++)
		r = replicate(kind, samples, n, &rng, scratch, &all, err);
	if (r == OK)
		set_intervals(ret, &all);
	return r;
}
