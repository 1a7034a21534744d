/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Branch, testbed, benchmark and measure are looked up, listed, made, changed and removed the
 * same way: this is that way. The files of the nouns keep their SQL in one shape (the macros
 * below make it) and put a thin typed skin on the functions. */
#ifndef DAEMON_STORE_DIMENSION_H
#define DAEMON_STORE_DIMENSION_H

#include "daemon/store/internal.h"

/* Statements by their place in each family. */
enum dimension_statement {
	D_BY_UUID,
	D_BY_SLUG,
	D_BY_NAME,
	D_SLUG_TAKEN,
	D_LIST,
	D_LIST_DESCENDING,
	D_LIST_BY_TIME,
	D_COUNT,
	D_ADD,
	D_UPDATE,
	D_REVIVE,
	D_REMOVE,
	D_PROJECT,
	D_count
};

struct dimension { /* a row of any of them */
	int64_t id, project_id;
	const char *uuid, *name, *slug;
	int64_t created_ns, modified_ns, archived_ns;
	const char *text;		  /* measure: units; branch: uuid of the head */
	enum better better;		  /* measure */
	int64_t head_id, head_created_ns; /* branch */
};
struct dimension_kind {
	const char *noun;
	enum family family;
	enum name_rule rule;
};

/* extra: four columns (text, better, head id, head time); join: where they come from. */
#define DIMENSION_SELECT(table, extra, join)                                                   \
	"SELECT t.id, t.project_id, t.uuid, t.name, t.slug, t.created_ns, t.modified_ns,"      \
	" t.archived_ns, " extra " FROM " table " t" join
#define DIMENSION_FILTER                                                                       \
	" WHERE t.project_id = $1 AND (CAST($2 AS TEXT) IS NULL OR t.name = $2)"               \
	" AND (CAST($3 AS TEXT) IS NULL OR lower(t.name) LIKE $3 ESCAPE '\\'"                  \
	" OR t.slug LIKE $3 ESCAPE '\\' OR t.uuid LIKE $3 ESCAPE '\\')"                        \
	" AND (t.archived_ns <> 0) = ($4 <> 0)"
#define DIMENSION_SQL(table, extra, join, add_columns, add_values, set)                        \
	[D_BY_UUID] = DIMENSION_SELECT(table, extra, join) " WHERE t.project_id = $1"          \
							   " AND t.uuid = lower($2)",          \
	[D_BY_SLUG] = DIMENSION_SELECT(table, extra, join) " WHERE t.project_id = $1"          \
							   " AND t.slug = $2",                 \
	[D_BY_NAME] = DIMENSION_SELECT(table, extra, join) " WHERE t.project_id = $1"          \
							   " AND t.name = $2",                 \
	[D_SLUG_TAKEN] = "SELECT 1 FROM " table " WHERE slug = $1 AND project_id = $2",        \
	[D_LIST] = DIMENSION_SELECT(table, extra, join) DIMENSION_FILTER                       \
		" ORDER BY t.name LIMIT $5 OFFSET $6",                                         \
	[D_LIST_DESCENDING] = DIMENSION_SELECT(table, extra, join) DIMENSION_FILTER            \
		" ORDER BY t.name DESC LIMIT $5 OFFSET $6",                                    \
	[D_LIST_BY_TIME] = DIMENSION_SELECT(table, extra, join) DIMENSION_FILTER               \
		" ORDER BY CASE WHEN $7 = 1 THEN t.created_ns WHEN $7 = 2 THEN -t.created_ns"  \
		" WHEN $7 = 3 THEN t.modified_ns ELSE -t.modified_ns END, t.id"                \
		" LIMIT $5 OFFSET $6",                                                         \
	[D_COUNT] = "SELECT count(*) FROM " table " t" DIMENSION_FILTER,                       \
	[D_ADD] = "INSERT INTO " table " (uuid, project_id, name, slug, created_ns,"           \
		  " modified_ns" add_columns ") VALUES ($1, $2, $3, $4, $5, $5" add_values ")" \
		  " RETURNING id",                                                             \
	[D_UPDATE] = "UPDATE " table " SET name = $2, slug = $3, archived_ns = $4,"            \
		     " modified_ns = $5" set " WHERE id = $1",                                 \
	[D_REVIVE] = "UPDATE " table " SET archived_ns = 0, modified_ns = $2 WHERE id = $1",   \
	[D_REMOVE] = "DELETE FROM " table " WHERE id = $1",                                    \
	[D_PROJECT] = "SELECT project_id FROM " table " WHERE id = $1"

/* By UUID, slug or name. A text that is a canonical slug means the thing with that slug, and
 * only if none has it the thing with that name. */
int dimension_find(struct store *s, struct arena *a, const struct dimension_kind *k,
	int64_t project_id, const char *name_id, struct dimension *ret,
	struct error *err) must_check;
int dimension_find_name(struct store *s, struct arena *a, const struct dimension_kind *k,
	int64_t project_id, const char *name, struct dimension *ret,
	struct error *err) must_check;
/* Rows go to read(), which makes a noun of each. */
int dimension_list(struct store *s, struct arena *a, const struct dimension_kind *k,
	int64_t project_id, const struct page *p, struct list *l,
	void (*read)(const struct dimension *d, void *noun), int64_t *ret_total,
	struct error *err) must_check;
/* d: project_id, name, slug (NULL: made of the name), for a measure text and better; fills the
 * rest. E_CONFLICT when the name is taken. */
int dimension_add(struct store *s, struct arena *a, const struct dimension_kind *k,
	struct dimension *d, int64_t now_ns, struct error *err) must_check;
int dimension_update(struct store *s, const struct dimension_kind *k, const struct dimension *d,
	int64_t now_ns, struct error *err) must_check;
/* A report that uses an archived thing brings it back. */
int dimension_revive(struct store *s, const struct dimension_kind *k, struct dimension *d,
	int64_t now_ns, struct error *err) must_check;
/* E_CONFLICT when something refers to it. */
int dimension_remove(struct store *s, const struct dimension_kind *k, int64_t id,
	struct error *err) must_check;

#endif
