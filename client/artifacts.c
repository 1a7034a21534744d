/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl artifacts: the files that a job kept. */
#include "client/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/fs.h"

static int get(struct client *c, const char *path, struct answer *ret)
{
	struct error err = { 0 };

	if (api_call(c, "GET", path, NULL, "*/*", ret, &err) < 0)
		return complain(c, &err);
	return ret->status >= 400 ? complain_answer(c, ret) : EXIT_OK;
}

/* Slashes become underscores: names come from a job, and nothing of theirs is a folder here. */
static const char *local_name(struct client *c, const char *arm, const char *name)
{
	char *flat = arena_printf(c->arena, "%s-%s", arm, name);

	for (char *p = flat; *p; p++)
		if (*p == '/')
			*p = '_';
	return flat;
}

static int save(struct client *c, const char *job, const char *folder, const json_t *f)
{
	const char *name = json_get_str(f, "name", ""), *arm = json_get_str(f, "arm", "");
	const char *path = arena_printf(c->arena, "%s/%s", folder, local_name(c, arm, name));
	struct error err = { 0 };
	struct answer a = { 0 };
	int code = get(c,
		project_path(c, "/jobs/%s/artifact?name=%s&arm=%s", url_part(c, job),
			url_part(c, name), url_part(c, arm)),
		&a);

	if (code == EXIT_OK && file_write(path, buf_str(&a.body), a.body.len, 0644, &err) < 0)
		code = complain(c, &err);
	if (code == EXIT_OK)
		note(c, "%s", path);
	buf_done(&a.body);
	return code;
}

static int save_all(struct client *c, const char *job, const char *folder)
{
	struct error err = { 0 };
	struct answer a = { 0 };
	size_t i;
	json_t *f;
	int code = get(c, project_path(c, "/jobs/%s/artifacts", url_part(c, job)), &a);

	if (code == EXIT_OK && dir_make(folder, 0755, &err) < 0)
		code = complain(c, &err);
	json_array_foreach (code == EXIT_OK ? a.json : NULL, i, f)
		if (code == EXIT_OK)
			code = save(c, job, folder, f);
	buf_done(&a.body);
	return code;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	const char *out = NULL;
	const struct option_row rows[] = {
		{ "out", 0, "FOLDER", "write them there", OPT_STRING, &out },
		{ 0 },
	};
	struct string_list words;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (words.n != 1)
		return usage_error(self, "name one job");
	if (out)
		return save_all(c, words.items[0], out);
	return print_path(
		c, project_path(c, "/jobs/%s/artifacts", url_part(c, words.items[0])));
}

const struct command command_artifacts = { "artifacts", "JOB", "the files that a job kept",
	"  benchctl artifacts JOB\n"
	"  benchctl artifacts JOB --out results\n",
	run };
