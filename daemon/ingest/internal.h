/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of ingest/ share. Not a door. */
#ifndef DAEMON_INGEST_INTERNAL_H
#define DAEMON_INGEST_INTERNAL_H

#include "daemon/ingest/ingest.h"

/* What one arm measured of one (benchmark, measure). */
struct measured_values {
	const char *benchmark, *measure, *unit;
	enum better better;
	const struct cell *cell;
	const double *values; /* of the processes that count */
	size_t n;	      /* at least 1 */
};

/* An element of `kernels` of a report's summary (docs/api.md): what the n processes that are of
 * this cell and arm said of their answers and ceilings; NULL when there are none. */
json_t *proof_rows(const struct ingest *in, const struct process *p, size_t n, enum arm arm,
	const char *cell, const char *benchmark);

/* "NAME, DRIVER VERSION (INFO), Vulkan API" of the device that the processes of a kernel's cell
 * used; NULL: none. */
const char *proof_driver(struct arena *a, const struct process *p, size_t n, const char *cell);

/* `scaling` of a report's summary (docs/api.md), an array with one element for each benchmark
 * that was measured on several numbers of threads; NULL when the workload does not scale. New
 * reference. identity_json: of the host; NULL. */
json_t *scaling_sections(const struct ingest *in, const struct measured_values *list, size_t n,
	const char *identity_json);

#endif
