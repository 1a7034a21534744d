/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Thresholds, rules and alerts of uploads, over http_call: the real handlers, store and
 * statistics. */
#include "tests/lib/store.h"

#include "base/rng.h"
#include "daemon/analysis/analysis.h"
#include "daemon/http/handlers.h"

static struct app app = { .version = "0.1.0", .testbed = "bench01" };
static struct server_config config = { .app = &app };
static struct reply reply;
static json_t *doc; /* of the last answer, or NULL */
static struct rng noise;
static int commit; /* number of the next one */

static int call(const char *method, const char *target, const char *body)
{
	const char *const headers[] = { "Content-Type", "application/json", NULL };
	const struct http_call c = { &config, method, target, headers, body,
		body ? strlen(body) : 0 };
	struct error ignored;

	reply_done(&reply);
	json_decref(doc);
	doc = NULL;
	ok(store_savepoint(db, &err));
	http_call(&c, db, &reply);
	if (reply.status >= 400)
		store_rollback_to(db);
	else
		ok(store_release(db, &err));
	if (reply.body.len && json_parse(reply.body.data, reply.body.len, &doc, &ignored) < 0)
		doc = NULL;
	return reply.status;
}

/* "/measures/0/name" of the last answer. */
static json_t *at(const char *path)
{
	json_t *j = doc;
	char key[64];

	while (j && *path == '/') {
		size_t n = strcspn(++path, "/");

		snprintf(key, sizeof(key), "%.*s", (int)n, path);
		j = json_is_array(j) ? json_array_get(j, (size_t)atoi(key))
				     : json_object_get(j, key);
		path += n;
	}
	return j;
}
#define text_of(path) json_string_value(at(path))
#define int_of(path) ((int64_t)json_integer_value(at(path)))
#define real_of(path) json_number_value(at(path))
#define answered(code)                                                                         \
	ck_assert_msg(reply.status == (code), "%d: %s", reply.status, buf_str(&reply.body))

static void begin(void)
{
	start();
	config.require_tokens = false;
	rng_init(&noise, 7);
	commit = 0;
	a_project("p");
}

static void end(void)
{
	reply_done(&reply);
	reply = (struct reply){ 0 };
	json_decref(doc);
	doc = NULL;
	finish();
}

/* One report of the benchmark on main: a value, and more members of the body. */
static void upload(const char *benchmark, double value, const char *more)
{
	call("POST", "/v0/projects/p/reports",
		arena_printf(mem,
			"{\"branch\":\"main\",\"testbed\":\"host\",\"hash\":\"%040x\","
			"\"start_time\":\"2026-11-21T09:00:00Z\","
			"\"end_time\":\"2026-11-21T09:00:05Z\",\"results\":"
			"[\"{\\\"%s\\\":{\\\"latency\\\":{\\\"value\\\":%.17g}}}\"]%s}",
			(unsigned)++commit, benchmark, value, more));
	answered(201);
}

static double gauss(void)
{
	double u = rng_uniform(&noise), v = rng_uniform(&noise);

	return sqrt(-2 * log(1 - u)) * cos(2 * M_PI * v);
}

/* n reports around a level, 1 % apart. */
static void history(int n, double level)
{
	for (int i = 0; i < n; i++)
		upload("a", level * exp(.01 * gauss()), "");
}

/* Calm values: inside every limit. */
static void calm(int n, double level)
{
	static const double steps[] = { 0, .004, -.004, .008, -.008 };

	for (int i = 0; i < n; i++)
		upload("a", level * (1 + steps[i % 5]), "");
}

static size_t alerts(const char *query)
{
	call("GET", arena_printf(mem, "/v0/projects/p/alerts%s", query), NULL);
	answered(200);
	return json_array_size(doc);
}

#define M "/results/0/0/measures/0"

/* --- Bencher's tests --- */

START_TEST(limits_are_stored_with_the_metric_and_answered_with_their_threshold)
{
	begin();
	upload("a", 100, "");
	upload("a", 102,
		",\"thresholds\":{\"models\":{\"latency\":{\"test\":\"percentage\","
		"\"lower_boundary\":0.1,\"upper_boundary\":0.25}}}");
	ck_assert_str_eq(text_of(M "/threshold/model/test"), "percentage");
	ck_assert_double_eq(real_of(M "/boundary/baseline"), 100);
	ck_assert_double_eq(real_of(M "/boundary/lower_limit"), 90);
	ck_assert_double_eq(real_of(M "/boundary/upper_limit"), 125);
	ck_assert_str_eq(text_of(M "/change/origin"), "threshold");
	ck_assert_int_eq(int_of("/counts/alerts/total"), 0);
	/* Thresholds stay when later reports do not name them. */
	upload("a", 200, "");
	ck_assert_double_eq(real_of(M "/boundary/baseline"), 101);
	ck_assert_int_eq(int_of("/counts/alerts/active"), 1);
	ck_assert_str_eq(text_of("/alerts/0/limit"), "upper");
	ck_assert_str_eq(text_of("/alerts/0/status"), "active");
	ck_assert_str_eq(text_of("/alerts/0/threshold/model/test"), "percentage");
	ck_assert_double_eq(real_of("/alerts/0/boundary/upper_limit"), 126.25);
	ck_assert_double_eq(real_of("/alerts/0/metric/value"), 200);
	end();
}
END_TEST

START_TEST(a_first_value_has_a_boundary_without_limits)
{
	begin();
	upload("a", 100,
		",\"thresholds\":{\"models\":{\"latency\":{\"test\":\"static\","
		"\"upper_boundary\":50}}}");
	ck_assert_str_eq(text_of(M "/threshold/model/test"), "static");
	ck_assert(json_is_null(at(M "/boundary/upper_limit")));
	ck_assert_int_eq(int_of("/counts/alerts/total"), 0);
	upload("a", 100, "");
	ck_assert_double_eq(real_of(M "/boundary/upper_limit"), 50);
	ck_assert_int_eq(int_of("/counts/alerts/total"), 1);
	end();
}
END_TEST

START_TEST(a_stored_boundary_keeps_the_model_that_made_it)
{
	const char *report;

	begin();
	upload("a", 100, "");
	upload("a", 100,
		",\"thresholds\":{\"models\":{\"latency\":{\"test\":\"percentage\","
		"\"upper_boundary\":0.25}}}");
	report = arena_strdup(mem, text_of("/uuid"));
	upload("a", 100,
		",\"thresholds\":{\"models\":{\"latency\":{\"test\":\"percentage\","
		"\"upper_boundary\":0.5}}}");
	ck_assert_double_eq(real_of(M "/boundary/upper_limit"), 150);
	call("GET", arena_printf(mem, "/v0/projects/p/reports/%s", report), NULL);
	ck_assert_double_eq(real_of(M "/boundary/upper_limit"), 125);
	ck_assert_double_eq(real_of(M "/threshold/model/upper_boundary"), 0.25);
	ck_assert_ptr_nonnull(at(M "/threshold/model/replaced"));
	end();
}
END_TEST

START_TEST(a_name_that_asks_to_be_ignored_has_limits_but_no_alert)
{
	begin();
	upload("a_bencher_ignore", 100, "");
	upload("a_bencher_ignore", 300,
		",\"thresholds\":{\"models\":{\"latency\":{\"test\":\"percentage\","
		"\"upper_boundary\":0.1}}}");
	ck_assert_double_eq_tol(real_of(M "/boundary/upper_limit"), 110, 1e-9);
	ck_assert_int_eq(int_of("/counts/alerts/total"), 0);
	end();
}
END_TEST

START_TEST(the_next_iteration_has_this_one_in_its_history)
{
	begin();
	call("POST", "/v0/projects/p/reports",
		"{\"branch\":\"main\",\"testbed\":\"host\","
		"\"start_time\":\"2026-11-21T09:00:00Z\",\"end_time\":\"2026-11-21T09:00:05Z\","
		"\"thresholds\":{\"models\":{\"latency\":{\"test\":\"percentage\","
		"\"upper_boundary\":0.1}}},"
		"\"results\":[\"{\\\"a\\\":{\\\"latency\\\":{\\\"value\\\":10}}}\","
		"\"{\\\"a\\\":{\\\"latency\\\":{\\\"value\\\":20}}}\"]}");
	answered(201);
	ck_assert(json_is_null(at(M "/boundary/baseline")));
	ck_assert_double_eq(real_of("/results/1/0/measures/0/boundary/baseline"), 10);
	ck_assert_int_eq(int_of("/alerts/0/iteration"), 1);
	end();
}
END_TEST

START_TEST(a_new_branch_sees_the_history_of_its_start_point)
{
	begin();
	calm(4, 100);
	call("POST", "/v0/projects/p/reports",
		"{\"branch\":\"feature\",\"testbed\":\"host\",\"start_point\":{\"branch\":"
		"\"main\"},\"start_time\":\"2026-11-21T09:00:00Z\","
		"\"end_time\":\"2026-11-21T09:00:05Z\",\"thresholds\":{\"models\":{\"latency\":"
		"{\"test\":\"percentage\",\"upper_boundary\":0.1,\"max_sample_size\":2}}},"
		"\"results\":[\"{\\\"a\\\":{\\\"latency\\\":{\\\"value\\\":150}}}\"]}");
	answered(201);
	/* The two newest: 99.6 and 100.8. */
	ck_assert_double_eq_tol(real_of(M "/boundary/baseline"), 100.2, 1e-9);
	ck_assert_int_eq(int_of("/counts/alerts/total"), 1);
	end();
}
END_TEST

START_TEST(a_new_branch_begins_at_the_level_that_its_start_point_has_reached)
{
	begin();
	calm(55, 100);
	calm(4, 125);
	ck_assert_uint_eq(alerts("?state=confirmed"), 1);
	call("POST", "/v0/projects/p/reports",
		"{\"branch\":\"feature\",\"testbed\":\"host\",\"start_point\":{\"branch\":"
		"\"main\"},\"start_time\":\"2026-11-21T09:00:00Z\","
		"\"end_time\":\"2026-11-21T09:00:05Z\","
		"\"results\":[\"{\\\"a\\\":{\\\"latency\\\":{\\\"value\\\":125.4}}}\"]}");
	answered(201);
	ck_assert_str_ne(text_of(M "/change/outcome"), "slower");
	ck_assert_int_eq(int_of(M "/change/n_history"), 4);
	ck_assert_uint_eq(alerts("?state=suspect"), 0);
	end();
}
END_TEST

static void upload_on(const char *testbed, const char *branch, double value)
{
	call("POST", "/v0/projects/p/reports",
		arena_printf(mem,
			"{\"branch\":\"%s\",\"testbed\":\"%s\",\"start_time\":"
			"\"2026-11-21T09:00:00Z\",\"end_time\":\"2026-11-21T09:00:05Z\","
			"\"results\":[\"{\\\"a\\\":{\\\"latency\\\":{\\\"value\\\":%g}}}\"]}",
			branch, testbed, value));
	answered(201);
}

START_TEST(a_comparison_keeps_to_one_testbed)
{
	begin();
	for (int i = 0; i < 12; i++)
		upload_on("slow", "main", 200 + i % 3);
	upload_on("fast", "main", 100);
	upload_on("fast", "feature", 101);
	upload_on("slow", "main", 201);
	call("GET", "/v0/projects/p/compare?base=main&head=feature", NULL);
	answered(200);
	ck_assert_double_eq(real_of("/rows/0/base"), 100);
	upload_on("third", "other", 55);
	call("GET", "/v0/projects/p/compare?base=main&head=other", NULL);
	answered(200);
	ck_assert_str_eq(text_of("/outcome"), "unknown");
	ck_assert_str_eq(text_of("/rows/0/outcome"), "unknown");
	ck_assert_str_eq(text_of("/environment_difference/0"), "testbed: slow -> third");
	end();
}
END_TEST

/* --- benchd's own --- */

START_TEST(a_slowdown_gives_one_alert_that_the_next_reports_confirm)
{
	begin();
	calm(15, 100);
	ck_assert_str_eq(text_of(M "/change/origin"), "default");
	ck_assert_str_eq(text_of(M "/change/outcome"), "same");
	upload("a", 110, "");
	ck_assert_str_eq(text_of(M "/change/outcome"), "slower");
	ck_assert_int_eq(int_of("/counts/alerts/total"), 0); /* not yet */
	ck_assert_uint_eq(alerts("?state=suspect"), 1);
	ck_assert_ptr_nonnull(strstr(text_of("/0/reason"), "0 of 2"));
	upload("a", 110.5, "");
	upload("a", 109.5, "");
	ck_assert_uint_eq(alerts("?state=confirmed"), 1);
	ck_assert_int_eq(int_of("/0/version"), 15);
	ck_assert_double_eq_tol(real_of("/0/effect"), .1, .01);
	ck_assert_double_eq_tol(real_of("/0/baseline"), 100, 1);
	ck_assert_double_eq(real_of("/0/value"), 110);
	calm(15, 110);
	ck_assert_uint_eq(alerts(""), 1);
	end();
}
END_TEST

START_TEST(an_alert_is_resolved_when_the_level_is_back)
{
	begin();
	calm(15, 100);
	calm(3, 110);
	ck_assert_uint_eq(alerts("?state=confirmed"), 1);
	calm(3, 100); /* before there are enough values at the new level */
	ck_assert_uint_eq(alerts("?state=confirmed"), 0);
	ck_assert_uint_eq(alerts(""), 1);
	ck_assert_str_eq(text_of("/0/state"), "resolved");
	ck_assert_str_eq(text_of("/0/reason"), "fixed");
	call("GET", "/v0/projects/p/changes", NULL);
	ck_assert_uint_eq(json_array_size(doc), 2);
	ck_assert_str_eq(text_of("/0/outcome"), "faster");
	ck_assert_int_eq(int_of("/0/version"), 18);
	end();
}
END_TEST

START_TEST(an_old_regression_is_resolved_too)
{
	begin();
	calm(15, 100);
	calm(15, 110);
	ck_assert_uint_eq(alerts("?state=confirmed"), 1);
	calm(3, 100);
	ck_assert_uint_eq(alerts("?state=confirmed"), 0);
	ck_assert_uint_eq(alerts("?state=resolved"), 2); /* and the improvement that did it */
	ck_assert_str_eq(text_of("/1/reason"), "fixed");
	ck_assert_str_eq(text_of("/0/direction"), "faster");
	end();
}
END_TEST

START_TEST(a_lone_outlier_is_dropped_and_stays_in_the_baseline)
{
	begin();
	calm(15, 100);
	upload("a", 110, "");
	upload("a", 100, "");
	ck_assert_uint_eq(alerts("?state=suspect"), 0);
	ck_assert_uint_eq(alerts(""), 1);
	ck_assert_str_eq(text_of("/0/reason"), "not_reproduced");
	upload("a", 100, "");
	ck_assert_int_eq(int_of(M "/change/n_history"), 17);
	end();
}
END_TEST

START_TEST(an_improvement_is_marked_and_alerts_nobody)
{
	begin();
	calm(15, 100);
	calm(3, 90);
	ck_assert_uint_eq(alerts("?state=confirmed,suspect"), 0);
	call("GET", "/v0/projects/p/changes", NULL);
	ck_assert_uint_eq(json_array_size(doc), 1);
	ck_assert_str_eq(text_of("/0/outcome"), "faster");
	ck_assert_double_eq_tol(real_of("/0/effect"), -.1, .01);
	end();
}
END_TEST

START_TEST(noise_alone_alerts_nobody)
{
	begin();
	history(200, 100);
	ck_assert_uint_eq(alerts("?state=confirmed"), 0);
	end();
}
END_TEST

/* --- rules --- */

static int put(const char *rule, const char *body)
{
	return call("PUT", arena_printf(mem, "/v0/projects/p/rules/%s", rule), body);
}

#define EXPLAIN "/v0/projects/p/limits?branch=main&testbed=host&benchmark=a&measure=latency"

START_TEST(the_most_specific_rule_applies_and_says_why)
{
	begin();
	upload("a", 100, "");
	call("GET", EXPLAIN, NULL);
	answered(200);
	ck_assert_str_eq(text_of("/origin"), "default");
	ck_assert_ptr_nonnull(strstr(text_of("/why"), "nothing is configured"));
	put("all", "{\"model\":{\"test\":\"log_t\",\"min_effect\":0.5}}");
	answered(200);
	put("some", "{\"benchmark\":\"a*\",\"model\":{\"test\":\"percentage\","
		    "\"upper_boundary\":0.1}}");
	answered(200);
	put("other", "{\"benchmark\":\"b*\",\"measure\":\"latency\","
		     "\"model\":{\"test\":\"off\"}}");
	answered(200);
	call("GET", EXPLAIN, NULL);
	ck_assert_str_eq(text_of("/origin"), "rule");
	ck_assert_str_eq(text_of("/rule"), "some");
	ck_assert_uint_eq(json_array_size(at("/rules")), 3);
	ck_assert_ptr_nonnull(strstr(text_of("/rules/1/why"), "benchmark pattern"));
	upload("a", 120, "");
	ck_assert_str_eq(text_of(M "/change/rule"), "some");
	ck_assert_double_eq_tol(real_of(M "/boundary/upper_limit"), 110, 1e-9);
	ck_assert_int_eq(int_of("/counts/alerts/active"), 1);
	ck_assert_ptr_null(at(M "/threshold"));
	end();
}
END_TEST

START_TEST(a_wrong_rule_names_its_field)
{
	begin();
	put("r", "{\"model\":{\"test\":\"log_t\",\"alpha\":0.7}}");
	answered(422);
	ck_assert_str_eq(text_of("/errors/0/pointer"), "/model/alpha");
	put("r", "{\"model\":{\"test\":\"t_test\",\"upper_boundary\":0.9,\"confirm\":2}}");
	answered(422);
	ck_assert_ptr_nonnull(strstr(text_of("/detail"), "one of Bencher's"));
	put("Bad Name", "{\"model\":{\"test\":\"log_t\"}}");
	ck_assert_int_ge(reply.status, 400);
	put("r?dry_run=1", "{\"model\":{\"test\":\"log_t\"}}");
	answered(200);
	call("GET", "/v0/projects/p/rules", NULL);
	ck_assert_uint_eq(json_array_size(doc), 0);
	end();
}
END_TEST

/* Messages about confirmed alerts that are due at a time. */
static size_t n_messages(int64_t now_ns)
{
	struct confirmed_alert *list;
	size_t n;

	ok(store_confirmed_alerts(db, mem, now_ns, 100, &list, &n, &err));
	return n;
}

START_TEST(a_limit_that_stays_passed_is_one_message)
{
	begin();
	put("r",
		"{\"benchmark\":\"a\",\"model\":{\"test\":\"static\",\"upper_boundary\":120}}");
	calm(3, 100);
	upload("a", 130, "");
	ck_assert_uint_eq(alerts("?state=confirmed"), 1); /* as Bencher has it */
	ck_assert_ptr_nonnull(strstr(text_of("/0/reason"), "waits for the next report"));
	ck_assert_uint_eq(n_messages(T0), 0);
	for (int i = 0; i < 5; i++)
		upload("a", 131, "");
	ck_assert_uint_eq(alerts("?state=confirmed"), 6);
	ck_assert_str_eq(text_of("/0/reason"), "beyond its limit in 6 reports in a row");
	ck_assert_uint_eq(n_messages(T0), 1);
	calm(2, 100);
	upload("a", 130, "");
	calm(1, 100);
	ck_assert_uint_eq(n_messages(T0), 1);
	upload("a", 130, "");
	upload("a", 130, "");
	ck_assert_uint_eq(n_messages(T0), 2);
	end();
}
END_TEST

START_TEST(nobody_is_told_of_what_is_snoozed_until_it_ends)
{
	const int64_t hour = 3600 * NS_PER_S;
	const char *uuid;

	begin();
	calm(15, 100);
	upload("a", 110, "");
	ck_assert_uint_eq(alerts("?state=suspect"), 1);
	uuid = arena_strdup(mem, text_of("/0/uuid"));
	call("PATCH", arena_printf(mem, "/v0/projects/p/alerts/%s", uuid),
		"{\"snooze_until\":\"2100-01-01T00:00:00Z\"}");
	answered(200);
	upload("a", 110.5, "");
	upload("a", 109.5, "");
	ck_assert_uint_eq(alerts("?state=confirmed"), 1);
	ck_assert_uint_eq(n_messages(T0), 0);
	ck_assert_uint_eq(n_messages(4102444800 * NS_PER_S + hour), 1);
	end();
}
END_TEST

static void know_commits(int n)
{
	struct project p;
	struct commit c = { .author = "", .email = "", .subject = "" };

	ok(store_project_find(db, mem, "p", &p, &err));
	for (int k = 1; k <= n; k++) {
		c.hash = arena_printf(mem, "%040x", (unsigned)k);
		c.parents = k > 1 ? arena_printf(mem, "%040x", (unsigned)k - 1) : "";
		ok(store_commit_save(db, p.id, &c, &err));
	}
}

START_TEST(own_limits_behind_a_late_report_are_made_again)
{
	const char *uuid;
	int64_t before;

	begin();
	know_commits(30);
	calm(5, 100);
	commit = 6; /* 6 is left out */
	calm(9, 100);
	uuid = arena_strdup(mem, text_of("/uuid"));
	before = int_of(M "/change/n_history");
	commit = 5;
	upload("a", 100.1, "");
	ck_assert_int_eq(int_of("/counts/alerts/total"), 0);
	call("GET", arena_printf(mem, "/v0/projects/p/reports/%s", uuid), NULL);
	answered(200);
	ck_assert_int_eq(int_of(M "/change/n_history"), before + 1);
	end();
}
END_TEST

START_TEST(a_late_report_moves_the_change_to_where_it_began)
{
	begin();
	calm(15, 100);
	commit = 20; /* 16 to 19 are left out */
	upload("a", 110, "");
	upload("a", 110.5, "");
	upload("a", 109.5, "");
	ck_assert_uint_eq(alerts("?state=confirmed"), 1);
	ck_assert_int_eq(int_of("/0/version"), 15);
	know_commits(23);
	commit = 17;
	upload("a", 110, ""); /* commit 18: slow already */
	ck_assert_uint_eq(alerts("?state=confirmed"), 1);
	ck_assert_int_eq(int_of("/0/version"), 15);
	ck_assert_str_eq(text_of("/0/hash"), arena_printf(mem, "%040x", 18));
	commit = 15;
	upload("a", 100.2, ""); /* commit 16: not yet */
	ck_assert_uint_eq(alerts("?state=confirmed"), 1);
	ck_assert_int_eq(int_of("/0/version"), 16);
	ck_assert_str_eq(text_of("/0/hash"), arena_printf(mem, "%040x", 18));
	ck_assert_uint_eq(n_messages(T0), 1);
	end();
}
END_TEST

START_TEST(a_switched_off_benchmark_has_no_boundary)
{
	begin();
	put("r", "{\"benchmark\":\"a\",\"model\":{\"test\":\"off\"}}");
	calm(3, 100);
	ck_assert_ptr_null(at(M "/boundary"));
	ck_assert_str_eq(text_of(M "/change/by"), "off, the rule 'r'");
	end();
}
END_TEST

START_TEST(an_exact_rule_sees_the_smallest_change)
{
	begin();
	put("r", "{\"model\":{\"test\":\"exact\",\"min_sample_size\":1}}");
	upload("a", 1000, "");
	upload("a", 1000, "");
	upload("a", 1001, "");
	ck_assert_str_eq(text_of(M "/change/outcome"), "slower");
	upload("a", 1001, "");
	ck_assert_uint_eq(alerts("?state=confirmed"), 1);
	end();
}
END_TEST

START_TEST(a_change_point_rule_needs_no_further_report)
{
	begin();
	put("r", "{\"model\":{\"test\":\"cpd\"}}");
	history(25, 100);
	history(8, 110);
	ck_assert_uint_eq(alerts("?state=confirmed"), 1);
	ck_assert_int_ge(int_of("/0/version"), 24);
	ck_assert_int_le(int_of("/0/version"), 26);
	end();
}
END_TEST

START_TEST(groups_of_one_commit_are_tested_against_the_segment)
{
	static const char body[] =
		"{\"branch\":\"main\",\"testbed\":\"host\",\"hash\":\"%040x\","
		"\"start_time\":\"2026-11-21T09:00:00Z\",\"end_time\":\"2026-11-21T09:00:05Z\","
		"\"results\":[\"{\\\"a\\\":{\\\"latency\\\":{\\\"value\\\":%d}}}\"]}";

	begin();
	put("r", "{\"model\":{\"test\":\"mann_whitney\",\"min_sample_size\":5}}");
	calm(20, 100);
	ck_assert_str_eq(text_of(M "/change/test"), "mann_whitney");
	for (int i = 0; i < 5; i++) {
		call("POST", "/v0/projects/p/reports",
			arena_printf(mem, body, 0xabcdefu, 120 + i));
		answered(201);
	}
	ck_assert_str_eq(text_of(M "/change/outcome"), "slower");
	ck_assert_double_lt(real_of(M "/change/p"), .01);
	end();
}
END_TEST

/* --- routes --- */

START_TEST(thresholds_are_made_changed_and_kept_while_in_use)
{
	const char *path, *first;

	begin();
	upload("a", 100, "");
	call("POST", "/v0/projects/p/thresholds",
		"{\"branch\":\"main\",\"testbed\":\"host\",\"measure\":\"latency\",\"test\":"
		"\"t_test\",\"max_sample_size\":64,\"upper_boundary\":0.99}");
	answered(201);
	ck_assert_str_eq(text_of("/model/test"), "t_test");
	ck_assert_str_eq(text_of("/measure/slug"), "latency");
	path = arena_strdup(mem, reply_header(&reply, "Location"));
	first = arena_strdup(mem, text_of("/model/uuid"));
	call("POST", "/v0/projects/p/thresholds",
		"{\"branch\":\"main\",\"testbed\":\"host\",\"measure\":\"latency\",\"test\":"
		"\"t_test\",\"upper_boundary\":0.99}");
	answered(409);
	call("PUT", path, "{\"test\":\"log_t\",\"alpha\":0.001}");
	answered(200);
	ck_assert_double_eq(real_of("/model/alpha"), .001);
	ck_assert_str_ne(text_of("/model/uuid"), first);
	call("GET", arena_printf(mem, "%s?model=%s", path, first), NULL);
	ck_assert_str_eq(text_of("/model/test"), "t_test");
	ck_assert_ptr_nonnull(at("/model/replaced"));
	upload("a", 100, "");
	ck_assert_str_eq(text_of(M "/threshold/model/test"), "log_t");
	call("DELETE", path, NULL);
	answered(409);
	call("PUT", path, "{\"test\":null}");
	answered(200);
	ck_assert_ptr_null(at("/model"));
	call("GET", "/v0/projects/p/thresholds?branch=main", NULL);
	ck_assert_uint_eq(json_array_size(doc), 1);
	ck_assert_str_eq(reply_header(&reply, "X-Total-Count"), "1");
	end();
}
END_TEST

START_TEST(what_people_do_with_an_alert_is_kept)
{
	const char *path;

	begin();
	calm(15, 100);
	calm(3, 110);
	ck_assert_uint_eq(alerts("?state=confirmed"), 1);
	path = arena_printf(mem, "/v0/projects/p/alerts/%s", text_of("/0/uuid"));
	call("PATCH", path,
		"{\"acknowledged\":true,\"note\":\"asked the author\","
		"\"snooze_until\":\"2026-12-01T00:00:00Z\"}");
	answered(200);
	ck_assert_str_eq(text_of("/state"), "confirmed");
	ck_assert_str_eq(text_of("/snoozed_until"), "2026-12-01T00:00:00Z");
	call("PATCH", path, "{\"status\":\"dismissed\",\"reason\":\"expected\"}");
	answered(200);
	ck_assert_str_eq(text_of("/status"), "dismissed");
	ck_assert_ptr_nonnull(at("/metric/value"));
	ck_assert_ptr_nonnull(at("/threshold/uuid"));
	call("GET", path, NULL);
	answered(200);
	ck_assert_str_eq(text_of("/base/hash"), "000000000000000000000000000000000000000f");
	ck_assert_uint_eq(json_array_size(at("/commits")), 1);
	ck_assert_str_eq(
		text_of("/commits/0/hash"), "0000000000000000000000000000000000000010");
	ck_assert_double_eq_tol(real_of("/detectable"), .021, .002);
	ck_assert_ptr_nonnull(strstr(text_of("/links/series"), "/v0/projects/p/series/"));
	ck_assert_ptr_nonnull(text_of("/reproduce"));
	call("GET", arena_printf(mem, "%s?format=markdown", path), NULL);
	answered(200);
	ck_assert_ptr_nonnull(strstr(buf_str(&reply.body), "- **change:** 100 ns"));
	call("GET", arena_printf(mem, "%s/journal", path), NULL);
	answered(200);
	ck_assert_uint_eq(json_array_size(doc), 7);
	ck_assert_str_eq(text_of("/0/kind"), "suspect");
	ck_assert_str_eq(text_of("/2/kind"), "confirmed");
	ck_assert_str_eq(text_of("/5/text"), "asked the author");
	ck_assert_str_eq(text_of("/6/kind"), "dismissed");
	call("PATCH", path, "{\"snooze_until\":\"tomorrow\"}");
	ck_assert_int_ge(reply.status, 400);
	ck_assert_str_eq(text_of("/errors/0/pointer"), "/snooze_until");
	end();
}
END_TEST

SUITE("limits", limits_are_stored_with_the_metric_and_answered_with_their_threshold,
	a_first_value_has_a_boundary_without_limits,
	a_stored_boundary_keeps_the_model_that_made_it,
	a_name_that_asks_to_be_ignored_has_limits_but_no_alert,
	the_next_iteration_has_this_one_in_its_history,
	a_new_branch_sees_the_history_of_its_start_point,
	a_new_branch_begins_at_the_level_that_its_start_point_has_reached,
	a_comparison_keeps_to_one_testbed,
	a_slowdown_gives_one_alert_that_the_next_reports_confirm,
	an_alert_is_resolved_when_the_level_is_back, an_old_regression_is_resolved_too,
	a_lone_outlier_is_dropped_and_stays_in_the_baseline,
	an_improvement_is_marked_and_alerts_nobody, noise_alone_alerts_nobody,
	the_most_specific_rule_applies_and_says_why, a_wrong_rule_names_its_field,
	a_limit_that_stays_passed_is_one_message,
	nobody_is_told_of_what_is_snoozed_until_it_ends,
	own_limits_behind_a_late_report_are_made_again,
	a_late_report_moves_the_change_to_where_it_began,
	a_switched_off_benchmark_has_no_boundary, an_exact_rule_sees_the_smallest_change,
	a_change_point_rule_needs_no_further_report,
	groups_of_one_commit_are_tested_against_the_segment,
	thresholds_are_made_changed_and_kept_while_in_use, what_people_do_with_an_alert_is_kept)
