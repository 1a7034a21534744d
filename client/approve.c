/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl approve: let a commit from outside be measured. */
#include "client/client.h"

#include <string.h>

/* The whole hash of the job's commit, if it begins with what the user wrote: the commit that
 * was looked at is the one that is approved. */
static int expand(struct client *c, const char *job, const char *commit, const char **ret)
{
	struct error err = { 0 };
	struct answer a;
	int code = EXIT_OK;

	if (api_call(c, "GET", project_path(c, "/jobs/%s", url_part(c, job)), NULL, NULL, &a,
		    &err) < 0)
		return complain(c, &err);
	if (a.status >= 400)
		code = complain_answer(c, &a);
	*ret = json_get_str(json_object_get(a.json, "head"), "hash", "");
	buf_done(&a.body);
	if (code == EXIT_OK && strncmp(*ret, commit, strlen(commit)) != 0) {
		error_set(&err, E_CONFLICT, "job %s measures commit %s, not %s", job, *ret,
			commit);
		return complain(c, &err);
	}
	return code;
}

static int approve(struct client *c, const char *job, const char *hash)
{
	json_t *body = arena_own_json(c->arena, json_object());
	struct error err = { 0 };
	struct answer a;
	int code = EXIT_OK;

	json_set_str(body, "hash", hash);
	if (api_call(c, "POST", project_path(c, "/jobs/%s/approve", url_part(c, job)), body,
		    NULL, &a, &err) < 0)
		return complain(c, &err);
	if (a.status >= 400)
		code = complain_answer(c, &a);
	else
		note(c, "job %s: %s", job, json_get_str(a.json, "state", "queued"));
	buf_done(&a.body);
	return code;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	struct string_list words;
	const char *hash;
	int code = args_parse(c, self, NULL, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (words.n != 2 || strlen(words.items[1]) < 7)
		return usage_error(self,
			"name the job and the commit that you looked at (7 digits or more)");
	code = expand(c, words.items[0], words.items[1], &hash);
	return code == EXIT_OK ? approve(c, words.items[0], hash) : code;
}

const struct command command_approve = { "approve", "JOB COMMIT",
	"let a commit from outside be measured",
	"  benchctl jobs --state awaiting_approval\n"
	"  benchctl approve 9a4b... 1a2b3c4d\n",
	run };
