/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phys.ice_adjust: adjustment to saturation with mixed-phase condensate.
 * After Langlois 1973; Lafore et al. 1998 (Meso-NH); the ICE_ADJUST of PHYEX. Cloud schemes:
 * all or nothing; cb02, Chaboureau and Bechtold 2002; gauss, a normal distribution.
 *
 * Points are independent. Layout: one array a variable, column fastest: point = level x columns
 * + column. Used by ice.c, vk_ice.c and the tests. */
#ifndef KERNELS_ICE_H
#define KERNELS_ICE_H

#include "kernels/kernels.h"

enum ice_cloud { ICE_ALL_OR_NOTHING, ICE_CB02, ICE_GAUSS };

/* Arrays of the dtype, n points each. sigma is read by cb02 and gauss only. */
struct ice_arrays {
	const void *t, *p, *rv, *rc, *ri, *rr, *rs, *rg, *sigma; /* K, Pa, kg/kg; sigma kg/kg */
	void *out_t, *out_rv, *out_rc, *out_ri, *out_cf;
	int iters;	  /* 1 as PHYEX, to 6 */
	double ice_range; /* K below TT at which all condensate is ice */
	enum ice_cloud cloud;
	bool is_nontemporal;
};

enum { ICE_INPUTS = 9, ICE_OUTPUTS = 5 };

struct ice_state {
	const struct params *p;
	int64_t n, columns, levels;
	void *in[ICE_INPUTS], *out[ICE_OUTPUTS]; /* in the order of struct ice_arrays */
	struct ice_arrays arrays;		 /* the same pointers */
	const struct ice_code *code;
};

struct ice_code {
	void (*points)(const struct ice_arrays *a, int64_t lo, int64_t hi);
};

/* One point in f64, with libm: the reference, and the golden points of the tests. */
struct ice_point {
	double t, p, rv, rc, ri, rr, rs, rg, sigma, cf;
};
void ice_adjust_point(struct ice_point *x, int iters, double ice_range, enum ice_cloud cloud);
/* Input of point i of a state's size and seed, before rounding to the dtype. */
void ice_input(const struct params *p, int64_t i, struct ice_point *ret);

#endif
