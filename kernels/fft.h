/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fft.c2c: forward transforms of `batch` sequences of n complex numbers, X_k = sum_j x_j
 * exp(-2 pi i j k / n), interleaved re and im, out of place. Twiddles come from tables made
 * with libm in f64. Used by fft.c, vk_fft.c and the tests. */
#ifndef KERNELS_FFT_H
#define KERNELS_FFT_H

#include "kernels/kernels.h"

enum fft_input { FFT_RANDOM, FFT_DELTA, FFT_TONE };
/* FFT_PAD keeps the parts of a work array apart modulo a page. */
enum { FFT_LEAST = 64, FFT_PASSES = 16, FFT_PAD = 72 };

/* Tables of one length. */
struct fft_plan {
	int64_t n;
	/* exp(-2 pi i j / n) for j < n/2, interleaved. */
	void *root;
	/* Radix-4 passes with stride s = 4^pass: w, w^2, w^3 for p < n / (4 s), re and im
	 * apart: six arrays, each entry repeated s times while s is below FFT_REPEAT. */
	void *twiddle[FFT_PASSES];
	int n_passes; /* of radix 4 */
};
enum { FFT_REPEAT = 16 };

struct fft_state {
	const struct params *p;
	int64_t n, batch;
	struct fft_plan plan;
	void *in, *out; /* batch x n complex */
	void *work;	/* 4 (n + FFT_PAD) reals for each thread */
	const struct fft_code *code;
};

struct fft_code {
	void (*transform)(const struct fft_plan *plan, void *out, const void *in, void *work);
};

#endif
