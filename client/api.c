/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "client/client.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "config.h"

enum { MAX_ANSWER = 256 * 1024 * 1024, ATTEMPTS = 4 };

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct buf *b = arg;

	if (b->len + size * n > MAX_ANSWER)
		return 0;
	buf_add(b, p, size * n);
	return size * n;
}

static void copy_header(const char *line, const char *name, char *out, size_t out_n)
{
	size_t n = strlen(name);

	if (strncasecmp(line, name, n) || line[n] != ':')
		return;
	line += n + 1;
	line += strspn(line, " \t");
	snprintf(out, out_n, "%.*s", (int)strcspn(line, "\r\n"), line);
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;
	char line[1024];

	snprintf(line, sizeof(line), "%.*s", (int)(size * n), p);
	copy_header(line, "content-type", a->content_type, sizeof(a->content_type));
	copy_header(line, "location", a->location, sizeof(a->location));
	copy_header(line, "etag", a->etag, sizeof(a->etag));
	return size * n;
}

static struct curl_slist *headers_of(
	struct client *c, const char *accept, const char *const *more, bool has_body)
{
	struct curl_slist *l = NULL;

	l = curl_slist_append(
		l, arena_printf(c->arena, "Accept: %s", accept ? accept : "application/json"));
	if (has_body)
		l = curl_slist_append(l, "Content-Type: application/json");
	if (c->token)
		l = curl_slist_append(
			l, arena_printf(c->arena, "Authorization: Bearer %s", c->token));
	l = curl_slist_append(l, "Expect:");
	for (; more && *more; more++)
		l = curl_slist_append(l, *more);
	return l;
}

static CURL *prepare(struct client *c, const char *path, struct curl_slist *headers)
{
	size_t n = strlen(c->host);

	if (!c->curl) {
		curl_global_init(CURL_GLOBAL_DEFAULT);
		c->curl = curl_easy_init();
	}
	curl_easy_reset(c->curl);
	while (n && c->host[n - 1] == '/')
		n--;
	if (!strncmp(c->host, "unix:", 5)) {
		curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, c->host + 5);
		curl_easy_setopt(c->curl, CURLOPT_URL,
			arena_printf(c->arena, "http://localhost%s", path));
	} else {
		curl_easy_setopt(c->curl, CURLOPT_URL,
			arena_printf(c->arena, "%.*s%s", (int)n, c->host, path));
	}
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT, 10L);
	curl_easy_setopt(c->curl, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(c->curl, CURLOPT_USERAGENT, "benchctl/" PACKAGE_VERSION);
	curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	if (c->ca)
		curl_easy_setopt(c->curl, CURLOPT_CAINFO, c->ca);
	return c->curl;
}

static bool is_connect_failure(CURLcode code)
{
	return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
	       code == CURLE_OPERATION_TIMEDOUT || code == CURLE_GOT_NOTHING ||
	       code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
}

static int unreachable(struct client *c, CURLcode code, struct error *err)
{
	return error_set(err, is_connect_failure(code) ? E_UNAVAILABLE : E_IO,
		"no answer from benchd at '%s': %s (is it running? set BENCHD_HOST or --host)",
		c->host, curl_easy_strerror(code));
}

int api_call_with(struct client *c, const char *method, const char *path, const json_t *body,
	const char *accept, const char *const *more, struct answer *ret, struct error *err)
{
	_cleanup_(free)
	char *text = body ? json_text(body) : NULL;
	struct curl_slist *headers;
	CURLcode code;
	CURL *curl;
	int r = config_check_token(c, err);

	*ret = (struct answer){ 0 };
	if (r < 0)
		return r;
	headers = headers_of(c, accept, more, body != NULL);
	curl = prepare(c, path, headers);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	if (text) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(text));
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
	} else if (!strcmp(method, "POST")) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, 0L);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
	}
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &ret->body);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, ret);
	code = curl_easy_perform(curl);
	/* A kept connection that the daemon closed meanwhile fails before it answers: once
	 * more. */
	if ((code == CURLE_GOT_NOTHING || code == CURLE_SEND_ERROR) && ret->body.len == 0 &&
		!strcmp(method, "GET"))
		code = curl_easy_perform(curl);
	curl_slist_free_all(headers);
	if (code != CURLE_OK) {
		buf_done(&ret->body);
		return unreachable(c, code, err);
	}
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &ret->status);
	if (strstr(ret->content_type, "json") && !strstr(ret->content_type, "ndjson")) {
		int r = json_parse(buf_str(&ret->body), ret->body.len, &ret->json, err);

		if (r < 0) {
			buf_done(&ret->body);
			return error_prefix(err, "the answer of '%s' is ", c->host);
		}
		arena_own_json(c->arena, ret->json);
	}
	return OK;
}

int api_call(struct client *c, const char *method, const char *path, const json_t *body,
	const char *accept, struct answer *ret, struct error *err)
{
	return api_call_with(c, method, path, body, accept, NULL, ret, err);
}

struct event_stream {
	struct buf line, data;
	char event[64];
	int64_t *last_id;
	event_fn on_event;
	void *arg;
	bool is_over;
};

static void stream_line(struct event_stream *s, const char *line)
{
	if (!*line) {
		if (s->data.len && s->on_event(s->arg, *s->event ? s->event : "message",
					   buf_str(&s->data)))
			s->is_over = true;
		buf_clear(&s->data);
		*s->event = 0;
	} else if (!strncmp(line, "id:", 3)) {
		*s->last_id = strtoll(line + 3, NULL, 10);
	} else if (!strncmp(line, "event:", 6)) {
		line += 6;
		snprintf(s->event, sizeof(s->event), "%s", line + strspn(line, " "));
	} else if (!strncmp(line, "data:", 5)) {
		line += 5;
		if (s->data.len)
			buf_add_char(&s->data, '\n');
		buf_add_str(&s->data, line + strspn(line, " "));
	}
}

static size_t on_stream(char *p, size_t size, size_t n, void *arg)
{
	struct event_stream *s = arg;

	for (size_t i = 0; i < size * n; i++) {
		if (p[i] == '\n') {
			stream_line(s, buf_str(&s->line));
			buf_clear(&s->line);
			if (s->is_over)
				return 0; /* ends the transfer */
		} else if (p[i] != '\r' && s->line.len < 1 << 20) {
			buf_add_char(&s->line, p[i]);
		}
	}
	return size * n;
}

int api_events(struct client *c, const char *path, int64_t *last_id, event_fn on_event,
	void *arg, struct error *err)
{
	struct event_stream s = { .last_id = last_id, .on_event = on_event, .arg = arg };
	char since[64];
	const char *more[] = { since, NULL };
	struct curl_slist *headers;
	long status = 0;
	CURLcode code;
	CURL *curl;
	int r;

	snprintf(since, sizeof(since), "Last-Event-ID: %lld", (long long)*last_id);
	r = config_check_token(c, err);
	if (r < 0)
		return r;
	headers = headers_of(c, "text/event-stream", more, false);
	curl = prepare(c, path, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_stream);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &s);
	/* The daemon sends a heartbeat every 15 s: a stream silent for a minute is dead. */
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 60L);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	buf_done(&s.line);
	buf_done(&s.data);
	if (s.is_over)
		return OK;
	if (status >= 400)
		return error_set(err, status == 404 ? E_NOT_FOUND : E_IO,
			"the daemon answered %ld to '%s'", status, path);
	return code == CURLE_OK ? error_set(err, E_UNAVAILABLE, "the daemon ended the stream")
				: unreachable(c, code, err);
}
