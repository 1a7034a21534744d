/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the two arms of a job were, in words, where it is not the commit that they differ in. */
#include <string.h>
#include "base/buf.h"
#include "daemon/analysis/internal.h"

enum { MOST = 200 /* bytes shown */ };

static void add_argv(struct buf *out, const json_t *argv)
{
	size_t i;
	json_t *v;

	json_array_foreach (argv, i, v) {
		const char *s = json_string_value(v);
		bool is_plain = s && *s && !strpbrk(s, " \t\n'\"");

		buf_printf(out, "%s%s%s%s", i ? " " : "", is_plain ? "" : "'", s ? s : "",
			is_plain ? "" : "'");
	}
}

static void add_parameters(struct buf *out, json_t *parameters)
{
	const char *name;
	json_t *v;

	json_object_foreach (parameters, name, v) {
		char *text = json_is_string(v) ? NULL : json_dumps(v, JSON_ENCODE_ANY);

		buf_printf(out, "%s%s=%s", out->len ? ", " : "", name,
			text ? text : json_string_value(v));
		free(text);
	}
}

/* Never in the middle of a character. */
static const char *shortened(struct arena *a, const struct buf *b)
{
	const char *s = b->data;
	size_t n = b->len;

	if (n <= MOST)
		return arena_strndup(a, s, n);
	for (n = MOST; n && ((unsigned char)s[n] & 0xc0) == 0x80;)
		n--;
	return arena_printf(a, "%.*s...", (int)n, s);
}

static const char *words(
	struct arena *a, const json_t *job, const char *argv, const char *parameters)
{
	struct buf b = { 0 };
	const char *text = NULL;

	add_argv(&b, json_object_get(job, argv));
	if (b.len == 0)
		add_parameters(&b, json_object_get(job, parameters));
	if (b.len)
		text = shortened(a, &b);
	buf_done(&b);
	return text;
}

void arms_describe(
	struct arena *a, const struct job *j, const char **ret_base, const char **ret_head)
{
	struct error ignored;
	const json_t *job;
	json_t *o;

	if (!j->definition_json ||
		json_parse(j->definition_json, strlen(j->definition_json), &o, &ignored) < 0)
		return;
	arena_own_json(a, o);
	job = json_object_get(o, "job");
	*ret_base = words(a, job, "base_argv", "base_parameters");
	*ret_head = words(a, job, "head_argv", "head_parameters");
	if (*ret_base && !*ret_head && json_object_get(job, "base_argv")) {
		struct buf b = { 0 };

		add_argv(&b, json_object_get(o, "command"));
		*ret_head = b.len ? shortened(a, &b) : NULL;
		buf_done(&b);
	}
}
