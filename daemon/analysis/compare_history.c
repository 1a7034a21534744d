/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two reports with one value each, as uploads most often are: no test of the two, but the
 * commits of the base's history say how far values here lie apart where nothing changes. */
#include <math.h>
#include <string.h>
#include "daemon/analysis/internal.h"
#include "stats/dist.h"
#include "stats/power.h"
#include "stats/quantile.h"
#include "stats/threshold.h"

enum { LEAST_NU = 9 }; /* of 10 commits of one level */

/* Squares around the mean of one segment; head's own commit (skip) is left out. */
static void add_segment(
	const struct timeline *t, size_t from, size_t to, size_t skip, struct log_variance *v)
{
	size_t n, n_used = 0, *index;
	double *x = timeline_values(t, from, to, &index, &n), *y;

	for (size_t i = 0; i < n; i++)
		if (index[i] != skip)
			x[n_used++] = x[i];
	if (n_used < 2 || !values_are_positive(x, n_used))
		return;
	y = sample_logs(t->a, x, n_used);
	v->s2 += pow(sample_sd(y, n_used, sample_mean(y, n_used)), 2) * (double)(n_used - 1);
	v->nu += (double)(n_used - 1);
}

/* Variance of ln of a commit's value, pooled over the segments between confirmed changes. */
static struct log_variance scatter_of(
	const struct timeline *t, const struct report *base, const struct report *head)
{
	struct log_variance v = { 0 };
	size_t k = timeline_find(t, base->id), skip = timeline_find(t, head->id), from, to;

	if (k == t->n_commits)
		return v;
	for (from = timeline_family_start(t, k); from < t->n_commits; from = to) {
		for (to = from + 1; to < t->n_commits && !t->commits[to].starts;)
			to++;
		add_segment(t, from, to, skip, &v);
		if (to < t->n_commits && strcmp(t->commits[to].starts, "change_point") != 0)
			break;
	}
	if (v.nu < LEAST_NU)
		return (struct log_variance){ 0 };
	v.s2 /= v.nu;
	return v;
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
		row->reason = "one value each: it may be the scatter of the history";
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

	row->reason = "one value each, and too short a history to judge them by";
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
