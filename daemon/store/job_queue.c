/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The queue: claims, leases, places, dependencies. */
#include "daemon/store/job.h"

#define UNMET                                                                                  \
	" EXISTS (SELECT 1 FROM job_dependency d JOIN job o ON o.id = d.on_job_id"             \
	" WHERE d.job_id = job.id AND (o.is_final = 0"                                         \
	" OR (d.need = 'success' AND o.state <> 'succeeded')))"
#define HOPELESS                                                                               \
	" EXISTS (SELECT 1 FROM job_dependency d JOIN job o ON o.id = d.on_job_id"             \
	" WHERE d.job_id = job.id AND o.is_final = 1 AND d.need = 'success'"                   \
	" AND o.state <> 'succeeded')"
enum {
	BASE = Q_JOB_QUEUE * STATEMENTS_MAX,
	CLAIM = BASE,
	LEASE,
	POSITION,
	EXPIRED,
	DEPEND,
	REACHES,
	DEPENDENTS,
	AWAITED,
	READINESS,
	UNBLOCK,
	GIVE_UP,
	AGE,
	SUPERSEDED,
	END
};
static const char *const sql[] = {
	/* The state is asked twice: where two claim at once (PostgreSQL), the one that comes
	 * second changes no row. */
	[CLAIM - BASE] =
		"UPDATE job SET state = 'running', phase = '', worker_id = $1,"
		" lease_until_ns = $2, attempt = attempt + 1, n_told = 0,"
		" started_ns = CASE WHEN started_ns = 0 THEN $3 ELSE started_ns END"
		" WHERE state = 'queued' AND id = (SELECT id FROM job WHERE state = 'queued'"
		" AND slot = $4 AND not_before_ns <= $3 ORDER BY class, queued_ns, id LIMIT 1)"
		" RETURNING id",
	[LEASE - BASE] = "UPDATE job SET lease_until_ns = $3"
			 " WHERE id = $1 AND attempt = $2 AND state = 'running'",
	[POSITION - BASE] =
		/* Counted up to a limit: filing a job costs the same whatever waits. */
	"SELECT 1 + (SELECT count(*) FROM (SELECT o.id FROM job o WHERE"
	" o.state = 'queued' AND o.slot = j.slot"
	" AND (o.class, o.queued_ns, o.id) < (j.class, j.queued_ns, j.id)"
	" LIMIT 100) ahead) FROM job j WHERE j.id = $1 AND j.state = 'queued'",
	[EXPIRED - BASE] = "SELECT " JOB_COLUMNS JOB_FROM
			   " WHERE j.state = 'running' AND j.lease_until_ns <= $1"
			   " ORDER BY j.lease_until_ns LIMIT 1000",
	[DEPEND - BASE] = "INSERT INTO job_dependency (job_id, on_job_id, need)"
			  " VALUES ($1, $2, $3) ON CONFLICT (job_id, on_job_id)"
			  " DO UPDATE SET need = excluded.need",
	[REACHES - BASE] = "WITH RECURSIVE above (id) AS (SELECT on_job_id FROM job_dependency"
			   " WHERE job_id = $1 UNION SELECT d.on_job_id FROM job_dependency d"
			   " JOIN above ON d.job_id = above.id)"
			   " SELECT 1 FROM above WHERE id = $2 LIMIT 1",
	[DEPENDENTS - BASE] =
		"SELECT job_id FROM job_dependency WHERE on_job_id = $1 ORDER BY job_id",
	[AWAITED - BASE] =
		"SELECT on_job_id FROM job_dependency WHERE job_id = $1 ORDER BY on_job_id",
	[READINESS - BASE] = "SELECT CASE WHEN" HOPELESS " THEN 2 WHEN" UNMET
			     " THEN 0 ELSE 1 END FROM job WHERE id = $1",
	[UNBLOCK - BASE] = "UPDATE job SET state = 'queued', queued_ns = $1"
			   " WHERE state = 'blocked' AND NOT" UNMET,
	[GIVE_UP - BASE] = "UPDATE job SET state = 'canceled', is_final = 1, finished_ns = $1,"
			   " reason = 'a job that it depends on did not succeed'"
			   " WHERE state = 'blocked' AND" HOPELESS,
	[AGE - BASE] = "UPDATE job SET class = class - 1, aged_ns = $2 WHERE state = 'queued'"
		       " AND class > $3 AND aged_ns <= $1",
	[SUPERSEDED - BASE] = "SELECT " JOB_COLUMNS JOB_FROM
			      " WHERE j.supersede_key = $1 AND j.is_final = 0 AND j.id < $2"
			      " ORDER BY j.id",
};
const struct statements job_queue_statements = { sql, END - BASE };

int store_job_claim(struct store *s, struct arena *a, const char *slot, int64_t worker_id,
	int64_t now_ns, int64_t lease_until_ns, struct job *ret, struct error *err)
{
	int64_t id;
	int r = db_get_int(s, CLAIM, 0, &id, err,
		ARGS(INT(worker_id), INT(lease_until_ns), INT(now_ns), TEXT(slot)));

	if (r == OK && id == 0)
		return error_set(err, E_NOT_FOUND, "the queue of slot '%s' is empty", slot);
	if (r == OK)
		r = store_job_get(s, a, id, ret, err);
	return r < 0 ? r : generation_bump(s, ret->project_id, err);
}

int store_job_lease(
	struct store *s, int64_t id, int64_t attempt, int64_t lease_until_ns, struct error *err)
{
	int r = db_run(s, LEASE, err, ARGS(INT(id), INT(attempt), INT(lease_until_ns)));

	if (r == OK && db_changes(s) == 0)
		return error_set(err, E_CONFLICT,
			"attempt %lld of the job does not run any more", (long long)attempt);
	return r;
}

int store_job_position(struct store *s, int64_t id, int64_t *ret, struct error *err)
{
	return db_get_int(s, POSITION, 0, ret, err, ARGS(INT(id)));
}

int store_job_expired(struct store *s, struct arena *a, int64_t now_ns, struct job **ret,
	size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, EXPIRED, ARGS(INT(now_ns)));

	return job_read_all(&q, a, ret, ret_n, err);
}

int store_job_depends(
	struct store *s, int64_t job_id, int64_t on_job_id, const char *on, struct error *err)
{
	int64_t is_cycle = job_id == on_job_id;
	int r = OK;

	if (!is_cycle)
		r = db_get_int(
			s, REACHES, 0, &is_cycle, err, ARGS(INT(on_job_id), INT(job_id)));
	if (r < 0)
		return r;
	if (is_cycle)
		return error_set_field(err, E_UNPROCESSABLE, "/depends_on",
			"the jobs would wait for each other in a circle");
	return db_run(s, DEPEND, err, ARGS(INT(job_id), INT(on_job_id), TEXT(on)));
}

static int read_ids(
	struct query *q, struct arena *a, int64_t **ret, size_t *ret_n, struct error *err)
{
	struct list l = LIST_OF(a, int64_t);
	int r;

	while ((r = query_step(q, err)) == QUERY_ROW)
		*(int64_t *)list_add(&l) = column_int(q);
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

int store_job_dependents(struct store *s, struct arena *a, int64_t on_job_id,
	int64_t **ret_job_ids, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, DEPENDENTS, ARGS(INT(on_job_id)));

	return read_ids(&q, a, ret_job_ids, ret_n, err);
}

int store_job_awaited(struct store *s, struct arena *a, int64_t job_id, int64_t **ret_job_ids,
	size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, AWAITED, ARGS(INT(job_id)));

	return read_ids(&q, a, ret_job_ids, ret_n, err);
}

int store_job_readiness(struct store *s, int64_t id, enum readiness *ret, struct error *err)
{
	int64_t v = READY_NOT_YET;
	int r = db_get_int(s, READINESS, READY_NOT_YET, &v, err, ARGS(INT(id)));

	*ret = (enum readiness)v;
	return r;
}

int store_job_unblock(struct store *s, int64_t now_ns, struct error *err)
{
	int r;

	/* A canceled job may be what another one waits for. */
	do
		r = db_run(s, GIVE_UP, err, ARGS(INT(now_ns)));
	while (r == OK && db_changes(s) > 0);
	return r < 0 ? r : db_run(s, UNBLOCK, err, ARGS(INT(now_ns)));
}

int store_job_age(struct store *s, int64_t waiting_since_ns, int64_t now_ns,
	enum priority highest, struct error *err)
{
	return db_run(
		s, AGE, err, ARGS(INT(waiting_since_ns), INT(now_ns), INT((int64_t)highest)));
}

int store_job_superseded(struct store *s, struct arena *a, const char *supersede_key,
	int64_t by_id, struct job **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, SUPERSEDED, ARGS(TEXT(supersede_key), INT(by_id)));

	return job_read_all(&q, a, ret, ret_n, err);
}
