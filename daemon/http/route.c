/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which row of the route table serves a path. Templates are compared segment by segment, before
 * percent-decoding. */
#include "daemon/http/request.h"

#include <string.h>
#include "daemon/render/render.h"

struct slice {
	const char *s;
	size_t n;
};

struct match {
	struct slice names[PARAMS_MAX], values[PARAMS_MAX];
	size_t n;
	int suffix;
};

static const struct {
	const char *text;
	enum format format;
} suffixes[] = { { ".json", F_JSON }, { ".csv", F_CSV }, { ".md", F_MARKDOWN },
	{ ".txt", F_TEXT }, { ".html", F_HTML }, { ".svg", F_SVG } };

/* Length of s without a known suffix; n when there is none, or nothing but it. */
static size_t cut_suffix(struct slice s, int *ret_format)
{
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t k = strlen(suffixes[i].text);

		if (s.n <= k || memcmp(s.s + s.n - k, suffixes[i].text, k))
			continue;
		*ret_format = (int)suffixes[i].format;
		return s.n - k;
	}
	return s.n;
}

static struct slice next_segment(const char **p)
{
	struct slice s = { *p + 1, strcspn(*p + 1, "/") };

	*p = s.s + s.n;
	return s;
}

static void add_param(struct match *m, struct slice t, struct slice value)
{
	if (m->n == PARAMS_MAX)
		return;
	m->names[m->n] = (struct slice){ t.s + 1, t.n - 2 };
	m->values[m->n++] = value;
}

static bool match_segment(struct slice t, struct slice s, bool is_last, struct match *m)
{
	int suffix = FORMAT_NONE;
	bool is_param = t.s[0] == '{';

	if (!is_param && t.n == s.n && !memcmp(t.s, s.s, s.n))
		return true;
	if (is_last)
		s.n = cut_suffix(s, &suffix);
	if (!is_param && (suffix == FORMAT_NONE || t.n != s.n || memcmp(t.s, s.s, s.n)))
		return false;
	m->suffix = suffix;
	if (is_param)
		add_param(m, t, s);
	return true;
}

static bool match_path(const char *template, const char *path, struct match *m)
{
	m->n = 0;
	m->suffix = FORMAT_NONE;
	if (!strcmp(template, "/") || !strcmp(path, "/"))
		return !strcmp(template, path);
	while (*template && *path) {
		struct slice t = next_segment(&template), s;

		if (t.n > 3 && t.s[1] == '*') {
			t.s++;
			t.n--;
			add_param(m, t, (struct slice){ path + 1, strlen(path + 1) });
			return true;
		}
		s = next_segment(&path);
		if (!match_segment(t, s, !*path, m))
			return false;
	}
	return !*template && !*path;
}

static int decode_params(struct request *rq, const struct match *m, struct error *err)
{
	for (size_t i = 0; i < m->n; i++) {
		struct pair *p = &rq->params[i];
		int r;

		p->name = arena_strndup(rq->arena, m->names[i].s, m->names[i].n);
		r = target_decode(
			rq->arena, m->values[i].s, m->values[i].n, false, &p->value, err);
		if (r < 0)
			return r;
	}
	rq->n_params = m->n;
	return OK;
}

static bool serves(const struct route *r, const struct request *rq)
{
	return !strcmp(r->method, rq->is_head ? "GET" : rq->method);
}

static const char *join_methods(struct request *rq, const char *allow, const char *method)
{
	const char *also = strcmp(method, "GET") ? "" : ", HEAD";

	if (!allow)
		return arena_printf(rq->arena, "%s%s", method, also);
	return strstr(allow, method) ? allow
				     : arena_printf(rq->arena, "%s, %s%s", allow, method, also);
}

static bool refuse_method(struct request *rq)
{
	if (!strcmp(rq->method, "OPTIONS")) {
		response_text(rq, 204, NULL, "");
		response_header(rq, "Allow", rq->allow);
		return false;
	}
	request_refuse(rq, E_METHOD, "'%s' does not take %s; it takes %s", rq->path, rq->method,
		rq->allow);
	return false;
}

bool route_match(struct request *rq)
{
	struct match m;

	for (const struct route *r = rq->config->routes; r && r->method; r++) {
		if (!match_path(r->path, rq->path, &m))
			continue;
		if (!serves(r, rq)) {
			rq->allow = join_methods(rq, rq->allow, r->method);
			continue;
		}
		rq->route = r;
		rq->suffix = m.suffix;
		rq->refused = decode_params(rq, &m, &rq->task.err);
		return rq->refused == OK;
	}
	if (rq->allow)
		return refuse_method(rq);
	request_refuse(
		rq, E_NOT_FOUND, "there is nothing at '%s'; see /openapi.json", rq->path);
	return false;
}
