/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/regrid.h"

#include <math.h>
#include <string.h>
#include "base/cleanup.h"
#include "kernels/code.h"
#include "kernels/host.h"
#include "kernels/input.h"
#include "kernels/mem.h"
#include "kernels/omp.h"

CODE_TABLES(regrid);

static const struct named_size sizes[] = {
	{ "small", { 100, 200, 1 } },
	{ "medium", { 500, 1000, 1 } },
	{ "large", { 3600, 7200, 1 } },
	{ "3km", { 6001, 12001, 1 } },
	{ NULL, { 0 } },
};

static const char *const grid_names[] = { "cell", "node", NULL };
static const char *const values_names[] = { "point", "mean", NULL };
static const char *const weights_names[] = { "cached", "regenerated", "csr", NULL };

static const char *const mode_names[] = { "once", "convergence", "roundtrip", NULL };
static const char *const latitude_names[] = { "south-first", "north-first", NULL };
static const char *const pole_names[] = { "clamp", "mean", NULL };
static const char *const distance_names[] = { "index", "chord", NULL };
static const char *const mask_names[] = { "none", "fracarea", "destarea", NULL };

static const struct kernel_option options[] = {
	{ "grid", "points at cell centres, or nodes with both ends", grid_names, 0, 0, 0 },
	{ "field", "test field", field_names, 0, 0, 0 },
	{ "values", "field at points, or exact means over cells (f1, y2, const)", values_names,
		0, 0, 0 },
	{ "weights", "kept for all iterations, made anew in each, or explicit links",
		weights_names, 0, 0, 0 },
	{ "levels", "fields that share the weights", NULL, 1, 4096, 1 },
	{ "tile", "target rows of a tile; 0 = chosen by cache size", NULL, 0, 1 << 20, 0 },
	{ "target-rows", "0 = half of the source", NULL, 0, 1 << 20, 0 },
	{ "target-columns", "0 = half of the source", NULL, 0, 1 << 20, 0 },
	{ "mode", "what is proven beside: the order of convergence, or the way back",
		mode_names, 0, 0, 0 },
	{ "mask", "sources without value; targets are divided by the area they got, or by all",
		mask_names, 0, 0, 0 },
	{ "latitude", "order in which the source's rows are stored", latitude_names, 0, 0, 0 },
	{ "turn",
		"columns from -180 to the first one stored; half of them: the source goes from "
		"0 "
		"to 360",
		NULL, 0, 1 << 20, 0 },
	{ "pole", "beyond the last row: that row, or on to its mean at the pole (bilinear)",
		pole_names, 0, 0, 0 },
	{ "distance", "nearest by index, or on the sphere (nearest, with --weights csr)",
		distance_names, 0, 0, 0 },
	{ NULL, NULL, NULL, 0, 0, 0 },
};

static enum regrid_method method_of(const struct params *p);

static int64_t target_of(const struct params *p, int axis)
{
	int64_t n = params_option(p, axis == 0 ? "target-rows" : "target-columns");

	return n ? n : MAX(p->dim[axis] / 2, 2);
}

/* Pairs of a source and a target that overlap along an axis that both divide evenly: every
 * edge of either begins one, but those where both have an edge begin one together. */
static double overlaps(const struct params *p, int axis)
{
	int64_t a = p->dim[axis], b = target_of(p, axis), sum = a + b;

	while (b != 0) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return (double)(sum - a);
}

/* Explicit links of a field. */
static double links_of(enum regrid_method m, const struct params *p)
{
	double targets = (double)target_of(p, 0) * (double)target_of(p, 1);

	if (m == REGRID_CONSERVATIVE)
		return overlaps(p, 0) * overlaps(p, 1);
	return m == REGRID_NEAREST ? targets : 4 * targets;
}

/* Floating-point operations of a field: 2 a link and pass, rows first, then columns; bilinear 3
 * an element and pass. */
static double flops_of(enum regrid_method m, const struct params *p)
{
	double th = (double)target_of(p, 0), tw = (double)target_of(p, 1);
	double w = (double)p->dim[1];

	if (m == REGRID_NEAREST)
		return 0;
	if (params_option(p, "weights") == REGRID_CSR)
		return 2 * links_of(m, p);
	if (m == REGRID_BILINEAR)
		return 3 * th * w + 3 * th * tw;
	return 2 * (overlaps(p, 0) * w + th * overlaps(p, 1));
}

static void count(const struct params *p, struct counts *ret)
{
	enum regrid_method m = method_of(p);
	double levels = (double)params_option(p, "levels"), b = (double)dtype_bytes(p->dtype);
	double source = (double)p->dim[0] * (double)p->dim[1];
	double target = (double)target_of(p, 0) * (double)target_of(p, 1);
	double read = source;

	if (m == REGRID_NEAREST) /* only the rows it takes */
		read = (double)MIN(target_of(p, 0), p->dim[0]) * (double)p->dim[1];
	ret->flops = levels * flops_of(m, p);
	ret->bytes = levels * b * (read + target);
	ret->write_allocate_bytes = levels * b * target;
	ret->footprint_bytes = levels * b * (source + target);
	ret->touched_bytes = ret->bytes;
	ret->work = levels * source;
	ret->n_outputs = levels * target;
	if (params_option(p, "weights") != REGRID_CSR)
		return;
	read = (4 + b) * links_of(m, p) + 8 * target;
	ret->bytes += read;
	ret->touched_bytes += read;
	ret->footprint_bytes += read;
}

static int check_mode(const struct params *p, enum regrid_method m, struct error *err)
{
	enum regrid_mode mode = (enum regrid_mode)params_option(p, "mode");

	if (mode == REGRID_ONCE)
		return OK;
	if (params_option(p, "mask"))
		return error_set_field(
			err, E_UNPROCESSABLE, "mask", "--mode and --mask exclude each other");
	if (mode == REGRID_ROUNDTRIP)
		return OK;
	if (p->dim[0] % 4 || p->dim[1] % 4 || p->dim[0] < 8 || p->dim[1] < 8 ||
		params_option(p, "target-rows") % 2 || params_option(p, "target-columns") % 2)
		return error_set_field(err, E_UNPROCESSABLE, "mode",
			"convergence halves the grids: it needs multiples of 4");
	if (m == REGRID_CONSERVATIVE && params_option(p, "values"))
		return error_set_field(err, E_UNPROCESSABLE, "values",
			"cell means on nested grids are exact: no order is left to see");
	return OK;
}

static int check_pole(const struct params *p, enum regrid_method m, struct error *err)
{
	if (params_option(p, "pole") == REGRID_POLE_CLAMP)
		return OK;
	if (m != REGRID_BILINEAR || params_option(p, "grid") != REGRID_CELL)
		return error_set_field(err, E_UNPROCESSABLE, "pole",
			"--pole mean is for regrid.bilinear between cells; nodes have a row at "
			"the pole");
	if (params_option(p, "weights") == REGRID_CSR)
		return error_set_field(err, E_UNPROCESSABLE, "pole",
			"the mean of a row is no explicit link; use --weights cached");
	return OK;
}

/* What lies in memory in another order, or is nearest otherwise. */
static int check_layout(const struct params *p, enum regrid_method m, struct error *err)
{
	int64_t turn = params_option(p, "turn");
	bool is_chord = params_option(p, "distance");
	bool is_other = params_option(p, "latitude") || turn || params_option(p, "pole");

	if (turn >= p->dim[1])
		return error_set_field(err, E_UNPROCESSABLE, "turn",
			"--turn %lld: the source has %lld columns", (long long)turn,
			(long long)p->dim[1]);
	if (is_chord && (m != REGRID_NEAREST || params_option(p, "weights") != REGRID_CSR))
		return error_set_field(err, E_UNPROCESSABLE, "distance",
			"--distance chord is for regrid.nearest with --weights csr");
	if (params_option(p, "mode") && (is_other || is_chord))
		return error_set_field(err, E_UNPROCESSABLE, "mode",
			"--mode excludes --latitude, --turn, --pole and --distance");
	if (params_option(p, "mask") && is_other)
		return error_set_field(err, E_UNPROCESSABLE, "mask",
			"--mask excludes --latitude, --turn and --pole");
	return check_pole(p, m, err) == OK ? check_mode(p, m, err) : err->code;
}

static int check(const struct params *p, struct error *err)
{
	enum regrid_method m = method_of(p);
	bool is_mean = params_option(p, "values");

	if (m == REGRID_CONSERVATIVE && params_option(p, "grid") != REGRID_CELL)
		return error_set_field(err, E_UNPROCESSABLE, "grid",
			"%s needs cells with areas; use --grid cell", p->kernel->id);
	if (is_mean && params_option(p, "grid") != REGRID_CELL)
		return error_set_field(
			err, E_UNPROCESSABLE, "values", "means need cells; use --grid cell");
	if (is_mean && !field_has_means((int)params_option(p, "field")))
		return error_set_field(err, E_UNPROCESSABLE, "values",
			"the field '%s' has no exact means here; use f1, y2 or const",
			field_names[params_option(p, "field")]);
	if (target_of(p, 0) < 2 || target_of(p, 1) < 2)
		return error_set_field(err, E_UNPROCESSABLE, "target-rows",
			"--target-rows, --target-columns: the target needs 2 rows and columns "
			"or more");
	if (m == REGRID_CONSERVATIVE && p->dim[0] > REGRID_LINKS_MAX / 2 * target_of(p, 0))
		return error_set_field(err, E_UNPROCESSABLE, "target-rows",
			"more than %d source rows for each target row", REGRID_LINKS_MAX / 2);
	if (params_option(p, "mask") && m == REGRID_NEAREST)
		return error_set_field(
			err, E_UNPROCESSABLE, "mask", "nearest has no weights to divide");
	if (params_option(p, "mask") && params_option(p, "weights") != REGRID_CSR)
		return error_set_field(err, E_UNPROCESSABLE, "mask",
			"a mask breaks the weights of axes; use --weights csr");
	return check_layout(p, m, err);
}

/* --- set up ------------------------------------------------------------------------------- */

static void free_state(void *state)
{
	struct regrid_state *s = state;

	if (!s)
		return;
	axis_done(&s->lat);
	axis_done(&s->lon);
	free(s->links.row);
	free(s->mask);
	mem_free(s->links.index);
	mem_free(s->links.weight);
	mem_free(s->memory);
	mem_free(s->dst);
	mem_free(s->buffers);
	free(s);
}
DEFINE_CLEANUP(struct regrid_state *, free_state)

static size_t dst_bytes(const struct regrid_state *s)
{
	return (size_t)(s->levels * s->th * s->tw * dtype_bytes(s->p->dtype));
}

static void poison(void *state)
{
	struct regrid_state *s = state;

	poison_fill(s->dst, dst_bytes(s), POISON_WORD, s->p->threads);
}

/* Level l is the field times 1 + l / 8: exact factors, so that levels differ. */
static void fill_source(struct regrid_state *s)
{
	struct field f;

	regrid_source_init(s, &f);
#pragma omp parallel for num_threads(s->p->threads) schedule(static)
	for (int64_t r = 0; r < s->levels * s->h; r++) {
		int64_t at = regrid_row(s, r % s->h);
		void *row = regrid_row_at(s, r / s->h, r % s->h);

		for (int64_t j = 0; j < s->w; j++)
			real_set(row, s->p->dtype, (size_t)j,
				s->mask && s->mask[at * s->w + j]
					? NAN
					: (1 + (double)(r / s->h) / 8) * field_get(&f, at, j));
	}
	field_done(&f);
}

/* A tile's blended row stays in half of L1; rows of a tile make a unit of work. */
static void choose_tiles(struct regrid_state *s)
{
	int64_t b = dtype_bytes(s->p->dtype), per_target = MAX(1, s->w / s->tw) + 1;
	int64_t columns = host_get()->l1d_bytes / 2 / (b * per_target);

	s->tile_columns = MIN(s->tw, MAX(columns / 64 * 64, 256));
	s->tile_rows = params_option(s->p, "tile");
	if (s->tile_rows == 0)
		s->tile_rows = MAX(1, MIN(16, s->th / (4 * s->p->threads)));
	s->buffer_bytes = ((s->tile_columns + 2) * (per_target + 2) * b + 4096) / 64 * 64;
	s->buffer_bytes = MAX(s->buffer_bytes, (s->w + s->lon.n_links + 64) * b / 64 * 64 + 64);
}

static void init_axes(struct regrid_state *s)
{
	s->lat = (struct regrid_axis){ .method = s->method,
		.grid = s->grid,
		.dtype = s->p->dtype,
		.n_src = s->h,
		.n_dst = s->th,
		.is_lat = true,
		.has_poles = s->has_poles };
	s->lon = s->lat;
	s->lon.is_lat = s->lon.has_poles = false;
	s->lon.n_src = s->w;
	s->lon.n_dst = s->tw;
	s->lon.turn = s->turn;
	axis_init(&s->lat);
	axis_init(&s->lon);
}

/* Sources with a row for each pole of each level. */
static int make_arrays(struct regrid_state *s, struct error *err)
{
	int64_t b = dtype_bytes(s->p->dtype), poles = 2 * s->has_poles;
	int r = mem_new(&s->memory, (size_t)(s->levels * (s->h + poles) * s->w * b), 0, err);

	s->src = (char *)s->memory + (s->has_poles ? s->w * b : 0);
	if (r == OK)
		r = mem_new(&s->dst, dst_bytes(s), 1, err);
	if (r == OK)
		r = mem_new(&s->buffers, (size_t)(s->buffer_bytes * s->p->threads), 2, err);
	if (r == OK && s->weights == REGRID_CSR)
		r = regrid_make_links(s, err);
	return r;
}

static int setup(const struct params *p, void **ret_state, struct error *err)
{
	_cleanup_(free_state)
	struct regrid_state *s = xcalloc(1, sizeof(*s));
	struct counts c = { 0 };
	int r;

	*s = (struct regrid_state){ .p = p,
		.method = method_of(p),
		.h = p->dim[0],
		.w = p->dim[1],
		.th = target_of(p, 0),
		.tw = target_of(p, 1),
		.levels = params_option(p, "levels"),
		.is_flipped = params_option(p, "latitude"),
		.turn = params_option(p, "turn"),
		.has_poles = params_option(p, "pole") == REGRID_POLE_MEAN,
		.is_chord = params_option(p, "distance"),
		.code = CODE_PICK(regrid, p) };
	s->grid = (enum regrid_grid)params_option(p, "grid");
	s->weights = (enum regrid_weights)params_option(p, "weights");
	count(p, &c);
	s->is_nontemporal = c.bytes > (double)host_stream_threshold(p->threads);
	init_axes(s);
	choose_tiles(s);
	if (params_option(p, "mask"))
		s->mask = regrid_mask_make(p, s->grid, s->h, s->w);
	r = make_arrays(s, err);
	if (r != OK)
		return r;
	fill_source(s);
	poison(s);
	*ret_state = TAKE(s);
	return OK;
}

/* --- run ---------------------------------------------------------------------------------- */

/* Targets j .. j + n - 1 of a row, all on one side of the seam. */
static void run_part(const struct regrid_state *s, int64_t level, int64_t i, int64_t j,
	int64_t n, void *buffer)
{
	int64_t b = dtype_bytes(s->p->dtype);
	double weight[REGRID_LINKS_MAX];
	struct regrid_row row = { .width = s->w,
		.row_pitch = s->is_flipped ? -s->w : s->w,
		.row_weight = weight,
		.n_row_links = s->lat.n_links,
		.n_col_links = s->lon.n_links,
		.col_first = s->lon.first + j,
		.col_weight = (char *)s->lon.weight + j * b,
		.col_pitch = s->tw,
		.n = n,
		.col_stride = s->lon.stride,
		.buffer = buffer,
		.is_nontemporal = s->is_nontemporal };

	row.src = regrid_row_at(s, level, s->lat.first[i]);
	row.out = (char *)s->dst + ((level * s->th + i) * s->tw + j) * b;
	if (s->method == REGRID_NEAREST) {
		s->code->nearest(&row);
		return;
	}
	for (int k = 0; k < s->lat.n_links; k++)
		weight[k] = s->lat.exact[k * s->th + i];
	s->code->separable(&row);
}

static void run_row(const struct regrid_state *s, int64_t level, int64_t i, int64_t j,
	int64_t n, void *buffer)
{
	int64_t seam = s->lon.seam;

	if (seam > j && seam < j + n) {
		run_part(s, level, i, j, seam - j, buffer);
		run_part(s, level, i, seam, j + n - seam, buffer);
	} else {
		run_part(s, level, i, j, n, buffer);
	}
}

static void run_tile(const struct regrid_state *s, int64_t tile, int thread)
{
	int64_t per_level = (s->th + s->tile_rows - 1) / s->tile_rows;
	int64_t level = tile / per_level, lo = tile % per_level * s->tile_rows;
	int64_t hi = MIN(s->th, lo + s->tile_rows);
	char *buffer = (char *)s->buffers + thread * s->buffer_bytes;

	for (int64_t j = 0; j < s->tw; j += s->tile_columns)
		for (int64_t i = lo; i < hi; i++)
			run_row(s, level, i, j, MIN(s->tile_columns, s->tw - j), buffer);
}

static void run_tiles(const struct regrid_state *s)
{
	int64_t tiles = s->levels * ((s->th + s->tile_rows - 1) / s->tile_rows);

	if (s->p->threads == 1) {
		for (int64_t t = 0; t < tiles; t++)
			run_tile(s, t, 0);
		return;
	}
#pragma omp parallel for num_threads(s->p->threads) schedule(static)
	for (int64_t t = 0; t < tiles; t++)
		run_tile(s, t, omp_get_thread_num());
}

static void run_links(const struct regrid_state *s)
{
	int64_t b = dtype_bytes(s->p->dtype), n = s->th * s->tw, chunk = 4096;
	int64_t chunks = (n + chunk - 1) / chunk;

#pragma omp parallel for num_threads(s->p->threads) schedule(static) if (s->p->threads > 1)
	for (int64_t c = 0; c < s->levels * chunks; c++) {
		int64_t level = c / chunks, lo = c % chunks * chunk;

		s->code->links((char *)s->dst + level * n * b,
			(char *)s->src + level * s->h * s->w * b, s->links.row, s->links.index,
			s->links.weight, lo, MIN(n, lo + chunk));
	}
}

static void run(void *state, int64_t iterations)
{
	struct regrid_state *s = state;

	for (int64_t k = 0; k < iterations; k++) {
		if (s->weights == REGRID_REGENERATED) {
			axis_fill(&s->lat);
			axis_fill(&s->lon);
		}
		regrid_fill_poles(s);
		if (s->weights == REGRID_CSR)
			run_links(s);
		else
			run_tiles(s);
	}
}

/* --- records ------------------------------------------------------------------------------ */

#define REGRID_KERNEL(name, names, what, from)                                                 \
	const struct kernel kernel_regrid_##name = {                                           \
		.id = "regrid." #name,                                                         \
		.aliases = names,                                                              \
		.title = what,                                                                 \
		.source = from,                                                                \
		.dtypes = DT_REALS,                                                            \
		.default_dtype = DT_F64,                                                       \
		.n_dims = 2,                                                                   \
		.dims = "rows x columns of the source grid",                                   \
		.dim_min = 4,                                                                  \
		.dim_max = 1 << 20,                                                            \
		.sizes = sizes,                                                                \
		.options = options,                                                            \
		.work_unit = "source cells",                                                   \
		.rate_unit = "source Mcells/s",                                                \
		.rate_scale = 1e6,                                                             \
		.check = check,                                                                \
		.count = count,                                                                \
		.setup = setup,                                                                \
		.run = run,                                                                    \
		.poison = poison,                                                              \
		.verify = regrid_verify,                                                       \
		.free = free_state,                                                            \
	}

static const char *const nearest_names[] = { "nn", "nearest", "remapnn", NULL };
static const char *const bilinear_names[] = { "bil", "bilinear", "remapbil", NULL };
static const char *const conservative_names[] = { "con", "conservative", "remapcon", NULL };

REGRID_KERNEL(nearest, nearest_names, "lon-lat regridding, nearest neighbour",
	"index space, ties to the lower index");
REGRID_KERNEL(bilinear, bilinear_names, "lon-lat regridding, bilinear",
	"separable weights, rows first");
REGRID_KERNEL(conservative, conservative_names, "lon-lat regridding, first-order conservative",
	"Jones 1999, MWR 127:2204; separable on lon-lat grids");

static enum regrid_method method_of(const struct params *p)
{
	return p->kernel == &kernel_regrid_nearest    ? REGRID_NEAREST
	       : p->kernel == &kernel_regrid_bilinear ? REGRID_BILINEAR
						      : REGRID_CONSERVATIVE;
}
