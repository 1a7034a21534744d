/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Deliveries of forges: stored as they come, processed afterwards (daemon/receive.c). */
#include "daemon/http/handlers.h"

#include <string.h>
#include "daemon/hooks/hooks.h"

enum { MAX_ID = 100, MAX_EVENT = 64 };

/* Gitea and Forgejo send GitHub's headers too; where a proxy lets only theirs through, those.
 */
static const char *forge_header(struct request *rq, const char *github, const char *rest)
{
	static const char *const forges[] = { "Forgejo", "Gitea" };
	const char *s = request_header(rq, github);

	for (size_t i = 0; !s && i < ARRAY_SIZE(forges); i++)
		s = request_header(
			rq, arena_printf(request_arena(rq), "X-%s-%s", forges[i], rest));
	return s;
}

/* Printable and without blanks: it is stored, shown and logged. */
static int read_word(
	struct request *rq, const char *rest, size_t max, const char **ret, struct error *err)
{
	const char *header = arena_printf(request_arena(rq), "X-GitHub-%s", rest);
	const char *s = forge_header(rq, header, rest);
	size_t n = s ? strlen(s) : 0;

	for (size_t i = 0; i < n && n <= max; i++)
		if (s[i] <= ' ' || s[i] > '~')
			n = max + 1;
	if (!n || n > max)
		return error_set(err, E_BAD_REQUEST,
			"the header '%s' must have 1 to %zu letters without blanks", header,
			max);
	*ret = s;
	return OK;
}

/* The signature is of the bytes as they were sent. */
static int check_body(struct request *rq, const struct hook *h, struct error *err)
{
	const struct buf *body = request_body(rq);
	const char *type = request_header(rq, "Content-Type");

	if (request_header(rq, "Content-Encoding"))
		return error_set(err, E_MEDIA, "a delivery must come without Content-Encoding");
	if (!type || strncmp(type, "application/json", 16) != 0)
		return error_set(err, E_MEDIA,
			"set the webhook's content type to application/json at the forge");
	if (!hook_signature_is_right(h, forge_header(rq, "X-Hub-Signature-256", "Signature"),
		    buf_str(body), body->len))
		return error_set(err, E_UNAUTHORIZED,
			"X-Hub-Signature-256 is missing, or no signature of this body with the "
			"secret of hook '%s'",
			h->name);
	return OK;
}

static int answer_delivery(struct request *rq, int status, const struct delivery *d)
{
	response_headerf(rq, "Location", "/v0/hooks/deliveries/%s", d->uuid);
	return answer_json(rq, status, render_delivery(d));
}

static int take_delivery(
	struct request *rq, struct store *st, struct delivery *d, struct error *err)
{
	const struct buf *body = request_body(rq);
	struct delivery known;
	int r = store_delivery_find_forge(
		st, request_arena(rq), d->hook, d->forge_id, &known, err);

	if (r == OK)
		return answer_delivery(rq, 200, &known);
	if (r != E_NOT_FOUND)
		return r;
	d->body = "";
	d->received_ns = clock_wall(request_clock(rq));
	if (hook_event_is_used(d->event)) {
		d->body = buf_str(body);
		d->n_body = body->len;
		request_wake(rq, WAKE_HOOKS);
	} else { /* a forge that sends everything does not fill the store */
		d->state = "ignored";
		d->reason = "the event asks for nothing; its payload was not kept";
		d->processed_ns = d->received_ns;
	}
	r = store_delivery_add(st, request_arena(rq), d, err);
	if (r < 0)
		return r;
	return answer_delivery(rq, !strcmp(d->event, "ping") ? 200 : 202, d);
}

int post_hook(struct request *rq, struct store *st, struct error *err)
{
	const struct app *app = request_app(rq);
	const char *name = request_param(rq, "name");
	const struct hook *h = hooks_find(app->hooks, name);
	struct delivery d = { .hook = name, .state = "received", .reason = "" };
	int r;

	if (!h)
		return error_set(err, E_NOT_FOUND, "there is no hook '%.64s'", name);
	r = check_body(rq, h, err);
	if (r == OK)
		r = read_word(rq, "Delivery", MAX_ID, &d.forge_id, err);
	if (r == OK)
		r = read_word(rq, "Event", MAX_EVENT, &d.event, err);
	return r == OK ? take_delivery(rq, st, &d, err) : r;
}

/* Deliveries belong to no project: a token of one project does not see them. */
static int check_unbound(struct request *rq, struct error *err)
{
	if (!request_principal(rq)->project_id)
		return OK;
	return error_set(err, E_FORBIDDEN,
		"deliveries are of all projects: this token is bound to one of them");
}

/* ?cursor= is the UUID of the last one seen. */
static int read_window(struct request *rq, struct store *st, int64_t *before_id, int64_t *limit,
	struct error *err)
{
	const char *cursor = request_query(rq, "cursor");
	struct delivery last = { 0 };
	int r = check_unbound(rq, err);

	if (r == OK)
		r = request_query_int(rq, "limit", 1, 1000, 100, limit, err);
	if (r == OK && cursor)
		r = store_delivery_find(st, request_arena(rq), cursor, &last, err);
	*before_id = last.id;
	return r;
}

int get_hook_deliveries(struct request *rq, struct store *st, struct error *err)
{
	struct delivery *list;
	int64_t before_id, limit;
	size_t n;
	json_t *doc;
	int r = read_window(rq, st, &before_id, &limit, err);

	if (r == OK)
		r = store_delivery_list(
			st, request_arena(rq), before_id, limit, &list, &n, err);
	if (r < 0)
		return r;
	if (n == (size_t)limit)
		response_headerf(rq, "Link", "<%s?limit=%lld&cursor=%s>; rel=\"next\"",
			request_path(rq), (long long)limit, list[n - 1].uuid);
	doc = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(doc, render_delivery(&list[i]));
	return answer(rq, 200, DOC_DELIVERIES, doc, err);
}

/* The payload as JSON where it is that, else as it came. */
static json_t *payload_json(const struct delivery *d)
{
	struct error ignored;
	json_t *o;

	if (json_parse(d->body, d->n_body, &o, &ignored) == OK)
		return o;
	o = json_stringn(d->body, d->n_body);
	return o ? o : json_null();
}

static json_t *jobs_json(const struct delivery_job *jobs, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{ssss}", "uuid", jobs[i].uuid, "project",
						    jobs[i].project_slug));
	return list;
}

int get_hook_delivery(struct request *rq, struct store *st, struct error *err)
{
	struct arena *a = request_arena(rq);
	struct delivery_job *jobs;
	struct delivery d;
	size_t n;
	json_t *doc;
	int r = check_unbound(rq, err);

	if (r == OK)
		r = store_delivery_find(st, a, request_param(rq, "delivery"), &d, err);
	if (r == OK)
		r = store_delivery_jobs(st, a, d.id, &jobs, &n, err);
	if (r < 0)
		return r;
	doc = render_delivery(&d);
	json_object_set_new(doc, "jobs", jobs_json(jobs, n));
	json_object_set_new(doc, "payload", payload_json(&d));
	return answer_json(rq, 200, doc);
}

int redeliver_hook_delivery(struct request *rq, struct store *st, struct error *err)
{
	const char *uuid = request_param(rq, "delivery");
	struct delivery d;
	int r = check_unbound(rq, err);

	if (r == OK)
		r = store_delivery_again(st, uuid, err);
	if (r == OK)
		r = store_delivery_find(st, request_arena(rq), uuid, &d, err);
	if (r < 0)
		return r;
	request_wake(rq, WAKE_HOOKS);
	return answer_delivery(rq, 202, &d);
}
