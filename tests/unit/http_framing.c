/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests that two servers in a row could read differently, and other broken ones: each gets
 * one refusal and the end of its connection, never a second answer. */
#include "tests/unit/http_rig.h"

#define NEXT "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST "POST /rows HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

struct bad {
	const char *what, *text;
	int status; /* 0: any 4xx or 501 */
};

static const struct bad bad_requests[] = {
	{ "length and coding",
		POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT,
		400 },
	{ "coding and length",
		POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" NEXT,
		400 },
	{ "coding and length 0",
		POST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n" NEXT,
		400 },
	{ "two lengths", POST "Content-Length: 2\r\nContent-Length: 60\r\n\r\n{}" NEXT, 400 },
	{ "two equal lengths", POST "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}" NEXT,
		400 },
	{ "two lengths in another case",
		POST "Content-Length: 2\r\ncontent-length: 3\r\n\r\n{}" NEXT, 400 },
	{ "two lengths in one", POST "Content-Length: 2, 2\r\n\r\n{}" NEXT, 0 },
	{ "negative length", POST "Content-Length: -1\r\n\r\n{}" NEXT, 400 },
	{ "length with a plus", POST "Content-Length: +2\r\n\r\n{}" NEXT, 400 },
	{ "hexadecimal length", POST "Content-Length: 0x2\r\n\r\n{}" NEXT, 400 },
	{ "length with letters", POST "Content-Length: 2a\r\n\r\n{}" NEXT, 400 },
	{ "length with a space", POST "Content-Length: 2 2\r\n\r\n{}" NEXT, 400 },
	{ "empty length", POST "Content-Length: \r\n\r\n{}" NEXT, 0 },
	{ "length beyond 64 bits",
		POST "Content-Length: 99999999999999999999999\r\n\r\n{}" NEXT, 0 },
	{ "length near 64 bits", POST "Content-Length: 9223372036854775807\r\n\r\n{}" NEXT,
		413 },
	{ "length over the limit", POST "Content-Length: 1025\r\n\r\n{}" NEXT, 413 },
	{ "two codings",
		POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: "
		     "chunked\r\n\r\n0\r\n\r\n" NEXT,
		400 },
	{ "two codings, one other",
		POST "Transfer-Encoding: identity\r\nTransfer-Encoding: "
		     "chunked\r\n\r\n0\r\n\r\n" NEXT,
		0 },
	{ "coding gzip", POST "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n" NEXT, 0 },
	{ "coding gzip, chunked", POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" NEXT,
		0 },
	{ "coding chunked, identity",
		POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" NEXT, 0 },
	{ "coding xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" NEXT, 0 },
	{ "coding in quotes", POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" NEXT, 0 },
	{ "coding with a tab",
		POST "Transfer-Encoding: \x0b"
		     "chunked\r\n\r\n0\r\n\r\n" NEXT,
		0 },
	{ "coding with a parameter",
		POST "Transfer-Encoding: chunked;x=1\r\n\r\n0\r\n\r\n" NEXT, 0 },
	{ "coding in HTTP/1.0",
		"POST /rows HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: "
		"chunked\r\n\r\n0\r\n\r\n" NEXT,
		400 },
	{ "a bad chunk size",
		POST "Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n" NEXT, 400 },
	{ "a negative chunk size",
		POST "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n" NEXT, 400 },
	{ "a huge chunk size",
		POST
		"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n" NEXT,
		0 },
	{ "a chunk longer than it says",
		POST "Transfer-Encoding: chunked\r\n\r\n1\r\n{}{}\r\n0\r\n\r\n" NEXT, 400 },
	{ "a chunk size with 0x",
		POST "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n" NEXT, 400 },
	{ "no host", "GET /healthz HTTP/1.1\r\n\r\n" NEXT, 400 },
	{ "two hosts", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" NEXT, 400 },
	{ "two equal hosts", "GET /healthz HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n" NEXT, 400 },
	{ "a host with a slash", "GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n" NEXT, 400 },
	{ "a host with a user", "GET /healthz HTTP/1.1\r\nHost: u@a\r\n\r\n" NEXT, 400 },
	{ "a host list", "GET /healthz HTTP/1.1\r\nHost: a, b\r\n\r\n" NEXT, 400 },
	{ "a space before the colon", "GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n" NEXT, 400 },
	{ "a space before the length's colon", POST "Content-Length : 2\r\n\r\n{}" NEXT, 400 },
	{ "a header without a colon",
		"GET /healthz HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n" NEXT, 400 },
	{ "a header name in parentheses",
		"GET /healthz HTTP/1.1\r\nHost: a\r\n(x): y\r\n\r\n" NEXT, 400 },
	{ "a header name beyond ASCII",
		"GET /healthz HTTP/1.1\r\nHost: a\r\nx\xff: y\r\n\r\n" NEXT, 400 },
	{ "a control character in a value",
		"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\x01"
		"b\r\n\r\n" NEXT,
		400 },
	{ "a DEL in a value",
		"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\x7f"
		"b\r\n\r\n" NEXT,
		400 },
	{ "two content types",
		POST "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}" NEXT, 400 },
	{ "two authorizations",
		"GET /who HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nAuthorization: "
		"Bearer b\r\n\r\n" NEXT,
		400 },
	{ "an unknown method", "BREW /healthz HTTP/1.1\r\nHost: a\r\n\r\n" NEXT, 501 },
	{ "a method in small letters", "get /healthz HTTP/1.1\r\nHost: a\r\n\r\n" NEXT, 501 },
	{ "HTTP/2 in words", "GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n" NEXT, 0 },
	{ "the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" NEXT, 0 },
	{ "HTTP/1.2", "GET /healthz HTTP/1.2\r\nHost: a\r\n\r\n" NEXT, 0 },
	{ "HTTP/0.9", "GET /healthz HTTP/0.9\r\nHost: a\r\n\r\n" NEXT, 0 },
	{ "no version", "GET /healthz\r\nHost: a\r\n\r\n" NEXT, 0 },
	{ "http in small letters", "GET /healthz http/1.1\r\nHost: a\r\n\r\n" NEXT, 0 },
	{ "a TLS hello", "\x16\x03\x01\x02\x01\x01\xfc\x03\x03\r\n\r\n" NEXT, 0 },
	{ "a body to a route without",
		"POST /level HTTP/1.1\r\nHost: a\r\nContent-Length: 37\r\n\r\n" NEXT, 413 },
	{ "a body to GET",
		"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 37\r\n\r\n" NEXT, 413 },
	{ "a body to nowhere",
		"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 37\r\n\r\n" NEXT, 404 },
	{ "a body with an unknown coding",
		POST "Content-Encoding: br\r\nContent-Length: 37\r\n\r\n" NEXT, 415 },
};

/* What libmicrohttpd 0.9.75 mends before we see it. Behind a proxy that mends nothing these are
 * dangerous; here they must at least be one well-defined request. */
static const struct bad mended_requests[] = {
	{ "an empty header name", "GET /items/a HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n",
		200 },
	{ "bare LF", "GET /items/a HTTP/1.1\nHost: localhost\n\n", 200 },
	{ "a folded line", "GET /items/a HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
		200 },
	{ "an empty line first", "\r\nGET /items/a HTTP/1.1\r\nHost: localhost\r\n\r\n", 200 },
};

/* Status lines in text; false when they differ. libmicrohttpd writes the head of its own 400
 * for a wrong Content-Length twice, and closes. */
static bool same_status(const char *text, int *ret_status)
{
	*ret_status = 0;
	for (text = strstr(text, "HTTP/1."); text; text = strstr(text + 1, "HTTP/1.")) {
		int status = 0;

		if (sscanf(text, "HTTP/1.%*1d %3d", &status) != 1)
			continue;
		if (*ret_status && status != *ret_status)
			return false;
		*ret_status = status;
	}
	return true;
}

static void check_bad(const struct rig *r, const struct bad *b)
{
	struct buf out = { 0 };
	bool is_closed = false;
	int fd = client_connect(r), status = 0;

	client_send(fd, b->text, strlen(b->text));
	client_read_all(fd, &out, 10000, &is_closed);
	ck_assert_msg(is_closed, "%s: the connection stays open: %s", b->what, buf_str(&out));
	ck_assert_msg(same_status(buf_str(&out), &status), "%s: a second answer: %s", b->what,
		buf_str(&out));
	ck_assert_msg(status == 0 || (status >= 400 && status < 500) || status == 501 ||
			      status == 505,
		"%s: %s", b->what, buf_str(&out));
	ck_assert_msg(!b->status || status == b->status, "%s: %d instead of %d: %s", b->what,
		status, b->status, buf_str(&out));
	ck_assert_msg(rig_n_health == 0, "%s: the second request was served", b->what);
	buf_done(&out);
	close(fd);
}

START_TEST(each_broken_request_gets_one_refusal)
{
	struct rig r;

	rig_init(&r);
	r.config.limits.head_ns = NS_PER_S; /* for what never becomes a head */
	rig_start(&r);
	ck_assert_int_ge((int)ARRAY_SIZE(bad_requests), 40);
	for (size_t i = 0; i < ARRAY_SIZE(bad_requests); i++)
		check_bad(&r, &bad_requests[i]);
	ck_assert_int_eq(fake.rows, 0);
	rig_stop(&r);
}
END_TEST

START_TEST(what_the_library_mends_is_one_request)
{
	struct rig r;

	rig_init(&r);
	rig_start(&r);
	for (size_t i = 0; i < ARRAY_SIZE(mended_requests); i++) {
		const struct bad *b = &mended_requests[i];
		struct answer a = { 0 };
		int fd = client_connect(&r);

		client_send(fd, b->text, strlen(b->text));
		client_read(fd, &a);
		ck_assert_msg(a.status == b->status || (a.status >= 400 && a.status < 500),
			"%s: %d", b->what, a.status);
		answer_done(&a);
		close(fd);
	}
	rig_stop(&r);
}
END_TEST

START_TEST(pipelined_requests_are_answered_in_order)
{
	static const char three[] = "GET /items/one HTTP/1.1\r\nHost: localhost\r\n\r\n"
				    "POST /rows HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
				    "application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
				    "2\r\n{}\r\n0\r\n\r\n"
				    "GET /items/three HTTP/1.1\r\nHost: localhost\r\n\r\n";
	struct answer a = { 0 };
	struct rig r;
	int fd;

	rig_init(&r);
	rig_start(&r);
	fd = client_connect(&r);
	client_send(fd, three, strlen(three));
	client_read(fd, &a);
	ck_assert(strstr(buf_str(&a.body), "one"));
	client_read(fd, &a);
	ck_assert_int_eq(a.status, 201);
	client_read(fd, &a);
	ck_assert(strstr(buf_str(&a.body), "three"));
	close(fd);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(too_much_is_refused_by_size)
{
	struct buf b = { 0 };
	struct answer a = { 0 };
	struct rig r;
	int fd;

	rig_init(&r);
	rig_start(&r);
	buf_add_str(&b, "GET /items/");
	for (int i = 0; i < 9000; i++)
		buf_add_char(&b, 'a');
	buf_add_str(&b, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
	fd = client_connect(&r);
	client_send(fd, b.data, b.len);
	client_read(fd, &a);
	ck_assert_int_eq(a.status, 414);
	ck_assert(strstr(buf_str(&a.body), "at most 8192"));
	close(fd);
	buf_clear(&b);
	buf_add_str(&b, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n");
	for (int i = 0; i < 500; i++)
		buf_printf(&b, "X-%d: abcdefghijklmnopqrstuvwxyz\r\n", i);
	buf_add_str(&b, "\r\n");
	fd = client_connect(&r);
	client_send(fd, b.data, b.len);
	client_read(fd, &a);
	ck_assert_int_eq(a.status, 431);
	close(fd);
	buf_done(&b);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

static void send_chunks(int fd, int n)
{
	char text[1100];

	memset(text, 'x', sizeof(text));
	for (int i = 0; i < n; i++) {
		client_printf(fd, "400\r\n");
		client_send(fd, text, 1024);
		client_printf(fd, "\r\n");
	}
}

START_TEST(a_chunked_body_over_its_limit_is_refused)
{
	struct answer a = { 0 };
	struct rig r;
	int fd;

	rig_init(&r);
	rig_start(&r);
	fd = client_connect(&r);
	client_printf(fd, POST "Transfer-Encoding: chunked\r\n\r\n");
	send_chunks(fd, 3);
	client_printf(fd, "0\r\n\r\n");
	client_read(fd, &a);
	ck_assert_int_eq(a.status, 413);
	ck_assert(strstr(buf_str(&a.body), "the body has more than 1024 bytes"));
	ck_assert_int_eq(
		(int)client_read_all(fd, &a.body, 5000, &a.is_closed), (int)a.body.len);
	ck_assert(a.is_closed);
	close(fd);
	fd = client_connect(&r);
	client_printf(fd, POST "Transfer-Encoding: chunked\r\n\r\n");
	send_chunks(fd, 2000);
	client_read_all(fd, &a.body, 5000, &a.is_closed);
	ck_assert(a.is_closed);
	close(fd);
	answer_done(&a);
	rig_stop(&r);
	ck_assert_int_eq(fake.rows, 0);
}
END_TEST

START_TEST(three_megabytes_go_through_small_memory)
{
	size_t n = 3 * 1000 * 1000;
	char *body = xmalloc(n);
	struct answer a = { 0 };
	struct rig r;
	int fd;

	rig_init(&r);
	r.config.limits.connection_memory = 4 * KiB;
	rig_start(&r);
	memset(body, 'x', n);
	fd = client_connect(&r);
	for (int i = 0; i < 2; i++) {
		client_printf(fd,
			"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
			"%zu\r\n\r\n",
			n);
		client_send(fd, body, n);
		client_read(fd, &a);
		ck_assert_int_eq(a.status, 200);
		ck_assert_str_eq(buf_str(&a.body), "3000000\n");
	}
	close(fd);
	free(body);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(a_client_that_expects_100_gets_it_only_when_welcome)
{
	struct answer a = { 0 };
	struct buf out = { 0 };
	struct rig r;
	int fd;

	rig_init(&r);
	rig_start(&r);
	fd = client_connect(&r);
	client_printf(fd, POST "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
	while (out.len < 25)
		ck_assert(client_read_all(fd, &out, 50, NULL) < 1000);
	ck_assert(strstr(out.data, "100 Continue"));
	client_printf(fd, "{}");
	client_read(fd, &a);
	ck_assert_int_eq(a.status, 201);
	close(fd);
	fd = client_connect(&r);
	client_printf(fd, POST "Content-Length: 2000\r\nExpect: 100-continue\r\n\r\n");
	client_read(fd, &a);
	ck_assert_int_eq(a.status, 413);
	close(fd);
	buf_done(&out);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

SUITE("http-framing", each_broken_request_gets_one_refusal,
	what_the_library_mends_is_one_request, pipelined_requests_are_answered_in_order,
	too_much_is_refused_by_size, a_chunked_body_over_its_limit_is_refused,
	three_megabytes_go_through_small_memory,
	a_client_that_expects_100_gets_it_only_when_welcome)
