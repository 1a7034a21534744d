/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Timing K iterations of a recorded kernel on a device.
 *
 * hot: all iterations of a submission between two timestamps, a barrier between them.
 * cold: before each iteration a buffer larger than any cache is filled with other data; the
 * iterations' own times are added up, and no host time is given.
 *
 * Submissions are cut to about 50 ms, so that a stop is seen in time and no watchdog of a
 * display driver is met. Where the queue has no timestamps, and for kernels that measure the
 * submission itself, the host's clock is taken. Used by engine_vk.c. One thread. */
#ifndef KERNELS_VK_TIMER_H
#define KERNELS_VK_TIMER_H

#include "kernels/gpu/gpu.h"
#include "kernels/vk.h"

struct vk_timer {
	struct gpu *g; /* borrowed, as the next two */
	const struct vk_kernel *kernel;
	void *vk;
	struct gpu_cmd *cmd; /* the last one recorded, for n_recorded iterations */
	int64_t n_recorded;
	double iteration_ns;	 /* of the last submission; 0 = not known yet */
	double first_dispatch_s; /* compiles; 0 = not run yet */
	bool is_cold, is_short;	 /* is_short: an iteration took fewer than 100 ticks */
	struct gpu_buf *scrub;	 /* cold */
	uint32_t scrub_word;
};

int vk_timer_init(struct vk_timer *t, struct gpu *g, const struct vk_kernel *k, void *vk,
	bool is_cold, struct error *err) must_check;
void vk_timer_done(struct vk_timer *t);
/* ns of all iterations together; ret_host_ns 0 where the host's time is no second series. */
int vk_timer_run(struct vk_timer *t, int64_t iterations, double *ret_ns, double *ret_host_ns,
	struct error *err) must_check;
bool vk_timer_is_host(const struct vk_timer *t); /* the host's clock is what is reported */

#endif
