/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bringing a database to this program's schema: numbered files, each in one transaction, a
 * copy of the database beside it first. */
#include "daemon/store/internal.h"

#include <fcntl.h>
#include <string.h>

static int64_t file_number(const struct embed *f)
{
	return strtoll(f->name, NULL, 10);
}

static int64_t newest(const struct embed *files)
{
	int64_t n = 0;

	for (; files->name; files++)
		n = MAX(n, file_number(files));
	return n;
}

/* Whose file is it? An empty one is taken over. */
static int check_owner(struct store *s, struct error *err)
{
	int64_t id, n_tables;
	int r = db_pragma_int(s, "PRAGMA application_id", &id, err);

	if (r == OK)
		r = db_pragma_int(s, "SELECT count(*) FROM sqlite_schema", &n_tables, err);
	if (r < 0)
		return r;
	if (n_tables > 0 && id != APPLICATION_ID)
		return error_set(err, E_DB,
			"'%s' is a database of another program: name another file", s->path);
	return OK;
}

static int check_version(struct store *s, int64_t have, int64_t want, struct error *err)
{
	if (have > want)
		return error_set(err, E_DB,
			"the database '%s' is from a newer benchd (schema %lld, this one knows "
			"%lld): start the newer benchd, or restore a backup",
			s->path, (long long)have, (long long)want);
	if (s->is_reader && have < want)
		return error_set(err, E_DB,
			"the database '%s' has schema %lld, %lld is needed: start benchd on it "
			"first",
			s->path, (long long)have, (long long)want);
	return OK;
}

/* --- the copy --- */

static int copy_to(struct store *s, const char *to, struct error *err)
{
	sqlite3 *copy = NULL;
	int rc = sqlite3_open(to, &copy);

	if (rc == SQLITE_OK)
		rc = copy_pages(s->db, copy);
	sqlite3_close(copy);
	if (rc == SQLITE_OK)
		return OK;
	if (rc == SQLITE_FULL)
		return error_set(err, E_STORAGE_FULL, "no room for the copy");
	return error_set(err, E_DB, "%s", sqlite3_errstr(rc));
}

static int make_private(const char *path, struct error *err)
{
	_cleanup_(close)
	int fd = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? error_errno(err, E_IO, "cannot create '%s'", path) : OK;
}

static int back_up(struct store *s, int64_t version, struct error *err)
{
	_cleanup_(free)
	char *name = xasprintf("%s.backup-%lld", s->path, (long long)version);
	_cleanup_(free)
	char *half = xasprintf("%s.tmp", name);
	int r = make_private(half, err);

	if (r == OK)
		r = copy_to(s, half, err);
	if (r == OK)
		r = sync_path(half, 0, err);
	if (r == OK && rename(half, name) < 0)
		r = error_errno(err, E_IO, "cannot rename '%s'", half);
	if (r == OK)
		r = sync_folder_of(name, err);
	if (r == OK)
		return OK;
	unlink(half);
	return error_prefix(
		err, "the schema of '%s' was not changed, no backup could be made: ", s->path);
}

/* --- the steps --- */

static int apply(struct store *s, const struct embed *f, struct error *err)
{
	_cleanup_(buf_done)
	struct buf sql = { 0 };
	int r;

	buf_printf(&sql, "BEGIN IMMEDIATE; PRAGMA application_id = %d;\n", APPLICATION_ID);
	buf_add(&sql, f->data, f->n);
	buf_printf(&sql, "\nPRAGMA user_version = %lld; COMMIT", (long long)file_number(f));
	r = db_exec(s, buf_str(&sql), err);
	if (r == OK)
		return OK;
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return error_prefix(err, "schema step '%s' failed, nothing of it was kept: ", f->name);
}

int migrate(struct store *s, const struct embed *files, struct error *err)
{
	int64_t have, want = newest(files);
	int r = check_owner(s, err);

	if (r == OK)
		r = db_pragma_int(s, "PRAGMA user_version", &have, err);
	if (r == OK)
		r = check_version(s, have, want, err);
	if (r == OK && have > 0 && have < want)
		r = back_up(s, have, err);
	for (; r == OK && files->name; files++)
		if (file_number(files) > have)
			r = apply(s, files, err);
	return r;
}
