/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the command line and benchd.yaml say.
 *
 * Read once at start; only the workloads are read again on SIGHUP. Every member of the file has
 * a default, so that `benchd` alone runs. Constant after config_load; owned by its arena. */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/hooks/hooks.h"
#include "daemon/notify/notify.h"

struct listen_addr; /* http/http.h */
struct yaml_lines;  /* base/yaml.h */

enum config_verb { CONFIG_RUN, CONFIG_CHECK, CONFIG_BACKUP, CONFIG_VERSION, CONFIG_HELP };

struct config {
	struct arena *arena;
	enum config_verb verb;
	const char *backup; /* CONFIG_BACKUP: the new file */
	const char *file;   /* NULL: none was given */

	struct listen_addr *listen; /* fd -1 each; passed-in sockets are main's business */
	size_t n_listen;
	bool is_listen_given; /* by option or file, not the default */
	const char *state_dir;
	const char *testbed;
	const char *public_url; /* NULL */
	const char *log_level;
	enum log_level log_most;

	struct {
		bool is_embedded;
		const char *program; /* NULL: found by workers/ */
		const char *socket;  /* NULL: none */
	} worker;
	bool allow_adhoc_commands;
	bool require_tokens;
	bool allow_anonymous_read;
	int64_t max_waiting, max_attempts, lease_ns;
	int64_t keep_answers_ns; /* of idempotent requests */
	int64_t keep_deliveries_ns;
	int64_t keep_artifacts_ns, artifacts_bytes; /* files of jobs */
	struct hooks hooks;
	struct notify_rules notify;
	const char *workload_dir; /* NULL */
	json_t *workloads; /* name -> definition, checked; inline ones and those of the folder
			    */
	json_t *schedules; /* name -> schedule, checked */
};

/* Parse the command line and read the file it names. A wrong option or file is E_BAD_REQUEST or
 * E_UNPROCESSABLE in a sentence with the line. */
int config_load(int argc, char **argv, struct config **ret, struct error *err) must_check;
void config_free(struct config *c); /* NULL is fine */
DEFINE_CLEANUP(struct config *, config_free)
/* Read the workloads again: *ret is a new reference to name -> definition. */
int config_load_workloads(const struct config *c, json_t **ret, struct error *err) must_check;
/* The suites that benchd ships (suites/), which need no file: name -> definition. */
int config_load_shipped(json_t **ret, struct error *err) must_check;
/* The same for the schedules. */
int config_load_schedules(const struct config *c, json_t **ret, struct error *err) must_check;
/* The members hooks, webhooks and outgoing of the file's object, which is kept. */
int config_read_hooks(struct config *c, json_t *o, struct error *err) must_check;
/* One YAML file as an object (or null when it is empty). */
int config_read_yaml(const char *path, json_t **ret, struct yaml_lines **lines,
	struct error *err) must_check;
const char *config_usage(void);
/* True when every address is loopback or a unix socket. */
bool config_is_loopback(const struct config *c);

#endif
