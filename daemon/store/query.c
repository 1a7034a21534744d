/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running prepared statements: arguments in, columns out, SQLite's errors as ours. */
#include "daemon/store/internal.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

/* What the system said about the last failed access to the database or its write-ahead log. */
static int disk_errno(struct store *s)
{
	static const int which[] = { SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER };
	int e = 0;

	for (size_t i = 0; i < ARRAY_SIZE(which) && e == 0; i++) {
		sqlite3_file *f = NULL;

		if (sqlite3_file_control(s->db, "main", which[i], &f) == SQLITE_OK && f &&
			f->pMethods)
			f->pMethods->xFileControl(f, SQLITE_FCNTL_LAST_ERRNO, &e);
	}
	return e;
}

/* A disk without room is SQLITE_FULL; a quota or a limit on file sizes only here. */
static bool is_no_space(int e)
{
	return e == ENOSPC || e == EDQUOT || e == EFBIG;
}

static int set_io_error(struct store *s, struct error *err)
{
	int e = disk_errno(s);

	if (sqlite3_extended_errcode(s->db) == SQLITE_IOERR_WRITE && is_no_space(e))
		return error_set(err, E_STORAGE_FULL,
			"the disk of '%s' is full: make room, nothing was stored", s->path);
	return error_set(err, E_DB, "the disk of '%s' failed: %s (%s)", s->path,
		e ? strerror(e) : "no reason given", sqlite3_errmsg(s->db));
}

static int set_error(struct store *s, int rc, struct error *err)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return error_set(err, E_STORAGE_FULL,
			"the disk of '%s' is full: make room, nothing was stored", s->path);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return error_set(err, E_UNAVAILABLE,
			"the database '%s' is locked by another program: try again", s->path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return error_set(err, E_DB,
			"the database '%s' is damaged (%s): restore a backup", s->path,
			sqlite3_errmsg(s->db));
	case SQLITE_TOOBIG:
		return error_set(err, E_TOO_LARGE, "a text or blob is too large to be stored");
	case SQLITE_IOERR:
		return set_io_error(s, err);
	case SQLITE_READONLY:
		return error_set(err, E_DB, "the database '%s' cannot be written: %s", s->path,
			sqlite3_errmsg(s->db));
	}
	switch (sqlite3_extended_errcode(s->db)) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
		return error_set(err, E_CONFLICT, "it is there already");
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return error_set(
			err, E_CONFLICT, "it is still in use, or what it needs is gone");
	}
	return error_set(
		err, E_DB, "the database '%s' failed: %s", s->path, sqlite3_errmsg(s->db));
}

int db_error(struct store *s, int rc, struct error *err)
{
	struct error mine = { 0 };
	int r = set_error(s, rc, err ? err : &mine);

	/* After a full disk or a failed write SQLite may have rolled everything back; the
	 * commit must then not report success for what came before. */
	if (s->in_transaction && s->lost.code == OK && sqlite3_get_autocommit(s->db))
		s->lost = *(err ? err : &mine);
	return r;
}

static int bind(const struct prepared *p, const struct arg *args, size_t n)
{
	int rc = SQLITE_OK;

	assert(n == p->n_args);
	for (size_t i = 0; i < n && rc == SQLITE_OK; i++) {
		const struct arg *a = &args[i];
		int place = p->place[i + 1];

		switch (a->kind) {
		case ARG_NULL:
			rc = sqlite3_bind_null(p->stmt, place);
			break;
		case ARG_INT:
			rc = sqlite3_bind_int64(p->stmt, place, a->i);
			break;
		case ARG_REAL:
			rc = sqlite3_bind_double(p->stmt, place, a->d);
			break;
		case ARG_TEXT:
			rc = sqlite3_bind_text(p->stmt, place, a->p, -1, SQLITE_STATIC);
			break;
		case ARG_BLOB:
			rc = sqlite3_bind_blob64(p->stmt, place, a->p, a->n, SQLITE_STATIC);
			break;
		}
	}
	return rc;
}

struct query db_query(struct store *s, int statement, const struct arg *args, size_t n)
{
	const struct prepared *p =
		&s->prepared[statement / STATEMENTS_MAX][statement % STATEMENTS_MAX];
	struct query q = { .s = s };
	int rc;

	if (!p->stmt && db_prepare(s, statement, &q.failed) < 0)
		return q;
	q.stmt = p->stmt;
	assert(!sqlite3_stmt_busy(p->stmt));
	rc = bind(p, args, n);
	if (rc != SQLITE_OK)
		db_error(s, rc, &q.failed);
	return q;
}

int query_step(struct query *q, struct error *err)
{
	int rc;

	if (q->failed.code != OK) {
		if (err)
			*err = q->failed;
		return q->failed.code;
	}
	q->column = 0;
	rc = sqlite3_step(q->stmt);
	if (rc == SQLITE_ROW)
		return QUERY_ROW;
	if (rc == SQLITE_DONE)
		return OK;
	return db_error(q->s, rc, err);
}

int query_one(struct query *q, struct error *err, const char *fmt, ...)
{
	char text[256];
	int r = query_step(q, err);
	va_list ap;

	if (r != OK)
		return r == QUERY_ROW ? OK : r;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return error_set(err, E_NOT_FOUND, "%s", text);
}

void query_done(struct query *q)
{
	if (!q->stmt)
		return;
	sqlite3_reset(q->stmt);
	sqlite3_clear_bindings(q->stmt);
	q->stmt = NULL;
}

int db_run(struct store *s, int statement, struct error *err, const struct arg *args, size_t n)
{
	_cleanup_(query_done)
	struct query q = db_query(s, statement, args, n);
	int r;

	do
		r = query_step(&q, err);
	while (r == QUERY_ROW);
	return r;
}

int db_get_int(struct store *s, int statement, int64_t otherwise, int64_t *ret,
	struct error *err, const struct arg *args, size_t n)
{
	_cleanup_(query_done)
	struct query q = db_query(s, statement, args, n);
	int r = query_step(&q, err);

	if (r < 0)
		return r;
	*ret = r == QUERY_ROW ? column_int(&q) : otherwise;
	return OK;
}

int64_t db_changes(const struct store *s)
{
	return sqlite3_changes64(s->db);
}

int64_t column_int(struct query *q)
{
	return sqlite3_column_int64(q->stmt, q->column++);
}

double column_real(struct query *q)
{
	int i = q->column++;

	return sqlite3_column_type(q->stmt, i) == SQLITE_NULL
		       ? NAN
		       : sqlite3_column_double(q->stmt, i);
}

const char *column_text(struct query *q, struct arena *a)
{
	const char *s = (const char *)sqlite3_column_text(q->stmt, q->column);
	int n = sqlite3_column_bytes(q->stmt, q->column);

	q->column++;
	return s ? arena_strndup(a, s, (size_t)n) : NULL;
}

const void *column_blob(struct query *q, struct arena *a, size_t *ret_n)
{
	const void *p = sqlite3_column_blob(q->stmt, q->column);
	size_t n = (size_t)sqlite3_column_bytes(q->stmt, q->column);

	q->column++;
	*ret_n = n;
	return p ? memcpy(arena_alloc(a, n), p, n) : NULL;
}

double *column_doubles(struct query *q, struct arena *a, size_t *ret_n)
{
	size_t n = (size_t)sqlite3_column_bytes(q->stmt, q->column) / sizeof(double);
	const void *p = sqlite3_column_blob(q->stmt, q->column);
	double *v = ARENA_ARRAY(a, double, n);

	q->column++;
	*ret_n = n;
	for (size_t i = 0; i < n; i++) {
		uint64_t bits;

		memcpy(&bits, (const char *)p + i * sizeof(bits), sizeof(bits));
		bits = le64toh(bits);
		memcpy(&v[i], &bits, sizeof(bits));
	}
	return v;
}

int column_enum(struct query *q, int (*parse)(const char *), int otherwise)
{
	const char *s = (const char *)sqlite3_column_text(q->stmt, q->column++);
	int v = s ? parse(s) : -1;

	return v < 0 ? otherwise : v;
}

struct arg DOUBLES(const double *v, size_t n, struct buf *scratch) {
	buf_clear(scratch);
	buf_reserve(scratch, n * sizeof(*v) + 1);
	for (size_t i = 0; i < n; i++) {
		uint64_t bits;

		memcpy(&bits, &v[i], sizeof(bits));
		bits = htole64(bits);
		buf_add(scratch, &bits, sizeof(bits));
	}
	return BLOB(buf_str(scratch), n * sizeof(*v));
}

void *
list_add(struct list *l)
{
	if (l->n == l->capacity) {
		size_t more = MAX(l->capacity * 2, (size_t)8);
		void *items = arena_alloc(l->arena, more * l->size);

		if (l->n)
			memcpy(items, l->items, l->n * l->size);
		l->items = items;
		l->capacity = more;
	}
	return (char *)l->items + l->n++ * l->size;
}
