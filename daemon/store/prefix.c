/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first digits of a UUID, as tables print them, stand for it while only one begins so. */
#include <ctype.h>
#include <string.h>
#include "daemon/store/internal.h"

enum { BASE = Q_PREFIX * STATEMENTS_MAX, JOB = BASE, REPORT, ALERT, END };
#define ROWS(table)                                                                            \
	"SELECT uuid FROM " table " WHERE uuid >= $1 AND uuid < $2 ORDER BY uuid LIMIT 2"
static const char *const sql[] = {
	[JOB - BASE] = ROWS("job"),
	[REPORT - BASE] = ROWS("report"),
	[ALERT - BASE] = ROWS("alert"),
};
const struct statements prefix_statements = { sql, END - BASE };

enum { LEAST_DIGITS = 8, UUID_LENGTH = 36 };

static bool is_beginning(const char *text)
{
	size_t n = strlen(text);

	if (n < LEAST_DIGITS || n >= UUID_LENGTH)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	}
	return true;
}

const char *uuid_complete(
	struct store *s, struct arena *a, enum uuid_table table, const char *text)
{
	struct error ignored;
	char *from, *to;
	const char *found = NULL;

	if (!is_beginning(text))
		return text;
	from = arena_strdup(a, text);
	for (char *c = from; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	to = arena_printf(a, "%sg", from); /* behind every digit */
	_cleanup_(query_done)
	struct query q = db_query(s, JOB + (int)table, ARGS(TEXT(from), TEXT(to)));

	if (query_step(&q, &ignored) == QUERY_ROW)
		found = column_text(&q, a);
	if (found && query_step(&q, &ignored) == QUERY_ROW)
		return text;
	return found ? found : text;
}
