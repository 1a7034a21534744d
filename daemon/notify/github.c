/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commit statuses and comments by GitHub's REST API (version 2022-11-28), which Gitea and
 * Forgejo have too, with two differences noted below. */
#include <string.h>
#include "daemon/notify/internal.h"

enum { A_PAGE = 50, MAX_PAGES = 40 };
#define SMALL_ANSWER (256 * KiB)
#define PAGE_ANSWER                                                                            \
	(8 * MiB) /* fifty comments of the greatest size, and what goes with them              \
		   */

struct github {
	struct sender *s;
	const struct forge *forge;
	struct arena *a;
	int64_t now_ns;
	struct send_result *ret;
};

static void call(struct github *g, const char *method, const char *path, const char *body,
	size_t max_answer, struct wire_answer *an)
{
	const struct wire_request rq = { .method = method,
		.url = arena_printf(g->a, "%s%s", g->forge->api, path),
		.headers = { arena_printf(
				     g->a, "Authorization: Bearer %s", g->forge->token.text[0]),
			"Accept: application/vnd.github+json",
			"X-GitHub-Api-Version: 2022-11-28" },
		.body = body,
		.max_answer = max_answer };

	wire_call(g->s->wire, &rq, an);
	wire_judge(an, g->now_ns, g->ret);
	if (g->ret->outcome == SEND_GIVE_UP && (an->status == 401 || an->status == 403))
		snprintf(g->ret->text, sizeof(g->ret->text),
			"HTTP %ld: the forge refuses the token of the hook '%s'", an->status,
			g->forge->hook);
	if (g->ret->outcome == SEND_GIVE_UP && an->status == 422)
		snprintf(g->ret->text, sizeof(g->ret->text), "HTTP 422: %.200s",
			buf_str(&an->body));
}

/* The array that a GET answers; false when there is none, and then ret says why. */
static bool get_list(struct github *g, const char *path, json_t **ret)
{
	struct wire_answer an;
	struct error err;
	bool ok;

	call(g, "GET", path, NULL, PAGE_ANSWER, &an);
	ok = g->ret->outcome == SEND_DONE;
	if (ok && (an.is_cut || json_parse(buf_str(&an.body), an.body.len, ret, &err) < 0)) {
		g->ret->outcome = SEND_GIVE_UP;
		snprintf(g->ret->text, sizeof(g->ret->text), "the forge's list is %s",
			an.is_cut ? "too long" : "no JSON");
		ok = false;
	}
	buf_done(&an.body);
	if (ok)
		arena_own_json(g->a, *ret);
	return ok;
}

static const char *text_of(struct arena *a, json_t *o)
{
	_cleanup_(free)
	char *text = json_text(o);

	return arena_strdup(a, text);
}

static void send_json(struct github *g, const char *method, const char *path, json_t *o)
{
	struct wire_answer an;

	call(g, method, path, text_of(g->a, o), SMALL_ANSWER, &an);
	buf_done(&an.body);
}

/* --- commit status --- */

static bool is_same_status(const json_t *have, const json_t *want)
{
	static const char *const members[] = { "state", "description", "target_url" };
	const char *state = json_get_str(have, "state", json_get_str(have, "status", ""));

	/* Gitea calls it status when it lists them. */
	if (strcmp(state, json_get_str(want, "state", "")) != 0)
		return false;
	for (size_t i = 1; i < ARRAY_SIZE(members); i++)
		if (strcmp(json_get_str(have, members[i], ""),
			    json_get_str(want, members[i], "")) != 0)
			return false;
	return true;
}

/* An earlier attempt may have got through although its answer was lost. The list is newest
 * first: only the newest status of the context counts. */
static bool status_is_there(struct github *g, json_t *m, json_t *payload, bool *ret_known)
{
	const char *path = arena_printf(g->a, "/repos/%s/commits/%s/statuses?per_page=100",
		json_get_str(m, "repository", ""), json_get_str(m, "hash", ""));
	const char *context = json_get_str(payload, "context", "");
	json_t *list, *v;
	size_t i;

	*ret_known = get_list(g, path, &list);
	if (!*ret_known)
		return false;
	json_array_foreach (list, i, v)
		if (!strcmp(json_get_str(v, "context", ""), context))
			return is_same_status(v, payload);
	return false;
}

static void note_there(struct github *g)
{
	g->ret->outcome = SEND_DONE;
	snprintf(g->ret->text, sizeof(g->ret->text),
		"an earlier attempt had reached the forge: not sent again");
}

void send_status(struct sender *s, const struct outgoing *o, const struct forge *f, json_t *m,
	int64_t now_ns, struct send_result *ret)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct github g = { .s = s, .forge = f, .a = a, .now_ns = now_ns, .ret = ret };
	json_t *payload = json_object_get(m, "payload");
	bool is_known;

	if (o->n_attempts > 1) {
		bool is_there = status_is_there(&g, m, payload, &is_known);

		if (is_there)
			note_there(&g);
		if (is_there || !is_known)
			return;
	}
	send_json(&g, "POST",
		arena_printf(a, "/repos/%s/statuses/%s", json_get_str(m, "repository", ""),
			json_get_str(m, "hash", "")),
		payload);
}

/* --- comment --- */

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	while (n && strchr(" \t\r\n", s[n - 1]))
		n--;
	return n >= k && !strncmp(s + n - k, end, k);
}

static json_t *find_in(json_t *list, const char *tag, int64_t after_id)
{
	json_t *v;
	size_t i;

	json_array_foreach (list, i, v)
		if (json_get_int(v, "id", 0) > after_id &&
			ends_with(json_get_str(v, "body", ""), tag))
			return v;
	return NULL;
}

/* Our comment behind after_id, *ret NULL when there is none. False: nobody knows. */
static bool find_comment(struct github *g, json_t *m, int64_t after_id, json_t **ret)
{
	const char *tag = json_get_str(m, "tag", "");
	int64_t first_id = 0;

	*ret = NULL;
	for (int page = 1; page <= MAX_PAGES && !*ret; page++) {
		const char *path =
			arena_printf(g->a, "/repos/%s/issues/%lld/comments?per_page=%d&page=%d",
				json_get_str(m, "repository", ""),
				(long long)json_get_int(m, "pull", 0), A_PAGE, page);
		json_t *list;

		if (!get_list(g, path, &list))
			return false;
		*ret = find_in(list, tag, after_id);
		/* Gitea knows no pages of comments: each is all of them. */
		if (json_array_size(list) < A_PAGE ||
			json_get_int(json_array_get(list, 0), "id", 0) == first_id)
			break;
		first_id = json_get_int(json_array_get(list, 0), "id", 0);
	}
	return true;
}

static void update_comment(struct github *g, json_t *m, const json_t *comment, json_t *body)
{
	const char *path = arena_printf(g->a, "/repos/%s/issues/comments/%lld",
		json_get_str(m, "repository", ""), (long long)json_get_int(comment, "id", 0));

	if (!strcmp(json_get_str(comment, "body", ""), json_get_str(body, "body", "")))
		note_there(g);
	else
		send_json(g, "PATCH", path, body);
}

/* A comment with our tag that is not ours cannot be changed: it is passed over. */
static bool is_foreign(const struct send_result *r)
{
	return r->outcome == SEND_GIVE_UP && (r->status == 403 || r->status == 404);
}

void send_comment(struct sender *s, const struct outgoing *o, const struct forge *f, json_t *m,
	int64_t now_ns, struct send_result *ret)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct github g = { .s = s, .forge = f, .a = a, .now_ns = now_ns, .ret = ret };
	json_t *body = arena_own_json(a, json_object()), *comment;
	int64_t after_id = 0;

	json_set_str(body, "body", json_get_str(m, "text", ""));
	do {
		if (!find_comment(&g, m, after_id, &comment))
			return;
		if (!comment)
			break;
		update_comment(&g, m, comment, body);
		after_id = json_get_int(comment, "id", INT64_MAX);
	} while (is_foreign(ret));
	if (comment)
		return;
	if (json_get_bool(m, "create", false))
		send_json(&g, "POST",
			arena_printf(a, "/repos/%s/issues/%lld/comments",
				json_get_str(m, "repository", ""),
				(long long)json_get_int(m, "pull", 0)),
			body);
	else
		snprintf(ret->text, sizeof(ret->text),
			"nothing significant and no comment to change");
}
