/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Links as Bencher's client prints them (/perf/..., /console/projects/...) lead to the pages of
 * the dashboard. Nothing is looked up: the page says what is not there, to whom it may. */
#include "daemon/http/handlers.h"

#include <string.h>

static void add_part(struct buf *b, const char *s)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *s; s++)
		buf_printf(b, strchr(plain, *s) ? "%c" : "%%%02X", (unsigned char)*s);
}

/* Exactly one of each: one history. */
static bool add_history(struct request *rq, struct buf *b)
{
	static const char *const names[][2] = { { "branches", "branch" },
		{ "testbeds", "testbed" }, { "benchmarks", "benchmark" },
		{ "measures", "measure" } };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *v = request_query(rq, names[i][0]);

		if (!v || !*v || strchr(v, ','))
			return false;
	}
	buf_add_str(b, "/series");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		buf_printf(b, "%c%s=", i ? '&' : '?', names[i][1]);
		add_part(b, request_query(rq, names[i][0]));
	}
	return true;
}

/* What is left of the path: "reports/UUID", "alerts/UUID", "branches/main/settings", "perf". */
static void add_rest(struct request *rq, const char *rest, struct buf *b)
{
	const char *report = request_query(rq, "report");

	if (!strncmp(rest, "reports/", 8)) {
		buf_add_str(b, "/reports/");
		add_part(b, rest + 8);
	} else if (!strcmp(rest, "reports") || !strncmp(rest, "alerts", 6)) {
		buf_add_str(b, *rest == 'r' ? "/reports" : "/alerts");
	} else if ((!*rest || !strcmp(rest, "perf")) && !add_history(rq, b) && report) {
		buf_add_str(b, "/reports/");
		add_part(b, report);
	}
}

static int lead(struct request *rq, const char *rest)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };

	buf_add_str(&b, "/projects/");
	add_part(&b, request_param(rq, "project"));
	add_rest(rq, rest, &b);
	response_headerf(rq, "Location", "%s", buf_str(&b));
	response_text(rq, 302, "text/plain; charset=utf-8", "");
	return OK;
}

int get_perf_link(struct request *rq, struct store *st, struct error *err)
{
	return lead(rq, "");
}

int get_perf_rest(struct request *rq, struct store *st, struct error *err)
{
	return lead(rq, request_param(rq, "rest"));
}
