/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phys.ice_adjust in vectors, with the exp and log of kernels/simd/math.h. Work goes in blocks
 * that stay in the L1 cache and in stages (logarithms, pressures, the rest): a stage is short
 * enough for the processor to overlap several vectors, the whole formula is not. Divisions
 * share reciprocals where the formula allows. The partial cloud schemes call libm for erfc and
 * atan, lane by lane. */
#include <math.h>
#include "kernels/ice.h"
#include "kernels/moist.h"
#include "kernels/simd/math.h"

#define K(x) v_all((real)(x))
#define ALWAYS static inline __attribute__((always_inline))

enum { BLOCK = 32 }; /* vectors */

/* What changes from stage to stage. */
struct block {
	vec t[BLOCK], rc[BLOCK], ri[BLOCK];
	vec ln[BLOCK], ew[BLOCK], ei[BLOCK];
};

static void take_logs(struct block *b, int n)
{
	for (int j = 0; j < n; j++)
		b->ln[j] = v_log_absolute(b->t[j] * (real)(1 / MOIST_TT));
}

/* Saturation pressures over water and ice, at most 0.99 p. */
static void saturate(struct block *b, const struct ice_arrays *a, int n)
{
	for (int j = 0; j < n; j++) {
		vec t = b->t[j], u = (t - (real)MOIST_TT) * v_rcp(t);
		vec cap = K(0.99) * v_load((const real *)a->p + j * LANES);
		vec w = v_exp_near(v_fma(K(MOIST_BW_TT), u, K(-MOIST_GW) * b->ln[j]));
		vec i = v_exp_near(v_fma(K(MOIST_BI_TT), u, K(-MOIST_GI) * b->ln[j]));

		b->ew[j] = v_min(K(MOIST_ES) * w, cap);
		b->ei[j] = v_min(K(MOIST_ES) * i, cap);
	}
}

/* Condensate of a cloud that fills part of the point, and its cover. */
static __attribute__((noinline)) vec partial_cloud(
	vec *ret_cf, enum ice_cloud cloud, vec s, vec width, vec rt)
{
	vec q = s / width, c, cf;

	for (int l = 0; l < LANES; l++)
		cf[l] = (real)(cloud == ICE_GAUSS
				       ? erfc((double)-q[l] * M_SQRT1_2) / 2
				       : fmin(fmax(0.5 + 0.36 * atan(1.55 * (double)q[l]), 0),
						 1));
	if (cloud == ICE_GAUSS) {
		c = v_fma(q, cf, v_exp(K(-0.5) * q * q) * K(0.3989422804014327));
	} else {
		vec some = v_min(
			v_fma(v_fma(K(0.086), q, K(0.66)), q, K(0.36787944117144233)), K(2));

		c = v_if_less(K(2), q, q, some);
		c = v_if_less(K(0), q, c, v_exp(v_fma(K(1.2), q, K(-1))));
	}
	c = v_min(c * width, rt);
	*ret_cf = v_if_less(c, K(1e-12), K(0), cf);
	return v_if_less(c, K(1e-12), K(0), c);
}

/* Inputs of one vector and what follows from them alone. */
struct entry {
	vec p, rt, lv, ls, cph_inv;
};

ALWAYS struct entry enter(const struct ice_arrays *a, int j)
{
#define IN(name) v_load((const real *)a->name + j * LANES)
	vec t0 = IN(t) - (real)MOIST_TT, rv = IN(rv), rc = IN(rc), ri = IN(ri), cph;
	struct entry e;

	e.p = IN(p);
	e.rt = rv + rc + ri;
	e.lv = v_fma(K(MOIST_CPV - MOIST_CL), t0, K(MOIST_LVTT));
	e.ls = v_fma(K(MOIST_CPV - MOIST_CI), t0, K(MOIST_LSTT));
	cph = v_fma(K(MOIST_CPV), rv, K(MOIST_CPD));
	cph = v_fma(K(MOIST_CL), rc + IN(rr), cph);
	cph = v_fma(K(MOIST_CI), ri + IN(rs) + IN(rg), cph);
	e.cph_inv = v_rcp(cph);
	return e;
}

/* One iteration on vector j; returns the condensate, sets the cover. */
ALWAYS vec adjust(struct block *b, const struct ice_arrays *a, int j, const struct entry *e,
	real range_inv, bool is_partial, vec *ret_cf)
{
	vec t = b->t[j], t_inv = v_rcp(t), pw = e->p - b->ew[j], pi = e->p - b->ei[j];
	vec f = v_min(v_max((K(MOIST_TT) - t) * range_inv, K(0)), K(1));
	vec inv = K(MOIST_EPS0) * v_rcp(pw * pi), rw = b->ew[j] * pi * inv;
	vec r = v_fma(f, b->ei[j] * pw * inv - rw, rw), l = v_fma(f, e->ls - e->lv, e->lv);
	vec more = v_fma(K(MOIST_RV / MOIST_RD), r, K(1)), lc = l * e->cph_inv;
	vec ah = l * r * K(1 / MOIST_RV) * (t_inv * t_inv) * more;
	vec s = v_fma(ah * lc, b->rc[j] + b->ri[j], e->rt - r), a1 = v_rcp(v_fma(ah, lc, K(1)));
	vec c, rc;

	if (is_partial) {
		vec ra = r * a1, two_s = 2 * IN(sigma);
		vec width = v_sqrt(v_fma(K(4e-4) * ra, ra, two_s * two_s));

		c = partial_cloud(ret_cf, a->cloud, a1 * s, width, e->rt);
	} else {
		c = v_min(v_max(a1 * s, K(0)), e->rt);
		*ret_cf = v_if_less(K(1e-12), c, K(1), K(0));
	}
	rc = c - f * c;
	b->t[j] =
		v_fma(v_fma(rc - b->rc[j], e->lv, (c - rc - b->ri[j]) * e->ls), e->cph_inv, t);
	b->rc[j] = rc;
	b->ri[j] = c - rc;
	return c;
}

ALWAYS void put(void *out, int j, vec v, bool nontemporal)
{
	if (nontemporal)
		v_stream((real *)out + j * LANES, v);
	else
		v_store((real *)out + j * LANES, v);
}

ALWAYS void adjust_all(struct block *b, const struct ice_arrays *a, int n, bool is_partial,
	bool is_last, bool nontemporal)
{
	const real range_inv = (real)(1 / a->ice_range);

	for (int j = 0; j < n; j++) {
		struct entry e = enter(a, j);
		vec cf, c = adjust(b, a, j, &e, range_inv, is_partial, &cf);

		if (!is_last)
			continue;
		put(a->out_t, j, b->t[j], nontemporal);
		put(a->out_rv, j, e.rt - c, nontemporal);
		put(a->out_rc, j, b->rc[j], nontemporal);
		put(a->out_ri, j, b->ri[j], nontemporal);
		put(a->out_cf, j, cf, nontemporal);
	}
}

/* n whole vectors from the start of the arrays. */
static void do_block(const struct ice_arrays *a, int n, bool nontemporal)
{
	struct block b;

	for (int j = 0; j < n; j++) {
		b.t[j] = IN(t);
		b.rc[j] = IN(rc);
		b.ri[j] = IN(ri);
	}
	for (int k = 1; k <= a->iters; k++) {
		take_logs(&b, n);
		saturate(&b, a, n);
		if (a->cloud != ICE_ALL_OR_NOTHING)
			adjust_all(&b, a, n, true, k == a->iters, false);
		else if (k < a->iters)
			adjust_all(&b, a, n, false, false, false);
		else if (nontemporal)
			adjust_all(&b, a, n, false, true, true);
		else
			adjust_all(&b, a, n, false, true, false);
	}
}
#undef IN

/* --- ranges ------------------------------------------------------------------------------- */

static void advance(struct ice_arrays *a, int64_t by)
{
	const void **in[] = { &a->t, &a->p, &a->rv, &a->rc, &a->ri, &a->rr, &a->rs, &a->rg,
		&a->sigma };
	void **out[] = { &a->out_t, &a->out_rv, &a->out_rc, &a->out_ri, &a->out_cf };

	for (size_t k = 0; k < sizeof(in) / sizeof(in[0]); k++)
		if (*in[k])
			*in[k] = (const real *)*in[k] + by;
	for (size_t k = 0; k < sizeof(out) / sizeof(out[0]); k++)
		*out[k] = (real *)*out[k] + by;
}

/* Fewer points than a vector: through copies whose other lanes repeat the first point. */
static void do_tail(const struct ice_arrays *a, size_t n)
{
	struct ice_arrays copy = *a;
	vec in[ICE_INPUTS], out[ICE_OUTPUTS];
	const void **from[] = { &copy.t, &copy.p, &copy.rv, &copy.rc, &copy.ri, &copy.rr,
		&copy.rs, &copy.rg, &copy.sigma };
	void **to[] = { &copy.out_t, &copy.out_rv, &copy.out_rc, &copy.out_ri, &copy.out_cf };
	void *const final[] = { a->out_t, a->out_rv, a->out_rc, a->out_ri, a->out_cf };

	for (int k = 0; k < ICE_INPUTS; k++) {
		if (!*from[k])
			continue;
		in[k] = v_load_part(*from[k], n);
		*from[k] = &in[k];
	}
	for (int k = 0; k < ICE_OUTPUTS; k++)
		*to[k] = &out[k];
	do_block(&copy, 1, false);
	for (int k = 0; k < ICE_OUTPUTS; k++)
		v_store_n(final[k], out[k], n);
}

static void points(const struct ice_arrays *a, int64_t lo, int64_t hi)
{
	struct ice_arrays at = *a;
	bool past = a->is_nontemporal && (uintptr_t)((real *)a->out_t + lo) % VEC_BYTES == 0;

	advance(&at, lo);
	while (hi - lo >= LANES) {
		int n = (int)((hi - lo) / LANES < BLOCK ? (hi - lo) / LANES : BLOCK);

		do_block(&at, n, past);
		advance(&at, n * LANES);
		lo += n * LANES;
	}
	if (past)
		v_fence();
	if (lo < hi)
		do_tail(&at, (size_t)(hi - lo));
}

CODE_EXPORT(ice) = { points };
