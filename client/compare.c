/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl compare: effect, interval and outcome for each benchmark. */
#include "client/client.h"

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	const char *job = NULL, *branch = NULL, *testbed = NULL, *fail_on = NULL;
	const struct option_row rows[] = {
		{ "job", 'j', "JOB", "the comparison an interleaved job made", OPT_STRING,
			&job },
		{ "branch", 'b', "NAME", "where commits are looked up", OPT_STRING, &branch },
		{ "testbed", 0, "NAME", "only this testbed", OPT_STRING, &testbed },
		{ "fail-on", 0, "LIST", "slower, unknown: exit 3 or 4", OPT_STRING, &fail_on },
		{ 0 },
	};
	struct string_list words;
	const char *path;
	struct error err = { 0 };
	struct answer a;
	json_t *state;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (job ? words.n != 0 : words.n != 2)
		return usage_error(self, "name base and head, or --job");
	path = project_path(c, "/compare");
	if (!job)
		path = add_query(
			c, add_query(c, path, "base", words.items[0]), "head", words.items[1]);
	path = add_query(c, path, "job", job);
	path = add_query(c, add_query(c, path, "branch", branch), "testbed", testbed);
	code = print_path(c, path);
	if (code != EXIT_OK || !fail_on)
		return code;
	if (api_call(c, "GET", path, NULL, NULL, &a, &err) < 0)
		return complain(c, &err);
	buf_done(&a.body);
	state = json_pack("{ss ss}", "state", "succeeded", "outcome",
		json_get_str(a.json, "outcome", "unknown"));
	code = job_exit_code(state, fail_on);
	json_decref(state);
	return code;
}

const struct command command_compare = { "compare", "BASE HEAD | --job JOB",
	"compare two reports, commits or branches",
	"  benchctl compare main my-branch\n"
	"  benchctl compare --job 5f0c... --format markdown\n",
	run };
