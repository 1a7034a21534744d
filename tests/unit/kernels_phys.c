/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Vector functions against libm, and phys.*: golden points computed with 40 digits. */
#include <math.h>
#include <string.h>
#include "kernels/code.h"
#include "kernels/ice.h"
#include "kernels/input.h"
#include "kernels/math.h"
#include "kernels/moist.h"
#include "kernels/proof.h"
#include "kernels/rain.h"
#include "kernels/satad.h"
#include "tests/lib/unit.h"

CODE_TABLES(math);

/* --- exp, log, 1/x ------------------------------------------------------------------------ */

enum { N = 20000 };

/* Largest error of values at x in units of the last place of the truth. */
static double worst_ulp(const void *x, const void *out, enum dtype d, double (*truth)(double))
{
	double worst = 0;

	for (size_t i = 0; i < N; i++) {
		double want = truth(real_get(x, d, i)), got = real_get(out, d, i);
		double ulp = d == DT_F64 ? nextafter(fabs(want), INFINITY) - fabs(want)
					 : (double)(nextafterf(fabsf((float)want), INFINITY) -
						    fabsf((float)want));

		worst = fmax(worst, fabs(got - want) / ulp);
	}
	return worst;
}

static double reciprocal(double x)
{
	return 1 / x;
}

/* 0 at 1, and near it no worse than far from it. */
static void check_log_absolute(const struct math_code *m, void *x, void *out, enum dtype d)
{
	double worst = 0;

	real_set(x, d, 0, 1);
	m->log_absolute(out, x, N);
	for (size_t i = 0; i < N; i++) {
		double want = log(real_get(x, d, i));

		worst = fmax(worst,
			fabs(real_get(out, d, i) - want) / (dtype_eps(d) * (1 + fabs(want))));
	}
	ck_assert_double_le(worst, 1.5);
}

static void check_math(enum isa isa, enum dtype d)
{
	const struct math_code *m = math_codes[isa][d == DT_F64];
	static double x[N], out[N];

	input_fill(x, d, N, input_key(1, 0), -80, 160, 1);
	m->exp(out, x, N);
	ck_assert_double_le(worst_ulp(x, out, d, exp), 2);
	input_fill(x, d, N, input_key(1, 1), 1e-6, 4, 1);
	m->log(out, x, N);
	ck_assert_double_le(worst_ulp(x, out, d, log), 3);
	input_fill(x, d, N, input_key(1, 2), 1, 1e6, 1);
	m->log(out, x, N);
	ck_assert_double_le(worst_ulp(x, out, d, log), 2);
	input_fill(x, d, N, input_key(1, 3), 1e-12, 4, 1);
	check_log_absolute(m, x, out, d);
	input_fill(x, d, N, input_key(1, 4), 0.7, 0.9, 1);
	check_log_absolute(m, x, out, d);
	m->rcp(out, x, N);
	ck_assert_double_le(worst_ulp(x, out, d, reciprocal), 1.5);
}

START_TEST(vector_functions_are_within_ulps_of_libm)
{
	for (int i = ISA_BASE; i < N_ISAS; i++) {
		if (!isa_is_supported((enum isa)i))
			continue;
		check_math((enum isa)i, DT_F32);
		check_math((enum isa)i, DT_F64);
	}
}
END_TEST

/* --- saturation --------------------------------------------------------------------------- */

static void near(double got, double want, double relative)
{
	ck_assert_msg(
		fabs(got - want) <= relative * fabs(want), "%.17g is not %.17g", got, want);
}

START_TEST(saturation_pressures_are_golden)
{
	static const double rows[][3] = { { 213.16, 1.93435264454, 1.07020674025 },
		{ 233.16, 18.9970770002, 12.8160476884 },
		{ 253.16, 125.583209624, 103.278249077 },
		{ 263.16, 286.552925783, 259.969136665 }, { 273.16, 611.14, 611.14 },
		{ 283.15, 1226.49670233, 1350.48968682 },
		{ 293.15, 2334.30069119, 2827.39894696 },
		{ 303.15, 4233.4663625, 5634.26016743 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		near(moist_ew(rows[i][0]), rows[i][1], 1e-11);
		near(moist_ei(rows[i][0]), rows[i][2], 1e-11);
	}
}
END_TEST

/* --- ice_adjust --------------------------------------------------------------------------- */

static const struct {
	struct ice_point in;
	int iters;
	enum ice_cloud cloud;
	double t, rv, rc, ri, cf;
} goldens[] = {
	{ { .t = 290, .p = 9e4, .rv = 15e-3 }, 1, 0, 291.132486668695, 0.0145248892784753,
		4.75110721524664e-4, 0, 1 },
	{ { .t = 290, .p = 9e4, .rv = 15e-3 }, 6, 0, 291.107813149113, 0.0145352405294131,
		4.64759470586899e-4, 0, 1 },
	{ { .t = 263.16,
		  .p = 6e4,
		  .rv = 3.2e-3,
		  .rc = 5e-4,
		  .ri = 2e-4,
		  .rr = 1e-4,
		  .rs = 1e-4,
		  .rg = 1e-4 },
		1, 0, 263.779511428409, 2.98316577882125e-3, 4.58417110589373e-4,
		4.58417110589373e-4, 1 },
	{ { .t = 263.16,
		  .p = 6e4,
		  .rv = 3.2e-3,
		  .rc = 5e-4,
		  .ri = 2e-4,
		  .rr = 1e-4,
		  .rs = 1e-4,
		  .rg = 1e-4 },
		6, 0, 263.739337443081, 2.99530555624519e-3, 4.78553562142869e-4,
		4.26140881611941e-4, 1 },
	{ { .t = 233.16, .p = 3e4, .rv = 4e-4, .ri = 1e-4, .rs = 1e-4 }, 1, 0, 233.509666568246,
		2.76368561238198e-4, 0, 2.23631438761802e-4, 1 },
	{ { .t = 280, .p = 8e4, .rv = 5e-3, .rc = 1e-3 }, 1, 0, 277.559732604171, 6e-3, 0, 0,
		0 },
	{ { .t = 288.16, .p = 9e4, .rv = 0.0119, .sigma = 1e-4 }, 1, ICE_CB02, 288.3170360844,
		0.01183460003234, 6.539996766024e-5, 0, 0.4101345479097 },
	{ { .t = 288.16, .p = 9e4, .rv = 0.0119, .sigma = 1e-4 }, 1, ICE_GAUSS, 288.3274888402,
		0.01183024682975, 6.975317025363e-5, 0, 0.4346766838385 },
};
enum { N_GOLDENS = sizeof(goldens) / sizeof(goldens[0]) };

static void is_golden(size_t i, const struct ice_point *x, double relative)
{
	double rt = goldens[i].in.rv + goldens[i].in.rc + goldens[i].in.ri;

	near(x->t, goldens[i].t, relative);
	ck_assert_double_le(fabs(x->rv - goldens[i].rv), relative * rt);
	ck_assert_double_le(fabs(x->rc - goldens[i].rc), relative * rt);
	ck_assert_double_le(fabs(x->ri - goldens[i].ri), relative * rt);
	ck_assert_double_le(fabs(x->cf - goldens[i].cf), 10 * relative);
}

START_TEST(the_reference_meets_the_golden_points)
{
	for (size_t i = 0; i < N_GOLDENS; i++) {
		struct ice_point x = goldens[i].in;

		ice_adjust_point(&x, goldens[i].iters, 20, goldens[i].cloud);
		is_golden(i, &x, 1e-12);
	}
}
END_TEST

static void fill_columns(struct ice_state *s, const struct ice_point *x)
{
	const double v[ICE_INPUTS] = { x->t, x->p, x->rv, x->rc, x->ri, x->rr, x->rs, x->rg,
		x->sigma };

	for (int k = 0; k < ICE_INPUTS; k++)
		for (int64_t i = 0; s->in[k] && i < s->n; i++)
			real_set(s->in[k], s->p->dtype, (size_t)i, v[k]);
}

static void run_golden(size_t i, enum backend b, enum isa isa, enum dtype d)
{
	struct ice_state *s;
	struct ice_point x;
	struct params p;
	struct error err;
	void *state;

	params_init(&p, kernel_find("phys.ice_adjust"));
	p.dim[0] = 37;
	p.dim[1] = 1;
	p.dtype = d;
	p.backend = b;
	p.isa = isa;
	p.option[0] = goldens[i].iters;
	p.option[1] = goldens[i].cloud;
	ck_assert_int_eq(p.kernel->setup(&p, &state, &err), OK);
	s = state;
	fill_columns(s, &goldens[i].in);
	p.kernel->run(state, 1);
	for (size_t k = 0; k < 37; k += 36) { /* a whole vector and the tail */
		x = (struct ice_point){ .t = real_get(s->out[0], d, k),
			.rv = real_get(s->out[1], d, k),
			.rc = real_get(s->out[2], d, k),
			.ri = real_get(s->out[3], d, k),
			.cf = real_get(s->out[4], d, k) };
		is_golden(i, &x, d == DT_F64 ? 1e-12 : 4e-6);
	}
	p.kernel->free(state);
}

START_TEST(every_backend_meets_the_golden_points)
{
	for (size_t i = 0; i < N_GOLDENS; i++)
		for (int d = DT_F32; d <= DT_F64; d++) {
			run_golden(i, BACKEND_SCALAR, ISA_BASE, (enum dtype)d);
			for (int isa = ISA_BASE; isa < N_ISAS; isa++)
				if (isa_is_supported((enum isa)isa))
					run_golden(
						i, BACKEND_SIMD, (enum isa)isa, (enum dtype)d);
		}
}
END_TEST

START_TEST(iterations_converge_sevenfold)
{
	static const double seen[] = { 6.0e-2, 7.6e-3, 1.1e-3, 1.4e-4, 2.0e-5, 2.7e-6 };

	for (int iters = 1; iters <= 6; iters++) {
		struct params p;
		struct proof proof;
		struct error err;
		void *state;

		params_init(&p, kernel_find("phys.ice_adjust"));
		p.dim[0] = 500;
		p.option[0] = iters;
		ck_assert_int_eq(p.kernel->setup(&p, &state, &err), OK);
		p.kernel->run(state, 1);
		proof_init(&proof);
		ck_assert_int_eq(p.kernel->verify(state, &proof, &err), OK);
		ck_assert_msg(proof.ok, "%s", proof.ok ? "" : proof_failed(&proof)->name);
		for (size_t i = 0; i < proof.n_invariants; i++)
			if (strstr(proof.invariant[i].name, "in cloud"))
				ck_assert_double_le(
					proof.invariant[i].value, 2 * seen[iters - 1]);
		p.kernel->free(state);
	}
}
END_TEST

START_TEST(every_cloud_scheme_is_proven)
{
	for (int cloud = 0; cloud < 3; cloud++)
		for (int d = DT_F32; d <= DT_F64; d++)
			for (int b = BACKEND_SCALAR; b <= BACKEND_SIMD; b++) {
				struct params p;
				struct proof proof;
				struct error err;
				void *state;

				params_init(&p, kernel_find("ice"));
				p.dim[0] = 300;
				p.dtype = (enum dtype)d;
				p.backend = (enum backend)b;
				p.option[1] = cloud;
				ck_assert_int_eq(p.kernel->setup(&p, &state, &err), OK);
				p.kernel->run(state, 1);
				proof_init(&proof);
				ck_assert_int_eq(p.kernel->verify(state, &proof, &err), OK);
				ck_assert_msg(proof.ok, "%s",
					proof.ok ? "" : proof_failed(&proof)->name);
				p.kernel->free(state);
			}
}
END_TEST

/* --- rain_ice ----------------------------------------------------------------------------- */

START_TEST(processes_of_rain_ice_are_golden)
{
	static const struct {
		double t, p, in[6], out_t, out[6];
	} rows[] = {
		{ 263.16, 6e4, { 3e-3, 8e-4, 3e-4, 2e-4, 4e-4, 5e-4 }, 263.4304971233,
			{ 2.95518881429e-3, 2.502647369758e-4, 3.762025161495e-4,
				1.771355045117e-4, 7.819344503988e-4, 6.59273977674e-4 } },
		{ 278.16, 8e4, { 5e-3, 1e-3, 3e-4, 1e-4, 4e-4, 5e-4 }, 277.8229952927,
			{ 5e-3, 9.779345246315e-4, 1.322065475368e-3, 0, 0, 0 } },
		{ 288.16, 9e4, { 8e-3, 0, 1e-3, 0, 0, 0 }, 287.966133896,
			{ 8.080503877169e-3, 0, 9.194961228314e-4, 0, 0, 0 } },
		{ 233.16, 3e4, { 2e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4 }, 233.1852760268,
			{ 2.08577581497e-4, 0, 0, 1.932117820815e-4, 1.018200872513e-4,
				1.963905491702e-4 } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rain_point q = { .p = rows[i].p };

		memcpy(q.x, rows[i].in, sizeof(rows[i].in));
		q.x[RAIN_T] = rows[i].t;
		q.rho = q.p / (MOIST_RD * rows[i].t * (1 + 0.608 * q.x[RAIN_V]));
		rain_processes(&q, 60);
		near(q.x[RAIN_T], rows[i].out_t, 1e-12);
		for (int f = 0; f < 6; f++)
			near(q.x[f], rows[i].out[f], 1e-11);
	}
}
END_TEST

enum { LEVELS = 60 };

static void golden_column(struct params *p)
{
	params_init(p, kernel_find("phys.rain_ice"));
	p->dim[0] = 20;
	p->dim[1] = LEVELS;
	p->option[0] = 1;
}

static double column_water(const struct rain_point *q)
{
	double water = 0;

	for (int k = 0; k < LEVELS; k++)
		for (int f = 0; f < RAIN_T; f++)
			water += q[k].rho * 300 * q[k].x[f];
	return water;
}

/* Heat gained is that of the phases changed, with the factors of the entry: vapour that is
 * liquid afterwards gave Lv, vapour that is ice Ls. */
START_TEST(processes_of_rain_ice_keep_the_enthalpy)
{
	struct params p;
	double worst = 0;

	params_init(&p, kernel_find("phys.rain_ice"));
	for (int64_t i = 0; i < 20000; i++) {
		struct rain_point q, in;
		double cph, lv, ls, liquid, ice;

		rain_input(&p, i * 29, &in);
		q = in;
		rain_processes(&q, 60);
		lv = MOIST_LVTT + (MOIST_CPV - MOIST_CL) * (in.x[RAIN_T] - MOIST_TT);
		ls = MOIST_LSTT + (MOIST_CPV - MOIST_CI) * (in.x[RAIN_T] - MOIST_TT);
		cph = MOIST_CPD + MOIST_CPV * in.x[RAIN_V] +
		      MOIST_CL * (in.x[RAIN_C] + in.x[RAIN_R]) +
		      MOIST_CI * (in.x[RAIN_I] + in.x[RAIN_S] + in.x[RAIN_G]);
		liquid = q.x[RAIN_C] + q.x[RAIN_R] - in.x[RAIN_C] - in.x[RAIN_R];
		ice = q.x[RAIN_I] + q.x[RAIN_S] + q.x[RAIN_G] - in.x[RAIN_I] - in.x[RAIN_S] -
		      in.x[RAIN_G];
		worst = fmax(worst,
			fabs(cph * (q.x[RAIN_T] - in.x[RAIN_T]) - lv * liquid - ls * ice) /
				(cph * in.x[RAIN_T]));
	}
	ck_assert_msg(worst <= 8 * 0x1p-52, "%g eps", worst * 0x1p52);
}
END_TEST

START_TEST(twenty_steps_of_the_golden_column_are_golden)
{
	struct rain_point q[LEVELS];
	double dz[LEVELS], precip = 0, sum_t = 0;
	struct params p;

	golden_column(&p);
	for (int k = 0; k < LEVELS; k++) {
		rain_input(&p, k * 32, &q[k]);
		dz[k] = 300;
	}
	near(column_water(q), 33.852229042386, 1e-12);
	for (int step = 1; step <= 20; step++) {
		precip += rain_column(q, dz, LEVELS, 60);
		if (step == 1)
			near(precip, 0.0046332439648524, 1e-10);
	}
	for (int k = 0; k < LEVELS; k++)
		sum_t += q[k].x[RAIN_T];
	near(precip, 2.8441978765496, 1e-10);
	near(column_water(q), 31.008031165837, 1e-10);
	near(sum_t, 14071.853747259, 1e-10);
}
END_TEST

/* Output back into input, twenty times; the density stays that of the start. */
static double twenty_steps(struct params *p)
{
	double precip = 0;
	struct rain_state *s;
	struct error err;
	void *state;

	ck_assert_int_eq(p->kernel->setup(p, &state, &err), OK);
	s = state;
	for (int step = 0; step < 20; step++) {
		p->kernel->run(state, 1);
		precip += real_get(s->precip, p->dtype, 19);
		for (int f = 0; f < RAIN_FIELDS; f++)
			memcpy(s->in[f], s->out[f], (size_t)(s->n * dtype_bytes(p->dtype)));
	}
	p->kernel->free(state);
	return precip;
}

START_TEST(every_backend_rains_the_golden_amount)
{
	for (int d = DT_F32; d <= DT_F64; d++)
		for (int isa = ISA_SCALAR; isa < N_ISAS; isa++) {
			struct params p;

			if (!isa_is_supported((enum isa)isa))
				continue;
			golden_column(&p);
			p.dtype = (enum dtype)d;
			p.backend = isa == ISA_SCALAR ? BACKEND_SCALAR : BACKEND_SIMD;
			p.isa = (enum isa)isa;
			near(twenty_steps(&p), 2.8441978765496, d == DT_F64 ? 1e-10 : 1e-5);
		}
}
END_TEST

START_TEST(a_dry_clear_column_stays_as_it_is)
{
	struct rain_state *s;
	struct params p;
	struct error err;
	void *state;

	golden_column(&p);
	ck_assert_int_eq(p.kernel->setup(&p, &state, &err), OK);
	s = state;
	for (int f = RAIN_C; f <= RAIN_G; f++)
		memset(s->in[f], 0, (size_t)(s->n * 8));
	p.kernel->run(state, 1);
	for (int f = 0; f < RAIN_FIELDS; f++)
		ck_assert_mem_eq(s->in[f], s->out[f], (size_t)(s->n * 8));
	p.kernel->free(state);
}
END_TEST

/* --- phys.satad --------------------------------------------------------------------------- */

/* Entry, and the root of the definition by bisection with 40 digits. */
static const struct {
	struct satad_point in;
	double t, qv, ql;
} satad_golden[] = {
	{ { 290, 9e4, 0.015, 0 }, 291.27531092337, 0.0144876374835247, 0.000512362516475293 },
	{ { 280, 8e4, 0.005, 0.001 }, 277.510920720463, 0.006, 0 },
	{ { 265, 6e4, 0.0035, 0.0007 }, 265.092433375495, 0.00346286443093448,
		0.000737135569065518 },
	{ { 288, 9.5e4, 0.004, 0.0002 }, 287.502184144092, 0.0042, 0 },
};

START_TEST(satad_meets_the_golden_points)
{
	for (size_t i = 0; i < sizeof(satad_golden) / sizeof(satad_golden[0]); i++) {
		struct satad_point x = satad_golden[i].in;

		satad_adjust(&x, 6);
		ck_assert_double_eq_tol(x.t, satad_golden[i].t, 1e-11);
		ck_assert_double_eq_tol(x.qv, satad_golden[i].qv, 1e-15);
		ck_assert_double_eq_tol(x.ql, satad_golden[i].ql, 1e-15);
	}
}
END_TEST

/* Errors of 1.3, then about 0.02 of their square. */
START_TEST(newtons_steps_square_the_error)
{
	double last = 1.3;

	for (int steps = 1; steps <= 3; steps++) {
		struct satad_point x = satad_golden[0].in;
		double error;

		satad_adjust(&x, steps);
		error = fabs(x.t - satad_golden[0].t);
		ck_assert_msg(error <= 0.1 * last * last + 1e-12, "%d steps: %g after %g",
			steps, error, last);
		last = error;
	}
	ck_assert(last < 1e-7);
}
END_TEST

START_TEST(every_backend_saturates_its_clouds)
{
	static const enum dtype dtypes[] = { DT_F32, DT_F64 };

	for (int d = 0; d < 2; d++)
		for (int isa = ISA_SCALAR; isa < N_ISAS; isa++) {
			struct params p;
			struct proof proof;
			struct error err;
			void *state;

			if (isa != ISA_SCALAR && !isa_is_supported((enum isa)isa))
				continue;
			params_init(&p, kernel_find("phys.satad"));
			p.dim[0] = 103; /* no multiple of any vector */
			p.dim[1] = 31;
			p.dtype = dtypes[d];
			p.isa = (enum isa)isa;
			p.backend = isa == ISA_SCALAR ? BACKEND_SCALAR : BACKEND_SIMD;
			ck_assert_int_eq(p.kernel->setup(&p, &state, &err), OK);
			p.kernel->run(state, 1);
			proof_init(&proof);
			ck_assert_int_eq(p.kernel->verify(state, &proof, &err), OK);
			ck_assert_msg(proof.ok, "isa %d: %s", isa,
				proof.ok ? "" : proof_failed(&proof)->name);
			real_set(((struct satad_state *)state)->out[2], p.dtype, 5, 1e-3);
			proof_init(&proof); /* planted: water from nowhere */
			ck_assert_int_eq(p.kernel->verify(state, &proof, &err), OK);
			ck_assert(!proof.ok);
			p.kernel->free(state);
		}
}
END_TEST

SUITE("kernels_phys", vector_functions_are_within_ulps_of_libm, saturation_pressures_are_golden,
	the_reference_meets_the_golden_points, every_backend_meets_the_golden_points,
	iterations_converge_sevenfold, every_cloud_scheme_is_proven,
	processes_of_rain_ice_are_golden, processes_of_rain_ice_keep_the_enthalpy,
	twenty_steps_of_the_golden_column_are_golden, every_backend_rains_the_golden_amount,
	a_dry_clear_column_stays_as_it_is, satad_meets_the_golden_points,
	newtons_steps_square_the_error, every_backend_saturates_its_clouds)
