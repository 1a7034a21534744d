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

/* `scaling` of a report's summary (docs/api.md), an array with one element for each benchmark
 * that was measured on several numbers of threads; NULL when the workload does not scale. New
 * reference. identity_json: of the host; NULL. */
json_t *scaling_sections(const struct ingest *in, const struct measured_values *list, size_t n,
	const char *identity_json);

#endif
