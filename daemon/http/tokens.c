/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tokens: the key is shown once, its SHA-256 is kept. Keys have Bencher's format, so that its
 * client takes them: a prefix and 30 letters and digits (about 178 bits). */
#include "daemon/http/handlers.h"

#include <string.h>
#include "base/secret.h"

enum { KEY_RANDOM = 30 };

static const char *const scope_names[] = { "read", "submit", "triage", "exec", "admin", NULL };

struct token_body {
	const char *name, *project;
	json_t *scopes;
	int64_t ttl_ns;
};

/* Each scope brings those it cannot do without. */
static unsigned with_implied(enum scope s)
{
	static const unsigned implied[] = {
		[S_READ] = 1u << S_READ,
		[S_SUBMIT] = 1u << S_READ | 1u << S_SUBMIT,
		[S_TRIAGE] = 1u << S_READ | 1u << S_TRIAGE,
		[S_EXEC] = 1u << S_READ | 1u << S_SUBMIT | 1u << S_EXEC,
		[S_ADMIN] = 1u << S_READ | 1u << S_SUBMIT | 1u << S_TRIAGE | 1u << S_EXEC |
			    1u << S_ADMIN,
	};

	return implied[s];
}

static int read_scopes(const json_t *list, unsigned *ret, struct error *err)
{
	size_t i;
	json_t *o;

	*ret = 0;
	json_array_foreach (list, i, o) {
		const char *word = json_string_value(o);
		int s = 0;
		char field[32];

		while (word && scope_names[s] && strcmp(word, scope_names[s]))
			s++;
		snprintf(field, sizeof(field), "/scopes/%zu", i);
		if (!word || !scope_names[s])
			return error_set_field(err, E_UNPROCESSABLE, field,
				"a scope is one of 'read', 'submit', 'triage', 'exec', "
				"'admin'");
		*ret |= with_implied((enum scope)(s + 1));
	}
	return OK;
}

static int read_body(struct request *rq, struct token_body *b, struct error *err)
{
	static const struct json_field fields[] = {
		{ "name", JF_STRING, offsetof(struct token_body, name), true, 1, 64, NULL },
		{ "project", JF_STRING, offsetof(struct token_body, project), false, 1, 64,
			NULL },
		{ "scopes", JF_ARRAY, offsetof(struct token_body, scopes), true, 1, 5, NULL },
		{ "ttl", JF_DURATION, offsetof(struct token_body, ttl_ns), false, 1, 1e9,
			NULL },
	};
	json_t *o;
	int r = read_object(rq, &o, err);

	if (r == OK)
		r = json_read(o, "", fields, ARRAY_SIZE(fields), b, JSON_REFUSE_UNKNOWN, err);
	if (r == OK)
		r = check_name("/name", b->name, 64, err);
	return r;
}

/* A token bound to a project may make tokens of that project only, and none with a scope it has
 * not itself. */
static int check_rights(struct request *rq, const struct token *t, struct error *err)
{
	const struct principal *who = request_principal(rq);

	if (who->project_id && t->project_id != who->project_id)
		return error_set_field(err, E_FORBIDDEN, "/project",
			"your token is bound to a project: the new one must be too");
	if (t->scopes & ~who->scopes)
		return error_set_field(err, E_FORBIDDEN, "/scopes",
			"a token cannot have a scope that you have not");
	return OK;
}

int token_make(struct request *rq, struct store *st, struct token *t, char key[TOKEN_KEY],
	struct error *err)
{
	uint8_t digest[SHA256_BYTES];
	char letters[KEY_RANDOM + 1];

	random_letters(letters, KEY_RANDOM);
	snprintf(key, TOKEN_KEY, "%s%s", t->project_id ? "bencher_run_" : "bencher_user_",
		letters);
	sha256(key, strlen(key), digest);
	t->last_four = arena_strdup(request_arena(rq), letters + KEY_RANDOM - 4);
	return store_token_add(st, request_arena(rq), digest, t, err);
}

int post_token(struct request *rq, struct store *st, struct error *err)
{
	struct token_body b = { 0 };
	struct token t = { .created_ns = clock_wall(request_clock(rq)) };
	struct project p;
	char key[TOKEN_KEY];
	json_t *doc;
	int r = read_body(rq, &b, err);

	if (r == OK)
		r = read_scopes(b.scopes, &t.scopes, err);
	if (r == OK && b.project) {
		r = store_project_find(st, request_arena(rq), b.project, &p, err);
		t.project_id = r == OK ? p.id : 0;
	}
	t.name = b.name;
	t.expires_ns = b.ttl_ns ? t.created_ns + b.ttl_ns : 0;
	if (r == OK)
		r = check_rights(rq, &t, err);
	if (r == OK)
		r = token_make(rq, st, &t, key, err);
	if (r < 0)
		return r;
	doc = render_token(&t);
	json_set_str(doc, "project", b.project ? p.slug : NULL);
	json_set_str(doc, "key", key);
	response_header(rq, "Cache-Control", "no-store");
	return answer_json(rq, 201, doc);
}

static json_t *token_json(struct request *rq, struct store *st, const struct token *t)
{
	json_t *o = render_token(t);
	struct error ignored;
	struct project p;

	if (t->project_id &&
		store_project_get(st, request_arena(rq), t->project_id, &p, &ignored) == OK)
		json_set_str(o, "project", p.slug);
	return o;
}

int get_tokens(struct request *rq, struct store *st, struct error *err)
{
	int64_t bound = request_principal(rq)->project_id;
	struct token *list;
	size_t n;
	json_t *doc;
	int r = store_token_list(st, request_arena(rq), &list, &n, err);

	if (r < 0)
		return r;
	doc = json_array();
	for (size_t i = 0; i < n; i++)
		if (!bound || list[i].project_id == bound)
			json_array_append_new(doc, token_json(rq, st, &list[i]));
	return answer(rq, 200, DOC_TOKENS, doc, err);
}

/* A bound token revokes only tokens of its project. */
static int check_revoke(
	struct request *rq, struct store *st, const char *uuid, struct error *err)
{
	int64_t bound = request_principal(rq)->project_id;
	struct token *list;
	size_t n;
	int r = store_token_list(st, request_arena(rq), &list, &n, err);

	for (size_t i = 0; r == OK && i < n; i++)
		if (!strcmp(list[i].uuid, uuid) && (!bound || list[i].project_id == bound))
			return OK;
	return r < 0 ? r : error_set(err, E_NOT_FOUND, "there is no token '%.40s'", uuid);
}

int delete_token(struct request *rq, struct store *st, struct error *err)
{
	const char *uuid = request_param(rq, "token");
	int r = check_revoke(rq, st, uuid, err);

	if (r == OK)
		r = store_token_revoke(st, uuid, clock_wall(request_clock(rq)), err);
	if (r == OK)
		answer_empty(rq);
	return r;
}
