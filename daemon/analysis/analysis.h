/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door of analysis/: what stored numbers mean.
 *
 * For: the comparison of two reports, the verdict of a gate, the segments of a history, and -
 * after each new report - limits, change points and alerts, with the re-runs that decide them.
 * Not for: measuring, storing raw results (ingest/), sending anything (notify/).
 *
 * Everything takes process values, one a process, never the samples of one process
 * (docs/methods.md). Functions that only ask take any store handle and run on reader threads;
 * the one that writes says so. Results live in the arena given. */
#ifndef DAEMON_ANALYSIS_ANALYSIS_H
#define DAEMON_ANALYSIS_ANALYSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "daemon/model/model.h"
#include "daemon/store/store.h"
#include "stats/threshold.h"

/* --- comparison of two reports --- */

struct compare_rules {
	double min_effect; /* least relative effect that counts; NAN: 0.02 */
	double alpha;	   /* two-sided level of the test; 0: 0.01 */
};

struct comparison_row { /* one (benchmark, measure) that both reports have */
	const char *benchmark, *measure, *units;
	enum better better;
	double base, head;	  /* value of each arm: median of its process values */
	double effect, low, high; /* head/base - 1 and its 95 % interval; NAN = none */
	double p;		  /* two-sided; NAN = no test was possible */
	/* For colouring a view of many rows, never for an outcome: Student's t of the values,
	 * its p by 3 degrees of freedom adjusted by Benjamini and Hochberg over all rows that
	 * decide (NAN: no test), and whether that is at most SUITE_Q. */
	double t, q;
	bool stands_out;
	int64_t n_base, n_head; /* process values used */
	enum outcome outcome;
	double min_effect;
	double detectable; /* least effect seen with 80 % power at these sizes; NAN = unknown */
	enum noise noise;  /* the worse of the two reports */
	bool paired, same_definition;
	const char *program_difference; /* NULL: the definition differs in more, or nothing */
	bool decides; /* false: a companion (cpu-time, memory-peak and others), shown but not
			 counted */
	const char *method; /* "paired Hodges-Lehmann", "Hodges-Lehmann", "exact", "values
			     * only", "ab_log_t, by the scatter of the history" */
	const char *reason; /* why the outcome is what it is; a short phrase */
	/* Base against itself in the same blocks (`control: true`): what this host shows where
	 * nothing differs. n 0: there was none. */
	struct {
		double effect, low, high, p;
		int64_t n;
		enum outcome outcome;
	} control;
};

struct report_comparison {
	struct report base, head;
	const char *base_what, *head_what; /* argv or parameters they differ in; NULL */
	bool paired;	      /* both are arms of one job, measured in interleaved blocks */
	enum outcome outcome; /* of the whole: docs/api.md */
	int64_t counts[outcome_count]; /* rows by outcome */
	bool same_environment;
	const char **environment_difference; /* "cpu.model: A -> B" */
	size_t n_environment_difference;
	const char **added, **removed; /* "benchmark measure" only head / only base has */
	size_t n_added, n_removed;
	struct comparison_row *rows; /* by benchmark, then measure */
	size_t n_rows;
	/* Of head/base over the primary measure of each benchmark (latency, else throughput);
	 * NAN without any. Interval by resampling processes. */
	double geometric_mean, geometric_low, geometric_high;
	size_t n_geometric;
	size_t n_suite, n_standing_out; /* rows that were tested together, and of them */
};
#define SUITE_Q 0.05 /* share of false discoveries among the rows that stand out */

/* Compare head with base. Two arms of one job are compared block by block (Wilcoxon
 * signed-rank, paired Hodges-Lehmann), other reports process against process (Mann-Whitney,
 * Hodges-Lehmann). Uploads have no processes: one value each is judged by the scatter of the
 * history (10 commits or more), at a level that all rows share. rules may be NULL. */
int analysis_compare(struct store *st, struct arena *a, const struct report *base,
	const struct report *head, const struct compare_rules *rules,
	struct report_comparison *ret, struct error *err) must_check;
/* The two arms of an A/B job. E_NOT_FOUND in a sentence when the job has no two reports. */
int analysis_compare_job(struct store *st, struct arena *a, const struct job *j,
	const struct compare_rules *rules, struct report_comparison *ret,
	struct error *err) must_check;
/* The report that ref means: a report's UUID (also "report:UUID"), a commit hash or at least 7
 * digits of one (its newest report, on branch if given), or a branch name (its newest report).
 * branch and testbed may be NULL. */
int analysis_find_report(struct store *st, struct arena *a, int64_t project_id, const char *ref,
	const char *branch, const char *testbed, struct report *ret,
	struct error *err) must_check;
/* Where base and head, found by these words, have no benchmark in common (a branch on which
 * several workloads are measured): another report of base's words that has one of head's, else
 * one of head's words that has one of base's, else both stay as they are. */
struct side_refs {
	const char *base, *head, *branch; /* branch: where commits are looked up; NULL */
};
int analysis_match_sides(struct store *st, struct arena *a, const struct side_refs *refs,
	struct report *base, struct report *head, struct error *err) must_check;
/* docs/api.md, "Compare". New reference. */
json_t *analysis_comparison_json(const struct report_comparison *c);

/* Two environments field by field, as "cpu.model: A -> B"; the hashes are of their identities.
 */
int analysis_environment_difference(struct store *st, struct arena *a, const char *base_hash,
	const char *head_hash, const char ***ret, size_t *ret_n, struct error *err) must_check;

/* --- gate --- */

struct gate_rule {
	const char *rule; /* "no slower benchmark" */
	enum gate_outcome outcome;
	const char *reason; /* "sum: latency +10.0 % [8.0, 12.0]"; "" */
};
struct gate {
	enum gate_outcome outcome; /* the worst of its rules: error, fail, unknown, pass */
	enum outcome comparison;
	struct gate_rule *rules;
	size_t n_rules;
	const struct report_comparison *compared; /* NULL: against the history */
	json_t *rows; /* of the comparison, or the changes against the history; arena's */
};

int analysis_gate(struct store *st, struct arena *a, const struct report_comparison *c,
	struct gate *ret, struct error *err) must_check;
/* One report against its history: limits and open alerts. Younger histories than the rule
 * needs are unknown; noisy runs too. */
int analysis_gate_report(struct store *st, struct arena *a, const struct report *r,
	struct gate *ret, struct error *err) must_check;
/* A finished job: its comparison if it has two arms, else its report; a job that failed, timed
 * out or measured nothing is error. E_CONFLICT while it is not final. */
int analysis_gate_job(struct store *st, struct arena *a, const struct job *j,
	const struct compare_rules *rules, struct gate *ret, struct error *err) must_check;
/* docs/api.md, "Gate". New reference. */
json_t *analysis_gate_json(const struct gate *g);

/* --- history of one series --- */

struct history_segment {
	size_t start, end; /* points [start, end) */
	size_t n;	   /* of them that count: not noisy, suspect or excluded */
	double median;	   /* of those; NAN when n = 0 */
	const char
		*reason; /* "first", "change_point", "environment", "definition", "program" */
};
struct history {
	struct series series;
	struct point *points; /* in version order */
	size_t n_points;
	struct history_segment *segments;
	size_t n_segments;
	struct change_point *changes;
	size_t n_changes;
	struct boundary boundary; /* on the next point, by the rule that applies; NAN: none */
	const char *limits_origin, *limits_rule; /* as in analysis_explain; rule NULL */
	const char *limits_by;			 /* "t_test, the rule 'quiet'" */
	const char *limits_reason;		 /* why there are no limits; NULL */
	int64_t n_baseline;			 /* values behind it */
	double detectable; /* relative effect the default sees with 80 % power; NAN */
};
/* Newest max points (1..10,000). Re-runs and base arms, which are no history, are left out. */
int analysis_history(struct store *st, struct arena *a, const struct series *s, int64_t max,
	struct history *ret, struct error *err) must_check;
/* docs/api.md, "Series": segments, changes and boundary; the caller adds `series` and `points`,
 * which need names of commits. New reference. */
json_t *analysis_history_json(const struct history *h);

/* --- after each report ---
 *
 * The detail_json of every boundary row, and what `change` of a report's measure shows:
 * { "test": "log_t", "outcome": "same|slower|faster|unknown", "baseline": 100.0, "value":
 * 106.0, "effect": 0.06, "interval": [0.01, 0.11], "p": 0.007, "alpha": 0.01, "min_effect":
 * 0.02, "n_history": 10, "limits": [94.7, 105.5], "segment_start": 3 (version), "reason": "..."
 * } */

struct rerun {		   /* a question that only measuring again can answer */
	int64_t origin_id; /* job whose workload it is; 0: the one that was judged */
	const char *head_hash, *base_hash;
	const char *const *benchmarks; /* names without parameters' suffix; NULL: all */
	size_t n_benchmarks;
	int64_t processes; /* an arm, at first */
	bool is_fixed;	   /* and no more than these */
};
struct findings; /* what analysis_judge found; opaque, lives in its arena */

/* Judge what a job has measured: its head against the histories, two arms against each other,
 * and for a confirmation (trigger "confirm") the suspects that it was filed for. Only reads.
 * Reader thread; the writer's where it is brief. */
int analysis_judge(struct store *st, struct arena *a, const struct job *j,
	struct findings **ret, struct error *err) must_check;
/* Whether analysis_judge would take about as long as storing what it judges: one arm, short
 * histories. Any thread. */
int analysis_is_brief(
	struct store *st, const struct job *j, bool *ret, struct error *err) must_check;
/* Store boundaries, flags, change points and alerts, and set the job's outcome and result_json
 * (whose row is not saved). What was judged before a commit that came late
 * gave others new numbers is judged again. Writer thread, in a transaction. The re-runs still
 * wanted come back (arena array); the caller files them. */
int analysis_save(struct store *st, struct arena *a, const struct findings *f, int64_t now_ns,
	struct job *j, struct rerun **ret, size_t *ret_n, struct error *err) must_check;

/* What the control kernel of the job's run said ({ job, moved, effect, p, reason ... }); NULL
 * when it had none. Borrowed from the arena. */
json_t *analysis_control(struct arena *a, const struct job *j);

/* A re-run ended without a result: note it with the suspects that waited for it, which stay
 * open. Writer thread. */
int analysis_abandon(struct store *st, struct arena *a, const struct job *j, const char *reason,
	int64_t now_ns, struct error *err) must_check;

/* --- limits: the threshold of each metric, at ingest ---
 *
 * Which rule applies to (branch, testbed, measure, benchmark), first match: the threshold of
 * the triple (Bencher's), the most specific rule of the project (a benchmark counts more than a
 * measure, that more than a testbed, that more than a branch; equal ones: the last by name),
 * benchd's own default (log_t). */

enum limit_kind { LIMIT_POINT, LIMIT_CHANGES /* seeded_mw */, LIMIT_OFF };
enum { LIMIT_PAST_MAX = 1000 /* values of a history that a rule sees */, CONFIRM_MAX = 20 };
struct limit_model {
	enum limit_kind kind;
	const char *test; /* as written: "t_test", "log_t", "cpd", "off" */
	struct threshold_model t;
	int64_t window_s; /* 0: none */
	int64_t confirm;  /* further reports in a row that must show the same */
	bool by_segment;  /* only values since the last change, noisy ones left out */
};
/* Bencher's Model and our members (docs/api.md, "Thresholds") at pointer, checked. Unknown
 * members are ignored, as in Bencher. Pure. */
int limit_model_read(json_t *o, const char *pointer, struct arena *a,
	struct boundary_model *ret, struct error *err) must_check;
/* The stored form, ready to use; direction is of the measure. */
int limit_model_load(const struct boundary_model *m, enum better better,
	struct limit_model *ret, struct error *err) must_check;
/* All members of it as JSON: new reference. */
json_t *limit_model_json(const struct boundary_model *m);

struct limits_metric {
	int64_t id;
	double value;
	bool is_ignored; /* no alert was asked for */
};
struct limits_run { /* one iteration of a report, stored */
	int64_t project_id, report_id, iteration, now_ns;
	const char *report_uuid, *hash; /* hash NULL */
	const struct branch *branch;
	const struct testbed *testbed;
	int64_t version_number;
	const struct limits_metric *metrics; /* ids ascending */
	size_t n;
};
/* Compute and store the boundary of each metric, and what follows of it: for one of Bencher's
 * tests an alert for each value beyond a limit; for our own a question about the level of the
 * series, which further reports answer (one alert for a change). Writer thread, in the
 * transaction that stores the report. */
int analysis_limits(struct store *st, struct arena *a, const struct limits_run *run,
	struct error *err) must_check;

struct limit_place { /* names and slugs; slugs may be NULL */
	const struct branch *branch;
	const struct testbed *testbed;
	const char *benchmark, *benchmark_slug, *measure, *measure_slug;
	int64_t measure_id;
};
/* Which rule applies there, and why: docs/api.md, "Which threshold applies". New reference. */
int analysis_explain(struct store *st, struct arena *a, int64_t project_id,
	const struct limit_place *where, json_t **ret, struct error *err) must_check;

#endif
