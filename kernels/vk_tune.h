/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tuning: the knobs of a Vulkan backend (workgroup size, tiles), the values each may take, and
 * the winners of `benchd-kernel tune`, kept for each device and driver in the cache folder as
 * tune-UUID-DRIVER.json: {"gemm f32 tiled": {"tile": 32, ...}}. A file that does not fit is
 * ignored. Main thread. */
#ifndef KERNELS_VK_TUNE_H
#define KERNELS_VK_TUNE_H

#include <jansson.h>
#include "kernels/gpu/gpu.h"
#include "kernels/vk.h"

/* Folder of what may be lost: $BENCHD_CACHE_DIR/gpu, else $XDG_CACHE_HOME/benchd/gpu, else
 * ~/.cache/benchd/gpu; NULL when none of the variables is set. free() it. */
char *vk_cache_dir(void);

/* Value of knob number i of p's backend: the one p asks for, else its default. */
uint32_t vk_knob(const struct params *p, int i);
/* How many combinations of values there are, and combination c as values of p. At least 1. */
int vk_tune_count(const struct vk_kernel *k);
void vk_tune_choose(const struct vk_kernel *k, int c, struct params *p);
/* {"group": 256}; the caller owns it. */
json_t *vk_tune_json(const struct vk_kernel *k, const struct params *p);

/* Take the stored winner for what p leaves open; false when there is none. */
bool vk_tune_load(const struct gpu_info *i, const struct vk_kernel *k, struct params *p);
/* Keep p's values as the winner. */
int vk_tune_save(const struct gpu_info *i, const struct vk_kernel *k, const struct params *p,
	struct error *err) must_check;

#endif
