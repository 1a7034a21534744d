/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Handles: opening with the right pragmas, preparing every statement, transactions,
 * checkpoints. */
#include "daemon/store/internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "base/fs.h"

/* Quoted names in SQL are never texts, the schema cannot call functions with side effects, and
 * no statement can damage the file's inner tables. The page cache is small on purpose: the
 * kernel's is shared by all handles, and an idle daemon stays small. No mmap: a read error of
 * the disk would be a signal instead of an error. */
static const char every_handle[] = "PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0;"
				   "PRAGMA cache_size = -1000; PRAGMA temp_store = MEMORY;";
/* Checkpoints are run by the writer only (store_checkpoint): two connections that checkpoint or
 * write at once can lose a WAL reset in SQLite before 3.51.3. */
static const char writer_handle[] =
	"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
	"PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 67108864;"
	/* In memory the journal of a savepoint is a list of pieces that the end of every
	 * statement walks: a transaction of 100,000 rows would be quadratic. As a file (a
	 * temporary one, from STATEMENT_JOURNAL on) it is not. */
	"PRAGMA temp_store = FILE;";
static const char reader_handle[] = "PRAGMA query_only = ON; PRAGMA cache_size = -400; PRAGMA "
				    "wal_autocheckpoint = 0; PRAGMA foreign_keys = ON;";
enum {
	BUSY_TIMEOUT_MS = 5000,
	PAGE_BYTES = 4096,
	FRAME_HEADER_BYTES = 24,
	STATEMENT_JOURNAL = 128000
};

static const struct statements *const families[Q_count] = {
	[Q_PROJECT] = &project_statements,
	[Q_BRANCH] = &branch_statements,
	[Q_HEAD] = &head_statements,
	[Q_VERSION] = &version_statements,
	[Q_TESTBED] = &testbed_statements,
	[Q_BENCHMARK] = &benchmark_statements,
	[Q_MEASURE] = &measure_statements,
	[Q_ENVIRONMENT] = &environment_statements,
	[Q_WORKLOAD] = &workload_statements,
	[Q_JOB] = &job_statements,
	[Q_JOB_LIST] = &job_list_statements,
	[Q_JOB_QUEUE] = &job_queue_statements,
	[Q_JOB_EVENT] = &job_event_statements,
	[Q_JOB_LOG] = &job_log_statements,
	[Q_PROCESS] = &process_statements,
	[Q_REPORT] = &report_statements,
	[Q_REPORT_LIST] = &report_list_statements,
	[Q_RESULT] = &result_statements,
	[Q_SERIES] = &series_statements,
	[Q_POINT] = &point_statements,
	[Q_CHANGE] = &change_statements,
	[Q_ALERT] = &alert_statements,
	[Q_THRESHOLD] = &threshold_statements,
	[Q_TOKEN] = &token_statements,
	[Q_IDEMPOTENCY] = &idempotency_statements,
	[Q_SCHEDULE] = &schedule_statements,
	[Q_RULE] = &rule_statements,
	[Q_PAST] = &past_statements,
	[Q_PREFIX] = &prefix_statements,
	[Q_PLACE] = &place_statements,
	[Q_ARTIFACT] = &artifact_statements,
	[Q_DEVICE] = &device_statements,
	[Q_DELIVERY] = &delivery_statements,
	[Q_OUTGOING] = &outgoing_statements,
};

const struct statements *statements_of(enum family f)
{
	static const struct statements none;

	return families[f] ? families[f] : &none;
}

/* --- preparing --- */

static bool is_reading(const char *sql)
{
	return !strncmp(sql, "SELECT", 6) || !strncmp(sql, "WITH", 4);
}

static int prepare_one(struct store *s, const char *sql, struct prepared *p, struct error *err)
{
	char name[16];
	int rc;

	rc = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &p->stmt, NULL);
	if (rc != SQLITE_OK) {
		db_error(s, rc, err);
		return error_prefix(err, "cannot prepare \"%.120s\": ", sql);
	}
	p->n_args = (unsigned char)sqlite3_bind_parameter_count(p->stmt);
	assert(p->n_args <= ARGS_MAX);
	for (int i = 1; i <= p->n_args; i++) {
		snprintf(name, sizeof(name), "$%d", i);
		p->place[i] = (unsigned char)sqlite3_bind_parameter_index(p->stmt, name);
		if (p->place[i] == 0)
			return error_set(err, E_INTERNAL, "no %s in \"%.120s\"", name, sql);
	}
	return OK;
}

int db_prepare(struct store *s, int statement, struct error *err)
{
	const struct statements *st = statements_of(statement / STATEMENTS_MAX);
	struct prepared *p =
		&s->prepared[statement / STATEMENTS_MAX][statement % STATEMENTS_MAX];
	const char *sql = st->sql[statement % STATEMENTS_MAX];

	if (p->stmt)
		return OK;
	if (s->is_reader && !is_reading(sql))
		return error_set(err, E_INTERNAL, "a reading handle was asked to write");
	return prepare_one(s, sql, p, err);
}

/* The writer proves every statement at start. A reader's are then known to be right: it
 * prepares each on first use, which spares an idle daemon a megabyte a reader. */
static int prepare_family(struct store *s, enum family f, struct error *err)
{
	const struct statements *st = statements_of(f);
	int r = OK;

	assert(st->n <= STATEMENTS_MAX);
	s->prepared[f] = xcalloc(st->n, sizeof(*s->prepared[f]));
	for (size_t i = 0; r == OK && i < st->n && !s->is_reader; i++)
		r = db_prepare(s, (int)f * STATEMENTS_MAX + (int)i, err);
	return r;
}

static int prepare_all(struct store *s, struct error *err)
{
	for (int f = 0; f < Q_count; f++) {
		int r = prepare_family(s, f, err);

		if (r < 0)
			return r;
	}
	return OK;
}

static void finalize_all(struct store *s)
{
	for (int f = 0; f < Q_count; f++) {
		for (size_t i = 0; s->prepared[f] && i < statements_of(f)->n; i++)
			sqlite3_finalize(s->prepared[f][i].stmt);
		free(s->prepared[f]);
	}
	for (size_t v = 0; v < N_VERBS; v++)
		sqlite3_finalize(s->verbs[v]);
}

/* --- opening --- */

static void configure_library(void)
{
	/* One global counter less that all threads fight for. Refused once SQLite is in use,
	 * which is harmless. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	/* No pages in advance: every RETURNING makes a table of its own that holds one row, and
	 * 20 pages for it would be mapped, filled with zeros and unmapped each time. */
	sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
	/* One write of SQLite 3.40 takes less than 128 KiB (it masks the length): with larger
	 * pieces the move into a file fails as if the disk were full. */
	sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, STATEMENT_JOURNAL);
}

/* Only a file that is not there is made here: closing a descriptor of a database that another
 * handle of this process has open would drop that one's locks. */
static int create_file(const char *path, struct error *err)
{
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && errno != EEXIST)
		return error_errno(err, E_IO, "cannot create the database '%s'", path);
	if (fd >= 0)
		close(fd);
	return OK;
}

static int lock_alone(struct store *s, struct error *err)
{
	_cleanup_(free)
	char *name = xasprintf("%s-lock", s->path);

	s->lock_fd = open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return error_errno(err, E_IO, "cannot open '%s'", name);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return error_set(err, E_UNAVAILABLE,
			"another benchd uses the database '%s': stop it or choose another one",
			s->path);
	return OK;
}

static int set_options(struct store *s)
{
	static const struct {
		int option, value;
	} options[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
	};
	int rc = SQLITE_OK;

	for (size_t i = 0; i < ARRAY_SIZE(options) && rc == SQLITE_OK; i++)
		rc = sqlite3_db_config(s->db, options[i].option, options[i].value, NULL);
	if (rc == SQLITE_OK && s->is_reader)
		rc = sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
	return rc;
}

static int connect_database(struct store *s, struct error *err)
{
	int flags = s->is_reader ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	int rc = sqlite3_open_v2(s->path, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_CANTOPEN)
		return error_set(err, E_DB, "cannot open the database '%s': %s", s->path,
			strerror(sqlite3_system_errno(s->db)));
	if (rc == SQLITE_OK)
		rc = set_options(s);
	return rc == SQLITE_OK ? OK : db_error(s, rc, err);
}

static struct store *store_new(const char *path, bool is_reader)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct store *s = xcalloc(1, sizeof(*s));

	pthread_once(&once, configure_library);
	s->path = xstrdup(path);
	s->lock_fd = -1;
	s->is_reader = is_reader;
	return s;
}

/* After a commit: how long the log is. A shorter one was begun anew. */
static int on_logged(void *arg, sqlite3 *db, const char *name, int n_pages)
{
	struct store *s = arg;

	if (n_pages < s->log_pages)
		s->copied_pages = 0;
	s->log_pages = n_pages;
	return SQLITE_OK;
}

int store_open_with(const char *path, const struct embed *files, bool is_alone,
	struct store **ret, struct error *err)
{
	_cleanup_(store_close)
	struct store *s = store_new(path, false);
	int r = is_alone ? lock_alone(s, err) : OK;

	if (r == OK)
		r = create_file(path, err);
	if (r == OK)
		r = connect_database(s, err);
	if (r == OK)
		r = db_exec(s, every_handle, err);
	if (r == OK)
		r = db_exec(s, writer_handle, err);
	if (r == OK)
		sqlite3_wal_hook(s->db, on_logged, s); /* after the pragmas, which remove it */
	if (r == OK)
		r = migrate(s, files, err);
	if (r == OK && files == schema_files)
		r = prepare_all(s, err);
	if (r == OK)
		*ret = TAKE(s);
	return r;
}

int store_open(const char *path, struct store **ret, struct error *err)
{
	return store_open_with(path, schema_files, true, ret, err);
}

int store_open_reader(const char *path, struct store **ret, struct error *err)
{
	_cleanup_(store_close)
	struct store *s = store_new(path, true);
	int r = connect_database(s, err);

	if (r == OK)
		r = db_exec(s, every_handle, err);
	if (r == OK)
		r = db_exec(s, reader_handle, err);
	if (r == OK)
		r = migrate(s, schema_files, err);
	if (r == OK)
		r = prepare_all(s, err);
	if (r == OK)
		*ret = TAKE(s);
	return r;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	finalize_all(s);
	sqlite3_close(s->db);
	closep(&s->lock_fd);
	free(s->path);
	free(s);
}

/* --- text of our own making --- */

int db_exec(struct store *s, const char *sql, struct error *err)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? OK : db_error(s, rc, err);
}

int db_pragma_int(struct store *s, const char *sql, int64_t *ret, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? OK : db_error(s, rc, err);
}

/* --- transactions --- */

/* Each request of the writer runs three of these: parsing them each time would be work. */
static int run_verb(struct store *s, enum verb v, struct error *err)
{
	static const char *const sql[] = { "BEGIN", "BEGIN IMMEDIATE", "COMMIT",
		"SAVEPOINT request", "RELEASE request" };
	int rc = SQLITE_OK;

	if (!s->verbs[v])
		rc = sqlite3_prepare_v3(
			s->db, sql[v], -1, SQLITE_PREPARE_PERSISTENT, &s->verbs[v], NULL);
	if (rc != SQLITE_OK)
		return db_error(s, rc, err);
	rc = sqlite3_step(s->verbs[v]);
	if (rc != SQLITE_DONE) {
		int r = db_error(s, rc, err);

		sqlite3_reset(s->verbs[v]);
		return r;
	}
	sqlite3_reset(s->verbs[v]);
	return OK;
}

int store_begin(struct store *s, struct error *err)
{
	int r = run_verb(s, s->is_reader ? V_BEGIN : V_BEGIN_IMMEDIATE, err);

	s->lost.code = OK;
	s->in_transaction = r == OK;
	return r;
}

/* A transaction that SQLite gave up by itself is over: its reason is the commit's answer. */
static int lost(struct store *s, struct error *err)
{
	if (err)
		*err = s->lost;
	return s->lost.code;
}

int store_commit(struct store *s, struct error *err)
{
	int r = s->lost.code != OK ? lost(s, err) : run_verb(s, V_COMMIT, err);

	if (r < 0)
		store_rollback(s);
	s->in_transaction = false;
	return r;
}

void store_rollback(struct store *s)
{
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	s->in_transaction = false;
}

int store_savepoint(struct store *s, struct error *err)
{
	return s->lost.code != OK ? lost(s, err) : run_verb(s, V_SAVEPOINT, err);
}

int store_release(struct store *s, struct error *err)
{
	return s->lost.code != OK ? lost(s, err) : run_verb(s, V_RELEASE, err);
}

void store_rollback_to(struct store *s)
{
	if (s->lost.code == OK)
		sqlite3_exec(s->db, "ROLLBACK TO request; RELEASE request", NULL, NULL, NULL);
}

/* --- upkeep --- */

struct store_log store_get_log(const struct store *s)
{
	return (struct store_log){ .bytes = s->log_pages * (PAGE_BYTES + FRAME_HEADER_BYTES),
		.pending_bytes =
			(s->log_pages - s->copied_pages) * (PAGE_BYTES + FRAME_HEADER_BYTES) };
}

int store_checkpoint(struct store *s, bool truncate, struct error *err)
{
	int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
	int n_log = -1, n_copied = -1, rc;

	/* A reader in the middle of a page must not hold up the writer: what cannot be done now
	 * is done next time. */
	sqlite3_busy_timeout(s->db, 0);
	rc = sqlite3_wal_checkpoint_v2(s->db, NULL, mode, &n_log, &n_copied);
	sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
	if (n_log >= 0 && n_copied >= 0) {
		s->log_pages = n_log;
		s->copied_pages = n_copied;
	}
	return rc == SQLITE_OK || rc == SQLITE_BUSY ? OK : db_error(s, rc, err);
}

int store_check(struct store *s, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &stmt, NULL);
	int r = OK;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		r = db_error(s, rc, err);
	else if (strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") != 0)
		r = error_set(err, E_DB, "the database '%s' is damaged (%s): restore a backup",
			s->path, sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	return r;
}

static int64_t file_size(const char *path, const char *suffix)
{
	_cleanup_(free)
	char *name = xasprintf("%s%s", path, suffix);
	struct stat st;

	return stat(name, &st) < 0 ? 0 : st.st_size;
}

int store_get_stats(struct store *s, struct store_stats *ret, struct error *err)
{
	ret->wal_bytes = file_size(s->path, "-wal");
	ret->db_bytes = file_size(s->path, "");
	return db_pragma_int(s, "PRAGMA user_version", &ret->schema_version, err);
}
