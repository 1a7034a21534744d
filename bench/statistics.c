/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench/statistics FOLDER [SECTION...]: the detectors and tests of stats/ on public data,
 * beside published figures. Prints each target with pass or FAIL; exit 1 when one is missed, 77
 * when the data are not there. Seeds are fixed: the same numbers come out each time. */
#include "bench/evaluate.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/text.h"
#include "stats/dist.h"
#include "stats/interval.h"
#include "stats/quantile.h"

void target(struct evaluation *e, bool holds, const char *fmt, ...)
{
	va_list ap;

	e->n_targets++;
	e->n_missed += !holds;
	fputs(holds ? "  pass  " : "  FAIL  ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void summary_add(struct evaluation *e, bool met, const char *what, const char *wanted,
	const char *peers, const char *found)
{
	if (e->n_summary < SUMMARY_MAX)
		e->summary[e->n_summary++] = (struct summary_row){ arena_strdup(e->arena, what),
			wanted, arena_strdup(e->arena, found), peers ? peers : "", met };
}

void target_row(struct evaluation *e, bool met, const char *what, const char *wanted,
	const char *peers, const char *found, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, found);
	vsnprintf(text, sizeof(text), found, ap);
	va_end(ap);
	target(e, met, "%s: %s (%s%s%s)", what, text, wanted, peers ? "; others: " : "",
		peers ? peers : "");
	summary_add(e, met, what, wanted, peers, text);
}

const char *share_text(struct arena *a, size_t k, size_t n)
{
	double lo, hi;

	interval_share(k, n, .05, &lo, &hi);
	return arena_printf(
		a, "%.2f [%.2f, %.2f]", 100 * (double)k / (double)n, 100 * lo, 100 * hi);
}

void method_run(struct evaluation *e, struct arena *a, const struct method *m, const double *x,
	size_t n, double min_effect, struct change_points *ret)
{
	const struct detector *d;
	struct detector_params p;
	struct error err = { 0 };

	if (m->peer) {
		m->peer(a, x, n, ret);
		return;
	}
	d = detector_find(m->detector);
	p = d->defaults;
	p.min_effect = min_effect;
	if (m->alpha > 0)
		p.alpha = m->alpha;
	if (change_points_detect(d, e->tails, a, x, n, &p, ret, &err) != OK) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
}

double jmh_commit(const struct jmh *j, size_t benchmark, size_t n_processes, struct rng *r)
{
	size_t order[JMH_PROCESSES];
	double v[JMH_PROCESSES];

	for (size_t i = 0; i < JMH_PROCESSES; i++)
		order[i] = i;
	for (size_t i = 0; i < n_processes; i++) {
		size_t k = i + rng_below(r, JMH_PROCESSES - i), p = order[k];

		order[k] = order[i];
		v[i] = j->window[benchmark][p][rng_below(r, JMH_WINDOWS)];
	}
	return sample_median_in_place(v, n_processes);
}

double rng_normal(struct rng *r)
{
	double u = rng_uniform(r);

	return dist_normal_quantile(u > 0 ? u : .5);
}

static bool wanted(int argc, char **argv, const char *section)
{
	if (argc <= 2)
		return true;
	for (int i = 2; i < argc; i++)
		if (strcmp(argv[i], section) == 0)
			return true;
	return false;
}

static int run_data(struct evaluation *e, int argc, char **argv, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct jmh j;
	int r = OK;

	if (wanted(argc, argv, "tcpd"))
		r = evaluate_tcpd(e, err);
	if (r == OK && wanted(argc, argv, "histories"))
		r = evaluate_histories(e, err);
	if (r == OK)
		r = evaldata_jmh(a, e->folder, &j, err);
	if (r == OK && wanted(argc, argv, "samples"))
		r = evaluate_samples(e, &j);
	if (r == OK && wanted(argc, argv, "points"))
		r = evaluate_points(e, &j);
	if (r == OK && wanted(argc, argv, "confirmation"))
		r = evaluate_confirmation(e, &j);
	if (r == OK && wanted(argc, argv, "series"))
		r = evaluate_series(e, &j);
	return r;
}

static void print_summary(const struct evaluation *e)
{
	static const char *const titles[] = { "target", "wanted", "found", "met",
		"others (reference)" };
	struct table *t = table_new(e->arena, ARRAY_SIZE(titles));
	_cleanup_(buf_done)
	struct buf b = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(titles); i++)
		table_head(t, i, titles[i], false);
	for (size_t i = 0; i < e->n_summary; i++) {
		const struct summary_row *r = &e->summary[i];
		const char *cells[] = { r->what, r->wanted, r->found, r->met ? "yes" : "NO",
			r->peers };

		table_add(t, cells);
	}
	table_format(t, TABLE_TEXT, &b);
	printf("\n%s", buf_str(&b));
}

static int finish(struct evaluation *e)
{
	if (e->n_summary > 0)
		print_summary(e);
	arena_free(e->arena);
	mw_tails_free(e->tails);
	printf("\n%zu of %zu targets hold\n", e->n_targets - e->n_missed, e->n_targets);
	return e->n_missed > 0;
}

static bool are_sections(int argc, char **argv)
{
	static const char *const names[] = { "tcpd", "histories", "samples", "points",
		"confirmation", "series", "stopping", "speed", "synthetic" };

	if (argv[1][0] == '-' && argv[1][1])
		return false;
	for (int i = 2; i < argc; i++) {
		bool known = false;

		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			known |= strcmp(argv[i], names[k]) == 0;
		if (!known)
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct evaluation e = { .tails = mw_tails_new(), .arena = arena_new(), .scale = 1 };
	struct error err = { 0 };
	bool needs_data;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2 || !are_sections(argc, argv)) {
		fputs("usage: bench/statistics FOLDER [tcpd|histories|samples|points|"
		      "confirmation|series|stopping|speed|synthetic ...]\n"
		      "       bench/statistics - synthetic\n",
			stderr);
		return 2;
	}
	e.folder = argv[1];
	needs_data = argc != 3 || strcmp(argv[2], "synthetic");
	if (needs_data && access(e.folder, R_OK) != 0) {
		printf("skipped: there is no data folder '%s'\n", e.folder);
		return 77;
	}
	if (wanted(argc, argv, "synthetic"))
		evaluate_synthetic(&e);
	if (!needs_data)
		return finish(&e);
	if (run_data(&e, argc, argv, &err) != OK) {
		fprintf(stderr, "bench/statistics: %s\n", err.text);
		return err.code == E_NOT_FOUND ? 77 : 1;
	}
	if (wanted(argc, argv, "stopping") && evaluate_stopping(&e) != OK)
		return 1;
	if (wanted(argc, argv, "speed") && evaluate_speed(&e) != OK)
		return 1;
	return finish(&e);
}
