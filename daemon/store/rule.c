/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules: thresholds by pattern. */
#include "base/secret.h"
#include "daemon/store/internal.h"

#define COLUMNS                                                                                \
	"id, project_id, uuid, name, source, branch, testbed, measure, benchmark, model_json," \
	" created_ns, modified_ns"
enum { BASE = Q_RULE * STATEMENTS_MAX, SAVE = BASE, FIND, LIST, COUNT, REMOVE, END };
static const char *const sql[] = {
	[SAVE - BASE] =
		"INSERT INTO rule (uuid, project_id, name, source, branch, testbed, measure,"
		" benchmark, model_json, created_ns, modified_ns)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)"
		" ON CONFLICT (project_id, name) DO UPDATE SET source = excluded.source,"
		" branch = excluded.branch, testbed = excluded.testbed,"
		" measure = excluded.measure, benchmark = excluded.benchmark,"
		" model_json = excluded.model_json, modified_ns = excluded.modified_ns"
		" RETURNING id",
	[FIND - BASE] = "SELECT " COLUMNS " FROM rule WHERE project_id = $1"
			" AND (name = $2 OR uuid = lower($2))",
	[LIST - BASE] = "SELECT " COLUMNS " FROM rule WHERE project_id = $1 ORDER BY name",
	[COUNT - BASE] = "SELECT count(*) FROM rule WHERE project_id = $1",
	[REMOVE - BASE] = "DELETE FROM rule WHERE id = $1",
};
const struct statements rule_statements = { sql, END - BASE };

static void read_rule(struct query *q, struct arena *a, struct limit_rule *r)
{
	r->id = column_int(q);
	r->project_id = column_int(q);
	r->uuid = column_text(q, a);
	r->name = column_text(q, a);
	r->source = column_text(q, a);
	r->branch = column_text(q, a);
	r->testbed = column_text(q, a);
	r->measure = column_text(q, a);
	r->benchmark = column_text(q, a);
	r->model_json = column_text(q, a);
	r->created_ns = column_int(q);
	r->modified_ns = column_int(q);
}

int store_rule_save(struct store *s, struct arena *a, struct limit_rule *r, int64_t now_ns,
	struct error *err)
{
	char uuid[UUID_TEXT];
	int64_t n;
	int e = db_get_int(s, COUNT, 0, &n, err, ARGS(INT(r->project_id)));

	if (e == OK && n >= RULES_MAX)
		return error_set(err, E_TOO_LARGE, "a project has at most %d rules", RULES_MAX);
	if (e == OK)
		e = db_get_int(s, SAVE, 0, &r->id, err,
			ARGS(TEXT(uuid_new(uuid)), INT(r->project_id), TEXT(r->name),
				TEXT(r->source), TEXT(r->branch), TEXT(r->testbed),
				TEXT(r->measure), TEXT(r->benchmark), TEXT(r->model_json),
				INT(now_ns)));
	if (e == OK)
		e = generation_bump(s, r->project_id, err);
	return e < 0 ? e : store_rule_find(s, a, r->project_id, r->name, r, err);
}

int store_rule_find(struct store *s, struct arena *a, int64_t project_id,
	const char *name_or_uuid, struct limit_rule *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, FIND, ARGS(INT(project_id), TEXT(name_or_uuid)));
	int r = query_one(&q, err, "there is no rule '%.80s'", name_or_uuid);

	if (r == OK)
		read_rule(&q, a, ret);
	return r;
}

int store_rule_list(struct store *s, struct arena *a, int64_t project_id,
	struct limit_rule **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, LIST, ARGS(INT(project_id)));
	struct list l = LIST_OF(a, struct limit_rule);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW)
		read_rule(&q, a, list_add(&l));
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

int store_rule_remove(struct store *s, const struct limit_rule *r, struct error *err)
{
	int e = db_run(s, REMOVE, err, ARGS(INT(r->id)));

	return e < 0 ? e : generation_bump(s, r->project_id, err);
}
