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

static int finish(struct evaluation *e)
{
	mw_tails_free(e->tails);
	printf("\n%zu of %zu targets hold\n", e->n_targets - e->n_missed, e->n_targets);
	return e->n_missed > 0;
}

int main(int argc, char **argv)
{
	struct evaluation e = { .tails = mw_tails_new(), .scale = 1 };
	struct error err = { 0 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2) {
		fputs("usage: bench/statistics FOLDER [tcpd|histories|samples|points|"
		      "confirmation|series|stopping|speed|synthetic ...]\n"
		      "       bench/statistics - synthetic\n",
			stderr);
		return 2;
	}
	e.folder = argv[1];
	if (wanted(argc, argv, "synthetic"))
		evaluate_synthetic(&e);
	if (argc == 3 && !strcmp(argv[2], "synthetic")) /* needs no data */
		return finish(&e);
	if (access(e.folder, R_OK) != 0) {
		printf("skipped: there is no data folder '%s'\n", e.folder);
		return 77;
	}
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
