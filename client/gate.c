/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl gate: one verdict for CI. Exit 0 pass, 3 fail, 4 unknown, 1 error. */
#include "client/client.h"

#include <string.h>

static int code_of(const char *outcome)
{
	if (!strcmp(outcome, "pass"))
		return EXIT_OK;
	if (!strcmp(outcome, "fail"))
		return EXIT_SLOWER;
	return strcmp(outcome, "unknown") ? EXIT_FAILED : EXIT_UNKNOWN;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	const char *job = NULL, *report = NULL, *branch = NULL, *testbed = NULL;
	const struct option_row rows[] = {
		{ "job", 'j', "JOB", "judge an interleaved comparison", OPT_STRING, &job },
		{ "report", 'r', "REPORT", "judge a report against its history", OPT_STRING,
			&report },
		{ "branch", 'b', "NAME", "where commits are looked up", OPT_STRING, &branch },
		{ "testbed", 0, "NAME", "only this testbed", OPT_STRING, &testbed },
		{ 0 },
	};
	struct string_list words;
	const char *path = project_path(c, "/gate");
	struct error err = { 0 };
	struct answer a;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (job || report ? words.n != 0 : words.n != 2)
		return usage_error(self, "name base and head, or --job, or --report");
	if (words.n)
		path = add_query(
			c, add_query(c, path, "base", words.items[0]), "head", words.items[1]);
	path = add_query(c, add_query(c, path, "job", job), "report", report);
	path = add_query(c, add_query(c, path, "branch", branch), "testbed", testbed);
	code = print_path(c, path);
	if (code != EXIT_OK)
		return code;
	if (api_call(c, "GET", path, NULL, NULL, &a, &err) < 0)
		return complain(c, &err);
	buf_done(&a.body);
	return code_of(json_get_str(a.json, "outcome", "error"));
}

const struct command command_gate = { "gate", "BASE HEAD | --job JOB | --report REPORT",
	"one verdict for CI",
	"  benchctl gate main my-branch && echo fine\n"
	"  exit: 0 pass, 3 fail, 4 unknown, 1 error (nothing measured)\n",
	run };
