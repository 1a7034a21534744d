/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Thresholds: does one new value, or one new group of process values, stand out?
 *
 * Bencher's seven tests are bit-equal where their arithmetic is (static, percentage, iqr,
 * delta_iqr, every baseline) and agree to 1e-9 where a quantile function is involved; source:
 * Bencher's published behaviour. log_t is the default point test: a prediction interval of
 * Student's t on the log scale. Pure, any thread.
 *
 * A history is given NEWEST FIRST (h[0] is the latest), as Bencher's tests sum in that order
 * and `exact` compares with the latest. */
#ifndef STATS_THRESHOLD_H
#define STATS_THRESHOLD_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/error.h"
#include "stats/compare.h"
#include "stats/mw_tails.h"

enum threshold_test {
	/* Bencher's seven */
	TEST_STATIC,
	TEST_PERCENTAGE,
	TEST_Z_SCORE,
	TEST_T_TEST,
	TEST_LOG_NORMAL,
	TEST_IQR,
	TEST_DELTA_IQR,
	/* our own: point tests */
	TEST_LOG_T,
	TEST_EXACT,
	/* our own: groups of process values */
	TEST_AB_LOG_T,
	TEST_MANN_WHITNEY,
	N_THRESHOLD_TESTS,
};

const char *threshold_name(enum threshold_test t); /* "log_t" */
bool threshold_find(const char *name, enum threshold_test *ret);
bool threshold_is_bencher(enum threshold_test t);
bool threshold_takes_groups(enum threshold_test t);
/* All names, NULL-terminated, in the order of the enum. */
extern const char *const threshold_names[];

enum direction { DIRECTION_WORSE, DIRECTION_BETTER, DIRECTION_BOTH };

/* The immutable parameters of a threshold. */
struct threshold_model {
	enum threshold_test test;
	double lower, upper;	  /* Bencher's boundaries L and U; NaN = not set */
	double alpha;		  /* own tests: one-sided level per direction */
	double df;		  /* log_t: degrees of freedom; 0 = n - 1 */
	double min_effect;	  /* least relative effect that may alert */
	size_t min_sample;	  /* fewer values: no verdict; 0 = unset */
	size_t max_sample;	  /* newest values used; 0 = all */
	enum direction direction; /* own tests */
	enum compare_better better;
	bool zero_variance_exact; /* z_score, t_test, log_normal: fall back to exact when s = 0
				   */
	bool lower_is_quantile; /* log_normal: the true lower quantile, not the mirrored one */
	bool static_first;	/* static: judge the first value of a series too */
};

/* Defaults: Bencher's own for the seven (no floor, no sample sizes, no boundary), else
 * alpha .01, min_effect .02 (exact: 0), 10 to 64 values, worse direction, lower is better. */
struct threshold_model threshold_defaults(enum threshold_test t);
/* Limits of each member, E_UNPROCESSABLE naming Bencher's field names. */
int threshold_validate(const struct threshold_model *m, struct error *err) must_check;

enum threshold_verdict { VERDICT_PASS, VERDICT_SLOWER, VERDICT_FASTER, VERDICT_UNKNOWN };
enum threshold_side { SIDE_NONE, SIDE_LOWER, SIDE_UPPER };

const char *threshold_verdict_name(enum threshold_verdict v); /* "pass", "slower", ... */
const char *threshold_side_name(enum threshold_side s);	      /* NULL, "lower", "upper" */

/* What is stored with a boundary. Absent numbers are NaN. */
struct threshold_result {
	enum threshold_test used; /* log_t with s = 0 falls back to exact, and says so here */
	size_t n;		  /* values of history used */
	double baseline, lower_limit, upper_limit;
	double p; /* one-sided in the direction asked (both: the smaller); groups: two-sided */
	double effect; /* relative to the baseline; in the measure's unit if `absolute` */
	double effect_lower, effect_upper;
	bool absolute; /* a value <= 0 made the raw scale necessary */
	enum threshold_side alert;
	enum threshold_verdict verdict; /* unknown when no limit could be computed */
	const char *reason;		/* static phrase */
};

/* Judge value x against history h[0..n), newest first. The model must be valid. For the seven,
 * values that are not finite make limits absent, as in Bencher; the own tests refuse them with
 * E_UNPROCESSABLE. Group tests are E_UNPROCESSABLE here. */
int threshold_check(struct arena *a, const struct threshold_model *m, const double *h, size_t n,
	double x, struct threshold_result *ret, struct error *err) must_check;

/* Nothing is judged: no limits, no p, verdict unknown. n values of history; reason: static or
 * NULL. */
struct threshold_result threshold_none(enum threshold_test t, size_t n, const char *reason);

/* --- groups of process values --- */

/* Variance of ln of single-process values in the segment: pooled within commits where a commit
 * has more than one process (nu = SUM (P-1)), else across commits (nu = n-1). nu = 0: none. */
struct log_variance {
	double s2, nu;
};
struct log_variance threshold_log_variance(
	struct arena *a, const double *const *values, const size_t *n_values, size_t n_commits);

struct threshold_groups {
	const double *base, *head; /* process values of the two arms */
	size_t n_base, n_head;
	struct log_variance history; /* ab_log_t only; nu < 9: Welch's test on logs */
	double interval_alpha;	     /* of the effect's interval; 0 = .05 */
};

/* ab_log_t: t = d/(s_p sqrt(1/f_a + 1/f_b)), d = difference of mean logs, s_p pooled from both
 * arms and the history, nu = nu_h + f_a - 1 + f_b - 1. mann_whitney: exact two-sided test,
 * Hodges-Lehmann effect and interval. An alert needs p/2 < alpha in the direction asked and
 * |effect| >= min_effect; n in the result counts the processes of both arms. */
int threshold_check_groups(struct mw_tails *tails, struct arena *a,
	const struct threshold_model *m, const struct threshold_groups *g,
	struct threshold_result *ret, struct error *err) must_check;

/* --- parts, shared by the files of this topic --- */

/* Set alert and verdict of a point test from its limits (strict comparison) and the floor. */
void threshold_judge_limits(
	const struct threshold_model *m, double x, struct threshold_result *r);
void threshold_bencher(struct arena *a, const struct threshold_model *m, const double *h,
	size_t n, double x, struct threshold_result *r);
void threshold_log_t(struct arena *a, const struct threshold_model *m, const double *h,
	size_t n, double x, struct threshold_result *r);
void threshold_exact(const struct threshold_model *m, const double *h, size_t n, double x,
	struct threshold_result *r);

#endif
