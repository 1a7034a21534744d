/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first page of a project: what changed, then everything that is measured. */
#include "daemon/render/dash.h"

#include <math.h>
#include <string.h>

static void number_cell(struct buf *out, const json_t *o, const char *path)
{
	long long n = (long long)doc_int(o, path);

	buf_printf(out, "<td class=\"n\" data-v=\"%lld\">%lld</td>", n, n);
}

/* Vulkan devices of the testbed, where there are any. */
static void devices(const json_t *doc, struct buf *out)
{
	static const char *const titles[] = { "Device", "~Driver", "State", "Since", "Why",
		"~Cleared", NULL };
	size_t i, n = doc_len(doc, "devices");
	json_t *d;

	if (!n)
		return;
	buf_add_str(out, "<h2>Vulkan devices</h2>\n");
	dash_head(out, "Vulkan devices", titles);
	json_array_foreach (doc_at(doc, "devices"), i, d) {
		buf_add_str(out, "<tr>");
		dash_text_cell(out, d, "name");
		dash_text_cell(out, d, "driver");
		dash_text_cell(out, d, "state");
		dash_time_cell(out, d, "since");
		dash_text_cell(out, d, "reason");
		buf_add_str(out, "<td>");
		dash_text(out, d, "cleared_by");
		buf_add_str(out, "</td></tr>\n");
	}
	dash_table_end(out, n, NULL);
}

void dash_home(const json_t *doc, struct arena *a, struct buf *out)
{
	static const char *const titles[] = { "Project", "#Open alerts", "#Jobs", "~#Reports",
		"Last report", "~Made", NULL };
	size_t i;
	json_t *p;

	buf_add_str(out, "<h1>Projects</h1>\n");
	dash_head(out, "Projects", titles);
	json_array_foreach (doc_at(doc, "projects"), i, p) {
		buf_add_str(out, "<tr>");
		dash_link_cell(out, arena_printf(a, "/projects/%s", doc_str(p, "slug")),
			doc_str(p, "name"));
		number_cell(out, p, "n_open");
		number_cell(out, p, "n_jobs");
		number_cell(out, p, "n_reports");
		dash_time_cell(out, p, "last");
		dash_time_cell(out, p, "created");
		buf_add_str(out, "</tr>\n");
	}
	dash_table_end(out, doc_len(doc, "projects"),
		"No project yet: the first job or upload makes one.");
	devices(doc, out);
}

static void outcome_cell(struct buf *out, const char *outcome)
{
	buf_printf(out, "<td><span class=\"o %s\">", outcome);
	html_escape(out, outcome_mark(outcome));
	buf_add_str(out, "</span></td>");
}

static void change_cell(struct buf *out, const json_t *c)
{
	char text[VALUE_TEXT], number[32];
	double e = doc_num(c, "effect");

	buf_printf(out, "<td class=\"n\" data-v=\"%s\">",
		isfinite(e) ? json_number(e, number) : "");
	html_escape(out,
		change_format(e, doc_num(c, "interval.0"), doc_num(c, "interval.1"), text));
	buf_add_str(out, "</td>");
}

/* One change of a program shows in each of its measures: the rows of one commit, benchmark,
 * branch, testbed and verdict are told as one. */
static bool is_same_change(const json_t *a, const json_t *b)
{
	static const char *const paths[] = { "hash", "outcome", "series.benchmark.name",
		"series.branch.name", "series.testbed.name" };

	if (!*doc_str(a, "hash"))
		return a == b;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (strcmp(doc_str(a, paths[i]), doc_str(b, paths[i])) != 0)
			return false;
	return true;
}

/* The row that stands for them: of time, where there is one. */
static const json_t *told_by(const json_t *list, const json_t *c)
{
	const json_t *other, *first = NULL;
	size_t i;

	json_array_foreach (list, i, other) {
		if (!is_same_change(c, other))
			continue;
		if (!strcmp(doc_str(other, "series.measure.slug"), "latency"))
			return other;
		if (!first)
			first = other;
	}
	return first;
}

static int64_t count_changes(const json_t *list)
{
	int64_t n = 0;
	json_t *c;
	size_t i;

	json_array_foreach (list, i, c)
		n += told_by(list, c) == c;
	return n;
}

static void measures_cell(const json_t *list, const json_t *c, struct buf *out)
{
	const char *before = " <small>also ";
	json_t *other;
	size_t i;

	buf_add_str(out, "<td>");
	dash_text(out, c, "series.measure.name");
	json_array_foreach (list, i, other) {
		if (other == c || !is_same_change(c, other))
			continue;
		buf_add_str(out, before);
		dash_text(out, other, "series.measure.name");
		before = ", ";
	}
	buf_printf(out, "%s</td>", *before == ',' ? "</small>" : "");
}

static void change_row(const json_t *doc, const json_t *list, const json_t *c, struct arena *a,
	struct buf *out)
{
	const char *units = doc_str(c, "series.measure.units");

	buf_add_str(out, "<tr>");
	outcome_cell(out, doc_str(c, "outcome"));
	dash_link_cell(out, dash_series_url(doc, doc_int(c, "series.id"), a),
		doc_str(c, "series.benchmark.name"));
	measures_cell(list, c, out);
	change_cell(out, c);
	dash_value_cell(out, doc_num(c, "before"), units);
	dash_value_cell(out, doc_num(c, "after"), units);
	dash_commit_cell(out, doc, c, a);
	buf_add_str(out, "<td>");
	dash_text(out, c, "author");
	buf_add_str(out, "</td><td>");
	dash_text(out, c, "series.branch.name");
	buf_add_str(out, " on ");
	dash_text(out, c, "series.testbed.name");
	buf_add_str(out, "</td>");
	dash_time_cell(out, c, "created");
	buf_add_str(out, "</tr>\n");
}

static void changes(const json_t *doc, struct arena *a, struct buf *out)
{
	static const char *const titles[] = { "Verdict", "Benchmark", "Measure", "#Change",
		"~#Before", "~#After", "~Commit", "~Author", "~Where", "~Found", NULL };
	const json_t *list = doc_at(doc, "changes"), *c;
	size_t i;

	buf_add_str(out, "<h2>Confirmed changes</h2>\n");
	if (!json_array_size(list)) {
		buf_add_str(out, "<p>None. A change is confirmed when re-runs, interleaved "
				 "with the commit before, show it again.</p>\n");
		return;
	}
	dash_head(out, "Confirmed changes, newest first", titles);
	json_array_foreach (list, i, c)
		if (told_by(list, c) == c)
			change_row(doc, list, c, a, out);
	dash_table_end(out, 0, NULL);
}

static void series_row(const json_t *doc, const json_t *s, struct arena *a, struct buf *out)
{
	const char *units = doc_str(s, "series.measure.units");

	buf_add_str(out, "<tr>");
	dash_link_cell(out, dash_series_url(doc, doc_int(s, "series.id"), a),
		doc_str(s, "series.benchmark.name"));
	buf_add_str(out, "<td>");
	dash_text(out, s, "series.measure.name");
	buf_add_str(out, "</td><td>");
	series_svg(s, a, out);
	buf_add_str(out, "</td>");
	dash_value_cell(out, doc_num(s, "series.last_value"), units);
	change_cell(out, json_array_get(doc_at(s, "changes"), 0));
	buf_printf(out, "<td class=\"n\" data-v=\"%lld\">%lld</td><td>",
		(long long)doc_int(s, "series.n_points"),
		(long long)doc_int(s, "series.n_points"));
	dash_text(out, s, "series.branch.name");
	buf_add_str(out, "</td><td>");
	dash_text(out, s, "series.testbed.name");
	buf_add_str(out, "</td>");
	dash_time_cell(out, s, "series.last_time");
	buf_add_str(out, "</tr>\n");
}

static void branch_link(const json_t *doc, const char *branch, const char *text,
	struct arena *a, struct buf *out)
{
	const char *const query[] = { "branch", branch, NULL };

	buf_add_str(out, " <a ");
	dash_href(out, dash_base(doc, a), query);
	if (!strcmp(branch, doc_str(doc, "branch")))
		buf_add_str(out, " aria-current=\"true\"");
	buf_add_char(out, '>');
	html_escape(out, text);
	buf_add_str(out, "</a>");
}

/* One branch at a time: a branch of a pull request would bury the others in its rows. */
static void branch_links(const json_t *doc, struct arena *a, struct buf *out)
{
	const json_t *list = doc_at(doc, "branches"), *b;
	size_t i;

	if (json_array_size(list) < 2)
		return;
	buf_add_str(out, "<p class=\"bar branches\">Branch");
	json_array_foreach (list, i, b)
		branch_link(doc, json_string_value(b), json_string_value(b), a, out);
	branch_link(doc, "", "all", a, out);
	buf_add_str(out, "</p>\n");
}

static void all_series(const json_t *doc, struct arena *a, struct buf *out)
{
	static const char *const titles[] = { "Benchmark", "Measure", ".History", "#Last",
		"#Last change", "~#Commits", "~Branch", "~Testbed", "~Measured", NULL };
	const json_t *list = doc_at(doc, "series"), *s;
	size_t i;

	buf_add_str(out, "<h2>Histories</h2>\n");
	branch_links(doc, a, out);
	buf_add_str(out, "<p data-filter></p>\n");
	dash_head(out, "Histories", titles);
	json_array_foreach (list, i, s)
		series_row(doc, s, a, out);
	dash_table_end(out, 0, NULL);
	if (doc_int(doc, "n_left_out"))
		buf_printf(out,
			"<p>%lld more series are left out here; the JSON has them.</p>\n",
			(long long)doc_int(doc, "n_left_out"));
}

/* "1 open alert; ", "2 open alerts; ": end begins with the plural's s. */
static void count(struct buf *out, int64_t n, const char *noun, const char *end)
{
	buf_printf(out, "%lld %s%s", (long long)n, noun, n == 1 ? end + 1 : end);
}

void dash_overview(const json_t *doc, struct arena *a, struct buf *out)
{
	buf_add_str(out, "<h1>");
	dash_text(out, doc, "project.name");
	buf_add_str(out, "</h1>\n<p class=\"verdict\">");
	count(out, count_changes(doc_at(doc, "changes")), "confirmed change", "s, ");
	count(out, doc_int(doc, "n_open"), "open alert", "s; ");
	count(out, doc_int(doc, "n_running"), "job", "s running, ");
	buf_printf(out, "%lld waiting.</p>\n", (long long)doc_int(doc, "n_waiting"));
	changes(doc, a, out);
	all_series(doc, a, out);
}
