/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/sequential.h"

#include <assert.h>
#include <math.h>

void sequential_init(struct sequential *s, double variance, double tau, double alpha,
	double min_effect, enum compare_better better)
{
	assert(variance > 0 && tau > 0 && alpha > 0 && alpha < 1 && min_effect >= 0);
	*s = (struct sequential){ .variance = variance,
		.tau = tau,
		.alpha = alpha,
		.min_effect = min_effect,
		.better = better,
		.p = 1 };
}

double sequential_half_width(double variance, double tau, double alpha, size_t n)
{
	double m = (double)n, wide = variance + m * tau * tau;

	return sqrt(variance * wide / (m * m * tau * tau) *
		    (2 * log(1 / alpha) + log(wide / variance)));
}

static enum compare_outcome decide(const struct sequential *s, const struct sequential_look *l)
{
	if ((l->lower > 0 || l->upper < 0) && fabs(l->effect) > s->min_effect)
		return (l->effect > 0) == (s->better == LOWER_IS_BETTER) ? COMPARE_SLOWER
									 : COMPARE_FASTER;
	if (l->lower >= -s->min_effect && l->upper <= s->min_effect)
		return COMPARE_SAME;
	return COMPARE_UNKNOWN;
}

struct sequential_look sequential_add(struct sequential *s, double log_ratio)
{
	struct sequential_look l = { 0 };
	double n, d, t2 = s->tau * s->tau, wide, half;

	s->n++;
	s->sum += log_ratio;
	n = (double)s->n;
	d = s->sum / n;
	wide = s->variance + n * t2;
	l.likelihood =
		sqrt(s->variance / wide) * exp(n * n * t2 * d * d / (2 * s->variance * wide));
	s->p = fmin(s->p, fmin(1, 1 / l.likelihood));
	half = sequential_half_width(s->variance, s->tau, s->alpha, s->n);
	l.p = s->p;
	l.effect = expm1(d);
	l.lower = expm1(d - half);
	l.upper = expm1(d + half);
	l.outcome = decide(s, &l);
	return l;
}
