/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/ice.h"

#include <string.h>
#include "base/cleanup.h"
#include "kernels/code.h"
#include "kernels/host.h"
#include "kernels/input.h"
#include "kernels/mem.h"
#include "kernels/moist.h"
#include "kernels/proof.h"

CODE_TABLES(ice);

static const struct named_size sizes[] = {
	{ "small", { 100, 20, 1 } },
	{ "medium", { 10000, 60, 1 } },
	{ "large", { 100000, 60, 1 } },
	{ "repro", { 9472, 15, 1 } },
	{ NULL, { 0 } },
};

static const char *const cloud_names[] = { "none", "cb02", "gauss", NULL };
static const struct kernel_option options[] = {
	{ "iters", "iterations of the adjustment; PHYEX makes one", NULL, 1, 6, 1 },
	{ "cloud", "partial cloud: none, Chaboureau-Bechtold, normal distribution", cloud_names,
		0, 0, 0 },
	{ "ice-range", "K below the triple point at which all condensate is ice", NULL, 1, 100,
		20 },
	{ NULL, NULL, NULL, 0, 0, 0 },
};

static int64_t points_of(const struct params *p)
{
	return p->dim[0] * p->dim[1];
}

static int inputs_of(const struct params *p)
{
	return params_option(p, "cloud") == ICE_ALL_OR_NOTHING ? ICE_INPUTS - 1 : ICE_INPUTS;
}

/* An iteration counts 62 additions and multiplications, 7 divisions, 2 exp and 1 log, each as
 * one. */
static void count(const struct params *p, struct counts *ret)
{
	double n = (double)points_of(p), w = (double)dtype_bytes(p->dtype);

	ret->flops = 72 * n * (double)params_option(p, "iters");
	ret->bytes = (inputs_of(p) + ICE_OUTPUTS) * n * w;
	ret->write_allocate_bytes = ICE_OUTPUTS * n * w;
	ret->footprint_bytes = ret->bytes;
	ret->work = n;
	ret->n_outputs = ICE_OUTPUTS * n;
}

/* --- input -------------------------------------------------------------------------------- */

/* u in [0, 1) where another draw is below `share`, else 0. */
static double some(uint64_t seed, unsigned array, int64_t i, double share)
{
	double u = input_uniform(input_key(seed, array), (uint64_t)i);

	return u < share ? u / share : 0;
}

void ice_input(const struct params *p, int64_t i, struct ice_point *ret)
{
	int64_t column = i % p->dim[0], level = i / p->dim[0];
	double z = 18000 * (1 - ((double)level + 0.5) / (double)p->dim[1]), ew;
	double ts = 285 + 15 * input_uniform(input_key(p->seed, 0), (uint64_t)column);
	double noise = 2 * input_uniform(input_key(p->seed, 1), (uint64_t)i) - 1;
	double wet = 0.3 + 0.9 * input_uniform(input_key(p->seed, 2), (uint64_t)i);

	ret->t = fmax(ts - 6.5e-3 * z, 205) + noise;
	ret->p = 101325 * exp(-z / 7800);
	ew = fmin(moist_ew(ret->t), 0.3 * ret->p);
	ret->rv = wet * MOIST_EPS0 * ew / (ret->p - ew);
	ret->rc = ret->t > 235 ? 1e-3 * some(p->seed, 3, i, 0.5) : 0;
	ret->ri = ret->t < MOIST_TT ? 1e-3 * some(p->seed, 4, i, 0.5) : 0;
	ret->rr = 1e-3 * some(p->seed, 5, i, 0.3);
	ret->rs = 1e-3 * some(p->seed, 6, i, 0.3);
	ret->rg = 1e-3 * some(p->seed, 7, i, 0.3);
	ret->sigma = 1e-4 * (0.1 + input_uniform(input_key(p->seed, 8), (uint64_t)i));
	ret->cf = 0;
}

static double *field_of(struct ice_point *x, int input)
{
	double *const fields[ICE_INPUTS] = { &x->t, &x->p, &x->rv, &x->rc, &x->ri, &x->rr,
		&x->rs, &x->rg, &x->sigma };

	return fields[input];
}

static void fill_input(struct ice_state *s)
{
#pragma omp parallel for num_threads(s->p->threads) schedule(static)
	for (int64_t i = 0; i < s->n; i++) {
		struct ice_point x;

		ice_input(s->p, i, &x);
		for (int k = 0; k < inputs_of(s->p); k++)
			real_set(s->in[k], s->p->dtype, (size_t)i, *field_of(&x, k));
	}
}

/* --- set up, run -------------------------------------------------------------------------- */

static void free_state(void *state)
{
	struct ice_state *s = state;

	if (!s)
		return;
	for (int k = 0; k < ICE_INPUTS; k++)
		mem_free(s->in[k]);
	for (int k = 0; k < ICE_OUTPUTS; k++)
		mem_free(s->out[k]);
	free(s);
}
DEFINE_CLEANUP(struct ice_state *, free_state)

static void poison(void *state)
{
	struct ice_state *s = state;

	for (int k = 0; k < ICE_OUTPUTS; k++)
		poison_fill(s->out[k], (size_t)(s->n * dtype_bytes(s->p->dtype)), POISON_WORD,
			s->p->threads);
}

static int make_arrays(struct ice_state *s, struct error *err)
{
	size_t bytes = (size_t)(s->n * dtype_bytes(s->p->dtype));
	int r = OK;

	for (int k = 0; r == OK && k < inputs_of(s->p); k++)
		r = mem_new(&s->in[k], bytes, k, err);
	for (int k = 0; r == OK && k < ICE_OUTPUTS; k++)
		r = mem_new(&s->out[k], bytes, ICE_INPUTS + k, err);
	return r;
}

static int setup(const struct params *p, void **ret_state, struct error *err)
{
	_cleanup_(free_state)
	struct ice_state *s = xcalloc(1, sizeof(*s));
	struct counts c = { 0 };
	int r;

	s->p = p;
	s->columns = p->dim[0];
	s->levels = p->dim[1];
	s->n = points_of(p);
	s->code = CODE_PICK(ice, p);
	r = make_arrays(s, err);
	if (r != OK)
		return r;
	count(p, &c);
	s->arrays = (struct ice_arrays){ s->in[0], s->in[1], s->in[2], s->in[3], s->in[4],
		s->in[5], s->in[6], s->in[7], s->in[8], s->out[0], s->out[1], s->out[2],
		s->out[3], s->out[4], (int)params_option(p, "iters"),
		(double)params_option(p, "ice-range"),
		(enum ice_cloud)params_option(p, "cloud"),
		c.footprint_bytes > (double)host_stream_threshold(p->threads) };
	fill_input(s);
	poison(s);
	*ret_state = TAKE(s);
	return OK;
}

enum { BLOCK = 4096 }; /* points of a unit of work of the threads */

static void run(void *state, int64_t iterations)
{
	struct ice_state *s = state;
	int64_t blocks = (s->n + BLOCK - 1) / BLOCK;

	for (int64_t k = 0; k < iterations; k++) {
		if (s->p->threads == 1) {
			s->code->points(&s->arrays, 0, s->n);
			continue;
		}
#pragma omp parallel for num_threads(s->p->threads) schedule(static)
		for (int64_t b = 0; b < blocks; b++)
			s->code->points(&s->arrays, b * BLOCK, MIN(s->n, (b + 1) * BLOCK));
	}
}

/* --- reference ---------------------------------------------------------------------------- */

static double condensate(
	struct ice_point *x, enum ice_cloud cloud, double s, double width, double rt)
{
	double q = s / width, c;

	if (cloud == ICE_ALL_OR_NOTHING) {
		c = fmin(fmax(s, 0), rt);
		x->cf = c > 1e-12;
		return c;
	}
	if (cloud == ICE_GAUSS) {
		x->cf = erfc(-q / M_SQRT2) / 2;
		c = width * (q * x->cf + exp(-q * q / 2) / sqrt(2 * M_PI));
	} else {
		x->cf = fmin(fmax(0.5 + 0.36 * atan(1.55 * q), 0), 1);
		c = q <= 0   ? exp(1.2 * q - 1)
		    : q <= 2 ? fmin(exp(-1) + 0.66 * q + 0.086 * q * q, 2)
			     : q;
		c *= width;
	}
	c = fmin(c, rt);
	if (c < 1e-12)
		c = x->cf = 0;
	return c;
}

void ice_adjust_point(struct ice_point *x, int iters, double ice_range, enum ice_cloud cloud)
{
	double lv = moist_lv(x->t), ls = moist_ls(x->t), rt = x->rv + x->rc + x->ri;
	double cph = MOIST_CPD + MOIST_CPV * x->rv + MOIST_CL * (x->rc + x->rr) +
		     MOIST_CI * (x->ri + x->rs + x->rg);

	for (int k = 0; k < iters; k++) {
		double ew = fmin(moist_ew(x->t), 0.99 * x->p),
		       ei = fmin(moist_ei(x->t), 0.99 * x->p);
		double f = fmin(fmax((MOIST_TT - x->t) / ice_range, 0), 1);
		double rw = MOIST_EPS0 * ew / (x->p - ew), ri = MOIST_EPS0 * ei / (x->p - ei);
		double r = (1 - f) * rw + f * ri, l = (1 - f) * lv + f * ls;
		double ah = l * r / (MOIST_RV * x->t * x->t) * (1 + MOIST_RV * r / MOIST_RD);
		double a = 1 / (1 + ah * l / cph);
		double s = a * (rt - r + ah * (l / cph) * (x->rc + x->ri));
		double width = sqrt(4 * x->sigma * x->sigma + 4e-4 * r * a * r * a);
		double c = condensate(x, cloud, s, width, rt), rc = (1 - f) * c;

		x->t += ((rc - x->rc) * lv + (c - rc - x->ri) * ls) / cph;
		x->rc = rc;
		x->ri = c - rc;
		x->rv = rt - c;
	}
}

/* --- proof -------------------------------------------------------------------------------- */

/* Worst values over the points. */
struct worst {
	double t, r, water, energy, saturation;
	int64_t n_negative, n_cover, n_changed, n_cloudy;
};

/* The input as the arrays hold it, from its definition. */
static void rounded_input(const struct ice_state *s, int64_t i, struct ice_point *x)
{
	ice_input(s->p, i, x);
	for (int k = 0; s->p->dtype == DT_F32 && k < ICE_INPUTS; k++)
		*field_of(x, k) = (double)(float)*field_of(x, k);
}

static void output_of(const struct ice_state *s, int64_t i, struct ice_point *y)
{
	enum dtype d = s->p->dtype;

	y->t = real_get(s->out[0], d, (size_t)i);
	y->rv = real_get(s->out[1], d, (size_t)i);
	y->rc = real_get(s->out[2], d, (size_t)i);
	y->ri = real_get(s->out[3], d, (size_t)i);
	y->cf = real_get(s->out[4], d, (size_t)i);
}

/* NaN counts as infinitely wrong. */
static void raise_to(double *worst, double v)
{
	if (!(v <= *worst))
		*worst = isnan(v) ? INFINITY : v;
}

static void check_conservation(
	const struct ice_point *x, const struct ice_point *y, struct worst *w)
{
	double rt = x->rv + x->rc + x->ri;
	double cph = MOIST_CPD + MOIST_CPV * x->rv + MOIST_CL * (x->rc + x->rr) +
		     MOIST_CI * (x->ri + x->rs + x->rg);
	double heat = moist_lv(x->t) * (y->rc - x->rc) + moist_ls(x->t) * (y->ri - x->ri);

	raise_to(&w->water, fabs(y->rv + y->rc + y->ri - rt) / rt);
	raise_to(&w->energy, fabs(cph * (y->t - x->t) - heat) / (cph * x->t));
	w->n_negative += !(y->rv >= 0 && y->rc >= 0 && y->ri >= 0 && y->cf >= 0 && y->cf <= 1);
}

/* In a cloud that did not take all water, vapour is saturated (all-or-nothing scheme). */
static void check_saturation(const struct ice_state *s, const struct ice_point *x,
	const struct ice_point *y, struct worst *w)
{
	double f = fmin(fmax((MOIST_TT - y->t) / s->arrays.ice_range, 0), 1);
	double ew = moist_ew(y->t), ei = moist_ei(y->t);
	double r = (1 - f) * MOIST_EPS0 * ew / (x->p - ew) + f * MOIST_EPS0 * ei / (x->p - ei);

	w->n_cloudy++;
	raise_to(&w->saturation, fabs(y->rv / r - 1));
}

static void check_point(const struct ice_state *s, int64_t i, struct worst *w)
{
	struct ice_point x, y = { 0 }, ref;
	double rt;

	rounded_input(s, i, &x);
	ref = x;
	ice_adjust_point(&ref, s->arrays.iters, s->arrays.ice_range, s->arrays.cloud);
	output_of(s, i, &y);
	rt = x.rv + x.rc + x.ri;
	raise_to(&w->t, fabs(y.t - ref.t) / x.t);
	raise_to(&w->r, fabs(y.rv - ref.rv) / rt);
	raise_to(&w->r, fabs(y.rc - ref.rc) / rt);
	raise_to(&w->r, fabs(y.ri - ref.ri) / rt);
	check_conservation(&x, &y, w);
	if (s->arrays.cloud == ICE_ALL_OR_NOTHING)
		w->n_cover += y.cf != (y.rc + y.ri > 1e-12) && ref.rc + ref.ri > 1e-9;
	else
		w->n_cover += !(fabs(y.cf - ref.cf) <= 1e4 * dtype_eps(s->p->dtype));
	if (x.rc + x.ri == 0 && y.rc + y.ri == 0)
		w->n_changed += y.t != x.t || y.rv != x.rv;
	if (s->arrays.cloud == ICE_ALL_OR_NOTHING && y.cf == 1 && ref.rv > 0.01 * rt)
		check_saturation(s, &x, &y, w);
}

static void merge(struct worst *a, const struct worst *b)
{
	raise_to(&a->t, b->t);
	raise_to(&a->r, b->r);
	raise_to(&a->water, b->water);
	raise_to(&a->energy, b->energy);
	raise_to(&a->saturation, b->saturation);
	a->n_negative += b->n_negative;
	a->n_cover += b->n_cover;
	a->n_changed += b->n_changed;
	a->n_cloudy += b->n_cloudy;
}

static void check_points(const struct ice_state *s, struct worst *all)
{
#pragma omp parallel num_threads(s->p->threads) if (s->p->threads > 1)
	{
		struct worst w = { 0 };

#pragma omp for schedule(static)
		for (int64_t i = 0; i < s->n; i++)
			check_point(s, i, &w);
#pragma omp critical
		merge(all, &w);
	}
}

/* Tolerances: the exponent of e is below 8 in magnitude and amplifies rounding by that; the
 * rest is the depth of the formula. Saturation improves about sevenfold with each iteration in
 * mixed phase, because dx/dT is left out. */
static int verify(void *state, struct proof *ret, struct error *err)
{
	const struct ice_state *s = state;
	double eps = dtype_eps(s->p->dtype);
	struct worst w = { 0 };

	(void)err;
	check_points(s, &w);
	proof_claim(ret, "T against the reference / eps T", w.t / eps, 32);
	proof_claim(ret, "rv, rc, ri against the reference / eps rt", w.r / eps, 512);
	proof_claim(ret, "change of total water / eps rt", w.water / eps, 2);
	proof_claim(ret, "change of enthalpy / eps Cph T", w.energy / eps, 2 * s->arrays.iters);
	proof_claim(ret, "negative values or covers outside 0..1", (double)w.n_negative, 0);
	proof_claim(ret, "wrong cloud covers", (double)w.n_cover, 0);
	proof_claim(ret, "clear points that changed", (double)w.n_changed, 0);
	if (w.n_cloudy > 0)
		proof_claim(ret, "abs(rv/r - 1) in cloud", w.saturation,
			0.1 * pow(5, 1 - s->arrays.iters) + 1000 * eps);
	ret->n_outputs = ICE_OUTPUTS * s->n;
	for (int k = 0; k < ICE_OUTPUTS; k++)
		proof_digest(ret, s->out[k], (size_t)(s->n * dtype_bytes(s->p->dtype)));
	return OK;
}

static const char *const names[] = { "ice_adjust", "ice", NULL };

const struct kernel kernel_phys_ice_adjust = {
	.id = "phys.ice_adjust",
	.aliases = names,
	.title = "saturation adjustment, mixed phase",
	.source = "Langlois 1973; Lafore et al. 1998 (Meso-NH); ICE_ADJUST of PHYEX",
	.dtypes = DT_REALS,
	.default_dtype = DT_F64,
	.n_dims = 2,
	.dims = "columns x levels",
	.dims_fixed = 1u << 1,
	.dim_min = 1,
	.dim_max = 1LL << 32,
	.sizes = sizes,
	.options = options,
	.work_unit = "points",
	.rate_unit = "Mpoints/s",
	.rate_scale = 1e6,
	.count = count,
	.setup = setup,
	.run = run,
	.poison = poison,
	.verify = verify,
	.free = free_state,
};
