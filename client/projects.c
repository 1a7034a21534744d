/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl projects: list the projects. */
#include "client/client.h"

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	struct string_list words;
	int code = args_parse(c, self, NULL, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (words.n)
		return usage_error(self, "takes no '%s'", words.items[0]);
	return print_path(c, "/v0/projects?per_page=255");
}

const struct command command_projects = { "projects", "", "list the projects", NULL, run };
