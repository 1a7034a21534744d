/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a history begins anew: in another environment, with another definition, or measured by
 * another build of benchd-kernel. What lies before is no baseline for what follows, and whoever
 * reads the numbers is told so. */
#include "daemon/http/handlers.h"

#include <string.h>
#include "daemon/analysis/analysis.h"

enum { LOOK_BACK = 200 /* points */ };

static const char *environment_of_point(struct request *rq, struct store *st,
	const struct project *p, const struct point *point)
{
	struct report r;
	struct error ignored;

	if (store_report_find(st, request_arena(rq), p->id, point->report_uuid, &r, &ignored) <
		0)
		return NULL;
	return r.environment_hash;
}

/* "cpus: 0-3 -> 0-1, kernel: 6.1 -> 6.2"; "" where it is not known. */
static const char *difference(struct request *rq, struct store *st, const struct project *p,
	const struct history *h, size_t start)
{
	struct arena *a = request_arena(rq);
	const char *before = environment_of_point(rq, st, p, &h->points[start - 1]);
	const char *now = environment_of_point(rq, st, p, &h->points[start]);
	const char **lines, *text = "";
	struct error ignored;
	size_t n = 0;

	if (!before || !now ||
		analysis_environment_difference(st, a, before, now, &lines, &n, &ignored) < 0)
		return "";
	for (size_t i = 0; i < n; i++)
		text = arena_printf(a, "%s%s%s", text, i ? ", " : "", lines[i]);
	return text;
}

static const char *program_of(struct arena *a, const struct point *p)
{
	return p->program ? arena_printf(a, "%.8s", p->program) : "unknown";
}

static bool is_same_program(const struct point *p, const struct point *q)
{
	return p->program && q->program && !strcmp(p->program, q->program);
}

/* NULL: it is the same history, at another level. */
static const char *begin_text(struct request *rq, struct store *st, const struct project *p,
	const struct history *h, const struct history_segment *s)
{
	struct arena *a = request_arena(rq);
	const struct point *first = &h->points[s->start];
	const char *from =
		first->hash ? arena_printf(a, "commit %.8s", first->hash)
			    : arena_printf(a, "version %lld", (long long)first->version_number);
	const char *what;

	if (!strcmp(s->reason, "program") && is_same_program(first - 1, first))
		return arena_printf(a,
			"from %s on another Vulkan driver runs the shaders (%s -> %s): what "
			"was "
			"measured before is no baseline",
			from, first[-1].driver ? first[-1].driver : "unknown",
			first->driver ? first->driver : "unknown");
	if (!strcmp(s->reason, "program"))
		return arena_printf(a,
			"from %s on another build of benchd-kernel measures (%s -> %s): what "
			"was measured before is no baseline",
			from, program_of(a, first - 1), program_of(a, first));
	if (!strcmp(s->reason, "definition"))
		return arena_printf(a,
			"from %s on the workload is defined otherwise: what was measured "
			"before is no baseline",
			from);
	if (strcmp(s->reason, "environment") != 0)
		return NULL;
	what = difference(rq, st, p, h, s->start);
	return arena_printf(a,
		"from %s on the environment is another one%s%s%s: what was measured before is "
		"no baseline",
		from, *what ? " (" : "", what, *what ? ")" : "");
}

void add_beginnings(struct request *rq, struct store *st, const struct project *p,
	const struct history *h, json_t *doc)
{
	json_t *segments = json_object_get(doc, "segments");

	for (size_t i = 0; i < h->n_segments; i++)
		json_set_opt(json_array_get(segments, i), "text",
			begin_text(rq, st, p, h, &h->segments[i]));
}

/* The segment in which the environment and the definition of this report began. */
static const struct history_segment *family_of(
	const struct history *h, const struct report *report)
{
	size_t at = 0, i;

	while (at < h->n_points && strcmp(h->points[at].report_uuid, report->uuid) != 0)
		at++;
	for (i = 0; i < h->n_segments && h->segments[i].end <= at; i++)
		;
	while (i > 0 && i < h->n_segments && !strcmp(h->segments[i].reason, "change_point"))
		i--;
	return i < h->n_segments ? &h->segments[i] : NULL;
}

static void add_note(json_t *doc, const char *text)
{
	json_t *summary = json_object_get(doc, "summary"), *notes;

	if (!json_is_object(summary))
		return;
	notes = json_object_get(summary, "notes");
	if (!json_is_array(notes)) {
		notes = json_array();
		json_object_set_new(summary, "notes", notes);
	}
	json_array_append_new(notes, json_string(text));
}

void add_beginning_note(struct request *rq, struct store *st, const struct project *p,
	const struct report *report, int64_t series_id, json_t *doc)
{
	struct arena *a = request_arena(rq);
	const struct history_segment *s;
	const char *text = NULL;
	struct series series;
	struct history h;
	struct error ignored;

	if (store_series_get(st, a, series_id, &series, &ignored) < 0 ||
		analysis_history(st, a, &series, LOOK_BACK, &h, &ignored) < 0)
		return;
	s = family_of(&h, report);
	if (s)
		text = begin_text(rq, st, p, &h, s);
	if (text)
		add_note(doc, text);
}
