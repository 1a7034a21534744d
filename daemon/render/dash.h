/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the pages of the dashboard share. Not a door: the pages are declared in render.h. */
#ifndef DAEMON_RENDER_DASH_H
#define DAEMON_RENDER_DASH_H

#include "daemon/render/internal.h"

/* Text of a document, escaped, at path. */
void dash_text(struct buf *out, const json_t *doc, const char *path);
/* The same as a cell. */
void dash_text_cell(struct buf *out, const json_t *doc, const char *path);
/* "?name=value&..." of pairs behind mark, percent-encoded; not yet escaped for HTML. */
void dash_query(struct buf *out, char mark, const char *const *query /* NULL-terminated */);
/* href="BASE" plus each query member name=value, percent-encoded; ends with the quote. */
void dash_href(
	struct buf *out, const char *base, const char *const *query /* NULL-terminated */);
/* "/projects/SLUG" of the page's document. */
const char *dash_base(const json_t *doc, struct arena *a);
/* <td>: a link with text (escaped). */
void dash_link_cell(struct buf *out, const char *href, const char *text);
/* A value with its units in a cell that sorts by the number. */
void dash_value_cell(struct buf *out, double v, const char *units);
/* Short hash with subject, as a cell; a link where the page's project has a URL. */
void dash_commit_cell(struct buf *out, const json_t *doc, const json_t *o, struct arena *a);
/* Date and time to the minute, in one line. */
void dash_time_cell(struct buf *out, const json_t *o, const char *path);
/* <th> for each title; a leading '#' marks a numeric column, '.' one that nobody sorts by, '~'
 * before these one that a narrow screen leaves out. */
void dash_head(struct buf *out, const char *caption, const char *const *titles);
/* What ends it after n rows; none: what is said where there was no row (NULL: nothing). */
void dash_table_end(struct buf *out, size_t n, const char *none);
/* <dt>, <dd>: text is escaped; nothing where it is empty. */
void dash_pair(struct buf *out, const char *term, const char *text);
/* Why an alert is as it is, in words: Bencher's reasons are words of its protocol. */
const char *dash_reason(const char *reason);
/* Where the page of a series is. */
const char *dash_series_url(const json_t *doc, int64_t id, struct arena *a);

/* The same by branch, testbed, benchmark and measure: names or slugs. */
const char *dash_history_url(const json_t *doc, const char *const names[4], struct arena *a);

/* A history as a chart of its own, readable without scripts. */
void dash_series_chart(const json_t *doc, struct arena *a, struct buf *out);
/* Values of each process of a report, one row a process; nothing where no process told any. */
bool dash_has_strips(const json_t *doc, const char *benchmark, const char *measure);
void dash_strip_chart(const json_t *doc, const char *benchmark, const char *measure,
	const char *units, struct arena *a, struct buf *out);

/* Samples of one measure, for results without processes. */
void dash_sample_chart(const json_t *m, struct arena *a, struct buf *out);

#endif
