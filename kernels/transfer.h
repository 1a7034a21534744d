/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transfer.h2d .d2h .d2d: random 32-bit words moved to a device, back, or inside it. On the CPU
 * all three are a copy in memory: what the link of a GPU is to be compared with.
 *
 * Used by transfer.c, vk_transfer.c and the tests. */
#ifndef KERNELS_TRANSFER_H
#define KERNELS_TRANSFER_H

#include "kernels/kernels.h"

enum transfer_way { TRANSFER_H2D, TRANSFER_D2H, TRANSFER_D2D };

struct transfer_state {
	const struct params *p;
	enum transfer_way way;
	int64_t bytes; /* a multiple of 4 */
	uint32_t *x, *out;
};

#endif
