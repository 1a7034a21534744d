/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/http/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void response_done(struct response *r)
{
	buf_done(&r->body);
	*r = (struct response){ 0 };
}

void response_add(struct response *r, const char *name, const char *value)
{
	for (size_t i = 0; i < r->n_headers; i++) {
		if (strcasecmp(r->headers[i].name, name))
			continue;
		r->headers[i].value = value;
		return;
	}
	if (r->n_headers < HEADERS_MAX)
		r->headers[r->n_headers++] = (struct pair){ name, value };
}

const char *response_find(const struct response *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (!strcasecmp(r->headers[i].name, name))
			return r->headers[i].value;
	return NULL;
}

/* A line break in a value would begin a header of somebody else's choice. */
static char *clean(char *value)
{
	for (char *p = value; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	return value;
}

void response_header(struct request *rq, const char *name, const char *value)
{
	response_add(&rq->response, arena_strdup(rq->arena, name),
		clean(arena_strdup(rq->arena, value)));
}

void response_headerf(struct request *rq, const char *name, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	response_header(rq, name, text);
}

static void begin(struct request *rq, int status, const char *mime)
{
	struct response *res = &rq->response;

	buf_done(&res->body);
	res->fixed = NULL;
	res->n_fixed = 0;
	res->is_encoded = false;
	res->status = status;
	res->mime = arena_strdup(rq->arena, mime);
}

void response_json(struct request *rq, int status, json_t *j)
{
	char *text = json_text(j);
	struct buf b = { text, strlen(text), strlen(text) + 1 };

	json_decref(j);
	response_buf(rq, status, "application/json", &b);
}

void response_buf(struct request *rq, int status, const char *mime, struct buf *b)
{
	begin(rq, status, mime);
	rq->response.body = *b;
	*b = (struct buf){ 0 };
}

void response_text(struct request *rq, int status, const char *mime, const char *text)
{
	begin(rq, status, mime);
	if (*text)
		buf_add_str(&rq->response.body, text);
}

static const char *strip_weak(const char *tag)
{
	return strncmp(tag, "W/", 2) ? tag : tag + 2;
}

/* One entity tag against ours, weakly (RFC 9110 section 13.1.2); our gzip variant counts too.
 */
static bool tag_matches(const char *s, size_t n, const char *etag)
{
	size_t len = strlen(etag);

	if (n == len && !memcmp(s, etag, n))
		return true;
	return n == len + 3 && len > 1 && !memcmp(s, etag, len - 1) &&
	       !memcmp(s + len - 1, "-gz\"", 4);
}

static bool list_has(const char *list, const char *etag)
{
	if (!strcmp(list, "*"))
		return true;
	etag = strip_weak(etag);
	while (*list) {
		size_t n;

		list += strspn(list, ", \t");
		list = strip_weak(list);
		n = *list == '"' ? 1 + strcspn(list + 1, "\"") : strcspn(list, ",");
		n += list[n] == '"';
		if (tag_matches(list, n, etag))
			return true;
		list += n;
	}
	return false;
}

bool response_not_modified(struct request *rq, const char *etag)
{
	const char *known = request_header(rq, "If-None-Match");

	response_header(rq, "ETag", etag);
	if (!known || !list_has(known, etag))
		return false;
	begin(rq, 304, NULL);
	return true;
}

bool response_tag(struct request *rq)
{
	const struct response *res = &rq->response;
	const char *stored = response_find(res, "Cache-Control");
	char hex[SHA256_HEX], etag[SHA256_HEX + 3];

	if (res->status != 200 || res->body.len == 0 || response_find(res, "ETag") ||
		(stored && strstr(stored, "no-store")) ||
		(strcmp(rq->method, "GET") != 0 && strcmp(rq->method, "HEAD") != 0))
		return false;
	sha256_hex(res->body.data, res->body.len, hex);
	snprintf(etag, sizeof(etag), "\"%.16s\"", hex);
	return response_not_modified(rq, etag);
}
