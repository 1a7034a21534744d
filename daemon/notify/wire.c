/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One HTTP request with limits on everything. */
#include <config.h>

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/clock.h"
#include "daemon/notify/internal.h"

struct wire {
	const struct notify_rules *rules;
	const atomic_bool *is_stopping;
	CURL *curl;
};

/* One call on its way. */
struct call {
	struct wire *w;
	const struct wire_request *rq;
	struct wire_answer *an;
};

struct wire *wire_new(const struct notify_rules *n, const atomic_bool *is_stopping)
{
	struct wire *w = xcalloc(1, sizeof(*w));

	w->rules = n;
	w->is_stopping = is_stopping;
	w->curl = curl_easy_init();
	return w;
}

void wire_free(struct wire *w)
{
	if (!w)
		return;
	if (w->curl)
		curl_easy_cleanup(w->curl);
	free(w);
}

/* --- callbacks of curl --- */

static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct call *c = arg;

	if (!notify_address_is_allowed(c->w->rules, &a->addr)) {
		c->an->is_forbidden = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct call *c = arg;
	size_t room = c->rq->max_answer - c->an->body.len, bytes = size * n;

	if (bytes > room) {
		buf_add(&c->an->body, p, room);
		c->an->is_cut = true;
		return 0; /* ends the transfer; the status is known */
	}
	buf_add(&c->an->body, p, bytes);
	return bytes;
}

static bool header_value(const char *line, const char *name, int64_t *ret)
{
	size_t n = strlen(name);
	char *end;

	if (strncasecmp(line, name, n) || line[n] != ':')
		return false;
	line += n + 1;
	*ret = strtoll(line, &end, 10);
	return end != line && *ret >= 0;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct call *c = arg;
	char line[128];

	snprintf(line, sizeof(line), "%.*s", (int)MIN(size * n, sizeof(line) - 1), p);
	(void)(header_value(line, "X-RateLimit-Remaining", &c->an->limit_left) ||
		header_value(line, "X-RateLimit-Reset", &c->an->limit_reset_s));
	return size * n;
}

static int on_progress(
	void *arg, curl_off_t dl, curl_off_t dl_now, curl_off_t ul, curl_off_t ul_now)
{
	struct call *c = arg;

	return atomic_load(c->w->is_stopping); /* not 0: abort */
}

/* --- the call --- */

static void set_limits(CURL *curl, const struct notify_rules *n)
{
	long ms = (long)(n->timeout_ns / NS_PER_MS);

	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* also not those of the environment */
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ms);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, ms);
	if (n->ca_file)
		curl_easy_setopt(curl, CURLOPT_CAINFO, n->ca_file);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "benchd/" PACKAGE_VERSION);
}

static void set_callbacks(CURL *curl, struct call *c)
{
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, c);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, c);
}

static void set_request(CURL *curl, const struct wire_request *rq, struct curl_slist *headers)
{
	curl_easy_setopt(curl, CURLOPT_URL, rq->url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, rq->method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (rq->body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(rq->body));
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, rq->body);
	}
}

static void take_end(struct call *c, CURLcode code)
{
	struct wire_answer *an = c->an;
	curl_off_t wait = 0;

	curl_easy_getinfo(c->w->curl, CURLINFO_RESPONSE_CODE, &an->status);
	curl_easy_getinfo(c->w->curl, CURLINFO_RETRY_AFTER, &wait);
	an->retry_after_s = (int64_t)wait;
	if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && an->is_cut))
		return;
	an->status = 0;
	if (an->is_forbidden)
		snprintf(an->text, sizeof(an->text),
			"'%.120s' has a private address; list it under outgoing.allow",
			c->rq->url);
	else
		snprintf(an->text, sizeof(an->text), "%s", curl_easy_strerror(code));
}

void wire_call(struct wire *w, const struct wire_request *rq, struct wire_answer *ret)
{
	struct call c = { .w = w, .rq = rq, .an = ret };
	struct curl_slist *headers = NULL;

	*ret = (struct wire_answer){ .limit_left = -1 };
	if (!w->curl) {
		snprintf(ret->text, sizeof(ret->text), "libcurl does not start");
		return;
	}
	for (const char *const *h = rq->headers; *h; h++)
		headers = curl_slist_append(headers, *h);
	headers = curl_slist_append(headers, "Expect:");
	if (rq->body)
		headers = curl_slist_append(headers, "Content-Type: application/json");
	curl_easy_reset(w->curl);
	set_limits(w->curl, w->rules);
	set_callbacks(w->curl, &c);
	set_request(w->curl, rq, headers);
	take_end(&c, curl_easy_perform(w->curl));
	curl_slist_free_all(headers);
}

/* --- what it means --- */

/* GitHub says 403 as well as 429 when its limits are used up. */
static bool is_limited(const struct wire_answer *an)
{
	return an->status == 429 ||
	       (an->status == 403 && (an->retry_after_s > 0 || an->limit_left == 0));
}

static int64_t asked_wait_ns(const struct wire_answer *an, int64_t now_ns)
{
	int64_t until_reset = 0;

	if (an->retry_after_s > 0)
		return an->retry_after_s * NS_PER_S;
	if (an->limit_left == 0 && an->limit_reset_s > now_ns / NS_PER_S)
		until_reset = (an->limit_reset_s - now_ns / NS_PER_S + 1) * NS_PER_S;
	return until_reset;
}

void wire_judge(const struct wire_answer *an, int64_t now_ns, struct send_result *ret)
{
	long s = an->status;

	*ret = (struct send_result){ .outcome = SEND_GIVE_UP, .status = s };
	if (s >= 200 && s < 300)
		ret->outcome = SEND_DONE;
	else if ((s == 0 && !an->is_forbidden) || s == 408 || s >= 500 || is_limited(an))
		ret->outcome = SEND_RETRY;
	if (ret->outcome == SEND_RETRY)
		ret->wait_ns = asked_wait_ns(an, now_ns);
	if (s == 0)
		snprintf(ret->text, sizeof(ret->text), "%s", an->text);
	else if (s >= 300 && s < 400)
		snprintf(ret->text, sizeof(ret->text),
			"HTTP %ld: redirects are not followed; configure the final address", s);
	else if (is_limited(an))
		snprintf(
			ret->text, sizeof(ret->text), "HTTP %ld: the rate limit is used up", s);
	else
		snprintf(ret->text, sizeof(ret->text), "HTTP %ld", s);
}
