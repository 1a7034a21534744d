/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl workload: the definitions the daemon knows. */
#include "client/client.h"

#include <stdio.h>
#include <string.h>
#include "base/fs.h"
#include "base/yaml.h"

static int put(struct client *c, const char *name, const char *file)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	struct error err = { 0 };
	struct answer a;
	json_t *body = NULL;
	int code = EXIT_OK;

	if (file_read(!strcmp(file, "-") ? "/dev/stdin" : file, MiB, &b, &err) < 0 ||
		yaml_parse(file, buf_str(&b), b.len, &body, NULL, &err) < 0)
		return complain(c, &err);
	arena_own_json(c->arena, body);
	/* A file that holds one named definition ("saxpy: {kind: ...}") is taken too. */
	if (!json_object_get(body, "kind") && json_object_get(body, name))
		body = json_object_get(body, name);
	if (api_call(c, "PUT", project_path(c, "/workloads/%s", url_part(c, name)), body, NULL,
		    &a, &err) < 0)
		return complain(c, &err);
	if (a.status >= 400)
		code = complain_answer(c, &a);
	else
		note(c, "workload '%s' is stored", name);
	buf_done(&a.body);
	return code;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	const char *file = NULL, *tag = NULL;
	bool cells = false;
	const struct option_row rows[] = {
		{ "file", 'f', "FILE", "store the definition in this YAML or JSON file",
			OPT_STRING, &file },
		{ "cells", 'c', NULL, "what a job of it would measure", OPT_FLAG, &cells },
		{ "tag", 0, "TAG", "list: only with this tag", OPT_STRING, &tag },
		{ 0 },
	};
	struct string_list words;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (words.n > 1 || ((file || cells) && words.n != 1))
		return usage_error(self, "name one workload");
	if (file)
		return put(c, words.items[0], file);
	if (words.n == 1)
		return print_path(
			c, project_path(c, "/workloads/%s%s", url_part(c, words.items[0]),
				   cells ? "/cells" : ""));
	return print_path(c, add_query(c, project_path(c, "/workloads"), "tag", tag));
}

const struct command command_workload = { "workload", "[NAME]",
	"list, show or store definitions", "  benchctl workload saxpy --file saxpy.yaml\n",
	run };
