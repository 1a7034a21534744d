/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shapes of a request head that two servers in a row could read differently (CWE-444), and that
 * libmicrohttpd 0.9.75 lets through even when strict. All of them end the connection. What it
 * normalises before we see it (NUL in a value, a bare LF, a folded line) cannot be refused
 * here.
 */
#include "daemon/http/request.h"

#include <string.h>
#include <strings.h>

static const char *const unique[] = { "Host", "Content-Length", "Transfer-Encoding",
	"Content-Type", "Content-Encoding", "Authorization", "Idempotency-Key" };
enum { HOST, LENGTH, CODING, N_UNIQUE = ARRAY_SIZE(unique) };

static bool is_token(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (*s <= ' ' || *s > '~' || strchr("()<>@,;:\\\"/[]?={}", *s))
			return false;
	return true;
}

static bool is_field_text(const char *s)
{
	for (; *s; s++)
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
			return false;
	return true;
}

static bool scan_headers(struct request *rq, const char *values[N_UNIQUE])
{
	for (size_t i = 0; i < rq->n_headers; i++) {
		const struct pair *h = &rq->headers[i];

		if (!is_token(h->name))
			return request_refuse_close(
				rq, E_BAD_REQUEST, "a header's name is not a token");
		if (!is_field_text(h->value))
			return request_refuse_close(rq, E_BAD_REQUEST,
				"header '%s' has a control character", h->name);
		for (int k = 0; k < (int)N_UNIQUE; k++) {
			if (strcasecmp(h->name, unique[k]))
				continue;
			if (values[k])
				return request_refuse_close(rq, E_BAD_REQUEST,
					"header '%s' stands there twice", unique[k]);
			values[k] = h->value;
		}
	}
	return true;
}

static bool check_version(struct request *rq, const char *version)
{
	rq->is_http10 = !strcmp(version, "HTTP/1.0");
	if (rq->is_http10 || !strcmp(version, "HTTP/1.1"))
		return true;
	return request_refuse_close(rq, E_NOT_IMPLEMENTED, "this server speaks HTTP/1.1");
}

static bool check_method(struct request *rq)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE",
		"OPTIONS", "TRACE", "CONNECT" };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(rq->method, known[i]))
			return true;
	return request_refuse_close(
		rq, E_NOT_IMPLEMENTED, "the method '%s' is not known here", rq->method);
}

/* RFC 9110 section 8.6: digits only. 15 of them are more than any limit. */
static bool check_length(struct request *rq, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	if (!text)
		return true;
	if (n == 0 || n != strspn(text, "0123456789"))
		return request_refuse_close(
			rq, E_BAD_REQUEST, "Content-Length '%s' is not a number", text);
	if (n > 15)
		return request_refuse_close(
			rq, E_TOO_LARGE, "Content-Length %s is too large", text);
	rq->content_length = strtoll(text, NULL, 10);
	rq->has_body = rq->content_length > 0;
	return true;
}

static bool check_coding(struct request *rq, const char *coding, const char *length)
{
	if (!coding)
		return true;
	if (length)
		return request_refuse_close(rq, E_BAD_REQUEST,
			"Content-Length and Transfer-Encoding exclude each other");
	if (rq->is_http10)
		return request_refuse_close(
			rq, E_BAD_REQUEST, "HTTP/1.0 has no Transfer-Encoding '%s'", coding);
	if (strcasecmp(coding, "chunked"))
		return request_refuse_close(rq, E_NOT_IMPLEMENTED,
			"Transfer-Encoding '%s' is not known; it must be 'chunked'", coding);
	rq->is_chunked = rq->has_body = true;
	return true;
}

static bool check_host(struct request *rq, const char *host)
{
	if (!host && rq->is_http10)
		return true;
	if (!host)
		return request_refuse_close(rq, E_BAD_REQUEST, "header 'Host' is missing");
	if (strpbrk(host, " \t,/@\\?#"))
		return request_refuse_close(rq, E_BAD_REQUEST, "Host '%s' is not a host", host);
	return true;
}

bool framing_check(struct request *rq, const char *version)
{
	const char *values[N_UNIQUE] = { NULL };

	return check_version(rq, version) && scan_headers(rq, values) &&
	       check_length(rq, values[LENGTH]) &&
	       check_coding(rq, values[CODING], values[LENGTH]) &&
	       check_host(rq, values[HOST]) && check_method(rq);
}
