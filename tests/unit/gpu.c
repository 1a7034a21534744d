/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gpu folder without a device: timestamps, codes, the module table. */
#include "tests/lib/unit.h"

#include <string.h>
#include "kernels/gpu/vk.h"

START_TEST(timestamps_wrap_at_their_valid_bits)
{
	ck_assert_double_eq(gpu_ticks_ns(100, 350, 64, 2), 500);
	ck_assert_double_eq(gpu_ticks_ns((1ULL << 36) - 10, 20, 36, 1), 30);
	ck_assert_double_eq(gpu_ticks_ns(UINT64_MAX, 4, 64, 1), 5);
	/* bits above the valid ones are noise */
	ck_assert_double_eq(gpu_ticks_ns(7ULL << 40, (3ULL << 40) + 12, 40, 10), 120);
}
END_TEST

START_TEST(each_code_has_its_exit_status)
{
	ck_assert_int_eq(gpu_exit_status(OK), 0);
	ck_assert_int_eq(gpu_exit_status(E_UNAVAILABLE), 69);
	ck_assert_int_eq(gpu_exit_status(E_NOT_IMPLEMENTED), 69);
	ck_assert_int_eq(gpu_exit_status(E_DEADLINE), 75);
	ck_assert_int_eq(gpu_exit_status(E_GONE), 76);
	ck_assert_int_eq(gpu_exit_status(E_INTERNAL), 70);
	ck_assert_int_eq(gpu_exit_status(E_UNPROCESSABLE), 64);
}
END_TEST

START_TEST(vulkan_results_become_codes_and_names)
{
	struct error err = { 0 };

	ck_assert_int_eq(vk_error(VK_SUCCESS, "vkX", &err), OK);
	ck_assert_int_eq(vk_error(VK_ERROR_OUT_OF_DEVICE_MEMORY, "vkAllocateMemory", &err),
		E_UNAVAILABLE);
	ck_assert_str_eq(err.text, "vkAllocateMemory: VK_ERROR_OUT_OF_DEVICE_MEMORY");
	ck_assert_int_eq(vk_error(VK_ERROR_DEVICE_LOST, "vkQueueSubmit", &err), E_GONE);
	ck_assert_int_eq(vk_error((VkResult)-77, "vkX", &err), E_INTERNAL);
	ck_assert_str_eq(err.text, "vkX: VkResult -77");
}
END_TEST

START_TEST(groups_are_folded_within_the_limits)
{
	struct gpu_info info = { .name = "x", .max_groups = { 65535, 65535, 65535 } };
	struct gpu_groups g;
	struct error err = { 0 };

	ck_assert_int_eq(gpu_groups_fold(&info, 1, 64, &g, &err), OK);
	ck_assert_uint_eq(g.x * g.y * g.z, 1);
	ck_assert_int_eq(gpu_groups_fold(&info, 1 << 30, 64, &g, &err), OK);
	ck_assert_uint_eq(g.x, 65535);
	ck_assert_uint_ge((uint64_t)g.x * g.y * 64, 1 << 30);
	ck_assert_int_eq(gpu_groups_fold(&info, 0, 64, &g, &err), E_NOT_IMPLEMENTED);
	info.max_groups[1] = 1;
	ck_assert_int_eq(gpu_groups_fold(&info, 1 << 30, 64, &g, &err), E_NOT_IMPLEMENTED);
	ck_assert_ptr_nonnull(strstr(err.text, "more than 'x' can run"));
}
END_TEST

/* The buffers a module declares are those its SPIR-V binds. */
static uint32_t count_bindings(const struct gpu_module *m)
{
	enum { HEADER = 5, OP_DECORATE = 71, DECORATION_BINDING = 33 };
	const uint32_t *end = m->spirv + m->bytes / 4;
	uint32_t n = 0;

	for (const uint32_t *op = m->spirv + HEADER; op < end; op += op[0] >> 16)
		if ((op[0] & 0xffff) == OP_DECORATE && op[2] == DECORATION_BINDING)
			n = op[3] + 1 > n ? op[3] + 1 : n;
	return n;
}

START_TEST(the_module_table_agrees_with_the_shaders)
{
	size_t n = 0;

	for (const struct gpu_module *m = gpu_modules; m->name; m++, n++) {
		ck_assert_msg(m->spirv[0] == 0x07230203, "%s is not SPIR-V", m->name);
		ck_assert_msg(count_bindings(m) == m->n_bufs,
			"%s declares %u buffers, binds %u", m->name, m->n_bufs,
			count_bindings(m));
		ck_assert_ptr_eq(gpu_module_find(m->name), m);
	}
	ck_assert_uint_gt(n, 3);
	ck_assert_ptr_null(gpu_module_find("no such module"));
}
END_TEST

SUITE("gpu", timestamps_wrap_at_their_valid_bits, each_code_has_its_exit_status,
	vulkan_results_become_codes_and_names, groups_are_folded_within_the_limits,
	the_module_table_agrees_with_the_shaders)
