/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Logs of jobs: the first and the last 256 KiB, whatever a program writes in between. */
#include "daemon/store/internal.h"

#include <string.h>

enum {
	BASE = Q_JOB_LOG * STATEMENTS_MAX,
	STATE = BASE,
	SAVE_STATE,
	ADD,
	OLDEST,
	DROP,
	READ,
	END
};
static const char *const sql[] = {
	[STATE - BASE] = "SELECT next_seq, tail_seq, head_bytes, tail_bytes, dropped_bytes"
			 " FROM job_log WHERE job_id = $1",
	[SAVE_STATE - BASE] =
		"INSERT INTO job_log (job_id, next_seq, tail_seq, head_bytes, tail_bytes,"
		" dropped_bytes) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (job_id)"
		" DO UPDATE SET next_seq = excluded.next_seq, tail_seq = excluded.tail_seq,"
		" head_bytes = excluded.head_bytes, tail_bytes = excluded.tail_bytes,"
		" dropped_bytes = excluded.dropped_bytes",
	[ADD - BASE] = "INSERT INTO job_log_piece (job_id, seq, stream, time_ns, data)"
		       " VALUES ($1, $2, $3, $4, $5)",
	[OLDEST - BASE] = "SELECT length(data) FROM job_log_piece"
			  " WHERE job_id = $1 AND seq = $2",
	[DROP - BASE] = "DELETE FROM job_log_piece WHERE job_id = $1 AND seq = $2",
	[READ - BASE] = "SELECT data FROM job_log_piece WHERE job_id = $1 AND seq >= $2"
			" AND seq < $3 ORDER BY seq",
};
const struct statements job_log_statements = { sql, END - BASE };

enum { PART_MAX = 256 * 1024 /* of head and of tail */ };

struct state {
	int64_t next_seq, tail_seq, head_bytes, tail_bytes, dropped_bytes;
};

static int get_state(struct store *s, int64_t job_id, struct state *st, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, STATE, ARGS(INT(job_id)));
	int r = query_step(&q, err);

	*st = (struct state){ .next_seq = 1 };
	if (r != QUERY_ROW)
		return r;
	st->next_seq = column_int(&q);
	st->tail_seq = column_int(&q);
	st->head_bytes = column_int(&q);
	st->tail_bytes = column_int(&q);
	st->dropped_bytes = column_int(&q);
	return OK;
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* At most `most` bytes from the start of data, no character of UTF-8 cut in two. */
static size_t cut_head(const char *data, size_t n, size_t most)
{
	size_t cut = MIN(n, most);

	if (cut < n)
		for (int i = 0; i < 3 && cut > 0 && is_continuation(data[cut]); i++)
			cut--;
	return cut;
}

/* How many bytes to leave out in front so that at most `most` remain. */
static size_t cut_tail(const char *data, size_t n, size_t most)
{
	size_t cut = n > most ? n - most : 0;

	for (int i = 0; i < 3 && cut > 0 && cut < n && is_continuation(data[cut]); i++)
		cut++;
	return cut;
}

static int add_piece(struct store *s, int64_t job_id, struct state *st, const char *stream,
	const char *data, size_t n, int64_t now_ns, struct error *err)
{
	return db_run(s, ADD, err,
		ARGS(INT(job_id), INT(st->next_seq++), TEXT(stream), INT(now_ns),
			BLOB(data, n)));
}

static int add_tail(struct store *s, int64_t job_id, struct state *st, const char *stream,
	const char *data, size_t n, int64_t now_ns, struct error *err)
{
	size_t cut = cut_tail(data, n, PART_MAX);
	int r = OK;

	if (st->tail_seq == 0)
		st->tail_seq = st->next_seq;
	st->dropped_bytes += (int64_t)cut;
	st->tail_bytes += (int64_t)(n - cut);
	r = add_piece(s, job_id, st, stream, data + cut, n - cut, now_ns, err);
	while (r == OK && st->tail_bytes > PART_MAX) {
		int64_t oldest;

		r = db_get_int(
			s, OLDEST, 0, &oldest, err, ARGS(INT(job_id), INT(st->tail_seq)));
		if (r < 0 || st->tail_bytes - oldest < PART_MAX)
			break;
		r = db_run(s, DROP, err, ARGS(INT(job_id), INT(st->tail_seq++)));
		st->tail_bytes -= oldest;
		st->dropped_bytes += oldest;
	}
	return r;
}

int store_job_log_append(struct store *s, int64_t job_id, const char *stream, const char *data,
	size_t n, int64_t now_ns, struct error *err)
{
	struct state st;
	size_t head = 0;
	int r = get_state(s, job_id, &st, err);

	if (r == OK && st.tail_seq == 0)
		head = cut_head(data, n, (size_t)(PART_MAX - st.head_bytes));
	if (r == OK && head > 0) {
		st.head_bytes += (int64_t)head;
		r = add_piece(s, job_id, &st, stream, data, head, now_ns, err);
	}
	if (r == OK && n > head)
		r = add_tail(s, job_id, &st, stream, data + head, n - head, now_ns, err);
	if (r < 0)
		return r;
	return db_run(s, SAVE_STATE, err,
		ARGS(INT(job_id), INT(st.next_seq), INT(st.tail_seq), INT(st.head_bytes),
			INT(st.tail_bytes), INT(st.dropped_bytes)));
}

static int read_pieces(struct store *s, int64_t job_id, int64_t from, int64_t to, struct buf *b,
	struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, READ, ARGS(INT(job_id), INT(from), INT(to)));
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW)
		buf_add(b, sqlite3_column_blob(q.stmt, 0),
			(size_t)sqlite3_column_bytes(q.stmt, 0));
	return r;
}

/* The text ends at the first NUL for whoever reads it: there is none left in it. */
static const char *as_text(struct arena *a, const struct buf *b)
{
	char *text = arena_strndup(a, buf_str(b), b->len);

	for (size_t i = 0; i < b->len; i++)
		if (text[i] == 0)
			text[i] = '?';
	return text;
}

int store_job_log_read(
	struct store *s, struct arena *a, int64_t job_id, const char **ret, struct error *err)
{
	_cleanup_(buf_done)
	struct buf text = { 0 }, tail = { 0 };
	struct state st;
	int64_t end;
	size_t cut;
	int r = get_state(s, job_id, &st, err);

	end = st.tail_seq ? st.tail_seq : st.next_seq;
	if (r == OK)
		r = read_pieces(s, job_id, 0, end, &text, err);
	if (r == OK)
		r = read_pieces(s, job_id, end, INT64_MAX, &tail, err);
	if (r < 0)
		return r;
	cut = cut_tail(buf_str(&tail), tail.len, PART_MAX);
	if (st.dropped_bytes + (int64_t)cut > 0)
		buf_printf(&text, "\n[... %lld bytes left out ...]\n",
			(long long)(st.dropped_bytes + (int64_t)cut));
	buf_add(&text, buf_str(&tail) + cut, tail.len - cut);
	*ret = as_text(a, &text);
	return OK;
}
