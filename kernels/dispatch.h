/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dispatch.void .latency: what starting work costs, with next to no work: each of `groups`
 * workgroups copies one word, so that the proof sees it ran.
 *
 *   void     many dispatches in one submission, a barrier between each and the next
 *   latency  one submission each, timed by the host from submission to completion
 *
 * On the CPU: calls through a pointer (scalar, simd) and parallel regions (threads), one for
 * each dispatch. Used by dispatch.c, vk_dispatch.c and the tests. */
#ifndef KERNELS_DISPATCH_H
#define KERNELS_DISPATCH_H

#include "kernels/kernels.h"

struct dispatch_state {
	const struct params *p;
	int64_t n; /* workgroups */
	uint32_t *x, *out;
};

#endif
