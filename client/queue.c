/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl queue: running and waiting jobs of all projects. */
#include "client/client.h"

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	struct string_list words;
	int code = args_parse(c, self, NULL, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (words.n)
		return usage_error(self, "takes no '%s'", words.items[0]);
	return print_path(c, "/v0/queue");
}

const struct command command_queue = { "queue", "", "running and waiting jobs of all projects",
	NULL, run };
