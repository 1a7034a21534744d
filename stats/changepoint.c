/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/changepoint.h"

#include <math.h>
#include <string.h>
#include "stats/e_divisive.h"
#include "stats/partition.h"
#include "stats/quantile.h"

/* One fixed setting per detector. */
const struct detector detectors[] = {
	{ "seeded_mw", "rank-based seeded binary segmentation: quiet on heavy tails and spikes",
		{ .alpha = .05, .min_segment = 3 }, 100000, seeded_mw_detect },
	{ "pelt_mbic",
		"optimal partition by squares with a modified BIC: for tame, normal noise",
		{ .alpha = .05, .penalty = 3, .min_segment = 2 }, 20000, pelt_mbic_detect },
	{ "pelt_trend",
		"optimal partition into levels and slopes: for sizes, never for timings",
		{ .alpha = .05, .penalty = 3, .min_segment = 3 }, 20000, pelt_trend_detect },
	{ "potts_l1", "optimal partition by absolute deviations: a robust second opinion",
		{ .alpha = .05, .penalty = 3, .min_segment = 3 }, 10000, potts_l1_detect },
	{ "e_divisive",
		"energy statistics in windows as Apache Otava has it: for compatibility",
		{ .alpha = .05, .min_segment = 1, .window = 50, .p = .001 }, 100000,
		e_divisive_detect },
	{ 0 },
};

const struct detector *detector_find(const char *name)
{
	for (const struct detector *d = detectors; d->name; d++)
		if (strcmp(d->name, name) == 0)
			return d;
	return NULL;
}

struct detector_params detector_history_params(
	const struct detector *d, bool is_continuous, uint64_t seed)
{
	struct detector_params p = d->defaults;

	p.newest = 400;
	p.min_points = 20;
	p.min_effect = .02;
	p.jitter = is_continuous ? 1e-7 : 0;
	p.seed = seed;
	return p;
}

static int check_params(const struct detector_params *p, struct error *err)
{
	if (!(p->alpha >= 0 && p->alpha < 1))
		return error_set_field(
			err, E_UNPROCESSABLE, "alpha", "'alpha' must lie between 0 and 1");
	if (!(p->jitter >= 0 && p->jitter <= .01))
		return error_set_field(
			err, E_UNPROCESSABLE, "jitter", "'jitter' must lie between 0 and 0.01");
	if (!(p->penalty >= 0 && p->penalty <= 1e6))
		return error_set_field(err, E_UNPROCESSABLE, "penalty",
			"'penalty' must lie between 0 and 1000000");
	if (p->min_segment < 1 || p->min_segment > 100000)
		return error_set_field(err, E_UNPROCESSABLE, "min_segment",
			"'min_segment' must lie between 1 and 100000");
	if (p->window > 500 || p->window == 1)
		return error_set_field(
			err, E_UNPROCESSABLE, "window", "'window' must lie between 2 and 500");
	if (!(p->p >= 0 && p->p < 1))
		return error_set_field(
			err, E_UNPROCESSABLE, "p", "'p' must lie between 0 and 1");
	if (!(p->magnitude >= 0))
		return error_set_field(
			err, E_UNPROCESSABLE, "magnitude", "'magnitude' must be at least 0");
	if (!(p->min_effect >= 0 && p->min_effect <= 100))
		return error_set_field(err, E_UNPROCESSABLE, "min_effect",
			"'min_effect' must lie between 0 and 100");
	return OK;
}

int change_points_detect(const struct detector *d, struct mw_tails *tails, struct arena *a,
	const double *x, size_t n, const struct detector_params *p, struct change_points *ret,
	struct error *err)
{
	size_t skip;
	int r;

	p = p ? p : &d->defaults;
	r = check_params(p, err);
	if (r != OK)
		return r;
	skip = p->newest > 0 && n > p->newest ? n - p->newest : 0;
	if (n - skip > d->max_points)
		return error_set(err, E_TOO_LARGE, "%zu points: %s takes at most %zu", n - skip,
			d->name, d->max_points);
	r = values_check(x, n, err);
	if (r != OK)
		return r;
	*ret = (struct change_points){ 0 };
	if (n - skip < p->min_points)
		return OK;
	r = d->detect(tails, a, x + skip, n - skip, p, ret);
	if (r != OK)
		return error_set(err, r, "%s failed", d->name);
	change_points_merge(a, x + skip, n - skip, p->min_effect, ret);
	for (size_t i = 0; i < ret->n; i++)
		ret->index[i] += skip;
	return OK;
}

double change_effect(double before, double after)
{
	if (before == after)
		return 0;
	return before == 0 ? INFINITY : fabs(after - before) / fabs(before);
}

double change_relative(double before, double after)
{
	return copysign(change_effect(before, after), after - before);
}

/* Medians of the segments between change points; scratch is used again for each. */
struct medians {
	const double *x;
	size_t n;
	double *scratch, *value;
};

static size_t boundary(const struct change_points *c, size_t i, size_t n)
{
	return i == 0 ? 0 : i > c->n ? n : c->index[i - 1];
}

static double median_of(struct medians *m, size_t start, size_t end)
{
	memcpy(m->scratch, m->x + start, (end - start) * sizeof(double));
	return sample_median_in_place(m->scratch, end - start);
}

static size_t smallest_change(const struct medians *m, size_t n, double *ret_effect)
{
	size_t best = 0;

	*ret_effect = INFINITY;
	for (size_t i = 0; i < n; i++) {
		double e = change_effect(m->value[i], m->value[i + 1]);

		if (e < *ret_effect) {
			*ret_effect = e;
			best = i;
		}
	}
	return best;
}

static void remove_change(struct medians *m, struct change_points *c, size_t i)
{
	size_t after = c->n - i - 1;

	memmove(c->index + i, c->index + i + 1, after * sizeof(*c->index));
	memmove(c->score + i, c->score + i + 1, after * sizeof(*c->score));
	memmove(m->value + i + 1, m->value + i + 2, after * sizeof(*m->value));
	c->n--;
	m->value[i] = median_of(m, boundary(c, i, m->n), boundary(c, i + 1, m->n));
}

void change_points_merge(
	struct arena *a, const double *x, size_t n, double min_effect, struct change_points *c)
{
	struct medians m = { .x = x, .n = n };
	double effect;

	if (c->n == 0 || !(min_effect > 0))
		return;
	m.scratch = ARENA_ARRAY(a, double, n);
	m.value = ARENA_ARRAY(a, double, c->n + 1);
	for (size_t i = 0; i <= c->n; i++)
		m.value[i] = median_of(&m, boundary(c, i, n), boundary(c, i + 1, n));
	while (c->n > 0) {
		size_t i = smallest_change(&m, c->n, &effect);

		if (!(effect < min_effect))
			return;
		remove_change(&m, c, i);
	}
}

struct segment *change_points_segments(struct arena *a, const double *x, size_t n,
	const struct change_points *c, size_t *ret_n)
{
	struct medians m = { .x = x, .n = n, .scratch = ARENA_ARRAY(a, double, n) };
	struct segment *s = ARENA_ARRAY(a, struct segment, c->n + 1);

	*ret_n = n > 0 ? c->n + 1 : 0;
	for (size_t i = 0; i < *ret_n; i++) {
		size_t start = boundary(c, i, n), end = boundary(c, i + 1, n);
		double mean = sample_mean(x + start, end - start);

		s[i] = (struct segment){ start, end, median_of(&m, start, end), mean,
			sample_sd(x + start, end - start, mean), NAN };
		if (i > 0)
			s[i].change = change_relative(s[i - 1].median, s[i].median);
	}
	return s;
}
