/* SPDX-License-Identifier: GPL-3.0-or-later */
/* regrid.nearest .bilinear .conservative: a field from one regular lon-lat grid to another.
 *
 * Grids (rows x columns, latitude -90..90, longitude -180..180, row-major):
 *   cell  x_i = lo + (hi - lo)(i + 1/2)/n     node  x_i = lo + (hi - lo) i/(n - 1)
 * Size = the source; the target has half of its rows and columns unless told otherwise.
 * All three methods are separable: weights belong to axes, and every index comes from integers,
 * because a half-resolution target is all ties (kernels/regrid_axis.c).
 *
 * Used by regrid*.c, vk_regrid.c and the tests. */
#ifndef KERNELS_REGRID_H
#define KERNELS_REGRID_H

#include "kernels/kernels.h"

enum regrid_method { REGRID_NEAREST, REGRID_BILINEAR, REGRID_CONSERVATIVE };
enum regrid_grid { REGRID_CELL, REGRID_NODE };
enum regrid_weights { REGRID_CACHED, REGRID_REGENERATED, REGRID_CSR };

enum regrid_mode { REGRID_ONCE, REGRID_CONVERGENCE, REGRID_ROUNDTRIP };
enum regrid_mask { REGRID_UNMASKED, REGRID_FRACAREA, REGRID_DESTAREA };
enum regrid_pole { REGRID_POLE_CLAMP, REGRID_POLE_MEAN };

enum { REGRID_LINKS_MAX = 64 }; /* of a target row */
/* A target that got less of its area than this has no value. */
#define REGRID_LEAST_AREA 1e-9
/* Chords that differ by less are equally long. */
#define REGRID_CHORD_TIE 1e-12

/* How one axis of the target hangs on the same axis of the source. Target t takes sources
 * first[t] .. first[t] + n_links - 1 with the weights weight[l * n_dst + t]. A cyclic axis may
 * name -1 or n_src and more: take them modulo n_src. Unused links have weight 0. */
struct regrid_axis {
	enum regrid_method method;
	enum regrid_grid grid;
	enum dtype dtype;
	bool is_lat;
	bool has_poles; /* sources -1 and n_src are virtual rows at the poles */
	int64_t turn;	/* source i is the (i + turn)th from -180 */
	int64_t n_src, n_dst;
	int n_links;
	bool is_cyclic;
	int64_t seam; /* the target whose first source is before its neighbour's; 0 = none */
	int stride; /* first[t] = first[0] + stride t on each side of the seam; 0 = irregular */
	int32_t *first; /* n_dst */
	void *weight;	/* n_links * n_dst of the dtype; NULL for nearest */
	double *exact;	/* the same in f64, for the reference; NULL for nearest */
};

/* Links of the general path: target i takes index[k], weight[k] for k in row[i]..row[i+1]-1. */
struct regrid_links {
	int64_t n_rows, n_links;
	int64_t *row;
	int32_t *index;
	void *weight;
};

struct regrid_state {
	const struct params *p;
	enum regrid_method method;
	enum regrid_grid grid;
	enum regrid_weights weights;
	int64_t h, w, th, tw, levels; /* source, target, fields */
	int64_t tile_rows, tile_columns;
	bool is_flipped;	     /* source rows are stored from the north */
	int64_t turn;		     /* the first stored column, counted from -180 */
	bool has_poles;		     /* pole=mean: rows -1 and h of each level */
	bool is_chord;		     /* nearest on the sphere, by links */
	struct regrid_axis lat, lon; /* rows count from the south, columns as stored */
	struct regrid_links links;   /* with --weights csr */
	uint8_t *mask;		     /* h x w, 1: no value there; NULL: all have one */
	void *memory;		     /* of the sources, poles included */
	void *src, *dst;	     /* levels x h x w and levels x th x tw of the dtype */
	void *buffers;		     /* a row buffer for each thread */
	int64_t buffer_bytes;
	bool is_nontemporal;
	const struct regrid_code *code;
};

/* One target row between two columns, as the inner loops take it. */
struct regrid_row {
	void *out;
	const void *src;	  /* the first source row */
	int64_t width;		  /* source columns */
	int64_t row_pitch;	  /* elements from a row to the next one to the north */
	const double *row_weight; /* of n_row_links rows */
	int n_row_links, n_col_links;
	const int32_t *col_first; /* of n target columns */
	const void *col_weight;	  /* weight of link l: col_weight[l * col_pitch + j] */
	int64_t col_pitch, n;
	int col_stride;
	void *buffer; /* blended source columns */
	bool is_nontemporal;
};

struct regrid_code {
	void (*nearest)(const struct regrid_row *r);
	void (*separable)(const struct regrid_row *r);
	void (*links)(void *out, const void *src, const int64_t *row, const int32_t *index,
		const void *weight, int64_t lo, int64_t hi);
};

/* --- axes (regrid_axis.c) --- */
/* Build the axis from its method, grid, dtype, n_src, n_dst, is_lat, turn and has_poles. lat:
 * areas by differences of sines. */
void axis_init(struct regrid_axis *a);
/* Compute indices and weights again into the arrays that are there. */
void axis_fill(struct regrid_axis *a);
void axis_done(struct regrid_axis *a);
/* Source index of link l of target t, wrapped. */
static inline int64_t axis_source(const struct regrid_axis *a, int64_t t, int l)
{
	int64_t i = (int64_t)a->first[t] + l;

	if (a->has_poles)
		return i;
	return i < 0	       ? i + a->n_src
	       : i >= a->n_src ? (a->is_cyclic ? i - a->n_src : a->n_src - 1)
			       : i;
}
/* Targets whose sources break the definition of the method, checked from the outside: the
 * nearest one or the lower of two, the two that enclose it at their distances, all that
 * overlap it. */
int64_t axis_count_wrong(const struct regrid_axis *a, double eps);
/* Largest abs(sum of weights - 1) over the targets, from the weights of dtype d. */
double axis_unity_error(const struct regrid_axis *a, enum dtype d);

/* --- how sources lie in memory (regrid_layout.c) --- */
int64_t regrid_row(const struct regrid_state *s, int64_t r); /* where row r is stored */
/* A stored row of a level; -1 and h are the poles. */
void *regrid_row_at(const struct regrid_state *s, int64_t level, int64_t r);
void axis_turn(struct regrid_axis *a); /* from columns counted from -180 to stored ones */
int64_t axis_first(const struct regrid_axis *a, int64_t t); /* and back */
/* Virtual rows at the poles: the mean of the row beside. */
void regrid_fill_poles(const struct regrid_state *s);

/* --- explicit links (regrid_links.c) --- */
int regrid_make_links(struct regrid_state *s, struct error *err) must_check;
/* The stored source with the shortest chord to target (i, j), and how many targets of the
 * links have a nearer source than theirs. */
int64_t regrid_chord_source(const struct regrid_state *s, int64_t i, int64_t j);
int64_t regrid_count_farther(const struct regrid_state *s);

/* --- fields (regrid_field.c) --- */
enum { FIELD_TERMS = 3 };
/* Sum over k of row[k][i] * column[k][j]: every test field is such a sum. */
struct field {
	int n_terms;
	double *row[FIELD_TERMS], *column[FIELD_TERMS];
};
extern const char *const field_names[]; /* f1 f2 f3 f4 y2 y32 const linear */
/* The field's factors at the points of a grid, or (is_mean) exact means over its cells. */
void field_init(
	struct field *f, int field, bool is_mean, enum regrid_grid g, int64_t h, int64_t w);
void field_done(struct field *f);
/* The field of the sources, in the order in which they are stored. */
void regrid_source_init(const struct regrid_state *s, struct field *f);
bool field_has_means(int field);
static inline double field_get(const struct field *f, int64_t i, int64_t j)
{
	double v = f->row[0][i] * f->column[0][j];

	for (int k = 1; k < f->n_terms; k++)
		v += f->row[k][i] * f->column[k][j];
	return v;
}
/* Degrees. */
double grid_lat(enum regrid_grid g, int64_t n, int64_t i);
double grid_lon(enum regrid_grid g, int64_t n, int64_t i);
/* sin(lat2) - sin(lat1) for the band between the edges lo and hi of n from pole to pole. */
double band_area(int64_t lo, int64_t hi, int64_t n);

/* --- masks (regrid_mask.c) --- */
/* Blocks of 6 by 6 degrees, three in ten of them, by the seed: the same places on every grid.
 * free() it. */
uint8_t *regrid_mask_make(const struct params *p, enum regrid_grid g, int64_t h, int64_t w);

/* --- proof (regrid_verify.c, regrid_mode.c) --- */
/* The rest of the proof in the modes convergence and roundtrip. */
int regrid_prove_mode(
	const struct regrid_state *s, struct proof *ret, struct error *err) must_check;
int regrid_verify(void *state, struct proof *ret, struct error *err) must_check;
struct regrid_golden {
	int64_t h, w;
	enum regrid_method method;
	enum regrid_grid grid;
	double rmse, max_error, tolerance; /* relative, of both */
};
/* RMSE and largest error of f1 at half resolution in f64; NULL when not known. */
const struct regrid_golden *regrid_golden_find(const struct regrid_state *s);

#endif
