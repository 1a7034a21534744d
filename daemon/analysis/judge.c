/* SPDX-License-Identifier: GPL-3.0-or-later */
/* After a job: its values against their histories. Finds, does not write. */
#include <math.h>
#include <string.h>
#include "daemon/analysis/internal.h"

enum {
	MAX_ASKED = 1000,
	MAX_SUSPECTS = 16,
	RECENT = 30,
	NEAR = 2,
	LEAST_RERUN = 12,
	LOOK_BACK = 50
};

/* --- one series of a report --- */

static void note_limits(struct judging *g, const struct timeline *t, size_t k,
	const struct result *res, const struct threshold_result *r)
{
	const struct boundary_finding b = { .metric_id = res->metric.id,
		.test = threshold_name(r->used),
		.baseline = r->baseline,
		.lower = r->lower_limit,
		.upper = r->upper_limit,
		.detail = rule_detail(g->a, r, res->metric.value, g->min_effect,
			t->commits[timeline_segment_start(t, k)].version) };

	findings_add_boundary(g->f, &b);
}

static int note_rule(
	struct judging *g, const struct timeline *t, size_t k, const struct result *res)
{
	struct threshold_result r;
	int code;

	code = rule_apply(t, k, res->metric.value, g->min_effect, &r, g->err);
	if (code == OK)
		note_limits(g, t, k, res, &r);
	return code;
}

enum { LATER_MAX = 64 /* as many values a limit is made of */ };

static int note_again(struct judging *g, const struct timeline *t, size_t k)
{
	const struct point *p = &t->points[t->commits[k].first + t->commits[k].n - 1];
	struct result res = { .metric = { .value = p->value } };
	struct metric_place m;
	int r = store_metric_of_point(
		g->st, g->a, p->series_id, p->report_id, p->iteration, &m, g->err);

	if (r < 0)
		return r == E_NOT_FOUND ? OK : r;
	res.metric.id = m.id;
	return note_rule(g, t, k, &res);
}

/* A commit that was measured late stands before others: their limits have it in their history
 * now, up to the end of the segment. */
static int note_later(struct judging *g, const struct timeline *t, size_t k)
{
	size_t end = MIN(t->n_commits, k + 1 + LATER_MAX);
	int r = OK;

	for (size_t i = k + 1; r == OK && i < end && !t->commits[i].starts; i++)
		r = note_again(g, t, i);
	return r;
}

/* An alert hangs on the metric of the commit it names. */
int find_metric(struct judging *g, const struct timeline *t, const struct commit_value *c,
	int64_t *ret_report, int64_t *ret_metric)
{
	const struct point *p = &t->points[c->first + c->n - 1];
	struct result *results;
	size_t n;
	int r;

	r = store_report_results(g->st, g->a, p->report_id, &results, &n, g->err);
	for (size_t i = 0; r == OK && i < n; i++)
		if (results[i].benchmark.id == t->series.benchmark.id &&
			results[i].measure.id == t->series.measure.id) {
			*ret_report = p->report_id;
			*ret_metric = results[i].metric.id;
			return OK;
		}
	return r < 0 ? r : error_set(g->err, E_INTERNAL, "a point has no metric");
}

static int raise_suspect(struct judging *g, const struct timeline *t, const struct candidate *c)
{
	return inquiry_begin(g, t, c, c->base, c->at);
}

static int look(struct judging *g, const struct timeline *t, struct candidate *ret, bool *found)
{
	const struct screen_rules rules = {
		.min_effect = g->min_effect, .can_rerun = g->can_rerun, .cache = &g->cache
	};
	struct alert *asked;
	size_t n;
	int r;

	*found = false;
	r = store_alert_of_series(g->st, g->a, t->series.id, MAX_ASKED, &asked, &n, g->err);
	if (r == OK)
		n = control_release(g, asked, n);
	/* Without re-runs one question at a time: later points at the new level belong to it.
	 */
	for (size_t i = 0; r == OK && !g->can_rerun && i < n; i++)
		if (asked[i].state == ALERT_SUSPECT)
			return OK;
	return r < 0 ? r : screen(t, &rules, asked, n, ret, found, g->err);
}

int judge_series(struct judging *g, struct timeline *t)
{
	struct candidate c;
	bool found = false, is_default;
	int r;

	r = judge_rules_is_default(g, &t->series, &is_default);
	if (r == OK && is_default)
		r = look(g, t, &c, &found);
	return r == OK && found ? raise_suspect(g, t, &c) : r;
}

/* --- series that nobody can measure again: the history decides alone --- */

static bool is_near(const struct timeline *t, size_t k, int64_t version)
{
	for (size_t i = k > NEAR ? k - NEAR : 0; i <= k + NEAR && i < t->n_commits; i++)
		if (t->commits[i].version == version)
			return true;
	return false;
}

static size_t commit_of(const struct timeline *t, int64_t version)
{
	size_t k = 0;

	while (k + 1 < t->n_commits && t->commits[k].version < version)
		k++;
	return k;
}

static void take_change(struct alert *al, const struct change_point *c)
{
	al->state = ALERT_CONFIRMED;
	al->reason = REASON_BY_HISTORY;
	al->direction = c->outcome;
	al->effect = c->effect;
	al->effect_low = c->effect_low;
	al->effect_high = c->effect_high;
	al->p = c->p;
	al->baseline = c->before;
	al->value = c->after;
}

static void confirm_by_history(struct judging *g, const struct timeline *t,
	const struct alert *al, const struct change_point *c)
{
	size_t k = commit_of(t, al->version_number);
	struct alert_finding f = { .alert = *al,
		.clear = &t->points[t->commits[k].first],
		.n_clear = t->commits[k].n };

	take_change(&f.alert, c);
	findings_add_alert(g->f, &f);
}

static int alert_by_history(
	struct judging *g, const struct timeline *t, size_t k, const struct change_point *c)
{
	struct alert_finding f = { .alert = { .series_id = t->series.id,
					   .version_number = t->commits[k].version,
					   .hash = t->commits[k].hash } };
	int r;

	take_change(&f.alert, c);
	r = find_metric(g, t, &t->commits[k], &f.alert.report_id, &f.metric_id);
	if (r == OK)
		findings_add_alert(g->f, &f);
	return r;
}

/* A change that an alert covers confirms it; a recent one that none covers makes one. */
static int cover_change(struct judging *g, const struct timeline *t,
	const struct change_point *c, const struct alert *asked, size_t n_asked)
{
	size_t k = commit_of(t, c->version_number);

	if (c->outcome != OUTCOME_SLOWER || k + RECENT < t->n_commits)
		return OK;
	for (size_t i = 0; i < n_asked; i++)
		if (is_near(t, k, asked[i].version_number)) {
			if (asked[i].state == ALERT_SUSPECT && asked[i].direction == c->outcome)
				confirm_by_history(g, t, &asked[i], c);
			return OK;
		}
	return alert_by_history(g, t, k, c);
}

static void replace_changes(struct judging *g, const struct timeline *t, int64_t from_version,
	const struct change_point *c, size_t n)
{
	struct change_finding f = { .series_id = t->series.id,
		.changes = ARENA_ARRAY(g->a, struct change_point, t->n_changes + n + 1) };

	for (size_t i = 0; i < t->n_changes; i++)
		if (t->changes[i].version_number < from_version)
			f.changes[f.n++] = t->changes[i];
	for (size_t i = 0; i < n; i++)
		f.changes[f.n++] = c[i];
	findings_add_change(g->f, &f);
}

static int judge_by_history(struct judging *g, const struct timeline *t)
{
	struct change_point *c;
	struct alert *asked;
	size_t n, from, n_asked;
	int r;

	r = screen_history(t, g->min_effect, &c, &n, &from, g->err);
	if (r < 0 || n == 0)
		return r;
	replace_changes(g, t, t->commits[from].version, c, n);
	r = store_alert_of_series(
		g->st, g->a, t->series.id, MAX_ASKED, &asked, &n_asked, g->err);
	if (r == OK)
		n_asked = control_release(g, asked, n_asked);
	for (size_t i = 0; r == OK && i < n; i++)
		r = cover_change(g, t, &c[i], asked, n_asked);
	return r;
}

/* --- a report --- */

struct suspicion {
	struct timeline t;
	struct candidate c;
};

static int compare_suspicions(const void *a, const void *b)
{
	const struct suspicion *x = a, *y = b;

	return (x->c.p > y->c.p) - (x->c.p < y->c.p);
}

static int judge_if_counted(struct judging *g, struct timeline *t, size_t k,
	const struct report *report, const struct result *res, bool *ret)
{
	struct threshold_result limits;
	double *x;
	size_t n;
	int r;

	*ret = false;
	if (!measure_may_be_counted(&res->measure))
		return OK;
	r = cache_values(&g->cache, report->id, &t->series, &x, &n, g->err);
	if (r < 0 || n == 0 || !values_are_counts(&res->measure, x, n))
		return r;
	*ret = true;
	r = judge_counts(g, t, k, report, res, &limits);
	if (r == OK)
		note_limits(g, t, k, res, &limits);
	return r;
}

static int judge_result(struct judging *g, struct judged_rules *rules,
	const struct report *report, const struct result *res, struct suspicion *ret,
	bool *found)
{
	struct timeline *t = &ret->t;
	enum rule_way way;
	bool is_counted = false;
	struct series s;
	size_t k;
	int r;

	*found = false;
	r = store_series_get(g->st, g->a, res->series_id, &s, g->err);
	if (r == OK)
		r = timeline_load(g->st, g->a, &s, TIMELINE_MAX, t, g->err);
	if (r < 0)
		return r;
	k = timeline_find(t, report->id);
	if (k == t->n_commits) /* measured aside, or older than what is looked at */
		return OK;
	r = judge_rules_take(g, rules, t, k, res, &way, &ret->c, found);
	if (r == OK && way == RULE_DEFAULT)
		r = judge_if_counted(g, t, k, report, res, &is_counted);
	if (r < 0 || way != RULE_DEFAULT || is_counted)
		return r;
	r = note_rule(g, t, k, res);
	if (r == OK)
		r = note_later(g, t, k);
	if (r < 0 || measure_is_companion(&res->measure))
		return r;
	r = inquiry_narrow(g, t, t->commits[k].version);
	if (r < 0)
		return r;
	r = look(g, t, &ret->c, found);
	return r == OK && !g->can_rerun ? judge_by_history(g, t) : r;
}

/* Of many suspicions the strongest are followed up: the others, if they are real, come back
 * with the next commit. */
static int follow_up(struct judging *g, struct suspicion *s, size_t n)
{
	int r = OK;

	if (n)
		qsort(s, n, sizeof(*s), compare_suspicions);
	for (size_t i = 0; r == OK && i < MIN(n, (size_t)MAX_SUSPECTS); i++)
		r = raise_suspect(g, &s[i].t, &s[i].c);
	return r;
}

static int judge_report(struct judging *g, const char *uuid)
{
	struct judged_rules rules;
	struct suspicion *s;
	struct result *results;
	struct report report;
	size_t n, n_found = 0;
	int r;

	r = store_report_find(g->st, g->a, g->job->project_id, uuid, &report, g->err);
	if (r == OK)
		r = store_report_results(g->st, g->a, report.id, &results, &n, g->err);
	if (r == OK)
		r = judge_rules_open(g, &report, results, n, &rules);
	if (r < 0)
		return r;
	s = ARENA_ARRAY(g->a, struct suspicion, n + 1);
	for (size_t i = 0; r == OK && i < n; i++) {
		bool found = false;

		if (results[i].iteration == results[0].iteration)
			r = judge_result(g, &rules, &report, &results[i], &s[n_found], &found);
		n_found += found;
	}
	judge_rules_close(g, &rules);
	return r < 0 ? r : follow_up(g, s, n_found);
}

/* --- a job --- */

static void keep_comparison(struct judging *g, const struct report_comparison *c)
{
	_cleanup_(json_decref)
	json_t *o = analysis_comparison_json(c);
	_cleanup_(free)
	char *text = json_text(o);

	g->f->result_json = arena_strdup(g->a, text);
	g->f->outcome = c->outcome;
}

/* A re-run begins with twice the processes, and with enough for its test's level. */
static int64_t rerun_processes(struct arena *a, const struct job *j)
{
	struct error ignored;
	json_t *definition;
	int64_t n = 10;

	if (json_parse(j->definition_json, strlen(j->definition_json), &definition, &ignored) ==
		OK) {
		arena_own_json(a, definition);
		n = json_get_int(json_object_get(definition, "protocol"), "processes", n);
	}
	return MIN(MAX(2 * n, LEAST_RERUN), 300);
}

/* The newest job of this workload and branch that measured it whole; *ret_id 0: none. */
static int find_newest(struct judging *g, struct job *ret, struct error *err)
{
	const struct job_filter f = { .project_id = g->job->project_id,
		.states = 1u << JOB_SUCCEEDED,
		.name = g->job->name,
		.branch = g->job->branch,
		.limit = LOOK_BACK };
	struct job *jobs;
	size_t n;
	int r;

	*ret = (struct job){ 0 };
	r = store_job_list(g->st, g->a, &f, &jobs, &n, err);
	for (size_t i = 0; r == OK && i < n; i++)
		if (strcmp(jobs[i].trigger, "confirm") != 0)
			return store_job_get(g->st, g->a, jobs[i].id, ret, err);
	return r;
}

static int judge_reports(struct judging *g)
{
	const struct job *j = g->job;
	int r = OK;

	if (j->base_report_uuid)
		r = judge_report(g, j->base_report_uuid);
	return r == OK ? judge_report(g, j->report_uuid) : r;
}

/* Further re-runs take the workload as it was filed, not what a re-run made of it. */
static int judge_answer(
	struct judging *g, const struct report_comparison *c, const struct job *newest)
{
	if (newest->id) {
		g->origin_id = newest->id;
		g->n_processes = rerun_processes(g->a, newest);
	}
	return g->job->base_report_uuid ? judge_rerun(g, c) : OK;
}

static int judge_all(struct judging *g, const struct report_comparison *c)
{
	struct job newest = *g->job;
	int r;

	if (strcmp(g->job->trigger, "confirm") != 0) {
		r = judge_reports(g);
	} else {
		r = find_newest(g, &newest, g->err);
		if (r == OK)
			r = judge_answer(g, c, &newest);
	}
	return r == OK && g->can_rerun && newest.id ? judge_ends(g, &newest) : r;
}

enum { BRIEF_POINTS = 500 }; /* under a millisecond */

int analysis_is_brief(struct store *st, const struct job *j, bool *ret, struct error *err)
{
	int64_t n;
	int r;

	*ret = false;
	if (!j->report_uuid || j->base_report_uuid || !strcmp(j->trigger, "confirm"))
		return OK;
	r = store_report_reach(st, j->report_uuid, BRIEF_POINTS, &n, err);
	*ret = r == OK && n < BRIEF_POINTS;
	return r;
}

int analysis_judge(struct store *st, struct arena *a, const struct job *j,
	struct findings **ret, struct error *err)
{
	struct judging g = { .st = st,
		.a = a,
		.job = j,
		.min_effect = job_min_effect(a, j),
		.can_rerun = !strcmp(j->kind, "build"),
		.n_processes = rerun_processes(a, j),
		.cache = { .st = st, .a = a },
		.f = ARENA_NEW(a, struct findings),
		.err = err };
	struct report_comparison c;
	int r;

	g.f->a = a;
	r = order_note(&g);
	if (r == OK)
		r = control_look(&g);
	if (r < 0)
		return r;
	if (j->base_report_uuid) {
		r = analysis_compare_job(st, a, j, NULL, &c, err);
		if (r < 0)
			return r;
		keep_comparison(&g, &c);
	}
	control_keep(&g);
	r = judge_all(&g, &c);
	if (r == OK)
		r = control_hold(&g);
	*ret = g.f;
	return r;
}
