/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl log: what a job printed, and what the worker did. */
#include "client/client.h"

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	struct string_list words;
	int code = args_parse(c, self, NULL, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (words.n != 1)
		return usage_error(self, "name one job");
	return print_path(c, project_path(c, "/jobs/%s/log", url_part(c, words.items[0])));
}

const struct command command_log = { "log", "JOB", "print a job's log", NULL, run };
