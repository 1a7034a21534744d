/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What regrid.* proves beyond one regridding: --mode convergence runs the same at half the size
 * and takes the order log2(e(n/2) / e(n)); --mode roundtrip goes back to the source grid and
 * compares with where it came from. Both on the CPU, once, when the output is verified. */
#include "kernels/regrid.h"

#include <math.h>
#include <string.h>
#include "base/cleanup.h"
#include "kernels/input.h"
#include "kernels/proof.h"

enum { ROUND_SAMPLES = 100 }; /* rows from which f1 shows the order of a method */

/* The parameters of a second regridding; options are set by name. */
static void set_option(struct params *q, const char *name, int64_t v)
{
	for (size_t i = 0; q->kernel->options[i].name; i++)
		if (strcmp(q->kernel->options[i].name, name) == 0)
			q->option[i] = v;
}

static struct params second_of(const struct regrid_state *s)
{
	struct params q = *s->p;

	if (q.backend == BACKEND_VULKAN) {
		q.backend = BACKEND_SIMD;
		q.threads = 1;
	}
	set_option(&q, "mode", REGRID_ONCE);
	return q;
}

/* --- order of convergence ----------------------------------------------------------------- */

static double order_expected(enum regrid_method m)
{
	return m == REGRID_NEAREST ? 1 : m == REGRID_BILINEAR ? 2 : 1.5;
}

static int prove_order(const struct regrid_state *s, struct proof *ret, struct error *err)
{
	struct params q = second_of(s);
	struct proof coarse;
	void *state;
	double order;
	int r;

	q.dim[0] /= 2;
	q.dim[1] /= 2;
	set_option(&q, "target-rows", params_option(s->p, "target-rows") / 2);
	set_option(&q, "target-columns", params_option(s->p, "target-columns") / 2);
	r = q.kernel->setup(&q, &state, err);
	if (r != OK)
		return r;
	q.kernel->run(state, 1);
	proof_init(&coarse);
	r = q.kernel->verify(state, &coarse, err);
	q.kernel->free(state);
	if (r != OK)
		return r;
	order = log2(coarse.accuracy.rmse / ret->accuracy.rmse);
	ret->accuracy.order = order;
	proof_claim(ret, "the coarser regridding is wrong", !coarse.ok, 0);
	/* Where f1 is resolved and rounding does not show. */
	if (params_option(s->p, "field") == 0 && s->h >= ROUND_SAMPLES &&
		ret->accuracy.rmse > 100 * dtype_eps(s->p->dtype))
		proof_claim(ret, "distance from the order of the method",
			fabs(order - order_expected(s->method)),
			s->method == REGRID_CONSERVATIVE ? 0.15 : 0.05);
	return OK;
}

/* --- there and back ----------------------------------------------------------------------- */

/* What may be left of f1: a step of the coarser grid, or its square; nothing where each source
 * cell is cut into whole ones and put together again. */
static double roundtrip_limit(const struct regrid_state *s)
{
	double step = M_PI / (double)MIN(s->h, s->th), eps = dtype_eps(s->p->dtype);

	if (s->method == REGRID_BILINEAR)
		return 2 * step * step + 64 * eps;
	if (s->th % s->h == 0 && s->tw % s->w == 0 && s->grid == REGRID_CELL)
		return s->method == REGRID_NEAREST ? 0 : 64 * eps;
	return 1.5 * step;
}

static void compare_with_source(
	const struct regrid_state *s, const struct regrid_state *back, struct proof *ret)
{
	struct errors e;
	size_t n = (size_t)(s->levels * s->h * s->w);
	enum dtype d = s->p->dtype;

	errors_init(&e);
	for (size_t i = 0; i < n; i++)
		errors_add(&e, real_get(back->dst, d, i), real_get(s->src, d, i));
	errors_finish(&e, &ret->accuracy);
	proof_claim(ret, "values lost on the way back", (double)(e.n_total - e.n_valid), 0);
	if (params_option(s->p, "field") == 0)
		proof_claim(ret, "rmse there and back", ret->accuracy.rmse,
			roundtrip_limit(s) * (1 + (double)(s->levels - 1) / 8));
}

static int prove_roundtrip(const struct regrid_state *s, struct proof *ret, struct error *err)
{
	struct params q = second_of(s);
	struct regrid_state *back;
	void *state;
	int r;

	q.dim[0] = s->th;
	q.dim[1] = s->tw;
	set_option(&q, "target-rows", s->h);
	set_option(&q, "target-columns", s->w);
	r = q.kernel->setup(&q, &state, err);
	if (r != OK)
		return r;
	back = state;
	memcpy(back->src, s->dst,
		(size_t)(s->levels * s->th * s->tw * dtype_bytes(s->p->dtype)));
	q.kernel->run(back, 1);
	compare_with_source(s, back, ret);
	q.kernel->free(back);
	return OK;
}

int regrid_prove_mode(const struct regrid_state *s, struct proof *ret, struct error *err)
{
	switch ((enum regrid_mode)params_option(s->p, "mode")) {
	case REGRID_CONVERGENCE:
		return prove_order(s, ret, err);
	case REGRID_ROUNDTRIP:
		return prove_roundtrip(s, ret, err);
	default:
		return OK;
	}
}
