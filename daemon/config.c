/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/config.h"

#include <getopt.h>
#include <limits.h>
#include <string.h>
#include "base/clock.h"
#include "base/text.h"
#include "base/yaml.h"
#include "daemon/http/http.h"

enum { MAX_LISTEN = 16 };

static const char usage[] =
	"Usage: benchd [OPTION...]\n"
	"\n"
	"The daemon of a benchmark machine. Without options it listens on 127.0.0.1:6610,\n"
	"keeps its database under $XDG_STATE_HOME/benchd and starts one worker.\n"
	"\n"
	"  --listen HOST:PORT    listen here (port 0: any free one); may be repeated\n"
	"  --listen unix:PATH    listen on a unix socket\n"
	"  --state FOLDER        where the database lives (mode 0700)\n"
	"  --config FILE         read benchd.yaml\n"
	"  --no-worker           start no worker; one connects through worker.socket\n"
	"  -n                    check the configuration and exit\n"
	"  --backup FILE         copy the database into the new FILE and exit; a daemon\n"
	"                        that runs on it goes on\n"
	"  --version, --help\n";

/* benchd.yaml as read; defaults are what the members hold before. */
struct raw {
	json_t *listen, *worker, *tokens, *queue, *retention, *workloads, *schedules;
	json_t *hooks, *webhooks, *outgoing;
	const char *state, *testbed, *public_url, *workload_dir;
	int log;
	bool allow_adhoc_commands;
	bool is_embedded, anonymous_read;
	const char *program, *socket;
	int required;
	int64_t max_waiting, max_attempts, lease_ns, keep_answers_ns, keep_deliveries_ns;
	int64_t keep_artifacts_ns, artifacts_bytes;
};

static const char *const log_names[] = { "error", "warning", "notice", "information",
	"debugging", NULL };
static const char *const auto_names[] = { "auto", "true", "false", NULL };
enum { AUTO, YES, NO };

#define F(key, kind, member, min, max, names)                                                  \
	{                                                                                      \
		key, kind, offsetof(struct raw, member), false, min, max, names                \
	}
static const struct json_field top_fields[] = {
	F("listen", JF_ARRAY, listen, 1, MAX_LISTEN, NULL),
	F("state", JF_STRING, state, 1, PATH_MAX - 64, NULL),
	F("testbed", JF_STRING, testbed, 1, 64, NULL),
	F("public_url", JF_STRING, public_url, 8, 1024, NULL),
	F("log", JF_ENUM, log, 0, 0, log_names),
	F("allow_adhoc_commands", JF_BOOL, allow_adhoc_commands, 0, 0, NULL),
	F("worker", JF_OBJECT, worker, 0, 0, NULL),
	F("tokens", JF_OBJECT, tokens, 0, 0, NULL),
	F("queue", JF_OBJECT, queue, 0, 0, NULL),
	F("retention", JF_OBJECT, retention, 0, 0, NULL),
	F("workloads", JF_OBJECT, workloads, 0, 0, NULL),
	F("schedules", JF_OBJECT, schedules, 0, 0, NULL),
	F("hooks", JF_OBJECT, hooks, 0, 0, NULL),
	F("webhooks", JF_OBJECT, webhooks, 0, 0, NULL),
	F("outgoing", JF_OBJECT, outgoing, 0, 0, NULL),
	F("workload_dir", JF_STRING, workload_dir, 1, PATH_MAX - 1, NULL),
};
static const struct json_field worker_fields[] = {
	F("embedded", JF_BOOL, is_embedded, 0, 0, NULL),
	F("program", JF_STRING, program, 1, PATH_MAX - 1, NULL),
	F("socket", JF_STRING, socket, 1, 107, NULL),
};
static const struct json_field token_fields[] = {
	F("required", JF_ENUM, required, 0, 0, auto_names),
	F("anonymous_read", JF_BOOL, anonymous_read, 0, 0, NULL),
};
static const struct json_field queue_fields[] = {
	F("max_waiting", JF_INT, max_waiting, 1, 1000000, NULL),
	F("max_attempts", JF_INT, max_attempts, 1, 100, NULL),
	F("lease", JF_DURATION, lease_ns, 10, 3600, NULL),
};
static const struct json_field retention_fields[] = {
	F("idempotency", JF_DURATION, keep_answers_ns, 86400, 31536000, NULL),
	F("deliveries", JF_DURATION, keep_deliveries_ns, 86400, 315360000, NULL),
	F("artifacts", JF_DURATION, keep_artifacts_ns, 3600, 315360000, NULL),
	F("artifacts_size", JF_BYTES, artifacts_bytes, 0, 1e12, NULL),
};
#undef F

const char *config_usage(void)
{
	return usage;
}

static bool host_is_loopback(const char *host)
{
	return !strcmp(host, "localhost") || !strcmp(host, "::1") || !strncmp(host, "127.", 4);
}

bool config_is_loopback(const struct config *c)
{
	for (size_t i = 0; i < c->n_listen; i++)
		if (!c->listen[i].unix_path && !host_is_loopback(c->listen[i].host))
			return false;
	return true;
}

/* "HOST:PORT", "[::1]:PORT" or "unix:PATH". */
static int parse_listen(struct arena *a, const char *text, const char *field,
	struct listen_addr *ret, struct error *err)
{
	struct listen_addr l = { .fd = -1 };
	const char *colon = strrchr(text, ':');
	char *end;
	long port;

	if (!strncmp(text, "unix:", 5)) {
		if (text[5] != '/' || strlen(text + 5) > 107)
			return error_set_field(err, E_UNPROCESSABLE, field,
				"'%.200s': a unix socket needs an absolute path of at most 107 "
				"bytes",
				text);
		l.unix_path = arena_strdup(a, text + 5);
		*ret = l;
		return OK;
	}
	port = colon ? strtol(colon + 1, &end, 10) : -1;
	if (!colon || colon == text || end == colon + 1 || *end || port < 0 || port > 65535)
		return error_set_field(err, E_UNPROCESSABLE, field,
			"'%.200s' is no address; write HOST:PORT (port 0 to 65535) or "
			"unix:/PATH",
			text);
	l.host = *text == '[' && colon[-1] == ']'
			 ? arena_strndup(a, text + 1, (size_t)(colon - text) - 2)
			 : arena_strndup(a, text, (size_t)(colon - text));
	l.port = (int)port;
	*ret = l;
	return OK;
}

static int add_listen(struct config *c, const char *text, const char *field, struct error *err)
{
	int r;

	if (c->n_listen == MAX_LISTEN)
		return error_set_field(err, E_UNPROCESSABLE, field,
			"at most %d addresses can be listened on", MAX_LISTEN);
	r = parse_listen(c->arena, text, field, &c->listen[c->n_listen], err);
	if (r == OK)
		c->n_listen++;
	return r;
}

/* --- defaults --- */

static const char *default_state_dir(struct arena *a)
{
	const char *systemd = getenv("STATE_DIRECTORY"), *xdg = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (systemd && *systemd == '/')
		return arena_strndup(a, systemd, strcspn(systemd, ":"));
	if (geteuid() == 0 && !xdg)
		return BENCHD_STATEDIR;
	if (xdg && *xdg == '/')
		return arena_printf(a, "%s/benchd", xdg);
	return arena_printf(a, "%s/.local/state/benchd", home && *home == '/' ? home : "/tmp");
}

static const char *default_testbed(struct arena *a)
{
	char host[65] = "";
	char slug[SLUG_TEXT];

	if (gethostname(host, sizeof(host) - 1) < 0 || !*slug_format(host, slug))
		return "localhost";
	return arena_strdup(a, host);
}

/* --- the file --- */

static const char *beside_file(struct config *c, const char *path)
{
	const char *slash = strrchr(c->file, '/');

	if (!path || *path == '/' || !slash)
		return path ? arena_strdup(c->arena, path) : NULL;
	return arena_printf(c->arena, "%.*s/%s", (int)(slash - c->file), c->file, path);
}

static int read_part(json_t *o, const char *pointer, const struct json_field *fields, size_t n,
	struct raw *raw, struct error *err)
{
	return o ? json_read(o, pointer, fields, n, raw, JSON_REFUSE_UNKNOWN, err) : OK;
}

static int read_raw(json_t *o, struct raw *raw, struct error *err)
{
	int r;

	r = read_part(o, "", top_fields, ARRAY_SIZE(top_fields), raw, err);
	if (r == OK)
		r = read_part(raw->worker, "/worker", worker_fields, ARRAY_SIZE(worker_fields),
			raw, err);
	if (r == OK)
		r = read_part(raw->tokens, "/tokens", token_fields, ARRAY_SIZE(token_fields),
			raw, err);
	if (r == OK)
		r = read_part(
			raw->queue, "/queue", queue_fields, ARRAY_SIZE(queue_fields), raw, err);
	if (r == OK)
		r = read_part(raw->retention, "/retention", retention_fields,
			ARRAY_SIZE(retention_fields), raw, err);
	return r;
}

/* YAML true and false are booleans; the table wants words. */
static void word_for_bool(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	if (json_is_boolean(v))
		json_object_set_new(o, key, json_string(json_is_true(v) ? "true" : "false"));
}

static int take_listen(struct config *c, json_t *list, struct error *err)
{
	size_t i;
	json_t *v;

	if (!list || c->is_listen_given)
		return OK;
	c->is_listen_given = true;
	json_array_foreach (list, i, v) {
		char pointer[32];
		int r;

		snprintf(pointer, sizeof(pointer), "/listen/%zu", i);
		if (!json_is_string(v))
			return error_set_field(err, E_UNPROCESSABLE, pointer,
				"an address must be a string such as 127.0.0.1:6610");
		r = add_listen(c, json_string_value(v), pointer, err);
		if (r < 0)
			return r;
	}
	return OK;
}

static int check_url(const char *url, struct error *err)
{
	size_t n = url ? strlen(url) : 0;

	if (!url || ((!strncmp(url, "http://", 7) || !strncmp(url, "https://", 8)) &&
			    url[n - 1] != '/'))
		return OK;
	return error_set_field(err, E_UNPROCESSABLE, "/public_url",
		"'public_url' must begin with http:// or https:// and end without '/'");
}

static int apply_raw(struct config *c, const struct raw *raw, struct error *err)
{
	int r;

	r = take_listen(c, raw->listen, err);
	if (r == OK)
		r = check_url(raw->public_url, err);
	if (r < 0)
		return r;
	if (!c->state_dir && raw->state)
		c->state_dir = beside_file(c, raw->state);
	if (raw->testbed)
		c->testbed = arena_strdup(c->arena, raw->testbed);
	c->public_url = arena_strdup(c->arena, raw->public_url);
	c->log_most = (enum log_level)(LOG_ERROR + raw->log);
	c->worker.is_embedded = c->worker.is_embedded && raw->is_embedded;
	c->worker.program = c->file ? beside_file(c, raw->program) : NULL;
	c->worker.socket = c->file ? beside_file(c, raw->socket) : NULL;
	c->workload_dir = c->file ? beside_file(c, raw->workload_dir) : NULL;
	c->allow_anonymous_read = raw->anonymous_read;
	c->max_waiting = raw->max_waiting;
	c->max_attempts = raw->max_attempts;
	c->lease_ns = raw->lease_ns;
	c->keep_answers_ns = raw->keep_answers_ns;
	c->keep_deliveries_ns = raw->keep_deliveries_ns;
	c->keep_artifacts_ns = raw->keep_artifacts_ns;
	c->artifacts_bytes = raw->artifacts_bytes;
	return OK;
}

/* What follows from the addresses once they are known. */
static int settle(
	struct config *c, const struct raw *raw, bool is_adhoc_given, struct error *err)
{
	int r = OK;

	if (c->n_listen == 0)
		r = add_listen(c, "127.0.0.1:6610", "", err);
	if (r < 0)
		return r;
	if (!c->state_dir)
		c->state_dir = default_state_dir(c->arena);
	c->require_tokens =
		raw->required == YES || (raw->required == AUTO && !config_is_loopback(c));
	if (raw->required == NO && !config_is_loopback(c))
		return error_set_field(err, E_UNPROCESSABLE, "/tokens/required",
			"'tokens.required' can be false only when every address is loopback or "
			"a "
			"unix socket");
	/* A fresh daemon for one person takes commands; one with a file says so in it. */
	c->allow_adhoc_commands =
		is_adhoc_given ? raw->allow_adhoc_commands : !c->file && config_is_loopback(c);
	return OK;
}

static const struct raw raw_defaults = {
	.log = LOG_INFORMATION - LOG_ERROR,
	.is_embedded = true,
	.max_waiting = 100000,
	.max_attempts = 3,
	.lease_ns = 30 * NS_PER_S,
	.keep_answers_ns = 48 * 3600 * NS_PER_S,
	.keep_deliveries_ns = 30 * 24 * 3600 * NS_PER_S,
	.keep_artifacts_ns = 30 * 24 * 3600 * NS_PER_S,
	.artifacts_bytes = GiB,
};

static int load_file(struct config *c, struct error *err)
{
	_cleanup_(yaml_lines_free)
	struct yaml_lines *lines = NULL;
	_cleanup_(json_decref)
	json_t *o = NULL;
	struct raw raw = raw_defaults;
	int r = OK;

	if (c->file)
		r = config_read_yaml(c->file, &o, &lines, err);
	if (r < 0)
		return r;
	if (!json_is_object(o)) {
		json_decref(o);
		o = json_object();
	}
	word_for_bool(json_object_get(o, "tokens"), "required");
	r = read_raw(o, &raw, err);
	if (r == OK)
		r = apply_raw(c, &raw, err);
	if (r == OK)
		r = settle(c, &raw, json_object_get(o, "allow_adhoc_commands") != NULL, err);
	if (r < 0)
		return c->file ? yaml_locate_error(c->file, lines, err) : r;
	json_decref(c->workloads);
	c->workloads = NULL;
	r = config_load_workloads(c, &c->workloads, err);
	if (r == OK)
		r = config_load_schedules(c, &c->schedules, err);
	if (r < 0)
		return r;
	r = config_read_hooks(c, o, err);
	return r < 0 && c->file ? yaml_locate_error(c->file, lines, err) : r;
}

/* --- the command line --- */

enum {
	OPT_LISTEN = 256,
	OPT_STATE,
	OPT_CONFIG,
	OPT_NO_WORKER,
	OPT_BACKUP,
	OPT_VERSION,
	OPT_HELP
};

static int take_option(struct config *c, int option, struct error *err)
{
	switch (option) {
	case OPT_LISTEN:
		c->is_listen_given = true;
		return add_listen(c, optarg, "--listen", err);
	case OPT_STATE:
		c->state_dir = arena_strdup(c->arena, optarg);
		return OK;
	case OPT_CONFIG:
		c->file = arena_strdup(c->arena, optarg);
		return OK;
	case OPT_NO_WORKER:
		c->worker.is_embedded = false;
		return OK;
	case OPT_BACKUP:
		c->verb = CONFIG_BACKUP;
		c->backup = arena_strdup(c->arena, optarg);
		return OK;
	case 'n':
		c->verb = CONFIG_CHECK;
		return OK;
	case OPT_VERSION:
		c->verb = CONFIG_VERSION;
		return OK;
	case OPT_HELP:
		c->verb = CONFIG_HELP;
		return OK;
	}
	return error_set(err, E_INTERNAL, "option %d is not handled", option);
}

static int parse_options(struct config *c, int argc, char **argv, struct error *err)
{
	static const struct option options[] = { { "listen", 1, NULL, OPT_LISTEN },
		{ "state", 1, NULL, OPT_STATE }, { "config", 1, NULL, OPT_CONFIG },
		{ "backup", 1, NULL, OPT_BACKUP }, { "no-worker", 0, NULL, OPT_NO_WORKER },
		{ "version", 0, NULL, OPT_VERSION }, { "help", 0, NULL, OPT_HELP }, { 0 } };
	int option;

	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, ":n", options, NULL)) != -1) {
		int r;

		if (option == '?' || option == ':')
			return error_set(err, E_BAD_REQUEST, "%s '%s'; see benchd --help",
				option == ':' ? "a value is missing after"
					      : "there is no option",
				argv[optind - 1]);
		r = take_option(c, option, err);
		if (r < 0)
			return r;
	}
	if (optind < argc)
		return error_set(err, E_BAD_REQUEST, "'%s' is no option; see benchd --help",
			argv[optind]);
	return OK;
}

int config_load(int argc, char **argv, struct config **ret, struct error *err)
{
	_cleanup_(config_free)
	struct config *c = xcalloc(1, sizeof(*c));
	int r;

	c->arena = arena_new();
	c->listen = ARENA_ARRAY(c->arena, struct listen_addr, MAX_LISTEN);
	c->worker.is_embedded = true;
	c->testbed = default_testbed(c->arena);
	c->workloads = json_object();
	r = parse_options(c, argc, argv, err);
	if (r == OK && c->verb != CONFIG_VERSION && c->verb != CONFIG_HELP)
		r = load_file(c, err);
	if (r < 0)
		return r;
	*ret = TAKE(c);
	return OK;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	json_decref(c->workloads);
	json_decref(c->schedules);
	arena_free(c->arena);
	free(c);
}
