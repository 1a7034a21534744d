/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages to forges and webhooks: what was sent, what waits, and each attempt. */
#include "daemon/http/handlers.h"

#include <string.h>

static int check_unbound(struct request *rq, struct error *err)
{
	if (!request_principal(rq)->project_id)
		return OK;
	return error_set(err, E_FORBIDDEN,
		"messages are of all projects: this token is bound to one of them");
}

static int read_window(struct request *rq, struct store *st, int64_t *before_id, int64_t *limit,
	struct error *err)
{
	const char *cursor = request_query(rq, "cursor");
	struct outgoing last = { 0 };
	int r = check_unbound(rq, err);

	if (r == OK)
		r = request_query_int(rq, "limit", 1, 1000, 100, limit, err);
	if (r == OK && cursor)
		r = store_outgoing_find(st, request_arena(rq), cursor, &last, err);
	*before_id = last.id;
	return r;
}

int get_deliveries(struct request *rq, struct store *st, struct error *err)
{
	struct outgoing *list;
	int64_t before_id, limit;
	size_t n;
	json_t *doc;
	int r = read_window(rq, st, &before_id, &limit, err);

	if (r == OK)
		r = store_outgoing_list(
			st, request_arena(rq), before_id, limit, &list, &n, err);
	if (r < 0)
		return r;
	if (n == (size_t)limit)
		response_headerf(rq, "Link", "<%s?limit=%lld&cursor=%s>; rel=\"next\"",
			request_path(rq), (long long)limit, list[n - 1].uuid);
	doc = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(doc, render_outgoing(&list[i]));
	return answer(rq, 200, DOC_OUTGOING, doc, err);
}

static int whole(struct request *rq, struct store *st, const struct outgoing *o, json_t **ret,
	struct error *err)
{
	struct outgoing_attempt *attempts;
	json_t *doc, *list, *body;
	size_t n;
	int r = store_outgoing_attempts(st, request_arena(rq), o->id, &attempts, &n, err);

	if (r == OK)
		r = json_parse(o->body, strlen(o->body), &body, err);
	if (r < 0)
		return r;
	doc = render_outgoing(o);
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, render_attempt(&attempts[i]));
	json_object_set_new(doc, "log", list);
	json_object_set_new(doc, "message", body);
	*ret = doc;
	return OK;
}

int get_delivery(struct request *rq, struct store *st, struct error *err)
{
	struct outgoing o;
	json_t *doc = NULL;
	int r = check_unbound(rq, err);

	if (r == OK)
		r = store_outgoing_find(
			st, request_arena(rq), request_param(rq, "delivery"), &o, err);
	if (r == OK)
		r = whole(rq, st, &o, &doc, err);
	return r < 0 ? r : answer_json(rq, 200, doc);
}

int redeliver_delivery(struct request *rq, struct store *st, struct error *err)
{
	const char *uuid = request_param(rq, "delivery");
	struct outgoing o;
	int r = check_unbound(rq, err);

	if (r == OK)
		r = store_outgoing_find(st, request_arena(rq), uuid, &o, err);
	if (r == OK)
		r = store_outgoing_again(st, uuid, clock_wall(request_clock(rq)), err);
	if (r == OK)
		r = store_outgoing_find(st, request_arena(rq), uuid, &o, err);
	if (r < 0)
		return r;
	request_wake(rq, WAKE_NOTIFY);
	return answer_json(rq, 202, render_outgoing(&o));
}
