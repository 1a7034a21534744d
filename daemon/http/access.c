/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who asks, and may they. A browser on this host is nobody's agent: other sites reach a
 * loopback daemon through it (cross-site requests, DNS rebinding), so Origin, Sec-Fetch-Site
 * and, where being local is the only credential, Host are checked. */
#include "daemon/http/request.h"

#include <string.h>
#include <strings.h>
#include "daemon/store/store.h"

const char login_cookie_name[] = "benchd_key";
enum { TOKEN_MAX = 512 };
static const unsigned all_scopes =
	1u << S_READ | 1u << S_SUBMIT | 1u << S_TRIAGE | 1u << S_EXEC | 1u << S_ADMIN;
static const char *const scope_names[] = { "none", "read", "submit", "triage", "exec",
	"admin" };

static bool is_safe(const struct request *rq)
{
	return rq->is_head || !strcmp(rq->method, "GET") || !strcmp(rq->method, "OPTIONS");
}

/* "http://host:port" -> "host:port" */
static const char *authority_of(const char *url)
{
	const char *s = url ? strstr(url, "://") : NULL;

	return s ? s + 3 : NULL;
}

static bool same_text(const char *a, const char *b)
{
	return a && b && !strcasecmp(a, b);
}

static void check_site(struct request *rq)
{
	const char *site = request_header(rq, "Sec-Fetch-Site");
	const char *origin = request_header(rq, "Origin");
	const char *authority = authority_of(origin);

	if (site && strcasecmp(site, "same-origin") && strcasecmp(site, "none"))
		request_refuse(rq, E_FORBIDDEN,
			"a browser sent this for another site (Sec-Fetch-Site: %s)", site);
	else if (origin && !same_text(authority, request_header(rq, "Host")) &&
		 !same_text(origin, rq->config->public_url))
		request_refuse(rq, E_FORBIDDEN,
			"the origin '%s' is not this server; set public_url if it is behind a "
			"proxy",
			origin);
}

static bool is_loopback_name(const char *host, size_t n)
{
	return (n == 9 && !strncasecmp(host, "localhost", 9)) ||
	       (n == 5 && !memcmp(host, "[::1]", 5)) ||
	       (n > 4 && !memcmp(host, "127.", 4) && strspn(host, "0123456789.") >= n);
}

static bool is_our_host(const struct request *rq)
{
	const char *host = request_header(rq, "Host");
	const char *public = authority_of(rq->config->public_url);
	size_t n;

	if (rq->is_unix || !host || !*host)
		return true;
	n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	n = MIN(n, strlen(host));
	if (is_loopback_name(host, n))
		return true;
	return public && !strncasecmp(public, host, n) &&
	       (public[n] == 0 || public[n] == ':' || public[n] == '/');
}

static unsigned with_implied(unsigned scopes)
{
	if (scopes & 1u << S_ADMIN)
		return all_scopes;
	return scopes ? scopes | 1u << S_READ : 0;
}

static void become_anonymous(struct request *rq)
{
	const struct server_config *c = rq->config;
	struct principal *p = &rq->principal;

	if (c->allow_anonymous_read)
		p->scopes = 1u << S_READ;
	if (!rq->is_local || c->require_tokens)
		return;
	if (is_our_host(rq))
		p->scopes = all_scopes & ~c->kept_back;
	else if (rq->route->scope != S_NONE)
		request_refuse(rq, E_FORBIDDEN,
			"Host '%s' is not a name of this loopback server; set public_url to "
			"use "
			"it",
			request_header(rq, "Host"));
}

static bool has_bearer(const struct request *rq)
{
	const char *s = request_header(rq, "Authorization");

	return s && !strncasecmp(s, "Bearer ", 7);
}

/* RFC 6265, section 5.4: "a=1; b=2". */
static const char *login_cookie(struct request *rq)
{
	size_t n = sizeof(login_cookie_name) - 1;

	for (size_t i = 0; i < rq->n_headers; i++) {
		const char *s = rq->headers[i].value;

		if (strcasecmp(rq->headers[i].name, "Cookie") != 0)
			continue;
		for (s += strspn(s, "; "); *s; s += strspn(s, "; ")) {
			size_t len = strcspn(s, ";");

			if (len > n + 1 && !strncmp(s, login_cookie_name, n) && s[n] == '=')
				return arena_strndup(rq->arena, s + n + 1, len - n - 1);
			s += len;
		}
	}
	return NULL;
}

/* A cookie counts only where nobody is trusted for being local: another daemon on another port
 * of this host has the same cookies. It comes from a browser, which says for whom it asks. */
static void take_cookie(struct request *rq)
{
	if (rq->has_token || request_header(rq, "Authorization") ||
		(rq->is_local && !rq->config->require_tokens))
		return;
	rq->cookie = login_cookie(rq);
	rq->has_token = rq->cookie != NULL;
	if (rq->cookie && !is_safe(rq) && !request_header(rq, "Origin") &&
		!request_header(rq, "Sec-Fetch-Site"))
		request_refuse(rq, E_FORBIDDEN,
			"a request with a cookie that changes something needs the header "
			"Origin");
}

void access_check_head(struct request *rq)
{
	rq->principal.is_loopback = rq->is_local;
	rq->has_token = has_bearer(rq);
	if (!is_safe(rq))
		check_site(rq);
	if (rq->refused == OK)
		take_cookie(rq);
	if (rq->refused != OK)
		return;
	if (!rq->has_token && request_header(rq, "Authorization"))
		request_refuse(
			rq, E_UNAUTHORIZED, "the header must be 'Authorization: Bearer TOKEN'");
	else if (!rq->has_token)
		become_anonymous(rq);
	if (rq->refused == OK && !rq->has_token)
		rq->refused = request_need(rq, rq->route->scope, &rq->task.err);
}

bool access_needs_store(const struct request *rq)
{
	return rq->has_token && rq->route->scope != S_NONE;
}

static int check_token(const struct token *t, int64_t now_ns, struct error *err)
{
	if (t->revoked_ns)
		return error_set(err, E_UNAUTHORIZED, "the token '%s' was revoked", t->name);
	if (t->expires_ns && t->expires_ns <= now_ns)
		return error_set(err, E_UNAUTHORIZED, "the token '%s' has expired", t->name);
	return OK;
}

int access_find_key(struct request *rq, struct store *st, const char *text, struct token *ret,
	struct error *err)
{
	uint8_t digest[SHA256_BYTES];
	int r;

	if (strlen(text) > TOKEN_MAX)
		return error_set(err, E_UNAUTHORIZED, "the token is not known");
	sha256(text, strlen(text), digest);
	r = store_token_find(st, rq->arena, digest, ret, err);
	if (r == E_NOT_FOUND)
		return error_set(err, E_UNAUTHORIZED, "the token is not known");
	return r < 0 ? r : check_token(ret, clock_wall(rq->config->clock), err);
}

int access_check(struct request *rq, struct store *st, struct error *err)
{
	const char *text = rq->cookie;
	struct token t = { 0 };
	int r;

	if (!access_needs_store(rq) || rq->principal.token_id)
		return OK;
	if (!text) {
		text = request_header(rq, "Authorization") + 7;
		text += strspn(text, " ");
	}
	r = access_find_key(rq, st, text, &t, err);
	if (r < 0)
		return r;
	rq->principal.token_id = t.id;
	rq->principal.name = t.name ? t.name : "token";
	rq->principal.project_id = t.project_id;
	rq->principal.scopes = with_implied(t.scopes);
	return request_need(rq, rq->route->scope, err);
}

int request_need(struct request *rq, enum scope scope, struct error *err)
{
	const struct principal *p = &rq->principal;

	if (scope == S_NONE || p->scopes & 1u << scope)
		return OK;
	if (!p->token_id)
		return error_set(err, E_UNAUTHORIZED,
			"this needs a token with scope '%s' (Authorization: Bearer TOKEN)",
			scope_names[scope]);
	return error_set(err, E_FORBIDDEN, "the token '%s' lacks the scope '%s'", p->name,
		scope_names[scope]);
}
