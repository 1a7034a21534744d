/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of `benchctl run` share: the options, and its three steps (collect results,
 * make the body, send it). Not a door. */
#ifndef CLIENT_RUN_H
#define CLIENT_RUN_H

#include "client/client.h"

struct run {
	struct client *c;
	const struct command *self;
	const char *branch, *hash, *testbed, *adapter, *average, *iter, *fold, *backdate;
	const char *start_point, *start_point_hash, *start_point_max_versions;
	bool start_point_clone_thresholds, start_point_reset;
	struct string_list files, file_sizes;
	bool build_time, allow_failure;
	struct string_list measures, tests, min_sample_sizes, max_sample_sizes, windows,
		lower_boundaries, upper_boundaries; /* of thresholds, side by side */
	bool thresholds_reset;
	bool err, dry_run, resend;
	const char *key, *attempts;
	/* collected */
	json_t *results;
	int64_t start_ns, end_ns;
};

/* run_collect.c: run the command (argv, NULL-terminated; NULL: read stdin or just the files)
 * and fill results and times. The command's output goes to stderr too, unless quiet. Exit code.
 */
int run_collect(struct run *r, const char *const *argv);

/* run_body.c: Bencher's JsonNewRun. Exit code. */
int run_body(struct run *r, json_t **ret);

/* run_send.c: keep the body in the spool, post it until it is taken or attempts are used up,
 * print the report. Exit code. */
int run_send(struct run *r, json_t *body);
/* Send what earlier runs left in the spool for this host. */
int run_resend(struct run *r);

/* A whole number from min to max, or usage_error (then *ret_code is its exit code). */
int64_t run_number(const struct run *r, const char *option, const char *text, int64_t min,
	int64_t max, int *ret_code);

#endif
