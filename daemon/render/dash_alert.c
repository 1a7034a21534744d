/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One alert: what is known, what was done, and forms to act on it, whole without scripts. The
 * same without links and forms is the HTML of the API. */
#include "daemon/render/dash.h"

#include <math.h>
#include <string.h>

/* A fact that leads somewhere on the dashboard; href NULL: no link. */
static void link_pair(struct buf *out, const char *term, const char *href, const char *text)
{
	if (!href) {
		dash_pair(out, term, text);
		return;
	}
	buf_printf(out, "<dt>%s</dt><dd><a ", term);
	dash_href(out, href, NULL);
	buf_add_char(out, '>');
	html_escape(out, text);
	buf_add_str(out, "</a></dd>\n");
}

static bool has_pages(const json_t *doc)
{
	return *doc_str(doc, "project.slug");
}

static void verdict(const json_t *al, struct buf *out)
{
	const char *direction = doc_str(al, "direction"), *state = doc_str(al, "state");
	char change[VALUE_TEXT];

	buf_add_str(out, "<h1>Alert: ");
	dash_text(out, al, "benchmark.name");
	buf_add_str(out, " <small>");
	dash_text(out, al, "measure.name");
	buf_printf(out, "</small></h1>\n<p class=\"verdict\"><span class=\"o %s\">", direction);
	html_escape(out, outcome_mark(direction));
	buf_add_str(out, "</span> ");
	html_escape(out, change_format(doc_num(al, "effect"), doc_num(al, "interval.0"),
				 doc_num(al, "interval.1"), change));
	buf_printf(out, ", <span class=\"o s-%s\">%s</span>", state, state);
	if (*doc_str(al, "reason")) {
		buf_add_str(out, ": ");
		html_escape(out, dash_reason(doc_str(al, "reason")));
	}
	buf_add_str(out, "</p>\n");
}

static const char *number_text(double v, const char *units, struct arena *a)
{
	char text[VALUE_TEXT];

	return isfinite(v) ? arena_strdup(a, value_format(v, units, text)) : "";
}

static const char *percent_text(double v, const char *what, struct arena *a)
{
	return isfinite(v) ? arena_printf(a, "%s %.1f %% or more", what, 100 * v) : "";
}

static void facts(const json_t *doc, const json_t *al, struct arena *a, struct buf *out)
{
	static const char *const times[][2] = { { "found", "created" },
		{ "last moved", "modified" }, { "acknowledged", "acknowledged" },
		{ "snoozed until", "snoozed_until" } };
	const char *units = doc_str(al, "measure.units");
	char when[32];

	buf_add_str(out, "<dl>");
	dash_pair(out, "branch", doc_str(al, "branch.name"));
	dash_pair(out, "testbed", doc_str(al, "testbed.name"));
	dash_pair(out, "before", number_text(doc_num(al, "baseline"), units, a));
	dash_pair(out, "after", number_text(doc_num(al, "value"), units, a));
	dash_pair(out, "could be seen",
		percent_text(doc_num(al, "detectable"), "a change of", a));
	dash_pair(out, "counts from",
		percent_text(doc_num(al, "detail.min_effect"), "a change of", a));
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		if (*doc_str(al, times[i][1]))
			dash_pair(out, times[i][0], short_time(doc_str(al, times[i][1]), when));
	dash_pair(out, "assigned to", doc_str(al, "assignee"));
	if (has_pages(doc)) {
		link_pair(out, "history", dash_series_url(doc, doc_int(al, "series"), a),
			doc_str(al, "benchmark.name"));
		link_pair(out, "report",
			arena_printf(
				a, "%s/reports/%s", dash_base(doc, a), doc_str(al, "report")),
			doc_str(al, "report"));
	}
	dash_pair(out, "alert", doc_str(al, "uuid"));
	buf_add_str(out, "</dl>\n");
}

/* --- the commits in question --- */

static void comparison(const json_t *doc, const json_t *al, struct buf *out, struct arena *a)
{
	const char *const query[] = { "base", doc_str(al, "base.hash"), "head",
		doc_str(al, "hash"), "branch", doc_str(al, "branch.name"), "testbed",
		doc_str(al, "testbed.name"), NULL };

	if (!has_pages(doc) || !*query[1] || !*query[3])
		return;
	buf_add_str(out, "<p><a ");
	dash_href(out, arena_printf(a, "%s/compare", dash_base(doc, a)), query);
	buf_add_str(out, ">Compare the commit before with this one</a></p>\n");
}

static void commit_row(
	const json_t *doc, const json_t *c, const char *what, struct arena *a, struct buf *out)
{
	buf_printf(out, "<tr><td>%s</td>", what);
	dash_commit_cell(out, doc, c, a);
	dash_text_cell(out, c, "author");
	dash_time_cell(out, c, "time");
	buf_add_str(out, "</tr>\n");
}

static void commits(const json_t *doc, const json_t *al, struct arena *a, struct buf *out)
{
	static const char *const titles[] = { "Place", "Commit", "Author", "~Time", NULL };
	const json_t *c;
	size_t i, n = doc_len(al, "commits");

	buf_add_str(out, "<h2>Commits</h2>\n");
	if (!n && !*doc_str(al, "base.hash")) {
		buf_add_str(out, "<p>Not known: the results came without commits.</p>\n");
		return;
	}
	dash_head(out, "Commits in question, oldest first", titles);
	if (*doc_str(al, "base.hash"))
		commit_row(doc, doc_at(al, "base"), "before", a, out);
	json_array_foreach (doc_at(al, "commits"), i, c)
		commit_row(doc, c, n == 1 ? "the change" : "in question", a, out);
	dash_table_end(out, n, NULL);
	comparison(doc, al, out, a);
}

/* --- evidence --- */

static const char *judged_by(const json_t *al, struct arena *a)
{
	const char *test = doc_str(al, "detail.test"), *rule = doc_str(al, "detail.rule");
	double p = doc_num(al, "p");
	const char *chance = isfinite(p) ? arena_printf(a, ", p %.2g", p) : "";

	if (!*test)
		return chance + (*chance ? 2 : 0);
	return arena_printf(a, "%s, %s%s%s%s", test, *rule ? "the rule '" : "benchd's default",
		rule, *rule ? "'" : "", chance);
}

static const char *shown_by(const json_t *al, struct arena *a)
{
	if (doc_at(al, "detail.wanted"))
		return arena_printf(a, "%lld of %lld further reports",
			(long long)doc_int(al, "detail.seen"),
			(long long)doc_int(al, "detail.wanted"));
	if (doc_at(al, "detail.reruns"))
		return arena_printf(a, "%lld re-runs of these commits, of %lld re-runs in all",
			(long long)doc_int(al, "detail.different"),
			(long long)doc_int(al, "detail.reruns"));
	return "";
}

static const char *together(const json_t *al, struct arena *a)
{
	long long n = doc_int(al, "together.benchmarks"), of = doc_int(al, "together.of");

	return of ? arena_printf(a, "%lld of %lld benchmarks of the report%s", n, of,
			    of >= 4 && 2 * n > of ? ": look at the host before the code" : "")
		  : "";
}

static void rerun_row(const json_t *doc, const json_t *j, struct arena *a, struct buf *out)
{
	const char *outcome = doc_str(j, "outcome");
	char base[9], head[9];

	buf_add_str(out, "<tr>");
	if (has_pages(doc))
		dash_link_cell(out,
			arena_printf(a, "%s/jobs/%s", dash_base(doc, a), doc_str(j, "uuid")),
			doc_str(j, "workload"));
	else
		dash_text_cell(out, j, "workload");
	buf_add_str(out, "<td><code>");
	html_escape(out, short_hash(doc_str(j, "base.hash"), base));
	buf_add_str(out, "</code> <code>");
	html_escape(out, short_hash(doc_str(j, "head.hash"), head));
	buf_add_str(out, "</code></td>");
	dash_text_cell(out, j, "state");
	buf_printf(out, "<td><span class=\"o %s\">", outcome);
	html_escape(out, *outcome ? outcome_mark(outcome) : "");
	buf_add_str(out, "</span></td>");
	dash_time_cell(out, j, "created");
	buf_add_str(out, "</tr>\n");
}

static void evidence(const json_t *doc, const json_t *al, struct arena *a, struct buf *out)
{
	static const char *const titles[] = { "Re-run", "Base and head", "State", "Outcome",
		"~Filed", NULL };
	const json_t *j;
	size_t i, n = doc_len(al, "reruns");

	buf_add_str(out, "<h2>Evidence</h2>\n<dl>");
	dash_pair(out, "judged by", judged_by(al, a));
	dash_pair(out, "shown again by", shown_by(al, a));
	if (doc_int(al, "n_processes"))
		dash_pair(out, "processes",
			arena_printf(a, "%lld", (long long)doc_int(al, "n_processes")));
	dash_pair(out, "moved the same way", together(al, a));
	buf_add_str(out, "</dl>\n");
	if (!n)
		return;
	dash_head(out, "Re-runs of base and head, oldest first", titles);
	json_array_foreach (doc_at(al, "reruns"), i, j)
		rerun_row(doc, j, a, out);
	dash_table_end(out, n, NULL);
}

static void environment(const json_t *al, struct buf *out)
{
	const json_t *line;
	size_t i, n = doc_len(al, "environments.difference");

	buf_add_str(out, "<h2>Environment</h2>\n");
	if (n) {
		buf_add_str(out, "<p>Not the same on both sides:</p>\n<ul>");
		json_array_foreach (doc_at(al, "environments.difference"), i, line) {
			buf_add_str(out, "<li>");
			html_escape(out, json_string_value(line));
			buf_add_str(out, "</li>\n");
		}
		buf_add_str(out, "</ul>\n");
	} else if (json_is_true(doc_at(al, "environments.same"))) {
		buf_add_str(out, "<p>The same on both sides.</p>\n");
	} else {
		buf_add_str(out, "<p>Not known of both sides.</p>\n");
	}
}

static void reproduce(const json_t *al, struct buf *out)
{
	buf_add_str(out, "<h2>See it again</h2>\n<pre class=\"log\" tabindex=\"0\">");
	dash_text(out, al, "reproduce");
	buf_add_str(out, "</pre>\n");
}

/* --- what people do with it --- */

static void form(const json_t *doc, const char *act, const char *fields, const char *button,
	struct buf *out)
{
	buf_add_str(out, "<form method=\"post\" class=\"bar\" action=\"");
	dash_text(out, doc, "page");
	buf_printf(out, "\">%s<button name=\"act\" value=\"%s\">%s</button></form>\n", fields,
		act, button);
}

static void sign_in(const json_t *doc, struct buf *out)
{
	const char *const next[] = { "next", doc_str(doc, "page"), NULL };

	buf_add_str(out, "<p><a ");
	dash_href(out, "/login", next);
	buf_add_str(out, ">Sign in</a> with a key of scope triage to act on it.</p>\n");
}

static void forms(const json_t *doc, const json_t *al, struct buf *out)
{
	const char *state = doc_str(al, "state");
	bool is_open = !strcmp(state, "suspect") || !strcmp(state, "confirmed");

	buf_add_str(out, "<h2>Act</h2>\n");
	if (!json_is_true(doc_at(doc, "may_change"))) {
		sign_in(doc, out);
		return;
	}
	if (is_open && !*doc_str(al, "acknowledged"))
		form(doc, "acknowledge", "", "Acknowledge: somebody looks at it", out);
	form(doc, "note",
		"<label>Note <input name=\"note\" required maxlength=\"4000\"></label>",
		"Add to the journal", out);
	if (!is_open)
		return;
	form(doc, "assign",
		"<label>To whom <input name=\"assignee\" maxlength=\"200\"></label>", "Assign",
		out);
	form(doc, "snooze",
		"<label>No messages for <select name=\"for\"><option value=\"8h\">8 hours"
		"<option value=\"1d\">a day<option value=\"3d\">3 days<option value=\"7d\">"
		"a week<option value=\"30d\">30 days</select></label>",
		"Snooze", out);
	form(doc, "dismiss",
		"<label>Because of <input name=\"reason\" required maxlength=\"1000\" "
		"list=\"reasons\"></label><datalist id=\"reasons\"><option value=\"noise\">"
		"<option value=\"expected\"><option value=\"infrastructure\"><option "
		"value=\"wont_fix\"></datalist><label>Note <input name=\"note\" "
		"maxlength=\"4000\"></label>",
		"Dismiss", out);
}

static void journal(const json_t *doc, struct buf *out)
{
	static const char *const titles[] = { "Time", "Who", "What", "Text", NULL };
	const json_t *e;
	size_t i;

	buf_add_str(out, "<h2>Journal</h2>\n");
	dash_head(out, "Journal, oldest first", titles);
	json_array_foreach (doc_at(doc, "journal"), i, e) {
		buf_add_str(out, "<tr>");
		dash_time_cell(out, e, "time");
		buf_add_str(out, "<td>");
		html_escape(out, *doc_str(e, "actor") ? doc_str(e, "actor") : "benchd");
		buf_add_str(out, "</td>");
		dash_text_cell(out, e, "kind");
		dash_text_cell(out, e, "text");
		buf_add_str(out, "</tr>\n");
	}
	dash_table_end(out, doc_len(doc, "journal"), "Nothing yet.");
}

static void body(const json_t *doc, const json_t *al, struct arena *a, struct buf *out)
{
	verdict(al, out);
	facts(doc, al, a, out);
	commits(doc, al, a, out);
	evidence(doc, al, a, out);
	environment(al, out);
	reproduce(al, out);
}

void dash_alert(const json_t *doc, struct arena *a, struct buf *out)
{
	const json_t *al = doc_at(doc, "alert");

	body(doc, al, a, out);
	forms(doc, al, out);
	journal(doc, out);
}

void alert_html(const json_t *doc, struct arena *a, struct buf *out)
{
	page_begin(out, "Alert");
	buf_add_str(out, "<main>");
	body(NULL, doc, a, out);
	buf_add_str(out, "</main>\n");
	page_end(out);
}
