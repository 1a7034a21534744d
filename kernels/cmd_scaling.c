/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchd-kernel scaling: one kernel on more and more threads, the same work (strong) or the
 * same work a thread (--weak). Thread counts take turns, so that a drift of the host meets all.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "kernels/cli.h"
#include "kernels/host.h"
#include "kernels/measure.h"
#include "kernels/plot.h"
#include "kernels/proof.h"
#include "kernels/size.h"
#include "kernels/steady.h"

enum { BLOCKS = 3, SAMPLES = 5, STEPS_MAX = 64 };

struct step {
	struct params p;
	double samples_ns[BLOCKS * SAMPLES], median_ns, rate;
	int n_samples;
	double speedup, efficiency, serial_part; /* Karp and Flatt 1990; NaN with 1 thread */
};

struct scaling {
	const struct cli *cli;
	struct arena *arena;
	struct step step[STEPS_MAX];
	int n;
};

/* --- what to measure ---------------------------------------------------------------------- */

/* 1, 2, 4, ... and all. */
static const char *default_threads(struct arena *a)
{
	int all = host_get()->n_cpus;
	const char *text = "1";

	for (int n = 2; n < all; n *= 2)
		text = arena_printf(a, "%s,%d", text, n);
	return all > 1 ? arena_printf(a, "%s,%d", text, all) : text;
}

static double work_of(const struct params *p)
{
	struct counts c = { 0 };

	p->kernel->count(p, &c);
	return c.work;
}

static int prepare(struct scaling *s, struct error *err)
{
	const struct kernel *list[CLI_SELECTED];
	struct cli c = *s->cli;
	struct params *all;
	size_t n;
	int r = cli_select(&c, list, &n, err);

	if (r == OK && n != 1)
		return error_set(err, E_BAD_REQUEST, "scaling takes one kernel, not %zu", n);
	c.threads = c.threads ? c.threads : default_threads(s->arena);
	c.backends = "threads";
	if (r == OK)
		r = cli_expand(&c, list[0], s->arena, &all, &n, err);
	if (r == OK && (n > STEPS_MAX || n < 1))
		return error_set(err, E_UNPROCESSABLE, "more than %d steps", STEPS_MAX);
	for (size_t i = 0; r == OK && i < n; i++)
		s->step[i].p = all[i];
	s->n = (int)n;
	if (r == OK && s->step[0].p.threads != 1)
		return error_set_field(err, E_BAD_REQUEST, "threads",
			"the first number of threads must be 1: speedup is against it");
	return r;
}

/* --- measure ------------------------------------------------------------------------------ */

static int measure_step(struct step *t, int64_t target_ns, struct error *err)
{
	const struct measure_options o = { .n_samples = SAMPLES,
		.min_warmup = 2,
		.target_ns = target_ns ? target_ns : 5 * NS_PER_MS,
		.skip_ceilings = true };
	_cleanup_(measurement_done)
	struct measurement m = { 0 };
	int r = measure_run(&t->p, &o, &m, err);

	if (r != OK)
		return r;
	if (!m.proof.ok)
		return error_set(err, E_CONFLICT, "%s: the output is wrong: %s",
			t->p.kernel->id, proof_failed(&m.proof)->name);
	for (int i = 0; i < m.n_samples; i++)
		t->samples_ns[t->n_samples++] = m.samples_ns[i];
	return OK;
}

static void derive(struct scaling *s)
{
	for (int i = 0; i < s->n; i++) {
		struct step *t = &s->step[i];
		double threads = t->p.threads;

		t->median_ns = steady_median(t->samples_ns, (size_t)t->n_samples);
		t->rate = work_of(&t->p) / (t->median_ns * 1e-9) / t->p.kernel->rate_scale;
		t->speedup = t->rate / s->step[0].rate;
		t->efficiency = t->speedup / threads;
		t->serial_part =
			threads > 1 ? (1 / t->speedup - 1 / threads) / (1 - 1 / threads) : NAN;
	}
}

/* --- output ------------------------------------------------------------------------------- */

static const char *kind_of(const struct scaling *s)
{
	return s->cli->weak ? "weak" : "strong";
}

static void print_json(const struct scaling *s)
{
	_cleanup_(json_decref)
	json_t *o = json_object();
	json_t *steps = json_array();
	_cleanup_(free)
	char *text = NULL;
	char size[SIZE_TEXT];

	json_set_str(o, "kernel", s->step[0].p.kernel->id);
	json_set_str(o, "dtype", dtype_name(s->step[0].p.dtype));
	json_set_str(o, "kind", kind_of(s));
	for (int i = 0; i < s->n; i++) {
		const struct step *t = &s->step[i];
		json_t *e = json_object(), *samples = json_array();

		json_set_int(e, "threads", t->p.threads);
		json_set_str(e, "size", size_format(&t->p, size));
		json_set_real(e, "work_per_thread", work_of(&t->p) / t->p.threads);
		for (int k = 0; k < t->n_samples; k++)
			json_array_append_new(samples, json_real(t->samples_ns[k]));
		json_object_set_new(e, "samples_ns", samples);
		json_set_real(e, "median_ns", t->median_ns);
		json_set_real(e, "speedup", t->speedup);
		json_set_real(e, "efficiency", t->efficiency);
		json_set_real(e, "karp_flatt", t->serial_part);
		json_array_append_new(steps, e);
	}
	json_object_set_new(o, "steps", steps);
	text = json_text(o);
	puts(text);
}

static void print_svg(const struct scaling *s)
{
	double threads[STEPS_MAX], speedup[STEPS_MAX];
	const struct plot_series series[] = {
		{ kind_of(s), threads, speedup, s->n, true, true, NULL },
		{ "ideal", threads, threads, s->n, true, false, NULL },
	};
	char size[SIZE_TEXT];
	struct plot plot = { .title = arena_printf(s->arena, "%s %s %s",
				     s->step[0].p.kernel->id, dtype_name(s->step[0].p.dtype),
				     size_format(&s->step[0].p, size)),
		.x_label = "threads",
		.has_whole_x = true,
		.y_label = "speedup of throughput",
		.series = series,
		.n_series = 2 };
	_cleanup_(buf_done)
	struct buf b = { 0 };

	for (int i = 0; i < s->n; i++) {
		threads[i] = s->step[i].p.threads;
		speedup[i] = s->step[i].speedup;
	}
	plot_format(&plot, &b);
	fputs(buf_str(&b), stdout);
}

enum { KERNEL, KIND, THREADS, SIZE, MEDIAN, RATE, SPEEDUP, EFFICIENCY, SERIAL, COLUMNS };

static void print_table(const struct scaling *s)
{
	static const char *const heads[COLUMNS] = { "KERNEL", "KIND", "THREADS", "SIZE",
		"MEDIAN", "THROUGHPUT", "SPEEDUP", "EFFICIENCY", "KARP-FLATT" };
	struct table *table = table_new(s->arena, COLUMNS);
	struct arena *a = s->arena;
	_cleanup_(buf_done)
	struct buf b = { 0 };

	for (size_t i = 0; i < COLUMNS; i++)
		table_head(table, i, heads[i], i >= MEDIAN);
	for (int i = 0; i < s->n; i++) {
		const struct step *t = &s->step[i];
		char size[SIZE_TEXT], time[TIME_TEXT];
		const char *cells[COLUMNS] = { t->p.kernel->id, kind_of(s),
			arena_printf(a, "%d", t->p.threads), size_format(&t->p, size),
			duration_format(t->median_ns, time),
			arena_printf(a, "%.4g %s", t->rate, t->p.kernel->rate_unit),
			arena_printf(a, "%.3f", t->speedup),
			arena_printf(a, "%.3f%s", t->efficiency,
				t->efficiency > 1.02 ? " (caches)" : ""),
			i ? arena_printf(a, "%.3f", t->serial_part) : "" };

		table_add(table, cells);
	}
	table_format(table, s->cli->csv ? TABLE_CSV : TABLE_TEXT, &b);
	fputs(buf_str(&b), stdout);
}

int cmd_scaling(const struct cli *c)
{
	_cleanup_(arena_free)
	struct arena *arena = arena_new();
	struct scaling *s = ARENA_NEW(arena, struct scaling);
	struct error err;
	int r;

	s->cli = c;
	s->arena = arena;
	r = prepare(s, &err);
	for (int block = 0; r == OK && block < BLOCKS; block++)
		for (int i = 0; r == OK && i < s->n; i++)
			r = measure_step(&s->step[i], c->min_time_ns, &err);
	if (r != OK)
		return cli_fail(&err);
	derive(s);
	if (c->json)
		print_json(s);
	else if (c->svg)
		print_svg(s);
	else
		print_table(s);
	return 0;
}
