/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Histories: the hot path. One clustered range read a head, nothing joined. */
#include "daemon/store/report.h"

#include <string.h>

enum {
	BASE = Q_POINT * STATEMENTS_MAX,
	KEY = BASE,
	SERIES_OF_HEAD,
	RANGE,
	FLAGS,
	BUMP,
	DEFINITION,
	END
};
static const char *const sql[] = {
	[KEY - BASE] = "SELECT head_id, testbed_id, benchmark_id, measure_id FROM series WHERE "
		       "id = $1",
	[SERIES_OF_HEAD - BASE] = "SELECT id FROM series WHERE head_id = $1 AND testbed_id = $2"
				  " AND benchmark_id = $3 AND measure_id = $4",
	[RANGE - BASE] =
		"SELECT version_number, report_id, iteration, environment_id,"
		" definition_id, flags, n_processes, time_ns, value, lower_value, upper_value,"
		" hash, report_uuid FROM point WHERE series_id = $1 AND version_number >= $2"
		" AND version_number <= $3 ORDER BY version_number DESC, report_id DESC,"
		" iteration DESC LIMIT $4",
	[FLAGS - BASE] = "UPDATE point SET flags = (flags | $4) & ~CAST($5 AS BIGINT) WHERE "
			 "series_id = $1"
			 " AND version_number = $2 AND report_id = $3",
	[BUMP - BASE] = "UPDATE project SET generation = generation + 1"
			" WHERE id = (SELECT project_id FROM series WHERE id = $1)",
	[DEFINITION - BASE] =
		"SELECT hash, workload_hash, program, driver FROM definition WHERE id = $1",
};
const struct statements point_statements = { sql, END - BASE };

enum { HASH_BYTES = 20, UUID_BYTES = 16 };

struct key {
	int64_t head_id, testbed_id, benchmark_id, measure_id;
};

/* Texts that neighbours share are made once. */
struct shared {
	int64_t definition_id, report_id;
	const char *definition, *workload, *program, *driver, *report, *hash;
	int failed; /* code of a lookup that failed */
};

static const char *unpack_hash(struct query *q, struct arena *a)
{
	const void *p = sqlite3_column_blob(q->stmt, q->column);
	int n = sqlite3_column_bytes(q->stmt, q->column);
	char *out;

	q->column++;
	if (!p || n != HASH_BYTES)
		return NULL;
	out = arena_alloc(a, 2 * HASH_BYTES + 1);
	hex_format(p, HASH_BYTES, out);
	return out;
}

static const char *unpack_uuid(struct query *q, struct arena *a)
{
	const uint8_t *p = sqlite3_column_blob(q->stmt, q->column);
	int n = sqlite3_column_bytes(q->stmt, q->column);
	char *out;

	q->column++;
	if (!p || n != UUID_BYTES)
		return NULL;
	/* Each hyphen overwrites the NUL of the part before it. */
	out = arena_alloc(a, UUID_TEXT);
	hex_format(p, 4, out);
	out[8] = '-';
	hex_format(p + 4, 2, out + 9);
	out[13] = '-';
	hex_format(p + 6, 2, out + 14);
	out[18] = '-';
	hex_format(p + 8, 2, out + 19);
	out[23] = '-';
	hex_format(p + 10, 6, out + 24);
	return out;
}

static void load_definition(
	struct store *s, struct arena *a, int64_t id, struct shared *sh, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, DEFINITION, ARGS(INT(id)));
	int r = query_step(&q, err);

	sh->definition_id = id;
	sh->definition = r == QUERY_ROW ? column_text(&q, a) : NULL;
	sh->workload = r == QUERY_ROW ? column_text(&q, a) : NULL;
	sh->program = r == QUERY_ROW ? column_text(&q, a) : NULL;
	sh->driver = r == QUERY_ROW ? column_text(&q, a) : NULL;
	if (!sh->workload)
		sh->workload = sh->definition;
	if (r < 0)
		sh->failed = r;
}

static void read_point(
	struct query *q, struct arena *a, struct shared *sh, struct point *p, struct error *err)
{
	int64_t definition;

	p->version_number = column_int(q);
	p->report_id = column_int(q);
	p->iteration = column_int(q);
	p->environment_id = column_int(q);
	definition = column_int(q);
	p->flags = (unsigned)column_int(q);
	p->n_processes = column_int(q);
	p->time_ns = column_int(q);
	p->value = column_real(q);
	p->lower = column_real(q);
	p->upper = column_real(q);
	if (p->report_id != sh->report_id) {
		sh->hash = unpack_hash(q, a);
		sh->report = unpack_uuid(q, a);
		sh->report_id = p->report_id;
	}
	if (definition && definition != sh->definition_id)
		load_definition(q->s, a, definition, sh, err);
	p->hash = sh->hash;
	p->report_uuid = sh->report;
	p->definition_hash = definition ? sh->definition : NULL;
	p->workload_hash = definition ? sh->workload : NULL;
	p->program = definition ? sh->program : NULL;
	p->driver = definition ? sh->driver : NULL;
}

static int read_range(struct store *s, struct arena *a, int64_t series_id,
	const struct head_walk *w, int64_t max, struct shared *sh, struct list *l,
	struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, RANGE,
		ARGS(INT(series_id), INT(w->least), INT(w->most), INT(max - (int64_t)l->n)));
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW && sh->failed == OK) {
		struct point *p = list_add(l);

		p->series_id = series_id;
		read_point(&q, a, sh, p, err);
	}
	return sh->failed < 0 ? sh->failed : r;
}

static int get_key(struct store *s, int64_t series_id, struct key *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, KEY, ARGS(INT(series_id)));
	int r = query_one(&q, err, "there is no series %lld", (long long)series_id);

	if (r < 0)
		return r;
	ret->head_id = column_int(&q);
	ret->testbed_id = column_int(&q);
	ret->benchmark_id = column_int(&q);
	ret->measure_id = column_int(&q);
	return OK;
}

static struct point *reversed(struct arena *a, const struct point *p, size_t n)
{
	struct point *copy = ARENA_ARRAY(a, struct point, n);

	for (size_t i = 0; i < n; i++)
		copy[i] = p[n - 1 - i];
	return copy;
}

int store_series_points(struct store *s, struct arena *a, int64_t series_id, int64_t max,
	struct point **ret, size_t *ret_n, struct error *err)
{
	/* What a growing list leaves behind would double what a history keeps in memory. */
	_cleanup_(arena_free)
	struct arena *scratch = arena_new();
	struct list l = LIST_OF(scratch, struct point);
	struct shared sh = { 0 };
	struct head_walk w = { 0 };
	struct key k = { 0 };
	int r = get_key(s, series_id, &k, err);

	w.head_id = k.head_id;
	while (r == OK && (int64_t)l.n < max) {
		int64_t id = series_id;

		r = head_walk(s, &w, err);
		if (r != QUERY_ROW)
			break;
		r = OK;
		if (w.head_id != k.head_id)
			r = db_get_int(s, SERIES_OF_HEAD, 0, &id, err,
				ARGS(INT(w.head_id), INT(k.testbed_id), INT(k.benchmark_id),
					INT(k.measure_id)));
		if (r == OK && id)
			r = read_range(s, a, id, &w, max, &sh, &l, err);
	}
	if (r < 0)
		return r;
	*ret = reversed(a, l.items, l.n);
	*ret_n = l.n;
	return OK;
}

/* Those of the series in the head that w stands at, as far as this branch sees them. */
static int add_changes(struct store *s, struct arena *a, const struct key *k,
	const struct head_walk *w, struct list *l, struct error *err)
{
	struct change_point *c;
	int64_t id;
	size_t n = 0;
	int r = db_get_int(s, SERIES_OF_HEAD, 0, &id, err,
		ARGS(INT(w->head_id), INT(k->testbed_id), INT(k->benchmark_id),
			INT(k->measure_id)));

	if (r == OK && id)
		r = store_change_points(s, a, id, &c, &n, err);
	for (size_t i = 0; r == OK && i < n; i++)
		if (c[i].version_number >= w->least && c[i].version_number <= w->most)
			*(struct change_point *)list_add(l) = c[i];
	return r;
}

int store_inherited_changes(struct store *s, struct arena *a, int64_t series_id,
	struct change_point **ret, size_t *ret_n, struct error *err)
{
	struct list l = LIST_OF(a, struct change_point);
	struct head_walk w = { 0 };
	struct key k = { 0 };
	int r = get_key(s, series_id, &k, err);

	w.head_id = k.head_id;
	while (r == OK) {
		r = head_walk(s, &w, err);
		if (r != QUERY_ROW)
			break;
		r = w.head_id == k.head_id ? OK : add_changes(s, a, &k, &w, &l, err);
	}
	*ret = l.items;
	*ret_n = l.n;
	return r < 0 ? r : OK;
}

int store_point_flags(struct store *s, int64_t series_id, int64_t version_number,
	int64_t report_id, unsigned set, unsigned clear, struct error *err)
{
	int r = db_run(s, FLAGS, err,
		ARGS(INT(series_id), INT(version_number), INT(report_id), INT(set),
			INT(clear)));

	return r < 0 ? r : db_run(s, BUMP, err, ARGS(INT(series_id)));
}
