/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One alert for people. */
#include "daemon/render/internal.h"

#include <string.h>

typedef void (*escape_fn)(struct buf *out, const char *s);

struct sheet {
	struct arena *a;
	struct buf *out;
	escape_fn escape;
	const char *before, *after; /* around a label */
};

static void line(const struct sheet *p, const char *label, const char *text)
{
	if (!text || !*text)
		return;
	buf_printf(p->out, "%s%s:%s ", p->before, label, p->after);
	p->escape(p->out, text);
	buf_add_char(p->out, '\n');
}

static const char *change_of(const json_t *doc, struct arena *a)
{
	const char *units = doc_str(doc, "measure.units");
	const json_t *ci = doc_at(doc, "interval");
	char before[VALUE_TEXT], after[VALUE_TEXT], change[VALUE_TEXT];

	change_format(doc_num(doc, "effect"), json_number_value(json_array_get(ci, 0)),
		json_number_value(json_array_get(ci, 1)), change);
	if (!json_array_size(ci))
		percent_format(doc_num(doc, "effect"), change);
	return arena_printf(a, "%s -> %s, %s",
		value_format(doc_num(doc, "baseline"), units, before),
		value_format(doc_num(doc, "value"), units, after), change);
}

static const char *detectable_of(const json_t *doc, struct arena *a)
{
	double d = doc_num(doc, "detectable");

	return d == d ? arena_printf(a, "a change of %.1f %% or more", 100 * d) : NULL;
}

/* Of at least four benchmarks more than half. */
static const char *together_of(const json_t *doc, struct arena *a)
{
	long long n = doc_int(doc, "together.benchmarks"), of = doc_int(doc, "together.of");

	if (of < 4 || 2 * n <= of)
		return NULL;
	return arena_printf(a,
		"%lld of %lld benchmarks of this report moved the same way: look at the host "
		"before "
		"the code",
		n, of);
}

static void show(const json_t *doc, const struct sheet *p)
{
	json_t *commit, *field;
	size_t i;

	line(p, "alert",
		arena_printf(p->a, "%s, %s: %s %s", doc_str(doc, "state"),
			doc_str(doc, "direction"), doc_str(doc, "benchmark.name"),
			doc_str(doc, "measure.name")));
	line(p, "reason", doc_str(doc, "reason"));
	line(p, "assigned to", doc_str(doc, "assignee"));
	line(p, "snoozed until", doc_str(doc, "snoozed_until"));
	line(p, "where",
		arena_printf(p->a, "branch %s, testbed %s", doc_str(doc, "branch.name"),
			doc_str(doc, "testbed.name")));
	line(p, "change", change_of(doc, p->a));
	line(p, "could be seen", detectable_of(doc, p->a));
	line(p, "together", together_of(doc, p->a));
	line(p, "base", doc_str(doc, "base.hash"));
	json_array_foreach (doc_at(doc, "commits"), i, commit)
		line(p, "commit",
			arena_printf(p->a, "%.12s %s %s", doc_str(commit, "hash"),
				doc_str(commit, "author"), doc_str(commit, "subject")));
	if (json_is_true(doc_at(doc, "environments.same")))
		line(p, "environment", "the same on both sides");
	json_array_foreach (doc_at(doc, "environments.difference"), i, field)
		line(p, "environment differs", json_string_value(field));
	line(p, "see again", doc_str(doc, "reproduce"));
	line(p, "link", doc_str(doc, "links.self"));
}

void alert_text(const json_t *doc, struct arena *a, struct buf *out)
{
	show(doc, &(struct sheet){ a, out, text_escape, "", "" });
}

void alert_markdown(const json_t *doc, struct arena *a, struct buf *out)
{
	show(doc, &(struct sheet){ a, out, markdown_escape, "- **", "**" });
}
