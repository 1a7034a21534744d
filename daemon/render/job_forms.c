/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A job for people. The report and the comparison of a finished job may stand in the members
 * `report_document` and `comparison`, the jobs of a suite in `members`; then they are part of
 * it. */
#include "daemon/render/internal.h"

#include <string.h>

static void state_words(const json_t *job, struct buf *out)
{
	const char *state = doc_str(job, "state");

	buf_add_str(out, state);
	if (!strcmp(state, "running"))
		buf_printf(out, " (%s), %lld of %lld processes", doc_str(job, "phase"),
			(long long)doc_int(job, "progress.done"),
			(long long)doc_int(job, "progress.total"));
	else if (!strcmp(state, "queued"))
		buf_printf(out, ", place %lld", (long long)doc_int(job, "position"));
	if (*doc_str(job, "fault"))
		buf_printf(out, " (fault: %s)", doc_str(job, "fault"));
	if (*doc_str(job, "reason"))
		buf_printf(out, ": %s", doc_str(job, "reason"));
	else if (*doc_str(job, "waiting"))
		buf_printf(out, ": %s", doc_str(job, "waiting"));
}

void render_job_head(const json_t *job, struct buf *out)
{
	_cleanup_(buf_done)
	struct buf words = { 0 };

	state_words(job, &words);
	text_printf(out, "job %s  %s  %s", doc_str(job, "uuid"), doc_str(job, "workload"),
		buf_str(&words));
	buf_add_char(out, '\n');
}

void job_text(const json_t *doc, struct arena *a, struct buf *out)
{
	const json_t *report = doc_at(doc, "report_document");
	const json_t *comparison = doc_at(doc, "comparison"), *member;
	size_t i;

	render_job_head(doc, out);
	if (!*doc_str(doc, "finished") && *doc_str(doc, "links.self")) {
		text_printf(out, "to wait for it: curl -H 'Accept: text/plain' '%s?wait=60s'",
			doc_str(doc, "links.self"));
		buf_add_char(out, '\n');
	}
	if (json_is_object(report) && !json_is_object(comparison)) {
		buf_add_char(out, '\n');
		report_text(report, a, out);
	}
	if (json_is_object(comparison)) {
		buf_add_char(out, '\n');
		compare_text(comparison, a, out);
	}
	json_array_foreach (doc_at(doc, "members"), i, member) {
		buf_add_char(out, '\n');
		job_text(member, a, out);
	}
}

void job_markdown(const json_t *doc, struct arena *a, struct buf *out)
{
	const json_t *report = doc_at(doc, "report_document");
	const json_t *comparison = doc_at(doc, "comparison"), *member;
	_cleanup_(buf_done)
	struct buf words = { 0 };
	size_t i;

	json_array_foreach (doc_at(doc, "members"), i, member) {
		job_markdown(member, a, out);
		buf_add_char(out, '\n');
	}
	if (json_is_object(comparison))
		compare_markdown(comparison, a, out);
	else if (json_is_object(report))
		report_markdown(report, a, out);
	state_words(doc, &words);
	buf_add_str(out, out->len ? "\nJob " : "Job ");
	markdown_code(out, doc_str(doc, "uuid"));
	buf_add_str(out, " of ");
	markdown_code(out, doc_str(doc, "workload"));
	buf_add_str(out, ": ");
	markdown_escape(out, buf_str(&words));
	buf_add_char(out, '\n');
}

void job_csv(const json_t *doc, struct arena *a, struct buf *out)
{
	json_t *list = arena_own_json(a, json_array());

	json_array_append(list, (json_t *)doc);
	list_render(DOC_JOBS, F_CSV, list, a, out);
}
