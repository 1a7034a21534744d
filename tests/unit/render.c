/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every form of every document against tests/golden/render/ (rewritten by `make golden`), and
 * the functions that single values pass. */
#include "tests/lib/unit.h"

#include <math.h>
#include <string.h>
#include "base/fs.h"
#include "daemon/render/render.h"

static const struct {
	const char *name;
	enum document kind;
} goldens[] = {
	{ "alert", DOC_ALERT },
	{ "alerts", DOC_ALERTS },
	{ "branches", DOC_BRANCHES },
	{ "cells", DOC_CELLS },
	{ "changes", DOC_CHANGES },
	{ "compare", DOC_COMPARE },
	{ "compare_hostile", DOC_COMPARE },
	{ "compare_same", DOC_COMPARE },
	{ "compare_unknown", DOC_COMPARE },
	{ "empty", DOC_JOBS },
	{ "gate", DOC_GATE },
	{ "gate_error", DOC_GATE },
	{ "gate_pass", DOC_GATE },
	{ "job_compare", DOC_JOB },
	{ "job_failed", DOC_JOB },
	{ "job_queued", DOC_JOB },
	{ "job_report", DOC_JOB },
	{ "job_running", DOC_JOB },
	{ "jobs", DOC_JOBS },
	{ "measures", DOC_MEASURES },
	{ "processes", DOC_PROCESSES },
	{ "projects", DOC_PROJECTS },
	{ "queue", DOC_QUEUE },
	{ "report", DOC_REPORT },
	{ "report_empty", DOC_REPORT },
	{ "series", DOC_SERIES },
	{ "series_empty", DOC_SERIES },
	{ "series_list", DOC_SERIES_LIST },
	{ "tokens", DOC_TOKENS },
	{ "workloads", DOC_WORKLOADS },
};
/* By enum format; JSON is the input, NDJSON is checked by its own test. */
static const char *const suffixes[] = { NULL, "txt", "md", "csv", "html", "om", "svg", "atom",
	NULL, "xml" };

static const char *golden_path(struct arena *a, const char *name, const char *suffix)
{
	const char *top = getenv("top_srcdir");

	return arena_printf(a, "%s/tests/golden/render/%s.%s", top ? top : ".", name, suffix);
}

static char *read_golden(struct arena *a, const char *name, const char *suffix)
{
	const char *path = golden_path(a, name, suffix);
	FILE *f = fopen(path, "r");
	char *text = arena_alloc(a, 1 << 20);

	ck_assert_msg(f != NULL, "cannot open '%s'; make golden writes it", path);
	text[fread(text, 1, (1 << 20) - 1, f)] = 0;
	fclose(f);
	return text;
}

static json_t *read_document(struct arena *a, const char *name)
{
	const char *text = read_golden(a, name, "json");
	struct error err;
	json_t *doc = NULL;

	ck_assert_msg(
		json_parse(text, strlen(text), &doc, &err) == OK, "%s: %s", name, err.text);
	return arena_own_json(a, doc);
}

static void write_golden(
	struct arena *a, const char *name, const char *suffix, const struct buf *text)
{
	FILE *f = fopen(golden_path(a, name, suffix), "w");

	ck_assert(f != NULL);
	fwrite(buf_str(text), 1, text->len, f);
	fclose(f);
}

static void check_form(struct arena *a, const char *name, enum document kind, enum format f)
{
	_cleanup_(buf_done)
	struct buf out = { 0 };
	struct error err;

	ck_assert_int_eq(render_document(kind, f, read_document(a, name), a, &out, &err), OK);
	if (getenv("GOLDEN_WRITE")) {
		write_golden(a, name, suffixes[f], &out);
		return;
	}
	ck_assert_msg(!strcmp(buf_str(&out), read_golden(a, name, suffixes[f])),
		"%s.%s is now:\n%s", name, suffixes[f], buf_str(&out));
}

START_TEST(every_form_is_as_recorded)
{
	int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
		for (int f = F_TEXT; f <= F_JUNIT; f++) {
			_cleanup_(arena_free)
			struct arena *a = arena_new();

			if (!suffixes[f] || !(render_formats(goldens[i].kind) & 1u << f))
				continue;
			check_form(a, goldens[i].name, goldens[i].kind, (enum format)f);
			n++;
		}
	}
	ck_assert_int_gt(n, 80);
}
END_TEST

START_TEST(a_form_that_does_not_exist_is_refused)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	_cleanup_(buf_done)
	struct buf out = { 0 };
	struct error err;

	ck_assert_int_eq(
		render_document(DOC_JOBS, F_SVG, read_document(a, "jobs"), a, &out, &err),
		E_NOT_ACCEPTABLE);
	ck_assert_str_eq(
		err.text, "there is no such form of this document: ask for another one");
}
END_TEST

START_TEST(ndjson_has_one_element_a_line)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	_cleanup_(buf_done)
	struct buf out = { 0 };
	struct error err;
	size_t lines = 0;

	ck_assert_int_eq(
		render_document(DOC_JOBS, F_NDJSON, read_document(a, "jobs"), a, &out, &err),
		OK);
	for (size_t i = 0; i < out.len; i++)
		lines += out.data[i] == '\n';
	ck_assert_uint_eq(lines, 4);
	ck_assert_int_eq(out.data[0], '{');
}
END_TEST

/* The whole of what a job ran or compared is worth nothing when its last line is not the
 * verdict: CI logs are read from the end. */
START_TEST(the_last_line_of_text_is_the_verdict)
{
	static const struct {
		const char *name, *start;
		enum document kind;
	} cases[] = { { "compare", "slower: 2 of 6", DOC_COMPARE },
		{ "compare_same", "same: no significant change in 2; could have seen",
			DOC_COMPARE },
		{ "compare_unknown", "unknown: ", DOC_COMPARE },
		{ "job_compare", "slower: ", DOC_JOB },
		{ "job_report", "slower: 1 of 4 against their history", DOC_JOB },
		{ "gate", "fail: 1 of 3 rules; no slower benchmark", DOC_GATE },
		{ "gate_error", "error: ", DOC_GATE },
		{ "report_empty", "nothing", DOC_REPORT } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(arena_free)
		struct arena *a = arena_new();
		_cleanup_(buf_done)
		struct buf out = { 0 };
		struct error err;
		char *last;

		ck_assert_int_eq(render_document(cases[i].kind, F_TEXT,
					 read_document(a, cases[i].name), a, &out, &err),
			OK);
		out.data[--out.len] = 0;
		last = strrchr(out.data, '\n');
		last = last ? last + 1 : out.data;
		ck_assert_msg(!strncmp(last, cases[i].start, strlen(cases[i].start)), "%s: %s",
			cases[i].name, last);
	}
}
END_TEST

START_TEST(values_get_a_sensible_unit)
{
	static const struct {
		double v;
		const char *units, *text;
	} cases[] = { { 412, "nanoseconds (ns)", "412 ns" }, { 1273, "ns", "1.273 us" },
		{ 1.5e6, "ns", "1.5 ms" }, { 2.5e9, "ns", "2.5 s" }, { 300e9, "ns", "300 s" },
		{ 0.25, "seconds (s)", "250 ms" }, { 67108864, "bytes (B)", "64 MiB" },
		{ 512, "B", "512 B" }, { 1816.2, "source Mcells/s", "1816 source Mcells/s" },
		{ 3.1e9, "operations / second (ops/s)", "3.1 Gops/s" },
		{ 12.5e9, "B/s", "12.5 GB/s" }, { 11.25, "GB/s", "11.25 GB/s" },
		{ 123456, "instructions", "123.5 k instructions" }, { 3.1e9, "Hz", "3.1 GHz" },
		{ 0.00027, "1", "0.00027" }, { 97.5, "percentage (%)", "97.5 %" },
		{ 0, "ns", "0 ns" }, { -1500, "ns", "-1.5 us" }, { NAN, "ns", "-" },
		{ 3, "", "3" }, { 1e-3, "ns", "0.001 ns" } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[VALUE_TEXT];

		ck_assert_str_eq(value_format(cases[i].v, cases[i].units, text), cases[i].text);
	}
}
END_TEST

START_TEST(intervals_have_one_scale_and_changes_three_digits)
{
	char text[VALUE_TEXT];
	_cleanup_(arena_free)
	struct arena *a = arena_new();

	ck_assert_str_eq(share_in_words(0.051, a), "5.1 %");
	ck_assert_str_eq(share_in_words(1.1, a), "110 %");
	ck_assert_str_eq(interval_format(990, 1010, "ns", text), "[0.99, 1.01] us");
	ck_assert_str_eq(interval_format(NAN, 1010, "ns", text), "");
	ck_assert_str_eq(change_format(0.1, 0.08, 0.12, text), "+10.0 % [8.0, 12.0]");
	ck_assert_str_eq(change_format(-0.0034, NAN, NAN, text), "-0.34 %");
	ck_assert_str_eq(change_format(2.5, 2.4, 2.6, text), "+250 % [240, 260]");
	ck_assert_str_eq(percent_format(NAN, text), "-");
}
END_TEST

static const char *escaped(void (*f)(struct buf *, const char *), const char *s, struct buf *b)
{
	buf_clear(b);
	f(b, s);
	return buf_str(b);
}

START_TEST(each_language_has_its_escaping)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };

	ck_assert_str_eq(escaped(html_escape, "<a href=\"x\">&'\001", &b),
		"&lt;a href=&quot;x&quot;&gt;&amp;&#39;?");
	ck_assert_str_eq(escaped(html_escape, "\xff", &b), "(not UTF-8)");
	ck_assert_str_eq(
		escaped(markdown_escape, "a_b|<x>\n@me", &b), "a\\_b\\|\\<x\\> @<!-- -->me");
	ck_assert_str_eq(escaped(text_escape,
				 "a\033[31mb\xc2\x85\xe2\x80\xae"
				 "c",
				 &b),
		"a?[31mb?"
		"?c");
	ck_assert_str_eq(escaped(markdown_code, "a|b", &b), "`a\\|b`");
	ck_assert_str_eq(escaped(markdown_code, "`x``", &b), "``` `x`` ```");
	ck_assert_str_eq(escaped(openmetrics_escape, "a\"b\\\n", &b), "a\\\"b\\\\\\n");
}
END_TEST

START_TEST(a_badge_says_its_outcome_in_words)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };

	render_badge("sum <latency>", "+10.0 %", OUTCOME_SLOWER, &b);
	ck_assert(strstr(buf_str(&b), "<desc>slower</desc>"));
	ck_assert(strstr(buf_str(&b), "sum &lt;latency&gt;"));
	ck_assert(!strstr(buf_str(&b), "style="));
}
END_TEST

START_TEST(an_upload_of_single_values_has_no_empty_statistics_and_slower_stands_first)
{
	static const char text[] =
		"{\"results\":[[{\"iteration\":0,\"benchmark\":{\"name\":\"a\"},\"measures\":[{"
		"\"measure\":{\"name\":\"Latency\",\"units\":\"nanoseconds (ns)\"},\"metric\":{"
		"\"value\":5},\"n_processes\":1,\"change\":{\"outcome\":\"same\"}}]},"
		"{\"iteration\":0,\"benchmark\":{\"name\":\"z\"},\"measures\":[{\"measure\":{"
		"\"name\":\"Latency\",\"units\":\"nanoseconds (ns)\"},\"metric\":{\"value\":9},"
		"\"n_processes\":1,\"change\":{\"outcome\":\"slower\"}}]}]]}";
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	_cleanup_(buf_done)
	struct buf out = { 0 };
	struct error err;
	json_t *doc;

	ck_assert_int_eq(json_parse(text, strlen(text), &doc, &err), OK);
	arena_own_json(a, doc);
	ck_assert_int_eq(render_document(DOC_REPORT, F_TEXT, doc, a, &out, &err), OK);
	ck_assert_msg(!strstr(buf_str(&out), "  cv"), "%s", buf_str(&out));
	ck_assert(strstr(buf_str(&out), "\nz ") < strstr(buf_str(&out), "\na "));
	buf_clear(&out);
	ck_assert_int_eq(render_document(DOC_REPORT, F_CSV, doc, a, &out, &err), OK);
	ck_assert(strstr(buf_str(&out), ",cv,"));
}
END_TEST

START_TEST(a_history_without_limits_does_not_say_what_they_would_see)
{
	static const char text[] =
		"{\"project\":{\"slug\":\"p\"},\"title\":\"t\",\"twin\":\"/x\",\"points\":[],"
		"\"changes\":[],\"boundary\":{\"reason\":\"too few values in the history\","
		"\"detectable\":0.522}}";
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	_cleanup_(buf_done)
	struct buf out = { 0 };
	const struct page_files files = { 0 };
	struct error err;
	json_t *doc;

	ck_assert_int_eq(json_parse(text, strlen(text), &doc, &err), OK);
	render_page(PAGE_SERIES, arena_own_json(a, doc), &files, a, &out);
	ck_assert_msg(strstr(buf_str(&out), "There are no limits on the next commit: too few "
					    "values in the history.</p>"),
		"%s", buf_str(&out));
}
END_TEST

static const char *page_of(enum dash_page page, const char *text, struct arena *a)
{
	struct buf out = { 0 };
	const struct page_files files = { 0 };
	const char *ret;
	struct error err;
	json_t *doc;

	ck_assert_int_eq(json_parse(text, strlen(text), &doc, &err), OK);
	render_page(page, arena_own_json(a, doc), &files, a, &out);
	ret = arena_strdup(a, buf_str(&out));
	buf_done(&out);
	return ret;
}

static const char *alert_in(const char *state, const char *hash, const char *base,
	const char *testbed, struct arena *a)
{
	return arena_printf(a,
		"{\"uuid\":\"u-%s-%s-%s-%s\",\"state\":\"%s\",\"direction\":\"slower\","
		"\"hash\":"
		"\"%s\",\"subject\":\"a "
		"<b>\",\"detail\":{\"base\":\"%s\"},\"branch\":{\"uuid\":"
		"\"m\",\"name\":\"main\"},\"testbed\":{\"uuid\":\"%s\",\"name\":\"%s\"}}",
		state, hash, base, testbed, state, hash, base, testbed, testbed);
}

START_TEST(open_alerts_of_one_range_and_testbed_are_one_group)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	const char *page = page_of(PAGE_ALERTS,
		arena_printf(a,
			"{\"project\":{\"slug\":\"p\"},\"alerts\":[%s,%s,%s,%s,%s,%s,%s]}",
			alert_in("confirmed", "cafe", "beef", "t", a),
			alert_in("suspect", "cafe", "beef", "t", a),
			alert_in("confirmed", "cafe", "f00d", "t", a),
			alert_in("confirmed", "cafe", "beef", "other", a),
			alert_in("resolved", "cafe", "beef", "t", a),
			alert_in("confirmed", "", "", "t", a),
			alert_in("suspect", "", "", "t", a)),
		a);
	const char *heading = strstr(page, "<h3>2 alerts at <code>cafe</code> a &lt;b&gt; "
					   "<small>after <code>beef</code>, main on t</small>");
	const char *alone = strstr(page, "Alone at their commits");

	ck_assert_msg(heading && alone && heading < alone, "%s", page);
	ck_assert_ptr_null(strstr(heading + 8, "alerts at <code>"));
	ck_assert(strstr(page, "/p/alerts/u-confirmed-cafe-beef-t\"") < alone);
	ck_assert(strstr(page, "/p/alerts/u-suspect-cafe-beef-t\"") < alone);
	ck_assert(strstr(page, "/p/alerts/u-confirmed-cafe-f00d-t\"") > alone);
	ck_assert(strstr(page, "/p/alerts/u-confirmed-cafe-beef-other\"") > alone);
	ck_assert(strstr(page, "/p/alerts/u-suspect---t\"") > alone);
	ck_assert(strstr(page, "/p/alerts/u-resolved-cafe-beef-t\"") > strstr(page, "Closed"));
}
END_TEST

START_TEST(who_may_not_triage_gets_no_form_of_an_alert)
{
	static const char text[] =
		"{\"project\":{\"slug\":\"p\"},\"page\":\"/projects/p/alerts/u\","
		"\"alert\":{\"state\":\"%s\"},\"may_change\":%s}";
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	const char *page = page_of(PAGE_ALERT, arena_printf(a, text, "confirmed", "false"), a);

	ck_assert_ptr_null(strstr(page, "method=\"post\""));
	ck_assert_ptr_nonnull(strstr(page, "/login?next=%2Fprojects%2Fp%2Falerts%2Fu"));
	page = page_of(PAGE_ALERT, arena_printf(a, text, "confirmed", "true"), a);
	ck_assert_ptr_nonnull(strstr(page, "value=\"dismiss\""));
	page = page_of(PAGE_ALERT, arena_printf(a, text, "resolved", "true"), a);
	ck_assert_ptr_null(strstr(page, "value=\"dismiss\""));
	ck_assert_ptr_nonnull(strstr(page, "value=\"note\""));
}
END_TEST

SUITE("render", a_history_without_limits_does_not_say_what_they_would_see,
	an_upload_of_single_values_has_no_empty_statistics_and_slower_stands_first,
	every_form_is_as_recorded, a_form_that_does_not_exist_is_refused,
	ndjson_has_one_element_a_line, the_last_line_of_text_is_the_verdict,
	values_get_a_sensible_unit, intervals_have_one_scale_and_changes_three_digits,
	open_alerts_of_one_range_and_testbed_are_one_group,
	who_may_not_triage_gets_no_form_of_an_alert, each_language_has_its_escaping,
	a_badge_says_its_outcome_in_words)
