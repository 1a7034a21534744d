/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Environment identities, and what is known of commits. */
#include "daemon/store/internal.h"

enum { BASE = Q_ENVIRONMENT * STATEMENTS_MAX, FIND = BASE, ADD, COMMIT_SAVE, COMMIT_FIND, END };
static const char *const sql[] = {
	[FIND - BASE] = "SELECT id, identity_hash, identity_json, created_ns FROM environment"
			" WHERE identity_hash = $1",
	[ADD - BASE] = "INSERT INTO environment (identity_hash, identity_json, created_ns)"
		       " VALUES ($1, $2, $3)",
	[COMMIT_SAVE - BASE] =
		"INSERT INTO commit_info (project_id, hash, author, email, subject, parents,"
		" time_ns) VALUES ($1, $2, $3, $4, $5, $6, $7)"
		" ON CONFLICT (project_id, hash) DO UPDATE SET author = excluded.author,"
		" email = excluded.email, subject = excluded.subject,"
		" parents = excluded.parents, time_ns = excluded.time_ns",
	[COMMIT_FIND - BASE] = "SELECT hash, author, email, subject, parents, time_ns"
			       " FROM commit_info WHERE project_id = $1 AND hash = $2",
};
const struct statements environment_statements = { sql, END - BASE };

int store_environment_find(struct store *s, struct arena *a, const char *identity_hash,
	struct environment *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, FIND, ARGS(TEXT(identity_hash)));
	int r = query_one(&q, err, "there is no environment '%.80s'", identity_hash);

	if (r < 0)
		return r;
	ret->id = column_int(&q);
	ret->identity_hash = column_text(&q, a);
	ret->identity_json = column_text(&q, a);
	ret->created_ns = column_int(&q);
	return OK;
}

int store_environment_ensure(struct store *s, struct arena *a, const char *identity_hash,
	const char *identity_json, int64_t now_ns, struct environment *ret, struct error *err)
{
	int r = store_environment_find(s, a, identity_hash, ret, err);

	if (r != E_NOT_FOUND)
		return r;
	r = db_run(s, ADD, err, ARGS(TEXT(identity_hash), TEXT(identity_json), INT(now_ns)));
	return r < 0 ? r : store_environment_find(s, a, identity_hash, ret, err);
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

int store_commit_save(
	struct store *s, int64_t project_id, const struct commit *c, struct error *err)
{
	int r = db_run(s, COMMIT_SAVE, err,
		ARGS(INT(project_id), TEXT(c->hash), TEXT(or_empty(c->author)),
			TEXT(or_empty(c->email)), TEXT(or_empty(c->subject)),
			TEXT(or_empty(c->parents)), INT(c->time_ns)));

	return r < 0 ? r : generation_bump(s, project_id, err);
}

int store_commit_find(struct store *s, struct arena *a, int64_t project_id, const char *hash,
	struct commit *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, COMMIT_FIND, ARGS(INT(project_id), TEXT(hash)));
	int r = query_one(&q, err, "nothing is known of the commit '%.80s'", hash);

	if (r < 0)
		return r;
	ret->hash = column_text(&q, a);
	ret->author = column_text(&q, a);
	ret->email = column_text(&q, a);
	ret->subject = column_text(&q, a);
	ret->parents = column_text(&q, a);
	ret->time_ns = column_int(&q);
	return OK;
}
