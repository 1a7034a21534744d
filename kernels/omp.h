/* SPDX-License-Identifier: GPL-3.0-or-later */
/* OpenMP where the compiler has it; without, everything runs on one thread. */
#ifndef KERNELS_OMP_H
#define KERNELS_OMP_H

#ifdef _OPENMP
#include <omp.h>
#else
static inline int omp_get_thread_num(void)
{
	return 0;
}
static inline int omp_get_num_threads(void)
{
	return 1;
}
#endif

#endif
