/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/scrip.h"

#include <endian.h>
#include <math.h>
#include <string.h>
#include "base/cleanup.h"
#include "kernels/input.h"

enum { NC_CHAR = 2, NC_INT = 4, NC_DOUBLE = 6 };
enum { NC_DIMENSION = 10, NC_VARIABLE = 11, NC_ATTRIBUTE = 12 };

enum dimension { SRC_SIZE, DST_SIZE, SRC_RANK, DST_RANK, N_LINKS, N_WEIGHTS, DIMENSIONS };
static const char *const dimension_names[] = { "src_grid_size", "dst_grid_size",
	"src_grid_rank", "dst_grid_rank", "num_links", "num_wgts" };

/* One link as the file has it, counted from 0. */
struct link {
	int32_t source, target;
	double weight;
};

struct scrip {
	const struct regrid_state *s;
	struct link *link;
	int64_t n_links;
	int64_t length[DIMENSIONS];
	struct buf *b;
};

/* --- links -------------------------------------------------------------------------------- */

static void add_target(struct scrip *c, int32_t t)
{
	const struct regrid_state *s = c->s;
	int64_t i = t / s->tw, j = t % s->tw;

	for (int k = 0; k < s->lat.n_links; k++)
		for (int l = 0; l < s->lon.n_links; l++) {
			double w = s->lat.exact ? s->lat.exact[k * s->th + i] *
							  s->lon.exact[l * s->tw + j]
						: 1;
			int64_t row = regrid_row(s, axis_source(&s->lat, i, k));

			if (w != 0)
				c->link[c->n_links++] = (struct link){
					(int32_t)(row * s->w + axis_source(&s->lon, j, l)), t, w
				};
		}
}

static void copy_links(struct scrip *c)
{
	const struct regrid_links *l = &c->s->links;

	for (int64_t t = 0; t < l->n_rows; t++)
		for (int64_t k = l->row[t]; k < l->row[t + 1]; k++)
			c->link[c->n_links++] = (struct link){ l->index[k], (int32_t)t,
				real_get(l->weight, c->s->p->dtype, (size_t)k) };
}

static int compare_links(const void *a_, const void *b_)
{
	const struct link *a = a_, *b = b_;

	if (a->target != b->target)
		return a->target < b->target ? -1 : 1;
	return a->source < b->source ? -1 : a->source > b->source;
}

static int collect(struct scrip *c, struct error *err)
{
	const struct regrid_state *s = c->s;
	int64_t n = s->th * s->tw, per = s->lat.n_links * s->lon.n_links;

	if (s->has_poles)
		return error_set_field(err, E_UNPROCESSABLE, "pole",
			"the mean of a row is no link; use --pole clamp");
	if (s->mask)
		return error_set_field(err, E_UNPROCESSABLE, "mask",
			"weights are written without a mask; who applies them has one");
	if (n > INT32_MAX / per / 8 || s->h * s->w > INT32_MAX / 8)
		return error_set_field(err, E_UNPROCESSABLE, "size",
			"%lld links are more than a netCDF classic file takes",
			(long long)(n * per));
	c->link = xcalloc((size_t)(s->weights == REGRID_CSR ? s->links.n_links : n * per),
		sizeof(*c->link));
	if (s->weights == REGRID_CSR)
		copy_links(c);
	else
		for (int64_t t = 0; t < n; t++)
			add_target(c, (int32_t)t);
	qsort(c->link, (size_t)c->n_links, sizeof(*c->link), compare_links);
	return OK;
}

/* --- the format --------------------------------------------------------------------------- */

static void put32(struct buf *b, uint32_t v)
{
	v = htobe32(v);
	buf_add(b, &v, sizeof(v));
}

static void put_double(struct buf *b, double d)
{
	uint64_t v;

	memcpy(&v, &d, sizeof(v));
	v = htobe64(v);
	buf_add(b, &v, sizeof(v));
}

/* A length and the text, padded to four bytes. */
static void put_text(struct buf *b, const char *text)
{
	size_t n = strlen(text);

	put32(b, (uint32_t)n);
	buf_add(b, text, n);
	buf_add(b, "\0\0\0", (4 - n % 4) % 4);
}

static void put_attribute(struct buf *b, const char *name, const char *value)
{
	put_text(b, name);
	put32(b, NC_CHAR);
	put_text(b, value);
}

/* --- variables ---------------------------------------------------------------------------- */

typedef double value_of(const struct scrip *c, bool is_src, int64_t i);

static int64_t rows(const struct scrip *c, bool is_src)
{
	return is_src ? c->s->h : c->s->th;
}

static int64_t columns(const struct scrip *c, bool is_src)
{
	return is_src ? c->s->w : c->s->tw;
}

/* The place that stored point i has in the grid, from the south and -180. */
static void place(const struct scrip *c, bool is_src, int64_t i, int64_t *row, int64_t *column)
{
	const struct regrid_state *s = c->s;
	int64_t n = columns(c, is_src), ring = s->grid == REGRID_NODE ? n - 1 : n;

	*row = is_src ? regrid_row(s, i / n) : i / n;
	*column = is_src && s->turn ? (i % n + s->turn) % ring : i % n;
}

static double grid_dims(const struct scrip *c, bool is_src, int64_t i)
{
	return (double)(i ? rows(c, is_src) : columns(c, is_src));
}

static double center_lat(const struct scrip *c, bool is_src, int64_t i)
{
	int64_t row, column;

	place(c, is_src, i, &row, &column);
	return grid_lat(c->s->grid, rows(c, is_src), row) * (M_PI / 180);
}

static double center_lon(const struct scrip *c, bool is_src, int64_t i)
{
	int64_t row, column;
	double lon;

	place(c, is_src, i, &row, &column);
	lon = grid_lon(c->s->grid, columns(c, is_src), column) * (M_PI / 180);
	return lon < 0 ? lon + 2 * M_PI : lon;
}

static double one(const struct scrip *c, bool is_src, int64_t i)
{
	(void)c, (void)is_src, (void)i;
	return 1;
}

static double area(const struct scrip *c, bool is_src, int64_t i)
{
	int64_t row, column, n = rows(c, is_src);

	if (c->s->grid != REGRID_CELL)
		return 0; /* nodes have none */
	place(c, is_src, i, &row, &column);
	return 2 * M_PI / (double)columns(c, is_src) * band_area(row, row + 1, n);
}

static double src_address(const struct scrip *c, bool is_src, int64_t i)
{
	(void)is_src;
	return c->link[i].source + 1;
}

static double dst_address(const struct scrip *c, bool is_src, int64_t i)
{
	(void)is_src;
	return c->link[i].target + 1;
}

static double matrix(const struct scrip *c, bool is_src, int64_t i)
{
	(void)is_src;
	return c->link[i].weight;
}

static const struct variable {
	const char *name, *units;
	int type;
	enum dimension dim;
	bool is_src, has_weights; /* has_weights: [num_links][num_wgts] */
	value_of *value;
} variables[] = {
	{ "src_grid_dims", NULL, NC_INT, SRC_RANK, true, false, grid_dims },
	{ "dst_grid_dims", NULL, NC_INT, DST_RANK, false, false, grid_dims },
	{ "src_grid_center_lat", "radians", NC_DOUBLE, SRC_SIZE, true, false, center_lat },
	{ "dst_grid_center_lat", "radians", NC_DOUBLE, DST_SIZE, false, false, center_lat },
	{ "src_grid_center_lon", "radians", NC_DOUBLE, SRC_SIZE, true, false, center_lon },
	{ "dst_grid_center_lon", "radians", NC_DOUBLE, DST_SIZE, false, false, center_lon },
	{ "src_grid_imask", "unitless", NC_INT, SRC_SIZE, true, false, one },
	{ "dst_grid_imask", "unitless", NC_INT, DST_SIZE, false, false, one },
	{ "src_grid_area", "square radians", NC_DOUBLE, SRC_SIZE, true, false, area },
	{ "dst_grid_area", "square radians", NC_DOUBLE, DST_SIZE, false, false, area },
	{ "src_grid_frac", "unitless", NC_DOUBLE, SRC_SIZE, true, false, one },
	{ "dst_grid_frac", "unitless", NC_DOUBLE, DST_SIZE, false, false, one },
	{ "src_address", NULL, NC_INT, N_LINKS, false, false, src_address },
	{ "dst_address", NULL, NC_INT, N_LINKS, false, false, dst_address },
	{ "remap_matrix", NULL, NC_DOUBLE, N_LINKS, false, true, matrix },
};

static uint64_t bytes_of(const struct scrip *c, const struct variable *v)
{
	return (uint64_t)c->length[v->dim] * (v->type == NC_INT ? 4 : 8);
}

static void put_head(const struct scrip *c, uint64_t data_at)
{
	static const char *const methods[] = { "Nearest neighbor", "Bilinear remapping",
		"Conservative remapping" };
	struct buf *b = c->b;

	buf_add(b, "CDF\2", 4);
	put32(b, 0); /* records */
	put32(b, NC_DIMENSION);
	put32(b, DIMENSIONS);
	for (int i = 0; i < DIMENSIONS; i++) {
		put_text(b, dimension_names[i]);
		put32(b, (uint32_t)c->length[i]);
	}
	put32(b, NC_ATTRIBUTE);
	put32(b, 6);
	put_attribute(b, "title", "weights of benchd-kernel");
	put_attribute(
		b, "normalization", c->s->method == REGRID_CONSERVATIVE ? "fracarea" : "none");
	put_attribute(b, "map_method", methods[c->s->method]);
	put_attribute(b, "conventions", "SCRIP");
	put_attribute(b, "source_grid", "lonlat"); /* CDO asks for the kinds of grids */
	put_attribute(b, "dest_grid", "lonlat");
	put32(b, NC_VARIABLE);
	put32(b, ARRAY_SIZE(variables));
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const struct variable *v = &variables[i];

		put_text(b, v->name);
		put32(b, 1 + v->has_weights);
		put32(b, v->dim);
		if (v->has_weights)
			put32(b, N_WEIGHTS);
		put32(b, v->units ? NC_ATTRIBUTE : 0);
		put32(b, v->units ? 1 : 0);
		if (v->units)
			put_attribute(b, "units", v->units);
		put32(b, (uint32_t)v->type);
		put32(b, (uint32_t)bytes_of(c, v));
		put32(b, (uint32_t)(data_at >> 32));
		put32(b, (uint32_t)data_at);
		data_at += bytes_of(c, v);
	}
}

static void put_data(const struct scrip *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const struct variable *v = &variables[i];

		for (int64_t k = 0; k < c->length[v->dim]; k++) {
			double d = v->value(c, v->is_src, k);

			if (v->type == NC_INT)
				put32(c->b, (uint32_t)(int32_t)d);
			else
				put_double(c->b, d);
		}
	}
}

int scrip_format(const struct regrid_state *s, struct buf *b, struct error *err)
{
	struct scrip c = { .s = s, .b = b };
	size_t head_bytes;
	int r = collect(&c, err);

	if (r != OK)
		return r;
	c.length[SRC_SIZE] = s->h * s->w;
	c.length[DST_SIZE] = s->th * s->tw;
	c.length[SRC_RANK] = c.length[DST_RANK] = 2;
	c.length[N_LINKS] = c.n_links;
	c.length[N_WEIGHTS] = 1;
	put_head(&c, 0); /* as long as the one that follows */
	head_bytes = b->len;
	buf_clear(b);
	put_head(&c, head_bytes);
	put_data(&c);
	free(c.link);
	return OK;
}
