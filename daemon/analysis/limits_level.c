/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Has the level changed? Asked where nothing can be measured again: an upload's value outside
 * its limits is a suspicion, and the next reports answer it. `confirm` of them must show the
 * same, one after the other; one that does not ends it.
 *
 * While it is open its values are kept out of the baseline (POINT_SUSPECT). Confirmed, the
 * change is a change point: a new segment begins, and nothing alerts at the new level. A
 * regression is over when as many reports in a row are back at the old level. */
#include <math.h>
#include <string.h>
#include "daemon/analysis/internal.h"
#include "stats/changepoint.h"
#include "stats/quantile.h"

static json_t *detail_of(struct arena *a, const struct alert *al)
{
	struct error ignored;
	json_t *o;

	if (!al->detail_json ||
		json_parse(al->detail_json, strlen(al->detail_json), &o, &ignored) < 0)
		o = json_object();
	return arena_own_json(a, o);
}

static const char *text_of(struct arena *a, const json_t *o)
{
	_cleanup_(free)
	char *text = json_text(o);

	return arena_strdup(a, text);
}

static const char *waiting(struct arena *a, int64_t seen, int64_t wanted)
{
	return arena_printf(a,
		"no workload can measure it again: waits for the next reports, %lld of %lld "
		"have shown it so far",
		(long long)seen, (long long)wanted);
}

static int64_t since(const struct level *l, const struct alert *al)
{
	return MIN(al->version_number, l->run->version_number);
}

/* Values under suspicion, this one first; their median is the new level. */
static double new_level(const struct level *l, int64_t from)
{
	double *x = ARENA_ARRAY(l->a, double, l->past->n + 1);
	size_t n = 0;

	x[n++] = l->metric->value;
	for (size_t i = 0; i < l->past->n; i++)
		if (l->past->values[i].version_number >= from &&
			(l->at >= 0 || l->past->values[i].flags & POINT_SUSPECT))
			x[n++] = l->past->values[i].value;
	return sample_quantile(sample_sorted(l->a, x, n), n, .5);
}

static int flag_self(const struct level *l, unsigned set, struct error *err)
{
	return store_point_flags(l->st, l->past->series_id, l->run->version_number,
		l->run->report_id, set, set ? 0 : POINT_SUSPECT, err);
}

/* The suspicion is answered: its values count again, in the segment they belong to. */
static int clear_flags(const struct level *l, int64_t from, struct error *err)
{
	int r = flag_self(l, 0, err);

	for (size_t i = 0; r == OK && i < l->past->n; i++) {
		const struct past *p = &l->past->values[i];

		if (p->version_number >= from && p->flags & POINT_SUSPECT)
			r = store_point_flags(l->st, l->past->series_id, p->version_number,
				p->report_id, 0, POINT_SUSPECT, err);
	}
	return r;
}

static int add_change(const struct level *l, const struct change_point *c, struct error *err)
{
	struct change_point *old, *all;
	size_t n, k = 0;
	int r = store_change_points(l->st, l->a, l->past->series_id, &old, &n, err);

	if (r < 0)
		return r;
	all = ARENA_ARRAY(l->a, struct change_point, n + 1);
	for (size_t i = 0; i < n; i++)
		if (old[i].version_number < c->version_number)
			all[k++] = old[i];
	all[k++] = *c;
	for (size_t i = 0; i < n; i++)
		if (old[i].version_number > c->version_number)
			all[k++] = old[i];
	return store_change_points_save(l->st, l->past->series_id, all, k, l->run->now_ns, err);
}

/* The change at version began at the one under test. */
static int move_change(const struct level *l, int64_t version, struct error *err)
{
	struct change_point *all;
	size_t n;
	int r = store_change_points(l->st, l->a, l->past->series_id, &all, &n, err);

	for (size_t i = 0; r == OK && i < n; i++)
		if (all[i].version_number == version) {
			all[i].version_number = l->run->version_number;
			all[i].hash = l->run->hash;
		}
	return r < 0 ? r
		     : store_change_points_save(
			       l->st, l->past->series_id, all, n, l->run->now_ns, err);
}

/* Later commits were measured before: one value among them is no question about the newest
 * level. */
static bool is_late_value(const struct level *l)
{
	return l->past->n > 0 && l->past->values[0].version_number > l->run->version_number;
}

static int note(const struct level *l, const struct alert *al, const char *kind,
	const char *text, struct error *err)
{
	return store_alert_entry_add(l->st, al->id, l->run->now_ns, NULL, kind, text, err);
}

static int save(const struct level *l, struct alert *al, const char *kind, struct error *err)
{
	int r;

	al->modified_ns = l->run->now_ns;
	r = store_alert_save(l->st, al, err);
	return r < 0 ? r : note(l, al, kind, al->reason, err);
}

static struct change_point change_of(
	const struct level *l, const struct alert *al, enum outcome outcome, const char *test)
{
	return (struct change_point){ .series_id = al->series_id,
		.version_number = al->version_number,
		.hash = al->hash,
		.effect = al->effect,
		.effect_low = al->effect_low,
		.effect_high = al->effect_high,
		.p = al->p,
		.before = al->baseline,
		.after = al->value,
		.outcome = outcome,
		.detector = test,
		.created_ns = l->run->now_ns };
}

/* --- a regression that is over --- */

static bool is_back(const struct level *l, const struct alert *al, double value)
{
	double back = value / al->baseline - 1, whole = al->value / al->baseline - 1;

	if (!(al->baseline > 0) || !(value > 0) || !(al->value > 0))
		return false;
	if (l->past->better == BETTER_HIGHER) {
		back = -back;
		whole = -whole;
	}
	return back <= MAX(l->choice->model.t.min_effect, whole / 4);
}

static int close_fixed(const struct level *l, int64_t version, double level, struct error *err)
{
	struct alert al;

	if (!l->past->confirmed || l->past->confirmed->version_number >= version)
		return OK;
	al = *l->past->confirmed;
	if (al.direction != OUTCOME_SLOWER || !is_back(l, &al, level))
		return OK;
	al.state = ALERT_RESOLVED;
	al.reason = "fixed";
	return save(l, &al, "resolved", err);
}

/* --- answers --- */

static int confirm(const struct level *l, struct alert *al, struct error *err)
{
	bool is_worse = al->direction == OUTCOME_SLOWER;
	struct change_point c;
	int r;

	al->value = new_level(l, since(l, al));
	if (al->baseline > 0)
		al->effect = al->value / al->baseline - 1;
	al->state = is_worse ? ALERT_CONFIRMED : ALERT_RESOLVED;
	al->reason = is_worse ? "shown by reports in a row; not measured again by benchd"
			      : "faster, confirmed";
	c = change_of(l, al, al->direction, l->choice->model.test);
	r = add_change(l, &c, err);
	if (r == OK)
		r = clear_flags(l, since(l, al), err);
	if (r == OK && !is_worse)
		r = close_fixed(l, al->version_number, al->value, err);
	return r < 0 ? r : save(l, al, is_worse ? "confirmed" : "resolved", err);
}

static int drop(const struct level *l, struct alert *al, struct error *err)
{
	int r = clear_flags(l, since(l, al), err);

	al->state = ALERT_RESOLVED;
	al->reason = "not_reproduced";
	return r < 0 ? r : save(l, al, "resolved", err);
}

static enum outcome direction_of(enum threshold_verdict v)
{
	return v == VERDICT_SLOWER   ? OUTCOME_SLOWER
	       : v == VERDICT_FASTER ? OUTCOME_FASTER
				     : OUTCOME_NONE;
}

static json_t *first_detail(const struct level *l)
{
	const struct threshold_result *r = l->result;
	json_t *o = json_object();

	json_set_str(o, "test", l->choice->model.test);
	json_set_str(o, "origin", l->choice->origin);
	json_set_opt(o, "rule", l->choice->name);
	json_set_bool(o, "waits_for_reports", true);
	json_set_int(o, "wanted", l->choice->model.confirm);
	json_set_int(o, "seen", 0);
	json_set_int(o, "last_report", l->run->report_id);
	json_set_int(o, "n_history", (int64_t)r->n);
	json_set_real(o, "lower_limit", r->lower_limit);
	json_set_real(o, "upper_limit", r->upper_limit);
	json_set_real(o, "detectable", l->detectable);
	return arena_own_json(l->a, o);
}

static int raise_suspect(const struct level *l, struct error *err)
{
	const struct threshold_result *r = l->result;
	struct alert al = { .series_id = l->past->series_id,
		.report_id = l->run->report_id,
		.state = ALERT_SUSPECT,
		.direction = direction_of(r->verdict),
		.effect = r->effect,
		.effect_low = r->effect_lower,
		.effect_high = r->effect_upper,
		.p = r->p,
		.baseline = r->baseline,
		.value = l->metric->value,
		.version_number = l->at >= 0 ? l->at : l->run->version_number,
		.hash = l->at >= 0 && l->at != l->run->version_number ? NULL : l->run->hash,
		.created_ns = l->run->now_ns,
		.modified_ns = l->run->now_ns };
	int e;

	al.detail_json = text_of(l->a, first_detail(l));
	al.reason = waiting(l->a, 0, l->choice->model.confirm);
	e = store_alert_add(l->st, l->a, &al, l->metric->id, err);
	if (e == OK)
		e = note(l, &al, "suspect", al.reason, err);
	/* A change point needs no further report: many showed it. */
	if (e == OK && (l->choice->model.confirm == 0 || l->at >= 0))
		return confirm(l, &al, err);
	return e < 0 ? e : flag_self(l, POINT_SUSPECT, err);
}

/* One more report that shows it. Iterations of one report are one. */
static int go_on(const struct level *l, struct alert *al, struct error *err)
{
	json_t *o = detail_of(l->a, al);
	int64_t seen = json_get_int(o, "seen", 0), wanted = json_get_int(o, "wanted", 2);
	int r = flag_self(l, POINT_SUSPECT, err);

	if (r < 0 || json_get_int(o, "last_report", 0) == l->run->report_id)
		return r;
	seen++;
	json_set_int(o, "seen", seen);
	json_set_int(o, "last_report", l->run->report_id);
	al->detail_json = text_of(l->a, o);
	al->reason = waiting(l->a, seen, wanted);
	al->effect_low = l->result->effect_lower;
	al->effect_high = l->result->effect_upper;
	al->p = l->result->p;
	return seen >= wanted ? confirm(l, al, err) : save(l, al, "waiting", err);
}

/* --- a young segment behind a regression: is it over already? --- */

static int end_regression(const struct level *l, struct alert *al, int64_t from,
	const char *hash, struct error *err)
{
	double before = al->value, after = new_level(l, from);
	struct alert back = *al;
	struct change_point c;
	int r;

	back.version_number = from;
	back.hash = hash;
	back.baseline = before;
	back.value = after;
	back.effect = change_relative(before, after);
	back.effect_low = back.effect_high = back.p = NAN;
	c = change_of(l, &back, OUTCOME_FASTER, l->choice->model.test);
	r = add_change(l, &c, err);
	if (r == OK)
		r = clear_flags(l, from, err);
	al->state = ALERT_RESOLVED;
	al->reason = "fixed";
	return r < 0 ? r : save(l, al, "resolved", err);
}

static int watch_return(const struct level *l, struct error *err)
{
	struct alert al = *l->past->confirmed;
	json_t *o = detail_of(l->a, &al);
	int64_t seen = json_get_int(o, "back", 0);
	int64_t from = json_get_int(o, "back_version", l->run->version_number);
	bool back = is_back(l, &al, l->metric->value);
	int r;

	if (!back && seen == 0)
		return OK;
	if (json_get_int(o, "back_report", 0) == l->run->report_id && back)
		return flag_self(l, POINT_SUSPECT, err);
	seen = back ? seen + 1 : 0;
	if (seen == 1) {
		from = l->run->version_number;
		json_set_str(o, "back_hash", l->run->hash);
	}
	json_set_int(o, "back", seen);
	json_set_int(o, "back_version", from);
	json_set_int(o, "back_report", l->run->report_id);
	al.detail_json = text_of(l->a, o);
	if (seen > l->choice->model.confirm)
		return end_regression(l, &al, from, json_get_str(o, "back_hash", NULL), err);
	r = back ? flag_self(l, POINT_SUSPECT, err) : clear_flags(l, from, err);
	al.modified_ns = l->run->now_ns;
	return r < 0 ? r : store_alert_save(l->st, &al, err);
}

/* --- one value --- */

/* Questions that re-runs answer (analysis/inquiry.c) are not ours. */
static bool is_ours(const struct level *l, const struct alert *al)
{
	return json_get_bool(detail_of(l->a, al), "waits_for_reports", false);
}

/* A report of an earlier commit that came late. It says nothing about whether the newest level
 * lasts; but when it shows the change already, the change began here. */
static int judge_late(const struct level *l, const struct alert *about, struct error *err)
{
	struct alert al = *about;
	int r;

	if (direction_of(l->result->verdict) != al.direction)
		return OK;
	r = flag_self(l, al.state == ALERT_SUSPECT ? POINT_SUSPECT : 0, err);
	if (r == OK && al.state == ALERT_CONFIRMED)
		r = move_change(l, al.version_number, err);
	if (r < 0)
		return r;
	al.version_number = l->run->version_number;
	al.hash = l->run->hash;
	al.report_id = l->run->report_id;
	al.modified_ns = l->run->now_ns;
	r = store_alert_move(l->st, &al, l->metric->id, err);
	if (r == OK)
		r = store_alert_save(l->st, &al, err);
	return r < 0 ? r
		     : note(l, &al, "moved", "a report that came late shows it already", err);
}

static bool is_late(const struct level *l, const struct alert *about)
{
	return about && about->version_number > l->run->version_number;
}

int level_judge(const struct level *l, struct error *err)
{
	enum outcome now = direction_of(l->result->verdict);
	const struct alert *open = l->past->open;
	struct alert al;
	int r;

	if (open && !is_ours(l, open))
		return OK;
	if (is_late(l, open))
		return judge_late(l, open, err);
	if (is_late(l, l->past->confirmed))
		return is_ours(l, l->past->confirmed) ? judge_late(l, l->past->confirmed, err)
						      : OK;
	if (is_late_value(l))
		return OK;
	if (open) {
		al = *open;
		if (l->result->verdict == VERDICT_UNKNOWN)
			return flag_self(l, POINT_SUSPECT, err);
		if (now == al.direction)
			return go_on(l, &al, err);
		r = drop(l, &al, err);
		if (r < 0)
			return r;
	}
	if (now != OUTCOME_NONE)
		return raise_suspect(l, err);
	if (l->result->verdict == VERDICT_UNKNOWN && l->past->confirmed &&
		is_ours(l, l->past->confirmed))
		return watch_return(l, err);
	return OK;
}
