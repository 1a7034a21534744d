/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/gitlog.h"

#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "worker/utf8.h"

enum { F_HASH, F_PARENTS, F_AUTHOR, F_EMAIL, F_TIME, F_SUBJECT, N_FIELDS, MAX_FIELD = 1000 };

static void set_text(json_t *o, const char *key, const char *s)
{
	struct buf clean = { 0 };

	utf8_clean(s, strnlen(s, MAX_FIELD), &clean);
	json_set_str(o, key, buf_str(&clean));
	buf_done(&clean);
}

static json_t *parents(const char *s)
{
	json_t *list = json_array();

	while (*s) {
		size_t n = strcspn(s, " ");

		json_array_append_new(list, json_stringn(s, n));
		s += n + (s[n] == ' ');
	}
	return list;
}

/* One record from *text; NULL at the end or when it is cut off. */
static json_t *read_record(const char **text, const char *end)
{
	const char *field[N_FIELDS], *s = *text;
	json_t *o;

	for (int i = 0; i < N_FIELDS; i++) {
		const char *nul = s < end ? memchr(s, 0, (size_t)(end - s)) : NULL;

		if (!nul)
			return NULL;
		field[i] = s;
		s = nul + 1;
	}
	*text = s + (s < end && *s == '\n');
	o = json_object();
	set_text(o, "hash", field[F_HASH]);
	json_object_set_new(o, "parents", parents(field[F_PARENTS]));
	set_text(o, "author", field[F_AUTHOR]);
	set_text(o, "email", field[F_EMAIL]);
	set_text(o, "subject", field[F_SUBJECT]);
	json_set_int(o, "time", strtoll(field[F_TIME], NULL, 10) * NS_PER_S);
	return o;
}

void gitlog_read(const char *text, size_t n, json_t *m)
{
	const char *end = text + n;
	json_t *first = read_record(&text, end), *ancestors = json_array(), *o;

	while (first && (o = read_record(&text, end)))
		json_array_append_new(ancestors, o);
	json_object_set_new(m, "commit", first ? first : json_null());
	if (json_array_size(ancestors))
		json_object_set(m, "ancestors", ancestors);
	json_decref(ancestors);
}
