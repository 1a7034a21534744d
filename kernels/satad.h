/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phys.satad: saturation adjustment over water at constant pressure. Of temperature, vapour and
 * cloud water at the entry, total water q and T - L ql / cp stay; Newton's method finds the T
 * at which the vapour is saturated, and where that leaves no cloud all water is vapour. The
 * vapour of the last step is linear in its change of T: ql is no difference of temperatures.
 * Saturation pressure after Tetens 1930 with the constants of the IFS; L and cp are constant.
 * Points are the inputs of phys.ice_adjust. Used by satad.c, vk_satad.c and the tests. */
#ifndef KERNELS_SATAD_H
#define KERNELS_SATAD_H

#include "kernels/kernels.h"
#include "kernels/moist.h"

#define SATAD_A1 611.21 /* Pa */
#define SATAD_A3 17.502
#define SATAD_A4 32.19 /* K */
#define SATAD_T0 273.16
#define SATAD_K (MOIST_LVTT / MOIST_CPD) /* K per kg/kg condensed */

enum { SATAD_LANES = 16, SATAD_INPUTS = 4, SATAD_OUTPUTS = 3 };

struct satad_arrays {
	const void *in[SATAD_INPUTS]; /* T p qv ql; of the dtype */
	void *out[SATAD_OUTPUTS];     /* T qv ql */
	int steps;
	bool is_nontemporal;
};

struct satad_state {
	const struct params *p;
	int64_t n, padded; /* a multiple of SATAD_LANES; what pads is valid input */
	void *in[SATAD_INPUTS], *out[SATAD_OUTPUTS];
	struct satad_arrays arrays; /* the same pointers */
	const struct satad_code *code;
};

struct satad_code {
	/* Points lo .. hi - 1, multiples of SATAD_LANES. */
	void (*points)(const struct satad_arrays *a, int64_t lo, int64_t hi);
};

/* One point in f64 with libm. */
struct satad_point {
	double t, p, qv, ql;
};
void satad_adjust(struct satad_point *x, int steps);
double satad_saturation(double t, double p); /* specific humidity */

#endif
