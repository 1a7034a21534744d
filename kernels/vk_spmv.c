/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spmv.csr on a Vulkan device: shaders/csr_vector.comp, or csr.comp with a row an invocation.
 */
#include "kernels/spmv.h"
#include "kernels/vk_plan.h"

static const char *const variants[] = { "vector", "scalar", NULL };
enum { GROUP, LANES };
static const struct vk_knob knobs[] = {
	[GROUP] = { "group", { VK_GROUP, 64, 128, 512 } },
	[LANES] = { "lanes", { 8, 2, 4, 16, 32 } },
	{ NULL, { 0 } },
};

static int setup(struct gpu *g, const struct params *p, const char *variant, void *state,
	void **ret, struct error *err)
{
	struct spmv_state *s = state;
	struct vk_plan *v = vk_plan_new(g, p);
	bool is_vector = variant[0] == 'v';
	uint32_t group = vk_knob(p, GROUP), lanes = is_vector ? vk_knob(p, LANES) : 1;
	uint64_t w = (uint64_t)dtype_bytes(p->dtype), n = (uint64_t)s->n;
	uint64_t nnz = (uint64_t)s->nnz;
	int x = vk_plan_input(v, s->x, n * w), y = vk_plan_output(v, s->y, n * w, GPU_POISON);
	int row = vk_plan_input(v, s->row, 4 * (n + 1));
	int column = vk_plan_input(v, s->column, 4 * nnz);
	int value = vk_plan_input(v, s->value, nnz * w);
	int k = vk_plan_kernel(v, vk_module(is_vector ? "csr_vector" : "csr", p->dtype),
		VK_SPEC(group, 1, 1, lanes));

	vk_plan_step(v, k, VK_BUFS(x, y, row, column, value),
		VK_PUSH((uint32_t)n, (uint32_t)n, 1), vk_plan_fold(v, n * lanes, group));
	return vk_plan_finish(v, ret, err);
}

/* The longest row: 27 and 5 points, or 256. */
static int64_t loops(const struct params *p)
{
	static const int64_t longest[] = {
		[SPMV_27PT] = 27, [SPMV_5PT] = 5, [SPMV_POWER] = 256
	};

	return longest[params_option(p, "matrix")] + 8;
}

const struct vk_kernel vk_spmv_csr = {
	.id = "spmv.csr",
	.dtypes = DT_REALS,
	.variants = variants,
	.knobs = knobs,
	.needs = vk_needs_real,
	.max_loop_iters = loops,
	.setup = setup,
	VK_PLAN_HOOKS,
};
