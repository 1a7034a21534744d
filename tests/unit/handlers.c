/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The handlers over http_call: the real router, access checks and store, no socket. */
#include "tests/lib/store.h"

#include "base/embed.h"
#include "base/secret.h"
#include "daemon/hooks/hooks.h"
#include "daemon/http/handlers.h"
#include "tests/unit/handlers_fake.h"

static struct queue_rules rules;
static const struct queue_rules *get_rules(void *arg)
{
	return &rules;
}

static bool ready = true;
static json_t *get_checks(void *arg)
{
	return json_pack("[{sssbss}]", "name", "worker", "ok", ready, "detail", "none linked");
}

static struct app app = {
	.version = "0.1.0", .testbed = "bench01", .rules = get_rules, .checks = get_checks
};
static struct server_config config = { .app = &app };
static struct reply reply;
static json_t *doc; /* of the last answer, or NULL */

static void call_with(
	const char *method, const char *target, const char *body, const char *const *headers)
{
	static const char *const json_type[] = { "Content-Type", "application/json", NULL };
	const struct http_call c = { &config, method, target,
		headers ? headers
		: body	? json_type
			: NULL,
		body, 0 };
	struct error ignored;

	reply_done(&reply);
	json_decref(doc);
	doc = NULL;
	http_call(&c, db, &reply);
	if (reply.body.len && json_parse(reply.body.data, reply.body.len, &doc, &ignored) < 0)
		doc = NULL;
}

static void call(const char *method, const char *target, const char *body)
{
	call_with(method, target, body, NULL);
}

/* Status of a GET, and the document in doc. */
static int get(const char *target)
{
	call("GET", target, NULL);
	return reply.status;
}

#define text_of(path) json_string_value(at(path))
#define status_is(want)                                                                        \
	ck_assert_msg(reply.status == (want), "%d: %s", reply.status, buf_str(&reply.body))

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

static void begin(void)
{
	start();
	rules = (struct queue_rules){ .testbed = "bench01", .workloads = json_object() };
	config.allow_anonymous_read = config.require_tokens = false;
	memset(&fake, 0, sizeof(fake));
	ready = true;
}

static void end(void)
{
	json_decref(rules.workloads);
	reply_done(&reply);
	reply = (struct reply){ 0 };
	json_decref(doc);
	doc = NULL;
	finish();
}

START_TEST(the_server_tells_its_version_health_and_help)
{
	begin();
	ck_assert_int_eq(get("/healthz"), 200);
	ck_assert_str_eq(buf_str(&reply.body), "ok\n");
	ck_assert_int_eq(get("/version"), 200);
	ck_assert_str_eq(text_of("/version"), "0.1.0");
	ck_assert_int_eq(get("//v0/server/version"), 200); /* two slashes: the bencher client */
	ck_assert_str_eq(text_of("/version"), "0.6.12");
	ck_assert_int_eq(get("/"), 200);
	ck_assert(strstr(buf_str(&reply.body), "curl -H 'Accept: text/plain' --json"));
	ck_assert_int_eq(get("/readyz"), 200);
	ready = false;
	ck_assert_int_eq(get("/readyz"), 503);
	ck_assert_str_eq(text_of("/checks/1/detail"), "none linked");
	end();
}
END_TEST

START_TEST(the_bencher_client_gets_its_own_version_back)
{
	static const char *const good[] = { "api-version", "0.7.3", NULL };
	static const char *const bad[] = { "api-version", "<script>", NULL };

	begin();
	call_with("GET", "/v0/server/version", NULL, good);
	ck_assert_str_eq(text_of("/version"), "0.7.3");
	call_with("GET", "/v0/server/version", NULL, bad);
	ck_assert_str_eq(text_of("/version"), "0.6.12");
	end();
}
END_TEST

START_TEST(a_project_is_made_read_changed_and_removed)
{
	begin();
	call("POST", "/v0/projects", "{\"name\":\"My Project\",\"url\":\"https://a.b\"}");
	status_is(201);
	ck_assert_str_eq(text_of("/slug"), "my-project");
	ck_assert_str_eq(text_of("/visibility"), "private");
	ck_assert_str_eq(text_of("/organization"), ORGANIZATION_UUID);
	ck_assert_ptr_nonnull(text_of("/claimed"));
	ck_assert_str_eq(reply_header(&reply, "Location"), "/v0/projects/my-project");
	call("PATCH", "/v0/projects/my-project", "{\"visibility\":\"public\",\"url\":null}");
	status_is(200);
	ck_assert_str_eq(text_of("/visibility"), "public");
	ck_assert_ptr_null(at("/url"));
	ck_assert_int_eq(get("/v0/projects?name=My%20Project"), 200);
	ck_assert_str_eq(reply_header(&reply, "X-Total-Count"), "1");
	ck_assert_str_eq(text_of("/0/name"), "My Project");
	call("DELETE", "/v0/projects/my-project", NULL);
	status_is(204);
	ck_assert_int_eq(get("/v0/projects/my-project"), 404);
	ck_assert_msg(strstr(text_of("/detail"), "my-project"), "%s", text_of("/detail"));
	end();
}
END_TEST

START_TEST(the_first_write_that_names_a_project_makes_it)
{
	begin();
	call("POST", "/v0/projects/fresh/branches", "{\"name\":\"main\"}");
	status_is(201);
	ck_assert_int_eq(get("/v0/projects/fresh"), 200);
	call("POST", "/v0/projects/Not%20a%20Slug/branches", "{\"name\":\"main\"}");
	status_is(404);
	end();
}
END_TEST

START_TEST(branches_testbeds_benchmarks_and_measures_have_the_same_five_requests)
{
	static const struct {
		const char *many, *name, *body;
	} cases[] = { { "branches", "main", "{\"name\":\"main\"}" },
		{ "testbeds", "bench01", "{\"name\":\"bench01\",\"spec\":null}" },
		{ "benchmarks", "sum", "{\"name\":\"sum\"}" },
		{ "measures", "speed", "{\"name\":\"speed\",\"units\":\"m/s\"}" } };

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *list = arena_printf(mem, "/v0/projects/p/%s", cases[i].many);
		const char *one = arena_printf(mem, "%s/%s", list, cases[i].name);

		call("POST", list, cases[i].body);
		status_is(201);
		ck_assert_str_eq(text_of("/slug"), cases[i].name);
		call("POST", list, cases[i].body);
		status_is(409);
		ck_assert_int_eq(get(list), 200);
		ck_assert_str_eq(reply_header(&reply, "X-Total-Count"), "1");
		call("PATCH", one, "{\"archived\":true}");
		status_is(200);
		ck_assert_ptr_nonnull(text_of("/archived"));
		ck_assert_int_eq(get(list), 200);
		ck_assert_uint_eq(json_array_size(doc), 0);
		call("PATCH", one, "{\"archived\":false}");
		ck_assert_ptr_null(at("/archived"));
		call("DELETE", one, NULL);
		status_is(204);
		ck_assert_int_eq(get(one), 404);
	}
	end();
}
END_TEST

START_TEST(a_branch_tells_its_head_and_its_start_point)
{
	begin();
	add_report(a_project("p").id, "main", H1, "sum", 100);
	call("POST", "/v0/projects/p/branches",
		"{\"name\":\"feature\",\"start_point\":{\"branch\":\"main\"}}");
	status_is(201);
	ck_assert_ptr_nonnull(text_of("/head/uuid"));
	ck_assert_str_eq(text_of("/head/start_point/version/hash"), H1);
	end();
}
END_TEST

START_TEST(lists_are_paged_as_bencher_does)
{
	struct project p;

	begin();
	p = a_project("p");
	for (int i = 0; i < 20; i++) {
		struct benchmark b;

		ok(store_benchmark_ensure(
			db, mem, p.id, arena_printf(mem, "b%02d", i), T0, &b, &err));
	}
	get("/v0/projects/p/benchmarks");
	ck_assert_uint_eq(json_array_size(doc), 8);
	ck_assert_str_eq(reply_header(&reply, "X-Total-Count"), "20");
	get("/v0/projects/p/benchmarks?format=text");
	ck_assert_msg(strstr(buf_str(&reply.body), "\n8 names of 20; page and per_page"), "%s",
		buf_str(&reply.body));
	get("/v0/projects/p/benchmarks?format=text&per_page=20");
	ck_assert_msg(strstr(buf_str(&reply.body), "\n20 names\n"), "%s", buf_str(&reply.body));
	get("/v0/projects/p/benchmarks?per_page=255&direction=desc");
	ck_assert_str_eq(text_of("/0/name"), "b19");
	ck_assert_int_eq(get("/v0/projects/p/benchmarks?per_page=256"), 400);
	ck_assert_msg(strstr(text_of("/detail"), "255"), "%s", text_of("/detail"));
	ck_assert_int_eq(get("/v0/projects/p/benchmarks?sort=colour"), 400);
	end();
}
END_TEST

START_TEST(a_list_comes_as_text_markdown_and_csv)
{
	static const char *const accept[] = { "Accept", "text/plain", NULL };

	begin();
	add_report(a_project("p").id, "main", H1, "sum", 100);
	call_with("GET", "/v0/projects/p/benchmarks", NULL, accept);
	ck_assert_str_eq(reply_header(&reply, "Content-Type"), "text/plain; charset=utf-8");
	ck_assert(strstr(buf_str(&reply.body), "1 name\n"));
	get("/v0/projects/p/benchmarks.csv");
	ck_assert(!strncmp(buf_str(&reply.body), "name,slug,created", 17));
	get("/v0/projects/p/benchmarks?format=markdown");
	ck_assert(strstr(buf_str(&reply.body), "| `sum` |"));
	ck_assert_int_eq(get("/v0/projects/p/benchmarks?format=svg"), 406);
	end();
}
END_TEST

START_TEST(a_report_has_benchers_shape)
{
	struct simple_report r;

	begin();
	r = add_report(a_project("p").id, "main", H1, "sum", 100);
	ck_assert_int_eq(get(arena_printf(mem, "/v0/projects/p/reports/%s", r.uuid)), 200);
	ck_assert_str_eq(text_of("/uuid"), r.uuid);
	ck_assert_str_eq(text_of("/branch/head/version/hash"), H1);
	ck_assert_str_eq(text_of("/results/0/0/benchmark/name"), "sum");
	ck_assert_str_eq(text_of("/results/0/0/measures/0/measure/units"), "nanoseconds (ns)");
	ck_assert_double_eq(json_number_value(at("/results/0/0/measures/0/metric/value")), 100);
	ck_assert_int_eq(json_integer_value(at("/counts/results/0/measures")), 1);
	ck_assert_int_eq(json_integer_value(at("/counts/alerts/total")), 0);
	ck_assert_ptr_null(at("/job"));
	get("/v0/projects/p/reports");
	ck_assert_str_eq(reply_header(&reply, "X-Total-Count"), "1");
	ck_assert_ptr_null(at("/0/results"));
	get("/v0/projects/p/reports?expand=true");
	ck_assert_ptr_nonnull(at("/0/results/0/0"));
	call("DELETE", arena_printf(mem, "/v0/projects/p/reports/%s", r.uuid), NULL);
	status_is(204);
	end();
}
END_TEST

START_TEST(what_has_no_generation_has_a_tag_of_its_bytes)
{
	const char *headers[] = { "If-None-Match", NULL, NULL };

	begin();
	a_project("p");
	ck_assert_int_eq(get("/v0/projects/p"), 200);
	headers[1] = arena_strdup(mem, reply_header(&reply, "ETag"));
	call_with("GET", "/v0/projects/p", NULL, headers);
	status_is(304);
	call("PATCH", "/v0/projects/p", "{\"url\":\"https://example.org\"}");
	call_with("GET", "/v0/projects/p", NULL, headers);
	status_is(200);
	end();
}
END_TEST

START_TEST(an_unchanged_report_is_not_sent_again)
{
	struct simple_report r;
	const char *headers[] = { "If-None-Match", NULL, NULL };
	const char *target;

	begin();
	r = add_report(a_project("p").id, "main", H1, "sum", 100);
	target = arena_printf(mem, "/v0/projects/p/reports/%s", r.uuid);
	get(target);
	headers[1] = arena_strdup(mem, reply_header(&reply, "ETag"));
	call_with("GET", target, NULL, headers);
	status_is(304);
	add_report(a_project("p").id, "main", H2, "sum", 110);
	call_with("GET", target, NULL, headers);
	status_is(200);
	end();
}
END_TEST

START_TEST(filing_a_job_answers_202_with_its_place)
{
	const char *self;

	begin();
	call("POST", "/v0/projects/demo/jobs", "{\"workload\":\"stream.triad\"}");
	status_is(202);
	ck_assert_str_eq(text_of("/state"), "queued");
	ck_assert_int_eq(json_integer_value(at("/position")), 1);
	ck_assert_int_eq(reply.wake, WAKE_QUEUE);
	ck_assert_ptr_nonnull(reply_header(&reply, "Retry-After"));
	ck_assert(fake.filing.may_create_project);
	ck_assert_str_eq(fake.filing.trigger, "api");
	self = arena_strdup(mem, reply_header(&reply, "Location"));
	ck_assert_int_eq(get(self), 200);
	ck_assert_str_eq(text_of("/waiting"), "it is the next one");
	get(arena_printf(mem, "%s?format=text", self));
	ck_assert(strstr(buf_str(&reply.body), "queued, place 1: it is the next one\n"));
	end();
}
END_TEST

START_TEST(waiting_for_a_job_ends_with_202_when_the_time_is_over)
{
	begin();
	call("POST", "/v0/projects/demo/jobs?wait=1s", "{\"workload\":\"x\"}");
	status_is(202);
	ck_assert_str_eq(text_of("/state"), "queued");
	ck_assert_int_eq(
		get(arena_printf(mem, "/v0/projects/demo/jobs/%s?wait=9x", text_of("/uuid"))),
		400);
	ck_assert_msg(strstr(text_of("/detail"), "9x"), "%s", text_of("/detail"));
	end();
}
END_TEST

START_TEST(a_key_files_a_job_once)
{
	static const char *const headers[] = { "Content-Type", "application/json",
		"Idempotency-Key", "k1", NULL };
	const char *uuid;

	begin();
	call_with("POST", "/v0/projects/demo/jobs", "{\"workload\":\"x\"}", headers);
	uuid = arena_strdup(mem, text_of("/uuid"));
	call_with("POST", "/v0/projects/demo/jobs", "{\"workload\":\"x\"}", headers);
	status_is(202);
	ck_assert_str_eq(text_of("/uuid"), uuid);
	ck_assert_str_eq(reply_header(&reply, "Idempotency-Replayed"), "true");
	call_with("POST", "/v0/projects/demo/jobs", "{\"workload\":\"y\"}", headers);
	status_is(422);
	get("/v0/projects/demo/jobs");
	ck_assert_uint_eq(json_array_size(doc), 1);
	end();
}
END_TEST

START_TEST(jobs_are_listed_by_state_and_page)
{
	const char *next;
	int64_t p;

	begin();
	p = a_project("p").id;
	for (int i = 0; i < 5; i++)
		add_job(p, arena_printf(mem, "w%d", i), PRIORITY_MANUAL);
	get("/v0/projects/p/jobs?limit=3");
	ck_assert_uint_eq(json_array_size(doc), 3);
	ck_assert_str_eq(text_of("/0/workload"), "w4");
	next = reply_header(&reply, "Link");
	ck_assert_ptr_nonnull(next);
	next = arena_strndup(mem, next + 1, strcspn(next, ">") - 1);
	ck_assert_int_eq(get(next), 200);
	ck_assert_uint_eq(json_array_size(doc), 2);
	ck_assert_ptr_null(reply_header(&reply, "Link"));
	get("/v0/projects/p/jobs?state=queued,running");
	ck_assert_str_eq(text_of("/0/workload"), "w0"); /* the order of the queue */
	ck_assert_int_eq(get("/v0/projects/p/jobs?state=queud"), 400);
	ck_assert_str_eq(
		text_of("/detail"), "'queud' is no value of 'state'; did you mean 'queued'?");
	ck_assert_int_eq(get("/v0/projects/p/jobs?cursor=7"), 400);
	get("/v0/queue?format=text");
	ck_assert(strstr(buf_str(&reply.body), "0 running, 5 waiting\n"));
	end();
}
END_TEST

START_TEST(a_job_of_another_project_is_not_found)
{
	struct job j;

	begin();
	a_project("other");
	j = add_job(a_project("p").id, "w", PRIORITY_MANUAL);
	ck_assert_int_eq(get(arena_printf(mem, "/v0/projects/p/jobs/%s", j.uuid)), 200);
	ck_assert_int_eq(get(arena_printf(mem, "/v0/projects/other/jobs/%s", j.uuid)), 404);
	ck_assert_int_eq(get(arena_printf(mem, "/v0/projects/other/jobs/%s/log", j.uuid)), 404);
	call("DELETE", arena_printf(mem, "/v0/projects/other/jobs/%s", j.uuid), NULL);
	status_is(404);
	call("DELETE", "/v0/projects/p", NULL); /* nobody could cancel it any more */
	status_is(409);
	ck_assert(strstr(text_of("/detail"), "cancel them first"));
	end();
}
END_TEST

START_TEST(a_job_is_cancelled_once)
{
	struct job j;
	const char *self;

	begin();
	j = add_job(a_project("p").id, "w", PRIORITY_MANUAL);
	self = arena_printf(mem, "/v0/projects/p/jobs/%s", j.uuid);
	call("DELETE", self, NULL);
	status_is(202);
	ck_assert_str_eq(text_of("/state"), "canceled");
	ck_assert_ptr_null(at("/links/cancel"));
	ck_assert_int_eq(reply.wake, WAKE_JOBS | WAKE_QUEUE);
	call("POST", arena_printf(mem, "%s/cancel", self), NULL);
	status_is(409);
	end();
}
END_TEST

START_TEST(events_log_and_processes_of_a_job_are_told)
{
	struct process p = { .cell = "0",
		.termination = "exit",
		.record_json = "{\"wall_ns\":5}",
		.attempt = 1 };
	double sample = 12.5;
	struct series_values v = { .benchmark = "sum",
		.measure = "latency",
		.unit = "ns",
		.samples = &sample,
		.n_samples = 1,
		.value = 12.5 };
	struct job j;
	const char *self;

	begin();
	j = add_job(a_project("p").id, "w", PRIORITY_MANUAL);
	self = arena_printf(mem, "/v0/projects/p/jobs/%s", j.uuid);
	ok(store_job_event_add(db, j.id, T0, "state", "{\"state\":\"queued\"}", &err));
	ok(store_job_log_append(db, j.id, "stdout", "hello\n", 6, T0, &err));
	p.job_id = j.id;
	ok(store_process_add(db, &p, &v, 1, &err));
	get(arena_printf(mem, "%s/events", self));
	ck_assert_msg(strstr(buf_str(&reply.body), "event: state\ndata: {\"id\":"), "%s",
		buf_str(&reply.body));
	get(arena_printf(mem, "%s/log", self));
	ck_assert(strstr(buf_str(&reply.body), "hello\n"));
	get(arena_printf(mem, "%s/processes", self));
	ck_assert_int_eq(json_integer_value(at("/0/wall_ns")), 5);
	ck_assert_double_eq(json_number_value(at("/0/results/0/samples/0")), 12.5);
	end();
}
END_TEST

/* Four processes: one noisy, one replaced; the report is made of the other two. */
START_TEST(a_report_of_a_job_tells_the_spread_of_its_processes)
{
	static const double values[] = { 100, 104, 900, 500 };
	struct new_report nr = { .arm = ARM_HEAD,
		.adapter = "benchd",
		.start_ns = T0,
		.end_ns = T0,
		.created_ns = T0,
		.n_metrics = 1,
		.summary_json = "{\"cells\":[{\"cell\":\"0\",\"verdict\":\"suspect\"}]}" };
	struct new_metric m = { .value = 102, .lower = 100, .upper = 104, .n_processes = 2 };
	struct simple_report like;
	struct job j;
	struct report r;
	const char *uuid;
	int64_t id, *series, *metrics;

	begin();
	like = add_report(a_project("p").id, "main", H1, "sum", 1);
	j = add_job(a_project("p").id, "w", PRIORITY_MANUAL);
	for (int i = 0; i < 4; i++) {
		struct process p = { .job_id = j.id,
			.cell = "0",
			.index = i,
			.seq = i,
			.termination = "exit",
			.record_json = "{}",
			.attempt = 1,
			.noise = i == 2 ? NOISE_NOISY : NOISE_CLEAN,
			.replaced = i == 3 };
		struct series_values v = { .benchmark = "sum",
			.measure = "latency",
			.unit = "ns",
			.samples = &values[i],
			.n_samples = 1,
			.value = values[i] };

		ok(store_process_add(db, &p, &v, 1, &err));
	}
	ok(store_report_find(db, mem, j.project_id, like.uuid, &r, &err));
	m.benchmark_id = 1;
	m.measure_id = 1;
	nr.metrics = &m;
	nr.project_id = j.project_id;
	nr.head_id = r.branch.head_id;
	nr.version_id = r.version.id;
	nr.version_number = r.version.number;
	nr.testbed_id = r.testbed.id;
	nr.job_id = j.id;
	ok(store_report_add(db, mem, &nr, &id, &uuid, &series, &metrics, &err));
	ck_assert_int_eq(
		get(arena_printf(mem, "/v0/projects/p/reports/%s?samples=1", uuid)), 200);
	ck_assert_str_eq(text_of("/adapter"), "json");
	ck_assert_str_eq(text_of("/job"), j.uuid);
	ck_assert_double_eq(
		json_number_value(at("/results/0/0/measures/0/statistics/max")), 104);
	ck_assert_double_eq(
		json_number_value(at("/results/0/0/measures/0/statistics/median")), 102);
	ck_assert_double_eq(
		json_number_value(at("/results/0/0/measures/0/interval/high")), 104);
	ck_assert_str_eq(text_of("/results/0/0/measures/0/noise"), "suspect");
	ck_assert_uint_eq(json_array_size(at("/processes")), 4);
	end();
}
END_TEST

START_TEST(a_workload_is_saved_checked_expanded_and_removed)
{
	begin();
	call("PUT", "/v0/projects/p/workloads/w",
		"{\"kind\":\"command\",\"command\":[\"./prog\",\"{size}\"],\"tags\":[\"cpu\"],"
		"\"parameters\":{\"size\":\"1Mi\"},\"matrix\":{\"size\":[\"1Mi\",\"2Mi\"]}}");
	status_is(200);
	get("/v0/projects/p/workloads?tag=cpu");
	ck_assert_str_eq(text_of("/0/name"), "w");
	get("/v0/projects/p/workloads?tag=!cpu");
	ck_assert_uint_eq(json_array_size(doc), 0);
	get("/v0/projects/p/workloads/w/cells");
	ck_assert_uint_eq(json_array_size(doc), 2);
	ck_assert_str_eq(text_of("/1/argv/1"), "2Mi");
	call("PUT", "/v0/projects/p/workloads/w", "{\"kind\":\"comand\"}");
	status_is(422);
	ck_assert_str_eq(text_of("/errors/0/pointer"), "/kind");
	call("PUT", "/v0/projects/p/workloads/w", "{\"name\":\"v\",\"kind\":\"command\"}");
	status_is(422);
	ck_assert_str_eq(text_of("/detail"), "the body is named 'v', the path 'w'");
	call("DELETE", "/v0/projects/p/workloads/w", NULL);
	status_is(204);
	ck_assert_int_eq(get("/v0/projects/p/workloads/w"), 404);
	end();
}
END_TEST

START_TEST(a_series_is_found_by_its_four_names_and_by_its_id)
{
	int64_t id;

	begin();
	id = add_report(a_project("p").id, "main", H1, "sum", 100).series_id;
	add_report(a_project("p").id, "main", H2, "sum", 110);
	get("/v0/projects/p/series");
	ck_assert_uint_eq(json_array_size(doc), 1);
	ck_assert_int_eq(json_integer_value(at("/0/n_points")), 2);
	get("/v0/projects/p/series?branch=main&testbed=host&benchmark=sum&measure=latency");
	status_is(200);
	ck_assert_str_eq(text_of("/points/1/hash"), H2);
	get(arena_printf(mem, "/v0/projects/p/series/%lld.txt", (long long)id));
	ck_assert(strstr(buf_str(&reply.body), "2 points, 0 changes, last value 110 ns\n"));
	ck_assert_int_eq(get("/v0/projects/p/series?branch=main&benchmark=sum"), 400);
	ck_assert_str_eq(text_of("/errors/0/pointer"), "measure");
	ck_assert_int_eq(get("/v0/projects/p/series/99"), 404);
	ck_assert_int_eq(get("/v0/projects/p/series/x"), 404);
	get("/v0/projects/p/badge?branch=main&testbed=host&benchmark=sum&measure=latency");
	ck_assert_str_eq(reply_header(&reply, "Content-Type"), "image/svg+xml");
	end();
}
END_TEST

START_TEST(fail_on_turns_an_outcome_into_409_with_the_same_body)
{
	struct simple_report r;
	const char *gate;

	begin();
	r = add_report(a_project("p").id, "main", H1, "sum", 100);
	gate = arena_printf(mem, "/v0/projects/p/gate?base=%s&head=%s", r.uuid, r.uuid);
	fake.outcome = OUTCOME_SLOWER;
	fake.gate = GATE_FAIL;
	ck_assert_int_eq(get(gate), 200);
	ck_assert_int_eq(get(arena_printf(mem, "%s&fail_on=slower", gate)), 409);
	ck_assert_str_eq(text_of("/outcome"), "fail");
	fake.outcome = OUTCOME_UNKNOWN;
	fake.gate = GATE_UNKNOWN;
	ck_assert_int_eq(get(arena_printf(mem, "%s&fail_on=slower", gate)), 200);
	ck_assert_int_eq(get(arena_printf(mem, "%s&fail_on=slower,unknown", gate)), 409);
	fake.gate = GATE_ERROR; /* nothing was measured */
	ck_assert_int_eq(get(arena_printf(mem, "%s&fail_on=slower", gate)), 409);
	ck_assert_int_eq(get(arena_printf(mem, "%s&fail_on=sloer", gate)), 400);
	ck_assert_int_eq(get(arena_printf(mem, "%s&threshold=5%%25", gate)), 200);
	ck_assert_double_eq_tol(fake.rules.min_effect, 0.05, 1e-12);
	ck_assert_int_eq(get(arena_printf(mem, "%s&threshold=much", gate)), 400);
	ck_assert_int_eq(get("/v0/projects/p/compare?base=x"), 404);
	ck_assert_int_eq(get("/v0/projects/p/compare"), 400);
	ck_assert_str_eq(text_of("/errors/0/pointer"), "base");
	end();
}
END_TEST

static struct alert an_alert(const struct simple_report *r)
{
	return (struct alert){ .state = ALERT_CONFIRMED,
		.series_id = r->series_id,
		.report_id = r->id,
		.version_number = r->version_number,
		.direction = OUTCOME_SLOWER,
		.effect = 0.1,
		.effect_low = NAN,
		.effect_high = NAN,
		.created_ns = T0,
		.modified_ns = T0,
		.detail_json = "{}" };
}

START_TEST(an_alert_is_triaged_and_its_point_counts_again)
{
	struct simple_report r;
	struct alert al;
	struct point *points;
	size_t n;
	const char *self;

	begin();
	r = add_report(a_project("p").id, "main", H1, "sum", 100);
	al = an_alert(&r);
	ok(store_point_flags(db, r.series_id, r.version_number, r.id, POINT_ALERTED, 0, &err));
	ok(store_alert_add(db, mem, &al, r.metric_id, &err));
	self = arena_printf(mem, "/v0/projects/p/alerts/%s", al.uuid);
	ck_assert_int_eq(get(self), 200);
	ck_assert_str_eq(text_of("/status"), "active");
	get(arena_printf(mem, "/v0/projects/p/reports/%s", r.uuid));
	ck_assert_str_eq(text_of("/alerts/0/threshold/measure/slug"), "latency");
	ck_assert_int_eq(json_integer_value(at("/counts/alerts/active")), 1);
	call("PATCH", self, "{\"state\":\"dismissed\"}");
	status_is(422);
	ck_assert_str_eq(text_of("/errors/0/pointer"), "/reason");
	call("PATCH", self, "{\"status\":\"dismissed\"}");
	status_is(200);
	ck_assert_str_eq(text_of("/reason"), "no reason was given");
	call("PATCH", self, "{\"state\":\"dismissed\",\"reason\":\"noise\"}");
	status_is(200);
	ck_assert_str_eq(text_of("/status"), "dismissed");
	ck_assert_str_eq(text_of("/reason"), "noise");
	ok(store_series_points(db, mem, r.series_id, 10, &points, &n, &err));
	ck_assert_uint_eq(points[0].flags & POINT_ALERTED, 0);
	get("/v0/projects/p/alerts?state=confirmed");
	ck_assert_uint_eq(json_array_size(doc), 0);
	get("/v0/projects/p/alerts.txt?status=dismissed");
	call("PATCH", self, "{\"sate\":\"dismissed\"}");
	status_is(422);
	ck_assert_str_eq(text_of("/errors/0/pointer"), "/sate");
	end();
}
END_TEST

START_TEST(an_alert_shows_where_the_environments_differ)
{
	struct environment old, new;
	struct simple_report r;
	struct alert al;
	int64_t project;
	const char *self;

	begin();
	project = a_project("p").id;
	ok(store_environment_ensure(
		db, mem, "a", "{\"cpu\":{\"model\":\"Zen 3\"},\"os\":1}", T0, &old, &err));
	ok(store_environment_ensure(
		db, mem, "b", "{\"cpu\":{\"model\":\"Zen 4\"},\"os\":1}", T0, &new, &err));
	add_report_in(old.id, project, "main", H1, "sum", 100);
	r = add_report_in(new.id, project, "main", H2, "sum", 110);
	al = an_alert(&r);
	ok(store_alert_add(db, mem, &al, r.metric_id, &err));
	self = arena_printf(mem, "/v0/projects/p/alerts/%s", al.uuid);
	ck_assert_int_eq(get(self), 200);
	ck_assert_str_eq(text_of("/environments/base"), "a");
	ck_assert_str_eq(text_of("/environments/head"), "b");
	ck_assert(json_is_false(at("/environments/same")));
	ck_assert_uint_eq(json_array_size(at("/environments/difference")), 1);
	ck_assert_str_eq(text_of("/environments/difference/0"), "cpu.model: Zen 3 -> Zen 4");
	ck_assert_int_eq(get(arena_printf(mem, "%s.txt", self)), 200);
	ck_assert_ptr_nonnull(strstr(buf_str(&reply.body), "cpu.model: Zen 3 -> Zen 4"));
	end();
}
END_TEST

/* An Authorization header for the key that POST /v0/tokens gave. */
static const char *const *bearer(const char *key)
{
	const char **headers = ARENA_ARRAY(mem, const char *, 5);

	headers[0] = "Authorization";
	headers[1] = arena_printf(mem, "Bearer %s", key);
	headers[2] = "Content-Type";
	headers[3] = "application/json";
	return headers;
}

START_TEST(a_token_is_shown_once_and_holds_what_it_may)
{
	const char *const *as;
	const char *uuid;

	begin();
	a_project("p");
	a_project("other");
	call("POST", "/v0/tokens",
		"{\"name\":\"ci\",\"project\":\"p\",\"scopes\":[\"submit\"],\"ttl\":3600}");
	status_is(201);
	ck_assert(!strncmp(text_of("/key"), "bencher_run_", 12));
	ck_assert_uint_eq(strlen(text_of("/key")), 42);
	ck_assert_str_eq(text_of("/scopes/0"), "read");
	as = bearer(text_of("/key"));
	uuid = arena_strdup(mem, text_of("/uuid"));
	config.require_tokens = true;
	ck_assert_int_eq(get("/v0/projects/p"), 401);
	call_with("GET", "/v0/projects/p", NULL, as);
	status_is(200);
	call_with("GET", "/v0/projects/other", NULL, as);
	status_is(404);
	call_with("GET", "/v0/projects", NULL, as);
	ck_assert_uint_eq(json_array_size(doc), 1);
	call_with("POST", "/v0/projects/other/jobs", "{\"workload\":\"x\"}", as);
	status_is(404);
	call_with("POST", "/v0/projects/new/jobs", "{\"workload\":\"x\"}", as);
	status_is(404);
	call_with("POST", "/v0/projects/p/jobs", "{\"workload\":\"x\"}", as);
	status_is(202);
	ck_assert_str_eq(text_of("/submitter"), "ci");
	call_with("GET", "/v0/tokens", NULL, as);
	status_is(403);
	config.require_tokens = false;
	get("/v0/tokens");
	ck_assert_ptr_null(at("/0/key"));
	call("DELETE", arena_printf(mem, "/v0/tokens/%s", uuid), NULL);
	status_is(204);
	call_with("GET", "/v0/projects/p", NULL, as);
	status_is(401);
	end();
}
END_TEST

START_TEST(anonymous_readers_see_public_projects_only)
{
	begin();
	call("POST", "/v0/projects", "{\"name\":\"open\",\"visibility\":\"public\"}");
	call("POST", "/v0/projects", "{\"name\":\"closed\"}");
	config.require_tokens = config.allow_anonymous_read = true;
	ck_assert_int_eq(get("/v0/projects/open"), 200);
	ck_assert_int_eq(get("/v0/projects/closed"), 404);
	get("/v0/projects");
	ck_assert_uint_eq(json_array_size(doc), 1);
	end();
}
END_TEST

START_TEST(bad_bodies_name_the_member)
{
	static const struct {
		const char *method, *target, *body, *pointer;
		int status;
	} cases[] = {
		{ "POST", "/v0/projects", "{\"name\":5}", "/name", 422 },
		{ "POST", "/v0/projects", "{}", "/name", 422 },
		{ "POST", "/v0/projects", "{\"name\":\" a\"}", "/name", 422 },
		{ "POST", "/v0/projects", "{\"name\":\"a\",\"slug\":\"A B\"}", "/slug", 422 },
		{ "POST", "/v0/projects", "{\"name\":\"a\",\"visibility\":\"none\"}",
			"/visibility", 422 },
		{ "POST", "/v0/projects", "[]", NULL, 422 },
		{ "POST", "/v0/projects", "{\"name\":", NULL, 400 },
		{ "POST", "/v0/projects/p/branches", "{\"name\":\"a..b\"}", "/name", 422 },
		{ "POST", "/v0/projects/p/branches",
			"{\"name\":\"a\",\"start_point\":{\"hash\":\"zz\"}}",
			"/start_point/hash", 422 },
		{ "POST", "/v0/projects/p/measures", "{\"name\":\"a\",\"better\":\"sideways\"}",
			"/better", 422 },
		{ "PATCH", "/v0/projects/p", "{\"slug\":\"\"}", "/slug", 422 },
		{ "POST", "/v0/projects/p/jobs", "{}", "/workload", 422 },
		{ "POST", "/v0/tokens", "{\"name\":\"a\",\"scopes\":[\"god\"]}", "/scopes/0",
			422 },
		{ "POST", "/v0/tokens", "{\"name\":\"a\",\"scopes\":[\"read\"],\"til\":1}",
			"/til", 422 },
		{ "PUT", "/v0/projects/p/workloads/w", "{\"kind\":\"kernel\",\"kernal\":\"x\"}",
			"/kernal", 422 },
	};

	begin();
	a_project("p");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		call(cases[i].method, cases[i].target, cases[i].body);
		ck_assert_msg(reply.status == cases[i].status, "%s %s: %d %s", cases[i].target,
			cases[i].body, reply.status, buf_str(&reply.body));
		ck_assert_str_eq(
			reply_header(&reply, "Content-Type"), "application/problem+json");
		ck_assert_ptr_nonnull(text_of("/message")); /* Bencher's */
		if (cases[i].pointer)
			ck_assert_str_eq(text_of("/errors/0/pointer"), cases[i].pointer);
	}
	end();
}
END_TEST

/* --- hooks --- */

static struct hook a_hook = { .name = "orbit",
	.repository = "ada/orbit",
	.secrets = { { "It's a Secret to Everybody" }, 1 } };
static const struct hooks all_hooks = { &a_hook, 1 };
static const char *const signed_hello[] = { "Content-Type", "application/json",
	"X-GitHub-Event", "push", "X-GitHub-Delivery", "d-1", "X-Hub-Signature-256",
	"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", NULL };

static const char *const signed_issue[] = { "Content-Type", "application/json",
	"X-GitHub-Event", "issues", "X-GitHub-Delivery", "d-2", "X-Hub-Signature-256",
	"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", NULL };

START_TEST(a_delivery_needs_no_token_but_its_signature)
{
	struct delivery d;

	begin();
	app.hooks = &all_hooks;
	config.require_tokens = true;
	call_with("POST", "/v0/hooks/orbit", "Hello, World!", signed_hello);
	status_is(202);
	ck_assert_uint_eq(reply.wake, WAKE_HOOKS);
	ok(store_delivery_find_forge(db, mem, "orbit", "d-1", &d, &err));
	ck_assert_mem_eq(d.body, "Hello, World!", 13);
	ck_assert_str_eq(d.state, "received");
	call_with("POST", "/v0/hooks/orbit", "Hello, World!", signed_hello);
	status_is(200);
	ck_assert_uint_eq(reply.wake, 0);
	call_with("POST", "/v0/hooks/orbit", "Hello, world!", signed_hello);
	status_is(401);
	call_with("POST", "/v0/hooks/orbit", "Hello, World!", signed_issue);
	status_is(202);
	ck_assert_uint_eq(reply.wake, 0);
	ok(store_delivery_find_forge(db, mem, "orbit", "d-2", &d, &err));
	ck_assert_str_eq(d.state, "ignored");
	ck_assert_uint_eq(d.n_body, 0);
	call("GET", "/v0/hooks/deliveries", NULL);
	status_is(401);
	call("GET", "/v0/deliveries", NULL);
	status_is(401);
	config.require_tokens = false;
	call("GET", "/v0/hooks/deliveries", NULL);
	status_is(200);
	ck_assert_str_eq(text_of("/0/id"), "d-2");
	ck_assert_ptr_null(reply_header(&reply, "Link"));
	call("GET", "/v0/hooks/deliveries?limit=1", NULL);
	call("GET",
		arena_printf(mem, "/v0/hooks/deliveries?limit=1&cursor=%s", text_of("/0/uuid")),
		NULL);
	ck_assert_str_eq(text_of("/0/id"), "d-1");
	ck_assert_ptr_nonnull(strstr(reply_header(&reply, "Link"), "limit=1&cursor="));
	app.hooks = NULL;
	call_with("POST", "/v0/hooks/orbit", "Hello, World!", signed_hello);
	status_is(404);
	end();
}
END_TEST

START_TEST(an_approval_names_a_whole_commit)
{
	struct project p;
	struct job j;
	char *path;

	begin();
	p = a_project("p");
	j = add_job(p.id, "orbit", PRIORITY_PUSH);
	path = arena_printf(mem, "/v0/projects/p/jobs/%s/approve", j.uuid);
	call("POST", path, "{}");
	status_is(422);
	ck_assert_str_eq(text_of("/errors/0/pointer"), "/hash");
	call("POST", path, "{\"hash\":\"1111111\"}");
	status_is(422);
	config.require_tokens = true;
	call("POST", path, "{\"hash\":\"1111111111111111111111111111111111111111\"}");
	status_is(401);
	config.require_tokens = false;
	end();
}
END_TEST

extern const struct embed openapi_files[];

static json_t *hand_written(void)
{
	struct error e;
	json_t *j = NULL;

	ck_assert_msg(json_parse((const char *)openapi_files[0].data, openapi_files[0].n, &j,
			      &e) == OK,
		"%s", e.text);
	return j;
}

START_TEST(the_route_table_and_the_api_document_agree)
{
	json_t *hand = hand_written(), *details;
	json_t *operations = json_object_get(hand, "operations");
	const char *key;
	size_t n = 0;

	for (const struct route *r = routes; r->method; r++, n++) {
		char name[256];

		snprintf(name, sizeof(name), "%s %s", r->method, r->path);
		details = json_object_get(operations, name);
		ck_assert_msg(details != NULL, "openapi.json lacks %s", name);
		ck_assert_msg(
			(r->max_body > 0 && !strstr(r->path, "}/cancel") &&
				!strstr(r->path, "}/run") && !strstr(r->path, "}/redeliver")) ==
				(json_object_get(details, "body") ||
					json_object_get(details, "form")),
			"%s: a body in one of the two only", name);
		ck_assert_msg(r->summary && *r->summary, "%s has no summary", name);
	}
	json_object_foreach (operations, key, details) {
		const struct route *r = routes;
		const char *space = strchr(key, ' ');

		ck_assert_ptr_nonnull(space);
		while (r->method && (strncmp(key, r->method, (size_t)(space - key)) ||
					    strcmp(space + 1, r->path)))
			r++;
		ck_assert_msg(r->method != NULL, "openapi.json has %s, the table not", key);
	}
	ck_assert_uint_eq(n, json_object_size(operations));
	json_decref(hand);
}
END_TEST

/* Every "$ref" of the document leads somewhere. */
static void follow(const json_t *root, const json_t *j, int *n)
{
	const char *key, *ref = json_get_str(j, "$ref", NULL);
	size_t i;
	json_t *v;

	if (ref) {
		json_t *to = (json_t *)root;
		char *path = arena_strdup(mem, ref + 2), *save = NULL;

		for (char *s = strtok_r(path, "/", &save); s; s = strtok_r(NULL, "/", &save))
			to = json_object_get(to, s);
		ck_assert_msg(to != NULL, "%s leads nowhere", ref);
		(*n)++;
	}
	json_object_foreach ((json_t *)j, key, v)
		follow(root, v, n);
	json_array_foreach (j, i, v)
		follow(root, v, n);
}

START_TEST(the_api_document_is_whole)
{
	int n = 0;

	begin();
	ck_assert_int_eq(get("/openapi.json"), 200);
	ck_assert_str_eq(text_of("/openapi"), "3.1.0");
	follow(doc, doc, &n);
	ck_assert_int_gt(n, 200);
	ck_assert_ptr_nonnull(json_object_get(
		json_object_get(json_object_get(doc, "paths"), "/v0/projects/{project}/jobs"),
		"post"));
	end();
}
END_TEST

START_TEST(metrics_count_jobs_by_state)
{
	begin();
	add_job(a_project("p").id, "w", PRIORITY_MANUAL);
	ck_assert_int_eq(get("/metrics"), 200);
	ck_assert(strstr(buf_str(&reply.body), "benchd_jobs{state=\"queued\"} 1\n"));
	ck_assert(strstr(buf_str(&reply.body), "benchd_build_info{version=\"0.1.0\"} 1\n"));
	ck_assert_str_eq(buf_str(&reply.body) + reply.body.len - 6, "# EOF\n");
	end();
}
END_TEST

SUITE("handlers", a_delivery_needs_no_token_but_its_signature, an_approval_names_a_whole_commit,
	the_server_tells_its_version_health_and_help,
	the_bencher_client_gets_its_own_version_back,
	a_project_is_made_read_changed_and_removed,
	the_first_write_that_names_a_project_makes_it,
	branches_testbeds_benchmarks_and_measures_have_the_same_five_requests,
	a_branch_tells_its_head_and_its_start_point, lists_are_paged_as_bencher_does,
	a_list_comes_as_text_markdown_and_csv, a_report_has_benchers_shape,
	what_has_no_generation_has_a_tag_of_its_bytes, an_unchanged_report_is_not_sent_again,
	filing_a_job_answers_202_with_its_place,
	waiting_for_a_job_ends_with_202_when_the_time_is_over, a_key_files_a_job_once,
	jobs_are_listed_by_state_and_page, a_job_of_another_project_is_not_found,
	a_job_is_cancelled_once, events_log_and_processes_of_a_job_are_told,
	a_report_of_a_job_tells_the_spread_of_its_processes,
	a_workload_is_saved_checked_expanded_and_removed,
	a_series_is_found_by_its_four_names_and_by_its_id,
	fail_on_turns_an_outcome_into_409_with_the_same_body,
	an_alert_is_triaged_and_its_point_counts_again,
	an_alert_shows_where_the_environments_differ,
	a_token_is_shown_once_and_holds_what_it_may, anonymous_readers_see_public_projects_only,
	bad_bodies_name_the_member, the_route_table_and_the_api_document_agree,
	the_api_document_is_whole, metrics_count_jobs_by_state)
