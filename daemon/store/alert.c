/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alerts, and the boundaries they come from. */
#include "daemon/store/report.h"

#define COLUMNS                                                                                \
	"a.id, a.uuid, a.series_id, a.report_id, a.metric_id, a.state, a.direction,"           \
	" a.version_number, a.hash, a.effect, a.effect_low, a.effect_high, a.p, a.baseline,"   \
	" a.value, a.created_ns, a.modified_ns, a.reason, a.detail_json, a.limit_side,"        \
	" a.acknowledged_ns, a.snoozed_ns, a.project_id,"                                      \
	" b.id, b.uuid, b.name, b.slug, b.created_ns, b.modified_ns, b.archived_ns, h.id,"     \
	" h.uuid, h.created_ns, t.id, t.uuid, t.name, t.slug, t.created_ns, t.modified_ns,"    \
	" t.archived_ns, " BENCHMARK_COLUMNS ", " MEASURE_COLUMNS
#define FROM                                                                                   \
	" FROM alert a JOIN series s ON s.id = a.series_id JOIN head h ON h.id = s.head_id"    \
	" JOIN branch b ON b.id = h.branch_id JOIN testbed t ON t.id = s.testbed_id"           \
	" JOIN benchmark k ON k.id = s.benchmark_id JOIN measure u ON u.id = s.measure_id"
#define IS_OPEN " a.state IN ('suspect', 'confirmed')"
enum {
	BASE = Q_ALERT * STATEMENTS_MAX,
	ADD = BASE,
	SAVE,
	FIND,
	MOVE,
	OPEN_OF_SERIES,
	OF_SERIES,
	OF_REPORT,
	LIST,
	LIST_OPEN,
	CLOSE_HEAD,
	BUMP,
	BOUNDARY_SAVE,
	BOUNDARY_FIND,
	OPEN_OF_ITERATION,
	ENTRY_ADD,
	ENTRIES,
	NOTE_CONFIRMED,
	END
};
static const char *const sql[] = {
	[ADD - BASE] =
		"INSERT INTO alert (uuid, project_id, series_id, report_id, metric_id, state,"
		" direction, version_number, hash, effect, effect_low, effect_high, p,"
		" baseline, value, created_ns, modified_ns, reason, detail_json, limit_side)"
		" SELECT $1, project_id, id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,"
		" $14, $15, $15, $16, $17, $18 FROM series WHERE id = $2 RETURNING id",
	[SAVE - BASE] = "UPDATE alert SET state = $2, direction = $3, effect = $4,"
			" effect_low = $5, effect_high = $6, p = $7, baseline = $8, value = $9,"
			" modified_ns = $10, reason = $11, detail_json = $12,"
			" acknowledged_ns = $13, snoozed_ns = $14 WHERE id = $1",
	[FIND - BASE] =
		"SELECT " COLUMNS FROM " WHERE a.project_id = $1 AND a.uuid = lower($2)",
	[MOVE - BASE] = "UPDATE alert SET version_number = $2, hash = $3, report_id = $4,"
			" metric_id = $5 WHERE id = $1",
	[OPEN_OF_SERIES - BASE] =
		"SELECT " COLUMNS FROM " WHERE a.series_id = $1 AND a.limit_side IS NULL"
		" AND" IS_OPEN " ORDER BY a.id",
	[OF_SERIES - BASE] =
		"SELECT " COLUMNS FROM " WHERE a.series_id = $1 AND a.limit_side IS NULL"
		" ORDER BY a.id DESC LIMIT $2",
	[OF_REPORT - BASE] = "SELECT " COLUMNS FROM " WHERE a.report_id = $1 ORDER BY a.id",
	[LIST - BASE] = "SELECT " COLUMNS FROM " WHERE a.project_id = $1"
			" AND a.state IN ($2, $3, $4, $5) ORDER BY a.id DESC LIMIT $6",
	[LIST_OPEN - BASE] = "SELECT " COLUMNS FROM " WHERE a.project_id = $1 AND" IS_OPEN
			     " AND a.state IN ($2, $3, $4, $5) ORDER BY a.id DESC LIMIT $6",
	[CLOSE_HEAD - BASE] =
		"UPDATE alert SET state = 'resolved', reason = $2, modified_ns = $3"
		" WHERE state IN ('suspect', 'confirmed')"
		" AND series_id IN (SELECT id FROM series WHERE head_id = $1)",
	[BUMP - BASE] = "UPDATE project SET generation = generation + 1"
			" WHERE id = (SELECT project_id FROM alert WHERE id = $1)",
	[BOUNDARY_SAVE - BASE] =
		"INSERT INTO boundary (metric_id, test, baseline, lower_limit, upper_limit,"
		" detail_json) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (metric_id)"
		" DO UPDATE SET test = excluded.test, baseline = excluded.baseline,"
		" lower_limit = excluded.lower_limit, upper_limit = excluded.upper_limit,"
		" detail_json = excluded.detail_json",
	/* The report's metrics first: they are few and bring their series. */
	[OPEN_OF_ITERATION - BASE] =
		"SELECT y.id, " COLUMNS
		" FROM metric y JOIN alert a ON a.series_id = y.series_id"
		" JOIN series s ON s.id = a.series_id JOIN head h ON h.id = s.head_id"
		" JOIN branch b ON b.id = h.branch_id JOIN testbed t ON t.id = s.testbed_id"
		" JOIN benchmark k ON k.id = s.benchmark_id JOIN measure u"
		" ON u.id = s.measure_id"
		" WHERE y.report_id = $1 AND y.iteration = $2 AND a.limit_side IS NULL"
		" AND" IS_OPEN,
	[ENTRY_ADD - BASE] = "INSERT INTO alert_entry (alert_id, created_ns, actor, kind, text)"
			     " VALUES ($1, $2, $3, $4, $5)",
	[ENTRIES - BASE] = "SELECT id, created_ns, actor, kind, text FROM alert_entry"
			   " WHERE alert_id = $1 ORDER BY id LIMIT $2",
	[BOUNDARY_FIND - BASE] = "SELECT baseline, lower_limit, upper_limit, test, detail_json"
				 " FROM boundary WHERE metric_id = $1",
	[NOTE_CONFIRMED - BASE] =
		"INSERT INTO alert_event (alert_id, time_ns) SELECT id, $2"
		" FROM alert WHERE id = $1 AND ($3 = 1 OR state <> 'confirmed')",
};
const struct statements alert_statements = { sql, END - BASE };
_Static_assert(alert_state_count == 4, "LIST takes four states");

enum { OPEN_STATES = 1u << ALERT_SUSPECT | 1u << ALERT_CONFIRMED };

static void read_alert(struct query *q, struct arena *a, struct alert *al)
{
	int64_t project_id;

	al->id = column_int(q);
	al->uuid = column_text(q, a);
	al->series_id = column_int(q);
	al->report_id = column_int(q);
	al->metric_id = column_int(q);
	al->state = (enum alert_state)column_enum(q, alert_state_parse, ALERT_SUSPECT);
	al->direction = (enum outcome)column_enum(q, outcome_parse, OUTCOME_UNKNOWN);
	al->version_number = column_int(q);
	al->hash = column_text(q, a);
	al->effect = column_real(q);
	al->effect_low = column_real(q);
	al->effect_high = column_real(q);
	al->p = column_real(q);
	al->baseline = column_real(q);
	al->value = column_real(q);
	al->created_ns = column_int(q);
	al->modified_ns = column_int(q);
	al->reason = column_text(q, a);
	al->detail_json = column_text(q, a);
	al->limit_side = column_text(q, a);
	al->acknowledged_ns = column_int(q);
	al->snoozed_ns = column_int(q);
	project_id = column_int(q);
	branch_read(q, a, project_id, &al->branch);
	testbed_read(q, a, project_id, &al->testbed);
	benchmark_read(q, a, project_id, &al->benchmark);
	measure_read(q, a, project_id, &al->measure);
}

/* For those who are told of it. Before the row is saved, unless it is new. */
static int note_confirmed(
	struct store *s, const struct alert *al, bool is_new, struct error *err)
{
	if (al->state != ALERT_CONFIRMED || al->limit_side)
		return OK;
	return db_run(
		s, NOTE_CONFIRMED, err, ARGS(INT(al->id), INT(al->modified_ns), INT(is_new)));
}

int store_alert_tell(struct store *s, const struct alert *al, struct error *err)
{
	return db_run(s, NOTE_CONFIRMED, err, ARGS(INT(al->id), INT(al->modified_ns), INT(1)));
}

int store_alert_add(struct store *s, struct arena *a, struct alert *al, int64_t metric_id,
	struct error *err)
{
	char uuid[UUID_TEXT];
	int r = db_get_int(s, ADD, 0, &al->id, err,
		ARGS(TEXT(uuid_new(uuid)), INT(al->series_id), INT(al->report_id),
			INT(metric_id), TEXT(alert_state_name(al->state)),
			TEXT(outcome_name(al->direction)), INT(al->version_number),
			TEXT(al->hash), REAL(al->effect), REAL(al->effect_low),
			REAL(al->effect_high), REAL(al->p), REAL(al->baseline), REAL(al->value),
			INT(al->created_ns), TEXT(al->reason ? al->reason : ""),
			TEXT(al->detail_json), TEXT(al->limit_side)));

	if (r < 0)
		return r;
	al->uuid = arena_strdup(a, uuid);
	al->metric_id = metric_id;
	r = note_confirmed(s, al, true, err);
	return r < 0 ? r : db_run(s, BUMP, err, ARGS(INT(al->id)));
}

int store_alert_save(struct store *s, const struct alert *al, struct error *err)
{
	int r = note_confirmed(s, al, false, err);

	if (r == OK)
		r = db_run(s, SAVE, err,
			ARGS(INT(al->id), TEXT(alert_state_name(al->state)),
				TEXT(outcome_name(al->direction)), REAL(al->effect),
				REAL(al->effect_low), REAL(al->effect_high), REAL(al->p),
				REAL(al->baseline), REAL(al->value), INT(al->modified_ns),
				TEXT(al->reason ? al->reason : ""), TEXT(al->detail_json),
				INT(al->acknowledged_ns), INT(al->snoozed_ns)));
	if (r == OK && db_changes(s) == 0)
		return error_set(err, E_NOT_FOUND, "this alert is not there");
	return r < 0 ? r : db_run(s, BUMP, err, ARGS(INT(al->id)));
}

int store_alert_find(struct store *s, struct arena *a, int64_t project_id, const char *uuid,
	struct alert *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(
		s, FIND, ARGS(INT(project_id), TEXT(uuid_complete(s, a, UUID_ALERT, uuid))));
	int r = query_one(&q, err, "there is no alert '%.80s'", uuid);

	if (r == OK)
		read_alert(&q, a, ret);
	return r;
}

static int read_all(
	struct query *q, struct arena *a, struct alert **ret, size_t *ret_n, struct error *err)
{
	struct list l = LIST_OF(a, struct alert);
	int r;

	while ((r = query_step(q, err)) == QUERY_ROW)
		read_alert(q, a, list_add(&l));
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

int store_alert_move(
	struct store *s, const struct alert *al, int64_t metric_id, struct error *err)
{
	int r = db_run(s, MOVE, err,
		ARGS(INT(al->id), INT(al->version_number), TEXT(al->hash), INT(al->report_id),
			INT(metric_id)));

	return r < 0 ? r : db_run(s, BUMP, err, ARGS(INT(al->id)));
}

int store_alert_open(struct store *s, struct arena *a, int64_t series_id, struct alert **ret,
	size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, OPEN_OF_SERIES, ARGS(INT(series_id)));

	return read_all(&q, a, ret, ret_n, err);
}

int store_alert_of_series(struct store *s, struct arena *a, int64_t series_id, int64_t limit,
	struct alert **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, OF_SERIES, ARGS(INT(series_id), INT(limit)));

	return read_all(&q, a, ret, ret_n, err);
}

int store_alert_of_report(struct store *s, struct arena *a, int64_t report_id,
	struct alert **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, OF_REPORT, ARGS(INT(report_id)));

	return read_all(&q, a, ret, ret_n, err);
}

int store_alert_list(struct store *s, struct arena *a, int64_t project_id, unsigned states,
	int64_t limit, struct alert **ret, size_t *ret_n, struct error *err)
{
	unsigned wanted = states ? states : ~0u;
	struct arg args[] = { INT(project_id), TEXT(NULL), TEXT(NULL), TEXT(NULL), TEXT(NULL),
		INT(limit) };
	_cleanup_(query_done)
	struct query q = { 0 };

	for (int i = 0; i < alert_state_count; i++)
		if (wanted & 1u << i)
			args[1 + i] = TEXT(alert_state_name((enum alert_state)i));
	q = db_query(
		s, wanted & ~(unsigned)OPEN_STATES ? LIST : LIST_OPEN, args, ARRAY_SIZE(args));
	return read_all(&q, a, ret, ret_n, err);
}

int alerts_close_of_head(
	struct store *s, int64_t head_id, const char *reason, int64_t now_ns, struct error *err)
{
	return db_run(s, CLOSE_HEAD, err, ARGS(INT(head_id), TEXT(reason), INT(now_ns)));
}

int store_boundary_save(struct store *s, int64_t metric_id, const char *test, double baseline,
	double lower, double upper, const char *detail_json, struct error *err)
{
	int r = db_run(s, BOUNDARY_SAVE, err,
		ARGS(INT(metric_id), TEXT(test), REAL(baseline), REAL(lower), REAL(upper),
			TEXT(detail_json)));

	return r < 0 ? r : generation_bump_metric(s, metric_id, err);
}

int store_boundary_find(struct store *s, struct arena *a, int64_t metric_id,
	struct boundary *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, BOUNDARY_FIND, ARGS(INT(metric_id)));
	int r = query_one(&q, err, "no limits were computed for this metric");

	if (r < 0)
		return r;
	ret->baseline = column_real(&q);
	ret->lower = column_real(&q);
	ret->upper = column_real(&q);
	ret->test = column_text(&q, a);
	ret->detail_json = column_text(&q, a);
	return OK;
}

int alerts_of_iteration(struct store *s, struct arena *a, int64_t report_id, int64_t iteration,
	struct iteration_alert **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, OPEN_OF_ITERATION, ARGS(INT(report_id), INT(iteration)));
	struct list l = LIST_OF(a, struct iteration_alert);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW) {
		struct iteration_alert *i = list_add(&l);

		i->metric_id = column_int(&q);
		read_alert(&q, a, &i->alert);
	}
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

int store_alert_entry_add(struct store *s, int64_t alert_id, int64_t now_ns, const char *actor,
	const char *kind, const char *text, struct error *err)
{
	int r = db_run(s, ENTRY_ADD, err,
		ARGS(INT(alert_id), INT(now_ns), TEXT(actor), TEXT(kind), TEXT(text)));

	return r < 0 ? r : db_run(s, BUMP, err, ARGS(INT(alert_id)));
}

int store_alert_entries(struct store *s, struct arena *a, int64_t alert_id, int64_t limit,
	struct alert_entry **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, ENTRIES, ARGS(INT(alert_id), INT(limit)));
	struct list l = LIST_OF(a, struct alert_entry);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW) {
		struct alert_entry *e = list_add(&l);

		e->id = column_int(&q);
		e->created_ns = column_int(&q);
		e->actor = column_text(&q, a);
		e->kind = column_text(&q, a);
		e->text = column_text(&q, a);
	}
	*ret = l.items;
	*ret_n = l.n;
	return r;
}
