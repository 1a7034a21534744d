/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Graphs of jobs: every node once, in order; what follows from a failure; suites in the middle;
 * priorities that age; slots. */
#include "tests/lib/store.h"

#include "base/clock.h"
#include "daemon/queue/queue.h"

enum { MANY = 100 };
static struct queue_rules rules;
static int order[2000], n_order;

static void begin(void)
{
	json_t *o;
	static const char text[] =
		"{\"x\":{\"name\":\"x\",\"kind\":\"command\",\"command\":[\"x\"]},"
		"\"s\":{\"name\":\"s\",\"kind\":\"command\",\"command\":[\"s\"],"
		"\"slot\":\"shared\"},"
		"\"c\":{\"name\":\"c\",\"kind\":\"command\",\"command\":[\"c\"],"
		"\"tags\":[\"control\"]},"
		"\"m\":{\"name\":\"m\",\"kind\":\"command\",\"command\":[\"m\",\"{a}\",\"{b}\"]"
		","
		"\"parameters\":{\"a\":1,\"b\":1},\"slot\":\"shared\"},"
		"\"all\":{\"name\":\"all\",\"kind\":\"suite\",\"control\":\"c\","
		"\"workloads\":[\"x\",\"s\",\"c\"]}}";

	start();
	n_order = 0;
	ok(json_parse(text, strlen(text), &o, &err));
	rules = (struct queue_rules){
		.testbed = "host", .max_attempts = 3, .workloads = arena_own_json(mem, o)
	};
}

static struct job file_with(const char *workload, json_t *depends_on, const char *priority)
{
	const struct filing f = { .project = "p",
		.may_create_project = true,
		.submitter = "tester",
		.trigger = "api",
		.now_ns = T0 };
	json_t *body = arena_own_json(mem, json_pack("{ss}", "workload", workload));
	struct job j;

	if (depends_on)
		json_object_set_new(body, "depends_on", depends_on);
	json_set_opt(body, "priority", priority);
	ok(queue_file_job(db, mem, &rules, &f, body, &j, &err));
	return j;
}

static json_t *on(json_t *list, const struct job *j, const char *need)
{
	if (!list)
		list = json_array();
	json_array_append_new(list, json_pack("{ss ss}", "job", j->uuid, "on", need));
	return list;
}

static struct job again(const struct job *j)
{
	struct job read;

	ok(store_job_get(db, mem, j->id, &read, &err));
	return read;
}

/* Run whatever is ready, one after the other; the job numbered `fails` fails. */
static void run_all(int64_t fails)
{
	static const struct slots all_free = { .has_exclusive = true, .n_shared = 4 };
	struct job j;

	while (queue_claim(db, mem, &all_free, 1, T0, NS_PER_S, &j, &err) == OK) {
		order[n_order++] = (int)j.id;
		ok(queue_finish(db, &j, j.id == fails ? JOB_FAILED : JOB_SUCCEEDED,
			j.id == fails ? FAULT_PROGRAM : FAULT_NONE, "", T0, &err));
	}
}

static int place(const struct job *j)
{
	int at = -1;

	for (int i = 0; i < n_order; i++)
		if (order[i] == j->id) {
			ck_assert_int_eq(at, -1); /* once */
			at = i;
		}
	return at;
}

START_TEST(the_six_nodes_run_once_each_in_order)
{
	struct job a, b, c, d, e, f;

	begin();
	a = file_with("x", NULL, NULL);
	b = file_with("x", NULL, NULL);
	c = file_with("x", NULL, NULL);
	d = file_with("x", on(on(NULL, &a, "success"), &b, "success"), NULL);
	e = file_with("x", on(on(NULL, &b, "success"), &c, "success"), NULL);
	f = file_with("x", on(on(NULL, &d, "success"), &e, "success"), NULL);
	run_all(0);
	ck_assert_int_eq(n_order, 6);
	ck_assert(place(&d) > place(&a) && place(&d) > place(&b));
	ck_assert(place(&e) > place(&b) && place(&e) > place(&c));
	ck_assert(place(&f) > place(&d) && place(&f) > place(&e));
	finish();
}
END_TEST

START_TEST(a_chain_of_a_hundred_runs_in_order)
{
	struct job j[MANY];

	begin();
	for (int i = 0; i < MANY; i++)
		j[i] = file_with("x", i ? on(NULL, &j[i - 1], "success") : NULL, NULL);
	run_all(0);
	ck_assert_int_eq(n_order, MANY);
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(place(&j[i]), i);
	finish();
}
END_TEST

START_TEST(sixty_branches_join_in_one)
{
	struct job first, last, j[60];
	json_t *all = NULL;

	begin();
	first = file_with("x", NULL, NULL);
	for (int i = 0; i < 60; i++) {
		j[i] = file_with("s", on(NULL, &first, "success"), NULL);
		all = on(all, &j[i], "success");
	}
	last = file_with("x", all, NULL);
	run_all(0);
	ck_assert_int_eq(n_order, 62);
	ck_assert_int_eq(place(&first), 0);
	ck_assert_int_eq(place(&last), 61);
	finish();
}
END_TEST

START_TEST(a_failure_in_the_middle_cancels_what_needs_it_and_nothing_else)
{
	struct job j[10], cleanup;
	struct job_event *events;
	const struct touched_job *touched;
	size_t n;

	begin();
	for (int i = 0; i < 10; i++)
		j[i] = file_with("x", i ? on(NULL, &j[i - 1], "success") : NULL, NULL);
	cleanup = file_with("x", on(NULL, &j[9], "any"), NULL);
	queue_take_touched(mem, &touched);
	run_all(j[4].id);
	ck_assert_int_eq(n_order, 6);
	ck_assert_int_eq(again(&j[3]).state, JOB_SUCCEEDED);
	for (int i = 5; i < 10; i++) {
		struct job c = again(&j[i]);

		ck_assert_int_eq(c.state, JOB_CANCELED);
		ck_assert_str_eq(c.reason, "a job that it depends on did not succeed");
		ck_assert_int_eq(c.finished_ns, T0);
		/* The last event of each is its end: who follows it is told. */
		ok(store_job_events(db, mem, c.id, 0, 100, &events, &n, &err));
		ck_assert_str_eq(events[n - 1].kind, "done");
	}
	ck_assert_int_eq(again(&cleanup).state, JOB_SUCCEEDED);
	n = queue_take_touched(mem, &touched);
	ck_assert_uint_ge(n, 6 + 5);
	for (size_t i = 0; i < n; i++)
		ck_assert(touched[i].is_final ==
			  (strcmp(touched[i].uuid, cleanup.uuid) != 0 || i == n - 1));
	ck_assert_uint_eq(queue_take_touched(mem, &touched), 0);
	finish();
}
END_TEST

START_TEST(a_suite_behind_a_failure_ends)
{
	struct job first, suite;

	begin();
	first = file_with("x", NULL, NULL);
	suite = file_with("all", on(NULL, &first, "success"), NULL);
	ck_assert_int_eq(suite.state, JOB_BLOCKED);
	run_all(first.id);
	suite = again(&suite);
	ck_assert_int_eq(suite.state, JOB_FAILED);
	ck_assert_str_eq(suite.reason, "3 of its 3 jobs did not succeed");
	finish();
}
END_TEST

START_TEST(a_control_runs_before_the_rest_of_its_suite_whatever_becomes_of_it)
{
	struct job suite, control;
	int64_t *ids;
	size_t n;

	begin();
	suite = file_with("all", NULL, NULL);
	ok(store_job_awaited(db, mem, suite.id, &ids, &n, &err));
	ck_assert_uint_eq(n, 3);
	ok(store_job_get(db, mem, ids[0], &control, &err));
	ck_assert_str_eq(control.name, "c");
	ck_assert_int_eq(control.state, JOB_QUEUED);
	run_all(control.id);
	ck_assert_int_eq(n_order, 3);
	ck_assert_int_eq(order[0], (int)control.id);
	ck_assert_str_eq(again(&suite).reason, "1 of its 3 jobs did not succeed");
	finish();
}
END_TEST

START_TEST(cancelling_a_suite_cancels_its_members)
{
	struct job suite, j;
	int64_t counts[job_state_count];

	begin();
	suite = file_with("all", NULL, NULL);
	ok(queue_cancel(db, mem, suite.uuid, "me", T0, &j, &err));
	ck_assert_int_eq(again(&suite).state, JOB_CANCELED);
	ok(store_job_counts(db, counts, &err));
	ck_assert_int_eq(counts[JOB_CANCELED], 4);
	run_all(0);
	ck_assert_int_eq(n_order, 0);
	finish();
}
END_TEST

START_TEST(what_waits_long_enough_overtakes)
{
	const struct slots all_free = { .has_exclusive = true };
	struct job old, j;

	begin();
	old = file_with("x", NULL, "backfill");
	/* Four hours: backfill has risen past nightly and bisect to push, and is older. */
	for (int h = 1; h <= 4; h++)
		ok(queue_tick(db, mem, &rules, T0 + h * 3600 * NS_PER_S, &err));
	file_with("x", NULL, "push");
	ok(queue_claim(db, mem, &all_free, 1, T0, NS_PER_S, &j, &err));
	ck_assert_int_eq(j.id, old.id);
	/* But never past what a person waits for. */
	file_with("x", NULL, "backfill");
	for (int h = 5; h <= 24; h++)
		ok(queue_tick(db, mem, &rules, T0 + h * 3600 * NS_PER_S, &err));
	old = file_with("x", NULL, "manual");
	ok(queue_claim(db, mem, &all_free, 1, T0, NS_PER_S, &j, &err));
	ck_assert_int_eq(j.id, old.id);
	finish();
}
END_TEST

START_TEST(an_exclusive_job_at_the_head_is_not_starved_by_shared_ones)
{
	struct slots busy = {
		.has_exclusive = true, .has_running_shared = true, .n_shared = 3
	};
	struct job exclusive, j;

	begin();
	exclusive = file_with("x", NULL, NULL);
	for (int i = 0; i < 5; i++)
		file_with("s", NULL, NULL);
	ck_assert_int_eq(queue_claim(db, mem, &busy, 1, T0, NS_PER_S, &j, &err), E_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err.text, exclusive.uuid));
	busy.has_running_shared = false;
	ok(queue_claim(db, mem, &busy, 1, T0, NS_PER_S, &j, &err));
	ck_assert_int_eq(j.id, exclusive.id);
	finish();
}
END_TEST

START_TEST(a_job_for_another_host_waits_for_it_when_its_dependencies_are_met)
{
	const struct filing f = { .project = "p", .submitter = "t", .trigger = "api" };
	struct job first, other;
	json_t *body;

	begin();
	first = file_with("x", NULL, NULL);
	body = arena_own_json(mem, json_pack("{ss ss so}", "workload", "x", "testbed",
					   "elsewhere", "depends_on", on(NULL, &first, "any")));
	ok(queue_file_job(db, mem, &rules, &f, body, &other, &err));
	ck_assert_int_eq(other.state, JOB_BLOCKED);
	run_all(0);
	ck_assert_int_eq(n_order, 1);
	other = again(&other);
	ck_assert_int_eq(other.state, JOB_WAITING_HOST);
	ck_assert_ptr_nonnull(strstr(other.reason, "no worker of the testbed 'elsewhere'"));
	finish();
}
END_TEST

static int file_steps(const char *steps, struct job *ret)
{
	const struct filing f = { .project = "p",
		.may_create_project = true,
		.may_exec = true,
		.submitter = "tester",
		.trigger = "api",
		.now_ns = T0 };
	json_t *o, *body;

	ok(json_parse(steps, strlen(steps), &o, &err));
	body = arena_own_json(mem, json_pack("{s{ss ss so}}", "definition", "name", "graph",
					   "kind", "suite", "steps", o));
	rules.allow_adhoc_commands = true;
	return queue_file_job(db, mem, &rules, &f, body, ret, &err);
}

START_TEST(steps_with_a_matrix_run_in_order)
{
	struct job suite, j;
	int64_t *ids, *waits;
	size_t n, n_waits;

	begin();
	ok(file_steps("{\"last\":{\"workload\":\"x\",\"after\":[\"wide\"],\"on\":\"any\"},"
		      "\"wide\":{\"workload\":\"m\",\"matrix\":{\"a\":[1,2,3],\"b\":[4,5]},"
		      "\"after\":[\"first\"]},\"first\":{\"workload\":\"x\"}}",
		&suite));
	ok(store_job_awaited(db, mem, suite.id, &ids, &n, &err));
	ck_assert_uint_eq(n, 1 + 6 + 1);
	ok(store_job_awaited(db, mem, ids[7], &waits, &n_waits, &err));
	ck_assert_uint_eq(n_waits, 6);
	ok(store_job_get(db, mem, ids[3], &j, &err));
	ck_assert_str_eq(j.name, "m");
	ck_assert_ptr_nonnull(strstr(j.parameters_json, "\"a\":3"));
	run_all(ids[2]); /* one of the six fails: the last one runs all the same */
	ck_assert_int_eq(n_order, 8);
	ck_assert_int_eq(order[0], (int)ids[0]);
	ck_assert_int_eq(order[7], (int)ids[7]);
	ck_assert_str_eq(again(&suite).reason, "1 of its 8 jobs did not succeed");
	finish();
}
END_TEST

START_TEST(steps_in_a_circle_are_refused_with_the_circle)
{
	struct job j;

	begin();
	refused(file_steps("{\"z\":{\"workload\":\"x\",\"after\":[\"a\"]},"
			   "\"a\":{\"workload\":\"x\",\"after\":[\"b\"]},"
			   "\"b\":{\"workload\":\"x\",\"after\":[\"c\"]},"
			   "\"c\":{\"workload\":\"x\",\"after\":[\"a\"]}}",
			&j),
		E_UNPROCESSABLE, "wait for each other in a circle: a -> b -> c -> a");
	ck_assert_str_eq(err.field, "/definition/steps");
	refused(file_steps("{\"a\":{\"workload\":\"x\",\"after\":[\"a\"]}}", &j),
		E_UNPROCESSABLE, "circle: a -> a");
	refused(file_steps("{\"build\":{\"workload\":\"x\"},"
			   "\"b\":{\"workload\":\"x\",\"after\":[\"biuld\"]}}",
			&j),
		E_UNPROCESSABLE, "did you mean 'build'");
	refused(file_steps("{\"a\":{\"workload\":\"x\",\"matrix\":{\"n\":[]}}}", &j),
		E_UNPROCESSABLE, "must be a list of");
	refused(file_steps("{}", &j), E_UNPROCESSABLE, "1 to 500 members");
	finish();
}
END_TEST

START_TEST(a_graph_of_a_hundred_steps_runs_each_once)
{
	struct job suite;
	struct buf text = { 0 };

	begin();
	buf_add_char(&text, '{');
	for (int i = 0; i < 100; i++)
		buf_printf(&text, "%s\"s%d\":{\"workload\":\"s\",\"after\":[%s%.0d%s]}",
			i ? "," : "", i, i > 2 ? "\"s" : "", i > 2 ? i / 2 : 0,
			i > 2 ? "\"" : "");
	buf_add_char(&text, '}');
	ok(file_steps(buf_str(&text), &suite));
	buf_done(&text);
	run_all(0);
	ck_assert_int_eq(n_order, 100);
	for (int i = 0; i < n_order; i++)
		for (int k = 0; k < i; k++)
			ck_assert_int_ne(order[i], order[k]);
	ck_assert_int_eq(again(&suite).state, JOB_SUCCEEDED);
	finish();
}
END_TEST

SUITE("queue_graph", the_six_nodes_run_once_each_in_order, a_chain_of_a_hundred_runs_in_order,
	sixty_branches_join_in_one,
	a_failure_in_the_middle_cancels_what_needs_it_and_nothing_else,
	a_suite_behind_a_failure_ends,
	a_control_runs_before_the_rest_of_its_suite_whatever_becomes_of_it,
	cancelling_a_suite_cancels_its_members, what_waits_long_enough_overtakes,
	an_exclusive_job_at_the_head_is_not_starved_by_shared_ones,
	a_job_for_another_host_waits_for_it_when_its_dependencies_are_met,
	steps_with_a_matrix_run_in_order, steps_in_a_circle_are_refused_with_the_circle,
	a_graph_of_a_hundred_steps_runs_each_once)
