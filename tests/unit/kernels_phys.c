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

SUITE("kernels_phys", vector_functions_are_within_ulps_of_libm, saturation_pressures_are_golden,
	the_reference_meets_the_golden_points, every_backend_meets_the_golden_points,
	iterations_converge_sevenfold, every_cloud_scheme_is_proven)
