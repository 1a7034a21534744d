/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/vk_ceiling.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "kernels/vk_plan.h"

enum { PASSES = 3, CHAINS = 8, GROUP = 256, MAX_REPEATS = 1024, MAX_STEPS = 32768 };
static const double long_enough_ns = 5e6;

/* ns of `repeats` repetitions of a plan in one submission. */
static int time_plan(
	struct gpu *g, struct vk_plan *v, int repeats, double *ret_ns, struct error *err)
{
	_cleanup_(gpu_cmd_free)
	struct gpu_cmd *c = NULL;
	double marks[2] = { 0 }, host = 0;
	int r = gpu_cmd_new(g, 2, &c, err);

	if (r < 0)
		return r;
	gpu_cmd_mark(c);
	for (int i = 0; i < repeats; i++) {
		if (i > 0)
			gpu_cmd_barrier(c);
		vk_plan_record(v, c);
	}
	gpu_cmd_mark(c);
	r = gpu_cmd_end(c, err);
	for (int i = 0; r == OK && i < 2; i++) /* the first one may compile */
		r = gpu_cmd_run(c, marks, &host, err);
	*ret_ns = gpu_get_info(g)->timestamp_bits ? marks[1] : host;
	return r;
}

/* Shortest time of one repetition, from submissions that are long enough to be timed. */
static int best_ns(struct gpu *g, struct vk_plan *v, double *ret_ns, struct error *err)
{
	double ns = 0, best = INFINITY;
	int repeats = 1, r = time_plan(g, v, repeats, &ns, err);

	while (r == OK && ns < long_enough_ns && repeats < MAX_REPEATS) {
		repeats *= 2;
		r = time_plan(g, v, repeats, &ns, err);
	}
	for (int i = 0; r == OK && i < PASSES; i++) {
		if (ns > 0)
			best = fmin(best, ns / repeats);
		r = time_plan(g, v, repeats, &ns, err);
	}
	*ret_ns = best;
	return r;
}

/* --- bandwidth ---------------------------------------------------------------------------- */

static int copy_bandwidth(struct gpu *g, uint64_t bytes, double *ret, struct error *err)
{
	struct vk_plan *v = vk_plan_new(g, NULL);
	int x = vk_plan_scratch(v, bytes), out = vk_plan_scratch(v, bytes);
	void *plan = NULL;
	double ns = 0;
	int r;

	vk_plan_copy(v, out, x, bytes);
	r = vk_plan_finish(v, &plan, err);
	if (r < 0)
		return r;
	r = best_ns(g, plan, &ns, err);
	vk_plan_free(plan);
	*ret = isfinite(ns) && ns > 0 ? 2. * (double)bytes / (ns * 1e-9) : 0;
	return r;
}

static int triad_bandwidth(struct gpu *g, uint64_t bytes, double *ret, struct error *err)
{
	uint32_t n = (uint32_t)(bytes / 16);
	struct vk_plan *v = vk_plan_new(g, NULL);
	int x = vk_plan_scratch(v, bytes), y = vk_plan_scratch(v, bytes);
	int out = vk_plan_scratch(v, bytes);
	int k = vk_plan_kernel(v, "stream_f32v", VK_SPEC(GROUP, 1, 1, 3));
	void *plan = NULL;
	double ns = 0;
	int r;

	vk_plan_step(v, k, VK_BUFS(x, y, out), VK_PUSH(n), vk_plan_fold(v, n, GROUP));
	r = vk_plan_finish(v, &plan, err);
	if (r < 0)
		return r;
	r = best_ns(g, plan, &ns, err);
	vk_plan_free(plan);
	*ret = isfinite(ns) && ns > 0 ? 3. * (double)bytes / (ns * 1e-9) : 0;
	return r;
}

int vk_ceiling_bandwidth(struct gpu *g, double footprint_bytes, double *ret, struct error *err)
{
	const struct gpu_info *i = gpu_get_info(g);
	double most = fmin((double)i->max_storage_range, (double)i->budget_bytes / 8);
	uint64_t bytes =
		(uint64_t)fmin(fmax(footprint_bytes / 3, 64 * 1024), most) / 4096 * 4096;
	double copy = 0, triad = 0;
	int r = copy_bandwidth(g, bytes, &copy, err);

	if (r == OK)
		r = triad_bandwidth(g, bytes, &triad, err);
	*ret = fmax(copy, triad);
	return r;
}

/* --- multiply-adds ------------------------------------------------------------------------ */

static int time_fma(struct gpu *g, enum dtype d, uint32_t n, uint32_t steps, double *ret_ns,
	struct error *err)
{
	struct vk_plan *v = vk_plan_new(g, NULL);
	uint64_t bytes = (uint64_t)n * (uint64_t)dtype_bytes(d);
	int x = vk_plan_scratch(v, bytes), out = vk_plan_scratch(v, bytes);
	int k = vk_plan_kernel(v, vk_module("fma", d), VK_SPEC(GROUP, 1, 1));
	void *plan = NULL;
	int r;

	vk_plan_step(
		v, k, VK_BUFS(x, out), VK_PUSH(n, steps), vk_plan_fold(v, n / CHAINS, GROUP));
	r = vk_plan_finish(v, &plan, err);
	if (r < 0)
		return r;
	r = best_ns(g, plan, ret_ns, err);
	vk_plan_free(plan);
	return r;
}

int vk_ceiling_flops(struct gpu *g, enum dtype d, double *ret, struct error *err)
{
	const struct gpu_info *i = gpu_get_info(g);
	uint32_t n = GROUP * CHAINS * 8, steps = 1024;
	uint32_t most = i->max_loop_turns ? MIN(i->max_loop_turns, MAX_STEPS) : MAX_STEPS;
	double ns = 0;
	int r;

	*ret = 0;
	if (!(DT_BIT(d) & DT_REALS) || (d == DT_F64 && !(i->features & GPU_F64)))
		return OK;
	for (;;) {
		r = time_fma(g, d, n, steps, &ns, err);
		if (r < 0 || ns > long_enough_ns / 8)
			break;
		if (n < GROUP * CHAINS * 8192)
			n *= 8;
		else if (steps * 4 <= most)
			steps *= 4;
		else
			break;
	}
	if (r == OK && isfinite(ns) && ns > 0)
		*ret = 2. * n * steps / (ns * 1e-9);
	return r;
}
