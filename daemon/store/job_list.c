/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of jobs and counts by state. */
#include "daemon/store/job.h"

/* || '' keeps SQLite from reading the jobs state by state and sorting them all. */
#define STATES                                                                                 \
	" j.state || '' IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"                     \
	" AND (CAST($12 AS TEXT) IS NULL OR j.branch = $12)"
#define NEWEST_FIRST " AND j.id < $14 ORDER BY j.id DESC LIMIT $13"
enum {
	BASE = Q_JOB_LIST * STATEMENTS_MAX,
	ALL = BASE,
	OF_PROJECT,
	OF_WORKLOAD,
	OF_STATE,
	OF_PROJECT_STATE,
	OPEN,
	COUNTS,
	END
};
static const char *const sql[] = {
	[ALL - BASE] = "SELECT " JOB_COLUMNS JOB_FROM " WHERE" STATES
		       " AND (CAST($15 AS TEXT) IS NULL OR j.name = $15)" NEWEST_FIRST,
	[OF_PROJECT - BASE] = "SELECT " JOB_COLUMNS JOB_FROM
			      " WHERE j.project_id = $15 AND" STATES NEWEST_FIRST,
	[OF_WORKLOAD - BASE] =
		"SELECT " JOB_COLUMNS JOB_FROM
		" WHERE j.project_id = $15 AND j.name = $16 AND" STATES NEWEST_FIRST,
	[OF_STATE - BASE] = "SELECT " JOB_COLUMNS JOB_FROM
			    " WHERE j.state = $1 AND j.id < $3 ORDER BY j.id DESC LIMIT $2",
	[OF_PROJECT_STATE - BASE] =
		"SELECT " JOB_COLUMNS JOB_FROM " WHERE j.state = $1 AND j.project_id = $4"
		" AND j.id < $3 ORDER BY j.id DESC LIMIT $2",
	[OPEN - BASE] = "SELECT " JOB_COLUMNS JOB_FROM " WHERE j.is_final = 0 AND" STATES
			" AND (CAST($14 AS TEXT) IS NULL OR j.name = $14)"
			" AND (CAST($15 AS BIGINT) IS NULL OR j.project_id = $15)"
			" ORDER BY j.class, j.queued_ns, j.id LIMIT $13",
	[COUNTS - BASE] = "SELECT state, count(*) FROM job GROUP BY state",
};
const struct statements job_list_statements = { sql, END - BASE };
_Static_assert(job_state_count == 11, "STATES lists $1 to $11");

/* $1 to $13. */
static size_t common_args(const struct job_filter *f, struct arg *args)
{
	size_t n = 0;

	for (int i = 0; i < job_state_count; i++)
		args[n++] =
			TEXT(f->states == 0 || f->states & 1u << i ? job_state_name(i) : NULL);
	args[n++] = TEXT(f->branch);
	args[n++] = INT(MIN(MAX(f->limit, 1), 1000));
	return n;
}

static int list_open(struct store *s, struct arena *a, const struct job_filter *f,
	struct job **ret, size_t *ret_n, struct error *err)
{
	struct arg args[16];
	size_t n = common_args(f, args);
	struct query q;
	int r;

	args[n++] = TEXT(f->name);
	args[n++] = ID(f->project_id);
	q = db_query(s, OPEN, args, n);
	r = job_read_all(&q, a, ret, ret_n, err);
	query_done(&q);
	return r;
}

static int list_newest(struct store *s, struct arena *a, const struct job_filter *f,
	struct job **ret, size_t *ret_n, struct error *err)
{
	int which = !f->project_id ? ALL : f->name ? OF_WORKLOAD : OF_PROJECT;
	struct arg args[16];
	size_t n = common_args(f, args);
	struct query q;
	int r;

	args[n++] = INT(f->before_id > 0 ? f->before_id : INT64_MAX);
	if (f->project_id)
		args[n++] = INT(f->project_id);
	if (which != OF_PROJECT)
		args[n++] = TEXT(f->name);
	q = db_query(s, which, args, n);
	r = job_read_all(&q, a, ret, ret_n, err);
	query_done(&q);
	return r;
}

/* One state and nothing else but perhaps a project: its own index has them in order, however
 * rare the state is. */
static int list_state(struct store *s, struct arena *a, const struct job_filter *f,
	enum job_state state, struct job **ret, size_t *ret_n, struct error *err)
{
	const struct arg args[] = { TEXT(job_state_name(state)),
		INT(MIN(MAX(f->limit, 1), 1000)),
		INT(f->before_id > 0 ? f->before_id : INT64_MAX), INT(f->project_id) };
	_cleanup_(query_done)
	struct query q = db_query(
		s, f->project_id ? OF_PROJECT_STATE : OF_STATE, args, f->project_id ? 4 : 3);

	return job_read_all(&q, a, ret, ret_n, err);
}

static bool is_one_state(const struct job_filter *f)
{
	return f->states && !(f->states & (f->states - 1)) && !f->name && !f->branch;
}

int store_job_list(struct store *s, struct arena *a, const struct job_filter *f,
	struct job **ret, size_t *ret_n, struct error *err)
{
	if (f->queue_order)
		return list_open(s, a, f, ret, ret_n, err);
	if (is_one_state(f))
		return list_state(
			s, a, f, (enum job_state)__builtin_ctz(f->states), ret, ret_n, err);
	return list_newest(s, a, f, ret, ret_n, err);
}

int store_job_counts(struct store *s, int64_t counts[job_state_count], struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, COUNTS, NULL, 0);
	int r;

	for (int i = 0; i < job_state_count; i++)
		counts[i] = 0;
	while ((r = query_step(&q, err)) == QUERY_ROW) {
		int state = column_enum(&q, job_state_parse, JOB_FAILED);

		counts[state] += column_int(&q);
	}
	return r;
}
