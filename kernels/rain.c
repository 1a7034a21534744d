/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/rain.h"

#include <math.h>
#include <string.h>
#include "base/cleanup.h"
#include "kernels/code.h"
#include "kernels/host.h"
#include "kernels/input.h"
#include "kernels/mem.h"
#include "kernels/moist.h"
#include "kernels/omp.h"
#include "kernels/proof.h"

CODE_TABLES(rain);

static const struct named_size sizes[] = {
	{ "small", { 100, 20, 1 } },
	{ "medium", { 10000, 60, 1 } },
	{ "large", { 100000, 60, 1 } },
	{ "repro", { 9472, 15, 1 } },
	{ NULL, { 0 } },
};

static const char *const input_names[] = { "random", "golden", NULL };
static const struct kernel_option options[] = {
	{ "input", "random states, or the golden column in every column", input_names, 0, 0,
		0 },
	{ "dt", "time step in seconds", NULL, 1, 600, 60 },
	{ NULL, NULL, NULL, 0, 0, 0 },
};

static int64_t pitch_of(const struct params *p)
{
	return (p->dim[0] + RAIN_LANES - 1) / RAIN_LANES * RAIN_LANES;
}

/* A point counts 180 additions and multiplications and 26 transcendental functions, each as
 * one. It reads p, rho and seven fields and writes seven; dz is one number a level. */
static void count(const struct params *p, struct counts *ret)
{
	double n = (double)(p->dim[0] * p->dim[1]), w = (double)dtype_bytes(p->dtype);

	ret->flops = 206 * n;
	ret->bytes = (2 + 2 * RAIN_FIELDS) * n * w + (double)p->dim[0] * w;
	ret->write_allocate_bytes = RAIN_FIELDS * n * w;
	ret->footprint_bytes = ret->bytes;
	ret->work = n;
	ret->n_outputs = RAIN_FIELDS * n + (double)p->dim[0];
}

/* --- input -------------------------------------------------------------------------------- */

static double layer_of(const struct params *p)
{
	return 18000. / (double)p->dim[1];
}

/* The golden column of the tests, stated for 60 levels. */
static void golden(struct rain_point *q, int64_t k, double ew)
{
	double t = q->x[RAIN_T];

	q->x[RAIN_V] = 0.9 * MOIST_EPS0 * ew / (q->p - ew);
	q->x[RAIN_C] = t > 235 ? 5e-4 * (double)(k % 3) : 0;
	q->x[RAIN_R] = k % 4 == 0 ? 1e-3 : 0;
	q->x[RAIN_I] = t < 273 ? 1e-4 * (double)(k % 2) : 0;
	q->x[RAIN_S] = k % 5 == 0 && t < 278 ? 5e-4 : 0;
	q->x[RAIN_G] = k % 7 == 0 && t < 280 ? 1e-3 : 0;
}

/* u in [0, 1) for a share of the points, else 0. */
static double some(uint64_t seed, unsigned array, int64_t i, double share)
{
	double u = input_uniform(input_key(seed, array), (uint64_t)i);

	return u < share ? u / share : 0;
}

static void random_state(struct rain_point *q, const struct params *p, int64_t i, double ew)
{
	double wet = 0.3 + 0.8 * input_uniform(input_key(p->seed, 2), (uint64_t)i);
	double t = q->x[RAIN_T];

	q->x[RAIN_V] = wet * MOIST_EPS0 * ew / (q->p - ew);
	q->x[RAIN_C] = t > 230 ? 1e-3 * some(p->seed, 3, i, 0.5) : 0;
	q->x[RAIN_R] = 1e-3 * some(p->seed, 4, i, 0.4);
	q->x[RAIN_I] = t < MOIST_TT ? 2e-4 * some(p->seed, 5, i, 0.5) : 0;
	q->x[RAIN_S] = t < 280 ? 1e-3 * some(p->seed, 6, i, 0.4) : 0;
	q->x[RAIN_G] = t < 285 ? 1e-3 * some(p->seed, 7, i, 0.4) : 0;
}

void rain_input(const struct params *p, int64_t i, struct rain_point *q)
{
	bool is_golden = params_option(p, "input") == 1;
	int64_t k = i / pitch_of(p), column = i % pitch_of(p);
	double z = 18000 * (1 - ((double)k + 0.5) / (double)p->dim[1]), ew;
	double warmer = 15 * input_uniform(input_key(p->seed, 0), (uint64_t)column) - 3;
	double noise = 2 * input_uniform(input_key(p->seed, 1), (uint64_t)i) - 1;

	q->x[RAIN_T] = is_golden ? fmax(288 - 6.5e-3 * z, 205)
				 : fmax(288 + warmer - 6.5e-3 * z, 205) + noise;
	q->p = 101325 * exp(-z / 7800);
	ew = fmin(moist_ew(q->x[RAIN_T]), 0.3 * q->p);
	if (is_golden)
		golden(q, k, ew);
	else
		random_state(q, p, i, ew);
	q->rho = q->p / (MOIST_RD * q->x[RAIN_T] * (1 + 0.608 * q->x[RAIN_V]));
}

static void fill_input(struct rain_state *s)
{
	enum dtype d = s->p->dtype;

	for (int64_t k = 0; k < s->arrays.levels; k++)
		real_set(s->dz, d, (size_t)k, layer_of(s->p));
#pragma omp parallel for num_threads(s->p->threads) schedule(static)
	for (int64_t i = 0; i < s->n; i++) {
		struct rain_point q;

		rain_input(s->p, i, &q);
		real_set(s->pressure, d, (size_t)i, q.p);
		real_set(s->rho, d, (size_t)i, q.rho);
		for (int f = 0; f < RAIN_FIELDS; f++)
			real_set(s->in[f], d, (size_t)i, q.x[f]);
	}
}

/* --- set up, run -------------------------------------------------------------------------- */

static void free_state(void *state)
{
	struct rain_state *s = state;

	if (!s)
		return;
	mem_free(s->pressure);
	mem_free(s->rho);
	mem_free(s->dz);
	mem_free(s->precip);
	mem_free(s->scratch);
	for (int f = 0; f < RAIN_FIELDS; f++) {
		mem_free(s->in[f]);
		mem_free(s->out[f]);
	}
	free(s);
}
DEFINE_CLEANUP(struct rain_state *, free_state)

static void poison(void *state)
{
	struct rain_state *s = state;
	size_t w = (size_t)dtype_bytes(s->p->dtype);

	for (int f = 0; f < RAIN_FIELDS; f++)
		poison_fill(s->out[f], (size_t)s->n * w, POISON_WORD, s->p->threads);
	poison_fill(s->precip, (size_t)s->arrays.pitch * w, POISON_WORD, 1);
}

static int make_arrays(struct rain_state *s, struct error *err)
{
	size_t w = (size_t)dtype_bytes(s->p->dtype), bytes = (size_t)s->n * w;
	size_t scratch = (size_t)(s->arrays.levels * RAIN_SCRATCH * s->p->threads);
	int r = mem_new(&s->pressure, bytes, 0, err);

	if (r == OK)
		r = mem_new(&s->rho, bytes, 1, err);
	if (r == OK)
		r = mem_new(&s->dz, (size_t)s->arrays.levels * w, 2, err);
	if (r == OK)
		r = mem_new(&s->precip, (size_t)s->arrays.pitch * w, 3, err);
	if (r == OK)
		r = mem_new(&s->scratch, scratch, 4, err);
	for (int f = 0; r == OK && f < RAIN_FIELDS; f++) {
		r = mem_new(&s->in[f], bytes, 5 + f, err);
		if (r == OK)
			r = mem_new(&s->out[f], bytes, 5 + RAIN_FIELDS + f, err);
	}
	return r;
}

static int setup(const struct params *p, void **ret_state, struct error *err)
{
	_cleanup_(free_state)
	struct rain_state *s = xcalloc(1, sizeof(*s));
	struct counts c = { 0 };
	int r;

	s->p = p;
	s->n = pitch_of(p) * p->dim[1];
	s->code = CODE_PICK(rain, p);
	s->arrays = (struct rain_arrays){ .columns = p->dim[0],
		.levels = p->dim[1],
		.pitch = pitch_of(p),
		.dt = (double)params_option(p, "dt") };
	r = make_arrays(s, err);
	if (r != OK)
		return r;
	count(p, &c);
	s->arrays.is_nontemporal =
		c.footprint_bytes > (double)host_stream_threshold(p->threads);
	s->arrays.p = s->pressure;
	s->arrays.rho = s->rho;
	s->arrays.dz = s->dz;
	s->arrays.precip = s->precip;
	for (int f = 0; f < RAIN_FIELDS; f++) {
		s->arrays.in[f] = s->in[f];
		s->arrays.out[f] = s->out[f];
	}
	fill_input(s);
	poison(s);
	*ret_state = TAKE(s);
	return OK;
}

enum { UNIT = 256 }; /* columns of a unit of work of the threads */

static void run_unit(const struct rain_state *s, int64_t u)
{
	struct rain_arrays a = s->arrays;

	a.scratch = (char *)s->scratch + omp_get_thread_num() * a.levels * RAIN_SCRATCH;
	s->code->columns(&a, u * UNIT, MIN(a.pitch, (u + 1) * UNIT));
}

static void run(void *state, int64_t iterations)
{
	const struct rain_state *s = state;
	int64_t units = (s->arrays.pitch + UNIT - 1) / UNIT;

	for (int64_t it = 0; it < iterations; it++) {
#pragma omp parallel for num_threads(s->p->threads) schedule(static) if (s->p->threads > 1)
		for (int64_t u = 0; u < units; u++)
			run_unit(s, u);
	}
}

/* --- proof -------------------------------------------------------------------------------- */

struct worst {
	double t, q, precip, water;
	int64_t n_negative, n_hot;
};

/* NaN counts as infinitely wrong. */
static void raise_to(double *worst, double v)
{
	if (!(v <= *worst))
		*worst = isnan(v) ? INFINITY : v;
}

static double rounded(const struct params *p, double v)
{
	return p->dtype == DT_F32 ? (double)(float)v : v;
}

/* Column c as the arrays hold it, from its definition. */
static void input_column(
	const struct rain_state *s, int64_t c, struct rain_point *q, double *dz)
{
	for (int64_t k = 0; k < s->arrays.levels; k++) {
		rain_input(s->p, k * s->arrays.pitch + c, &q[k]);
		q[k].p = rounded(s->p, q[k].p);
		q[k].rho = rounded(s->p, q[k].rho);
		for (int f = 0; f < RAIN_FIELDS; f++)
			q[k].x[f] = rounded(s->p, q[k].x[f]);
		dz[k] = rounded(s->p, layer_of(s->p));
	}
}

static double water_of(const struct rain_point *q)
{
	return q->x[RAIN_V] + q->x[RAIN_C] + q->x[RAIN_R] + q->x[RAIN_I] + q->x[RAIN_S] +
	       q->x[RAIN_G];
}

static void check_point(const struct rain_state *s, int64_t i, const struct rain_point *ref,
	double scale, struct rain_point *out, struct worst *w)
{
	out->rho = ref->rho;
	for (int f = 0; f < RAIN_FIELDS; f++) {
		double v = out->x[f] = real_get(s->out[f], s->p->dtype, (size_t)i);

		if (f == RAIN_T)
			raise_to(&w->t, fabs(v - ref->x[f]) / ref->x[f]);
		else
			raise_to(&w->q, fabs(v - ref->x[f]) / scale);
		w->n_negative += !(v >= 0);
	}
	w->n_hot += !(out->x[RAIN_T] > 150 && out->x[RAIN_T] < 350);
}

static void check_column(const struct rain_state *s, int64_t c, struct rain_point *q,
	double *dz, struct worst *w)
{
	double before = 0, after = 0, fallen, got;
	double scale = 0;

	input_column(s, c, q, dz);
	for (int64_t k = 0; k < s->arrays.levels; k++) {
		before += q[k].rho * dz[k] * water_of(&q[k]);
		scale = fmax(scale, water_of(&q[k]));
	}
	fallen = rain_column(q, dz, s->arrays.levels, s->arrays.dt);
	for (int64_t k = 0; k < s->arrays.levels; k++) {
		struct rain_point out;

		check_point(s, k * s->arrays.pitch + c, &q[k], scale, &out, w);
		after += out.rho * dz[k] * water_of(&out);
	}
	got = real_get(s->precip, s->p->dtype, (size_t)c);
	raise_to(&w->precip, fabs(got - fallen) / before);
	raise_to(&w->water, fabs(after + got - before) / before);
}

static void merge(struct worst *a, const struct worst *b)
{
	raise_to(&a->t, b->t);
	raise_to(&a->q, b->q);
	raise_to(&a->precip, b->precip);
	raise_to(&a->water, b->water);
	a->n_negative += b->n_negative;
	a->n_hot += b->n_hot;
}

static void check_columns(const struct rain_state *s, struct worst *all)
{
	size_t levels = (size_t)s->arrays.levels;

#pragma omp parallel num_threads(s->p->threads) if (s->p->threads > 1)
	{
		struct rain_point *q = xcalloc(levels, sizeof(*q));
		double *dz = xcalloc(levels, sizeof(*dz));
		struct worst w = { 0 };

#pragma omp for schedule(static)
		for (int64_t c = 0; c < s->arrays.columns; c++)
			check_column(s, c, q, dz, &w);
#pragma omp critical
		merge(all, &w);
		free(q);
		free(dz);
	}
}

/* Powers up to 3.8 of slopes amplify rounding by their exponent times the logarithm; a
 * threshold that two roundings fall on different sides of moves at most what it guards, which
 * is small in f64 and, in f32, within the tolerance. */
static int verify(void *state, struct proof *ret, struct error *err)
{
	const struct rain_state *s = state;
	double eps = dtype_eps(s->p->dtype), levels = (double)s->arrays.levels;
	struct worst w = { 0 };

	(void)err;
	check_columns(s, &w);
	proof_claim(ret, "T against the reference / eps T", w.t / eps, 16);
	proof_claim(ret, "species against the reference / eps of the wettest point", w.q / eps,
		256);
	proof_claim(ret, "precipitation against the reference / eps of the column",
		w.precip / eps, 16);
	proof_claim(ret, "change of column water / eps sqrt(levels)",
		w.water / (eps * sqrt(levels)), 8);
	proof_claim(ret, "negative values", (double)w.n_negative, 0);
	proof_claim(ret, "temperatures outside 150 to 350 K", (double)w.n_hot, 0);
	ret->n_outputs = RAIN_FIELDS * s->arrays.columns * s->arrays.levels + s->arrays.columns;
	for (int f = 0; f < RAIN_FIELDS; f++)
		proof_digest(ret, s->out[f], (size_t)(s->n * dtype_bytes(s->p->dtype)));
	return OK;
}

static const char *const names[] = { "rain_ice", "rain", NULL };

const struct kernel kernel_phys_rain_ice = {
	.id = "phys.rain_ice",
	.aliases = names,
	.title = "mixed-phase microphysics and sedimentation of columns",
	.source = "Pinty and Jabouille 1998; Caniaux et al. 1994; ICE3 of PHYEX, reduced",
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
