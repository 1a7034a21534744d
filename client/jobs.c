/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl jobs: the list, or one job. */
#include "client/client.h"

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	const char *state = NULL, *workload = NULL, *limit = NULL, *branch = NULL;
	const struct option_row rows[] = {
		{ "state", 's', "LIST", "queued, running, failed, ...", OPT_STRING, &state },
		{ "workload", 'w', "NAME", "only this workload", OPT_STRING, &workload },
		{ "branch", 'b', "NAME", "only this branch", OPT_STRING, &branch },
		{ "limit", 'n', "N", "at most so many (100)", OPT_STRING, &limit },
		{ 0 },
	};
	struct string_list words;
	const char *path;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (words.n > 1)
		return usage_error(self, "name one job at most");
	if (words.n == 1)
		return print_path(c, project_path(c, "/jobs/%s", url_part(c, words.items[0])));
	path = add_query(c, project_path(c, "/jobs"), "state", state);
	path = add_query(c, path, "workload", workload);
	path = add_query(c, path, "branch", branch);
	return print_path(c, add_query(c, path, "limit", limit));
}

const struct command command_jobs = { "jobs", "[JOB]", "list jobs, or show one",
	"  benchctl jobs --state queued,running\n", run };
