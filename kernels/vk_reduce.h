/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sums on a device, shared by stream.dot and the reduce family. */
#ifndef KERNELS_VK_REDUCE_H
#define KERNELS_VK_REDUCE_H

#include "kernels/vk_plan.h"

/* Add the steps that leave the sum of array x (y < 0), or the dot product of x and y, of n
 * elements of f32 or f64 in element 0 of out. The depth of the sum, for error limits: 16 serial
 * adds and log2(256) levels a pass. */
void vk_reduce_steps(struct vk_plan *v, enum dtype d, int x, int y, uint64_t n, int out);

#endif
