/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl server: which daemon answers, is it well, who works for it. */
#include "client/client.h"

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	struct string_list words;
	int code = args_parse(c, self, NULL, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (words.n)
		return usage_error(self, "takes no '%s'", words.items[0]);
	code = print_path(c, "/version");
	if (code == EXIT_OK)
		code = print_path(c, "/readyz");
	return code == EXIT_OK ? print_path(c, "/v0/testbeds/live") : code;
}

const struct command command_server = { "server", "",
	"version, health and workers of the daemon", NULL, run };
