/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Constants and formulas of moist air, shared by phys.*: the values of Meso-NH and PHYEX
 * (Lafore et al. 1998). SI units. */
#ifndef KERNELS_MOIST_H
#define KERNELS_MOIST_H

#include <math.h>

#define MOIST_RD 287.0596736665907  /* gas constant of dry air, NA kB / Md */
#define MOIST_RV 461.5249933083879  /* of water vapour */
#define MOIST_CPD 1004.708857833067 /* 3.5 Rd */
#define MOIST_CPV 1846.099973233551 /* 4 Rv */
#define MOIST_CL 4218.0		    /* liquid water */
#define MOIST_CI 2106.0		    /* ice */
#define MOIST_TT 273.16		    /* triple point */
#define MOIST_LVTT 2.5008e6	    /* vaporisation at TT */
#define MOIST_LSTT 2.8345e6	    /* sublimation at TT */
#define MOIST_ES 611.14		    /* saturation pressure at TT */
#define MOIST_P00 1e5
#define MOIST_EPS0 (MOIST_RD / MOIST_RV)

/* ln(e/es) = B/TT (T - TT)/T - G ln(T/TT): the formula exp(a - b/T - g ln T) with a put in, so
 * that nothing large cancels. */
#define MOIST_GW ((MOIST_CL - MOIST_CPV) / MOIST_RV)
#define MOIST_GI ((MOIST_CI - MOIST_CPV) / MOIST_RV)
#define MOIST_BW_TT (MOIST_LVTT / (MOIST_RV * MOIST_TT) + MOIST_GW)
#define MOIST_BI_TT (MOIST_LSTT / (MOIST_RV * MOIST_TT) + MOIST_GI)

/* Saturation pressure over water and ice. */
static inline double moist_ew(double t)
{
	return MOIST_ES *
	       exp(MOIST_BW_TT * ((t - MOIST_TT) / t) - MOIST_GW * log(t / MOIST_TT));
}
static inline double moist_ei(double t)
{
	return MOIST_ES *
	       exp(MOIST_BI_TT * ((t - MOIST_TT) / t) - MOIST_GI * log(t / MOIST_TT));
}
static inline double moist_lv(double t)
{
	return MOIST_LVTT + (MOIST_CPV - MOIST_CL) * (t - MOIST_TT);
}
static inline double moist_ls(double t)
{
	return MOIST_LSTT + (MOIST_CPV - MOIST_CI) * (t - MOIST_TT);
}

#endif
