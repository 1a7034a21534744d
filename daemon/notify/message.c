/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is said about a job: a word, a line, a comment. */
#include <ctype.h>
#include <string.h>
#include "daemon/notify/internal.h"
#include "daemon/render/render.h"

/* What the job has measured against what; NULL when it compared nothing. */
static json_t *comparison_of(struct arena *a, const struct job *j)
{
	struct error ignored;
	json_t *o;

	if (!j->result_json ||
		json_parse(j->result_json, strlen(j->result_json), &o, &ignored) < 0)
		return NULL;
	arena_own_json(a, o);
	return json_is_array(json_object_get(o, "rows")) ? o : NULL;
}

const char *notify_status_word(const struct job *j)
{
	if (!job_state_is_final(j->state))
		return "pending";
	if (j->state != JOB_SUCCEEDED || j->outcome == OUTCOME_UNKNOWN)
		return "error";
	return j->outcome == OUTCOME_SLOWER ? "failure" : "success";
}

/* At most max characters of UTF-8; what is cut ends in "…". */
static const char *clip(struct arena *a, const char *s, size_t max)
{
	size_t n = 0, keep = 0;

	for (size_t i = 0; s[i]; i++) {
		if (((unsigned char)s[i] & 0xC0) == 0x80)
			continue;
		if (n == max - 1)
			keep = i;
		n++;
	}
	return n <= max ? s : arena_printf(a, "%.*s…", (int)keep, s);
}

static const char *ended_text(struct arena *a, const struct job *j)
{
	json_t *c = comparison_of(a, j);
	const char *verdict = c ? render_verdict(c, a) : NULL;

	if (verdict && j->outcome == OUTCOME_UNKNOWN) {
		const char *colon = strchr(verdict, ':');

		return arena_printf(a, "inconclusive%s", colon ? colon : "");
	}
	if (!verdict && *j->reason)
		return arena_printf(a, "not measured: %s", j->reason);
	return verdict ? verdict : "measured; there was nothing to compare it with";
}

static const char *status_text(struct arena *a, const struct job *j)
{
	switch (j->state) {
	case JOB_SUCCEEDED:
		return ended_text(a, j);
	case JOB_FAILED:
		return arena_printf(a, "failed (%s): %s", job_fault_name(j->fault), j->reason);
	case JOB_TIMED_OUT:
		return *j->reason ? arena_printf(a, "timed out: %s", j->reason) : "timed out";
	case JOB_CANCELED:
		return *j->reason ? j->reason : "canceled";
	case JOB_SUPERSEDED:
		return "not measured: a newer commit took its place";
	case JOB_AWAITING_APPROVAL:
		return "a person has to approve this commit first";
	default:
		return "waits to be measured";
	}
}

const char *notify_status_text(struct arena *a, const struct job *j)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };

	/* One line, whatever a reason holds. */
	for (const char *s = status_text(a, j); *s; s++)
		buf_add_char(&b, (unsigned char)*s < ' ' || *s == 0x7f ? ' ' : *s);
	return clip(a, arena_strdup(a, buf_str(&b)), STATUS_TEXT_MAX);
}

const char *notify_comment_tag(struct arena *a, const struct job *j)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };

	buf_printf(&b, "<!-- benchd:%s/", j->project_slug);
	for (const char *s = j->name; *s; s++)
		if (isalnum((unsigned char)*s) || *s == '.' || *s == '_')
			buf_add_char(&b, *s);
		else
			buf_printf(&b, "%%%02X", (unsigned char)*s);
	buf_add_str(&b, " -->");
	return arena_strdup(a, buf_str(&b));
}

static void add_links(struct buf *out, const char *base, const struct job *j)
{
	if (!base)
		return;
	buf_printf(out, "\n[Job](%s/projects/%s/jobs/%s)", base, j->project_slug, j->uuid);
	if (j->report_uuid)
		buf_printf(out, " · [Report](%s/projects/%s/reports/%s)", base, j->project_slug,
			j->report_uuid);
	if (j->report_uuid && j->base_report_uuid)
		buf_printf(out, " · [Comparison](%s/projects/%s/compare?job=%s)", base,
			j->project_slug, j->uuid);
	buf_add_char(out, '\n');
}

/* How to see it again; names of workloads and hashes need no quotes. */
static void add_command(struct buf *out, const struct job *j)
{
	if (j->base_hash && j->head_hash)
		buf_printf(out,
			"\nMeasured again by `benchctl -p %s submit %s --base %.12s --head "
			"%.12s "
			"--wait`.\n",
			j->project_slug, j->name, j->base_hash, j->head_hash);
}

static void add_unmeasured(struct arena *a, const struct job *j, struct buf *out)
{
	markdown_escape(out, notify_status_text(a, j));
	buf_add_char(out, '\n');
}

static void add_failure(struct arena *a, const struct job *j, struct buf *out)
{
	buf_add_str(out, "**! error**: ");
	markdown_escape(out, notify_status_text(a, j));
	buf_add_char(out, '\n');
}

const char *notify_comment_text(
	struct arena *a, const struct notify_rules *n, const struct job *j)
{
	_cleanup_(buf_done)
	struct buf out = { 0 };
	_cleanup_(buf_done)
	struct buf end = { 0 };
	json_t *c = j->state == JOB_SUCCEEDED ? comparison_of(a, j) : NULL;

	if (c && n->public_url)
		json_set_str(c, "pages",
			arena_printf(a, "%s/projects/%s", n->public_url, j->project_slug));
	if (c)
		add_command(&end, j);
	add_links(&end, n->public_url, j);
	buf_add_str(&end, "\nbenchd, workload ");
	markdown_code(&end, j->name);
	buf_printf(&end, "\n\n%s", notify_comment_tag(a, j));
	if (c)
		render_comparison_comment(c, a, COMMENT_MAX - end.len, &out);
	else if (j->state == JOB_SUCCEEDED)
		add_unmeasured(a, j, &out);
	else
		add_failure(a, j, &out);
	buf_add(&out, end.data, end.len);
	return arena_strdup(a, buf_str(&out));
}
