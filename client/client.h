/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door of client/: what every command of benchctl shares.
 *
 * stdout is data, stderr is progress and complaints. One file a command, each with one
 * const struct command; main.c holds the table. Everything runs on the main thread. */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"

/* Exit codes; JSON output never changes them. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1, /* operational failure */
	EXIT_USAGE = 2,
	EXIT_SLOWER = 3,      /* gate, or --fail-on slower */
	EXIT_UNKNOWN = 4,     /* inconclusive, too few samples */
	EXIT_BENCHMARK = 5,   /* the benchmark itself failed */
	EXIT_AUTH = 6,	      /* authentication or permission */
	EXIT_UNREACHABLE = 7, /* no daemon there */
	EXIT_TIMEOUT = 8,     /* timed out waiting */
	EXIT_INTERRUPTED = 130,
};

enum output {
	OUT_TABLE,
	OUT_JSON,
	OUT_CSV,
	OUT_MARKDOWN,
	OUT_JUNIT,
	OUT_OPENMETRICS,
	OUT_HYPERFINE,
	OUT_HTML
};

struct client {
	struct arena *arena;
	const char *host, *token, *project, *testbed, *ca;
	const char *host_from, *token_from, *project_from; /* where each value came from */
	const char *token_config,
		*token_host; /* its file of configuration and the host there; NULL */
	enum output output;
	bool quiet, verbose, is_tty /* of stderr */, use_color;
	void *curl; /* CURL *, kept for its connection */
};

/* One option of a command; the table ends with a NULL name. */
struct option_row {
	const char *name; /* without "--" */
	char letter;	  /* 0: none */
	const char *arg;  /* NULL: a flag; else the word for its value in --help */
	const char *help;
	/* OPT_PAIR, OPT_TRIPLE: lists to which each use adds two or three values. */
	enum { OPT_FLAG, OPT_STRING, OPT_LIST, OPT_PAIR, OPT_TRIPLE } kind;
	void *target; /* bool *, const char **, struct string_list * */
};
struct string_list {
	const char **items;
	size_t n;
};

struct command {
	const char *name, *arguments, *summary;
	const char *help; /* examples and details, shown first by --help */
	int (*run)(struct client *c, const struct command *self, int argc, char **argv);
};

/* Parse argv (behind the command's name) by rows plus the options every command has. What is no
 * option is left in words; "--" ends the options and everything behind it goes to words too,
 * *ret_rest = index of the first of those (or n_words). Returns EXIT_OK, or prints the
 * complaint or the help and returns -1 (help: exit 0) or EXIT_USAGE. */
int args_parse(struct client *c, const struct command *self, const struct option_row *rows,
	int argc, char **argv, struct string_list *words, size_t *ret_rest);
int usage_error(const struct command *self, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

struct answer {
	long status;
	struct buf body;
	json_t *json; /* parsed when the content type is JSON; borrowed from the client's arena
		       */
	char content_type[128], location[512], etag[128];
};
/* One request with retries for connections that break before an answer; path begins with '/'.
 * accept NULL: JSON. OK also for 4xx and 5xx answers: look at status. E_UNAVAILABLE when there
 * is nobody. The caller frees ret->body with buf_done. */
int api_call(struct client *c, const char *method, const char *path, const json_t *body,
	const char *accept, struct answer *ret, struct error *err) must_check;
/* The same with further headers ("Idempotency-Key: x"), NULL-terminated. */
int api_call_with(struct client *c, const char *method, const char *path, const json_t *body,
	const char *accept, const char *const *headers, struct answer *ret,
	struct error *err) must_check;
/* Server-sent events: on_event is called for each; a true return ends the stream. last_id goes
 * in and out, so that a broken stream is taken up where it broke. */
typedef bool (*event_fn)(void *arg, const char *event, const char *data);
int api_events(struct client *c, const char *path, int64_t *last_id, event_fn on_event,
	void *arg, struct error *err) must_check;

/* Print why a call failed and give the exit code: for errors, and for answers with status >=
 * 400. */
int complain(struct client *c, const struct error *err);
int complain_answer(struct client *c, const struct answer *a);
/* The JSON at path (the client's arena owns it). An answer without JSON and one of status >=
 * 400 but `also` (0: none) become a complaint and its exit code. */
int fetch_json(struct client *c, const char *path, long also, json_t **ret);
/* POST body and print the answer: whole with --json, else its `member`, with advice (NULL:
 * none) as a note. */
int make_and_print(struct client *c, const char *path, const json_t *body, const char *member,
	const char *advice);
/* GET path in the form the user asked for and print it. */
int print_path(struct client *c, const char *path);
const char *accept_of(enum output o);
/* Percent-encode one path segment or query value. */
const char *url_part(struct client *c, const char *s);
const char *project_path(struct client *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
const char *add_query(struct client *c, const char *path, const char *name, const char *value);
void note(struct client *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Follow a job until it is final (watch.c); deadline_ns monotonic or 0. Exit code of the job.
 */
int job_follow(struct client *c, const char *job, int64_t deadline_ns, json_t **ret_job);
int job_exit_code(const json_t *job, const char *fail_on);
/* filing.c: POST the job; with wait follow it and print its result. *ret_job (may be NULL): the
 * job at its end, the arena's. */
struct filing {
	bool wait;
	bool prints_later; /* the result of a job that was measured is the caller's to print */
	const char *timeout, *fail_on, *key; /* NULL; key: Idempotency-Key */
};
int job_file(struct client *c, const struct filing *f, json_t *body, json_t **ret_job);

/* config.c: flag > environment > ./.benchd.yaml > user's file > /etc. */
int config_load(struct client *c, struct error *err) must_check;
void config_print(const struct client *c);
/* May the token go to the host? A folder that somebody else wrote (./.benchd.yaml) names no
 * host that the token of another file is sent to, unless that file names the host too.
 * E_FORBIDDEN. */
int config_check_token(const struct client *c, struct error *err) must_check;

extern const struct command command_artifacts, command_bench, command_submit, command_jobs,
	command_watch, command_log, command_cancel, command_report, command_compare,
	command_gate, command_kernels, command_doctor, command_queue, command_run,
	command_projects, command_series, command_alerts, command_changes, command_workload,
	command_token, command_server, command_analyze, command_schedules, command_thresholds,
	command_approve, command_deliveries, command_devices;

#endif
