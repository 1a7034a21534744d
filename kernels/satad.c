/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/satad.h"

#include <math.h>
#include "base/cleanup.h"
#include "kernels/code.h"
#include "kernels/host.h"
#include "kernels/ice.h"
#include "kernels/input.h"
#include "kernels/mem.h"
#include "kernels/proof.h"

CODE_TABLES(satad);

static const struct named_size sizes[] = {
	{ "small", { 480, 137, 1 } },
	{ "medium", { 10000, 60, 1 } },
	{ "large", { 655360, 137, 1 } },
	{ NULL, { 0 } },
};

static const struct kernel_option options[] = {
	{ "steps", "steps of Newton's method", NULL, 3, 6, 3 },
	{ NULL, NULL, NULL, 0, 0, 0 },
};

/* A step counts 25 additions, multiplications and divisions and one exp. */
static void count(const struct params *p, struct counts *ret)
{
	double n = (double)(p->dim[0] * p->dim[1]), w = (double)dtype_bytes(p->dtype);

	ret->flops = (26 * (double)params_option(p, "steps") + 8) * n;
	ret->bytes = (SATAD_INPUTS + SATAD_OUTPUTS) * n * w;
	ret->write_allocate_bytes = SATAD_OUTPUTS * n * w;
	ret->footprint_bytes = ret->bytes;
	ret->work = n;
	ret->n_outputs = SATAD_OUTPUTS * n;
}

/* --- set up, run -------------------------------------------------------------------------- */

static void free_state(void *state)
{
	struct satad_state *s = state;

	if (!s)
		return;
	for (int k = 0; k < SATAD_INPUTS; k++)
		mem_free(s->in[k]);
	for (int k = 0; k < SATAD_OUTPUTS; k++)
		mem_free(s->out[k]);
	free(s);
}
DEFINE_CLEANUP(struct satad_state *, free_state)

static void poison(void *state)
{
	struct satad_state *s = state;

	for (int k = 0; k < SATAD_OUTPUTS; k++)
		poison_fill(s->out[k], (size_t)(s->padded * dtype_bytes(s->p->dtype)),
			POISON_WORD, s->p->threads);
}

/* T, p, qv, ql of point i before rounding. */
static void input_of(const struct params *p, int64_t i, double v[SATAD_INPUTS])
{
	struct ice_point x;

	ice_input(p, i, &x);
	v[0] = x.t;
	v[1] = x.p;
	v[2] = x.rv;
	v[3] = x.rc;
}

static void fill_input(struct satad_state *s)
{
#pragma omp parallel for num_threads(s->p->threads) schedule(static)
	for (int64_t i = 0; i < s->padded; i++) {
		double v[SATAD_INPUTS];

		input_of(s->p, i < s->n ? i : 0, v);
		for (int k = 0; k < SATAD_INPUTS; k++)
			real_set(s->in[k], s->p->dtype, (size_t)i, v[k]);
	}
}

static int setup(const struct params *p, void **ret_state, struct error *err)
{
	_cleanup_(free_state)
	struct satad_state *s = xcalloc(1, sizeof(*s));
	struct counts c = { 0 };
	size_t bytes;
	int r = OK;

	s->p = p;
	s->n = p->dim[0] * p->dim[1];
	s->padded = (s->n + SATAD_LANES - 1) / SATAD_LANES * SATAD_LANES;
	s->code = CODE_PICK(satad, p);
	bytes = (size_t)(s->padded * dtype_bytes(p->dtype));
	for (int k = 0; r == OK && k < SATAD_INPUTS; k++)
		r = mem_new(&s->in[k], bytes, k, err);
	for (int k = 0; r == OK && k < SATAD_OUTPUTS; k++)
		r = mem_new(&s->out[k], bytes, SATAD_INPUTS + k, err);
	if (r != OK)
		return r;
	count(p, &c);
	s->arrays = (struct satad_arrays){ .in = { s->in[0], s->in[1], s->in[2], s->in[3] },
		.out = { s->out[0], s->out[1], s->out[2] },
		.steps = (int)params_option(p, "steps"),
		.is_nontemporal =
			c.footprint_bytes > (double)host_stream_threshold(p->threads) };
	fill_input(s);
	poison(s);
	*ret_state = TAKE(s);
	return OK;
}

enum { UNIT = 4096 }; /* points of a unit of work of the threads */

static void run(void *state, int64_t iterations)
{
	struct satad_state *s = state;
	int64_t units = (s->padded + UNIT - 1) / UNIT;

	for (int64_t it = 0; it < iterations; it++) {
#pragma omp parallel for num_threads(s->p->threads) schedule(static) if (s->p->threads > 1)
		for (int64_t u = 0; u < units; u++)
			s->code->points(&s->arrays, u * UNIT, MIN(s->padded, (u + 1) * UNIT));
	}
}

/* --- reference ---------------------------------------------------------------------------- */

double satad_saturation(double t, double p)
{
	double e = SATAD_A1 * exp(SATAD_A3 * (t - SATAD_T0) / (t - SATAD_A4));

	return MOIST_EPS0 * e / (p - (1 - MOIST_EPS0) * e);
}

void satad_adjust(struct satad_point *x, int steps)
{
	double q = x->qv + x->ql, dry = x->t - SATAD_K * x->ql, t = x->t, qv = q;

	for (int k = 0; k < steps; k++) {
		double d = t - SATAD_A4, e = SATAD_A1 * exp(SATAD_A3 * (t - SATAD_T0) / d);
		double rest = x->p - (1 - MOIST_EPS0) * e, qs = MOIST_EPS0 * e / rest;
		double slope = qs * x->p / rest * (SATAD_A3 * (SATAD_T0 - SATAD_A4)) / (d * d);

		double change = (t - dry - SATAD_K * (q - qs)) / (1 + SATAD_K * slope);

		t -= change;
		qv = qs - slope * change;
	}
	x->qv = fmin(qv, q);
	x->ql = q - x->qv;
	x->t = dry + SATAD_K * x->ql;
}

/* --- proof -------------------------------------------------------------------------------- */

struct worst {
	double t, water, enthalpy, cloudy, clear;
	int64_t n_negative, n_cloudy;
};

/* NaN counts as infinitely wrong. */
static void raise_to(double *worst, double v)
{
	if (!(v <= *worst))
		*worst = isnan(v) ? INFINITY : v;
}

static void check_point(const struct satad_state *s, int64_t i, struct worst *w)
{
	struct satad_point ref;
	double v[SATAD_INPUTS], out[SATAD_OUTPUTS], humidity, enthalpy;

	input_of(s->p, i, v);
	for (int k = 0; k < SATAD_INPUTS; k++)
		v[k] = s->p->dtype == DT_F32 ? (double)(float)v[k] : v[k];
	for (int k = 0; k < SATAD_OUTPUTS; k++)
		out[k] = real_get(s->out[k], s->p->dtype, (size_t)i);
	ref = (struct satad_point){ v[0], v[1], v[2], v[3] };
	satad_adjust(&ref, s->arrays.steps);
	enthalpy = v[0] - SATAD_K * v[3];
	raise_to(&w->t, fabs(out[0] - ref.t));
	raise_to(&w->water, fabs(out[1] + out[2] - v[2] - v[3]) / (v[2] + v[3]));
	raise_to(&w->enthalpy, fabs(out[0] - SATAD_K * out[2] - enthalpy) / v[0]);
	w->n_negative += !(out[1] >= 0 && out[2] >= 0);
	humidity = out[1] / satad_saturation(out[0], v[1]);
	if (out[2] > 0 && out[1] > 0) {
		raise_to(&w->cloudy, fabs(humidity - 1));
		w->n_cloudy++;
	} else {
		raise_to(&w->clear, humidity - 1);
	}
}

static void merge(struct worst *a, const struct worst *b)
{
	raise_to(&a->t, b->t);
	raise_to(&a->water, b->water);
	raise_to(&a->enthalpy, b->enthalpy);
	raise_to(&a->cloudy, b->cloudy);
	raise_to(&a->clear, b->clear);
	a->n_negative += b->n_negative;
	a->n_cloudy += b->n_cloudy;
}

static void check_points(const struct satad_state *s, struct worst *all)
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

static int verify(void *state, struct proof *ret, struct error *err)
{
	const struct satad_state *s = state;
	bool is_single = s->p->dtype == DT_F32;
	double exact = is_single ? 1e-6 : 1e-15;
	struct worst w = { 0 };

	(void)err;
	check_points(s, &w);
	proof_claim(ret, "T against the reference, K", w.t, is_single ? 2e-3 : 1e-10);
	proof_claim(ret, "change of total water, relative", w.water, exact);
	proof_claim(ret, "change of T - L ql / cp, relative to T", w.enthalpy, exact);
	proof_claim(ret, "negative water", (double)w.n_negative, 0);
	proof_claim(ret, "relative humidity in cloud, distance from 1", w.cloudy, 1e-4);
	proof_claim(ret, "relative humidity without cloud above 1", fmax(w.clear, 0), 1e-4);
	proof_claim(ret, "all clear or all cloudy",
		s->n >= 1000 && (w.n_cloudy == 0 || w.n_cloudy == s->n), 0);
	ret->n_outputs = SATAD_OUTPUTS * s->n;
	for (int k = 0; k < SATAD_OUTPUTS; k++)
		proof_digest(ret, s->out[k], (size_t)(s->n * dtype_bytes(s->p->dtype)));
	return OK;
}

static const char *const names[] = { "physics.satad", "satad", NULL };

const struct kernel kernel_phys_satad = {
	.id = "phys.satad",
	.aliases = names,
	.title = "saturation adjustment over water, Newton's method",
	.source = "Tetens 1930, constants of the IFS; cp T - L ql and total water are kept",
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
