/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl report: one report or the newest ones. */
#include "client/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* The file carries the report's id and is never overwritten. */
static int write_file(struct client *c, const char *dir, const char *uuid, const char *suffix,
	const char *mime)
{
	const char *path = arena_printf(c->arena, "%s/report-%s.%s", dir, uuid, suffix);
	struct error err = { 0 };
	struct answer a;
	FILE *f;
	int fd, code = EXIT_OK;

	if (api_call(c, "GET", project_path(c, "/reports/%s", url_part(c, uuid)), NULL, mime,
		    &a, &err) < 0)
		return complain(c, &err);
	if (a.status >= 400) {
		code = complain_answer(c, &a);
		buf_done(&a.body);
		return code;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f || fwrite(buf_str(&a.body), 1, a.body.len, f) != a.body.len || fclose(f)) {
		error_errno(&err, E_IO, "cannot write '%s'", path);
		code = complain(c, &err);
	} else {
		printf("%s\n", path);
	}
	buf_done(&a.body);
	return code;
}

static int write_all_forms(struct client *c, const char *dir, const char *uuid)
{
	static const char *const forms[][2] = { { "json", "application/json" },
		{ "md", "text/markdown" }, { "csv", "text/csv" }, { "html", "text/html" } };

	mkdir(dir, 0777);
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		int code = write_file(c, dir, uuid, forms[i][0], forms[i][1]);

		if (code != EXIT_OK)
			return code;
	}
	return EXIT_OK;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	const char *branch = NULL, *testbed = NULL, *out = NULL;
	const char *limit = "100", *page = NULL;
	bool samples = false;
	const struct option_row rows[] = {
		{ "branch", 'b', "NAME", "list: only this branch", OPT_STRING, &branch },
		{ "testbed", 0, "NAME", "list: only this testbed", OPT_STRING, &testbed },
		{ "limit", 'n', "N", "list: at most so many a page (100; most 255)", OPT_STRING,
			&limit },
		{ "page", 0, "N", "list: the N-th of them, from the newest (1)", OPT_STRING,
			&page },
		{ "samples", 's', NULL, "with every raw sample", OPT_FLAG, &samples },
		{ "out", 'o', "DIR", "write json, md, csv and html files there", OPT_STRING,
			&out },
		{ 0 },
	};
	struct string_list words;
	const char *path;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (words.n > 1 || (out && words.n != 1))
		return usage_error(self, "name one report");
	if (out)
		return write_all_forms(c, out, words.items[0]);
	if (words.n == 1)
		return print_path(
			c, add_query(c,
				   project_path(c, "/reports/%s", url_part(c, words.items[0])),
				   "samples", samples ? "1" : NULL));
	path = add_query(c, project_path(c, "/reports"), "per_page", limit);
	path = add_query(c, add_query(c, path, "page", page), "branch", branch);
	return print_path(c, add_query(c, path, "testbed", testbed));
}

const struct command command_report = { "report", "[REPORT]", "list reports, or show one",
	"  benchctl report 7c1e... --samples --json\n"
	"  benchctl report 7c1e... --format markdown\n",
	run };
