/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl kernels: the built-in kernels, as benchd-kernel beside this program lists them. */
#include "client/client.h"

#include <stdio.h>
#include <unistd.h>
#include "base/fs.h"

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	bool devices = false;
	const struct option_row rows[] = {
		{ "devices", 'd', NULL, "the CPUs and GPUs instead", OPT_FLAG, &devices },
		{ 0 },
	};
	struct string_list words;
	const char *beside = arena_printf(c->arena, "%s/benchd-kernel", program_dir());
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (access(beside, X_OK) < 0)
		beside = "benchd-kernel";
	execlp(beside, "benchd-kernel", devices ? "devices" : "list",
		c->output == OUT_JSON ? "--json" : NULL, (char *)NULL);
	perror("benchctl: cannot start benchd-kernel");
	return EXIT_FAILED;
}

const struct command command_kernels = { "kernels", "",
	"list the built-in kernels of this host", NULL, run };
