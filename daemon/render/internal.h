/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of render/ share. Not a door. */
#ifndef DAEMON_RENDER_INTERNAL_H
#define DAEMON_RENDER_INTERNAL_H

#include "base/text.h"
#include "daemon/render/render.h"

/* Stored JSON text as a value (new reference); null when it is absent or broken. */
json_t *stored_json(const char *text);

/* Members and array positions joined by dots ("branch.name", "results.0.value"); NULL when any
 * is absent. Borrowed. */
const json_t *doc_at(const json_t *doc, const char *path);
const char *doc_str(const json_t *doc, const char *path); /* "" when absent */
double doc_num(const json_t *doc, const char *path);	  /* NAN when absent */
int64_t doc_int(const json_t *doc, const char *path);	  /* 0 when absent */
double array_num(const json_t *list, size_t i);		  /* NAN when absent */
size_t doc_len(const json_t *doc, const char *path);	  /* of an array; 0 when absent */

/* One column of a table made of an array of objects. */
enum cell_kind {
	CELL_TEXT,
	CELL_CODE, /* as text; code span in Markdown */
	CELL_HASH, /* eight digits for people */
	CELL_INT,
	CELL_PLACE,  /* an integer, blank when it is 0 */
	CELL_VALUE,  /* with the units found at `units` */
	CELL_CHANGE, /* an effect, with the interval [low, high] found at `units` */
	CELL_PERCENT,
	CELL_NUMBER,   /* three digits */
	CELL_TIME,     /* to the second */
	CELL_INTERVAL, /* an object {low, high}, with the units found at `units` */
	CELL_DURATION, /* nanoseconds */
	CELL_PAIR,     /* two integers: "10/10", the second at `units` */
	CELL_OUTCOME,  /* arrow and word */
	CELL_WORDS     /* array of strings or of nouns */
};
struct column {
	const char *title; /* for people; NULL: only in CSV */
	const char *name;  /* in CSV; NULL: only for people */
	const char *path;
	enum cell_kind kind;
	const char *units; /* path, see the kinds */
};
/* rows: array of objects. Columns in CSV are raw values at full precision. */
void table_render(const json_t *rows, const struct column *columns, size_t n, enum format f,
	struct arena *a, struct buf *out);
/* As HTML in a named region of its own, which scrolls where it is too wide. */
void table_region(const json_t *rows, const struct column *columns, size_t n, const char *name,
	struct arena *a, struct buf *out);
/* One cell as it stands in such a table (not yet escaped; arena). */
const char *cell_format(
	const json_t *row, const struct column *c, enum format f, struct arena *a);

/* printf through text_escape. */
void text_printf(struct buf *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Arrow and word, so that nothing is told by colour alone: "▼ slower", "▲ faster", "= same",
 * "? unknown". */
const char *outcome_mark(const char *outcome);
/* First eight digits of a hash, "-" when there is none. */
const char *short_hash(const char *hash, char out[9]);
/* "2026-11-21 09:05:00" of an RFC 3339 text. */
const char *short_time(const char *text, char out[32]);

/* A form: one function of one document kind and format. */
typedef void (*form_fn)(const json_t *doc, struct arena *a, struct buf *out);

bool list_is(enum document kind);
void list_render(
	enum document kind, enum format f, const json_t *doc, struct arena *a, struct buf *out);
void queue_render(enum format f, const json_t *doc, struct arena *a, struct buf *out);

/* HTML documents are one file: page_begin writes the head with its style sheet. */
void page_begin(struct buf *out, const char *title);
void page_end(struct buf *out);

/* Rows of a comparison as a new array, worst first: slower, unknown, faster, same; inside of
 * these by the size of the effect. Owned by the arena. */
json_t *rows_worst_first(const json_t *rows, struct arena *a);
/* Companions of a measure (cpu-time, memory-peak and others) are shown, but decide nothing:
 * `decides` is false in them. Their outcome stands in brackets, behind the others. */
bool row_decides(const json_t *row);
size_t count_deciding(const json_t *rows);
/* At most max rows that are slower or faster, in the order given (arena). */
json_t *rows_significant(const json_t *rows, size_t max, struct arena *a);
extern const struct column compare_columns[];
extern const size_t n_compare_columns;
/* "from 1.8 %": what the comparison could have seen; "" when no row says. */
const char *detectable_text(const json_t *rows, struct arena *a);
/* Lines about added, removed, environment, each after prefix. */
void compare_remarks(const json_t *doc, const char *prefix, enum format f, struct buf *out);

void compare_text(const json_t *doc, struct arena *a, struct buf *out);
void compare_markdown(const json_t *doc, struct arena *a, struct buf *out);
void compare_csv(const json_t *doc, struct arena *a, struct buf *out);
void compare_html(const json_t *doc, struct arena *a, struct buf *out);
void compare_junit(const json_t *doc, struct arena *a, struct buf *out);
void compare_openmetrics(const json_t *doc, struct arena *a, struct buf *out);
void compare_svg(const json_t *doc, struct arena *a, struct buf *out);
const char *compare_verdict(const json_t *doc, struct arena *a); /* one sentence */
void alert_text(const json_t *doc, struct arena *a, struct buf *out);
void alert_markdown(const json_t *doc, struct arena *a, struct buf *out);
void alert_html(const json_t *doc, struct arena *a, struct buf *out);
void gate_text(const json_t *doc, struct arena *a, struct buf *out);
void gate_markdown(const json_t *doc, struct arena *a, struct buf *out);
void gate_junit(const json_t *doc, struct arena *a, struct buf *out);
json_t *report_rows(const json_t *doc, struct arena *a); /* one a measure; arena's */
void report_text(const json_t *doc, struct arena *a, struct buf *out);
void report_markdown(const json_t *doc, struct arena *a, struct buf *out);
void report_csv(const json_t *doc, struct arena *a, struct buf *out);
void report_html(const json_t *doc, struct arena *a, struct buf *out);
void report_openmetrics(const json_t *doc, struct arena *a, struct buf *out);
/* Raw samples, where the document has them: as CSV of its own (false: it has none), and as a
 * table of processes that is added to text or Markdown. */
bool samples_csv(const json_t *doc, struct arena *a, struct buf *out);
void samples_render(const json_t *doc, enum format f, struct arena *a, struct buf *out);
/* Where the page of a history is, by branch, testbed, benchmark and measure; pages: of its
 * project. */
const char *history_page(const char *pages, const char *const names[4], struct arena *a);
/* What stands inside <main> of both the single file and the page. */
void report_body(const json_t *doc, struct arena *a, struct buf *out);
void compare_body(const json_t *doc, struct arena *a, struct buf *out);
void dash_home(const json_t *doc, struct arena *a, struct buf *out);
void dash_overview(const json_t *doc, struct arena *a, struct buf *out);
void dash_series(const json_t *doc, struct arena *a, struct buf *out);
void dash_compare(const json_t *doc, struct arena *a, struct buf *out);
void dash_report(const json_t *doc, struct arena *a, struct buf *out);
void dash_reports(const json_t *doc, struct arena *a, struct buf *out);
void dash_problem(const json_t *doc, struct arena *a, struct buf *out);
void dash_job(const json_t *doc, struct arena *a, struct buf *out);
void dash_jobs(const json_t *doc, struct arena *a, struct buf *out);
void dash_alert(const json_t *doc, struct arena *a, struct buf *out);
void dash_alerts(const json_t *doc, struct arena *a, struct buf *out);
void dash_schedules(const json_t *doc, struct arena *a, struct buf *out);
void dash_deliveries(const json_t *doc, struct arena *a, struct buf *out);
/* Proof and ceilings of built-in kernels, nothing where there are none. */
void kernels_text(const json_t *doc, struct arena *a, struct buf *out);
void kernels_markdown(const json_t *doc, struct arena *a, struct buf *out);
void kernels_html(const json_t *doc, struct arena *a, struct buf *out);
/* The scaling sweeps of a report, nothing where there are none. */
void scaling_text(const json_t *doc, struct arena *a, struct buf *out);
void scaling_markdown(const json_t *doc, struct arena *a, struct buf *out);
void scaling_html(const json_t *doc, struct arena *a, struct buf *out);
void scaling_svg(const json_t *section, struct arena *a, struct buf *out);
void report_hyperfine(const json_t *doc, struct arena *a, struct buf *out);
void series_text(const json_t *doc, struct arena *a, struct buf *out);
void series_csv(const json_t *doc, struct arena *a, struct buf *out);
void series_svg(const json_t *doc, struct arena *a, struct buf *out);
void alerts_atom(const json_t *doc, struct arena *a, struct buf *out);
void job_text(const json_t *doc, struct arena *a, struct buf *out);
void job_markdown(const json_t *doc, struct arena *a, struct buf *out);
void job_csv(const json_t *doc, struct arena *a, struct buf *out); /* a list of one */

#endif
