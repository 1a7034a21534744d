/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reports, jobs and alerts of a project. */
#include "daemon/render/dash.h"

#include <math.h>
#include <string.h>

static void cell(struct buf *out, const json_t *o, const char *path)
{
	buf_add_str(out, "<td>");
	dash_text(out, o, path);
	buf_add_str(out, "</td>");
}

static void time_cell(struct buf *out, const json_t *o, const char *path)
{
	char when[32];

	buf_add_str(out, "<td>");
	html_escape(out, short_time(doc_str(o, path), when));
	buf_add_str(out, "</td>");
}

static void end(struct buf *out, size_t n, const char *none)
{
	buf_add_str(out, "</tbody></table></div>\n");
	if (!n)
		buf_printf(out, "<p>%s</p>\n", none);
}

void dash_reports(const json_t *doc, struct arena *a, struct buf *out)
{
	static const char *const titles[] = { "Report", "Commit", "Branch", "Testbed", "Noise",
		"#Benchmarks", NULL };
	const json_t *r;
	char when[32], hash[9];
	size_t i;

	buf_add_str(out, "<h1>Reports</h1>\n");
	dash_head(out, "Reports, newest first", titles);
	json_array_foreach (doc_at(doc, "reports"), i, r) {
		buf_add_str(out, "<tr>");
		dash_link_cell(out,
			arena_printf(a, "%s/reports/%s", dash_base(doc, a), doc_str(r, "uuid")),
			short_time(doc_str(r, "start_time"), when));
		buf_add_str(out, "<td><code>");
		html_escape(out, short_hash(doc_str(r, "branch.head.version.hash"), hash));
		buf_add_str(out, "</code></td>");
		cell(out, r, "branch.name");
		cell(out, r, "testbed.name");
		cell(out, r, "noise");
		buf_printf(out, "<td class=\"n\">%lld</td></tr>\n",
			(long long)doc_int(r, "counts.results.0.benchmarks"));
	}
	end(out, doc_len(doc, "reports"), "No report yet.");
}

static void job_row(const json_t *doc, const json_t *j, struct arena *a, struct buf *out)
{
	const char *report = doc_str(j, "report"), *state = doc_str(j, "state");
	char hash[9];

	buf_add_str(out, "<tr>");
	dash_link_cell(out,
		arena_printf(a, "/v0/projects/%s/jobs/%s?format=text", doc_str(j, "project"),
			doc_str(j, "uuid")),
		doc_str(j, "workload"));
	buf_printf(out, "<td><span class=\"o s-%s\">%s</span></td>", state, state);
	buf_printf(out,
		"<td><progress max=\"%lld\" value=\"%lld\" aria-label=\"progress\"></progress> "
		"%lld / %lld</td>",
		(long long)MAX(doc_int(j, "progress.total"), 1),
		(long long)doc_int(j, "progress.done"), (long long)doc_int(j, "progress.done"),
		(long long)doc_int(j, "progress.total"));
	cell(out, j, "branch");
	buf_add_str(out, "<td><code>");
	html_escape(out, short_hash(doc_str(j, "head.hash"), hash));
	buf_add_str(out, "</code></td>");
	cell(out, j, *doc_str(j, "waiting") ? "waiting" : "reason");
	time_cell(out, j, "created");
	if (*report)
		dash_link_cell(out, arena_printf(a, "%s/reports/%s", dash_base(doc, a), report),
			"report");
	else
		buf_add_str(out, "<td></td>");
	buf_add_str(out, "</tr>\n");
}

static void jobs(const json_t *doc, const char *member, const char *title, struct arena *a,
	struct buf *out)
{
	static const char *const titles[] = { "Workload", "State", "Processes", "Branch",
		"Commit", "Because", "Filed", "Result", NULL };
	const json_t *j;
	size_t i;

	buf_printf(out, "<h2>%s</h2>\n", title);
	dash_head(out, title, titles);
	json_array_foreach (doc_at(doc, member), i, j)
		job_row(doc, j, a, out);
	end(out, doc_len(doc, member), "None.");
}

void dash_jobs(const json_t *doc, struct arena *a, struct buf *out)
{
	buf_add_str(out, "<h1>Jobs</h1>\n<div id=\"live\" data-refresh=\"3\">\n");
	jobs(doc, "running", "Running", a, out);
	jobs(doc, "waiting", "Waiting", a, out);
	buf_add_str(out, "</div>\n");
	jobs(doc, "recent", "Recent", a, out);
}

static void alert_row(const json_t *doc, const json_t *al, struct arena *a, struct buf *out)
{
	const char *state = doc_str(al, "state");
	char text[VALUE_TEXT];

	buf_printf(
		out, "<tr data-alert=\"/v0/projects/%s/alerts/", doc_str(doc, "project.slug"));
	dash_text(out, al, "uuid");
	buf_printf(out, "\"><td><span class=\"o %s\">", doc_str(al, "direction"));
	html_escape(out, outcome_mark(doc_str(al, "direction")));
	buf_printf(out, "</span></td><td><span class=\"o s-%s\">%s</span></td>", state, state);
	dash_link_cell(out, dash_series_url(doc, doc_int(al, "series"), a),
		doc_str(al, "benchmark.name"));
	cell(out, al, "measure.name");
	buf_add_str(out, "<td class=\"n\">");
	html_escape(out, change_format(doc_num(al, "effect"), doc_num(al, "interval.0"),
				 doc_num(al, "interval.1"), text));
	buf_add_str(out, "</td>");
	dash_commit_cell(out, al);
	cell(out, al, "reason");
	time_cell(out, al, "created");
	buf_printf(out, "<td data-actions=\"%s\"></td></tr>\n", state);
}

void dash_alerts(const json_t *doc, struct arena *a, struct buf *out)
{
	static const char *const titles[] = { "Verdict", "State", "Benchmark", "Measure",
		"#Change", "Commit", "Reason", "Found", "Act", NULL };
	const json_t *al;
	size_t i;

	buf_add_str(out,
		"<h1>Alerts</h1>\n<p>Suspects are being measured again; confirmed ones "
		"were seen again in interleaved re-runs.</p>\n");
	dash_head(out, "Alerts, newest first", titles);
	json_array_foreach (doc_at(doc, "alerts"), i, al)
		alert_row(doc, al, a, out);
	end(out, doc_len(doc, "alerts"), "No alert.");
}

static void whole_list(const char *name, enum document kind, const json_t *rows,
	struct arena *a, struct buf *out)
{
	buf_printf(out,
		"<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">",
		name);
	list_render(kind, F_HTML, rows, a, out);
	buf_add_str(out, "</div>\n");
}

void dash_schedules(const json_t *doc, struct arena *a, struct buf *out)
{
	buf_add_str(out, "<h1>Schedules</h1>\n");
	whole_list("Schedules", DOC_SCHEDULES, doc_at(doc, "schedules"), a, out);
	buf_add_str(out,
		"<p>One command switches the nightly suite on: <code>benchctl schedules "
		"enable nightly</code>.</p>\n");
}

void dash_deliveries(const json_t *doc, struct arena *a, struct buf *out)
{
	buf_add_str(out, "<h1>Deliveries</h1>\n<h2>Received from forges</h2>\n");
	whole_list("Received", DOC_DELIVERIES, doc_at(doc, "received"), a, out);
	buf_add_str(out, "<h2>Sent</h2>\n");
	whole_list("Sent", DOC_OUTGOING, doc_at(doc, "sent"), a, out);
}
