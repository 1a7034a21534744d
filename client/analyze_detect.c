/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl analyze --detector: change points of a history. */
#include "client/analyze.h"

#include <math.h>
#include "base/text.h"
#include "stats/changepoint.h"
#include "stats/quantile.h"

static bool detector_params(
	struct analysis *r, const struct detector *d, struct detector_params *ret)
{
	const struct analyze_options *o = &r->o;
	size_t seed = 1;

	if (!analyze_count(r, "seed", o->seed, &seed))
		return false;
	*ret = o->history_rule ? detector_history_params(d, true, seed) : d->defaults;
	ret->seed = seed;
	return analyze_number(r, "alpha", o->alpha, &ret->alpha) &&
	       analyze_number(r, "jitter", o->jitter, &ret->jitter) &&
	       analyze_number(r, "penalty", o->penalty, &ret->penalty) &&
	       analyze_number(r, "p", o->p, &ret->p) &&
	       analyze_number(r, "magnitude", o->magnitude, &ret->magnitude) &&
	       analyze_number(r, "min-effect", o->min_effect, &ret->min_effect) &&
	       analyze_count(r, "min-segment", o->min_segment, &ret->min_segment) &&
	       analyze_count(r, "window", o->window, &ret->window) &&
	       analyze_count(r, "newest", o->newest, &ret->newest) &&
	       analyze_count(r, "min-points", o->min_points, &ret->min_points);
}

/* score: of the change point that begins the segment, -log10 p; NaN where there is none. */
static json_t *segment_json(const struct segment *s, double score)
{
	json_t *j = json_object();

	json_set_int(j, "start", (int64_t)s->start);
	json_set_int(j, "end", (int64_t)s->end);
	json_set_int(j, "n", (int64_t)(s->end - s->start));
	json_set_real(j, "median", s->median);
	json_set_real(j, "mean", s->mean);
	json_set_real(j, "sd", s->sd);
	json_set_real(j, "change", s->change);
	json_set_real(j, "score", score);
	return j;
}

/* These three members and no others: programs that compare detectors read them. */
static void print_changes_json(const struct detector *d, const struct change_points *c,
	const struct segment *s, size_t n_segments)
{
	json_t *j = json_object(), *index = json_array(), *segments = json_array();

	for (size_t i = 0; i < c->n; i++)
		json_array_append_new(index, json_integer((json_int_t)c->index[i]));
	for (size_t i = 0; i < n_segments; i++)
		json_array_append_new(segments, segment_json(&s[i], i ? c->score[i - 1] : NAN));
	json_set_str(j, "detector", d->name);
	json_object_set_new(j, "change_points", index);
	json_object_set_new(j, "segments", segments);
	analyze_print_json(j);
}

static void print_changes(struct analysis *r, const struct detector *d, size_t n,
	const struct segment *s, size_t n_segments)
{
	static const char *const titles[] = { "segment", "start", "end", "n", "median",
		"change" };
	struct arena *a = r->c->arena;
	struct table *t = table_new(a, ARRAY_SIZE(titles));

	for (size_t i = 0; i < ARRAY_SIZE(titles); i++)
		table_head(t, i, titles[i], true);
	for (size_t i = 0; i < n_segments; i++) {
		const char *cells[] = { arena_printf(a, "%zu", i),
			arena_printf(a, "%zu", s[i].start), arena_printf(a, "%zu", s[i].end),
			arena_printf(a, "%zu", s[i].end - s[i].start),
			analyze_show(r, s[i].median), analyze_percent(r, s[i].change) };

		table_add(t, cells);
	}
	analyze_print_table(r, t);
	note(r->c, "%s: %zu change point%s in %zu values (end is the first index after)",
		d->name, n_segments - 1, n_segments == 2 ? "" : "s", n);
}

static const struct detector *named_detector(struct analysis *r)
{
	const char *names[16] = { 0 }, *near;
	const struct detector *d = detector_find(r->o.detector);

	if (d)
		return d;
	for (size_t i = 0; detectors[i].name; i++)
		names[i] = detectors[i].name;
	near = nearest_name(r->o.detector, names);
	usage_error(r->self,
		"there is no detector '%s'%s%s%s; there are seeded_mw, pelt_mbic, pelt_trend, "
		"potts_l1, e_divisive",
		r->o.detector, near ? "; did you mean '" : "", near ? near : "",
		near ? "'?" : "");
	return NULL;
}

/* Rounded times: a tenth of the values or more equal another one, and they are no counts. Their
 * ties take the exact tails from seeded_mw, which finds a change of five commits in 7 of 10
 * histories with jitter and in 5 of 10 without. */
static bool is_rounded(struct arena *a, const struct values *v)
{
	double *sorted = sample_sorted(a, v->x, v->n);
	size_t ties = 0, whole = 0;

	for (size_t i = 0; i < v->n; i++) {
		ties += i > 0 && sorted[i] == sorted[i - 1];
		whole += sorted[i] == floor(sorted[i]);
	}
	return 10 * ties >= v->n && whole < v->n;
}

int analyze_detect(struct analysis *r, const char *path)
{
	const struct detector *d = named_detector(r);
	struct arena *a = r->c->arena;
	struct detector_params p;
	struct values v;
	struct change_points c;
	struct segment *s;
	size_t n_segments;

	if (!d || !detector_params(r, d, &p))
		return EXIT_USAGE;
	if (values_read(a, path, r->o.column, &v, &r->err) != OK ||
		change_points_detect(d, r->tails, a, v.x, v.n, &p, &c, &r->err) != OK)
		return analyze_failed(r);
	s = change_points_segments(a, v.x, v.n, &c, &n_segments);
	if (r->c->output == OUT_JSON)
		print_changes_json(d, &c, s, n_segments);
	else
		print_changes(r, d, v.n, s, n_segments);
	if (r->c->output != OUT_JSON && d->detect == seeded_mw_detect && p.jitter == 0 &&
		is_rounded(a, &v))
		note(r->c, "many values are equal: --jitter 1e-7 finds late changes of rounded "
			   "times better");
	return EXIT_OK;
}
