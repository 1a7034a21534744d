/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening, migrating, transactions, readers beside the writer. */
#include "tests/lib/store.h"

#include <ctype.h>
#include <fcntl.h>
#include <sys/stat.h>

static void exec_sql(const char *path, const char *text)
{
	sqlite3 *raw;
	char *message = NULL;

	ck_assert_int_eq(sqlite3_open(path, &raw), SQLITE_OK);
	ck_assert_msg(
		sqlite3_exec(raw, text, NULL, NULL, &message) == SQLITE_OK, "%s", message);
	sqlite3_close(raw);
}

static int64_t ask(const char *path, const char *text)
{
	sqlite3_stmt *stmt;
	sqlite3 *raw;
	int64_t v;

	ck_assert_int_eq(sqlite3_open(path, &raw), SQLITE_OK);
	ck_assert_msg(sqlite3_prepare_v2(raw, text, -1, &stmt, NULL) == SQLITE_OK, "%s",
		sqlite3_errmsg(raw));
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	v = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(raw);
	return v;
}

#define STEP(name, text)                                                                       \
	{                                                                                      \
		name, (const unsigned char *)(text), sizeof(text) - 1                          \
	}
static const struct embed two_steps[] = { STEP("001-a.sql", "CREATE TABLE a (x INTEGER);"),
	STEP("002-b.sql", "CREATE TABLE b (x INTEGER);"), { 0 } };
static const struct embed three_steps[] = { STEP("001-a.sql", "CREATE TABLE a (x INTEGER);"),
	STEP("002-b.sql", "CREATE TABLE b (x INTEGER);"),
	STEP("003-c.sql", "CREATE TABLE c (x INTEGER); INSERT INTO c SELECT x FROM a;"),
	{ 0 } };
static const struct embed broken_step[] = { STEP("001-a.sql", "CREATE TABLE a (x INTEGER);"),
	STEP("002-b.sql", "CREATE TABLE b (x INTEGER);"),
	STEP("003-c.sql", "CREATE TABLE c (x INTEGER); CREATE TABLE a (y INTEGER);"), { 0 } };

static void open_with(const struct embed *files)
{
	ok(store_open_with(db_path, files, true, &db, &err));
	store_close(db);
}

START_TEST(a_fresh_database_gets_every_step_and_opens_again)
{
	struct store_stats stats;
	struct stat st;

	make_folder();
	ok(store_open(db_path, &db, &err));
	ok(store_get_stats(db, &stats, &err));
	for (const struct embed *f = schema_files; f->name; f++)
		ck_assert_int_le(atoi(f->name), stats.schema_version);
	ck_assert_int_gt(stats.wal_bytes, 0);
	store_close(db);
	ck_assert_int_eq(stat(db_path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	ok(store_open(db_path, &db, &err));
	ok(store_check(db, &err));
	store_close(db);
	remove_folder();
}
END_TEST

START_TEST(a_step_is_applied_once_and_a_backup_is_made_before)
{
	char backup[96];
	struct stat st;

	make_folder();
	snprintf(backup, sizeof(backup), "%s.backup-2", db_path);
	open_with(two_steps);
	ck_assert_int_ne(access(backup, F_OK), 0);
	exec_sql(db_path, "INSERT INTO a VALUES (7)");
	open_with(three_steps);
	ck_assert_int_eq(ask(db_path, "SELECT x FROM c"), 7);
	ck_assert_int_eq(ask(db_path, "PRAGMA user_version"), 3);
	ck_assert_int_eq(stat(backup, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(ask(backup, "SELECT x FROM a"), 7);
	ck_assert_int_eq(ask(backup, "PRAGMA user_version"), 2);
	exec_sql(db_path, "INSERT INTO a VALUES (8)");
	open_with(three_steps);
	ck_assert_int_eq(ask(db_path, "SELECT count(*) FROM c"), 1);
	remove_folder();
}
END_TEST

START_TEST(a_step_that_fails_leaves_nothing_behind)
{
	make_folder();
	open_with(two_steps);
	refused(store_open_with(db_path, broken_step, true, &db, &err), E_DB,
		"schema step '003-c.sql' failed, nothing of it was kept");
	ck_assert_int_eq(ask(db_path, "PRAGMA user_version"), 2);
	ck_assert_int_eq(
		ask(db_path, "SELECT count(*) FROM sqlite_schema WHERE name = 'c'"), 0);
	open_with(three_steps);
	remove_folder();
}
END_TEST

START_TEST(no_step_without_a_backup)
{
	char half[96];

	make_folder();
	open_with(two_steps);
	snprintf(half, sizeof(half), "%s.backup-2.tmp", db_path);
	ck_assert_int_eq(mkdir(half, 0700), 0);
	refused(store_open_with(db_path, three_steps, true, &db, &err), E_IO,
		"was not changed, no backup could be made");
	ck_assert_int_eq(ask(db_path, "PRAGMA user_version"), 2);
	remove_folder();
}
END_TEST

START_TEST(a_newer_database_is_refused)
{
	make_folder();
	open_with(three_steps);
	refused(store_open_with(db_path, two_steps, true, &db, &err), E_DB,
		"is from a newer benchd (schema 3, this one knows 2)");
	remove_folder();
}
END_TEST

START_TEST(the_database_of_another_program_is_refused)
{
	make_folder();
	exec_sql(db_path, "CREATE TABLE theirs (x)");
	refused(store_open(db_path, &db, &err), E_DB, "is a database of another program");
	ck_assert_int_eq(ask(db_path, "SELECT count(*) FROM sqlite_schema"), 1);
	remove_folder();
}
END_TEST

START_TEST(a_file_that_is_no_database_is_refused_and_left_alone)
{
	static const char text[] = "this is a letter and no database, and it is long enough to "
				   "fill the header of one: 100 bytes are read and compared...";
	_cleanup_(buf_done)
	struct buf b = { 0 };

	make_folder();
	ok(file_write(db_path, text, sizeof(text), 0600, &err));
	refused(store_open(db_path, &db, &err), E_DB, "is damaged (file is not a database)");
	ok(file_read(db_path, 1000, &b, &err));
	ck_assert_mem_eq(b.data, text, sizeof(text));
	remove_folder();
}
END_TEST

START_TEST(damage_inside_is_found)
{
	char page[4096];
	int fd;

	make_folder();
	ok(store_open(db_path, &db, &err));
	store_close(db);
	memset(page, 0xa5, sizeof(page));
	fd = open(db_path, O_RDWR);
	for (int i = 60; i < 90; i++)
		ck_assert_int_eq(pwrite(fd, page, sizeof(page), i * 4096L), sizeof(page));
	close(fd);
	/* The damage may stand in the way of opening already. */
	if (store_open(db_path, &db, &err) == OK) {
		refused(store_check(db, &err), E_DB, "restore a backup");
		store_close(db);
	}
	ck_assert_msg(strstr(err.text, "restore a backup") != NULL, "%s", err.text);
	remove_folder();
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_named)
{
	make_folder();
	refused(store_open("/nonexistent/b.db", &db, &err), E_IO, "/nonexistent/b.db");
	refused(store_open_reader("/nonexistent/b.db", &db, &err), E_DB, "/nonexistent/b.db");
	remove_folder();
}
END_TEST

START_TEST(a_second_writer_is_refused)
{
	struct store *other;

	start();
	refused(store_open(db_path, &other, &err), E_UNAVAILABLE,
		"another benchd uses the database");
	finish();
}
END_TEST

START_TEST(a_reader_needs_a_finished_schema)
{
	make_folder();
	open_with(two_steps);
	refused(store_open_reader(db_path, &db, &err), E_DB, "start benchd on it first");
	remove_folder();
}
END_TEST

START_TEST(a_reader_sees_what_is_committed_and_cannot_write)
{
	struct store *reader;
	struct project p;

	start();
	ok(store_open_reader(db_path, &reader, &err));
	a_project("p");
	refused(store_project_find(reader, mem, "p", &p, &err), E_NOT_FOUND,
		"there is no project 'p'");
	ok(store_commit(db, &err));
	ok(store_project_find(reader, mem, "p", &p, &err));
	refused(store_project_remove(reader, p.id, T0, &err), E_INTERNAL, "reading handle");
	refused(db_exec(reader, "DELETE FROM project", &err), E_DB, "readonly");
	store_close(reader);
	ok(store_begin(db, &err));
	finish();
}
END_TEST

START_TEST(a_reader_in_a_snapshot_sees_one_moment)
{
	struct store *reader;
	struct project p;

	start();
	a_project("p");
	ok(store_commit(db, &err));
	ok(store_open_reader(db_path, &reader, &err));
	ok(store_begin(reader, &err));
	ok(store_project_find(reader, mem, "p", &p, &err));
	ok(store_begin(db, &err));
	a_project("q");
	ok(store_commit(db, &err));
	refused(store_project_find(reader, mem, "q", &p, &err), E_NOT_FOUND, "'q'");
	ok(store_checkpoint(db, true, &err)); /* a reader in the way is no error */
	ok(store_commit(reader, &err));
	ok(store_project_find(reader, mem, "q", &p, &err));
	store_close(reader);
	ok(store_begin(db, &err));
	finish();
}
END_TEST

START_TEST(a_savepoint_rolls_back_one_request_of_a_batch)
{
	struct project p;

	start();
	ok(store_savepoint(db, &err));
	a_project("kept");
	ok(store_release(db, &err));
	ok(store_savepoint(db, &err));
	a_project("dropped");
	store_rollback_to(db);
	ok(store_savepoint(db, &err));
	a_project("kept-too");
	ok(store_release(db, &err));
	ok(store_commit(db, &err));
	ok(store_project_find(db, mem, "kept", &p, &err));
	ok(store_project_find(db, mem, "kept-too", &p, &err));
	refused(store_project_find(db, mem, "dropped", &p, &err), E_NOT_FOUND, "'dropped'");
	ok(store_begin(db, &err));
	a_project("gone");
	store_rollback(db);
	refused(store_project_find(db, mem, "gone", &p, &err), E_NOT_FOUND, "'gone'");
	ok(store_begin(db, &err));
	finish();
}
END_TEST

START_TEST(the_log_knows_what_waits_for_a_checkpoint_whatever_the_size_of_its_file)
{
	struct store_stats before, after;
	struct store_log log;

	start();
	for (int i = 0; i < 50; i++)
		a_project(arena_printf(mem, "p%d", i));
	ok(store_commit(db, &err));
	log = store_get_log(db);
	ck_assert_int_gt(log.pending_bytes, 0);
	ck_assert_int_eq(log.pending_bytes, log.bytes);
	ok(store_get_stats(db, &before, &err));
	ok(store_checkpoint(db, false, &err));
	ck_assert_int_eq(store_get_log(db).pending_bytes, 0);
	ck_assert_int_eq(store_get_log(db).bytes, log.bytes);
	/* All of it is in the database: the next transaction begins the log anew. */
	ok(store_begin(db, &err));
	a_project("one-more");
	ok(store_commit(db, &err));
	ok(store_get_stats(db, &after, &err));
	ck_assert_int_eq(after.wal_bytes, before.wal_bytes);
	ck_assert_int_gt(store_get_log(db).pending_bytes, 0);
	ck_assert_int_lt(store_get_log(db).bytes, log.bytes);
	ok(store_begin(db, &err));
	finish();
}
END_TEST

START_TEST(a_checkpoint_empties_the_log)
{
	struct store_stats stats;

	start();
	a_project("p");
	ok(store_commit(db, &err));
	ok(store_get_stats(db, &stats, &err));
	ck_assert_int_gt(stats.wal_bytes, 0);
	ok(store_checkpoint(db, true, &err));
	ok(store_get_stats(db, &stats, &err));
	ck_assert_int_eq(stats.wal_bytes, 0);
	ok(store_begin(db, &err));
	finish();
}
END_TEST

START_TEST(a_full_database_says_so_and_the_commit_reports_it)
{
	struct project p;
	int r = OK;

	start();
	a_project("before");
	ok(store_commit(db, &err));
	ok(db_exec(db, "PRAGMA max_page_count = 120", &err));
	ok(store_begin(db, &err));
	a_project("first");
	for (int i = 0; r == OK && i < 100000; i++) {
		char hash[65];

		snprintf(hash, sizeof(hash), "%064d", i);
		r = store_iterations_save(db, hash, hash, 1, &err);
	}
	ck_assert_int_eq(r, E_STORAGE_FULL);
	ck_assert_msg(strstr(err.text, "is full: make room") != NULL, "%s", err.text);
	/* SQLite rolled everything back: 'first' must not be reported as stored. */
	if (sqlite3_get_autocommit(db->db)) {
		ck_assert_int_eq(store_savepoint(db, &err), E_STORAGE_FULL);
		refused(store_commit(db, &err), E_STORAGE_FULL, "is full");
	} else {
		store_rollback(db);
	}
	refused(store_project_find(db, mem, "first", &p, &err), E_NOT_FOUND, "'first'");
	ok(store_project_find(db, mem, "before", &p, &err));
	ok(db_exec(db, "PRAGMA max_page_count = 100000", &err));
	ok(store_begin(db, &err));
	a_project("after");
	finish();
}
END_TEST

/* --- the schema as readers see it --- */

static void dump_schema(struct buf *out)
{
	static const char text[] =
		"SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid";
	sqlite3_stmt *stmt;

	ck_assert_int_eq(sqlite3_prepare_v2(db->db, text, -1, &stmt, NULL), SQLITE_OK);
	buf_add_str(out, "-- SPDX-License-Identifier: GPL-3.0-or-later\n"
			 "-- What all numbered files make together. Written by `make schema`; "
			 "a test compares it.\n");
	while (sqlite3_step(stmt) == SQLITE_ROW)
		buf_printf(out, "\n%s;\n", (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
}

START_TEST(the_schema_kept_for_readers_is_what_the_steps_make)
{
	_cleanup_(buf_done)
	struct buf made = { 0 }, kept = { 0 };
	const char *to = getenv("BENCHD_WRITE_SCHEMA"), *top = getenv("top_srcdir");
	_cleanup_(free)
	char *file = xasprintf("%s/schema/schema.sql", top ? top : TOP_SRCDIR);

	start();
	dump_schema(&made);
	if (to)
		ok(file_write(to, made.data, made.len, 0644, &err));
	ok(file_read(to ? to : file, 1 << 20, &kept, &err));
	ck_assert_msg(!strcmp(buf_str(&made), buf_str(&kept)),
		"schema/schema.sql is stale: run `make schema`");
	finish();
}
END_TEST

START_TEST(each_index_carries_its_reason)
{
	static const char text[] = "SELECT name FROM sqlite_schema WHERE type = 'index'"
				   " AND sql IS NOT NULL AND sql NOT LIKE '%/*_%*/%'";
	static const char counted[] = "SELECT count(*) FROM sqlite_schema WHERE type = 'index'"
				      " AND sql LIKE '%/*_%*/%'";
	sqlite3_stmt *stmt;
	int64_t n;

	start();
	ck_assert_int_eq(sqlite3_prepare_v2(db->db, text, -1, &stmt, NULL), SQLITE_OK);
	ck_assert_msg(sqlite3_step(stmt) == SQLITE_DONE, "index %s has no reason",
		sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	ok(db_pragma_int(db, counted, &n, &err));
	ck_assert_int_gt(n, 40);
	finish();
}
END_TEST

/* Statements that read a whole table or sort what they read, and why that is no harm. */
static const struct {
	const char *begin, *why;
} may_scan[] = {
	{ "SELECT state, count(*) FROM job GROUP BY state", "a narrow index, once a scrape" },
	{ "WITH RECURSIVE above", "scans its own queue" },
	{ "SELECT id, project_id, uuid, name, last_four", "tokens are few" },
	{ "SELECT count(*) FROM token", "tokens are few" },
	{ "SELECT id, uuid, name, slug, url, visibility", "projects in the order of an index" },
	{ "SELECT count(*) FROM project", "projects are few" },
	{ "SELECT t.id, t.project_id", "sorted by time only when asked for" },
	{ "SELECT x.id, x.project_id", "thresholds of one project" },
	{ "SELECT s.id, s.project_id, s.n_points", "series by four names, of one project" },
	{ "SELECT DISTINCT series_id FROM metric", "of one report" },
	{ "SELECT coalesce(sum(n_bytes), 0) FROM artifact", "a narrow index, once in a while" },
	{ "DELETE FROM artifact WHERE id = (SELECT", "the first of an index" },
};

static bool is_allowed(const char *sql, const char *line)
{
	/* A parent's insert looks for children that a deferred check waits for; there are none,
	 * and then SQLite skips it. A sort of the right part sorts equal left parts only. The
	 * open jobs are an index of their own. */
	if (!strncmp(sql, "INSERT", 6) || strstr(line, "RIGHT PART") ||
		!strcmp(line, "SCAN j USING INDEX job_open"))
		return true;
	if (strstr(sql, "FROM schedule s") && strstr(sql, "deleted_ns = 0 ORDER BY s.id"))
		return true; /* all of them, once at start */
	if (strstr(sql, "j.state = 'running' AND j.lease_until_ns"))
		return true; /* sorts what runs */
	if (!strcmp(line, "SCAN ahead") && strstr(sql, "LIMIT 100) ahead"))
		return true; /* counts a subquery of at most 100 rows */
	for (size_t i = 0; i < ARRAY_SIZE(may_scan); i++)
		if (!strncmp(sql, may_scan[i].begin, strlen(may_scan[i].begin)))
			return true;
	return false;
}

static bool is_slow(const char *sql, const char *line)
{
	return (!strncmp(line, "SCAN", 4) || strstr(line, "TEMP B-TREE")) &&
	       !is_allowed(sql, line);
}

static char *slow_part(const char *sql)
{
	_cleanup_(free)
	char *text = xasprintf("EXPLAIN QUERY PLAN %s", sql);
	char *slow = NULL;
	sqlite3_stmt *stmt;

	ck_assert_int_eq(sqlite3_prepare_v2(db->db, text, -1, &stmt, NULL), SQLITE_OK);
	while (!slow && sqlite3_step(stmt) == SQLITE_ROW) {
		const char *line = (const char *)sqlite3_column_text(stmt, 3);

		if (is_slow(sql, line))
			slow = xstrdup(line);
	}
	sqlite3_finalize(stmt);
	return slow;
}

START_TEST(no_statement_slows_down_as_the_database_grows)
{
	static const char planted[] = "SELECT id FROM job WHERE reason = $1";
	_cleanup_(free)
	char *seen = NULL;
	int n = 0;

	start();
	for (int f = 0; f < Q_count; f++)
		for (size_t i = 0; i < statements_of(f)->n; i++, n++) {
			const char *sql = statements_of(f)->sql[i];
			_cleanup_(free)
			char *slow = slow_part(sql);

			ck_assert_msg(!slow, "%s: %s", slow, sql);
		}
	ck_assert_int_gt(n, 150);
	seen = slow_part(planted);
	ck_assert_str_eq(seen, "SCAN job");
	finish();
}
END_TEST

SUITE("store_open", no_statement_slows_down_as_the_database_grows,
	a_fresh_database_gets_every_step_and_opens_again,
	a_step_is_applied_once_and_a_backup_is_made_before,
	a_step_that_fails_leaves_nothing_behind, no_step_without_a_backup,
	a_newer_database_is_refused, the_database_of_another_program_is_refused,
	a_file_that_is_no_database_is_refused_and_left_alone, damage_inside_is_found,
	a_folder_that_is_not_there_is_named, a_second_writer_is_refused,
	a_reader_needs_a_finished_schema, a_reader_sees_what_is_committed_and_cannot_write,
	a_reader_in_a_snapshot_sees_one_moment, a_savepoint_rolls_back_one_request_of_a_batch,
	the_log_knows_what_waits_for_a_checkpoint_whatever_the_size_of_its_file,
	a_checkpoint_empties_the_log, a_full_database_says_so_and_the_commit_reports_it,
	the_schema_kept_for_readers_is_what_the_steps_make, each_index_carries_its_reason)
