/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Versions of a head: a commit hash with a number. */
#include "daemon/store/internal.h"

#include "base/secret.h"
#include "base/text.h"

#define COLUMNS "id, number, uuid, hash"
enum {
	BASE = Q_VERSION * STATEMENTS_MAX,
	OWN = BASE,
	NEWEST,
	NEWEST_HASH,
	NEXT,
	ADD,
	LIST,
	NUMBER,
	END
};
static const char *const sql[] = {
	[OWN - BASE] = "SELECT " COLUMNS " FROM version WHERE head_id = $1 AND hash = $2"
		       " ORDER BY number DESC LIMIT 1",
	[NEWEST - BASE] = "SELECT " COLUMNS " FROM version WHERE head_id = $1"
			  " AND number >= $2 AND number <= $3 ORDER BY number DESC LIMIT 1",
	[NEWEST_HASH - BASE] =
		"SELECT " COLUMNS " FROM version WHERE head_id = $1 AND hash = $4"
		" AND number >= $2 AND number <= $3 ORDER BY number DESC LIMIT 1",
	[NEXT - BASE] = "SELECT max(number) + 1 FROM version WHERE head_id = $1",
	[ADD - BASE] = "INSERT INTO version (uuid, head_id, number, hash)"
		       " VALUES ($1, $2, $3, $4) RETURNING " COLUMNS,
	[LIST - BASE] = "SELECT " COLUMNS " FROM version WHERE head_id = $1"
			" AND number >= $2 AND number <= $3 ORDER BY number DESC LIMIT $4",
	[NUMBER - BASE] = "SELECT number FROM version WHERE id = $1",
};
const struct statements version_statements = { sql, END - BASE };

static void read_version(struct query *q, struct arena *a, struct version *ret)
{
	ret->id = column_int(q);
	ret->number = column_int(q);
	ret->uuid = column_text(q, a);
	ret->hash = column_text(q, a);
}

static int newest_of(struct store *s, struct arena *a, const struct head_walk *w,
	const char *hash, struct version *ret, struct error *err)
{
	const struct arg args[] = { INT(w->head_id), INT(w->least), INT(w->most), TEXT(hash) };
	_cleanup_(query_done)
	struct query q = db_query(s, hash ? NEWEST_HASH : NEWEST, args, hash ? 4 : 3);
	int r = query_step(&q, err);

	if (r == QUERY_ROW)
		read_version(&q, a, ret);
	return r;
}

int head_newest(struct store *s, struct arena *a, int64_t head_id, const char *hash,
	struct version *ret, struct error *err)
{
	struct head_walk w = { .head_id = head_id };
	int r;

	while ((r = head_walk(s, &w, err)) == QUERY_ROW) {
		r = newest_of(s, a, &w, hash, ret, err);
		if (r != OK)
			return r == QUERY_ROW ? OK : r;
	}
	return r < 0 ? r
		     : error_set(err, E_NOT_FOUND, "this branch has no version%s%.40s",
			       hash ? " with the hash " : "", hash ? hash : "");
}

/* A backfilled commit lands at its place, not at the end. */
static int find_place(struct store *s, struct arena *a, int64_t head_id, const char *hash,
	int64_t *next, struct error *err)
{
	int64_t place;
	bool has_room = false;
	int r = version_place(s, a, head_id, hash, &place, err);

	if (r < 0 || place < 0 || place >= *next)
		return r;
	r = version_make_room(s, a, head_id, place, &has_room, err);
	if (r == OK && has_room)
		*next = place;
	return r;
}

static int add(struct store *s, struct arena *a, int64_t head_id, const char *hash,
	struct version *ret, struct error *err)
{
	char uuid[UUID_TEXT];
	int64_t next = 0;
	struct head h;
	struct query q;
	int r = head_get(s, head_id, &h, err);

	if (r == OK)
		r = db_get_int(s, NEXT, 0, &next, err, ARGS(INT(head_id)));
	if (r < 0)
		return r;
	next = MAX(next, h.start_number + 1);
	if (hash)
		r = find_place(s, a, head_id, hash, &next, err);
	if (r < 0)
		return r;
	q = db_query(s, ADD, ARGS(TEXT(uuid_new(uuid)), INT(head_id), INT(next), TEXT(hash)));
	r = query_one(&q, err, "the version was not stored");
	if (r == OK)
		read_version(&q, a, ret);
	query_done(&q);
	return r;
}

int store_version_ensure(struct store *s, struct arena *a, int64_t head_id, const char *hash,
	struct version *ret, struct error *err)
{
	struct query q;
	int r;

	if (!hash)
		return add(s, a, head_id, NULL, ret, err);
	if (!git_hash_is_valid(hash))
		return error_set_field(err, E_UNPROCESSABLE, "/hash",
			"'%.80s' is no commit hash: 40 lower-case hexadecimal digits", hash);
	q = db_query(s, OWN, ARGS(INT(head_id), TEXT(hash)));
	r = query_step(&q, err);
	if (r == QUERY_ROW)
		read_version(&q, a, ret);
	query_done(&q);
	if (r != OK)
		return r == QUERY_ROW ? OK : r;
	return add(s, a, head_id, hash, ret, err);
}

static int list_of(struct store *s, const struct head_walk *w, int64_t limit, struct list *l,
	struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, LIST,
		ARGS(INT(w->head_id), INT(w->least), INT(w->most), INT(limit - (int64_t)l->n)));
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW)
		read_version(&q, l->arena, list_add(l));
	return r;
}

int store_version_list(struct store *s, struct arena *a, int64_t head_id, int64_t limit,
	struct version **ret, size_t *ret_n, struct error *err)
{
	struct list l = LIST_OF(a, struct version);
	struct head_walk w = { .head_id = head_id };
	int r = OK;

	while (r == OK && (int64_t)l.n < limit) {
		r = head_walk(s, &w, err);
		if (r != QUERY_ROW)
			break;
		r = list_of(s, &w, limit, &l, err);
	}
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

int store_version_number(struct store *s, int64_t id, int64_t *ret, struct error *err)
{
	int r = db_get_int(s, NUMBER, -1, ret, err, ARGS(INT(id)));

	return r == OK && *ret < 0
		       ? error_set(err, E_NOT_FOUND, "there is no version %lld", (long long)id)
		       : r;
}
