/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many loop turns an invocation may make. gallivm (lavapipe) counts the turns of all loops
 * of a running shader in one counter and leaves them at 65535, without a word; so the device is
 * asked by running a loop, not by its version. */
#include "kernels/gpu/vk.h"

enum { TEST_TURNS = 70000, GROUP = 32 };

static int run_loop(
	struct gpu *g, const struct gpu_kernel *k, struct gpu_buf *out, struct error *err)
{
	_cleanup_(gpu_cmd_free)
	struct gpu_cmd *c = NULL;
	struct gpu_bind bind = { .buf = out };
	uint32_t turns = TEST_TURNS;
	int r = gpu_cmd_new(g, 0, &c, err);

	if (r < 0)
		return r;
	gpu_cmd_dispatch(c, k, &bind, &turns, sizeof(turns), (struct gpu_groups){ 1, 1, 1 });
	gpu_cmd_barrier(c);
	r = gpu_cmd_end(c, err);
	if (r < 0)
		return r;
	return gpu_cmd_run(c, NULL, NULL, err);
}

int gpu_loops_measure(struct gpu *g, struct error *err)
{
	_cleanup_(gpu_buf_free)
	struct gpu_buf *out = NULL;
	_cleanup_(gpu_kernel_free)
	struct gpu_kernel *k = NULL;
	uint32_t counts[GROUP] = { 0 }, least = TEST_TURNS;
	const uint32_t spec[] = { GROUP, 1, 1 };
	int r = gpu_buf_new(g, sizeof(counts), GPU_DEVICE, &out, err);

	if (r == OK)
		r = gpu_buf_fill(out, 0, err);
	if (r == OK)
		r = gpu_kernel_new(g, "loops", spec, ARRAY_SIZE(spec), 0, &k, err);
	if (r == OK)
		r = run_loop(g, k, out, err);
	if (r == OK)
		r = gpu_buf_read(out, 0, counts, sizeof(counts), err);
	if (r < 0)
		return error_prefix(err, "loop test: ");
	for (int i = 0; i < GROUP; i++)
		least = MIN(least, counts[i]);
	if (least == 0)
		return error_set(err, E_INTERNAL,
			"loop test: '%s' ran no loop turn; its results cannot be trusted",
			g->p.info.name);
	g->p.info.max_loop_turns = least < TEST_TURNS ? least : 0;
	g->p.info.has_loop_test = true;
	return OK;
}

int gpu_loops_check(const struct gpu *g, uint64_t turns, struct error *err)
{
	uint64_t most = g->p.info.max_loop_turns;

	if (most && turns > most)
		return error_set(err, E_NOT_IMPLEMENTED,
			"an invocation would make %llu loop turns; '%s' cuts loops after %llu",
			(unsigned long long)turns, g->p.info.name, (unsigned long long)most);
	return OK;
}
