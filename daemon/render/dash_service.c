/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Schedules of a project, and the messages that came and went. Scripts add the buttons to cells
 * that name an address (data-schedule, data-redeliver). */
#include "daemon/render/dash.h"

#include <string.h>

/* --- schedules --- */

/* In the schedule's own time zone; a paused one has none. */
static void upcoming_cell(const json_t *s, struct buf *out)
{
	const json_t *list = doc_at(s, "upcoming");

	buf_add_str(out, "<td>");
	if (json_is_true(doc_at(s, "paused")))
		buf_add_str(out, "paused");
	for (size_t i = 0; i < json_array_size(list); i++) {
		buf_add_str(out, i ? "<br><small>" : "");
		html_escape(out, json_string_value(json_array_get(list, i)));
		buf_add_str(out, i ? "</small>" : "");
	}
	buf_add_str(out, "</td>");
}

static void last_cell(const json_t *doc, const json_t *s, struct arena *a, struct buf *out)
{
	const char *job = doc_str(s, "last.job");
	char when[32];

	buf_add_str(out, "<td>");
	if (*job) {
		buf_add_str(out, "<a ");
		dash_href(out, arena_printf(a, "%s/jobs/%s", dash_base(doc, a), job), NULL);
		buf_add_char(out, '>');
	}
	html_escape(out, short_time(doc_str(s, "last.fired"), when));
	buf_printf(out, "%s<br><small>", *job ? "</a>" : "");
	dash_text(out, s, *doc_str(s, "last.job_state") ? "last.job_state" : "last.state");
	buf_add_char(out, ' ');
	dash_text(out, s, "last.reason");
	buf_add_str(out, "</small></td>");
}

static void schedule_row(const json_t *doc, const json_t *s, struct arena *a, struct buf *out)
{
	buf_add_str(out, "<tr>");
	dash_text_cell(out, s, "name");
	buf_add_str(out, "<td><code>");
	dash_text(out, s, "cron");
	buf_add_str(out, "</code><br><small>");
	dash_text(out, s, "time_zone");
	buf_add_str(out, "</small></td>");
	dash_text_cell(out, s, "workload");
	upcoming_cell(s, out);
	if (doc_at(s, "last.state"))
		last_cell(doc, s, a, out);
	else
		buf_add_str(out, "<td>never</td>");
	buf_add_str(out, "<td>missed: ");
	dash_text(out, s, "misfire");
	buf_add_str(out, "<br>overlap: ");
	dash_text(out, s, "overlap");
	buf_printf(out, "</td><td data-paused=\"%d\" data-schedule=\"",
		json_is_true(doc_at(s, "paused")));
	html_escape(out, arena_printf(a, "/v0/projects/%s/schedules/%s",
				 doc_str(doc, "project.slug"), doc_str(s, "name")));
	buf_add_str(out, "\"></td></tr>\n");
}

void dash_schedules(const json_t *doc, struct arena *a, struct buf *out)
{
	static const char *const titles[] = { "Schedule", "Rule", "Workload", ".Next", "Last",
		"Policy", ".Act", NULL };
	const json_t *s;
	size_t i;

	buf_add_str(out, "<h1>Schedules</h1>\n");
	dash_head(out, "Schedules", titles);
	json_array_foreach (doc_at(doc, "schedules"), i, s)
		schedule_row(doc, s, a, out);
	dash_table_end(out, doc_len(doc, "schedules"), "None.");
	buf_add_str(out,
		"<p>One command switches the nightly suite on: <code>benchctl schedules "
		"enable nightly</code>.</p>\n");
}

/* --- deliveries --- */

/* What is known of a message, as JSON; again, where that makes sense. */
static void delivery_row(
	const json_t *d, const char *base, bool may_again, struct arena *a, struct buf *out)
{
	const char *url = arena_printf(a, "%s/%s", base, doc_str(d, "uuid"));
	bool is_in = doc_at(d, "hook") != NULL;

	buf_add_str(out, "<tr>");
	dash_time_cell(out, d, is_in ? "received" : "created");
	dash_text_cell(out, d, is_in ? "hook" : "target");
	if (!is_in)
		dash_text_cell(out, d, "kind");
	dash_text_cell(out, d, "event");
	dash_text_cell(out, d, "state");
	if (!is_in)
		buf_printf(out, "<td class=\"n\">%lld</td>", (long long)doc_int(d, "attempts"));
	dash_text_cell(out, d, "reason");
	dash_link_cell(out, url, is_in ? "payload and jobs" : "message and attempts");
	buf_add_str(out, "<td");
	if (may_again) {
		buf_add_str(out, " data-redeliver=\"");
		html_escape(out, arena_printf(a, "%s/redeliver", url));
		buf_add_char(out, '"');
	}
	buf_add_str(out, "></td></tr>\n");
}

void dash_deliveries(const json_t *doc, struct arena *a, struct buf *out)
{
	static const char *const in[] = { "Received", "Hook", "Event", "State", "Reason",
		".Details", ".Act", NULL };
	static const char *const sent[] = { "Made", "To", "Kind", "Event", "State", "#Tries",
		"Reason", ".Details", ".Act", NULL };
	const json_t *d;
	size_t i;

	buf_add_str(out, "<h1>Deliveries</h1>\n<h2>Received from forges</h2>\n");
	dash_head(out, "Received from forges, newest first", in);
	json_array_foreach (doc_at(doc, "received"), i, d)
		delivery_row(d, "/v0/hooks/deliveries", strcmp(doc_str(d, "state"), "received"),
			a, out);
	dash_table_end(out, doc_len(doc, "received"), "None.");
	buf_add_str(out, "<h2>Sent</h2>\n");
	dash_head(out, "Sent, newest first", sent);
	json_array_foreach (doc_at(doc, "sent"), i, d)
		delivery_row(
			d, "/v0/deliveries", !strcmp(doc_str(d, "state"), "failed"), a, out);
	dash_table_end(out, doc_len(doc, "sent"), "None.");
	buf_add_str(out, "<p>Those sent as <a href=\"/v0/deliveries\">JSON</a> or <a "
			 "href=\"/v0/deliveries?format=csv\">CSV</a>.</p>\n");
}
