/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/transpose.h"

#include "base/cleanup.h"
#include "kernels/code.h"
#include "kernels/input.h"
#include "kernels/mem.h"
#include "kernels/proof.h"

CODE_TABLES(transpose);

static const struct named_size sizes[] = {
	{ "small", { 512, 512, 1 } },
	{ "medium", { 2048, 2048, 1 } },
	{ "large", { 16384, 16384, 1 } },
	{ NULL, { 0 } },
};

static void count(const struct params *p, struct counts *ret)
{
	double n = (double)p->dim[0] * (double)p->dim[1], w = (double)dtype_bytes(p->dtype);

	ret->flops = 0;
	ret->bytes = 2 * n * w;
	ret->write_allocate_bytes = n * w;
	ret->footprint_bytes = 2 * n * w;
	ret->work = ret->bytes;
	ret->n_outputs = n;
}

static void free_state(void *state)
{
	struct transpose_state *s = state;

	if (!s)
		return;
	mem_free(s->in);
	mem_free(s->out);
	free(s);
}
DEFINE_CLEANUP(struct transpose_state *, free_state)

static size_t array_bytes(const struct transpose_state *s)
{
	return (size_t)(s->rows * s->columns * dtype_bytes(s->p->dtype));
}

static void poison(void *state)
{
	struct transpose_state *s = state;

	poison_fill(s->out, array_bytes(s), POISON_WORD, s->p->threads);
}

static int setup(const struct params *p, void **ret_state, struct error *err)
{
	_cleanup_(free_state)
	struct transpose_state *s = xcalloc(1, sizeof(*s));
	int r;

	*s = (struct transpose_state){
		.p = p, .rows = p->dim[0], .columns = p->dim[1], .code = CODE_PICK(transpose, p)
	};
	r = mem_new(&s->in, array_bytes(s), 0, err);
	if (r == OK)
		r = mem_new(&s->out, array_bytes(s), 1, err);
	if (r != OK)
		return r;
	input_fill(s->in, p->dtype, (size_t)(s->rows * s->columns), input_key(p->seed, 0), 1, 1,
		p->threads);
	poison(s);
	*ret_state = TAKE(s);
	return OK;
}

/* Blocks of 64 x 64: both sides fit the L1 cache and few pages. */
enum { BLOCK = 64 };

static void run_stripe(const struct transpose_state *s, int64_t j)
{
	int64_t w = dtype_bytes(s->p->dtype), n = MIN(BLOCK, s->columns - j);

	for (int64_t i = 0; i < s->rows; i += BLOCK)
		s->code->block((char *)s->out + (j * s->rows + i) * w, s->rows,
			(char *)s->in + (i * s->columns + j) * w, s->columns,
			MIN(BLOCK, s->rows - i), n);
}

static void run(void *state, int64_t iterations)
{
	const struct transpose_state *s = state;

	for (int64_t it = 0; it < iterations; it++) {
#pragma omp parallel for num_threads(s->p->threads) schedule(static) if (s->p->threads > 1)
		for (int64_t j = 0; j < s->columns; j += BLOCK)
			run_stripe(s, j);
	}
}

/* Bit by bit: out[j][i] is the element number i columns + j of the input. */
static int verify(void *state, struct proof *ret, struct error *err)
{
	const struct transpose_state *s = state;
	uint64_t key = input_key(s->p->seed, 0);
	int64_t n_wrong = 0;

	(void)err;
#pragma omp parallel for num_threads(s->p->threads) reduction(+ : n_wrong) if (s->p->threads > 1)
	for (int64_t j = 0; j < s->columns; j++)
		for (int64_t i = 0; i < s->rows; i++) {
			double got = real_get(s->out, s->p->dtype, (size_t)(j * s->rows + i));
			double want = input_real(
				s->p->dtype, key, (uint64_t)(i * s->columns + j), 1, 1);

			n_wrong += got != want;
		}
	proof_claim(ret, "elements at a wrong place", (double)n_wrong, 0);
	ret->n_outputs = s->rows * s->columns;
	proof_digest(ret, s->out, array_bytes(s));
	return OK;
}

const struct kernel kernel_transpose = {
	.id = "transpose",
	.title = "matrix transpose, out of place",
	.source = "each element read once and written once",
	.dtypes = DT_REALS,
	.default_dtype = DT_F64,
	.n_dims = 2,
	.dims = "rows x columns",
	.dims_repeat = true,
	.dim_min = 1,
	.dim_max = 1 << 20,
	.sizes = sizes,
	.work_unit = "B",
	.rate_unit = "GB/s",
	.rate_scale = 1e9,
	.count = count,
	.setup = setup,
	.run = run,
	.poison = poison,
	.verify = verify,
	.free = free_state,
};
