/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/input.h"

void input_fill(
	void *dst, enum dtype d, size_t n, uint64_t key, double lo, double span, int threads)
{
	float *f = dst;
	double *g = dst;

	if (d == DT_F32) {
#pragma omp parallel for num_threads(threads) schedule(static)
		for (size_t i = 0; i < n; i++)
			f[i] = (float)(lo + span * input_uniform(key, i));
	} else {
#pragma omp parallel for num_threads(threads) schedule(static)
		for (size_t i = 0; i < n; i++)
			g[i] = lo + span * input_uniform(key, i);
	}
}

void poison_fill(void *dst, size_t bytes, uint32_t word, int threads)
{
	uint32_t *w = dst;
	size_t n = bytes / 4;

#pragma omp parallel for num_threads(threads) schedule(static)
	for (size_t i = 0; i < n; i++)
		w[i] = word;
	for (size_t i = n * 4; i < bytes; i++)
		((unsigned char *)dst)[i] = (unsigned char)word;
}
