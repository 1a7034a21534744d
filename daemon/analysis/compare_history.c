/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two reports with one value each, as uploads most often are: no test of the two, but the
 * commits of the base's segment say how far values here lie apart where nothing changes. */
#include <math.h>
#include "daemon/analysis/internal.h"
#include "stats/dist.h"
#include "stats/power.h"
#include "stats/quantile.h"
#include "stats/threshold.h"

enum { LEAST_COMMITS = 10 };

/* Variance of ln of the commits of the base's segment, head's own commit left out. */
static struct log_variance scatter_of(
	const struct timeline *t, const struct report *base, const struct report *head)
{
	const struct log_variance none = { 0 };
	size_t k = timeline_find(t, base->id), from, to, n, n_used = 0, *index;
	double *x, mean;

	if (k == t->n_commits)
		return none;
	from = timeline_segment_start(t, k);
	for (to = k + 1; to < t->n_commits && !t->commits[to].starts;)
		to++;
	x = timeline_values(t, from, to, &index, &n);
	k = timeline_find(t, head->id);
	for (size_t i = 0; i < n; i++)
		if (index[i] != k)
			x[n_used++] = x[i];
	if (n_used < LEAST_COMMITS || !values_are_positive(x, n_used))
		return none;
	x = sample_logs(t->a, x, n_used);
	mean = sample_mean(x, n_used);
	return (struct log_variance){ pow(sample_sd(x, n_used, mean), 2), (double)n_used - 1 };
}

static enum outcome direction(const struct comparison_row *row)
{
	return (row->effect > 0) == (row->better == BETTER_LOWER) ? OUTCOME_SLOWER
								  : OUTCOME_FASTER;
}

static void judge_constant(struct comparison_row *row)
{
	row->low = row->high = row->effect;
	row->method = "exact, by the history";
	row->reason = "the history has one value only";
	row->outcome = fabs(row->effect) < row->min_effect ? OUTCOME_SAME : direction(row);
}

static void judge(struct comparison_row *row, const struct log_variance *v, double alpha)
{
	double se = sqrt(2 * v->s2), d = log(row->head / row->base);
	double half = dist_t_quantile(.975, v->nu) * se;

	row->t = d / se;
	row->p = dist_t_two_sided(row->t, v->nu);
	row->low = expm1(d - half);
	row->high = expm1(d + half);
	row->detectable = power_mde(sqrt(v->s2), 1, 1, v->nu, alpha / 2, 0.8);
	row->method = "ab_log_t, by the scatter of the history";
	if (row->p <= alpha && fabs(row->effect) >= row->min_effect) {
		row->outcome = direction(row);
		row->reason = "beyond the scatter of the history";
	} else if (row->low > -row->min_effect && row->high < row->min_effect) {
		row->outcome = OUTCOME_SAME;
		row->reason = "the whole interval lies inside +-min_effect";
	} else {
		row->reason = "one value each: within what the history scatters";
	}
}

int compare_by_history(struct store *st, struct arena *a, const struct report *base,
	const struct report *head, int64_t series_id, double alpha, struct comparison_row *row,
	struct error *err)
{
	struct log_variance v;
	struct timeline t;
	struct series s;
	int r;

	row->reason = "one value each, and no 10 commits of history to judge them by";
	if (!series_id || !(row->base > 0) || !(row->head > 0))
		return OK;
	r = store_series_get(st, a, series_id, &s, err);
	if (r == OK)
		r = timeline_load(st, a, &s, TIMELINE_MAX, &t, err);
	if (r < 0)
		return r;
	v = scatter_of(&t, base, head);
	if (v.nu > 0 && v.s2 > 0)
		judge(row, &v, alpha);
	else if (v.nu > 0)
		judge_constant(row);
	return OK;
}
