/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The comparison of two arms: effect, interval, p and outcome in one call.
 *
 * Input are process values, one a process (never the samples of one process). Effects are
 * relative, head/base - 1, computed on logarithms. With a value <= 0 in it the same is done on
 * the raw scale: `absolute` is then set, and effect, interval and min_effect are differences in
 * the measure's unit. Pure, any thread. */
#ifndef STATS_COMPARE_H
#define STATS_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/error.h"
#include "stats/mw_tails.h"

enum compare_better { LOWER_IS_BETTER, HIGHER_IS_BETTER };
enum compare_outcome { COMPARE_SAME, COMPARE_FASTER, COMPARE_SLOWER, COMPARE_UNKNOWN };

const char *compare_outcome_name(
	enum compare_outcome o); /* "same", "faster", "slower", "unknown" */
const char *compare_better_name(enum compare_better b); /* "lower", "higher" */

enum { COMPARE_MAX = 2000 }; /* process values an arm */

struct compare_params {
	enum compare_better better;
	double alpha;	       /* two-sided level of the test, for each look: .01 */
	double interval_alpha; /* of the interval: .05 */
	double min_effect;     /* least relative effect that counts: .02 */
};
/* The defaults of measurement reference 2.5. */
struct compare_params compare_defaults(void);

struct comparison {
	enum compare_outcome outcome;
	size_t n_base, n_head;
	double base, head; /* median of the arm's process values (log scale) */
	double effect;	   /* Hodges-Lehmann, head/base - 1 */
	bool has_interval;
	double lower, upper; /* of effect; NaN without */
	double p;	     /* two-sided */
	bool exact;	     /* p comes from the exact null distribution */
	bool paired, absolute;
	const char *reason; /* why the outcome, a static phrase */
};

/* Interleaved blocks: base[i] and head[i] are the two processes of block i. Wilcoxon
 * signed-rank on the log ratios, paired Hodges-Lehmann with its signed-rank interval.
 *
 * Outcome of each look: `faster` or `slower` if p <= alpha and |effect| >= min_effect; `same`
 * if the whole interval lies inside +-min_effect; else `unknown`. n = 0 is unknown. A value
 * that is not finite is E_UNPROCESSABLE, an arm over COMPARE_MAX is E_TOO_LARGE. */
int compare_paired(struct arena *a, const double *base, const double *head, size_t n,
	const struct compare_params *p, struct comparison *ret, struct error *err) must_check;

/* Independent arms: Mann-Whitney and Hodges-Lehmann. The same outcomes. */
int compare_unpaired(struct mw_tails *tails, struct arena *a, const double *base, size_t n_base,
	const double *head, size_t n_head, const struct compare_params *p,
	struct comparison *ret, struct error *err) must_check;

#endif
