/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Heads: ordered lists of versions, with what they see of the head they started from. */
#include "daemon/store/internal.h"

#include "base/secret.h"

enum { BASE = Q_HEAD * STATEMENTS_MAX, GET = BASE, REPLACE, ADD, START, END };
static const char *const sql[] = {
	[GET - BASE] = "SELECT id, start_head_id, start_number, first_number FROM head"
		       " WHERE id = $1",
	[REPLACE - BASE] =
		"UPDATE head SET replaced_ns = $2 WHERE branch_id = $1 AND replaced_ns = 0"
		" RETURNING id",
	[ADD - BASE] = "INSERT INTO head (uuid, branch_id, start_head_id, start_version_id,"
		       " start_number, first_number, created_ns)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7)",
	[START - BASE] = "SELECT b.id, b.uuid, f.id, f.uuid, v.id, v.number, v.uuid, v.hash"
			 " FROM head h JOIN head f ON f.id = h.start_head_id"
			 " JOIN version v ON v.id = h.start_version_id"
			 " JOIN branch b ON b.id = f.branch_id WHERE h.id = $1",
};
const struct statements head_statements = { sql, END - BASE };

enum { DEFAULT_MAX_VERSIONS = 255 };

int head_get(struct store *s, int64_t id, struct head *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, GET, ARGS(INT(id)));
	int r = query_one(&q, err, "this head is not there");

	if (r < 0)
		return r;
	ret->id = column_int(&q);
	ret->start_head_id = column_int(&q);
	ret->start_number = column_int(&q);
	ret->first_number = column_int(&q);
	return OK;
}

int head_walk(struct store *s, struct head_walk *w, struct error *err)
{
	struct head h;
	int r;

	if (w->depth == 0) {
		w->depth = 1;
		w->most = INT64_MAX;
		return QUERY_ROW;
	}
	r = head_get(s, w->head_id, &h, err);
	if (r < 0)
		return r;
	if (h.start_head_id == 0 || w->depth++ >= HEAD_CHAIN_MAX)
		return OK;
	w->head_id = h.start_head_id;
	w->most = MIN(w->most, h.start_number);
	w->least = MAX(w->least, h.first_number);
	return w->least <= w->most ? QUERY_ROW : OK;
}

int head_start(
	struct store *s, struct arena *a, int64_t head_id, struct start *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, START, ARGS(INT(head_id)));
	int r = query_one(&q, err, "this head has no start point");

	if (r < 0)
		return r;
	ret->branch_id = column_int(&q);
	ret->branch_uuid = column_text(&q, a);
	ret->head_id = column_int(&q);
	ret->head_uuid = column_text(&q, a);
	ret->version.id = column_int(&q);
	ret->version.number = column_int(&q);
	ret->version.uuid = column_text(&q, a);
	ret->version.hash = column_text(&q, a);
	return OK;
}

int store_head_start(struct store *s, struct arena *a, int64_t head_id, struct head_start *ret,
	struct error *err)
{
	struct start st;
	int r = head_start(s, a, head_id, &st, err);

	if (r == OK)
		*ret = (struct head_start){ .branch_uuid = st.branch_uuid,
			.head_uuid = st.head_uuid,
			.version = st.version };
	return r;
}

/* What a new head started at `from` sees: its newest max_versions versions up to the one it
 * starts from, of those the start head itself sees. */
static int first_seen(
	struct store *s, const struct start *from, int64_t *ret, struct error *err)
{
	int64_t n = from->max_versions > 0 ? from->max_versions : DEFAULT_MAX_VERSIONS;
	struct head h;
	int r = head_get(s, from->head_id, &h, err);

	if (r == OK)
		*ret = MAX(MAX(from->version.number - n + 1, 0), h.first_number);
	return r;
}

int head_replace(struct store *s, int64_t branch_id, const struct start *from, int64_t now_ns,
	struct error *err)
{
	int64_t old = 0, number = from ? from->version.number : -1, first = 0;
	char uuid[UUID_TEXT];
	int r = db_get_int(s, REPLACE, 0, &old, err, ARGS(INT(branch_id), INT(now_ns)));

	if (r == OK && old)
		r = alerts_close_of_head(s, old, REASON_NEW_HEAD, now_ns, err);
	if (r == OK && from)
		r = first_seen(s, from, &first, err);
	if (r < 0)
		return r;
	return db_run(s, ADD, err,
		ARGS(TEXT(uuid_new(uuid)), INT(branch_id), ID(from ? from->head_id : 0),
			ID(from ? from->version.id : 0), INT(number), INT(first), INT(now_ns)));
}
