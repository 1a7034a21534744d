/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How fast the store is: nights of reports in, histories out, jobs filed and claimed, handles
 * opened. Usage: bench/store [POINTS [SERIES [FOLDER]]], by default 1,000,000 points in 2,000
 * series in a folder under $TMPDIR. Prints the median and the 99th percentile of each. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include "base/clock.h"
#include "base/fs.h"
#include "base/rng.h"
#include "daemon/store/store.h"

struct setting {
	int64_t points, series;
	char folder[256], path[300];
};
struct timing {
	const char *what;
	double *ns;
	size_t n;
};

static struct error err;

static void must(int r)
{
	if (r >= 0)
		return;
	fprintf(stderr, "bench/store: %s\n", err.text);
	exit(1);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print(const struct timing *t)
{
	char median[TIME_TEXT], high[TIME_TEXT];

	qsort(t->ns, t->n, sizeof(*t->ns), by_value);
	duration_format(t->ns[t->n / 2], median);
	duration_format(t->ns[t->n * 99 / 100], high);
	printf("%-44s %12s %12s %8zu\n", t->what, median, high, t->n);
}

/* --- nights --- */

struct world {
	struct store *s;
	struct project project;
	struct branch branch;
	struct testbed testbed;
	int64_t measure_id, *benchmark_ids, *series_ids;
	struct new_metric *metrics;
	struct rng rng;
};

static void make_world(struct world *w, const struct setting *set)
{
	struct arena *a = arena_new();
	struct measure u;
	char name[32];

	rng_init(&w->rng, 1);
	must(store_open(set->path, &w->s, &err));
	must(store_begin(w->s, &err));
	must(store_project_ensure(w->s, a, "bench", 1, &w->project, &err));
	must(store_branch_ensure(w->s, a, w->project.id, "main", NULL, 1, &w->branch, &err));
	must(store_testbed_ensure(w->s, a, w->project.id, "host", 1, &w->testbed, &err));
	must(store_measure_ensure(w->s, a, w->project.id, "latency", NULL, NULL, 1, &u, &err));
	w->measure_id = u.id;
	w->benchmark_ids = xcalloc((size_t)set->series, sizeof(int64_t));
	w->series_ids = xcalloc((size_t)set->series, sizeof(int64_t));
	w->metrics = xcalloc((size_t)set->series, sizeof(*w->metrics));
	for (int64_t i = 0; i < set->series; i++) {
		struct benchmark k;

		snprintf(name, sizeof(name), "benchmark %lld", (long long)i);
		must(store_benchmark_ensure(w->s, a, w->project.id, name, 1, &k, &err));
		w->benchmark_ids[i] = k.id;
	}
	must(store_commit(w->s, &err));
	arena_free(a);
}

static void one_night(struct world *w, const struct setting *set, int64_t night)
{
	struct arena *a = arena_new();
	struct new_report r = { .project_id = w->project.id,
		.head_id = w->branch.head_id,
		.testbed_id = w->testbed.id,
		.adapter = "json",
		.start_ns = night * NS_PER_S,
		.end_ns = night * NS_PER_S,
		.created_ns = night,
		.metrics = w->metrics,
		.n_metrics = (size_t)set->series };
	struct version v;
	int64_t id, *series, *metrics;
	const char *uuid;
	char hash[41];

	snprintf(hash, sizeof(hash), "%040llx", (unsigned long long)night + 1);
	for (int64_t i = 0; i < set->series; i++) {
		double value = 100 + rng_uniform(&w->rng);

		w->metrics[i] = (struct new_metric){ .benchmark_id = w->benchmark_ids[i],
			.measure_id = w->measure_id,
			.value = value,
			.lower = value - 1,
			.upper = value + 1,
			.n_processes = 10,
			.n_samples = 50,
			.definition_hash = "definition" };
	}
	must(store_begin(w->s, &err));
	must(store_version_ensure(w->s, a, w->branch.head_id, hash, &v, &err));
	r.version_id = v.id;
	r.version_number = v.number;
	must(store_report_add(w->s, a, &r, &id, &uuid, &series, &metrics, &err));
	must(store_commit(w->s, &err));
	memcpy(w->series_ids, series, sizeof(*series) * (size_t)set->series);
	arena_free(a);
}

static void load(struct world *w, const struct setting *set)
{
	int64_t nights = set->points / set->series, begin = clock_monotonic_ns(), took;
	struct timing stored = { "one night stored and committed", NULL, (size_t)nights };
	struct timing moved = { "checkpoint after it", NULL, (size_t)nights };

	stored.ns = xcalloc((size_t)nights, sizeof(double));
	moved.ns = xcalloc((size_t)nights, sizeof(double));
	for (int64_t i = 0; i < nights; i++) {
		int64_t t0 = clock_monotonic_ns(), t1;

		one_night(w, set, i);
		t1 = clock_monotonic_ns();
		must(store_checkpoint(w->s, false, &err));
		stored.ns[i] = (double)(t1 - t0);
		moved.ns[i] = (double)(clock_monotonic_ns() - t1);
	}
	took = clock_monotonic_ns() - begin;
	print(&stored);
	print(&moved);
	printf("%-44s %12.0f points/s, checkpoints included\n", "ingest",
		(double)(nights * set->series) / ((double)took / NS_PER_S));
	free(stored.ns);
	free(moved.ns);
}

/* --- reads --- */

static void time_points(struct world *w, struct store *reader, const struct setting *set,
	const char *what, int64_t max, size_t times)
{
	struct timing t = { what, xcalloc(times, sizeof(double)), times };

	for (size_t i = 0; i < times; i++) {
		struct arena *a = arena_new();
		int64_t k = (int64_t)rng_below(&w->rng, (uint64_t)set->series), t0;
		struct point *points;
		size_t n;

		t0 = clock_monotonic_ns();
		must(store_series_points(reader, a, w->series_ids[k], max, &points, &n, &err));
		t.ns[i] = (double)(clock_monotonic_ns() - t0);
		arena_free(a);
	}
	print(&t);
	free(t.ns);
}

static void time_pages(struct world *w, struct store *reader, size_t times)
{
	struct timing series = { "list of 100 series", xcalloc(times, sizeof(double)), times };
	struct timing reports = { "page of 8 reports", xcalloc(times, sizeof(double)), times };
	struct report_filter f = { .page = { .per_page = 8, .descending = true } };

	for (size_t i = 0; i < times; i++) {
		struct arena *a = arena_new();
		struct series *s;
		struct report *r;
		int64_t total, t0, t1;
		size_t n;

		t0 = clock_monotonic_ns();
		must(store_series_list(
			reader, a, w->project.id, "main", NULL, 100, &s, &n, &err));
		t1 = clock_monotonic_ns();
		must(store_report_list(reader, a, w->project.id, &f, &r, &n, &total, &err));
		series.ns[i] = (double)(t1 - t0);
		reports.ns[i] = (double)(clock_monotonic_ns() - t1);
		arena_free(a);
	}
	print(&series);
	print(&reports);
	free(series.ns);
	free(reports.ns);
}

/* --- jobs --- */

static void file_job(struct store *s, struct arena *a, int64_t project_id)
{
	struct job j = { .project_id = project_id,
		.name = "job",
		.kind = "command",
		.slot = "exclusive",
		.state = JOB_QUEUED,
		.definition_json = "{}" };

	must(store_job_add(s, a, &j, &err));
}

static void time_jobs(struct world *w, int batch, size_t times)
{
	char what[64];
	struct timing t = { what, xcalloc(times, sizeof(double)), times };
	struct arena *a = arena_new();
	double all = 0;

	snprintf(what, sizeof(what), "%d jobs filed in one commit", batch);
	for (size_t i = 0; i < times; i++) {
		int64_t t0 = clock_monotonic_ns();

		must(store_begin(w->s, &err));
		for (int k = 0; k < batch; k++) {
			must(store_savepoint(w->s, &err));
			file_job(w->s, a, w->project.id);
			must(store_release(w->s, &err));
		}
		must(store_commit(w->s, &err));
		t.ns[i] = (double)(clock_monotonic_ns() - t0);
		all += t.ns[i];
		must(store_checkpoint(w->s, false, &err));
	}
	print(&t);
	printf("%-44s %12.0f jobs/s\n", "", (double)times * batch / (all / NS_PER_S));
	arena_free(a);
	free(t.ns);
}

static void time_claims(struct world *w, size_t times)
{
	struct timing t = { "claim, one commit each", xcalloc(times, sizeof(double)), times };
	struct arena *a = arena_new();
	struct job j;

	for (size_t i = 0; i < times; i++) {
		int64_t t0 = clock_monotonic_ns();

		must(store_begin(w->s, &err));
		must(store_job_claim(w->s, a, "exclusive", 1, 1, 2, &j, &err));
		must(store_commit(w->s, &err));
		t.ns[i] = (double)(clock_monotonic_ns() - t0);
	}
	print(&t);
	arena_free(a);
	free(t.ns);
}

/* --- handles --- */

static void time_open(const struct setting *set, size_t times)
{
	struct timing w = { "writer opened", xcalloc(times, sizeof(double)), times };
	struct timing r = { "reader opened", xcalloc(times, sizeof(double)), times };

	for (size_t i = 0; i < times; i++) {
		int64_t t0 = clock_monotonic_ns(), t1;
		struct store *s, *reader;

		must(store_open(set->path, &s, &err));
		t1 = clock_monotonic_ns();
		must(store_open_reader(set->path, &reader, &err));
		r.ns[i] = (double)(clock_monotonic_ns() - t1);
		w.ns[i] = (double)(t1 - t0);
		store_close(reader);
		store_close(s);
	}
	print(&w);
	print(&r);
	free(w.ns);
	free(r.ns);
}

static void run(const struct setting *set)
{
	struct world w = { 0 };
	struct store_stats stats;
	struct store *reader;

	printf("%lld points in %lld series, %s\n", (long long)set->points,
		(long long)set->series, set->folder);
	printf("%-44s %12s %12s %8s\n", "", "median", "p99", "n");
	make_world(&w, set);
	load(&w, set);
	must(store_open_reader(set->path, &reader, &err));
	time_points(&w, reader, set, "last 200 points of a series", 200, 5000);
	time_points(&w, reader, set, "whole series", INT32_MAX, 1000);
	time_pages(&w, reader, 200);
	time_jobs(&w, 1, 500);
	time_jobs(&w, 100, 50);
	time_claims(&w, 500);
	must(store_get_stats(w.s, &stats, &err));
	printf("%-44s %9.1f MiB, %.0f bytes a point\n", "database",
		(double)stats.db_bytes / (double)MiB,
		(double)stats.db_bytes / (double)set->points);
	store_close(reader);
	store_close(w.s);
	time_open(set, 20);
	free(w.benchmark_ids);
	free(w.series_ids);
	free(w.metrics);
}

int main(int argc, char **argv)
{
	struct setting set = { .points = 1000000, .series = 2000 };
	const char *under = getenv("TMPDIR");

	if (argc > 1)
		set.points = atoll(argv[1]);
	if (argc > 2)
		set.series = atoll(argv[2]);
	if (set.series < 1 || set.points < set.series) {
		fputs("usage: bench/store [POINTS [SERIES [FOLDER]]]\n", stderr);
		return 2;
	}
	snprintf(set.folder, sizeof(set.folder), "%s/benchd-store-XXXXXX",
		argc > 3 ? argv[3]
		: under	 ? under
			 : "/tmp");
	if (!mkdtemp(set.folder)) {
		perror(set.folder);
		return 1;
	}
	snprintf(set.path, sizeof(set.path), "%s/b.db", set.folder);
	run(&set);
	must(dir_remove(set.folder, &err));
	return 0;
}
