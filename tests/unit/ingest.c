/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records of processes against the real store: units. */
#include "tests/lib/store.h"

#include "daemon/ingest/ingest.h"

static struct cell cell = { .id = "0", .benchmark = "b" };
static struct workload workload = { .name = "w", .kind = WORKLOAD_COMMAND };

/* Store a process with one result; its values as they came out. */
static struct series_values *ingest_one(
	struct job *j, int64_t seq, const char *measure, const char *unit, double sample)
{
	const struct ingest in = { .st = db,
		.arena = mem,
		.job = j,
		.workload = &workload,
		.cells = &cell,
		.n_cells = 1,
		.now_ns = T0 };
	json_t *record = arena_own_json(
		mem, json_pack("{sIsssssisisisss[{sssss[f]s[f]}]}", "seq", (json_int_t)seq,
			     "cell", "0", "arm", "head", "index", (int)seq, "block", 0, "order",
			     0, "termination", "exit", "results", "measure", measure, "unit",
			     unit, "samples", sample, "warmup", sample * 2));
	struct series_values *values;
	struct process *processes;
	size_t n;

	ck_assert_ptr_nonnull(record);
	ok(ingest_process(&in, record, &err));
	ok(store_process_list(db, mem, j->id, &processes, &n, &err));
	ok(store_process_values(db, mem, processes[n - 1].id, &values, &n, &err));
	ck_assert_uint_eq(n, 1);
	return values;
}

START_TEST(a_value_in_another_unit_of_the_measure_is_converted)
{
	struct series_values *v;
	struct job j;

	start();
	j = add_job(a_project("p").id, "w", PRIORITY_MANUAL);
	v = ingest_one(&j, 0, "latency", "us", 5);
	ck_assert_double_eq(v->samples[0], 5000);
	ck_assert_double_eq(v->warmup[0], 10000);
	ck_assert_double_eq(v->value, 5000);
	ck_assert_str_eq(v->measure, "latency");
	v = ingest_one(&j, 1, "latency", "ns", 5);
	ck_assert_double_eq(v->value, 5);
	v = ingest_one(&j, 2, "memory-peak", "MiB", 2);
	ck_assert_double_eq(v->value, 2097152);
	v = ingest_one(&j, 3, "throughput", "Gops/s", 2);
	ck_assert_double_eq(v->value, 2e9);
	finish();
}
END_TEST

START_TEST(a_value_of_another_kind_is_a_measure_of_its_own)
{
	struct series_values *v;
	struct measure m;
	struct job j;

	start();
	j = add_job(a_project("p").id, "w", PRIORITY_MANUAL);
	v = ingest_one(&j, 0, "throughput", "GB/s", 50);
	ck_assert_double_eq(v->value, 50);
	ck_assert_str_eq(v->measure, "Throughput (GB/s)");
	ok(store_measure_find(db, mem, j.project_id, v->measure, &m, &err));
	ck_assert_str_eq(m.units, "GB/s");
	ck_assert_int_eq(m.better, BETTER_LOWER); /* as the record says, which said nothing */
	v = ingest_one(&j, 1, "throughput", "MB/s", 50000);
	ck_assert_str_eq(v->measure, "Throughput (MB/s)");
	finish();
}
END_TEST

START_TEST(a_result_that_says_no_unit_is_taken_as_it_is)
{
	struct job j;

	start();
	j = add_job(a_project("p").id, "w", PRIORITY_MANUAL);
	ck_assert_double_eq(ingest_one(&j, 0, "latency", "", 7)->value, 7);
	ck_assert_double_eq(ingest_one(&j, 1, "instructions", "1", 7)->value, 7);
	finish();
}
END_TEST

START_TEST(units_of_one_kind_have_a_factor)
{
	static const struct {
		const char *from, *to;
		double factor; /* 0: none */
	} cases[] = { { "ms", "nanoseconds (ns)", 1e6 }, { "ns", "seconds (s)", 1e-9 },
		{ "nanoseconds (ns)", "ns", 1 }, { "KiB", "bytes (B)", 1024 },
		{ "GFLOP/s", "MFLOP/s", 1e3 }, { "GB/s", "B/s", 1e9 }, { "GB/s", "ops/s", 0 },
		{ "s", "B", 0 }, { "%", "percentage (%)", 1 }, { "", "", 1 }, { "ns", "", 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		double f = 0;

		ck_assert_msg(
			units_factor(cases[i].from, cases[i].to, &f) == (cases[i].factor != 0),
			"%s to %s", cases[i].from, cases[i].to);
		ck_assert_double_eq(f, cases[i].factor);
	}
}
END_TEST

/* What becomes of a job's branch when HEAD of its repository is resolved to one. */
static const char *branch_told(
	const char *head_ref, const char *branch, const char *told, bool finds_branch)
{
	struct job j = add_job(a_project("p").id, "w", PRIORITY_MANUAL), again;
	const struct ingest in = {
		.st = db, .arena = mem, .job = &j, .now_ns = T0, .finds_branch = finds_branch
	};
	json_t *m = arena_own_json(
		mem, json_pack("{ssssss}", "arm", "head", "hash",
			     "0123456789abcdef0123456789abcdef01234567", "branch", told));

	j.head_ref = head_ref;
	j.branch = branch;
	ok(store_job_set_branch(db, &j, &err));
	ok(ingest_resolved(&in, m, &err));
	ok(store_job_get(db, mem, j.id, &again, &err));
	ck_assert_str_eq(again.branch, j.branch);
	ck_assert_str_eq(j.head_hash, "0123456789abcdef0123456789abcdef01234567");
	return again.branch;
}

static const char *branch_after(const char *head_ref, const char *branch, const char *told)
{
	return branch_told(head_ref, branch, told, false);
}

START_TEST(a_job_that_names_no_branch_is_one_of_the_branch_of_its_head)
{
	start();
	ck_assert_str_eq(
		branch_told("my-branch", DEFAULT_BRANCH, "my-branch", true), "my-branch");
	ck_assert_str_eq(
		branch_told("my-branch", DEFAULT_BRANCH, "my-branch", false), DEFAULT_BRANCH);
	ck_assert_str_eq(branch_told("v1.0", DEFAULT_BRANCH, "", true), DEFAULT_BRANCH);
	finish();
}
END_TEST

START_TEST(a_job_without_branch_and_head_is_one_of_the_default_branch)
{
	start();
	ck_assert_str_eq(branch_after("HEAD", DEFAULT_BRANCH, "trunk"), "trunk");
	ck_assert_str_eq(branch_after("HEAD", DEFAULT_BRANCH, "main"), "main");
	ck_assert_str_eq(branch_after("HEAD", "mine", "trunk"), "mine");
	ck_assert_str_eq(branch_after("main", "main", "trunk"), "main");
	ck_assert_str_eq(branch_after("HEAD", DEFAULT_BRANCH, "bad\nname"), "main");
	finish();
}
END_TEST

SUITE("ingest", a_value_in_another_unit_of_the_measure_is_converted,
	a_value_of_another_kind_is_a_measure_of_its_own,
	a_result_that_says_no_unit_is_taken_as_it_is,
	a_job_without_branch_and_head_is_one_of_the_default_branch,
	a_job_that_names_no_branch_is_one_of_the_branch_of_its_head,
	units_of_one_kind_have_a_factor)
