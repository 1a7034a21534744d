/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door of ingest/: raw results -> stored results.
 *
 * For: records of measured processes as the worker sends them, the reports made of them at the
 * end of a job, and (adapter by adapter) the output of other tools that is uploaded.
 * Not for: judging (analysis/), running (workers/).
 *
 * What writes says nothing of threads and means: writer thread, inside a transaction. */
#ifndef DAEMON_INGEST_INGEST_H
#define DAEMON_INGEST_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "daemon/model/model.h"
#include "daemon/store/store.h"

/* The job whose results come in; everything borrowed. */
struct ingest {
	struct store *st;
	struct arena *arena;
	struct job *job;
	const struct workload *workload;
	const struct cell *cells;
	size_t n_cells;
	bool has_base;
	bool is_merge_base; /* the base is where the head left a branch, not its tip */
	bool finds_branch;  /* the job named no branch: it is the one of its head */
	const char *start_branch, *start_hash; /* start point of the branch; NULL */
	int64_t now_ns;
};

/* Store one `process` record (docs/worker-protocol.md). A record that is there already is OK.
 * E_UNPROCESSABLE names the member that is wrong. */
int ingest_process(const struct ingest *in, json_t *record, struct error *err) must_check;

/* Take over the verdicts of a `judged` message. */
int ingest_judged(const struct ingest *in, json_t *message, struct error *err) must_check;

/* Store one piece of a file that the job keeps. E_UNPROCESSABLE and E_TOO_LARGE name what is
 * wrong; the caps are those of model.h. */
int ingest_artifact(const struct ingest *in, json_t *message, struct error *err) must_check;

/* Save the commit (and, for a branch, its ancestors) that a `resolved` message names, and the
 * hash in the job (whose row is not saved). */
int ingest_resolved(const struct ingest *in, json_t *message, struct error *err) must_check;

/* One report an arm from the stored processes; sets the job's report_uuid and base_report_uuid
 * (the row is not saved). done: the worker's last message. E_NOT_FOUND when there is not one
 * usable value.
 *
 * The value of a (benchmark, measure) is the median of its process values: of the clean and
 * suspect ones that were not replaced; of the noisy ones only where there is nothing else, and
 * then its point is marked noisy. Bounds are the 95 % order-statistic interval.
 *
 * Where reports go: the head's on the job's branch at its hash (without a hash always a new
 * version). The base's on the branch that the base names, if it names one; else on the job's
 * branch at its hash. A base that is no tip of a branch, both arms of a re-run, and both arms
 * of a comparison of commands or settings are stored aside (POINT_ASIDE): no history. */
int ingest_reports(const struct ingest *in, const char *environment_hash,
	const char *identity_json, json_t *done, struct error *err) must_check;

/* --- uploads: the output of tools that already ran --- */

enum {
	UPLOAD_MAX_ENTRIES = 10000,   /* of results[] */
	UPLOAD_MAX_METRICS = 20000,   /* of a report, all iterations together */
	UPLOAD_MAX_SAMPLES = 4000000, /* raw values of a report */
	UPLOAD_MAX_MODELS = 256
};
enum upload_kind {
	UPLOAD_RUN,   /* Bencher's JsonNewRun: names may come from `context` */
	UPLOAD_REPORT /* JsonNewReport: branch and testbed are required */
};
struct tool_output; /* adapter.h */
struct upload_model {
	const char *measure; /* NameId */
	struct boundary_model model;
};
/* A body that was read, checked and parsed: nothing in it is wrong but what only the store can
 * know. Borrows from the body. */
struct upload {
	const char *project;		     /* UUID or slug; NULL: none was named */
	const char *run_project, *run_slug;  /* of a project made of the context; NULL */
	const char *branch, *hash, *testbed; /* NameIds; hash NULL */
	const struct start_point *start;     /* NULL */
	const char *idempotency_key;	     /* NULL */
	const struct upload_model *models;
	size_t n_models;
	bool reset_thresholds;
	const char *adapter; /* as a report has it: languages are magic */
	int64_t start_ns, end_ns;
	const struct tool_output *iterations; /* after folding */
	size_t n_iterations;
	int64_t n_metrics, n_skipped;
	const char *summary_json; /* what was read by which adapter, what was skipped and why */
};

/* Reads the model of a threshold at pointer; pure. upload_model_read knows Bencher's seven
 * tests, limits are checked (stats/threshold.h). */
typedef int (*upload_model_fn)(json_t *o, const char *pointer, struct arena *a,
	struct boundary_model *ret, struct error *err);
int upload_model_read(json_t *o, const char *pointer, struct arena *a,
	struct boundary_model *ret, struct error *err) must_check;
/* Read a body in Bencher's shape; unknown members are ignored. Pure: any thread, store or not.
 * Errors name the member and, for what an adapter cannot read, the entry ("/results/3"). */
int upload_read(json_t *body, enum upload_kind kind, upload_model_fn read_model,
	struct arena *a, struct upload **ret, struct error *err) must_check;

/* One stored metric, as the thresholds want to see it. */
struct upload_metric {
	int64_t id, series_id, benchmark_id, measure_id;
	double value;
	bool is_ignored; /* its benchmark's name asked for no alerts */
};
struct upload_stored {
	int64_t project_id, report_id, iteration, now_ns;
	const char *report_uuid, *hash; /* hash NULL */
	const struct branch *branch;
	const struct testbed *testbed;
	const struct version *version;
	int64_t start_ns;
	const struct upload_metric *metrics;
	size_t n;
};
/* Called once an iteration, when its metrics are stored and before the next ones are: the next
 * iteration's history has this one. */
typedef int (*upload_judge_fn)(
	struct store *st, struct arena *a, const struct upload_stored *u, struct error *err);
/* Everything of one upload: branch and head, testbed, thresholds, version, report, metrics,
 * samples. judge NULL: no limits. A report with the same idempotency key in the project gives
 * that report's uuid and stores nothing. */
int upload_store(struct store *st, struct arena *a, int64_t project_id, const struct upload *u,
	const char *user, int64_t now_ns, upload_judge_fn judge, const char **ret_uuid,
	struct error *err) must_check;

#endif
