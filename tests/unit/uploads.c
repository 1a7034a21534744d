/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Uploads in Bencher's shapes, over http_call: the real handlers, adapters and store. */
#include "tests/lib/store.h"

#include "base/rng.h"
#include "base/secret.h"
#include "daemon/http/handlers.h"
#include "daemon/ingest/ingest.h"

#define TIMES "\"start_time\":\"2026-11-21T09:00:00Z\",\"end_time\":\"2026-11-21T09:00:05.5Z\""
#define BMF(value) "\"{\\\"sum\\\":{\\\"latency\\\":{\\\"value\\\":" value "}}}\""

static struct app app = { .version = "0.1.0", .testbed = "bench01" };
static struct server_config config = { .app = &app };
static struct reply reply;
static json_t *doc;			     /* of the last answer, or NULL */
static const char *extra_name, *extra_value; /* one more header of the next calls */

static void call(const char *method, const char *target, const char *body, size_t n)
{
	const char *const headers[] = { "Content-Type", "application/json", extra_name,
		extra_value, NULL };
	const struct http_call c = { &config, method, target, headers, body, n };
	struct error ignored;

	reply_done(&reply);
	json_decref(doc);
	doc = NULL;
	/* As the writer does: a request that fails leaves nothing behind. */
	ok(store_savepoint(db, &err));
	http_call(&c, db, &reply);
	if (reply.status >= 400)
		store_rollback_to(db);
	else
		ok(store_release(db, &err));
	if (reply.body.len && json_parse(reply.body.data, reply.body.len, &doc, &ignored) < 0)
		doc = NULL;
}

static int post(const char *target, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int post(const char *target, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	ck_assert_int_ge(n, 0);
	call("POST", target, text, (size_t)n);
	free(text);
	return reply.status;
}

static int get(const char *target)
{
	call("GET", arena_strdup(mem, target), NULL, 0); /* it may be of the last reply */
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
#define is_created()                                                                           \
	ck_assert_msg(reply.status == 201, "%d: %s", reply.status, buf_str(&reply.body))

static void begin(void)
{
	start();
	config.require_tokens = false;
	extra_name = extra_value = NULL;
}

static void end(void)
{
	reply_done(&reply);
	reply = (struct reply){ 0 };
	json_decref(doc);
	doc = NULL;
	finish();
}

/* --- shape --- */

START_TEST(a_run_makes_everything_on_first_use)
{
	begin();
	post("//v0/run",
		"{\"project\":\"demo\",\"branch\":\"feature/x\",\"testbed\":\"My Host\","
		"\"hash\":\"%s\"," TIMES ",\"results\":[" BMF("5") "]}",
		"ABCDEF0123456789abcdef0123456789abcdef01");
	is_created();
	ck_assert(uuid_is_valid(text_of("/uuid")));
	ck_assert_str_eq(text_of("/project/slug"), "demo");
	ck_assert_str_eq(text_of("/branch/name"), "feature/x");
	ck_assert_str_eq(text_of("/branch/slug"), "feature-x");
	ck_assert_ptr_null(at("/branch/head/start_point"));
	ck_assert_int_eq(int_of("/branch/head/version/number"), 0);
	ck_assert_str_eq(text_of("/branch/head/version/hash"),
		"abcdef0123456789abcdef0123456789abcdef01");
	ck_assert_str_eq(text_of("/testbed/slug"), "my-host");
	ck_assert_str_eq(text_of("/adapter"), "magic");
	ck_assert_str_eq(text_of("/start_time"), "2026-11-21T09:00:00Z");
	ck_assert_str_eq(text_of("/end_time"), "2026-11-21T09:00:05.5Z");
	ck_assert_ptr_null(at("/job"));
	ck_assert_int_eq(int_of("/results/0/0/iteration"), 0);
	ck_assert_str_eq(text_of("/results/0/0/benchmark/name"), "sum");
	ck_assert_str_eq(text_of("/results/0/0/measures/0/measure/units"), "nanoseconds (ns)");
	ck_assert_double_eq(real_of("/results/0/0/measures/0/metric/value"), 5);
	ck_assert_int_eq(int_of("/counts/results/0/benchmarks"), 1);
	ck_assert_int_eq(int_of("/counts/alerts/total"), 0);
	ck_assert_uint_eq(json_array_size(at("/alerts")), 0);
	ck_assert_str_eq(text_of("/summary/adapters/0"), "json");
	ck_assert_int_eq(get(reply_header(&reply, "Location")), 200);
	ck_assert_str_eq(text_of("/results/0/0/benchmark/name"), "sum");
	end();
}
END_TEST

START_TEST(a_report_names_its_branch_and_testbed)
{
	begin();
	a_project("p");
	post("/v0/projects/p/reports", "{\"testbed\":\"t\"," TIMES ",\"results\":[]}");
	ck_assert_int_eq(reply.status, 422);
	ck_assert_str_eq(text_of("/errors/0/pointer"), "/branch");
	post("/v0/projects/p/reports", "{\"branch\":\"b\"," TIMES ",\"results\":[]}");
	ck_assert_str_eq(text_of("/errors/0/pointer"), "/testbed");
	post("/v0/projects/p/reports",
		"{\"branch\":\"b\",\"testbed\":\"t\"," TIMES ",\"results\":[],\"new\":[{}],"
		"\"settings\":{\"newer\":1},\"spec_reset\":true}");
	is_created();
	ck_assert_uint_eq(json_array_size(at("/results")), 0);
	end();
}
END_TEST

START_TEST(what_a_run_does_not_name_comes_from_its_context)
{
	static const char context[] =
		"{\"bencher.dev/v0/repo/name\":\"My Repository\","
		"\"bencher.dev/v0/repo/hash\":\"0123456789abcdef\","
		"\"bencher.dev/v0/branch/ref/name\":\"topic\","
		"\"bencher.dev/v0/branch/hash\":\"1111111111111111111111111111111111111111\","
		"\"bencher.dev/v0/testbed/os\":\"Linux\","
		"\"bencher.dev/v0/testbed/fingerprint\":\"abcdefghijklmnopqrstuvwxyz\"}";
	const char *project;

	begin();
	post("/v0/run", "{" TIMES ",\"results\":[],\"context\":%s}", context);
	is_created();
	ck_assert_str_eq(text_of("/project/name"), "My Repository");
	ck_assert_str_eq(text_of("/project/slug"), "my-repository-0123456-abcdefghijklm");
	ck_assert_str_eq(text_of("/branch/name"), "topic");
	ck_assert_str_eq(text_of("/branch/head/version/hash"), H1);
	ck_assert_str_eq(text_of("/testbed/name"), "Linux");
	project = arena_strdup(mem, text_of("/project/uuid"));
	post("/v0/run",
		"{\"branch\":\"b\",\"testbed\":\"t\"," TIMES ",\"results\":[],"
		"\"context\":%s}",
		context);
	is_created();
	ck_assert_str_eq(text_of("/project/uuid"), project);
	ck_assert_str_eq(text_of("/branch/name"), "b");
	post("/v0/run", "{\"project\":\"q\"," TIMES ",\"results\":[]}");
	ck_assert_str_eq(text_of("/branch/name"), "main");
	ck_assert_str_eq(text_of("/testbed/name"), "localhost");
	post("/v0/run", "{" TIMES ",\"results\":[],\"context\":{}}");
	ck_assert_str_eq(text_of("/project/slug"), "project");
	post("/v0/run", "{" TIMES ",\"results\":[]}");
	ck_assert_int_eq(reply.status, 400);
	ck_assert_str_eq(text_of("/errors/0/pointer"), "/project");
	end();
}
END_TEST

/* --- who may --- */

static void add_token(const char *key, unsigned scopes, int64_t project_id)
{
	struct token t = { .name = "ci",
		.last_four = "xxxx",
		.scopes = scopes,
		.project_id = project_id,
		.created_ns = T0 };
	uint8_t digest[SHA256_BYTES];

	sha256(key, strlen(key), digest);
	ok(store_token_add(db, mem, digest, &t, &err));
}

START_TEST(a_key_of_a_project_uploads_there_and_nowhere_else)
{
	static const char body[] = "\"branch\":\"b\"," TIMES ",\"results\":[]}";
	struct project p, other;

	begin();
	p = a_project("p");
	other = a_project("other");
	add_token("bencher_run_a", 1u << S_SUBMIT, p.id);
	add_token("bencher_user_b", 1u << S_SUBMIT, 0);
	add_token("bencher_user_c", 1u << S_READ, 0);
	config.require_tokens = true;
	ck_assert_int_eq(post("/v0/run", "{\"project\":\"p\",%s", body), 401);
	extra_name = "Authorization";
	extra_value = "Bearer bencher_run_a";
	post("/v0/run", "{%s", body);
	is_created();
	ck_assert_str_eq(text_of("/project/slug"), "p");
	ck_assert_int_eq(post("/v0/run", "{\"project\":\"p\",%s", body), 201);
	ck_assert_int_eq(post("/v0/run", "{\"project\":\"other\",%s", body), 401);
	ck_assert(strstr(text_of("/message"), "bound to another project"));
	ck_assert_int_eq(post("/v0/run", "{\"project\":\"%s\",%s", other.uuid, body), 401);
	ck_assert_int_eq(post("/v0/run", "{\"project\":\"new\",%s", body), 404);
	ck_assert_int_eq(
		post("/v0/projects/other/reports", "{\"testbed\":\"t\",%s", body), 404);
	extra_value = "Bearer bencher_user_b";
	ck_assert_int_eq(post("/v0/run", "{\"project\":\"other\",%s", body), 201);
	ck_assert_int_eq(post("/v0/run", "{\"project\":\"new\",%s", body), 404);
	ck_assert(strstr(text_of("/detail"), "scope 'admin'"));
	ck_assert_ptr_nonnull(text_of("/request_id"));
	extra_value = "Bearer bencher_user_c";
	ck_assert_int_eq(post("/v0/run", "{\"project\":\"other\",%s", body), 403);
	extra_value = "Bearer bencher_user_x";
	ck_assert_int_eq(post("/v0/run", "{\"project\":\"other\",%s", body), 401);
	end();
}
END_TEST

/* --- once --- */

START_TEST(the_same_key_stores_one_report)
{
	static const char key[] = "0a0b0c0d-0000-4000-8000-000000000001";
	static const char body[] = "{\"project\":\"%s\",\"idempotency_key\":\"%s\"," TIMES
				   ",\"results\":[" BMF("%d") "]}";
	const char *first;

	begin();
	post("/v0/run", body, "p", key, 5);
	is_created();
	first = arena_strdup(mem, text_of("/uuid"));
	post("/v0/run", body, "p", key, 6); /* the first body counts, as in Bencher */
	is_created();
	ck_assert_str_eq(text_of("/uuid"), first);
	ck_assert_double_eq(real_of("/results/0/0/measures/0/metric/value"), 5);
	post("/v0/run", body, "p", "0A0B0C0D-0000-4000-8000-000000000001", 6);
	ck_assert_str_eq(text_of("/uuid"), first);
	post("/v0/run", body, "q", key, 6); /* keys belong to a project */
	is_created();
	ck_assert_str_ne(text_of("/uuid"), first);
	ck_assert_int_eq(get("/v0/projects/p/reports"), 200);
	ck_assert_str_eq(reply_header(&reply, "X-Total-Count"), "1");
	end();
}
END_TEST

START_TEST(curl_has_a_header_for_the_key)
{
	static const char body[] = "{\"project\":\"p\"," TIMES ",\"results\":[]}";
	const char *first;

	begin();
	extra_name = "Idempotency-Key";
	extra_value = "build 17";
	post("/v0/run", "%s", body);
	is_created();
	first = arena_strdup(mem, text_of("/uuid"));
	post("/v0/run", "%s", body);
	ck_assert_str_eq(text_of("/uuid"), first);
	extra_value = "build 18";
	post("/v0/run", "%s", body);
	ck_assert_str_ne(text_of("/uuid"), first);
	end();
}
END_TEST

/* --- heads and versions --- */

/* Upload to a branch; the head's UUID and the version's number. */
struct placed {
	const char *head;
	int64_t number;
};
static struct placed place(const char *branch, const char *hash, const char *start_point)
{
	const char *quoted = hash ? arena_printf(mem, "\"%s\"", hash) : "null";

	post("/v0/run",
		"{\"project\":\"p\",\"branch\":\"%s\",\"testbed\":\"t\",\"hash\":%s,"
		"\"start_point\":%s," TIMES ",\"results\":[" BMF("5") "]}",
		branch, quoted, start_point ? start_point : "null");
	is_created();
	return (struct placed){ arena_strdup(mem, text_of("/branch/head/uuid")),
		int_of("/branch/head/version/number") };
}

START_TEST(a_commit_has_one_version_and_no_commit_a_new_one_each_time)
{
	begin();
	ck_assert_int_eq(place("main", H1, NULL).number, 0);
	ck_assert_int_eq(place("main", H2, NULL).number, 1);
	ck_assert_int_eq(place("main", H1, NULL).number, 0);
	ck_assert_int_eq(place("main", NULL, NULL).number, 2);
	ck_assert_int_eq(place("main", NULL, NULL).number, 3);
	end();
}
END_TEST

START_TEST(a_start_point_that_means_nothing_is_no_error)
{
	struct placed a, b;

	begin();
	a = place("topic", H1, "{\"branch\":\"nowhere\"}");
	ck_assert_ptr_null(at("/branch/head/start_point"));
	b = place("topic", H2,
		"{\"branch\":\"nowhere\",\"hash\":"
		"\"3333333333333333333333333333333333333333\"}");
	ck_assert_str_eq(a.head, b.head);
	ck_assert_int_eq(b.number, 1);
	end();
}
END_TEST

START_TEST(a_new_branch_goes_on_from_its_start_point)
{
	struct placed t;
	const char *main_head;

	begin();
	main_head = place("main", H1, NULL).head;
	place("main", H2, NULL);
	t = place("topic", H3,
		"{\"branch\":\"main\",\"hash\":"
		"\"1111111111111111111111111111111111111111\"}");
	ck_assert_int_eq(t.number, 1);
	ck_assert_str_eq(text_of("/branch/head/start_point/head"), main_head);
	ck_assert_str_eq(text_of("/branch/head/start_point/version/hash"), H1);
	t = place("other", H3, "{\"branch\":\"main\"}");
	ck_assert_int_eq(t.number, 2);
	/* A hash that is not there: the newest. */
	t = place("third", NULL,
		"{\"branch\":\"main\",\"hash\":"
		"\"3333333333333333333333333333333333333333\"}");
	ck_assert_str_eq(text_of("/branch/head/start_point/version/hash"), H2);
	end();
}
END_TEST

START_TEST(a_head_is_replaced_as_the_table_says)
{
	static const char from_1[] =
		"{\"branch\":\"main\",\"hash\":\"1111111111111111111111111111111111111111\"}";
	static const char from_2[] =
		"{\"branch\":\"main\",\"hash\":\"2222222222222222222222222222222222222222\"}";
	struct placed t, u;

	begin();
	place("main", H1, NULL);
	t = place("topic", H3, NULL);
	u = place("topic", H3, from_1); /* had none: new */
	ck_assert_str_ne(u.head, t.head);
	t = place("topic", H3, from_1); /* same: kept */
	ck_assert_str_eq(u.head, t.head);
	t = place("topic", H3, "{\"branch\":\"main\"}"); /* resolves to the same: kept */
	ck_assert_str_eq(u.head, t.head);
	t = place("topic", H3, NULL);
	ck_assert_str_eq(u.head, t.head);
	place("main", H2, NULL);
	t = place("topic", H3, "{\"branch\":\"main\"}"); /* main has moved on: new */
	ck_assert_str_ne(u.head, t.head);
	u = place("topic", H3, from_2);
	ck_assert_str_eq(u.head, t.head);
	place("main", NULL, NULL);
	u = place("topic", H3, "{\"branch\":\"main\"}"); /* the new one has no hash: kept */
	ck_assert_str_eq(u.head, t.head);
	u = place("topic", H3, "{\"branch\":\"main\",\"reset\":true}");
	ck_assert_str_ne(u.head, t.head);
	t = place("topic", H3, "{\"reset\":true}"); /* new and empty */
	ck_assert_str_ne(u.head, t.head);
	ck_assert_int_eq(t.number, 0);
	place("dev", H1, NULL);
	u = place("topic", H3, from_1);
	t = place("topic", H3,
		"{\"branch\":\"dev\",\"hash\":"
		"\"1111111111111111111111111111111111111111\"}");
	ck_assert_str_ne(u.head, t.head); /* another branch: new */
	end();
}
END_TEST

/* --- results --- */

static int post_results(const char *settings, const char *results)
{
	return post("/v0/run",
		"{\"project\":\"p\",\"branch\":\"main\",\"testbed\":\"t\"," TIMES
		",\"settings\":%s,\"results\":[%s]}",
		settings, results);
}

START_TEST(several_results_are_iterations_or_one_when_folded)
{
	static const struct {
		const char *fold;
		double value;
	} folds[] = { { "min", 1 }, { "max", 6 }, { "mean", 3 }, { "median", 2 } };

	begin();
	post_results("{}", BMF("2") "," BMF("1") "," BMF("6"));
	is_created();
	ck_assert_uint_eq(json_array_size(at("/results")), 3);
	ck_assert_int_eq(int_of("/results/2/0/iteration"), 2);
	ck_assert_double_eq(real_of("/results/2/0/measures/0/metric/value"), 6);
	for (size_t i = 0; i < ARRAY_SIZE(folds); i++) {
		post_results(arena_printf(mem, "{\"fold\":\"%s\"}", folds[i].fold),
			BMF("2") "," BMF("1") "," BMF("6"));
		is_created();
		ck_assert_uint_eq(json_array_size(at("/results")), 1);
		ck_assert_double_eq(
			real_of("/results/0/0/measures/0/metric/value"), folds[i].value);
		ck_assert_int_eq(get(arena_printf(mem, "%s?samples=1",
					 reply_header(&reply, "Location"))),
			200);
		ck_assert_uint_eq(json_array_size(at("/results/0/0/measures/0/samples")), 3);
	}
	end();
}
END_TEST

START_TEST(a_command_that_was_timed_twice_has_two_samples)
{
	begin();
	/* The line break stands as \n inside the string inside the body. */
	post_results("{\"adapter\":\"shell_hyperfine\"}",
		"\"{\\\"results\\\":[{\\\"command\\\":\\\"a\\\\nb\\\",\\\"mean\\\":1,"
		"\\\"times\\\":[1,1]},{\\\"command\\\":\\\"a\\\\nb\\\",\\\"mean\\\":3,"
		"\\\"times\\\":[3]}]}\"");
	is_created();
	ck_assert_str_eq(text_of("/adapter"), "shell_hyperfine");
	ck_assert_str_eq(text_of("/results/0/0/benchmark/name"), "a b");
	ck_assert_double_eq(real_of("/results/0/0/measures/0/metric/value"), 2e9);
	ck_assert_double_eq(real_of("/results/0/0/measures/0/metric/lower_value"), 1e9);
	ck_assert_double_eq(real_of("/results/0/0/measures/0/metric/upper_value"), 3e9);
	ck_assert_int_eq(int_of("/results/0/0/measures/0/n_samples"), 3);
	end();
}
END_TEST

START_TEST(a_slug_finds_by_slug_but_a_tools_name_only_by_name)
{
	const char *uuid;

	begin();
	post_results("{}", "\"{\\\"a b\\\":{\\\"latency\\\":{\\\"value\\\":1}}}\"");
	is_created();
	uuid = arena_strdup(mem, text_of("/results/0/0/benchmark/uuid"));
	post_results("{}", "\"{\\\"a-b\\\":{\\\"Latency\\\":{\\\"value\\\":1}}}\"");
	ck_assert_str_eq(text_of("/results/0/0/benchmark/uuid"), uuid);
	ck_assert_str_eq(text_of("/results/0/0/measures/0/measure/slug"), "latency");
	post_results(
		"{}", "\"{\\\"results\\\":[{\\\"command\\\":\\\"a-b\\\",\\\"mean\\\":3}]}\"");
	is_created();
	ck_assert_str_eq(text_of("/results/0/0/benchmark/name"), "a-b");
	ck_assert_str_ne(text_of("/results/0/0/benchmark/uuid"), uuid);
	end();
}
END_TEST

START_TEST(parameters_make_a_benchmark_of_their_own)
{
	begin();
	post_results("{\"adapter\":\"json\"}",
		"\"{\\\"sort\\\":[{\\\"parameters\\\":{\\\"n\\\":16.0,\\\"m\\\":\\\"x\\\"},"
		"\\\"measures\\\":{\\\"latency\\\":{\\\"value\\\":1}}},{\\\"parameters\\\":"
		"{\\\"m\\\":\\\"x\\\",\\\"n\\\":16},\\\"measures\\\":{\\\"latency\\\":"
		"{\\\"value\\\":2}}}]}\"");
	is_created();
	ck_assert_uint_eq(json_array_size(at("/results/0")), 1);
	ck_assert_str_eq(text_of("/results/0/0/benchmark/name"), "sort[m=x,n=16]");
	ck_assert_int_eq(int_of("/results/0/0/parameters/n"), 16);
	ck_assert_double_eq(real_of("/results/0/0/measures/0/metric/value"), 2);
	end();
}
END_TEST

START_TEST(the_ending_that_asks_for_no_alerts_is_no_part_of_the_name)
{
	begin();
	post_results("{}", "\"{\\\"x_bencher_ignore\\\":{\\\"latency\\\":{\\\"value\\\":1}}}\","
			   "\"{\\\"xBencherIgnore\\\":{\\\"latency\\\":{\\\"value\\\":1}}}\","
			   "\"{\\\"x-bencher-ignore\\\":{\\\"latency\\\":{\\\"value\\\":1}}}\","
			   "\"{\\\"_bencher_ignore\\\":{\\\"latency\\\":{\\\"value\\\":1}}}\"");
	is_created();
	ck_assert_str_eq(text_of("/results/0/0/benchmark/name"), "x");
	ck_assert_str_eq(text_of("/results/1/0/benchmark/name"), "x");
	ck_assert_str_eq(text_of("/results/2/0/benchmark/name"), "x");
	ck_assert_str_eq(text_of("/results/3/0/benchmark/name"), "_bencher_ignore");
	end();
}
END_TEST

START_TEST(an_integer_beyond_64_bits_is_a_number)
{
	begin();
	post_results("{}", BMF("20000000000000000000"));
	is_created();
	ck_assert_double_eq(real_of("/results/0/0/measures/0/metric/value"), 2e19);
	end();
}
END_TEST

/* --- thresholds --- */

static void post_models(const char *thresholds)
{
	post("/v0/run",
		"{\"project\":\"p\",\"branch\":\"main\",\"testbed\":\"t\"," TIMES
		",\"thresholds\":%s,\"results\":[]}",
		thresholds);
	is_created();
}

/* The model in force of a measure, "" without one. */
static const char *model_of(const char *measure)
{
	struct project p;
	struct branch b;
	struct testbed t;
	struct measure m;
	struct threshold x;
	struct error ignored;

	ok(store_project_find(db, mem, "p", &p, &err));
	ok(store_branch_find(db, mem, p.id, "main", &b, &err));
	ok(store_testbed_find(db, mem, p.id, "t", &t, &err));
	ok(store_measure_find(db, mem, p.id, measure, &m, &err));
	if (store_threshold_of(db, mem, b.id, t.id, m.id, &x, &ignored) < 0 || !x.has_model)
		return "";
	return arena_printf(mem, "%s %s %lld %g", x.model.uuid, x.model.test,
		(long long)x.model.max_sample_size, x.model.upper_boundary);
}

START_TEST(models_come_with_an_upload_and_stay_until_reset)
{
	const char *first, *second;

	begin();
	post_models("{\"models\":{\"latency\":{\"test\":\"t_test\",\"max_sample_size\":64,"
		    "\"upper_boundary\":0.99},\"throughput\":{\"test\":\"iqr\","
		    "\"lower_boundary\":1.5}}}");
	first = model_of("latency");
	ck_assert(strstr(first, "t_test 64 0.99"));
	post_models("null");
	ck_assert_str_eq(model_of("latency"), first);
	post_models("{\"models\":{\"Latency\":{\"test\":\"t_test\",\"max_sample_size\":64,"
		    "\"upper_boundary\":0.99}}}");
	ck_assert_str_eq(model_of("latency"), first); /* nothing differs: the same model */
	post_models("{\"models\":{\"latency\":{\"test\":\"t_test\",\"max_sample_size\":65,"
		    "\"upper_boundary\":0.99}}}");
	second = model_of("latency");
	ck_assert_str_ne(second, first);
	ck_assert_str_ne(model_of("throughput"), "");
	post_models("{\"models\":{\"latency\":{\"test\":\"t_test\",\"max_sample_size\":65,"
		    "\"upper_boundary\":0.99}},\"reset\":true}");
	ck_assert_str_eq(model_of("latency"), second);
	ck_assert_str_eq(model_of("throughput"), "");
	post_models("{\"reset\":true}");
	ck_assert_str_eq(model_of("latency"), "");
	end();
}
END_TEST

/* --- hostile --- */

struct wrong {
	int status;
	const char *pointer, *part, *body;
};

START_TEST(a_wrong_body_is_refused_by_name)
{
	static const struct wrong cases[] = {
		{ 400, "", "not valid JSON", "{" },
		{ 422, "", "must be a JSON object", "[]" },
		{ 422, "/results", "is missing", "{" TIMES "}" },
		{ 422, "/start_time", "is missing", "{\"end_time\":\"\",\"results\":[]}" },
		{ 400, "/start_time", "",
			"{\"start_time\":\"now\",\"end_time\":\"now\","
			"\"results\":[]}" },
		{ 422, "/results", "an array", "{" TIMES ",\"results\":\"x\"}" },
		{ 422, "/results/0", "must be a string", "{" TIMES ",\"results\":[1]}" },
		{ 400, "/results/1", "right adapter",
			"{" TIMES ",\"results\":[" BMF("1") ","
							    "\"hello\"]}" },
		{ 400, "/results/0", "right adapter",
			"{" TIMES ",\"results\":[" BMF("NaN") "]}" },
		{ 400, "/results/0", "", "{" TIMES ",\"results\":[" BMF("1e400") "]}" },
		{ 400, "/results/0", "", "{" TIMES ",\"results\":[" BMF("\\\"5\\\"") "]}" },
		{ 400, "/results/0", "", "{" TIMES ",\"results\":[\"{}\\u0000\"]}" },
		{ 400, "/results/0", "",
			"{" TIMES ",\"results\":[\"{\\\"a\\\\u0000b\\\":{}}\"]}" },
		{ 400, "", "", "{" TIMES ",\"results\":[],\"x\":1e400}" },
		{ 422, "/branch", "git", "{" TIMES ",\"results\":[],\"branch\":\"a..b\"}" },
		{ 422, "/branch", "NUL", "{" TIMES ",\"results\":[],\"branch\":\"a\\u0000\"}" },
		{ 422, "/testbed", "space", "{" TIMES ",\"results\":[],\"testbed\":\" a\"}" },
		{ 422, "/testbed", "control",
			"{" TIMES ",\"results\":[],\"testbed\":\"\\u0007\"}" },
		{ 422, "/hash", "40", "{" TIMES ",\"results\":[],\"hash\":\"abc\"}" },
		{ 422, "/hash", "hexadecimal",
			"{" TIMES ",\"results\":[],"
			"\"hash\":\"zz34567890123456789012345678901234567890\"}" },
		{ 422, "/start_point/hash", "40",
			"{" TIMES ",\"results\":[],\"start_point\":{\"hash\":\"1\"}}" },
		{ 422, "/start_point/max_versions", "1 to",
			"{" TIMES ",\"results\":[],\"start_point\":{\"max_versions\":0}}" },
		{ 422, "/start_point/branch", "git",
			"{" TIMES ",\"results\":[],\"start_point\":{\"branch\":\"-x\"}}" },
		{ 422, "/project", "slug", "{" TIMES ",\"results\":[],\"project\":\"A B\"}" },
		{ 404, "", "",
			"{" TIMES ",\"results\":[],"
			"\"project\":\"0a0b0c0d-0000-4000-8000-000000000001\"}" },
		{ 422, "/idempotency_key", "UUID",
			"{" TIMES ",\"results\":[],\"idempotency_key\":\"x\"}" },
		{ 422, "/settings/adapter", "did you mean 'python_pytest'",
			"{" TIMES
			",\"results\":[],\"settings\":{\"adapter\":\"python_pytst\"}}" },
		{ 422, "/settings/fold", "mean",
			"{" TIMES ",\"results\":[],\"settings\":{\"fold\":\"sum\"}}" },
		{ 422, "/context", "strings",
			"{" TIMES ",\"results\":[],\"context\":{\"a\":1}}" },
		{ 400, "/job", "file a job", "{" TIMES ",\"results\":[],\"job\":{}}" },
		{ 422, "/thresholds/models/latency/test", "t_test",
			"{" TIMES ",\"results\":[],\"thresholds\":{\"models\":{\"latency\":"
			"{\"test\":\"magic\",\"upper_boundary\":1}}}}" },
		{ 422, "/thresholds/models/latency/upper_boundary", "0.5",
			"{" TIMES ",\"results\":[],\"thresholds\":{\"models\":{\"latency\":"
			"{\"test\":\"t_test\",\"upper_boundary\":1}}}}" },
		{ 422, "/thresholds/models/latency/upper_boundary", "must be set",
			"{" TIMES ",\"results\":[],\"thresholds\":{\"models\":{\"latency\":"
			"{\"test\":\"iqr\"}}}}" },
		{ 422, "/thresholds/models/latency/min_sample_size", "max_sample_size",
			"{" TIMES ",\"results\":[],\"thresholds\":{\"models\":{\"latency\":"
			"{\"test\":\"iqr\",\"upper_boundary\":1,\"min_sample_size\":3,"
			"\"max_sample_size\":2}}}}" },
	};

	begin();
	a_project("project");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct wrong *w = &cases[i];
		const char *pointer;

		post("/v0/run", "%s", w->body);
		pointer = text_of("/errors/0/pointer");
		ck_assert_msg(
			reply.status == w->status && strstr(text_of("/detail"), w->part) &&
				(!*w->pointer || (pointer && !strcmp(pointer, w->pointer))),
			"%s: %s", w->body, buf_str(&reply.body));
		ck_assert_str_eq(text_of("/message"), text_of("/detail"));
	}
	end();
}
END_TEST

START_TEST(a_refused_body_leaves_nothing_behind)
{
	struct project p;

	begin();
	ck_assert_int_eq(place("main", H1, NULL).number, 0);
	post("/v0/run", "{\"project\":\"p\",\"branch\":\"main\",\"testbed\":\"t\"," TIMES
			",\"results\":[" BMF("1") ",\"x\"]}");
	ck_assert_int_eq(reply.status, 400);
	ck_assert_int_eq(place("main", H2, NULL).number, 1); /* no version was used up */
	post("/v0/run", "{\"project\":\"new\"," TIMES ",\"results\":[\"x\"]}");
	refused(store_project_find(db, mem, "new", &p, &err), E_NOT_FOUND, "'new'");
	/* Two keys that mean one measure are found when storing: all of it is undone. */
	post("/v0/run", "{\"project\":\"new\"," TIMES
			",\"results\":[\"{\\\"a\\\":{\\\"latency\\\":{\\\"value\\\":1},"
			"\\\"Latency\\\":{\\\"value\\\":1}}}\"]}");
	ck_assert_int_eq(reply.status, 409);
	refused(store_project_find(db, mem, "new", &p, &err), E_NOT_FOUND, "'new'");
	end();
}
END_TEST

/* A BMF entry of n benchmarks as a body, or n entries of one. */
static void post_two(size_t n)
{
	struct buf entry = { 0 }, b = { 0 };

	for (size_t i = 0; i < n; i++)
		buf_printf(&entry, "%s\\\"b%zu\\\":{\\\"m\\\":{\\\"value\\\":1}}", i ? "," : "",
			i);
	buf_printf(&b, "{\"project\":\"p\"," TIMES ",\"results\":[\"{%s}\",\"{%s}\"]}",
		buf_str(&entry), buf_str(&entry));
	call("POST", "/v0/run", b.data, b.len);
	buf_done(&entry);
	buf_done(&b);
}

static void post_many(size_t n, bool as_entries)
{
	struct buf b = { 0 };

	buf_add_str(&b, "{\"project\":\"p\"," TIMES ",\"results\":[\"");
	if (!as_entries)
		buf_add_char(&b, '{');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_add_str(&b, as_entries ? "\",\"" : ",");
		if (as_entries)
			buf_add_str(&b, "{}");
		else
			buf_printf(&b, "\\\"b%zu\\\":{\\\"m\\\":{\\\"value\\\":1}}", i);
	}
	buf_add_str(&b, as_entries ? "\"],\"settings\":{\"adapter\":\"json\"}}" : "}\"]}");
	call("POST", "/v0/run", b.data, b.len);
	buf_done(&b);
}

START_TEST(quantities_have_limits)
{
	char name[1100];

	begin();
	post_many(1000, false);
	is_created();
	ck_assert_int_eq(int_of("/counts/results/0/benchmarks"), 1000);
	post_many(20001, false);
	ck_assert_int_eq(reply.status, 400);
	ck_assert(strstr(text_of("/detail"), "20000 results"));
	post_many(100000, false);
	ck_assert_int_eq(reply.status, 400);
	post_two(10001);
	ck_assert_int_eq(reply.status, 413);
	ck_assert(strstr(text_of("/detail"), "at most 20000 in one report"));
	ck_assert_str_eq(text_of("/errors/0/pointer"), "/results");
	post_many(10001, true);
	ck_assert_int_eq(reply.status, 422);
	ck_assert_str_eq(text_of("/errors/0/pointer"), "/results");
	memset(name, 'x', sizeof(name));
	name[1025] = 0;
	post_results("{\"adapter\":\"json\"}",
		arena_printf(mem, "\"{\\\"%s\\\":{\\\"m\\\":{\\\"value\\\":1}}}\"", name));
	ck_assert_int_eq(reply.status, 400);
	ck_assert(strstr(text_of("/detail"), "1024"));
	name[65] = 0;
	post_results("{}",
		arena_printf(mem, "\"{\\\"b\\\":{\\\"%s\\\":{\\\"value\\\":1}}}\"", name));
	ck_assert_int_eq(reply.status, 422);
	ck_assert(strstr(text_of("/detail"), "measure"));
	end();
}
END_TEST

START_TEST(nesting_has_a_limit_inside_and_outside)
{
	struct buf b = { 0 };

	begin();
	buf_add_str(&b, "{\"results\":");
	for (int i = 0; i < 100000; i++)
		buf_add_char(&b, '[');
	call("POST", "/v0/run", b.data, b.len);
	ck_assert_int_eq(reply.status, 400);
	ck_assert(strstr(text_of("/detail"), "nested deeper"));
	buf_clear(&b);
	buf_add_str(&b, "{" TIMES ",\"results\":[\"");
	for (int i = 0; i < 100000; i++)
		buf_add_char(&b, '[');
	buf_add_str(&b, "\"]}");
	call("POST", "/v0/run", b.data, b.len);
	ck_assert_int_eq(reply.status, 400);
	ck_assert_str_eq(text_of("/errors/0/pointer"), "/results/0");
	ck_assert(strstr(text_of("/detail"), "nested deeper"));
	buf_done(&b);
	end();
}
END_TEST

/* Bodies that were right until something happened to them: no crash, no store, an error in
 * words. Valgrind and the sanitizers watch. */
START_TEST(a_damaged_body_is_refused_or_read)
{
	static const char whole[] =
		"{\"project\":\"p\",\"branch\":\"main\",\"hash\":null,\"testbed\":\"t\"," TIMES
		",\"start_point\":{\"branch\":\"main\",\"max_versions\":3},\"thresholds\":"
		"{\"models\":{\"latency\":{\"test\":\"t_test\",\"upper_boundary\":0.9}}},"
		"\"settings\":{\"adapter\":\"magic\",\"fold\":\"median\"},\"context\":"
		"{\"bencher.dev/v0/repo/name\":\"r\"},\"results\":[" BMF(
			"5") ","
			     "\"{\\\"results\\\":[{\\\"command\\\":\\\"a\\\",\\\"mean\\\":1}]}"
			     "\","
			     "\"{\\\"s\\\":[{\\\"parameters\\\":{\\\"n\\\":1},\\\"measures\\\":"
			     "{\\\"m\\\":{\\\"value\\\":1}}}]}\"]}";
	struct rng rng;
	int n_read = 0;

	make_folder();
	rng_init(&rng, 20261121);
	for (int i = 0; i < 3000; i++) {
		size_t n = sizeof(whole) - 1;
		char *text = arena_strdup(mem, whole);
		struct upload *u;
		json_t *body;

		for (uint64_t k = 1 + rng_below(&rng, 3); k > 0; k--)
			text[rng_below(&rng, n)] = "\"{}[]:,\\0a9.-e \xc3"[rng_below(&rng, 17)];
		if (rng_below(&rng, 8) == 0)
			n = rng_below(&rng, n);
		err = (struct error){ 0 };
		if (json_parse(text, n, &body, &err) == OK) {
			arena_own_json(mem, body);
			n_read += upload_read(body, UPLOAD_RUN, upload_model_read, mem, &u,
					  &err) == OK;
		}
		ck_assert(err.code == 0 || *err.text);
	}
	ck_assert_int_gt(n_read, 10);
	ck_assert_int_lt(n_read, 2990);
	remove_folder();
}
END_TEST

SUITE("uploads", a_run_makes_everything_on_first_use, a_report_names_its_branch_and_testbed,
	what_a_run_does_not_name_comes_from_its_context,
	a_key_of_a_project_uploads_there_and_nowhere_else, the_same_key_stores_one_report,
	curl_has_a_header_for_the_key,
	a_commit_has_one_version_and_no_commit_a_new_one_each_time,
	a_start_point_that_means_nothing_is_no_error, a_new_branch_goes_on_from_its_start_point,
	a_head_is_replaced_as_the_table_says, several_results_are_iterations_or_one_when_folded,
	a_command_that_was_timed_twice_has_two_samples,
	a_slug_finds_by_slug_but_a_tools_name_only_by_name,
	parameters_make_a_benchmark_of_their_own,
	the_ending_that_asks_for_no_alerts_is_no_part_of_the_name,
	an_integer_beyond_64_bits_is_a_number, models_come_with_an_upload_and_stay_until_reset,
	a_wrong_body_is_refused_by_name, a_refused_body_leaves_nothing_behind,
	quantities_have_limits, nesting_has_a_limit_inside_and_outside,
	a_damaged_body_is_refused_or_read)
