/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/spmv.h"

#include <math.h>
#include "base/cleanup.h"
#include "kernels/code.h"
#include "kernels/input.h"
#include "kernels/mem.h"
#include "kernels/proof.h"

CODE_TABLES(spmv);

static const struct named_size sizes[] = {
	{ "small", { 16, 1, 1 } },
	{ "medium", { 64, 1, 1 } },
	{ "large", { 128, 1, 1 } },
	{ NULL, { 0 } },
};

static const char *const matrix_names[] = { "27pt", "5pt", "power", NULL };
static const char *const value_names[] = { "laplacian", "integer", NULL };
static const struct kernel_option options[] = {
	{ "matrix", "27 points on a cube, 5 on a square, or rows of very different length",
		matrix_names, 0, 0, 0 },
	{ "values", "as they are, or x in whole numbers from -8 to 8, whose result is exact",
		value_names, 0, 0, 0 },
	{ NULL, NULL, NULL, 0, 0, 0 },
};

static int64_t edge_of(const struct params *p)
{
	int64_t e = p->dim[0];

	return params_option(p, "matrix") == SPMV_5PT ? (int64_t)sqrt((double)(e * e * e)) : e;
}

static int64_t rows_of(const struct params *p)
{
	int64_t e = edge_of(p);

	return params_option(p, "matrix") == SPMV_5PT ? e * e : e * e * e;
}

/* Length of row i of the power matrix: 256^u. */
static int power_length(const struct params *p, int64_t i)
{
	return (int)pow(256, input_uniform(input_key(p->seed, 1), (uint64_t)i));
}

static int64_t power_entries(const struct params *p)
{
	int64_t n = 0;

	for (int64_t i = 0; i < rows_of(p); i++)
		n += power_length(p, i);
	return n;
}

/* A grid has 3 neighbours along an inner line and 2 at its ends: (3 e - 2) of them a line. */
static double entries_of(const struct params *p)
{
	double e = (double)edge_of(p);

	switch ((enum spmv_matrix)params_option(p, "matrix")) {
	case SPMV_27PT:
		return pow(3 * e - 2, 3);
	case SPMV_5PT:
		return 5 * e * e - 4 * e;
	default:
		return (double)rows_of(p) * 255 / log(256); /* expected */
	}
}

static void count(const struct params *p, struct counts *ret)
{
	double n = (double)rows_of(p), w = (double)dtype_bytes(p->dtype), nnz = entries_of(p);

	if (params_option(p, "matrix") == SPMV_POWER && n < 1 << 24)
		nnz = (double)power_entries(p);
	ret->flops = 2 * nnz;
	ret->bytes = nnz * (w + 4) + 4 * (n + 1) + 2 * n * w;
	ret->write_allocate_bytes = n * w;
	ret->footprint_bytes = ret->bytes;
	ret->work = ret->flops;
	ret->n_outputs = n;
}

static int check(const struct params *p, struct error *err)
{
	if (entries_of(p) > 0x7f000000)
		return error_set_field(err, E_UNPROCESSABLE, "size",
			"a matrix of %.3g entries does not fit 32-bit row pointers",
			entries_of(p));
	return OK;
}

/* --- matrix ------------------------------------------------------------------------------- */

static void add_entry(struct spmv_state *s, int64_t column, double value)
{
	s->column[s->nnz] = (int32_t)column;
	real_set(s->value, s->p->dtype, (size_t)s->nnz++, value);
}

/* Neighbours of point (k, i, j) of the grid, in the order of their columns. */
static void add_grid_row(struct spmv_state *s, int64_t k, int64_t i, int64_t j)
{
	int64_t e = s->edge, deep = s->matrix == SPMV_27PT ? e : 1;

	for (int64_t dk = -1; dk <= 1; dk++)
		for (int64_t di = -1; di <= 1; di++)
			for (int64_t dj = -1; dj <= 1; dj++) {
				int64_t kk = k + dk, ii = i + di, jj = j + dj;
				bool is_self = dk == 0 && di == 0 && dj == 0;

				if (kk < 0 || kk >= deep || ii < 0 || ii >= e || jj < 0 ||
					jj >= e)
					continue;
				if (s->matrix == SPMV_5PT && di != 0 && dj != 0)
					continue;
				add_entry(s, (kk * e + ii) * e + jj,
					!is_self		 ? -1
					: s->matrix == SPMV_27PT ? 26
								 : 4);
			}
}

/* Entry k of a row of the power matrix: in slot k of `length` equal parts of the columns. */
static void add_power_row(struct spmv_state *s, int64_t i)
{
	uint64_t where = input_key(s->p->seed, 2), what = input_key(s->p->seed, 3);
	int length = power_length(s->p, i);

	for (int k = 0; k < length; k++) {
		uint64_t at = (uint64_t)(i * 256 + k);
		double slot = ((double)k + input_uniform(where, at)) / length;
		double v = params_option(s->p, "values") == 1
				   ? (double)(int64_t)(input_bits(what, at) % 17) - 8
				   : 2 * input_uniform(what, at) - 1;

		add_entry(s, MIN(s->n - 1, (int64_t)(slot * (double)s->n)), v);
	}
}

static void make_matrix(struct spmv_state *s)
{
	int64_t e = s->edge;

	for (int64_t r = 0; r < s->n; r++) {
		if (s->matrix == SPMV_POWER)
			add_power_row(s, r);
		else
			add_grid_row(s, r / (e * e), r / e % e, r % e);
		s->row[r + 1] = (int32_t)s->nnz;
		s->longest = MAX(s->longest, (int64_t)s->row[r + 1] - s->row[r]);
	}
}

/* Shares of about equal numbers of entries. */
static void cut_rows(struct spmv_state *s)
{
	int64_t r = 0;

	for (int t = 0; t <= s->p->threads; t++) {
		int64_t want = s->nnz * t / s->p->threads;

		while (r < s->n && s->row[r] < want)
			r++;
		s->cut[t] = t == s->p->threads ? (int32_t)s->n : (int32_t)r;
	}
}

/* --- set up, run -------------------------------------------------------------------------- */

static void free_state(void *state)
{
	struct spmv_state *s = state;

	if (!s)
		return;
	mem_free(s->row);
	mem_free(s->column);
	mem_free(s->value);
	mem_free(s->x);
	mem_free(s->y);
	free(s->cut);
	free(s);
}
DEFINE_CLEANUP(struct spmv_state *, free_state)

static void poison(void *state)
{
	struct spmv_state *s = state;

	poison_fill(
		s->y, (size_t)(s->n * dtype_bytes(s->p->dtype)), POISON_WORD, s->p->threads);
}

static double x_of(const struct params *p, int64_t i)
{
	uint64_t key = input_key(p->seed, 0);

	if (params_option(p, "values") == 1)
		return (double)(int64_t)(input_bits(key, (uint64_t)i) % 17) - 8;
	return input_real(p->dtype, key, (uint64_t)i, 1, 1);
}

static int setup(const struct params *p, void **ret_state, struct error *err)
{
	_cleanup_(free_state)
	struct spmv_state *s = xcalloc(1, sizeof(*s));
	bool is_power = params_option(p, "matrix") == SPMV_POWER;
	size_t w = (size_t)dtype_bytes(p->dtype), nnz;
	int r;

	*s = (struct spmv_state){ .p = p,
		.edge = edge_of(p),
		.n = rows_of(p),
		.matrix = (enum spmv_matrix)params_option(p, "matrix"),
		.code = CODE_PICK(spmv, p) };
	nnz = is_power ? (size_t)power_entries(p) : (size_t)entries_of(p);
	s->cut = xcalloc((size_t)p->threads + 1, sizeof(*s->cut));
	r = mem_new((void **)&s->row, ((size_t)s->n + 1) * 4, 0, err);
	if (r == OK)
		r = mem_new((void **)&s->column, nnz * 4, 1, err);
	if (r == OK)
		r = mem_new(&s->value, nnz * w, 2, err);
	if (r == OK)
		r = mem_new(&s->x, (size_t)s->n * w, 3, err);
	if (r == OK)
		r = mem_new(&s->y, (size_t)s->n * w, 4, err);
	if (r != OK)
		return r;
	make_matrix(s);
	cut_rows(s);
	for (int64_t i = 0; i < s->n; i++)
		real_set(s->x, p->dtype, (size_t)i, x_of(p, i));
	poison(s);
	*ret_state = TAKE(s);
	return OK;
}

static void run(void *state, int64_t iterations)
{
	const struct spmv_state *s = state;

	for (int64_t it = 0; it < iterations; it++) {
#pragma omp parallel for num_threads(s->p->threads) schedule(static, 1) if (s->p->threads > 1)
		for (int t = 0; t < s->p->threads; t++)
			s->code->rows(s, s->cut[t], s->cut[t + 1]);
	}
}

/* --- proof -------------------------------------------------------------------------------- */

/* Row i in f64: its value, and (length + 2) eps times its magnitudes. */
static void reference(const struct spmv_state *s, int64_t i, double *ret, double *ret_limit)
{
	double magnitude = 0;

	*ret = 0;
	for (int32_t k = s->row[i]; k < s->row[i + 1]; k++) {
		double v =
			real_get(s->value, s->p->dtype, (size_t)k) * x_of(s->p, s->column[k]);

		*ret += v;
		magnitude += fabs(v);
	}
	*ret_limit = (s->row[i + 1] - s->row[i] + 2) * dtype_eps(s->p->dtype) * magnitude;
	if (params_option(s->p, "values") == 1 && s->matrix != SPMV_POWER)
		*ret_limit = 0;
}

/* Rows of a grid whose neighbours are all there sum up to 0: their number is known. */
static double count_odd_rows(const struct spmv_state *s)
{
	int64_t full = s->matrix == SPMV_27PT ? 27 : 5, n_full = 0, e = MAX(s->edge - 2, 0);
	int64_t n_odd = 0;

	for (int64_t i = 0; i < s->n; i++) {
		double sum = 0;

		if (s->row[i + 1] - s->row[i] != full)
			continue;
		for (int32_t k = s->row[i]; k < s->row[i + 1]; k++)
			sum += real_get(s->value, s->p->dtype, (size_t)k);
		n_full++;
		n_odd += sum != 0;
	}
	return (double)n_odd +
	       fabs((double)n_full - (double)(s->matrix == SPMV_27PT ? e * e * e : e * e));
}

/* z'(A x) - x'(A z) for x backwards as z, over its tolerance: 0 for a matrix that is its own
 * transpose. */
static double asymmetry(const struct spmv_state *s)
{
	double difference = 0, magnitude = 0, longest = 0;

	for (int64_t i = 0; i < s->n; i++) {
		double az = 0, x = x_of(s->p, i), z = x_of(s->p, s->n - 1 - i);

		for (int32_t k = s->row[i]; k < s->row[i + 1]; k++) {
			double v = real_get(s->value, s->p->dtype, (size_t)k) *
				   x_of(s->p, s->n - 1 - s->column[k]);

			az += v;
			magnitude += fabs(x * v);
		}
		difference += z * real_get(s->y, s->p->dtype, (size_t)i) - x * az;
		longest = fmax(longest, s->row[i + 1] - s->row[i]);
	}
	return fabs(difference) / ((longest + 2) * dtype_eps(s->p->dtype) * magnitude);
}

static int verify(void *state, struct proof *ret, struct error *err)
{
	const struct spmv_state *s = state;
	double worst = 0;
	int64_t n_wrong = 0;

	(void)err;
	for (int64_t i = 0; i < s->n; i++) {
		double want, limit, e;

		reference(s, i, &want, &limit);
		e = fabs(real_get(s->y, s->p->dtype, (size_t)i) - want);
		n_wrong += !(e <= limit);
		if (limit > 0)
			worst = fmax(worst, e / limit);
	}
	proof_claim(ret, "rows out of tolerance", (double)n_wrong, 0);
	proof_claim(ret, "largest error / tolerance", worst, 1);
	if (s->matrix != SPMV_POWER)
		proof_claim(ret, "inner rows that do not sum up to 0", count_odd_rows(s), 0);
	if (s->matrix != SPMV_POWER)
		proof_claim(ret, "z'(A x) - x'(A z) / tolerance", asymmetry(s), 1);
	ret->n_outputs = s->n;
	proof_digest(ret, s->y, (size_t)(s->n * dtype_bytes(s->p->dtype)));
	return OK;
}

static const char *const names[] = { "spmv", NULL };

const struct kernel kernel_spmv_csr = {
	.id = "spmv.csr",
	.aliases = names,
	.title = "sparse matrix times vector, compressed rows",
	.source = "2 FLOP an entry; the 27-point matrix is that of HPCG",
	.dtypes = DT_REALS,
	.default_dtype = DT_F64,
	.n_dims = 1,
	.dims = "edge of the cube; its third power are the rows",
	.dim_min = 3,
	.dim_max = 1 << 10,
	.sizes = sizes,
	.options = options,
	.work_unit = "FLOP",
	.rate_unit = "GFLOP/s",
	.rate_scale = 1e9,
	.check = check,
	.count = count,
	.setup = setup,
	.run = run,
	.poison = poison,
	.verify = verify,
	.free = free_state,
};
