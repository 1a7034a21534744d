/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One report, and the comparison of two. */
#include "daemon/render/dash.h"

#include <math.h>
#include <string.h>

void dash_compare(const json_t *doc, struct arena *a, struct buf *out)
{
	compare_body(doc, a, out);
}

static void samples(const json_t *doc, struct arena *a, struct buf *out)
{
	const json_t *iteration, *b, *m;
	size_t i, k, l;

	json_array_foreach (doc_at(doc, "results"), i, iteration)
		json_array_foreach (iteration, k, b)
			json_array_foreach (doc_at(b, "measures"), l, m) {
				buf_add_str(out, "<h3>");
				dash_text(out, b, "benchmark.name");
				buf_add_str(out, " <small>");
				dash_text(out, m, "measure.name");
				buf_add_str(out, "</small> <a ");
				dash_href(out, dash_series_url(doc, doc_int(m, "series"), a),
					NULL);
				buf_add_str(out, ">history</a></h3>\n");
				dash_strip_chart(doc, doc_str(b, "benchmark.name"),
					doc_str(m, "measure.slug"), doc_str(m, "measure.units"),
					a, out);
			}
}

static void job_links(const json_t *doc, struct arena *a, struct buf *out)
{
	const char *job = doc_str(doc, "job");

	if (!*job)
		return;
	buf_add_str(out, "<p>Made by <a ");
	dash_href(out,
		arena_printf(a, "/v0/projects/%s/jobs/%s", doc_str(doc, "project.slug"), job),
		NULL);
	buf_add_str(out, ">job</a>; its <a ");
	dash_href(out,
		arena_printf(
			a, "/v0/projects/%s/jobs/%s/log", doc_str(doc, "project.slug"), job),
		NULL);
	buf_add_str(out, ">log</a>.</p>\n");
}

void dash_report(const json_t *doc, struct arena *a, struct buf *out)
{
	report_body(doc, a, out);
	job_links(doc, a, out);
	buf_add_str(out, "<h2>Samples</h2><p>One row a process, one dot a sample.</p>\n");
	samples(doc, a, out);
}
