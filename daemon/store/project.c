/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Projects and their generation counters. */
#include "daemon/store/internal.h"

#include <string.h>
#include "base/secret.h"
#include "base/text.h"

#define COLUMNS "id, uuid, name, slug, url, visibility, created_ns, modified_ns"
#define LIVE_FILTER                                                                            \
	" WHERE deleted_ns = 0 AND (CAST($1 AS TEXT) IS NULL OR name = $1)"                    \
	" AND (CAST($2 AS TEXT) IS NULL OR lower(name) LIKE $2 ESCAPE '\\'"                    \
	" OR slug LIKE $2 ESCAPE '\\' OR uuid LIKE $2 ESCAPE '\\')"

enum {
	BASE = Q_PROJECT * STATEMENTS_MAX,
	BY_UUID = BASE,
	BY_SLUG,
	BY_ID,
	SLUG_TAKEN,
	LIST,
	LIST_DESCENDING,
	COUNT,
	ADD,
	UPDATE,
	REMOVE,
	GENERATION,
	BUMP_METRIC,
	BUMP,
	END
};
static const char *const sql[] = {
	[BY_UUID - BASE] =
		"SELECT " COLUMNS " FROM project WHERE uuid = lower($1) AND deleted_ns = 0",
	[BY_SLUG - BASE] = "SELECT " COLUMNS " FROM project WHERE slug = $1 AND deleted_ns = 0",
	[BY_ID - BASE] = "SELECT " COLUMNS " FROM project WHERE id = $1 AND deleted_ns = 0",
	[SLUG_TAKEN - BASE] = "SELECT 1 FROM project WHERE slug = $1 AND deleted_ns = 0"
			      " AND deleted_ns = $2",
	[LIST - BASE] = "SELECT " COLUMNS " FROM project" LIVE_FILTER
			" ORDER BY name LIMIT $3 OFFSET $4",
	[LIST_DESCENDING - BASE] = "SELECT " COLUMNS " FROM project" LIVE_FILTER
				   " ORDER BY name DESC LIMIT $3 OFFSET $4",
	[COUNT - BASE] = "SELECT count(*) FROM project" LIVE_FILTER,
	[ADD - BASE] = "INSERT INTO project (uuid, name, slug, url, visibility, created_ns, "
		       "modified_ns)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING " COLUMNS,
	[UPDATE - BASE] = "UPDATE project SET name = $2, slug = $3, url = $4, visibility = $5,"
			  " modified_ns = $6, generation = generation + 1"
			  " WHERE id = $1 AND deleted_ns = 0",
	[REMOVE - BASE] = "UPDATE project SET deleted_ns = $2, generation = generation + 1"
			  " WHERE id = $1 AND deleted_ns = 0",
	[GENERATION - BASE] = "SELECT generation FROM project WHERE id = $1",
	[BUMP_METRIC - BASE] =
		"UPDATE project SET generation = generation + 1 WHERE id = (SELECT c.project_id"
		" FROM metric m JOIN series c ON c.id = m.series_id WHERE m.id = $1)",
	[BUMP - BASE] = "UPDATE project SET generation = generation + 1 WHERE id = $1",
};
const struct statements project_statements = { sql, END - BASE };

static void read_project(struct query *q, struct arena *a, struct project *ret)
{
	ret->id = column_int(q);
	ret->uuid = column_text(q, a);
	ret->name = column_text(q, a);
	ret->slug = column_text(q, a);
	ret->url = column_text(q, a);
	ret->visibility = column_text(q, a);
	ret->created_ns = column_int(q);
	ret->modified_ns = column_int(q);
}

int store_project_find(struct store *s, struct arena *a, const char *slug_or_uuid,
	struct project *ret, struct error *err)
{
	int by = uuid_is_valid(slug_or_uuid) ? BY_UUID : BY_SLUG;
	_cleanup_(query_done)
	struct query q = db_query(s, by, ARGS(TEXT(slug_or_uuid)));
	int r = query_one(&q, err, "there is no project '%.80s'", slug_or_uuid);

	if (r == OK)
		read_project(&q, a, ret);
	return r;
}

int store_project_get(
	struct store *s, struct arena *a, int64_t id, struct project *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, BY_ID, ARGS(INT(id)));
	int r = query_one(&q, err, "this project is not there");

	if (r == OK)
		read_project(&q, a, ret);
	return r;
}

int store_project_list(struct store *s, struct arena *a, const struct page *p,
	struct project **ret, size_t *ret_n, int64_t *ret_total, struct error *err)
{
	const char *search = like_pattern(a, p->search);
	struct window w = page_window(p);
	_cleanup_(query_done)
	struct query q = db_query(s, p->descending ? LIST_DESCENDING : LIST,
		ARGS(TEXT(p->name), TEXT(search), INT(w.limit), INT(w.offset)));
	struct list l = LIST_OF(a, struct project);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW)
		read_project(&q, a, list_add(&l));
	if (r == OK)
		r = db_get_int(s, COUNT, 0, ret_total, err, ARGS(TEXT(p->name), TEXT(search)));
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

static int check(const char *name, const char *visibility, const char *url, struct error *err)
{
	if (strcmp(visibility, "public") != 0 && strcmp(visibility, "private") != 0)
		return error_set_field(err, E_UNPROCESSABLE, "/visibility",
			"visibility is 'public' or 'private'");
	if (url && (strlen(url) > 2048 || !utf8_is_valid(url, strlen(url))))
		return error_set_field(
			err, E_UNPROCESSABLE, "/url", "url is UTF-8 of at most 2048 bytes");
	return name_check("project", NAME_RESOURCE, name, err);
}

static int taken(int r, const char *name, struct error *err)
{
	if (r != E_CONFLICT)
		return r;
	return error_set_field(err, E_CONFLICT, "/name",
		"a project with the name '%.80s' or its slug is there already", name);
}

int store_project_add(struct store *s, struct arena *a, const char *name, const char *slug,
	const char *url, const char *visibility, int64_t now_ns, struct project *ret,
	struct error *err)
{
	char uuid[UUID_TEXT], free_slug[SLUG_TEXT];
	struct query q;
	int r = check(name, visibility, url, err);

	if (r == OK)
		r = slug_choose(s, SLUG_TAKEN, 0, name, slug, free_slug, err);
	if (r < 0)
		return r;
	q = db_query(s, ADD,
		ARGS(TEXT(uuid_new(uuid)), TEXT(name), TEXT(free_slug), TEXT(url),
			TEXT(visibility), INT(now_ns)));
	r = query_one(&q, err, "the project was not stored");
	if (r == OK)
		read_project(&q, a, ret);
	query_done(&q);
	return taken(r, name, err);
}

int store_project_update(struct store *s, struct arena *a, const struct project *p,
	int64_t now_ns, struct error *err)
{
	int r = check(p->name, p->visibility, p->url, err);

	if (r == OK && !slug_is_valid(p->slug))
		r = error_set_field(
			err, E_UNPROCESSABLE, "/slug", "'%.80s' is no slug", p->slug);
	if (r == OK)
		r = db_run(s, UPDATE, err,
			ARGS(INT(p->id), TEXT(p->name), TEXT(p->slug), TEXT(p->url),
				TEXT(p->visibility), INT(now_ns)));
	if (r == OK && db_changes(s) == 0)
		r = error_set(err, E_NOT_FOUND, "there is no project '%.80s'", p->name);
	return taken(r, p->name, err);
}

int store_project_remove(struct store *s, int64_t id, int64_t now_ns, struct error *err)
{
	int r = db_run(s, REMOVE, err, ARGS(INT(id), INT(now_ns)));

	if (r == OK && db_changes(s) == 0)
		r = error_set(err, E_NOT_FOUND, "this project is not there");
	return r;
}

int store_project_ensure(struct store *s, struct arena *a, const char *slug, int64_t now_ns,
	struct project *ret, struct error *err)
{
	int r = store_project_find(s, a, slug, ret, err);

	if (r != E_NOT_FOUND || uuid_is_valid(slug))
		return r;
	if (!slug_is_valid(slug))
		return error_set_field(err, E_UNPROCESSABLE, "/project",
			"'%.80s' is no slug of a project: lower-case letters, digits and "
			"single "
			"'-' between them, at most 64",
			slug);
	return store_project_add(s, a, slug, slug, NULL, "private", now_ns, ret, err);
}

int store_generation(struct store *s, int64_t project_id, int64_t *ret, struct error *err)
{
	return db_get_int(s, GENERATION, 0, ret, err, ARGS(INT(project_id)));
}

int generation_bump(struct store *s, int64_t project_id, struct error *err)
{
	return db_run(s, BUMP, err, ARGS(INT(project_id)));
}

int generation_bump_metric(struct store *s, int64_t metric_id, struct error *err)
{
	return db_run(s, BUMP_METRIC, err, ARGS(INT(metric_id)));
}
