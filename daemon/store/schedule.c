/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Schedules and their firings. */
#include "daemon/store/internal.h"

#include "base/secret.h"

enum { FIRINGS_KEPT = 10000 };

#define COLUMNS                                                                                \
	"s.id, s.uuid, s.project_id, p.slug, s.name, s.cron, s.time_zone, s.misfire,"          \
	" s.overlap, s.grace_ns, s.jitter_ns, s.is_paused, s.may_exec, s.seen_ns, s.slot_ns,"  \
	" s.due_ns, s.created_ns, s.modified_ns, s.source, s.submitter, s.job_json, "          \
	"s.only_new"
#define FROM " FROM schedule s JOIN project p ON p.id = s.project_id AND p.deleted_ns = 0"
#define FIRING_COLUMNS                                                                         \
	"f.id, f.schedule_id, f.slot_ns, f.fired_ns, f.is_manual, f.n_missed, f.state,"        \
	" f.reason, f.job_id, j.uuid, j.state"
#define FIRING_FROM " FROM firing f LEFT JOIN job j ON j.id = f.job_id"
enum {
	BASE = Q_SCHEDULE * STATEMENTS_MAX,
	ADD = BASE,
	SAVE,
	BY_NAME,
	BY_UUID,
	LIST,
	LIST_ALL,
	DUE,
	AHEAD,
	EARLIEST,
	REMOVE,
	FIRING_ADD,
	FIRING_SAVE,
	FIRING_LIST,
	FIRING_PRUNE,
	PREVIOUS,
	END
};
static const char *const sql[] = {
	[ADD - BASE] =
		"INSERT INTO schedule (uuid, project_id, name, cron, time_zone, misfire,"
		" overlap, grace_ns, jitter_ns, is_paused, may_exec, seen_ns, slot_ns, due_ns,"
		" created_ns, modified_ns, source, submitter, job_json, only_new) VALUES ($1, "
		"$2, $3, $4,"
		" $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"
		" RETURNING id",
	[SAVE - BASE] = "UPDATE schedule SET name = $2, cron = $3, time_zone = $4,"
			" misfire = $5, overlap = $6, grace_ns = $7, jitter_ns = $8,"
			" is_paused = $9, may_exec = $10, seen_ns = $11, slot_ns = $12,"
			" due_ns = $13, modified_ns = $14, submitter = $15, job_json = $16, "
			"only_new = $17"
			" WHERE id = $1",
	[BY_NAME - BASE] = "SELECT " COLUMNS FROM " WHERE s.project_id = $1 AND s.name = $2",
	[BY_UUID - BASE] =
		"SELECT " COLUMNS FROM " WHERE s.project_id = $1 AND s.uuid = lower($2)",
	[LIST - BASE] = "SELECT " COLUMNS FROM " WHERE s.project_id = $1 ORDER BY s.name",
	[LIST_ALL - BASE] = "SELECT " COLUMNS FROM " ORDER BY s.id",
	[DUE - BASE] = "SELECT " COLUMNS FROM " WHERE s.is_paused = 0 AND s.due_ns > 0"
		       " AND s.due_ns <= $1 ORDER BY s.due_ns LIMIT 100",
	/* Seen in what is now the future: the clock was set back. */
	[AHEAD - BASE] = "SELECT " COLUMNS FROM " WHERE s.is_paused = 0 AND s.seen_ns > $1"
			 " ORDER BY s.seen_ns LIMIT 100",
	[EARLIEST - BASE] = "SELECT s.due_ns" FROM
			    " WHERE s.is_paused = 0 AND s.due_ns > 0 ORDER BY s.due_ns LIMIT 1",
	[REMOVE - BASE] = "DELETE FROM schedule WHERE id = $1",
	[FIRING_ADD - BASE] =
		"INSERT INTO firing (schedule_id, slot_ns, fired_ns, is_manual, n_missed,"
		" state, reason, job_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
		" ON CONFLICT (schedule_id, slot_ns) DO NOTHING RETURNING id",
	[FIRING_SAVE - BASE] =
		"UPDATE firing SET state = $2, reason = $3, job_id = $4 WHERE id = $1",
	[FIRING_LIST - BASE] = "SELECT " FIRING_COLUMNS FIRING_FROM
			       " WHERE f.schedule_id = $1 ORDER BY f.slot_ns DESC LIMIT $2",
	[FIRING_PRUNE - BASE] =
		"DELETE FROM firing WHERE schedule_id = $1 AND slot_ns < (SELECT slot_ns"
		" FROM firing WHERE schedule_id = $1 ORDER BY slot_ns DESC LIMIT 1 OFFSET $2)",
	[PREVIOUS - BASE] = "SELECT " FIRING_COLUMNS FIRING_FROM " WHERE f.schedule_id = $1"
			    " AND f.job_id IS NOT NULL ORDER BY f.slot_ns DESC LIMIT 1",
};
const struct statements schedule_statements = { sql, END - BASE };

static void read_schedule(struct query *q, struct arena *a, struct schedule *s)
{
	s->id = column_int(q);
	s->uuid = column_text(q, a);
	s->project_id = column_int(q);
	s->project_slug = column_text(q, a);
	s->name = column_text(q, a);
	s->cron = column_text(q, a);
	s->time_zone = column_text(q, a);
	s->misfire = (enum misfire)column_enum(q, misfire_parse, MISFIRE_SKIP);
	s->overlap = (enum overlap)column_enum(q, overlap_parse, OVERLAP_SKIP);
	s->grace_ns = column_int(q);
	s->jitter_ns = column_int(q);
	s->is_paused = column_int(q) != 0;
	s->may_exec = column_int(q) != 0;
	s->seen_ns = column_int(q);
	s->slot_ns = column_int(q);
	s->due_ns = column_int(q);
	s->created_ns = column_int(q);
	s->modified_ns = column_int(q);
	s->source = column_text(q, a);
	s->submitter = column_text(q, a);
	s->job_json = column_text(q, a);
	s->only_new = column_int(q) != 0;
}

static int read_schedules(struct query *q, struct arena *a, struct schedule **ret,
	size_t *ret_n, struct error *err)
{
	struct list l = LIST_OF(a, struct schedule);
	int r;

	while ((r = query_step(q, err)) == QUERY_ROW)
		read_schedule(q, a, list_add(&l));
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

int store_schedule_add(struct store *s, struct arena *a, struct schedule *sc, struct error *err)
{
	char uuid[UUID_TEXT];
	int r = name_check("schedule", NAME_RESOURCE, sc->name, err);

	if (r == OK)
		r = db_get_int(s, ADD, 0, &sc->id, err,
			ARGS(TEXT(uuid_new(uuid)), INT(sc->project_id), TEXT(sc->name),
				TEXT(sc->cron), TEXT(sc->time_zone),
				TEXT(misfire_name(sc->misfire)),
				TEXT(overlap_name(sc->overlap)), INT(sc->grace_ns),
				INT(sc->jitter_ns), INT(sc->is_paused), INT(sc->may_exec),
				INT(sc->seen_ns), INT(sc->slot_ns), INT(sc->due_ns),
				INT(sc->created_ns), INT(sc->modified_ns), TEXT(sc->source),
				TEXT(sc->submitter), TEXT(sc->job_json), INT(sc->only_new)));
	if (r == E_CONFLICT)
		return error_set_field(err, E_CONFLICT, "/name",
			"there is a schedule '%.64s' in this project already", sc->name);
	if (r < 0)
		return r;
	sc->uuid = arena_strdup(a, uuid);
	return generation_bump(s, sc->project_id, err);
}

int store_schedule_save(struct store *s, const struct schedule *sc, struct error *err)
{
	int r = name_check("schedule", NAME_RESOURCE, sc->name, err);

	if (r == OK)
		r = db_run(s, SAVE, err,
			ARGS(INT(sc->id), TEXT(sc->name), TEXT(sc->cron), TEXT(sc->time_zone),
				TEXT(misfire_name(sc->misfire)),
				TEXT(overlap_name(sc->overlap)), INT(sc->grace_ns),
				INT(sc->jitter_ns), INT(sc->is_paused), INT(sc->may_exec),
				INT(sc->seen_ns), INT(sc->slot_ns), INT(sc->due_ns),
				INT(sc->modified_ns), TEXT(sc->submitter), TEXT(sc->job_json),
				INT(sc->only_new)));
	if (r == E_CONFLICT)
		return error_set_field(err, E_CONFLICT, "/name",
			"there is a schedule '%.64s' in this project already", sc->name);
	return r < 0 ? r : generation_bump(s, sc->project_id, err);
}

static int find_by(struct store *s, struct arena *a, int statement, int64_t project_id,
	const char *what, struct schedule *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, statement, ARGS(INT(project_id), TEXT(what)));
	int r = query_one(&q, err, "there is no schedule '%.80s' in this project", what);

	if (r == OK)
		read_schedule(&q, a, ret);
	return r;
}

int store_schedule_find(struct store *s, struct arena *a, int64_t project_id,
	const char *name_or_uuid, struct schedule *ret, struct error *err)
{
	int r = find_by(s, a, BY_NAME, project_id, name_or_uuid, ret, err);

	return r == E_NOT_FOUND ? find_by(s, a, BY_UUID, project_id, name_or_uuid, ret, err)
				: r;
}

int store_schedule_list(struct store *s, struct arena *a, int64_t project_id,
	struct schedule **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = project_id ? db_query(s, LIST, ARGS(INT(project_id)))
				    : db_query(s, LIST_ALL, NULL, 0);

	return read_schedules(&q, a, ret, ret_n, err);
}

static int find_timed(struct store *s, struct arena *a, int statement, int64_t now_ns,
	struct schedule **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, statement, ARGS(INT(now_ns)));

	return read_schedules(&q, a, ret, ret_n, err);
}

int store_schedule_due(struct store *s, struct arena *a, int64_t now_ns, struct schedule **ret,
	size_t *ret_n, struct error *err)
{
	return find_timed(s, a, DUE, now_ns, ret, ret_n, err);
}

int store_schedule_ahead(struct store *s, struct arena *a, int64_t now_ns,
	struct schedule **ret, size_t *ret_n, struct error *err)
{
	return find_timed(s, a, AHEAD, now_ns, ret, ret_n, err);
}

int store_schedule_earliest(struct store *s, int64_t *ret_due_ns, struct error *err)
{
	return db_get_int(s, EARLIEST, 0, ret_due_ns, err, NULL, 0);
}

int store_schedule_remove(struct store *s, const struct schedule *sc, struct error *err)
{
	int r = db_run(s, REMOVE, err, ARGS(INT(sc->id)));

	return r < 0 ? r : generation_bump(s, sc->project_id, err);
}

/* --- firings --- */

static void read_firing(struct query *q, struct arena *a, struct firing *f)
{
	f->id = column_int(q);
	f->schedule_id = column_int(q);
	f->slot_ns = column_int(q);
	f->fired_ns = column_int(q);
	f->is_manual = column_int(q) != 0;
	f->n_missed = column_int(q);
	f->state = (enum firing_state)column_enum(q, firing_state_parse, FIRING_FAILED);
	f->reason = column_text(q, a);
	f->job_id = column_int(q);
	f->job_uuid = column_text(q, a);
	f->job_state = column_text(q, a);
}

int store_firing_add(struct store *s, struct firing *f, struct error *err)
{
	int r = db_get_int(s, FIRING_ADD, 0, &f->id, err,
		ARGS(INT(f->schedule_id), INT(f->slot_ns), INT(f->fired_ns), INT(f->is_manual),
			INT(f->n_missed), TEXT(firing_state_name(f->state)), TEXT(f->reason),
			ID(f->job_id)));

	if (r == OK && f->id == 0)
		return error_set(err, E_CONFLICT, "this slot has been dealt with already");
	return r < 0 ? r
		     : db_run(s, FIRING_PRUNE, err,
			       ARGS(INT(f->schedule_id), INT(FIRINGS_KEPT - 1)));
}

int store_firing_save(struct store *s, const struct firing *f, struct error *err)
{
	return db_run(s, FIRING_SAVE, err,
		ARGS(INT(f->id), TEXT(firing_state_name(f->state)), TEXT(f->reason),
			ID(f->job_id)));
}

int store_firing_list(struct store *s, struct arena *a, int64_t schedule_id, int64_t limit,
	struct firing **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, FIRING_LIST, ARGS(INT(schedule_id), INT(limit)));
	struct list l = LIST_OF(a, struct firing);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW)
		read_firing(&q, a, list_add(&l));
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

int store_firing_previous(struct store *s, struct arena *a, int64_t schedule_id,
	struct firing *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, PREVIOUS, ARGS(INT(schedule_id)));
	int r = query_one(&q, err, "the schedule has filed no job yet");

	if (r == OK)
		read_firing(&q, a, ret);
	return r;
}
