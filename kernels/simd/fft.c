/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fft.c2c in vectors: Stockham's radix-4 passes (a last one of radix 2 for odd powers) on real
 * and imaginary parts apart. In pass k with stride s = 4^k, the four inputs of position i are
 * i + 0, 1, 2, 3 quarters: contiguous for every stride. Results of short strides (1 and 4) are
 * interleaved or stored in pieces. The first pass reads, the last one writes interleaved. */
#include "kernels/fft.h"
#include "kernels/simd/simd.h"

#define ALWAYS static inline __attribute__((always_inline))

struct cvec {
	vec re, im;
};

/* One side of a pass: parts apart (im != NULL) or interleaved. */
struct side {
	real *re, *im;
};

ALWAYS struct cvec c_load(struct side x, int64_t i, bool interleaved)
{
	if (interleaved) {
		vec a = v_load(x.re + 2 * i), b = v_load(x.re + 2 * i + LANES);

		return (struct cvec){ v_even(a, b), v_odd(a, b) };
	}
	return (struct cvec){ v_load(x.re + i), v_load(x.im + i) };
}

ALWAYS void c_store(struct side y, int64_t i, struct cvec v, bool interleaved)
{
	if (interleaved) {
		v_store(y.re + 2 * i, v_low(v.re, v.im));
		v_store(y.re + 2 * i + LANES, v_high(v.re, v.im));
	} else {
		v_store(y.re + i, v.re);
		v_store(y.im + i, v.im);
	}
}

ALWAYS struct cvec c_add(struct cvec a, struct cvec b)
{
	return (struct cvec){ a.re + b.re, a.im + b.im };
}
ALWAYS struct cvec c_sub(struct cvec a, struct cvec b)
{
	return (struct cvec){ a.re - b.re, a.im - b.im };
}
ALWAYS struct cvec c_mul(struct cvec a, vec re, vec im)
{
	return (struct cvec){ v_fma(a.re, re, -(a.im * im)), v_fma(a.re, im, a.im * re) };
}

/* Twiddles at entry t of tables of length `pitch`: loaded or one for all lanes. */
ALWAYS struct cvec c_twist(
	struct cvec v, const real *w, int64_t pitch, int k, int64_t t, bool for_all)
{
	const real *re = w + (2 * k - 2) * pitch + t, *im = re + pitch;

	return for_all ? c_mul(v, v_all(*re), v_all(*im)) : c_mul(v, v_load(re), v_load(im));
}

/* The butterfly of radix 4 without twiddles. */
ALWAYS void combine(
	struct cvec y[4], struct cvec a, struct cvec b, struct cvec c, struct cvec d)
{
	struct cvec ac = c_add(a, c), bd = c_add(b, d), e = c_sub(a, c), f = c_sub(b, d);

	y[0] = c_add(ac, bd);
	y[1] = (struct cvec){ e.re + f.im, e.im - f.re };
	y[2] = c_sub(ac, bd);
	y[3] = (struct cvec){ e.re - f.im, e.im + f.re };
}

ALWAYS void butterfly(struct cvec y[4], struct side x, int64_t i, int64_t quarter, bool in)
{
	combine(y, c_load(x, i, in), c_load(x, i + quarter, in), c_load(x, i + 2 * quarter, in),
		c_load(x, i + 3 * quarter, in));
}

/* Four vectors as quadruples: lane l of y[0..3] side by side. */
ALWAYS void store_quads(real *out, vec a, vec b, vec c, vec d)
{
	vec ac0 = v_low(a, c), ac1 = v_high(a, c), bd0 = v_low(b, d), bd1 = v_high(b, d);

	v_store(out, v_low(ac0, bd0));
	v_store(out + LANES, v_high(ac0, bd0));
	v_store(out + 2 * LANES, v_low(ac1, bd1));
	v_store(out + 3 * LANES, v_high(ac1, bd1));
}

/* Stride 1: reads interleaved input, or parts. */
static void pass1(const struct fft_plan *plan, struct side y, struct side x)
{
	int64_t quarter = plan->n / 4;
	const real *w = plan->twiddle[0];

	for (int64_t i = 0; i < quarter; i += LANES) {
		struct cvec v[4];

		butterfly(v, x, i, quarter, true);
#pragma GCC unroll 4
		for (int k = 1; k < 4; k++)
			v[k] = c_twist(v[k], w, quarter, k, i, false);
		store_quads(y.re + 4 * i, v[0].re, v[1].re, v[2].re, v[3].re);
		store_quads(y.im + 4 * i, v[0].im, v[1].im, v[2].im, v[3].im);
	}
}

/* Groups of 4 lanes of v to out, 16 elements apart. */
#if VEC_BYTES / (CODE_BITS / 8) >= 4
typedef real four
	__attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)), may_alias));
#define PUT_FOUR(g)                                                                            \
	*(four *)(out + 16 * (g)) = (four)__builtin_shufflevector(                             \
		v, v, 4 * (g), 4 * (g) + 1, 4 * (g) + 2, 4 * (g) + 3)
#endif
ALWAYS void store_fours(real *out, vec v)
{
#if VEC_BYTES / (CODE_BITS / 8) == 16
	PUT_FOUR(0);
	PUT_FOUR(1);
	PUT_FOUR(2);
	PUT_FOUR(3);
#elif VEC_BYTES / (CODE_BITS / 8) == 8
	PUT_FOUR(0);
	PUT_FOUR(1);
#else
	v_store(out, v); /* a group or, in steps of the caller, a part of one */
#endif
}

/* Stride 4. */
static void pass4(const struct fft_plan *plan, struct side y, struct side x)
{
	int64_t quarter = plan->n / 4;
	const real *w = plan->twiddle[1];

	for (int64_t i = 0; i < quarter; i += LANES) {
		int64_t at = i / 4 * 16 + i % 4;
		struct cvec v[4];

		butterfly(v, x, i, quarter, false);
#pragma GCC unroll 4
		for (int k = 1; k < 4; k++)
			v[k] = c_twist(v[k], w, quarter, k, i, false);
#pragma GCC unroll 4
		for (int k = 0; k < 4; k++) {
			store_fours(y.re + at + 4 * k, v[k].re);
			store_fours(y.im + at + 4 * k, v[k].im);
		}
	}
}

/* Stride of LANES or more: one twiddle for a whole group. */
ALWAYS void pass_long(const struct fft_plan *plan, int number, int64_t s, struct side y,
	struct side x, bool is_last)
{
	int64_t quarter = plan->n / 4, m = quarter / s;
	const real *w = plan->twiddle[number];

	for (int64_t p = 0; p < m; p++)
		for (int64_t q = 0; q < s; q += LANES) {
			struct cvec v[4];

			butterfly(v, x, p * s + q, quarter, false);
			if (m > 1)
#pragma GCC unroll 4
				for (int k = 1; k < 4; k++)
					v[k] = c_twist(v[k], w, m, k, p, true);
#pragma GCC unroll 4
			for (int k = 0; k < 4; k++)
				c_store(y, 4 * s * p + s * k + q, v[k], is_last);
		}
}

static void pass_middle(
	const struct fft_plan *plan, int number, int64_t s, struct side y, struct side x)
{
	pass_long(plan, number, s, y, x, false);
}

/* Two passes in one reading and writing: four butterflies of pass `number` that feed four of
 * the next. For transforms that leave the L1 cache. */
static void pass_pair(
	const struct fft_plan *plan, int number, int64_t s, struct side y, struct side x)
{
	int64_t quarter = plan->n / 4, m = quarter / s, m4 = m / 4;
	const real *w = plan->twiddle[number], *w4 = plan->twiddle[number + 1];

	for (int64_t p = 0; p < m4; p++)
		for (int64_t q = 0; q < s; q += LANES) {
			struct cvec v[4][4], u[4];

#pragma GCC unroll 4
			for (int j = 0; j < 4; j++) {
				butterfly(v[j], x, (p + j * m4) * s + q, quarter, false);
#pragma GCC unroll 4
				for (int k = 1; k < 4; k++)
					v[j][k] = c_twist(v[j][k], w, m, k, p + j * m4, true);
			}
#pragma GCC unroll 4
			for (int k = 0; k < 4; k++) {
				combine(u, v[0][k], v[1][k], v[2][k], v[3][k]);
#pragma GCC unroll 4
				for (int l = 1; l < 4; l++)
					u[l] = c_twist(u[l], w4, m4, l, p, true);
#pragma GCC unroll 4
				for (int l = 0; l < 4; l++)
					c_store(y, q + s * (k + 4 * (4 * p + l)), u[l], false);
			}
		}
}

static void pass_last4(
	const struct fft_plan *plan, int number, int64_t s, struct side y, struct side x)
{
	pass_long(plan, number, s, y, x, true);
}

/* The last pass of radix 2. */
static void pass_last2(const struct fft_plan *plan, struct side y, struct side x)
{
	int64_t half = plan->n / 2;

	for (int64_t q = 0; q < half; q += LANES) {
		struct cvec a = c_load(x, q, false), b = c_load(x, q + half, false);

		c_store(y, q, c_add(a, b), true);
		c_store(y, q + half, c_sub(a, b), true);
	}
}

/* Points from which passes are paired: the arrays fill an L1 cache and more. */
enum { PAIR_FROM = 1 << 12 };

static void transform(const struct fft_plan *plan, void *out, const void *in, void *work)
{
	int64_t pitch = plan->n + FFT_PAD, s = 16;
	real *w = work;
	struct side a = { w, w + pitch }, b = { w + 2 * pitch, w + 3 * pitch };
	struct side from = { (real *)in, NULL }, to = { out, NULL };
	bool has_two = (int64_t)1 << 2 * plan->n_passes != plan->n;
	int k = 2, n_middle = plan->n_passes - !has_two;

	pass1(plan, a, from);
	pass4(plan, b, a);
	from = b;
	while (k < n_middle) {
		struct side next = from.re == a.re ? b : a;
		bool is_pair = plan->n >= PAIR_FROM && k + 1 < n_middle;

		if (is_pair)
			pass_pair(plan, k, s, next, from);
		else
			pass_middle(plan, k, s, next, from);
		k += 1 + is_pair;
		s *= is_pair ? 16 : 4;
		from = next;
	}
	if (has_two)
		pass_last2(plan, to, from);
	else
		pass_last4(plan, k, s, to, from);
}

CODE_EXPORT(fft) = { transform };
