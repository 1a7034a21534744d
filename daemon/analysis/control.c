/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control kernel: unchanging work, measured before a job that depends on it (workloads with
 * the tag "control"). When it moved against its own history the host moved, not the code: what
 * the job seems to show is held back as one question about the host. */
#include <math.h>
#include <string.h>
#include "daemon/analysis/internal.h"

#define CONTROL_TAG "control"
#define HELD "held: "
#define CONTROL_LEVEL 0.01 /* of one run, shared by the series of its control */

struct mover { /* the series of the control that moved most surely */
	const char *benchmark, *measure;
	double effect, low, high, p;
	size_t n_series; /* judged at all */
};

/* --- did it move? --- */

static bool is_control(struct arena *a, const struct job *j)
{
	json_t *definition, *tag;
	struct error ignored;
	size_t i;

	if (json_parse(j->definition_json, strlen(j->definition_json), &definition, &ignored) <
		0)
		return false;
	arena_own_json(a, definition);
	json_array_foreach (json_object_get(definition, "tags"), i, tag)
		if (json_is_string(tag) && !strcmp(json_string_value(tag), CONTROL_TAG))
			return true;
	return false;
}

/* One measure a benchmark, as for a mean over benchmarks: its time if it has one. */
static bool speaks_for(const struct result *res, const struct result *all, size_t n)
{
	const struct result *best = NULL;

	for (size_t i = 0; i < n; i++) {
		if (all[i].benchmark.id != res->benchmark.id ||
			measure_is_companion(&all[i].measure))
			continue;
		if (!best || !strcmp(all[i].measure.slug, "latency"))
			best = &all[i];
	}
	return best == res;
}

static int judge_control(struct judging *g, const struct report *report,
	const struct result *res, struct mover *m)
{
	struct threshold_result t;
	struct timeline line;
	double p;
	struct series s;
	size_t k;
	int r;

	r = store_series_get(g->st, g->a, res->series_id, &s, g->err);
	if (r == OK)
		r = timeline_load(g->st, g->a, &s, TIMELINE_MAX, &line, g->err);
	if (r < 0)
		return r;
	k = timeline_find(&line, report->id);
	if (k == line.n_commits)
		return OK;
	r = rule_apply(&line, k, res->metric.value, 0, &t, g->err);
	if (r < 0 || t.verdict == VERDICT_UNKNOWN || !isfinite(t.p))
		return r;
	p = fmin(1, 2 * fmin(t.p, 1 - t.p)); /* the rule asks one side only */
	if (m->n_series++ == 0 || p < m->p) {
		m->benchmark = res->benchmark.name;
		m->measure = res->measure.name;
		m->effect = t.effect;
		m->low = t.effect_lower;
		m->high = t.effect_upper;
		m->p = p;
	}
	return OK;
}

static int judge_controls(struct judging *g, const struct job *control, struct mover *m)
{
	struct result *results;
	struct report report;
	size_t n;
	int r;

	r = store_report_find(
		g->st, g->a, control->project_id, control->report_uuid, &report, g->err);
	if (r == OK)
		r = store_report_results(g->st, g->a, report.id, &results, &n, g->err);
	for (size_t i = 0; r == OK && i < n; i++)
		if (speaks_for(&results[i], results, n))
			r = judge_control(g, &report, &results[i], m);
	return r;
}

/* Each series has its share of the level. */
static bool has_moved(const struct mover *m)
{
	return m->n_series && m->p * (double)m->n_series < CONTROL_LEVEL && m->effect != 0;
}

static json_t *control_json(struct arena *a, const struct job *control, const struct mover *m)
{
	json_t *o = arena_own_json(a, json_object());
	bool moved = has_moved(m);

	json_set_str(o, "job", control->uuid);
	json_set_bool(o, "moved", moved);
	json_set_int(o, "n_series", (int64_t)m->n_series);
	if (m->n_series) {
		json_set_str(o, "benchmark", m->benchmark);
		json_set_str(o, "measure", m->measure);
		json_set_real(o, "effect", m->effect);
		json_object_set_new(o, "interval",
			isfinite(m->low) && isfinite(m->high)
				? json_pack("[ff]", m->low, m->high)
				: json_null());
		json_set_real(o, "p", m->p);
	}
	json_set_str(o, "reason",
		moved	      ? arena_printf(a,
					HELD "the control kernel moved by %+.1f %% on this host",
					100 * m->effect)
		: m->n_series ? "the control kernel did not move"
			      : "the history of the control kernel is too short");
	return o;
}

int control_look(struct judging *g)
{
	struct mover m = { .p = 1 };
	int64_t *ids;
	size_t n;
	int r;

	r = store_job_awaited(g->st, g->a, g->job->id, &ids, &n, g->err);
	for (size_t i = 0; r == OK && i < n && !g->control; i++) {
		struct job on;

		r = store_job_get(g->st, g->a, ids[i], &on, g->err);
		if (r < 0 || on.state != JOB_SUCCEEDED || !on.report_uuid ||
			!is_control(g->a, &on))
			continue;
		r = judge_controls(g, &on, &m);
		if (r == OK)
			g->control = control_json(g->a, &on, &m);
	}
	return r;
}

void control_keep(struct judging *g)
{
	_cleanup_(json_decref)
	json_t *o = NULL;
	_cleanup_(free)
	char *text = NULL;

	if (!g->control)
		return;
	if (g->f->result_json)
		o = json_loads(g->f->result_json, 0, NULL);
	if (!o)
		o = json_object();
	json_object_set(o, "control", g->control);
	text = json_text(o);
	g->f->result_json = arena_strdup(g->a, text);
}

/* --- holding back --- */

static bool is_held(const struct alert *al)
{
	return al->state == ALERT_SUSPECT && al->reason &&
	       !strncmp(al->reason, HELD, strlen(HELD));
}

static int has_held(struct judging *g, int64_t series_id, bool *ret)
{
	struct alert *open;
	size_t n;
	int r = store_alert_open(g->st, g->a, series_id, &open, &n, g->err);

	*ret = false;
	for (size_t i = 0; r == OK && i < n; i++)
		*ret |= is_held(&open[i]);
	return r;
}

static int hold_points(struct judging *g)
{
	struct findings *f = g->f;
	struct result *results;
	struct report report;
	size_t n;
	int r;

	r = store_report_find(
		g->st, g->a, g->job->project_id, g->job->report_uuid, &report, g->err);
	if (r == OK)
		r = store_report_results(g->st, g->a, report.id, &results, &n, g->err);
	if (r < 0)
		return r;
	f->held = ARENA_ARRAY(g->a, struct point, n + 1);
	for (size_t i = 0; i < n; i++)
		f->held[f->n_held++] = (struct point){ .series_id = results[i].series_id,
			.version_number = report.version.number,
			.report_id = report.id };
	return OK;
}

/* New suspicions stay, with the reason why nobody is told; what was known before is not touched
 * by numbers of such a run, and nothing is measured again for them. */
int control_hold(struct judging *g)
{
	struct findings *f = g->f;
	size_t kept = 0;

	if (!g->control || !json_get_bool(g->control, "moved", false))
		return OK;
	for (size_t i = 0; i < f->n_alerts; i++) {
		struct alert_finding *al = &f->alerts[i];
		bool is_known = true;
		int r;

		if (al->alert.id)
			continue;
		r = has_held(g, al->alert.series_id, &is_known);
		if (r < 0)
			return r;
		if (is_known)
			continue;
		al->alert.state = ALERT_SUSPECT;
		al->alert.reason = json_get_str(g->control, "reason", HELD);
		f->alerts[kept++] = *al;
	}
	f->n_alerts = kept;
	f->n_reruns = 0;
	f->n_changes = 0;
	return hold_points(g);
}

int control_save(struct store *st, const struct findings *f, struct error *err)
{
	int r = OK;

	for (size_t i = 0; r == OK && i < f->n_held; i++)
		r = store_point_flags(st, f->held[i].series_id, f->held[i].version_number,
			f->held[i].report_id, POINT_HELD, 0, err);
	return r;
}

/* --- letting go: the next run decides without prejudice --- */

static bool is_let_go(const struct findings *f, int64_t alert_id)
{
	for (size_t i = 0; i < f->n_alerts; i++)
		if (f->alerts[i].alert.id == alert_id)
			return true;
	return false;
}

size_t control_release(struct judging *g, struct alert *asked, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct alert_finding al = { .alert = asked[i] };

		if (!is_held(&asked[i])) {
			asked[kept++] = asked[i];
			continue;
		}
		if (is_let_go(g->f, asked[i].id))
			continue;
		al.alert.state = ALERT_RESOLVED;
		al.alert.reason = arena_printf(g->a, "environment: %s; judged anew by job %s",
			asked[i].reason + strlen(HELD), g->job->uuid);
		findings_add_alert(g->f, &al);
	}
	return kept;
}

/* --- reading --- */

json_t *analysis_control(struct arena *a, const struct job *j)
{
	struct error ignored;
	json_t *o;

	if (!j->result_json ||
		json_parse(j->result_json, strlen(j->result_json), &o, &ignored) < 0)
		return NULL;
	return json_object_get(arena_own_json(a, o), "control");
}
