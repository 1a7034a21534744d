/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Comparisons and gates as JUnit XML: a test suite is a testbed, a test case a benchmark and
 * measure. slower: failure; unknown: skipped with the reason; one more case, `gate`, carries
 * the outcome of the whole, where unknown is an error, since it must not read as a pass. */
#include "daemon/render/internal.h"

#include <string.h>

static void case_begin(struct buf *out, const char *group, const char *name)
{
	buf_add_str(out, "  <testcase classname=\"");
	html_escape(out, group);
	buf_add_str(out, "\" name=\"");
	html_escape(out, name);
	buf_add_str(out, "\"");
}

static void case_end(struct buf *out, const char *element, const char *message)
{
	if (!element) {
		buf_add_str(out, "/>\n");
		return;
	}
	buf_printf(out, "><%s message=\"", element);
	html_escape(out, message);
	buf_add_str(out, "\"/></testcase>\n");
}

static const char *row_message(const json_t *row, struct arena *a)
{
	const json_t *ci = doc_at(row, "interval");
	char change[VALUE_TEXT];

	change_format(doc_num(row, "effect"), array_num(ci, 0), array_num(ci, 1), change);
	return arena_printf(
		a, "%s %s %s", change, doc_str(row, "outcome"), doc_str(row, "reason"));
}

static void row_case(const json_t *row, struct arena *a, struct buf *out)
{
	const char *outcome = doc_str(row, "outcome");
	const char *element = !row_decides(row)		    ? NULL
			      : !strcmp(outcome, "slower")  ? "failure"
			      : !strcmp(outcome, "unknown") ? "skipped"
							    : NULL;

	case_begin(out, doc_str(row, "benchmark"), doc_str(row, "measure"));
	case_end(out, element, row_message(row, a));
}

static size_t count(const json_t *rows, const char *outcome)
{
	size_t i, n = 0;
	json_t *row;

	json_array_foreach (rows, i, row)
		n += row_decides(row) && !strcmp(doc_str(row, "outcome"), outcome);
	return n;
}

static const char *element_of(const char *outcome)
{
	if (!strcmp(outcome, "slower") || !strcmp(outcome, "fail"))
		return "failure";
	if (!strcmp(outcome, "unknown") || !strcmp(outcome, "error"))
		return "error";
	return NULL;
}

/* extra: further cases whose outcomes are already counted by the caller. */
static void suite(const json_t *doc, const char *outcome, const char *sentence,
	const json_t *rules, struct arena *a, struct buf *out)
{
	const json_t *rows = doc_at(doc, "rows");
	const char *element = element_of(outcome), *testbed = doc_str(doc, "head.testbed");
	size_t failures = count(rows, "slower") + count(rules, "fail");
	size_t errors = count(rules, "unknown") + count(rules, "error"), i;
	json_t *o;

	failures += element && !strcmp(element, "failure");
	errors += element && !strcmp(element, "error");
	buf_add_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
			 " <testsuite name=\"");
	html_escape(out, *testbed ? testbed : "benchd");
	buf_printf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n",
		json_array_size(rows) + json_array_size(rules) + 1, failures, errors,
		count(rows, "unknown"));
	json_array_foreach (rows, i, o)
		row_case(o, a, out);
	json_array_foreach (rules, i, o) {
		case_begin(out, "rule", doc_str(o, "rule"));
		case_end(out, element_of(doc_str(o, "outcome")), doc_str(o, "reason"));
	}
	case_begin(out, "benchd", "gate");
	case_end(out, element, sentence);
	buf_add_str(out, " </testsuite>\n</testsuites>\n");
}

void compare_junit(const json_t *doc, struct arena *a, struct buf *out)
{
	suite(doc, doc_str(doc, "outcome"), compare_verdict(doc, a), NULL, a, out);
}

void gate_junit(const json_t *doc, struct arena *a, struct buf *out)
{
	suite(doc, doc_str(doc, "outcome"), doc_str(doc, "outcome"), doc_at(doc, "rules"), a,
		out);
}
