/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gate files on reports made here: what passes, fails, and is an error. */
#include "client/gate_file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "tests/lib/unit.h"

static struct arena *arena;
static struct error err;

static int load(const char *text, json_t **ret)
{
	char path[] = "/tmp/benchd-gate.XXXXXX";
	int fd = mkstemp(path), r;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	r = gate_file_load(arena, path, ret, &err);
	unlink(path);
	return r;
}

static const char report_text[] =
	"[{\"results\": [[{\"benchmark\": {\"name\": \"sort[n=16]\"}, \"measures\": ["
	"{\"measure\": {\"name\": \"Latency\", \"slug\": \"latency\","
	" \"units\": \"nanoseconds (ns)\"},"
	" \"metric\": {\"value\": 2000.0}, \"statistics\": {\"cv\": 0.04}},"
	"{\"measure\": {\"name\": \"accuracy.rmse\", \"slug\": \"accuracy-rmse\","
	" \"units\": \"1\"}, \"metric\": {\"value\": 0.5}}]}]],"
	"\"scaling\": [{\"benchmark\": \"sort\", \"mean_efficiency\": 0.6}],"
	"\"alerts\": [{\"status\": \"active\", \"benchmark\": {\"name\": \"sort[n=16]\"}}]}]";

/* One report: a benchmark of two measures, a sweep, an alert. */
static json_t *reports(const char *alert_status)
{
	json_t *o = NULL, *alert;

	ck_assert_int_eq(json_parse(report_text, strlen(report_text), &o, &err), OK);
	alert = json_array_get(json_object_get(json_array_get(o, 0), "alerts"), 0);
	json_set_str(alert, "status", alert_status);
	return arena_own_json(arena, o);
}

/* The outcome of one rule, and its reason in *ret_reason. */
static const char *judged(const char *rule, const char **ret_reason)
{
	json_t *rules, *v, *one;

	ck_assert_msg(load(arena_printf(arena, "gate:\n  r: %s\n", rule), &rules) == OK, "%s",
		err.text);
	v = gate_file_judge(arena, rules, reports("active"));
	one = json_array_get(json_object_get(v, "rules"), 0);
	*ret_reason = json_get_str(one, "reason", "");
	ck_assert_str_eq(json_get_str(one, "outcome", ""), json_get_str(v, "outcome", "?"));
	return json_get_str(v, "outcome", "?");
}

struct row {
	const char *rule, *outcome, *reason;
};

static void check_rows(const struct row *rows, size_t n)
{
	arena = arena_new();
	for (size_t i = 0; i < n; i++) {
		const char *reason, *outcome = judged(rows[i].rule, &reason);

		ck_assert_msg(!strcmp(outcome, rows[i].outcome), "%s: %s, %s", rows[i].rule,
			outcome, reason);
		ck_assert_msg(
			strstr(reason, rows[i].reason) != NULL, "%s: %s", rows[i].rule, reason);
	}
	arena_free(arena);
}

START_TEST(limits_hold_or_fail_with_the_numbers)
{
	static const struct row rows[] = {
		{ "{ measure: latency, \"<\": 2001 }", "pass", "1 checked" },
		{ "{ measure: latency, \"<\": 2000 }", "fail",
			"sort[n=16]: Latency 2 us, not < 2 us" },
		{ "{ measure: latency, \"<=\": 2us }", "pass", "1 checked" },
		{ "{ measure: LAT*, \">\": 1us, \"<\": 1.5us }", "fail", "us, not < 1.5 us" },
		{ "{ measure: latency, statistic: cv, \"<=\": 5% }", "pass", "1 checked" },
		{ "{ measure: latency, statistic: cv, \"<=\": 3% }", "fail", "not <= 0.03" },
		{ "{ benchmark: \"sort[n=16]\", measure: accuracy.rmse, \">=\": 0.6 }", "fail",
			"not >= 0.6" },
		{ "{ measure: scaling.efficiency, \">\": 0.5 }", "pass", "1 checked" },
		{ "{ measure: scaling.efficiency, \">\": 0.7 }", "fail", "efficiency 0.6" },
		{ "{ alerts: none }", "fail", "an alert on sort[n=16]" },
	};

	check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}
END_TEST

START_TEST(what_was_not_measured_is_an_error)
{
	static const struct row rows[] = {
		{ "{ benchmark: \"bubble*\", measure: latency, \"<\": 1s }", "error",
			"it matches nothing that was measured" },
		{ "{ measure: accuracy.rmse, statistic: cv, \"<\": 1 }", "error",
			"no such statistic" },
		{ "{ measure: accuracy.rmse, \"<\": 1s }", "error", "not a time" },
	};

	check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}
END_TEST

static const char *worst_of(json_t *rules, json_t *list)
{
	return json_get_str(gate_file_judge(arena, rules, list), "outcome", "");
}

START_TEST(the_worst_rule_decides_and_past_alerts_do_not)
{
	json_t *rules, *none;
	int r;

	arena = arena_new();
	none = arena_own_json(arena, json_array());
	r = load(
		"gate:\n  a: { measure: latency, \"<\": 1s }\n  b: { alerts: none }\n", &rules);
	ck_assert_int_eq(r, OK);
	ck_assert_str_eq(worst_of(rules, reports("dismissed")), "pass");
	ck_assert_str_eq(worst_of(rules, reports("active")), "fail");
	ck_assert_str_eq(worst_of(rules, none), "error");
	arena_free(arena);
}
END_TEST

START_TEST(wrong_files_are_refused_by_name)
{
	static const struct {
		const char *text, *reason;
	} rows[] = {
		{ "rules: {}\n", "'gate' must be a mapping of 1 to 500 rules" },
		{ "gate: {}\n", "'gate' must be a mapping of 1 to 500 rules" },
		{ "gate:\n  a: 3\n", "the rule 'a' must be a mapping" },
		{ "gate:\n  a: { measure: latency }\n",
			"needs 'measure' and one of < <= > >=" },
		{ "gate:\n  a: { mesure: latency, \"<\": 1 }\n", "did you mean 'measure'" },
		{ "gate:\n  a: { measure: latency, \"<\": soon }\n",
			"the limit of the rule 'a'" },
		{ "gate:\n  a: { measure: latency, statistic: mediam, \"<\": 1 }\n",
			"did you mean 'median'" },
		{ "gate:\n  a: { alerts: some }\n", "it can only be none" },
	};

	arena = arena_new();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *rules;

		ck_assert_int_lt(load(rows[i].text, &rules), 0);
		ck_assert_msg(strstr(err.text, rows[i].reason) != NULL, "%s", err.text);
	}
	arena_free(arena);
}
END_TEST

SUITE("gate_file", limits_hold_or_fail_with_the_numbers, what_was_not_measured_is_an_error,
	the_worst_rule_decides_and_past_alerts_do_not, wrong_files_are_refused_by_name)
