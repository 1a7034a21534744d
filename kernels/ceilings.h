/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ceilings of a machine, as `benchd-kernel roofline` measures and remembers them: bandwidth
 * at four working sets and the peak of multiply-adds, for one number of threads or one device.
 * Kept in the cache folder under the identity of the environment: another processor, kernel,
 * driver or set of CPUs has ceilings of its own. Main thread. */
#ifndef KERNELS_CEILINGS_H
#define KERNELS_CEILINGS_H

#include <jansson.h>
#include "kernels/kernels.h"

enum { CEILINGS_LEVELS = 4, CEILINGS_STREAMS = 3 };
extern const char *const ceilings_levels[CEILINGS_LEVELS];   /* l1 l2 l3 dram */
extern const char *const ceilings_streams[CEILINGS_STREAMS]; /* kernels */

struct ceilings {
	char identity[17]; /* of the environment, hexadecimal */
	int threads;
	struct ceilings_level {
		double footprint_bytes; /* 0: the device does not tell this level apart */
		double bytes_per_s[CEILINGS_STREAMS];
	} level[CEILINGS_LEVELS];
	double flops_per_s[2]; /* f32, f64; 0: it has none */
};

/* Measure with p's backend, threads and device: best samples of a few. Some seconds; only
 * the levels of the bit mask. */
int ceilings_measure(const struct params *p, unsigned levels, struct ceilings *ret,
	struct error *err) must_check;
double ceilings_best(const struct ceilings_level *l); /* B/s of the fastest stream */

/* Keep them, the higher of the old and the new; E_IO. Without a cache folder nothing is kept.
 */
int ceilings_save(const struct ceilings *c, struct error *err) must_check;
/* What is remembered for p on this CPU, where it is higher: true when a value was raised. The
 * level whose working set is within a factor of two of footprint_bytes counts. */
bool ceilings_recall(const struct params *p, double footprint_bytes, double *bytes_per_s,
	double *flops_per_s);
json_t *ceilings_json(const struct ceilings *c); /* the caller owns it */
/* Of the CPU side with so many threads. */
void ceilings_identity(int threads, char out[17]);

#endif
