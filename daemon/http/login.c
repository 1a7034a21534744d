/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signing in to the dashboard: a form takes a key, a cookie keeps it. The cookie is a
 * credential like the header (access.c), so it is HttpOnly, and sent to another site's wish
 * only for GET (SameSite=Lax: links in comments of a forge must lead somewhere), which changes
 * nothing. What changes something is checked by Origin. */
#include "daemon/http/request.h"

#include <string.h>
#include "daemon/http/handlers.h"

enum { COOKIE_DAYS = 30 };

/* Only to a place here: "//host" and "/\host" are other sites to a browser. */
static const char *safe_place(const char *s)
{
	if (!s || s[0] != '/' || s[1] == '/' || strpbrk(s, "\\\r\n\t"))
		return "/projects";
	return s;
}

int read_form_member(struct request *rq, const char *name, const char **ret, struct error *err)
{
	const char *s = buf_str(&rq->body);
	size_t n = strlen(name);

	*ret = NULL;
	while (*s) {
		size_t len = strcspn(s, "&");

		if (len > n && !strncmp(s, name, n) && s[n] == '=')
			return target_decode(rq->arena, s + n + 1, len - n - 1, true, ret, err);
		s += len + (s[len] == '&');
	}
	return OK;
}

static int answer_form(struct request *rq, int status, const char *next, const char *said)
{
	json_t *doc = json_object();

	json_set_str(doc, "next", safe_place(next));
	json_set_str(doc, "detail", said);
	json_set_bool(doc, "sign_in", true);
	return answer_page(rq, status, PAGE_PROBLEM, "Sign in", doc);
}

void problem_page(struct request *rq, int code, const struct error *e, struct buf *out)
{
	const struct page_files files = { .css = request_asset_url(rq, "app.css"),
		.js = request_asset_url(rq, "app.js") };
	json_t *doc = arena_own_json(rq->arena, json_object());

	json_set_str(doc, "title", error_title(code));
	json_set_str(doc, "detail", e->text);
	json_set_bool(doc, "sign_in", code == E_UNAUTHORIZED || code == E_FORBIDDEN);
	json_set_bool(doc, "signed_in", request_is_signed_in(rq));
	json_set_str(doc, "next", safe_place(rq->target));
	render_page(PAGE_PROBLEM, doc, &files, rq->arena, out);
}

int get_login(struct request *rq, struct store *st, struct error *err)
{
	return answer_form(rq, 200, request_query(rq, "next"), "");
}

static void set_cookie(struct request *rq, const char *key, int64_t seconds)
{
	const char *url = rq->config->public_url;
	bool is_secure = url && !strncasecmp(url, "https://", 8);

	response_headerf(rq, "Set-Cookie",
		"%s=%s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%lld%s", login_cookie_name, key,
		(long long)seconds, is_secure ? "; Secure" : "");
}

int answer_see(struct request *rq, const char *place)
{
	response_header(rq, "Location", place);
	response_text(rq, 303, "text/plain; charset=utf-8", "");
	return OK;
}

static bool is_key_text(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || (unsigned char)*s > '~' || strchr("\";,\\", *s))
			return false;
	return true;
}

int post_login(struct request *rq, struct store *st, struct error *err)
{
	const char *key, *next;
	struct error why;
	struct token t;
	int r = read_form_member(rq, "key", &key, err);

	if (r == OK)
		r = read_form_member(rq, "next", &next, err);
	if (r < 0)
		return r;
	if (!key || !*key)
		return answer_form(rq, 422, next, "The key is missing.");
	r = is_key_text(key) ? access_find_key(rq, st, key, &t, &why) : E_UNAUTHORIZED;
	if (r == E_UNAUTHORIZED)
		return answer_form(rq, 401, next,
			"This key is not known here, was revoked or has expired.");
	if (r < 0) {
		*err = why;
		return r;
	}
	set_cookie(rq, key, COOKIE_DAYS * 24 * 3600);
	return answer_see(rq, safe_place(next));
}

int post_logout(struct request *rq, struct store *st, struct error *err)
{
	set_cookie(rq, "", 0);
	return answer_see(rq, "/login");
}
