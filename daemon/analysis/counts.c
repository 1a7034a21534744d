/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measures that are counted and do not scatter: instructions under cachegrind. They are judged
 * by `exact`, at once: nobody need measure again what every process says alike. */
#include <math.h>
#include <string.h>
#include "daemon/analysis/internal.h"
#include "stats/quantile.h"

enum { MAX_ASKED = 1000 };
#define COUNT_SCATTER 0.0005 /* processes of one arm, relative: hash seeds, addresses */
#define COUNT_EFFECT 0.001   /* least change that is one */

bool measure_may_be_counted(const struct measure *m)
{
	return !strcmp(m->slug, "instructions");
}

bool values_are_counts(const struct measure *m, const double *x, size_t n)
{
	double low = INFINITY, high = 0;

	if (!measure_may_be_counted(m) || n < 2)
		return false;
	for (size_t i = 0; i < n; i++) {
		low = fmin(low, x[i]);
		high = fmax(high, x[i]);
	}
	return low > 0 && high <= low * (1 + COUNT_SCATTER);
}

void counts_compare(struct arena *a, const struct sample *b, size_t n_b, const struct sample *h,
	size_t n_h, struct comparison_row *row)
{
	row->base = sample_median(a, sample_numbers(a, b, n_b), n_b);
	row->head = sample_median(a, sample_numbers(a, h, n_h), n_h);
	row->n_base = (int64_t)n_b;
	row->n_head = (int64_t)n_h;
	row->effect = row->low = row->high = row->head / row->base - 1;
	row->min_effect = row->detectable = COUNT_EFFECT;
	row->method = "exact";
	row->reason = "counted: every process of an arm says the same";
	row->outcome = fabs(row->effect) <= COUNT_EFFECT		    ? OUTCOME_SAME
		       : (row->effect > 0) == (row->better == BETTER_LOWER) ? OUTCOME_SLOWER
									    : OUTCOME_FASTER;
}

/* --- against the history --- */

static void note_change(struct judging *g, struct timeline *t, size_t k,
	const struct threshold_result *r, enum outcome outcome)
{
	struct change_finding f = { .series_id = t->series.id };
	const struct change_point c = { .series_id = t->series.id,
		.version_number = t->commits[k].version,
		.hash = t->commits[k].hash,
		.effect = r->effect,
		.effect_low = r->effect,
		.effect_high = r->effect,
		.p = NAN,
		.before = r->baseline,
		.after = t->commits[k].value,
		.outcome = outcome,
		.detector = "exact" };

	timeline_add_change(t, &c);
	f.changes = t->changes;
	f.n = t->n_changes;
	findings_add_change(g->f, &f);
}

static int raise_alert(struct judging *g, const struct timeline *t, size_t k,
	const struct threshold_result *r, const struct report *report, const struct result *res)
{
	const struct alert_finding f = { .alert = { .series_id = t->series.id,
						 .report_id = report->id,
						 .version_number = t->commits[k].version,
						 .hash = t->commits[k].hash,
						 .state = ALERT_CONFIRMED,
						 .reason = "counted, not timed: every process "
							   "says the same",
						 .direction = OUTCOME_SLOWER,
						 .effect = r->effect,
						 .effect_low = r->effect,
						 .effect_high = r->effect,
						 .p = NAN,
						 .baseline = r->baseline,
						 .value = res->metric.value },
		.metric_id = res->metric.id };

	findings_add_alert(g->f, &f);
	return OK;
}

/* Open alerts whose old level is reached again. */
static void resolve(struct judging *g, const struct alert *asked, size_t n, double value)
{
	for (size_t i = 0; i < n; i++) {
		struct alert_finding f = { .alert = asked[i] };

		if (asked[i].state != ALERT_CONFIRMED ||
			value > asked[i].baseline * (1 + COUNT_EFFECT))
			continue;
		f.alert.state = ALERT_RESOLVED;
		f.alert.reason = "fixed: counted at the old level again";
		findings_add_alert(g->f, &f);
	}
}

static bool is_asked(const struct alert *asked, size_t n, int64_t version)
{
	for (size_t i = 0; i < n; i++)
		if (asked[i].version_number == version)
			return true;
	return false;
}

int judge_counts(struct judging *g, struct timeline *t, size_t k, const struct report *report,
	const struct result *res, struct threshold_result *ret)
{
	struct threshold_model m = threshold_defaults(TEST_EXACT);
	struct alert *asked;
	size_t n;
	int r;

	m.min_effect = COUNT_EFFECT;
	m.min_sample = 1;
	m.direction = DIRECTION_BOTH;
	m.better = LOWER_IS_BETTER;
	r = rule_apply_model(t, k, res->metric.value, &m, ret, g->err);
	if (r == OK)
		r = store_alert_of_series(
			g->st, g->a, t->series.id, MAX_ASKED, &asked, &n, g->err);
	if (r < 0 || (ret->verdict != VERDICT_SLOWER && ret->verdict != VERDICT_FASTER))
		return r;
	note_change(
		g, t, k, ret, ret->verdict == VERDICT_SLOWER ? OUTCOME_SLOWER : OUTCOME_FASTER);
	if (ret->verdict == VERDICT_FASTER)
		resolve(g, asked, n, res->metric.value);
	else if (!is_asked(asked, n, t->commits[k].version))
		r = raise_alert(g, t, k, ret, report, res);
	return r;
}
