/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The proof of regrid.*: every target against the formula in f64 on the field made anew, the
 * invariants of the method, and the errors against the analytic field. */
#include "kernels/regrid.h"

#include <math.h>
#include <string.h>
#include "base/cleanup.h"
#include "kernels/input.h"
#include "kernels/proof.h"

/* What one target row contributes; rows are added up in their order. */
struct row_proof {
	struct errors errors; /* against the analytic field */
	double worst;	      /* error / tolerance against the reference */
	double integral;      /* sum of values */
	double seamless;      /* largest error away from seam and poles */
	int64_t n_unwritten, n_outside;
};

/* What all rows share. */
struct check {
	const struct regrid_state *s;
	struct field source, truth;
	double eps;
	struct row_proof *rows;
};

static double level_factor(int64_t level)
{
	return 1 + (double)level / 8;
}

/* A value as the arrays hold it. */
static double rounded(const struct regrid_state *s, double v)
{
	return s->p->dtype == DT_F32 ? (double)(float)v : v;
}

/* The values of stored row r; of the row beside a pole their mean, with the mean of their
 * sizes in ret_size (0: each value has its own). */
static void make_row(const struct check *c, int64_t level, int64_t r, bool is_pole, double *out,
	double *ret_size)
{
	const struct regrid_state *s = c->s;
	double sum = 0, rest = 0, size = 0;

	*ret_size = 0;
	for (int64_t j = 0; j < s->w; j++) {
		double v = rounded(s, level_factor(level) * field_get(&c->source, r, j));
		double t = sum + v;

		rest += fabs(sum) >= fabs(v) ? sum - t + v : v - t + sum;
		sum = t;
		size += fabs(v);
		out[j] = v;
	}
	for (int64_t j = 0; is_pole && j < s->w; j++)
		out[j] = (sum + rest) / (double)s->w;
	if (is_pole)
		*ret_size = size / (double)s->w;
}

/* The n_links rows of target row i; behind them the sizes of the polar ones. */
static void make_rows(const struct check *c, int64_t level, int64_t i, double *out)
{
	const struct regrid_state *s = c->s;

	for (int k = 0; k < s->lat.n_links; k++) {
		int64_t r = axis_source(&s->lat, i, k);
		bool is_pole = r < 0 || r >= s->h;

		r = r < 0 ? 0 : r >= s->h ? s->h - 1 : r;
		make_row(c, level, regrid_row(s, r), is_pole, out + k * s->w,
			&out[s->lat.n_links * s->w + k]);
	}
}

struct reference {
	double value, magnitude, least, most, area;
};

static bool is_masked(const struct regrid_state *s, int64_t i, int64_t j, int k, int l)
{
	return s->mask &&
	       s->mask[axis_source(&s->lat, i, k) * s->w + axis_source(&s->lon, j, l)];
}

/* Where links were chosen on the sphere: the value of the one link. */
static void reference_of_link(
	const struct check *c, int64_t level, int64_t t, struct reference *ret)
{
	int64_t source = c->s->links.index[t], w = c->s->w;
	double v = rounded(
		c->s, level_factor(level) * field_get(&c->source, source / w, source % w));

	*ret = (struct reference){
		.value = v, .magnitude = fabs(v), .least = v, .most = v, .area = 1
	};
}

static void reference_of(
	const struct check *c, const double *rows, int64_t i, int64_t j, struct reference *ret)
{
	const struct regrid_state *s = c->s;
	const double *sizes = rows + s->lat.n_links * s->w;

	*ret = (struct reference){ .least = INFINITY, .most = -INFINITY };
	for (int k = 0; k < s->lat.n_links; k++)
		for (int l = 0; l < s->lon.n_links; l++) {
			double w = 1, v = rows[k * s->w + axis_source(&s->lon, j, l)];

			if (s->lat.exact)
				w = s->lat.exact[k * s->th + i] * s->lon.exact[l * s->tw + j];
			if (w == 0 || is_masked(s, i, j, k, l))
				continue;
			ret->area += w;
			ret->value += w * v;
			ret->magnitude += fabs(w) * fmax(fabs(v), sizes[k]);
			ret->least = fmin(ret->least, v);
			ret->most = fmax(ret->most, v);
		}
}

/* With fracarea the value is that of the part that has one. */
static void divide_by_area(const struct regrid_state *s, struct reference *r)
{
	if (!s->mask || params_option(s->p, "mask") != REGRID_FRACAREA || r->area == 0)
		return;
	r->value /= r->area;
	r->magnitude /= r->area;
}

/* Whether target (i, j) interpolates between neighbours, and not over the seam or beyond the
 * last row. */
static bool is_inside(const struct regrid_state *s, int64_t i, int64_t j)
{
	double r = s->lat.exact && s->lat.n_links > 1 ? s->lat.exact[s->th + i] : 0;

	int64_t first = axis_first(&s->lon, j), end = s->w;

	if (s->turn && s->grid == REGRID_NODE) /* 180 is stored as -180 */
		end--;
	if (s->has_poles && (s->lat.first[i] < 0 || s->lat.first[i] >= s->h - 1))
		return false;
	return first >= 0 && first + s->lon.n_links <= end && r > 0 && r < 1;
}

static void check_target(const struct check *c, struct row_proof *p,
	const struct reference *ref, double out, bool is_poison, double truth,
	bool is_inside_grid)
{
	const struct regrid_state *s = c->s;
	int links = s->lat.n_links * s->lon.n_links;
	double tolerance = (4 + links) * c->eps * ref->magnitude;
	double slack = s->method == REGRID_NEAREST ? 0 : 4 * c->eps * ref->magnitude;
	double error = fabs(out - ref->value);
	bool is_missing = s->mask && !(ref->area > REGRID_LEAST_AREA);

	errors_add(&p->errors, out, truth);
	if (isnan(out) || is_missing) {
		p->n_unwritten += isnan(out) != is_missing || is_poison;
		return;
	}
	if (s->method == REGRID_NEAREST || tolerance == 0)
		p->worst = out == ref->value ? p->worst : INFINITY;
	else
		p->worst = fmax(p->worst, error / tolerance);
	if (params_option(s->p, "mask") != REGRID_DESTAREA)
		p->n_outside += out < ref->least - slack || out > ref->most + slack;
	p->integral += out;
	if (is_inside_grid)
		p->seamless = fmax(p->seamless, fabs(out - truth));
}

/* A target without a source is a NaN too, but not this one. */
static bool is_poison(const struct regrid_state *s, int64_t at)
{
	uint32_t word;

	memcpy(&word, (const char *)s->dst + at * dtype_bytes(s->p->dtype), sizeof(word));
	return word == (uint32_t)POISON_WORD;
}

static void check_row(const struct check *c, int64_t row, double *rows)
{
	const struct regrid_state *s = c->s;
	int64_t level = row / s->th, i = row % s->th;
	struct row_proof *p = &c->rows[row];

	errors_init(&p->errors);
	make_rows(c, level, i, rows);
	for (int64_t j = 0; j < s->tw; j++) {
		double out = real_get(s->dst, s->p->dtype, (size_t)(row * s->tw + j));
		double truth = level_factor(level) * field_get(&c->truth, i, j);
		struct reference ref;

		if (s->is_chord)
			reference_of_link(c, level, i * s->tw + j, &ref);
		else
			reference_of(c, rows, i, j, &ref);
		divide_by_area(s, &ref);
		check_target(c, p, &ref, out, is_poison(s, row * s->tw + j), truth,
			is_inside(s, i, j));
	}
}

static void check_rows(const struct check *c)
{
	const struct regrid_state *s = c->s;

#pragma omp parallel num_threads(s->p->threads) if (s->p->threads > 1)
	{
		double *rows = xcalloc((size_t)(s->lat.n_links * (s->w + 1)), sizeof(*rows));

#pragma omp for schedule(static)
		for (int64_t r = 0; r < s->levels * s->th; r++)
			check_row(c, r, rows);
		free(rows);
	}
}

/* --- claims ------------------------------------------------------------------------------- */

/* Area of a cell of row i of n on the unit sphere, with m columns. */
static double cell_area(int64_t n, int64_t i, int64_t m)
{
	return 2 * M_PI / (double)m * band_area(i, i + 1, n);
}

static void add(double v, double *sum, double *abs_sum)
{
	*sum += v;
	*abs_sum += fabs(v);
}

/* Integral over the sphere before and after, all levels together. */
static void claim_integral(const struct check *c, struct proof *ret)
{
	const struct regrid_state *s = c->s;
	double before = 0, after = 0, magnitude = 0;

	for (int64_t r = 0; r < s->levels * s->h; r++) {
		double area = cell_area(s->h, r % s->h, s->w), sum = 0, abs_sum = 0;
		const void *row = regrid_row_at(s, r / s->h, r % s->h);

		for (int64_t j = 0; j < s->w; j++)
			if (!s->mask || !s->mask[r % s->h * s->w + j])
				add(real_get(row, s->p->dtype, (size_t)j), &sum, &abs_sum);
		before += area * sum;
		magnitude += area * abs_sum;
	}
	for (int64_t r = 0; r < s->levels * s->th; r++)
		after += cell_area(s->th, r % s->th, s->tw) * c->rows[r].integral;
	proof_claim(ret, "change of the global integral / integral of abs(f)",
		fabs(after - before) / magnitude, s->p->dtype == DT_F64 ? 1e-13 : 1e-6);
}

static void claim_field(const struct check *c, const struct row_proof *all, struct proof *ret)
{
	const struct regrid_state *s = c->s;
	const char *field = field_names[params_option(s->p, "field")];
	double most = fmax(fabs(all->errors.least), fabs(all->errors.most));
	bool is_nested = s->h % s->th == 0 && s->w % s->tw == 0;

	if (strcmp(field, "const") == 0)
		proof_claim(ret, "error of a constant field / eps c",
			ret->accuracy.max_error / (c->eps * most), 4);
	if (strcmp(field, "linear") == 0 && s->method == REGRID_BILINEAR)
		proof_claim(ret, "error of a linear field away from the seam / eps",
			all->seamless / (c->eps * most), 8);
	if (s->method == REGRID_CONSERVATIVE && params_option(s->p, "values") == 1 && is_nested)
		proof_claim(ret, "rmse of nested cell means against exact means",
			ret->accuracy.rmse, s->p->dtype == DT_F64 ? 1e-12 : 1e-6);
}

/* Which targets have no value is checked with the targets; here, that the mask hides some
 * sources, and what a constant field is then. */
static void claim_mask(
	const struct regrid_state *s, const struct row_proof *all, struct proof *ret)
{
	int64_t n = 0;

	for (int64_t i = 0; i < s->h * s->w; i++)
		n += s->mask[i];
	proof_claim(ret, "the mask hides none or all", n == 0 || n == s->h * s->w, 0);
	if (strcmp(field_names[params_option(s->p, "field")], "const") == 0 &&
		params_option(s->p, "mask") == REGRID_FRACAREA)
		proof_claim(ret, "error of a constant field under the mask / eps c",
			ret->accuracy.max_error /
				(dtype_eps(s->p->dtype) * fabs(all->errors.most)),
			16);
}

static void claim_golden(const struct regrid_state *s, struct proof *ret)
{
	const struct regrid_golden *g = regrid_golden_find(s);

	if (!g)
		return;
	proof_claim(ret, "rmse against the golden value, relative",
		fabs(ret->accuracy.rmse / g->rmse - 1), g->tolerance);
	if (g->max_error > 0)
		proof_claim(ret, "largest error against the golden value, relative",
			fabs(ret->accuracy.max_error / g->max_error - 1), g->tolerance);
}

static void add_rows(const struct check *c, struct row_proof *all)
{
	const struct regrid_state *s = c->s;

	errors_init(&all->errors);
	for (int64_t r = 0; r < s->levels * s->th; r++) {
		const struct row_proof *p = &c->rows[r];

		errors_merge(&all->errors, &p->errors);
		all->worst = fmax(all->worst, p->worst);
		all->seamless = fmax(all->seamless, p->seamless);
		all->n_unwritten += p->n_unwritten;
		all->n_outside += p->n_outside;
	}
}

static void claim_all(const struct check *c, struct proof *ret)
{
	const struct regrid_state *s = c->s;
	struct row_proof all = { 0 };

	add_rows(c, &all);
	errors_finish(&all.errors, &ret->accuracy);
	ret->n_outputs = all.errors.n_total;
	proof_claim(ret, "targets not written", (double)all.n_unwritten, 0);
	proof_claim(ret, "largest error against the formula / tolerance", all.worst, 1);
	proof_claim(
		ret, "targets outside the range of their sources", (double)all.n_outside, 0);
	proof_claim(ret, "axis targets with a wrong index or weight",
		(double)(axis_count_wrong(&s->lat, c->eps) + axis_count_wrong(&s->lon, c->eps)),
		0);
	if (s->is_chord)
		proof_claim(ret, "targets with a nearer source on the sphere",
			(double)regrid_count_farther(s), 0);
	if (s->method != REGRID_NEAREST)
		proof_claim(ret, "partition of unity: abs(sum of weights - 1) / eps",
			fmax(axis_unity_error(&s->lat, s->p->dtype),
				axis_unity_error(&s->lon, s->p->dtype)) /
				c->eps,
			4);
	if (s->method == REGRID_CONSERVATIVE && params_option(s->p, "mask") != REGRID_FRACAREA)
		claim_integral(c, ret);
	if (s->mask)
		claim_mask(s, &all, ret);
	else
		claim_field(c, &all, ret);
	claim_golden(s, ret);
}

int regrid_verify(void *state, struct proof *ret, struct error *err)
{
	const struct regrid_state *s = state;
	struct check c = { .s = s, .eps = dtype_eps(s->p->dtype) };

	regrid_source_init(s, &c.source);
	field_init(&c.truth, (int)params_option(s->p, "field"), params_option(s->p, "values"),
		s->grid, s->th, s->tw);
	c.rows = xcalloc((size_t)(s->levels * s->th), sizeof(*c.rows));
	check_rows(&c);
	claim_all(&c, ret);
	proof_digest(
		ret, s->dst, (size_t)(s->levels * s->th * s->tw * dtype_bytes(s->p->dtype)));
	free(c.rows);
	field_done(&c.source);
	field_done(&c.truth);
	return regrid_prove_mode(s, ret, err);
}
