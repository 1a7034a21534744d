/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Definitions saved by PUT, and K of definitions that were calibrated. */
#include "daemon/store/internal.h"

enum {
	BASE = Q_WORKLOAD * STATEMENTS_MAX,
	SAVE = BASE,
	FIND,
	LIST,
	REMOVE,
	ITERATIONS_FIND,
	ITERATIONS_SAVE,
	END
};
static const char *const sql[] = {
	[SAVE - BASE] =
		"INSERT INTO workload (project_id, name, definition_json, created_ns,"
		" modified_ns) VALUES ($1, $2, $3, $4, $4) ON CONFLICT (project_id, name)"
		" DO UPDATE SET definition_json = excluded.definition_json,"
		" modified_ns = excluded.modified_ns",
	[FIND - BASE] =
		"SELECT definition_json FROM workload WHERE project_id = $1 AND name = $2",
	[LIST - BASE] = "SELECT name FROM workload WHERE project_id = $1 ORDER BY name",
	[REMOVE - BASE] = "DELETE FROM workload WHERE project_id = $1 AND name = $2",
	[ITERATIONS_FIND - BASE] = "SELECT iterations FROM iteration_count"
				   " WHERE definition_hash = $1 AND environment_hash = $2",
	[ITERATIONS_SAVE - BASE] =
		"INSERT INTO iteration_count (definition_hash, environment_hash, iterations)"
		" VALUES ($1, $2, $3) ON CONFLICT (definition_hash, environment_hash)"
		" DO UPDATE SET iterations = excluded.iterations",
};
const struct statements workload_statements = { sql, END - BASE };

int store_workload_save(struct store *s, int64_t project_id, const char *name,
	const char *definition_json, int64_t now_ns, struct error *err)
{
	int r = name_check("workload", NAME_BENCHMARK, name, err);

	if (r == OK)
		r = db_run(s, SAVE, err,
			ARGS(INT(project_id), TEXT(name), TEXT(definition_json), INT(now_ns)));
	return r < 0 ? r : generation_bump(s, project_id, err);
}

int store_workload_find(struct store *s, struct arena *a, int64_t project_id, const char *name,
	const char **ret_definition_json, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, FIND, ARGS(INT(project_id), TEXT(name)));
	int r = query_one(&q, err, "there is no workload '%.80s' in this project", name);

	if (r == OK)
		*ret_definition_json = column_text(&q, a);
	return r;
}

int store_workload_list(struct store *s, struct arena *a, int64_t project_id,
	const char *const **ret_names, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, LIST, ARGS(INT(project_id)));
	struct list l = LIST_OF(a, const char *);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW)
		*(const char **)list_add(&l) = column_text(&q, a);
	*ret_names = l.items;
	*ret_n = l.n;
	return r;
}

int store_workload_remove(
	struct store *s, int64_t project_id, const char *name, struct error *err)
{
	int r = db_run(s, REMOVE, err, ARGS(INT(project_id), TEXT(name)));

	if (r == OK && db_changes(s) == 0)
		return error_set(
			err, E_NOT_FOUND, "there is no workload '%.80s' in this project", name);
	return r < 0 ? r : generation_bump(s, project_id, err);
}

int store_iterations_find(struct store *s, const char *definition_hash,
	const char *environment_hash, int64_t *ret, struct error *err)
{
	return db_get_int(s, ITERATIONS_FIND, 0, ret, err,
		ARGS(TEXT(definition_hash), TEXT(environment_hash)));
}

int store_iterations_save(struct store *s, const char *definition_hash,
	const char *environment_hash, int64_t iterations, struct error *err)
{
	return db_run(s, ITERATIONS_SAVE, err,
		ARGS(TEXT(definition_hash), TEXT(environment_hash), INT(iterations)));
}
