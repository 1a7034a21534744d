/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The limits on the next point of a history, by the rule that applies to it: what the page of a
 * series draws, and why. */
#include <math.h>
#include <string.h>
#include "base/clock.h"
#include "daemon/analysis/internal.h"

static bool is_same_definition(const struct point *p, const struct point *q)
{
	const char *a = p->definition_hash, *b = q->definition_hash;

	return (!a && !b) || (a && b && !strcmp(a, b));
}

static int64_t newest_change(const struct timeline *t)
{
	int64_t newest = -1;

	for (size_t i = 0; i < t->n_changes; i++)
		newest = MAX(newest, t->changes[i].version_number);
	for (size_t i = 0; i < t->n_inherited; i++)
		newest = MAX(newest, t->inherited[i].version_number);
	return newest;
}

/* The history that a value behind the newest point will have, newest first. */
static struct metric_past past_of(const struct timeline *t, size_t max)
{
	const struct point *last = &t->points[t->n_points - 1];
	struct metric_past past = { .series_id = t->series.id,
		.change = newest_change(t),
		.self = { .version_number = last->version_number + 1,
			.environment_id = last->environment_id,
			.definition_id = 1 } };

	past.values = ARENA_ARRAY(t->a, struct past, t->n_points);
	for (size_t i = t->n_points; i-- > 0 && past.n < max;) {
		const struct point *p = &t->points[i];

		if (p->flags & POINT_ASIDE)
			continue;
		past.values[past.n++] = (struct past){ .value = p->value,
			.version_number = p->version_number,
			.report_id = p->report_id,
			.iteration = p->iteration,
			.time_ns = p->time_ns,
			.environment_id = p->environment_id,
			.definition_id = is_same_definition(p, last) ? 1 : 2,
			.flags = p->flags };
	}
	return past;
}

static int choose(struct store *st, const struct timeline *t, struct limit_rules *rules,
	struct limit_choice *ret, struct error *err)
{
	const struct series *s = &t->series;
	const struct limit_place where = { .benchmark = s->benchmark.name,
		.benchmark_slug = s->benchmark.slug,
		.measure = s->measure.name,
		.measure_slug = s->measure.slug,
		.measure_id = s->measure.id };
	int r;

	*rules = (struct limit_rules){
		.st = st, .a = t->a, .branch = &s->branch, .testbed = &s->testbed
	};
	r = limit_rules_load(rules, s->project_id, err);
	return r < 0 ? r : limit_rules_choose(rules, &where, s->measure.better, ret, err);
}

static const char *why_none(const struct limit_choice *c, const struct threshold_result *r)
{
	if (c->model.kind == LIMIT_OFF)
		return "no limits are wanted here";
	if (c->model.kind == LIMIT_CHANGES || threshold_takes_groups(c->model.t.test))
		return "this test has no limits for a single value";
	return r->reason;
}

/* By what is configured. */
static int configured(struct store *st, const struct timeline *t, struct history *h,
	const struct limit_rules *rules, const struct limit_choice *c, struct error *err)
{
	const struct point *last = &t->points[t->n_points - 1];
	const struct metric_past past = past_of(t, (size_t)limit_rules_reach(rules));
	const struct limits_run run = { .now_ns = clock_realtime_ns(),
		.version_number = past.self.version_number };
	struct threshold_result r = { .n = 0 };
	const char *ignored;
	int64_t at;
	int code = OK;

	h->boundary.test = c->model.test;
	if (c->model.kind != LIMIT_OFF)
		code = limits_check(
			st, t->a, &run, c, &past, last->value, &r, &at, &ignored, err);
	if (code < 0)
		return code;
	h->n_baseline = (int64_t)r.n;
	if (c->model.kind == LIMIT_POINT && !threshold_takes_groups(c->model.t.test)) {
		h->boundary.baseline = r.baseline;
		h->boundary.lower = r.lower_limit;
		h->boundary.upper = r.upper_limit;
	}
	if (isnan(h->boundary.lower) && isnan(h->boundary.upper))
		h->limits_reason = why_none(c, &r);
	return OK;
}

/* By benchd's default, on commits. */
static int usual(const struct timeline *t, struct history *h, struct error *err)
{
	struct threshold_result r;
	int code = rule_apply(t, t->n_commits, t->commits[t->n_commits - 1].value,
		DEFAULT_MIN_EFFECT, &r, err);

	if (code < 0)
		return code;
	h->n_baseline = (int64_t)r.n;
	if (r.verdict == VERDICT_UNKNOWN) {
		h->limits_reason = r.reason;
		return OK;
	}
	h->boundary.test = threshold_name(r.used);
	h->boundary.baseline = r.baseline;
	h->boundary.lower = r.lower_limit;
	h->boundary.upper = r.upper_limit;
	return OK;
}

int limits_next(
	struct store *st, const struct timeline *t, struct history *h, struct error *err)
{
	struct limit_rules rules;
	struct limit_choice c;
	int r = choose(st, t, &rules, &c, err);

	if (r < 0)
		return r;
	h->boundary = (struct boundary){ NAN, NAN, NAN, "log_t", NULL };
	h->detectable = NAN;
	h->limits_origin = c.origin;
	h->limits_rule = c.name;
	h->limits_by = limit_choice_text(t->a, &c);
	if (t->n_commits == 0 || !isfinite(t->commits[t->n_commits - 1].value)) {
		h->limits_reason = "there is no value yet";
		return OK;
	}
	if (c.model_id || c.name)
		return configured(st, t, h, &rules, &c, err);
	h->detectable = segment_detectable(t, t->n_commits - 1);
	return usual(t, h, err);
}
