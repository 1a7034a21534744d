/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fft.c2c, plain C: Stockham's radix-2 passes, which sort as they go. */
#include "kernels/fft.h"
#include "kernels/code.h"

struct complex {
	real re, im;
};

/* One pass: pairs at distance n/2, results side by side in groups of stride s. */
static void pass(
	const struct fft_plan *plan, struct complex *y, const struct complex *x, int64_t s)
{
	const struct complex *root = plan->root;
	int64_t half = plan->n / 2, m = half / s;

	for (int64_t p = 0; p < m; p++) {
		struct complex w = root[p * s];

		for (int64_t q = 0; q < s; q++) {
			struct complex a = x[q + s * p], b = x[q + s * p + half];
			struct complex d = { a.re - b.re, a.im - b.im };

			y[q + s * 2 * p] = (struct complex){ a.re + b.re, a.im + b.im };
			y[q + s * (2 * p + 1)] = (struct complex){ d.re * w.re - d.im * w.im,
				d.re * w.im + d.im * w.re };
		}
	}
}

static void transform(const struct fft_plan *plan, void *out, const void *in, void *work)
{
	struct complex *spare = (struct complex *)work, *other = spare + plan->n;
	const struct complex *from = in;

	for (int64_t s = 1; s < plan->n; s *= 2) {
		struct complex *to = s * 2 == plan->n ? out : from == spare ? other : spare;

		pass(plan, to, from, s);
		from = to;
	}
}

CODE_EXPORT(fft) = { transform };
