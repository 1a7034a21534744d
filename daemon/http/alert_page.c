/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page of one alert, and its forms: they say what a body of PATCH says, without scripts. */
#include "daemon/http/handlers.h"

#include <string.h>

static const int64_t snooze_max_ns = 366 * 86400 * NS_PER_S;

static const char *page_of(struct request *rq, const struct project *p, const struct alert *al)
{
	return arena_printf(request_arena(rq), "/projects/%s/alerts/%s", p->slug, al->uuid);
}

int page_alert(struct request *rq, struct store *st, struct error *err)
{
	json_t *doc = arena_own_json(request_arena(rq), json_object()), *alert, *journal;
	struct error ignored;
	struct project p;
	struct alert al;
	int r = find_alert(rq, st, &p, &al, err);

	if (r == OK)
		r = alert_document(rq, st, &p, &al, &alert, err);
	if (r < 0)
		return r;
	json_object_set_new(doc, "alert", alert);
	r = alert_journal(rq, st, al.id, &journal, err);
	if (r < 0)
		return r;
	json_object_set_new(doc, "journal", journal);
	json_object_set_new(doc, "project", render_project(&p));
	json_set_str(doc, "page", page_of(rq, &p, &al));
	json_set_bool(doc, "may_change", request_need(rq, S_TRIAGE, &ignored) == OK);
	json_set_str(
		doc, "twin", arena_printf(request_arena(rq), "/v0%s", page_of(rq, &p, &al)));
	return answer_page(rq, 200, PAGE_ALERT,
		arena_printf(request_arena(rq), "Alert of %s", al.benchmark.name),
		json_incref(doc));
}

/* --- the forms --- */

static int member(struct request *rq, const char *field, const char **ret, struct error *err)
{
	int r = read_form_member(rq, field, ret, err);

	if (r == OK && (!*ret || !**ret))
		return error_set_field(err, E_UNPROCESSABLE,
			arena_printf(request_arena(rq), "/%s", field),
			"'%s' is missing: fill it in", field);
	return r;
}

static int acknowledge(struct request *rq, json_t *body, struct error *err)
{
	json_set_bool(body, "acknowledged", true);
	return OK;
}

/* Nobody's, where the name is left empty. */
static int assign(struct request *rq, json_t *body, struct error *err)
{
	const char *name;
	int r = read_form_member(rq, "assignee", &name, err);

	if (r == OK)
		json_set_str(body, "assignee", name ? name : "");
	return r;
}

static int note(struct request *rq, json_t *body, struct error *err)
{
	const char *text;
	int r = member(rq, "note", &text, err);

	if (r == OK)
		json_set_str(body, "note", text);
	return r;
}

static int snooze(struct request *rq, json_t *body, struct error *err)
{
	char until[TIME_TEXT];
	const char *text;
	int64_t ns;
	int r = member(rq, "for", &text, err);

	if (r == OK)
		r = duration_parse(text, &ns, err);
	if (r == OK && ns > snooze_max_ns)
		r = error_set_field(err, E_UNPROCESSABLE, "/for",
			"'for' is %.40s, the longest is 366d", text);
	if (r < 0)
		return r;
	ns += clock_wall(request_clock(rq)) / NS_PER_S * NS_PER_S;
	json_set_str(body, "snooze_until", time_format(ns, until));
	return OK;
}

static int dismiss(struct request *rq, json_t *body, struct error *err)
{
	const char *reason, *text;
	int r = member(rq, "reason", &reason, err);

	if (r == OK)
		r = read_form_member(rq, "note", &text, err);
	if (r < 0)
		return r;
	json_set_str(body, "state", "dismissed");
	json_set_str(body, "reason", reason);
	if (text && *text)
		json_set_str(body, "note", text);
	return OK;
}

static int read_form(struct request *rq, json_t *body, struct error *err)
{
	static const struct {
		const char *name;
		int (*say)(struct request *rq, json_t *body, struct error *err);
	} acts[] = { { "acknowledge", acknowledge }, { "assign", assign }, { "note", note },
		{ "snooze", snooze }, { "dismiss", dismiss } };
	const char *act;
	int r = member(rq, "act", &act, err);

	for (size_t i = 0; r == OK && i < ARRAY_SIZE(acts); i++)
		if (!strcmp(act, acts[i].name))
			return acts[i].say(rq, body, err);
	if (r < 0)
		return r;
	return error_set_field(err, E_UNPROCESSABLE, "/act",
		"'act' is '%.40s', not acknowledge, assign, note, snooze or dismiss", act);
}

int post_alert_form(struct request *rq, struct store *st, struct error *err)
{
	json_t *body = arena_own_json(request_arena(rq), json_object());
	struct project p;
	struct alert al;
	int r = find_alert(rq, st, &p, &al, err);

	if (r == OK)
		r = read_form(rq, body, err);
	if (r == OK)
		r = change_alert(rq, st, &al, body, err);
	return r < 0 ? r : answer_see(rq, page_of(rq, &p, &al));
}
