/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a re-run decides: base and head were measured again in interleaved blocks, so drift of
 * the machine hit both alike. Only this makes a suspect a confirmed change, and its effect and
 * interval are the re-run's, not those of the run that raised the suspicion (which was looked
 * at because it was large). */
#include <math.h>
#include <string.h>
#include "daemon/analysis/internal.h"

enum { MAX_RERUNS = 3, MAX_OPEN = 100 };

enum decision { CONFIRMED, NOT_REPRODUCED, AGAIN };

struct question { /* one open suspect that this re-run answers */
	struct judging *g;
	struct timeline *t;
	const struct alert *alert;
	const struct comparison_row *row;
	int64_t n_reruns;
};

static enum decision decide(const struct question *q)
{
	if (q->row->outcome == q->alert->direction)
		return CONFIRMED;
	/* Too noisy to tell, and the effect looks real: once more, but not for ever. */
	if (q->row->outcome == OUTCOME_UNKNOWN && fabs(q->row->effect) >= q->row->min_effect &&
		(q->row->effect > 0) == (q->alert->effect > 0) && q->n_reruns < MAX_RERUNS)
		return AGAIN;
	return NOT_REPRODUCED;
}

static json_t *detail_of(struct arena *a, const struct alert *al)
{
	struct error ignored;
	json_t *o;

	if (!al->detail_json ||
		json_parse(al->detail_json, strlen(al->detail_json), &o, &ignored) < 0)
		o = json_object();
	return arena_own_json(a, o);
}

static const char *new_detail(const struct question *q, json_t *detail)
{
	_cleanup_(json_decref)
	json_t *rerun = json_object();
	_cleanup_(free)
	char *text = NULL;

	json_set_str(rerun, "job", q->g->job->uuid);
	json_set_str(rerun, "outcome", outcome_name(q->row->outcome));
	json_set_real(rerun, "effect", q->row->effect);
	json_set_real(rerun, "low", q->row->low);
	json_set_real(rerun, "high", q->row->high);
	json_set_real(rerun, "p", q->row->p);
	json_set_int(rerun, "pairs", q->row->n_head);
	json_object_set(detail, "rerun", rerun);
	json_set_int(detail, "reruns", q->n_reruns + 1);
	text = json_text(detail);
	return arena_strdup(q->g->a, text);
}

static struct change_point change_of(const struct question *q)
{
	return (struct change_point){ .series_id = q->t->series.id,
		.version_number = q->alert->version_number,
		.hash = q->alert->hash,
		.effect = q->row->effect,
		.effect_low = q->row->low,
		.effect_high = q->row->high,
		.p = q->row->p,
		.before = q->row->base,
		.after = q->row->head,
		.outcome = q->row->outcome,
		.detector = "rerun" };
}

static void save_changes(struct judging *g, const struct timeline *t)
{
	const struct change_finding f = {
		.series_id = t->series.id, .changes = t->changes, .n = t->n_changes
	};

	findings_add_change(g->f, &f);
}

/* A regression is over when a later change brings the level back. */
static void close_fixed(const struct question *q, const struct alert *open, size_t n)
{
	bool lower_is_better = q->t->series.measure.better == BETTER_LOWER;

	for (size_t i = 0; i < n; i++) {
		struct alert_finding f = { .alert = open[i] };
		double back = q->row->head / open[i].baseline - 1;

		if (open[i].state != ALERT_CONFIRMED ||
			open[i].version_number >= q->alert->version_number ||
			(lower_is_better ? back : -back) > q->row->min_effect)
			continue;
		f.alert.state = ALERT_RESOLVED;
		f.alert.reason = "fixed";
		findings_add_alert(q->g->f, &f);
	}
}

/* The points of the commit in question count again, whatever the answer is. */
static void answer(const struct question *q, enum alert_state state, const char *reason)
{
	struct alert_finding f = { .alert = *q->alert, .clear = POINT_SUSPECT };
	struct timeline *t = q->t;

	f.alert.state = state;
	f.alert.reason = reason;
	f.alert.detail_json = new_detail(q, detail_of(q->g->a, q->alert));
	if (state == ALERT_CONFIRMED || q->row->outcome == q->alert->direction) {
		f.alert.effect = q->row->effect;
		f.alert.effect_low = q->row->low;
		f.alert.effect_high = q->row->high;
		f.alert.p = q->row->p;
		f.alert.baseline = q->row->base;
		f.alert.value = q->row->head;
	}
	for (size_t k = 0; k < t->n_commits; k++)
		if (t->commits[k].version == q->alert->version_number) {
			f.points = &t->points[t->commits[k].first];
			f.n_points = t->commits[k].n;
			for (size_t i = 0; i < f.n_points; i++)
				t->points[t->commits[k].first + i].flags &=
					~(unsigned)POINT_SUSPECT;
		}
	findings_add_alert(q->g->f, &f);
}

static void ask_again(const struct question *q)
{
	struct alert_finding f = { .alert = *q->alert };
	const char *name = q->t->series.benchmark.name;

	f.alert.detail_json = new_detail(q, detail_of(q->g->a, q->alert));
	findings_add_alert(q->g->f, &f);
	findings_add_rerun(q->g->f, q->g->job->head_hash, q->g->job->base_hash,
		arena_strndup(q->g->a, name, strcspn(name, "[/")), q->g->n_processes);
}

static int settle(const struct question *q, const struct alert *open, size_t n_open)
{
	enum decision d = decide(q);
	struct change_point c;

	if (d == AGAIN) {
		ask_again(q);
		return OK;
	}
	if (d == NOT_REPRODUCED) {
		answer(q, ALERT_RESOLVED, "not_reproduced");
	} else {
		bool is_worse = q->alert->direction == OUTCOME_SLOWER;

		answer(q, is_worse ? ALERT_CONFIRMED : ALERT_RESOLVED,
			is_worse ? "" : "faster, confirmed");
		c = change_of(q);
		timeline_add_change(q->t, &c);
		save_changes(q->g, q->t);
		if (!is_worse)
			close_fixed(q, open, n_open);
	}
	/* With this answered the history looks different: the change may be next door. */
	timeline_refresh(q->t);
	return judge_series(q->g, q->t);
}

static int judge_row(struct judging *g, const struct comparison_row *row)
{
	const struct job *j = g->job;
	struct alert *open;
	struct timeline t;
	struct series s;
	size_t n;
	int r;

	r = store_series_find(g->st, g->a, j->project_id, j->branch, j->testbed, row->benchmark,
		row->measure, &s, g->err);
	if (r == OK)
		r = store_alert_open(g->st, g->a, s.id, &open, &n, g->err);
	if (r == OK)
		r = timeline_load(g->st, g->a, &s, TIMELINE_MAX, &t, g->err);
	for (size_t i = 0; r == OK && i < n; i++) {
		struct question q = { .g = g, .t = &t, .alert = &open[i], .row = row };

		if (open[i].state != ALERT_SUSPECT || !open[i].hash || !j->head_hash ||
			strcmp(open[i].hash, j->head_hash) != 0)
			continue;
		q.n_reruns = json_get_int(detail_of(g->a, &open[i]), "reruns", 1);
		r = settle(&q, open, n);
	}
	return r == E_NOT_FOUND ? OK : r;
}

int judge_rerun(struct judging *g, const struct report_comparison *c)
{
	int r = OK;

	for (size_t i = 0; r == OK && i < c->n_rows; i++)
		if (c->rows[i].decides)
			r = judge_row(g, &c->rows[i]);
	return r;
}
