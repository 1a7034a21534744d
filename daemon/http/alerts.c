/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Confirmed changes and alerts: open questions to a person. */
#include "daemon/http/handlers.h"

#include <string.h>

int get_changes(struct request *rq, struct store *st, struct error *err)
{
	struct change_point *changes;
	struct series *series;
	struct project p;
	size_t n;
	int64_t limit;
	json_t *doc;
	int r = find_project(rq, st, &p, err);

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
	if (status & 2)
		*ret |= 1u << ALERT_DISMISSED | 1u << ALERT_RESOLVED;
	return OK;
}

int get_alerts(struct request *rq, struct store *st, struct error *err)
{
	struct alert *list;
	struct project p;
	unsigned states = 0;
	size_t n;
	int64_t limit;
	json_t *doc;
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
	doc = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(doc, render_alert(&list[i], &p));
	return answer(rq, 200, DOC_ALERTS, doc, err);
}

static int find_alert(struct request *rq, struct store *st, struct project *p,
	struct alert *ret, struct error *err)
{
	int r = find_project(rq, st, p, err);

	if (r < 0)
		return r;
	return store_alert_find(
		st, request_arena(rq), p->id, request_param(rq, "alert"), ret, err);
}

int get_alert(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct alert al;
	int r = find_alert(rq, st, &p, &al, err);

	return r < 0 ? r : answer_json(rq, 200, render_alert(&al, &p));
}

struct alert_body {
	int state, status; /* -1: not given */
	const char *reason;
};

static int read_body(struct request *rq, struct alert_body *b, struct error *err)
{
	static const char *const statuses[] = { "active", "dismissed", NULL };
	static const struct json_field fields[] = {
		{ "state", JF_ENUM, offsetof(struct alert_body, state), false, 0, 0,
			alert_state_names },
		{ "status", JF_ENUM, offsetof(struct alert_body, status), false, 0, 0,
			statuses },
		{ "reason", JF_STRING, offsetof(struct alert_body, reason), false, 0, 1000,
			NULL },
	};
	json_t *o;
	int r = read_object(rq, &o, err);

	*b = (struct alert_body){ -1, -1, NULL };
	if (r == OK)
		r = json_read(o, "", fields, ARRAY_SIZE(fields), b, JSON_REFUSE_UNKNOWN, err);
	if (r == OK && b->state < 0 && b->status >= 0)
		b->state = b->status ? ALERT_DISMISSED : ALERT_CONFIRMED;
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

int patch_alert(struct request *rq, struct store *st, struct error *err)
{
	struct alert_body b;
	struct project p;
	struct alert al;
	int r = find_alert(rq, st, &p, &al, err);

	if (r == OK)
		r = read_body(rq, &b, err);
	if (r < 0)
		return r;
	if (b.state >= 0)
		al.state = (enum alert_state)b.state;
	al.reason = b.reason ? b.reason : al.reason;
	al.modified_ns = clock_wall(request_clock(rq));
	r = store_alert_save(st, &al, err);
	if (r == OK && b.state >= 0)
		r = flag_point(st, &al, err);
	if (r < 0)
		return r;
	request_wake(rq, WAKE_NOTIFY);
	return answer_json(rq, 200, render_alert(&al, &p));
}
