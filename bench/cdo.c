/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The weights and fields of regrid.* beside those of CDO (bench/cdo.sh runs both). Usage:
 *   cdo field HxW GRID                          the source field, one number a line
 *   cdo grid HxW GRID                           a grid in CDO's description
 *   cdo check KERNEL HxW GRID HxW W.nc F.nc     compare with CDO's weights (SCRIP) and target
 * field GRID is cell or node. check fails (status 1) where a weight differs by more than 1e-12
 * or a value by more than 1e-10. Files are netCDF classic: "NetCDF Classic Format
 * Specification", Unidata. */
#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "kernels/kernels.h"
#include "kernels/proof.h"
#include "kernels/regrid.h"
#include "kernels/size.h"

static const double weight_limit = 1e-12, field_limit = 1e-10;

static _Noreturn void die(const char *what, const char *text)
{
	fprintf(stderr, "cdo: %s%s\n", what, text);
	exit(2);
}

/* --- netCDF classic ------------------------------------------------------------------------
 */

struct netcdf {
	const char *path;
	unsigned char *data;
	size_t size, at;
	int version; /* 1: offsets of 32 bits, 2: of 64 */
	uint32_t dim[64];
	uint32_t n_dims;
};

static uint32_t next32(struct netcdf *f)
{
	uint32_t v;

	if (f->size - f->at < 4)
		die(f->path, ": ends in its header");
	memcpy(&v, f->data + f->at, 4);
	f->at += 4;
	return be32toh(v);
}

static void skip(struct netcdf *f, size_t bytes)
{
	bytes = (bytes + 3) / 4 * 4;
	if (bytes > f->size - f->at)
		die(f->path, ": ends in its header");
	f->at += bytes;
}

static size_t type_bytes(uint32_t type)
{
	static const size_t bytes[] = { 0, 1, 1, 2, 4, 4, 8 };

	return type < 7 ? bytes[type] : 8;
}

static void skip_attributes(struct netcdf *f)
{
	uint32_t n;

	next32(f); /* tag */
	for (n = next32(f); n > 0; n--) {
		uint32_t type;

		skip(f, next32(f));
		type = next32(f);
		skip(f, next32(f) * type_bytes(type));
	}
}

static void read_dims(struct netcdf *f)
{
	next32(f);
	f->n_dims = next32(f);
	if (f->n_dims > ARRAY_SIZE(f->dim))
		die(f->path, ": more than 64 dimensions");
	for (uint32_t i = 0; i < f->n_dims; i++) {
		skip(f, next32(f));
		f->dim[i] = next32(f);
	}
}

static void netcdf_open(struct netcdf *f, const char *path)
{
	_cleanup_(fclose)
	FILE *in = fopen(path, "rb");

	*f = (struct netcdf){ .path = path };
	if (!in || fseek(in, 0, SEEK_END) != 0)
		die("cannot read ", path);
	f->size = (size_t)ftell(in);
	rewind(in);
	f->data = xmalloc(f->size + 1);
	if (fread(f->data, 1, f->size, in) != f->size || f->size < 8 ||
		memcmp(f->data, "CDF", 3) != 0)
		die(path, ": not a netCDF classic file; use cdo -f nc");
	f->version = f->data[3];
	f->at = 8;
	read_dims(f);
	skip_attributes(f);
}

/* The values of a variable as doubles (f64, f32 or i32), NULL when it is not there; without a
 * name the last variable of f64. A record dimension has one record. */
static double *netcdf_read(const struct netcdf *file, const char *name, size_t *ret_n)
{
	struct netcdf f = *file;
	double *found = NULL;

	next32(&f);
	for (uint32_t vars = next32(&f); vars > 0; vars--) {
		uint32_t len = next32(&f), type;
		const char *at = (const char *)f.data + f.at;
		bool is_named = name && len == strlen(name);
		size_t n = 1, begin;

		skip(&f, len);
		is_named = is_named && memcmp(at, name, len) == 0;
		for (uint32_t dims = next32(&f); dims > 0; dims--) {
			uint32_t id = next32(&f);

			n *= id < f.n_dims && f.dim[id] ? f.dim[id] : 1;
		}
		skip_attributes(&f);
		type = next32(&f);
		next32(&f); /* size */
		begin = f.version == 2 ? (size_t)next32(&f) << 32 : 0;
		begin |= next32(&f);
		if (name ? !is_named : type != 6)
			continue;
		if (begin > f.size || n > (f.size - begin) / type_bytes(type))
			die(f.path, ": a variable ends behind the file");
		free(found);
		found = xcalloc(n, sizeof(*found));
		*ret_n = n;
		for (size_t i = 0; i < n; i++) {
			const unsigned char *p = f.data + begin + i * type_bytes(type);
			uint64_t v = 0;

			for (size_t b = 0; b < type_bytes(type); b++)
				v = v << 8 | p[b];
			if (type == 6)
				memcpy(&found[i], &v, 8);
			else
				found[i] = (double)(int32_t)v;
		}
	}
	return found;
}

/* --- comparison ---------------------------------------------------------------------------
 */

static void set_option(struct params *p, const char *name, int64_t v)
{
	for (size_t i = 0; p->kernel->options[i].name; i++)
		if (strcmp(p->kernel->options[i].name, name) == 0)
			p->option[i] = v;
}

static void make_params(struct params *p, const char *kernel, const char *size,
	const char *grid, const char *target)
{
	struct error err;
	int rows, columns;

	if (!kernel_find(kernel) || strncmp(kernel_find(kernel)->id, "regrid.", 7) != 0)
		die("not a kernel of regrid: ", kernel);
	params_init(p, kernel_find(kernel));
	if (size_parse(p, size, &err) != OK)
		die("", err.text);
	if (sscanf(target, "%dx%d", &rows, &columns) != 2)
		die("not HxW: ", target);
	set_option(p, "target-rows", rows);
	set_option(p, "target-columns", columns);
	set_option(p, "grid", strcmp(grid, "node") == 0 ? REGRID_NODE : REGRID_CELL);
	if (p->kernel->check(p, &err) != OK)
		die("", err.text);
}

static struct regrid_state *start(const struct params *p)
{
	struct proof proof;
	struct error err;
	void *state;

	if (p->kernel->setup(p, &state, &err) != OK)
		die("", err.text);
	p->kernel->run(state, 1);
	proof_init(&proof);
	if (p->kernel->verify(state, &proof, &err) != OK || !proof.ok)
		die("our own output is wrong: ", p->kernel->id);
	return state;
}

static double link_weight(const struct regrid_state *s, int64_t t, int k, int l)
{
	if (s->method == REGRID_NEAREST)
		return 1;
	return s->lat.exact[k * s->th + t / s->tw] * s->lon.exact[l * s->tw + t % s->tw];
}

/* Where a source stands on the sheet: on a node grid the last column is the first meridian
 * again. */
static int64_t place(const struct regrid_state *s, int64_t source)
{
	bool is_alias = s->grid == REGRID_NODE && source % s->w == s->w - 1;

	return is_alias ? source - (s->w - 1) : source;
}

/* The place of link (k, l) of target t. */
static int64_t link_place(const struct regrid_state *s, int64_t t, int k, int l)
{
	return place(s,
		axis_source(&s->lat, t / s->tw, k) * s->w + axis_source(&s->lon, t % s->tw, l));
}

static void report(
	const struct regrid_state *s, size_t n, const char *what, double worst, double limit)
{
	char size[SIZE_TEXT];

	printf("%-19s %8s to %lldx%lld %s: %zu %s, largest difference %.2g (limit %.0e)%s\n",
		s->p->kernel->id, size_format(s->p, size), (long long)s->th, (long long)s->tw,
		s->grid == REGRID_NODE ? "node" : "cell", n, what, worst, limit,
		worst <= limit ? "" : " EXCEEDED");
}

static void add_ours(const struct regrid_state *s, int64_t t, double *sheet)
{
	for (int k = 0; k < s->lat.n_links; k++)
		for (int l = 0; l < s->lon.n_links; l++)
			sheet[link_place(s, t, k, l)] -= link_weight(s, t, k, l);
}

/* What is left at a place, which is empty afterwards. */
static double take(double *at)
{
	double left = fabs(*at);

	*at = 0;
	return left;
}

static double take_ours(const struct regrid_state *s, int64_t t, double *sheet)
{
	double worst = 0;

	for (int k = 0; k < s->lat.n_links; k++)
		for (int l = 0; l < s->lon.n_links; l++)
			worst = fmax(worst, take(&sheet[link_place(s, t, k, l)]));
	return worst;
}

/* CDO's weights minus ours, on a sheet of the sources for one target after the other; both
 * sides' links of a target add up, so that order and links of weight 0 do not matter. */
static double compare_weights(const struct regrid_state *s, const struct netcdf *f)
{
	size_t n = 0, n_dst = 0, n_weights = 0;
	_cleanup_(free)
	double *src = netcdf_read(f, "src_address", &n);
	_cleanup_(free)
	double *dst = netcdf_read(f, "dst_address", &n_dst);
	_cleanup_(free)
	double *weight = netcdf_read(f, "remap_matrix", &n_weights);
	_cleanup_(free)
	double *sheet = xcalloc((size_t)(s->h * s->w), sizeof(*sheet));
	double worst = 0;
	size_t at = 0, per;

	if (!src || !dst || !weight || n != n_dst || n == 0 || n_weights % n)
		die(f->path, ": no weights in SCRIP's names");
	per = n_weights / n;
	for (int64_t t = 0; t < s->th * s->tw; t++) {
		size_t first = at;

		add_ours(s, t, sheet);
		for (; at < n && (int64_t)dst[at] == t + 1; at++)
			sheet[place(s, (int64_t)src[at] - 1)] += weight[at * per];
		worst = fmax(worst, take_ours(s, t, sheet));
		for (; first < at; first++)
			worst = fmax(worst, take(&sheet[place(s, (int64_t)src[first] - 1)]));
	}
	if (at != n)
		die(f->path, ": its links are not in the order of the targets");
	report(s, n, "links", worst, weight_limit);
	return worst;
}

static double compare_field(const struct regrid_state *s, const struct netcdf *f)
{
	size_t n = 0;
	_cleanup_(free)
	double *field = netcdf_read(f, NULL, &n);
	double worst = 0;

	if (!field || n != (size_t)(s->th * s->tw))
		die(f->path, ": no field of f64 of the target's size; use cdo -b F64");
	for (size_t i = 0; i < n; i++) {
		double d = fabs(field[i] - ((const double *)s->dst)[i]);

		worst = d <= worst ? worst : d;
	}
	report(s, n, "values", worst, field_limit);
	return worst;
}

static int check(char **argv)
{
	struct netcdf weights, field;
	struct regrid_state *s;
	struct params p;
	bool ok;

	make_params(&p, argv[0], argv[1], argv[2], argv[3]);
	s = start(&p);
	netcdf_open(&weights, argv[4]);
	netcdf_open(&field, argv[5]);
	ok = compare_weights(s, &weights) <= weight_limit;
	ok = compare_field(s, &field) <= field_limit && ok;
	free(weights.data);
	free(field.data);
	p.kernel->free(s);
	return !ok;
}

static int print_field(char **argv)
{
	struct regrid_state *s;
	struct params p;

	make_params(&p, "regrid.bilinear", argv[0], argv[1], "2x2");
	s = start(&p);
	for (int64_t i = 0; i < s->h * s->w; i++)
		printf("%.17g\n", ((const double *)s->src)[i]);
	p.kernel->free(s);
	return 0;
}

static int print_grid(char **argv)
{
	bool is_node = strcmp(argv[1], "node") == 0;
	int h, w;
	double dx, dy;

	if (sscanf(argv[0], "%dx%d", &h, &w) != 2 || h < 2 || w < 2)
		die("not HxW: ", argv[0]);
	dx = 360. / (is_node ? w - 1 : w);
	dy = 180. / (is_node ? h - 1 : h);
	printf("gridtype = lonlat\nxsize = %d\nysize = %d\nxfirst = %.17g\nxinc = %.17g\n"
	       "yfirst = %.17g\nyinc = %.17g\n",
		w, h, is_node ? -180 : -180 + dx / 2, dx, is_node ? -90 : -90 + dy / 2, dy);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 8 && strcmp(argv[1], "check") == 0)
		return check(argv + 2);
	if (argc == 4 && strcmp(argv[1], "field") == 0)
		return print_field(argv + 2);
	if (argc == 4 && strcmp(argv[1], "grid") == 0)
		return print_grid(argv + 2);
	die("usage: cdo field KERNEL HxW GRID | grid HxW GRID | check KERNEL HxW GRID W.nc "
	    "F.nc",
		"");
}
