/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A person lets a commit from outside be measured: that commit and no other. */
#include "daemon/http/handlers.h"

#include <string.h>
#include "base/text.h"

struct approval {
	const char *hash;
};

static int read_approval(struct request *rq, const char **ret, struct error *err)
{
	static const struct json_field fields[] = {
		{ "hash", JF_STRING, offsetof(struct approval, hash), true, 40, 40, NULL },
	};
	struct approval b = { 0 };
	json_t *o;
	int r = read_object(rq, &o, err);

	if (r == OK)
		r = json_read(o, "", fields, ARRAY_SIZE(fields), &b, JSON_REFUSE_UNKNOWN, err);
	if (r == OK && !git_hash_is_valid(b.hash))
		return error_set_field(err, E_UNPROCESSABLE, "/hash",
			"'hash' is not a commit hash of 40 digits");
	*ret = b.hash;
	return r;
}

static int find_job(struct request *rq, struct store *st, struct job *ret, struct error *err)
{
	const char *uuid = request_param(rq, "job");
	struct project p;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = store_job_find(st, request_arena(rq), uuid, ret, err);
	if (r == OK && ret->project_id != p.id)
		return error_set(err, E_NOT_FOUND, "there is no job '%.40s' in project '%s'",
			uuid, p.slug);
	return r;
}

int approve_job(struct request *rq, struct store *st, struct error *err)
{
	const struct app *app = request_app(rq);
	const char *hash = NULL;
	struct job j;
	int r = find_job(rq, st, &j, err);

	if (r == OK)
		r = read_approval(rq, &hash, err);
	if (r == OK)
		r = queue_approve(st, request_arena(rq), j.uuid, hash,
			request_principal(rq)->name, clock_wall(request_clock(rq)), &j, err);
	if (r == OK && app->on_approved)
		r = app->on_approved(app->arg, st, request_arena(rq), &j, err);
	if (r < 0)
		return r;
	request_wake(rq, WAKE_QUEUE | WAKE_NOTIFY);
	request_notify(rq, arena_printf(request_arena(rq), "job:%s", j.uuid));
	return answer_json(rq, 202, render_job(&j, 0, request_public_url(rq)));
}
