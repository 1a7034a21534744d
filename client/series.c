/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl series: histories. */
#include "client/client.h"

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	const char *branch = NULL, *testbed = NULL, *benchmark = NULL, *measure = NULL,
		   *max = NULL;
	const struct option_row rows[] = {
		{ "branch", 'b', "NAME", "branch", OPT_STRING, &branch },
		{ "testbed", 0, "NAME", "testbed", OPT_STRING, &testbed },
		{ "benchmark", 0, "NAME", "benchmark", OPT_STRING, &benchmark },
		{ "measure", 'm', "NAME", "measure", OPT_STRING, &measure },
		{ "max", 'n', "N", "newest points", OPT_STRING, &max },
		{ 0 },
	};
	struct string_list words;
	const char *path;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (words.n > 1)
		return usage_error(self, "name one series at most");
	path = words.n ? project_path(c, "/series/%s", url_part(c, words.items[0]))
		       : project_path(c, "/series");
	path = add_query(c, add_query(c, path, "branch", branch), "testbed", testbed);
	path = add_query(c, add_query(c, path, "benchmark", benchmark), "measure", measure);
	return print_path(c, add_query(c, path, "max", max));
}

const struct command command_series = { "series", "[ID]", "list histories, or show one",
	"  benchctl series --branch main\n  benchctl series 12 --format csv\n", run };
