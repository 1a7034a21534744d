/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of bench/kernels share. Main thread. */
#ifndef BENCH_KERNELS_H
#define BENCH_KERNELS_H

/* "met" or "NOT met"; static text. */
const char *goal_text(double value, double goal);
/* B/s of a triad in plain C on three arrays of 256 MiB, median; write-allocate not counted. */
double plain_triad_rate(int threads);
/* FLOP/s of OpenBLAS's dgemm of 1024, median; 0 where there is no OpenBLAS. */
double library_gemm_rate(int threads);
/* Regridding and physics beside the rates they should reach. 0, or 1 when one of them failed.
 */
int compare_bars(int threads);

#endif
