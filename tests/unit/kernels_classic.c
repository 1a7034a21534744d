/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The classic kernels on inputs whose answer is known, odd sizes, and planted faults. */
#include <math.h>
#include <string.h>
#include "kernels/code.h"
#include "kernels/fft.h"
#include "kernels/gemm.h"
#include "kernels/input.h"
#include "kernels/nbody.h"
#include "kernels/proof.h"
#include "kernels/reduce.h"
#include "kernels/sort.h"
#include "kernels/spmv.h"
#include "kernels/stencil.h"
#include "tests/lib/unit.h"

static void make(struct params *p, const char *kernel, int64_t a, int64_t b, int64_t c)
{
	params_init(p, kernel_find(kernel));
	p->dim[0] = a;
	p->dim[1] = b;
	p->dim[2] = c;
}

static void set(struct params *p, const char *name, int64_t v)
{
	const struct kernel_option *o = p->kernel->options;

	for (size_t i = 0; o[i].name; i++)
		if (strcmp(o[i].name, name) == 0)
			p->option[i] = v;
}

static void *start(const struct params *p)
{
	struct error err;
	void *state;

	ck_assert_int_eq(p->kernel->setup(p, &state, &err), OK);
	p->kernel->poison(state);
	p->kernel->run(state, 1);
	return state;
}

static void judge(const struct params *p, void *state, struct proof *proof)
{
	struct error err;

	proof_init(proof);
	ck_assert_int_eq(p->kernel->verify(state, proof, &err), OK);
	p->kernel->free(state);
}

/* On every CPU backend, instruction set and real or whole dtype of the kernel. */
static void proven_everywhere(struct params p, const char *claim)
{
	for (int d = 0; d < N_DTYPES; d++)
		for (int isa = ISA_SCALAR; isa < N_ISAS; isa++) {
			struct proof proof;
			bool has_claim = !claim;

			if (!(p.kernel->dtypes & DT_BIT(d)) || !isa_is_supported((enum isa)isa))
				continue;
			p.dtype = (enum dtype)d;
			p.backend = isa == ISA_SCALAR ? BACKEND_SCALAR : BACKEND_SIMD;
			p.isa = (enum isa)isa;
			judge(&p, start(&p), &proof);
			ck_assert_msg(proof.ok, "%s %s %s: %s", p.kernel->id,
				dtype_name(p.dtype), isa_name(p.isa),
				proof.ok ? "" : proof_failed(&proof)->name);
			for (size_t i = 0; claim && i < proof.n_invariants; i++)
				has_claim = has_claim || strstr(proof.invariant[i].name, claim);
			ck_assert(has_claim);
		}
}

START_TEST(stencils_shrink_a_sine_by_the_known_factor)
{
	struct params p;

	make(&p, "stencil2d.5pt", 37, 65, 1);
	set(&p, "field", 1);
	proven_everywhere(p, "sine mode");
	make(&p, "stencil3d.7pt", 9, 21, 33);
	set(&p, "field", 1);
	proven_everywhere(p, "sine mode");
	make(&p, "stencil3d.27pt", 9, 21, 33);
	set(&p, "field", 1);
	proven_everywhere(p, "sine mode");
}
END_TEST

START_TEST(stencils_keep_a_linear_field)
{
	struct params p;

	make(&p, "stencil2d.5pt", 3, 19, 1);
	set(&p, "field", 2);
	proven_everywhere(p, "linear");
	make(&p, "stencil3d.27pt", 3, 4, 70);
	set(&p, "field", 2);
	proven_everywhere(p, "linear");
}
END_TEST

START_TEST(stencils_raise_a_field_of_squares_by_the_same_everywhere)
{
	struct params p;

	make(&p, "stencil2d.5pt", 37, 65, 1);
	set(&p, "field", 3);
	proven_everywhere(p, "squares");
	make(&p, "stencil3d.7pt", 9, 21, 33);
	set(&p, "field", 3);
	proven_everywhere(p, "squares");
	make(&p, "stencil3d.27pt", 9, 21, 33);
	set(&p, "field", 3);
	proven_everywhere(p, "squares");
}
END_TEST

/* --- two bodies --------------------------------------------------------------------------- */

/* Two bodies of mass 1/2 a distance of 1 from each other, on the x axis, at rest. */
static struct nbody_state *start_pair(const struct params *p)
{
	struct nbody_state *s = start(p);

	for (int i = 0; i < 2; i++) {
		real_set(s->x, p->dtype, (size_t)i, i ? 0.5 : -0.5);
		real_set(s->y, p->dtype, (size_t)i, 0);
		real_set(s->z, p->dtype, (size_t)i, 0);
		real_set(s->m, p->dtype, (size_t)i, 0.5);
	}
	return s;
}

/* One period of a circular orbit in n leapfrog steps with the kernel's accelerations: how far
 * the first body ends from where it began. *ret_drift: largest change of the energy on the way.
 */
static double orbit(const struct params *p, int n, double *ret_drift)
{
	struct nbody_state *s = start_pair(p);
	double soft = 1 + NBODY_SOFTENING, omega = sqrt(1 / (soft * sqrt(soft)));
	double dt = 2 * M_PI / omega / n, x = -0.5, y = 0, u = 0, v = -0.5 * omega, e0 = 0;

	*ret_drift = 0;
	for (int k = 0; k <= n; k++) {
		double e;

		for (int i = 0; i < 2; i++) {
			real_set(s->x, p->dtype, (size_t)i, i ? -x : x);
			real_set(s->y, p->dtype, (size_t)i, i ? -y : y);
		}
		p->kernel->run(s, 1);
		if (k > 0) {
			u += dt / 2 * real_get(s->ax, p->dtype, 0);
			v += dt / 2 * real_get(s->ay, p->dtype, 0);
		}
		e = 0.5 * (u * u + v * v) - 0.25 / sqrt(4 * (x * x + y * y) + NBODY_SOFTENING);
		e0 = k == 0 ? e : e0;
		*ret_drift = fmax(*ret_drift, fabs(e - e0));
		if (k == n)
			break;
		u += dt / 2 * real_get(s->ax, p->dtype, 0);
		v += dt / 2 * real_get(s->ay, p->dtype, 0);
		x += dt * u;
		y += dt * v;
	}
	p->kernel->free(s);
	return hypot(x + 0.5, y);
}

START_TEST(two_bodies_come_back_after_their_period)
{
	for (int isa = ISA_SCALAR; isa < N_ISAS; isa++) {
		double drift, drift2, error, error2;
		struct params p;

		if (!isa_is_supported((enum isa)isa))
			continue;
		make(&p, "nbody", 2, 1, 1);
		p.dtype = DT_F64;
		p.isa = (enum isa)isa;
		p.backend = isa == ISA_SCALAR ? BACKEND_SCALAR : BACKEND_SIMD;
		error = orbit(&p, 200, &drift);
		error2 = orbit(&p, 400, &drift2);
		ck_assert_double_lt(error, 0.01);
		ck_assert_msg(fabs(log2(error / error2) - 2) < 0.05, "order %g",
			log2(error / error2));
		ck_assert_msg(log2(drift / drift2) > 1.9, "drift %g", log2(drift / drift2));
	}
}
END_TEST

START_TEST(whole_numbers_multiply_exactly)
{
	struct params p;

	make(&p, "gemm", 65, 50, 77);
	set(&p, "input", 1);
	set(&p, "alpha", -2);
	set(&p, "beta", 3);
	proven_everywhere(p, NULL);
	make(&p, "gemm", 1, 1, 1);
	proven_everywhere(p, NULL);
}
END_TEST

START_TEST(a_wrong_element_of_a_product_fails)
{
	struct proof proof;
	struct gemm_state *s;
	struct params p;

	make(&p, "gemm", 100, 100, 100);
	s = start(&p);
	((double *)s->out)[4321] += 1e-9;
	judge(&p, s, &proof);
	ck_assert(!proof.ok);
}
END_TEST

START_TEST(known_transforms_come_out)
{
	for (int64_t n = 64; n <= 4096; n *= 2)
		for (int input = FFT_RANDOM; input <= FFT_TONE; input++) {
			struct params p;

			make(&p, "fft.c2c", n, 3, 1);
			set(&p, "input", input);
			proven_everywhere(p, input == FFT_RANDOM ? "Parseval" : "known answer");
		}
}
END_TEST

START_TEST(a_short_transform_is_refused)
{
	struct params p;
	struct error err;

	make(&p, "fft.c2c", 32, 1, 1);
	ck_assert_int_eq(p.kernel->check(&p, &err), E_UNPROCESSABLE);
	ck_assert_str_eq(err.text, "32 points are out of range: 64 to 16777216");
}
END_TEST

START_TEST(sorting_is_stable_and_keeps_every_key)
{
	static const int64_t sizes[] = { 2, 3, 255, 257, 5000 };

	for (int what = 0; what < 2; what++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			struct params p;

			make(&p, "sort.radix", sizes[i], 1, 1);
			set(&p, "what", what);
			proven_everywhere(p, NULL);
		}
}
END_TEST

START_TEST(a_lost_key_and_a_swapped_pair_fail)
{
	struct proof proof;
	struct sort_state *s;
	struct params p;
	uint32_t *keys;

	make(&p, "sort.radix", 1000, 1, 1);
	s = start(&p);
	keys = s->out;
	keys[500] = keys[501];
	judge(&p, s, &proof);
	ck_assert(!proof.ok);
	ck_assert_ptr_nonnull(strstr(proof_failed(&proof)->name, "sum, xor"));

	set(&p, "what", 1);
	s = start(&p);
	s->out_values[3] = s->out_values[4];
	judge(&p, s, &proof);
	ck_assert_ptr_nonnull(strstr(proof_failed(&proof)->name, "values"));
}
END_TEST

START_TEST(every_matrix_times_a_vector_is_proven)
{
	for (int m = SPMV_27PT; m <= SPMV_POWER; m++)
		for (int values = 0; values < 2; values++) {
			struct params p;

			make(&p, "spmv.csr", 7, 1, 1);
			set(&p, "matrix", m);
			set(&p, "values", values);
			proven_everywhere(p, m == SPMV_POWER ? NULL : "inner rows");
		}
}
END_TEST

START_TEST(every_distribution_of_keys_is_counted)
{
	for (int keys = 0; keys < 3; keys++) {
		struct params p;

		make(&p, "histogram.256", 10007, 1, 1);
		set(&p, "keys", keys);
		proven_everywhere(p, "sum of all bins");
		make(&p, "histogram.4096", 10007, 1, 1);
		set(&p, "keys", keys);
		proven_everywhere(p, "sum of all bins");
	}
}
END_TEST

START_TEST(odd_sizes_are_proven)
{
	static const int64_t sizes[] = { 2, 7, 64, 16383, 16384, 16385, 40001 };
	static const char *const kernels[] = { "reduce.sum", "reduce.min", "reduce.argmax",
		"scan.incl", "scan.excl" };

	for (size_t k = 0; k < sizeof(kernels) / sizeof(kernels[0]); k++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			struct params p;

			make(&p, kernels[k], sizes[i], 1, 1);
			proven_everywhere(p, NULL);
		}
}
END_TEST

START_TEST(odd_shapes_are_transposed)
{
	static const int64_t shapes[][2] = { { 1, 1 }, { 1, 100 }, { 100, 1 }, { 63, 65 },
		{ 129, 64 } };

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct params p;

		make(&p, "transpose", shapes[i][0], shapes[i][1], 1);
		proven_everywhere(p, NULL);
	}
}
END_TEST

START_TEST(argmax_gives_the_first_of_equal_values)
{
	struct reduce_state *s;
	struct params p;

	make(&p, "reduce.argmax", 40000, 1, 1);
	s = start(&p);
	((double *)s->x)[17001] = ((double *)s->x)[39999] = 5;
	p.kernel->run(s, 1);
	ck_assert(s->result.value == 5);
	ck_assert_int_eq(s->result.index, 17001);
	p.kernel->free(s);
}
END_TEST

START_TEST(a_sum_that_may_overflow_is_refused)
{
	struct params p;
	struct error err;

	make(&p, "reduce.sum", 1LL << 28, 1, 1);
	p.dtype = DT_I32;
	ck_assert_int_eq(p.kernel->check(&p, &err), E_UNPROCESSABLE);
	ck_assert_ptr_nonnull(strstr(err.text, "may overflow"));
}
END_TEST

START_TEST(operands_of_f16_are_what_a_gpu_unpacks)
{
	static const struct {
		double v;
		uint16_t bits;
	} known[] = { { 0, 0 }, { 1, 0x3c00 }, { -2, 0xc000 }, { 0.5, 0x3800 },
		{ -0.333251953125, 0xb555 }, { 8, 0x4800 }, { 0x1p-14, 0x0400 } };
	struct params p;
	struct error err;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		ck_assert_uint_eq(gemm_pack_half(known[i].v), known[i].bits);
	make(&p, "gemm", 64, 64, 64);
	set(&p, "operands", 1);
	ck_assert_int_eq(p.kernel->check(&p, &err), E_UNPROCESSABLE);
	ck_assert_ptr_nonnull(strstr(err.text, "for sums in f32"));
}
END_TEST

SUITE("kernels_classic", stencils_shrink_a_sine_by_the_known_factor,
	stencils_raise_a_field_of_squares_by_the_same_everywhere,
	two_bodies_come_back_after_their_period, stencils_keep_a_linear_field,
	whole_numbers_multiply_exactly, a_wrong_element_of_a_product_fails,
	known_transforms_come_out, a_short_transform_is_refused,
	sorting_is_stable_and_keeps_every_key, a_lost_key_and_a_swapped_pair_fail,
	every_matrix_times_a_vector_is_proven, every_distribution_of_keys_is_counted,
	odd_sizes_are_proven, odd_shapes_are_transposed, argmax_gives_the_first_of_equal_values,
	a_sum_that_may_overflow_is_refused, operands_of_f16_are_what_a_gpu_unpacks)
