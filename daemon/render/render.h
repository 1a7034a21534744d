/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door of render/: the same data in many shapes.
 *
 * For: turning nouns into the JSON documents of docs/api.md, and such documents into text,
 * Markdown, CSV, HTML, OpenMetrics, JUnit and SVG. A document is the one source of every shape,
 * so a comparison stored months ago renders like one made now.
 * Not for: asking the store, choosing a format, HTTP.
 *
 * Functions are pure: no I/O, no globals, any thread. Documents are borrowed, output is
 * appended to the caller's buf, scratch memory comes from the arena given. Text in documents is
 * hostile: each output language has one escaping function, used for all of it. */
#ifndef DAEMON_RENDER_RENDER_H
#define DAEMON_RENDER_RENDER_H

#include <stdbool.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "daemon/model/model.h"
#include "daemon/store/store.h"

enum format {
	F_JSON,
	F_TEXT,
	F_MARKDOWN,
	F_CSV,
	F_HTML,
	F_OPENMETRICS,
	F_SVG,
	F_ATOM,
	F_NDJSON,
	F_JUNIT,
	F_HYPERFINE /* the report of its --export-json */
};
/* Media type as served, with charset where it is text. */
const char *format_mime(enum format f);

/* --- nouns as JSON: new references, shapes of docs/api.md and of Bencher --- */

/* Bencher puts every project into an organization; benchd has this one. */
#define ORGANIZATION_UUID "6b656e63-6864-4000-8000-000000000001"
#define ORGANIZATION_SLUG "benchd"

json_t *render_project(const struct project *p);
json_t *render_version(const struct version *v);
/* v: the version of a report or alert, which Bencher embeds in the head; NULL elsewhere. */
json_t *render_branch(const struct branch *b, const struct project *p, const struct version *v);
json_t *render_testbed(const struct testbed *t, const struct project *p);
json_t *render_benchmark(const struct benchmark *b, const struct project *p);
json_t *render_measure(const struct measure *m, const struct project *p);
json_t *render_token(const struct token *t); /* never the key */
/* last: the newest firing; NULL: none yet. */
json_t *render_schedule(const struct schedule *s, const struct firing *last);
json_t *render_firing(const struct firing *f);
json_t *render_environment(const struct environment *e);
json_t *render_commit(const struct commit *c);

/* A job. position: place in the queue, 0 when it does not wait. base: public URL, for links. */
json_t *render_job(const struct job *j, int64_t position, const char *base);
json_t *render_artifact(const struct artifact *f); /* one that a job kept */
json_t *render_job_event(const struct job_event *e);
/* The stored record of a process with our members; no results yet. */
json_t *render_process(const struct process *p);
/* One {benchmark, measure, unit, better, samples, warmup, value} of a process. */
json_t *render_process_values(const struct series_values *v);

/* events: newest first, of the device. The second adds only its state to o. */
json_t *render_device(const struct device *d, const struct device_event *events, size_t n);
void render_device_state(const struct device *d, json_t *o);
json_t *render_delivery(const struct delivery *d); /* without its payload */
json_t *render_outgoing(const struct outgoing *m); /* without its message */
json_t *render_attempt(const struct outgoing_attempt *at);

/* A report without results: everything of Bencher's JsonReport but results and alerts. */
json_t *render_report(
	const struct report *r, const struct project *p, const char *base /* URL */);
/* results[][]: by iteration, benchmark name, measure name. ret_entries[i] (arena, borrowed) is
 * the measures[] entry of results[i], so that the caller can add boundary, statistics, change.
 */
json_t *render_results(const struct project *p, const struct result *results, size_t n,
	struct arena *a, json_t ***ret_entries);
/* counts of results: distinct benchmarks and measures by iteration. */
json_t *render_counts(const struct result *results, size_t n, int64_t n_alerts,
	int64_t n_active, struct arena *a);
json_t *render_boundary(const struct boundary *b); /* Bencher's JsonBoundary */
/* Bencher's JsonModel with our members, JsonThreshold, and JsonThresholdModel (the model that
 * was used). */
json_t *render_model(const struct boundary_model *m);
json_t *render_threshold(const struct threshold *t, const struct project *p);
json_t *render_threshold_model(const struct metric_limits *m, const struct project *p);
json_t *render_rule(const struct limit_rule *r);
json_t *render_alert_entry(const struct alert_entry *e);
json_t *render_series(const struct series *s, const struct project *p);
json_t *render_point(const struct point *p);
json_t *render_change_point(const struct change_point *c);
json_t *render_alert(const struct alert *al, const struct project *p);
/* The same in Bencher's JsonAlert: with the metric it is about (result), its limits and its
 * threshold; without one (limits NULL or without a model) a threshold that stands for benchd's
 * own rule and has the nil UUID. */
json_t *render_report_alert(const struct alert *al, const struct project *p,
	const struct report *r, const struct result *result,
	const struct metric_limits *limits);
json_t *render_metric(const struct metric *m);

/* --- documents in other shapes --- */
enum document {
	DOC_JOB,
	DOC_JOBS,
	DOC_QUEUE,
	DOC_PROCESSES,
	DOC_REPORT,
	DOC_REPORTS,
	DOC_COMPARE,
	DOC_GATE,
	DOC_SERIES, /* one history */
	DOC_SERIES_LIST,
	DOC_CHANGES,
	DOC_ALERTS,
	DOC_PROJECTS,
	DOC_BRANCHES, /* also testbeds and benchmarks */
	DOC_MEASURES,
	DOC_WORKLOADS,
	DOC_CELLS,
	DOC_TOKENS,
	DOC_SCHEDULES,
	DOC_SLOTS,
	DOC_FIRINGS,
	DOC_DELIVERIES,
	DOC_DEVICES,
	DOC_OUTGOING,
	DOC_ALERT, /* one, with what a person needs to act */
	DOC_THRESHOLDS,
	DOC_RULES,
	DOC_OTHER, /* JSON only */
	document_count
};
/* Bits 1u << enum format of what render_document can make of such a document. */
unsigned render_formats(enum document kind);
/* Append doc in format f. E_NOT_ACCEPTABLE when the mask above lacks it; F_JSON and F_NDJSON
 * (arrays: one element a line) always work. */
int render_document(enum document kind, enum format f, const json_t *doc, struct arena *a,
	struct buf *out, struct error *err) must_check;

/* A comparison in one sentence, which begins with its outcome and ':' (arena). */
const char *render_verdict(const json_t *comparison, struct arena *a);
/* The Markdown of a comparison in at most limit bytes: the rows that do not fit are counted. */
void render_comparison_comment(
	const json_t *doc, struct arena *a, size_t limit, struct buf *out);

/* The verdict of a job that made no comparison, and its state line; what a person reads. */
void render_job_head(const json_t *job, struct buf *out);
/* A badge such as "sum | +10.0 %"; colour by outcome, which is also written out. */
void render_badge(
	const char *label, const char *message, enum outcome outcome, struct buf *out);
/* Base64 of the SHA-256 of the style sheet inside HTML documents, for a CSP header. */
const char *render_style_hash(char out[64]);

/* --- single values for people --- */
enum { VALUE_TEXT = 64 };
/* "1.27 ms", "64 MiB", "3.1 Gops/s"; units as a measure has them ("nanoseconds (ns)"). */
const char *value_format(double v, const char *units, char out[VALUE_TEXT]);
/* "[1.25, 1.31] ms": one scale for both ends; "" when an end is missing. */
const char *interval_format(double low, double high, const char *units, char out[VALUE_TEXT]);
/* 0.1 -> "+10.0 %"; with an interval "+10.0 % [8.0, 12.0]". */
const char *percent_format(double v, char out[VALUE_TEXT]);
/* 0.051 -> "5.1 %", 1.1 -> "110 %": a share without sign, two digits (arena). */
const char *share_in_words(double v, struct arena *a);
const char *change_format(double effect, double low, double high, char out[VALUE_TEXT]);

/* --- pages of the dashboard: HTML that uses the files named here, whole without scripts ---
 * doc: what the page shows, with `title`, `project` and `twin` (where its JSON is; `twin_csv`).
 */
enum dash_page {
	PAGE_HOME,	 /* projects[], devices[] */
	PAGE_OVERVIEW,	 /* changes[], series[] (histories), n_open, n_running, n_waiting,
			    n_left_out */
	PAGE_SERIES,	 /* a history */
	PAGE_COMPARE,	 /* a comparison */
	PAGE_REPORT,	 /* a report with processes */
	PAGE_REPORTS,	 /* reports[] */
	PAGE_JOBS,	 /* running[], waiting[], recent[] */
	PAGE_PROBLEM,	 /* detail, next, sign_in */
	PAGE_JOB,	 /* job, awaited[], log, log_is_cut */
	PAGE_ALERT,	 /* alert (in full), journal[], may_change */
	PAGE_ALERTS,	 /* alerts[] */
	PAGE_SCHEDULES,	 /* schedules[] */
	PAGE_DELIVERIES, /* received[], sent[]; of the whole server */
};
struct page_files { /* URLs; NULL: left out */
	const char *css, *js, *plot_css, *plot_js;
};
void render_page(enum dash_page page, const json_t *doc, const struct page_files *files,
	struct arena *a, struct buf *out);

/* --- escaping: the one function of each language --- */
void text_escape(struct buf *out, const char *s); /* a terminal obeys nothing of it */
void html_escape(struct buf *out, const char *s); /* HTML and XML, text and attributes */
void markdown_escape(struct buf *out, const char *s);
/* As a code span, which also keeps "@name" from notifying anybody; safe in table cells. */
void markdown_code(struct buf *out, const char *s);
void openmetrics_escape(struct buf *out, const char *s); /* inside a quoted label value */

#endif
