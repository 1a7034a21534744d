/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Change points of histories. */
#include "daemon/store/internal.h"

#define COLUMNS                                                                                \
	"id, series_id, version_number, created_ns, hash, effect, effect_low, effect_high, p," \
	" before_value, after_value, outcome, detector"
enum {
	BASE = Q_CHANGE * STATEMENTS_MAX,
	OF_SERIES = BASE,
	OF_PROJECT,
	SAVE,
	REMOVE,
	PROJECT,
	END
};
static const char *const sql[] = {
	[OF_SERIES - BASE] = "SELECT " COLUMNS
			     " FROM change_point WHERE series_id = $1 ORDER BY version_number",
	[OF_PROJECT - BASE] = "SELECT " COLUMNS " FROM change_point WHERE project_id = $1"
			      " ORDER BY created_ns DESC, id DESC LIMIT $2",
	[SAVE - BASE] = "INSERT INTO change_point (project_id, series_id, version_number, hash,"
			" detector, outcome, effect, effect_low, effect_high, p, before_value,"
			" after_value, created_ns) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, "
			"$10, $11,"
			" $12, $13) ON CONFLICT (series_id, version_number) DO UPDATE SET"
			" hash = excluded.hash, detector = excluded.detector,"
			" outcome = excluded.outcome, effect = excluded.effect,"
			" effect_low = excluded.effect_low, effect_high = excluded.effect_high,"
			" p = excluded.p, before_value = excluded.before_value,"
			" after_value = excluded.after_value",
	[REMOVE - BASE] = "DELETE FROM change_point WHERE id = $1",
	[PROJECT - BASE] = "SELECT project_id FROM series WHERE id = $1",
};
const struct statements change_statements = { sql, END - BASE };

static void read_change(struct query *q, struct arena *a, struct change_point *c)
{
	c->id = column_int(q);
	c->series_id = column_int(q);
	c->version_number = column_int(q);
	c->created_ns = column_int(q);
	c->hash = column_text(q, a);
	c->effect = column_real(q);
	c->effect_low = column_real(q);
	c->effect_high = column_real(q);
	c->p = column_real(q);
	c->before = column_real(q);
	c->after = column_real(q);
	c->outcome = (enum outcome)column_enum(q, outcome_parse, OUTCOME_UNKNOWN);
	c->detector = column_text(q, a);
}

static int read_all(struct query *q, struct list *l, struct error *err)
{
	int r;

	while ((r = query_step(q, err)) == QUERY_ROW)
		read_change(q, l->arena, list_add(l));
	return r;
}

int store_change_points(struct store *s, struct arena *a, int64_t series_id,
	struct change_point **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, OF_SERIES, ARGS(INT(series_id)));
	struct list l = LIST_OF(a, struct change_point);
	int r = read_all(&q, &l, err);

	*ret = l.items;
	*ret_n = l.n;
	return r;
}

static bool is_in(int64_t version_number, const struct change_point *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c[i].version_number == version_number)
			return true;
	return false;
}

/* Removes what is stored but not in c. */
static int remove_others(struct store *s, int64_t series_id, const struct change_point *c,
	size_t n, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct change_point *old;
	size_t n_old;
	int r = store_change_points(s, a, series_id, &old, &n_old, err);

	for (size_t i = 0; r == OK && i < n_old; i++)
		if (!is_in(old[i].version_number, c, n))
			r = db_run(s, REMOVE, err, ARGS(INT(old[i].id)));
	return r;
}

int store_change_points_save(struct store *s, int64_t series_id, const struct change_point *c,
	size_t n, int64_t now_ns, struct error *err)
{
	int64_t project_id;
	int r = db_get_int(s, PROJECT, 0, &project_id, err, ARGS(INT(series_id)));

	if (r == OK && project_id == 0)
		return error_set(
			err, E_NOT_FOUND, "there is no series %lld", (long long)series_id);
	if (r == OK)
		r = remove_others(s, series_id, c, n, err);
	for (size_t i = 0; r == OK && i < n; i++)
		r = db_run(s, SAVE, err,
			ARGS(INT(project_id), INT(series_id), INT(c[i].version_number),
				TEXT(c[i].hash), TEXT(c[i].detector ? c[i].detector : ""),
				TEXT(outcome_name(c[i].outcome)), REAL(c[i].effect),
				REAL(c[i].effect_low), REAL(c[i].effect_high), REAL(c[i].p),
				REAL(c[i].before), REAL(c[i].after), INT(now_ns)));
	return r < 0 ? r : generation_bump(s, project_id, err);
}

int store_project_changes(struct store *s, struct arena *a, int64_t project_id, int64_t limit,
	struct change_point **ret, struct series **ret_series, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, OF_PROJECT, ARGS(INT(project_id), INT(limit)));
	struct list l = LIST_OF(a, struct change_point);
	int r = read_all(&q, &l, err);
	struct change_point *c = l.items;
	struct series *series = ARENA_ARRAY(a, struct series, l.n);

	for (size_t i = 0; r == OK && i < l.n; i++)
		r = store_series_get(s, a, c[i].series_id, &series[i], err);
	*ret = c;
	*ret_series = series;
	*ret_n = l.n;
	return r;
}
