/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl analyze: the statistics of benchd on numbers from a file, without a daemon. */
#ifndef CLIENT_ANALYZE_H
#define CLIENT_ANALYZE_H

#include <stddef.h>
#include "client/client.h"
#include "stats/mw_tails.h"

enum { ANALYZE_MAX_BYTES = 64 * 1024 * 1024, ANALYZE_MAX_VALUES = 1000000 };

struct values {
	double *x;
	size_t n;
};

/* Read numbers from a file ("-" = standard input), by its content:
 *  - a JSON array of numbers, or of objects with a number under `column`; or an object with
 * such an array under `column`, or TCPD's shape {"series": [{"raw": [...]}]};
 *  - text, one number a line; or CSV (comma, semicolon or tab) with a header, where `column` is
 *    a name (default "value") or a number from 1. Empty lines and lines that begin with '#' are
 *    skipped.
 * Anything else is E_UNPROCESSABLE naming line and column (or element); NaN and infinity are
 * refused. column NULL = "value". */
int values_read(struct arena *a, const char *path, const char *column, struct values *ret,
	struct error *err) must_check;
/* The same, but no values at all are good, too: a series begins without a history. any: "nan",
 * "inf" and JSON's null (NaN) are taken, as Bencher's tests answer to them with absent limits.
 */
int history_read(struct arena *a, const char *path, const char *column, bool any,
	struct values *ret, struct error *err) must_check;

struct analyze_options {
	const char *detector, *threshold, *compare;
	const char *history, *value, *base, *head, *column;
	const char *alpha, *min_effect, *jitter, *seed, *penalty, *min_segment, *window, *p,
		*magnitude, *newest, *min_points;
	const char *lower, *upper, *df, *min_sample, *max_sample, *direction, *better;
	bool history_rule, newest_first, zero_variance_exact, lower_is_quantile, static_first;
};

/* What one run holds. */
struct analysis {
	struct client *c;
	const struct command *self;
	struct analyze_options o;
	struct mw_tails *tails;
	struct error err;
};

/* The three modes; each returns an exit code and has printed what there is to print. */
int analyze_detect(struct analysis *r, const char *path);
int analyze_judge(struct analysis *r);
int analyze_compare(struct analysis *r);

/* Text of an option into *ret; absent (NULL) leaves it. False after a usage message. */
bool analyze_number(struct analysis *r, const char *option, const char *text, double *ret);
bool analyze_count(struct analysis *r, const char *option, const char *text, size_t *ret);
/* Index of text in names (NULL-terminated). */
bool analyze_choice(struct analysis *r, const char *option, const char *text,
	const char *const *names, int *ret);
extern const char *const analyze_directions[], *const analyze_betters[];

/* Numbers for people; not finite: "-". */
const char *analyze_show(struct analysis *r, double v);
const char *analyze_percent(struct analysis *r, double v);
const char *analyze_effect(struct analysis *r, double v, bool absolute);
json_t *analyze_pair(double lower, double upper);
void analyze_print_json(json_t *j); /* and frees it */
struct table;
void analyze_print_table(struct analysis *r, const struct table *t);
int analyze_failed(struct analysis *r); /* complains about r->err; exit code */

/* --base and --head; EXIT_OK, or the exit code after a complaint. */
int analyze_read_arms(struct analysis *r, struct values *base, struct values *head);

#endif
