/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the server says of itself: help, versions, health, metrics, its API as a document. */
#include "daemon/http/handlers.h"

#include <string.h>
#include <jansson.h>

static const struct app *app_of(struct request *rq)
{
	return request_app(rq);
}

/* %1$s: base URL. One screen of 80 columns; every line can be pasted. */
static const char help[] =
	"benchd: continuous benchmarking on this machine\n"
	"\n"
	"Run a built-in kernel and wait for the result (the project is made on the way):\n"
	"  curl -H 'Accept: text/plain' --json '{\"workload\":\"stream.triad\"}' \\\n"
	"    '%1$s/v0/projects/demo/jobs?wait=60s'\n"
	"\n"
	"Compare two commits, when the workload has a repository:\n"
	"  curl -H 'Accept: text/plain' --json '{\"workload\":\"NAME\",\"base\":\"v1.0\","
	"\"head\":\"main\"}' \\\n"
	"    '%1$s/v0/projects/demo/jobs?wait=120s'\n"
	"\n"
	"Look:\n"
	"  curl '%1$s/v0/queue?format=text'\n"
	"  curl '%1$s/v0/projects/demo/jobs?format=text'\n"
	"  curl '%1$s/v0/projects/demo/reports?format=text'\n"
	"  curl '%1$s/v0/projects/demo/series?format=text'\n"
	"  curl '%1$s/v0/projects/demo/compare?base=main&head=feature&format=markdown'\n"
	"\n"
	"Fail a CI step when something got slower:\n"
	"  curl -f '%1$s/v0/projects/demo/gate?job=UUID&fail_on=slower,unknown'\n"
	"\n"
	"Every answer comes as JSON, text, Markdown or CSV: Accept, ?format= or .csv.\n"
	"%1$s/openapi.json lists everything; `man benchd-api` explains it.\n";

static void root_html(const char *text, struct buf *out)
{
	buf_add_str(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
			 "<title>benchd</title></head><body><pre>");
	html_escape(out, text);
	buf_add_str(out, "</pre></body></html>\n");
}

int get_root(struct request *rq, struct store *st, struct error *err)
{
	_cleanup_(buf_done)
	struct buf out = { 0 };
	const char *text = arena_printf(request_arena(rq), help, request_public_url(rq));
	enum format f;
	int r = request_format(rq, 1u << F_TEXT | 1u << F_HTML, &f, err);

	if (r < 0)
		return r;
	if (f == F_HTML)
		root_html(text, &out);
	else
		buf_add_str(&out, text);
	response_buf(rq, 200, format_mime(f), &out);
	return OK;
}

int get_healthz(struct request *rq, struct store *st, struct error *err)
{
	response_header(rq, "Cache-Control", "no-store");
	response_text(rq, 200, "text/plain; charset=utf-8", "ok\n");
	return OK;
}

static void add_check(json_t *list, const char *name, bool ok, const char *detail)
{
	json_t *o = json_object();

	json_set_str(o, "name", name);
	json_set_bool(o, "ok", ok);
	json_set_str(o, "detail", detail);
	json_array_append_new(list, o);
}

static void check_store(struct store *st, json_t *list)
{
	struct store_stats stats;
	struct error err = { 0 };
	char text[64];

	if (store_get_stats(st, &stats, &err) < 0) {
		add_check(list, "store", false, err.text);
		return;
	}
	snprintf(text, sizeof(text), "schema %lld", (long long)stats.schema_version);
	add_check(list, "store", true, text);
}

int get_readyz(struct request *rq, struct store *st, struct error *err)
{
	const struct app *app = app_of(rq);
	json_t *checks = json_array(), *more, *c, *doc = json_object();
	bool ok = true;
	size_t i;

	check_store(st, checks);
	more = app->checks ? app->checks(app->arg) : NULL;
	json_array_extend(checks, more);
	json_decref(more);
	json_array_foreach (checks, i, c)
		ok = ok && json_get_bool(c, "ok", false);
	json_set_bool(doc, "ready", ok);
	json_object_set_new(doc, "checks", checks);
	response_header(rq, "Cache-Control", "no-store");
	if (!ok)
		response_header(rq, "Retry-After", "5");
	return answer_json(rq, ok ? 200 : 503, doc);
}

int get_version(struct request *rq, struct store *st, struct error *err)
{
	json_t *doc = json_object(), *libraries = json_object();

	json_set_str(doc, "name", "benchd");
	json_set_str(doc, "version", app_of(rq)->version);
	json_set_str(doc, "api", "v0");
	json_set_str(libraries, "jansson", jansson_version_str());
	json_object_set_new(doc, "libraries", libraries);
	return answer_json(rq, 200, doc);
}

/* Digits and dots in three parts: what the bencher client sends as api-version. */
static bool is_version(const char *s)
{
	size_t n = s ? strlen(s) : 0, dots = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '.')
			dots++;
		else if (s[i] < '0' || s[i] > '9')
			return false;
	}
	return n >= 5 && n <= 20 && dots == 2 && s[0] != '.' && s[n - 1] != '.' &&
	       !strstr(s, "..");
}

/* The bencher client warns unless the server has its version: it gets its own back. */
int get_server_version(struct request *rq, struct store *st, struct error *err)
{
	const char *asked = request_header(rq, "api-version");
	json_t *doc = json_object();

	json_set_str(doc, "version", is_version(asked) ? asked : "0.6.12");
	json_set_str(doc, "benchd", app_of(rq)->version);
	return answer_json(rq, 200, doc);
}

int get_console(struct request *rq, struct store *st, struct error *err)
{
	json_t *doc = json_object();

	json_set_str(doc, "url", request_public_url(rq));
	return answer_json(rq, 200, doc);
}

int get_openapi(struct request *rq, struct store *st, struct error *err)
{
	return answer_json(
		rq, 200, openapi_document(app_of(rq)->version, request_public_url(rq)));
}

static void gauge(struct buf *out, const char *name, const char *help_text, double v)
{
	char number[32];

	buf_printf(out, "# TYPE %s gauge\n# HELP %s %s\n%s %s\n", name, name, help_text, name,
		json_number(v, number));
}

static int job_metrics(struct store *st, struct buf *out, struct error *err)
{
	int64_t counts[job_state_count];
	int r = store_job_counts(st, counts, err);

	if (r < 0)
		return r;
	buf_add_str(out, "# TYPE benchd_jobs gauge\n"
			 "# HELP benchd_jobs Jobs in the database by state.\n");
	for (int s = 0; s < job_state_count; s++)
		buf_printf(out, "benchd_jobs{state=\"%s\"} %lld\n",
			job_state_name((enum job_state)s), (long long)counts[s]);
	return OK;
}

static int store_metrics(struct store *st, struct buf *out, struct error *err)
{
	struct store_stats stats;
	int r = store_get_stats(st, &stats, err);

	if (r < 0)
		return r;
	gauge(out, "benchd_store_bytes", "Size of the database file.", (double)stats.db_bytes);
	gauge(out, "benchd_store_wal_bytes", "Size of its write-ahead log.",
		(double)stats.wal_bytes);
	return OK;
}

int get_metrics(struct request *rq, struct store *st, struct error *err)
{
	_cleanup_(buf_done)
	struct buf out = { 0 };
	const struct app *app = app_of(rq);
	int r;

	buf_add_str(&out, "# TYPE benchd_build info\n# HELP benchd_build Version of benchd.\n"
			  "benchd_build_info{version=\"");
	openmetrics_escape(&out, app->version);
	buf_add_str(&out, "\"} 1\n");
	r = job_metrics(st, &out, err);
	if (r == OK)
		r = store_metrics(st, &out, err);
	if (r < 0)
		return r;
	request_format_metrics(rq, &out);
	if (app->metrics)
		app->metrics(app->arg, &out);
	buf_add_str(&out, "# EOF\n");
	response_buf(rq, 200, format_mime(F_OPENMETRICS), &out);
	return OK;
}

/* Where the type of a problem leads. */
int get_errors(struct request *rq, struct store *st, struct error *err)
{
	struct buf out = { 0 };

	buf_add_str(&out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
			  "<title>Errors - benchd</title></head><body><main><h1>Errors</h1>\n"
			  "<p>The detail of an answer says what is wrong and what to change; "
			  "429, 503 and 504 may be tried again after Retry-After.</p>\n<dl>\n");
#define X(id, value, name, status, title)                                                      \
	buf_add_str(&out, "<dt id=\"" name "\"><code>" name "</code></dt><dd>" #status         \
			  ": " title "</dd>\n");
	ERROR_CODES(X)
#undef X
	buf_add_str(&out, "</dl></main></body></html>\n");
	response_page(rq, 200, &out);
	return OK;
}
