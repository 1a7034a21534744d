/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/compare.h"

#include <math.h>
#include "stats/interval.h"
#include "stats/quantile.h"
#include "stats/rank.h"

const char *compare_outcome_name(enum compare_outcome o)
{
	static const char *const names[] = { "same", "faster", "slower", "unknown" };

	return (size_t)o < ARRAY_SIZE(names) ? names[o] : "unknown";
}

const char *compare_better_name(enum compare_better b)
{
	return b == HIGHER_IS_BETTER ? "higher" : "lower";
}

struct compare_params compare_defaults(void)
{
	return (struct compare_params){ .better = LOWER_IS_BETTER,
		.alpha = .01,
		.interval_alpha = .05,
		.min_effect = .02 };
}

static int check_params(const struct compare_params *p, struct error *err)
{
	if (!(p->alpha > 0 && p->alpha < 1) ||
		!(p->interval_alpha > 0 && p->interval_alpha < 1))
		return error_set(err, E_UNPROCESSABLE, "alpha must lie between 0 and 1");
	if (!(p->min_effect >= 0) || isinf(p->min_effect))
		return error_set(err, E_UNPROCESSABLE, "min_effect must be at least 0");
	return OK;
}

static int check_arms(const double *base, size_t n_base, const double *head, size_t n_head,
	const struct compare_params *p, struct error *err)
{
	int r = check_params(p, err);

	if (r == OK && (n_base > COMPARE_MAX || n_head > COMPARE_MAX))
		return error_set(
			err, E_TOO_LARGE, "more than %d process values in an arm", COMPARE_MAX);
	if (r == OK && (r = values_check(base, n_base, err)) != OK)
		return error_prefix(err, "base: ");
	if (r == OK && (r = values_check(head, n_head, err)) != OK)
		return error_prefix(err, "head: ");
	return r;
}

/* Arms as the test sees them: logarithms, or the raw values where a log does not exist. */
struct arms {
	const double *base, *head;
	bool absolute;
};

static struct arms transform(
	struct arena *a, const double *base, size_t n_base, const double *head, size_t n_head)
{
	if (!values_are_positive(base, n_base) || !values_are_positive(head, n_head))
		return (struct arms){ base, head, true };
	return (struct arms){ sample_logs(a, base, n_base), sample_logs(a, head, n_head),
		false };
}

static void store_estimate(const struct estimate *e, struct comparison *ret)
{
	ret->effect = ret->absolute ? e->value : expm1(e->value);
	ret->lower = ret->absolute ? e->lower : expm1(e->lower);
	ret->upper = ret->absolute ? e->upper : expm1(e->upper);
	ret->has_interval = e->has_interval;
}

/* The smallest two-sided p that so many processes can give: one arrangement of 2^n (pairs) or
 * of C(n + m, n), at either end. */
static double least_p(const struct comparison *c)
{
	double arrangements = 1;

	if (c->paired)
		return ldexp(2, -(int)MIN(c->n_base, (size_t)1000));
	for (size_t i = 1; i <= c->n_base && arrangements < 1e9; i++)
		arrangements *= (double)(c->n_head + i) / (double)i;
	return 2 / arrangements;
}

static void decide(const struct compare_params *p, struct comparison *c)
{
	bool worse = p->better == LOWER_IS_BETTER ? c->effect > 0 : c->effect < 0;

	c->outcome = COMPARE_UNKNOWN;
	if (c->p <= p->alpha && fabs(c->effect) >= p->min_effect && c->effect != 0) {
		c->outcome = worse ? COMPARE_SLOWER : COMPARE_FASTER;
		c->reason = "p is at most alpha and the effect reaches min_effect";
	} else if (c->has_interval && c->lower >= -p->min_effect && c->upper <= p->min_effect) {
		c->outcome = COMPARE_SAME;
		c->reason = "the whole interval lies inside +-min_effect";
	} else if (!c->has_interval) {
		c->reason = "too few processes for an interval";
	} else if (c->p <= p->alpha) {
		c->reason = "p is at most alpha, but the effect is below min_effect";
	} else if (least_p(c) > p->alpha) {
		c->reason = "so few processes cannot show a difference: their p is never at "
			    "most alpha; measure more";
	} else {
		c->reason =
			"neither a difference nor equality can be shown with these processes";
	}
}

int compare_paired(struct arena *a, const double *base, const double *head, size_t n,
	const struct compare_params *p, struct comparison *ret, struct error *err)
{
	double *d;
	struct arms t;
	struct rank_test test;
	struct estimate e;
	int r = check_arms(base, n, head, n, p, err);

	if (r != OK)
		return r;
	t = transform(a, base, n, head, n);
	d = ARENA_ARRAY(a, double, n);
	for (size_t i = 0; i < n; i++)
		d[i] = t.head[i] - t.base[i];
	signed_rank(a, d, n, &test);
	hodges_lehmann_paired(a, d, n, p->interval_alpha, &e);
	*ret = (struct comparison){ .n_base = n, .n_head = n, .paired = true };
	ret->absolute = t.absolute;
	ret->base = sample_centre(a, base, n);
	ret->head = sample_centre(a, head, n);
	ret->p = test.p;
	ret->exact = test.exact;
	store_estimate(&e, ret);
	decide(p, ret);
	return OK;
}

int compare_unpaired(struct mw_tails *tails, struct arena *a, const double *base, size_t n_base,
	const double *head, size_t n_head, const struct compare_params *p,
	struct comparison *ret, struct error *err)
{
	struct arms t;
	struct rank_test test;
	struct estimate e;
	int r = check_arms(base, n_base, head, n_head, p, err);

	if (r != OK)
		return r;
	t = transform(a, base, n_base, head, n_head);
	mann_whitney(tails, a, base, n_base, head, n_head, &test);
	hodges_lehmann(tails, a, t.base, n_base, t.head, n_head, p->interval_alpha, &e);
	*ret = (struct comparison){ .n_base = n_base, .n_head = n_head };
	ret->absolute = t.absolute;
	ret->base = sample_centre(a, base, n_base);
	ret->head = sample_centre(a, head, n_head);
	ret->p = test.p;
	ret->exact = test.exact;
	store_estimate(&e, ret);
	decide(p, ret);
	return OK;
}
