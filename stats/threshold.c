/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/threshold.h"

#include <math.h>
#include <string.h>
#include "stats/quantile.h"

const char *const threshold_names[] = { "static", "percentage", "z_score", "t_test",
	"log_normal", "iqr", "delta_iqr", "log_t", "exact", "ab_log_t", "mann_whitney", NULL };

const char *threshold_name(enum threshold_test t)
{
	return (size_t)t < N_THRESHOLD_TESTS ? threshold_names[t] : "unknown";
}

bool threshold_find(const char *name, enum threshold_test *ret)
{
	for (size_t i = 0; i < N_THRESHOLD_TESTS; i++)
		if (strcmp(threshold_names[i], name) == 0) {
			*ret = (enum threshold_test)i;
			return true;
		}
	return false;
}

bool threshold_is_bencher(enum threshold_test t)
{
	return t <= TEST_DELTA_IQR;
}

bool threshold_takes_groups(enum threshold_test t)
{
	return t == TEST_AB_LOG_T || t == TEST_MANN_WHITNEY;
}

const char *threshold_verdict_name(enum threshold_verdict v)
{
	static const char *const names[] = { "pass", "slower", "faster", "unknown" };

	return (size_t)v < ARRAY_SIZE(names) ? names[v] : "unknown";
}

const char *threshold_side_name(enum threshold_side s)
{
	return s == SIDE_LOWER ? "lower" : s == SIDE_UPPER ? "upper" : NULL;
}

struct threshold_model threshold_defaults(enum threshold_test t)
{
	struct threshold_model m = { .test = t, .lower = NAN, .upper = NAN };

	if (threshold_is_bencher(t))
		return m;
	m.alpha = .01;
	m.min_effect = t == TEST_EXACT ? 0 : .02;
	m.max_sample = 64;
	m.min_sample = threshold_takes_groups(t) ? 0 : 10;
	return m;
}

/* --- validation --- */

static int refuse(struct error *err, const char *field, const char *what)
{
	return error_set_field(err, E_UNPROCESSABLE, field, "'%s' %s", field, what);
}

static bool is_quantile_test(enum threshold_test t)
{
	return t == TEST_Z_SCORE || t == TEST_T_TEST || t == TEST_LOG_NORMAL;
}

static int validate_boundary(
	enum threshold_test t, double b, const char *field, struct error *err)
{
	if (isnan(b))
		return OK;
	if (isinf(b))
		return refuse(err, field, "must be a finite number");
	if (is_quantile_test(t) && !(b >= .5 && b < 1))
		return refuse(err, field, "must be at least 0.5 and less than 1 for this test");
	if (t != TEST_STATIC && b < 0)
		return refuse(err, field, "must be at least 0 for this test");
	return OK;
}

static int validate_bencher(const struct threshold_model *m, struct error *err)
{
	int r = validate_boundary(m->test, m->lower, "lower_boundary", err);

	if (r == OK)
		r = validate_boundary(m->test, m->upper, "upper_boundary", err);
	if (r != OK)
		return r;
	if (isnan(m->lower) && isnan(m->upper))
		return refuse(err, "upper_boundary", "or 'lower_boundary' must be set");
	if (m->test != TEST_STATIC)
		return OK;
	if (m->lower > m->upper)
		return refuse(err, "lower_boundary", "must not be above 'upper_boundary'");
	if (m->min_sample || m->max_sample)
		return refuse(err, "min_sample_size", "has no meaning for the test 'static'");
	return OK;
}

static int validate_own(const struct threshold_model *m, struct error *err)
{
	if (!isnan(m->lower) || !isnan(m->upper))
		return refuse(err, isnan(m->lower) ? "upper_boundary" : "lower_boundary",
			"belongs to Bencher's seven tests; set 'alpha' and 'min_effect'");
	if (m->test != TEST_EXACT && !(m->alpha > 0 && m->alpha < .5))
		return refuse(err, "alpha", "must be greater than 0 and less than 0.5");
	if (m->df != 0 && !(m->df >= 1 && m->df <= 1e9))
		return refuse(err, "df", "must lie between 1 and 1000000000");
	return OK;
}

int threshold_validate(const struct threshold_model *m, struct error *err)
{
	if ((size_t)m->test >= N_THRESHOLD_TESTS)
		return refuse(err, "test", "is not known");
	if (!(m->min_effect >= 0) || isinf(m->min_effect))
		return refuse(err, "min_effect", "must be at least 0");
	if (m->min_sample > 0 && m->max_sample > 0 && m->min_sample > m->max_sample)
		return refuse(err, "min_sample_size", "must not be above 'max_sample_size'");
	return threshold_is_bencher(m->test) ? validate_bencher(m, err) : validate_own(m, err);
}

/* --- the point tests --- */

static enum threshold_verdict verdict_of(enum threshold_side side, enum compare_better better)
{
	if (side == SIDE_NONE)
		return VERDICT_PASS;
	return (side == SIDE_UPPER) == (better == LOWER_IS_BETTER) ? VERDICT_SLOWER
								   : VERDICT_FASTER;
}

static bool reaches_floor(const struct threshold_model *m, double x, double baseline)
{
	if (m->min_effect == 0 || isnan(baseline))
		return true;
	return fabs(x / baseline - 1) >= m->min_effect;
}

void threshold_judge_limits(
	const struct threshold_model *m, double x, struct threshold_result *r)
{
	r->alert = SIDE_NONE;
	if (isnan(r->lower_limit) && isnan(r->upper_limit)) {
		r->verdict = VERDICT_UNKNOWN;
		return;
	}
	if (x < r->lower_limit)
		r->alert = SIDE_LOWER;
	else if (x > r->upper_limit)
		r->alert = SIDE_UPPER;
	r->reason = r->alert ? "the value lies outside the limits" : "inside the limits";
	if (r->alert && !reaches_floor(m, x, r->baseline)) {
		r->alert = SIDE_NONE;
		r->reason = "outside the limits, but the effect is below min_effect";
	}
	r->verdict = verdict_of(r->alert, m->better);
}

struct threshold_result threshold_none(enum threshold_test t, size_t n, const char *reason)
{
	return (struct threshold_result){ .used = t,
		.n = n,
		.baseline = NAN,
		.lower_limit = NAN,
		.upper_limit = NAN,
		.p = NAN,
		.effect = NAN,
		.effect_lower = NAN,
		.effect_upper = NAN,
		.verdict = VERDICT_UNKNOWN,
		.reason = reason };
}

int threshold_check(struct arena *a, const struct threshold_model *m, const double *h, size_t n,
	double x, struct threshold_result *ret, struct error *err)
{
	int r = OK;

	if (threshold_takes_groups(m->test))
		return error_set_field(err, E_UNPROCESSABLE, "test",
			"'%s' compares groups of process values, not one value",
			threshold_name(m->test));
	if (m->max_sample > 0 && n > m->max_sample)
		n = m->max_sample;
	*ret = threshold_none(m->test, n, NULL);
	if (threshold_is_bencher(m->test)) {
		threshold_bencher(a, m, h, n, x, ret);
		return OK;
	}
	r = values_check(h, n, err);
	if (r == OK)
		r = values_check(&x, 1, err);
	if (r != OK)
		return r;
	ret->reason = "too few values in the history";
	if (n < MAX(m->min_sample, (size_t)1))
		return OK;
	if (m->test == TEST_EXACT)
		threshold_exact(m, h, n, x, ret);
	else
		threshold_log_t(a, m, h, n, x, ret);
	return OK;
}
