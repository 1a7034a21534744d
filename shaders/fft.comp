#version 460
/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fft.c2c: transforms of N = 2^LOG points in shared memory, after Stockham: radix 4, a last step
 * of radix 2 where LOG is odd (Govindaraju et al. 2008). Several transforms share a workgroup
 * when N is small. Longer transforms take two dispatches, columns with a twiddle and then rows
 * (Bailey 1990, four steps): transform t = outer * inner + i reads element e at
 * outer * total + i * in_distance + e * in_stride, and writes likewise.
 * Buffers: 0 in, 1 out (interleaved complex), 2 roots exp(-2 pi i k / total), k < total / 2,
 * made in f64 on the CPU. Workgroup: N / 4 * TRANSFORMS x 1 x 1. Constants: 3 LOG >= 2,
 * 4 TRANSFORMS, 5 and 6: neighbours read, write the same element of neighbouring transforms (1)
 * or neighbouring elements (0). Shared: (N + 1) * TRANSFORMS complex numbers, N when
 * TRANSFORMS is 1. Loop turns: LOG + 8. CPU twin: kernels/scalar/fft.c. */
#include "common.glsl"

layout(constant_id = 3) const uint LOG = 10;
layout(constant_id = 4) const uint TRANSFORMS = 1;
layout(constant_id = 5) const uint READS_ACROSS = 0;
layout(constant_id = 6) const uint WRITES_ACROSS = 0;
layout(push_constant) uniform Push {
	uint count, inner, total, has_twiddle;
	uint in_stride, in_distance, out_stride, out_distance;
};
layout(binding = 0) readonly buffer In { COMPLEX x[]; };
layout(binding = 1) writeonly buffer Out { COMPLEX result[]; };
layout(binding = 2) readonly buffer Roots { COMPLEX root[]; };
const uint N = 1u << LOG, QUARTER = N / 4, HALF = N / 2;
const uint PITCH = TRANSFORMS > 1 ? N + 1 : N;
shared COMPLEX data[((1u << LOG) + 1) * TRANSFORMS - (TRANSFORMS > 1 ? 0 : 1)];

COMPLEX multiply(COMPLEX a, COMPLEX b)
{
	return COMPLEX(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

/* exp(-2 pi i k / total), k < total. */
COMPLEX root_of(uint k)
{
	uint half_total = total / 2;

	return k < half_total ? root[k] : -root[k - half_total];
}

/* Four points, the product of the radices so far being done; in place, between barriers. */
void radix4(uint base, uint j, uint done)
{
	uint k = j % done, to = base + (j / done) * done * 4 + k, step = total / (done * 4);
	COMPLEX a = data[base + j], b = data[base + j + QUARTER];
	COMPLEX c = data[base + j + HALF], d = data[base + j + HALF + QUARTER], s, t, u, v;

	if (k > 0) {
		b = multiply(b, root_of(k * step));
		c = multiply(c, root_of(2 * k * step));
		d = multiply(d, root_of(3 * k * step));
	}
	s = a + c;
	t = a - c;
	u = b + d;
	v = COMPLEX(b.y - d.y, d.x - b.x); /* -i (b - d) */
	barrier();
	data[to] = s + u;
	data[to + done] = t + v;
	data[to + 2 * done] = s - u;
	data[to + 3 * done] = t - v;
	barrier();
}

/* The last step, in place: two butterflies an invocation that no other one touches. */
void radix2(uint base, uint j)
{
	for (uint at = j; at < HALF; at += QUARTER) {
		COMPLEX a = data[base + at];
		COMPLEX b = multiply(data[base + at + HALF], root_of(at * (total / N)));

		data[base + at] = a + b;
		data[base + at + HALF] = a - b;
	}
	barrier();
}

/* Which transform of the workgroup and which element of it an invocation moves. */
void choose(uint across, out uint lane, out uint e)
{
	uint u = gl_LocalInvocationID.x;

	lane = across == 1 ? u % TRANSFORMS : u / QUARTER;
	e = across == 1 ? u / TRANSFORMS : u % QUARTER;
}

void read_all()
{
	uint lane, first, t, outer, i;

	choose(READS_ACROSS, lane, first);
	t = group_index() * TRANSFORMS + lane;
	outer = t / inner;
	i = t - outer * inner;
	for (uint e = first; e < N; e += QUARTER)
		data[lane * PITCH + e] =
			t < count ? x[outer * total + i * in_distance + e * in_stride]
				  : COMPLEX(0);
}

void write_all()
{
	uint lane, first, t, outer, i;

	choose(WRITES_ACROSS, lane, first);
	t = group_index() * TRANSFORMS + lane;
	outer = t / inner;
	i = t - outer * inner;
	if (t >= count)
		return;
	for (uint e = first; e < N; e += QUARTER) {
		COMPLEX v = data[lane * PITCH + e];

		if (has_twiddle != 0)
			v = multiply(v, root_of(i * e));
		result[outer * total + i * out_distance + e * out_stride] = v;
	}
}

void main()
{
	uint base = gl_LocalInvocationID.x / QUARTER * PITCH;
	uint j = gl_LocalInvocationID.x % QUARTER, done = 1;

	read_all();
	barrier();
	for (uint step = 0; step < LOG / 2; step++, done *= 4)
		radix4(base, j, done);
	if (LOG % 2 == 1)
		radix2(base, j);
	write_all();
}
