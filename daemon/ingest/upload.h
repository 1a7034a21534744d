/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of an upload share. Not a door. */
#ifndef DAEMON_INGEST_UPLOAD_H
#define DAEMON_INGEST_UPLOAD_H

#include "daemon/ingest/adapter.h"
#include "daemon/ingest/ingest.h"

/* A NameId that may become the name of something: 1 to max bytes of UTF-8 without control
 * characters, no space at either end. field is the JSON pointer that the error names. */
int upload_check_name(const char *noun, const char *name, size_t max, const char *field,
	struct error *err) must_check;

/* upload_results.c: settings, results[] -> iterations, n_metrics, n_skipped, summary. */
int upload_read_results(json_t *settings, json_t *results, struct arena *a, struct upload *u,
	struct error *err) must_check;

/* upload_context.c: fill what the body did not name. o may be NULL. */
int upload_read_context(
	json_t *o, struct arena *a, struct upload *u, struct error *err) must_check;

/* upload_model.c */
int upload_read_thresholds(json_t *o, upload_model_fn read_model, struct arena *a,
	struct upload *u, struct error *err) must_check;
int upload_store_thresholds(struct store *st, struct arena *a, int64_t project_id,
	int64_t branch_id, int64_t testbed_id, const struct upload *u, int64_t now_ns,
	struct error *err) must_check;

#endif
