/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The request target (RFC 9112 section 3.2): libmicrohttpd hands it over verbatim and we alone
 * take it apart, so that %2F stays inside its segment and %00 cuts nothing. */
#include "daemon/http/request.h"

#include <string.h>
#include <strings.h>
#include "base/text.h"

enum { TARGET_MAX = 8 * 1024 };

static int check_characters(const char *s, struct error *err)
{
	size_t n = strlen(s);

	if (n > TARGET_MAX)
		return error_set(err, E_LENGTH, "the request target has %zu bytes, at most %d",
			n, TARGET_MAX);
	for (; *s; s++)
		if (*s <= ' ' || *s > '~' || *s == '#')
			return error_set(err, E_BAD_REQUEST,
				"the request target has the byte 0x%02x, which must be "
				"percent-encoded",
				(unsigned char)*s);
	return OK;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int target_decode(struct arena *a, const char *s, size_t n, bool is_query, const char **ret,
	struct error *err)
{
	char *out = arena_alloc(a, n + 1);
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (c == '+' && is_query) {
			c = ' ';
		} else if (c == '%') {
			int high = i + 2 < n ? hex_digit(s[i + 1]) : -1;
			int low = high >= 0 ? hex_digit(s[i + 2]) : -1;

			if (low < 0)
				return error_set(err, E_BAD_REQUEST,
					"'%.*s' is not percent-encoding", (int)MIN(n - i, 3U),
					s + i);
			c = (char)(high << 4 | low);
			i += 2;
			if (!c)
				return error_set(err, E_BAD_REQUEST,
					"the request target has an encoded NUL (%%00)");
		}
		out[len++] = c;
	}
	if (!utf8_is_valid(out, len))
		return error_set(
			err, E_BAD_REQUEST, "the request target is not UTF-8 when decoded");
	*ret = out;
	return OK;
}

/* Absolute form ("GET http://host/path") is for proxies; every server must take it. */
static const char *strip_authority(const char *s)
{
	const char *rest = NULL;

	if (!strncasecmp(s, "http://", 7))
		rest = s + 7;
	else if (!strncasecmp(s, "https://", 8))
		rest = s + 8;
	if (!rest)
		return s;
	return rest + strcspn(rest, "/?");
}

static bool is_dots(const char *s, size_t n)
{
	size_t dots = 0;

	for (size_t i = 0; i < n; i++, dots++) {
		if (s[i] == '.')
			continue;
		if (n - i < 3 || strncasecmp(s + i, "%2e", 3))
			return false;
		i += 2;
	}
	return dots == 1 || dots == 2;
}

/* "//v0/run/" -> "/v0/run": empty segments say nothing. */
static int parse_path(struct request *rq, const char *s, size_t n, struct error *err)
{
	char *out = arena_alloc(rq->arena, n + 2), *p = out;
	const char *end = s + n;

	while (s < end) {
		const char *slash = memchr(s, '/', (size_t)(end - s));
		size_t len = (size_t)((slash ? slash : end) - s);

		if (is_dots(s, len))
			return error_set(err, E_BAD_REQUEST,
				"the path has a segment '.' or '..'; write it out");
		if (len > 0) {
			*p++ = '/';
			memcpy(p, s, len);
			p += len;
		}
		s += len + (slash ? 1 : 0);
	}
	if (p == out)
		*p = '/';
	rq->path = out;
	return OK;
}

static int add_query(struct request *rq, const char *s, size_t n, struct error *err)
{
	const char *equals = memchr(s, '=', n);
	size_t name_n = equals ? (size_t)(equals - s) : n;
	struct pair *q;
	int r;

	if (rq->n_query == QUERY_MAX)
		return error_set(
			err, E_BAD_REQUEST, "the query has more than %d parameters", QUERY_MAX);
	if (!rq->query)
		rq->query = ARENA_ARRAY(rq->arena, struct pair, QUERY_MAX);
	q = &rq->query[rq->n_query];
	q->value = "";
	r = target_decode(rq->arena, s, name_n, true, &q->name, err);
	if (r == OK && equals)
		r = target_decode(rq->arena, equals + 1, n - name_n - 1, true, &q->value, err);
	if (r == OK)
		rq->n_query++;
	return r;
}

static int parse_query(struct request *rq, const char *s, struct error *err)
{
	while (*s) {
		size_t n = strcspn(s, "&");

		if (n > 0) {
			int r = add_query(rq, s, n, err);

			if (r < 0)
				return r;
		}
		s += n + (s[n] == '&');
	}
	return OK;
}

int target_parse(struct request *rq, struct error *err)
{
	const char *s = rq->target;
	size_t n;
	int r;

	rq->path = "/";
	r = check_characters(s, err);
	if (r < 0)
		return r;
	if (!strcmp(s, "*") && !strcmp(rq->method, "OPTIONS")) {
		rq->path = "*";
		return OK;
	}
	s = strip_authority(s);
	n = strcspn(s, "?");
	if (n > 0 && s[0] != '/')
		return error_set(err, E_BAD_REQUEST, "the request target must begin with '/'");
	if (s == rq->target && n == 0)
		return error_set(err, E_BAD_REQUEST, "the request target has no path");
	r = parse_path(rq, s, n, err);
	if (r < 0)
		return r;
	return parse_query(rq, s + n + (s[n] == '?'), err);
}
