/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of analysis/ share. Not for other folders. */
#ifndef DAEMON_ANALYSIS_INTERNAL_H
#define DAEMON_ANALYSIS_INTERNAL_H

#include "daemon/analysis/analysis.h"
#include "stats/mw_tails.h"
#include "stats/threshold.h"

#define DEFAULT_MIN_EFFECT 0.02
#define DEFAULT_ALPHA 0.01

/* --- values.c: process values of a report --- */

struct sample { /* value of one process for one (benchmark, measure) */
	const char *benchmark, *measure;
	int64_t block;
	double value;
	bool is_noisy;
};
struct report_values {
	struct sample *all; /* sorted by benchmark, measure, block */
	size_t n;
	const struct result *results; /* of the report, one a (benchmark, measure) */
	size_t n_results;
};
int report_values_load(struct store *st, struct arena *a, const struct report *r,
	struct report_values *ret, struct error *err) must_check;
/* Those of one result: usable ones first (not noisy), and if there is none, all. Uploads: one
 * value an iteration. */
struct sample *report_values_of(
	struct arena *a, const struct report_values *v, const struct result *of, size_t *ret_n);
double *sample_numbers(struct arena *a, const struct sample *s, size_t n);
/* Wall-time companions that benchd records beside a primary measure (cpu-time, memory-peak and
 * others): shown, but no verdict hangs on them. */
bool measure_is_companion(const struct measure *m);
/* A throughput that is another way to write the latency beside it: in every process of both
 * reports latency times throughput is the same number, within 0.1 %. Then one effect mirrors
 * the other, and only latency counts. Where the product differs between base and head (work per
 * iteration or concurrency changed) both count. */
bool result_mirrors_latency(struct arena *a, const struct report_values *base,
	const struct report_values *head, const struct result *of);
/* Values of several reports, each loaded once. */
struct value_cache {
	struct store *st;
	struct arena *a;
	struct cached {
		struct report report;
		struct report_values values;
		struct cached *next;
	} * first;
};
/* Process values that the report has for the series' benchmark and measure; none is OK. */
int cache_values(struct value_cache *c, int64_t report_id, const struct series *s, double **ret,
	size_t *ret_n, struct error *err) must_check;

/* --- compare.c --- */
double job_min_effect(struct arena *a, const struct job *j); /* of its protocol */

/* --- documents.c --- */
json_t *comparison_rows_json(const struct report_comparison *c); /* new reference */

/* --- timeline.c: the history of one series, commit by commit --- */

enum { TIMELINE_MAX = 400 }; /* newest points looked at */

struct commit_value { /* one version of one environment and definition */
	int64_t version;
	const char *hash;   /* NULL: unknown */
	size_t first, n;    /* its points */
	double value;	    /* their mean on the log scale, weighted by processes */
	bool counts;	    /* some point is neither noisy, suspect nor excluded */
	const char *starts; /* why a segment starts here; NULL: it goes on */
};
struct timeline {
	struct arena *a;
	struct series series;
	struct point *points;
	size_t n_points;
	struct commit_value *commits;
	size_t n_commits;
	struct change_point *changes;
	size_t n_changes;
	struct change_point *inherited; /* of the branches it began at; theirs to change */
	size_t n_inherited;
};
int timeline_load(struct store *st, struct arena *a, const struct series *s, int64_t max,
	struct timeline *ret, struct error *err) must_check;
/* Again from points and changes, after one of them was changed in memory. */
void timeline_refresh(struct timeline *t);
void timeline_add_change(struct timeline *t, const struct change_point *c);
/* First commit of the segment that commit k is in; first commit of its environment and
 * definition. */
size_t timeline_segment_start(const struct timeline *t, size_t k);
size_t timeline_family_start(const struct timeline *t, size_t k);
/* Values of the counting commits in [from, to), and which commits they are. */
double *timeline_values(
	const struct timeline *t, size_t from, size_t to, size_t **ret_index, size_t *ret_n);
size_t timeline_find(const struct timeline *t, int64_t report_id); /* n_commits: absent */

/* --- rule.c: the point rule --- */
struct threshold_model point_rule(enum better better, double min_effect);
/* Judge value against the segment before commit k. */
int rule_apply(const struct timeline *t, size_t k, double value, double min_effect,
	struct threshold_result *ret, struct error *err) must_check;
int rule_apply_model(const struct timeline *t, size_t k, double value,
	const struct threshold_model *m, struct threshold_result *ret,
	struct error *err) must_check;
/* Relative effect of one commit that the segment up to commit k shows with 80 % power; NAN with
 * fewer than 3 counting commits, or where ratios mean nothing. */
double segment_detectable(const struct timeline *t, size_t k);
const char *rule_detail(struct arena *a, const struct threshold_result *r, double value,
	double min_effect, int64_t segment_start);

/* --- screen.c: where did the level change? --- */

struct screen_rules {
	double min_effect;
	bool can_rerun; /* suspects are decided by measuring again, so more may be suspected */
	struct value_cache *cache;
};
struct candidate {
	size_t at;   /* commit: first of the new level */
	size_t base; /* the commit measured before it */
	enum outcome direction;
	double effect, p, before, after;
	const char *test, *rule; /* rule: what is configured; NULL: the default */
	double min_effect;	 /* of that rule; NAN */
};
/* The most suspicious place in the segment of the newest commit that was not asked about
 * before. False: none. */
int screen(const struct timeline *t, const struct screen_rules *rules,
	const struct alert *asked, size_t n_asked, struct candidate *ret, bool *ret_found,
	struct error *err) must_check;
/* Change points of the newest commit's environment and definition by seeded_mw, for series that
 * cannot be measured again; empty for fewer than 20 commits. */
int screen_history(const struct timeline *t, double min_effect, struct change_point **ret,
	size_t *ret_n, size_t *ret_from, struct error *err) must_check;

#define REASON_BY_HISTORY "found in the history; it cannot be measured again"

/* --- findings: judge.c fills, save.c stores --- */

struct boundary_finding {
	int64_t metric_id;
	const char *test, *detail;
	double baseline, lower, upper;
};
struct alert_finding { /* new when alert.id is 0, else changed */
	struct alert alert;
	int64_t metric_id;		 /* of the commit it names; 0: as before */
	const struct point *set, *clear; /* points that get or lose POINT_SUSPECT */
	size_t n_set, n_clear;
};
struct change_finding { /* the whole set of a series */
	int64_t series_id;
	struct change_point *changes;
	size_t n;
};
struct limits_finding { /* metrics of a report that a configured rule judges, when stored */
	struct limits_run run;
	struct limits_metric *metrics;
	size_t n;
};
struct findings {
	struct arena *a;
	int64_t newest_id, newest_number; /* version of the head when it was judged; 0: none */
	enum outcome outcome;
	const char *result_json; /* NULL */
	struct boundary_finding *boundaries;
	struct alert_finding *alerts;
	struct change_finding *changes;
	struct rerun *reruns;
	struct point *held; /* points of a job whose control kernel moved: keys only */
	size_t n_held;
	struct limits_finding *limits;
	size_t n_limits, cap_limits;
	size_t n_boundaries, n_alerts, n_changes, n_reruns;
	size_t cap_boundaries, cap_alerts, cap_changes, cap_reruns;
};

struct judging {
	struct store *st;
	struct arena *a;
	const struct job *job;
	double min_effect;
	bool can_rerun;
	int64_t n_processes; /* an arm of a re-run */
	int64_t origin_id;   /* job whose workload re-runs take; 0: this one */
	struct value_cache cache;
	json_t *control; /* what the control kernel said; NULL: there was none */
	struct findings *f;
	struct error *err;
};
void findings_add_boundary(struct findings *f, const struct boundary_finding *b);
void findings_add_alert(struct findings *f, const struct alert_finding *al);
void findings_add_change(struct findings *f, const struct change_finding *c);
void findings_add_limits(struct findings *f, const struct limits_finding *l);
/* One re-run answers for all benchmarks in question between the same two commits. n_fixed: so
 * many pairs, 0: as many as it takes. */
void findings_add_rerun(struct judging *g, const char *head, const char *base,
	const struct timeline *t, int64_t n_fixed);

/* --- order.c: did versions get other numbers since? --- */
int order_note(struct judging *g) must_check;
int order_has_moved(
	struct store *st, const struct findings *f, bool *ret, struct error *err) must_check;

/* --- judge.c --- */
/* Screen a series and raise a suspect where it finds one. */
int judge_series(struct judging *g, struct timeline *t) must_check;
/* Report and metric of a commit. */
int find_metric(struct judging *g, const struct timeline *t, const struct commit_value *c,
	int64_t *ret_report, int64_t *ret_metric) must_check;

/* --- arms.c --- */
/* "sleep 0.01", "backend=simd": argv or parameters of each arm; stays as it is for others. */
void arms_describe(
	struct arena *a, const struct job *j, const char **ret_base, const char **ret_head);

/* --- compare_history.c: one value each --- */
/* Fill the rest of a row whose base, head and effect are known, when the segment of the base
 * has 10 commits or more (docs/methods.md). alpha: two-sided, of this row. */
int compare_by_history(struct store *st, struct arena *a, const struct report *base,
	const struct report *head, int64_t series_id, double alpha, struct comparison_row *row,
	struct error *err) must_check;

/* --- counts.c: what does not scatter --- */
bool measure_may_be_counted(const struct measure *m);
/* Instructions of two or more processes that agree within 0.05 %. */
bool values_are_counts(const struct measure *m, const double *x, size_t n);
/* A row of a comparison of such values: `exact`, a change from 0.1 %. */
void counts_compare(struct arena *a, const struct sample *b, size_t n_b, const struct sample *h,
	size_t n_h, struct comparison_row *row);
/* Judge commit k by `exact` against the commit before it in its segment; a change is noted, a
 * rise is an alert at once, a return to the old level resolves it. */
int judge_counts(struct judging *g, struct timeline *t, size_t k, const struct report *report,
	const struct result *res, struct threshold_result *ret) must_check;

/* --- control.c: did the host move? --- */
int control_look(struct judging *g) must_check; /* sets g->control */
void control_keep(struct judging *g);		/* into the job's result */
int control_hold(struct judging *g) must_check; /* what was found, if the control moved */
int control_save(struct store *st, const struct findings *f, struct error *err) must_check;
/* Held suspects are closed and asked about anew: leaves the others, returns how many. */
size_t control_release(struct judging *g, struct alert *asked, size_t n);

/* --- inquiry.c: a suspect on its way to an answer ---
 *
 * An inquiry holds a range of commits (lo, hi] and the claim that hi is on another level than
 * lo. Every step of it is one interleaved re-run of two commits. */
struct inquiry {
	int64_t lo, hi;			   /* versions: the range now */
	int64_t from, upto;		   /* the range it began with */
	const char *test_base, *test_head; /* hashes of the re-run under way */
	double total;	     /* effect of upto against from; 0: not measured yet */
	int64_t n_different; /* re-runs of the whole range that found it */
	int64_t n_undecided, n_restarts, n_reruns;
	double min_effect; /* of the rule that asked; NAN: that of the workload */
	bool is_narrowing; /* a confirmed one, whose range got a commit more */
};
/* Begin one: the suspect is raised at hi, and the first re-run is filed. */
int inquiry_begin(struct judging *g, const struct timeline *t, const struct candidate *c,
	size_t lo, size_t hi) must_check;
/* A commit that was measured late stands inside the range of a confirmed change: re-runs tell
 * on which side. The alert stays confirmed and nobody is told twice; its place may move. */
int inquiry_narrow(struct judging *g, const struct timeline *t, int64_t version) must_check;
/* What a re-run of two commits answers. */
int judge_rerun(struct judging *g, const struct report_comparison *c) must_check;

/* --- ends.c: where single runs scatter too much to tell anything --- */
int judge_ends(struct judging *g, const struct job *newest) must_check;

/* --- limits_rules.c: which rule applies --- */

struct limit_choice {
	struct limit_model model;
	int64_t model_id; /* of a threshold; 0 */
	const char *origin,
		*name; /* "threshold", "rule", "default"; name of the rule or NULL */
};
/* "t_test, the threshold of this branch, testbed and measure": what every boundary tells. */
const char *limit_choice_text(struct arena *a, const struct limit_choice *c);
#define DEFAULT_RULE_TEXT "log_t, benchd's default: nothing is configured here"
struct limit_rules { /* everything that may apply on one branch and testbed */
	struct store *st;
	struct arena *a;
	const struct branch *branch;
	const struct testbed *testbed;
	struct measure_model *models;
	size_t n_models;
	struct limit_rule *rules;
	size_t n_rules;
};
int limit_rules_load(struct limit_rules *l, int64_t project_id, struct error *err) must_check;
/* How many values of a history the rules look at, at most. */
int64_t limit_rules_reach(const struct limit_rules *l);
int limit_rules_choose(const struct limit_rules *l, const struct limit_place *where,
	enum better better, struct limit_choice *ret, struct error *err) must_check;

/* --- judge_rules.c: where something is configured, a job's report is judged by it --- */

enum rule_way {
	RULE_DEFAULT, /* nothing is configured: benchd's default */
	RULE_STORED,  /* judged when it is stored, as an upload's value */
	RULE_RERUN,   /* an own test of a workload that can run again: re-runs decide */
	RULE_OFF
};
struct judged_rules { /* of one report */
	struct limit_rules rules;
	struct limits_finding stored;
	const struct report *report;
	struct metric_past *pasts; /* RULE_RERUN: one a result; made when first needed */
	const struct result *results;
	size_t n_results;
};
int judge_rules_open(struct judging *g, const struct report *report,
	const struct result *results, size_t n, struct judged_rules *ret) must_check;
/* Which way res goes. RULE_STORED and RULE_RERUN note it for storing. RULE_RERUN: *ret_found
 * and *ret tell whether the rule suspects it at commit k. */
int judge_rules_take(struct judging *g, struct judged_rules *jr, const struct timeline *t,
	size_t k, const struct result *res, enum rule_way *ret_way, struct candidate *ret,
	bool *ret_found) must_check;
/* Is nothing configured for the series? */
int judge_rules_is_default(struct judging *g, const struct series *s, bool *ret) must_check;
void judge_rules_close(struct judging *g, struct judged_rules *jr);

/* --- limits.c --- */
/* What the rule that applies says of one metric; nothing is stored. */
int limits_check(struct store *st, struct arena *a, const struct limits_run *run,
	const struct limit_choice *choice, const struct metric_past *past, double value,
	struct threshold_result *ret, int64_t *ret_at, const char **ret_detail,
	struct error *err) must_check;

/* --- limits_next.c --- */
/* Sets the boundary of h and what is said with it. */
int limits_next(struct store *st, const struct timeline *t, struct history *h,
	struct error *err) must_check;

/* --- limits_later.c --- */
/* The metric of past came late: the own limits of the values behind it, again. Writer. */
int limits_later(struct store *st, struct arena *a, const struct limits_run *run,
	const struct limit_choice *choice, const struct metric_past *past,
	struct error *err) must_check;

/* --- limits_level.c: has the level of a series changed? --- */

struct level {
	struct store *st;
	struct arena *a;
	const struct limits_run *run;
	const struct limits_metric *metric;
	const struct metric_past *past;
	const struct limit_choice *choice;
	const struct threshold_result *result;
	double detectable; /* relative effect seen with 80 % power; NAN */
	int64_t at;	   /* cpd: version of the change; -1 */
};
/* Go on with, or raise, the question whether it has. */
int level_judge(const struct level *l, struct error *err) must_check;

#endif
