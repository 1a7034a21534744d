/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "client/client.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *accept_of(enum output o)
{
	static const char *const types[] = { "text/plain", "application/json", "text/csv",
		"text/markdown", "application/xml", "application/openmetrics-text",
		"application/vnd.hyperfine+json", "text/html" };

	return types[o];
}

void note(struct client *c, const char *fmt, ...)
{
	va_list ap;

	if (c->quiet)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int complain(struct client *c, const struct error *err)
{
	(void)c;
	fprintf(stderr, "benchctl: %s\n", err->text);
	if (err->code == E_UNAVAILABLE)
		return EXIT_UNREACHABLE;
	return err->code == E_FORBIDDEN || err->code == E_UNAUTHORIZED ? EXIT_AUTH
								       : EXIT_FAILED;
}

/* "404 Not found: there is no job 'x'\n", asked for as text: what is behind the status. */
static const char *plain_reason(struct client *c, const struct answer *a)
{
	const char *text = buf_str(&a->body), *colon = strstr(text, ": ");

	if (a->body.len == 0)
		return "the daemon refused";
	if (isdigit((unsigned char)*text) && colon)
		text = colon + 2;
	return arena_strndup(c->arena, text, strcspn(text, "\n"));
}

int complain_answer(struct client *c, const struct answer *a)
{
	const json_t *errors = json_object_get(a->json, "errors");
	const char *detail = json_get_str(a->json, "detail", NULL);
	const char *pointer = json_get_str(json_array_get(errors, 0), "pointer", "");

	if (c->output == OUT_JSON && a->json)
		json_dumpf(a->json, stdout, JSON_INDENT(2)), putchar('\n');
	fprintf(stderr, "benchctl: %s%s%s%s (HTTP %ld)\n", detail ? detail : plain_reason(c, a),
		*pointer ? " [" : "", pointer, *pointer ? "]" : "", a->status);
	if (a->status == 401)
		fputs("benchctl: set BENCHD_TOKEN or BENCHD_TOKEN_FILE\n", stderr);
	if (a->status == 401 || a->status == 403)
		return EXIT_AUTH;
	return a->status == 503 ? EXIT_UNREACHABLE : EXIT_FAILED;
}

int fetch_json(struct client *c, const char *path, long also, json_t **ret)
{
	struct error err = { 0 };
	struct answer a;
	int code = EXIT_OK;

	if (api_call(c, "GET", path, NULL, NULL, &a, &err) < 0)
		return complain(c, &err);
	*ret = a.json;
	if (!a.json || (a.status >= 400 && a.status != also))
		code = complain_answer(c, &a);
	buf_done(&a.body);
	return code;
}

int make_and_print(struct client *c, const char *path, const json_t *body, const char *member,
	const char *advice)
{
	struct error err = { 0 };
	struct answer a;
	int code = EXIT_OK;

	if (api_call(c, "POST", path, body, NULL, &a, &err) < 0)
		return complain(c, &err);
	if (a.status >= 400) {
		code = complain_answer(c, &a);
	} else if (c->output == OUT_JSON) {
		json_dumpf(a.json, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		printf("%s\n", json_get_str(a.json, member, ""));
		if (advice)
			note(c, "%s", advice);
	}
	buf_done(&a.body);
	return code;
}

int print_path(struct client *c, const char *path)
{
	struct error err = { 0 };
	struct answer a;
	int code = EXIT_OK;

	if (api_call(c, "GET", path, NULL, accept_of(c->output), &a, &err) < 0)
		return complain(c, &err);
	if (a.status >= 400) {
		code = complain_answer(c, &a);
	} else if (c->output == OUT_JSON && a.json) {
		json_dumpf(a.json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
		putchar('\n');
	} else {
		fwrite(buf_str(&a.body), 1, a.body.len, stdout);
		if (a.body.len && a.body.data[a.body.len - 1] != '\n')
			putchar('\n');
	}
	buf_done(&a.body);
	return code;
}

const char *url_part(struct client *c, const char *s)
{
	char *out = arena_alloc(c->arena, 3 * strlen(s) + 1), *p = out;

	for (; *s; s++)
		if (isalnum((unsigned char)*s) || strchr("-._~", *s))
			*p++ = *s;
		else
			p += sprintf(p, "%%%02X", (unsigned char)*s);
	return out;
}

const char *project_path(struct client *c, const char *fmt, ...)
{
	char tail[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(tail, sizeof(tail), fmt, ap);
	va_end(ap);
	return arena_printf(c->arena, "/v0/projects/%s%s", url_part(c, c->project), tail);
}

const char *add_query(struct client *c, const char *path, const char *name, const char *value)
{
	if (!value)
		return path;
	return arena_printf(c->arena, "%s%c%s=%s", path, strchr(path, '?') ? '&' : '?', name,
		url_part(c, value));
}
