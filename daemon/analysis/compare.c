/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two reports side by side. */
#include <math.h>
#include <string.h>
#include "daemon/analysis/internal.h"
#include "stats/compare.h"
#include "stats/multiple.h"
#include "stats/power.h"
#include "stats/quantile.h"
#include "stats/suite.h"

enum { SUITE_MAX = 1000, SUITE_REPLICATES = 1000 };

struct side {
	const struct report *report;
	struct report_values values;
};

struct comparing {
	struct store *st;
	struct arena *a;
	struct side base, head;
	struct report_values control; /* of the base run a second time in each block */
	struct compare_rules rules;
	struct mw_tails *tails;
	struct report_comparison *out;
	struct suite_row *suite; /* rows of the geometric mean */
	size_t n_suite;
	struct error *err;
};

/* --- one row --- */

static bool same_text(const char *a, const char *b)
{
	return (!a && !b) || (a && b && !strcmp(a, b));
}

static enum outcome to_outcome(enum compare_outcome o)
{
	switch (o) {
	case COMPARE_SAME:
		return OUTCOME_SAME;
	case COMPARE_FASTER:
		return OUTCOME_FASTER;
	case COMPARE_SLOWER:
		return OUTCOME_SLOWER;
	case COMPARE_UNKNOWN:
		break;
	}
	return OUTCOME_UNKNOWN;
}

/* Values of the blocks that both arms have, in the order of the blocks. */
static size_t match_blocks(const struct sample *b, size_t n_b, const struct sample *h,
	size_t n_h, double *ret_base, double *ret_head)
{
	size_t n = 0, i = 0, k = 0;

	while (i < n_b && k < n_h) {
		if (b[i].block == h[k].block) {
			ret_base[n] = b[i++].value;
			ret_head[n++] = h[k++].value;
		} else if (b[i].block < h[k].block) {
			i++;
		} else {
			k++;
		}
	}
	return n;
}

static double log_sd(struct arena *a, const double *x, size_t n)
{
	double *l;

	if (n < 2 || !values_are_positive(x, n))
		return NAN;
	l = sample_logs(a, x, n);
	return sample_sd(l, n, sample_mean(l, n));
}

static double detectable_paired(
	struct arena *a, const double *b, const double *h, size_t n, double alpha)
{
	double *ratio = ARENA_ARRAY(a, double, n + 1);
	double sd;

	for (size_t i = 0; i < n; i++)
		ratio[i] = h[i] / b[i];
	sd = log_sd(a, ratio, n);
	/* The sd of a difference stands for both sides together. */
	return n < 2 ? NAN : power_mde(sd / M_SQRT2, n, n, (double)n - 1, alpha / 2, 0.8);
}

static double detectable_unpaired(
	struct arena *a, const double *b, size_t n_b, const double *h, size_t n_h, double alpha)
{
	double sb = log_sd(a, b, n_b), sh = log_sd(a, h, n_h), s2;

	if (isnan(sb) || isnan(sh))
		return NAN;
	s2 = ((double)(n_b - 1) * sb * sb + (double)(n_h - 1) * sh * sh) /
	     (double)(n_b + n_h - 2);
	return power_mde(sqrt(s2), n_b, n_h, 0, alpha / 2, 0.8);
}

/* Student's t of the logs (Welch's for two groups); NAN where ratios mean nothing. */
static double t_of(
	const struct comparing *x, const double *b, size_t n_b, const double *h, size_t n_h)
{
	const double *lb, *lh;
	double *d, mean, sb, sh;

	if (n_b < 2 || n_h < 2 || !values_are_positive(b, n_b) || !values_are_positive(h, n_h))
		return NAN;
	lb = sample_logs(x->a, b, n_b);
	lh = sample_logs(x->a, h, n_h);
	if (!x->out->paired) {
		mean = sample_mean(lh, n_h) - sample_mean(lb, n_b);
		sb = sample_sd(lb, n_b, sample_mean(lb, n_b));
		sh = sample_sd(lh, n_h, sample_mean(lh, n_h));
		return mean / sqrt(sb * sb / (double)n_b + sh * sh / (double)n_h);
	}
	d = ARENA_ARRAY(x->a, double, n_b);
	for (size_t i = 0; i < n_b; i++)
		d[i] = lh[i] - lb[i];
	mean = sample_mean(d, n_b);
	return mean / (sample_sd(d, n_b, mean) / sqrt((double)n_b));
}

static void fill_row(struct comparison_row *row, const struct comparison *c)
{
	row->base = c->base;
	row->head = c->head;
	row->n_base = (int64_t)c->n_base;
	row->n_head = (int64_t)c->n_head;
	row->effect = c->effect;
	row->low = c->lower;
	row->high = c->upper;
	row->p = c->p;
	row->outcome = to_outcome(c->outcome);
	row->reason = c->reason;
	row->method = c->paired ? "paired Hodges-Lehmann" : "Hodges-Lehmann";
}

static int test_values(struct comparing *x, struct comparison_row *row, const struct sample *b,
	size_t n_b, const struct sample *h, size_t n_h)
{
	const struct compare_params p = {
		.better = row->better == BETTER_LOWER ? LOWER_IS_BETTER : HIGHER_IS_BETTER,
		.alpha = x->rules.alpha,
		.interval_alpha = 0.05,
		.min_effect = row->min_effect,
	};
	double *base = sample_numbers(x->a, b, n_b), *head = sample_numbers(x->a, h, n_h);
	struct comparison c;
	int r;

	if (x->out->paired) {
		size_t n = match_blocks(b, n_b, h, n_h, base, head);

		row->t = t_of(x, base, n, head, n);
		r = compare_paired(x->a, base, head, n, &p, &c, x->err);
		row->detectable = detectable_paired(x->a, base, head, n, p.alpha);
	} else {
		row->t = t_of(x, base, n_b, head, n_h);
		r = compare_unpaired(x->tails, x->a, base, n_b, head, n_h, &p, &c, x->err);
		row->detectable = detectable_unpaired(x->a, base, n_b, head, n_h, p.alpha);
	}
	if (r == OK)
		fill_row(row, &c);
	return r;
}

static int test_control(struct comparing *x, struct comparison_row *row,
	const struct result *of, const struct sample *b, size_t n_b)
{
	const struct compare_params p = {
		.better = row->better == BETTER_LOWER ? LOWER_IS_BETTER : HIGHER_IS_BETTER,
		.alpha = x->rules.alpha,
		.interval_alpha = 0.05,
		.min_effect = row->min_effect,
	};
	size_t n_c, n;
	struct sample *control = report_values_of(x->a, &x->control, of, &n_c);
	double *base = ARENA_ARRAY(x->a, double, n_b + 1);
	double *again = ARENA_ARRAY(x->a, double, n_b + 1);
	struct comparison c;
	int r;

	n = match_blocks(b, n_b, control, n_c, base, again);
	if (n < 2)
		return OK;
	r = compare_paired(x->a, base, again, n, &p, &c, x->err);
	if (r < 0)
		return r;
	row->control.effect = c.effect;
	row->control.low = c.lower;
	row->control.high = c.upper;
	row->control.p = c.p;
	row->control.n = (int64_t)n;
	row->control.outcome = to_outcome(c.outcome);
	return OK;
}

/* One value each is a measurement, but no test. */
static void show_values(
	struct comparison_row *row, const struct result *b, const struct result *h)
{
	row->base = b->metric.value;
	row->head = h->metric.value;
	row->n_base = b->metric.n_processes;
	row->n_head = h->metric.n_processes;
	row->effect = row->base != 0 ? row->head / row->base - 1 : NAN;
	row->outcome = OUTCOME_UNKNOWN;
	row->method = "values only";
}

/* Nothing can measure them again, so that the level is that of all rows together. */
static int test_single(struct comparing *x, const struct result *b, const struct result *h,
	struct comparison_row *row)
{
	size_t n = MIN(x->base.values.n_results, x->head.values.n_results);

	show_values(row, b, h);
	return compare_by_history(x->st, x->a, x->base.report, x->head.report, b->series_id,
		x->rules.alpha / (double)MAX(n, (size_t)1), row, x->err);
}

/* "measured by other builds of benchd-kernel (3f2a11bc -> 9c01d2e4)"; NULL: it is not that. */
static const char *program_difference(
	struct arena *a, const struct result *b, const struct result *h)
{
	if (!same_text(b->workload_hash, h->workload_hash))
		return NULL;
	if (same_text(b->program, h->program))
		return same_text(b->driver, h->driver)
			       ? NULL
			       : arena_printf(a, "measured by other Vulkan drivers (%s -> %s)",
					 b->driver ? b->driver : "unknown",
					 h->driver ? h->driver : "unknown");
	return arena_printf(a, "measured by other builds of benchd-kernel (%.8s -> %.8s)",
		b->program ? b->program : "unknown", h->program ? h->program : "unknown");
}

/* Reasons for which numbers must not be compared, whatever they say. */
static void forbid(const struct comparing *x, struct comparison_row *row)
{
	if (!x->out->same_environment) {
		row->outcome = OUTCOME_UNKNOWN;
		row->reason = "measured in different environments";
	} else if (!row->same_definition) {
		row->outcome = OUTCOME_UNKNOWN;
		row->reason = row->program_difference ? row->program_difference
						      : "the workload's definition differs";
	}
}

static void add_to_suite(struct comparing *x, const struct comparison_row *row,
	const struct sample *b, size_t n_b, const struct sample *h, size_t n_h)
{
	double *base = sample_numbers(x->a, b, n_b), *head = sample_numbers(x->a, h, n_h);

	/* Counts are no second latency. */
	if (!strcmp(row->method, "exact"))
		return;
	if (!row->same_definition || !row->decides || row->better != BETTER_LOWER || n_b == 0 ||
		n_h == 0 || x->n_suite == SUITE_MAX || !values_are_positive(base, n_b) ||
		!values_are_positive(head, n_h))
		return;
	x->suite[x->n_suite++] =
		(struct suite_row){ .base = base, .head = head, .n_base = n_b, .n_head = n_h };
}

static bool are_counts(struct arena *a, const struct result *of, const struct sample *b,
	size_t n_b, const struct sample *h, size_t n_h)
{
	return values_are_counts(&of->measure, sample_numbers(a, b, n_b), n_b) &&
	       values_are_counts(&of->measure, sample_numbers(a, h, n_h), n_h);
}

static int add_row(struct comparing *x, const struct result *b, const struct result *h)
{
	struct comparison_row *row = &x->out->rows[x->out->n_rows++];
	size_t n_b, n_h;
	struct sample *base = report_values_of(x->a, &x->base.values, b, &n_b);
	struct sample *head = report_values_of(x->a, &x->head.values, h, &n_h);
	int r = OK;

	*row = (struct comparison_row){ .benchmark = h->benchmark.name,
		.measure = h->measure.name,
		.units = h->measure.units,
		.better = h->measure.better,
		.low = NAN,
		.high = NAN,
		.p = NAN,
		.t = NAN,
		.q = NAN,
		.detectable = NAN,
		.min_effect = x->rules.min_effect,
		.noise = MAX(x->base.report->noise, x->head.report->noise),
		.paired = x->out->paired,
		.decides = !measure_is_companion(&h->measure) &&
			   !result_mirrors_latency(x->a, &x->base.values, &x->head.values, h),
		.same_definition = same_text(b->definition_hash, h->definition_hash),
		.program_difference = program_difference(x->a, b, h) };
	if (n_b < 2 || n_h < 2)
		r = test_single(x, b, h, row);
	else if (are_counts(x->a, h, base, n_b, head, n_h))
		counts_compare(x->a, base, n_b, head, n_h, row);
	else
		r = test_values(x, row, base, n_b, head, n_h);
	if (r == OK && x->control.n)
		r = test_control(x, row, b, base, n_b);
	forbid(x, row);
	add_to_suite(x, row, base, n_b, head, n_h);
	return r;
}

/* --- all rows --- */

static int compare_results(const void *a, const void *b)
{
	const struct result *x = a, *y = b;
	int c = strcmp(x->benchmark.name, y->benchmark.name);

	return c ? c : strcmp(x->measure.name, y->measure.name);
}

static struct result *sorted(struct arena *a, const struct report_values *v)
{
	struct result *copy = ARENA_ARRAY(a, struct result, v->n_results + 1);

	if (v->n_results) {
		memcpy(copy, v->results, v->n_results * sizeof(*copy));
		qsort(copy, v->n_results, sizeof(*copy), compare_results);
	}
	return copy;
}

static const char *row_name(struct arena *a, const struct result *r)
{
	return arena_printf(a, "%s %s", r->benchmark.name, r->measure.name);
}

static int merge_rows(struct comparing *x)
{
	size_t n_b = x->base.values.n_results, n_h = x->head.values.n_results, i = 0, k = 0;
	struct result *b = sorted(x->a, &x->base.values), *h = sorted(x->a, &x->head.values);
	struct report_comparison *c = x->out;

	c->rows = ARENA_ARRAY(x->a, struct comparison_row, MIN(n_b, n_h) + 1);
	c->added = ARENA_ARRAY(x->a, const char *, n_h + 1);
	c->removed = ARENA_ARRAY(x->a, const char *, n_b + 1);
	x->suite = ARENA_ARRAY(x->a, struct suite_row, SUITE_MAX);
	while (i < n_b || k < n_h) {
		int order = i == n_b ? 1 : k == n_h ? -1 : compare_results(&b[i], &h[k]);

		if (order < 0) {
			c->removed[c->n_removed++] = row_name(x->a, &b[i++]);
		} else if (order > 0) {
			c->added[c->n_added++] = row_name(x->a, &h[k++]);
		} else {
			int r = add_row(x, &b[i++], &h[k++]);

			if (r < 0)
				return r;
		}
	}
	return OK;
}

/* Slower beats unknown beats faster beats same; companions are only shown, unless there is
 * nothing else. */
static void decide(struct report_comparison *c)
{
	bool has_deciding = false;

	for (size_t i = 0; i < c->n_rows; i++)
		has_deciding |= c->rows[i].decides;
	for (size_t i = 0; i < c->n_rows; i++) {
		c->rows[i].decides |= !has_deciding;
		if (c->rows[i].decides)
			c->counts[c->rows[i].outcome]++;
	}
	if (c->counts[OUTCOME_SLOWER])
		c->outcome = OUTCOME_SLOWER;
	else if (c->counts[OUTCOME_UNKNOWN] || c->n_added || c->n_removed ||
		 !c->same_environment || c->n_rows == 0)
		c->outcome = OUTCOME_UNKNOWN;
	else
		c->outcome = c->counts[OUTCOME_FASTER] ? OUTCOME_FASTER : OUTCOME_SAME;
}

/* Benchmark noise has heavy tails: with p values of t by its own degrees of freedom three of
 * four suites without a change would show a coloured row (docs/methods.md). */
static void colour(struct arena *a, struct report_comparison *c)
{
	struct comparison_row **of = ARENA_ARRAY(a, struct comparison_row *, c->n_rows + 1);
	double *p = ARENA_ARRAY(a, double, c->n_rows + 1);
	double *q = ARENA_ARRAY(a, double, c->n_rows + 1);
	size_t n = 0;

	for (size_t i = 0; i < c->n_rows; i++)
		if (c->rows[i].decides && !isnan(c->rows[i].t) && c->same_environment &&
			c->rows[i].same_definition) {
			of[n] = &c->rows[i];
			p[n++] = fmin(1, 2 * multiple_heavy_p(fabs(c->rows[i].t)));
		}
	benjamini_hochberg_adjust(a, p, n, false, q);
	c->n_suite = n;
	for (size_t i = 0; i < n; i++) {
		of[i]->q = q[i];
		of[i]->stands_out = q[i] <= SUITE_Q;
		c->n_standing_out += of[i]->stands_out;
	}
}

static int average(struct comparing *x)
{
	const struct bootstrap_params p = { .replicates = SUITE_REPLICATES,
		.alpha = 0.05,
		.seed = (uint64_t)x->head.report->id };
	struct suite_number s;
	int r;

	x->out->geometric_mean = x->out->geometric_low = x->out->geometric_high = NAN;
	x->out->n_geometric = x->n_suite;
	if (x->n_suite == 0)
		return OK;
	r = suite_number_make(x->a, x->suite, x->n_suite, LOWER_IS_BETTER, &p, &s, x->err);
	if (r < 0)
		return r;
	x->out->geometric_mean = s.ratio;
	x->out->geometric_low = s.has_interval ? s.lower : NAN;
	x->out->geometric_high = s.has_interval ? s.upper : NAN;
	return OK;
}

static void note_testbeds(struct arena *a, struct report_comparison *c)
{
	c->environment_difference = ARENA_ARRAY(a, const char *, 1);
	c->environment_difference[0] = arena_printf(
		a, "testbed: %s -> %s", c->base.testbed.name, c->head.testbed.name);
	c->n_environment_difference = 1;
}

static int find_environments(struct store *st, struct comparing *x)
{
	struct report_comparison *c = x->out;

	c->same_environment = same_text(c->base.environment_hash, c->head.environment_hash);
	/* Of uploads the testbed is all that is known of where they were measured. */
	if (!c->base.environment_hash && !c->head.environment_hash)
		c->same_environment = c->base.testbed.id == c->head.testbed.id;
	if (c->base.testbed.id != c->head.testbed.id && !c->same_environment)
		note_testbeds(x->a, c);
	if (c->same_environment || !c->base.environment_hash || !c->head.environment_hash)
		return OK;
	return analysis_environment_difference(st, x->a, c->base.environment_hash,
		c->head.environment_hash, &c->environment_difference,
		&c->n_environment_difference, x->err);
}

double job_min_effect(struct arena *a, const struct job *j)
{
	struct error ignored;
	json_t *definition;

	if (!j->definition_json || json_parse(j->definition_json, strlen(j->definition_json),
					   &definition, &ignored) < 0)
		return DEFAULT_MIN_EFFECT;
	arena_own_json(a, definition);
	return json_get_real(
		json_object_get(definition, "protocol"), "min_effect", DEFAULT_MIN_EFFECT);
}

static int settle_rules(
	struct store *st, struct comparing *x, const struct compare_rules *rules)
{
	struct job j;
	int r;

	x->rules = rules ? *rules : (struct compare_rules){ .min_effect = NAN };
	if (x->rules.alpha == 0)
		x->rules.alpha = DEFAULT_ALPHA;
	if (!isnan(x->rules.min_effect))
		return OK;
	x->rules.min_effect = DEFAULT_MIN_EFFECT;
	if (!x->head.report->job_id)
		return OK;
	r = store_job_get(st, x->a, x->head.report->job_id, &j, x->err);
	if (r == OK)
		x->rules.min_effect = job_min_effect(x->a, &j);
	return r == E_NOT_FOUND ? OK : r;
}

static int describe_arms(struct store *st, struct comparing *x)
{
	struct job j;
	int r;

	if (!x->out->paired)
		return OK;
	r = store_job_get(st, x->a, x->head.report->job_id, &j, x->err);
	if (r == OK)
		arms_describe(x->a, &j, &x->out->base_what, &x->out->head_what);
	return r == E_NOT_FOUND ? OK : r;
}

/* Its processes stand beside those of the base, in the same job. */
static int load_control(struct store *st, struct comparing *x)
{
	struct report control = *x->base.report;

	if (!x->out->paired)
		return OK;
	control.arm = ARM_CONTROL;
	return report_values_load(st, x->a, &control, &x->control, x->err);
}

int analysis_compare(struct store *st, struct arena *a, const struct report *base,
	const struct report *head, const struct compare_rules *rules,
	struct report_comparison *ret, struct error *err)
{
	_cleanup_(mw_tails_free)
	struct mw_tails *tails = mw_tails_new();
	struct report_comparison c = { .base = *base, .head = *head };
	struct comparing x = { .st = st,
		.a = a,
		.base.report = base,
		.head.report = head,
		.tails = tails,
		.out = &c,
		.err = err };
	int r;

	c.paired = base->job_id && base->job_id == head->job_id && base->arm != head->arm;
	r = settle_rules(st, &x, rules);
	if (r == OK)
		r = describe_arms(st, &x);
	if (r == OK)
		r = find_environments(st, &x);
	if (r == OK)
		r = report_values_load(st, a, base, &x.base.values, err);
	if (r == OK)
		r = report_values_load(st, a, head, &x.head.values, err);
	if (r == OK)
		r = load_control(st, &x);
	if (r == OK)
		r = merge_rows(&x);
	if (r == OK)
		r = average(&x);
	if (r < 0)
		return r;
	decide(&c);
	colour(a, &c);
	*ret = c;
	return OK;
}

int analysis_compare_job(struct store *st, struct arena *a, const struct job *j,
	const struct compare_rules *rules, struct report_comparison *ret, struct error *err)
{
	struct report base, head;
	int r;

	if (!j->base_report_uuid || !j->report_uuid)
		return error_set(err, E_NOT_FOUND,
			"job %s has no comparison: it measured one side only, or has not "
			"succeeded",
			j->uuid);
	r = store_report_find(st, a, j->project_id, j->base_report_uuid, &base, err);
	if (r == OK)
		r = store_report_find(st, a, j->project_id, j->report_uuid, &head, err);
	return r < 0 ? r : analysis_compare(st, a, &base, &head, rules, ret, err);
}
