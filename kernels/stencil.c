/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/stencil.h"

#include <math.h>
#include <string.h>
#include "base/cleanup.h"
#include "kernels/code.h"
#include "kernels/host.h"
#include "kernels/input.h"
#include "kernels/mem.h"
#include "kernels/omp.h"
#include "kernels/proof.h"

CODE_TABLES(stencil);

static const struct named_size sizes2[] = {
	{ "small", { 256, 256, 1 } },
	{ "medium", { 2048, 2048, 1 } },
	{ "large", { 8192, 8192, 1 } },
	{ NULL, { 0 } },
};
static const struct named_size sizes3[] = {
	{ "small", { 64, 64, 64 } },
	{ "medium", { 160, 160, 160 } },
	{ "large", { 512, 512, 512 } },
	{ NULL, { 0 } },
};

/* sine: the lowest mode of the grid, which a step shrinks by a known factor. linear: kept.
 * square: i^2 + j^2 (+ k^2), whose Laplacian is 4 (6), grows by the same everywhere. */
enum field { RANDOM, SINE, LINEAR, SQUARE };
static const char *const field_names_[] = { "random", "sine", "linear", "square", NULL };
static const double square_unit = 0x1p-12; /* of the field square: exact, and small numbers */
static const struct kernel_option options[] = {
	{ "field", "random, or one whose answer is known: sine mode, linear, square",
		field_names_, 0, 0, 0 },
	{ NULL, NULL, NULL, 0, 0, 0 },
};

static enum stencil_shape shape_of(const struct params *p);

static void count(const struct params *p, struct counts *ret)
{
	static const double per_point[] = { 6, 8, 30 };
	double n = (double)params_elements(p), w = (double)dtype_bytes(p->dtype), inner = 1;

	for (int i = 0; i < p->kernel->n_dims; i++)
		inner *= (double)MAX(p->dim[i] - 2, 0);
	ret->flops = per_point[shape_of(p)] * inner;
	ret->bytes = 2 * n * w;
	ret->write_allocate_bytes = n * w;
	ret->footprint_bytes = 2 * n * w;
	ret->work = n;
	ret->n_outputs = n;
}

/* --- input -------------------------------------------------------------------------------- */

static double sine_factor(int64_t i, int64_t n)
{
	return n == 1 ? 1 : sin(M_PI * (double)i / (double)(n - 1));
}

/* Value of a point before rounding to the dtype. */
static double value(
	const struct stencil_state *s, uint64_t key, int64_t k, int64_t i, int64_t j)
{
	switch ((enum field)params_option(s->p, "field")) {
	case SINE:
		return sine_factor(k, s->depth) * sine_factor(i, s->height) *
		       sine_factor(j, s->width);
	case LINEAR:
		return 1 + 0.25 * (double)k + 0.5 * (double)i + 0.125 * (double)j;
	case SQUARE:
		return square_unit * (double)(k * k + i * i + j * j);
	default:
		return input_uniform(key, (uint64_t)((k * s->height + i) * s->width + j));
	}
}

static void fill(struct stencil_state *s)
{
	uint64_t key = input_key(s->p->seed, 0);

#pragma omp parallel for num_threads(s->p->threads) schedule(static)
	for (int64_t r = 0; r < s->depth * s->height; r++)
		for (int64_t j = 0; j < s->width; j++)
			real_set(s->in, s->p->dtype, (size_t)(r * s->width + j),
				value(s, key, r / s->height, r % s->height, j));
}

/* --- set up ------------------------------------------------------------------------------- */

static void free_state(void *state)
{
	struct stencil_state *s = state;

	if (!s)
		return;
	mem_free(s->in);
	mem_free(s->out);
	mem_free(s->sums);
	free(s);
}
DEFINE_CLEANUP(struct stencil_state *, free_state)

static size_t array_bytes(const struct stencil_state *s)
{
	return (size_t)(s->depth * s->height * s->width * dtype_bytes(s->p->dtype));
}

static void poison(void *state)
{
	struct stencil_state *s = state;

	poison_fill(s->out, array_bytes(s), POISON_WORD, s->p->threads);
}

/* Three planes of a tile, and what leaves, fit half of L2. */
static int64_t tile_rows(const struct stencil_state *s)
{
	int64_t row = s->width * dtype_bytes(s->p->dtype);

	if (s->shape == STENCIL_5PT)
		return 1;
	return MAX(4, MIN(s->height, host_get()->l2_bytes / 2 / (4 * row) - 2));
}

static int setup(const struct params *p, void **ret_state, struct error *err)
{
	_cleanup_(free_state)
	struct stencil_state *s = xcalloc(1, sizeof(*s));
	bool is_3d = shape_of(p) != STENCIL_5PT;
	int r;

	*s = (struct stencil_state){ .p = p,
		.shape = shape_of(p),
		.code = CODE_PICK(stencil, p),
		.depth = is_3d ? p->dim[0] : 1,
		.height = p->dim[is_3d ? 1 : 0],
		.width = p->dim[is_3d ? 2 : 1] };
	s->tile = tile_rows(s);
	s->sums_bytes = (2 * s->width * dtype_bytes(p->dtype) + 4096) / 64 * 64;
	s->is_nontemporal =
		s->width * dtype_bytes(p->dtype) >= 4096 &&
		2. * (double)array_bytes(s) > (double)host_stream_threshold(p->threads);
	r = mem_new(&s->in, array_bytes(s), 0, err);
	if (r == OK)
		r = mem_new(&s->out, array_bytes(s), 1, err);
	if (r == OK)
		r = mem_new(&s->sums, (size_t)(s->sums_bytes * p->threads), 2, err);
	if (r != OK)
		return r;
	fill(s);
	poison(s);
	*ret_state = TAKE(s);
	return OK;
}

/* --- run ---------------------------------------------------------------------------------- */

static char *row_at(const struct stencil_state *s, void *array, int64_t k, int64_t i)
{
	return (char *)array + ((k * s->height + i) * s->width) * dtype_bytes(s->p->dtype);
}

static bool is_edge(int64_t i, int64_t n)
{
	return i == 0 || i == n - 1;
}

/* Row i of plane k: a copy on the boundary, else the stencil between copies of both ends. */
static void run_row(const struct stencil_state *s, int64_t k, int64_t i, int thread)
{
	size_t w = (size_t)dtype_bytes(s->p->dtype), last = (size_t)(s->width - 1) * w;
	char *out = row_at(s, s->out, k, i), *in = row_at(s, s->in, k, i);
	struct stencil_row r = { .out = out,
		.width = s->width,
		.sums = (char *)s->sums + thread * s->sums_bytes,
		.nontemporal = s->is_nontemporal };

	if (is_edge(i, s->height) || (s->depth > 1 && is_edge(k, s->depth))) {
		memcpy(out, in, last + w);
		return;
	}
	if (s->shape == STENCIL_5PT)
		for (int a = 0; a < 3; a++)
			r.at[a] = row_at(s, s->in, 0, i - 1 + a);
	else
		for (int a = 0; a < 9; a++)
			r.at[a] = row_at(s, s->in, k - 1 + a / 3, i - 1 + a % 3);
	memcpy(out, in, w);
	s->code->row[s->shape](&r);
	memcpy(out + last, in + last, w);
}

/* A unit of work: in 2-D one row, in 3-D the rows [lo, hi) of a run of planes. */
static void run_unit(const struct stencil_state *s, int64_t unit, int64_t chunk)
{
	int64_t tiles = (s->height + s->tile - 1) / s->tile, lo = unit % tiles * s->tile;
	int64_t k0 = unit / tiles * chunk, k1 = MIN(s->depth, k0 + chunk);

	for (int64_t k = k0; k < k1; k++)
		for (int64_t i = lo; i < MIN(s->height, lo + s->tile); i++)
			run_row(s, k, i, omp_get_thread_num());
}

static void run(void *state, int64_t iterations)
{
	const struct stencil_state *s = state;
	int64_t tiles = (s->height + s->tile - 1) / s->tile;
	int64_t chunk = MAX(1, (s->depth + s->p->threads - 1) / s->p->threads);
	int64_t units = tiles * ((s->depth + chunk - 1) / chunk);

	for (int64_t it = 0; it < iterations; it++) {
#pragma omp parallel for num_threads(s->p->threads) schedule(static) if (s->p->threads > 1)
		for (int64_t u = 0; u < units; u++)
			run_unit(s, u, chunk);
	}
}

/* --- proof -------------------------------------------------------------------------------- */

/* Input as the array holds it, from its definition. */
static double held(const struct stencil_state *s, uint64_t key, int64_t k, int64_t i, int64_t j)
{
	double v = value(s, key, k, i, j);

	return s->p->dtype == DT_F32 ? (double)(float)v : v;
}

/* The formula in f64: neighbours sorted by their distance 0, 1, sqrt 2, sqrt 3. */
static void reference(const struct stencil_state *s, uint64_t key, int64_t k, int64_t i,
	int64_t j, double *ret, double *ret_magnitude)
{
	int planes = s->depth > 1 ? 1 : 0;

	*ret = *ret_magnitude = 0;
	for (int dk = -planes; dk <= planes; dk++)
		for (int di = -1; di <= 1; di++)
			for (int dj = -1; dj <= 1; dj++) {
				int distance = abs(dk) + abs(di) + abs(dj);
				double w = stencil_weights[s->shape][distance], v;

				if (w == 0)
					continue;
				v = w * held(s, key, k + dk, i + di, j + dj);
				*ret += v;
				*ret_magnitude += fabs(v);
			}
}

struct worst {
	double error, known; /* over their tolerances */
	int64_t n_boundary;
};

/* What the shape makes of the lowest sine mode: every direction contributes a cosine. */
static double sine_decay(const struct stencil_state *s)
{
	const double *c = stencil_weights[s->shape];
	double x = cos(M_PI / (double)(s->width - 1)), y = cos(M_PI / (double)(s->height - 1));
	double z = s->depth > 1 ? cos(M_PI / (double)(s->depth - 1)) : 0;

	return c[0] + 2 * c[1] * (x + y + z) + 4 * c[2] * (x * y + y * z + x * z) +
	       8 * c[3] * x * y * z;
}

/* What the shape adds to a field of squares: each neighbour its weight times its distance
 * squared (the terms that are linear in the distance cancel). */
static double square_growth(const struct stencil_state *s)
{
	int planes = s->depth > 1 ? 1 : 0;
	double sum = 0;

	for (int k = -planes; k <= planes; k++)
		for (int i = -1; i <= 1; i++)
			for (int j = -1; j <= 1; j++) {
				int d = abs(k) + abs(i) + abs(j);

				sum += stencil_weights[s->shape][d] * d;
			}
	return square_unit * sum;
}

static void check_point(const struct stencil_state *s, uint64_t key, double decay, int64_t k,
	int64_t i, int64_t j, struct worst *w)
{
	double eps = dtype_eps(s->p->dtype), want, magnitude, known = 0;
	double got =
		real_get(s->out, s->p->dtype, (size_t)((k * s->height + i) * s->width + j));
	int field = (int)params_option(s->p, "field");

	if (is_edge(i, s->height) || is_edge(j, s->width) ||
		(s->depth > 1 && is_edge(k, s->depth))) {
		w->n_boundary += got != held(s, key, k, i, j);
		return;
	}
	reference(s, key, k, i, j, &want, &magnitude);
	want = fabs(got - want) / ((s->shape == STENCIL_27PT ? 8 : 4) * eps * magnitude);
	w->error = want <= w->error ? w->error : isnan(want) ? INFINITY : want;
	if (field == SINE)
		known = fabs(got - decay * value(s, key, k, i, j)) / (8 * eps);
	if (field == LINEAR)
		known = fabs(got - value(s, key, k, i, j)) / (8 * eps * fabs(got));
	if (field == SQUARE)
		known = fabs(got - value(s, key, k, i, j) - square_growth(s)) /
			(8 * eps * fabs(got));
	w->known = fmax(w->known, known);
}

static void check_points(const struct stencil_state *s, struct worst *ret)
{
	uint64_t key = input_key(s->p->seed, 0);
	double decay = sine_decay(s), error = 0, known = 0;
	int64_t n_boundary = 0;

#pragma omp parallel for num_threads(s->p->threads) schedule(static) \
	reduction(max : error, known) reduction(+ : n_boundary) if (s->p->threads > 1)
	for (int64_t r = 0; r < s->depth * s->height; r++) {
		struct worst w = { 0 };

		for (int64_t j = 0; j < s->width; j++)
			check_point(s, key, decay, r / s->height, r % s->height, j, &w);
		error = fmax(error, w.error);
		known = fmax(known, w.known);
		n_boundary += w.n_boundary;
	}
	*ret = (struct worst){ error, known, n_boundary };
}

static int verify(void *state, struct proof *ret, struct error *err)
{
	const struct stencil_state *s = state;
	int field = (int)params_option(s->p, "field");
	struct worst w;

	(void)err;
	check_points(s, &w);
	proof_claim(ret, "error / 4 eps (27pt: 8 eps) sum of abs(terms)", w.error, 1);
	proof_claim(ret, "boundary points that changed", (double)w.n_boundary, 0);
	if (field == SINE)
		proof_claim(ret, "error of the decay of a sine mode / 8 eps", w.known, 1);
	if (field == LINEAR)
		proof_claim(ret, "change of a linear field / 8 eps", w.known, 1);
	if (field == SQUARE)
		proof_claim(
			ret, "error of the growth of a field of squares / 8 eps", w.known, 1);
	ret->n_outputs = s->depth * s->height * s->width;
	proof_digest(ret, s->out, array_bytes(s));
	return OK;
}

/* --- records ------------------------------------------------------------------------------ */

#define STENCIL_KERNEL(symbol, name, names, what, n, words, list)                              \
	const struct kernel kernel_##symbol = {                                                \
		.id = name,                                                                    \
		.aliases = names,                                                              \
		.title = what,                                                                 \
		.source = "each input once, each output once; neighbours stay in cache",       \
		.dtypes = DT_REALS,                                                            \
		.default_dtype = DT_F64,                                                       \
		.n_dims = n,                                                                   \
		.dims = words,                                                                 \
		.dims_repeat = true,                                                           \
		.dim_min = 3,                                                                  \
		.dim_max = 1 << 20,                                                            \
		.sizes = list,                                                                 \
		.options = options,                                                            \
		.work_unit = "points",                                                         \
		.rate_unit = "Mpoints/s",                                                      \
		.rate_scale = 1e6,                                                             \
		.count = count,                                                                \
		.setup = setup,                                                                \
		.run = run,                                                                    \
		.poison = poison,                                                              \
		.verify = verify,                                                              \
		.free = free_state,                                                            \
	}

static const char *const names5[] = { "5pt", "stencil2d", "heat2d", "hotspot", "jacobi", NULL };
static const char *const names7[] = { "7pt", "heat3d", "hotspot3d", NULL };
static const char *const names27[] = { "27pt", NULL };

STENCIL_KERNEL(stencil2d_5pt, "stencil2d.5pt", names5, "weighted mean of 5 points", 2,
	"rows x columns", sizes2);
STENCIL_KERNEL(stencil3d_7pt, "stencil3d.7pt", names7, "weighted mean of 7 points", 3,
	"planes x rows x columns", sizes3);
STENCIL_KERNEL(stencil3d_27pt, "stencil3d.27pt", names27, "weighted mean of 27 points", 3,
	"planes x rows x columns", sizes3);

static enum stencil_shape shape_of(const struct params *p)
{
	return p->kernel == &kernel_stencil2d_5pt   ? STENCIL_5PT
	       : p->kernel == &kernel_stencil3d_7pt ? STENCIL_7PT
						    : STENCIL_27PT;
}
