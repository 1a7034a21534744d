/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/lib/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/fs.h"
#include "worker/cache.h"
#include "worker/capture.h"
#include "worker/cpus.h"
#include "worker/device.h"
#include "worker/disk.h"
#include "worker/git.h"
#include "worker/gitlog.h"
#include "worker/kept.h"
#include "worker/moments.h"
#include "worker/noise.h"
#include "worker/result.h"
#include "worker/spec.h"
#include "worker/utf8.h"

/* --- what the daemon has not stored yet ----------------------------------------------------
 */

static const char some_job[] = "11111111-1111-4111-8111-111111111111";

static const char *keep(struct kept *k, int64_t attempt, const char *lines)
{
	size_t n = strlen(lines);

	return kept_add(k, some_job, attempt, lines, &n);
}

START_TEST(messages_are_kept_until_they_are_stored)
{
	struct kept k = { 0 };
	size_t n;

	ck_assert_str_eq(keep(&k, 1, "{\"type\":\"a\"}\n{\"type\":\"b\"}\n"),
		"{\"n\":1,\"type\":\"a\"}\n{\"n\":2,\"type\":\"b\"}\n");
	ck_assert_str_eq(keep(&k, 1, "{\"type\":\"c\"}\n"), "{\"n\":3,\"type\":\"c\"}\n");
	ck_assert_str_eq(keep(&k, 2, "{\"type\":\"a\"}\n"), "{\"n\":1,\"type\":\"a\"}\n");
	kept_release(&k, some_job, 1, 2);
	ck_assert_str_eq(kept_find(&k, some_job, 1, &n), "{\"n\":3,\"type\":\"c\"}\n");
	ck_assert_uint_eq(kept_bytes(&k, some_job, 1), n);
	kept_release(&k, some_job, 1, 3);
	ck_assert_uint_eq(kept_bytes(&k, some_job, 1), 0);
	ck_assert_str_eq(keep(&k, 1, "{\"type\":\"d\"}\n"), "{\"n\":4,\"type\":\"d\"}\n");
	kept_done(&k);
}
END_TEST

START_TEST(a_job_is_forgotten_when_its_end_is_stored)
{
	struct kept k = { 0 };
	size_t n;

	keep(&k, 1, "{\"type\":\"done\",\"status\":\"failed\"}\n");
	keep(&k, 2, "{\"type\":\"a\"}\n{\"type\":\"done\",\"status\":\"succeeded\"}\n");
	kept_forget(&k, some_job, 2);
	ck_assert_ptr_null(kept_find(&k, some_job, 1, &n));
	kept_release(&k, some_job, 2, 1);
	ck_assert_ptr_nonnull(kept_find(&k, some_job, 2, &n));
	kept_release(&k, some_job, 2, 2);
	ck_assert_ptr_null(kept_find(&k, some_job, 2, &n));
	kept_release(&k, some_job, 2, 3);
}
END_TEST

/* --- cpu lists --------------------------------------------------------------------------- */

START_TEST(cpu_lists_survive_a_round_trip)
{
	static const char *const lists[] = { "", "0", "0-3", "1,3,5-7", "1023" };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct buf b = { 0 };
		struct error err;
		cpu_set_t set;

		ck_assert_int_eq(cpus_parse(lists[i], &set, &err), OK);
		cpus_format(&set, &b);
		ck_assert_str_eq(buf_str(&b), lists[i]);
		buf_done(&b);
	}
}
END_TEST

START_TEST(cpus_are_parted_in_two_halves)
{
	static const char *const parts[][3] = { { "0-3", "0-1", "2-3" }, { "1,5", "1", "5" },
		{ "2-4", "2", "3-4" }, { "7", "7", "7" } };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct buf lower = { 0 }, upper = { 0 };
		cpu_set_t all, a, b;
		struct error err;

		ck_assert_int_eq(cpus_parse(parts[i][0], &all, &err), OK);
		cpus_halve(&all, &a, &b);
		cpus_format(&a, &lower);
		cpus_format(&b, &upper);
		ck_assert_str_eq(buf_str(&lower), parts[i][1]);
		ck_assert_str_eq(buf_str(&upper), parts[i][2]);
		buf_done(&lower);
		buf_done(&upper);
	}
}
END_TEST

START_TEST(wrong_cpu_lists_are_refused)
{
	static const char *const lists[] = { "a", "3-1", "1,", ",1", "1024", "1 2", "-1",
		"1-" };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct error err;
		cpu_set_t set;

		ck_assert_msg(
			cpus_parse(lists[i], &set, &err) == E_UNPROCESSABLE, "%s", lists[i]);
		ck_assert(strstr(err.text, "is not a list of cpus"));
	}
}
END_TEST

/* --- specs ------------------------------------------------------------------------------- */

static int read_spec(struct arena *a, const char *text, struct spec **ret, struct error *err)
{
	json_t *j = NULL;
	int r = json_parse(text, strlen(text), &j, err);

	ck_assert_msg(r == OK, "%s", err->text);
	r = spec_read(a, j, ret, err);
	json_decref(j);
	return r;
}

START_TEST(a_spec_gets_its_defaults)
{
	struct arena *a = arena_new();
	struct error err;
	struct spec *s;

	ck_assert_int_eq(read_spec(a,
				 "{\"kind\":\"command\",\"future\":1,\"cells\":[{\"id\":\"0\","
				 "\"benchmark\":\"b\",\"argv\":[\"true\"]}]}",
				 &s, &err),
		OK);
	ck_assert_int_eq(s->n_arms, 1);
	ck_assert_str_eq(s->arms[0].name, "head");
	ck_assert(s->is_exclusive);
	ck_assert_int_eq(s->isolation, ISOLATION_BASIC);
	ck_assert_int_eq(s->protocol.processes, 10);
	ck_assert_int_eq(s->protocol.max_processes, 50);
	ck_assert_int_eq(s->limits.time_ns, 60 * NS_PER_S);
	ck_assert_int_eq(s->exit_codes[0], 1);
	ck_assert_int_eq(s->exit_codes[1], 0);
	ck_assert_str_eq(s->cells[0].primary, "latency");
	ck_assert_ptr_null(s->cells[0].adapter);
	arena_free(a);
}
END_TEST

START_TEST(each_arm_may_have_its_own_command)
{
	struct arena *a = arena_new();
	struct error err;
	struct spec *s;

	ck_assert_int_eq(
		read_spec(a,
			"{\"kind\":\"command\",\"arms\":[{\"name\":\"base\"},{\"name\":"
			"\"head\"}],"
			"\"cells\":[{\"id\":\"0\",\"benchmark\":\"b\",\"argv\":[\"x\"],"
			"\"argv_by_arm\":{\"head\":[\"y\",\"1\"]}}]}",
			&s, &err),
		OK);
	ck_assert_str_eq(s->cells[0].argv[0][0], "x");
	ck_assert_str_eq(s->cells[0].argv[1][0], "y");
	ck_assert_str_eq(s->cells[0].argv[1][1], "1");
	ck_assert_ptr_null(s->cells[0].argv[1][2]);
	arena_free(a);
}
END_TEST

#define CELLS "\"cells\":[{\"id\":\"0\",\"benchmark\":\"b\",\"argv\":[\"x\"]}]"

START_TEST(each_fault_of_a_spec_is_named)
{
	static const struct {
		const char *text, *field, *part;
	} cases[] = {
		{ "{" CELLS "}", "/kind", "is missing" },
		{ "{\"kind\":\"suite\"," CELLS "}", "/kind", "it must be one of" },
		{ "{\"kind\":\"command\",\"cells\":[]}", "/cells", "1 to 4096" },
		{ "{\"kind\":\"command\",\"cells\":[{\"id\":\"0\",\"benchmark\":\"b\",\"argv\":"
		  "[]}]}",
			"/cells/0/argv", "1 to 1024 strings" },
		{ "{\"kind\":\"command\",\"cells\":[{\"id\":\"0\",\"benchmark\":\"b\",\"argv\":"
		  "[1]}]}",
			"/cells/0/argv", "must be a string" },
		{ "{\"kind\":\"command\"," CELLS ",\"protocol\":{\"processes\":0}}",
			"/protocol/processes", "1 to 1000" },
		{ "{\"kind\":\"command\"," CELLS ",\"limits\":{\"time_ns\":\"1s\"}}",
			"/limits/time_ns", "must be an integer" },
		{ "{\"kind\":\"command\"," CELLS ",\"cpus\":\"x\"}", "/cpus", "list of cpus" },
		{ "{\"kind\":\"command\"," CELLS ",\"exit_codes\":[256]}", "/exit_codes",
			"0 to 255" },
		{ "{\"kind\":\"command\"," CELLS ",\"environment\":{\"BENCHD_JOB\":\"x\"}}",
			"/environment", "cannot be set" },
		{ "{\"kind\":\"command\"," CELLS ",\"environment\":{\"A=B\":\"x\"}}",
			"/environment", "cannot be set" },
		{ "{\"kind\":\"build\"," CELLS "}", "/repository", "is missing" },
		{ "{\"kind\":\"build\",\"repository\":\"/r\"," CELLS "}", "/arms",
			"needs 'ref' or 'hash'" },
		{ "{\"kind\":\"build\",\"repository\":\"/r\",\"arms\":[{\"name\":\"a\","
		  "\"ref\":\"--upload-pack=x\"}]," CELLS "}",
			"/arms/0", "not a name git accepts" },
		{ "{\"kind\":\"build\",\"repository\":\"/r\",\"arms\":[{\"name\":\"a\","
		  "\"hash\":\"HEAD\"}]," CELLS "}",
			"/arms/0", "40 lower-case hexadecimal digits" },
		{ "{\"kind\":\"command\",\"arms\":[{\"name\":\"a\"},{\"name\":\"a\"}]," CELLS
		  "}",
			"/arms", "names must differ" },
		{ "{\"kind\":\"command\",\"setup\":[\"make\"]," CELLS "}", "/setup/0",
			"must be an array" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arena *a = arena_new();
		struct error err = { 0 };
		struct spec *s;

		ck_assert_msg(read_spec(a, cases[i].text, &s, &err) == E_UNPROCESSABLE, "%s",
			cases[i].text);
		ck_assert_str_eq(err.field, cases[i].field);
		ck_assert_msg(strstr(err.text, cases[i].part), "%s", err.text);
		arena_free(a);
	}
}
END_TEST

/* --- output ------------------------------------------------------------------------------ */

static void check_capture(size_t cap, const char *const *pieces, const char *expected)
{
	struct capture c;
	struct buf b = { 0 };

	capture_init(&c, cap);
	for (; *pieces; pieces++)
		capture_add(&c, *pieces, strlen(*pieces));
	capture_text(&c, &b);
	ck_assert_str_eq(buf_str(&b), expected);
	ck_assert_int_eq(capture_is_cut(&c), strstr(expected, "left out") != NULL);
	buf_done(&b);
	capture_done(&c);
}

START_TEST(a_flood_keeps_its_head_and_its_tail)
{
	check_capture(8, (const char *const[]){ "abcd", "efgh", NULL }, "abcdefgh");
	check_capture(8, (const char *const[]){ "abcdefghi", NULL },
		"abcd\n[... 1 bytes left out ...]\nfghi");
	check_capture(8, (const char *const[]){ "abc", "defghijk", "l", "mn", NULL },
		"abcd\n[... 6 bytes left out ...]\nklmn");
	check_capture(
		0, (const char *const[]){ "abc", NULL }, "\n[... 3 bytes left out ...]\n");
	check_capture(8, (const char *const[]){ NULL }, "");
}
END_TEST

START_TEST(the_first_error_explains_a_failed_build)
{
	struct capture c = { 0 };
	struct buf b = { 0 };
	const char *said = "cc ok.c\nok.c:1:5: error: expected ';'\n    1 | int\n      |    ^\n"
			   "make: *** [all] Error 1\n";

	capture_init(&c, 4096);
	capture_add(&c, said, strlen(said));
	capture_error_line(&c, 100, &b);
	ck_assert_str_eq(buf_str(&b), "ok.c:1:5: error: expected ';'");
	buf_clear(&b);
	capture_done(&c);
	capture_init(&c, 4096);
	capture_add(&c, "no rule for it\n  ^~~\n\n", 23);
	capture_error_line(&c, 100, &b);
	ck_assert_str_eq(buf_str(&b), "no rule for it");
	capture_done(&c);
	buf_done(&b);
}
END_TEST

START_TEST(the_last_line_explains_a_failure)
{
	struct capture c;
	struct buf b = { 0 };

	capture_init(&c, 1024);
	capture_add(&c, "one\ntwo: no such file\n\n  \n", 26);
	capture_last_line(&c, 100, &b);
	ck_assert_str_eq(buf_str(&b), "two: no such file");
	buf_done(&b);
	capture_done(&c);
}
END_TEST

START_TEST(of_nothing_the_last_line_is_empty)
{
	struct capture c;
	struct buf b = { 0 };
	char *used = xmalloc(64);

	memset(used, 'x', 64); /* what memory may hold that is handed out again */
	free(used);
	capture_init(&c, 1024);
	capture_last_line(&c, 100, &b);
	ck_assert_str_eq(buf_str(&b), "");
	buf_done(&b);
	capture_done(&c);
}
END_TEST

START_TEST(bytes_that_are_not_text_become_replacement_characters)
{
	struct buf b = { 0 };

	ck_assert_int_eq(utf8_clean("a\xc3\xa4\xff\0b", 6, &b), 6);
	ck_assert_str_eq(buf_str(&b), "a\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd"
				      "b");
	buf_clear(&b);
	/* A sequence cut off at the end waits for its rest; alone it is broken. */
	ck_assert_int_eq(utf8_clean("a\xc3", 2, &b), 1);
	ck_assert_int_eq(utf8_clean("\xc3", 1, &b), 1);
	ck_assert_str_eq(buf_str(&b), "a\xef\xbf\xbd");
	buf_done(&b);
}
END_TEST

START_TEST(a_limit_never_cuts_a_character_in_half)
{
	static const struct {
		const char *in, *out;
	} cases[] = { { "", "" }, { "ab", "ab" }, { "a\xc3", "a" },
		{ "a\xc3\xa4", "a\xc3\xa4" }, { "a\xe2\x82", "a" }, { "\xf0\x9f\x98", "" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[16];

		strcpy(text, cases[i].in);
		utf8_trim(text);
		ck_assert_str_eq(text, cases[i].out);
	}
}
END_TEST

/* --- the result protocol -------------------------------------------------------------------
 */

static int read_result(struct arena *a, const char *text, struct result *r, struct error *err)
{
	return result_read(a, text, strlen(text), r, err);
}

START_TEST(result_lines_are_collected_by_benchmark_and_measure)
{
	struct arena *a = arena_new();
	struct error err;
	struct result r;

	ck_assert_int_eq(
		read_result(a,
			"{\"hello\":{\"protocol\":1}}\n\n"
			"{\"benchmark\":\"b\",\"measure\":\"latency\",\"unit\":\"ns\","
			"\"warmup\":[9]}\n"
			"{\"benchmark\":\"b\",\"measure\":\"latency\",\"unit\":\"ns\","
			"\"samples\":[1,2]}\n"
			"{\"benchmark\":\"b\",\"measure\":\"rate\",\"better\":\"higher\","
			"\"samples\":[7]}\n"
			"{\"benchmark\":\"b\",\"parameters\":{\"n\":1},\"samples\":[5]}\n"
			"{\"steady\":false}\n{\"metadata\":{\"a\":1}}\n{\"metadata\":{\"b\":2}}"
			"\n"
			"{\"benchmark\":\"b\",\"measure\":\"latency\",\"samples\":[3],"
			"\"future\":{}}",
			&r, &err),
		OK);
	ck_assert(r.said_hello);
	ck_assert(!r.steady);
	ck_assert_int_eq(r.n_series, 3);
	ck_assert_int_eq(r.series[0].samples.n, 3);
	ck_assert(r.series[0].samples.v[2] == 3);
	ck_assert_int_eq(r.series[0].warmup.n, 1);
	ck_assert_str_eq(r.series[1].better, "higher");
	ck_assert_int_eq(json_object_size(r.metadata), 2);
	ck_assert_str_eq(result_find(&r, "rate")->measure, "rate");
	ck_assert_ptr_null(result_find(&r, "other"));
	arena_free(a);
}
END_TEST

START_TEST(lines_that_break_the_result_protocol_are_named)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "{}\nnonsense\n", "line 2" },
		{ "[1]\n", "is not a JSON object" },
		{ "{\"benchmark\":5,\"samples\":[1]}", "'benchmark' must be a string" },
		{ "{\"benchmark\":\"b\",\"samples\":[\"x\"]}", "finite numbers" },
		{ "{\"benchmark\":\"b\",\"samples\":3}", "array of numbers" },
		{ "{\"benchmark\":\"b\",\"unit\":\"ns\",\"samples\":[0]}",
			"not greater than 0" },
		{ "{\"benchmark\":\"b\",\"unit\":\"ns\",\"samples\":[1]}\n"
		  "{\"benchmark\":\"b\",\"unit\":\"s\",\"samples\":[1]}",
			"line 2 on BENCHD_RESULT_FD is wrong: 'unit' differs" },
		{ "{\"benchmark\":\"b\",\"better\":\"more\",\"samples\":[1]}", "'better'" },
		{ "{\"benchmark\":\"b\",\"parameters\":{\"x\":[1]},\"samples\":[1]}",
			"strings, numbers and booleans" },
		{ "{\"calibrated\":{\"iterations\":0}}", "above 0" },
		{ "{\"verify\":{\"ok\":1}}", "boolean 'ok'" },
		{ "{\"steady\":\"no\"}", "'steady'" },
		{ "{\"error\":7}", "'error'" },
		{ "{\"hello\":{\"protocol\":2}}", "'protocol' must be 1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arena *a = arena_new();
		struct error err = { 0 };
		struct result r;

		ck_assert_msg(read_result(a, cases[i].text, &r, &err) == E_UNPROCESSABLE, "%s",
			cases[i].text);
		ck_assert_msg(strstr(err.text, cases[i].part), "%s", err.text);
		arena_free(a);
	}
}
END_TEST

START_TEST(caps_of_the_result_protocol_hold)
{
	struct arena *a = arena_new();
	struct buf b = { 0 };
	struct error err;
	struct result r;

	for (int i = 0; i < RESULT_MAX_LINES + 1; i++)
		buf_add_str(&b, "{}\n");
	ck_assert_int_eq(result_read(a, b.data, b.len, &r, &err), E_UNPROCESSABLE);
	ck_assert(strstr(err.text, "one more than 10000"));
	buf_clear(&b);
	for (int i = 0; i < RESULT_MAX_SERIES + 1; i++)
		buf_printf(&b, "{\"benchmark\":\"b%d\",\"samples\":[1]}\n", i);
	ck_assert_int_eq(result_read(a, b.data, b.len, &r, &err), E_UNPROCESSABLE);
	ck_assert(strstr(err.text, "more than 1000 pairs"));
	ck_assert_int_eq(r.n_series, RESULT_MAX_SERIES);
	buf_clear(&b);
	buf_add_str(&b, "{\"error\":\"");
	for (int i = 0; i < RESULT_MAX_LINE; i++)
		buf_add_char(&b, 'x');
	buf_add_str(&b, "\"}\n");
	ck_assert_int_eq(result_read(a, b.data, b.len, &r, &err), E_UNPROCESSABLE);
	ck_assert(strstr(err.text, "longer than 1 MiB"));
	buf_done(&b);
	arena_free(a);
}
END_TEST

START_TEST(a_failed_proof_outweighs_a_good_one)
{
	struct arena *a = arena_new();
	struct error err;
	struct result r;

	ck_assert_int_eq(
		read_result(a,
			"{\"verify\":{\"ok\":true}}\n{\"verify\":{\"ok\":false,\"digest\":"
			"\"x\"}}\n{\"verify\":{\"ok\":true}}\n",
			&r, &err),
		OK);
	ck_assert(r.verify_failed);
	ck_assert_int_eq(read_result(a, "{\"error\":\"short\"}", &r, &err), OK);
	ck_assert_str_eq(r.error, "short");
	ck_assert_int_eq(
		read_result(a, "{\"verify\":{\"ok\":false,\"digest\":\"x\"}}", &r, &err), OK);
	ck_assert_str_eq(json_get_str(r.verify, "digest", ""), "x");
	arena_free(a);
}
END_TEST

/* --- the kernel's stamps -------------------------------------------------------------------
 */

static pid_t start_waiting(int *ret_go)
{
	int p[2];
	pid_t pid;
	char c;

	ck_assert_int_eq(pipe(p), 0);
	pid = fork();
	if (pid == 0) {
		close(p[1]);
		(void)!read(p[0], &c, 1);
		execl("/bin/true", "true", NULL);
		_exit(127);
	}
	close(p[0]);
	*ret_go = p[1];
	return pid;
}

START_TEST(exec_and_exit_are_stamped_by_the_kernel)
{
	int go;
	pid_t pid = start_waiting(&go);
	struct moments m = { 0 };
	struct moments_seen s;
	int64_t before, after;
	siginfo_t info;

	moments_open(&m, pid);
	before = clock_monotonic_ns();
	close(go);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	after = clock_monotonic_ns();
	if (m.ring) {
		moments_read(&m, pid, &s);
		moments_close(&m);
		ck_assert_int_gt(s.exec_ns, before);
		ck_assert_int_gt(s.exit_ns, s.exec_ns);
		ck_assert_int_lt(s.exit_ns, after);
		ck_assert(!s.had_threads);
	}
	moments_close(&m);
	/* Without a watch nothing is known. */
	m = (struct moments){ 0 };
	moments_read(&m, pid, &s);
	moments_close(&m);
	ck_assert_int_eq(s.exec_ns, 0);
	ck_assert_int_eq(s.exit_ns, 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

/* --- noise ------------------------------------------------------------------------------- */

enum { GROUP = 10 };

/* A quiet process of 100 ms on the CPU all the time. */
static struct noise quiet(void)
{
	struct noise n = { .wall_ns = 100 * NS_PER_MS,
		.window_ns = 101 * NS_PER_MS,
		.ticked_ns = 101 * NS_PER_MS };

	n.amount[N_PSI_CPU] = 300;
	n.amount[N_RUNQ] = 1e5;
	n.amount[N_NIVCSW] = 2;
	return n;
}

static void make_group(struct noise *v, struct noise **p)
{
	for (int i = 0; i < GROUP; i++) {
		v[i] = quiet();
		p[i] = &v[i];
	}
}

START_TEST(quiet_processes_are_clean)
{
	struct noise v[GROUP], *p[GROUP];
	double values[GROUP] = { 1, 3, 2, 5, 4, 1, 3, 2, 5, 4 };

	make_group(v, p);
	noise_judge(p, GROUP);
	for (int i = 0; i < GROUP; i++)
		ck_assert_int_eq(v[i].class, NOISE_CLEAN);
	ck_assert_int_eq(noise_of_run(p, GROUP, values, GROUP, 0), NOISE_CLEAN);
}
END_TEST

START_TEST(one_signal_is_suspect_and_two_are_noisy)
{
	struct noise v[GROUP], *p[GROUP];

	make_group(v, p);
	v[3].amount[N_PSI_CPU] = 10000; /* 10 % of the window */
	v[4].amount[N_PSI_CPU] = 10000;
	v[4].amount[N_RUNQ] = 20e6;
	noise_judge(p, GROUP);
	ck_assert_int_eq(v[3].class, NOISE_SUSPECT);
	ck_assert_int_eq(v[3].signals, 1U << N_PSI_CPU);
	ck_assert_int_eq(v[4].class, NOISE_NOISY);
	ck_assert_int_eq(v[4].signals, 1U << N_PSI_CPU | 1U << N_RUNQ);
	ck_assert_int_eq(v[5].class, NOISE_CLEAN);
}
END_TEST

START_TEST(throttling_and_swapping_are_noisy_alone)
{
	struct noise v[GROUP], *p[GROUP];

	make_group(v, p);
	v[0].amount[N_THROTTLED] = 1;
	v[1].amount[N_SWAPPED] = 1;
	noise_judge(p, GROUP);
	ck_assert_int_eq(v[0].class, NOISE_NOISY);
	ck_assert_int_eq(v[1].class, NOISE_NOISY);
}
END_TEST

START_TEST(the_habit_of_a_benchmark_is_no_noise)
{
	struct noise v[GROUP], *p[GROUP];

	/* More threads than cpus: pressure and switches in every process. */
	make_group(v, p);
	for (int i = 0; i < GROUP; i++) {
		v[i].amount[N_PSI_CPU] = 40000 + 500 * i;
		v[i].amount[N_NIVCSW] = 400 + i;
	}
	noise_judge(p, GROUP);
	for (int i = 0; i < GROUP; i++)
		ck_assert_int_eq(v[i].class, NOISE_CLEAN);
	/* What exceeds the habit counts all the same. */
	v[7].amount[N_PSI_CPU] = 90000;
	noise_judge(p, GROUP);
	ck_assert_int_eq(v[7].class, NOISE_SUSPECT);
}
END_TEST

START_TEST(a_short_process_is_not_judged_by_single_events)
{
	struct noise v[GROUP], *p[GROUP];

	make_group(v, p);
	for (int i = 0; i < GROUP; i++)
		v[i] = (struct noise){
			.wall_ns = NS_PER_MS, .window_ns = NS_PER_MS, .ticked_ns = NS_PER_MS
		};
	v[2].amount[N_NIVCSW] = 2;     /* 2000 a second */
	v[2].amount[N_MIGRATIONS] = 1; /* 1000 a second */
	noise_judge(p, GROUP);
	ck_assert_int_eq(v[2].class, NOISE_CLEAN);
}
END_TEST

START_TEST(a_constant_load_beside_a_run_is_told_though_no_process_stands_out)
{
	struct noise v[GROUP], *p[GROUP];
	double flat[GROUP] = { 3, 1, 2, 3, 1, 2, 3, 1, 2, 3 };

	make_group(v, p);
	ck_assert_double_lt(noise_contention(p, GROUP, 2), 0.01);
	for (int i = 0; i < GROUP; i++) {
		v[i].busy_ns = v[i].wall_ns;
		v[i].amount[N_PSI_CPU] = 90e3;
	}
	noise_judge(p, GROUP);
	ck_assert_int_eq(v[0].class, NOISE_CLEAN);
	ck_assert_double_eq_tol(noise_contention(p, GROUP, 2), 0.89, 0.01);
	ck_assert_int_eq(noise_of_run(p, GROUP, flat, GROUP, 0.89), NOISE_SUSPECT);
	ck_assert_int_eq(noise_of_run(p, GROUP, flat, GROUP, 0.2), NOISE_CLEAN);
	/* Its own threads may be what waits, or nobody can tell. */
	ck_assert_double_eq(noise_contention(p, GROUP, 1), 0);
	v[2].amount[N_PSI_CPU] = -1;
	ck_assert_double_eq(noise_contention(p, GROUP, 2), 0);
	/* Others alone kept all cpus busy at the end of three in ten; of few that may be
	 * chance. */
	v[1].is_crowded = v[4].is_crowded = v[7].is_crowded = true;
	ck_assert_double_eq_tol(noise_contention(p, GROUP, 2), 0.3, 1e-9);
	ck_assert_double_eq(noise_contention(p, 4, 2), 0);
	v[2].amount[N_PSI_CPU] = 90e3;
	ck_assert_double_eq_tol(noise_contention(p, GROUP, 1), 0.3, 1e-9);
	ck_assert_double_eq_tol(noise_contention(p, GROUP, 2), 0.89, 0.01);
}
END_TEST

START_TEST(the_verdict_is_blind_to_order_and_arm)
{
	struct noise v[GROUP], *p[GROUP], *reversed[GROUP];
	enum noise_class first[GROUP];

	make_group(v, p);
	for (int i = 0; i < GROUP; i += 3) {
		v[i].amount[N_PSI_CPU] = 9000 * (i + 1);
		v[i].amount[N_RUNQ] = 5e6 * (i + 1);
	}
	noise_judge(p, GROUP);
	for (int i = 0; i < GROUP; i++) {
		first[i] = v[i].class;
		reversed[GROUP - 1 - i] = &v[i];
	}
	noise_judge(reversed, GROUP);
	for (int i = 0; i < GROUP; i++)
		ck_assert_int_eq(v[i].class, first[i]);
}
END_TEST

START_TEST(many_noisy_processes_or_a_drift_make_a_run_noisy)
{
	struct noise v[GROUP], *p[GROUP];
	double flat[GROUP] = { 3, 1, 2, 3, 1, 2, 3, 1, 2, 3 }, rising[GROUP];

	make_group(v, p);
	for (int i = 0; i < GROUP; i++)
		rising[i] = 100 + i;
	noise_judge(p, GROUP);
	ck_assert_int_eq(noise_of_run(p, GROUP, rising, GROUP, 0), NOISE_NOISY);
	v[0].class = NOISE_NOISY;
	ck_assert_int_eq(noise_of_run(p, GROUP, flat, GROUP, 0), NOISE_SUSPECT);
	v[1].class = v[2].class = v[3].class = NOISE_NOISY;
	ck_assert_int_eq(noise_of_run(p, GROUP, flat, GROUP, 0), NOISE_NOISY);
}
END_TEST

START_TEST(the_first_opinion_uses_the_processes_so_far)
{
	struct noise v[GROUP], *p[GROUP], one = quiet();

	make_group(v, p);
	one.amount[N_PSI_CPU] = 5000; /* 5 %: above the floor of 2 % */
	noise_judge_one(p, GROUP, &one);
	ck_assert_int_eq(one.class, NOISE_SUSPECT);
	/* With too few to know the habit the floor is ten times as high. */
	noise_judge_one(p, 2, &one);
	ck_assert_int_eq(one.class, NOISE_CLEAN);
}
END_TEST

/* --- commits and their cache ---------------------------------------------------------------
 */

START_TEST(repositories_are_taken_by_known_protocols_only)
{
	static const char *const good[] = { "/srv/x.git", "https://h/x.git", "http://h/x",
		"ssh://git@h/x", "git@host:x.git", "file:///srv/x.git" };
	static const char *const bad[] = { "", "file://x", "file:x", "ext::sh -c x", "ext::x",
		"git://h/x", "--upload-pack=x", "-x@h:y", "ssh://-oProxyCommand=x/y",
		"git@-x:y", "relative/x", "https://h/a b", "../x" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		ck_assert_msg(!git_url_problem(good[i]), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(git_url_problem(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(git_log_is_read_whatever_stands_in_it)
{
	static const char text[] = "aa\0bb cc\0A \"x\"\0a@b\0"
				   "100\0subject \xff\0\nbb\0\0B\0b@b\0"
				   "50\0second\0\ncc\0cut";
	json_t *m = json_object(), *c;

	gitlog_read(text, sizeof(text) - 1, m);
	c = json_object_get(m, "commit");
	ck_assert_str_eq(json_get_str(c, "hash", ""), "aa");
	ck_assert_int_eq(json_array_size(json_object_get(c, "parents")), 2);
	ck_assert_str_eq(json_get_str(c, "subject", ""), "subject \xef\xbf\xbd");
	ck_assert_int_eq(json_get_int(c, "time", 0), 100 * NS_PER_S);
	ck_assert_int_eq(json_array_size(json_object_get(m, "ancestors")), 1);
	json_decref(m);
}
END_TEST

static void put(const char *dir, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	free(path);
}

START_TEST(a_changed_tree_is_not_taken_for_a_built_one)
{
	char dir[] = "/tmp/benchd-unit.XXXXXX", *tree, *git;
	struct error err;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	tree = xasprintf("%s/tree", dir);
	git = xasprintf("%s/.git", tree);
	ck_assert_int_eq(dir_make(git, 0700, &err), OK);
	put(tree, "a", "one");
	ck_assert(!cache_is_built(tree));
	ck_assert_int_eq(cache_note_built(tree, &err), OK);
	ck_assert(cache_is_built(tree));
	put(git, "index", "git's own files do not count");
	ck_assert(cache_is_built(tree));
	put(tree, "b", "");
	ck_assert(!cache_is_built(tree));
	ck_assert_int_eq(dir_remove(dir, &err), OK);
	free(tree);
	free(git);
}
END_TEST

START_TEST(the_tree_used_longest_ago_goes_first)
{
	char dir[] = "/tmp/benchd-unit.XXXXXX";
	struct host h = { .state = dir, .job_uid = (uid_t)-1 };
	static const char *const names[] = { "aaaa", "bbbb", "cccc" };
	struct error err;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(cache_make(&h, &err), OK);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *tree = xasprintf("%s/cache/tree/%s", dir, names[i]);
		char *built = xasprintf("%s.built", tree);
		struct timespec t[2] = { { 1000 + (time_t)i, 0 }, { 1000 + (time_t)i, 0 } };

		ck_assert_int_eq(dir_make(tree, 0700, &err), OK);
		put(tree, "file", "some bytes");
		ck_assert_int_eq(cache_note_built(tree, &err), OK);
		ck_assert_int_eq(utimensat(AT_FDCWD, built, t, 0), 0);
		h.cache_bytes += 4096;
		free(built);
		free(tree);
	}
	ck_assert_int_eq(cache_evict(&h), 0);
	h.cache_bytes -= 1;
	ck_assert_int_eq(cache_evict(&h), 1);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *tree = xasprintf("%s/cache/tree/%s", dir, names[i]);

		ck_assert_int_eq(access(tree, F_OK) == 0, i > 0);
		free(tree);
	}
	ck_assert_int_eq(dir_remove(dir, &err), OK);
}
END_TEST

START_TEST(a_twentieth_of_a_disk_stays_free_for_others)
{
	int64_t n = disk_free_bytes("/tmp");

	ck_assert_int_eq(disk_reserve_bytes(20 * GiB), GiB);
	ck_assert_int_eq(disk_reserve_bytes(1000 * GiB), 4 * GiB);
	ck_assert_int_eq(disk_free_bytes("/nowhere/at/all"), -1);
	ck_assert(!disk_is_short("/nowhere/at/all"));
	ck_assert_int_ge(n, 0);
	/* Who began with what is free now has filled nothing; who began with much more has. */
	ck_assert(!disk_was_filled("/tmp", 0));
	ck_assert(disk_was_filled("/tmp", n + 1000 * GiB));
}
END_TEST

/* --- devices ------------------------------------------------------------------------------ */

#define UUID_A "00112233445566778899aabbccddeeff"
static const char probed[] =
	"[{\"uuid\":\"" UUID_A "\",\"driver_id\":4,\"name\":\"broken\",\"unusable\":\"old\"},"
	"{\"uuid\":\"" UUID_A "\",\"driver_id\":5,\"name\":\"card\"},"
	"{\"uuid\":\"ff\",\"driver_id\":13,\"name\":\"soft\",\"software\":true}]";

/* Name of the device that `benchd-kernel run ID WORDS...` would use; "" none. */
#define RESOLVED(...)                                                                          \
	resolved((char *[]){                                                                   \
		(char *)"benchd-kernel", (char *)"run", (char *)"gemm", __VA_ARGS__, NULL })
static const char *resolved(char *const *argv)
{
	static json_t *devices;

	if (!devices)
		devices = json_loads(probed, 0, NULL);
	return json_get_str(device_resolve(devices, argv), "name", "");
}

START_TEST(the_device_of_a_kernel_is_known_beforehand)
{
	ck_assert_str_eq(RESOLVED("--backend=vulkan"), "card");
	ck_assert_str_eq(RESOLVED("--backend", "simd,vulkan"), "card");
	ck_assert_str_eq(RESOLVED("--backend=vulkan", "--device=cpu"), "soft");
	ck_assert_str_eq(RESOLVED("--backend=vulkan", "--device",
				 "00112233-4455-6677-8899-AABBCCDDEEFF"),
		"card");
	ck_assert_str_eq(RESOLVED("--backend=vulkan", "--device=001122"), "");
	ck_assert_str_eq(RESOLVED("--backend=vulkan", "--device=" UUID_A "0"), "");
	ck_assert_str_eq(RESOLVED("--backend=simd", "--device=cpu"), "");
	ck_assert_str_eq(RESOLVED("--backend=vulkans"), "");
	ck_assert_str_eq(RESOLVED("--backend"), "");
	ck_assert_str_eq(resolved((char *[]){ "other", "--backend=vulkan", NULL }), "");
}
END_TEST

START_TEST(a_device_has_a_lock_of_its_own_and_a_software_one_that_of_the_host)
{
	_cleanup_(json_decref)
	json_t *devices = json_loads(probed, 0, NULL);
	_cleanup_(free)
	char *card = device_lock_path(json_array_get(devices, 1)),
	     *soft = device_lock_path(json_array_get(devices, 2));

	ck_assert_ptr_nonnull(strstr(card, "/gpu-" UUID_A ".lock"));
	ck_assert_ptr_nonnull(strstr(soft, "/host.lock"));
}
END_TEST

START_TEST(signs_of_life_use_up_no_lines)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct result r;
	struct error err;
	struct buf b = { 0 };

	for (int i = 0; i < RESULT_MAX_LINES + 10; i++)
		buf_add_str(&b, "{\"progress\":0.5}\n");
	buf_add_str(&b, "{\"benchmark\":\"b\",\"samples\":[1]}\n");
	ck_assert_int_eq(result_read(a, buf_str(&b), b.len, &r, &err), OK);
	ck_assert_uint_eq(r.n_series, 1);
	b.len = 0;
	for (int i = 0; i < RESULT_MAX_LINES + 10; i++)
		buf_add_str(&b, "{\"steady\":true}\n");
	ck_assert_int_eq(result_read(a, buf_str(&b), b.len, &r, &err), E_UNPROCESSABLE);
	ck_assert_ptr_nonnull(strstr(err.text, "one more than 10000"));
	buf_done(&b);
}
END_TEST

SUITE("worker", the_device_of_a_kernel_is_known_beforehand,
	a_device_has_a_lock_of_its_own_and_a_software_one_that_of_the_host,
	signs_of_life_use_up_no_lines, a_twentieth_of_a_disk_stays_free_for_others,
	messages_are_kept_until_they_are_stored, a_job_is_forgotten_when_its_end_is_stored,
	cpu_lists_survive_a_round_trip, a_limit_never_cuts_a_character_in_half,
	wrong_cpu_lists_are_refused, cpus_are_parted_in_two_halves, a_spec_gets_its_defaults,
	each_arm_may_have_its_own_command, each_fault_of_a_spec_is_named,
	a_flood_keeps_its_head_and_its_tail, the_first_error_explains_a_failed_build,
	the_last_line_explains_a_failure, of_nothing_the_last_line_is_empty,
	bytes_that_are_not_text_become_replacement_characters,
	result_lines_are_collected_by_benchmark_and_measure,
	lines_that_break_the_result_protocol_are_named, caps_of_the_result_protocol_hold,
	a_failed_proof_outweighs_a_good_one, quiet_processes_are_clean,
	one_signal_is_suspect_and_two_are_noisy, throttling_and_swapping_are_noisy_alone,
	the_habit_of_a_benchmark_is_no_noise, a_short_process_is_not_judged_by_single_events,
	a_constant_load_beside_a_run_is_told_though_no_process_stands_out,
	exec_and_exit_are_stamped_by_the_kernel, the_verdict_is_blind_to_order_and_arm,
	many_noisy_processes_or_a_drift_make_a_run_noisy,
	the_first_opinion_uses_the_processes_so_far,
	repositories_are_taken_by_known_protocols_only, git_log_is_read_whatever_stands_in_it,
	a_changed_tree_is_not_taken_for_a_built_one, the_tree_used_longest_ago_goes_first)
