/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nbody: two vectors of bodies at a time, every other body broadcast to them. */
#include "kernels/nbody.h"
#include "kernels/simd/math.h"

#define ALWAYS static inline __attribute__((always_inline))

struct bodies {
	vec x, y, z, ax, ay, az;
};

ALWAYS void attract(struct bodies *b, real x, real y, real z, real m)
{
	vec dx = x - b->x, dy = y - b->y, dz = z - b->z;
	vec r2 = v_fma(dx, dx, v_fma(dy, dy, v_fma(dz, dz, v_all((real)NBODY_SOFTENING))));
	vec inv = v_rsqrt(r2), f = m * inv * (inv * inv);

	b->ax = v_fma(dx, f, b->ax);
	b->ay = v_fma(dy, f, b->ay);
	b->az = v_fma(dz, f, b->az);
}

ALWAYS struct bodies load(const struct nbody_state *s, int64_t i)
{
	return (struct bodies){ .x = v_load((const real *)s->x + i),
		.y = v_load((const real *)s->y + i),
		.z = v_load((const real *)s->z + i) };
}

ALWAYS void store(const struct nbody_state *s, int64_t i, const struct bodies *b)
{
	v_store((real *)s->ax + i, b->ax);
	v_store((real *)s->ay + i, b->ay);
	v_store((real *)s->az + i, b->az);
}

static void accelerate(const struct nbody_state *s, int64_t lo, int64_t hi)
{
	const real *x = s->x, *y = s->y, *z = s->z, *m = s->m;

	for (int64_t i = lo; i < hi; i += 2 * LANES) {
		struct bodies a = load(s, i), b = load(s, i + LANES);

		for (int64_t j = 0; j < s->n; j++) {
			attract(&a, x[j], y[j], z[j], m[j]);
			attract(&b, x[j], y[j], z[j], m[j]);
		}
		store(s, i, &a);
		store(s, i + LANES, &b);
	}
}

_Static_assert(NBODY_LANES % (2 * LANES) == 0, "two vectors divide a unit");

CODE_EXPORT(nbody) = { accelerate };
