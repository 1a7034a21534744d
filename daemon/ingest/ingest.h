/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door of ingest/: raw results -> stored results.
 *
 * For: records of measured processes as the worker sends them, the reports made of them at the
 * end of a job, and (adapter by adapter) the output of other tools.
 * Not for: judging (analysis/), running (workers/).
 *
 * Everything here writes: writer thread, inside a transaction. */
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
	const char *start_branch, *start_hash; /* start point of the branch; NULL */
	int64_t now_ns;
};

/* Store one `process` record (docs/worker-protocol.md). A record that is there already is OK.
 * E_UNPROCESSABLE names the member that is wrong. */
int ingest_process(const struct ingest *in, json_t *record, struct error *err) must_check;

/* Take over the verdicts of a `judged` message. */
int ingest_judged(const struct ingest *in, json_t *message, struct error *err) must_check;

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

#endif
