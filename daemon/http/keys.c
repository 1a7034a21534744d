/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys of a project, in Bencher's shapes: tokens bound to it with the scope submit. What
 * /v0/tokens made for the project stands here too. */
#include "daemon/http/handlers.h"

#include <string.h>

enum { NAME_MAX_BYTES = 64 };
#define NEVER_NS (9214646400LL * NS_PER_S) /* 2262-01-01: Bencher wants a date */

static json_t *key_json(const struct token *t, const struct project *p)
{
	json_t *o = json_object();

	json_set_str(o, "uuid", t->uuid);
	json_set_str(o, "project", p->uuid);
	json_set_str(o, "name", t->name);
	json_set_time(o, "creation", t->created_ns);
	json_set_time(o, "expiration", t->expires_ns ? t->expires_ns : NEVER_NS);
	if (t->revoked_ns)
		json_set_time(o, "revoked", t->revoked_ns);
	return o;
}

static int list_keys(struct request *rq, struct store *st, const struct project *p,
	struct token **ret, size_t *ret_n, struct error *err)
{
	struct token *all;
	size_t n, k = 0;
	int r = store_token_list(st, request_arena(rq), &all, &n, err);

	for (size_t i = 0; r == OK && i < n; i++)
		if (all[i].project_id == p->id)
			all[k++] = all[i];
	*ret = all;
	*ret_n = k;
	return r;
}

static int find_key(struct request *rq, struct store *st, struct project *p, struct token *ret,
	struct error *err)
{
	const char *uuid = request_param(rq, "key");
	struct token *list;
	size_t n;
	int r = find_project(rq, st, p, err);

	if (r == OK)
		r = list_keys(rq, st, p, &list, &n, err);
	for (size_t i = 0; r == OK && i < n; i++)
		if (!strcasecmp(list[i].uuid, uuid)) {
			*ret = list[i];
			return OK;
		}
	return r < 0 ? r
		     : error_set(err, E_NOT_FOUND, "there is no key '%.40s' of this project",
			       uuid);
}

static bool is_listed(struct request *rq, const struct token *t, const struct page *page)
{
	if (page->name && strcmp(t->name, page->name) != 0)
		return false;
	if (page->search && !strcasestr(t->name, page->search) &&
		!strcasestr(t->uuid, page->search))
		return false;
	return (t->revoked_ns != 0) == query_flag(rq, "revoked");
}

int get_keys(struct request *rq, struct store *st, struct error *err)
{
	static const char *const sorts[] = { "name", NULL };
	struct page page = { 0 };
	struct token *list;
	struct project p;
	size_t n, seen = 0;
	json_t *doc;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = read_page(rq, sorts, false, &page, err);
	if (r == OK)
		r = list_keys(rq, st, &p, &list, &n, err);
	if (r < 0)
		return r;
	doc = json_array();
	for (size_t i = 0; i < n; i++) {
		int64_t at;

		if (!is_listed(rq, &list[i], &page))
			continue;
		at = (int64_t)seen++;
		if (at >= (page.page - 1) * page.per_page && at < page.page * page.per_page)
			json_array_append_new(doc, key_json(&list[i], &p));
	}
	set_total(rq, (int64_t)seen);
	return answer_json(rq, 200, doc);
}

struct key_body {
	const char *name;
	int64_t ttl_s;
};
static int read_key(struct request *rq, struct key_body *ret, struct error *err)
{
	static const struct json_field fields[] = {
		{ "name", JF_STRING, offsetof(struct key_body, name), false, 1, NAME_MAX_BYTES,
			NULL },
		{ "ttl", JF_INT, offsetof(struct key_body, ttl_s), false, 1, 1e9, NULL },
	};
	json_t *o;
	int r = read_object(rq, &o, err);

	if (r == OK)
		r = json_read(o, "", fields, ARRAY_SIZE(fields), ret, JSON_IGNORE_UNKNOWN, err);
	return r == OK && ret->name ? check_name("/name", ret->name, NAME_MAX_BYTES, err) : r;
}

int post_key(struct request *rq, struct store *st, struct error *err)
{
	struct token t = { .scopes = 1u << S_READ | 1u << S_SUBMIT,
		.created_ns = clock_wall(request_clock(rq)) };
	struct key_body b = { 0 };
	char key[TOKEN_KEY];
	struct project p;
	json_t *doc;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = read_key(rq, &b, err);
	if (r == OK && !b.name)
		r = error_set_field(err, E_UNPROCESSABLE, "/name", "'name' is missing");
	if (r < 0)
		return r;
	t.name = b.name;
	t.project_id = p.id;
	t.expires_ns = b.ttl_s ? t.created_ns + b.ttl_s * NS_PER_S : 0;
	r = token_make(rq, st, &t, key, err);
	if (r < 0)
		return r;
	doc = key_json(&t, &p);
	json_set_str(doc, "key", key);
	response_header(rq, "Cache-Control", "no-store");
	response_headerf(rq, "Location", "/v0/projects/%s/keys/%s", p.slug, t.uuid);
	return answer_json(rq, 201, doc);
}

int get_key(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct token t;
	int r = find_key(rq, st, &p, &t, err);

	return r < 0 ? r : answer_json(rq, 200, key_json(&t, &p));
}

int patch_key(struct request *rq, struct store *st, struct error *err)
{
	struct key_body b = { 0 };
	struct project p;
	struct token t;
	int r = find_key(rq, st, &p, &t, err);

	if (r == OK)
		r = read_key(rq, &b, err);
	if (r == OK && b.name)
		r = store_token_rename(st, t.uuid, b.name, err);
	if (r < 0)
		return r;
	t.name = b.name ? b.name : t.name;
	return answer_json(rq, 200, key_json(&t, &p));
}

int delete_key(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct token t;
	int r = find_key(rq, st, &p, &t, err);

	if (r == OK)
		r = store_token_revoke(st, t.uuid, clock_wall(request_clock(rq)), err);
	if (r == OK)
		answer_empty(rq);
	return r;
}
