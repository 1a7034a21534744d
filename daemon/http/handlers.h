/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the handlers (one file a noun) share. Not a door.
 *
 * A handler reads parameters, asks the store, builds a document with render/ and answers it.
 * No MHD, no SQL, no free: memory is the request's arena. */
#ifndef DAEMON_HTTP_HANDLERS_H
#define DAEMON_HTTP_HANDLERS_H

#include "daemon/http/http.h"
#include "daemon/queue/queue.h"
#include "daemon/render/render.h"
#include "daemon/store/store.h"

/* The project of the path. E_NOT_FOUND also when the caller may not know that it exists. */
int find_project(struct request *rq, struct store *st, struct project *ret,
	struct error *err) must_check;
/* The same for a write: made when it is missing and the caller may (scope admin, no token bound
 * to another project). */
int ensure_project(struct request *rq, struct store *st, struct project *ret,
	struct error *err) must_check;
bool may_create_project(const struct request *rq);
/* For rows found without a project in the path: E_NOT_FOUND unless the caller may see it. */
int check_project(struct request *rq, const struct project *p, struct error *err) must_check;

/* For documents made of a project's rows alone: sets a weak ETag of the project's generation
 * and the format; true when the client has that one and 304 stands. */
bool is_unchanged(
	struct request *rq, struct store *st, const struct project *p, enum document kind);

/* Answer doc (taken over) in the format asked for. */
int answer(struct request *rq, int status, enum document kind, json_t *doc,
	struct error *err) must_check;
/* A list (taken over) that is not whole: in forms for people rest ends its last line; NULL: it
 * is whole. */
int answer_part(struct request *rq, enum document kind, json_t *doc, const char *rest,
	struct error *err) must_check;
/* One page of a list of total rows, with X-Total-Count. */
int answer_page_of(struct request *rq, enum document kind, json_t *doc, int64_t total,
	struct error *err) must_check;
int answer_json(struct request *rq, int status, json_t *doc); /* taken over; always OK */
void answer_empty(struct request *rq);			      /* 204 */

/* Bencher's paging: page, per_page (8), name, search, archived, sort (one of sorts, the first
 * is the default), direction. */
int read_page(struct request *rq, const char *const *sorts, bool descending, struct page *ret,
	struct error *err) must_check;
void set_total(struct request *rq, int64_t total); /* X-Total-Count */

/* The JSON body, which must be an object. */
int read_object(struct request *rq, json_t **ret, struct error *err) must_check;
/* A name as Bencher takes it: 1 to max bytes of UTF-8 without spaces at its ends. */
int check_name(const char *field, const char *name, size_t max, struct error *err) must_check;
int check_slug(const char *field, const char *slug, struct error *err) must_check;
/* ?name= as one of a list of words separated by commas, as bits; 0 when absent. */
int query_bits(struct request *rq, const char *name, const char *const *names, unsigned *ret,
	struct error *err) must_check;
bool query_flag(struct request *rq, const char *name); /* "", 1, true, yes */
/* ?name= as a number; otherwise when absent. E_BAD_REQUEST names it. */
int query_real(struct request *rq, const char *name, double min, double max, double otherwise,
	double *ret, struct error *err) must_check;
/* ?name= (Bencher): milliseconds since 1970, as nanoseconds; 0 when absent. */
int query_ms(
	struct request *rq, const char *name, int64_t *ret_ns, struct error *err) must_check;

/* The whole document of a report, with results, alerts, environment, statistics and change. */
int report_document(struct request *rq, struct store *st, const struct project *p,
	const struct report *r, bool with_samples, json_t **ret, struct error *err) must_check;
/* One row of a list of reports: with counts, without results. */
int report_row(struct request *rq, struct store *st, const struct project *p,
	const struct report *r, json_t **ret, struct error *err) must_check;
/* Store a token with a new key, which nobody can read again; t: name, scopes, project, times.
 */
enum { TOKEN_KEY = 64 };
int token_make(struct request *rq, struct store *st, struct token *t, char key[TOKEN_KEY],
	struct error *err) must_check;
/* branch.head.start_point of a branch as JSON: where its head began; nothing without one. */
void add_start_point(struct request *rq, struct store *st, int64_t head_id, json_t *branch);
/* What a person needs to act on an alert, into its document: base and commits in question with
 * authors and subjects, before and after, environments, how to see it again, links. r: the
 * report that it names. */
int add_alert_case(struct request *rq, struct store *st, const struct project *p,
	const struct alert *al, const struct report *r, json_t *doc,
	struct error *err) must_check;
/* Of a list by metric id (store_report_limits); NULL. */
const struct metric_limits *limits_of(
	const struct metric_limits *list, size_t n, int64_t metric_id);
/* statistics and noise of each value of a report that a job made; entries as render_results
 * gives them. Nothing for an upload. */
int add_statistics(struct request *rq, struct store *st, const struct report *report,
	const struct result *results, size_t n, json_t **entries, struct error *err) must_check;
/* The comparison an A/B job made: as stored with it, else computed. *ret NULL: it has none. */
int job_comparison(struct request *rq, struct store *st, const struct job *j, json_t **ret,
	struct error *err) must_check;
/* The document of one history, with names of commits. */
int series_document(struct request *rq, struct store *st, const struct project *p,
	const struct series *s, int64_t max, json_t **ret, struct error *err) must_check;
/* All schedules of a project, as GET P/schedules answers; has_upcoming: with their next slots.
 */
int schedules_document(struct request *rq, struct store *st, const struct project *p,
	bool has_upcoming, json_t **ret, struct error *err) must_check;
/* All Vulkan devices of the testbed, as GET /v0/devices answers. */
int devices_document(
	struct request *rq, struct store *st, json_t **ret, struct error *err) must_check;
/* state, since, ... of each device in `vulkan` of each worker. */
int add_device_states(
	struct request *rq, struct store *st, json_t *workers, struct error *err) must_check;
/* The comparison that the query of the request asks for. */
int compare_document(struct request *rq, struct store *st, const struct project *p,
	json_t **ret, struct error *err) must_check;
/* Author and subject of the commit, where the project knows it. */
struct history;
/* beginnings.c: why a history begins anew, as `text` of the segments of its document. */
void add_beginnings(struct request *rq, struct store *st, const struct project *p,
	const struct history *h, json_t *doc);
/* The same as a note of a report, where its own history did. */
void add_beginning_note(struct request *rq, struct store *st, const struct project *p,
	const struct report *report, int64_t series_id, json_t *doc);
void add_commit(
	struct request *rq, struct store *st, int64_t project_id, const char *hash, json_t *o);
/* Finished processes of a job with their values, of one arm or (NULL) of all. */
int processes_json(struct request *rq, struct store *st, int64_t job_id, const enum arm *arm,
	json_t **ret, struct error *err) must_check;
/* A page of the dashboard; doc is taken over. Always OK. */
int answer_page(
	struct request *rq, int status, enum dash_page page, const char *title, json_t *doc);
/* 303 to a place of this server. Always OK. */
int answer_see(struct request *rq, const char *place);
/* A member of an application/x-www-form-urlencoded body (arena), NULL when it is not there. */
int read_form_member(
	struct request *rq, const char *name, const char **ret, struct error *err) must_check;
/* The alert of the path ({alert}), in the project of the path. */
int find_alert(struct request *rq, struct store *st, struct project *ret_project,
	struct alert *ret, struct error *err) must_check;
/* One alert in full, as GET .../alerts/{alert} has it. New reference. */
int alert_document(struct request *rq, struct store *st, const struct project *p,
	const struct alert *al, json_t **ret, struct error *err) must_check;
/* Does with the alert what a body of PATCH .../alerts/{alert} says, and keeps its journal. */
int change_alert(struct request *rq, struct store *st, struct alert *al, json_t *body,
	struct error *err) must_check;
/* Its journal, oldest first. New reference. */
int alert_journal(struct request *rq, struct store *st, int64_t alert_id, json_t **ret,
	struct error *err) must_check;
/* The job of the path ({job}), in the project of the path; as JSON with its place in the queue.
 */
int find_path_job(struct request *rq, struct store *st, struct project *ret_project,
	struct job *ret, struct error *err) must_check;
int job_json(struct request *rq, struct store *st, const struct job *j, json_t **ret,
	struct error *err) must_check;
/* The jobs that it waits for or waited for, each whole, with what it found where wanted. The
 * list is the request's. */
int job_awaited(struct request *rq, struct store *st, const struct project *p,
	const struct job *j, bool with_results, json_t **ret, struct error *err) must_check;
/* The series that the query names by branch, testbed, benchmark and measure. */
int find_named_series(struct request *rq, struct store *st, const struct project *p,
	struct series *ret, struct error *err) must_check;
/* The OpenAPI document: routes[] and the hand-written parts of openapi.json. New reference. */
json_t *openapi_document(const char *version, const char *url);

/* Handlers, by file; their contract is in docs/api.md. */
#define HANDLER(name) int name(struct request *rq, struct store *st, struct error *err)
HANDLER(get_root);
HANDLER(get_asset);
HANDLER(get_perf_link);
HANDLER(get_perf_rest);
HANDLER(get_login);
HANDLER(post_login);
HANDLER(post_logout);
HANDLER(page_home);
HANDLER(page_overview);
HANDLER(page_series);
HANDLER(page_compare);
HANDLER(page_report);
HANDLER(page_reports);
HANDLER(page_jobs);
HANDLER(page_job);
HANDLER(page_history);
HANDLER(page_alert);
HANDLER(page_alerts);
HANDLER(post_alert_form);
HANDLER(page_schedules);
HANDLER(page_deliveries);
HANDLER(get_errors);
HANDLER(get_healthz);
HANDLER(get_readyz);
HANDLER(get_version);
HANDLER(get_metrics);
HANDLER(get_openapi);
HANDLER(get_server_version);
HANDLER(get_console);
HANDLER(get_projects);
HANDLER(post_project);
HANDLER(get_project);
HANDLER(patch_project);
HANDLER(delete_project);
HANDLER(get_allowed);
#define DIMENSION_HANDLERS(one, many)                                                          \
	HANDLER(get_##many);                                                                   \
	HANDLER(post_##one);                                                                   \
	HANDLER(get_##one);                                                                    \
	HANDLER(patch_##one);                                                                  \
	HANDLER(delete_##one);
DIMENSION_HANDLERS(branch, branches)
DIMENSION_HANDLERS(testbed, testbeds)
DIMENSION_HANDLERS(benchmark, benchmarks)
DIMENSION_HANDLERS(measure, measures)
HANDLER(get_workloads);
HANDLER(get_workload);
HANDLER(put_workload);
HANDLER(delete_workload);
HANDLER(get_cells);
HANDLER(post_job);
HANDLER(get_jobs);
HANDLER(get_job);
HANDLER(get_job_events);
HANDLER(get_job_log);
HANDLER(get_job_artifacts);
HANDLER(get_job_artifact);
HANDLER(get_job_processes);
HANDLER(cancel_job);
HANDLER(approve_job);
HANDLER(post_hook);
HANDLER(get_hook_deliveries);
HANDLER(get_hook_delivery);
HANDLER(redeliver_hook_delivery);
HANDLER(get_deliveries);
HANDLER(get_delivery);
HANDLER(redeliver_delivery);
HANDLER(get_queue);
HANDLER(get_queue_events);
HANDLER(get_live);
HANDLER(get_devices);
HANDLER(get_device);
HANDLER(clear_device);
HANDLER(post_run);
HANDLER(post_report);
HANDLER(get_reports);
HANDLER(get_report);
HANDLER(delete_report);
HANDLER(get_series_list);
HANDLER(get_series);
HANDLER(get_compare);
HANDLER(get_gate);
HANDLER(get_changes);
HANDLER(get_alerts);
HANDLER(get_alert);
HANDLER(patch_alert);
HANDLER(get_environment);
HANDLER(get_alert_journal);
HANDLER(get_thresholds);
HANDLER(post_threshold);
HANDLER(get_threshold);
HANDLER(put_threshold);
HANDLER(delete_threshold);
HANDLER(get_limit_rules);
HANDLER(get_rule);
HANDLER(put_rule);
HANDLER(delete_rule);
HANDLER(get_limits_explain);
HANDLER(get_tokens);
HANDLER(post_token);
HANDLER(delete_token);
HANDLER(get_keys);
HANDLER(post_key);
HANDLER(get_key);
HANDLER(patch_key);
HANDLER(delete_key);
HANDLER(get_metric);
HANDLER(get_perf);
HANDLER(get_badge);
HANDLER(get_schedules);
HANDLER(post_schedule);
HANDLER(get_schedule);
HANDLER(patch_schedule);
HANDLER(delete_schedule);
HANDLER(run_schedule);
HANDLER(get_schedule_next);
HANDLER(get_schedule_firings);

#endif
