/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transpose in squares of LANES x LANES, each log2(LANES) rounds of interleaving in registers.
 */
#include "kernels/simd/simd.h"
#include "kernels/transpose.h"

static void square(real *out, int64_t out_pitch, const real *in, int64_t in_pitch)
{
	vec a[LANES], b[LANES];

#pragma GCC unroll 16
	for (int i = 0; i < LANES; i++)
		a[i] = v_load(in + i * in_pitch);
#pragma GCC unroll 4
	for (int round = 1; round < LANES; round *= 2) {
#pragma GCC unroll 16
		for (int i = 0; i < LANES / 2; i++) {
			b[2 * i] = v_low(a[i], a[i + LANES / 2]);
			b[2 * i + 1] = v_high(a[i], a[i + LANES / 2]);
		}
#pragma GCC unroll 16
		for (int i = 0; i < LANES; i++)
			a[i] = b[i];
	}
#pragma GCC unroll 16
	for (int i = 0; i < LANES; i++)
		v_store(out + i * out_pitch, a[i]);
}

static void rest(
	real *out, int64_t out_pitch, const real *in, int64_t in_pitch, int64_t m, int64_t n)
{
	for (int64_t j = 0; j < n; j++)
		for (int64_t i = 0; i < m; i++)
			memcpy(&out[j * out_pitch + i], &in[i * in_pitch + j], sizeof(real));
}

static void block(
	void *out_, int64_t out_pitch, const void *in_, int64_t in_pitch, int64_t m, int64_t n)
{
	int64_t m0 = m / LANES * LANES, n0 = n / LANES * LANES;
	const real *in = in_;
	real *out = out_;

	for (int64_t j = 0; j < n0; j += LANES)
		for (int64_t i = 0; i < m0; i += LANES)
			square(out + j * out_pitch + i, out_pitch, in + i * in_pitch + j,
				in_pitch);
	rest(out + n0 * out_pitch, out_pitch, in + n0, in_pitch, m, n - n0);
	rest(out + m0, out_pitch, in + m0 * in_pitch, in_pitch, m - m0, n0);
}

CODE_EXPORT(transpose) = { block };
