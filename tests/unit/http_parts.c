/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Routing, negotiation, access, errors and idempotency, without sockets. */
#include "tests/unit/http_rig.h"

#include <zlib.h>
#include "daemon/http/coding.h"
#include "daemon/render/render.h"

static struct server_config config;

/* headers: up to six "Name", "value" pairs; NULL ends them. */
static void call(struct reply *r, const char *method, const char *target, const char *body,
	const char *const *headers)
{
	struct http_call c = { .config = &config,
		.method = method,
		.target = target,
		.headers = headers,
		.body = body };
	struct store *st;

	config.routes = rig_routes;
	config.clock = &system_clock;
	ck_assert_int_eq(store_open("", &st, NULL), OK);
	http_call(&c, st, r);
	store_close(st);
}

static int get(const char *target, struct reply *r)
{
	call(r, "GET", target, NULL, NULL);
	return r->status;
}

static void check_get(const char *target, int status, const char *part)
{
	struct reply r;

	get(target, &r);
	ck_assert_msg(r.status == status, "%s: %d: %s", target, r.status, buf_str(&r.body));
	ck_assert_msg(
		strstr(buf_str(&r.body), part) != NULL, "%s: %s", target, buf_str(&r.body));
	reply_done(&r);
}

START_TEST(paths_are_taken_apart_before_they_are_decoded)
{
	check_get("/items/plain", 200, "\"name\":\"plain\"");
	check_get("//items//plain/", 200, "\"name\":\"plain\"");
	check_get("http://host:99/items/plain?q=1", 200, "\"q\":\"1\"");
	check_get("HTTPS://host/", 200, "ok");
	check_get("http://host", 200, "ok");
	check_get("/items/a%2Fb", 200, "\"name\":\"a/b\"");
	check_get("/items/a%20b%C3%A4", 200, "\"name\":\"a b\xc3\xa4\"");
	check_get("/items/a+b", 200, "\"name\":\"a+b\"");
	check_get("/items/x?q=a+b%2B", 200, "\"q\":\"a b+\"");
	check_get("/items/x?q", 200, "\"q\":\"\"");
	check_get("/items/x?&&q=1&", 200, "\"q\":\"1\"");
	check_get("/items/x/parts/y", 200, "\"name\":\"x\"");
	check_get("/items", 404, "there is nothing at '/items'");
	check_get("/items/x/parts", 404, "nothing");
	check_get("/items/x/y/z/w", 404, "nothing");
	check_get("/Items/x", 404, "nothing");
}
END_TEST

START_TEST(bad_targets_are_refused_in_words)
{
	check_get("/items/%00", 400, "encoded NUL");
	check_get("/items/%zz", 400, "'%zz' is not percent-encoding");
	check_get("/items/%4", 400, "'%4' is not percent-encoding");
	check_get("/items/%", 400, "is not percent-encoding");
	check_get("/items/%ff", 400, "not UTF-8");
	check_get("/items/%c0%af", 400, "not UTF-8");
	check_get("/items/../x", 400, "'.' or '..'");
	check_get("/items/%2e%2E", 400, "'.' or '..'");
	check_get("/items/.%2e/x", 400, "'.' or '..'");
	check_get("/./items/x", 400, "'.' or '..'");
	check_get("/items/x?q=%00", 400, "encoded NUL");
	check_get("/items/x#f", 400, "0x23");
	check_get("/items/\xc3\xa4", 400, "0xc3");
	check_get("items/x", 400, "must begin with '/'");
	check_get("*", 400, "must begin with '/'");
	check_get("", 400, "no path");
	check_get("?q=1", 400, "no path");
	check_get("/items/...", 200, "\"name\":\"...\"");
}
END_TEST

START_TEST(too_many_query_parameters_are_refused)
{
	struct buf b = { 0 };

	buf_add_str(&b, "/items/x?");
	for (int i = 0; i < 65; i++)
		buf_printf(&b, "a%d=1&", i);
	check_get(b.data, 400, "more than 64 parameters");
	buf_done(&b);
}
END_TEST

START_TEST(methods_without_a_row_name_those_with_one)
{
	struct reply r;

	call(&r, "POST", "/items/x", NULL, NULL);
	ck_assert_int_eq(r.status, 405);
	ck_assert_str_eq(reply_header(&r, "Allow"), "GET, HEAD, DELETE");
	reply_done(&r);
	call(&r, "OPTIONS", "/rows", NULL, NULL);
	ck_assert_int_eq(r.status, 204);
	ck_assert_str_eq(reply_header(&r, "Allow"), "POST");
	reply_done(&r);
	call(&r, "HEAD", "/items/x", NULL, NULL);
	ck_assert_int_eq(r.status, 200);
	reply_done(&r);
	call(&r, "TRACE", "/items/x", NULL, NULL);
	ck_assert_int_eq(r.status, 405);
	reply_done(&r);
	call(&r, "FETCH", "/items/x", NULL, NULL);
	ck_assert_int_eq(r.status, 501);
	reply_done(&r);
}
END_TEST

START_TEST(the_form_is_negotiated)
{
	static const struct {
		const char *target, *accept;
		int status, format;
	} cases[] = {
		{ "/items/x", NULL, 200, F_JSON },
		{ "/items/x", "*/*", 200, F_JSON },
		{ "/items/x", "text/plain", 200, F_TEXT },
		{ "/items/x", "text/*", 200, F_TEXT },
		{ "/items/x", "text/csv, */*", 200, F_CSV },
		{ "/items/x", "text/plain;q=0.5, text/csv;q=0.9", 200, F_CSV },
		{ "/items/x", "text/plain;q=0, */*;q=0.1", 200, F_JSON },
		{ "/items/x", "text/html,application/xhtml+xml,*/*;q=0.8", 200, F_JSON },
		{ "/items/x", "TEXT/PLAIN; charset=utf-8", 200, F_TEXT },
		{ "/items/x", "image/png", 406, 0 },
		{ "/items/x", "application/json;q=0", 406, 0 },
		{ "/items/x?format=csv", "text/plain", 200, F_CSV },
		{ "/items/x?format=txt", NULL, 200, F_TEXT },
		{ "/items/x?format=svg", NULL, 406, 0 },
		{ "/items/x?format=nonsense", NULL, 406, 0 },
		{ "/items/x.csv", "text/plain", 200, F_CSV },
		{ "/items/x.txt?format=json", NULL, 200, F_JSON },
		{ "/items/x.md", NULL, 406, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *headers[] = { "Accept", cases[i].accept, NULL };
		char part[32];
		struct reply r;

		call(&r, "GET", cases[i].target, NULL, cases[i].accept ? headers : NULL);
		ck_assert_msg(r.status == cases[i].status, "%s %s: %d", cases[i].target,
			cases[i].accept, r.status);
		snprintf(part, sizeof(part), "\"format\":%d", cases[i].format);
		ck_assert_msg(r.status != 200 || strstr(buf_str(&r.body), part), "%s %s: %s",
			cases[i].target, cases[i].accept, buf_str(&r.body));
		reply_done(&r);
	}
}
END_TEST

START_TEST(a_suffix_belongs_to_the_name_only_where_the_template_says_so)
{
	check_get("/items/stream.triad", 200, "\"name\":\"stream.triad\"");
	check_get("/items/x.csv", 200, "\"name\":\"x\"");
	check_get("/items/.csv", 200, "\"name\":\".csv\"");
	check_get("/items/x.csv/parts/y", 200, "\"name\":\"x.csv\"");
	check_get("/openapi.json", 200, "ok");
	check_get("/healthz.json", 200, "ok");
	check_get("/files/a/b.svg", 404, "there is no file 'a/b.svg'");
}
END_TEST

START_TEST(errors_are_problems_with_benchers_members)
{
	static const char *const text[] = { "Accept", "text/plain", NULL };
	struct reply r;
	json_t *j;

	call(&r, "POST", "/rows", "{\"fail\":true}",
		(const char *const[]){ "Content-Type", "application/json", NULL });
	ck_assert_int_eq(r.status, 422);
	ck_assert_str_eq(reply_header(&r, "content-type"), "application/problem+json");
	j = json_loads(r.body.data, 0, NULL);
	ck_assert_str_eq(json_get_str(j, "type", ""), "/docs/errors#unprocessable");
	ck_assert_str_eq(json_get_str(j, "title", ""), "Unprocessable content");
	ck_assert_int_eq(json_get_int(j, "status", 0), 422);
	ck_assert_str_eq(json_get_str(j, "detail", ""), "'fail' is true");
	ck_assert_str_eq(json_get_str(j, "message", ""), "'fail' is true");
	ck_assert_str_eq(json_get_str(j, "instance", ""), "/rows");
	ck_assert_str_eq(json_get_str(j, "error_code", ""), "unprocessable");
	ck_assert_str_eq(json_get_str(j, "request_id", ""), reply_header(&r, "X-Request-Id"));
	ck_assert_str_eq(
		json_get_str(json_array_get(json_object_get(j, "errors"), 0), "pointer", ""),
		"/fail");
	json_decref(j);
	reply_done(&r);
	call(&r, "GET", "/nowhere", NULL, text);
	ck_assert_str_eq(buf_str(&r.body),
		"404 Not found: there is nothing at '/nowhere'; see /openapi.json\n");
	reply_done(&r);
	call(&r, "GET", "/nowhere?format=text", NULL, NULL);
	ck_assert_int_eq(strncmp(buf_str(&r.body), "404 Not found", 13), 0);
	reply_done(&r);
	call(&r, "G\xc3", "/items/x", NULL, NULL); /* half a character */
	j = json_loads(buf_str(&r.body), 0, NULL);
	ck_assert_ptr_nonnull(j);
	json_decref(j);
	reply_done(&r);
}
END_TEST

START_TEST(bodies_must_be_json_and_not_too_large)
{
	static const char *const plain[] = { "Content-Type", "text/plain", NULL };
	static const char *const json[] = { "Content-Type", "application/json; charset=utf-8",
		NULL };
	static const char *const br[] = { "Content-Encoding", "br", NULL };
	struct reply r;
	char big[1100];

	call(&r, "POST", "/rows", "{}", plain);
	ck_assert_int_eq(r.status, 415);
	ck_assert(strstr(r.body.data, "not 'text/plain'"));
	reply_done(&r);
	call(&r, "POST", "/rows", "{}", NULL);
	ck_assert_int_eq(r.status, 415);
	reply_done(&r);
	call(&r, "POST", "/rows", "{\"a\":}", json);
	ck_assert_int_eq(r.status, 400);
	ck_assert(strstr(r.body.data, "line 1"));
	reply_done(&r);
	memset(big, ' ', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	call(&r, "POST", "/rows", big, json);
	ck_assert_int_eq(r.status, 413);
	reply_done(&r);
	call(&r, "POST", "/rows", "{}", br);
	ck_assert_int_eq(r.status, 415);
	reply_done(&r);
	call(&r, "GET", "/healthz", "{}", json);
	ck_assert_int_eq(r.status, 413);
	ck_assert(strstr(r.body.data, "takes no body"));
	reply_done(&r);
	call(&r, "POST", "/rows", "{}", json);
	ck_assert_int_eq(r.status, 201);
	ck_assert_int_eq(r.wake, WAKE_QUEUE);
	reply_done(&r);
}
END_TEST

static void post_packed(const char *target, const struct buf *packed, struct reply *r)
{
	static const char *const headers[] = { "Content-Type", "application/json",
		"Content-Encoding", "gzip", NULL };
	struct http_call c = { .config = &config,
		.method = "POST",
		.target = target,
		.headers = headers,
		.body = packed->data,
		.n_body = packed->len };

	config.routes = rig_routes;
	config.clock = &system_clock;
	http_call(&c, NULL, r);
}

START_TEST(gzip_bodies_are_unpacked_within_limits)
{
	char *zeros = xcalloc(1, 70 * MiB);
	struct buf packed = { 0 };
	struct reply r;

	memset(zeros, ' ', 70 * MiB);
	gzip_pack("{\"fail\":false}", 14, 6, &packed);
	post_packed("/rows", &packed, &r);
	ck_assert_int_eq(r.status, 201);
	reply_done(&r);
	packed.len -= 3;
	post_packed("/rows", &packed, &r);
	ck_assert_int_eq(r.status, 400);
	ck_assert(strstr(r.body.data, "not whole gzip data"));
	reply_done(&r);
	packed.len += 3;
	buf_add_char(&packed, 'x');
	post_packed("/rows", &packed, &r);
	ck_assert_int_eq(r.status, 400);
	reply_done(&r);
	buf_done(&packed);
	gzip_pack(zeros, 20 * KiB, 9, &packed); /* ten times the route's 1,024 bytes */
	post_packed("/rows", &packed, &r);
	ck_assert_int_eq(r.status, 413);
	ck_assert(strstr(r.body.data, "more than 10240 bytes when unpacked"));
	reply_done(&r);
	buf_done(&packed);
	gzip_pack(zeros, 70 * MiB, 9, &packed);
	post_packed("/upload", &packed, &r);
	ck_assert_int_eq(r.status, 413);
	ck_assert(strstr(r.body.data, "more than 67108864 bytes"));
	reply_done(&r);
	buf_done(&packed);
	free(zeros);
}
END_TEST

START_TEST(entity_tags_save_bodies)
{
	static const struct {
		const char *known;
		int status;
	} cases[] = { { "\"v1\"", 304 }, { "W/\"v1\"", 304 }, { "*", 304 },
		{ "\"v0\", \"v1\"", 304 }, { "\"v0\"", 200 }, { "\"v1-gz\"", 304 },
		{ "v1", 200 }, { "\"v11\"", 200 }, { "", 200 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *headers[] = { "If-None-Match", cases[i].known, NULL };
		struct reply r;

		call(&r, "GET", "/items/x", NULL, headers);
		ck_assert_msg(r.status == cases[i].status, "%s: %d", cases[i].known, r.status);
		ck_assert_str_eq(reply_header(&r, "ETag"), "\"v1\"");
		ck_assert(r.status == 200 || r.body.len == 0);
		reply_done(&r);
	}
}
END_TEST

START_TEST(numbers_in_queries_have_limits)
{
	check_get("/big?n=-1", 400, "'n' is '-1'; it must be a whole number from 0 to");
	check_get("/big?n=9999999999999999999999", 400, "whole number");
	check_get("/big?n=", 400, "whole number");
	check_get("/big?n=1x", 400, "whole number");
	check_get("/wait?wait=soon", 400, "it must be a duration such as 60s");
	check_get("/wait?wait=1ms", 200, "deadline");
}
END_TEST

/* --- access --- */

static int ask(const char *method, const char *target, const char *const *headers)
{
	struct reply r;
	int status;

	call(&r, method, target, NULL, headers);
	status = r.status;
	reply_done(&r);
	return status;
}

#define HEADERS(...) ((const char *const[]){ __VA_ARGS__, NULL })

START_TEST(on_loopback_without_tokens_everybody_may)
{
	config = (struct server_config){ 0 };
	ck_assert_int_eq(ask("GET", "/who", NULL), 200);
	ck_assert_int_eq(ask("POST", "/jobs", NULL), 202);
	ck_assert_int_eq(ask("POST", "/jobs", HEADERS("Host", "127.0.0.1:6610")), 202);
	ck_assert_int_eq(ask("POST", "/jobs", HEADERS("Host", "[::1]:6610")), 202);
	config.kept_back = 1u << S_SUBMIT;
	ck_assert_int_eq(ask("GET", "/who", NULL), 200);
	ck_assert_int_eq(ask("POST", "/jobs", NULL), 401);
}
END_TEST

START_TEST(another_name_for_loopback_is_refused)
{
	config = (struct server_config){ 0 };
	ck_assert_int_eq(ask("GET", "/who", HEADERS("Host", "evil.example")), 403);
	ck_assert_int_eq(ask("GET", "/who", HEADERS("Host", "localhost.evil.example")), 403);
	ck_assert_int_eq(ask("GET", "/who", HEADERS("Host", "127.0.0.1.evil.example")), 403);
	ck_assert_int_eq(ask("GET", "/healthz", HEADERS("Host", "evil.example")), 200);
	config.public_url = "https://bench.example";
	ck_assert_int_eq(ask("GET", "/who", HEADERS("Host", "bench.example")), 200);
	ck_assert_int_eq(ask("GET", "/who", HEADERS("Host", "bench.example.evil")), 403);
}
END_TEST

START_TEST(other_sites_cannot_write_through_a_browser)
{
	config = (struct server_config){ 0 };
	ck_assert_int_eq(ask("POST", "/jobs", HEADERS("Sec-Fetch-Site", "cross-site")), 403);
	ck_assert_int_eq(ask("POST", "/jobs", HEADERS("Sec-Fetch-Site", "same-site")), 403);
	ck_assert_int_eq(ask("POST", "/jobs", HEADERS("Sec-Fetch-Site", "same-origin")), 202);
	ck_assert_int_eq(ask("POST", "/jobs", HEADERS("Origin", "https://evil.example")), 403);
	ck_assert_int_eq(ask("POST", "/jobs", HEADERS("Origin", "null")), 403);
	ck_assert_int_eq(
		ask("POST", "/jobs",
			HEADERS("Origin", "http://localhost:1", "Host", "localhost:1")),
		202);
	ck_assert_int_eq(
		ask("POST", "/jobs",
			HEADERS("Origin", "http://localhost:2", "Host", "localhost:1")),
		403);
	ck_assert_int_eq(ask("GET", "/who", HEADERS("Sec-Fetch-Site", "cross-site")), 200);
	config.public_url = "https://bench.example";
	ck_assert_int_eq(ask("POST", "/jobs", HEADERS("Origin", "https://bench.example")), 202);
}
END_TEST

START_TEST(tokens_give_their_scopes)
{
	config = (struct server_config){ .require_tokens = true };
	ck_assert_int_eq(ask("GET", "/who", NULL), 401);
	ck_assert_int_eq(ask("GET", "/healthz", NULL), 200);
	ck_assert_int_eq(ask("GET", "/who", HEADERS("Authorization", "Basic eDp5")), 401);
	ck_assert_int_eq(ask("GET", "/who", HEADERS("Authorization", "Bearer wrong")), 401);
	ck_assert_int_eq(ask("GET", "/who", HEADERS("Authorization", "Bearer old")), 401);
	ck_assert_int_eq(ask("GET", "/who", HEADERS("Authorization", "Bearer gone")), 401);
	ck_assert_int_eq(ask("GET", "/who", HEADERS("Authorization", "Bearer good-read")), 200);
	ck_assert_int_eq(
		ask("POST", "/jobs", HEADERS("Authorization", "Bearer good-read")), 403);
	ck_assert_int_eq(
		ask("POST", "/jobs", HEADERS("Authorization", "bearer  good-submit")), 202);
	ck_assert_int_eq(
		ask("GET", "/who", HEADERS("Authorization", "Bearer good-submit")), 200);
	ck_assert_int_eq(
		ask("POST", "/jobs", HEADERS("Authorization", "Bearer good-admin")), 202);
	config.allow_anonymous_read = true;
	ck_assert_int_eq(ask("GET", "/who", NULL), 200);
	ck_assert_int_eq(ask("POST", "/jobs", NULL), 401);
}
END_TEST

START_TEST(a_refused_token_says_what_is_needed)
{
	struct reply r;

	config = (struct server_config){ .require_tokens = true };
	call(&r, "POST", "/jobs", NULL, HEADERS("Authorization", "Bearer good-read"));
	ck_assert(strstr(r.body.data, "the token 'reader' lacks the scope 'submit'"));
	reply_done(&r);
	call(&r, "POST", "/jobs", NULL, NULL);
	ck_assert(strstr(r.body.data, "needs a token with scope 'submit'"));
	ck_assert_str_eq(reply_header(&r, "WWW-Authenticate"), "Bearer realm=\"benchd\"");
	ck_assert(!strstr(r.body.data, "wrong"));
	reply_done(&r);
}
END_TEST

/* --- idempotency --- */

static void file_job(const char *key, const char *body, struct reply *r)
{
	call(r, "POST", "/jobs", body,
		HEADERS("Idempotency-Key", key, "Content-Type", "application/json"));
}

START_TEST(the_same_key_is_carried_out_once)
{
	struct reply a, b, c;

	config = (struct server_config){ 0 };
	fake_reset();
	file_job("k1", "{\"a\":1}", &a);
	file_job("k1", "{\"a\":1}", &b);
	file_job("k1", "{\"a\":2}", &c);
	ck_assert_int_eq(a.status, 202);
	ck_assert_ptr_null(reply_header(&a, "Idempotency-Replayed"));
	ck_assert_int_eq(b.status, 202);
	ck_assert_str_eq(reply_header(&b, "Idempotency-Replayed"), "true");
	ck_assert_str_eq(reply_header(&b, "Location"), "/jobs/1");
	ck_assert_str_eq(buf_str(&a.body), buf_str(&b.body));
	ck_assert_int_eq(c.status, 422);
	ck_assert(strstr(c.body.data, "was used before with another body"));
	reply_done(&a);
	reply_done(&b);
	reply_done(&c);
}
END_TEST

START_TEST(keys_have_limits)
{
	char long_key[300];
	struct reply r;

	config = (struct server_config){ 0 };
	memset(long_key, 'k', sizeof(long_key) - 1);
	long_key[sizeof(long_key) - 1] = 0;
	file_job(long_key, "{}", &r);
	ck_assert_int_eq(r.status, 400);
	ck_assert(strstr(r.body.data, "it must have 1 to 255"));
	reply_done(&r);
	file_job("\xc3\xa4", "{}", &r);
	ck_assert_int_eq(r.status, 400);
	reply_done(&r);
}
END_TEST

/* --- packed answers, files, pages: over a socket, since they belong to the server --- */

static const struct embed assets[] = {
	{ "app.css", (const unsigned char *)"body { color: black }", 21 },
	{ "app.js", NULL, 0 }, /* filled by the test: large enough to pack */
	{ NULL, NULL, 0 },
};

START_TEST(large_answers_are_packed_for_those_who_take_it)
{
	struct answer a = { 0 };
	struct buf out = { 0 };
	struct error err;
	char value[256];
	struct rig r;

	rig_init(&r);
	rig_start(&r);
	fetch(&r, "GET", "/big?n=100000", "Accept-Encoding: br, gzip;q=0.5\r\n", NULL, &a);
	ck_assert_str_eq(answer_header(&a, "Content-Encoding", value), "gzip");
	ck_assert_str_eq(answer_header(&a, "Vary", value), "Accept-Encoding");
	ck_assert_str_eq(answer_header(&a, "ETag", value), "\"big-gz\"");
	ck_assert_int_lt((int)a.body.len, 5000);
	ck_assert_int_eq(gzip_unpack(&a.body, 1000000, &out, &err), OK);
	ck_assert_int_eq((int)out.len, 100000);
	fetch(&r, "GET", "/big?n=100000", "Accept-Encoding: gzip;q=0\r\n", NULL, &a);
	ck_assert_ptr_null(answer_header(&a, "Content-Encoding", value));
	ck_assert_int_eq((int)a.body.len, 100000);
	fetch(&r, "GET", "/big?n=1000", "Accept-Encoding: gzip\r\n", NULL, &a);
	ck_assert_ptr_null(answer_header(&a, "Content-Encoding", value));
	buf_done(&out);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(files_are_served_by_name_and_by_hash)
{
	static char script[4096];
	struct embed files[3];
	struct answer a = { 0 };
	char value[256], url[300];
	const char *start;
	struct rig r;

	memset(script, 'x', sizeof(script));
	memcpy(files, assets, sizeof(files));
	files[1].data = (const unsigned char *)script;
	files[1].n = sizeof(script);
	rig_init(&r);
	r.config.assets = files;
	rig_start(&r);
	fetch(&r, "GET", "/page", NULL, NULL, &a);
	ck_assert(strstr(
		answer_header(&a, "Content-Security-Policy", value), "default-src 'none'"));
	ck_assert_str_eq(answer_header(&a, "Referrer-Policy", value), "same-origin");
	ck_assert_str_eq(answer_header(&a, "Cache-Control", value), "no-cache");
	start = strstr(buf_str(&a.body), "/assets/");
	ck_assert_ptr_nonnull(start);
	snprintf(url, sizeof(url), "/files/%.*s", (int)strcspn(start + 8, "\""), start + 8);
	fetch(&r, "GET", url, NULL, NULL, &a);
	ck_assert_int_eq(a.status, 200);
	ck_assert_str_eq(buf_str(&a.body), "body { color: black }");
	ck_assert_str_eq(answer_header(&a, "Cache-Control", value),
		"public, max-age=31536000, immutable");
	ck_assert_str_eq(answer_header(&a, "Content-Type", value), "text/css; charset=utf-8");
	fetch(&r, "GET", "/files/app.css", NULL, NULL, &a);
	ck_assert_str_eq(answer_header(&a, "Cache-Control", value), "no-cache");
	fetch(&r, "GET", "/files/app.js", "Accept-Encoding: gzip\r\n", NULL, &a);
	ck_assert_str_eq(answer_header(&a, "Content-Encoding", value), "gzip");
	ck_assert_int_lt((int)a.body.len, 200);
	answer_header(&a, "ETag", value);
	snprintf(url, sizeof(url), "If-None-Match: %s\r\n", value);
	fetch(&r, "GET", "/files/app.js", url, NULL, &a);
	ck_assert_int_eq(a.status, 304);
	fetch(&r, "GET", "/files/app.js", NULL, NULL, &a);
	ck_assert_int_eq((int)a.body.len, (int)sizeof(script));
	fetch(&r, "GET", "/files/..%2fetc", NULL, NULL, &a);
	ck_assert_int_eq(a.status, 404);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(a_large_upload_is_unpacked_off_the_writer)
{
	struct buf text = { 0 }, packed = { 0 };
	struct answer a = { 0 };
	struct rig r;
	int fd;

	buf_add_str(&text, "[");
	for (int i = 0; i < 100000; i++)
		buf_printf(&text, "%s%d", i ? "," : "", i);
	buf_add_str(&text, "]");
	gzip_pack(text.data, text.len, 6, &packed);
	rig_init(&r);
	rig_start(&r);
	fd = client_connect(&r);
	client_printf(fd,
		"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: "
		"gzip\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
		packed.len);
	client_send(fd, packed.data, packed.len);
	client_read(fd, &a);
	ck_assert_int_eq(a.status, 200);
	ck_assert_int_eq(atoi(buf_str(&a.body)), (int)text.len);
	close(fd);
	buf_done(&text);
	buf_done(&packed);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(tokens_are_found_on_every_kind_of_thread)
{
	struct answer a = { 0 };
	struct rig r;

	rig_init(&r);
	r.config.require_tokens = true;
	rig_start(&r);
	fetch(&r, "GET", "/who", "Authorization: Bearer good-read\r\n", NULL, &a);
	ck_assert_str_eq(buf_str(&a.body), "reader"); /* a route of the loop */
	fetch(&r, "GET", "/items/x", "Authorization: Bearer good-read\r\n", NULL, &a);
	ck_assert_int_eq(a.status, 200);
	fetch(&r, "POST", "/rows", "Authorization: Bearer good-submit\r\n", "{}", &a);
	ck_assert_int_eq(a.status, 201);
	fetch(&r, "POST", "/rows", "Authorization: Bearer good-read\r\n", "{}", &a);
	ck_assert_int_eq(a.status, 403);
	fetch(&r, "POST", "/rows", NULL, "{}", &a);
	ck_assert_int_eq(a.status, 401);
	ck_assert_int_eq(fake.rows, 1);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(a_stored_answer_is_replayed_over_the_wire)
{
	struct answer a = { 0 };
	char value[256];
	struct rig r;

	rig_init(&r);
	rig_start(&r);
	fake.fail_commit = E_DB;
	fetch(&r, "POST", "/jobs", "Idempotency-Key: k\r\n", "{}", &a);
	ck_assert_int_eq(a.status, 500);
	fake.fail_commit = 0; /* nothing was stored, so the retry does the work */
	fetch(&r, "POST", "/jobs", "Idempotency-Key: k\r\n", "{}", &a);
	ck_assert_int_eq(a.status, 202);
	ck_assert_ptr_null(answer_header(&a, "Idempotency-Replayed", value));
	fetch(&r, "POST", "/jobs", "Idempotency-Key: k\r\n", "{}", &a);
	ck_assert_int_eq(a.status, 202);
	ck_assert_str_eq(answer_header(&a, "Idempotency-Replayed", value), "true");
	ck_assert_int_eq(fake.rows, 1);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

SUITE("http-parts", paths_are_taken_apart_before_they_are_decoded,
	bad_targets_are_refused_in_words, too_many_query_parameters_are_refused,
	methods_without_a_row_name_those_with_one, the_form_is_negotiated,
	a_suffix_belongs_to_the_name_only_where_the_template_says_so,
	errors_are_problems_with_benchers_members, bodies_must_be_json_and_not_too_large,
	gzip_bodies_are_unpacked_within_limits, entity_tags_save_bodies,
	numbers_in_queries_have_limits, on_loopback_without_tokens_everybody_may,
	another_name_for_loopback_is_refused, other_sites_cannot_write_through_a_browser,
	tokens_give_their_scopes, a_refused_token_says_what_is_needed,
	the_same_key_is_carried_out_once, keys_have_limits,
	large_answers_are_packed_for_those_who_take_it, files_are_served_by_name_and_by_hash,
	a_large_upload_is_unpacked_off_the_writer, tokens_are_found_on_every_kind_of_thread,
	a_stored_answer_is_replayed_over_the_wire)
