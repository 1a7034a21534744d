/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reports and alerts of a project. */
#include "daemon/render/dash.h"

#include <math.h>
#include <string.h>

void dash_reports(const json_t *doc, struct arena *a, struct buf *out)
{
	static const char *const titles[] = { "Report", "Commit", "Branch", "~Testbed",
		"~Noise", "~#Benchmarks", "#Alerts", NULL };
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
		dash_text_cell(out, r, "branch.name");
		dash_text_cell(out, r, "testbed.name");
		dash_text_cell(out, r, "noise");
		buf_printf(out, "<td class=\"n\">%lld</td><td class=\"n\">%lld</td></tr>\n",
			(long long)doc_int(r, "counts.results.0.benchmarks"),
			(long long)doc_int(r, "counts.alerts.active"));
	}
	dash_table_end(out, doc_len(doc, "reports"), "No report yet.");
}

/* Bencher's reasons are words of its protocol. */
static const char *reason_in_words(const char *reason)
{
	static const char *const table[][2] = { { "not_reproduced", "did not show again" },
		{ "fixed", "back at the old level" }, { "wont_fix", "will not be fixed" } };

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(reason, table[i][0]))
			return table[i][1];
	return reason;
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
	buf_add_str(out, "</span></td>");
	dash_link_cell(out, dash_series_url(doc, doc_int(al, "series"), a),
		doc_str(al, "benchmark.name"));
	dash_text_cell(out, al, "measure.name");
	buf_add_str(out, "<td class=\"n\">");
	html_escape(out, change_format(doc_num(al, "effect"), doc_num(al, "interval.0"),
				 doc_num(al, "interval.1"), text));
	buf_printf(out, "</td><td><span class=\"o s-%s\">%s</span></td>", state, state);
	dash_commit_cell(out, doc, al, a);
	buf_add_str(out, "<td>");
	dash_text(out, al, "branch.name");
	buf_add_str(out, " on ");
	dash_text(out, al, "testbed.name");
	buf_printf(out, "</td><td%s>", *doc_str(al, "reason") ? " class=\"why\"" : "");
	html_escape(out, reason_in_words(doc_str(al, "reason")));
	buf_add_str(out, "</td>");
	dash_time_cell(out, al, "created");
	buf_add_str(out, "<td><a class=\"t\" ");
	dash_href(out,
		arena_printf(a, "/v0/projects/%s/alerts/%s?format=text",
			doc_str(doc, "project.slug"), doc_str(al, "uuid")),
		NULL);
	buf_printf(out, ">evidence</a> <span data-actions=\"%s\"></span></td></tr>\n", state);
}

static bool is_open(const json_t *al)
{
	const char *state = doc_str(al, "state");

	return !strcmp(state, "suspect") || !strcmp(state, "confirmed");
}

/* Those of one state that is open, or (NULL) of none that is; of one direction, or of both.
 * Returns how many. */
static size_t alert_rows(const json_t *doc, const char *state, const char *direction,
	struct arena *a, struct buf *out)
{
	const json_t *al;
	size_t i, n = 0;

	json_array_foreach (doc_at(doc, "alerts"), i, al) {
		if (state ? strcmp(doc_str(al, "state"), state) != 0 : is_open(al))
			continue;
		if (direction && strcmp(doc_str(al, "direction"), direction) != 0)
			continue;
		alert_row(doc, al, a, out);
		n++;
	}
	return n;
}

void dash_alerts(const json_t *doc, struct arena *a, struct buf *out)
{
	static const char *const titles[] = { "Verdict", "Benchmark", "Measure", "#Change",
		"State", "~Commit", "~Where", "~Reason", "~Found", ".Act", NULL };
	size_t n;

	buf_add_str(out,
		"<h1>Alerts</h1>\n<p>A suspect is measured again, interleaved with its base; "
		"an "
		"upload waits for the next reports instead. It is confirmed when they show the "
		"change, too.</p>\n<h2>Open</h2>\n");
	dash_head(out, "Open alerts: slower before faster, confirmed before suspect", titles);
	n = alert_rows(doc, "confirmed", "slower", a, out);
	n += alert_rows(doc, "suspect", "slower", a, out);
	n += alert_rows(doc, "confirmed", "faster", a, out);
	n += alert_rows(doc, "suspect", "faster", a, out);
	dash_table_end(out, n, "No open alert.");
	buf_add_str(out, "<h2>Closed</h2>\n");
	dash_head(out, "Closed alerts, newest first", titles);
	dash_table_end(out, alert_rows(doc, NULL, NULL, a, out), "None yet.");
}
