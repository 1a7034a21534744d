/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What forges sent, and which jobs came of it. */
#include "daemon/store/internal.h"

#include "base/secret.h"

#define COLUMNS                                                                                \
	"id, uuid, hook, forge_id, event, state, reason, received_ns, processed_ns,"           \
	" length(body)"
#define ORIGIN_COLUMNS "job_id, delivery_id, hook, repository, hash, pull, context, answered_ns"
enum {
	BASE = Q_DELIVERY * STATEMENTS_MAX,
	ADD = BASE,
	FIND,
	FIND_FORGE,
	NEXT,
	END_IT,
	AGAIN,
	LIST,
	PRUNE,
	ORIGIN_ADD,
	ORIGIN_FIND,
	ORIGIN_UNTOLD,
	ORIGIN_TOLD,
	JOBS,
	END
};
static const char *const sql[] = {
	[ADD - BASE] =
		"INSERT INTO delivery (uuid, hook, forge_id, event, state, reason, received_ns,"
		" processed_ns, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
	[FIND - BASE] = "SELECT " COLUMNS ", body FROM delivery WHERE uuid = lower($1)",
	[FIND_FORGE - BASE] =
		"SELECT " COLUMNS ", body FROM delivery WHERE hook = $1 AND forge_id = $2",
	[NEXT - BASE] = "SELECT " COLUMNS ", body FROM delivery WHERE state = 'received'"
			" ORDER BY id LIMIT 1",
	[END_IT - BASE] = "UPDATE delivery SET state = $2, reason = $3, processed_ns = $4"
			  " WHERE id = $1",
	[AGAIN - BASE] = "UPDATE delivery SET state = 'received', reason = '', processed_ns = 0"
			 " WHERE uuid = lower($1)",
	[LIST - BASE] = "SELECT " COLUMNS " FROM delivery WHERE id < $1 ORDER BY id DESC"
			" LIMIT $2",
	[PRUNE - BASE] = "DELETE FROM delivery WHERE received_ns < $1 AND state <> 'received'",
	[ORIGIN_ADD - BASE] = "INSERT INTO hook_job (" ORIGIN_COLUMNS
			      ") VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
	[ORIGIN_FIND - BASE] = "SELECT " ORIGIN_COLUMNS " FROM hook_job WHERE job_id = $1",
	[ORIGIN_UNTOLD - BASE] =
		"SELECT h.job_id, h.delivery_id, h.hook, h.repository, h.hash, h.pull,"
		" h.context, h.answered_ns FROM hook_job h JOIN job j ON j.id = h.job_id"
		" WHERE h.answered_ns = 0 AND j.is_final = 1 ORDER BY h.job_id LIMIT $1",
	[ORIGIN_TOLD - BASE] = "UPDATE hook_job SET answered_ns = $2 WHERE job_id = $1",
	[JOBS - BASE] = "SELECT j.uuid, p.slug FROM hook_job h JOIN job j ON j.id = h.job_id"
			" JOIN project p ON p.id = j.project_id WHERE h.delivery_id = $1"
			" ORDER BY h.job_id",
};
const struct statements delivery_statements = { sql, END - BASE };

static void read_row(struct query *q, struct arena *a, struct delivery *d)
{
	d->id = column_int(q);
	d->uuid = column_text(q, a);
	d->hook = column_text(q, a);
	d->forge_id = column_text(q, a);
	d->event = column_text(q, a);
	d->state = column_text(q, a);
	d->reason = column_text(q, a);
	d->received_ns = column_int(q);
	d->processed_ns = column_int(q);
	d->n_body = (size_t)column_int(q);
	d->body = NULL;
}

static void read_whole(struct query *q, struct arena *a, struct delivery *d)
{
	read_row(q, a, d);
	d->body = column_blob(q, a, &d->n_body);
}

int store_delivery_add(struct store *s, struct arena *a, struct delivery *d, struct error *err)
{
	char uuid[UUID_TEXT];
	int r = db_get_int(s, ADD, 0, &d->id, err,
		ARGS(TEXT(uuid_new(uuid)), TEXT(d->hook), TEXT(d->forge_id), TEXT(d->event),
			TEXT(d->state), TEXT(d->reason), INT(d->received_ns),
			INT(d->processed_ns), BLOB(d->body, d->n_body)));

	if (r == E_CONFLICT)
		return error_set(err, E_CONFLICT, "the delivery '%.80s' of hook '%s' is known",
			d->forge_id, d->hook);
	if (r == OK)
		d->uuid = arena_strdup(a, uuid);
	return r;
}

int store_delivery_find(struct store *s, struct arena *a, const char *uuid,
	struct delivery *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, FIND, ARGS(TEXT(uuid)));
	int r = query_one(&q, err, "there is no delivery '%.80s'", uuid);

	if (r == OK)
		read_whole(&q, a, ret);
	return r;
}

int store_delivery_find_forge(struct store *s, struct arena *a, const char *hook,
	const char *forge_id, struct delivery *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, FIND_FORGE, ARGS(TEXT(hook), TEXT(forge_id)));
	int r = query_one(&q, err, "hook '%s' has no delivery '%.80s'", hook, forge_id);

	if (r == OK)
		read_whole(&q, a, ret);
	return r;
}

int store_delivery_next(
	struct store *s, struct arena *a, struct delivery *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, NEXT, NULL, 0);
	int r = query_one(&q, err, "no delivery waits");

	if (r == OK)
		read_whole(&q, a, ret);
	return r;
}

int store_delivery_end(struct store *s, int64_t id, const char *state, const char *reason,
	int64_t now_ns, struct error *err)
{
	return db_run(s, END_IT, err, ARGS(INT(id), TEXT(state), TEXT(reason), INT(now_ns)));
}

int store_delivery_again(struct store *s, const char *uuid, struct error *err)
{
	int r = db_run(s, AGAIN, err, ARGS(TEXT(uuid)));

	if (r == OK && db_changes(s) == 0)
		return error_set(err, E_NOT_FOUND, "there is no delivery '%.80s'", uuid);
	return r;
}

int store_delivery_list(struct store *s, struct arena *a, int64_t before_id, int64_t limit,
	struct delivery **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q =
		db_query(s, LIST, ARGS(INT(before_id ? before_id : INT64_MAX), INT(limit)));
	struct list l = LIST_OF(a, struct delivery);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW)
		read_row(&q, a, list_add(&l));
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

int store_delivery_prune(struct store *s, int64_t before_ns, struct error *err)
{
	return db_run(s, PRUNE, err, ARGS(INT(before_ns)));
}

/* --- jobs that a delivery filed --- */

static void read_origin(struct query *q, struct arena *a, struct job_origin *o)
{
	o->job_id = column_int(q);
	o->delivery_id = column_int(q);
	o->hook = column_text(q, a);
	o->repository = column_text(q, a);
	o->hash = column_text(q, a);
	o->pull = column_int(q);
	o->context = column_text(q, a);
	o->answered_ns = column_int(q);
}

int store_origin_add(struct store *s, const struct job_origin *o, struct error *err)
{
	return db_run(s, ORIGIN_ADD, err,
		ARGS(INT(o->job_id), ID(o->delivery_id), TEXT(o->hook), TEXT(o->repository),
			TEXT(o->hash), INT(o->pull), TEXT(o->context)));
}

int store_origin_find(struct store *s, struct arena *a, int64_t job_id, struct job_origin *ret,
	struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, ORIGIN_FIND, ARGS(INT(job_id)));
	int r = query_one(&q, err, "no delivery filed this job");

	if (r == OK)
		read_origin(&q, a, ret);
	return r;
}

int store_origin_untold(struct store *s, struct arena *a, int64_t limit,
	struct job_origin **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, ORIGIN_UNTOLD, ARGS(INT(limit)));
	struct list l = LIST_OF(a, struct job_origin);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW)
		read_origin(&q, a, list_add(&l));
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

int store_origin_told(struct store *s, int64_t job_id, int64_t now_ns, struct error *err)
{
	return db_run(s, ORIGIN_TOLD, err, ARGS(INT(job_id), INT(now_ns)));
}

int store_delivery_jobs(struct store *s, struct arena *a, int64_t delivery_id,
	struct delivery_job **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, JOBS, ARGS(INT(delivery_id)));
	struct list l = LIST_OF(a, struct delivery_job);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW) {
		struct delivery_job *j = list_add(&l);

		j->uuid = column_text(&q, a);
		j->project_slug = column_text(&q, a);
	}
	*ret = l.items;
	*ret_n = l.n;
	return r;
}
