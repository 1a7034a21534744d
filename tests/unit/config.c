/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line, benchd.yaml and workload_dir as config_load reads them: defaults, what wins
 * over what, what follows from the addresses, errors with their line. What each wrong key says
 * is tests/e2e/config.sh. */
#include "tests/lib/unit.h"

#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "daemon/config.h"
#include "daemon/http/http.h"

static char folder[64];
static struct config *c;
static struct error err;

static void begin(void)
{
	strcpy(folder, "/tmp/benchd-config-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	unsetenv("STATE_DIRECTORY");
	setenv("XDG_STATE_HOME", "/xdg", 1);
}

static void end(void)
{
	config_free(TAKE(c));
	ck_assert_int_eq(dir_remove(folder, &err), OK);
}

static const char *put(const char *name, const char *text)
{
	static char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	return path;
}

/* Up to three arguments behind the program's name. */
static int load(const char *a, const char *b, const char *d)
{
	char *argv[] = { (char *)"benchd", (char *)a, (char *)b, (char *)d, NULL };

	config_free(TAKE(c));
	err = (struct error){ 0 };
	return config_load(1 + !!a + !!b + !!d, argv, &c, &err);
}

static int load_text(const char *text)
{
	return load("--config", put("benchd.yaml", text), NULL);
}

#define loaded(call) ck_assert_msg((call) == OK, "%s", err.text)
#define refused(call, part)                                                                    \
	do {                                                                                   \
		ck_assert_int_lt((call), 0);                                                   \
		ck_assert_msg(strstr(err.text, (part)) != NULL, "%s", err.text);               \
	} while (0)

START_TEST(without_options_it_is_a_daemon_for_one_person)
{
	begin();
	loaded(load(NULL, NULL, NULL));
	ck_assert_int_eq(c->verb, CONFIG_RUN);
	ck_assert_uint_eq(c->n_listen, 1);
	ck_assert_str_eq(c->listen[0].host, "127.0.0.1");
	ck_assert_int_eq(c->listen[0].port, 6610);
	ck_assert(!c->is_listen_given);
	ck_assert_str_eq(c->state_dir, "/xdg/benchd");
	ck_assert(c->worker.is_embedded);
	ck_assert(!c->require_tokens);
	ck_assert(c->allow_adhoc_commands);
	ck_assert(config_is_loopback(c));
	ck_assert_int_eq(c->max_waiting, 100000);
	ck_assert_int_eq(c->max_attempts, 3);
	end();
}
END_TEST

START_TEST(options_are_read_and_wrong_ones_are_named)
{
	begin();
	loaded(load("--listen", "[::1]:0", "--no-worker"));
	ck_assert_str_eq(c->listen[0].host, "::1");
	ck_assert_int_eq(c->listen[0].port, 0);
	ck_assert(!c->worker.is_embedded);
	loaded(load("--listen", "unix:/run/b.sock", "-n"));
	ck_assert_str_eq(c->listen[0].unix_path, "/run/b.sock");
	ck_assert_int_eq(c->verb, CONFIG_CHECK);
	loaded(load("--version", NULL, NULL));
	ck_assert_int_eq(c->verb, CONFIG_VERSION);
	refused(load("--lisen", "x", NULL), "there is no option '--lisen'; see benchd --help");
	refused(load("--listen", NULL, NULL), "a value is missing after '--listen'");
	refused(load("start", NULL, NULL), "'start' is no option");
	refused(load("--listen", "6610", NULL), "'6610' is no address; write HOST:PORT");
	refused(load("--listen", "h:65536", NULL), "port 0 to 65535");
	refused(load("--listen", ":1", NULL), "is no address");
	refused(load("--listen", "unix:b.sock", NULL), "needs an absolute path");
	end();
}
END_TEST

START_TEST(the_state_folder_is_where_the_host_wants_it)
{
	begin();
	setenv("STATE_DIRECTORY", "/var/lib/benchd:/other", 1);
	loaded(load(NULL, NULL, NULL));
	ck_assert_str_eq(c->state_dir, "/var/lib/benchd");
	unsetenv("STATE_DIRECTORY");
	loaded(load_text("state: data\n")); /* beside the file that says so */
	ck_assert_uint_eq(strncmp(c->state_dir, folder, strlen(folder)), 0);
	ck_assert_str_eq(c->state_dir + strlen(folder), "/data");
	loaded(load("--state", "/here", NULL));
	ck_assert_str_eq(c->state_dir, "/here");
	end();
}
END_TEST

START_TEST(an_option_wins_over_the_file)
{
	const char *file;

	begin();
	file = put("benchd.yaml", "listen: ['127.0.0.1:1', '127.0.0.1:2']\n");
	loaded(load("--config", file, NULL));
	ck_assert_uint_eq(c->n_listen, 2);
	ck_assert_int_eq(c->listen[1].port, 2);
	loaded(load("--listen=127.0.0.1:3", "--config", file));
	ck_assert_uint_eq(c->n_listen, 1);
	ck_assert_int_eq(c->listen[0].port, 3);
	end();
}
END_TEST

START_TEST(others_than_this_host_need_tokens)
{
	begin();
	loaded(load_text("listen: ['0.0.0.0:1']\n"));
	ck_assert(c->require_tokens);
	ck_assert(!config_is_loopback(c));
	ck_assert(!c->allow_adhoc_commands);
	loaded(load_text("listen: ['localhost:1', 'unix:/b.sock']\n"));
	ck_assert(!c->require_tokens);
	loaded(load_text("tokens: {required: true}\n"));
	ck_assert(c->require_tokens);
	refused(load_text("listen: ['10.0.0.1:1']\ntokens:\n  required: false\n"),
		"benchd.yaml:3: 'tokens.required' can be false only when");
	end();
}
END_TEST

START_TEST(who_has_a_file_says_in_it_that_commands_are_taken)
{
	begin();
	loaded(load_text("log: warning\n"));
	ck_assert(!c->allow_adhoc_commands);
	ck_assert_int_eq(c->log_most, LOG_WARNING);
	loaded(load_text("allow_adhoc_commands: true\n"));
	ck_assert(c->allow_adhoc_commands);
	end();
}
END_TEST

START_TEST(an_error_names_file_line_and_what_was_meant)
{
	begin();
	refused(load_text("queue:\n  max_attemps: 3\n"),
		"benchd.yaml:2: 'max_attemps' is not known here; did you mean 'max_attempts'?");
	refused(load_text("queue: {lease: 1s}\n"), "benchd.yaml:1: 'lease' must be 10 to 3600");
	refused(load_text("- a\n- b\n"), "must hold names and values");
	refused(load_text("a: [\n"), "benchd.yaml:");
	refused(load("--config", "/nowhere/benchd.yaml", NULL), "'/nowhere/benchd.yaml'");
	loaded(load_text("")); /* an empty file says nothing, which is no error */
	end();
}
END_TEST

START_TEST(workloads_are_checked_when_they_are_read)
{
	begin();
	loaded(load_text("workloads:\n  sort:\n    kind: command\n    command: [sort, x]\n"));
	ck_assert_uint_eq(json_object_size(c->workloads), 1);
	ck_assert_str_eq(
		json_get_str(json_object_get(c->workloads, "sort"), "name", ""), "sort");
	refused(load_text("workloads:\n  w:\n    kind: command\n    comand: [x]\n"),
		"benchd.yaml:4: workload 'w': 'comand' is not known here");
	refused(load_text("workloads:\n  w: 3\n"), "the workload 'w' must be an object");
	refused(load_text("workloads:\n  w:\n    name: v\n    kind: command\n"
			  "    command: [x]\n"),
		"the workload 'w' calls itself 'v'");
	end();
}
END_TEST

START_TEST(a_folder_of_workloads_is_read_file_by_file)
{
	static const char one[] = "kind: command\ncommand: [x]\n";
	char dir[100];
	json_t *again;

	begin();
	snprintf(dir, sizeof(dir), "%s/w", folder);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	put("w/one.yaml", one);
	put("w/two.yaml",
		"a: {kind: command, command: [a]}\nb: {kind: command, command: [b]}\n");
	put("w/README", "no workload");
	put("w/.hidden.yaml", "- no workload\n");
	loaded(load_text("workload_dir: w\n"));
	ck_assert_uint_eq(json_object_size(c->workloads), 3);
	put("w/three.yaml", one); /* as SIGHUP reads them */
	loaded(config_load_workloads(c, &again, &err));
	ck_assert_uint_eq(json_object_size(again), 4);
	json_decref(again);
	put("w/two.yaml", "one: {kind: command, command: [a]}\n");
	refused(config_load_workloads(c, &again, &err), "the workload 'one' is defined twice");
	ck_assert_ptr_nonnull(strstr(err.text, "/w/two.yaml:1: "));
	refused(load_text("workload_dir: nowhere\n"),
		"benchd.yaml:1: cannot read the workload_dir");
	end();
}
END_TEST

START_TEST(schedules_and_hooks_are_checked_too)
{
	begin();
	loaded(load_text("schedules:\n  night:\n    cron: '0 2 * * *'\n    project: p\n"
			 "    workload: stream.triad\n"));
	ck_assert_uint_eq(json_object_size(c->schedules), 1);
	refused(load_text("schedules:\n  night:\n    cron: 'never'\n    project: p\n"
			  "    workload: w\n"),
		"benchd.yaml:3: schedule 'night': ");
	refused(load_text("schedules:\n  night: []\n"),
		"the schedule 'night' must be an object");
	refused(load_text("hooks:\n  h:\n    repository: o/n\n"), "benchd.yaml:2: ");
	end();
}
END_TEST

START_TEST(the_shipped_suites_are_right)
{
	json_t *all;

	begin();
	loaded(config_load_shipped(&all, &err));
	ck_assert_ptr_nonnull(json_object_get(all, "smoke"));
	ck_assert_ptr_nonnull(json_object_get(all, "comprehensive"));
	json_decref(all);
	end();
}
END_TEST

SUITE("config", without_options_it_is_a_daemon_for_one_person,
	options_are_read_and_wrong_ones_are_named, the_state_folder_is_where_the_host_wants_it,
	an_option_wins_over_the_file, others_than_this_host_need_tokens,
	who_has_a_file_says_in_it_that_commands_are_taken,
	an_error_names_file_line_and_what_was_meant, workloads_are_checked_when_they_are_read,
	a_folder_of_workloads_is_read_file_by_file, schedules_and_hooks_are_checked_too,
	the_shipped_suites_are_right)
