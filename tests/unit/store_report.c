/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Processes, reports, results, series and points. */
#include <ctype.h>
#include <stdio.h>
#include "tests/lib/store.h"

/* --- processes --- */

static struct process a_process(int64_t job_id, int64_t seq, int64_t index)
{
	return (struct process){ .job_id = job_id,
		.attempt = 1,
		.seq = seq,
		.index = index,
		.block = index,
		.order = 1,
		.cell = "0",
		.arm = ARM_BASE,
		.noise = NOISE_NOISY,
		.steady = true,
		.termination = "exit",
		.record_json = "{\"pid\":1}" };
}

START_TEST(a_process_and_its_samples_are_read_as_they_came)
{
	static const double samples[] = { 1.5, -0.0, 1e-300, INFINITY }, warmup[] = { 9 };
	const struct series_values values[] = {
		{ "sum", "latency", "ns", BETTER_LOWER, samples, warmup, 4, 1, 1.25 },
		{ "sum", "throughput", "ops/s", BETTER_HIGHER, samples, NULL, 1, 0, NAN },
	};
	struct series_values *back;
	struct process *list, one;
	int64_t *ids;
	struct job j;
	size_t n;

	start();
	j = add_job(a_project("p").id, "a", PRIORITY_MANUAL);
	one = a_process(j.id, 4, 2);
	ok(store_process_add(db, &one, values, 2, &err));
	ok(store_process_list(db, mem, j.id, &list, &n, &err));
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(list[0].id, one.id);
	ck_assert_int_eq(list[0].seq, 4);
	ck_assert_int_eq(list[0].index, 2);
	ck_assert_int_eq(list[0].arm, ARM_BASE);
	ck_assert_int_eq(list[0].noise, NOISE_NOISY);
	ck_assert(list[0].steady && !list[0].replaced);
	ok(store_process_values(db, mem, one.id, &back, &n, &err));
	ck_assert_int_eq(n, 2);
	ck_assert_mem_eq(back[0].samples, samples, sizeof(samples));
	ck_assert_int_eq(back[0].n_warmup, 1);
	ck_assert_double_eq(back[0].value, 1.25);
	ck_assert_int_eq(back[1].better, BETTER_HIGHER);
	ck_assert_int_eq(back[1].n_warmup, 0);
	ck_assert_double_nan(back[1].value);
	ok(store_job_values(db, mem, j.id, &ids, &back, &n, &err));
	ck_assert_int_eq(n, 2);
	ck_assert_int_eq(ids[1], one.id);
	finish();
}
END_TEST

START_TEST(a_record_that_comes_twice_is_stored_once)
{
	struct process one, again, other;
	struct process *list;
	struct job j;
	size_t n;

	start();
	j = add_job(a_project("p").id, "a", PRIORITY_MANUAL);
	one = a_process(j.id, 0, 0);
	ok(store_process_add(db, &one, NULL, 0, &err));
	again = a_process(j.id, 0, 0);
	refused(store_process_add(db, &again, NULL, 0, &err), E_CONFLICT,
		"process 0 of cell '0', arm base, is stored already");
	/* the same place measured again by the next attempt */
	again = a_process(j.id, 0, 0);
	again.attempt = 2;
	refused(store_process_add(db, &again, NULL, 0, &err), E_CONFLICT, "stored already");
	/* replaced ones do not take the place */
	other = a_process(j.id, 1, 1);
	other.replaced = true;
	ok(store_process_add(db, &other, NULL, 0, &err));
	other = a_process(j.id, 2, 1);
	ok(store_process_add(db, &other, NULL, 0, &err));
	ok(store_process_list(db, mem, j.id, &list, &n, &err));
	ck_assert_int_eq(n, 3);
	finish();
}
END_TEST

/* --- reports --- */

START_TEST(a_report_is_read_as_it_was_stored)
{
	struct project p;
	struct simple_report r;
	struct report report, again;
	struct result *results;
	size_t n;

	start();
	p = a_project("p");
	r = add_report(p.id, "main", H1, "sum", 10.5);
	ok(store_report_find(db, mem, p.id, r.uuid, &report, &err));
	ck_assert_str_eq(report.branch.name, "main");
	ck_assert_str_eq(report.version.hash, H1);
	ck_assert_int_eq(report.version.number, 0);
	ck_assert_str_eq(report.testbed.name, "host");
	ck_assert_int_eq(report.start_ns, T0);
	ck_assert_int_eq(report.end_ns, T0 + 5);
	ck_assert_ptr_null(report.job_uuid);
	ck_assert_ptr_null(report.environment_hash);
	ok(store_report_get(db, mem, r.id, &again, &err));
	ck_assert_str_eq(again.uuid, r.uuid);
	ok(store_report_results(db, mem, r.id, &results, &n, &err));
	ck_assert_int_eq(n, 1);
	ck_assert_double_eq(results[0].metric.value, 10.5);
	ck_assert_double_nan(results[0].metric.lower);
	ck_assert_str_eq(results[0].benchmark.name, "sum");
	ck_assert_str_eq(results[0].measure.units, "nanoseconds (ns)");
	refused(store_report_find(db, mem, p.id + 1, r.uuid, &report, &err), E_NOT_FOUND,
		"there is no report");
	finish();
}
END_TEST

START_TEST(the_first_digits_of_a_uuid_do_where_only_one_begins_so)
{
	char digits[10], *c;
	struct simple_report r;
	struct report report;
	struct project p;

	start();
	p = a_project("p");
	r = add_report(p.id, "main", H1, "sum", 1);
	snprintf(digits, sizeof(digits), "%.8s", r.uuid);
	for (c = digits; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	ok(store_report_find(db, mem, p.id, digits, &report, &err));
	ck_assert_str_eq(report.uuid, r.uuid);
	digits[7] = 0;
	refused(store_report_find(db, mem, p.id, digits, &report, &err), E_NOT_FOUND,
		"there is no report");
	refused(store_report_find(db, mem, p.id, "%_______", &report, &err), E_NOT_FOUND,
		"there is no report");
	finish();
}
END_TEST

START_TEST(a_metric_is_found_by_the_uuid_it_shows)
{
	struct project p;
	struct simple_report r;
	struct result *results, one;
	char forged[40];
	size_t n;

	start();
	p = a_project("p");
	r = add_report(p.id, "main", H1, "sum", 10.5);
	ok(store_report_results(db, mem, r.id, &results, &n, &err));
	ok(store_metric_find(db, mem, p.id, results[0].metric.uuid, &one, &err));
	ck_assert_int_eq(one.metric.id, r.metric_id);
	strcpy(forged, results[0].metric.uuid);
	forged[35] = forged[35] == '0' ? '1' : '0';
	refused(store_metric_find(db, mem, p.id, forged, &one, &err), E_NOT_FOUND,
		"there is no metric");
	refused(store_metric_find(db, mem, p.id, "x", &one, &err), E_NOT_FOUND, "metric 'x'");
	finish();
}
END_TEST

/* Everything a report can carry. */
struct full {
	struct project p;
	struct branch b;
	struct testbed t;
	struct environment e;
	struct version v;
	int64_t benchmark[2], measure;
	struct new_metric m[3];
	struct new_report r;
};

static void fill(struct full *f)
{
	static const double samples[] = { 1, 2, 3 };
	struct benchmark k;
	struct measure u;

	f->p = a_project("p");
	ok(store_branch_ensure(db, mem, f->p.id, "main", NULL, T0, &f->b, &err));
	ok(store_testbed_ensure(db, mem, f->p.id, "host", T0, &f->t, &err));
	ok(store_environment_ensure(db, mem, "env", "{}", T0, &f->e, &err));
	ok(store_version_ensure(db, mem, f->b.head_id, H1, &f->v, &err));
	ok(store_benchmark_ensure(db, mem, f->p.id, "b", T0, &k, &err));
	f->benchmark[0] = k.id;
	ok(store_benchmark_ensure(db, mem, f->p.id, "a", T0, &k, &err));
	f->benchmark[1] = k.id;
	ok(store_measure_ensure(db, mem, f->p.id, "latency", NULL, NULL, T0, &u, &err));
	f->measure = u.id;
	f->m[0] = (struct new_metric){ .benchmark_id = f->benchmark[0],
		.measure_id = u.id,
		.value = 1,
		.lower = 0.5,
		.upper = 2,
		.n_processes = 10,
		.n_samples = 50,
		.definition_hash = "d1",
		.workload_hash = "w1",
		.program = "p1",
		.driver = "v1",
		.parameters_json = "{\"n\":1}",
		.flags = POINT_NOISY };
	f->m[1] = f->m[0];
	f->m[1].benchmark_id = f->benchmark[1];
	f->m[1].parameters_json = NULL;
	f->m[2] = f->m[1];
	f->m[2].iteration = 1;
	f->m[2].definition_hash = NULL;
	f->m[2].samples = samples;
	f->m[2].n_values = 3;
	f->r = (struct new_report){ .project_id = f->p.id,
		.head_id = f->b.head_id,
		.version_id = f->v.id,
		.testbed_id = f->t.id,
		.environment_id = f->e.id,
		.adapter = "json",
		.idempotency_key = "key",
		.summary_json = "{}",
		.arm = ARM_CONTROL,
		.noise = NOISE_SUSPECT,
		.start_ns = T0,
		.end_ns = T0,
		.created_ns = T0,
		.metrics = f->m,
		.n_metrics = 3 };
}

START_TEST(results_come_by_iteration_and_name_with_all_they_carry)
{
	int64_t id, *series, *metrics;
	struct report report;
	struct result *results;
	struct point *points;
	struct full f;
	const char *uuid;
	double *samples;
	size_t n;

	start();
	fill(&f);
	ok(store_report_add(db, mem, &f.r, &id, &uuid, &series, &metrics, &err));
	ok(store_report_by_key(db, mem, f.p.id, "key", &report, &err));
	ck_assert_str_eq(report.uuid, uuid);
	ck_assert_str_eq(report.environment_hash, "env");
	ck_assert_int_eq(report.arm, ARM_CONTROL);
	ck_assert_int_eq(report.noise, NOISE_SUSPECT);
	ck_assert_int_eq(series[1], series[2]);
	ok(store_report_results(db, mem, id, &results, &n, &err));
	ck_assert_int_eq(n, 3);
	ck_assert_str_eq(results[0].benchmark.name, "a");
	ck_assert_str_eq(results[1].benchmark.name, "b");
	ck_assert_str_eq(results[1].parameters_json, "{\"n\":1}");
	ck_assert_str_eq(results[1].definition_hash, "d1");
	ck_assert_str_eq(results[1].workload_hash, "w1");
	ck_assert_str_eq(results[1].program, "p1");
	ck_assert_str_eq(results[1].driver, "v1");
	ck_assert_int_eq(results[2].iteration, 1);
	ck_assert_ptr_null(results[2].definition_hash);
	ck_assert_ptr_null(results[2].program);
	ck_assert_double_eq(results[2].metric.upper, 2);
	ok(store_metric_samples(db, mem, metrics[2], &samples, &n, &err));
	ck_assert_int_eq(n, 3);
	ck_assert_double_eq(samples[2], 3);
	ok(store_metric_samples(db, mem, metrics[0], &samples, &n, &err));
	ck_assert_int_eq(n, 0);
	ok(store_series_points(db, mem, series[1], 10, &points, &n, &err));
	ck_assert_int_eq(n, 2);
	ck_assert_str_eq(points[0].definition_hash, "d1");
	ck_assert_str_eq(points[0].workload_hash, "w1");
	ck_assert_str_eq(points[0].program, "p1");
	ck_assert_str_eq(points[0].driver, "v1");
	ck_assert_ptr_null(points[1].definition_hash);
	ck_assert_ptr_null(points[1].program);
	ck_assert_int_eq(points[0].flags, POINT_NOISY);
	ck_assert_int_eq(points[0].environment_id, f.e.id);
	ck_assert_int_eq(points[0].n_processes, 10);
	ck_assert_double_eq(points[0].lower, 0.5);
	finish();
}
END_TEST

START_TEST(what_cannot_be_stored_is_said)
{
	int64_t id, *series, *metrics;
	const char *uuid;
	struct full f;

	start();
	fill(&f);
	ok(store_report_add(db, mem, &f.r, &id, &uuid, &series, &metrics, &err));
	ok(store_savepoint(db, &err));
	refused(store_report_add(db, mem, &f.r, &id, &uuid, &series, &metrics, &err),
		E_CONFLICT, "this idempotency key is stored already");
	f.r.idempotency_key = NULL;
	f.m[2].iteration = 0;
	refused(store_report_add(db, mem, &f.r, &id, &uuid, &series, &metrics, &err),
		E_CONFLICT, "twice in iteration 0");
	f.m[2].value = INFINITY;
	refused(store_report_add(db, mem, &f.r, &id, &uuid, &series, &metrics, &err),
		E_UNPROCESSABLE, "is finite");
	f.r.testbed_id = 99;
	refused(store_report_add(db, mem, &f.r, &id, &uuid, &series, &metrics, &err),
		E_CONFLICT, "is gone");
	store_rollback_to(db);
	finish();
}
END_TEST

START_TEST(points_come_in_version_order_newest_max_of_them)
{
	struct project p;
	struct simple_report r;
	struct point *points;
	size_t n;

	start();
	p = a_project("p");
	add_report(p.id, "main", H1, "sum", 1);
	add_report(p.id, "main", H2, "sum", 2);
	r = add_report(p.id, "main", H3, "sum", 3);
	ok(store_series_points(db, mem, r.series_id, 2, &points, &n, &err));
	ck_assert_int_eq(n, 2);
	ck_assert_str_eq(points[0].hash, H2);
	ck_assert_double_eq(points[0].value, 2);
	ck_assert_str_eq(points[1].hash, H3);
	ck_assert_str_eq(points[1].report_uuid, r.uuid);
	ck_assert_int_eq(points[1].version_number, 2);
	refused(store_series_points(db, mem, 99, 2, &points, &n, &err), E_NOT_FOUND,
		"there is no series 99");
	finish();
}
END_TEST

START_TEST(flags_are_set_and_cleared)
{
	struct project p;
	struct simple_report r;
	struct point *points;
	size_t n;

	start();
	p = a_project("p");
	r = add_report(p.id, "main", H1, "sum", 1);
	ok(store_point_flags(
		db, r.series_id, r.version_number, r.id, POINT_SUSPECT | POINT_NOISY, 0, &err));
	ok(store_point_flags(
		db, r.series_id, r.version_number, r.id, POINT_ALERTED, POINT_SUSPECT, &err));
	ok(store_series_points(db, mem, r.series_id, 2, &points, &n, &err));
	ck_assert_int_eq(points[0].flags, POINT_ALERTED | POINT_NOISY);
	finish();
}
END_TEST

START_TEST(a_series_knows_its_newest_value_whatever_comes_late)
{
	struct project p;
	struct simple_report r;
	struct series s, *list;
	struct branch b;
	size_t n;

	start();
	p = a_project("p");
	add_report(p.id, "main", H1, "sum", 1);
	r = add_report(p.id, "main", H2, "sum", 2);
	add_report(p.id, "main", H1, "sum", 1.5);
	add_report(p.id, "main", H1, "product", 7);
	ok(store_series_find(db, mem, p.id, "main", "host", "sum", "latency", &s, &err));
	ck_assert_int_eq(s.id, r.series_id);
	ck_assert_int_eq(s.n_points, 3);
	ck_assert_double_eq(s.last_value, 2);
	ok(store_series_list(db, mem, p.id, "main", NULL, 10, &list, &n, &err));
	ck_assert_int_eq(n, 2);
	ck_assert_str_eq(list[0].benchmark.name, "product");
	ok(store_series_list(db, mem, p.id, NULL, "host", 1, &list, &n, &err));
	ck_assert_int_eq(n, 1);
	add_report(p.id, "pull/7", H2, "sum", 2);
	ok(store_series_list(db, mem, p.id, NULL, NULL, 10, &list, &n, &err));
	ck_assert_int_eq(n, 3);
	ok(store_branch_find(db, mem, p.id, "pull/7", &b, &err));
	b.archived_ns = T0;
	ok(store_branch_update(db, mem, &b, T0, &err));
	ok(store_series_list(db, mem, p.id, NULL, NULL, 10, &list, &n, &err));
	ck_assert_msg(n == 2, "what was measured on an archived branch is not listed");
	ok(store_series_list(db, mem, p.id, "pull/7", NULL, 10, &list, &n, &err));
	ck_assert_msg(n == 1, "but where somebody asks for it");
	refused(store_series_find(db, mem, p.id, "main", "host", "sum", "x", &s, &err),
		E_NOT_FOUND, "there is no measure 'x'");
	finish();
}
END_TEST

START_TEST(a_removed_report_takes_its_points_with_it)
{
	struct project p;
	struct simple_report first, last;
	struct series s;
	struct point *points;
	struct change_point change = { .outcome = OUTCOME_SLOWER, .detector = "log_t" }, *left;
	size_t n;

	start();
	p = a_project("p");
	first = add_report(p.id, "main", H1, "sum", 1);
	last = add_report(p.id, "main", H2, "sum", 2);
	ok(store_series_points(db, mem, first.series_id, 10, &points, &n, &err));
	change.version_number = points[n - 1].version_number;
	ok(store_change_points_save(db, first.series_id, &change, 1, T0, &err));
	ok(store_change_points(db, mem, first.series_id, &left, &n, &err));
	ck_assert_int_eq(n, 1);
	ok(store_boundary_save(db, last.metric_id, "log_t", 1, 0.9, NAN, "{}", &err));
	ok(store_report_remove(db, last.id, &err));
	ok(store_series_points(db, mem, first.series_id, 10, &points, &n, &err));
	ck_assert_int_eq(n, 1);
	ok(store_change_points(db, mem, first.series_id, &left, &n, &err));
	ck_assert_msg(n == 0, "the change at its version went with it");
	ok(store_series_get(db, mem, first.series_id, &s, &err));
	ck_assert_int_eq(s.n_points, 1);
	ck_assert_double_eq(s.last_value, 1);
	ok(store_report_remove(db, first.id, &err));
	refused(store_series_get(db, mem, first.series_id, &s, &err), E_NOT_FOUND, "no series");
	refused(store_report_remove(db, first.id, &err), E_NOT_FOUND, "not there");
	finish();
}
END_TEST

START_TEST(reports_are_listed_by_time_and_filtered)
{
	struct report_filter f = { .page = { .per_page = 2, .descending = true } };
	struct project p;
	struct report *list;
	struct simple_report last;
	int64_t total;
	size_t n;

	start();
	p = a_project("p");
	add_report(p.id, "main", H1, "sum", 1);
	add_report(p.id, "main", H2, "sum", 2);
	last = add_report(p.id, "dev", H2, "sum", 3);
	ok(store_report_list(db, mem, p.id, &f, &list, &n, &total, &err));
	ck_assert_int_eq(n, 2);
	ck_assert_int_eq(total, 3);
	ck_assert_str_eq(list[0].uuid, last.uuid);
	f.branch = "main";
	ok(store_report_list(db, mem, p.id, &f, &list, &n, &total, &err));
	ck_assert_int_eq(total, 2);
	ck_assert_str_eq(list[0].version.hash, H2);
	f.page.descending = false;
	f.page.page = 2;
	f.page.per_page = 1;
	ok(store_report_list(db, mem, p.id, &f, &list, &n, &total, &err));
	ck_assert_int_eq(n, 1);
	ck_assert_str_eq(list[0].version.hash, H2);
	f = (struct report_filter){ .hash = "2222222", .page = { .per_page = 9 } };
	ok(store_report_list(db, mem, p.id, &f, &list, &n, &total, &err));
	ck_assert_int_eq(total, 2);
	f.testbed = "host";
	f.start_ns = T0 + 1;
	ok(store_report_list(db, mem, p.id, &f, &list, &n, &total, &err));
	ck_assert_int_eq(total, 0);
	f = (struct report_filter){ .end_ns = T0 + 5, .page = { .per_page = 9 } };
	ok(store_report_list(db, mem, p.id, &f, &list, &n, &total, &err));
	ck_assert_int_eq(total, 3);
	f.branch = "nope";
	refused(store_report_list(db, mem, p.id, &f, &list, &n, &total, &err), E_NOT_FOUND,
		"there is no branch 'nope'");
	finish();
}
END_TEST

START_TEST(the_newest_report_of_a_branch_or_commit_is_found)
{
	struct start_point sp = { .branch = "main", .hash = H2 };
	struct project p;
	struct report r;
	struct branch f, main;
	struct simple_report second;

	start();
	p = a_project("p");
	add_report(p.id, "main", H1, "sum", 1);
	add_report(p.id, "main", H2, "sum", 2);
	second = add_report(p.id, "main", H1, "sum", 3);
	ok(store_branch_find(db, mem, p.id, "main", &main, &err));
	ok(store_report_latest(db, mem, p.id, main.head_id, NULL, 0, &r, &err));
	ck_assert_str_eq(r.version.hash, H2);
	ok(store_report_latest(db, mem, p.id, main.head_id, H1, 0, &r, &err));
	ck_assert_str_eq(r.uuid, second.uuid);
	ok(store_branch_ensure(db, mem, p.id, "f", &sp, T0, &f, &err));
	ok(store_report_latest(db, mem, p.id, f.head_id, NULL, r.testbed.id, &r, &err));
	ck_assert_str_eq(r.version.hash, H2);
	refused(store_report_latest(db, mem, p.id, f.head_id, H3, 0, &r, &err), E_NOT_FOUND,
		"there is no report of the commit 3333");
	refused(store_report_latest(db, mem, p.id, f.head_id, NULL, 99, &r, &err), E_NOT_FOUND,
		"there is no report on this branch");
	finish();
}
END_TEST

SUITE("store_report", a_process_and_its_samples_are_read_as_they_came,
	a_record_that_comes_twice_is_stored_once, a_report_is_read_as_it_was_stored,
	the_first_digits_of_a_uuid_do_where_only_one_begins_so,
	a_metric_is_found_by_the_uuid_it_shows,
	results_come_by_iteration_and_name_with_all_they_carry, what_cannot_be_stored_is_said,
	points_come_in_version_order_newest_max_of_them, flags_are_set_and_cleared,
	a_series_knows_its_newest_value_whatever_comes_late,
	a_removed_report_takes_its_points_with_it, reports_are_listed_by_time_and_filtered,
	the_newest_report_of_a_branch_or_commit_is_found)
