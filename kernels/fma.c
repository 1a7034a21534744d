/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/fma.h"

#include <math.h>
#include <string.h>
#include "base/cleanup.h"
#include "kernels/code.h"
#include "kernels/input.h"
#include "kernels/mem.h"
#include "kernels/proof.h"

CODE_TABLES(fma);

static const struct named_size sizes[] = {
	{ "small", { 4096, 1024, 1 } },
	{ "medium", { 65536, 4096, 1 } },
	{ "large", { 1048576, 4096, 1 } },
	{ NULL, { 0 } },
};

static void count(const struct params *p, struct counts *ret)
{
	double n = (double)p->dim[0], w = (double)dtype_bytes(p->dtype);

	ret->flops = 2 * n * (double)p->dim[1];
	ret->bytes = 2 * n * w;
	ret->write_allocate_bytes = n * w;
	ret->footprint_bytes = 2 * n * w;
	ret->work = ret->flops;
	ret->n_outputs = n;
}

static void free_state(void *state)
{
	struct fma_state *s = state;

	if (!s)
		return;
	mem_free(s->x);
	mem_free(s->out);
	free(s);
}
DEFINE_CLEANUP(struct fma_state *, free_state)

static int64_t n_blocks(const struct fma_state *s)
{
	return (s->n + FMA_BLOCK - 1) / FMA_BLOCK;
}

static size_t array_bytes(const struct fma_state *s)
{
	return (size_t)(n_blocks(s) * FMA_BLOCK * dtype_bytes(s->p->dtype));
}

static void poison(void *state)
{
	struct fma_state *s = state;

	poison_fill(s->out, array_bytes(s), POISON_WORD, s->p->threads);
}

static int setup(const struct params *p, void **ret_state, struct error *err)
{
	_cleanup_(free_state)
	struct fma_state *s = xcalloc(1, sizeof(*s));
	int r;

	s->p = p;
	s->n = p->dim[0];
	s->steps = p->dim[1];
	s->code = CODE_PICK(fma, p);
	r = mem_new(&s->x, array_bytes(s), 0, err);
	if (r == OK)
		r = mem_new(&s->out, array_bytes(s), 1, err);
	if (r != OK)
		return r;
	input_fill(s->x, p->dtype, (size_t)s->n, input_key(p->seed, 0), 1, 1, p->threads);
	poison(s);
	*ret_state = TAKE(s);
	return OK;
}

static void run_block(const struct fma_state *s, int64_t b)
{
	size_t at = (size_t)(b * FMA_BLOCK * dtype_bytes(s->p->dtype));

	s->code->block((char *)s->out + at, (char *)s->x + at, s->steps);
}

static void run(void *state, int64_t iterations)
{
	const struct fma_state *s = state;
	int64_t blocks = n_blocks(s);

	for (int64_t k = 0; k < iterations; k++) {
		if (s->p->threads == 1) {
			for (int64_t b = 0; b < blocks; b++)
				run_block(s, b);
			continue;
		}
#pragma omp parallel for num_threads(s->p->threads) schedule(static)
		for (int64_t b = 0; b < blocks; b++)
			run_block(s, b);
	}
}

/* Rounding errors of each step shrink by a like everything else: together at most
 * eps/2 x / (1 - a), half of it for steps below 1 / (1 - a) and doubled for unfused steps. */
static double limit(const struct fma_state *s)
{
	return 2 * dtype_eps(s->p->dtype) * fmin((double)s->steps, 4096);
}

static int verify(void *state, struct proof *ret, struct error *err)
{
	const struct fma_state *s = state;
	uint64_t key = input_key(s->p->seed, 0);
	double worst = 0, shrink = (double)powl(1 - 0x1p-12L, (long double)s->steps);
	int64_t n_bad = 0;

	(void)err;
#pragma omp parallel for num_threads(s->p->threads) schedule(static) reduction(max : worst) \
	reduction(+ : n_bad)
	for (int64_t i = 0; i < s->n; i++) {
		double x0 = input_real(s->p->dtype, key, (size_t)i, 1, 1);
		double want = 2 + (x0 - 2) * shrink;
		double e = fabs(real_get(s->out, s->p->dtype, (size_t)i) - want);

		worst = e > worst ? e : worst;
		n_bad += !(e <= limit(s));
	}
	proof_claim(ret, "elements away from 2 + (x0 - 2) a^n", (double)n_bad, 0);
	proof_claim(ret, "largest error", worst, limit(s));
	ret->n_outputs = s->n;
	proof_digest(ret, s->out, (size_t)(s->n * dtype_bytes(s->p->dtype)));
	return OK;
}

static const char *const names[] = { "fma", "peak", "mad_throughput", "maxflops",
	"single_precision_compute", "double_precision_compute", "compute_sp", "compute_dp",
	"fp32-scalar", "fp32-vec4", "fp64-scalar", NULL };

const struct kernel kernel_fma_peak = {
	.id = "fma_peak",
	.aliases = names,
	.title = "multiply-adds in registers: the processor's peak",
	.source = "2 FLOP per element and iteration",
	.dtypes = DT_REALS,
	.default_dtype = DT_F64,
	.n_dims = 2,
	.dims = "elements x iterations",
	.dims_fixed = 1u << 1,
	.dim_min = 1,
	.dim_max = 1LL << 30,
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
