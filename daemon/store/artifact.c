/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that jobs keep. */
#include "daemon/store/internal.h"

enum {
	BASE = Q_ARTIFACT * STATEMENTS_MAX,
	REMOVE = BASE,
	ADD,
	FIND,
	ADD_PIECE,
	LIST,
	PIECES,
	PRUNE_OLD,
	TOTAL,
	PRUNE_OLDEST,
	END
};
#define COLUMNS "id, arm, name, n_bytes, sha256, created_ns"
static const char *const sql[] = {
	[REMOVE - BASE] = "DELETE FROM artifact WHERE job_id = $1 AND arm = $2 AND name = $3",
	[ADD - BASE] = "INSERT INTO artifact (job_id, arm, name, n_bytes, sha256, created_ns)"
		       " VALUES ($1, $2, $3, $4, $5, $6)",
	[FIND - BASE] = "SELECT " COLUMNS " FROM artifact WHERE job_id = $1 AND arm = $2"
			" AND name = $3",
	[ADD_PIECE - BASE] = "INSERT INTO artifact_piece (artifact_id, seq, data)"
			     " VALUES ($1, $2, $3)",
	[LIST - BASE] = "SELECT " COLUMNS " FROM artifact WHERE job_id = $1 ORDER BY arm, name",
	[PIECES - BASE] = "SELECT data FROM artifact_piece WHERE artifact_id = $1 ORDER BY seq",
	[PRUNE_OLD - BASE] = "DELETE FROM artifact WHERE created_ns < $1",
	[TOTAL - BASE] = "SELECT coalesce(sum(n_bytes), 0) FROM artifact",
	[PRUNE_OLDEST - BASE] = "DELETE FROM artifact WHERE id = (SELECT id FROM artifact"
				" ORDER BY created_ns LIMIT 1) RETURNING n_bytes",
};
const struct statements artifact_statements = { sql, END - BASE };

static void read_artifact(struct query *q, struct arena *a, struct artifact *ret)
{
	ret->id = column_int(q);
	ret->arm = column_text(q, a);
	ret->name = column_text(q, a);
	ret->n_bytes = column_int(q);
	ret->sha256 = column_text(q, a);
	ret->created_ns = column_int(q);
}

int store_artifact_add(
	struct store *s, int64_t job_id, const struct artifact *f, struct error *err)
{
	int r = db_run(s, REMOVE, err, ARGS(INT(job_id), TEXT(f->arm), TEXT(f->name)));

	return r < 0 ? r
		     : db_run(s, ADD, err,
			       ARGS(INT(job_id), TEXT(f->arm), TEXT(f->name), INT(f->n_bytes),
				       TEXT(f->sha256), INT(f->created_ns)));
}

int store_artifact_add_piece(struct store *s, int64_t artifact_id, int64_t seq,
	const void *data, size_t n, struct error *err)
{
	return db_run(s, ADD_PIECE, err, ARGS(INT(artifact_id), INT(seq), BLOB(data, n)));
}

int store_artifact_find(struct store *s, struct arena *a, int64_t job_id, const char *arm,
	const char *name, struct artifact *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, FIND, ARGS(INT(job_id), TEXT(arm), TEXT(name)));
	int r = query_one(&q, err, "the job kept no file '%.200s'", name);

	if (r == OK)
		read_artifact(&q, a, ret);
	return r;
}

int store_artifact_list(struct store *s, struct arena *a, int64_t job_id, struct artifact **ret,
	size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, LIST, ARGS(INT(job_id)));
	struct list l = LIST_OF(a, struct artifact);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW)
		read_artifact(&q, a, list_add(&l));
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

int store_artifact_read(
	struct store *s, int64_t artifact_id, struct buf *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, PIECES, ARGS(INT(artifact_id)));
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW)
		buf_add(ret, sqlite3_column_blob(q.stmt, 0),
			(size_t)sqlite3_column_bytes(q.stmt, 0));
	return r;
}

int store_artifact_prune(
	struct store *s, int64_t before_ns, int64_t most_bytes, struct error *err)
{
	int64_t total = 0, freed;
	int r = db_run(s, PRUNE_OLD, err, ARGS(INT(before_ns)));

	if (r == OK)
		r = db_get_int(s, TOTAL, 0, &total, err, NULL, 0);
	while (r == OK && total > most_bytes) {
		r = db_get_int(s, PRUNE_OLDEST, 0, &freed, err, NULL, 0);
		total -= freed;
		if (freed == 0)
			break;
	}
	return r;
}
