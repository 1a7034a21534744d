/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The alerts of a project: what is open by the commits in question, then what is closed. */
#include "daemon/render/dash.h"

#include <string.h>

/* Bencher's reasons are words of its protocol. */
const char *dash_reason(const char *reason)
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
	const char *page =
		arena_printf(a, "%s/alerts/%s", dash_base(doc, a), doc_str(al, "uuid"));
	const char *state = doc_str(al, "state");
	char text[VALUE_TEXT];

	buf_printf(out, "<tr data-alert=\"/v0%s\"><td><a class=\"o %s\" ", page,
		doc_str(al, "direction"));
	dash_href(out, page, NULL);
	buf_add_char(out, '>');
	html_escape(out, outcome_mark(doc_str(al, "direction")));
	buf_add_str(out, "</a></td>");
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
	html_escape(out, dash_reason(doc_str(al, "reason")));
	buf_add_str(out, "</td>");
	dash_time_cell(out, al, "created");
	buf_add_str(out, "<td><a class=\"t\" ");
	dash_href(out, page, NULL);
	buf_printf(out, ">evidence</a> <span data-actions=\"%s\"></span></td></tr>\n", state);
}

static const char *const titles[] = { "Verdict", "Benchmark", "Measure", "#Change", "State",
	"~Commit", "~Where", "~Reason", "~Found", ".Act", NULL };

static bool is_open(const json_t *al)
{
	const char *state = doc_str(al, "state");

	return !strcmp(state, "suspect") || !strcmp(state, "confirmed");
}

/* Alerts of one range of commits on one testbed have one cause, mostly; one whose commit is not
 * known stands alone. */
static const char *group_of(const json_t *al, struct arena *a)
{
	const char *hash = doc_str(al, "hash");

	if (!*hash)
		return doc_str(al, "uuid");
	return arena_printf(a, "%s %s %s %s", hash, doc_str(al, "detail.base"),
		doc_str(al, "branch.uuid"), doc_str(al, "testbed.uuid"));
}

/* Open alerts of one state and direction, each into the list of its group. */
static void sort_in(const json_t *doc, const char *state, const char *direction, json_t *groups,
	struct arena *a)
{
	json_t *al, *list;
	size_t i;

	json_array_foreach (doc_at(doc, "alerts"), i, al) {
		const char *key;

		if (strcmp(doc_str(al, "state"), state) != 0 ||
			strcmp(doc_str(al, "direction"), direction) != 0)
			continue;
		key = group_of(al, a);
		list = json_object_get(groups, key);
		if (!list) {
			list = json_array();
			json_object_set_new(groups, key, list);
		}
		json_array_append(list, al);
	}
}

/* "3 alerts at 1a2b3c4d kepler: 30 steps, after 5e6f7a8b, on t". */
static void group_heading(const json_t *list, struct buf *out)
{
	const json_t *first = json_array_get(list, 0);
	char hash[9];

	buf_printf(out, "<h3>%zu alerts at <code>", json_array_size(list));
	html_escape(out, short_hash(doc_str(first, "hash"), hash));
	buf_add_str(out, "</code> ");
	dash_text(out, first, "subject");
	buf_add_str(out, " <small>");
	if (*doc_str(first, "detail.base")) {
		buf_add_str(out, "after <code>");
		html_escape(out, short_hash(doc_str(first, "detail.base"), hash));
		buf_add_str(out, "</code>, ");
	}
	dash_text(out, first, "branch.name");
	buf_add_str(out, " on ");
	dash_text(out, first, "testbed.name");
	buf_add_str(out, "</small></h3>\n");
}

static void group(const json_t *doc, const json_t *list, struct arena *a, struct buf *out)
{
	const char *testbed = doc_str(json_array_get(list, 0), "testbed.name");
	char hash[9];
	json_t *al;
	size_t i;

	group_heading(list, out);
	dash_head(out,
		arena_printf(a, "Open alerts at %s on %s",
			short_hash(doc_str(json_array_get(list, 0), "hash"), hash), testbed),
		titles);
	json_array_foreach (list, i, al)
		alert_row(doc, al, a, out);
	dash_table_end(out, json_array_size(list), NULL);
}

static void open_alerts(const json_t *doc, struct arena *a, struct buf *out)
{
	json_t *groups = arena_own_json(a, json_object()), *list;
	const char *key;
	size_t n = 0, n_groups = 0;

	sort_in(doc, "confirmed", "slower", groups, a);
	sort_in(doc, "suspect", "slower", groups, a);
	sort_in(doc, "confirmed", "faster", groups, a);
	sort_in(doc, "suspect", "faster", groups, a);
	json_object_foreach (groups, key, list) {
		if (json_array_size(list) < 2)
			continue;
		group(doc, list, a, out);
		n_groups++;
	}
	if (n_groups && n_groups == json_object_size(groups))
		return;
	if (n_groups)
		buf_add_str(out, "<h3>Alone at their commits</h3>\n");
	dash_head(out, "Open alerts: slower before faster, confirmed before suspect", titles);
	json_object_foreach (groups, key, list)
		if (json_array_size(list) == 1) {
			alert_row(doc, json_array_get(list, 0), a, out);
			n++;
		}
	dash_table_end(out, n, "No open alert.");
}

void dash_alerts(const json_t *doc, struct arena *a, struct buf *out)
{
	const json_t *al;
	size_t i, n = 0;

	buf_add_str(out,
		"<h1>Alerts</h1>\n<p>A suspect is measured again, interleaved with its base; "
		"an "
		"upload waits for the next reports instead. It is confirmed when they show the "
		"change, too.</p>\n<h2>Open</h2>\n");
	open_alerts(doc, a, out);
	buf_add_str(out, "<h2>Closed</h2>\n");
	dash_head(out, "Closed alerts, newest first", titles);
	json_array_foreach (doc_at(doc, "alerts"), i, al)
		if (!is_open(al)) {
			alert_row(doc, al, a, out);
			n++;
		}
	dash_table_end(out, n, "None yet.");
}
