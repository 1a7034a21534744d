/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What limits cost at ingest: reports of 100 benchmarks into histories of 200 points; the CPU
 * time of analysis_limits alone, a metric. Usage: bench/limits [POINTS [BENCHMARKS [FOLDER]]].
 */
#include <math.h>
#include <stdio.h>
#include <time.h>
#include "base/clock.h"
#include "base/fs.h"
#include "base/rng.h"
#include "daemon/analysis/analysis.h"

enum { MEASURED = 50 };

struct world {
	struct store *s;
	struct project project;
	struct branch branch;
	struct testbed testbed;
	struct measure measure;
	int64_t *benchmarks;
	struct new_metric *metrics;
	struct rng rng;
	size_t n;
};
static struct error err;

static void must(int r)
{
	if (r >= 0)
		return;
	fprintf(stderr, "bench/limits: %s\n", err.text);
	exit(1);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void make_world(struct world *w, struct arena *a, const char *path)
{
	struct benchmark k;
	char name[32];

	must(store_open(path, &w->s, &err));
	must(store_begin(w->s, &err));
	must(store_project_ensure(w->s, a, "bench", 1, &w->project, &err));
	must(store_branch_ensure(w->s, a, w->project.id, "main", NULL, 1, &w->branch, &err));
	must(store_testbed_ensure(w->s, a, w->project.id, "host", 1, &w->testbed, &err));
	must(store_measure_ensure(
		w->s, a, w->project.id, "latency", NULL, NULL, 1, &w->measure, &err));
	w->benchmarks = ARENA_ARRAY(a, int64_t, w->n);
	w->metrics = ARENA_ARRAY(a, struct new_metric, w->n);
	for (size_t i = 0; i < w->n; i++) {
		snprintf(name, sizeof(name), "b%zu", i);
		must(store_benchmark_ensure(w->s, a, w->project.id, name, 1, &k, &err));
		w->benchmarks[i] = k.id;
	}
	must(store_commit(w->s, &err));
	rng_init(&w->rng, 1);
}

static void fill(struct world *w)
{
	for (size_t i = 0; i < w->n; i++)
		w->metrics[i] = (struct new_metric){ .benchmark_id = w->benchmarks[i],
			.measure_id = w->measure.id,
			.value = 100 * exp(.01 * (rng_uniform(&w->rng) - .5)),
			.lower = NAN,
			.upper = NAN,
			.n_processes = 1,
			.n_samples = 1 };
}

/* Time of this thread on a processor: others may use the machine. */
static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* One report and its limits; CPU time of the limits. */
static double add_report(struct world *w, int64_t time_ns)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct limits_metric *m = ARENA_ARRAY(a, struct limits_metric, w->n);
	struct version v;
	struct new_report r = { .project_id = w->project.id,
		.head_id = w->branch.head_id,
		.testbed_id = w->testbed.id,
		.adapter = "json",
		.start_ns = time_ns,
		.end_ns = time_ns,
		.created_ns = time_ns,
		.metrics = w->metrics,
		.n_metrics = w->n };
	struct limits_run run = { .project_id = w->project.id,
		.now_ns = time_ns,
		.branch = &w->branch,
		.testbed = &w->testbed,
		.metrics = m,
		.n = w->n };
	int64_t *series, *ids, start, end;

	fill(w);
	must(store_begin(w->s, &err));
	must(store_version_ensure(w->s, a, w->branch.head_id, NULL, &v, &err));
	r.version_id = v.id;
	r.version_number = run.version_number = v.number;
	must(store_report_add(
		w->s, a, &r, &run.report_id, &run.report_uuid, &series, &ids, &err));
	for (size_t i = 0; i < w->n; i++)
		m[i] = (struct limits_metric){ ids[i], w->metrics[i].value, false };
	start = cpu_ns();
	must(analysis_limits(w->s, a, &run, &err));
	end = cpu_ns();
	must(store_commit(w->s, &err));
	return (double)(end - start);
}

int main(int argc, char **argv)
{
	int64_t points = argc > 1 ? atoll(argv[1]) : 200;
	struct world w = { .n = argc > 2 ? (size_t)atoll(argv[2]) : 100 };
	char folder[256], path[300], median[TIME_TEXT], high[TIME_TEXT];
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	double ns[MEASURED];

	if (points < 1 || w.n < 1 || w.n > 100000) {
		fputs("usage: bench/limits [POINTS [BENCHMARKS [FOLDER]]]\n", stderr);
		return 2;
	}
	snprintf(
		folder, sizeof(folder), "%s/benchd-limits-XXXXXX", argc > 3 ? argv[3] : "/tmp");
	if (!mkdtemp(folder)) {
		perror(folder);
		return 1;
	}
	snprintf(path, sizeof(path), "%s/b.db", folder);
	make_world(&w, a, path);
	for (int64_t i = 0; i < points; i++)
		add_report(&w, i + 1);
	for (int i = 0; i < MEASURED; i++)
		ns[i] = add_report(&w, points + i + 1) / (double)w.n;
	qsort(ns, MEASURED, sizeof(*ns), by_value);
	duration_format(ns[MEASURED / 2], median);
	duration_format(ns[MEASURED * 9 / 10], high);
	printf("limits at ingest, %lld points of history, %zu benchmarks: %s of CPU a metric, "
	       "90th "
	       "percentile %s\n",
		(long long)points, w.n, median, high);
	store_close(w.s);
	must(dir_remove(folder, &err));
	return 0;
}
