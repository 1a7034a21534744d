/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where may the level have changed? Three looks at a history; what they find is a suspicion,
 * and measuring again decides (rerun.c). That is why the look at a young history may be
 * lenient: a false suspicion costs machine time, not a false alarm.
 *
 * 1. log_t on the newest commit, from 10 commits on (rule.c).
 * 2. The best split of a young segment (under 20 commits): Student's t or Mann-Whitney's ranks
 *    on the commit values, two-sided level .05; with fewer than 5 commits, where their scatter
 * cannot be known, the exact Mann-Whitney test on process values at .01.
 * 3. seeded_mw over the whole history, from 20 commits on. */
#include <math.h>
#include <string.h>
#include "daemon/analysis/internal.h"
#include "stats/changepoint.h"
#include "stats/dist.h"
#include "stats/interval.h"
#include "stats/power.h"
#include "stats/quantile.h"
#include "stats/rank.h"

enum {
	YOUNG = 20,
	KNOWN_SCATTER = 5,
	NEAR = 2,
	LEAST_HISTORY = 20,
	ENOUGH_FOR_RANKS = 7,
	LEAST_SEGMENT = 3
};
#define BLIND 0.15 /* effect that a scattered history just sees: looking closer is guessing */
#define BLIND_CV 0.05 /* the same for processes of one commit */
#define COMMIT_LEVEL 0.05
#define PROCESS_LEVEL 0.01

struct look {
	const struct timeline *t;
	const struct screen_rules *rules;
	const struct alert *asked;
	size_t n_asked;
	double *x;     /* values of the counting commits looked at */
	size_t *index; /* which commits they are */
	size_t n;
	struct candidate best;
	bool found;
	struct error *err;
};

/* --- which commit a split names --- */

static bool was_asked(const struct look *l, int64_t version)
{
	for (size_t i = 0; i < l->n_asked; i++)
		if (l->asked[i].version_number == version)
			return true;
	return false;
}

static bool can_measure(const struct look *l, size_t k)
{
	const struct commit_value *c = l->t->commits;

	return !l->rules->can_rerun || (c[k].hash && c[k - 1].hash);
}

/* Between two counting commits there may be others, whose runs were too noisy to count. The
 * change may be at any of them: the nearest to the new level is asked about first. */
static bool attribute(const struct look *l, size_t split, size_t *ret)
{
	for (size_t k = l->index[split]; k > l->index[split - 1]; k--)
		if (!was_asked(l, l->t->commits[k].version) && can_measure(l, k)) {
			*ret = k;
			return true;
		}
	return false;
}

static enum outcome direction_of(const struct timeline *t, double effect)
{
	bool is_worse = (effect > 0) == (t->series.measure.better == BETTER_LOWER);

	return is_worse ? OUTCOME_SLOWER : OUTCOME_FASTER;
}

/* Keep the split if it is the most significant one that can be asked about. */
static void offer(struct look *l, size_t split, double effect, double p, const char *test)
{
	double *left = ARENA_ARRAY(l->t->a, double, l->n), *right;
	size_t at;

	if (!(fabs(effect) >= l->rules->min_effect) || (l->found && p >= l->best.p) ||
		!attribute(l, split, &at))
		return;
	memcpy(left, l->x, l->n * sizeof(*left));
	right = left + split;
	l->found = true;
	l->best = (struct candidate){ .at = at,
		.base = at - 1,
		.direction = direction_of(l->t, effect),
		.effect = effect,
		.p = p,
		.before = sample_median_in_place(left, split),
		.after = sample_median_in_place(right, l->n - split),
		.test = test };
}

/* --- 2: young segments --- */

static double split_effect(const struct look *l, size_t split)
{
	struct arena *a = l->t->a;

	return sample_median(a, l->x + split, l->n - split) / sample_median(a, l->x, split) - 1;
}

/* Student's t with pooled variance on logarithms; no scatter at all makes every step certain.
 */
static double split_p(const struct look *l, size_t split)
{
	double *y = sample_logs(l->t->a, l->x, l->n);
	size_t n_a = split, n_b = l->n - split;
	double a = sample_mean(y, n_a), b = sample_mean(y + n_a, n_b), sum = 0, sd;

	for (size_t i = 0; i < l->n; i++)
		sum += pow(y[i] - (i < n_a ? a : b), 2);
	sd = sqrt(sum / (double)(l->n - 2) * (1.0 / (double)n_a + 1.0 / (double)n_b));
	if (!(sd > 0))
		return a == b ? 1 : 0;
	return dist_t_two_sided((b - a) / sd, (double)(l->n - 2));
}

/* A few commits that were measured in a bad moment blind the t; ranks see past them. */
static double split_rank_p(struct mw_tails *tails, const struct look *l, size_t split)
{
	struct rank_test t;

	if (l->n < ENOUGH_FOR_RANKS)
		return 1;
	mann_whitney(tails, l->t->a, l->x, split, l->x + split, l->n - split, &t);
	return t.p;
}

static void look_at_commits(struct look *l)
{
	_cleanup_(mw_tails_free)
	struct mw_tails *tails = mw_tails_new();

	for (size_t split = 1; split < l->n; split++) {
		double by_t = split_p(l, split), by_rank = split_rank_p(tails, l, split);

		if (fmin(by_t, by_rank) <= COMMIT_LEVEL)
			offer(l, split, split_effect(l, split), fmin(by_t, by_rank),
				by_t <= by_rank ? "split_t" : "split_rank");
	}
}

/* Process values of one commit, all its counting runs together. */
static int commit_processes(struct look *l, size_t k, double **ret, size_t *ret_n)
{
	const struct commit_value *c = &l->t->commits[k];
	double *all = NULL;
	size_t n = 0;

	for (size_t i = c->first; i < c->first + c->n; i++) {
		double *x, *more;
		size_t n_x;
		int r;

		r = cache_values(l->rules->cache, l->t->points[i].report_id, &l->t->series, &x,
			&n_x, l->err);
		if (r < 0)
			return r;
		more = ARENA_ARRAY(l->t->a, double, n + n_x + 1);
		if (n)
			memcpy(more, all, n * sizeof(*more));
		memcpy(more + n, x, n_x * sizeof(*x));
		all = more;
		n += n_x;
	}
	*ret = all;
	*ret_n = n;
	return OK;
}

/* Median over the commits of the scatter of their processes. */
static double process_cv(const struct look *l, double *const *x, const size_t *n)
{
	double cv[KNOWN_SCATTER];

	for (size_t i = 0; i < l->n; i++) {
		double *y = values_are_positive(x[i], n[i]) ? sample_logs(l->t->a, x[i], n[i])
							    : x[i];

		cv[i] = n[i] > 1 ? sample_mad(l->t->a, y, n[i]) : 0;
	}
	return sample_median_in_place(cv, l->n);
}

static void split_processes(struct look *l, double *const *x, const size_t *n, size_t total)
{
	_cleanup_(mw_tails_free)
	struct mw_tails *tails = mw_tails_new();
	double *pool = ARENA_ARRAY(l->t->a, double, total + 1);
	size_t at = 0;

	for (size_t i = 0; i < l->n; i++) {
		memcpy(pool + at, x[i], n[i] * sizeof(*pool));
		at += n[i];
	}
	at = 0;
	for (size_t split = 1; split < l->n; split++) {
		struct rank_test t;

		at += n[split - 1];
		mann_whitney(tails, l->t->a, pool, at, pool + at, total - at, &t);
		if (t.p <= PROCESS_LEVEL)
			offer(l, split, split_effect(l, split), t.p, "mann_whitney");
	}
}

static int look_at_processes(struct look *l)
{
	double *x[KNOWN_SCATTER];
	size_t n[KNOWN_SCATTER], total = 0;

	for (size_t i = 0; i < l->n; i++) {
		int r = commit_processes(l, l->index[i], &x[i], &n[i]);

		if (r < 0)
			return r;
		total += n[i];
	}
	if (process_cv(l, x, n) <= BLIND_CV)
		split_processes(l, x, n, total);
	return OK;
}

/* Effect that the usual scatter of this history just lets through. From the differences of
 * neighbours (von Neumann et al. 1941, with their median in place of the mean), so that neither
 * a change of the level nor a commit measured in a bad moment blinds the look. */
static double seen_effect(const struct look *l)
{
	double *y = sample_logs(l->t->a, l->x, l->n), sigma;

	for (size_t i = 0; i + 1 < l->n; i++)
		y[i] = fabs(y[i + 1] - y[i]);
	/* The median of |N(0, 2 sigma^2)| is 0.6745 sqrt(2) sigma. */
	sigma = sample_median_in_place(y, l->n - 1) / (0.6745 * sqrt(2));
	return power_mde(sigma, 1, l->n, (double)l->n - 1, DEFAULT_ALPHA, 0.8);
}

static int look_at_young_segment(struct look *l, size_t newest)
{
	l->x = timeline_values(
		l->t, timeline_segment_start(l->t, newest), newest + 1, &l->index, &l->n);
	if (l->n < 2 || l->n >= YOUNG || !values_are_positive(l->x, l->n))
		return OK;
	if (l->n < KNOWN_SCATTER)
		return look_at_processes(l);
	if (seen_effect(l) <= BLIND)
		look_at_commits(l);
	return OK;
}

/* --- 1: the newest commit --- */

static int look_at_newest(struct look *l, size_t newest)
{
	const struct commit_value *c = &l->t->commits[newest];
	struct threshold_result r;
	int code;

	if (!c->counts || newest == 0 || was_asked(l, c->version) || !can_measure(l, newest))
		return OK;
	code = rule_apply(l->t, newest, c->value, l->rules->min_effect, &r, l->err);
	if (code < 0 || r.verdict != VERDICT_SLOWER)
		return code;
	l->found = true;
	l->best = (struct candidate){ .at = newest,
		.base = newest - 1,
		.direction = OUTCOME_SLOWER,
		.effect = r.effect,
		.p = r.p,
		.before = r.baseline,
		.after = c->value,
		.test = threshold_name(r.used) };
	return OK;
}

/* --- 3: the whole history --- */

/* Where between two neighbours the ranks part best. seeded_mw weighs splits with a short side
 * by exact tails and the others by the normal ones, which shifts the place a little once the
 * short side grows past the exact sizes; here one scale holds for all. */
static size_t best_place(const struct timeline *t, const double *x, size_t from, size_t to)
{
	size_t n = to - from, best = 0;
	double *rank = ARENA_ARRAY(t->a, double, n), sum = 0, most = -1;

	rank_midranks(t->a, x + from, n, rank);
	for (size_t left = 1; left + LEAST_SEGMENT <= n; left++) {
		double a = (double)left, b = (double)(n - left), z;

		sum += rank[left - 1];
		z = fabs(sum - a * (double)(n + 1) / 2) / sqrt(a * b);
		if (left >= LEAST_SEGMENT && z > most) {
			most = z;
			best = left;
		}
	}
	return from + best;
}

static void place_changes(
	const struct timeline *t, const double *x, size_t n, struct change_points *c)
{
	for (size_t i = 0; i < c->n; i++) {
		size_t from = i ? c->index[i - 1] : 0;
		size_t to = i + 1 < c->n ? c->index[i + 1] : n;

		if (to - from >= 2 * LEAST_SEGMENT)
			c->index[i] = best_place(t, x, from, to);
	}
}

static int detect(const struct timeline *t, double min_effect, const double *x, size_t n,
	struct change_points *ret, struct error *err)
{
	_cleanup_(mw_tails_free)
	struct mw_tails *tails = mw_tails_new();
	const struct detector *d = detector_find("seeded_mw");
	struct detector_params p = detector_history_params(d, true, (uint64_t)t->series.id);
	int r;

	p.min_effect = min_effect;
	r = change_points_detect(d, tails, t->a, x, n, &p, ret, err);
	if (r == OK)
		place_changes(t, x, n, ret);
	return r;
}

static bool is_known_change(const struct look *l, size_t k)
{
	for (size_t i = 0; i < l->t->n_changes; i++)
		for (size_t c = k > NEAR ? k - NEAR : 0; c <= k + NEAR; c++)
			if (c < l->t->n_commits &&
				l->t->commits[c].version == l->t->changes[i].version_number)
				return true;
	return false;
}

static int look_at_history(struct look *l, size_t newest)
{
	struct change_points c;
	int r;

	l->x = timeline_values(
		l->t, timeline_family_start(l->t, newest), newest + 1, &l->index, &l->n);
	if (l->n < LEAST_HISTORY)
		return OK;
	r = detect(l->t, l->rules->min_effect, l->x, l->n, &c, l->err);
	for (size_t i = 0; r == OK && i < c.n; i++) {
		size_t from = i ? c.index[i - 1] : 0;
		size_t to = i + 1 < c.n ? c.index[i + 1] : l->n;
		double before = sample_median(l->t->a, l->x + from, c.index[i] - from);
		double after = sample_median(l->t->a, l->x + c.index[i], to - c.index[i]);

		if (!is_known_change(l, l->index[c.index[i]]))
			offer(l, c.index[i], change_relative(before, after),
				pow(10, -c.score[i]), "seeded_mw");
	}
	return r;
}

int screen(const struct timeline *t, const struct screen_rules *rules,
	const struct alert *asked, size_t n_asked, struct candidate *ret, bool *ret_found,
	struct error *err)
{
	struct look l = {
		.t = t, .rules = rules, .asked = asked, .n_asked = n_asked, .err = err
	};
	size_t newest = t->n_commits - 1;
	int r = OK;

	*ret_found = false;
	if (t->n_commits < 2)
		return OK;
	if (rules->can_rerun)
		r = look_at_young_segment(&l, newest);
	if (r == OK && !l.found)
		r = look_at_newest(&l, newest);
	if (r == OK && !l.found && rules->can_rerun)
		r = look_at_history(&l, newest);
	*ret_found = l.found;
	*ret = l.best;
	return r;
}

/* --- series that cannot be measured again --- */

static void fill_change(const struct timeline *t, const double *x, size_t from, size_t at,
	size_t to, const struct commit_value *c, double score, struct change_point *ret)
{
	_cleanup_(mw_tails_free)
	struct mw_tails *tails = mw_tails_new();
	double before = sample_median(t->a, x + from, at - from);
	double after = sample_median(t->a, x + at, to - at);
	struct estimate e = { .lower = NAN, .upper = NAN };

	if (values_are_positive(x + from, to - from))
		hodges_lehmann(tails, t->a, sample_logs(t->a, x + from, at - from), at - from,
			sample_logs(t->a, x + at, to - at), to - at, 0.05, &e);
	*ret = (struct change_point){ .series_id = t->series.id,
		.version_number = c->version,
		.hash = c->hash,
		.effect = change_relative(before, after),
		.effect_low = expm1(e.lower),
		.effect_high = expm1(e.upper),
		.p = pow(10, -score),
		.before = before,
		.after = after,
		.outcome = direction_of(t, change_relative(before, after)),
		.detector = "seeded_mw" };
}

/* Suspects are part of the question here: nobody else will answer it. */
static struct timeline with_suspects(const struct timeline *t)
{
	struct timeline copy = *t;
	bool has_suspects = false;

	for (size_t i = 0; i < t->n_points; i++)
		has_suspects |= (t->points[i].flags & POINT_SUSPECT) != 0;
	if (!has_suspects)
		return copy;
	copy.points = ARENA_ARRAY(t->a, struct point, t->n_points + 1);
	for (size_t i = 0; i < t->n_points; i++) {
		copy.points[i] = t->points[i];
		copy.points[i].flags &= ~(unsigned)POINT_SUSPECT;
	}
	timeline_refresh(&copy);
	return copy;
}

int screen_history(const struct timeline *flagged, double min_effect, struct change_point **ret,
	size_t *ret_n, size_t *ret_from, struct error *err)
{
	struct timeline whole = with_suspects(flagged), *t = &whole;
	size_t newest = t->n_commits - 1, *index, n;
	struct change_points c = { 0 };
	double *x;
	int r;

	*ret_n = 0;
	*ret_from = timeline_family_start(t, newest);
	x = timeline_values(t, *ret_from, newest + 1, &index, &n);
	if (n < LEAST_HISTORY)
		return OK;
	r = detect(t, min_effect, x, n, &c, err);
	if (r < 0)
		return r;
	*ret = ARENA_ARRAY(t->a, struct change_point, c.n + 1);
	for (size_t i = 0; i < c.n; i++)
		fill_change(t, x, i ? c.index[i - 1] : 0, c.index[i],
			i + 1 < c.n ? c.index[i + 1] : n, &t->commits[index[c.index[i]]],
			c.score[i], &(*ret)[i]);
	*ret_n = c.n;
	return OK;
}
