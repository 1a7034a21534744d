/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a kernel gets its Vulkan backend: one file kernels/vk_FAMILY.c with one struct vk_kernel
 * for each of the family's kernels, and one row in vk_table (kernels/vk_table.c). The kernel's
 * own file and the driver stay as they are; the state of a family is declared in
 * kernels/FAMILY.h.
 *
 * Input and proof are those of the CPU: setup uploads the inputs that kernel->setup made,
 * fetch reads the outputs back into the same arrays of the state, and kernel->verify judges
 * them. Tolerances that only a GPU needs belong to verify, which sees p->backend.
 *
 * kernels/engine_vk.c implements struct engine (kernels/engine.h) on top of these hooks. All of
 * it is compiled only with -DKERNELS_VULKAN (Makefile.am; vk_none.c stands in without it);
 * nothing outside of engine_vk.c and vk_*.c includes kernels/gpu/gpu.h. */
#ifndef KERNELS_VK_H
#define KERNELS_VK_H

#include <jansson.h>
#include "kernels/kernels.h"

struct gpu;	/* kernels/gpu/gpu.h: instance, device, queue; one per process */
struct gpu_cmd; /* a command buffer being recorded */

/* What tuning may change: values[0] is the default, 0 ends the list. */
struct vk_knob {
	const char *name;
	uint32_t values[VK_KNOB_VALUES];
};

struct vk_kernel {
	const char *id;		     /* of the kernel */
	unsigned dtypes;	     /* DT_BITs the shaders exist for */
	const char *const *variants; /* words of --variant, the first is the default; or NULL */
	const struct vk_knob *knobs; /* at most VK_KNOBS, ends with a NULL name; or NULL */
	/* Each iteration is a submission of its own, timed by the host. */
	bool is_submission;
	/* GPU_F_* that p needs. */
	uint32_t (*needs)(const struct params *p);
	/* All loop iterations of the longest invocation, nested ones multiplied in; the engine
	 * refuses p when the device cuts loops before that (lavapipe: 65535, silently). */
	int64_t (*max_loop_iters)(const struct params *p);
	/* Buffers, pipelines, upload. */
	int (*setup)(struct gpu *g, const struct params *p, const char *variant, void *state,
		void **ret, struct error *err) must_check;
	/* Fill every output buffer with 0x7FF87FF8 (integers: a word that cannot be right). */
	void (*poison)(void *vk, struct gpu_cmd *cmd);
	/* One iteration: dispatches with the barriers between them. The engine adds the barrier
	 * between iterations and the timestamps around all K. */
	void (*record)(void *vk, struct gpu_cmd *cmd);
	int (*fetch)(void *vk, void *state, struct error *err) must_check;
	void (*free)(void *vk); /* NULL is fine */
};

#ifdef KERNELS_VULKAN
extern const struct vk_kernel *const vk_table[]; /* ends with NULL */
/* Append one object for each Vulkan device to array (uuid, name, kind, software, driver, api,
 * memory, limits ...). When there is none, OK with a calm sentence why in why. */
void vk_devices(json_t *array, char *why, size_t why_size);
#endif
/* Hooks of a kernel or NULL; always NULL in a build without Vulkan. */
const struct vk_kernel *vk_find(const struct kernel *k);

#endif
