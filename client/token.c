/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl token: keys of the daemon. */
#include "client/client.h"

#include <stdio.h>
#include <string.h>
#include "base/clock.h"

/* What a key may do is said when it is made: without a project it is good for all of them. */
static int create(struct client *c, const json_t *body)
{
	const char *project = json_get_str(body, "project", NULL);
	const char *ttl = json_get_str(body, "ttl", NULL);
	const char *advice = arena_printf(c->arena,
		"keep it: it is shown only now; it is good for %s%s%s, %s%s",
		project ? "the project '" : "every project (--only PROJECT binds it to one)",
		project ? project : "", project ? "'" : "",
		ttl ? "for " : "until it is revoked", ttl ? ttl : "");

	return make_and_print(c, "/v0/tokens", body, "key", advice);
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

/* The token with this UUID, or with these last four letters; NULL, and then it was said why. */
static const json_t *find_token(
	struct client *c, json_t *list, const char *which, struct error *err)
{
	const json_t *found = NULL;
	json_t *t;
	size_t i;

	json_array_foreach (list, i, t) {
		if (!json_is_null(json_object_get(t, "revoked")) ||
			(strcmp(json_get_str(t, "uuid", ""), which) != 0 &&
				strcmp(json_get_str(t, "last_four", ""), which) != 0))
			continue;
		if (found) {
			error_set(err, E_CONFLICT, "several tokens end in '%s': name the UUID",
				which);
			return NULL;
		}
		found = t;
	}
	if (!found)
		error_set(err, E_NOT_FOUND, "there is no token '%.40s' that is not revoked",
			which);
	return found;
}

/* Name, scopes and project of the old one, and as long a life from now on. */
static json_t *body_like(struct client *c, const json_t *old, const char *ttl)
{
	json_t *body = arena_own_json(c->arena, json_object());
	struct error ignored;
	int64_t from, to;

	json_set_str(body, "name", json_get_str(old, "name", ""));
	json_object_set(body, "scopes", json_object_get(old, "scopes"));
	json_set_opt(body, "project", json_get_str(old, "project", NULL));
	if (ttl)
		json_set_str(body, "ttl", ttl);
	else if (time_parse(json_get_str(old, "creation", ""), &from, &ignored) == OK &&
		 time_parse(json_get_str(old, "expiration", ""), &to, &ignored) == OK)
		json_set_real(body, "ttl", (double)(to - from) / (double)NS_PER_S);
	return body;
}

static int rotate(struct client *c, const char *which, const char *ttl)
{
	struct error err = { 0 };
	const json_t *old;
	struct answer a;
	int code;

	if (api_call(c, "GET", "/v0/tokens", NULL, NULL, &a, &err) < 0)
		return complain(c, &err);
	if (a.status >= 400) {
		code = complain_answer(c, &a);
		buf_done(&a.body);
		return code;
	}
	old = find_token(c, a.json, which, &err);
	code = old ? create(c, body_like(c, old, ttl)) : complain(c, &err);
	if (code == EXIT_OK)
		code = end_token(c, json_get_str(old, "uuid", ""));
	buf_done(&a.body);
	return code;
}

static json_t *new_body(struct client *c, const char *name, const char *scope,
	const char *project, const char *ttl)
{
	json_t *body = arena_own_json(c->arena, json_object()), *scopes = json_array();

	json_array_append_new(scopes, json_string(scope));
	json_set_str(body, "name", name);
	json_object_set_new(body, "scopes", scopes);
	json_set_opt(body, "project", project);
	json_set_opt(body, "ttl", ttl);
	return body;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	const char *name = NULL, *scope = "submit", *only = NULL, *gone = NULL, *ttl = NULL,
		   *old = NULL;
	const struct option_row rows[] = {
		{ "create", 0, "NAME", "make a token and print its key", OPT_STRING, &name },
		{ "scope", 's', "SCOPE", "read, submit, triage, exec or admin", OPT_STRING,
			&scope },
		{ "only", 0, "PROJECT",
			"bind it to one project (-p on the command line does, too)", OPT_STRING,
			&only },
		{ "ttl", 0, "TIME", "its lifetime, such as 90d; for ever without", OPT_STRING,
			&ttl },
		{ "rotate", 0, "UUID", "make its successor, print that key, and end it",
			OPT_STRING, &old },
		{ "revoke", 0, "UUID", "end a token", OPT_STRING, &gone },
		{ 0 },
	};
	struct string_list words;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	/* Whoever names a project here means it. */
	if (!only && !strcmp(c->project_from, "--project"))
		only = c->project;
	if (name)
		return create(c, new_body(c, name, scope, only, ttl));
	if (old)
		return rotate(c, old, ttl);
	return gone ? end_token(c, gone) : print_path(c, "/v0/tokens");
}

const struct command command_token = { "token", "", "list, create, rotate or revoke tokens",
	"  benchctl token --create ci --scope submit --ttl 90d\n"
	"  benchctl token --rotate UUID\n",
	run };
