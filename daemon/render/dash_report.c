/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One report, and the comparison of two. */
#include "daemon/render/dash.h"

#include <math.h>
#include <string.h>

void dash_compare(const json_t *doc, struct arena *a, struct buf *out)
{
	const char *names[4] = { doc_str(doc, "head.branch"), doc_str(doc, "head.testbed") };
	_cleanup_(json_decref)
	json_t *linked = json_deep_copy(doc);
	json_t *row;
	size_t i;

	json_array_foreach (json_object_get(linked, "rows"), i, row) {
		names[2] = doc_str(row, "benchmark");
		names[3] = doc_str(row, "measure");
		json_set_str(row, "page", dash_history_url(doc, names, a));
	}
	compare_body(linked, a, out);
}

static void strip(
	const json_t *doc, const json_t *b, const json_t *m, struct arena *a, struct buf *out)
{
	const char *benchmark = doc_str(b, "benchmark.name"),
		   *slug = doc_str(m, "measure.slug");

	bool has_processes = dash_has_strips(doc, benchmark, slug);

	if (!has_processes && doc_len(m, "samples") < 2)
		return;
	buf_add_str(out, "<h3>");
	html_escape(out, benchmark);
	buf_add_str(out, " <small>");
	dash_text(out, m, "measure.name");
	buf_add_str(out, "</small></h3>\n");
	if (!has_processes)
		dash_sample_chart(m, a, out);
	else
		dash_strip_chart(doc, benchmark, slug, doc_str(m, "measure.units"), a, out);
}

static void samples(const json_t *doc, struct arena *a, struct buf *out)
{
	_cleanup_(buf_done)
	struct buf strips = { 0 };
	const json_t *iteration, *b, *m;
	size_t i, k, l;

	json_array_foreach (doc_at(doc, "results"), i, iteration)
		json_array_foreach (iteration, k, b)
			json_array_foreach (doc_at(b, "measures"), l, m)
				strip(doc, b, m, a, &strips);
	if (strips.len)
		buf_printf(out,
			"<h2>Samples</h2><p>One row a process (of uploads one in all), one dot "
			"a sample; the reddish ones are of noisy processes.</p>\n%s",
			buf_str(&strips));
}

/* Each row leads to its history. */
static void add_pages(json_t *doc, struct arena *a)
{
	json_t *iteration, *b, *m;
	size_t i, k, l;

	json_array_foreach (json_object_get(doc, "results"), i, iteration)
		json_array_foreach (iteration, k, b)
			json_array_foreach (json_object_get(b, "measures"), l, m)
				json_set_str(m, "page",
					dash_series_url(doc, doc_int(m, "series"), a));
}

static void job_links(const json_t *doc, struct arena *a, struct buf *out)
{
	const char *job = doc_str(doc, "job");

	if (!*job)
		return;
	buf_add_str(out, "<p>Made by this <a ");
	dash_href(out, arena_printf(a, "%s/jobs/%s", dash_base(doc, a), job), NULL);
	buf_add_str(out, ">job</a>, which has the log.</p>\n");
}

static void compare_link(const json_t *doc, struct arena *a, struct buf *out)
{
	const char *with = doc_str(doc, "compare_with");
	const char *const query[] = { "base", with, "head", doc_str(doc, "uuid"), NULL };

	if (!*with)
		return;
	buf_add_str(out, "<p><a ");
	dash_href(out, arena_printf(a, "%s/compare", dash_base(doc, a)), query);
	buf_add_str(out, ">Compare with ");
	html_escape(out, with);
	buf_add_str(out, "</a></p>\n");
}

void dash_report(const json_t *doc, struct arena *a, struct buf *out)
{
	_cleanup_(json_decref)
	json_t *linked = json_deep_copy(doc);

	add_pages(linked, a);
	report_body(linked, a, out);
	compare_link(doc, a, out);
	job_links(doc, a, out);
	samples(doc, a, out);
}
