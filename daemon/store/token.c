/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tokens: only the SHA-256 of a key is stored. */
#include "daemon/store/internal.h"

#include "base/secret.h"

#define COLUMNS                                                                                \
	"id, project_id, uuid, name, last_four, scopes, created_ns, expires_ns, revoked_ns,"   \
	" last_used_ns"
enum {
	BASE = Q_TOKEN * STATEMENTS_MAX,
	ADD = BASE,
	FIND,
	LIST,
	RENAME,
	REVOKE,
	COUNT,
	USED,
	END
};
static const char *const sql[] = {
	[ADD - BASE] = "INSERT INTO token (uuid, project_id, name, sha256, last_four, scopes,"
		       " created_ns, expires_ns) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
		       " RETURNING id",
	[FIND - BASE] = "SELECT " COLUMNS " FROM token WHERE sha256 = $1",
	[LIST - BASE] = "SELECT " COLUMNS " FROM token ORDER BY id",
	[RENAME - BASE] = "UPDATE token SET name = $2 WHERE uuid = lower($1)",
	[REVOKE - BASE] =
		"UPDATE token SET revoked_ns = CASE WHEN revoked_ns = 0 THEN $2 ELSE revoked_ns"
		" END WHERE uuid = lower($1)",
	[COUNT - BASE] = "SELECT count(*) FROM token WHERE revoked_ns = 0",
	[USED - BASE] = "UPDATE token SET last_used_ns = $2 WHERE id = $1",
};
const struct statements token_statements = { sql, END - BASE };

static void read_token(struct query *q, struct arena *a, struct token *t)
{
	t->id = column_int(q);
	t->project_id = column_int(q);
	t->uuid = column_text(q, a);
	t->name = column_text(q, a);
	t->last_four = column_text(q, a);
	t->scopes = (unsigned)column_int(q);
	t->created_ns = column_int(q);
	t->expires_ns = column_int(q);
	t->revoked_ns = column_int(q);
	t->last_used_ns = column_int(q);
}

int store_token_add(struct store *s, struct arena *a, const uint8_t sha256[32], struct token *t,
	struct error *err)
{
	char uuid[UUID_TEXT];
	int r = name_check("token", NAME_RESOURCE, t->name, err);

	if (r == OK)
		r = db_get_int(s, ADD, 0, &t->id, err,
			ARGS(TEXT(uuid_new(uuid)), ID(t->project_id), TEXT(t->name),
				BLOB(sha256, SHA256_BYTES), TEXT(t->last_four), INT(t->scopes),
				INT(t->created_ns), INT(t->expires_ns)));
	if (r == OK)
		t->uuid = arena_strdup(a, uuid);
	return r;
}

int store_token_find(struct store *s, struct arena *a, const uint8_t sha256[32],
	struct token *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, FIND, ARGS(BLOB(sha256, SHA256_BYTES)));
	int r = query_one(&q, err, "this key is not known");

	if (r == OK)
		read_token(&q, a, ret);
	return r;
}

int store_token_list(
	struct store *s, struct arena *a, struct token **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, LIST, NULL, 0);
	struct list l = LIST_OF(a, struct token);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW)
		read_token(&q, a, list_add(&l));
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

int store_token_rename(struct store *s, const char *uuid, const char *name, struct error *err)
{
	int r = name_check("token", NAME_RESOURCE, name, err);

	if (r == OK)
		r = db_run(s, RENAME, err, ARGS(TEXT(uuid), TEXT(name)));
	if (r == OK && db_changes(s) == 0)
		return error_set(err, E_NOT_FOUND, "there is no token '%.80s'", uuid);
	return r;
}

int store_token_revoke(struct store *s, const char *uuid, int64_t now_ns, struct error *err)
{
	int r = db_run(s, REVOKE, err, ARGS(TEXT(uuid), INT(now_ns)));

	if (r == OK && db_changes(s) == 0)
		return error_set(err, E_NOT_FOUND, "there is no token '%.80s'", uuid);
	return r;
}

int store_token_count(struct store *s, int64_t *ret, struct error *err)
{
	return db_get_int(s, COUNT, 0, ret, err, NULL, 0);
}

int store_token_used(struct store *s, int64_t id, int64_t now_ns, struct error *err)
{
	return db_run(s, USED, err, ARGS(INT(id), INT(now_ns)));
}
