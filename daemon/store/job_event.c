/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events of jobs, numbered over all jobs, as streamed to clients. */
#include "daemon/store/internal.h"

enum { BASE = Q_JOB_EVENT * STATEMENTS_MAX, ADD = BASE, LIST, END };
static const char *const sql[] = {
	[ADD - BASE] = "INSERT INTO job_event (job_id, time_ns, kind, data_json)"
		       " VALUES ($1, $2, $3, $4)",
	[LIST - BASE] = "SELECT id, job_id, time_ns, kind, data_json FROM job_event"
			" WHERE job_id = $1 AND id > $2 ORDER BY id LIMIT $3",
};
const struct statements job_event_statements = { sql, END - BASE };

int store_job_event_add(struct store *s, int64_t job_id, int64_t now_ns, const char *kind,
	const char *data_json, struct error *err)
{
	return db_run(s, ADD, err,
		ARGS(INT(job_id), INT(now_ns), TEXT(kind), TEXT(data_json ? data_json : "{}")));
}

int store_job_events(struct store *s, struct arena *a, int64_t job_id, int64_t after_id,
	int64_t limit, struct job_event **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, LIST, ARGS(INT(job_id), INT(after_id), INT(limit)));
	struct list l = LIST_OF(a, struct job_event);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW) {
		struct job_event *e = list_add(&l);

		e->id = column_int(&q);
		e->job_id = column_int(&q);
		e->time_ns = column_int(&q);
		e->kind = column_text(&q, a);
		e->data_json = column_text(&q, a);
	}
	*ret = l.items;
	*ret_n = l.n;
	return r;
}
