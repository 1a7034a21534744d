/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nbody: softened gravity of all pairs, a_i = sum_j m_j r_ij / (r_ij^2 + e^2)^(3/2), G = 1,
 * e^2 = 1e-4. Positions uniform in the cube [-1, 1)^3, masses in [0.5, 1.5) / n. Used by
 * nbody.c, vk_nbody.c and the tests. */
#ifndef KERNELS_NBODY_H
#define KERNELS_NBODY_H

#include "kernels/kernels.h"

#define NBODY_SOFTENING 1e-4
enum { NBODY_LANES = 32 }; /* arrays are padded to a multiple of it with bodies of no mass */

struct nbody_state {
	const struct params *p;
	int64_t n, padded;
	void *x, *y, *z, *m; /* padded elements of the dtype */
	void *ax, *ay, *az;  /* the output */
	const struct nbody_code *code;
};

struct nbody_code {
	/* Accelerations of bodies lo..hi (multiples of NBODY_LANES) from all n. */
	void (*accelerate)(const struct nbody_state *s, int64_t lo, int64_t hi);
};

#endif
