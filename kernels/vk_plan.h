/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plan: the buffers, shaders and dispatches of one kernel on one device, made once and
 * recorded as often as wanted. It is what the Vulkan backends (vk_FAMILY.c) are written in: a
 * family's setup declares arrays and steps, the other hooks of struct vk_kernel are the ones
 * below. The first error sticks; later calls do nothing, and vk_plan_finish returns it.
 *
 *	struct vk_plan *v = vk_plan_new(g, p);
 *	int x = vk_plan_input(v, s->x, bytes), out = vk_plan_output(v, s->out, bytes, POISON);
 *	int k = vk_plan_kernel(v, "stream_f32", spec, 4);
 *	vk_plan_step(v, k, VK_BUFS(x, out), VK_PUSH(n), vk_plan_fold(v, n, 256));
 *	return vk_plan_finish(v, ret, err);
 *
 * Used by: kernels/vk_*.c, kernels/engine_vk.c. One thread. */
#ifndef KERNELS_VK_PLAN_H
#define KERNELS_VK_PLAN_H

#include "kernels/gpu/gpu.h"
#include "kernels/vk.h"
#include "kernels/vk_tune.h"

struct vk_plan;
struct vk_plan *vk_plan_new(struct gpu *g, const struct params *p);
void vk_plan_free(void *v); /* NULL is fine */
const struct gpu_info *vk_plan_info(const struct vk_plan *v);

/* Arrays; each gives a number for vk_plan_step. host memory stays the caller's and must live as
 * long as the plan. */
int vk_plan_input(struct vk_plan *v, const void *host, uint64_t bytes); /* uploaded now */
int vk_plan_output(struct vk_plan *v, void *host, uint64_t bytes, uint32_t poison);
int vk_plan_scratch(struct vk_plan *v, uint64_t bytes);
/* Where the arrays that follow are: GPU_DEVICE unless said otherwise. */
void vk_plan_place(struct vk_plan *v, enum gpu_where where);
/* Zeroed host memory that lives as long as the plan, for outputs the state keeps in another
 * form; after each fetch, f turns it into the state. One a plan. */
void *vk_plan_convert(
	struct vk_plan *v, uint64_t bytes, void (*f)(void *state, const void *memory));

int vk_plan_kernel(struct vk_plan *v, const char *module, const uint32_t *spec, size_t n_spec);
#define VK_SPEC(...)                                                                           \
	(const uint32_t[]){ __VA_ARGS__ },                                                     \
		sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t)

/* The size of subgroups in kernels that follow, where the device lets one choose. */
void vk_plan_subgroups(struct vk_plan *v, uint32_t size);

/* Refuse when a kernel's shared memory is more than the device has. */
void vk_plan_shared(struct vk_plan *v, uint64_t bytes);

/* One dispatch; a barrier stands between it and the step before. push: at most 128 bytes,
 * copied. */
struct vk_bufs {
	int n, buf[GPU_MAX_BUFS];
};
#define VK_BUFS(...)                                                                           \
	((struct vk_bufs){ sizeof((int[]){ __VA_ARGS__ }) / sizeof(int), { __VA_ARGS__ } })
void vk_plan_step(struct vk_plan *v, int kernel, struct vk_bufs bufs, const void *push,
	uint32_t push_bytes, struct gpu_groups groups);
#define VK_PUSH(...)                                                                           \
	(const uint32_t[]){ __VA_ARGS__ }, (uint32_t)sizeof((uint32_t[]){ __VA_ARGS__ })
/* A copy or a fill instead of a dispatch. */
void vk_plan_copy(struct vk_plan *v, int to, int from, uint64_t bytes);
void vk_plan_fill(struct vk_plan *v, int buf, uint32_t word);
/* Groups of `group` invocations that cover n, folded into y (gpu_groups_fold). */
struct gpu_groups vk_plan_fold(struct vk_plan *v, uint64_t n, uint32_t group);
/* Note an error of the family's own. */
void vk_plan_fail(struct vk_plan *v, const struct error *e);

/* Give the plan as *ret, or free it and return the first error. */
int vk_plan_finish(struct vk_plan *v, void **ret, struct error *err) must_check;

/* Seconds all its pipelines took to create; cache_hit as gpu_kernel_cache_hit, of the last. */
double vk_plan_compile_s(const void *v, int *ret_cache_hit);
/* Compiler statistics of each kernel where the driver has them, else NULL. */
json_t *vk_plan_stats(const void *v);

/* The hooks. */
void vk_plan_poison(void *v, struct gpu_cmd *cmd);
void vk_plan_record(void *v, struct gpu_cmd *cmd);
int vk_plan_fetch(void *v, void *state, struct error *err) must_check;
#define VK_PLAN_HOOKS                                                                          \
	.poison = vk_plan_poison, .record = vk_plan_record, .fetch = vk_plan_fetch,            \
	.free = vk_plan_free

/* Workgroup size of one-dimensional kernels: large enough for lavapipe, small enough for all.
 */
enum { VK_GROUP = 256 };
extern const struct vk_knob vk_group_knob[]; /* the workgroup size as the only knob */
/* "MODULE_f32" or "MODULE_f64" by dtype; static buffer per thread. */
const char *vk_module(const char *family, enum dtype d);
uint32_t vk_needs_real(const struct params *p); /* GPU_F64 for f64 */
int64_t vk_no_loops(const struct params *p);	/* 1 */

#endif
