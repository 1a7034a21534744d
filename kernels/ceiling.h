/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The highest rates this host reaches, measured here and now with the kernels' own streams and
 * multiply-add, in some milliseconds. Each answer is kept for the process. Main thread. */
#ifndef KERNELS_CEILING_H
#define KERNELS_CEILING_H

#include "kernels/kernels.h"

/* B/s of stream.copy, triad or dot, whichever is fastest (write-allocate not counted), with
 * `threads` threads on arrays of footprint_bytes together: the bandwidth of the memory level
 * where such a working set lives. The best of a few passes. */
int ceiling_bandwidth(
	int threads, double footprint_bytes, double *ret, struct error *err) must_check;
/* FLOP/s of fma_peak in dtype d with `threads` threads; 0 for integers. */
int ceiling_flops(int threads, enum dtype d, double *ret, struct error *err) must_check;
/* A result was above what was measured: the next calls measure again and keep the better
 * answer. */
void ceiling_doubt(void);

#endif
