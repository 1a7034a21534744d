/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchd-kernel roofline: the ceilings of this host or device, and where kernels stand below
 * them (Williams, Waterman and Patterson 2009). */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/json.h"
#include "base/text.h"
#include "kernels/ceilings.h"
#include "kernels/cli.h"
#include "kernels/host.h"
#include "kernels/measure.h"
#include "kernels/peer.h"
#include "kernels/plot.h"
#include "kernels/proof.h"
#include "kernels/report.h"
#include "kernels/size.h"

enum { POINTS_MAX = 256 };

/* Measured kernels; those of one name are sizes of one kernel. */
struct points {
	char name[POINTS_MAX][96];
	double intensity[POINTS_MAX], gflops[POINTS_MAX];
	const char *size[POINTS_MAX]; /* beside each */
	int n;
};

struct roofline {
	const struct cli *cli;
	struct arena *arena;
	struct ceilings ceilings;
	struct table *table;
	json_t *results;
	struct points points;
};

enum { WHAT, DTYPE, SIZE, INTENSITY, BANDWIDTH, FLOPS, PERCENT, COLUMNS };

static struct table *new_table(struct arena *a)
{
	static const char *const heads[COLUMNS] = { "WHAT", "DTYPE", "SIZE", "FLOP/B", "GB/s",
		"GFLOP/s", "OF THE BINDING CEILING" };
	struct table *t = table_new(a, COLUMNS);

	for (size_t i = 0; i < COLUMNS; i++)
		table_head(t, i, heads[i], i >= INTENSITY && i < PERCENT);
	return t;
}

static const char *bytes_text(struct arena *a, double bytes)
{
	if (bytes < 4 * MiB)
		return arena_printf(a, "%.0f KiB", bytes / KiB);
	return arena_printf(a, "%.0f MiB", bytes / MiB);
}

static void add_ceiling_rows(struct roofline *r)
{
	struct arena *a = r->arena;

	for (int i = 0; i < CEILINGS_LEVELS; i++)
		for (int k = 0; k < CEILINGS_STREAMS; k++) {
			const struct ceilings_level *l = &r->ceilings.level[i];
			const char *cells[COLUMNS] = { arena_printf(a, "ceiling %s %s",
							       ceilings_levels[i],
							       ceilings_streams[k]),
				"f64", bytes_text(a, l->footprint_bytes), "",
				arena_printf(a, "%.4g", l->bytes_per_s[k] / 1e9), "", "" };

			if (l->footprint_bytes > 0)
				table_add(r->table, cells);
		}
	for (int i = 0; i < 2; i++) {
		const char *cells[COLUMNS] = { "ceiling fma_peak", i ? "f64" : "f32", "", "",
			"", arena_printf(a, "%.4g", r->ceilings.flops_per_s[i] / 1e9), "" };

		if (r->ceilings.flops_per_s[i] > 0)
			table_add(r->table, cells);
	}
}

static void add_kernel_row(struct roofline *r, const struct measurement *m)
{
	struct arena *a = r->arena;
	char size[SIZE_TEXT];
	const char *cells[COLUMNS] = { arena_printf(a, "%s %s", m->p.kernel->id,
					       backend_name(m->p.backend)),
		dtype_name(m->p.dtype), arena_strdup(a, size_format(&m->p, size)),
		arena_printf(a, "%.3g", m->counts.flops / fmax(m->counts.bytes, 1)),
		arena_printf(a, "%.4g", m->counts.bytes / m->median_ns),
		arena_printf(a, "%.4g", m->counts.flops / m->median_ns), "" };

	if (m->bound_by)
		cells[PERCENT] = arena_printf(a, "%.0f %% %s%s", m->percent, m->bound_by,
			m->is_ceiling_doubtful ? ", ceiling doubtful" : "");
	table_add(r->table, cells);
}

static void add_point(struct roofline *r, const struct measurement *m)
{
	struct points *p = &r->points;
	char size[SIZE_TEXT];

	if (p->n == POINTS_MAX)
		return;
	p->size[p->n] = arena_strdup(r->arena, size_format(&m->p, size));
	snprintf(p->name[p->n], sizeof(p->name[0]), "%s %s %s", m->p.kernel->id,
		backend_name(m->p.backend), dtype_name(m->p.dtype));
	p->intensity[p->n] = m->counts.bytes > 0 ? m->counts.flops / m->counts.bytes : NAN;
	p->gflops[p->n++] = m->counts.flops / m->median_ns;
}

static int measure_point(struct roofline *r, const struct params *p, struct error *err)
{
	const struct measure_options o = {
		.n_samples = r->cli->samples > 0 ? (int)r->cli->samples : 7,
		.min_warmup = 1,
		.target_ns = r->cli->min_time_ns ? r->cli->min_time_ns : 5000000
	};
	_cleanup_(measurement_done)
	struct measurement m = { 0 };
	int code = measure_run(p, &o, &m, err);

	if (code != OK)
		return code;
	protocol_report(&m);
	if (!m.proof.ok)
		return error_set(err, E_CONFLICT, "%s: the output is wrong: %s", p->kernel->id,
			proof_failed(&m.proof)->name);
	add_kernel_row(r, &m);
	add_point(r, &m);
	json_array_append_new(r->results, report_json(&m));
	return OK;
}

/* --- picture ------------------------------------------------------------------------------ */

enum { LINE_POINTS = 3 };

static bool is_of_device(const struct cli *c)
{
	return c->device || (c->backends && strstr(c->backends, "vulkan"));
}

/* Where the ceilings end on the right: beyond every point. */
static double right_end(const struct points *p)
{
	double end = 1000;

	for (int i = 0; i < p->n; i++)
		if (p->intensity[i] > end && isfinite(p->intensity[i]))
			end = pow(10, ceil(log10(p->intensity[i])));
	return end;
}

/* The least time of intensity x is the longer of moving and computing: up to the ridge and then
 * flat. */
static void fill_line(double *x, double *y, double bytes_per_s, double flops_per_s, double end)
{
	x[0] = 0.01;
	x[1] = fmin(fmax(flops_per_s / bytes_per_s, 0.01), end);
	x[2] = end;
	for (int i = 0; i < LINE_POINTS; i++)
		y[i] = fmin(bytes_per_s * x[i], flops_per_s) / 1e9;
}

static void add_peak(struct roofline *r, struct plot_series *s, int i)
{
	double *x = ARENA_ARRAY(r->arena, double, 2), *y = ARENA_ARRAY(r->arena, double, 2);

	x[0] = 0.01;
	x[1] = right_end(&r->points);
	y[0] = y[1] = r->ceilings.flops_per_s[i] / 1e9;
	*s = (struct plot_series){ arena_printf(r->arena, "peak %s %.4g GFLOP/s",
					   i ? "f64" : "f32", y[0]),
		x, y, 2, true, false, NULL };
}

/* Points from the i-th on that have its name. */
static int same_name(const struct points *p, int i)
{
	int n = 1;

	while (i + n < p->n && strcmp(p->name[i], p->name[i + n]) == 0)
		n++;
	return n;
}

static void print_svg(struct roofline *r)
{
	size_t most = CEILINGS_LEVELS + 2 + (size_t)r->points.n;
	struct plot_series *s = ARENA_ARRAY(r->arena, struct plot_series, most);
	double peak = fmax(r->ceilings.flops_per_s[0], r->ceilings.flops_per_s[1]);
	int threads = r->ceilings.threads;
	struct plot plot = { .title = arena_printf(r->arena, "Roofline, %d thread%s%s%s",
				     threads, threads == 1 ? "" : "s",
				     is_of_device(r->cli) ? "" : ", ",
				     is_of_device(r->cli) ? "" : host_get()->cpu),
		.x_label = "arithmetic intensity, FLOP/B",
		.y_label = "GFLOP/s",
		.is_log = true,
		.series = s };
	_cleanup_(buf_done)
	struct buf b = { 0 };

	for (int i = 0; i < CEILINGS_LEVELS; i++) {
		double rate = ceilings_best(&r->ceilings.level[i]);
		double *x = ARENA_ARRAY(r->arena, double, LINE_POINTS);
		double *y = ARENA_ARRAY(r->arena, double, LINE_POINTS);

		if (!(rate > 0))
			continue;
		fill_line(x, y, rate, peak, right_end(&r->points));
		s[plot.n_series++] = (struct plot_series){
			arena_printf(r->arena, "%s %.4g GB/s", ceilings_levels[i], rate / 1e9),
			x, y, LINE_POINTS, true, false, NULL
		};
	}
	for (int i = 0; i < 2; i++)
		if (r->ceilings.flops_per_s[i] > 0)
			add_peak(r, &s[plot.n_series++], i);
	for (int i = 0, n; i < r->points.n; i += n) {
		n = same_name(&r->points, i);
		if (!(r->points.gflops[i] > 0)) {
			fprintf(stderr,
				"benchd-kernel: not in the picture: %s only moves data\n",
				r->points.name[i]);
			continue;
		}
		s[plot.n_series++] =
			(struct plot_series){ r->points.name[i], &r->points.intensity[i],
				&r->points.gflops[i], n, false, true, &r->points.size[i] };
	}
	plot_format(&plot, &b);
	fputs(buf_str(&b), stdout);
}

/* --- command ------------------------------------------------------------------------------ */

static void print_all(struct roofline *r)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };

	if (r->cli->svg) {
		print_svg(r);
	} else if (r->cli->json) {
		_cleanup_(json_decref)
		json_t *o = json_object();
		_cleanup_(free)
		char *text = NULL;

		json_object_set_new(o, "ceilings", ceilings_json(&r->ceilings));
		json_object_set(o, "results", r->results);
		text = json_text(o);
		puts(text);
	} else {
		table_format(r->table, r->cli->csv ? TABLE_CSV : TABLE_TEXT, &b);
		fputs(buf_str(&b), stdout);
	}
}

/* Work that outgrows memory (a product of matrices, all pairs of bodies) would take for ever at
 * the larger levels: more than half a second at the peak is left out, aloud. */
static bool is_too_long(const struct roofline *r, const struct params *p)
{
	double peak = r->ceilings.flops_per_s[p->dtype == DT_F64];
	struct counts c = { 0 };
	char size[SIZE_TEXT];

	p->kernel->count(p, &c);
	if (r->cli->sizes || !(peak > 0) || c.flops < peak / 2)
		return false;
	fprintf(stderr,
		"benchd-kernel: %s %s is left out: one iteration would take %.1f s at the "
		"peak; "
		"ask for it with --size\n",
		p->kernel->id, size_format(p, size), c.flops / peak);
	return true;
}

/* Kernels at the four levels unless sizes were given; a GPU's defaults are its own. */
static int measure_points(struct roofline *r, struct error *err)
{
	const struct kernel *list[CLI_SELECTED];
	struct cli c = *r->cli;
	size_t n;
	int code = cli_select(&c, list, &n, err);

	if (!c.sizes && !is_of_device(&c))
		c.sizes = "levels";
	for (size_t i = 0; code == OK && i < n; i++) {
		struct params *all;
		size_t n_all;

		code = cli_expand(&c, list[i], r->arena, &all, &n_all, err);
		for (size_t k = 0; code == OK && k < n_all; k++)
			if (!is_too_long(r, &all[k]))
				code = measure_point(r, &all[k], err);
	}
	return code;
}

/* The levels named by --size; all when it names none. A device has no levels to choose from. */
static unsigned levels_of(const struct cli *c)
{
	const unsigned all = (1u << CEILINGS_LEVELS) - 1;
	unsigned levels = 0;

	if (c->backends && strstr(c->backends, "vulkan"))
		return all;
	for (int i = 0; c->sizes && i < CEILINGS_LEVELS; i++)
		if (strstr(c->sizes, ceilings_levels[i]))
			levels |= 1u << i;
	return levels ? levels : all;
}

/* The first of the backends asked for; a peer has the ceilings of the processor. */
static const char *first_backend(struct roofline *r)
{
	const char *text = r->cli->backends;
	char *word = text ? arena_strdup(r->arena, text) : NULL;

	if (!word)
		return NULL;
	word[strcspn(word, ",")] = 0;
	for (int b = 0; b < N_BACKENDS; b++)
		if (backend_is_peer((enum backend)b) &&
			strcmp(word, backend_name((enum backend)b)) == 0)
			return backend_name(BACKEND_SIMD);
	return word;
}

/* Whose ceilings: the first of the backends, thread counts and devices asked for. */
static int find_ceilings(struct roofline *r, struct error *err)
{
	struct cli c = *r->cli;
	struct params *p;
	size_t n;
	int code;

	c.sizes = "l1";
	c.backends = first_backend(r);
	c.dtypes = NULL;
	c.n_extra = 0;
	c.variant = NULL;
	code = cli_expand(&c, kernel_find("stream.triad"), r->arena, &p, &n, err);
	if (code == OK)
		code = ceilings_measure(&p[0], levels_of(r->cli), &r->ceilings, err);
	if (code == OK && ceilings_save(&r->ceilings, err) != OK)
		fprintf(stderr, "benchd-kernel: the ceilings will not be remembered: %s\n",
			err->text);
	return code;
}

int cmd_roofline(const struct cli *c)
{
	_cleanup_(arena_free)
	struct arena *arena = arena_new();
	_cleanup_(json_decref)
	json_t *results = json_array();
	struct roofline *r = ARENA_NEW(arena, struct roofline);
	struct error err;
	int code;

	r->cli = c;
	r->arena = arena;
	r->results = results;
	r->table = new_table(arena);
	code = find_ceilings(r, &err);
	if (code == OK) {
		add_ceiling_rows(r);
		code = measure_points(r, &err);
	}
	if (code != OK)
		return cli_fail(&err);
	print_all(r);
	return 0;
}
