/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The validation mode is known to see: a clean run counts nothing, a missing barrier and an
 * oversize descriptor are counted. */
#include "tests/lib/unit.h"

#include <string.h>
#include "kernels/gpu/vk.h"
#include "tests/lib/lavapipe.h"

enum { N = 4096 };
static struct error err;

struct rig {
	struct gpu *g;
	struct gpu_buf *b[3];
	struct gpu_kernel *k;
	struct gpu_cmd *c;
};

static void rig_open(struct rig *r, uint64_t bytes)
{
	struct gpu_options o = { .device = "cpu", .is_validated = true };
	const uint32_t spec[] = { 64, 1, 1, 3 };

	ck_assert_msg(gpu_open(&o, &r->g, &err) == OK, "%s", err.text);
	for (int i = 0; i < 3; i++)
		ck_assert_msg(gpu_buf_new(r->g, bytes, GPU_DEVICE, &r->b[i], &err) == OK, "%s",
			err.text);
	ck_assert_msg(gpu_kernel_new(r->g, "stream_f32", spec, 4, 0, &r->k, &err) == OK, "%s",
		err.text);
	ck_assert_msg(gpu_cmd_new(r->g, 2, &r->c, &err) == OK, "%s", err.text);
	ck_assert_msg(gpu_count_messages(r->g) == 0, "%s", gpu_first_message(r->g));
}

static void rig_close(struct rig *r)
{
	gpu_cmd_free(r->c);
	gpu_kernel_free(r->k);
	for (int i = 0; i < 3; i++)
		gpu_buf_free(r->b[i]);
	gpu_close(r->g);
}

/* x, y -> out, then out, y -> x: the second reads what the first wrote. */
static void record_pair(struct rig *r, bool has_barrier)
{
	struct gpu_bind forth[] = { { r->b[0], 0, 0 }, { r->b[1], 0, 0 }, { r->b[2], 0, 0 } };
	struct gpu_bind back[] = { { r->b[2], 0, 0 }, { r->b[1], 0, 0 }, { r->b[0], 0, 0 } };
	struct gpu_groups groups = { N / 64, 1, 1 };
	uint32_t n = N;

	gpu_cmd_mark(r->c);
	gpu_cmd_dispatch(r->c, r->k, forth, &n, sizeof(n), groups);
	if (has_barrier)
		gpu_cmd_barrier(r->c);
	gpu_cmd_dispatch(r->c, r->k, back, &n, sizeof(n), groups);
	gpu_cmd_mark(r->c);
}

START_TEST(a_clean_run_counts_no_message)
{
	struct rig r = { 0 };
	float host[N] = { 0 };
	double marks[2];

	rig_open(&r, sizeof(host));
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(gpu_buf_write(r.b[i], 0, host, sizeof(host), &err), OK);
	record_pair(&r, true);
	ck_assert_int_eq(gpu_cmd_end(r.c, &err), OK);
	for (int i = 0; i < 3; i++) /* submitted again and again */
		ck_assert_int_eq(gpu_cmd_run(r.c, marks, NULL, &err), OK);
	ck_assert_int_eq(gpu_buf_read(r.b[0], 0, host, sizeof(host), &err), OK);
	ck_assert_int_eq(gpu_buf_fill(r.b[1], GPU_POISON, &err), OK);
	ck_assert_msg(gpu_count_messages(r.g) == 0, "%s", gpu_first_message(r.g));
	rig_close(&r);
}
END_TEST

START_TEST(a_missing_barrier_is_reported)
{
	struct rig r = { 0 };

	rig_open(&r, N * sizeof(float));
	record_pair(&r, false);
	ck_assert_int_eq(gpu_cmd_end(r.c, &err), OK);
	ck_assert_uint_ge(gpu_count_messages(r.g), 1);
	ck_assert_msg(strstr(gpu_first_message(r.g), "SYNC-HAZARD-READ-AFTER-WRITE") ||
			      strstr(gpu_first_message(r.g), "SYNC-HAZARD-READ_AFTER_WRITE"),
		"%s", gpu_first_message(r.g));
	rig_close(&r);
}
END_TEST

START_TEST(an_oversize_descriptor_is_refused_and_would_be_reported)
{
	struct rig r = { 0 };
	uint64_t most;
	struct gpu_cmd *second = NULL;

	rig_open(&r, 1024);
	most = r.g->p.info.max_storage_range;
	gpu_buf_free(r.b[0]);
	r.b[0] = NULL;
	ck_assert_msg(
		gpu_buf_new(r.g, most + 64, GPU_DEVICE, &r.b[0], &err) == OK, "%s", err.text);
	record_pair(&r, true);
	ck_assert_int_eq(gpu_cmd_end(r.c, &err), E_NOT_IMPLEMENTED);
	ck_assert_ptr_nonnull(strstr(err.text, "one descriptor of"));
	ck_assert_uint_eq(gpu_count_messages(r.g), 0);
	ck_assert_int_eq(gpu_cmd_new(r.g, 2, &second, &err), OK);
	gpu_cmd_free(r.c);
	r.c = second;
	r.g->p.info.max_storage_range = UINT64_MAX; /* our own check out of the way */
	record_pair(&r, true);
	ck_assert_uint_ge(gpu_count_messages(r.g), 1);
	ck_assert_msg(strstr(gpu_first_message(r.g),
			      "VUID-VkWriteDescriptorSet-descriptorType-00333"),
		"%s", gpu_first_message(r.g));
	rig_close(&r);
}
END_TEST

LAVAPIPE_SUITE("gpu under validation", true, a_clean_run_counts_no_message,
	a_missing_barrier_is_reported, an_oversize_descriptor_is_refused_and_would_be_reported)
