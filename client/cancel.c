/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl cancel: end jobs. */
#include "client/client.h"

#include <stdio.h>

static int cancel(struct client *c, const char *job)
{
	struct error err = { 0 };
	struct answer a;
	int code = EXIT_OK;

	if (api_call(c, "DELETE", project_path(c, "/jobs/%s", url_part(c, job)), NULL, NULL, &a,
		    &err) < 0)
		return complain(c, &err);
	if (a.status >= 400)
		code = complain_answer(c, &a);
	else
		note(c, "job %s: %s", job, json_get_str(a.json, "state", "canceled"));
	buf_done(&a.body);
	return code;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	struct string_list words;
	int code = args_parse(c, self, NULL, argc, argv, &words, NULL), worst = EXIT_OK;

	if (code != EXIT_OK)
		return code;
	if (words.n == 0)
		return usage_error(self, "name at least one job");
	for (size_t i = 0; i < words.n; i++) {
		code = cancel(c, words.items[i]);
		if (code != EXIT_OK)
			worst = code;
	}
	return worst;
}

const struct command command_cancel = { "cancel", "JOB...", "cancel jobs", NULL, run };
