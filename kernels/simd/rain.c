/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phys.rain_ice in vectors of columns, level by level. A block of columns goes through stages
 * (logarithms, powers, processes, fall) whose values stay in the L1 cache; every power is the
 * exp of a multiple of a logarithm, or a product of such. Branches are amounts of 0. */
#include <math.h>
#include "kernels/moist.h"
#include "kernels/rain.h"
#include "kernels/simd/math.h"

#define K(x) v_all((real)(x))
#define ALWAYS static inline __attribute__((always_inline))

enum { BLOCK = 16 }; /* vectors of columns */

/* What the stages hand on, for each vector of a block. */
struct block {
	vec ln_t[BLOCK], ln_rho[BLOCK], ln_r[BLOCK], ln_s[BLOCK], ln_g[BLOCK];
	vec ew[BLOCK], ei[BLOCK], dv[BLOCK], cj[BLOCK], d[BLOCK];
	vec r20[BLOCK], r29[BLOCK], r38[BLOCK]; /* powers of 1 / lam_r */
	vec s635[BLOCK], g15[BLOCK], g233[BLOCK], g316[BLOCK];
	vec x[RAIN_FIELDS][BLOCK];
	vec flux[3][BLOCK]; /* of r, s, g from the level above */
};

/* Where a block stands: a level and its first column. */
struct place {
	const struct rain_arrays *a;
	int64_t at, level;
	int n;
};

#define IN(array) v_load((const real *)(array) + w->at + j * LANES)

static void load(struct block *b, const struct place *w)
{
	for (int f = 0; f < RAIN_FIELDS; f++)
		for (int j = 0; j < w->n; j++)
			b->x[f][j] = IN(w->a->in[f]);
}

/* A level is too short for the hardware to see where the next one begins; asked for bit by bit
 * while this one is worked on. Beyond the last level a prefetch does no harm. */
static inline void fetch_next(const struct place *w, int j)
{
	int64_t next = w->at + w->a->pitch + j * LANES;

	__builtin_prefetch((const real *)w->a->p + next);
	__builtin_prefetch((const real *)w->a->rho + next);
	for (int f = 0; f < RAIN_FIELDS; f++)
		__builtin_prefetch((const real *)w->a->in[f] + next);
}

/* Logarithms of T/TT, rho, and of the three slopes. */
static void take_logs(struct block *b, const struct place *w)
{
	for (int j = 0; j < w->n; j++) {
		b->ln_t[j] = v_log_absolute(b->x[RAIN_T][j] * (real)(1 / MOIST_TT));
		b->ln_rho[j] = v_log_absolute(IN(w->a->rho));
	}
	for (int j = 0; j < w->n; j++) {
		vec least = K(RAIN_QMIN), rho = IN(w->a->rho);
		vec r = v_log_absolute(rho * v_max(b->x[RAIN_R][j], least));
		vec s = v_log_absolute(rho * v_max(b->x[RAIN_S][j], least));
		vec g = v_log_absolute(rho * v_max(b->x[RAIN_G][j], least));

		b->ln_r[j] = v_fma(K(-0.25), r, K(log(RAIN_LAM_R)));
		b->ln_s[j] = v_fma(K(-1 / 0.9), s, K(log(RAIN_LAM_S)));
		b->ln_g[j] = v_fma(K(-1 / 3.3), g, K(log(RAIN_LAM_G)));
		b->ln_s[j] = v_min(b->ln_s[j], K(11.512925464970229)); /* ln 1e5 */
		b->ln_g[j] = v_min(b->ln_g[j], K(11.512925464970229));
	}
}

static void take_powers(struct block *b, const struct place *w)
{
	for (int j = 0; j < w->n; j++) {
		vec t = b->x[RAIN_T][j], u = (t - (real)MOIST_TT) * v_rcp(t), ln = b->ln_t[j];
		vec water = v_fma(K(MOIST_BW_TT), u, K(-MOIST_GW) * ln);
		vec ice = v_fma(K(MOIST_BI_TT), u, K(-MOIST_GI) * ln);

		b->ew[j] = K(MOIST_ES) * v_exp_near(water);
		b->ei[j] = K(MOIST_ES) * v_exp_near(ice);
		b->dv[j] =
			K(0.211e-4 * MOIST_P00) * v_exp_near(K(1.94) * ln) * v_rcp(IN(w->a->p));
	}
	for (int j = 0; j < w->n; j++) {
		vec c = b->x[RAIN_T][j] - (real)MOIST_TT;
		vec viscosity = v_fma(K(0.0049e-5), c, K(1.718e-5));

		vec rho1 = v_exp_near(K(0.1) * b->ln_rho[j]), rho2 = rho1 * rho1;
		vec r10 = v_exp_near(-b->ln_r[j]), r19 = v_exp_near(K(-1.9) * b->ln_r[j]);

		b->d[j] = v_rcp(rho2 * rho2);
		b->cj[j] = K(RAIN_CJ) * rho1 * rho2 * v_rsqrt(viscosity);
		b->r20[j] = r10 * r10;
		b->r29[j] = r10 * r19;
		b->r38[j] = r19 * r19;
	}
	for (int j = 0; j < w->n; j++) {
		vec g83 = v_exp_near(K(-0.83) * b->ln_g[j]);

		b->s635[j] = v_exp_near(K(-0.635) * b->ln_s[j]);
		b->g15[j] = v_exp_near(K(-1.5) * b->ln_g[j]);
		b->g233[j] = b->g15[j] * g83;
		b->g316[j] = b->g233[j] * g83;
	}
}

/* --- processes of one vector -------------------------------------------------------------- */

struct point {
	vec x[RAIN_FIELDS];
	vec t, c, vapour; /* entry: T, T - TT */
	vec lv, ls, lf, cph, cph_inv, rho_inv, ka, dv;
	vec ssi, usw, ai_inv, aw_inv, vs, vg;
};

ALWAYS void transfer(struct point *q, int from, int to, vec amount)
{
	vec x = v_min(v_max(amount, K(0)), q->x[from]);

	q->x[from] -= x;
	q->x[to] += x;
}

ALWAYS void transfer_heat(struct point *q, int from, int to, vec amount, vec heat)
{
	vec x = v_min(v_max(amount, K(0)), q->x[from]);

	q->x[from] -= x;
	q->x[to] += x;
	q->x[RAIN_T] = v_fma(heat * x, q->cph_inv, q->x[RAIN_T]);
}

/* amount where a < b, else 0. */
ALWAYS vec where_less(vec a, vec b, vec amount)
{
	return v_if_less(a, b, amount, K(0));
}

ALWAYS void enter(struct point *q, const struct block *b, const struct place *w, int j)
{
	vec p = IN(w->a->p), ew = b->ew[j], ei = b->ei[j], heat, t2, both;

#pragma GCC unroll 7
	for (int f = 0; f < RAIN_FIELDS; f++)
		q->x[f] = b->x[f][j];
	q->t = q->x[RAIN_T];
	q->c = q->t - (real)MOIST_TT;
	q->vapour = q->x[RAIN_V];
	q->lv = v_fma(K(MOIST_CPV - MOIST_CL), q->c, K(MOIST_LVTT));
	q->ls = v_fma(K(MOIST_CPV - MOIST_CI), q->c, K(MOIST_LSTT));
	q->lf = q->ls - q->lv;
	q->cph = v_fma(K(MOIST_CPV), q->x[RAIN_V], K(MOIST_CPD));
	q->cph = v_fma(K(MOIST_CL), q->x[RAIN_C] + q->x[RAIN_R], q->cph);
	q->cph = v_fma(K(MOIST_CI), q->x[RAIN_I] + q->x[RAIN_S] + q->x[RAIN_G], q->cph);
	q->cph_inv = v_rcp(q->cph);
	q->rho_inv = v_rcp(IN(w->a->rho));
	q->ka = v_fma(K(0.0071e-2), q->c, K(2.38e-2));
	q->dv = b->dv[j];
	/* A = L^2 / (ka Rv T^2) + Rv T / (dv e); its inverse with one division. */
	t2 = K(MOIST_RV) * q->t * q->t * q->ka;
	heat = K(MOIST_RV) * q->t * t2;
	q->ai_inv = t2 * (q->dv * ei) * v_rcp(v_fma(q->ls * q->ls, q->dv * ei, heat));
	q->aw_inv = t2 * (q->dv * ew) * v_rcp(v_fma(q->lv * q->lv, q->dv * ew, heat));
	both = q->x[RAIN_V] * K(1 / MOIST_EPS0) * v_rcp(ew * ei);
	q->ssi = v_fma(both * ew, p - ei, K(-1));
	q->usw = K(1) - both * ei * (p - ew);
	q->vs = v_fma(K(18.5667138097) * b->cj[j], b->s635[j], K(17.2));
	q->vg = v_fma(
		K(1.68443642476e7) * b->cj[j], b->g233[j], K(2.70176968209e6) * b->g15[j]);
}

ALWAYS void warm(struct point *q, const struct block *b, int j, vec dt)
{
	vec freeze = K(MOIST_TT - 35), least = K(RAIN_QMIN), vr, evaporation;

	if (v_any((veci)(q->t < freeze))) {
		transfer_heat(q, RAIN_C, RAIN_I, where_less(q->t, freeze, q->x[RAIN_C]), q->lf);
		transfer_heat(q, RAIN_R, RAIN_G, where_less(q->t, freeze, q->x[RAIN_R]), q->lf);
	}
	transfer(q, RAIN_C, RAIN_R,
		K(1e-3) * dt * v_max(v_fma(K(-0.5e-3), q->rho_inv, q->x[RAIN_C]), K(0)));
	transfer(q, RAIN_C, RAIN_R,
		where_less(least, q->x[RAIN_R],
			K(2.67026825243e10) * q->x[RAIN_C] * b->r38[j] * b->d[j] * dt));
	vr = v_fma(K(6.92982382988e8) * b->cj[j], b->r29[j], K(5.02654824574e7) * b->r20[j]);
	evaporation = v_max(q->usw, K(0)) * vr * q->rho_inv * q->aw_inv * dt;
	evaporation = where_less(least, q->x[RAIN_R], evaporation);
	evaporation = v_if_less(least, q->x[RAIN_C], K(0), evaporation);
	transfer_heat(q, RAIN_R, RAIN_V, evaporation, -q->lv);
}

/* Vapour onto ice, or off it. */
ALWAYS void deposit(struct point *q, int on, vec v, vec dt, vec active)
{
	vec amount = q->ssi * v * q->rho_inv * q->ai_inv * dt * active;

	transfer_heat(q, RAIN_V, on, amount, q->ls);
	transfer_heat(q, on, RAIN_V, -amount, -q->ls);
}

/* Below the triple point; `is_cold` is 1 there and 0 elsewhere. */
ALWAYS void cold(struct point *q, const struct block *b, int j, vec dt, vec is_cold)
{
	vec c = v_min(q->c, K(0)), e5 = v_exp_near(K(0.005) * c), e10 = e5 * e5;
	vec e15 = e10 * e5, e25 = e15 * e10, e50 = e25 * e25;
	vec least = v_min(K(2e-5), v_exp_near(v_fma(K(0.06 * M_LN10), c, K(-3.5 * M_LN10))));
	vec sweep = b->s635[j] * b->s635[j] * b->d[j] * dt, snow, graupel;

	transfer(q, RAIN_I, RAIN_S,
		K(1e-3) * e15 * v_max(q->x[RAIN_I] - least, K(0)) * dt * is_cold);
	snow = where_less(K(RAIN_QMIN), q->x[RAIN_S], is_cold);
	transfer(q, RAIN_I, RAIN_S, K(14.0072236715) * e50 * q->x[RAIN_I] * sweep * snow);
	transfer_heat(q, RAIN_C, RAIN_S, K(56.0288946862) * q->x[RAIN_C] * sweep * snow, q->lf);
	deposit(q, RAIN_S, q->vs, dt, snow);
	graupel = where_less(K(RAIN_QMIN), q->x[RAIN_G], is_cold);
	transfer_heat(q, RAIN_C, RAIN_G,
		K(2.08459581256e8) * q->x[RAIN_C] * b->g316[j] * b->d[j] * dt * graupel, q->lf);
	deposit(q, RAIN_G, q->vg, dt, graupel);
}

ALWAYS void melt(struct point *q, int what, vec flux, vec v, vec dt, vec lf_inv, vec is_warm)
{
	vec amount = flux * v * q->rho_inv * lf_inv * dt;
	vec most = v_max((q->x[RAIN_T] - (real)MOIST_TT) * (q->cph * lf_inv), K(0));

	amount = where_less(K(RAIN_QMIN), q->x[what], v_min(amount, most) * is_warm);
	transfer_heat(q, what, RAIN_R, amount, -q->lf);
}

ALWAYS void melt_all(struct point *q, vec p, vec dt, vec is_warm)
{
	vec ev = q->vapour * p * v_rcp(q->vapour + (real)MOIST_EPS0);
	vec vapour = q->dv * q->lv * (K(MOIST_ES) - ev) * v_rcp(K(MOIST_RV) * q->t);
	vec flux = v_max(q->ka * q->c - vapour, K(0)), lf_inv = v_rcp(q->lf);

	transfer_heat(q, RAIN_I, RAIN_C, q->x[RAIN_I] * is_warm, -q->lf);
	melt(q, RAIN_S, flux, q->vs, dt, lf_inv, is_warm);
	melt(q, RAIN_G, flux, q->vg, dt, lf_inv, is_warm);
}

static void process(struct block *b, const struct place *w)
{
	const vec dt = K(w->a->dt);

	for (int j = 0; j < w->n; j++) {
		struct point q;
		vec is_cold;

		fetch_next(w, j);
		enter(&q, b, w, j);
		is_cold = where_less(q.t, K(MOIST_TT), K(1));
		warm(&q, b, j, dt);
		/* Skipped where all lanes would move amounts of 0: the bits are the same. */
		if (v_any((veci)(q.t < (real)MOIST_TT)))
			cold(&q, b, j, dt, is_cold);
		if (v_any((veci)(q.t >= (real)MOIST_TT)))
			melt_all(&q, IN(w->a->p), dt, K(1) - is_cold);
#pragma GCC unroll 7
		for (int f = 0; f < RAIN_FIELDS; f++)
			b->x[f][j] = q.x[f];
	}
}

/* --- fall --------------------------------------------------------------------------------- */

static void fall(
	struct block *b, const struct place *w, int what, int slot, real factor, real power)
{
	const real dz = ((const real *)w->a->dz)[w->level], dt = (real)w->a->dt;

	for (int j = 0; j < w->n; j++) {
		vec x = b->x[what][j], rho = IN(w->a->rho), mass = rho * dz, speed;

		speed = v_log_absolute(rho * v_max(x, K(RAIN_FALLMIN)));
		speed = factor * v_exp_near(power * speed) * b->d[j];
		speed = where_less(K(RAIN_FALLMIN), x, v_min(speed, K(20)));
		x = v_fma(mass, x, dt * b->flux[slot][j]) * v_rcp(v_fma(dt * rho, speed, mass));
		b->flux[slot][j] = rho * speed * x;
		b->x[what][j] = x;
	}
}

static void store(const struct block *b, const struct place *w)
{
	for (int f = 0; f < RAIN_FIELDS; f++)
		for (int j = 0; j < w->n; j++) {
			real *to = (real *)w->a->out[f] + w->at + j * LANES;

			if (w->a->is_nontemporal) /* rows are multiples of a cache line */
				v_stream(to, b->x[f][j]);
			else
				v_store(to, b->x[f][j]);
		}
}

static void do_level(struct block *b, const struct place *w)
{
	load(b, w);
	take_logs(b, w);
	take_powers(b, w);
	process(b, w);
	fall(b, w, RAIN_R, 0, (real)RAIN_FALL_R, (real)(RAIN_E_R - 1));
	fall(b, w, RAIN_S, 1, (real)RAIN_FALL_S, (real)(RAIN_E_S - 1));
	fall(b, w, RAIN_G, 2, (real)RAIN_FALL_G, (real)(RAIN_E_G - 1));
	store(b, w);
}

static void columns(const struct rain_arrays *a, int64_t lo, int64_t hi)
{
	struct block b;

	for (int64_t c = lo; c < hi; c += BLOCK * LANES) {
		struct place w = { .a = a, .n = BLOCK };

		if (hi - c < BLOCK * LANES)
			w.n = (int)((hi - c) / LANES);
		memset(b.flux, 0, sizeof(b.flux));
		for (w.level = 0; w.level < a->levels; w.level++) {
			w.at = w.level * a->pitch + c;
			do_level(&b, &w);
		}
		for (int j = 0; j < w.n; j++)
			v_store((real *)a->precip + c + j * LANES,
				(b.flux[0][j] + b.flux[1][j] + b.flux[2][j]) * (real)a->dt);
	}
	if (a->is_nontemporal)
		v_fence();
}

CODE_EXPORT(rain) = { columns };
