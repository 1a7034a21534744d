/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/nbody.h"

#include <math.h>
#include "base/cleanup.h"
#include "kernels/code.h"
#include "kernels/input.h"
#include "kernels/mem.h"
#include "kernels/proof.h"

CODE_TABLES(nbody);

static const struct named_size sizes[] = {
	{ "small", { 1024, 1, 1 } },
	{ "medium", { 8192, 1, 1 } },
	{ "large", { 65536, 1, 1 } },
	{ NULL, { 0 } },
};

/* 20 FLOP an interaction is the convention of GPU Gems 3, chapter 31. */
static void count(const struct params *p, struct counts *ret)
{
	double n = (double)p->dim[0], w = (double)dtype_bytes(p->dtype);

	ret->flops = 20 * n * n;
	ret->bytes = 7 * n * w;
	ret->write_allocate_bytes = 3 * n * w;
	ret->footprint_bytes = 7 * n * w;
	ret->work = ret->flops;
	ret->n_outputs = 3 * n;
}

static void free_state(void *state)
{
	struct nbody_state *s = state;

	if (!s)
		return;
	mem_free(s->x);
	mem_free(s->y);
	mem_free(s->z);
	mem_free(s->m);
	mem_free(s->ax);
	mem_free(s->ay);
	mem_free(s->az);
	free(s);
}
DEFINE_CLEANUP(struct nbody_state *, free_state)

static void poison(void *state)
{
	struct nbody_state *s = state;
	size_t bytes = (size_t)(s->padded * dtype_bytes(s->p->dtype));

	poison_fill(s->ax, bytes, POISON_WORD, s->p->threads);
	poison_fill(s->ay, bytes, POISON_WORD, s->p->threads);
	poison_fill(s->az, bytes, POISON_WORD, s->p->threads);
}

static int setup(const struct params *p, void **ret_state, struct error *err)
{
	_cleanup_(free_state)
	struct nbody_state *s = xcalloc(1, sizeof(*s));
	void **arrays[] = { &s->x, &s->y, &s->z, &s->m, &s->ax, &s->ay, &s->az };
	size_t n = (size_t)p->dim[0];
	int r = OK;

	*s = (struct nbody_state){ .p = p, .n = p->dim[0], .code = CODE_PICK(nbody, p) };
	s->padded = (s->n + NBODY_LANES - 1) / NBODY_LANES * NBODY_LANES;
	for (int i = 0; r == OK && i < 7; i++)
		r = mem_new(arrays[i], (size_t)(s->padded * dtype_bytes(p->dtype)), i, err);
	if (r != OK)
		return r;
	for (unsigned i = 0; i < 3; i++)
		input_fill(*arrays[i], p->dtype, n, input_key(p->seed, i), -1, 2, p->threads);
	input_fill(s->m, p->dtype, n, input_key(p->seed, 3), 0.5 / (double)n, 1 / (double)n,
		p->threads);
	poison(s);
	*ret_state = TAKE(s);
	return OK;
}

static void run(void *state, int64_t iterations)
{
	const struct nbody_state *s = state;

	for (int64_t it = 0; it < iterations; it++) {
#pragma omp parallel for num_threads(s->p->threads) schedule(static) if (s->p->threads > 1)
		for (int64_t i = 0; i < s->padded; i += NBODY_LANES)
			s->code->accelerate(s, i, i + NBODY_LANES);
	}
}

/* --- proof -------------------------------------------------------------------------------- */

struct body {
	double x, y, z, m;
};

static struct body body_of(const struct params *p, int64_t i)
{
	double v[4], n = (double)p->dim[0];

	for (unsigned k = 0; k < 3; k++)
		v[k] = input_real(p->dtype, input_key(p->seed, k), (uint64_t)i, -1, 2);
	v[3] = input_real(p->dtype, input_key(p->seed, 3), (uint64_t)i, 0.5 / n, 1 / n);
	return (struct body){ v[0], v[1], v[2], v[3] };
}

/* Squared error and squared length of the acceleration of body i. */
static void check_body(const struct nbody_state *s, const struct body *all, int64_t i,
	double *error, double *length)
{
	double ax = 0, ay = 0, az = 0, ex, ey, ez;

	for (int64_t j = 0; j < s->n; j++) {
		double dx = all[j].x - all[i].x, dy = all[j].y - all[i].y,
		       dz = all[j].z - all[i].z;
		double r2 = dx * dx + dy * dy + dz * dz + NBODY_SOFTENING;
		double f = all[j].m / (r2 * sqrt(r2));

		ax += dx * f;
		ay += dy * f;
		az += dz * f;
	}
	ex = real_get(s->ax, s->p->dtype, (size_t)i) - ax;
	ey = real_get(s->ay, s->p->dtype, (size_t)i) - ay;
	ez = real_get(s->az, s->p->dtype, (size_t)i) - az;
	*error += ex * ex + ey * ey + ez * ez;
	*length += ax * ax + ay * ay + az * az;
}

enum { CHECKED = 1024 }; /* bodies compared with f64, evenly spread; fewer if there are fewer */

/* Sum of all m a over the sum of their magnitudes: 0 by Newton's third law. */
static double momentum(const struct nbody_state *s, const struct body *all)
{
	double px = 0, py = 0, pz = 0, total = 0;

	for (int64_t i = 0; i < s->n; i++) {
		double ax = real_get(s->ax, s->p->dtype, (size_t)i);
		double ay = real_get(s->ay, s->p->dtype, (size_t)i);
		double az = real_get(s->az, s->p->dtype, (size_t)i);

		px += all[i].m * ax;
		py += all[i].m * ay;
		pz += all[i].m * az;
		total += all[i].m * sqrt(ax * ax + ay * ay + az * az);
	}
	return sqrt(px * px + py * py + pz * pz) / total;
}

/* Serial sums of n terms of either sign: their rounding grows like sqrt(n). */
static int verify(void *state, struct proof *ret, struct error *err)
{
	const struct nbody_state *s = state;
	struct body *all = xcalloc((size_t)s->n, sizeof(*all));
	double error = 0, length = 0, eps = dtype_eps(s->p->dtype), limit;
	int64_t n_checked = MIN(s->n, CHECKED);

	(void)err;
	for (int64_t i = 0; i < s->n; i++)
		all[i] = body_of(s->p, i);
	for (int64_t k = 0; k < n_checked; k++)
		check_body(s, all, k * s->n / n_checked, &error, &length);
	limit = 4 * eps * (8 + sqrt((double)s->n));
	proof_claim(ret, "relative L2 error of accelerations", sqrt(error / length), limit);
	proof_claim(ret, "abs(sum m a) / sum abs(m a)", momentum(s, all), 4 * limit);
	ret->n_outputs = 3 * s->n;
	proof_digest(ret, s->ax, (size_t)(s->n * dtype_bytes(s->p->dtype)));
	proof_digest(ret, s->ay, (size_t)(s->n * dtype_bytes(s->p->dtype)));
	proof_digest(ret, s->az, (size_t)(s->n * dtype_bytes(s->p->dtype)));
	free(all);
	return OK;
}

static const char *const names[] = { "gravity", NULL };

const struct kernel kernel_nbody = {
	.id = "nbody",
	.aliases = names,
	.title = "gravity of all pairs of bodies",
	.source = "GPU Gems 3, chapter 31; 20 FLOP an interaction by convention",
	.dtypes = DT_REALS,
	.default_dtype = DT_F32,
	.n_dims = 1,
	.dims = "bodies",
	.dim_min = 2,
	.dim_max = 1 << 24,
	.sizes = sizes,
	.work_unit = "FLOP",
	.rate_unit = "GFLOP/s",
	.rate_scale = 1e9,
	.count = count,
	.setup = setup,
	.run = run,
	.poison = poison,
	.verify = verify,
	.free = free_state,
};
