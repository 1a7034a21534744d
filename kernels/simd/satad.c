/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phys.satad in vectors: a few side by side, step by step, so that the processor overlaps their
 * chains. */
#include "kernels/satad.h"
#include "kernels/simd/math.h"

#define K(x) v_all((real)(x))

enum { BLOCK = 8 }; /* vectors */

struct block {
	vec t[BLOCK], p[BLOCK], q[BLOCK], dry[BLOCK], qv[BLOCK];
};

static void load(struct block *b, const struct satad_arrays *a, int64_t at, int n)
{
	for (int j = 0; j < n; j++) {
		int64_t i = at + j * LANES;
		vec ql = v_load((const real *)a->in[3] + i);

		b->t[j] = v_load((const real *)a->in[0] + i);
		b->p[j] = v_load((const real *)a->in[1] + i);
		b->q[j] = v_load((const real *)a->in[2] + i) + ql;
		b->dry[j] = v_fma(K(-SATAD_K), ql, b->t[j]);
	}
}

/* One step for each vector; qv is the saturated value at the new T, to first order. */
static void step(struct block *b, int n)
{
	for (int j = 0; j < n; j++) {
		vec t = b->t[j], d = t - (real)SATAD_A4, d_inv = v_rcp(d);
		vec e = v_exp_near(K(SATAD_A3) * (t - (real)SATAD_T0) * d_inv) * K(SATAD_A1);
		vec rest_inv = v_rcp(v_fma(K(MOIST_EPS0 - 1), e, b->p[j]));
		vec qs = K(MOIST_EPS0) * e * rest_inv;
		vec slope = qs * b->p[j] * rest_inv * K(SATAD_A3 * (SATAD_T0 - SATAD_A4)) *
			    (d_inv * d_inv);
		vec f = v_fma(K(-SATAD_K), b->q[j] - qs, t - b->dry[j]);

		vec change = f * v_rcp(v_fma(K(SATAD_K), slope, K(1)));

		b->t[j] = t - change;
		b->qv[j] = v_fma(-slope, change, qs);
	}
}

static void store(const struct block *b, const struct satad_arrays *a, int64_t at, int n,
	bool nontemporal)
{
	for (int j = 0; j < n; j++) {
		int64_t i = at + j * LANES;
		vec qv = v_min(b->qv[j], b->q[j]), ql = b->q[j] - qv;
		vec out[SATAD_OUTPUTS] = { v_fma(K(SATAD_K), ql, b->dry[j]), qv, ql };

		for (int k = 0; k < SATAD_OUTPUTS; k++)
			if (nontemporal)
				v_stream((real *)a->out[k] + i, out[k]);
			else
				v_store((real *)a->out[k] + i, out[k]);
	}
}

static void points(const struct satad_arrays *a, int64_t lo, int64_t hi)
{
	struct block b;

	for (int64_t at = lo; at < hi; at += BLOCK * LANES) {
		int n = (int)((hi - at) / LANES);

		if (n > BLOCK)
			n = BLOCK;
		load(&b, a, at, n);
		for (int k = 0; k < a->steps; k++)
			step(&b, n);
		store(&b, a, at, n, a->is_nontemporal);
	}
	if (a->is_nontemporal)
		v_fence();
}

CODE_EXPORT(satad) = { points };
