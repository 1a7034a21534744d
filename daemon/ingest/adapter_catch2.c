/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cpp_catch2: what Catch2's BENCHMARK prints. A test case stands between two rules of dashes,
 * its benchmarks below a third one, three lines each:
 *
 *   NAME                  100        208     7.1968 ms      samples, iterations, estimated
 *                      344 ns     341 ns         349 ns     mean and its interval
 *                       19 ns      11 ns          29 ns     standard deviation and its interval
 *
 * A long name is wrapped: version 3 goes on before the figures of the second and third line,
 * version 2 begins on lines of its own above the first. Name: "Case: NAME". */
#include "daemon/ingest/scan.h"

#include <string.h>

enum { WRAPPED_MAX = 20 };

struct page {
	const char *test; /* of the test case; NULL: none yet */
	bool in_heading;
	const char *name;  /* of the benchmark that is being read; NULL */
	const char *begun; /* lines of a name that has no figures yet; NULL */
	int n_begun;
	double mean;
	int line; /* of it: 1 after its first, 2 after the mean */
};

static bool is_rule(const struct scan *l)
{
	size_t n = (size_t)(l->end - l->p);

	if (n < 20)
		return false;
	for (const char *p = l->p; p < l->end; p++)
		if (*p != '-')
			return false;
	return true;
}

static bool quantity(struct scan *s, double *ret)
{
	double v, ns;

	if (!scan_number(s, &v) || !scan_spaces(s) || !scan_time_unit(s, &ns))
		return false;
	*ret = v * ns;
	return true;
}

/* Text, then figures to the end of the line: ret_text without them. */
static bool split(struct scan l, bool is_first, struct scan *ret_text, double v[3])
{
	for (const char *p = l.p; p < l.end; p++) {
		struct scan s = { p, l.end };
		bool ok;

		if (p > l.p && !scan_is_gap(&l, p))
			continue;
		scan_skip(&s);
		if (is_first)
			ok = scan_number(&s, &v[0]) && scan_spaces(&s) &&
			     scan_number(&s, &v[1]) && scan_spaces(&s) && quantity(&s, &v[2]);
		else
			ok = quantity(&s, &v[0]) && scan_spaces(&s) && quantity(&s, &v[1]) &&
			     scan_spaces(&s) && quantity(&s, &v[2]);
		if (ok && scan_end(&s)) {
			*ret_text = (struct scan){ l.p, p };
			return true;
		}
	}
	return false;
}

static void go_on_name(struct page *page, const struct scan *text, struct arena *a)
{
	const char *more = scan_rest(text, a);

	if (*more)
		page->name = arena_printf(a, "%s %s", page->name, more);
}

static void finish(struct tool_output *out, struct page *page, double deviation)
{
	const char *name = page->test
				   ? arena_printf(out->arena, "%s: %s", page->test, page->name)
				   : page->name;
	struct tool_result *r = tool_output_add(out, name, "latency");

	page->name = NULL;
	if (!r)
		return;
	r->value = page->mean;
	r->lower = page->mean - deviation;
	r->upper = page->mean + deviation;
}

/* An empty line, or more of them than a name takes, ends what was begun. */
static void begin_name(struct page *page, struct scan l, struct arena *a)
{
	const char *text = scan_rest(&l, a);

	if (!*text || page->name || page->n_begun == WRAPPED_MAX) {
		page->begun = NULL;
		page->n_begun = 0;
	} else {
		page->begun =
			page->n_begun++ ? arena_printf(a, "%s %s", page->begun, text) : text;
	}
}

static void figures(struct tool_output *out, struct page *page, struct scan l)
{
	struct scan text;
	double v[3];

	if (split(l, true, &text, v)) {
		page->name = scan_rest(&text, out->arena);
		page->line = 1;
		if (!*page->name)
			page->name = NULL;
		else if (page->n_begun)
			page->name = arena_printf(out->arena, "%s %s", page->begun, page->name);
		page->n_begun = 0;
	} else if (page->name && split(l, false, &text, v)) {
		go_on_name(page, &text, out->arena);
		if (page->line++ == 1)
			page->mean = v[0];
		else
			finish(out, page, v[0]);
	} else {
		begin_name(page, l, out->arena);
	}
}

/* Lines between two rules are the test case and its sections. */
static void heading(struct page *page, struct scan l, struct arena *a)
{
	const char *text = scan_rest(&l, a);

	if (!*text || page->test)
		return;
	page->test = text;
}

static int read_catch2(const char *text, size_t n, enum average average,
	struct tool_output *out, struct error *err)
{
	struct scan all = { text, text + n }, l;
	struct page page = { 0 };
	int r = average_check(
		"cpp_catch2", average, 1u << AVERAGE_NONE | 1u << AVERAGE_MEAN, err);

	while (r == OK && scan_line(&all, &l)) {
		struct scan head = l;

		if (is_rule(&l)) {
			page.in_heading = !page.in_heading;
			if (page.in_heading)
				page.test = NULL;
		} else if (scan_text(&head, "benchmark name")) {
			/* The rule below the columns' titles opens no heading. */
			while (scan_line(&all, &l) && !is_rule(&l))
				;
		} else if (page.in_heading) {
			heading(&page, l, out->arena);
		} else {
			figures(out, &page, l);
		}
	}
	if (r == OK && out->n == 0)
		return error_set(
			err, E_BAD_REQUEST, "there is no benchmark as Catch2 prints them");
	return r;
}

const struct adapter adapter_catch2 = { "cpp_catch2", read_catch2 };
