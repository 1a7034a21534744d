/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl projects: list the projects, make one. */
#include "client/client.h"

#include <stdio.h>
#include <string.h>

static int create(struct client *c, const char *name, bool is_public, const char *url)
{
	json_t *body = arena_own_json(c->arena, json_object());

	json_set_str(body, "name", name);
	json_set_str(body, "visibility", is_public ? "public" : "private");
	json_set_opt(body, "url", url);
	return make_and_print(c, "/v0/projects", body, "slug", NULL);
}

static bool is_list(const struct string_list *words)
{
	return words->n == 0 || (words->n == 1 && (!strcmp(words->items[0], "list") ||
							  !strcmp(words->items[0], "ls")));
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	bool is_public = false;
	const char *url = NULL;
	const struct option_row rows[] = {
		{ "public", 0, NULL, "create: everybody may read it", OPT_FLAG, &is_public },
		{ "url", 0, "URL", "create: where its source is", OPT_STRING, &url },
		{ 0 },
	};
	struct string_list words;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (is_list(&words))
		return print_path(c, "/v0/projects?per_page=255");
	if (strcmp(words.items[0], "create") != 0)
		return usage_error(self, "takes no '%s'", words.items[0]);
	if (words.n != 2)
		return usage_error(self, "create takes one name");
	return create(c, words.items[1], is_public, url);
}

const struct command command_projects = { "projects", "[list | create NAME]",
	"list the projects, make one", "  benchctl projects create 'My library' --public\n",
	run };
