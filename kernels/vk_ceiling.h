/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The highest rates of a device, measured here and now in a few tens of milliseconds with the
 * suite's own triad and multiply-add. Used by engine_vk.c. One thread. */
#ifndef KERNELS_VK_CEILING_H
#define KERNELS_VK_CEILING_H

#include "kernels/gpu/gpu.h"
#include "kernels/kernels.h"

/* B/s of a copy command or of a vector triad, whichever is faster, on arrays of footprint_bytes
 * together, within the device's limits; the best of a few passes. */
int vk_ceiling_bandwidth(
	struct gpu *g, double footprint_bytes, double *ret, struct error *err) must_check;
/* FLOP/s of multiply-adds in registers, two each; 0 for integers and for f64 where the device
 * has none. */
int vk_ceiling_flops(struct gpu *g, enum dtype d, double *ret, struct error *err) must_check;

#endif
