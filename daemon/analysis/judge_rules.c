/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A job's report where thresholds or rules are configured. What applies to a metric takes the
 * place of benchd's default: one of Bencher's tests, and own tests of what cannot be measured
 * again, are computed when the report is stored, exactly as for an upload; an own test of a
 * workload that can run again raises a suspicion, which interleaved re-runs decide. */
#include <math.h>
#include "daemon/analysis/internal.h"

int judge_rules_open(struct judging *g, const struct report *report,
	const struct result *results, size_t n, struct judged_rules *ret)
{
	struct report *kept = ARENA_NEW(g->a, struct report); /* until it is stored */
	int r;

	*kept = *report;
	report = kept;
	r = store_branch_find(
		g->st, g->a, report->project_id, report->branch.uuid, &kept->branch, g->err);
	if (r < 0)
		return r;
	*ret = (struct judged_rules){ .report = report, .results = results, .n_results = n };
	ret->rules = (struct limit_rules){
		.st = g->st, .a = g->a, .branch = &report->branch, .testbed = &report->testbed
	};
	ret->stored.metrics = ARENA_ARRAY(g->a, struct limits_metric, n + 1);
	ret->stored.run = (struct limits_run){ .project_id = report->project_id,
		.report_id = report->id,
		.report_uuid = report->uuid,
		.hash = report->version.hash,
		.branch = &report->branch,
		.testbed = &report->testbed,
		.version_number = report->version.number,
		.metrics = ret->stored.metrics };
	return limit_rules_load(&ret->rules, report->project_id, g->err);
}

int judge_rules_is_default(struct judging *g, const struct series *s, bool *ret)
{
	const struct limit_place where = { .benchmark = s->benchmark.name,
		.benchmark_slug = s->benchmark.slug,
		.measure = s->measure.name,
		.measure_slug = s->measure.slug,
		.measure_id = s->measure.id };
	struct limit_rules rules = {
		.st = g->st, .a = g->a, .branch = &s->branch, .testbed = &s->testbed
	};
	struct limit_choice choice;
	int r = limit_rules_load(&rules, g->job->project_id, g->err);

	if (r == OK)
		r = limit_rules_choose(&rules, &where, s->measure.better, &choice, g->err);
	*ret = r == OK && !choice.model_id && !choice.name;
	return r;
}

static int compare_pasts(const void *a, const void *b)
{
	const struct metric_past *x = a, *y = b;

	return (x->metric_id > y->metric_id) - (x->metric_id < y->metric_id);
}

static int find_past(struct judging *g, struct judged_rules *jr, int64_t metric_id,
	const struct metric_past **ret)
{
	size_t n = jr->n_results;
	int r = OK;

	if (!jr->pasts) {
		jr->pasts = ARENA_ARRAY(g->a, struct metric_past, n + 1);
		for (size_t i = 0; i < n; i++)
			jr->pasts[i] =
				(struct metric_past){ .metric_id = jr->results[i].metric.id,
					.change = -1 };
		qsort(jr->pasts, n, sizeof(*jr->pasts), compare_pasts);
		r = store_iteration_pasts(g->st, g->a, jr->report->id, jr->results[0].iteration,
			jr->report->branch.head_id, limit_rules_reach(&jr->rules), jr->pasts, n,
			g->err);
	}
	*ret = NULL;
	for (size_t i = 0; r == OK && i < n; i++)
		if (jr->pasts[i].metric_id == metric_id && jr->pasts[i].series_id)
			*ret = &jr->pasts[i];
	return r;
}

static bool was_asked(const struct alert *asked, size_t n, int64_t version)
{
	for (size_t i = 0; i < n; i++)
		if (asked[i].version_number == version)
			return true;
	return false;
}

static struct candidate candidate_of(const struct timeline *t, size_t at,
	const struct limit_choice *choice, const struct threshold_result *res, double value)
{
	return (struct candidate){ .at = at,
		.base = at - 1,
		.direction = res->verdict == VERDICT_SLOWER ? OUTCOME_SLOWER : OUTCOME_FASTER,
		.effect = res->effect,
		.p = res->p,
		.before = res->baseline,
		.after = value,
		.test = choice->model.test,
		.rule = choice->name ? choice->name : choice->origin,
		.min_effect = choice->model.t.min_effect };
}

static size_t commit_at(const struct timeline *t, size_t k, int64_t version)
{
	while (k > 0 && version >= 0 && t->commits[k].version > version)
		k--;
	return k;
}

/* What the rule says of the commit just measured. */
static int suspect(struct judging *g, struct judged_rules *jr, const struct timeline *t,
	size_t k, const struct result *res, const struct limit_choice *choice,
	struct candidate *ret, bool *ret_found)
{
	const struct metric_past *past;
	struct threshold_result said;
	const char *detail;
	struct alert *asked;
	size_t n;
	int64_t at;
	int r = find_past(g, jr, res->metric.id, &past);

	if (r < 0 || !past)
		return r;
	r = limits_check(g->st, g->a, &jr->stored.run, choice, past, res->metric.value, &said,
		&at, &detail, g->err);
	if (r == OK)
		r = store_alert_of_series(g->st, g->a, t->series.id, 1000, &asked, &n, g->err);
	if (r < 0 || (said.verdict != VERDICT_SLOWER && said.verdict != VERDICT_FASTER))
		return r;
	k = commit_at(t, k, at);
	n = control_release(g, asked, n);
	if (k == 0 || was_asked(asked, n, t->commits[k].version) || !t->commits[k].hash ||
		!t->commits[k - 1].hash)
		return OK;
	*ret = candidate_of(t, k, choice, &said, res->metric.value);
	*ret_found = true;
	return OK;
}

static enum rule_way way_of(
	const struct judging *g, const struct limit_choice *c, const struct result *res)
{
	bool is_default = !c->model_id && !c->name;

	if (is_default)
		return RULE_DEFAULT;
	if (c->model.kind == LIMIT_OFF)
		return RULE_OFF;
	return c->model.by_segment && c->model.confirm > 0 && g->can_rerun ? RULE_RERUN
									   : RULE_STORED;
}

int judge_rules_take(struct judging *g, struct judged_rules *jr, const struct timeline *t,
	size_t k, const struct result *res, enum rule_way *ret_way, struct candidate *ret,
	bool *ret_found)
{
	const struct limit_place where = { .benchmark = res->benchmark.name,
		.benchmark_slug = res->benchmark.slug,
		.measure = res->measure.name,
		.measure_slug = res->measure.slug,
		.measure_id = res->measure.id };
	bool is_quiet = jr->report->noise == NOISE_NOISY || !t->commits[k].counts ||
			(g->control && json_get_bool(g->control, "moved", false));
	struct limit_choice choice;
	int r = limit_rules_choose(&jr->rules, &where, res->measure.better, &choice, g->err);

	if (r < 0)
		return r;
	*ret_way = way_of(g, &choice, res);
	if (*ret_way == RULE_DEFAULT)
		return OK;
	/* A noisy run raises nothing; what re-runs decide raises nothing here. */
	jr->stored.metrics[jr->stored.n++] = (struct limits_metric){ .id = res->metric.id,
		.value = res->metric.value,
		.is_ignored = is_quiet || *ret_way == RULE_RERUN };
	if (*ret_way != RULE_RERUN || is_quiet)
		return OK;
	return suspect(g, jr, t, k, res, &choice, ret, ret_found);
}

static int compare_metrics(const void *a, const void *b)
{
	const struct limits_metric *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

void judge_rules_close(struct judging *g, struct judged_rules *jr)
{
	if (jr->stored.n == 0)
		return;
	qsort(jr->stored.metrics, jr->stored.n, sizeof(*jr->stored.metrics), compare_metrics);
	jr->stored.run.n = jr->stored.n;
	if (jr->n_results)
		jr->stored.run.iteration = jr->results[0].iteration;
	findings_add_limits(g->f, &jr->stored);
}
