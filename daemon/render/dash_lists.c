/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reports of a project. */
#include "daemon/render/dash.h"

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
