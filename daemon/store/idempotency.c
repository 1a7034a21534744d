/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers kept so that a request sent twice is done once. */
#include "daemon/store/internal.h"

enum { BASE = Q_IDEMPOTENCY * STATEMENTS_MAX, FIND = BASE, SAVE, PRUNE, END };
static const char *const sql[] = {
	[FIND - BASE] = "SELECT body_hash, status, content_type, body, location, created_ns"
			" FROM idempotency WHERE scope = $1 AND key = $2",
	[SAVE - BASE] =
		"INSERT INTO idempotency (scope, key, body_hash, status, created_ns,"
		" content_type, location, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
	[PRUNE - BASE] = "DELETE FROM idempotency WHERE created_ns < $1",
};
const struct statements idempotency_statements = { sql, END - BASE };

int store_idempotency_find(struct store *s, struct arena *a, const char *scope, const char *key,
	struct idempotent *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, FIND, ARGS(TEXT(scope), TEXT(key)));
	int r = query_one(&q, err, "no answer is stored under the key '%.80s'", key);

	if (r < 0)
		return r;
	ret->body_hash = column_text(&q, a);
	ret->status = (int)column_int(&q);
	ret->content_type = column_text(&q, a);
	ret->body = column_text(&q, a);
	ret->location = column_text(&q, a);
	ret->created_ns = column_int(&q);
	return OK;
}

int store_idempotency_save(struct store *s, const char *scope, const char *key,
	const struct idempotent *i, struct error *err)
{
	int r = db_run(s, SAVE, err,
		ARGS(TEXT(scope), TEXT(key), TEXT(i->body_hash), INT(i->status),
			INT(i->created_ns), TEXT(i->content_type), TEXT(i->location),
			TEXT(i->body ? i->body : "")));

	if (r == E_CONFLICT)
		return error_set(err, E_CONFLICT,
			"an answer is stored already under the key '%.80s'", key);
	return r;
}

int store_idempotency_prune(struct store *s, int64_t before_ns, struct error *err)
{
	return db_run(s, PRUNE, err, ARGS(INT(before_ns)));
}
