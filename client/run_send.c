/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sending of `benchctl run`. The body lies in the spool, one file a run named by its
 * idempotency key, from before the first try until the daemon has it: a benchmark that took an
 * hour is not lost to a daemon that is being updated, and what is sent twice is stored once. */
#include "client/run.h"

#include <dirent.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "base/fs.h"
#include "base/secret.h"

enum { ATTEMPTS = 10, MAX_ATTEMPTS = 1000, MAX_WAIT_S = 30, MAX_SPOOL = 64 * 1024 * 1024 };

static const char *spool_dir(struct client *c)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && *state == '/')
		return arena_printf(c->arena, "%s/benchctl/spool", state);
	return arena_printf(c->arena, "%s/.local/state/benchctl/spool",
		home && *home == '/' ? home : "/tmp");
}

/* Where the body was kept; NULL (after a note) when it could not be: it is sent all the same.
 */
static const char *keep(struct client *c, const json_t *body)
{
	_cleanup_(json_decref)
	json_t *o = json_pack("{sssO}", "host", c->host, "body", body);
	const char *key = json_get_str(body, "idempotency_key", "");
	const char *path = arena_printf(c->arena, "%s/%s.json", spool_dir(c), key);
	_cleanup_(free)
	char *text = json_text(o);
	struct error err = { 0 };
	int r = uuid_is_valid(key) ? dir_make(spool_dir(c), 0700, &err) : E_BAD_REQUEST;

	if (r == OK)
		r = file_write(path, text, strlen(text), 0600, &err);
	if (r == OK)
		return path;
	if (r != E_BAD_REQUEST) /* a key that is no UUID: the daemon says so */
		note(c, "benchctl: the results are not kept on disk: %s", err.text);
	return NULL;
}

static bool is_worth_another_try(int r, const struct error *err, const struct answer *a)
{
	if (r < 0)
		return err->code == E_UNAVAILABLE;
	return a->status == 503 || a->status == 504 || a->status == 502;
}

/* Seconds before try number n (from 1): 1, 2, 4, ... */
static void wait_before(struct client *c, int64_t n, const char *why)
{
	int64_t s = n < 6 ? MIN((int64_t)1 << (n - 1), (int64_t)MAX_WAIT_S) : MAX_WAIT_S;
	struct timespec t = { .tv_sec = s };

	note(c, "benchctl: %s; trying again in %lld s", why, (long long)s);
	nanosleep(&t, NULL);
}

static int post(struct run *r, const json_t *body, int64_t attempts, struct answer *ret,
	struct error *err)
{
	int code;

	for (int64_t i = 1;; i++) {
		*err = (struct error){ 0 };
		code = api_call(r->c, "POST", "/v0/run", body, NULL, ret, err);
		if (i >= attempts || !is_worth_another_try(code, err, ret))
			return code;
		wait_before(r->c, i,
			code < 0 ? err->text : json_get_str(ret->json, "detail", "not now"));
		if (code == OK)
			buf_done(&ret->body);
	}
}

/* The report in the form the user asked for; JSON is what the upload itself gave. */
static int print_report(struct run *r, const struct answer *a)
{
	if (r->c->output != OUT_JSON)
		return print_path(r->c,
			arena_printf(r->c->arena, "/v0/projects/%s/reports/%s",
				url_part(r->c, json_get_str(json_object_get(a->json, "project"),
						       "slug", "")),
				url_part(r->c, json_get_str(a->json, "uuid", ""))));
	json_dumpf(a->json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
	putchar('\n');
	return EXIT_OK;
}

static int judge(struct run *r, const struct answer *a)
{
	const json_t *counts = json_object_get(json_object_get(a->json, "counts"), "alerts");
	int64_t n = json_get_int(counts, "total", 0);

	if (n > 0)
		note(r->c, "%lld alert%s", (long long)n, n == 1 ? "" : "s");
	return n > 0 && r->err ? EXIT_SLOWER : EXIT_OK;
}

static int kept(struct run *r, const char *path, int code)
{
	if (path)
		fprintf(stderr,
			"benchctl: the results are kept in '%s'; `benchctl run --resend` sends "
			"them\n",
			path);
	return code;
}

/* Sent again as it is, it would be refused again: what it holds is kept for a look, not for
 * --resend. */
static int refused(struct run *r, const char *path, int code)
{
	const char *aside = path ? arena_printf(r->c->arena, "%s.refused", path) : NULL;

	if (aside && rename(path, aside) == 0)
		fprintf(stderr,
			"benchctl: nothing was stored; what was sent is in '%s' "
			"(.body.results)\n",
			aside);
	return code;
}

static bool is_final(const struct answer *a)
{
	return a->status == 400 || a->status == 413 || a->status == 415 || a->status == 422;
}

static int send_body(struct run *r, const json_t *body, const char *path, int64_t attempts)
{
	struct error err = { 0 };
	struct answer a = { 0 };
	int code;

	if (post(r, body, attempts, &a, &err) < 0)
		return kept(r, path, complain(r->c, &err));
	if (a.status >= 400) {
		code = complain_answer(r->c, &a);
		buf_done(&a.body);
		return is_final(&a) ? refused(r, path, code) : kept(r, path, code);
	}
	if (path)
		unlink(path);
	code = print_report(r, &a);
	buf_done(&a.body);
	return code == EXIT_OK ? judge(r, &a) : code;
}

int run_send(struct run *r, json_t *body)
{
	int64_t attempts = ATTEMPTS;
	int code = EXIT_OK;
	const char *path;

	if (r->attempts)
		attempts = run_number(r, "attempts", r->attempts, 1, MAX_ATTEMPTS, &code);
	if (code != EXIT_OK)
		return code;
	path = keep(r->c, body);
	return send_body(r, body, path, attempts);
}

/* One file of the spool; those for other hosts stay. */
static int resend_file(struct run *r, const char *path)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	struct error err = { 0 };
	json_t *o, *body;

	if (file_read(path, MAX_SPOOL, &b, &err) < 0 ||
		json_parse(buf_str(&b), b.len, &o, &err) < 0)
		return complain(r->c, &err);
	arena_own_json(r->c->arena, o);
	body = json_object_get(o, "body");
	if (strcmp(json_get_str(o, "host", ""), r->c->host) != 0) {
		note(r->c, "'%s' is for %s", path, json_get_str(o, "host", "?"));
		return EXIT_OK;
	}
	return send_body(r, body, path, 1);
}

int run_resend(struct run *r)
{
	const char *dir = spool_dir(r->c);
	struct dirent **list = NULL;
	int n = scandir(dir, &list, NULL, alphasort), worst = EXIT_OK;

	for (int i = 0; i < n; i++) {
		size_t len = strlen(list[i]->d_name);

		if (len == UUID_TEXT - 1 + 5 && !strcmp(list[i]->d_name + len - 5, ".json")) {
			int code = resend_file(
				r, arena_printf(r->c->arena, "%s/%s", dir, list[i]->d_name));

			worst = code != EXIT_OK ? code : worst;
		}
		free(list[i]);
	}
	free(list);
	return worst;
}
