/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl: the command table and nothing else. */
#include "client/client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "config.h"

static const struct command *const commands[] = {
	&command_submit,
	&command_bench,
	&command_run,
	&command_jobs,
	&command_watch,
	&command_log,
	&command_artifacts,
	&command_cancel,
	&command_approve,
	&command_report,
	&command_compare,
	&command_gate,
	&command_queue,
	&command_series,
	&command_changes,
	&command_alerts,
	&command_workload,
	&command_thresholds,
	&command_schedules,
	&command_projects,
	&command_deliveries,
	&command_devices,
	&command_token,
	&command_kernels,
	&command_doctor,
	&command_server,
	&command_analyze,
};

static void print_help(void)
{
	puts("benchctl - submit benchmarks to benchd, watch them, read and compare the "
	     "results\n\n"
	     "  benchctl submit stream.triad --param backend=simd --wait\n"
	     "  benchctl submit mybuild --base main --head my-branch --wait --fail-on slower\n"
	     "  benchctl compare main my-branch --format markdown\n\n"
	     "commands (benchctl COMMAND --help tells more):");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	puts("\noptions of every command:\n"
	     "  --host URL         the daemon (BENCHD_HOST; default http://127.0.0.1:6610)\n"
	     "  --token-file FILE  file with the key (BENCHD_TOKEN, BENCHD_TOKEN_FILE)\n"
	     "  -p, --project P    project (BENCHD_PROJECT; default 'default')\n"
	     "  --json, --format table|json|csv|markdown|junit|openmetrics|hyperfine|html\n"
	     "  -q, --quiet        no progress on stderr;  -v, --verbose\n\n"
	     "exit codes: 0 ok, 1 failure, 2 usage, 3 slower, 4 unknown, 5 benchmark failed,\n"
	     "  6 not permitted, 7 daemon unreachable, 8 timed out waiting, 130 interrupted");
}

/* "report" and "reports", "project" and "projects" are the same noun. */
static bool is_name(const char *command, const char *name)
{
	size_t n = strlen(command), m = strlen(name);

	return !strncmp(command, name, n < m ? n : m) &&
	       (n == m || (n == m + 1 && command[m] == 's') || (m == n + 1 && name[n] == 's'));
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (is_name(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *names[ARRAY_SIZE(commands) + 1] = { 0 };
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		names[i] = commands[i]->name;
	near = nearest_name(name, names);
	if (near)
		fprintf(stderr, "benchctl: there is no command '%s'; did you mean '%s'?\n",
			name, near);
	else
		fprintf(stderr, "benchctl: there is no command '%s'; see benchctl --help\n",
			name);
	return EXIT_USAGE;
}

/* Options may stand before the command too: move the command to the front. */
static void command_first(int argc, char **argv)
{
	static const char *const with_value[] = { "--host", "--project", "-p", "--token-file",
		"--format" };
	char *command;
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++)
		for (size_t k = 0; k < ARRAY_SIZE(with_value); k++)
			if (!strcmp(argv[i], with_value[k])) {
				i++;
				break;
			}
	if (i >= argc || i == 1 || !find_command(argv[i]))
		return;
	command = argv[i];
	memmove(argv + 2, argv + 1, (size_t)(i - 1) * sizeof(*argv));
	argv[1] = command;
}

int main(int argc, char **argv)
{
	struct client c = { .arena = arena_new(), .is_tty = isatty(STDERR_FILENO) };
	const struct command *command;
	struct error err = { 0 };
	int code;

	command_first(argc, argv);
	if (argc == 3 && !strcmp(argv[1], "help") && find_command(argv[2])) {
		argv[1] = argv[2]; /* help COMMAND: COMMAND --help */
		argv[2] = "--help";
	}
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
		!strcmp(argv[1], "help")) {
		print_help();
		arena_free(c.arena);
		return argc < 2 ? EXIT_USAGE : EXIT_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("benchctl %s (%s, jansson %s)\n", PACKAGE_VERSION, curl_version(),
			JANSSON_VERSION);
		arena_free(c.arena);
		return EXIT_OK;
	}
	command = find_command(argv[1]);
	if (!command) {
		arena_free(c.arena);
		return unknown_command(argv[1]);
	}
	code = config_load(&c, &err) < 0 ? complain(&c, &err)
					 : command->run(&c, command, argc - 2, argv + 2);
	if (c.curl)
		curl_easy_cleanup(c.curl);
	curl_global_cleanup();
	arena_free(c.arena);
	if (code < 0)
		code = EXIT_OK;
	if (fflush(stdout) != 0)
		code = EXIT_FAILED;
	return code;
}
