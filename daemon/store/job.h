/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The row of a job, as the files about jobs read it. */
#ifndef DAEMON_STORE_JOB_H
#define DAEMON_STORE_JOB_H

#include "daemon/store/internal.h"

/* The short columns, in the order of job_read; FROM job j JOIN project p. */
#define JOB_COLUMNS                                                                            \
	"j.id, j.uuid, j.project_id, p.slug, j.name, j.kind, j.slot, j.state, j.fault,"        \
	" j.phase, j.priority, j.outcome, j.seed, j.attempt, j.max_attempts, j.worker_id,"     \
	" j.n_done, j.n_total, j.created_ns, j.queued_ns, j.started_ns, j.finished_ns,"        \
	" j.not_before_ns, j.lease_until_ns, j.branch, j.testbed, j.base_ref, j.head_ref,"     \
	" j.base_hash, j.head_hash, j.origin, j.supersede_key, j.submitter, j.report_uuid,"    \
	" j.base_report_uuid, j.reason, j.n_noisy_runs, j.n_told"
#define JOB_FROM " FROM job j JOIN project p ON p.id = j.project_id"

void job_read(struct query *q, struct arena *a, struct job *ret);
/* All rows of the query. */
int job_read_all(struct query *q, struct arena *a, struct job **ret, size_t *ret_n,
	struct error *err) must_check;

#endif
