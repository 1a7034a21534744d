/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of store/ share: statements by number, typed arguments, columns in order.
 *
 * Each file keeps its SQL in one table beside the functions that run it:
 *
 *	enum { BASE = Q_TOKEN * STATEMENTS_MAX, FIND = BASE, LIST, END };
 *	static const char *const sql[] = { [FIND - BASE] = "SELECT ... WHERE id = $1", ... };
 *	const struct statements token_statements = { sql, END - BASE };
 *
 * All of it is prepared when the writer is opened. A statement is run by db_query (rows) or
 *db_run (no rows); the arguments are $1, $2, ... in order. Text and blobs are borrowed until
 *the query is done. */
#ifndef DAEMON_STORE_INTERNAL_H
#define DAEMON_STORE_INTERNAL_H

#include <sqlite3.h>
#include "base/buf.h"
#include "base/embed.h"
#include "daemon/store/store.h"

enum family {
	Q_DB,
	Q_PROJECT,
	Q_BRANCH,
	Q_HEAD,
	Q_VERSION,
	Q_TESTBED,
	Q_BENCHMARK,
	Q_MEASURE,
	Q_ENVIRONMENT,
	Q_WORKLOAD,
	Q_JOB,
	Q_JOB_LIST,
	Q_JOB_QUEUE,
	Q_JOB_EVENT,
	Q_JOB_LOG,
	Q_PROCESS,
	Q_REPORT,
	Q_REPORT_LIST,
	Q_RESULT,
	Q_SERIES,
	Q_POINT,
	Q_CHANGE,
	Q_ALERT,
	Q_THRESHOLD,
	Q_TOKEN,
	Q_IDEMPOTENCY,
	Q_SCHEDULE,
	Q_DELIVERY,
	Q_OUTGOING,
	Q_RULE,
	Q_PAST,
	Q_PREFIX,
	Q_PLACE,
	Q_ARTIFACT,
	Q_DEVICE,
	Q_count
};
enum { STATEMENTS_MAX = 64 /* in a family */, ARGS_MAX = 48 };

struct statements {
	const char *const *sql;
	size_t n;
};
extern const struct statements project_statements, branch_statements, head_statements,
	version_statements, testbed_statements, benchmark_statements, measure_statements,
	environment_statements, workload_statements, job_statements, job_list_statements,
	job_queue_statements, job_event_statements, job_log_statements, process_statements,
	report_statements, report_list_statements, result_statements, series_statements,
	point_statements, change_statements, alert_statements, threshold_statements,
	token_statements, idempotency_statements, schedule_statements, delivery_statements,
	outgoing_statements, rule_statements, past_statements, prefix_statements,
	place_statements, artifact_statements, device_statements;
const struct statements *statements_of(enum family f);
extern const struct embed schema_files[]; /* generated from schema/ */

/* What opens and ends transactions. */
enum verb { V_BEGIN, V_BEGIN_IMMEDIATE, V_COMMIT, V_SAVEPOINT, V_RELEASE, N_VERBS };

struct prepared {
	sqlite3_stmt *stmt;		   /* NULL: it writes and this handle only reads */
	unsigned char place[ARGS_MAX + 1]; /* $n -> SQLite's number of it */
	unsigned char n_args;
};
struct store {
	sqlite3 *db;
	char *path;
	int lock_fd; /* of the writer; -1 */
	bool is_reader, in_transaction;
	int64_t log_pages, copied_pages; /* of the writer: in the log; checkpointed of these */
	struct error lost; /* why SQLite gave up the transaction by itself; code OK if not */
	struct prepared *prepared[Q_count];
	struct sqlite3_stmt *verbs[N_VERBS]; /* prepared when first used */
};

/* --- arguments --- */
struct arg {
	enum { ARG_NULL, ARG_INT, ARG_REAL, ARG_TEXT, ARG_BLOB } kind;
	union {
		int64_t i;
		double d;
		const void *p;
	};
	size_t n;
};
static inline struct arg INT(int64_t v) {
	return (struct arg){ .kind = ARG_INT, .i = v };
} static inline struct arg ID(int64_t v) /* 0 is NULL */
{
	return (struct arg){ .kind = v ? ARG_INT : ARG_NULL, .i = v };
} static inline struct arg REAL(double v) /* not a number is NULL */
{
	return (struct arg){ .kind = v == v ? ARG_REAL : ARG_NULL, .d = v };
} static inline struct arg TEXT(const char *s) /* NULL is NULL */
{
	return (struct arg){ .kind = s ? ARG_TEXT : ARG_NULL, .p = s };
} static inline struct arg BLOB(const void *p, size_t n) {
	return (struct arg){ .kind = p ? ARG_BLOB : ARG_NULL, .p = p, .n = n };
}
#define ARGS(...)                                                                              \
	(const struct arg[]){ __VA_ARGS__ },                                                   \
		sizeof((const struct arg[]){ __VA_ARGS__ }) / sizeof(struct arg)

/* --- running --- */
struct query {
	struct store *s;
	sqlite3_stmt *stmt;
	int column;	     /* next to be read */
	struct error failed; /* of starting it; reported by the first step */
};
enum { QUERY_ROW = 1 };

int db_prepare(struct store *s, int statement, struct error *err) must_check;
struct query db_query(struct store *s, int statement, const struct arg *args, size_t n);
/* QUERY_ROW, OK at the end, or a negative code: E_CONFLICT for a broken unique or foreign key.
 */
int query_step(struct query *q, struct error *err) must_check;
/* One row is wanted: OK, or E_NOT_FOUND with this sentence. */
int query_one(struct query *q, struct error *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4))) must_check;
void query_done(struct query *q); /* ready to run again; harmless twice */
static inline void query_donep(struct query *q)
{
	query_done(q);
}
/* Run to the end, rows thrown away. */
int db_run(struct store *s, int statement, struct error *err, const struct arg *args,
	size_t n) must_check;
/* The first column of the first row; otherwise when there is no row. */
int db_get_int(struct store *s, int statement, int64_t otherwise, int64_t *ret,
	struct error *err, const struct arg *args, size_t n) must_check;
int64_t db_changes(const struct store *s); /* rows the last write changed */
/* prefix.c: the UUID that begins with text (8 digits or more) if there is one only, else text.
 */
enum uuid_table { UUID_JOB, UUID_REPORT, UUID_ALERT };
const char *uuid_complete(
	struct store *s, struct arena *a, enum uuid_table table, const char *text);
/* SQLite's error as ours. */
int db_error(struct store *s, int rc, struct error *err);
/* Text of our own making, not prepared: transactions, pragmas, migrations. */
int db_exec(struct store *s, const char *sql, struct error *err) must_check;
int db_pragma_int(struct store *s, const char *sql, int64_t *ret, struct error *err) must_check;

/* Columns of the current row, left to right. Text and blobs are copied to the arena. */
int64_t column_int(struct query *q);
double column_real(struct query *q);			   /* NULL: NAN */
const char *column_text(struct query *q, struct arena *a); /* NULL: NULL */
const void *column_blob(struct query *q, struct arena *a, size_t *ret_n);
double *column_doubles(struct query *q, struct arena *a, size_t *ret_n); /* packed float64 */
/* A name of an enum; otherwise when the database holds an unknown one. */
int column_enum(struct query *q, int (*parse)(const char *), int otherwise);

/* Little-endian float64, as stored. Borrows v where that is its own layout. */
struct arg DOUBLES(const double *v, size_t n, struct buf *scratch);

/* --- lists in an arena --- */
struct list {
	struct arena *arena;
	void *items;
	size_t n, capacity, size;
};
#define LIST_OF(a, type) ((struct list){ .arena = (a), .size = sizeof(type) })
void *list_add(struct list *l); /* zeroed; earlier items may move */

/* --- shared between families --- */
int migrate(struct store *s, const struct embed *files, struct error *err) must_check;
enum { APPLICATION_ID = 0x62636864 /* "bchd" in the file's header */ };
/* backup.c: all pages as of one moment; a code of SQLite. */
int copy_pages(sqlite3 *from, sqlite3 *to);
int sync_path(const char *path, int flags, struct error *err) must_check;
int sync_folder_of(const char *path, struct error *err) must_check;

int store_open_with(const char *path, const struct embed *files, bool is_alone,
	struct store **ret, struct error *err) must_check; /* store_open = all files, alone */

/* Names and slugs of a thing inside a project. */
enum name_rule { NAME_RESOURCE, NAME_BRANCH, NAME_BENCHMARK };
int name_check(
	const char *noun, enum name_rule rule, const char *name, struct error *err) must_check;
/* A slug for name that is free: asks statement (slug, scope id) for a row. slug may be NULL. */
int slug_choose(struct store *s, int statement, int64_t scope, const char *name,
	const char *slug, char ret[], struct error *err) must_check;
/* "%text%" with the wildcards in text escaped by '\', lower-cased; NULL for NULL. */
const char *like_pattern(struct arena *a, const char *text);
struct window {
	int64_t limit, offset;
};
struct window page_window(const struct page *p);

int generation_bump(struct store *s, int64_t project_id, struct error *err) must_check;
int generation_bump_metric(struct store *s, int64_t metric_id, struct error *err) must_check;

/* Heads. A start point: where a head begins, or would begin. */
struct start {
	int64_t branch_id, head_id, max_versions /* 0 = 255; only when asked for */;
	const char *branch_uuid, *head_uuid;
	struct version version;
};
struct head {
	int64_t id, start_head_id, start_number, first_number;
};
/* The heads whose versions a head sees, itself first, and which numbers of each: set head_id,
 * then call head_walk until it returns other than QUERY_ROW. */
struct head_walk {
	int64_t head_id, least, most;
	int depth;
};
enum { HEAD_CHAIN_MAX = 32 }; /* start points of start points that are followed */
int head_get(struct store *s, int64_t id, struct head *ret, struct error *err) must_check;
int head_walk(struct store *s, struct head_walk *w, struct error *err) must_check;
/* E_NOT_FOUND without a start point. */
int head_start(struct store *s, struct arena *a, int64_t head_id, struct start *ret,
	struct error *err) must_check;
/* A new current head for the branch; alerts of the old one are closed. from NULL: empty. */
int head_replace(struct store *s, int64_t branch_id, const struct start *from, int64_t now_ns,
	struct error *err) must_check;
/* Where a commit that the head does not have yet belongs: the number it is to get, -1 at the
 * end. By the known graph of commits, else by their dates (place.c). */
int version_place(struct store *s, struct arena *a, int64_t head_id, const char *hash,
	int64_t *ret, struct error *err) must_check;
/* Versions from this number on get the next one, with all that is stored under it. *ret_done
 * false: there are too many. */
int version_make_room(struct store *s, struct arena *a, int64_t head_id, int64_t from,
	bool *ret_done, struct error *err) must_check;
/* Newest version that the head sees, with this hash unless NULL; E_NOT_FOUND without one. */
int head_newest(struct store *s, struct arena *a, int64_t head_id, const char *hash,
	struct version *ret, struct error *err) must_check;
int alerts_close_of_head(struct store *s, int64_t head_id, const char *reason, int64_t now_ns,
	struct error *err) must_check;
struct iteration_alert { /* an open alert about the level of a metric's series */
	int64_t metric_id;
	struct alert alert;
};
int alerts_of_iteration(struct store *s, struct arena *a, int64_t report_id, int64_t iteration,
	struct iteration_alert **ret, size_t *ret_n, struct error *err) must_check;
int thresholds_clone(struct store *s, int64_t from_branch_id, int64_t to_branch_id,
	int64_t now_ns, struct error *err) must_check;

#endif
