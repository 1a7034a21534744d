/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One HTTP request with limits on everything. */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/clock.h"
#include "daemon/notify/curl.h"
#include "daemon/notify/internal.h"

struct wire {
	const struct notify_rules *rules;
	const atomic_bool *is_stopping;
	const struct curl_calls *lib; /* NULL until the first call */
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
	return w;
}

void wire_free(struct wire *w)
{
	if (!w)
		return;
	if (w->curl)
		w->lib->easy_cleanup(w->curl);
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

static void set_limits(struct wire *w)
{
	const struct notify_rules *n = w->rules;
	long ms = (long)(n->timeout_ns / NS_PER_MS);

	w->lib->easy_setopt(w->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	w->lib->easy_setopt(w->curl, CURLOPT_FOLLOWLOCATION, 0L);
	w->lib->easy_setopt(w->curl, CURLOPT_PROXY, ""); /* also not those of the environment */
	w->lib->easy_setopt(w->curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	w->lib->easy_setopt(w->curl, CURLOPT_NOSIGNAL, 1L);
	w->lib->easy_setopt(w->curl, CURLOPT_TIMEOUT_MS, ms);
	w->lib->easy_setopt(w->curl, CURLOPT_CONNECTTIMEOUT_MS, ms);
	if (n->ca_file)
		w->lib->easy_setopt(w->curl, CURLOPT_CAINFO, n->ca_file);
	w->lib->easy_setopt(w->curl, CURLOPT_USERAGENT, "benchd/" PACKAGE_VERSION);
}

static void set_callbacks(struct call *c)
{
	const struct wire *w = c->w;

	w->lib->easy_setopt(w->curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	w->lib->easy_setopt(w->curl, CURLOPT_OPENSOCKETDATA, c);
	w->lib->easy_setopt(w->curl, CURLOPT_WRITEFUNCTION, on_body);
	w->lib->easy_setopt(w->curl, CURLOPT_WRITEDATA, c);
	w->lib->easy_setopt(w->curl, CURLOPT_HEADERFUNCTION, on_header);
	w->lib->easy_setopt(w->curl, CURLOPT_HEADERDATA, c);
	w->lib->easy_setopt(w->curl, CURLOPT_NOPROGRESS, 0L);
	w->lib->easy_setopt(w->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	w->lib->easy_setopt(w->curl, CURLOPT_XFERINFODATA, c);
}

static void set_request(
	struct wire *w, const struct wire_request *rq, struct curl_slist *headers)
{
	w->lib->easy_setopt(w->curl, CURLOPT_URL, rq->url);
	w->lib->easy_setopt(w->curl, CURLOPT_CUSTOMREQUEST, rq->method);
	w->lib->easy_setopt(w->curl, CURLOPT_HTTPHEADER, headers);
	if (rq->body) {
		w->lib->easy_setopt(w->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(rq->body));
		w->lib->easy_setopt(w->curl, CURLOPT_POSTFIELDS, rq->body);
	}
}

static void take_end(struct call *c, CURLcode code)
{
	const struct wire *w = c->w;
	struct wire_answer *an = c->an;
	curl_off_t wait = 0;

	w->lib->easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &an->status);
	w->lib->easy_getinfo(w->curl, CURLINFO_RETRY_AFTER, &wait);
	an->retry_after_s = (int64_t)wait;
	if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && an->is_cut))
		return;
	an->status = 0;
	if (an->is_forbidden)
		snprintf(an->text, sizeof(an->text),
			"'%.120s' has a private address; list it under outgoing.allow",
			c->rq->url);
	else
		snprintf(an->text, sizeof(an->text), "%s", w->lib->easy_strerror(code));
}

static int begin(struct wire *w, struct error *err)
{
	int r = w->curl ? OK : curl_load(&w->lib, err);

	if (r == OK && !w->curl)
		w->curl = w->lib->easy_init();
	if (r == OK && !w->curl)
		r = error_set(err, E_UNAVAILABLE, "libcurl does not start");
	if (r == OK)
		w->lib->easy_reset(w->curl);
	return r;
}

void wire_call(struct wire *w, const struct wire_request *rq, struct wire_answer *ret)
{
	struct call c = { .w = w, .rq = rq, .an = ret };
	struct curl_slist *headers = NULL;
	struct error err;

	*ret = (struct wire_answer){ .limit_left = -1 };
	if (begin(w, &err) < 0) {
		snprintf(ret->text, sizeof(ret->text), "%.199s", err.text);
		return;
	}
	for (const char *const *h = rq->headers; *h; h++)
		headers = w->lib->slist_append(headers, *h);
	headers = w->lib->slist_append(headers, "Expect:");
	if (rq->body)
		headers = w->lib->slist_append(headers, "Content-Type: application/json");
	set_limits(w);
	set_callbacks(&c);
	set_request(w, rq, headers);
	take_end(&c, w->lib->easy_perform(w->curl));
	w->lib->slist_free_all(headers);
}

/* --- what it means --- */

/* GitHub's second kind of limit has no header of its own. */
static bool names_limit(const struct wire_answer *an)
{
	const char *body = buf_str(&an->body);

	return strcasestr(body, "secondary rate limit") || strcasestr(body, "abuse detection");
}

/* GitHub says 403 as well as 429 when its limits are used up. */
static bool is_limited(const struct wire_answer *an)
{
	return an->status == 429 ||
	       (an->status == 403 &&
		       (an->retry_after_s > 0 || an->limit_left == 0 || names_limit(an)));
}

/* Source: GitHub, "Rate limits for the REST API": Retry-After, else the time of the reset, else
 * at least a minute. */
static int64_t asked_wait_ns(const struct wire_answer *an, int64_t now_ns)
{
	if (an->retry_after_s > 0)
		return an->retry_after_s * NS_PER_S;
	if (an->limit_left == 0 && an->limit_reset_s > now_ns / NS_PER_S)
		return (an->limit_reset_s - now_ns / NS_PER_S + 1) * NS_PER_S;
	return is_limited(an) ? 60 * NS_PER_S : 0;
}

void wire_judge(const struct wire_answer *an, int64_t now_ns, struct send_result *ret)
{
	long s = an->status;

	*ret = (struct send_result){
		.outcome = SEND_GIVE_UP, .status = s, .is_limited = is_limited(an)
	};
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
