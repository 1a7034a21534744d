/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl alerts: open questions to a person. */
#include "client/client.h"

#include <stdio.h>

static int patch(struct client *c, const char *alert, const char *state, const char *reason)
{
	json_t *body = arena_own_json(c->arena, json_object());
	struct error err = { 0 };
	struct answer a;
	int code = EXIT_OK;

	json_set_str(body, "state", state);
	json_set_opt(body, "reason", reason);
	if (api_call(c, "PATCH", project_path(c, "/alerts/%s", url_part(c, alert)), body, NULL,
		    &a, &err) < 0)
		return complain(c, &err);
	if (a.status >= 400)
		code = complain_answer(c, &a);
	else
		note(c, "alert %s: %s", alert, json_get_str(a.json, "state", state));
	buf_done(&a.body);
	return code;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	const char *state = NULL, *dismiss = NULL;
	const struct option_row rows[] = {
		{ "state", 's', "LIST", "suspect, confirmed, resolved, dismissed", OPT_STRING,
			&state },
		{ "dismiss", 0, "REASON", "noise, expected, infrastructure or wont_fix",
			OPT_STRING, &dismiss },
		{ 0 },
	};
	struct string_list words;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (dismiss && words.n != 1)
		return usage_error(self, "name the one alert to dismiss");
	if (dismiss)
		return patch(c, words.items[0], "dismissed", dismiss);
	if (words.n == 1)
		return print_path(
			c, project_path(c, "/alerts/%s", url_part(c, words.items[0])));
	return print_path(c, add_query(c, project_path(c, "/alerts"), "state", state));
}

const struct command command_alerts = { "alerts", "[ALERT]", "list, show or dismiss alerts",
	"  benchctl alerts --state confirmed\n"
	"  benchctl alerts 9a4b... --dismiss expected\n",
	run };
