/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The queue of a project, and one job. What is inside #live comes anew when the server says
 * that jobs moved (data-events); without scripts the pages are what they were when they were
 * loaded. */
#include "daemon/render/dash.h"

#include <string.h>

static void progress(const json_t *j, struct buf *out)
{
	long long done = doc_int(j, "progress.done"), total = doc_int(j, "progress.total");

	buf_printf(out,
		"<progress max=\"%lld\" value=\"%lld\" aria-label=\"progress\"></progress> "
		"%lld / %lld",
		MAX(total, 1), MIN(done, MAX(total, 1)), done, total);
}

static void state(const json_t *j, struct buf *out)
{
	const char *name = doc_str(j, "state"), *phase = doc_str(j, "phase");

	buf_printf(out, "<span class=\"o s-%s\">%s", name, name);
	if (!strcmp(name, "running") && *phase) {
		buf_add_str(out, ": ");
		html_escape(out, phase);
	}
	buf_add_str(out, "</span>");
}

static const char *why(const json_t *j)
{
	return doc_str(j, *doc_str(j, "waiting") ? "waiting" : "reason");
}

static const char *job_page(const json_t *doc, const json_t *j, struct arena *a)
{
	return arena_printf(a, "%s/jobs/%s", dash_base(doc, a), doc_str(j, "uuid"));
}

static void results(const json_t *doc, const json_t *j, struct arena *a, struct buf *out)
{
	const char *report = doc_str(j, "report"), *outcome = doc_str(j, "outcome");
	const char *const query[] = { "job", doc_str(j, "uuid"), NULL };

	if (*outcome)
		buf_printf(
			out, "<span class=\"o %s\">%s</span> ", outcome, outcome_mark(outcome));
	if (*report) {
		buf_add_str(out, "<a ");
		dash_href(
			out, arena_printf(a, "%s/reports/%s", dash_base(doc, a), report), NULL);
		buf_add_str(out, ">report</a> ");
	}
	if (*report && *doc_str(j, "base_report")) {
		buf_add_str(out, "<a ");
		dash_href(out, arena_printf(a, "%s/compare", dash_base(doc, a)), query);
		buf_add_str(out, ">comparison</a>");
	}
}

static void job_row(const json_t *doc, const json_t *j, struct arena *a, struct buf *out)
{
	char hash[9];

	buf_add_str(out, "<tr>");
	dash_link_cell(out, job_page(doc, j, a), doc_str(j, "workload"));
	buf_add_str(out, "<td>");
	state(j, out);
	buf_add_str(out, "</td><td class=\"t\">");
	progress(j, out);
	buf_add_str(out, "</td><td>");
	dash_text(out, j, "branch");
	buf_add_str(out, "</td><td><code>");
	html_escape(out, short_hash(doc_str(j, "head.hash"), hash));
	buf_add_str(out, "</code></td><td class=\"why\">");
	html_escape(out, why(j));
	buf_add_str(out, "</td>");
	dash_time_cell(out, j, "created");
	buf_add_str(out, "<td class=\"t\">");
	results(doc, j, a, out);
	buf_add_str(out, "</td></tr>\n");
}

static bool is_over(const json_t *j)
{
	return *doc_str(j, "finished");
}

static void jobs(const json_t *doc, const char *member, const char *title, bool only_over,
	struct arena *a, struct buf *out)
{
	static const char *const titles[] = { "Workload", "State", "Processes", "Branch",
		"Commit", "Because", "Filed", ".Result", NULL };
	const json_t *j;
	size_t i, n = 0;

	buf_printf(out, "<h2>%s</h2>\n", title);
	dash_head(out, title, titles);
	json_array_foreach (doc_at(doc, member), i, j) {
		if (only_over && !is_over(j))
			continue;
		job_row(doc, j, a, out);
		n++;
	}
	dash_table_end(out, n, "None.");
}

void dash_jobs(const json_t *doc, struct arena *a, struct buf *out)
{
	buf_add_str(out, "<h1>Jobs</h1>\n<div id=\"live\" data-events=\"/v0/queue/events\">\n");
	jobs(doc, "running", "Running", false, a, out);
	jobs(doc, "waiting", "Waiting", false, a, out);
	jobs(doc, "recent", "Recent", true, a, out);
	buf_add_str(out, "</div>\n");
}

/* --- one job --- */

static void facts(const json_t *j, struct buf *out)
{
	static const char *const times[][2] = { { "filed", "created" },
		{ "started", "started" }, { "ended", "finished" } };
	char when[32];

	dash_pair(out, "kind", doc_str(j, "kind"));
	dash_pair(out, "branch", doc_str(j, "branch"));
	dash_pair(out, "base", doc_str(j, *doc_str(j, "base.hash") ? "base.hash" : "base.ref"));
	dash_pair(out, "head", doc_str(j, *doc_str(j, "head.hash") ? "head.hash" : "head.ref"));
	dash_pair(out, "testbed", doc_str(j, "testbed"));
	dash_pair(out, "filed by", doc_str(j, "submitter"));
	dash_pair(out, "through", doc_str(j, "trigger"));
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		dash_pair(out, times[i][0], short_time(doc_str(j, times[i][1]), when));
	dash_pair(out, "job", doc_str(j, "uuid"));
}

static void parameters(const json_t *j, struct buf *out)
{
	const json_t *o = doc_at(j, "parameters"), *v;
	const char *key;

	json_object_foreach ((json_t *)o, key, v) {
		_cleanup_(free)
		char *text = json_dumps(v, JSON_ENCODE_ANY);

		buf_add_str(out, "<dt>");
		html_escape(out, key);
		buf_add_str(out, "</dt><dd>");
		html_escape(out, json_is_string(v) ? json_string_value(v) : text);
		buf_add_str(out, "</dd>\n");
	}
}

static void log_part(const json_t *doc, struct buf *out)
{
	const char *log = doc_str(doc, "log");

	if (!*log)
		return;
	buf_add_str(out, json_is_true(doc_at(doc, "log_is_cut")) ? "<h2>Log, its end</h2>\n"
								 : "<h2>Log</h2>\n");
	buf_add_str(out, "<pre class=\"log\" tabindex=\"0\">");
	html_escape(out, log);
	buf_add_str(out, "</pre>\n");
}

void dash_job(const json_t *doc, struct arena *a, struct buf *out)
{
	const json_t *j = doc_at(doc, "job");
	bool is_suite = !strcmp(doc_str(j, "kind"), "suite");

	buf_add_str(out, "<h1>Job ");
	dash_text(out, j, "workload");
	buf_add_str(out, "</h1>\n<div id=\"live\"");
	if (!is_over(j))
		buf_printf(out, " data-events=\"/v0/projects/%s/jobs/%s/events\"",
			doc_str(j, "project"), doc_str(j, "uuid"));
	buf_add_str(out, ">\n<p class=\"verdict\">");
	state(j, out);
	if (*why(j)) {
		buf_add_str(out, ": ");
		html_escape(out, why(j));
	}
	buf_add_str(out, "</p>\n<p>");
	if (!is_suite) {
		progress(j, out);
		buf_add_str(out, " processes ");
	}
	results(doc, j, a, out);
	buf_add_str(out, "</p>\n");
	if (!is_over(j))
		buf_printf(out, "<p data-cancel=\"/v0/projects/%s/jobs/%s/cancel\"></p>\n",
			doc_str(j, "project"), doc_str(j, "uuid"));
	buf_add_str(out, "<dl>");
	facts(j, out);
	parameters(j, out);
	buf_add_str(out, "</dl>\n");
	if (json_array_size(doc_at(doc, "awaited")))
		jobs(doc, "awaited", is_suite ? "Its members" : "It waits for", false, a, out);
	log_part(doc, out);
	buf_add_str(out, "</div>\n");
}
