/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/lib/unit.h"

#include <string.h>
#include "base/cleanup.h"
#include "daemon/model/model.h"

static struct arena *arena;
static struct workload workload;
static struct cell *cells;
static size_t n_cells;
static struct error err;

static int expand(const char *definition, const char *parameters)
{
	json_t *d = json_loads(definition, 0, NULL);
	json_t *p = parameters ? json_loads(parameters, 0, NULL) : NULL;
	int r;

	ck_assert_ptr_nonnull(d);
	if (!arena)
		arena = arena_new();
	arena_own_json(arena, d);
	if (p)
		arena_own_json(arena, p);
	memset(&err, 0, sizeof(err));
	r = workload_read(d, arena, &workload, &err);
	return r < 0 ? r : workload_expand(&workload, p, arena, &cells, &n_cells, &err);
}

START_TEST(a_matrix_becomes_cells_without_the_excluded_ones)
{
	ck_assert_int_eq(expand("{\"kind\":\"kernel\",\"kernel\":\"stream.triad\",\"matrix\":{"
				"\"backend\":"
				"[\"scalar\",\"simd\"],\"size\":[\"1Mi\",\"64Mi\"]},"
				"\"exclude\":[{\"backend\":\"scalar\",\"size\":\"64Mi\"}]}",
				 "{\"dtype\":\"f32\"}"),
		OK);
	ck_assert_uint_eq(n_cells, 3);
	ck_assert_str_eq(cells[0].suffix, "[backend=scalar,dtype=f32,size=1Mi]");
	ck_assert_str_eq(cell_result_name(&workload, &cells[2], "stream.triad", arena),
		"stream.triad[backend=simd,dtype=f32,size=64Mi]");
	ck_assert_str_ne(cells[0].definition_hash, cells[1].definition_hash);
}
END_TEST

START_TEST(a_parameter_stays_one_argument)
{
	ck_assert_int_eq(
		expand("{\"kind\":\"command\",\"name\":\"c\",\"command\":[\"prog\",\"--n={n}\","
		       "\"{{x}}\"],\"parameters\":{\"n\":1}}",
			"{\"n\":\"2; rm -rf\"}"),
		OK);
	ck_assert_str_eq(json_string_value(json_array_get(cells[0].argv, 1)), "--n=2; rm -rf");
	ck_assert_str_eq(json_string_value(json_array_get(cells[0].argv, 2)), "{x}");
}
END_TEST

START_TEST(names_and_descriptions_do_not_change_the_hash)
{
	char first[65];

	ck_assert_int_eq(
		expand("{\"kind\":\"command\",\"name\":\"a\",\"command\":[\"true\"]}", NULL),
		OK);
	strcpy(first, cells[0].definition_hash);
	ck_assert_int_eq(expand("{\"kind\":\"command\",\"name\":\"b\",\"description\":\"x\","
				"\"tags\":[\"t\"],"
				"\"command\":[\"true\"],\"protocol\":{\"budget\":\"9s\"}}",
				 NULL),
		OK);
	ck_assert_str_eq(first, cells[0].definition_hash);
	ck_assert_int_eq(expand("{\"kind\":\"command\",\"name\":\"b\",\"command\":[\"true\"],"
				"\"protocol\":{\"samples\":9}}",
				 NULL),
		OK);
	ck_assert_str_ne(first, cells[0].definition_hash);
}
END_TEST

#define KERNEL(id) "{\"kind\":\"kernel\",\"kernel\":\"" id "\"}"
#define TRIAD KERNEL("stream.triad")

START_TEST(the_program_is_part_of_what_a_kernel_measures)
{
	struct definition with, without, other;

	ck_assert_int_eq(expand("{\"kind\":\"kernel\",\"kernel\":\"stream.triad\"}", NULL), OK);
	without = definition_of(arena, &cells[0], "", NULL);
	with = definition_of(arena, &cells[0], "one", NULL);
	other = definition_of(arena, &cells[0], "two", NULL);
	ck_assert_str_eq(without.hash, cells[0].definition_hash);
	ck_assert_ptr_null(without.program);
	ck_assert_str_ne(with.hash, without.hash);
	ck_assert_str_ne(with.hash, other.hash);
	ck_assert_str_eq(with.workload, other.workload);
	ck_assert_str_eq(with.program, "one");
	other = definition_of(arena, &cells[0], "one", "llvmpipe 2");
	ck_assert_str_ne(with.hash, other.hash);
	ck_assert_str_eq(other.driver, "llvmpipe 2");
}
END_TEST

/* Commits are compared by it: each would begin a history of its own. */
START_TEST(the_program_of_a_command_or_build_is_not)
{
	struct definition d;

	ck_assert_int_eq(expand("{\"kind\":\"build\",\"name\":\"k\",\"repository\":"
				"\"https://host/benchd.git\",\"build\":[[\"make\"]],"
				"\"benchmarks\":[{\"name\":\"sum\",\"command\":[\"./"
				"benchd-kernel\",\"run\",\"reduce.sum\"]}]}",
				 NULL),
		OK);
	d = definition_of(arena, &cells[0], "one", "driver");
	ck_assert_str_eq(d.hash, cells[0].definition_hash);
	ck_assert_ptr_null(d.program);
}
END_TEST

START_TEST(several_commands_take_turns)
{
	char alone[65];

	ck_assert_int_eq(expand("{\"kind\":\"command\",\"turns\":true,\"prepare\":[[\"sync\"]],"
				"\"benchmarks\":[{\"name\":\"a b\",\"command\":[\"a\",\"b\"]},"
				"{\"name\":\"c\",\"command\":[\"c\"],\"prepare\":[[\"p\"]]}]}",
				 NULL),
		OK);
	ck_assert_uint_eq(n_cells, 2);
	ck_assert_str_eq(cells[0].benchmark, "a b");
	ck_assert_str_eq(cells[0].group, cells[1].group);
	ck_assert_int_eq(cells[0].threads, 0);
	ck_assert_ptr_null(cells[0].prepare);
	ck_assert_str_eq(
		json_string_value(json_array_get(json_array_get(cells[1].prepare, 0), 0)), "p");
	strcpy(alone, cells[0].definition_hash);
	ck_assert_int_eq(
		expand("{\"kind\":\"command\",\"prepare\":[[\"sync\"]],"
		       "\"benchmarks\":[{\"name\":\"a b\",\"command\":[\"a\",\"b\"]}]}",
			NULL),
		OK);
	ck_assert_ptr_null(cells[0].group);
	ck_assert_str_eq(cells[0].definition_hash, alone);
}
END_TEST

START_TEST(several_commands_are_told_apart)
{
	ck_assert_int_lt(expand("{\"kind\":\"command\",\"benchmarks\":[{\"name\":\"a\","
				"\"command\":[\"a\"]},{\"name\":\"a\",\"command\":[\"b\"]}]}",
				 NULL),
		0);
	ck_assert_str_eq(err.text, "two of the 'benchmarks' are called 'a'");
	ck_assert_int_lt(expand("{\"kind\":\"command\",\"command\":[\"a\"],\"benchmarks\":"
				"[{\"name\":\"a\",\"command\":[\"a\"]}]}",
				 NULL),
		0);
	ck_assert_str_eq(err.text, "'benchmarks' and 'command' exclude each other");
	ck_assert_int_lt(expand("{\"kind\":\"command\"}", NULL), 0);
	ck_assert_str_eq(
		err.text, "'command' is missing; a workload of kind 'command' needs it");
	ck_assert_int_lt(expand("{\"kind\":\"command\",\"command\":[\"a\"],\"turns\":true,"
				"\"scaling\":{\"kind\":\"strong\",\"threads\":[1,2]}}",
				 NULL),
		0);
	ck_assert_str_eq(err.text, "'turns' is for cells; those of 'scaling' take turns "
				   "already, a suite has none");
}
END_TEST

START_TEST(what_a_kernel_takes_is_taken)
{
	static const struct {
		const char *text, *parameters;
	} good[] = {
		{ TRIAD, "{\"size\":\"small,64Mi,l1,dram,100000\",\"dtype\":\"all\"}" },
		{ TRIAD, "{\"size\":65536,\"backend\":\"all,vulkan\"}" },
		{ TRIAD, "{\"size\":\"levels\"}" },
		{ TRIAD, "{\"size\":\"caches\",\"device\":\"cpu\"}" },
		{ TRIAD, "{\"device\":\"6d657361-3232-2e33-2e36-000000000000\"}" },
		{ KERNEL("gemm"), "{\"size\":\"64,100x200x300,tiny\",\"backend\":\"blas\"}" },
		{ KERNEL("fft.c2c"), "{\"size\":\"4096x3\",\"backend\":\"fftw\"}" },
		{ KERNEL("regrid.*"), "{\"size\":\"3km\"}" },
		{ KERNEL("histogram.256"), "{\"dtype\":\"u8\"}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		ck_assert_msg(expand(good[i].text, good[i].parameters) == OK, "%s: %s",
			good[i].parameters, err.text);
}
END_TEST

START_TEST(each_mistake_is_named)
{
	static const struct {
		const char *definition, *parameters, *field, *part;
	} bad[] = {
		{ "{\"kind\":\"command\"}", NULL, "/command", "needs it" },
		{ "{\"kind\":\"comand\",\"command\":[\"x\"]}", NULL, "/kind", "'command'" },
		{ "{\"kind\":\"command\",\"command\":[]}", NULL, "/command", "1 to 1000" },
		{ "{\"kind\":\"command\",\"command\":[\"x\",5]}", NULL, "/command",
			"quote numbers" },
		{ "{\"kind\":\"command\",\"command\":[\"{n}\"]}", NULL, "/command",
			"not declared" },
		{ "{\"kind\":\"command\",\"command\":[\"x\"],\"kernel\":\"stream.triad\"}",
			NULL, "/kernel", "belongs to kind 'kernel'" },
		{ "{\"kind\":\"kernel\",\"kernel\":\"stream.traid\"}", NULL, "/kernel",
			"did you mean 'stream.triad'" },
		{ "{\"kind\":\"kernel\",\"kernel\":\"Triad\"}", NULL, "/kernel",
			"matches 'Triad'; did you mean 'stream.triad'?" },
		{ "{\"kind\":\"kernel\",\"kernel\":\"fft\"}", NULL, "/kernel",
			"did you mean 'fft.c2c'?" },
		{ "{\"kind\":\"kernel\",\"kernel\":\"stream.triad\"}", "{\"sice\":1}",
			"/parameters/sice", "no parameter" },
		{ "{\"kind\":\"kernel\",\"kernel\":\"stream.triad\"}", "{\"size\":\"--x\"}",
			"/parameters", "begins with '-'" },
		{ "{\"kind\":\"kernel\",\"kernel\":\"stream.triad\"}",
			"{\"backend\":\"simd,cuda\"}", "/parameters/backend",
			"'backend' is 'simd,cuda'; there are scalar, simd, threads" },
		{ "{\"kind\":\"kernel\",\"kernel\":\"stream.triad\",\"matrix\":{\"dtype\":["
		  "\"f32\",\"f16\"]}}",
			NULL, "/parameters/dtype", "f64" },
		{ TRIAD, "{\"size\":\"10x10\"}", "/parameters/size",
			"'size' is '10x10'; stream.triad takes bytes of each array as a number "
			"such as "
			"64Ki (each 64 to 68719476736), one of small,medium,large, or l1" },
		{ TRIAD, "{\"size\":\"small,tiny\"}", "/parameters/size", "'size' is 'tiny'" },
		{ TRIAD, "{\"size\":\"\"}", "/parameters/size", "'size' is ''" },
		{ TRIAD, "{\"size\":63}", "/parameters/size",
			"63 is out of range for stream.triad (bytes of each array): 64 to" },
		{ TRIAD, "{\"size\":1.5}", "/parameters/size", "no whole number" },
		{ TRIAD, "{\"size\":\"128Gi\"}", "/parameters/size", "out of range" },
		{ TRIAD, "{\"dtype\":\"u32\"}", "/parameters/dtype",
			"'dtype' is 'u32', but stream.triad has f32,f64" },
		{ TRIAD, "{\"backend\":\"simd,blas\"}", "/parameters/backend",
			"but stream.triad has scalar,simd,threads,vulkan" },
		{ TRIAD, "{\"device\":\"gpu0\"}", "/parameters/device",
			"it must be cpu (a software device) or the UUID of a Vulkan device" },
		{ KERNEL("gemm"), "{\"size\":\"64x64x64x64\"}", "/parameters/size",
			"m x n x k as numbers such as 64x64x128" },
		{ KERNEL("gemm"), "{\"size\":\"128Kix128Kix128Ki\"}", "/parameters/size",
			"the limit is 2^40" },
		{ KERNEL("gemm"), "{\"size\":\"64xx64\"}", "/parameters/size", "'64xx64'" },
		{ KERNEL("gemm"), "{\"size\":\"64x\"}", "/parameters/size", "'64x'" },
		{ KERNEL("fft.c2c"), "{\"size\":\"100x3\"}", "/parameters/size",
			"100 is no power of two, which fft.c2c needs (points x sequences)" },
		{ KERNEL("regrid.nearest"), "{\"size\":\"64\"}", "/parameters/size",
			"rows x columns of the source grid" },
		{ "{\"kind\":\"kernel\",\"kernel\":\"stream.triad\"}", "{\"backend\":7}",
			"/parameters/backend", "no text" },
		{ "{\"kind\":\"command\",\"command\":[\"x\"],\"protocol\":{\"processes\":0}}",
			NULL, "/protocol/processes", "1 to 1000" },
		{ "{\"kind\":\"command\",\"command\":[\"x\"],\"limits\":{\"time\":\"1 week\"}}",
			NULL, "/limits/time", "not a duration" },
		{ "{\"kind\":\"command\",\"command\":[\"x\"],\"environment\":{\"LD_PRELOAD\":"
		  "\"x\"}}",
			NULL, "/environment/LD_PRELOAD", "kept back" },
		{ "{\"kind\":\"build\",\"repository\":\"ext::sh -c "
		  "x\",\"benchmarks\":[{\"name\":"
		  "\"a\",\"command\":[\"a\"]}]}",
			NULL, "/repository", "absolute path" },
		{ "{\"kind\":\"build\",\"repository\":\"/"
		  "r\",\"benchmarks\":[{\"command\":[\"a\"]}]}",
			NULL, "/benchmarks/0/name", "is missing" },
		{ "{\"kind\":\"command\",\"command\":[\"x\"],\"matrix\":{\"a\":[]}}", NULL,
			"/matrix/a", "must be a list" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ck_assert_int_eq(expand(bad[i].definition, bad[i].parameters), E_UNPROCESSABLE);
		ck_assert_str_eq(err.field, bad[i].field);
		ck_assert_msg(strstr(err.text, bad[i].part), "%s", err.text);
	}
}
END_TEST

START_TEST(a_matrix_has_a_limit)
{
	struct buf b = { 0 };

	buf_add_str(&b, "{\"kind\":\"command\",\"command\":[\"{a}{b}\"],\"matrix\":{\"a\":[0");
	for (int i = 1; i < 40; i++)
		buf_printf(&b, ",%d", i);
	buf_add_str(&b, "],\"b\":[0");
	for (int i = 1; i < 40; i++)
		buf_printf(&b, ",%d", i);
	buf_add_str(&b, "]}}");
	ck_assert_int_eq(expand(buf_str(&b), NULL), E_UNPROCESSABLE);
	ck_assert_str_eq(err.text, "the matrix has more than 1000 cells");
	buf_done(&b);
}
END_TEST

START_TEST(a_sweep_has_a_cell_for_each_number_of_threads)
{
	ck_assert_int_eq(
		expand("{\"kind\":\"command\",\"name\":\"c\",\"command\":[\"p\",\"{threads}\","
		       "\"{n}\"],\"parameters\":{\"n\":\"64Mi\"},"
		       "\"scaling\":{\"kind\":\"weak\",\"threads\":[1,3],\"size\":\"n\"}}",
			NULL),
		OK);
	ck_assert_uint_eq(n_cells, 2);
	ck_assert_str_eq(cells[1].group, "c[n=64Mi]");
	ck_assert_str_eq(cells[1].group, cells[0].group);
	ck_assert_str_eq(cells[1].suffix, "[n=192Mi,threads=3]");
	ck_assert_str_eq(json_string_value(json_array_get(cells[1].argv, 2)), "192Mi");
	ck_assert_str_eq(json_get_str(cells[1].environment, "OMP_NUM_THREADS", ""), "3");
}
END_TEST

START_TEST(auto_is_written_down_when_a_job_is_filed)
{
	json_t *threads;

	ck_assert_int_eq(expand("{\"kind\":\"kernel\",\"kernel\":\"stream.triad\",\"cpus\":"
				"\"0-3,8,9\",\"scaling\":{\"kind\":\"weak\"}}",
				 NULL),
		OK);
	ck_assert_uint_eq(n_cells, 4);
	ck_assert_str_eq(cells[3].suffix, "[backend=threads,threads=6,weak=true]");
	ck_assert_str_eq(json_string_value(json_array_get(cells[3].argv, 5)), "--weak");
	ck_assert_ptr_null(cells[3].environment);
	workload_pin_scaling(&workload);
	threads = json_object_get(json_object_get(workload.definition, "scaling"), "threads");
	ck_assert_uint_eq(json_array_size(threads), 4);
	ck_assert_int_eq(json_integer_value(json_array_get(threads, 2)), 4);
}
END_TEST

SUITE("workload", a_matrix_becomes_cells_without_the_excluded_ones,
	a_parameter_stays_one_argument, names_and_descriptions_do_not_change_the_hash,
	the_program_is_part_of_what_a_kernel_measures, the_program_of_a_command_or_build_is_not,
	several_commands_take_turns, several_commands_are_told_apart,
	what_a_kernel_takes_is_taken, each_mistake_is_named, a_matrix_has_a_limit,
	a_sweep_has_a_cell_for_each_number_of_threads, auto_is_written_down_when_a_job_is_filed)
