/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gate files: limits that reports have to keep, from a YAML file beside the code or the suite.
 *
 *   gate:
 *     bilinear_100x200: { benchmark: "regrid.bilinear[*size=100x200*", measure: latency, "<":
 * 1s } bilinear_rmse:    { benchmark: "regrid.bilinear*", measure: accuracy.rmse, "<=": 2.8e-4
 * } steady:           { measure: latency, statistic: cv, "<=": 5% } quiet:            { alerts:
 * none }
 *
 * benchmark and measure are globs (benchmark: all unless given; measure: by name or slug, in
 * any case). statistic: value (the default), min, q1, median, q3, max, mean, stddev, mad, cv.
 * Limits are numbers in the measure's unit; times may be written with ns us ms s, percents with
 * %. A rule that matches nothing is an error, never a pass. Used by client/gate.c and its test;
 * no network here. */
#ifndef CLIENT_GATE_FILE_H
#define CLIENT_GATE_FILE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

enum { GATE_FILE_RULES = 500 };

/* Read and check a gate file; "-" is standard input. The mapping of rules belongs to the arena.
 * E_* naming file, line and member, with the nearest known name. */
int gate_file_load(
	struct arena *a, const char *path, json_t **ret, struct error *err) must_check;
/* Judge reports (JSON of GET P/reports/R) by the rules: {"outcome", "rules": [{"rule",
 * "outcome", "reason"}]} as the server's gate answers. Belongs to the arena. */
json_t *gate_file_judge(struct arena *a, json_t *rules, json_t *reports);

#endif
