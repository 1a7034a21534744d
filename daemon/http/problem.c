/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors on the wire: RFC 9457 with the three members Bencher's client reads, or one line. */
#include "daemon/http/request.h"

#include <string.h>
#include "base/text.h"

static void add_member(struct buf *b, const char *key, const char *value)
{
	if (b->len > 1)
		buf_add_char(b, ',');
	json_quote(b, key);
	buf_add_char(b, ':');
	json_quote(b, value);
}

/* Errors quote what came in: bytes that are not UTF-8 and control characters become '?'. */
static void scrub(struct error *e)
{
	size_t n = strlen(e->text);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)e->text[i] < ' ')
			e->text[i] = '?';
	if (utf8_is_valid(e->text, n))
		return;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)e->text[i] >= 0x80)
			e->text[i] = '?';
}

static void format_json(
	const struct request *rq, int code, const struct error *e, int status, struct buf *b)
{
	buf_add_char(b, '{');
	buf_add_str(b, "\"type\":\"/docs/errors#");
	buf_add_str(b, error_name(code));
	buf_add_char(b, '"');
	add_member(b, "title", error_title(code));
	buf_printf(b, ",\"status\":%d", status);
	add_member(b, "detail", e->text);
	add_member(b, "instance", rq->path);
	buf_add_str(b, ",\"errors\":[");
	if (*e->field) {
		buf_add_str(b, "{\"pointer\":");
		json_quote(b, e->field);
		add_member(b, "detail", e->text);
		buf_add_char(b, '}');
	}
	buf_add_char(b, ']');
	add_member(b, "request_id", rq->id);
	add_member(b, "message", e->text);
	add_member(b, "error_code", error_name(code));
	buf_add_str(b, "}\n");
}

static void format_text(const struct error *e, int status, int code, struct buf *b)
{
	buf_printf(b, "%d %s: %s", status, error_title(code), e->text);
	if (*e->field && !strstr(e->text, e->field))
		buf_printf(b, " (at %s)", e->field);
	buf_add_char(b, '\n');
}

/* Pages are for people: what keeps them from one is a page, too. */
static bool wants_page(const struct request *rq)
{
	return rq->path && rq->config->problem_page && !strcmp(rq->method, "GET") &&
	       (!strncmp(rq->path, "/projects", 9) || !strcmp(rq->path, "/deliveries")) &&
	       negotiate_wants_page(rq);
}

void problem_fill(
	const struct request *rq, struct response *r, int code, const struct error *err)
{
	struct error copy = *err, *e = &copy;
	const char *retry = response_find(r, "Retry-After"); /* the handler may know better */
	int status = error_status(code);

	scrub(e);
	response_done(r);
	r->status = status;
	r->is_closing = rq->refused_closes;
	if (r != rq->late && wants_page(rq)) { /* late: a reader still has the arena */
		r->mime = "text/html; charset=utf-8";
		rq->config->problem_page((struct request *)rq, code, e, &r->body);
	} else if (negotiate_wants_text(rq)) {
		r->mime = "text/plain; charset=utf-8";
		format_text(e, status, code, &r->body);
	} else {
		r->mime = "application/problem+json";
		format_json(rq, code, e, status, &r->body);
	}
	if (code == E_UNAVAILABLE || code == E_RATE)
		response_add(r, "Retry-After", retry ? retry : "1");
	if (code == E_UNAUTHORIZED)
		response_add(r, "WWW-Authenticate", "Bearer realm=\"benchd\"");
	if (code == E_METHOD && rq->allow)
		response_add(r, "Allow", rq->allow);
	response_add(r, "Cache-Control", "no-store");
}
