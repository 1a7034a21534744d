/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl changes: confirmed changes, newest first. */
#include "client/client.h"

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	struct string_list words;
	int code = args_parse(c, self, NULL, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (words.n)
		return usage_error(self, "takes no '%s'", words.items[0]);
	return print_path(c, project_path(c, "/changes"));
}

const struct command command_changes = { "changes", "", "confirmed changes, newest first", NULL,
	run };
