/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phys.rain_ice: one-moment mixed-phase microphysics of a column, then sedimentation.
 * After Pinty and Jabouille 1998; Caniaux et al. 1994; constants of ICE3 in PHYEX; a reduced
 * set of processes. Layout: one array a variable, column fastest, level 0 at the top: point =
 * level x pitch + column; columns behind the last one hold valid input. Used by rain.c,
 * vk_rain.c and the tests. */
#ifndef KERNELS_RAIN_H
#define KERNELS_RAIN_H

#include "kernels/kernels.h"

/* Vapour, cloud, rain, ice, snow, graupel (kg/kg), then the temperature. */
enum rain_species { RAIN_V, RAIN_C, RAIN_R, RAIN_I, RAIN_S, RAIN_G, RAIN_T, RAIN_FIELDS };

enum { RAIN_LANES = 16, RAIN_SCRATCH = 128 };

/* Arrays of the dtype. precip: one value a column, kg/m2 (mm) fallen in the step. */
struct rain_arrays {
	const void *p, *rho, *dz, *in[RAIN_FIELDS]; /* Pa, kg/m3, m (dz: one a level) */
	void *out[RAIN_FIELDS], *precip;
	int64_t columns, levels, pitch; /* pitch: a multiple of RAIN_LANES */
	double dt;			/* s */
	bool is_nontemporal;
	void *scratch; /* RAIN_SCRATCH bytes a level, of this thread */
};

struct rain_state {
	const struct params *p;
	int64_t n; /* levels x pitch */
	void *pressure, *rho, *dz, *in[RAIN_FIELDS], *out[RAIN_FIELDS], *precip, *scratch;
	struct rain_arrays arrays; /* the same pointers */
	const struct rain_code *code;
};

struct rain_code {
	/* Columns lo .. hi - 1, from the top down; lo and hi are multiples of RAIN_LANES. */
	void (*columns)(const struct rain_arrays *a, int64_t lo, int64_t hi);
};

/* One point in f64 with libm: the reference of the processes. */
struct rain_point {
	double p, rho, x[RAIN_FIELDS];
};
void rain_processes(struct rain_point *q, double dt);
/* One column in f64: processes, then sedimentation; returns the precipitation. q[0] is the
 * top. */
double rain_column(struct rain_point *q, const double *dz, int64_t levels, double dt);
/* Input of a point before rounding to the dtype. */
void rain_input(const struct params *p, int64_t i, struct rain_point *ret);

/* --- constants, in the notation of the source ----------------------------------------------
 */
#define RAIN_QMIN 1e-10		  /* kg/kg: thresholds, and the least q of a slope */
#define RAIN_FALLMIN 1e-12	  /* no fall below */
#define RAIN_LAM_R 398.162142731  /* lam_r = LAM (rho r)^(-1/4) */
#define RAIN_LAM_S 0.151287578717 /* (rho s)^(-1/0.9) */
#define RAIN_LAM_G 209.921124908  /* (rho g)^(-1/3.3) */
#define RAIN_FALL_R 22.3851185272 /* w = FALL (rho q)^(E - 1) rho^-0.4 */
#define RAIN_FALL_S 11.7567870921
#define RAIN_FALL_G 9.17092100708
#define RAIN_E_R 1.2
#define RAIN_E_S 1.3
#define RAIN_E_G 1.2
#define RAIN_CJ 0.888925534168 /* 0.63^(1/3) rho00^0.2 */

#endif
