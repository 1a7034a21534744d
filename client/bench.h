/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of benchctl bench share: commands, what was measured of them, how they rank.
 */
#ifndef CLIENT_BENCH_H
#define CLIENT_BENCH_H

#include "client/client.h"

enum { BENCH_COMMANDS_MAX = 200, BENCH_NAME_MAX = 200 /* bytes, of a benchmark */ };

struct bench_command {
	const char *text; /* what a person is shown */
	/* Name of its benchmark in reports, but for a suffix; NULL: all of a report is its. */
	const char *key;
	json_t *argv;		  /* of strings */
	const json_t *parameters; /* that were filled in here; NULL: none */
};
struct bench_commands {
	struct bench_command *items;
	size_t n;
	bool is_scan; /* made of fewer lines by filling in parameters */
};

/* --- bench_parameters.c --- */
struct bench_parameters {
	struct string_list scan, list;		 /* NAME=FROM:TO[:STEP]; NAME=A,B,C */
	struct string_list range, words, deltas; /* NAME MIN MAX each; NAME A,B,C each; DELTA */
};
/* The matrix of a definition, {NAME: [values]} or {NAME: {from, to, step}}; a new reference. */
int bench_matrix(struct client *c, const struct command *self, const struct bench_parameters *p,
	json_t **ret);
/* text with each {NAME} of parameters filled in; the arena's. */
const char *bench_fill(struct client *c, const char *text, const json_t *parameters);
/* {from, to, step} as its values: what they are meant to be, not what sums of them are; a list
 * is its own. A new reference. */
json_t *bench_values(const json_t *v);

/* --- bench_lines.c: commands as a shell's user writes them --- */
/* Lines to argv: split into words as sh does, or given to `shell` -c where only a shell
 * understands them. shell: NULL: sh, where needed; "none": never; else always. "{NAME}" of a
 * parameter is filled in, each combination a command; other braces stay. EXIT_OK or
 * EXIT_USAGE. */
int bench_lines(struct client *c, const struct command *self, const char *const *lines,
	size_t n, const char *shell, const struct bench_parameters *p,
	struct bench_commands *ret);
/* argv as a shell would have it written. */
const char *bench_text(struct client *c, const json_t *argv, const json_t *parameters);
/* No two of them may go by the same name. */
void bench_name(struct client *c, struct bench_commands *l);

/* --- bench_request.c: what is asked of the daemon --- */
struct bench_files {
	const char *json, *csv, *markdown; /* NULL */
	const char *sort;		   /* auto, command, mean-time; NULL */
};
struct bench { /* the options as they were given */
	const char *name, *runs, *min_runs, *max_runs, *warmup, *exit_codes, *directory, *input,
		*output, *cache, *shell, *reference, *branch, *testbed, *timeout, *fail_on,
		*time;
	struct string_list names, setup, prepare, conclude, cleanup, environment;
	struct bench_parameters parameters;
	struct bench_files files;
	bool ignore_failure, shared, no_idle_wait, control, dry_run, no_shell;
};
/* What they are measured for: the numbers of one, a comparison of two, an order of many. */
enum bench_aim { AIM_ONE, AIM_PAIR, AIM_RANK };
int bench_request(struct client *c, const struct command *self, const struct bench *b,
	const struct bench_commands *l, bool are_lines, enum bench_aim aim, json_t *body);

/* --- bench_results.c: what came of them --- */
struct bench_result {
	const char *text;
	json_t *export;	 /* as hyperfine exports it */
	double *values;	 /* ns, one a process that counts */
	int64_t *blocks; /* the round of each */
	size_t n;
	double median, low, high; /* 95 % interval of the median; NAN: too few */
};
struct bench_results {
	struct bench_result *items; /* in the order of the commands */
	size_t n;
	json_t *notes;	    /* texts: what a reader should know; NULL */
	const char *report; /* its uuid */
};
/* Read the reports of an ended job. base: of two commands the first; NULL. name: --name; NULL.
 * Results without a time are left out. */
int bench_results(struct client *c, const struct bench_commands *l, const char *name,
	const json_t *job, struct bench_results *ret);

/* --- bench_rank.c --- */
struct bench_ratio {		    /* of times: item / reference */
	double ratio, low, high, p; /* NAN: too few pairs */
	size_t n;
	enum { RATIO_SLOWER, RATIO_FASTER, RATIO_SAME, RATIO_OPEN } is;
};
struct bench_ranking {
	const struct bench_results *of;
	size_t *order;		    /* by median, fastest first */
	size_t reference;	    /* index into results */
	bool is_given;		    /* by --reference */
	struct bench_ratio *ratios; /* of each result to the reference */
	struct bench_ratio *steps;  /* of order[i + 1] to order[i] */
	double level;		    /* of each ratio */
	size_t n_needed;	    /* rounds without which nothing can be decided */
};
/* reference: an index, or SIZE_MAX for the fastest. */
int bench_rank(struct client *c, const struct bench_results *r, size_t reference,
	struct bench_ranking *ret);
void bench_print(struct client *c, const struct bench_ranking *r, bool by_command);
/* "X ran 1.2 [1.1, 1.3] times faster than Y", and what is not decided. */
void bench_print_summary(struct client *c, const struct bench_ranking *r);
/* What a reader should know: "note: ...", and which report has it all. */
void bench_print_notes(struct client *c, const struct bench_ranking *r);
json_t *bench_json(const struct bench_ranking *r);

/* --- bench_export.c --- */
/* Write the files. */
int bench_export(struct client *c, const struct bench_ranking *r, const struct bench_files *f);
/* Is it a way to sort? */
bool bench_sort_is_known(const char *word);
bool bench_sorts_by_time(const char *word, bool is_table);
void bench_csv(const struct bench_ranking *r, const char *sort, struct buf *out);
void bench_markdown(const struct bench_ranking *r, const char *sort, struct buf *out);

#endif
