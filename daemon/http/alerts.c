/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Confirmed changes and alerts: open questions to a person. */
#include "daemon/http/handlers.h"

#include <string.h>

enum { ENTRIES_LOOKED_AT = 10000 };

int get_changes(struct request *rq, struct store *st, struct error *err)
{
	struct change_point *changes;
	struct series *series;
	struct project p;
	size_t n;
	int64_t limit;
	json_t *doc;
	int r = request_query_only(rq, (const char *[]){ "limit", NULL }, err);

	if (r == OK)
		r = find_project(rq, st, &p, err);
	if (r < 0 || is_unchanged(rq, st, &p, DOC_CHANGES))
		return r;
	r = request_query_int(rq, "limit", 1, 1000, 100, &limit, err);
	if (r == OK)
		r = store_project_changes(
			st, request_arena(rq), p.id, limit, &changes, &series, &n, err);
	if (r < 0)
		return r;
	doc = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *o = render_change_point(&changes[i]);

		json_object_set_new(o, "series", render_series(&series[i], &p));
		json_array_append_new(doc, o);
	}
	return answer(rq, 200, DOC_CHANGES, doc, err);
}

/* Bencher's filter `status` beside our `state`. */
static int read_states(struct request *rq, unsigned *ret, struct error *err)
{
	static const char *const statuses[] = { "active", "dismissed", "silenced", NULL };
	unsigned status;
	int r = query_bits(rq, "state", alert_state_names, ret, err);

	if (r == OK)
		r = query_bits(rq, "status", statuses, &status, err);
	if (r < 0)
		return r;
	if (status & 1)
		*ret |= 1u << ALERT_SUSPECT | 1u << ALERT_CONFIRMED;
	/* Bencher's silenced ones are among the resolved. */
	if (status & (2 | 4))
		*ret |= 1u << ALERT_DISMISSED | 1u << ALERT_RESOLVED;
	return OK;
}

/* The report that the last alert was of: alerts mostly come in groups. */
struct about {
	struct report report;
	struct result *results;
	struct metric_limits *limits;
	size_t n_results, n_limits;
};

static int load_about(struct request *rq, struct store *st, int64_t report_id,
	struct about *ret, struct error *err)
{
	struct arena *a = request_arena(rq);
	int r;

	if (ret->report.id == report_id)
		return OK;
	r = store_report_get(st, a, report_id, &ret->report, err);
	if (r == OK)
		r = store_report_results(st, a, report_id, &ret->results, &ret->n_results, err);
	return r < 0 ? r
		     : store_report_limits(st, a, report_id, &ret->limits, &ret->n_limits, err);
}

/* Bencher's JsonAlert with our members. */
static int alert_json(struct request *rq, struct store *st, const struct project *p,
	const struct alert *al, struct about *about, json_t **ret, struct error *err)
{
	int r = load_about(rq, st, al->report_id, about, err);

	for (size_t i = 0; r == OK && i < about->n_results; i++)
		if (about->results[i].metric.id == al->metric_id) {
			*ret = render_report_alert(al, p, &about->report, &about->results[i],
				limits_of(about->limits, about->n_limits, al->metric_id));
			return OK;
		}
	if (r == OK)
		*ret = render_alert(al, p);
	return r;
}

/* Bencher's pages, where they are asked for. */
static int answer_alerts(struct request *rq, struct store *st, const struct project *p,
	const struct alert *list, size_t n, struct error *err)
{
	static const char *const sorts[] = { "modified", "created", NULL };
	bool pages = request_query(rq, "per_page") || request_query(rq, "page");
	_cleanup_(json_decref)
	json_t *doc = json_array();
	struct about about = { 0 };
	struct page page = { .page = 1, .per_page = (int64_t)n };
	int r = pages ? read_page(rq, sorts, true, &page, err) : OK;

	for (size_t i = (size_t)((page.page - 1) * page.per_page);
		r == OK && i < n && i < (size_t)(page.page * page.per_page); i++) {
		json_t *o;

		r = alert_json(rq, st, p, &list[i], &about, &o, err);
		if (r == OK)
			json_array_append_new(doc, o);
	}
	if (r < 0)
		return r;
	return answer_page_of(rq, DOC_ALERTS, TAKE(doc), (int64_t)n, err);
}

int get_alerts(struct request *rq, struct store *st, struct error *err)
{
	struct alert *list;
	struct project p;
	unsigned states = 0;
	size_t n;
	int64_t limit;
	int r = find_project(rq, st, &p, err);

	if (r < 0 || is_unchanged(rq, st, &p, DOC_ALERTS))
		return r;
	r = read_states(rq, &states, err);
	if (r == OK)
		r = request_query_int(rq, "limit", 1, 1000, 100, &limit, err);
	if (r == OK)
		r = store_alert_list(
			st, request_arena(rq), p.id, states, limit, &list, &n, err);
	if (r < 0)
		return r;
	return answer_alerts(rq, st, &p, list, n, err);
}

int find_alert(struct request *rq, struct store *st, struct project *p, struct alert *ret,
	struct error *err)
{
	int r = find_project(rq, st, p, err);

	if (r < 0)
		return r;
	return store_alert_find(
		st, request_arena(rq), p->id, request_param(rq, "alert"), ret, err);
}

/* Whose it is now: the journal's last word on it; "" is nobody's. */
static int add_assignee(
	struct request *rq, struct store *st, int64_t alert_id, json_t *doc, struct error *err)
{
	struct alert_entry *list;
	const char *assignee = "";
	size_t n = 0;
	int r = store_alert_entries(
		st, request_arena(rq), alert_id, ENTRIES_LOOKED_AT, &list, &n, err);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].kind, "assigned"))
			assignee = list[i].text;
	json_set_str(doc, "assignee", assignee);
	return r;
}

int alert_document(struct request *rq, struct store *st, const struct project *p,
	const struct alert *al, json_t **ret, struct error *err)
{
	struct about about = { 0 };
	_cleanup_(json_decref)
	json_t *doc = NULL;
	int r = alert_json(rq, st, p, al, &about, &doc, err);

	if (r == OK)
		r = add_alert_case(rq, st, p, al, &about.report, doc, err);
	if (r == OK)
		r = add_assignee(rq, st, al->id, doc, err);
	if (r == OK)
		*ret = TAKE(doc);
	return r;
}

int get_alert(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct alert al;
	json_t *doc;
	int r = find_alert(rq, st, &p, &al, err);

	if (r == OK)
		r = alert_document(rq, st, &p, &al, &doc, err);
	return r < 0 ? r : answer(rq, 200, DOC_ALERT, doc, err);
}

int alert_journal(
	struct request *rq, struct store *st, int64_t alert_id, json_t **ret, struct error *err)
{
	struct alert_entry *list;
	size_t n;
	int r = store_alert_entries(st, request_arena(rq), alert_id, 1000, &list, &n, err);

	if (r < 0)
		return r;
	*ret = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(*ret, render_alert_entry(&list[i]));
	return OK;
}

int get_alert_journal(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct alert al;
	json_t *doc;
	int r = find_alert(rq, st, &p, &al, err);

	if (r == OK)
		r = alert_journal(rq, st, al.id, &doc, err);
	return r < 0 ? r : answer_json(rq, 200, doc);
}

struct alert_body {
	int state, status; /* -1: not given */
	const char *reason, *note, *snooze, *assignee;
	bool acknowledged;
};

static int read_body(json_t *o, struct alert_body *b, struct error *err)
{
	static const char *const statuses[] = { "active", "dismissed", NULL };
	static const struct json_field fields[] = {
		{ "state", JF_ENUM, offsetof(struct alert_body, state), false, 0, 0,
			alert_state_names },
		{ "status", JF_ENUM, offsetof(struct alert_body, status), false, 0, 0,
			statuses },
		{ "reason", JF_STRING, offsetof(struct alert_body, reason), false, 1, 1000,
			NULL },
		{ "note", JF_STRING, offsetof(struct alert_body, note), false, 1, 4000, NULL },
		{ "snooze_until", JF_STRING, offsetof(struct alert_body, snooze), false, 1, 64,
			NULL },
		{ "assignee", JF_STRING, offsetof(struct alert_body, assignee), false, 0, 200,
			NULL },
		{ "acknowledged", JF_BOOL, offsetof(struct alert_body, acknowledged), false, 0,
			0, NULL },
	};
	int r;

	*b = (struct alert_body){ .state = -1, .status = -1 };
	r = json_read(o, "", fields, ARRAY_SIZE(fields), b, JSON_REFUSE_UNKNOWN, err);
	if (r == OK && b->state == ALERT_DISMISSED && !b->reason)
		return error_set_field(err, E_UNPROCESSABLE, "/reason",
			"'reason' is missing: say why it is dismissed (noise, expected, "
			"infrastructure, wont_fix, or a sentence)");
	if (r == OK && b->state < 0 && b->status >= 0) /* Bencher's shape: knows no reasons */
		b->state = b->status ? ALERT_DISMISSED : ALERT_CONFIRMED;
	if (b->state == ALERT_DISMISSED && !b->reason)
		b->reason = "no reason was given";
	return r;
}

static int take_body(const struct alert_body *b, struct alert *al, struct error *err)
{
	int r = OK;

	if (b->state >= 0)
		al->state = (enum alert_state)b->state;
	al->reason = b->reason ? b->reason : al->reason;
	if (b->acknowledged)
		al->acknowledged_ns = al->modified_ns;
	if (b->snooze)
		r = time_parse(b->snooze, &al->snoozed_ns, err);
	if (r < 0)
		snprintf(err->field, sizeof(err->field), "/snooze_until");
	return r;
}

/* One line in the journal for each thing that was done. */
static int keep_journal(struct request *rq, struct store *st, const struct alert_body *b,
	const struct alert *al, struct error *err)
{
	const struct principal *who = request_principal(rq);
	const struct {
		const char *kind, *text;
	} lines[] = {
		{ b->state >= 0 ? alert_state_name(al->state) : NULL,
			al->reason ? al->reason : "" },
		{ b->acknowledged ? "acknowledged" : NULL, "" },
		{ b->assignee ? "assigned" : NULL, b->assignee },
		{ b->snooze ? "snoozed" : NULL, b->snooze },
		{ b->note ? "note" : NULL, b->note },
	};
	int r = OK;

	for (size_t i = 0; r == OK && i < ARRAY_SIZE(lines); i++)
		if (lines[i].kind)
			r = store_alert_entry_add(st, al->id, al->modified_ns,
				who->token_id ? who->name : "anonymous", lines[i].kind,
				lines[i].text, err);
	return r;
}

/* The point under the alert counts for baselines again, or no longer. */
static int flag_point(struct store *st, const struct alert *al, struct error *err)
{
	unsigned both = POINT_SUSPECT | POINT_ALERTED;
	unsigned set = al->state == ALERT_SUSPECT     ? POINT_SUSPECT
		       : al->state == ALERT_CONFIRMED ? POINT_ALERTED
						      : 0;

	return store_point_flags(
		st, al->series_id, al->version_number, al->report_id, set, both & ~set, err);
}

int change_alert(
	struct request *rq, struct store *st, struct alert *al, json_t *body, struct error *err)
{
	struct alert_body b;
	int r = read_body(body, &b, err);

	if (r < 0)
		return r;
	al->modified_ns = clock_wall(request_clock(rq));
	r = take_body(&b, al, err);
	if (r == OK)
		r = store_alert_save(st, al, err);
	if (r == OK)
		r = keep_journal(rq, st, &b, al, err);
	if (r == OK && b.state >= 0)
		r = flag_point(st, al, err);
	if (r == OK)
		request_wake(rq, WAKE_NOTIFY);
	return r;
}

int patch_alert(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct alert al;
	struct about about = { 0 };
	json_t *body, *doc;
	int r = find_alert(rq, st, &p, &al, err);

	if (r == OK)
		r = read_object(rq, &body, err);
	if (r == OK)
		r = change_alert(rq, st, &al, body, err);
	if (r == OK)
		r = alert_json(rq, st, &p, &al, &about, &doc, err);
	return r < 0 ? r : answer_json(rq, 200, doc);
}
