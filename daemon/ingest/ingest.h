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

#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "daemon/model/model.h"
#include "daemon/store/store.h"

/* Value of a process: exp of the median of the logs of its samples; the plain median where a
 * sample is <= 0. n > 0. */
double ingest_process_value(struct arena *a, const double *samples, size_t n);

/* Store one `process` record (docs/worker-protocol.md). A record that is there already is OK.
 * E_UNPROCESSABLE names the member that is wrong. */
int ingest_process(struct store *st, struct arena *a, const struct job *j, json_t *record,
	struct error *err) must_check;

/* Save the commit (and, for a branch, its ancestors) that a `resolved` message names, and the
 * hash in *j (not saved). */
int ingest_resolved(struct store *st, struct arena *a, struct job *j, json_t *message,
	struct error *err) must_check;

/* One report an arm from the stored processes; fills j->report_uuid and j->base_report_uuid
 * (not saved). summary: the `done` message. E_NOT_FOUND when there is not one usable value. */
int ingest_reports(struct store *st, struct arena *a, struct job *j, const struct workload *w,
	const char *environment_hash, const char *identity_json, json_t *summary,
	int64_t now_ns, int64_t *ret_head_report, struct error *err) must_check;

#endif
