/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of reports, and the newest report of a version. */
#include "daemon/store/report.h"

#include <string.h>

#define FILTER                                                                                 \
	" AND r.start_ns >= $2 AND r.end_ns <= $3"                                             \
	" AND (CAST($4 AS BIGINT) IS NULL OR r.testbed_id = $4)"                               \
	" AND (CAST($5 AS TEXT) IS NULL OR (v.hash >= $5 AND v.hash < $6))"
#define OF_PROJECT " WHERE r.project_id = $1" FILTER
#define OF_BRANCH " WHERE r.branch_id = $1" FILTER
#define OLDEST_FIRST " ORDER BY r.start_ns, r.id LIMIT $7 OFFSET $8"
#define NEWEST_FIRST " ORDER BY r.start_ns DESC, r.id DESC LIMIT $7 OFFSET $8"
/* A re-run measured only what was in question. */
#define WHOLE_FIRST                                                                            \
	" CASE WHEN r.adapter = '" REPORT_ADAPTER_RERUN "' THEN 2"                             \
	" WHEN r.arm = 'head' THEN 0 ELSE 1 END, r.id DESC LIMIT 1"
#define BEST_FIRST " ORDER BY v.number DESC," WHOLE_FIRST
enum {
	BASE = Q_REPORT_LIST * STATEMENTS_MAX,
	PROJECT_OLDEST = BASE,
	PROJECT_NEWEST,
	BRANCH_OLDEST,
	BRANCH_NEWEST,
	PROJECT_COUNT,
	PROJECT_COUNT_ALL,
	BRANCH_COUNT,
	BRANCH_COUNT_ALL,
	LATEST,
	LATEST_HASH,
	END
};
static const char *const sql[] = {
	[PROJECT_OLDEST - BASE] = "SELECT " REPORT_COLUMNS REPORT_FROM OF_PROJECT OLDEST_FIRST,
	[PROJECT_NEWEST - BASE] = "SELECT " REPORT_COLUMNS REPORT_FROM OF_PROJECT NEWEST_FIRST,
	[BRANCH_OLDEST - BASE] = "SELECT " REPORT_COLUMNS REPORT_FROM OF_BRANCH OLDEST_FIRST,
	[BRANCH_NEWEST - BASE] = "SELECT " REPORT_COLUMNS REPORT_FROM OF_BRANCH NEWEST_FIRST,
	[PROJECT_COUNT - BASE] = "SELECT count(*) FROM report r JOIN version v ON v.id = "
				 "r.version_id" OF_PROJECT,
	[PROJECT_COUNT_ALL - BASE] = "SELECT count(*) FROM report WHERE project_id = $1",
	[BRANCH_COUNT - BASE] =
		"SELECT count(*) FROM report r JOIN version v ON v.id = r.version_id" OF_BRANCH,
	[BRANCH_COUNT_ALL - BASE] = "SELECT count(*) FROM report WHERE branch_id = $1",
	[LATEST - BASE] = "SELECT " REPORT_COLUMNS REPORT_FROM
			  " WHERE r.head_id = $1 AND r.version_number >= $2"
			  " AND r.version_number <= $3"
			  " AND (CAST($4 AS BIGINT) IS NULL OR r.testbed_id = $4)"
			  " ORDER BY r.version_number DESC," WHOLE_FIRST,
	[LATEST_HASH - BASE] = "SELECT " REPORT_COLUMNS REPORT_FROM
			       " WHERE v.head_id = $1 AND v.number >= $2 AND v.number <= $3"
			       " AND (CAST($4 AS BIGINT) IS NULL OR r.testbed_id = $4)"
			       " AND v.hash = $5" BEST_FIRST,
};
const struct statements report_list_statements = { sql, END - BASE };

/* $1 to $6; the branch and testbed named by the filter become ids. */
static int filter_args(struct store *s, struct arena *a, int64_t project_id,
	const struct report_filter *f, struct arg args[8], struct error *err)
{
	struct branch branch = { .id = project_id };
	struct testbed testbed = { 0 };
	int r = OK;

	if (f->branch)
		r = store_branch_find(s, a, project_id, f->branch, &branch, err);
	if (r == OK && f->testbed)
		r = store_testbed_find(s, a, project_id, f->testbed, &testbed, err);
	args[0] = INT(branch.id);
	args[1] = INT(f->start_ns);
	args[2] = INT(f->end_ns ? f->end_ns : INT64_MAX);
	args[3] = ID(testbed.id);
	args[4] = TEXT(f->hash);
	/* Every hash that begins with f->hash is below this: 'g' follows the last digit. */
	args[5] = TEXT(f->hash ? arena_printf(a, "%sg", f->hash) : NULL);
	return r;
}

static int count(struct store *s, const struct report_filter *f, const struct arg *args,
	int64_t *ret, struct error *err)
{
	bool all = !f->testbed && !f->hash && !f->start_ns && !f->end_ns;
	int which = f->branch ? (all ? BRANCH_COUNT_ALL : BRANCH_COUNT)
			      : (all ? PROJECT_COUNT_ALL : PROJECT_COUNT);

	return db_get_int(s, which, 0, ret, err, args, all ? 1 : 6);
}

int store_report_list(struct store *s, struct arena *a, int64_t project_id,
	const struct report_filter *f, struct report **ret, size_t *ret_n, int64_t *ret_total,
	struct error *err)
{
	int newest = f->branch ? BRANCH_NEWEST : PROJECT_NEWEST;
	int oldest = f->branch ? BRANCH_OLDEST : PROJECT_OLDEST;
	struct window w = page_window(&f->page);
	struct list l = LIST_OF(a, struct report);
	struct arg args[8];
	struct query q;
	int r = filter_args(s, a, project_id, f, args, err);

	if (r < 0)
		return r;
	args[6] = INT(w.limit);
	args[7] = INT(w.offset);
	q = db_query(s, f->page.descending ? newest : oldest, args, 8);
	while ((r = query_step(&q, err)) == QUERY_ROW)
		report_read(&q, a, list_add(&l));
	query_done(&q);
	*ret = l.items;
	*ret_n = l.n;
	return r < 0 ? r : count(s, f, args, ret_total, err);
}

static int latest_of(struct store *s, struct arena *a, const struct head_walk *w,
	const char *hash, int64_t testbed_id, struct report *ret, struct error *err)
{
	const struct arg args[] = { INT(w->head_id), INT(w->least), INT(w->most),
		ID(testbed_id), TEXT(hash) };
	_cleanup_(query_done)
	struct query q = db_query(s, hash ? LATEST_HASH : LATEST, args, hash ? 5 : 4);
	int r = query_step(&q, err);

	if (r == QUERY_ROW)
		report_read(&q, a, ret);
	return r;
}

int store_report_latest(struct store *s, struct arena *a, int64_t project_id, int64_t head_id,
	const char *hash, int64_t testbed_id, struct report *ret, struct error *err)
{
	struct head_walk w = { .head_id = head_id };
	int r;

	while ((r = head_walk(s, &w, err)) == QUERY_ROW) {
		r = latest_of(s, a, &w, hash, testbed_id, ret, err);
		if (r == QUERY_ROW && ret->project_id == project_id)
			return OK;
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	return error_set(err, E_NOT_FOUND, "there is no report%s%.40s on this branch",
		hash ? " of the commit " : "", hash ? hash : "");
}
