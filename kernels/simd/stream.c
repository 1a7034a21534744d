/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stream.*, in vectors. */
#include "kernels/simd/simd.h"
#include "kernels/stream.h"

/* One loop for four operations: EXPR from vx (and vy). Nontemporal stores need an aligned
 * address, so a head of less than one vector goes first. */
#define STREAM_LOOP(name, EXPR)                                                                \
	static void name(                                                                      \
		void *out_, const void *x_, const void *y_, size_t n, bool nontemporal)        \
	{                                                                                      \
		real *restrict out = out_;                                                     \
		const real *restrict x = x_, *restrict y = y_;                                 \
		size_t i = 0, head = nontemporal ? v_head(out, n) : 0;                         \
		vec vx, vy = { 0 };                                                            \
                                                                                               \
		(void)y, (void)vy;                                                             \
		if (head) {                                                                    \
			vx = v_load_n(x, head);                                                \
			HEAD_Y(v_load_n(y, head));                                             \
			v_store_n(out, EXPR, head);                                            \
			i = head;                                                              \
		}                                                                              \
		if (nontemporal) {                                                             \
			for (; i + LANES <= n; i += LANES) {                                   \
				vx = v_load(x + i);                                            \
				HEAD_Y(v_load(y + i));                                         \
				v_stream(out + i, EXPR);                                       \
			}                                                                      \
			v_fence();                                                             \
		} else {                                                                       \
			for (; i + LANES <= n; i += LANES) {                                   \
				vx = v_load(x + i);                                            \
				HEAD_Y(v_load(y + i));                                         \
				v_store(out + i, EXPR);                                        \
			}                                                                      \
		}                                                                              \
		if (i < n) {                                                                   \
			vx = v_load_n(x + i, n - i);                                           \
			HEAD_Y(v_load_n(y + i, n - i));                                        \
			v_store_n(out + i, EXPR, n - i);                                       \
		}                                                                              \
	}

#define HEAD_Y(load)
STREAM_LOOP(copy, vx)
STREAM_LOOP(scale, (real)STREAM_SCALAR *vx)
#undef HEAD_Y
#define HEAD_Y(load) vy = (load)
STREAM_LOOP(add, vx + vy)
STREAM_LOOP(triad, v_fma(v_all((real)STREAM_SCALAR), vy, vx))

/* Eight vectors of sums hide the latency of the multiply-add. */
enum { CHAINS = 8 };

static void dot_block(void *ret_sum, const void *x_, const void *y_, size_t n)
{
	const real *x = x_, *y = y_;
	vec sum[CHAINS] = { { 0 } };
	size_t i = 0;
	real total = 0;

	for (; i + CHAINS * LANES <= n; i += CHAINS * LANES)
#pragma GCC unroll 8
		for (int c = 0; c < CHAINS; c++)
			sum[c] = v_fma(
				v_load(x + i + c * LANES), v_load(y + i + c * LANES), sum[c]);
	for (; i + LANES <= n; i += LANES)
		sum[0] = v_fma(v_load(x + i), v_load(y + i), sum[0]);
	if (i < n)
		sum[1] = v_fma(v_load_n(x + i, n - i), v_load_n(y + i, n - i), sum[1]);
	for (int half = CHAINS / 2; half; half /= 2)
		for (int c = 0; c < half; c++)
			sum[c] += sum[c + half];
	for (int l = 0; l < LANES; l++)
		total += sum[0][l];
	*(real *)ret_sum = total;
}

CODE_EXPORT(stream) = { { copy, scale, add, triad }, dot_block };
