/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl deliveries: messages from forges, and to forges and webhooks. */
#include "client/client.h"

static int again(struct client *c, const char *path)
{
	struct error err = { 0 };
	struct answer a;
	int code = EXIT_OK;

	path = arena_printf(c->arena, "%s/redeliver", path);
	if (api_call(c, "POST", path, NULL, NULL, &a, &err) < 0)
		return complain(c, &err);
	if (a.status >= 400)
		code = complain_answer(c, &a);
	else
		note(c, "delivery %s: %s", json_get_str(a.json, "uuid", ""),
			json_get_str(a.json, "state", ""));
	buf_done(&a.body);
	return code;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	bool is_out = false, redeliver = false;
	const char *limit = NULL, *path;
	const struct option_row rows[] = {
		{ "out", 0, NULL, "what benchd sends, instead of what it received", OPT_FLAG,
			&is_out },
		{ "redeliver", 0, NULL, "process or send this one once more", OPT_FLAG,
			&redeliver },
		{ "limit", 'n', "N", "how many", OPT_STRING, &limit },
		{ 0 },
	};
	struct string_list words;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (words.n > 1 || (redeliver && words.n != 1))
		return usage_error(self, "name one delivery");
	path = is_out ? "/v0/deliveries" : "/v0/hooks/deliveries";
	if (words.n == 0)
		return print_path(c, add_query(c, path, "limit", limit));
	path = arena_printf(c->arena, "%s/%s", path, url_part(c, words.items[0]));
	if (redeliver)
		return again(c, path);
	c->output = OUT_JSON; /* one of them has no other form */
	return print_path(c, path);
}

const struct command command_deliveries = { "deliveries", "[DELIVERY]",
	"messages from forges, and to forges and webhooks",
	"  benchctl deliveries\n"
	"  benchctl deliveries --out\n"
	"  benchctl deliveries --out 9a4b... --redeliver\n",
	run };
