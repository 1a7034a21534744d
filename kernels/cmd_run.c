/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchd-kernel run and verify. */
#include <stdio.h>
#include <string.h>
#include "base/json.h"
#include "kernels/cli.h"
#include "kernels/measure.h"
#include "kernels/proof.h"
#include "kernels/report.h"
#include "kernels/size.h"

/* What to measure, one after the other, and what came of it. */
struct work {
	const struct cli *cli;
	struct arena *arena;
	struct params **lists; /* for each kernel its combinations */
	size_t *n, n_kernels, n_all, n_done;
	struct report_table *table;
	size_t n_proven;
	int status; /* the most serious so far */
};

/* --- options and environment -------------------------------------------------------------- */

/* The option, else the variable, else the default. */
static int read_limit(int64_t option, const char *variable, int64_t min, int64_t max,
	int64_t otherwise, int64_t *ret, struct error *err)
{
	const char *text = getenv(variable);
	char *end;

	*ret = option >= 0 ? option : otherwise;
	if (option >= 0 || !text)
		return OK;
	*ret = strtoll(text, &end, 10);
	if (end == text || *end || *ret < min || *ret > max)
		return error_set_field(err, E_BAD_REQUEST, variable,
			"%s is '%.40s'; it must be a whole number from %lld to %lld", variable,
			text, (long long)min, (long long)max);
	return OK;
}

static int read_options(const struct cli *c, struct measure_options *o, struct error *err)
{
	int64_t samples, warmup;
	int r = read_limit(c->samples, "BENCHD_SAMPLES", 1, MEASURE_SAMPLES_MAX,
		protocol_is_open() ? 5 : 10, &samples, err);

	if (r == OK)
		r = read_limit(
			c->warmup, "BENCHD_WARMUP", 0, MEASURE_WARMUP_MAX, 1, &warmup, err);
	if (r == OK)
		r = read_limit(c->iterations, "BENCHD_ITERATIONS", 0, MEASURE_ITERATIONS_MAX, 0,
			&o->iterations, err);
	if (r != OK)
		return r;
	o->n_samples = (int)samples;
	o->min_warmup = (int)MAX(warmup, 1);
	o->target_ns = c->min_time_ns;
	o->skip_ceilings = c->no_ceiling;
	return OK;
}

/* BENCHD_SEED is the worker's --seed; any 64-bit number, taken as 63 bits. */
static int read_seed(struct cli *c, struct error *err)
{
	const char *text = getenv("BENCHD_SEED");
	unsigned long long v;
	char *end;

	if (c->seed >= 0 || !text)
		return OK;
	v = strtoull(text, &end, 10);
	if (end == text || *end || text[0] == '-')
		return error_set_field(err, E_BAD_REQUEST, "BENCHD_SEED",
			"BENCHD_SEED is '%.40s'; it must be a whole number", text);
	c->seed = (int64_t)(v & INT64_MAX);
	return OK;
}

/* --- all combinations --------------------------------------------------------------------- */

/* Each type of the Vulkan items once more, at its first size, under the validation layer. */
static void add_validated(struct work *w, size_t i)
{
	struct params *old = w->lists[i];
	size_t n = w->n[i];

	w->lists[i] = ARENA_ARRAY(w->arena, struct params, 2 * n);
	memcpy(w->lists[i], old, n * sizeof(*old));
	for (size_t k = 0; k < n; k++) {
		bool is_first = k == 0 || old[k - 1].backend != old[k].backend ||
				old[k - 1].dtype != old[k].dtype;

		if (old[k].backend != BACKEND_VULKAN || old[k].validate || !is_first)
			continue;
		w->lists[i][w->n[i]] = old[k];
		w->lists[i][w->n[i]++].validate = true;
	}
}

static bool has_vulkan(const struct cli *c)
{
	return c->backends && strstr(c->backends, "vulkan");
}

/* Of "--all": Vulkan is proven plain and under validation; what is left out is said. */
static bool may_validate(const struct cli *c)
{
	struct error err;

	if (!c->all || c->validate)
		return false;
	if (!has_vulkan(c) && !c->backends_given)
		fprintf(stderr, "benchd-kernel: left out: the vulkan backend: no GPU is here; "
				"--device cpu takes a software device\n");
	if (!has_vulkan(c))
		return false;
	if (devices_validate(c->device, &err) == OK)
		return true;
	fprintf(stderr, "benchd-kernel: left out: Vulkan under validation: %s\n", err.text);
	return false;
}

static int collect(struct work *w, struct cli *c, struct error *err)
{
	const struct kernel *list[CLI_SELECTED];
	int r = cli_select(c, list, &w->n_kernels, err);
	bool is_validated;

	if (r == OK && c->all && c->n_words == 0)
		for (; kernel_table[w->n_kernels]; w->n_kernels++)
			list[w->n_kernels] = kernel_table[w->n_kernels];
	if (r == OK && w->n_kernels == 0)
		return error_set(err, E_BAD_REQUEST,
			"no kernel given; name one or more, see 'benchd-kernel list'");
	if (r == OK)
		r = read_seed(c, err);
	if (r != OK)
		return r;
	is_validated = may_validate(c);
	w->lists = ARENA_ARRAY(w->arena, struct params *, w->n_kernels);
	w->n = ARENA_ARRAY(w->arena, size_t, w->n_kernels);
	for (size_t i = 0; i < w->n_kernels; i++) {
		r = cli_expand(c, list[i], w->arena, &w->lists[i], &w->n[i], err);
		if (r != OK)
			return r;
		if (is_validated)
			add_validated(w, i);
		w->n_all += w->n[i];
	}
	return OK;
}

static void on_progress(void *arg, double fraction)
{
	const struct work *w = arg;

	protocol_progress(((double)w->n_done + fraction) / (double)w->n_all);
}

/* The most serious status wins: a lost device, a stop, an error, a wrong output, the rest. */
static void note_status(struct work *w, int status)
{
	static const int order[] = { 0, EXIT_UNAVAILABLE, EXIT_USAGE, EXIT_UNVERIFIED,
		EXIT_BROKEN, EXIT_STOPPED, EXIT_LOST };
	size_t a = 0, b = 0;

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		a = order[i] == w->status ? i : a;
		b = order[i] == status ? i : b;
	}
	if (b > a)
		w->status = status;
}

static void report_wrong(struct work *w, const struct measurement *m)
{
	const struct invariant *bad = proof_failed(&m->proof);
	struct error err;

	error_set(&err, E_CONFLICT, "%s (%s, %s): the output is wrong: %s is %.6g, limit %.6g",
		m->p.kernel->id, backend_name(m->p.backend), dtype_name(m->p.dtype), bad->name,
		bad->value, bad->limit);
	note_status(w, cli_fail(&err));
}

static void report_one(struct work *w, const struct measurement *m)
{
	protocol_report(m);
	w->n_proven += m->proof.ok;
	if (!m->proof.ok)
		report_wrong(w, m);
	if (w->cli->json) {
		_cleanup_(json_decref)
		json_t *o = report_json(m);
		_cleanup_(free)
		char *text = json_text(o);

		puts(text);
		fflush(stdout);
	}
	report_table_add(w->table, m);
}

/* A status line for people who wait at a terminal. */
static void show_next(const struct work *w, const struct params *p)
{
	if (!w->cli->quiet && w->n_all > 1 && isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K[%zu/%zu] %s %s ", w->n_done + 1, w->n_all,
			p->kernel->id, backend_name(p->backend));
}

typedef int measure_fn(const struct params *p, const struct measure_options *o,
	struct measurement *m, struct error *err);

static void do_all(struct work *w, measure_fn *f, const struct measure_options *o)
{
	for (size_t i = 0; i < w->n_kernels; i++)
		for (size_t k = 0; k < w->n[i]; k++) {
			_cleanup_(measurement_done)
			struct measurement m = { 0 };
			struct error err;
			int r;

			show_next(w, &w->lists[i][k]);
			r = f(&w->lists[i][k], o, &m, &err);
			if (r == OK)
				report_one(w, &m);
			else
				note_status(w, cli_fail(&err));
			w->n_done++;
			if (r == E_GONE || r == E_DEADLINE)
				return;
		}
}

/* What would be measured, and what memory it would take. */
static void print_plan(const struct work *w)
{
	char size[SIZE_TEXT];

	for (size_t i = 0; i < w->n_kernels; i++)
		for (size_t k = 0; k < w->n[i]; k++) {
			const struct params *p = &w->lists[i][k];
			struct counts c = { 0 };

			p->kernel->count(p, &c);
			printf("%s %s %s %s threads %d, %.4g MiB, %.4g GFLOP\n", p->kernel->id,
				backend_name(p->backend), dtype_name(p->dtype),
				size_format(p, size), p->threads,
				c.footprint_bytes / (double)MiB, c.flops / 1e9);
		}
}

static int work_run(struct cli *c, measure_fn *f)
{
	_cleanup_(arena_free)
	struct arena *arena = arena_new();
	_cleanup_(report_table_free)
	struct report_table *table = report_table_new();
	struct work w = { .cli = c, .arena = arena, .table = table };
	struct measure_options o = { .on_progress = on_progress, .arg = &w };
	struct error err;

	if (collect(&w, c, &err) != OK || read_options(c, &o, &err) != OK)
		return cli_fail(&err);
	if (c->dry_run) {
		print_plan(&w);
		return 0;
	}
	do_all(&w, f, &o);
	if (isatty(STDERR_FILENO) && w.n_all > 1)
		fprintf(stderr, "\r\033[K");
	if (!c->json && w.n_done > 0)
		report_table_print(w.table, c->csv);
	fflush(stdout); /* the table stands before what is said of it */
	if (c->all && !c->quiet)
		fprintf(stderr, "benchd-kernel: %zu of %zu outputs proven\n", w.n_proven,
			w.n_all);
	return w.status;
}

/* --- commands ----------------------------------------------------------------------------- */

int cmd_run(const struct cli *c)
{
	struct cli copy = *c;

	return work_run(&copy, measure_run);
}

static int verify_one(const struct params *p, const struct measure_options *o,
	struct measurement *m, struct error *err)
{
	(void)o;
	return measure_verify(p, m, err);
}

/* Every backend of the CPU and, unless lists were given, every dtype at the small size; with
 * --all also at sizes of the first two caches, and on a GPU where there is one (a software
 * device only when --device names it), there plain and once more under validation. */
int cmd_verify(const struct cli *c)
{
	struct cli copy = *c;

	copy.backends_given = copy.backends || copy.threads;
	if (!copy.backends_given)
		copy.backends =
			copy.device || (copy.all && devices_have_gpu()) ? "all,vulkan" : "all";
	if (!copy.sizes)
		copy.sizes = copy.all ? "caches" : "small";
	if (!copy.dtypes)
		copy.dtypes = "all";
	return work_run(&copy, verify_one);
}
