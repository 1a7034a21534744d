/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A comparison for people: text, and what text, Markdown and HTML share. */
#include "daemon/render/internal.h"

#include <math.h>
#include <string.h>

const struct column compare_columns[] = {
	{ "benchmark", "benchmark", "benchmark", CELL_CODE, NULL },
	{ "measure", "measure", "measure", CELL_TEXT, NULL },
	{ NULL, "units", "units", CELL_TEXT, NULL },
	{ NULL, "better", "better", CELL_TEXT, NULL },
	{ "base", "base", "base", CELL_VALUE, "units" },
	{ "head", "head", "head", CELL_VALUE, "units" },
	{ "change", "effect", "effect", CELL_CHANGE, "interval" },
	{ NULL, "interval_low", "interval.0", CELL_NUMBER, NULL },
	{ NULL, "interval_high", "interval.1", CELL_NUMBER, NULL },
	{ NULL, "level", "level", CELL_NUMBER, NULL },
	{ "p", "p", "p", CELL_NUMBER, NULL },
	{ NULL, "q", "q", CELL_NUMBER, NULL },
	{ NULL, "stands_out", "stands_out", CELL_TEXT, NULL },
	{ "n", "n_base", "n_base", CELL_PAIR, "n_head" },
	{ NULL, "n_head", "n_head", CELL_INT, NULL },
	{ "detectable", "detectable", "detectable", CELL_PERCENT, NULL },
	{ NULL, "min_effect", "min_effect", CELL_NUMBER, NULL },
	{ "noise", "noise", "noise", CELL_TEXT, NULL },
	{ NULL, "method", "method", CELL_TEXT, NULL },
	{ "outcome", "outcome", "outcome", CELL_OUTCOME, NULL },
	{ NULL, "decides", "decides", CELL_TEXT, NULL },
	{ NULL, "reason", "reason", CELL_TEXT, NULL },
};
const size_t n_compare_columns = ARRAY_SIZE(compare_columns);

enum { COMPANION = 10 }; /* rows that decide nothing come after those that do */

static int outcome_rank(const json_t *row)
{
	static const char *const order[] = { "slower", "unknown", "faster", "same" };

	for (int i = 0; i < (int)ARRAY_SIZE(order); i++)
		if (!strcmp(doc_str(row, "outcome"), order[i]))
			return i;
	return (int)ARRAY_SIZE(order);
}

bool row_decides(const json_t *row)
{
	return !json_is_false(json_object_get(row, "decides"));
}

size_t count_deciding(const json_t *rows)
{
	size_t i, n = 0;
	json_t *row;

	json_array_foreach (rows, i, row)
		n += row_decides(row);
	return n;
}

struct ranked { /* keys looked up once, not at every comparison */
	json_t *row;
	const char *benchmark, *measure;
	double size;
	int rank;
};

static int compare_rows(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int c = x->rank - y->rank;

	if (!c)
		c = (x->size < y->size) - (x->size > y->size);
	if (!c)
		c = strcmp(x->benchmark, y->benchmark);
	return c ? c : strcmp(x->measure, y->measure);
}

json_t *rows_worst_first(const json_t *rows, struct arena *a)
{
	size_t n = json_array_size(rows);
	struct ranked *order = ARENA_ARRAY(a, struct ranked, n + 1);
	json_t *sorted = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *row = json_array_get(rows, i);
		double size = fabs(doc_num(row, "effect"));

		order[i] = (struct ranked){ row, doc_str(row, "benchmark"),
			doc_str(row, "measure"), isfinite(size) ? size : -1,
			outcome_rank(row) + (row_decides(row) ? 0 : COMPANION) };
	}
	if (n)
		qsort(order, n, sizeof(*order), compare_rows);
	for (size_t i = 0; i < n; i++)
		json_array_append(sorted, order[i].row);
	return arena_own_json(a, sorted);
}

json_t *rows_significant(const json_t *rows, size_t max, struct arena *a)
{
	json_t *some = json_array(), *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		int rank = outcome_rank(row);

		if (row_decides(row) && (rank == 0 || rank == 2) && json_array_size(some) < max)
			json_array_append(some, row);
	}
	return arena_own_json(a, some);
}

const char *detectable_text(const json_t *rows, struct arena *a)
{
	double least = INFINITY, most = 0;
	size_t i;
	json_t *row;

	json_array_foreach (rows, i, row) {
		double d = doc_num(row, "detectable");

		if (!isfinite(d) || !row_decides(row))
			continue;
		least = fmin(least, d);
		most = fmax(most, d);
	}
	if (!isfinite(least))
		return "";
	if (most < least * 1.1)
		return arena_printf(a, "could have seen %s or more", share_in_words(most, a));
	return arena_printf(a, "could have seen %s or more (in the worst row: %s)",
		share_in_words(least, a), share_in_words(most, a));
}

static const char *first_reason(const json_t *doc, struct arena *a)
{
	size_t removed = doc_len(doc, "removed"), added = doc_len(doc, "added");

	if (json_is_false(doc_at(doc, "same_environment")))
		return "the two were measured in different environments";
	if (removed || added)
		return arena_printf(a,
			"the benchmarks differ: %zu only in base, %zu only in head", removed,
			added);
	return "the data do not decide";
}

static const char *worst_text(const json_t *doc, struct arena *a)
{
	const json_t *rows = rows_worst_first(doc_at(doc, "rows"), a);
	const json_t *row = json_array_get(rows, 0), *ci = doc_at(row, "interval");
	char change[VALUE_TEXT];

	if (!row)
		return "";
	change_format(doc_num(row, "effect"), array_num(ci, 0), array_num(ci, 1), change);
	return arena_printf(
		a, "%s %s %s", doc_str(row, "benchmark"), doc_str(row, "measure"), change);
}

const char *compare_verdict(const json_t *doc, struct arena *a)
{
	const char *outcome = doc_str(doc, "outcome");
	size_t n = count_deciding(doc_at(doc, "rows"));
	long long slower = doc_int(doc, "counts.slower"),
		  faster = doc_int(doc, "counts.faster"),
		  unknown = doc_int(doc, "counts.unknown");
	const char *seen = detectable_text(doc_at(doc, "rows"), a);

	if (n == 0)
		return arena_printf(a, "%s: nothing to compare, no benchmark is in both",
			*outcome ? outcome : "unknown");
	if (!strcmp(outcome, "slower"))
		return arena_printf(
			a, "slower: %lld of %zu, worst: %s", slower, n, worst_text(doc, a));
	if (!strcmp(outcome, "unknown"))
		return arena_printf(a, "unknown: %s (%lld of %zu undecided)%s%s",
			first_reason(doc, a), unknown, n, *seen ? "; " : "", seen);
	if (!strcmp(outcome, "faster"))
		return arena_printf(
			a, "faster: %lld of %zu, largest: %s", faster, n, worst_text(doc, a));
	return arena_printf(
		a, "same: no significant change in %zu%s%s", n, *seen ? "; " : "", seen);
}

static void side_text(const json_t *doc, const char *side, struct buf *out)
{
	const json_t *o = doc_at(doc, side);
	char hash[9], when[32];

	text_printf(out, "%s  %-8s  %s  %s", side, short_hash(doc_str(o, "hash"), hash),
		doc_str(o, "branch"), short_time(doc_str(o, "created"), when));
	if (*doc_str(o, "what"))
		text_printf(out, "  %s", doc_str(o, "what"));
	buf_add_char(out, '\n');
}

static void names_line(const json_t *list, const char *prefix, const char *what, enum format f,
	struct buf *out)
{
	size_t i, n = json_array_size(list);
	json_t *name;

	if (n == 0)
		return;
	buf_printf(out, "%s%s: ", prefix, what);
	json_array_foreach (list, i, name) {
		const char *s = json_is_string(name) ? json_string_value(name)
						     : doc_str(name, "benchmark");

		if (i == 20) {
			buf_printf(out, " and %zu more", n - i);
			break;
		}
		buf_add_str(out, i ? ", " : "");
		if (f == F_MARKDOWN)
			markdown_code(out, s);
		else if (f == F_HTML)
			html_escape(out, s);
		else
			text_escape(out, s);
	}
	buf_add_char(out, '\n');
}

/* The suite as a whole; its mean speaks of these benchmarks only. */
static void suite_lines(const json_t *doc, const char *prefix, struct buf *out)
{
	const json_t *ci = doc_at(doc, "geometric_mean.interval");
	double ratio = doc_num(doc, "geometric_mean.ratio");
	long long n = doc_int(doc, "geometric_mean.n"), tested = doc_int(doc, "suite.tested");
	char text[VALUE_TEXT];

	if (isfinite(ratio)) {
		buf_printf(out, "%sgeometric mean: %s", prefix,
			change_format(
				ratio - 1, array_num(ci, 0) - 1, array_num(ci, 1) - 1, text));
		if (n > 0)
			buf_printf(out, " over %lld benchmark%s", n, n == 1 ? "" : "s");
		buf_add_char(out, '\n');
	}
	if (count_deciding(doc_at(doc, "rows")) < doc_len(doc, "rows"))
		buf_printf(out,
			"%soutcomes in brackets: measured beside, they decide nothing\n",
			prefix);
	if (count_deciding(doc_at(doc, "rows")) < 2)
		return;
	buf_printf(out, "%s%lld faster, %lld slower, %lld same, %lld unknown", prefix,
		(long long)doc_int(doc, "counts.faster"),
		(long long)doc_int(doc, "counts.slower"),
		(long long)doc_int(doc, "counts.same"),
		(long long)doc_int(doc, "counts.unknown"));
	if (tested > 0)
		buf_printf(out, "; %lld of %lld stand out (false discovery rate %g %%)",
			(long long)doc_int(doc, "suite.stand_out"), tested,
			100 * doc_num(doc, "suite.q"));
	buf_add_char(out, '\n');
}

/* How large a difference this host shows between two runs of the same thing. */
static void control_line(const json_t *doc, const char *prefix, struct buf *out)
{
	const json_t *c = doc_at(doc, "control");
	int64_t n = doc_int(c, "rows"), different = doc_int(c, "different");
	char text[VALUE_TEXT];

	if (!json_is_object(c) || !n)
		return;
	buf_printf(out, "%sbase against itself: largest difference %s over %lld benchmark%s, ",
		prefix, percent_format(doc_num(c, "largest"), text), (long long)n,
		n == 1 ? "" : "s");
	if (different)
		buf_printf(out, "%lld called different where nothing is: doubt this run\n",
			(long long)different);
	else
		buf_add_str(out, "none called different\n");
}

void compare_remarks(const json_t *doc, const char *prefix, enum format f, struct buf *out)
{
	names_line(doc_at(doc, "added"), prefix, "only in head", f, out);
	names_line(doc_at(doc, "removed"), prefix, "only in base", f, out);
	if (json_is_false(doc_at(doc, "same_environment")) &&
		!doc_len(doc, "environment_difference"))
		buf_printf(out, "%senvironments differ\n", prefix);
	names_line(doc_at(doc, "environment_difference"), prefix, "environments differ in", f,
		out);
	suite_lines(doc, prefix, out);
	control_line(doc, prefix, out);
}

void compare_text(const json_t *doc, struct arena *a, struct buf *out)
{
	const json_t *rows = rows_worst_first(doc_at(doc, "rows"), a);

	side_text(doc, "base", out);
	side_text(doc, "head", out);
	buf_add_char(out, '\n');
	if (json_array_size(rows)) {
		table_render(rows, compare_columns, n_compare_columns, F_TEXT, a, out);
		buf_add_char(out, '\n');
	}
	compare_remarks(doc, "", F_TEXT, out);
	text_escape(out, compare_verdict(doc, a));
	buf_add_char(out, '\n');
}

void compare_csv(const json_t *doc, struct arena *a, struct buf *out)
{
	table_render(doc_at(doc, "rows"), compare_columns, n_compare_columns, F_CSV, a, out);
}
