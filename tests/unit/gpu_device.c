/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gpu folder on a software device: what it computes, what it refuses, how it fails. */
#include "tests/lib/unit.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "kernels/gpu/vk.h"
#include "tests/lib/lavapipe.h"

static struct error err;

static struct gpu *open_with(struct gpu_options o)
{
	struct gpu *g = NULL;

	o.device = "cpu";
	ck_assert_msg(gpu_open(&o, &g, &err) == OK, "%s", err.text);
	return g;
}

static struct gpu *open_plain(void)
{
	return open_with((struct gpu_options){ 0 });
}

static struct gpu_buf *buffer(struct gpu *g, uint64_t bytes)
{
	struct gpu_buf *b = NULL;

	ck_assert_msg(gpu_buf_new(g, bytes, GPU_DEVICE, &b, &err) == OK, "%s", err.text);
	return b;
}

static struct gpu_kernel *kernel(struct gpu *g, const char *module, uint32_t constant)
{
	const uint32_t spec[] = { 64, 1, 1, constant };
	struct gpu_kernel *k = NULL;

	ck_assert_msg(gpu_kernel_new(g, module, spec, 4, 0, &k, &err) == OK, "%s", err.text);
	return k;
}

static struct gpu_cmd *command(struct gpu *g, unsigned marks)
{
	struct gpu_cmd *c = NULL;

	ck_assert_msg(gpu_cmd_new(g, marks, &c, &err) == OK, "%s", err.text);
	return c;
}

static void finish(struct gpu_cmd *c, double *marks, double *host)
{
	ck_assert_msg(gpu_cmd_end(c, &err) == OK, "%s", err.text);
	ck_assert_msg(gpu_cmd_run(c, marks, host, &err) == OK, "%s", err.text);
}

START_TEST(a_software_device_is_listed_with_its_limits)
{
	struct gpu_info info[8];
	size_t n = 0;
	json_t *j;

	ck_assert_msg(gpu_list_devices(info, 8, true, &n, &err) == OK, "%s", err.text);
	ck_assert_uint_ge(n, 1);
	ck_assert(info[0].is_software);
	ck_assert_str_eq(info[0].kind, "cpu");
	ck_assert_str_eq(info[0].unusable, "");
	ck_assert_uint_eq(strlen(info[0].uuid), 32);
	ck_assert(info[0].has_loop_test);
	ck_assert_uint_ge(info[0].budget_bytes, 1 << 20);
	j = gpu_info_json(&info[0]);
	ck_assert(json_is_true(json_object_get(j, "software")));
	ck_assert(json_is_integer(json_object_get(j, "max_loop_turns")));
	json_decref(j);
}
END_TEST

START_TEST(software_is_never_chosen_unasked)
{
	struct gpu_options o = { 0 };
	struct gpu *g = NULL;

	ck_assert_int_eq(gpu_open(&o, &g, &err), E_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(err.text, "ask for it with --device cpu"));
	ck_assert_int_eq(gpu_exit_status(err.code), 69);
}
END_TEST

START_TEST(a_device_is_found_by_its_uuid_and_no_other)
{
	struct gpu *g = open_plain();
	struct gpu_options o = { .device = "00112233-4455-6677-8899-aabbccddeeff" };
	char uuid[40];

	snprintf(uuid, sizeof(uuid), "%.8s-%s", gpu_get_info(g)->uuid,
		gpu_get_info(g)->uuid + 8);
	gpu_close(g);
	g = NULL;
	ck_assert_int_eq(gpu_open(&o, &g, &err), E_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(err.text, "has the UUID '00112233-"));
	o.device = uuid;
	ck_assert_msg(gpu_open(&o, &g, &err) == OK, "%s", err.text);
	gpu_close(g);
}
END_TEST

START_TEST(what_is_written_is_read_back)
{
	const size_t n =
		(16 << 20) + 4099; /* more than one staging buffer, not a round number */
	unsigned char *in = xmalloc(n), *out = xcalloc(1, n);
	struct gpu *g = open_plain();
	struct gpu_buf *b = buffer(g, n + 100);

	for (size_t i = 0; i < n; i++)
		in[i] = (unsigned char)(i * 7 + (i >> 11));
	ck_assert_int_eq(gpu_buf_fill(b, GPU_POISON, &err), OK);
	ck_assert_int_eq(gpu_buf_write(b, 64, in, n, &err), OK);
	ck_assert_int_eq(gpu_buf_read(b, 64, out, n, &err), OK);
	ck_assert_mem_eq(in, out, n);
	ck_assert_int_eq(gpu_buf_read(b, 0, out, 64, &err), OK);
	ck_assert_mem_eq(out + 60, "\xf8\x7f\xf8\x7f", 4);
	ck_assert_int_eq(gpu_buf_read(b, 200, out, n, &err), E_INTERNAL);
	ck_assert_ptr_nonnull(strstr(err.text, "outside of a buffer"));
	gpu_buf_free(b);
	gpu_close(g);
	free(in);
	free(out);
}
END_TEST

START_TEST(the_memory_limit_is_kept)
{
	struct gpu *g = open_with((struct gpu_options){ .memory_limit = 2 << 20 });
	struct gpu_buf *a = buffer(g, 1 << 20), *b = NULL;

	ck_assert_int_eq(gpu_buf_new(g, 3 << 19, GPU_DEVICE, &b, &err), E_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(err.text, "would pass the memory limit of 2 MiB"));
	gpu_buf_free(a);
	b = buffer(g, 3 << 19);
	gpu_buf_free(b);
	ck_assert_int_eq(gpu_buf_new(g, UINT64_MAX - 40, GPU_DEVICE, &b, &err), E_UNAVAILABLE);
	gpu_close(g);
}
END_TEST

/* out = x + 3 y on the device. */
static void triad(struct gpu *g, bool has_barrier, struct gpu_buf *const b[3], uint32_t n)
{
	struct gpu_kernel *k = kernel(g, "stream_f32", 3);
	struct gpu_bind forth[] = { { b[0], 0, 0 }, { b[1], 0, 0 }, { b[2], 0, 0 } };
	struct gpu_bind back[] = { { b[2], 0, 0 }, { b[1], 0, 0 }, { b[0], 0, 0 } };
	struct gpu_cmd *c = command(g, 2);
	struct gpu_groups groups;
	double marks[2], host = 0;

	ck_assert_int_eq(gpu_groups_fold(gpu_get_info(g), n, 64, &groups, &err), OK);
	gpu_cmd_mark(c);
	gpu_cmd_dispatch(c, k, forth, &n, sizeof(n), groups);
	if (has_barrier)
		gpu_cmd_barrier(c);
	gpu_cmd_dispatch(c, k, back, &n, sizeof(n), groups);
	gpu_cmd_mark(c);
	finish(c, marks, &host);
	ck_assert_double_eq(marks[0], 0);
	ck_assert_double_gt(marks[1], 0);
	ck_assert_double_gt(host, 0);
	gpu_cmd_free(c);
	gpu_kernel_free(k);
}

static void run_triad(struct gpu *g, bool has_barrier)
{
	enum { N = 5000 };
	struct gpu_buf *b[3];
	float host[N];

	for (int i = 0; i < 3; i++) {
		b[i] = buffer(g, sizeof(host));
		for (int k = 0; k < N; k++)
			host[k] = (float)(i + k % 100);
		ck_assert_int_eq(gpu_buf_write(b[i], 0, host, sizeof(host), &err), OK);
	}
	triad(g, has_barrier, b, N);
	ck_assert_int_eq(gpu_buf_read(b[0], 0, host, sizeof(host), &err), OK);
	for (int k = 0; has_barrier && k < N; k++) /* x + 3 y + 3 y with y = 1 + k */
		ck_assert_float_eq(host[k], k % 100 + 6 * (1 + k % 100));
	for (int i = 0; i < 3; i++)
		gpu_buf_free(b[i]);
}

START_TEST(a_shader_computes_and_is_timed)
{
	struct gpu *g = open_plain();

	run_triad(g, true);
	gpu_close(g);
}
END_TEST

START_TEST(a_missing_feature_is_refused)
{
	struct gpu *g = open_plain();
	const uint32_t spec[] = { 64, 1, 1 }, large[] = { 1 << 20, 1, 1 },
		       wide[] = { 64, 64, 1 };
	struct gpu_kernel *k = NULL;

	g->p.info.features &= ~(uint32_t)GPU_F64;
	ck_assert_int_eq(
		gpu_kernel_new(g, "stream_f64", spec, 3, 0, &k, &err), E_NOT_IMPLEMENTED);
	ck_assert_ptr_nonnull(strstr(err.text, "lacks f64, which 'stream_f64' needs"));
	ck_assert_int_eq(
		gpu_kernel_new(g, "stream_f32", large, 3, 0, &k, &err), E_NOT_IMPLEMENTED);
	ck_assert_int_eq(
		gpu_kernel_new(g, "stream_f32", wide, 3, 0, &k, &err), E_NOT_IMPLEMENTED);
	ck_assert_ptr_nonnull(strstr(err.text, "4096 invocations is over"));
	ck_assert_int_eq(
		gpu_kernel_new(g, "stream_f32", spec, 3, 64, &k, &err), E_NOT_IMPLEMENTED);
	ck_assert_int_eq(gpu_kernel_new(g, "nonsense", spec, 3, 0, &k, &err), E_INTERNAL);
	gpu_close(g);
}
END_TEST

START_TEST(too_many_workgroups_are_refused_and_folding_helps)
{
	struct gpu *g = open_plain();
	uint32_t most = gpu_get_info(g)->max_groups[0], n = 1;
	struct gpu_kernel *k = kernel(g, "stream_f32", 0);
	struct gpu_buf *b = buffer(g, 16);
	struct gpu_bind binds[] = { { b, 0, 0 }, { b, 0, 0 }, { b, 0, 0 } };
	struct gpu_cmd *c = command(g, 0);
	struct gpu_groups groups;

	gpu_cmd_dispatch(c, k, binds, &n, 4, (struct gpu_groups){ most + 1, 1, 1 });
	ck_assert_int_eq(gpu_cmd_end(c, &err), E_NOT_IMPLEMENTED);
	ck_assert_ptr_nonnull(strstr(err.text, "workgroups in dimension 0"));
	ck_assert_int_eq(
		gpu_groups_fold(gpu_get_info(g), (uint64_t)most * 64 + 1, 64, &groups, &err),
		OK);
	ck_assert_uint_eq(groups.x, most);
	ck_assert_uint_eq(groups.y, 2);
	ck_assert_int_eq(gpu_groups_fold(gpu_get_info(g), 1ULL << 32, 64, &groups, &err),
		E_NOT_IMPLEMENTED);
	gpu_cmd_free(c);
	gpu_buf_free(b);
	gpu_kernel_free(k);
	gpu_close(g);
}
END_TEST

START_TEST(a_loop_over_the_limit_is_refused)
{
	struct gpu *g = open_plain();
	uint32_t most = gpu_get_info(g)->max_loop_turns;

	ck_assert(gpu_get_info(g)->has_loop_test);
	if (most) {
		ck_assert_int_eq(gpu_loops_check(g, most, &err), OK);
		ck_assert_int_eq(gpu_loops_check(g, most + 1, &err), E_NOT_IMPLEMENTED);
		ck_assert_ptr_nonnull(strstr(err.text, "cuts loops after"));
	}
	g->p.info.max_loop_turns = 0;
	ck_assert_int_eq(gpu_loops_check(g, UINT64_MAX, &err), OK);
	gpu_close(g);
}
END_TEST

/* --- failures ---------------------------------------------------------------------------- */

static VKAPI_ATTR VkResult VKAPI_CALL lose_device(
	VkDevice d, uint32_t n, const VkFence *f, VkBool32 all, uint64_t timeout)
{
	return VK_ERROR_DEVICE_LOST;
}

/* Writes that go well before the fault, and its error. */
static int writes_until(const char *fault)
{
	char bytes[64] = "";
	struct gpu_buf *b;
	struct gpu *g;
	int n = 0;

	setenv("BENCHD_KERNEL_FAULT", fault, 1);
	g = open_plain();
	b = buffer(g, 64);
	while (n < 100 && gpu_buf_write(b, 0, bytes, 64, &err) == OK)
		n++;
	ck_assert_int_eq(err.code, E_GONE);
	ck_assert(gpu_is_lost(g));
	gpu_buf_free(b);
	gpu_close(g);
	return n;
}

START_TEST(a_fault_strikes_at_the_submission_it_was_asked_for)
{
	int n = writes_until("device_lost:20");

	ck_assert_str_eq(err.text, "vkQueueSubmit: the device was lost (VK_ERROR_DEVICE_LOST)");
	ck_assert_int_ge(n, 1);
	ck_assert_int_lt(n, 20);
	ck_assert_int_eq(writes_until("device_lost:23"), n + 3);
}
END_TEST

START_TEST(a_fault_that_does_not_exist_is_refused)
{
	static const char *const bad[] = { "device_lost", "device_lost:", "device_lost:0",
		"loss:1", "crash:x", ":1" };
	struct gpu_options o = { .device = "cpu" };
	struct gpu *g = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		setenv("BENCHD_KERNEL_FAULT", bad[i], 1);
		ck_assert_int_eq(gpu_open(&o, &g, &err), E_BAD_REQUEST);
		ck_assert_ptr_nonnull(
			strstr(err.text, "device_lost:N, crash:N, hang:N or undead:N"));
	}
}
END_TEST

START_TEST(a_lost_device_stays_lost)
{
	struct gpu *g = open_plain();
	struct gpu_buf *b = buffer(g, 64), *other = NULL;
	struct gpu_kernel *k = NULL;
	const uint32_t spec[] = { 64, 1, 1 };
	char bytes[64] = "";

	g->f.WaitForFences = lose_device;
	ck_assert_int_eq(gpu_buf_write(b, 0, bytes, 64, &err), E_GONE);
	ck_assert_ptr_nonnull(strstr(err.text, "VK_ERROR_DEVICE_LOST"));
	ck_assert_int_eq(gpu_exit_status(err.code), 76);
	ck_assert(gpu_is_lost(g));
	ck_assert_int_eq(gpu_buf_read(b, 0, bytes, 64, &err), E_GONE);
	ck_assert_ptr_nonnull(strstr(err.text, "lost earlier"));
	ck_assert_int_eq(gpu_buf_new(g, 64, GPU_DEVICE, &other, &err), E_GONE);
	ck_assert_int_eq(gpu_kernel_new(g, "stream_f32", spec, 3, 0, &k, &err), E_GONE);
	gpu_buf_free(b);
	gpu_close(g);
}
END_TEST

/* Start a dispatch of many seconds in a child of this test, which must not have touched Vulkan
 * itself, and give its exit status: gpu_exit_status of what gpu_cmd_run said. */
static int run_long_dispatch(struct gpu_options o, double *ret_s)
{
	int64_t start = clock_monotonic_ns();
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct gpu *g = open_with(o);
		const uint32_t spec[] = { 32, 1, 1 };
		struct gpu_buf *b = buffer(g, 128);
		struct gpu_bind bind = { b, 0, 0 };
		struct gpu_kernel *k = NULL;
		uint32_t turns = 60000;
		struct gpu_cmd *c = command(g, 0);

		if (gpu_kernel_new(g, "loops", spec, 3, 0, &k, &err) < 0)
			_exit(1);
		for (int i = 0; i < 8; i++)
			gpu_cmd_dispatch(c, k, &bind, &turns, sizeof(turns),
				(struct gpu_groups){ 65535, 1, 1 });
		if (gpu_cmd_end(c, &err) < 0)
			_exit(1);
		if (o.stop)
			alarm(1);
		if (gpu_cmd_run(c, NULL, NULL, &err) == OK)
			_exit(2);
		gpu_cmd_free(c);
		gpu_kernel_free(k);
		gpu_buf_free(b);
		gpu_close(g);
		_exit(gpu_exit_status(err.code));
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	*ret_s = (double)(clock_monotonic_ns() - start) / 1e9;
	ck_assert_msg(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static volatile int stop;

static void on_alarm(int sig)
{
	stop = 1;
}

START_TEST(a_stop_is_seen_while_a_dispatch_runs)
{
	double s;

	signal(SIGALRM, on_alarm);
	ck_assert_int_eq(run_long_dispatch((struct gpu_options){ .stop = &stop }, &s), 75);
	ck_assert_double_lt(s, 60);
}
END_TEST

START_TEST(a_submission_past_its_deadline_is_given_up)
{
	double s;

	ck_assert_int_eq(
		run_long_dispatch((struct gpu_options){ .run_timeout_ns = 300000000 }, &s), 75);
	ck_assert_double_lt(s, 60);
}
END_TEST

/* --- the pipeline cache ------------------------------------------------------------------ */

static char *cache_file(const char *dir)
{
	char pattern[256];
	glob_t found;
	char *path;

	snprintf(pattern, sizeof(pattern), "%s/*.bin", dir);
	ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
	ck_assert_uint_eq(found.gl_pathc, 1);
	path = xstrdup(found.gl_pathv[0]);
	globfree(&found);
	return path;
}

START_TEST(a_damaged_pipeline_cache_is_ignored)
{
	char dir[] = "/tmp/benchd-unit.XXXXXX", *path;
	struct gpu_options o = { .cache_dir = dir };
	struct buf b = { 0 };
	struct gpu *g;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	gpu_close(open_with(o));
	path = cache_file(dir);
	g = open_with(o);
	ck_assert_uint_gt(g->cache_loaded_bytes, 0);
	gpu_close(g);
	ck_assert_int_eq(file_read(path, 1 << 20, &b, &err), OK);
	for (size_t i = 0; i < b.len; i += 5) {
		b.data[i] ^= 0x20;
		ck_assert_int_eq(file_write(path, b.data, b.len, 0600, &err), OK);
		g = open_with(o);
		ck_assert_uint_eq(g->cache_loaded_bytes, 0);
		g->cache_path[0] = '\0'; /* leave the damaged file */
		gpu_close(g);
		b.data[i] ^= 0x20;
	}
	ck_assert_int_eq(file_write(path, b.data, b.len / 2, 0600, &err), OK);
	g = open_with(o);
	ck_assert_uint_eq(g->cache_loaded_bytes, 0);
	run_triad(g, true);
	gpu_close(g);
	buf_done(&b);
	free(path);
	ck_assert_int_eq(dir_remove(dir, &err), OK);
}
END_TEST

LAVAPIPE_SUITE("gpu on a software device", false, a_software_device_is_listed_with_its_limits,
	software_is_never_chosen_unasked, a_device_is_found_by_its_uuid_and_no_other,
	what_is_written_is_read_back, the_memory_limit_is_kept, a_shader_computes_and_is_timed,
	a_missing_feature_is_refused, too_many_workgroups_are_refused_and_folding_helps,
	a_loop_over_the_limit_is_refused, a_fault_strikes_at_the_submission_it_was_asked_for,
	a_fault_that_does_not_exist_is_refused, a_lost_device_stays_lost,
	a_stop_is_seen_while_a_dispatch_runs, a_submission_past_its_deadline_is_given_up,
	a_damaged_pipeline_cache_is_ignored)
