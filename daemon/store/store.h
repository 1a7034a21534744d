/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door of store/: the only folder with SQL.
 *
 * One writer handle (synchronous=FULL, runs every checkpoint) used by the writer thread only,
 * and any number of read-only handles (query_only), one a reader thread. A handle is not shared
 * between threads. Opening the writer prepares every statement, so a typo fails at start.
 * Nothing here starts a transaction by itself but store_begin..commit, called by the writer
 * thread; functions that write must be called on the writer handle inside one.
 *
 * Lists are arena arrays; single rows fill a caller's struct and return E_NOT_FOUND with a
 * sentence that names the thing when absent. Strings live in the arena given. Out-of-disk is
 * E_STORAGE_FULL, everything else of SQLite E_DB. */
#ifndef DAEMON_STORE_STORE_H
#define DAEMON_STORE_STORE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "daemon/model/model.h"

struct store;

/* Beside the codes named at each function every call may return E_DB, E_STORAGE_FULL when the
 * disk is full, and E_UNAVAILABLE while another program holds the database locked. */

/* Opens (creating with mode 0600) and migrates: numbered schema files, each in one transaction,
 * a backup copy beside the file (PATH.backup-N, N the old schema) first. A database from a
 * newer benchd, of another program, or in use by another writer (PATH-lock) is refused in a
 * sentence.
 */
int store_open(const char *path, struct store **ret, struct error *err) must_check;
int store_open_reader(const char *path, struct store **ret, struct error *err) must_check;
void store_close(struct store *s); /* NULL is fine */
DEFINE_CLEANUP(struct store *, store_close)
/* Copy the database from, which a daemon may be writing to, as of one moment into the new file
 * to (mode 0600; one that is there is refused): one file without a log, read through once
 * (quick_check) and synced. Any schema. Needs no handle and blocks no writer. */
struct store_copied {
	int64_t n_bytes, schema;
};
int store_copy(const char *from, const char *to, struct store_copied *ret,
	struct error *err) must_check;
/* On a reader: one snapshot for all reads until commit or rollback. */
int store_begin(struct store *s, struct error *err) must_check;
int store_commit(struct store *s, struct error *err) must_check; /* rolls back when it fails */
void store_rollback(struct store *s);
int store_savepoint(struct store *s, struct error *err) must_check;
int store_release(struct store *s, struct error *err) must_check;
void store_rollback_to(struct store *s);
int store_checkpoint(struct store *s, bool truncate, struct error *err) must_check; /* writer */
int store_check(struct store *s, struct error *err) must_check; /* quick_check: reads it all */
struct store_stats {
	int64_t wal_bytes, db_bytes, schema_version;
};
int store_get_stats(struct store *s, struct store_stats *ret, struct error *err) must_check;
/* The write-ahead log as this writer knows it, without asking the file system: its file keeps
 * the size of its longest day and says nothing about the work that waits. */
struct store_log {
	int64_t bytes;	       /* since it was last begun anew */
	int64_t pending_bytes; /* of these, not in the database file yet */
};
struct store_log store_get_log(const struct store *s);

/* Paging of lists in Bencher's manner: page from 1, per_page 0..255; *ret_total all rows. */
struct page {
	int64_t page, per_page;
	const char *name, *search; /* exact name / substring; NULL */
	const char *sort;	   /* column word of the noun; NULL = default */
	bool descending, archived;
};

/* --- projects, dimensions (files project.c branch.c dimension.c) --- */
int store_project_find(struct store *s, struct arena *a, const char *slug_or_uuid,
	struct project *ret, struct error *err) must_check;
int store_project_get(struct store *s, struct arena *a, int64_t id, struct project *ret,
	struct error *err) must_check;
int store_project_list(struct store *s, struct arena *a, const struct page *p,
	struct project **ret, size_t *ret_n, int64_t *ret_total, struct error *err) must_check;
/* Makes uuid, slug (with a suffix on a clash); E_CONFLICT when the name is taken. */
int store_project_add(struct store *s, struct arena *a, const char *name, const char *slug,
	const char *url, const char *visibility, int64_t now_ns, struct project *ret,
	struct error *err) must_check;
int store_project_update(struct store *s, struct arena *a, const struct project *p,
	int64_t now_ns, struct error *err) must_check;
int store_project_remove(
	struct store *s, int64_t id, int64_t now_ns, struct error *err) must_check;
/* By slug, created when absent (slug as name). */
int store_project_ensure(struct store *s, struct arena *a, const char *slug, int64_t now_ns,
	struct project *ret, struct error *err) must_check;

/* NameId of Bencher (UUID, slug, name). A text that is a canonical slug means the thing with
 * that slug, and only where none has it the thing with that name. ensure creates unknown names
 * (E_NOT_FOUND for an unknown UUID) and brings back what was archived; finds return
 * E_NOT_FOUND. add: explicit, E_CONFLICT when the name is taken; slug NULL: made of the name, a
 * suffix on a clash. Lists are sorted by "name" (default), "created" or "modified". */
int store_branch_find(struct store *s, struct arena *a, int64_t project_id, const char *name_id,
	struct branch *ret, struct error *err) must_check;
int store_branch_list(struct store *s, struct arena *a, int64_t project_id,
	const struct page *p, struct branch **ret, size_t *ret_n, int64_t *ret_total,
	struct error *err) must_check;
struct start_point {
	const char *branch, *hash; /* NULL */
	int64_t max_versions;	   /* 0 = 255 */
	bool clone_thresholds, reset;
};
/* Creates on first use; applies the start point by the table of Bencher's protocol. sp NULL:
 * none. */
int store_branch_ensure(struct store *s, struct arena *a, int64_t project_id,
	const char *name_id, const struct start_point *sp, int64_t now_ns, struct branch *ret,
	struct error *err) must_check;
int store_branch_add(struct store *s, struct arena *a, int64_t project_id, const char *name,
	const char *slug /* NULL */, const struct start_point *sp /* NULL */, int64_t now_ns,
	struct branch *ret, struct error *err) must_check;
int store_branch_update(struct store *s, struct arena *a, const struct branch *b,
	int64_t now_ns, struct error *err) must_check;
int store_branch_remove(struct store *s, int64_t id, struct error *err) must_check;
struct head_start { /* where a head began */
	const char *branch_uuid, *head_uuid;
	struct version version;
};
/* E_NOT_FOUND when the head has no start point. */
int store_head_start(struct store *s, struct arena *a, int64_t head_id, struct head_start *ret,
	struct error *err) must_check;
/* The version with this hash on the head, or a new one with the next number. hash NULL: always
 * new. A commit that is known to be older than the newest one of the head (by the graph of
 * commits, or by dates where the graph is not known) gets its place among the others, whose
 * numbers go up by one from there on. */
int store_version_ensure(struct store *s, struct arena *a, int64_t head_id, const char *hash,
	struct version *ret, struct error *err) must_check;
int store_version_list(struct store *s, struct arena *a, int64_t head_id, int64_t limit,
	struct version **ret, size_t *ret_n,
	struct error *err) must_check; /* newest first, those of the start point too */
/* The number that it has now. */
int store_version_number(
	struct store *s, int64_t id, int64_t *ret, struct error *err) must_check;

#define DECLARE_DIMENSION(noun)                                                                \
	int store_##noun##_find(struct store *s, struct arena *a, int64_t project_id,          \
		const char *name_id, struct noun *ret, struct error *err) must_check;          \
	int store_##noun##_list(struct store *s, struct arena *a, int64_t project_id,          \
		const struct page *p, struct noun **ret, size_t *ret_n, int64_t *ret_total,    \
		struct error *err) must_check;                                                 \
	int store_##noun##_update(struct store *s, struct arena *a, const struct noun *n,      \
		int64_t now_ns, struct error *err) must_check;                                 \
	int store_##noun##_remove(struct store *s, int64_t id, struct error *err) must_check;
DECLARE_DIMENSION(testbed)
DECLARE_DIMENSION(benchmark)
DECLARE_DIMENSION(measure)
int store_testbed_ensure(struct store *s, struct arena *a, int64_t project_id,
	const char *name_id, int64_t now_ns, struct testbed *ret, struct error *err) must_check;
int store_benchmark_ensure(struct store *s, struct arena *a, int64_t project_id,
	const char *name_id, int64_t now_ns, struct benchmark *ret,
	struct error *err) must_check;
/* By name only, as the adapters of tools want it ("a-b" is not "a b"). */
int store_benchmark_ensure_name(struct store *s, struct arena *a, int64_t project_id,
	const char *name, int64_t now_ns, struct benchmark *ret, struct error *err) must_check;
int store_testbed_add(struct store *s, struct arena *a, int64_t project_id, const char *name,
	const char *slug, int64_t now_ns, struct testbed *ret, struct error *err) must_check;
int store_benchmark_add(struct store *s, struct arena *a, int64_t project_id, const char *name,
	const char *slug, int64_t now_ns, struct benchmark *ret, struct error *err) must_check;
int store_measure_add(struct store *s, struct arena *a, int64_t project_id, const char *name,
	const char *slug, const char *units, const enum better *better, int64_t now_ns,
	struct measure *ret, struct error *err) must_check;
/* units and better are used when it is created (built-in names know their own); NULL: guessed
 * from the name. */
int store_measure_ensure(struct store *s, struct arena *a, int64_t project_id,
	const char *name_id, const char *units, const enum better *better, int64_t now_ns,
	struct measure *ret, struct error *err) must_check;

int store_environment_ensure(struct store *s, struct arena *a, const char *identity_hash,
	const char *identity_json, int64_t now_ns, struct environment *ret,
	struct error *err) must_check;
int store_environment_find(struct store *s, struct arena *a, const char *identity_hash,
	struct environment *ret, struct error *err) must_check;
/* Known commits of a project: upsert and ask. */
int store_commit_save(struct store *s, int64_t project_id, const struct commit *c,
	struct error *err) must_check;
int store_commit_find(struct store *s, struct arena *a, int64_t project_id, const char *hash,
	struct commit *ret, struct error *err) must_check;

/* --- workloads --- */
int store_workload_save(struct store *s, int64_t project_id, const char *name,
	const char *definition_json, int64_t now_ns, struct error *err) must_check;
int store_workload_find(struct store *s, struct arena *a, int64_t project_id, const char *name,
	const char **ret_definition_json, struct error *err) must_check;
int store_workload_list(struct store *s, struct arena *a, int64_t project_id,
	const char *const **ret_names, size_t *ret_n, struct error *err) must_check;
int store_workload_remove(
	struct store *s, int64_t project_id, const char *name, struct error *err) must_check;
/* K cached by (definition hash, environment). 0 when unknown. */
int store_iterations_find(struct store *s, const char *definition_hash,
	const char *environment_hash, int64_t *ret, struct error *err) must_check;
int store_iterations_save(struct store *s, const char *definition_hash,
	const char *environment_hash, int64_t iterations, struct error *err) must_check;

/* --- jobs --- */
int store_job_add(struct store *s, struct arena *a, struct job *j /* fills id, uuid */,
	struct error *err) must_check;
int store_job_find(struct store *s, struct arena *a, const char *uuid, struct job *ret,
	struct error *err) must_check;
int store_job_get(struct store *s, struct arena *a, int64_t id, struct job *ret,
	struct error *err) must_check;
struct job_filter {
	int64_t project_id;	   /* 0: all */
	unsigned states;	   /* bits 1u << enum job_state; 0: all */
	const char *name, *branch; /* NULL */
	int64_t before_id;	   /* keyset: only ids below; 0: newest */
	int64_t limit;		   /* 1..1000 */
	bool queue_order;	   /* by priority, queued_ns, id instead of newest first */
};
/* Lists leave definition_json, parameters_json and result_json NULL: read the job itself. */
int store_job_list(struct store *s, struct arena *a, const struct job_filter *f,
	struct job **ret, size_t *ret_n, struct error *err) must_check;
int store_job_counts(
	struct store *s, int64_t counts[job_state_count], struct error *err) must_check;
/* 1-based place among queued jobs of its slot, 101 from there on; 0 when not queued. */
int store_job_position(struct store *s, int64_t id, int64_t *ret, struct error *err) must_check;
/* Claim the next queued job for a worker (one statement, safe against a lost race): sets
 * running, attempt+1, lease. slot "exclusive" or "shared". E_NOT_FOUND when the queue is empty.
 */
int store_job_claim(struct store *s, struct arena *a, const char *slot, int64_t worker_id,
	int64_t now_ns, int64_t lease_until_ns, struct job *ret, struct error *err) must_check;
int store_job_lease(struct store *s, int64_t id, int64_t attempt, int64_t lease_until_ns,
	struct error *err) must_check;
/* j->branch, which store_job_save leaves alone: known late when a job names no branch. */
int store_job_set_branch(struct store *s, const struct job *j, struct error *err) must_check;
/* Save everything the pipeline may change (state, fault, phase, reason, outcome, hashes,
 * attempt, worker, times, counts, reports; a result_json of NULL leaves the stored one).
 * E_CONFLICT when the stored attempt differs from expected_attempt (fencing; -1: no check). */
int store_job_save(struct store *s, const struct job *j, int64_t expected_attempt,
	struct error *err) must_check;
int store_job_expired(struct store *s, struct arena *a, int64_t now_ns, struct job **ret,
	size_t *ret_n, struct error *err) must_check; /* running, lease over */
int store_job_depends(struct store *s, int64_t job_id, int64_t on_job_id, const char *on,
	struct error *err) must_check; /* on = "success" | "any" */
/* The jobs that a job depends on. */
int store_job_awaited(struct store *s, struct arena *a, int64_t job_id, int64_t **ret_job_ids,
	size_t *ret_n, struct error *err) must_check;
int store_job_dependents(struct store *s, struct arena *a, int64_t on_job_id,
	int64_t **ret_job_ids, size_t *ret_n, struct error *err) must_check;
/* How a job stands to what it depends on: something has not ended; all is met; something that
 * had to succeed did not. */
enum readiness { READY_NOT_YET, READY, READY_NEVER };
int store_job_readiness(
	struct store *s, int64_t id, enum readiness *ret, struct error *err) must_check;
/* Blocked jobs all of whose dependencies are met become queued; those that never can be,
 * canceled. */
int store_job_unblock(struct store *s, int64_t now_ns, struct error *err) must_check;
/* Queued jobs not moved up since waiting_since_ns move up one priority class, at most to
 * highest, so that nothing starves. Call on a timer. */
int store_job_age(struct store *s, int64_t waiting_since_ns, int64_t now_ns,
	enum priority highest, struct error *err) must_check;
/* Open jobs with this supersede_key that were filed before job by_id, oldest first. */
int store_job_superseded(struct store *s, struct arena *a, const char *supersede_key,
	int64_t by_id, struct job **ret, size_t *ret_n, struct error *err) must_check;
int store_job_event_add(struct store *s, int64_t job_id, int64_t now_ns, const char *kind,
	const char *data_json, struct error *err) must_check;
int store_job_events(struct store *s, struct arena *a, int64_t job_id, int64_t after_id,
	int64_t limit, struct job_event **ret, size_t *ret_n, struct error *err) must_check;
/* Log text, head and tail kept (256 KiB each), with a truncated mark between. */
int store_job_log_append(struct store *s, int64_t job_id, const char *stream, const char *data,
	size_t n, int64_t now_ns, struct error *err) must_check;
int store_job_log_read(struct store *s, struct arena *a, int64_t job_id, const char **ret,
	struct error *err) must_check;

/* Files that a job keeps. Adding one with the name of another replaces it; pieces follow by
 * seq. find: E_NOT_FOUND. prune: those made before before_ns, then the oldest until all of them
 * together have at most most_bytes. */
int store_artifact_add(struct store *s, int64_t job_id, const struct artifact *f,
	struct error *err) must_check;
int store_artifact_add_piece(struct store *s, int64_t artifact_id, int64_t seq,
	const void *data, size_t n, struct error *err) must_check;
int store_artifact_find(struct store *s, struct arena *a, int64_t job_id, const char *arm,
	const char *name, struct artifact *ret, struct error *err) must_check;
int store_artifact_list(struct store *s, struct arena *a, int64_t job_id, struct artifact **ret,
	size_t *ret_n, struct error *err) must_check;
int store_artifact_read(
	struct store *s, int64_t artifact_id, struct buf *ret, struct error *err) must_check;
int store_artifact_prune(
	struct store *s, int64_t before_ns, int64_t most_bytes, struct error *err) must_check;

/* One finished process with its values; (job, cell, arm, index, replaced-number) is unique, so
 * a record that comes twice is stored once (E_CONFLICT). */
int store_process_add(struct store *s, struct process *p, const struct series_values *v,
	size_t n, struct error *err) must_check;
/* A later verdict on the record with this job and seq: noise, replaced and, where not NULL,
 * signals take the place of what it said first. E_NOT_FOUND. */
int store_process_judge(struct store *s, const struct process *p, json_t *signals,
	struct error *err) must_check;
/* The processes of a cell are kept as raw data and measured again. */
int store_process_set_aside(
	struct store *s, int64_t job_id, const char *cell, struct error *err) must_check;
/* The newest attempt of a job that has stored a process; 0: none has. */
int store_process_last_attempt(
	struct store *s, int64_t job_id, int64_t *ret, struct error *err) must_check;
int store_process_list(struct store *s, struct arena *a, int64_t job_id, struct process **ret,
	size_t *ret_n, struct error *err) must_check;
/* Values of one process, raw samples included. */
int store_process_values(struct store *s, struct arena *a, int64_t process_id,
	struct series_values **ret, size_t *ret_n, struct error *err) must_check;
/* All values of a job in one read: parallel arrays process id / values. */
int store_job_values(struct store *s, struct arena *a, int64_t job_id,
	int64_t **ret_process_ids, struct series_values **ret, size_t *ret_n,
	struct error *err) must_check;

/* --- reports and history --- */
struct new_metric {
	int64_t iteration, benchmark_id, measure_id;
	double value, lower, upper; /* NAN = absent */
	int64_t n_processes, n_samples;
	const char *definition_hash, *parameters_json; /* NULL */
	const char *workload_hash, *program, *driver;  /* of the definition (model.h); NULL */
	unsigned flags;				       /* enum point_flag */
	const double *samples;			       /* for uploads: raw samples; NULL */
	size_t n_values;
};
struct new_report {
	int64_t project_id, head_id, version_id, version_number, testbed_id, environment_id,
		job_id;
	const char *adapter, *idempotency_key /* NULL */, *summary_json, *user;
	enum arm arm;
	enum noise noise;
	int64_t start_ns, end_ns, created_ns;
	const struct new_metric *metrics;
	size_t n_metrics;
};
/* Inserts report, metrics, series and points. ret_series[i] = series id of metrics[i] (arena).
 */
int store_report_add(struct store *s, struct arena *a, const struct new_report *r,
	int64_t *ret_id, const char **ret_uuid, int64_t **ret_series, int64_t **ret_metric_ids,
	struct error *err) must_check;
/* More metrics for a report that store_report_add has made in this transaction; r is as it was
 * then but for its metrics. */
int store_report_extend(struct store *s, struct arena *a, int64_t id, const char *uuid,
	const struct new_report *r, int64_t **ret_series, int64_t **ret_metric_ids,
	struct error *err) must_check;
int store_report_find(struct store *s, struct arena *a, int64_t project_id, const char *uuid,
	struct report *ret, struct error *err) must_check;
int store_report_get(struct store *s, struct arena *a, int64_t id, struct report *ret,
	struct error *err) must_check;
int store_report_by_key(struct store *s, struct arena *a, int64_t project_id,
	const char *idempotency_key, struct report *ret, struct error *err) must_check;
struct report_filter {
	const char *branch, *testbed; /* NameId; NULL */
	const char *hash;	      /* or the first digits of one; NULL */
	int64_t start_ns, end_ns;     /* 0 */
	struct page page;
};
int store_report_list(struct store *s, struct arena *a, int64_t project_id,
	const struct report_filter *f, struct report **ret, size_t *ret_n, int64_t *ret_total,
	struct error *err) must_check;
int store_report_results(struct store *s, struct arena *a, int64_t report_id,
	struct result **ret, size_t *ret_n, struct error *err) must_check;
/* Points in the histories of a report's series, counted up to most: what judging it reads. A
 * head with a start point counts as most. */
int store_report_reach(struct store *s, const char *uuid, int64_t most, int64_t *ret,
	struct error *err) must_check;
int store_metric_samples(struct store *s, struct arena *a, int64_t metric_id, double **ret,
	size_t *ret_n, struct error *err) must_check; /* of an upload */
struct metric_place { /* the metric of a point, and when its report was */
	int64_t id, start_ns, end_ns;
	const char *uuid;
};
int store_metric_of_point(struct store *s, struct arena *a, int64_t series_id,
	int64_t report_id, int64_t iteration, struct metric_place *ret,
	struct error *err) must_check;
int store_metric_report(struct store *s, int64_t metric_id, int64_t *ret_report_id,
	struct error *err) must_check;
/* By the uuid that results show. */
int store_metric_find(struct store *s, struct arena *a, int64_t project_id, const char *uuid,
	struct result *ret, struct error *err) must_check;
/* With its metrics, points, limits and alerts; series left without a point go too. */
int store_report_remove(struct store *s, int64_t id, struct error *err) must_check;
/* The newest report of a version on a branch's head (hash) or of the branch (hash NULL). */
int store_report_latest(struct store *s, struct arena *a, int64_t project_id, int64_t head_id,
	const char *hash, int64_t testbed_id /* 0: any */, struct report *ret,
	struct error *err) must_check;

struct series {
	int64_t id, project_id, head_id;
	struct branch branch;
	struct testbed testbed;
	struct benchmark benchmark;
	struct measure measure;
	int64_t n_points, last_ns;
	double last_value;
};
int store_series_find(struct store *s, struct arena *a, int64_t project_id, const char *branch,
	const char *testbed, const char *benchmark, const char *measure, struct series *ret,
	struct error *err) must_check;
int store_series_get(struct store *s, struct arena *a, int64_t id, struct series *ret,
	struct error *err) must_check;
int store_series_list(struct store *s, struct arena *a, int64_t project_id,
	const char *branch /* NULL */, const char *testbed /* NULL */, int64_t limit,
	struct series **ret, size_t *ret_n, struct error *err) must_check;
/* All of one benchmark on branches that are not archived, newest first. */
int store_series_of_benchmark(struct store *s, struct arena *a, int64_t benchmark_id,
	int64_t limit, struct series **ret, size_t *ret_n, struct error *err) must_check;
/* Newest max points of a series in version order (oldest of them first), start-point versions
 * included (they come from the series of the start branch's head). One clustered range read a
 * head; cost does not grow with the database. */
int store_series_points(struct store *s, struct arena *a, int64_t series_id, int64_t max,
	struct point **ret, size_t *ret_n, struct error *err) must_check;
int store_point_flags(struct store *s, int64_t series_id, int64_t version_number,
	int64_t report_id, unsigned set, unsigned clear, struct error *err) must_check;

/* --- change points, alerts, thresholds --- */
int store_change_points(struct store *s, struct arena *a, int64_t series_id,
	struct change_point **ret, size_t *ret_n, struct error *err) must_check;
/* Those of the series that the start points of its branch bring in, in the part that is seen.
 */
int store_inherited_changes(struct store *s, struct arena *a, int64_t series_id,
	struct change_point **ret, size_t *ret_n, struct error *err) must_check;
/* Replace the set of a series by this one; rows that stay keep their id. */
int store_change_points_save(struct store *s, int64_t series_id, const struct change_point *c,
	size_t n, int64_t now_ns, struct error *err) must_check;
int store_project_changes(struct store *s, struct arena *a, int64_t project_id, int64_t limit,
	struct change_point **ret, struct series **ret_series, size_t *ret_n,
	struct error *err) must_check; /* newest first */
int store_alert_add(struct store *s, struct arena *a, struct alert *al /* fills id, uuid */,
	int64_t metric_id, struct error *err) must_check;
/* Who listens for confirmed alerts is told of this one. An alert about a level is told by
 * itself when it becomes confirmed; one of a limit only so. */
int store_alert_tell(struct store *s, const struct alert *al, struct error *err) must_check;
int store_alert_save(struct store *s, const struct alert *al, struct error *err) must_check;
/* The commit in question is another one: version, hash, report and metric. Beside _save. */
int store_alert_move(struct store *s, const struct alert *al, int64_t metric_id,
	struct error *err) must_check;
int store_alert_find(struct store *s, struct arena *a, int64_t project_id, const char *uuid,
	struct alert *ret, struct error *err) must_check;
int store_alert_open(struct store *s, struct arena *a, int64_t series_id, struct alert **ret,
	size_t *ret_n, struct error *err) must_check; /* suspect or confirmed */
int store_alert_of_report(struct store *s, struct arena *a, int64_t report_id,
	struct alert **ret, size_t *ret_n, struct error *err) must_check;
/* All alerts of a series, closed ones too, newest first. */
int store_alert_of_series(struct store *s, struct arena *a, int64_t series_id, int64_t limit,
	struct alert **ret, size_t *ret_n, struct error *err) must_check;
int store_alert_list(struct store *s, struct arena *a, int64_t project_id, unsigned states,
	int64_t limit, struct alert **ret, size_t *ret_n, struct error *err) must_check;
/* The point rule's result for one metric: limits, baseline, p, effect ... as JSON. */
int store_boundary_save(struct store *s, int64_t metric_id, const char *test, double baseline,
	double lower, double upper, const char *detail_json, struct error *err) must_check;
struct boundary {
	double baseline, lower, upper; /* NAN = none */
	const char *test, *detail_json;
};
int store_boundary_find(struct store *s, struct arena *a, int64_t metric_id,
	struct boundary *ret, struct error *err) must_check;

/* Thresholds in Bencher's sense: one for each (branch, testbed, measure). */
struct boundary_model { /* never changes; another one replaces it */
	int64_t id;
	const char *uuid, *test;
	int64_t min_sample_size, max_sample_size, window_s; /* 0 = none */
	double lower_boundary, upper_boundary;		    /* NAN = none */
	const char *own_json; /* what only our own tests have; NULL */
	int64_t created_ns, replaced_ns;
};
struct threshold {
	int64_t id, project_id;
	const char *uuid;
	struct branch branch;
	struct testbed testbed;
	struct measure measure;
	bool has_model; /* false: the model was removed, the threshold stays */
	struct boundary_model model;
	int64_t created_ns, modified_ns;
};
struct threshold_filter {
	const char *branch, *testbed, *measure; /* NameId; NULL */
	struct page page;			/* sort: "created" (default) or "modified" */
};
/* Made when absent; m (its test, sizes, window and boundaries) becomes the model in force, a
 * new row only where a field differs; m NULL removes the model. */
int store_threshold_save(struct store *s, int64_t project_id, int64_t branch_id,
	int64_t testbed_id, int64_t measure_id, const struct boundary_model *m, int64_t now_ns,
	int64_t *ret_id, struct error *err) must_check;
int store_threshold_find(struct store *s, struct arena *a, int64_t project_id, const char *uuid,
	struct threshold *ret, struct error *err) must_check;
int store_threshold_of(struct store *s, struct arena *a, int64_t branch_id, int64_t testbed_id,
	int64_t measure_id, struct threshold *ret, struct error *err) must_check;
int store_threshold_list(struct store *s, struct arena *a, int64_t project_id,
	const struct threshold_filter *f, struct threshold **ret, size_t *ret_n,
	int64_t *ret_total, struct error *err) must_check;
/* One that is or was in force. */
int store_threshold_get_model(struct store *s, struct arena *a, int64_t threshold_id,
	const char *uuid, struct boundary_model *ret, struct error *err) must_check;
/* Remove the models of all thresholds of the pair whose measure is not listed. */
int store_threshold_reset(struct store *s, int64_t branch_id, int64_t testbed_id,
	const int64_t *keep_measure_ids, size_t n_keep, int64_t now_ns,
	struct error *err) must_check;
/* E_CONFLICT when a stored boundary was computed with it. */
int store_threshold_remove(struct store *s, int64_t id, struct error *err) must_check;
/* The model that a saved boundary was computed with. */
int store_boundary_set_model(
	struct store *s, int64_t metric_id, int64_t model_id, struct error *err) must_check;

/* All models in force of a branch and testbed. */
struct measure_model {
	int64_t threshold_id, measure_id;
	struct boundary_model model;
};
int store_threshold_models(struct store *s, struct arena *a, int64_t branch_id,
	int64_t testbed_id, struct measure_model **ret, size_t *ret_n,
	struct error *err) must_check;

/* Thresholds by pattern, where no exact one is. NULL patterns match everything; others are
 * globs (* and ?) on names and slugs. */
struct limit_rule {
	int64_t id, project_id;
	const char *uuid, *name, *source, *branch, *testbed, *measure, *benchmark;
	const char *model_json; /* Bencher's Model and our members */
	int64_t created_ns, modified_ns;
};
enum { RULES_MAX = 1000 /* of a project */ };
/* By name: made or changed; fills id, uuid and times. E_TOO_LARGE beyond RULES_MAX. */
int store_rule_save(struct store *s, struct arena *a, struct limit_rule *r, int64_t now_ns,
	struct error *err) must_check;
int store_rule_find(struct store *s, struct arena *a, int64_t project_id,
	const char *name_or_uuid, struct limit_rule *ret, struct error *err) must_check;
int store_rule_list(struct store *s, struct arena *a, int64_t project_id,
	struct limit_rule **ret, size_t *ret_n, struct error *err) must_check; /* by name */
int store_rule_remove(
	struct store *s, const struct limit_rule *r, struct error *err) must_check;

/* --- limits of a report's metrics, read and written by iteration --- */

struct past { /* one value of a history */
	double value;
	int64_t version_number, report_id, iteration, time_ns, environment_id, definition_id;
	unsigned flags;
};
struct metric_past {
	int64_t metric_id;
	int64_t series_id, measure_id; /* 0: it has no point in a history */
	const char *benchmark, *benchmark_slug, *measure, *measure_slug;
	enum better better;
	struct past self;    /* the metric's own point */
	struct past *values; /* newest first: version, start of the report, iteration */
	size_t n, capacity;
	int64_t change; /* version of the newest change point, also of its start point's; -1 */
	const struct alert *open;      /* newest open alert about its level; NULL */
	const struct alert *confirmed; /* the confirmed one among them; NULL */
};
/* The histories of all metrics (ids ascending in list[].metric_id) of one iteration, at most
 * max values each, what was measured aside left out: one read a head of the chain, whatever the
 * number of metrics. */
int store_iteration_pasts(struct store *s, struct arena *a, int64_t report_id,
	int64_t iteration, int64_t head_id, int64_t max, struct metric_past *list, size_t n,
	struct error *err) must_check;
/* A boundary, once. model_id 0: of a rule or of benchd's own. */
int store_boundary_add(struct store *s, int64_t metric_id, int64_t model_id,
	const struct boundary *b, struct error *err) must_check;
struct metric_limits { /* what is stored with a metric, for the answer */
	int64_t metric_id;
	struct boundary boundary;
	bool has_model;
	struct boundary_model model; /* the one used, in force or not */
	const char *threshold_uuid;
	int64_t threshold_created_ns, threshold_modified_ns;
};
/* Of all metrics of a report that have a boundary, by metric id. */
int store_report_limits(struct store *s, struct arena *a, int64_t report_id,
	struct metric_limits **ret, size_t *ret_n, struct error *err) must_check;

/* The journal of an alert, oldest first. */
struct alert_entry {
	int64_t id, created_ns;
	const char *actor /* NULL: benchd */, *kind, *text;
};
int store_alert_entry_add(struct store *s, int64_t alert_id, int64_t now_ns, const char *actor,
	const char *kind, const char *text, struct error *err) must_check;
int store_alert_entries(struct store *s, struct arena *a, int64_t alert_id, int64_t limit,
	struct alert_entry **ret, size_t *ret_n, struct error *err) must_check;

/* --- schedules --- */
/* add fills id and uuid; E_CONFLICT when the name is taken. save writes everything a caller may
 * change. */
int store_schedule_add(
	struct store *s, struct arena *a, struct schedule *sc, struct error *err) must_check;
int store_schedule_save(
	struct store *s, const struct schedule *sc, struct error *err) must_check;
int store_schedule_find(struct store *s, struct arena *a, int64_t project_id,
	const char *name_or_uuid, struct schedule *ret, struct error *err) must_check;
int store_schedule_list(struct store *s, struct arena *a, int64_t project_id /* 0: all */,
	struct schedule **ret, size_t *ret_n, struct error *err) must_check;
/* Not paused and due; not paused and seen in what is now the future. At most 100 of each. */
int store_schedule_due(struct store *s, struct arena *a, int64_t now_ns, struct schedule **ret,
	size_t *ret_n, struct error *err) must_check;
int store_schedule_ahead(struct store *s, struct arena *a, int64_t now_ns,
	struct schedule **ret, size_t *ret_n, struct error *err) must_check;
/* When the next one is due; 0: none ever. */
int store_schedule_earliest(struct store *s, int64_t *ret_due_ns, struct error *err) must_check;
int store_schedule_remove(
	struct store *s, const struct schedule *sc, struct error *err) must_check;
/* E_CONFLICT when the slot has a row already: it fired before. The oldest rows beyond 10,000
 * are dropped. */
int store_firing_add(struct store *s, struct firing *f, struct error *err) must_check;
int store_firing_save(struct store *s, const struct firing *f, struct error *err) must_check;
int store_firing_list(struct store *s, struct arena *a, int64_t schedule_id, int64_t limit,
	struct firing **ret, size_t *ret_n, struct error *err) must_check; /* newest first */
/* The newest one that filed a job; E_NOT_FOUND. */
int store_firing_previous(struct store *s, struct arena *a, int64_t schedule_id,
	struct firing *ret, struct error *err) must_check;

/* --- Vulkan devices --- */
/* A probe: first all of the testbed are missed, then each that was found is seen (facts and
 * seen_ns of d are stored; its state is left alone). */
int store_device_miss(struct store *s, const char *testbed, struct error *err) must_check;
int store_device_see(struct store *s, const struct device *d, struct error *err) must_check;
/* State, since, reason, losses and who cleared it. */
int store_device_save(struct store *s, const struct device *d, struct error *err) must_check;
int store_device_find(struct store *s, struct arena *a, const char *testbed, const char *uuid,
	int64_t driver_id, struct device *ret, struct error *err) must_check;
/* E_CONFLICT where several drivers have it. */
int store_device_find_uuid(struct store *s, struct arena *a, const char *testbed,
	const char *uuid, struct device *ret, struct error *err) must_check;
int store_device_list(struct store *s, struct arena *a, const char *testbed,
	struct device **ret, size_t *ret_n, struct error *err) must_check;
/* The last 100 of a device are kept. */
int store_device_event_add(struct store *s, int64_t device_id, const struct device_event *e,
	struct error *err) must_check;
int store_device_events(struct store *s, struct arena *a, int64_t device_id, int64_t limit,
	struct device_event **ret, size_t *ret_n,
	struct error *err) must_check; /* newest first */

/* --- tokens, idempotency --- */
struct token {
	int64_t id, project_id; /* project 0: all */
	const char *uuid, *name, *last_four;
	unsigned scopes; /* bits 1u << enum scope of http/http.h */
	int64_t created_ns, expires_ns, revoked_ns, last_used_ns;
};
int store_token_add(struct store *s, struct arena *a, const uint8_t sha256[32],
	struct token *t /* fills id, uuid */, struct error *err) must_check;
int store_token_find(struct store *s, struct arena *a, const uint8_t sha256[32],
	struct token *ret, struct error *err) must_check; /* also revoked and expired ones */
int store_token_list(struct store *s, struct arena *a, struct token **ret, size_t *ret_n,
	struct error *err) must_check;
int store_token_rename(
	struct store *s, const char *uuid, const char *name, struct error *err) must_check;
int store_token_revoke(
	struct store *s, const char *uuid, int64_t now_ns, struct error *err) must_check;
int store_token_count(
	struct store *s, int64_t *ret, struct error *err) must_check; /* not revoked */
int store_token_used(struct store *s, int64_t id, int64_t now_ns, struct error *err) must_check;
struct idempotent {
	const char *body_hash; /* sha256 hex of the request body */
	int status;
	const char *content_type, *body, *location;
	int64_t created_ns;
};
int store_idempotency_find(struct store *s, struct arena *a, const char *scope, const char *key,
	struct idempotent *ret, struct error *err) must_check; /* E_NOT_FOUND */
int store_idempotency_save(struct store *s, const char *scope, const char *key,
	const struct idempotent *i, struct error *err) must_check;
int store_idempotency_prune(struct store *s, int64_t before_ns, struct error *err) must_check;

/* --- what came in from forges, and what is to be sent out --- */
struct delivery {
	int64_t id;
	const char *uuid, *hook /* name in the configuration */;
	const char *forge_id; /* the forge's own id of it */
	const char *event, *state /* received, done, ignored, failed */, *reason;
	int64_t received_ns, processed_ns;
	const void *body; /* as it came; NULL in lists */
	size_t n_body;
};
/* Fills id and uuid. E_CONFLICT when the hook has one with this forge_id. */
int store_delivery_add(
	struct store *s, struct arena *a, struct delivery *d, struct error *err) must_check;
int store_delivery_find(struct store *s, struct arena *a, const char *uuid,
	struct delivery *ret, struct error *err) must_check;
int store_delivery_find_forge(struct store *s, struct arena *a, const char *hook,
	const char *forge_id, struct delivery *ret, struct error *err) must_check;
/* The oldest in state received; E_NOT_FOUND. */
int store_delivery_next(
	struct store *s, struct arena *a, struct delivery *ret, struct error *err) must_check;
int store_delivery_end(struct store *s, int64_t id, const char *state, const char *reason,
	int64_t now_ns, struct error *err) must_check;
/* To be processed once more. */
int store_delivery_again(struct store *s, const char *uuid, struct error *err) must_check;
/* Newest first, ids below before_id (0: all). */
int store_delivery_list(struct store *s, struct arena *a, int64_t before_id, int64_t limit,
	struct delivery **ret, size_t *ret_n, struct error *err) must_check;
int store_delivery_prune(struct store *s, int64_t before_ns, struct error *err) must_check;

struct job_origin { /* which push or pull request a job answers */
	int64_t job_id, delivery_id;
	const char *hook, *repository, *hash, *context;
	int64_t pull; /* 0: a push */
	int64_t answered_ns;
};
int store_origin_add(struct store *s, const struct job_origin *o, struct error *err) must_check;
int store_origin_find(struct store *s, struct arena *a, int64_t job_id, struct job_origin *ret,
	struct error *err) must_check;
/* Of jobs that have ended and are not answered. */
int store_origin_untold(struct store *s, struct arena *a, int64_t limit,
	struct job_origin **ret, size_t *ret_n, struct error *err) must_check;
int store_origin_told(
	struct store *s, int64_t job_id, int64_t now_ns, struct error *err) must_check;
struct delivery_job {
	const char *uuid, *project_slug;
};
int store_delivery_jobs(struct store *s, struct arena *a, int64_t delivery_id,
	struct delivery_job **ret, size_t *ret_n, struct error *err) must_check;

struct outgoing { /* a message to be sent */
	int64_t id, job_id;
	const char *uuid, *kind /* status, comment, webhook */;
	const char *target; /* name of the hook or webhook in the configuration */
	const char *event;
	const char *lane; /* sent in order, a newer one replaces; NULL: a lane of its own */
	const char *state /* waiting, sending, delivered, superseded, failed */, *reason;
	int64_t n_attempts, n_tries /* since the last fresh start */;
	int64_t created_ns, due_ns, done_ns;
	const char *body; /* JSON, what it means is notify's business; NULL in lists */
};
struct outgoing_attempt {
	int64_t number, started_ns, ended_ns /* 0: cut off */, status /* of HTTP, 0: none */;
	const char *outcome;
};
/* Fills id, uuid and lane; replaces what waits in its lane. */
int store_outgoing_add(
	struct store *s, struct arena *a, struct outgoing *o, struct error *err) must_check;
/* Take the next one that is due: state sending, one attempt more, which is noted as begun.
 * E_NOT_FOUND. */
int store_outgoing_claim(struct store *s, struct arena *a, int64_t now_ns, struct outgoing *ret,
	struct error *err) must_check;
int store_outgoing_find(struct store *s, struct arena *a, const char *uuid,
	struct outgoing *ret, struct error *err) must_check;
/* When the next one is due; 0: nothing waits. */
int store_outgoing_next_due(struct store *s, int64_t *ret, struct error *err) must_check;
int store_outgoing_count(struct store *s, int64_t *ret, struct error *err) must_check;
/* An attempt has ended: at (number, ended_ns, status, outcome) and what follows from it (id,
 * state, reason, due_ns, done_ns). What would wait is superseded when its lane has a newer one.
 */
int store_outgoing_end(struct store *s, const struct outgoing *o,
	const struct outgoing_attempt *at, struct error *err) must_check;
/* The target of this message answers nobody of ours before until_ns: the others wait too. */
int store_outgoing_hold(struct store *s, const struct outgoing *o, int64_t until_ns,
	struct error *err) must_check;
/* At start: what was being sent when the daemon ended is due now. */
int store_outgoing_recover(struct store *s, int64_t now_ns, struct error *err) must_check;
/* Send one that failed or waits, now. E_CONFLICT otherwise. */
int store_outgoing_again(
	struct store *s, const char *uuid, int64_t now_ns, struct error *err) must_check;
int store_outgoing_list(struct store *s, struct arena *a, int64_t before_id, int64_t limit,
	struct outgoing **ret, size_t *ret_n, struct error *err) must_check;
int store_outgoing_attempts(struct store *s, struct arena *a, int64_t id,
	struct outgoing_attempt **ret, size_t *ret_n, struct error *err) must_check;
int store_outgoing_prune(struct store *s, int64_t before_ns, struct error *err) must_check;
/* Jobs that ended since reader (a name) asked last, but not before since_ns; the first time
 * none. */
int store_ended_jobs(struct store *s, struct arena *a, const char *reader, int64_t since_ns,
	int64_t **ret_ids, size_t *ret_n, struct error *err) must_check;
struct confirmed_alert {
	int64_t event_id, project_id, time_ns;
	const char *uuid, *project_slug;
};
/* Alerts that became confirmed, until they are told. */
int store_confirmed_alerts(struct store *s, struct arena *a, int64_t now_ns, int64_t limit,
	struct confirmed_alert **ret, size_t *ret_n, struct error *err) must_check;
int store_confirmed_alert_told(struct store *s, int64_t event_id, struct error *err) must_check;

/* Generation counter of a project: grows with every change; weak ETags are made of it. */
int store_generation(
	struct store *s, int64_t project_id, int64_t *ret, struct error *err) must_check;

#endif
