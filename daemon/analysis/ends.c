/* SPDX-License-Identifier: GPL-3.0-or-later */
/* On a noisy host single runs, hours apart, scatter by more than what one wants to see, and no
 * test on them can help. Then, when nothing waits, the newest commit of a segment is compared
 * with its first one in interleaved blocks; a difference is located by halving (inquiry.c).
 * On a quiet host, where the history itself can see small effects, nothing of this happens. */
#include <math.h>
#include <string.h>
#include "daemon/analysis/internal.h"

enum { LEAST_COMMITS = 3, MAX_ASKED = 1000 };
#define SEEN_WELL 0.05 /* a history that sees 5 % with 80 % power needs no help */

/* Does the job's workload have nothing else to measure on this branch? */
static int is_idle(struct judging *g, bool *ret)
{
	const struct job_filter f = { .project_id = g->job->project_id,
		.states = 1u << JOB_QUEUED | 1u << JOB_RUNNING | 1u << JOB_RETRY_WAIT |
			  1u << JOB_BLOCKED,
		.name = g->job->name,
		.branch = g->job->branch,
		.limit = 2 };
	struct job *jobs;
	size_t n;
	int r;

	r = store_job_list(g->st, g->a, &f, &jobs, &n, g->err);
	/* The one that is judged still counts as running. */
	*ret = r == OK && (n == 0 || (n == 1 && jobs[0].id == g->job->id));
	return r;
}

static bool is_open_or_asked(const struct alert *asked, size_t n, int64_t version)
{
	for (size_t i = 0; i < n; i++)
		if (asked[i].state == ALERT_SUSPECT || asked[i].version_number == version)
			return true;
	return false;
}

static int check_series(struct judging *g, const struct result *res)
{
	struct candidate c = { .direction = OUTCOME_NONE, .test = "ends" };
	struct alert *asked;
	struct timeline t;
	struct series s;
	size_t n, lo, hi;
	bool is_default;
	int r;

	r = store_series_get(g->st, g->a, res->series_id, &s, g->err);
	if (r == OK)
		r = timeline_load(g->st, g->a, &s, TIMELINE_MAX, &t, g->err);
	if (r == OK)
		r = store_alert_of_series(g->st, g->a, s.id, MAX_ASKED, &asked, &n, g->err);
	if (r == OK)
		r = judge_rules_is_default(g, &s, &is_default);
	if (r < 0 || !is_default || t.n_commits < LEAST_COMMITS)
		return r;
	hi = t.n_commits - 1;
	lo = timeline_segment_start(&t, hi);
	if (hi - lo + 1 < LEAST_COMMITS || !t.commits[lo].hash || !t.commits[hi].hash ||
		is_open_or_asked(asked, n, t.commits[hi].version) ||
		segment_detectable(&t, hi) <= SEEN_WELL)
		return OK;
	c.effect = t.commits[hi].value / t.commits[lo].value - 1;
	c.before = t.commits[lo].value;
	c.after = t.commits[hi].value;
	c.p = NAN;
	return inquiry_begin(g, &t, &c, lo, hi);
}

int judge_ends(struct judging *g, const struct job *newest)
{
	struct result *results;
	struct report report;
	bool idle;
	size_t n;
	int r;

	r = is_idle(g, &idle);
	if (r < 0 || !idle || !newest->report_uuid || g->f->n_reruns)
		return r;
	r = store_report_find(
		g->st, g->a, newest->project_id, newest->report_uuid, &report, g->err);
	if (r == OK)
		r = store_report_results(g->st, g->a, report.id, &results, &n, g->err);
	for (size_t i = 0; r == OK && i < n; i++)
		if (!measure_is_companion(&results[i].measure) &&
			!measure_may_be_counted(&results[i].measure))
			r = check_series(g, &results[i]);
	return r;
}
