/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Comparisons, gates and histories as the JSON documents of docs/api.md. */
#include <math.h>
#include <string.h>
#include "daemon/analysis/internal.h"

/* null when there is none. */
static json_t *interval_json(double low, double high)
{
	if (!isfinite(low) || !isfinite(high))
		return json_null();
	return json_pack("[ff]", low, high);
}

static json_t *strings_json(const char *const *list, size_t n)
{
	json_t *o = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(o, json_string(list[i]));
	return o;
}

static json_t *side_json(const struct report *r, const char *what)
{
	json_t *o = json_object();

	json_set_str(o, "report", r->uuid);
	json_set_str(o, "hash", r->version.hash);
	json_set_str(o, "branch", r->branch.name);
	json_set_str(o, "testbed", r->testbed.name);
	json_set_str(o, "job", r->job_uuid);
	json_set_str(o, "environment", r->environment_hash);
	json_set_str(o, "noise", noise_name(r->noise));
	json_set_time(o, "created", r->created_ns);
	if (what)
		json_set_str(o, "what", what);
	return o;
}

/* Base against itself. */
static json_t *control_json(const struct comparison_row *row)
{
	json_t *o = json_object();

	json_set_real(o, "effect", row->control.effect);
	json_object_set_new(o, "interval", interval_json(row->control.low, row->control.high));
	json_set_real(o, "p", row->control.p);
	json_set_int(o, "n", row->control.n);
	json_set_str(o, "outcome", outcome_name(row->control.outcome));
	return o;
}

/* What this host shows where nothing differs, over the rows that decide; NULL: nobody asked. */
static json_t *all_controls_json(const struct report_comparison *c)
{
	int64_t n = 0, n_different = 0;
	double largest = 0;
	json_t *o;

	for (size_t i = 0; i < c->n_rows; i++) {
		const struct comparison_row *row = &c->rows[i];

		if (!row->control.n || !row->decides)
			continue;
		n++;
		n_different += row->control.outcome == OUTCOME_SLOWER ||
			       row->control.outcome == OUTCOME_FASTER;
		if (fabs(row->control.effect) > fabs(largest))
			largest = row->control.effect;
	}
	if (!n)
		return NULL;
	o = json_object();
	json_set_int(o, "rows", n);
	json_set_int(o, "different", n_different);
	json_set_real(o, "largest", largest);
	return o;
}

static json_t *row_json(const struct comparison_row *row)
{
	json_t *o = json_object();

	json_set_str(o, "benchmark", row->benchmark);
	json_set_str(o, "measure", row->measure);
	json_set_str(o, "units", row->units);
	json_set_str(o, "better", better_name(row->better));
	json_set_real(o, "base", row->base);
	json_set_real(o, "head", row->head);
	json_set_real(o, "effect", row->effect);
	json_object_set_new(o, "interval", interval_json(row->low, row->high));
	json_set_real(o, "level", 0.95);
	json_set_real(o, "p", row->p);
	json_set_real(o, "q", row->q);
	json_set_bool(o, "stands_out", row->stands_out);
	json_set_int(o, "n_base", row->n_base);
	json_set_int(o, "n_head", row->n_head);
	json_set_str(o, "outcome", outcome_name(row->outcome));
	json_set_real(o, "min_effect", row->min_effect);
	json_set_real(o, "detectable", row->detectable);
	json_set_str(o, "noise", noise_name(row->noise));
	json_set_bool(o, "decides", row->decides);
	json_set_bool(o, "same_definition", row->same_definition);
	json_set_str(o, "method", row->method);
	json_set_str(o, "reason", row->reason);
	if (row->control.n)
		json_object_set_new(o, "control", control_json(row));
	return o;
}

json_t *comparison_rows_json(const struct report_comparison *c)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < c->n_rows; i++)
		json_array_append_new(rows, row_json(&c->rows[i]));
	return rows;
}

json_t *analysis_comparison_json(const struct report_comparison *c)
{
	json_t *o = json_object(), *counts = json_object(), *mean = json_object();
	json_t *controls = all_controls_json(c);

	json_object_set_new(o, "base", side_json(&c->base, c->base_what));
	json_object_set_new(o, "head", side_json(&c->head, c->head_what));
	json_set_bool(o, "paired", c->paired);
	json_set_str(o, "outcome", outcome_name(c->outcome));
	for (int i = OUTCOME_SAME; i < outcome_count; i++)
		json_set_int(counts, outcome_name((enum outcome)i), c->counts[i]);
	json_object_set_new(o, "counts", counts);
	json_set_bool(o, "same_environment", c->same_environment);
	json_object_set_new(o, "environment_difference",
		strings_json(c->environment_difference, c->n_environment_difference));
	json_object_set_new(o, "added", strings_json(c->added, c->n_added));
	json_object_set_new(o, "removed", strings_json(c->removed, c->n_removed));
	json_object_set_new(o, "rows", comparison_rows_json(c));
	json_set_real(mean, "ratio", c->geometric_mean);
	json_object_set_new(
		mean, "interval", interval_json(c->geometric_low, c->geometric_high));
	json_set_int(mean, "n", (int64_t)c->n_geometric);
	json_object_set_new(o, "geometric_mean", mean);
	if (controls)
		json_object_set_new(o, "control", controls);
	json_object_set_new(o, "suite",
		json_pack("{sI sI sf}", "tested", (json_int_t)c->n_suite, "stand_out",
			(json_int_t)c->n_standing_out, "q", SUITE_Q));
	return o;
}

json_t *analysis_gate_json(const struct gate *g)
{
	json_t *o = json_object(), *rules = json_array();

	json_set_str(o, "outcome", gate_outcome_name(g->outcome));
	json_set_str(o, "comparison", outcome_name(g->comparison));
	for (size_t i = 0; i < g->n_rules; i++)
		json_array_append_new(
			rules, json_pack("{ss ss ss}", "rule", g->rules[i].rule, "outcome",
				       gate_outcome_name(g->rules[i].outcome), "reason",
				       g->rules[i].reason));
	json_object_set_new(o, "rules", rules);
	json_object_set_new(o, "rows", g->rows ? json_incref(g->rows) : json_array());
	return o;
}

static json_t *segment_json(const struct history_segment *s)
{
	json_t *o = json_object();

	json_set_int(o, "start", (int64_t)s->start);
	json_set_int(o, "end", (int64_t)s->end);
	json_set_int(o, "n", (int64_t)s->n);
	json_set_real(o, "median", s->median);
	json_set_str(o, "reason", s->reason);
	return o;
}

static json_t *change_json(const struct change_point *c)
{
	json_t *o = json_object();

	json_set_int(o, "version", c->version_number);
	json_set_str(o, "hash", c->hash);
	json_set_real(o, "effect", c->effect);
	json_object_set_new(o, "interval", interval_json(c->effect_low, c->effect_high));
	json_set_real(o, "p", c->p);
	json_set_str(o, "outcome", outcome_name(c->outcome));
	json_set_real(o, "before", c->before);
	json_set_real(o, "after", c->after);
	json_set_str(o, "detector", c->detector);
	json_set_time(o, "created", c->created_ns);
	return o;
}

static json_t *boundary_json(const struct history *h)
{
	json_t *o = json_object();

	json_set_str(o, "test", h->boundary.test);
	json_set_real(o, "baseline", h->boundary.baseline);
	json_set_real(o, "lower", h->boundary.lower);
	json_set_real(o, "upper", h->boundary.upper);
	json_set_int(o, "n", h->n_baseline);
	json_set_real(o, "detectable", h->detectable);
	json_set_str(o, "origin", h->limits_origin);
	json_set_opt(o, "rule", h->limits_rule);
	json_set_str(o, "by", h->limits_by);
	json_set_opt(o, "reason", h->limits_reason);
	json_set_bool(o, "default", h->limits_origin && !strcmp(h->limits_origin, "default"));
	return o;
}

json_t *analysis_history_json(const struct history *h)
{
	json_t *o = json_object(), *segments = json_array(), *changes = json_array();

	for (size_t i = 0; i < h->n_segments; i++)
		json_array_append_new(segments, segment_json(&h->segments[i]));
	for (size_t i = 0; i < h->n_changes; i++)
		json_array_append_new(changes, change_json(&h->changes[i]));
	json_object_set_new(o, "segments", segments);
	json_object_set_new(o, "changes", changes);
	json_object_set_new(o, "boundary", boundary_json(h));
	return o;
}
