/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rows of reports and metrics, as several files read them. */
#ifndef DAEMON_STORE_REPORT_H
#define DAEMON_STORE_REPORT_H

#include "base/secret.h"
#include "daemon/store/internal.h"

/* In the order of report_read; FROM report r and what REPORT_JOINS adds. */
#define REPORT_COLUMNS                                                                         \
	"r.id, r.uuid, r.project_id, r.job_id, j.uuid, r.environment_id, e.identity_hash,"     \
	" r.adapter, r.arm, r.noise, r.start_ns, r.end_ns, r.created_ns, r.summary_json,"      \
	" v.id, v.number, v.uuid, v.hash,"                                                     \
	" b.id, b.uuid, b.name, b.slug, b.created_ns, b.modified_ns, b.archived_ns,"           \
	" h.id, h.uuid, h.created_ns,"                                                         \
	" t.id, t.uuid, t.name, t.slug, t.created_ns, t.modified_ns, t.archived_ns"
#define REPORT_JOINS                                                                           \
	" JOIN version v ON v.id = r.version_id JOIN branch b ON b.id = h.branch_id"           \
	" JOIN testbed t ON t.id = r.testbed_id"                                               \
	" LEFT JOIN environment e ON e.id = r.environment_id LEFT JOIN job j ON j.id = "       \
	"r.job_id"
#define REPORT_FROM " FROM report r JOIN head h ON h.id = r.head_id" REPORT_JOINS

void report_read(struct query *q, struct arena *a, struct report *ret);
/* Parts of a joined row: columns as listed above. */
void branch_read(struct query *q, struct arena *a, int64_t project_id, struct branch *ret);
void testbed_read(struct query *q, struct arena *a, int64_t project_id, struct testbed *ret);
#define BENCHMARK_COLUMNS                                                                      \
	"k.id, k.uuid, k.name, k.slug, k.created_ns, k.modified_ns, k.archived_ns"
void benchmark_read(
	struct query *q, struct arena *a, int64_t project_id, struct benchmark *ret);
#define MEASURE_COLUMNS                                                                        \
	"u.id, u.uuid, u.name, u.slug, u.units, u.better, u.created_ns, u.modified_ns,"        \
	" u.archived_ns"
void measure_read(struct query *q, struct arena *a, int64_t project_id, struct measure *ret);

/* A metric's uuid is not stored: 48 bits of its row number, the rest a hash of that and of the
 * report's uuid (RFC 9562 version 8). */
const char *metric_uuid(const char *report_uuid, int64_t id, char out[UUID_TEXT]);
int64_t metric_id_of_uuid(const char *uuid);

#endif
