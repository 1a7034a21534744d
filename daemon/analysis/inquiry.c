/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a suspicion to an answer, by re-runs of two commits in interleaved blocks, so that drift
 * of the machine hits both alike.
 *
 * 1. Re-run the whole range. No difference: the suspicion is dropped.
 * 2. A difference, and commits in between: halve the range by re-runs of lo against the middle,
 *    which side is told by more or less than half of the whole effect.
 * 3. Two neighbours are left: re-run them. It takes two re-runs that find a difference, each at
 *    the level of one, to confirm; effect and interval are those of the last one, whose size
 * was fixed beforehand and which nothing selected for being large.
 * 4. If the neighbours do not differ, a halving went the wrong way, or the first re-run was
 *    wrong: begin again with the whole range, a few times.
 */
#include <math.h>
#include <string.h>
#include "daemon/analysis/internal.h"

enum { MAX_UNDECIDED = 2, MAX_RESTARTS = 2, NEEDED = 2, MOST_PAIRS = 200 };

struct question { /* an open suspect, and what a re-run says about it */
	struct judging *g;
	struct timeline *t;
	struct alert alert; /* as it will be stored */
	struct inquiry i;
	const struct comparison_row *row;
	const struct alert *open; /* all open alerts of the series */
	size_t n_open;
};

/* --- commits by version --- */

static size_t position(const struct timeline *t, int64_t version)
{
	for (size_t k = t->n_commits; k-- > 0;)
		if (t->commits[k].version == version)
			return k;
	return t->n_commits;
}

static const char *hash_of(const struct timeline *t, int64_t version)
{
	size_t k = position(t, version);

	return k < t->n_commits ? t->commits[k].hash : NULL;
}

/* The commit in the middle of the range that can be measured; false: lo and hi are neighbours.
 */
static bool middle(const struct timeline *t, const struct inquiry *i, int64_t *ret)
{
	size_t lo = position(t, i->lo), hi = position(t, i->hi), mid = (lo + hi) / 2;

	if (lo == t->n_commits || hi == t->n_commits)
		return false;
	for (size_t d = 0; d < hi - lo; d++) {
		size_t k = d % 2 ? mid - (d + 1) / 2 : mid + d / 2;

		if (k > lo && k < hi && t->commits[k].hash && t->commits[k].version != i->lo &&
			t->commits[k].version != i->hi) {
			*ret = t->commits[k].version;
			return true;
		}
	}
	return false;
}

/* --- detail_json: what a person sees of it, and what is needed to go on --- */

static const char *write_detail(const struct question *q)
{
	const struct inquiry *i = &q->i;
	_cleanup_(json_decref)
	json_t *o = NULL;
	_cleanup_(free)
	char *text = NULL;
	struct error ignored;

	if (!q->alert.detail_json || json_parse(q->alert.detail_json,
					     strlen(q->alert.detail_json), &o, &ignored) < 0)
		o = json_object();
	json_set_int(o, "lo", i->lo);
	json_set_int(o, "hi", i->hi);
	json_set_int(o, "from", i->from);
	json_set_int(o, "upto", i->upto);
	json_set_str(o, "base", hash_of(q->t, i->lo));
	json_set_str(o, "test_base", i->test_base);
	json_set_str(o, "test_head", i->test_head);
	json_set_real(o, "total", i->total);
	json_set_int(o, "different", i->n_different);
	json_set_int(o, "undecided", i->n_undecided);
	json_set_int(o, "restarts", i->n_restarts);
	json_set_int(o, "reruns", i->n_reruns);
	json_set_real(o, "min_effect", i->min_effect);
	json_set_bool(o, "narrowing", i->is_narrowing);
	if (q->row) /* of the newest re-run */
		json_set_real(o, "detectable", q->row->detectable);
	text = json_text(o);
	return arena_strdup(q->g->a, text);
}

static bool read_detail(struct arena *a, const struct alert *al, struct inquiry *ret)
{
	struct error ignored;
	json_t *o;

	if (!al->detail_json ||
		json_parse(al->detail_json, strlen(al->detail_json), &o, &ignored) < 0)
		return false;
	arena_own_json(a, o);
	*ret = (struct inquiry){ .lo = json_get_int(o, "lo", -1),
		.hi = json_get_int(o, "hi", -1),
		.from = json_get_int(o, "from", -1),
		.upto = json_get_int(o, "upto", -1),
		.test_base = json_get_str(o, "test_base", NULL),
		.test_head = json_get_str(o, "test_head", NULL),
		.total = json_get_real(o, "total", 0),
		.n_different = json_get_int(o, "different", 0),
		.n_undecided = json_get_int(o, "undecided", 0),
		.n_restarts = json_get_int(o, "restarts", 0),
		.n_reruns = json_get_int(o, "reruns", 0),
		.min_effect = json_get_real(o, "min_effect", NAN),
		.is_narrowing = json_get_bool(o, "narrowing", false) };
	return ret->test_base && ret->test_head;
}

/* --- storing a turn --- */

static void points_of(
	const struct timeline *t, int64_t version, const struct point **ret, size_t *ret_n)
{
	size_t k = position(t, version);

	*ret_n = k < t->n_commits ? t->commits[k].n : 0;
	*ret = *ret_n ? &t->points[t->commits[k].first] : NULL;
}

static void flag_in_memory(struct timeline *t, const struct point *p, size_t n, bool set)
{
	for (size_t k = 0; k < n; k++) {
		unsigned *flags = &t->points[p - t->points + (ptrdiff_t)k].flags;

		*flags = set ? *flags | POINT_SUSPECT : *flags & ~(unsigned)POINT_SUSPECT;
	}
}

/* Store the suspect as it is now, standing on hi while it is open. */
static int put(struct question *q)
{
	struct alert_finding f = { 0 };
	size_t k = position(q->t, q->i.hi);
	int r = OK;

	points_of(q->t, q->alert.version_number, &f.clear, &f.n_clear);
	if (q->alert.id == 0 || (q->alert.version_number != q->i.hi && k < q->t->n_commits)) {
		q->alert.version_number = q->i.hi;
		q->alert.hash = q->t->commits[k].hash;
		r = find_metric(
			q->g, q->t, &q->t->commits[k], &q->alert.report_id, &f.metric_id);
	}
	if (r < 0)
		return r;
	/* A mere check (no direction yet) takes no commit out of the baseline. */
	if (q->alert.state == ALERT_SUSPECT && q->alert.direction != OUTCOME_NONE)
		points_of(q->t, q->i.hi, &f.set, &f.n_set);
	flag_in_memory(q->t, f.clear, f.n_clear, false);
	flag_in_memory(q->t, f.set, f.n_set, true);
	q->alert.detail_json = write_detail(q);
	f.alert = q->alert;
	findings_add_alert(q->g->f, &f);
	return OK;
}

/* The re-run that decides has a number of pairs fixed beforehand, twice what the one before
 * needed: one that stops as soon as it sees something tells too large an effect. */
static int64_t fixed_pairs(const struct question *q, int64_t base, int64_t head)
{
	int64_t mid;

	if (q->i.n_different == 0 || base != q->i.lo || head != q->i.hi ||
		middle(q->t, &q->i, &mid))
		return 0;
	return MAX(q->g->n_processes, MIN(2 * q->row->n_head, MOST_PAIRS));
}

static int test(struct question *q, int64_t base, int64_t head)
{
	q->i.test_base = hash_of(q->t, base);
	q->i.test_head = hash_of(q->t, head);
	q->i.n_reruns++;
	if (!q->i.test_base || !q->i.test_head) {
		q->alert.reason = "a commit of its range is not known any more";
		return put(q);
	}
	findings_add_rerun(
		q->g, q->i.test_head, q->i.test_base, q->t, fixed_pairs(q, base, head));
	return put(q);
}

/* The next re-run: the middle of the range, or its two neighbours. */
static int go_on(struct question *q)
{
	int64_t mid;

	if (q->i.n_different > 0 && middle(q->t, &q->i, &mid))
		return test(q, q->i.lo, mid);
	return test(q, q->i.lo, q->i.hi);
}

/* --- answers --- */

static void take_row(struct alert *al, const struct comparison_row *row)
{
	al->effect = row->effect;
	al->effect_low = row->low;
	al->effect_high = row->high;
	al->p = row->p;
	al->baseline = row->base;
	al->value = row->head;
}

/* What is left of a regression behind the change that was just confirmed: the product of the
 * ratios of all changes from it on. Each was measured in interleaved blocks; levels of
 * different hours are not compared, because the host may have moved between them. */
static double left_of(const struct question *q, const struct alert *al)
{
	double sum = log1p(al->effect) + log1p(q->row->effect);

	for (size_t i = 0; i < q->t->n_changes; i++) {
		const struct change_point *c = &q->t->changes[i];

		if (c->version_number > al->version_number && c->version_number < q->i.hi)
			sum += log1p(c->effect);
	}
	return q->t->series.measure.better == BETTER_LOWER ? sum : -sum;
}

/* A regression is over when later changes bring the level back: within min_effect, or by three
 * quarters of it, as two estimates of a large effect do not cancel exactly. */
static void close_fixed(const struct question *q)
{
	for (size_t i = 0; i < q->n_open; i++) {
		struct alert_finding f = { .alert = q->open[i] };
		double whole = fabs(log1p(q->open[i].effect));

		if (q->open[i].state != ALERT_CONFIRMED ||
			q->open[i].version_number >= q->i.hi ||
			!(left_of(q, &q->open[i]) <=
				fmax(log1p(q->row->min_effect), whole / 4)))
			continue;
		f.alert.state = ALERT_RESOLVED;
		f.alert.reason = "fixed";
		findings_add_alert(q->g->f, &f);
	}
}

static void add_change(const struct question *q)
{
	struct change_point c = { .series_id = q->t->series.id,
		.version_number = q->i.hi,
		.hash = hash_of(q->t, q->i.hi),
		.effect = q->row->effect,
		.effect_low = q->row->low,
		.effect_high = q->row->high,
		.p = q->row->p,
		.before = q->row->base,
		.after = q->row->head,
		.outcome = q->row->outcome,
		.detector = "rerun" };
	struct change_finding f = { .series_id = q->t->series.id };

	timeline_add_change(q->t, &c);
	f.changes = q->t->changes;
	f.n = q->t->n_changes;
	findings_add_change(q->g->f, &f);
}

/* The change was thought to be elsewhere before its range was narrowed. */
static void remove_change(struct timeline *t, int64_t version)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_changes; i++)
		if (t->changes[i].version_number != version)
			t->changes[n++] = t->changes[i];
	t->n_changes = n;
}

static int confirm(struct question *q)
{
	bool is_worse = q->alert.direction == OUTCOME_SLOWER;

	if (q->alert.state == ALERT_CONFIRMED)
		remove_change(q->t, q->i.upto);

	take_row(&q->alert, q->row);
	q->i.is_narrowing = false;
	q->alert.state = is_worse ? ALERT_CONFIRMED : ALERT_RESOLVED;
	q->alert.reason = is_worse ? "" : "faster, confirmed";
	if (!is_worse)
		close_fixed(q);
	add_change(q);
	return put(q);
}

static int drop(struct question *q)
{
	/* It was confirmed for the whole range, which is what it says again. */
	if (q->alert.state == ALERT_CONFIRMED) {
		q->i.lo = q->i.from;
		q->i.hi = q->i.upto;
		return put(q);
	}
	/* The range as a whole did differ, again and again: that stays an open question. */
	if (q->i.n_different > 0 && q->i.n_restarts > 0) {
		q->alert.reason = "the level changed in this range; re-runs did not show where";
		q->i.lo = q->i.from;
		q->i.hi = q->i.upto;
	} else {
		q->alert.state = ALERT_RESOLVED;
		q->alert.reason = "not_reproduced";
	}
	return put(q);
}

static int restart(struct question *q)
{
	q->i.lo = q->i.from;
	q->i.hi = q->i.upto;
	q->i.n_restarts++;
	q->i.n_undecided = 0;
	q->i.n_different = 0;
	return go_on(q);
}

/* --- one turn --- */

static bool is_undecided(const struct question *q)
{
	return q->row->outcome == OUTCOME_UNKNOWN &&
	       fabs(q->row->effect) >= q->row->min_effect &&
	       (q->alert.direction == OUTCOME_NONE ||
		       (q->row->effect > 0) == (q->alert.effect > 0));
}

/* A mere check has no direction until the first re-run gives it one. */
static void take_direction(struct question *q)
{
	bool is_change = q->row->outcome == OUTCOME_SLOWER || q->row->outcome == OUTCOME_FASTER;

	if (q->alert.direction != OUTCOME_NONE || !is_change)
		return;
	q->alert.direction = q->row->outcome;
	q->alert.effect = q->row->effect;
	q->alert.p = q->row->p;
}

static int turn_whole(struct question *q)
{
	bool is_first_range = q->i.lo == q->i.from && q->i.hi == q->i.upto;
	int64_t mid;

	take_direction(q);
	if (q->alert.direction != OUTCOME_NONE && q->row->outcome == q->alert.direction) {
		q->i.n_different++;
		q->i.n_undecided = 0;
		if (is_first_range)
			q->i.total = q->row->effect;
		if (!middle(q->t, &q->i, &mid) && q->i.n_different >= NEEDED)
			return confirm(q);
		return go_on(q);
	}
	if (is_undecided(q) && q->i.n_undecided++ < MAX_UNDECIDED)
		return test(q, q->i.lo, q->i.hi);
	if (!is_first_range && q->i.n_restarts < MAX_RESTARTS)
		return restart(q);
	return drop(q);
}

static int turn_half(struct question *q)
{
	double here = log1p(q->row->effect), whole = log1p(q->i.total);
	size_t k = 0;

	while (k < q->t->n_commits &&
		(!q->t->commits[k].hash || strcmp(q->t->commits[k].hash, q->i.test_head)))
		k++;
	if (k == q->t->n_commits)
		return drop(q);
	if ((here > 0) == (whole > 0) && fabs(here) > fabs(whole) / 2)
		q->i.hi = q->t->commits[k].version;
	else
		q->i.lo = q->t->commits[k].version;
	return go_on(q);
}

static int turn(struct question *q)
{
	const char *hi = hash_of(q->t, q->i.hi), *lo = hash_of(q->t, q->i.lo);
	bool is_whole = hi && lo && !strcmp(hi, q->i.test_head) && !strcmp(lo, q->i.test_base);
	int r = is_whole ? turn_whole(q) : turn_half(q);

	timeline_refresh(q->t);
	/* With this answered the history looks different: the change may be next door. */
	return r == OK && q->alert.state != ALERT_SUSPECT ? judge_series(q->g, q->t) : r;
}

/* A configured rule has a smallest effect of its own. */
static struct comparison_row seen_by_rule(
	const struct comparison_row *row, double min_effect, enum better better)
{
	struct comparison_row seen = *row;
	bool is_change = isfinite(row->p) && row->p <= DEFAULT_ALPHA;

	if (isnan(min_effect) || row->noise == NOISE_NOISY)
		return seen;
	seen.min_effect = min_effect;
	if (is_change && fabs(row->effect) >= min_effect)
		seen.outcome = (row->effect > 0) == (better == BETTER_LOWER) ? OUTCOME_SLOWER
									     : OUTCOME_FASTER;
	else if (row->outcome == OUTCOME_SLOWER || row->outcome == OUTCOME_FASTER)
		seen.outcome = OUTCOME_SAME; /* smaller than what the rule asks for */
	return seen;
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
		struct comparison_row seen;
		struct question q = { .g = g,
			.t = &t,
			.alert = open[i],
			.row = &seen,
			.open = open,
			.n_open = n };

		if (!read_detail(g->a, &open[i], &q.i) ||
			(open[i].state == ALERT_CONFIRMED && !q.i.is_narrowing) ||
			strcmp(q.i.test_head, j->head_hash) != 0 ||
			strcmp(q.i.test_base, j->base_hash) != 0)
			continue;
		seen = seen_by_rule(row, q.i.min_effect, s.measure.better);
		r = turn(&q);
	}
	return r == E_NOT_FOUND ? OK : r;
}

int judge_rerun(struct judging *g, const struct report_comparison *c)
{
	int r = OK;

	if (!g->job->head_hash || !g->job->base_hash)
		return OK;
	for (size_t i = 0; r == OK && i < c->n_rows; i++)
		if (c->rows[i].decides)
			r = judge_row(g, &c->rows[i]);
	return r;
}

/* --- begin and abandon --- */

static const char *first_detail(struct arena *a, const struct candidate *c)
{
	_cleanup_(json_decref)
	json_t *o = json_object();
	_cleanup_(free)
	char *text = NULL;

	json_set_str(o, "test", c->test);
	json_set_str(o, "origin", c->rule ? "configured" : "default");
	json_set_opt(o, "rule", c->rule);
	json_set_real(o, "p", c->p);
	json_set_real(o, "effect", c->effect);
	text = json_text(o);
	return arena_strdup(a, text);
}

int inquiry_begin(struct judging *g, const struct timeline *t, const struct candidate *c,
	size_t lo, size_t hi)
{
	struct timeline copy = *t;
	struct question q = { .g = g, .t = &copy };

	q.i = (struct inquiry){ .lo = t->commits[lo].version, .hi = t->commits[hi].version };
	q.i.from = q.i.lo;
	q.i.upto = q.i.hi;
	q.i.min_effect = c->rule ? c->min_effect : NAN;
	q.alert = (struct alert){ .series_id = t->series.id,
		.state = ALERT_SUSPECT,
		.reason = "",
		.direction = c->direction,
		.effect = c->effect,
		.effect_low = NAN,
		.effect_high = NAN,
		.p = c->p,
		.baseline = c->before,
		.value = c->after,
		.version_number = q.i.hi,
		.detail_json = first_detail(g->a, c) };
	return g->can_rerun ? test(&q, q.i.lo, q.i.hi) : put(&q);
}

int inquiry_narrow(struct judging *g, const struct timeline *t, int64_t version)
{
	struct alert *open;
	size_t n;
	int r = g->can_rerun ? store_alert_open(g->st, g->a, t->series.id, &open, &n, g->err)
			     : E_NOT_FOUND;

	for (size_t i = 0; r == OK && i < n; i++) {
		struct timeline copy = *t;
		struct question q = { .g = g, .t = &copy, .alert = open[i] };
		int64_t mid;

		if (open[i].state != ALERT_CONFIRMED || !read_detail(g->a, &open[i], &q.i) ||
			version <= q.i.lo || version >= q.i.hi || !middle(&copy, &q.i, &mid))
			continue;
		q.i.is_narrowing = true;
		q.i.from = q.i.lo;
		q.i.upto = q.i.hi;
		q.i.total = q.alert.effect;
		q.i.n_different = 1;
		q.i.n_undecided = q.i.n_restarts = 0;
		r = test(&q, q.i.lo, mid);
	}
	return r == E_NOT_FOUND ? OK : r;
}

int analysis_abandon(struct store *st, struct arena *a, const struct job *j, const char *reason,
	int64_t now_ns, struct error *err)
{
	struct alert *open;
	size_t n;
	int r;

	r = store_alert_list(st, a, j->project_id, 1u << ALERT_SUSPECT, 1000, &open, &n, err);
	for (size_t k = 0; r == OK && k < n && j->head_hash && j->base_hash; k++) {
		struct inquiry i;

		if (!read_detail(a, &open[k], &i) || strcmp(i.test_head, j->head_hash) != 0 ||
			strcmp(i.test_base, j->base_hash) != 0)
			continue;
		open[k].reason = arena_printf(a, "its re-run ended: %.300s", reason);
		open[k].modified_ns = now_ns;
		r = store_alert_save(st, &open[k], err);
	}
	return r;
}
