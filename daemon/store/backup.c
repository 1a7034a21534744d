/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A copy of a database that another process may be writing to. */
#include "daemon/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int refuse(struct error *err, const char *path, int rc)
{
	if (rc == SQLITE_FULL)
		return error_set(err, E_STORAGE_FULL, "no room for '%s'", path);
	if (rc == SQLITE_NOTADB)
		return error_set(err, E_DB, "'%s' is not a database", path);
	return error_set(err, E_DB, "'%s': %s", path, sqlite3_errstr(rc));
}

int copy_pages(sqlite3 *from, sqlite3 *to)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	int rc = b ? sqlite3_backup_step(b, -1) : sqlite3_errcode(to);

	if (b)
		sqlite3_backup_finish(b);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int sync_path(const char *path, int flags, struct error *err)
{
	_cleanup_(close)
	int fd = open(path, flags | O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return error_errno(err, E_IO, "cannot sync '%s'", path);
	return OK;
}

int sync_folder_of(const char *path, struct error *err)
{
	_cleanup_(free)
	char *folder = xstrdup(path);
	char *slash = strrchr(folder, '/');

	if (!slash)
		return sync_path(".", O_DIRECTORY, err);
	slash[slash == folder] = 0;
	return sync_path(folder, O_DIRECTORY, err);
}

/* The first column of the only row, as text of at most n bytes. */
static int ask(sqlite3 *db, const char *sql, char *ret, size_t n)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	*ret = 0;
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		snprintf(ret, n, "%s", (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* What was copied must be whole, ours, and one file without a log beside it. */
static int prove(sqlite3 *copy, const char *from, int64_t *ret_schema, struct error *err)
{
	char text[200];
	int rc = ask(copy, "PRAGMA journal_mode = DELETE", text, sizeof(text));

	if (rc == SQLITE_OK)
		rc = ask(copy, "PRAGMA application_id", text, sizeof(text));
	if (rc == SQLITE_OK && atoll(text) != APPLICATION_ID)
		return error_set(err, E_DB, "'%s' is no database of benchd", from);
	if (rc == SQLITE_OK)
		rc = ask(copy, "PRAGMA quick_check(1)", text, sizeof(text));
	if (rc == SQLITE_OK && strcmp(text, "ok") != 0)
		return error_set(err, E_DB, "the copy of '%s' is damaged: %s", from, text);
	if (rc == SQLITE_OK)
		rc = ask(copy, "PRAGMA user_version", text, sizeof(text));
	*ret_schema = atoll(text);
	return rc == SQLITE_OK ? OK : refuse(err, from, rc);
}

static int open_source(const char *path, sqlite3 **ret, struct error *err)
{
	int rc;

	if (access(path, R_OK) < 0)
		return error_errno(err, E_IO, "cannot read the database '%s'", path);
	rc = sqlite3_open_v2(path, ret, SQLITE_OPEN_READONLY, NULL);
	/* Checkpoints are the daemon's. */
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(*ret, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(*ret, 5000);
	return rc == SQLITE_OK ? OK : refuse(err, path, rc);
}

static int copy_and_prove(
	const char *from, const char *half, int64_t *ret_schema, struct error *err)
{
	sqlite3 *source = NULL, *copy = NULL;
	int rc, r = open_source(from, &source, err);

	if (r == OK) {
		rc = sqlite3_open(half, &copy);
		if (rc == SQLITE_OK)
			rc = copy_pages(source, copy);
		r = rc == SQLITE_OK ? prove(copy, from, ret_schema, err)
				    : refuse(err, rc == SQLITE_FULL ? half : from, rc);
	}
	sqlite3_close(copy);
	sqlite3_close(source);
	return r == OK ? sync_path(half, 0, err) : r;
}

/* link() refuses a name that is taken; rename() would not. */
static int put_in_place(const char *half, const char *to, struct error *err)
{
	if (link(half, to) < 0)
		return error_errno(err, E_IO, "cannot make '%s'", to);
	return sync_folder_of(to, err);
}

int store_copy(const char *from, const char *to, struct store_copied *ret, struct error *err)
{
	_cleanup_(free)
	char *half = xasprintf("%s.tmp", to);
	struct stat st;
	int fd, r;

	if (access(to, F_OK) == 0)
		return error_set(
			err, E_CONFLICT, "'%s' is there already; name another file", to);
	fd = open(half, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(err, E_IO, "cannot create '%s'", half);
	close(fd);
	r = copy_and_prove(from, half, &ret->schema, err);
	if (r == OK)
		r = put_in_place(half, to, err);
	unlink(half);
	if (r == OK && stat(to, &st) == 0)
		ret->n_bytes = st.st_size;
	return r;
}
