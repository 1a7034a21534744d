/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/lib/unit.h"

#include <math.h>
#include <string.h>
#include "base/fs.h"
#include "daemon/ingest/adapter.h"

static struct arena *arena;

static int read_text(const char *adapter, const char *text, enum average average,
	struct tool_output *out, struct error *err)
{
	if (!arena)
		arena = arena_new();
	memset(err, 0, sizeof(*err));
	return adapter_read(adapter, text, strlen(text), average, arena, out, err);
}

static void read_file(
	const char *adapter, const char *name, enum average average, struct tool_output *out)
{
	const char *top = getenv("top_srcdir");
	struct buf b = { 0 };
	struct error err;
	char path[512];

	snprintf(path, sizeof(path), "%s/tests/golden/tools/%s", top ? top : ".", name);
	ck_assert_msg(file_read(path, MiB, &b, &err) == OK, "%s", err.text);
	ck_assert_msg(
		read_text(adapter, buf_str(&b), average, out, &err) == OK, "%s", err.text);
	buf_done(&b);
}

static const struct tool_result *find(
	const struct tool_output *o, const char *name, const char *measure)
{
	for (size_t i = 0; i < o->n; i++)
		if (!strcmp(o->items[i].benchmark, name) &&
			!strcmp(o->items[i].measure, measure))
			return &o->items[i];
	ck_abort_msg("no %s %s", name, measure);
}

static void near(double got, double want)
{
	ck_assert_msg(fabs(got - want) <= 1e-9 * fabs(want), "%.17g is not %.17g", got, want);
}

START_TEST(pytest_benchmark_is_read_with_its_rounds)
{
	const struct tool_result *r;
	struct tool_output o;

	read_file("python_pytest", "pytest.json", AVERAGE_NONE, &o);
	ck_assert_uint_eq(o.n, 3);
	r = find(&o, "test_b.py::test_sum", "latency");
	near(r->value, 7.000164824493478e3);
	near(r->lower, (7.000164824493478e-06 - 4.948958210574473e-07) * 1e9);
	ck_assert_uint_eq(r->n_samples, 91);
	near(r->samples[0], 6479.000148829073);
	find(&o, "test_b.py::test_sort[100]", "latency");
	read_file("magic", "pytest.json", AVERAGE_MEDIAN, &o);
	ck_assert_str_eq(o.adapter, "python_pytest");
	r = find(&o, "test_b.py::test_sum", "latency");
	near(r->value, 7047.000053717056);
	near(r->upper, (7.047000053717056e-06 + 3.617499260144541e-07) * 1e9);
}
END_TEST

START_TEST(google_benchmark_repetitions_are_samples)
{
	const struct tool_result *r;
	struct tool_output o;

	read_file("magic", "google.json", AVERAGE_NONE, &o);
	ck_assert_str_eq(o.adapter, "cpp_google");
	r = find(&o, "BM_sum/64", "latency");
	ck_assert_uint_eq(r->n_samples, 3);
	near(r->value, 22.461185409821038);
	near(r->upper, 26.75017960227589);
	r = find(&o, "BM_sum/64", "bytes-per-second");
	ck_assert_int_eq(r->better, BETTER_HIGHER);
	ck_assert_msg(o.n_skipped == 3 && strstr(o.skipped, "no input file"), "%s", o.skipped);
	for (size_t i = 0; i < o.n; i++)
		ck_assert_msg(
			!strstr(o.items[i].benchmark, "mean"), "an aggregate came through");
	r = find(&o, "BM_ms", "latency");
	ck_assert_double_gt(r->value, 1e3);
	read_file("cpp", "google_single.json", AVERAGE_MEAN, &o);
	r = find(&o, "BM_sum/4096", "latency");
	ck_assert_uint_eq(r->n_samples, 0);
	ck_assert(isnan(r->lower));
}
END_TEST

START_TEST(hyperfine_times_are_samples_and_failures_no_results)
{
	const struct tool_result *r;
	struct tool_output o;

	read_file("magic", "hyperfine.json", AVERAGE_NONE, &o);
	ck_assert_str_eq(o.adapter, "shell_hyperfine");
	r = find(&o, "true", "latency");
	near(r->value, 1034623.8);
	near(r->lower, (0.0010346238 - 2.106802277623606e-05) * 1e9);
	ck_assert_uint_eq(r->n_samples, 5);
	near(find(&o, "true", "cpu-time")->value, 961200);
	read_file("shell", "hyperfine.json", AVERAGE_MEDIAN, &o);
	near(find(&o, "true", "latency")->upper, 1070537);
	read_file("shell_hyperfine", "hyperfine_failed.json", AVERAGE_NONE, &o);
	ck_assert_uint_eq(o.n, 0);
	ck_assert(strstr(o.skipped, "non-zero exit code"));
}
END_TEST

START_TEST(bmf_comes_in_two_versions_but_not_mixed)
{
	const struct tool_result *r;
	struct tool_output o;
	struct error err;

	ck_assert_int_eq(
		read_text("json",
			"{\"a b\":{\"latency\":{\"value\":5,\"lower_value\":4}},\"c\":{}}",
			AVERAGE_NONE, &o, &err),
		OK);
	r = find(&o, "a b", "latency");
	near(r->value, 5);
	ck_assert(!r->is_named && isnan(r->upper));
	ck_assert_int_eq(read_text("json",
				 "{\"s\":[{\"parameters\":{\"n\":16},\"measures\":{\"latency\":"
				 "{\"value\":1.5,"
				 "\"p99\":3}}},{\"measures\":{\"latency\":{\"p50\":2}}}]}",
				 AVERAGE_NONE, &o, &err),
		OK);
	ck_assert_uint_eq(o.n, 1);
	ck_assert_int_eq(json_get_int(o.items[0].parameters, "n", 0), 16);
	ck_assert_int_eq(read_text("json", "{}", AVERAGE_NONE, &o, &err), OK);
	ck_assert_uint_eq(o.n, 0);
	ck_assert_int_eq(read_text("json", "{\"a\":{},\"b\":[]}", AVERAGE_NONE, &o, &err),
		E_BAD_REQUEST);
	ck_assert_msg(strstr(err.text, "all objects (v0) or all arrays (v1)"), "%s", err.text);
}
END_TEST

START_TEST(what_cannot_be_read_names_the_reason)
{
	static const struct {
		const char *adapter, *text, *part;
	} bad[] = {
		{ "magic", "hello", "Are you sure magic is the right adapter?" },
		{ "magic", "{}", "Are you sure magic" },
		{ "python_pytest", "{\"benchmarks\":[]}", "'machine_info'" },
		{ "json", "{\"a\":{\"latency\":{\"value\":\"5\"}}}", "finite numbers" },
		{ "json", "{\"a\":{\"latency\":{\"lower_value\":5}}}", "'value' is missing" },
		{ "json", "[1]", "not a JSON object" },
		{ "json", "{\"a\":{\"latency\":{\"value\":1e999}}}", "not valid JSON" },
		{ "cpp_google", "{\"context\":{},\"benchmarks\":[{}]}", "no 'name'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct tool_output o;
		struct error err;

		ck_assert_int_eq(read_text(bad[i].adapter, bad[i].text, AVERAGE_NONE, &o, &err),
			E_BAD_REQUEST);
		ck_assert_msg(strstr(err.text, bad[i].part), "%s", err.text);
	}
}
END_TEST

START_TEST(entries_fold_as_bencher_folds_them)
{
	static const char *const texts[] = {
		"{\"a\":{\"latency\":{\"value\":3,\"lower_value\":2}},\"b\":{\"latency\":{"
		"\"value\":8}}}",
		"{\"a\":{\"latency\":{\"value\":1}}}",
		"{\"a\":{\"latency\":{\"value\":5,\"upper_value\":9}}}",
		"{\"a\":{\"latency\":{\"value\":4}}}",
	};
	struct tool_output entries[4], o;
	struct error err;

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(
			read_text("json", texts[i], AVERAGE_NONE, &entries[i], &err), OK);
	adapter_fold(entries, 4, FOLD_MIN, arena, &o);
	near(find(&o, "a", "latency")->value, 1);
	adapter_fold(entries, 4, FOLD_MAX, arena, &o);
	near(find(&o, "a", "latency")->value, 5);
	near(find(&o, "a", "latency")->upper, 9);
	adapter_fold(entries, 4, FOLD_MEDIAN, arena, &o);
	near(find(&o, "a", "latency")->value, 3.5);
	adapter_fold(entries, 4, FOLD_MEAN, arena, &o);
	near(find(&o, "a", "latency")->value, 13.0 / 4);
	near(find(&o, "a", "latency")->lower, 12.0 / 4);
	near(find(&o, "b", "latency")->value, 2); /* divided by the number of entries */
	ck_assert_uint_eq(find(&o, "a", "latency")->n_samples, 4);
}
END_TEST

START_TEST(go_benchmarks_count_bytes_allocations_and_what_they_like)
{
	struct tool_output o;

	read_file("magic", "go_bench.txt", AVERAGE_NONE, &o);
	ck_assert_str_eq(o.adapter, "go_bench");
	adapter_merge(&o, AVERAGE_NONE);
	near(find(&o, "BenchmarkFib10-2", "latency")->value, (334.6 + 308.8) / 2);
	ck_assert_uint_eq(find(&o, "BenchmarkFib10-2", "latency")->n_samples, 2);
	near(find(&o, "BenchmarkFib10-2", "latency")->lower, 308.8);
	near(find(&o, "BenchmarkCopy-2", "bytes-per-second")->samples[1], 1819.52e6);
	ck_assert_int_eq(
		find(&o, "BenchmarkCopy-2", "bytes-per-second")->better, BETTER_HIGHER);
	near(find(&o, "BenchmarkCopy-2", "allocated")->value, 4096);
	near(find(&o, "BenchmarkCopy-2", "allocations")->value, 1);
	near(find(&o, "BenchmarkCopy-2", "widgets/op")->value, 42);
	near(find(&o, "BenchmarkSub/large-2", "latency")->upper, 47.8);
}
END_TEST

START_TEST(libtest_and_criterion_bring_their_throughput)
{
	struct tool_output o;

	read_file("rust", "rust_bench.txt", AVERAGE_NONE, &o);
	ck_assert_str_eq(o.adapter, "rust_bench");
	near(find(&o, "sum", "latency")->value, 1051);
	near(find(&o, "sum", "latency")->upper, 1684);
	near(find(&o, "fib10", "latency")->lower, -604);
	near(find(&o, "sum", "bytes-per-second")->value, 3897e6);
	read_file("magic", "rust_criterion.txt", AVERAGE_MEAN, &o);
	ck_assert_str_eq(o.adapter, "rust_criterion");
	ck_assert_uint_eq(o.n, 5);
	near(find(&o, "fib 10", "latency")->value, 309.61);
	near(find(&o, "fib 10", "latency")->upper, 465.95);
	near(find(&o, "a group with a long name/max", "latency")->lower, 1728.7);
	near(find(&o, "a group with a long name/max", "items-per-second")->value, 2.0760e9);
	near(find(&o, "a group with a long name/sum", "bytes-per-second")->value,
		4.4602 * 1073741824);
}
END_TEST

START_TEST(benchmark_js_names_may_have_an_x)
{
	struct tool_output o;

	read_file("js", "js_benchmark.txt", AVERAGE_NONE, &o);
	ck_assert_str_eq(o.adapter, "js_benchmark");
	near(find(&o, "String x indexOf", "throughput")->value, 1071472144);
	near(find(&o, "RegExp#test", "throughput")->upper, 60185158 * 1.0121);
}
END_TEST

START_TEST(names_that_catch2_wraps_are_whole)
{
	const struct tool_result *r;
	struct tool_output o;

	read_file("magic", "catch2.txt", AVERAGE_MEAN, &o);
	ck_assert_str_eq(o.adapter, "cpp_catch2");
	ck_assert_uint_eq(o.n, 4);
	r = find(&o, "Sorting: std::stable_sort of a vector with a long name that is wrapped",
		"latency");
	near(r->value, 4991.49);
	near(r->upper, 4991.49 + 658.09);
	near(find(&o, "Sorting: std::sort", "latency")->value, 58413.7);
	near(find(&o, "Sorting: reverse 100 %", "latency")->value, 190.855);
	near(find(&o, "Another case, with a comma: make", "latency")->value, 229.832);
}
END_TEST

START_TEST(asv_tables_memory_and_tracked_values_are_read)
{
	struct tool_output o;

	read_file("python", "asv.txt", AVERAGE_NONE, &o);
	ck_assert_str_eq(o.adapter, "python_asv");
	ck_assert_uint_eq(o.n, 21);
	ck_assert_msg(o.n_skipped == 3 && strstr(o.skipped, "'b.Plain.time_broken' failed"),
		"%s", o.skipped);
	near(find(&o, "b.Plain.time_sum", "latency")->lower, 38300);
	near(find(&o, "b.Plain.mem_list", "memory-size")->value, 8060);
	near(find(&o, "b.Plain.peakmem_list", "memory-peak")->value, 24.9e6);
	near(find(&o, "b.Plain.track_answer", "tracked")->value, 42);
	near(find(&o, "b.TimeSuite.time_keys[n=1000]", "latency")->upper, 7310);
	near(find(&o, "two.TimeGrid.time_sum[kind=a b,n=1000]", "latency")->value, 5280);
	near(find(&o, "two.TimeGrid.peakmem_sum[kind=list,n=10]", "memory-peak")->value,
		24.8e6);
	near(find(&o, "two.TimeThree.time_sum[param1=2,param2=False,param3=y]", "latency")
			->value,
		4570);
}
END_TEST

START_TEST(of_a_rehearsal_only_the_second_pass_counts)
{
	struct tool_output o;

	read_file("magic", "ruby.txt", AVERAGE_NONE, &o);
	ck_assert_str_eq(o.adapter, "ruby_benchmark");
	ck_assert_uint_eq(o.n, 8);
	near(find(&o, "for loop:", "latency")->value, 0.088441e9);
	near(find(&o, "sort!", "latency")->value, 0.003813e9);
	near(find(&o, "sort", "cpu-time")->value, 0.002048e9);
}
END_TEST

START_TEST(timers_of_node_are_read_when_nothing_else_is_there)
{
	struct tool_output o;
	struct error err;

	read_file("magic", "js_time.txt", AVERAGE_NONE, &o);
	ck_assert_str_eq(o.adapter, "js_time");
	near(find(&o, "default: nested", "latency")->value, 22.467e9);
	near(find(&o, "default", "latency")->value, 5000);
	ck_assert_int_eq(
		read_text("js_time", "a: 1:02.345 (m:ss.mmm)\n", AVERAGE_NONE, &o, &err), OK);
	near(find(&o, "a", "latency")->value, 62.345e9);
	/* A line of a log does not hide what comes after it. */
	ck_assert_int_eq(
		read_text("magic", "warm-up: 5ms\ntest a ... bench: 1 ns/iter (+/- 1)\n",
			AVERAGE_NONE, &o, &err),
		OK);
	ck_assert_str_eq(o.adapter, "rust_bench");
}
END_TEST

START_TEST(jmh_brings_parameters_forks_and_allocations)
{
	const struct tool_result *r;
	struct tool_output o;

	read_file("magic", "jmh.json", AVERAGE_NONE, &o);
	ck_assert_str_eq(o.adapter, "java_jmh");
	ck_assert_uint_eq(o.n, 8);
	r = find(&o, "org.sample.MyBenchmark.sum[n=10]", "throughput");
	near(r->value, 9091099.855820486);
	near(r->lower, -9577061.386115672);
	ck_assert_uint_eq(r->n_samples, 6);
	near(r->samples[3], 1.3175671781969002e7);
	near(find(&o, "org.sample.MyBenchmark.sort[n=1000]", "latency")->value, 846925.5633);
	r = find(&o, "org.sample.MyBenchmark.sort[n=1000]", "allocated");
	near(r->value, 4056.5255174010776);
	ck_assert_str_eq(r->unit, "bytes (B)");
}
END_TEST

START_TEST(vitest_names_are_those_of_its_groups)
{
	struct tool_output o;

	read_file("magic", "vitest.json", AVERAGE_NONE, &o);
	ck_assert_str_eq(o.adapter, "js_vitest");
	ck_assert_uint_eq(o.n, 6);
	near(find(&o, "s.bench.js > sorting > numbers", "latency")->value, 1295419.707317151);
	near(find(&o, "s.bench.js > sorting > inner > reverse", "throughput")->value,
		23610.494103);
	read_file("js_vitest", "vitest.json", AVERAGE_MEDIAN, &o);
	near(find(&o, "s.bench.js > sorting > numbers", "latency")->value, 18431.999999847903);
}
END_TEST

START_TEST(counts_of_valgrind_are_the_same_in_print_and_in_json)
{
	static const char *const files[] = { "gungraun.txt", "gungraun.ndjson" };
	struct tool_output o;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		read_file("rust", files[i], AVERAGE_NONE, &o);
		ck_assert_str_eq(o.adapter, i ? "rust_gungraun_json" : "rust_gungraun_stdout");
		ck_assert_uint_eq(o.n, 18);
		near(find(&o, "lib_bench::numbers::fibonacci long:20", "Instructions")->value,
			221505);
		near(find(&o, "lib_bench::numbers::fill", "RAM Hits")->value, 132);
	}
	read_file("rust_iai_callgrind", "gungraun_dhat.txt", AVERAGE_NONE, &o);
	near(find(&o, "lib_bench::numbers::fill", "Total bytes")->value, 8000);
	read_file("magic", "iai.txt", AVERAGE_NONE, &o);
	ck_assert_str_eq(o.adapter, "rust_iai");
	near(find(&o, "fill_1000", "estimated-cycles")->value, 10278);
	ck_assert_str_eq(adapter_stored_name("rust_iai_callgrind"), "rust_gungraun");
}
END_TEST

/* Adapters whose tools are not at hand, and forms of other versions. */
START_TEST(other_tools_are_read_by_their_documented_forms)
{
	static const char catch2[] =
		"------------------------------------------------------------------------------"
		"-\n"
		"Sorting\n  a section\n"
		"------------------------------------------------------------------------------"
		"-\n"
		"/x/sort.cpp:5\n........\n\n"
		"benchmark name            samples       iterations    estimated\n"
		"                          mean          low mean      high mean\n"
		"                          std dev       low std dev   high std dev\n"
		"------------------------------------------------------------------------------"
		"-\n"
		"std::sort of many                 100           208     7.1968 ms \n"
		"small numbers                  344 ns        341 ns        349 ns \n"
		"                                19 ns         11 ns         29 ns \n";
	static const struct {
		const char *adapter, *text, *benchmark, *measure;
		double value, lower, upper;
	} cases[] = {
		{ "cpp_catch2", catch2, "Sorting: std::sort of many small numbers", "latency",
			344, 325, 363 },
		{ "rust_iai",
			"one\n  Instructions:   1,735 (+1.5%)\n  L1 Accesses:  2364\n"
			"  L2 Accesses:  1\n  RAM Accesses:  1\n  Estimated Cycles:  2404\n",
			"one", "estimated-cycles", 2404, NAN, NAN },
		{ "js_time", "a: b: 7.5ms - timer ended\n", "a: b", "latency", 7.5e6, NAN,
			NAN },
		{ "python_asv",
			"[ 35.00%] \xc2\xb7\xc2\xb7\xc2\xb7 s.time_keys   11.5\xc2\xb1"
			"0.5\xce\xbcs\n",
			"s.time_keys", "latency", 11500, 11000, 12000 },
		{ "ruby_benchmark",
			"Rehearsal ---\nsort   9.5 0.0 9.5 ( 9.5)\n------- total: 9.5sec\n"
			"       user     system      total        real\n"
			"sort   1.250000   0.000000   1.250000 (  1.500000)\n",
			"sort", "latency", 1.5e9, NAN, NAN },
		{ "dart_benchmark_harness", "Template(RunTime): 1.5 us.\n", "Template",
			"latency", 1500, NAN, NAN },
		{ "java_jmh",
			"[{\"benchmark\":\"a.B.c\",\"params\":{\"n\":\"5\"},\"primaryMetric\":"
			"{\"score\":2,\"scoreConfidence\":[1,3],\"scoreUnit\":\"ops/ms\","
			"\"rawData\":[[1,3],[2]]}}]",
			"a.B.c[n=5]", "throughput", 2000, 1000, 3000 },
		{ "c_sharp_dot_net",
			"{\"HostEnvironmentInfo\":{},\"Benchmarks\":[{\"Namespace\":\"N\","
			"\"Method\":\"M\",\"Statistics\":{\"Mean\":10,\"StandardDeviation\":2},"
			"\"Memory\":{\"BytesAllocatedPerOperation\":368}}]}",
			"N.M", "latency", 10, 8, 12 },
		{ "js_vitest",
			"{\"files\":[{\"groups\":[{\"fullName\":\"f > g\",\"benchmarks\":[{"
			"\"name\":\"add\",\"mean\":1,\"sd\":0.25,\"hz\":1000,\"rme\":25}]}]}]}",
			"f > g > add", "throughput", 1000, 750, 1250 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct tool_result *r;
		struct tool_output o;
		struct error err;

		ck_assert_msg(read_text("magic", cases[i].text, AVERAGE_NONE, &o, &err) == OK,
			"%s: %s", cases[i].adapter, err.text);
		ck_assert_str_eq(o.adapter, cases[i].adapter);
		r = find(&o, cases[i].benchmark, cases[i].measure);
		near(r->value, cases[i].value);
		ck_assert_int_eq(isnan(r->lower), isnan(cases[i].lower));
		if (isfinite(cases[i].lower)) {
			near(r->lower, cases[i].lower);
			near(r->upper, cases[i].upper);
		}
	}
}
END_TEST

START_TEST(an_average_that_a_tool_has_not_is_no_match)
{
	struct tool_output o;
	struct error err;

	ck_assert_int_eq(read_text("rust_bench", "test a ... bench: 1 ns/iter (+/- 1)\n",
				 AVERAGE_MEAN, &o, &err),
		E_BAD_REQUEST);
	ck_assert_msg(strstr(err.text, "no average 'mean'"), "%s", err.text);
	ck_assert_int_eq(
		read_text("go_bench", "BenchmarkA 5 325 ns/op\n", AVERAGE_MEDIAN, &o, &err),
		E_BAD_REQUEST);
}
END_TEST

/* AddressSanitizer is asked for what is read, not for how long it takes. */
#if defined(__SANITIZE_ADDRESS__)
#define LONG_LINE (128 * KiB)
#else
#define LONG_LINE (2 * MiB)
#endif

/* Seconds would mean that a search goes back and forth. */
START_TEST(long_lines_are_read_in_one_go)
{
	static const char *const fills[] = { " ", "\t", "1 ", "1,", ": ", " x ", "[", "-",
		"a\n", " time:", "1 ns ", "\xc2\xb1", "\n", "=\n", "{\"" };

	for (size_t i = 0; i < ARRAY_SIZE(fills); i++) {
		struct buf b = { 0 };
		struct tool_output o;
		struct error err;

		while (b.len < LONG_LINE)
			buf_add_str(&b, fills[i]);
		ck_assert_int_eq(
			read_text("magic", buf_str(&b), AVERAGE_NONE, &o, &err), E_BAD_REQUEST);
		buf_done(&b);
	}
}
END_TEST

SUITE("adapters", pytest_benchmark_is_read_with_its_rounds,
	google_benchmark_repetitions_are_samples,
	hyperfine_times_are_samples_and_failures_no_results,
	bmf_comes_in_two_versions_but_not_mixed, what_cannot_be_read_names_the_reason,
	entries_fold_as_bencher_folds_them,
	go_benchmarks_count_bytes_allocations_and_what_they_like,
	libtest_and_criterion_bring_their_throughput, benchmark_js_names_may_have_an_x,
	names_that_catch2_wraps_are_whole, asv_tables_memory_and_tracked_values_are_read,
	of_a_rehearsal_only_the_second_pass_counts,
	timers_of_node_are_read_when_nothing_else_is_there,
	jmh_brings_parameters_forks_and_allocations, vitest_names_are_those_of_its_groups,
	counts_of_valgrind_are_the_same_in_print_and_in_json,
	other_tools_are_read_by_their_documented_forms,
	an_average_that_a_tool_has_not_is_no_match, long_lines_are_read_in_one_go)
