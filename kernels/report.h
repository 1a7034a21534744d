/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a measurement looks like outside: rows of a table, JSON objects, CSV, and the lines of
 * the result protocol (docs/result-protocol.md). Main thread, but for protocol's heartbeat. */
#ifndef KERNELS_REPORT_H
#define KERNELS_REPORT_H

#include "base/buf.h"
#include "kernels/measure.h"

/* One object: kernel, backend, dtype, size, samples_ns, median_ns, throughput, roofline,
 * verified, accuracy, digest, ... The caller owns it. */
json_t *report_json(const struct measurement *m);
/* Params as the result protocol's "parameters": strings, numbers, booleans. */
json_t *report_parameters(const struct params *p);

/* Table or CSV of several measurements. */
struct report_table;
struct report_table *report_table_new(void);
void report_table_add(struct report_table *t, const struct measurement *m);
void report_table_print(struct report_table *t, bool csv);
void report_table_free(struct report_table *t);
DEFINE_CLEANUP(struct report_table *, report_table_free)

/* --- result protocol --- */
/* Take over the descriptor of BENCHD_RESULT_FD, say hello, start the heartbeat that sends the
 * last progress again when nothing was sent for a while. Without the variable all of these do
 * nothing. E_BAD_REQUEST when the variable is no open descriptor. */
int protocol_open(struct error *err) must_check;
bool protocol_is_open(void);
void protocol_progress(double fraction); /* 0 to 1, of the whole process */
void protocol_report(const struct measurement *m);
void protocol_error(const char *text);
/* Last line, if ok; stops the heartbeat. */
void protocol_close(bool ok);

#endif
