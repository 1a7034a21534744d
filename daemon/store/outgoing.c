/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is to be sent, its attempts, and how far the readers of jobs and alerts have come. */
#include "daemon/store/internal.h"

#include <string.h>
#include "base/secret.h"

#define COLUMNS                                                                                \
	"o.id, o.uuid, o.kind, o.target, o.event, o.lane, o.job_id, o.state, o.reason,"        \
	" o.n_attempts, o.n_tries, o.created_ns, o.due_ns, o.done_ns"
/* The earlier message of a lane goes first. */
#define IS_FREE                                                                                \
	" NOT EXISTS (SELECT 1 FROM outgoing e WHERE e.lane = o.lane AND e.id < o.id"          \
	" AND e.state IN ('waiting', 'sending'))"
enum {
	BASE = Q_OUTGOING * STATEMENTS_MAX,
	REPLACE = BASE,
	ADD,
	CLAIM,
	BEGIN,
	GET,
	FIND,
	NEXT_DUE,
	COUNT_WAITING,
	END_ATTEMPT,
	NEWER,
	END_IT,
	HOLD,
	RECOVER,
	AGAIN,
	LIST,
	ATTEMPTS,
	PRUNE,
	MARK_GET,
	MARK_SET,
	NEWEST_EVENT,
	ENDED_JOBS,
	CONFIRMED,
	FORGET,
	END
};
static const char *const sql[] = {
	[REPLACE - BASE] =
		"UPDATE outgoing SET state = 'superseded', reason = 'a newer message replaced"
		" it', done_ns = $2 WHERE lane = $1 AND state = 'waiting'",
	[ADD - BASE] = "INSERT INTO outgoing (uuid, kind, target, event, lane, job_id, state,"
		       " reason, n_attempts, n_tries, created_ns, due_ns, done_ns, body)"
		       " VALUES ($1, $2, $3, $4, $5, $6, 'waiting', '', 0, 0, $7, $8, 0, $9)"
		       " RETURNING id",
	[CLAIM - BASE] =
		"UPDATE outgoing SET state = 'sending', n_attempts = n_attempts + 1,"
		" n_tries = n_tries + 1 WHERE state = 'waiting' AND id = (SELECT o.id"
		" FROM outgoing o WHERE o.state = 'waiting' AND o.due_ns <= $1 AND" IS_FREE
		" ORDER BY o.due_ns, o.id LIMIT 1) RETURNING id",
	[BEGIN - BASE] = "INSERT INTO outgoing_attempt (outgoing_id, number, started_ns,"
			 " ended_ns, status, outcome) SELECT id, n_attempts, $2, 0, 0,"
			 " 'cut off' FROM outgoing WHERE id = $1",
	[GET - BASE] = "SELECT " COLUMNS ", o.body FROM outgoing o WHERE o.id = $1",
	[FIND - BASE] = "SELECT " COLUMNS ", o.body FROM outgoing o WHERE o.uuid = lower($1)",
	[NEXT_DUE - BASE] =
		"SELECT o.due_ns FROM outgoing o WHERE o.state = 'waiting' AND" IS_FREE
		" ORDER BY o.due_ns LIMIT 1",
	[COUNT_WAITING - BASE] =
		"SELECT count(*) FROM outgoing WHERE state IN ('waiting', 'sending')",
	[END_ATTEMPT - BASE] = "UPDATE outgoing_attempt SET ended_ns = $3, status = $4,"
			       " outcome = $5 WHERE outgoing_id = $1 AND number = $2",
	[NEWER - BASE] = "SELECT 1 FROM outgoing n JOIN outgoing o ON o.lane = n.lane"
			 " WHERE o.id = $1 AND n.id > o.id LIMIT 1",
	[END_IT - BASE] = "UPDATE outgoing SET state = $2, reason = $3, due_ns = $4,"
			  " done_ns = $5 WHERE id = $1",
	[HOLD - BASE] =
		"UPDATE outgoing SET due_ns = $3 WHERE state = 'waiting' AND due_ns < $3"
		" AND target = $1 AND (kind = 'webhook') = ($2 = 'webhook')",
	[RECOVER - BASE] =
		"UPDATE outgoing SET state = 'waiting', due_ns = $1 WHERE state = 'sending'",
	[AGAIN - BASE] =
		"UPDATE outgoing SET state = 'waiting', reason = '', n_tries = 0, due_ns = $2,"
		" done_ns = 0 WHERE uuid = lower($1) AND state IN ('failed', 'waiting')"
		" AND NOT EXISTS (SELECT 1 FROM outgoing n WHERE n.lane = outgoing.lane"
		" AND n.id > outgoing.id)",
	[LIST - BASE] = "SELECT " COLUMNS " FROM outgoing o WHERE o.id < $1"
			" ORDER BY o.id DESC LIMIT $2",
	[ATTEMPTS - BASE] = "SELECT number, started_ns, ended_ns, status, outcome"
			    " FROM outgoing_attempt WHERE outgoing_id = $1 ORDER BY number",
	[PRUNE - BASE] = "DELETE FROM outgoing WHERE created_ns < $1"
			 " AND state IN ('delivered', 'superseded', 'failed')",
	[MARK_GET - BASE] = "SELECT value FROM progress_mark WHERE name = $1",
	[MARK_SET - BASE] = "INSERT INTO progress_mark (name, value) VALUES ($1, $2)"
			    " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
	[NEWEST_EVENT - BASE] = "SELECT max(id) FROM job_event",
	[ENDED_JOBS - BASE] = "SELECT job_id FROM job_event WHERE id > $1 AND id <= $2"
			      " AND kind = 'done' AND time_ns >= $3 ORDER BY id",
	[CONFIRMED - BASE] =
		"SELECT e.id, a.uuid, a.project_id, p.slug, e.time_ns FROM alert_event e"
		" JOIN alert a ON a.id = e.alert_id JOIN project p"
		" ON p.id = a.project_id WHERE e.id > 0"
		" AND a.snoozed_ns <= $2 AND NOT EXISTS (SELECT 1 FROM alert o"
		" WHERE o.series_id = a.series_id AND o.direction = a.direction"
		" AND o.state IN ('suspect', 'confirmed') AND o.snoozed_ns > $2)"
		" ORDER BY e.id LIMIT $1",
	[FORGET - BASE] = "DELETE FROM alert_event WHERE id = $1",
};
const struct statements outgoing_statements = { sql, END - BASE };

static void read_row(struct query *q, struct arena *a, struct outgoing *o)
{
	o->id = column_int(q);
	o->uuid = column_text(q, a);
	o->kind = column_text(q, a);
	o->target = column_text(q, a);
	o->event = column_text(q, a);
	o->lane = column_text(q, a);
	o->job_id = column_int(q);
	o->state = column_text(q, a);
	o->reason = column_text(q, a);
	o->n_attempts = column_int(q);
	o->n_tries = column_int(q);
	o->created_ns = column_int(q);
	o->due_ns = column_int(q);
	o->done_ns = column_int(q);
	o->body = NULL;
}

int store_outgoing_add(struct store *s, struct arena *a, struct outgoing *o, struct error *err)
{
	char uuid[UUID_TEXT];
	int r;

	uuid_new(uuid);
	if (!o->lane)
		o->lane = arena_strdup(a, uuid);
	r = db_run(s, REPLACE, err, ARGS(TEXT(o->lane), INT(o->created_ns)));
	if (r == OK)
		r = db_get_int(s, ADD, 0, &o->id, err,
			ARGS(TEXT(uuid), TEXT(o->kind), TEXT(o->target), TEXT(o->event),
				TEXT(o->lane), ID(o->job_id), INT(o->created_ns),
				INT(o->due_ns), TEXT(o->body)));
	if (r == OK)
		o->uuid = arena_strdup(a, uuid);
	return r;
}

static int get(
	struct store *s, struct arena *a, int64_t id, struct outgoing *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, GET, ARGS(INT(id)));
	int r = query_one(&q, err, "this message is not there");

	if (r == OK) {
		read_row(&q, a, ret);
		ret->body = column_text(&q, a);
	}
	return r;
}

int store_outgoing_claim(struct store *s, struct arena *a, int64_t now_ns, struct outgoing *ret,
	struct error *err)
{
	int64_t id;
	int r = db_get_int(s, CLAIM, 0, &id, err, ARGS(INT(now_ns)));

	if (r == OK && id == 0)
		return error_set(err, E_NOT_FOUND, "nothing is to be sent now");
	if (r == OK)
		r = db_run(s, BEGIN, err, ARGS(INT(id), INT(now_ns)));
	return r == OK ? get(s, a, id, ret, err) : r;
}

int store_outgoing_find(struct store *s, struct arena *a, const char *uuid,
	struct outgoing *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, FIND, ARGS(TEXT(uuid)));
	int r = query_one(&q, err, "there is no message '%.80s'", uuid);

	if (r == OK) {
		read_row(&q, a, ret);
		ret->body = column_text(&q, a);
	}
	return r;
}

int store_outgoing_next_due(struct store *s, int64_t *ret, struct error *err)
{
	return db_get_int(s, NEXT_DUE, 0, ret, err, NULL, 0);
}

int store_outgoing_count(struct store *s, int64_t *ret, struct error *err)
{
	return db_get_int(s, COUNT_WAITING, 0, ret, err, NULL, 0);
}

int store_outgoing_end(struct store *s, const struct outgoing *o,
	const struct outgoing_attempt *at, struct error *err)
{
	const char *state = o->state, *reason = o->reason;
	int64_t done_ns = o->done_ns, newer = 0;
	int r = db_run(s, END_ATTEMPT, err,
		ARGS(INT(o->id), INT(at->number), INT(at->ended_ns), INT(at->status),
			TEXT(at->outcome)));

	if (r == OK && !strcmp(state, "waiting"))
		r = db_get_int(s, NEWER, 0, &newer, err, ARGS(INT(o->id)));
	if (newer) {
		state = "superseded";
		reason = "a newer message replaced it";
		done_ns = at->ended_ns;
	}
	return r < 0 ? r
		     : db_run(s, END_IT, err,
			       ARGS(INT(o->id), TEXT(state), TEXT(reason), INT(o->due_ns),
				       INT(done_ns)));
}

int store_outgoing_hold(
	struct store *s, const struct outgoing *o, int64_t until_ns, struct error *err)
{
	return db_run(s, HOLD, err, ARGS(TEXT(o->target), TEXT(o->kind), INT(until_ns)));
}

int store_outgoing_recover(struct store *s, int64_t now_ns, struct error *err)
{
	return db_run(s, RECOVER, err, ARGS(INT(now_ns)));
}

int store_outgoing_again(struct store *s, const char *uuid, int64_t now_ns, struct error *err)
{
	int r = db_run(s, AGAIN, err, ARGS(TEXT(uuid), INT(now_ns)));

	if (r == OK && db_changes(s) == 0)
		return error_set(err, E_CONFLICT,
			"the message '%.80s' has been delivered, was replaced, or is being "
			"sent",
			uuid);
	return r;
}

int store_outgoing_list(struct store *s, struct arena *a, int64_t before_id, int64_t limit,
	struct outgoing **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q =
		db_query(s, LIST, ARGS(INT(before_id ? before_id : INT64_MAX), INT(limit)));
	struct list l = LIST_OF(a, struct outgoing);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW)
		read_row(&q, a, list_add(&l));
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

int store_outgoing_attempts(struct store *s, struct arena *a, int64_t id,
	struct outgoing_attempt **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, ATTEMPTS, ARGS(INT(id)));
	struct list l = LIST_OF(a, struct outgoing_attempt);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW) {
		struct outgoing_attempt *at = list_add(&l);

		at->number = column_int(&q);
		at->started_ns = column_int(&q);
		at->ended_ns = column_int(&q);
		at->status = column_int(&q);
		at->outcome = column_text(&q, a);
	}
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

int store_outgoing_prune(struct store *s, int64_t before_ns, struct error *err)
{
	return db_run(s, PRUNE, err, ARGS(INT(before_ns)));
}

/* --- what there is to tell --- */

int store_ended_jobs(struct store *s, struct arena *a, const char *reader, int64_t since_ns,
	int64_t **ret_ids, size_t *ret_n, struct error *err)
{
	struct list l = LIST_OF(a, int64_t);
	int64_t from, upto;
	int r = db_get_int(s, MARK_GET, -1, &from, err, ARGS(TEXT(reader)));

	if (r == OK)
		r = db_get_int(s, NEWEST_EVENT, 0, &upto, err, NULL, 0);
	if (r < 0)
		return r;
	if (from >= 0 && upto > from) {
		_cleanup_(query_done)
		struct query q =
			db_query(s, ENDED_JOBS, ARGS(INT(from), INT(upto), INT(since_ns)));

		while ((r = query_step(&q, err)) == QUERY_ROW)
			*(int64_t *)list_add(&l) = column_int(&q);
	}
	*ret_ids = l.items;
	*ret_n = l.n;
	if (r < 0 || upto == from)
		return r;
	return db_run(s, MARK_SET, err, ARGS(TEXT(reader), INT(upto)));
}

int store_confirmed_alerts(struct store *s, struct arena *a, int64_t now_ns, int64_t limit,
	struct confirmed_alert **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, CONFIRMED, ARGS(INT(limit), INT(now_ns)));
	struct list l = LIST_OF(a, struct confirmed_alert);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW) {
		struct confirmed_alert *c = list_add(&l);

		c->event_id = column_int(&q);
		c->uuid = column_text(&q, a);
		c->project_id = column_int(&q);
		c->project_slug = column_text(&q, a);
		c->time_ns = column_int(&q);
	}
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

int store_confirmed_alert_told(struct store *s, int64_t event_id, struct error *err)
{
	return db_run(s, FORGET, err, ARGS(INT(event_id)));
}
