/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl bench --export-json: what was measured as hyperfine exports it. */
#ifndef CLIENT_BENCH_EXPORT_H
#define CLIENT_BENCH_EXPORT_H

#include "client/client.h"

/* Write the reports of an ended job to path, the base's before the head's. Results are called
 * by their command line, parameters filled in, as hyperfine does, or by name where one is
 * given. body: the request that was filed. A job without a report leaves no file. */
int bench_export(struct client *c, const char *path, const char *name, const json_t *body,
	const json_t *job) must_check;

#endif
