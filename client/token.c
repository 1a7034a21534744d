/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl token: keys of the daemon. */
#include "client/client.h"

#include <stdio.h>

static int create(struct client *c, const char *name, const char *scope, const char *project)
{
	json_t *body = arena_own_json(c->arena, json_object()), *scopes = json_array();
	struct error err = { 0 };
	struct answer a;
	int code = EXIT_OK;

	json_array_append_new(scopes, json_string(scope));
	json_set_str(body, "name", name);
	json_object_set_new(body, "scopes", scopes);
	json_set_opt(body, "project", project);
	if (api_call(c, "POST", "/v0/tokens", body, NULL, &a, &err) < 0)
		return complain(c, &err);
	if (a.status >= 400) {
		code = complain_answer(c, &a);
	} else if (c->output == OUT_JSON) {
		json_dumpf(a.json, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		printf("%s\n", json_get_str(a.json, "key", ""));
		note(c, "keep it: it is shown only now");
	}
	buf_done(&a.body);
	return code;
}

static int end_token(struct client *c, const char *uuid)
{
	struct error err = { 0 };
	struct answer a;
	int code = EXIT_OK;

	if (api_call(c, "DELETE", arena_printf(c->arena, "/v0/tokens/%s", url_part(c, uuid)),
		    NULL, NULL, &a, &err) < 0)
		return complain(c, &err);
	if (a.status >= 400)
		code = complain_answer(c, &a);
	else
		note(c, "token %s is revoked", uuid);
	buf_done(&a.body);
	return code;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	const char *name = NULL, *scope = "submit", *only = NULL, *gone = NULL;
	const struct option_row rows[] = {
		{ "create", 0, "NAME", "make a token and print its key", OPT_STRING, &name },
		{ "scope", 's', "SCOPE", "read, submit, triage, exec or admin", OPT_STRING,
			&scope },
		{ "only", 0, "PROJECT", "bind it to one project", OPT_STRING, &only },
		{ "revoke", 0, "UUID", "end a token", OPT_STRING, &gone },
		{ 0 },
	};
	struct string_list words;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (name)
		return create(c, name, scope, only);
	return gone ? end_token(c, gone) : print_path(c, "/v0/tokens");
}

const struct command command_token = { "token", "", "list, create or revoke tokens",
	"  benchctl token --create ci --scope submit\n", run };
