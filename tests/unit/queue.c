/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/lib/store.h"

#include "daemon/queue/queue.h"

static struct queue_rules rules;

static json_t *parse(const char *text)
{
	json_t *o;

	ok(json_parse(text, strlen(text), &o, &err));
	return arena_own_json(mem, o);
}

static void begin(void)
{
	start();
	rules = (struct queue_rules){ .testbed = "bench01",
		.allow_adhoc_commands = true,
		.max_attempts = 3,
		.workloads = parse(
			"{\"saxpy\":{\"name\":\"saxpy\",\"kind\":\"build\",\"repository\":\"/"
			"r\","
			"\"benchmarks\":[{\"name\":\"a\",\"command\":[\"./a\"]},"
			"{\"name\":\"b\",\"command\":[\"./b\"]}]},"
			"\"sort\":{\"name\":\"sort\",\"kind\":\"command\",\"command\":"
			"[\"sort\",\"{n}\"],\"parameters\":{\"n\":1},\"slot\":\"shared\"},"
			/* Globs match kernels too: 'so*' would be sort.radix as well. */
			"\"all\":{\"name\":\"all\",\"kind\":\"suite\",\"workloads\":"
			"[\"saxpy\",\"s?rt\"]}}") };
}

static int file_as(const struct filing *f, const char *body, struct job *ret)
{
	return queue_file_job(db, mem, &rules, f, parse(body), ret, &err);
}

static int file(const char *body, struct job *ret)
{
	const struct filing f = { .project = "p",
		.may_create_project = true,
		.may_exec = true,
		.submitter = "tester",
		.trigger = "api",
		.now_ns = T0 };

	return file_as(&f, body, ret);
}

static struct job filed(const char *body)
{
	struct job j;

	ok(file(body, &j));
	return j;
}

static struct job again(const struct job *j)
{
	struct job read;

	ok(store_job_get(db, mem, j->id, &read, &err));
	return read;
}

static const struct slots all_free = { .has_exclusive = true, .n_shared = 2 };

static struct job claimed(const struct slots *free)
{
	struct job j;

	ok(queue_claim(db, mem, free, 1, T0, NS_PER_S, &j, &err));
	return j;
}

/* --- filing --- */

START_TEST(a_job_keeps_its_whole_definition)
{
	struct job j;

	begin();
	j = filed("{\"workload\":\"saxpy\",\"head\":\"v1\",\"protocol\":{\"processes\":4}}");
	ck_assert_str_eq(j.kind, "build");
	ck_assert_str_eq(j.head_ref, "v1");
	ck_assert_ptr_null(j.head_hash);
	ck_assert_str_eq(j.branch, "main");
	ck_assert_int_eq(j.n_total, 8);
	rules.workloads = parse("{}"); /* the configuration changes afterwards */
	j = again(&j);
	ck_assert_ptr_nonnull(strstr(j.definition_json, "\"repository\":\"/r\""));
	ck_assert_ptr_nonnull(strstr(j.definition_json, "\"processes\":4"));
	finish();
}
END_TEST

START_TEST(a_build_without_head_takes_its_branch_or_the_default)
{
	begin();
	ck_assert_str_eq(filed("{\"workload\":\"saxpy\"}").head_ref, "HEAD");
	ck_assert_str_eq(filed("{\"workload\":\"saxpy\",\"branch\":\"dev\"}").head_ref, "dev");
	finish();
}
END_TEST

START_TEST(wrong_bodies_are_refused_by_name)
{
	struct job j;

	begin();
	refused(file("{\"workloat\":\"saxpy\"}", &j), E_UNPROCESSABLE, "workload");
	refused(file("{}", &j), E_UNPROCESSABLE, "'workload' or 'definition' is missing");
	refused(file("{\"workload\":\"saxpi\"}", &j), E_NOT_FOUND, "did you mean 'saxpy'");
	refused(file("{\"workload\":\"saxpy\",\"head\":\"-x\"}", &j), E_UNPROCESSABLE,
		"neither a commit hash nor a name");
	refused(file("{\"workload\":\"sort\",\"base\":\"v1\"}", &j), E_UNPROCESSABLE,
		"has no repository");
	refused(file("{\"workload\":\"sort\",\"head\":\"v1\"}", &j), E_UNPROCESSABLE,
		"commit hash of 40 digits");
	refused(file("{\"workload\":\"saxpy\",\"priority\":\"confirm\"}", &j), E_UNPROCESSABLE,
		"benchd's own re-runs");
	refused(file("{\"workload\":\"saxpy\",\"protocol\":{\"processes\":0}}", &j),
		E_UNPROCESSABLE, "processes");
	ck_assert_str_eq(err.field, "/protocol/processes");
	refused(file("{\"workload\":\"sort\",\"parameters\":{\"m\":1}}", &j), E_UNPROCESSABLE,
		"no parameter 'm'");
	finish();
}
END_TEST

START_TEST(commands_need_the_switch_and_the_scope)
{
	static const char body[] =
		"{\"definition\":{\"kind\":\"command\",\"command\":[\"true\"]}}";
	const struct filing f = {
		.project = "p", .may_create_project = true, .submitter = "x", .trigger = "api"
	};
	struct job j;

	begin();
	ck_assert_str_eq(filed(body).name, "true");
	ck_assert_str_eq(filed("{\"base_argv\":[\"/a/b\"],\"head_argv\":[\"./b\"]}").name, "b");
	ck_assert_str_eq(filed("{\"base_argv\":[\"a\"],\"head_argv\":[\"b\"]}").name, "adhoc");
	ck_assert_str_eq(filed("{\"definition\":{\"kind\":\"command\","
			       "\"command\":[\"./a b\"]}}")
				 .name,
		"adhoc");
	refused(file_as(&f, body, &j), E_FORBIDDEN, "allow_adhoc_commands");
	rules.allow_adhoc_commands = false;
	refused(file(body, &j), E_FORBIDDEN, "name a workload");
	refused(file("{\"base_argv\":[\"a\"],\"head_argv\":[\"b\"]}", &j), E_FORBIDDEN,
		"allow_adhoc_commands");
	finish();
}
END_TEST

START_TEST(a_kernel_needs_no_definition)
{
	struct job j;

	begin();
	j = filed("{\"workload\":\"stream.*\",\"parameters\":{\"size\":\"1Mi\"}}");
	ck_assert_str_eq(j.name, "stream.*");
	ck_assert_str_eq(j.kind, "kernel");
	finish();
}
END_TEST

START_TEST(another_testbed_waits_for_its_host)
{
	struct job j;

	begin();
	j = filed("{\"workload\":\"saxpy\",\"testbed\":\"bench02\"}");
	ck_assert_int_eq(j.state, JOB_WAITING_HOST);
	ck_assert_ptr_nonnull(strstr(j.reason, "bench02"));
	finish();
}
END_TEST

START_TEST(too_many_waiting_jobs_are_refused)
{
	_Atomic int64_t n = 5;
	struct job j;

	begin();
	rules.n_waiting = &n;
	rules.max_waiting = 6;
	filed("{\"workload\":\"saxpy\"}");
	refused(file("{\"workload\":\"saxpy\"}", &j), E_UNAVAILABLE, "queue.max_waiting");
	finish();
}
END_TEST

/* --- plans --- */

START_TEST(a_comparison_of_commits_has_two_arms)
{
	struct queue_plan plan;
	struct job j;

	begin();
	j = filed("{\"workload\":\"saxpy\",\"base\":\"v1\",\"head\":"
		  "\"1111111111111111111111111111111111111111\"}");
	j = again(&j);
	ok(queue_job_plan(mem, &j, &plan, &err));
	ck_assert(plan.has_base && plan.has_repository);
	ck_assert_uint_eq(plan.n_cells, 2);
	ck_assert_uint_eq(json_array_size(json_object_get(plan.spec, "arms")), 2);
	ck_assert_str_eq(
		json_get_str(json_array_get(json_object_get(plan.spec, "arms"), 0), "ref", ""),
		"v1");
	ck_assert_str_eq(
		json_get_str(json_array_get(json_object_get(plan.spec, "arms"), 1), "hash", ""),
		H1);
	finish();
}
END_TEST

START_TEST(two_commands_meet_in_one_cell)
{
	struct queue_plan plan;
	struct job j;
	json_t *by_arm;

	begin();
	j = filed("{\"base_argv\":[\"old\"],\"head_argv\":[\"new\",\"x\"]}");
	j = again(&j);
	ok(queue_job_plan(mem, &j, &plan, &err));
	by_arm = json_object_get(
		json_array_get(json_object_get(plan.spec, "cells"), 0), "argv_by_arm");
	ck_assert_uint_eq(json_array_size(json_object_get(by_arm, "base")), 1);
	ck_assert_uint_eq(json_array_size(json_object_get(by_arm, "head")), 2);
	finish();
}
END_TEST

START_TEST(two_settings_meet_under_a_name_without_what_they_differ_in)
{
	struct queue_plan plan, plain;
	struct job j;

	begin();
	j = filed("{\"workload\":\"sort\",\"base_parameters\":{\"n\":2},"
		  "\"head_parameters\":{\"n\":3}}");
	j = again(&j);
	ok(queue_job_plan(mem, &j, &plan, &err));
	ck_assert_uint_eq(plan.n_cells, 1);
	ck_assert_str_eq(plan.cells[0].suffix, "");
	ck_assert_ptr_null(json_object_get(plan.cells[0].parameters, "n"));
	/* Nor do they share iterations with a plain run, which each setting has its own of. */
	j = filed("{\"workload\":\"sort\",\"parameters\":{\"n\":3}}");
	j = again(&j);
	ok(queue_job_plan(mem, &j, &plain, &err));
	ck_assert_str_eq(plain.cells[0].suffix, "[n=3]");
	ck_assert_str_ne(plan.cells[0].definition_hash, plain.cells[0].definition_hash);
	finish();
}
END_TEST

START_TEST(a_rerun_measures_only_what_is_asked)
{
	static const char *const names[] = { "b" };
	const struct rerun_order what = { .head_hash = H2,
		.base_hash = H1,
		.benchmarks = names,
		.n_benchmarks = 1,
		.processes = 20 };
	struct queue_plan plan;
	struct job origin, j;

	begin();
	rules.allow_adhoc_commands = false;
	origin = filed("{\"workload\":\"saxpy\",\"branch\":\"dev\"}");
	origin = again(&origin);
	ok(queue_file_rerun(db, mem, &rules, &origin, &what, T0, &j, &err));
	ck_assert_int_eq(j.priority, PRIORITY_CONFIRM);
	ck_assert_str_eq(j.trigger, "confirm");
	ck_assert_str_eq(j.branch, "dev");
	j = again(&j);
	ok(queue_job_plan(mem, &j, &plan, &err));
	ck_assert_uint_eq(plan.n_cells, 1);
	ck_assert_str_eq(plan.cells[0].benchmark, "b");
	ck_assert_int_eq(plan.workload.protocol.processes, 20);
	ck_assert(plan.workload.protocol.adaptive);
	finish();
}
END_TEST

START_TEST(definition_hashes_do_not_change_in_a_rerun)
{
	static const char *const names[] = { "b" };
	const struct rerun_order what = { .head_hash = H2,
		.base_hash = H1,
		.benchmarks = names,
		.n_benchmarks = 1,
		.processes = 20 };
	struct queue_plan plan, plan_again;
	struct job origin, j;

	begin();
	origin = filed("{\"workload\":\"saxpy\"}");
	origin = again(&origin);
	ok(queue_job_plan(mem, &origin, &plan, &err));
	ok(queue_file_rerun(db, mem, &rules, &origin, &what, T0, &j, &err));
	j = again(&j);
	ok(queue_job_plan(mem, &j, &plan_again, &err));
	ck_assert_str_eq(plan.cells[1].definition_hash, plan_again.cells[0].definition_hash);
	finish();
}
END_TEST

/* --- claims --- */

START_TEST(priority_goes_first_and_then_age)
{
	struct job night, first, second;

	begin();
	night = filed("{\"workload\":\"saxpy\",\"priority\":\"nightly\"}");
	first = filed("{\"workload\":\"saxpy\"}");
	second = filed("{\"workload\":\"saxpy\"}");
	ck_assert_int_eq(claimed(&all_free).id, first.id);
	ck_assert_int_eq(claimed(&all_free).id, second.id);
	ck_assert_int_eq(claimed(&all_free).id, night.id);
	finish();
}
END_TEST

START_TEST(an_exclusive_job_waits_for_an_empty_host_and_holds_back_the_rest)
{
	const struct slots shared_runs = {
		.has_exclusive = true, .has_running_shared = true, .n_shared = 1
	};
	struct job j;

	begin();
	filed("{\"workload\":\"saxpy\"}"); /* exclusive, at the head of the queue */
	filed("{\"workload\":\"sort\"}");  /* shared, behind it */
	refused(queue_claim(db, mem, &shared_runs, 1, T0, NS_PER_S, &j, &err), E_NOT_FOUND,
		"waits for the host");
	ck_assert_str_eq(claimed(&all_free).name, "saxpy");
	finish();
}
END_TEST

START_TEST(nothing_starts_beside_an_exclusive_job)
{
	const struct slots busy = { .has_exclusive = false, .n_shared = 2 };
	struct job j;

	begin();
	filed("{\"workload\":\"sort\"}");
	refused(queue_claim(db, mem, &busy, 1, T0, NS_PER_S, &j, &err), E_NOT_FOUND, "waits");
	finish();
}
END_TEST

/* --- ends --- */

START_TEST(a_waiting_job_is_canceled_at_once_a_running_one_is_marked)
{
	struct job waiting, running, j;

	begin();
	running = filed("{\"workload\":\"saxpy\"}");
	waiting = filed("{\"workload\":\"saxpy\"}");
	running = claimed(&all_free);
	ok(queue_cancel(db, mem, waiting.uuid, "tester", T0, &j, &err));
	ck_assert_int_eq(j.state, JOB_CANCELED);
	ck_assert_str_eq(j.reason, "canceled by tester");
	ok(queue_cancel(db, mem, running.uuid, "tester", T0, &j, &err));
	ck_assert_int_eq(j.state, JOB_RUNNING);
	ck_assert_str_eq(j.phase, PHASE_CANCELING);
	ok(queue_cancel(db, mem, running.uuid, "other", T0, &j, &err));
	refused(queue_cancel(db, mem, waiting.uuid, "tester", T0, &j, &err), E_CONFLICT,
		"has ended already: canceled");
	/* Its worker dies: it ends as asked, not in the queue. */
	j = again(&running);
	ok(queue_put_back(db, &j, "lost", T0, &err));
	j = again(&running);
	ck_assert_int_eq(j.state, JOB_CANCELED);
	ck_assert_str_eq(j.reason, "canceled by tester");
	finish();
}
END_TEST

START_TEST(a_lost_job_is_put_back_until_its_attempts_are_used_up)
{
	struct job j;

	begin();
	filed("{\"workload\":\"saxpy\"}");
	for (int attempt = 1; attempt <= 3; attempt++) {
		j = claimed(&all_free);
		ck_assert_int_eq(j.attempt, attempt);
		ok(queue_put_back(db, &j, "the worker was killed", T0, &err));
		j = again(&j);
		ck_assert_int_eq(j.state, attempt < 3 ? JOB_QUEUED : JOB_FAILED);
	}
	ck_assert_int_eq(j.fault, FAULT_RUNNER);
	ck_assert_str_eq(j.reason, "the worker was killed");
	finish();
}
END_TEST

START_TEST(an_attempt_that_measured_something_is_not_counted)
{
	struct job j;

	begin();
	filed("{\"workload\":\"saxpy\"}");
	for (int attempt = 1; attempt <= 9; attempt++) {
		struct process p = {
			.cell = "0", .arm = ARM_HEAD, .termination = "exit", .record_json = "{}"
		};

		j = claimed(&all_free);
		ck_assert_int_eq(j.attempt, attempt);
		p.job_id = j.id;
		p.attempt = p.seq = p.index = attempt;
		if (attempt <= 6)
			ok(store_process_add(db, &p, NULL, 0, &err));
		ok(queue_put_back(db, &j, "the worker was killed", T0, &err));
		j = again(&j);
		ck_assert_int_eq(j.state, attempt < 9 ? JOB_QUEUED : JOB_FAILED);
	}
	finish();
}
END_TEST

START_TEST(an_old_attempt_is_fenced_off)
{
	struct job old, j;

	begin();
	filed("{\"workload\":\"saxpy\"}");
	old = claimed(&all_free);
	j = old;
	ok(queue_put_back(db, &j, "lost", T0, &err));
	claimed(&all_free);
	refused(queue_finish(db, &old, JOB_SUCCEEDED, FAULT_NONE, "", T0, &err), E_CONFLICT,
		"attempt");
	finish();
}
END_TEST

START_TEST(a_lease_that_ran_out_puts_the_job_back)
{
	struct job j;

	begin();
	filed("{\"workload\":\"saxpy\"}");
	j = claimed(&all_free);
	ok(queue_tick(db, mem, &rules, T0, &err));
	ck_assert_int_eq(again(&j).state, JOB_RUNNING);
	ok(queue_tick(db, mem, &rules, T0 + 2 * NS_PER_S, &err));
	ck_assert_int_eq(again(&j).state, JOB_QUEUED);
	finish();
}
END_TEST

START_TEST(a_retry_waits_for_its_time)
{
	struct job j;

	begin();
	j = filed("{\"workload\":\"saxpy\"}");
	j = again(&j);
	j.state = JOB_RETRY_WAIT;
	j.not_before_ns = T0 + NS_PER_S;
	ok(store_job_save(db, &j, -1, &err));
	ok(queue_tick(db, mem, &rules, T0, &err));
	ck_assert_int_eq(again(&j).state, JOB_RETRY_WAIT);
	ok(queue_tick(db, mem, &rules, T0 + NS_PER_S, &err));
	ck_assert_int_eq(again(&j).state, JOB_QUEUED);
	finish();
}
END_TEST

/* --- one job and another --- */

START_TEST(a_new_push_replaces_what_waits)
{
	static const char body[] = "{\"workload\":\"saxpy\",\"supersede_key\":\"push:main\"}";
	struct job running, waiting, newest;

	begin();
	filed(body);
	running = claimed(&all_free);
	waiting = filed(body);
	newest = filed(body);
	ck_assert_int_eq(again(&waiting).state, JOB_SUPERSEDED);
	ck_assert_ptr_nonnull(strstr(again(&waiting).reason, newest.uuid));
	ck_assert_str_eq(again(&running).phase, "");
	finish();
}
END_TEST

START_TEST(a_new_head_of_a_pull_request_ends_the_running_one_too)
{
	static const char body[] = "{\"workload\":\"saxpy\",\"supersede_key\":\"pr:7\"}";
	struct job running;

	begin();
	filed(body);
	running = claimed(&all_free);
	filed(body);
	ck_assert_str_eq(again(&running).phase, PHASE_SUPERSEDING);
	finish();
}
END_TEST

START_TEST(a_dependent_job_runs_after_success_and_never_after_failure)
{
	struct job first, after, any;
	char body[200];

	begin();
	first = filed("{\"workload\":\"saxpy\"}");
	snprintf(body, sizeof(body),
		"{\"workload\":\"sort\",\"depends_on\":[{\"job\":\"%s\"}]}", first.uuid);
	after = filed(body);
	snprintf(body, sizeof(body),
		"{\"workload\":\"sort\",\"depends_on\":[{\"job\":\"%s\",\"on\":\"any\"}]}",
		first.uuid);
	any = filed(body);
	ck_assert_int_eq(after.state, JOB_BLOCKED);
	first = claimed(&all_free);
	ok(queue_finish(db, &first, JOB_FAILED, FAULT_BUILD, "no", T0, &err));
	ck_assert_int_eq(again(&after).state, JOB_CANCELED);
	ck_assert_int_eq(again(&any).state, JOB_QUEUED);
	finish();
}
END_TEST

START_TEST(an_unknown_dependency_is_refused)
{
	struct job j;

	begin();
	refused(file("{\"workload\":\"sort\",\"depends_on\":[{\"job\":"
		     "\"00000000-0000-4000-8000-000000000000\"}]}",
			&j),
		E_UNPROCESSABLE, "there is no job");
	finish();
}
END_TEST

START_TEST(a_glob_in_a_suite_takes_workloads_and_kernels)
{
	struct job suite;

	begin();
	rules.workloads = parse(
		"{\"sort\":{\"name\":\"sort\",\"kind\":\"command\",\"command\":[\"sort\"]},"
		"\"all\":{\"name\":\"all\",\"kind\":\"suite\",\"workloads\":[\"sor*\"]}}");
	suite = filed("{\"workload\":\"all\"}");
	ck_assert_str_eq(claimed(&all_free).name, "sort");
	ck_assert_str_eq(claimed(&all_free).name, "sort.radix");
	refused(queue_claim(db, mem, &all_free, 1, T0, NS_PER_S, &suite, &err), E_NOT_FOUND,
		"");
	finish();
}
END_TEST

START_TEST(a_suite_ends_with_the_last_of_its_members)
{
	struct job suite, a, b;

	begin();
	suite = filed("{\"workload\":\"all\"}");
	ck_assert_int_eq(suite.state, JOB_BLOCKED);
	a = claimed(&all_free);
	ck_assert_str_eq(a.name, "saxpy");
	ok(queue_finish(db, &a, JOB_SUCCEEDED, FAULT_NONE, "", T0, &err));
	b = claimed(&all_free);
	ck_assert_str_eq(b.name, "sort");
	ck_assert_int_eq(again(&suite).state, JOB_BLOCKED);
	ok(queue_finish(db, &b, JOB_FAILED, FAULT_PROGRAM, "exit 1", T0, &err));
	suite = again(&suite);
	ck_assert_int_eq(suite.state, JOB_FAILED);
	ck_assert_str_eq(suite.reason, "1 of its 2 jobs did not succeed");
	finish();
}
END_TEST

START_TEST(a_merge_base_is_told_to_the_worker_and_needs_a_base)
{
	struct queue_plan plan;
	struct job j;

	begin();
	j = filed("{\"workload\":\"saxpy\",\"head\":\"dev\",\"base\":\"main\",\"merge_base\":"
		  "true}");
	ok(queue_job_plan(mem, &j, &plan, &err));
	ck_assert(plan.is_merge_base);
	ck_assert(json_get_bool(
		json_array_get(json_object_get(plan.spec, "arms"), 0), "merge_base", false));
	ck_assert_msg(plan.finds_branch, "a job that names no branch takes that of its head");
	ck_assert(json_get_bool(
		json_array_get(json_object_get(plan.spec, "arms"), 1), "find_branch", false));
	j = filed("{\"workload\":\"saxpy\",\"head\":\"dev\",\"branch\":\"mine\"}");
	ok(queue_job_plan(mem, &j, &plan, &err));
	ck_assert(!plan.finds_branch);
	refused(file("{\"workload\":\"saxpy\",\"merge_base\":true}", &j), E_UNPROCESSABLE,
		"'merge_base' needs 'base'");
	j = filed("{\"workload\":\"saxpy\",\"head\":\"dev\",\"base\":\"main\","
		  "\"paths_ignore\":[\"*.md\"]}");
	ok(queue_job_plan(mem, &j, &plan, &err));
	ck_assert_str_eq(json_string_value(
				 json_array_get(json_object_get(plan.spec, "paths_ignore"), 0)),
		"*.md");
	ck_assert_ptr_null(json_object_get(plan.spec, "paths"));
	refused(file("{\"workload\":\"saxpy\",\"paths\":[\"*.c\"]}", &j), E_UNPROCESSABLE,
		"patterns of files need 'base'");
	refused(file("{\"workload\":\"saxpy\",\"base\":\"main\",\"paths\":[1]}", &j),
		E_UNPROCESSABLE, "a pattern must be a string");
	finish();
}
END_TEST

START_TEST(a_commit_from_outside_waits_until_that_very_commit_is_approved)
{
	const struct filing f = { .project = "p",
		.may_create_project = true,
		.awaits_approval = true,
		.submitter = "hook",
		.trigger = "hook",
		.now_ns = T0 };
	_cleanup_(free)
	char *body = xasprintf("{\"workload\":\"saxpy\",\"head\":\"%s\"}", H1);
	struct job j;

	begin();
	ok(file_as(&f, body, &j));
	ck_assert_int_eq(j.state, JOB_AWAITING_APPROVAL);
	refused(queue_claim(db, mem, &all_free, 1, T0, NS_PER_S, &j, &err), E_NOT_FOUND, "");
	ok(file_as(&f, body, &j));
	refused(queue_approve(db, mem, j.uuid, H2, "ada", T0, &j, &err), E_CONFLICT,
		"measures commit 1111111111111111111111111111111111111111, not 2222");
	ok(queue_approve(db, mem, j.uuid, H1, "ada", T0, &j, &err));
	ck_assert_int_eq(claimed(&all_free).id, j.id);
	refused(queue_approve(db, mem, j.uuid, H1, "ada", T0, &j, &err), E_CONFLICT,
		"awaits no approval: it is running");
	refused(file_as(&f, "{\"workload\":\"saxpy\",\"depends_on\":[{\"job\":\"x\"}]}", &j),
		E_UNPROCESSABLE, "cannot wait for another one");
	finish();
}
END_TEST

/* --- devices ------------------------------------------------------------------------------ */

#define DEVICE_UUID "00112233445566778899aabbccddeeff"
#define DEVICE_KEY "\"uuid\":\"" DEVICE_UUID "\",\"driver_id\":5"

static struct device probe_finds(const char *more)
{
	struct device d;

	ok(queue_devices_seen(db, mem, "bench01",
		parse(arena_printf(mem,
			"[{" DEVICE_KEY ",\"name\":\"card\",\"driver\":\"drv\"%s}]", more)),
		T0, &err));
	ok(queue_device_find(db, mem, "bench01", DEVICE_UUID, &d, &err));
	return d;
}

static struct device a_job_ends(const char *how, int succeeded)
{
	struct job j = { .uuid = arena_printf(mem, "job-%s-%d", how, succeeded) };
	struct device d;

	ok(queue_devices_ended(db, mem, &j, "bench01",
		parse(arena_printf(mem, "[{" DEVICE_KEY ",\"succeeded\":%d,\"ended\":\"%s\"}]",
			succeeded, how)),
		T0, &err));
	ok(queue_device_find(db, mem, "bench01", DEVICE_UUID, &d, &err));
	return d;
}

static size_t n_refused(const char *argv)
{
	json_t *spec = parse(arena_printf(mem, "{\"cells\":[{\"argv\":[%s]}]}", argv));

	ok(queue_devices_refuse(db, mem, "bench01", spec, &err));
	return json_array_size(json_object_get(spec, "refused_devices"));
}

START_TEST(two_losses_in_a_row_quarantine_a_device)
{
	struct device d;

	begin();
	d = probe_finds("");
	ck_assert_int_eq(d.state, DEVICE_OK);
	ck_assert_int_eq(a_job_ends("lost", 0).n_losses, 1);
	ck_assert_int_eq(a_job_ends("crashed", 0).n_losses, 1);
	ck_assert_int_eq(a_job_ends("", 3).n_losses, 0);
	ck_assert_int_eq(a_job_ends("lost", 2).n_losses, 1); /* after successes of its own */
	ck_assert_uint_eq(n_refused("\"--backend=vulkan\""), 0);
	d = a_job_ends("lost", 0);
	ck_assert_int_eq(d.state, DEVICE_QUARANTINED);
	ck_assert_ptr_nonnull(strstr(d.reason, "by job job-lost-2 at"));
	ck_assert_ptr_nonnull(strstr(d.reason, "by job job-lost-0 at"));
	ck_assert_uint_eq(n_refused("\"--backend=vulkan\""), 1);
	ck_assert_uint_eq(n_refused("\"--backend=simd\""), 0);
	/* neither a probe nor a success of a job that ran already changes that */
	ck_assert_int_eq(probe_finds("").state, DEVICE_QUARANTINED);
	ck_assert_int_eq(a_job_ends("", 1).state, DEVICE_QUARANTINED);
}
END_TEST

START_TEST(an_operator_clears_a_device_and_that_is_kept)
{
	struct device_event *e;
	struct device d;
	size_t n;

	begin();
	probe_finds("");
	ck_assert_int_eq(
		queue_device_clear(db, mem, "bench01", DEVICE_UUID, "op", "", T0, &d, &err),
		E_CONFLICT);
	ck_assert_ptr_nonnull(strstr(err.text, "there is nothing to clear"));
	a_job_ends("lost", 0);
	a_job_ends("lost", 0);
	ok(queue_device_clear(db, mem, "bench01", "00112233-44556677-8899AABBCCDDEEFF.5", "op",
		"new card", T0 + 5, &d, &err));
	ck_assert_int_eq(d.state, DEVICE_OK);
	ck_assert_int_eq(d.n_losses, 0);
	ck_assert_str_eq(d.cleared_by, "op");
	ok(store_device_events(db, mem, d.id, 10, &e, &n, &err));
	ck_assert_uint_eq(n, 4);
	ck_assert_str_eq(e[0].kind, "cleared");
	ck_assert_str_eq(e[0].actor, "op");
	ck_assert_str_eq(e[0].text, "new card");
	ck_assert_int_eq(e[0].at_ns, T0 + 5);
	ck_assert_str_eq(e[1].kind, "quarantined");
	ck_assert_uint_eq(n_refused("\"--backend=vulkan\""), 0);
	ck_assert_int_eq(a_job_ends("lost", 0).state, DEVICE_OK);
}
END_TEST

START_TEST(a_wedged_device_recovers_when_its_lock_is_free_and_a_probe_finds_it)
{
	begin();
	probe_finds("");
	ck_assert_int_eq(a_job_ends("wedged", 0).state, DEVICE_WEDGED);
	ck_assert_uint_eq(n_refused("\"--backend=vulkan\""), 1);
	ck_assert_int_eq(probe_finds(",\"held\":true").state, DEVICE_WEDGED);
	ck_assert_int_eq(probe_finds(",\"unusable\":\"lost\"").state, DEVICE_WEDGED);
	ok(queue_devices_seen(db, mem, "bench01", parse("[]"), T0, &err));
	ck_assert_uint_eq(n_refused("\"--backend=vulkan\""), 1);
	ck_assert_int_eq(probe_finds("").state, DEVICE_OK);
	ck_assert_uint_eq(n_refused("\"--backend=vulkan\""), 0);
}
END_TEST

START_TEST(a_device_is_known_by_testbed_uuid_and_driver)
{
	struct device d;

	begin();
	probe_finds("");
	ok(queue_devices_seen(db, mem, "bench01",
		parse("[{" DEVICE_KEY "},{\"uuid\":\"" DEVICE_UUID "\",\"driver_id\":6}]"), T0,
		&err));
	ck_assert_int_eq(
		queue_device_find(db, mem, "bench01", DEVICE_UUID, &d, &err), E_CONFLICT);
	ck_assert_ptr_nonnull(strstr(err.text, DEVICE_UUID ".5"));
	ok(queue_device_find(db, mem, "bench01", DEVICE_UUID ".6", &d, &err));
	ck_assert_int_eq(d.driver_id, 6);
	ck_assert_int_eq(
		queue_device_find(db, mem, "bench02", DEVICE_UUID, &d, &err), E_NOT_FOUND);
	ck_assert_int_eq(queue_device_find(db, mem, "bench01", "gpu0", &d, &err), E_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err.text, "32 hexadecimal digits"));
	/* what a worker should not send changes nothing */
	ok(queue_devices_seen(db, mem, "bench01",
		parse("[{\"uuid\":\"..\",\"driver_id\":1},7,{\"uuid\":7}]"), T0, &err));
	ok(queue_devices_ended(db, mem, &(struct job){ .uuid = "j" }, "bench01",
		parse("[{\"uuid\":\"ff\"},{},\"x\"]"), T0, &err));
}
END_TEST

SUITE("queue", two_losses_in_a_row_quarantine_a_device,
	an_operator_clears_a_device_and_that_is_kept,
	a_wedged_device_recovers_when_its_lock_is_free_and_a_probe_finds_it,
	a_device_is_known_by_testbed_uuid_and_driver,
	a_merge_base_is_told_to_the_worker_and_needs_a_base,
	a_commit_from_outside_waits_until_that_very_commit_is_approved,
	a_job_keeps_its_whole_definition, a_build_without_head_takes_its_branch_or_the_default,
	wrong_bodies_are_refused_by_name, commands_need_the_switch_and_the_scope,
	a_kernel_needs_no_definition, another_testbed_waits_for_its_host,
	too_many_waiting_jobs_are_refused, a_comparison_of_commits_has_two_arms,
	two_commands_meet_in_one_cell,
	two_settings_meet_under_a_name_without_what_they_differ_in,
	a_rerun_measures_only_what_is_asked, definition_hashes_do_not_change_in_a_rerun,
	priority_goes_first_and_then_age,
	an_exclusive_job_waits_for_an_empty_host_and_holds_back_the_rest,
	nothing_starts_beside_an_exclusive_job,
	a_waiting_job_is_canceled_at_once_a_running_one_is_marked,
	a_lost_job_is_put_back_until_its_attempts_are_used_up,
	an_attempt_that_measured_something_is_not_counted, an_old_attempt_is_fenced_off,
	a_lease_that_ran_out_puts_the_job_back, a_retry_waits_for_its_time,
	a_new_push_replaces_what_waits, a_new_head_of_a_pull_request_ends_the_running_one_too,
	a_dependent_job_runs_after_success_and_never_after_failure,
	an_unknown_dependency_is_refused, a_glob_in_a_suite_takes_workloads_and_kernels,
	a_suite_ends_with_the_last_of_its_members)
