/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The TCPD subset and the histories whose change points are known. One fixed setting per
 * detector, chosen from theory; nothing here is ever tuned on these series. */
#include "bench/evaluate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "bench/peers.h"
#include "stats/bootstrap.h"
#include "stats/partition.h"
#include "stats/quantile.h"

static void no_change(struct arena *a, const double *x, size_t n, struct change_points *ret)
{
	*ret = (struct change_points){ 0 };
}

static void binseg(struct arena *a, const double *x, size_t n, struct change_points *ret)
{
	binary_segmentation(a, x, n, 3, 5, ret);
}

/* R counts the last point of a segment. */
static void binseg_of_r(struct arena *a, const double *x, size_t n, struct change_points *ret)
{
	binseg(a, x, n, ret);
	for (size_t i = 0; i < ret->n; i++)
		ret->index[i]--;
}

/* Reference scores on the 21 series of the subset; they test this scorer and each detector. */
static const struct {
	struct method method;
	double f1, cover;
} rows[] = {
	{ { .name = "ZERO (no change)", .peer = no_change }, .68281, .58421 },
	{ { .name = "BinSeg, R's indices", .peer = binseg_of_r }, .75600, .71968 },
	{ { .name = "BinSeg", .peer = binseg }, .75600, .72050 },
	{ { .name = "pelt_mbic", .detector = "pelt_mbic" }, .74100, .72160 },
	{ { .name = "pelt_trend", .detector = "pelt_trend" }, .82144, .77334 },
	{ { .name = "seeded_mw .05", .detector = "seeded_mw" }, .65381, .54292 },
	{ { .name = "potts_l1", .detector = "potts_l1" }, .65095, .54815 },
	{ { .name = "e_divisive", .detector = "e_divisive" }, .63101, .54276 },
	{ { .name = "asv", .peer = peer_asv }, .73486, .65127 },
	{ { .name = "Perfherder t>7", .peer = peer_perfherder }, .73896, .65846 },
};

enum { BINSEG = 1, TREND = 4 };

struct scores {
	double *f1, *cover; /* per series */
};

static struct scores score_all(struct evaluation *e, struct arena *a, const struct method *m,
	const struct series_list *s)
{
	struct scores r = { ARENA_ARRAY(a, double, s->n), ARENA_ARRAY(a, double, s->n) };

	for (size_t i = 0; i < s->n; i++) {
		_cleanup_(arena_free)
		struct arena *scratch = arena_new();
		struct change_points c;
		struct points found;

		method_run(e, scratch, m, s->list[i].x, s->list[i].n, 0, &c);
		found = (struct points){ c.index, c.n };
		r.f1[i] = score_f1(scratch, &s->list[i].truth, &found);
		r.cover[i] = score_cover(&s->list[i].truth, &found, s->list[i].n);
	}
	return r;
}

static bool same_to_5_digits(double x, double want)
{
	return fabs(x - want) <= .5e-5 + 1e-9;
}

static void print_published(
	const json_t *paper, const struct series_list *s, const char *method, const char *label)
{
	const json_t *f1 = json_object_get(paper, "default_f1"),
		     *cover = json_object_get(paper, "default_cover");
	double sum_f1 = 0, sum_cover = 0;

	for (size_t i = 0; i < s->n; i++) {
		sum_f1 += json_number_value(
			json_object_get(json_object_get(f1, s->list[i].name), method));
		sum_cover += json_number_value(
			json_object_get(json_object_get(cover, s->list[i].name), method));
	}
	printf("  %-24s %8.5f %8.5f  published\n", label, sum_f1 / (double)s->n,
		sum_cover / (double)s->n);
}

/* Percentile interval of the mean of paired differences over series. */
static void print_difference(
	struct arena *a, const char *what, const double *x, const double *y, size_t n)
{
	double *d = ARENA_ARRAY(a, double, n), *mean = ARENA_ARRAY(a, double, 10000), sum = 0;
	struct rng r;

	rng_init(&r, 21);
	for (size_t i = 0; i < n; i++)
		sum += d[i] = x[i] - y[i];
	for (size_t b = 0; b < 10000; b++) {
		for (size_t i = 0; i < n; i++)
			mean[b] += d[rng_below(&r, n)] / (double)n;
	}
	sample_sort(mean, 10000);
	printf("  pelt_trend minus BinSeg, %s: %+.3f [%+.3f, %+.3f]\n", what, sum / (double)n,
		sample_quantile(mean, 10000, .025), sample_quantile(mean, 10000, .975));
}

/* Each annotator as if it were a detector, scored against the others. */
static void print_human(struct arena *a, const struct series_list *s)
{
	double f1 = 0, cover = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct annotations *t = &s->list[i].truth;

		for (size_t k = 0; k < t->n; k++) {
			struct annotations others = { ARENA_ARRAY(a, struct points, t->n), 0 };

			for (size_t m = 0; m < t->n; m++)
				if (m != k)
					others.by[others.n++] = t->by[m];
			f1 += score_f1(a, &others, &t->by[k]) / (double)t->n;
			cover += score_cover(&others, &t->by[k], s->list[i].n) / (double)t->n;
		}
	}
	printf("  %-24s %8.5f %8.5f  (reference .861 / .777)\n", "one human, the others",
		f1 / (double)s->n, cover / (double)s->n);
}

static void print_names(const struct series_list *s)
{
	printf("  series:");
	for (size_t i = 0; i < s->n; i++)
		printf(" %s", s->list[i].name);
	printf("\n");
}

int evaluate_tcpd(struct evaluation *e, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct series_list s;
	struct scores all[ARRAY_SIZE(rows)];
	json_t *paper;
	size_t missed = e->n_missed;
	int r = evaldata_tcpd(a, e->folder, &s, &paper, err);

	if (r != OK)
		return r;
	printf("\nTCPD, %zu series (F1 with margin 5, cover; one fixed setting each)\n", s.n);
	print_names(&s);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		double f1, cover;

		all[i] = score_all(e, a, &rows[i].method, &s);
		f1 = sample_mean(all[i].f1, s.n);
		cover = sample_mean(all[i].cover, s.n);
		target(e,
			same_to_5_digits(f1, rows[i].f1) &&
				same_to_5_digits(cover, rows[i].cover),
			"%-24s %8.5f %8.5f  reference %.5f %.5f", rows[i].method.name, f1,
			cover, rows[i].f1, rows[i].cover);
		if (i == TREND)
			target_row(e, f1 >= .82 && cover >= .77,
				"B. TCPD, 21 series, pelt_trend: F1 / cover",
				"at least .82 / .77", "best published default .762 / .745",
				"%.3f / %.3f", f1, cover);
	}
	summary_add(e, e->n_missed == missed, "B. TCPD, ten detectors: the reference's scores",
		"5 digits", NULL, e->n_missed == missed ? "all equal" : "not all equal");
	if (paper) {
		print_published(paper, &s, "binseg", "BinSeg, published");
		print_published(paper, &s, "pelt", "PELT, published");
		print_published(paper, &s, "amoc", "AMOC, published");
		print_published(paper, &s, "bocpd", "BOCPD, published");
		print_published(paper, &s, "ecp", "ECP, published");
	}
	print_human(a, &s);
	print_difference(a, "F1", all[TREND].f1, all[BINSEG].f1, s.n);
	print_difference(a, "cover", all[TREND].cover, all[BINSEG].cover, s.n);
	return OK;
}

/* --- histories with known answers --- */

struct known {
	const char *series, *detector, *want; /* indices in the whole series, ascending */
	size_t window;
	double p, magnitude;
	const char *member; /* or: where the data set itself gives the answer */
	size_t newest;
};

static const struct known answers[] = {
	{ .series = "nile", .detector = "seeded_mw", .want = "28" },
	{ .series = "nile", .detector = "pelt_mbic", .want = "28" },
	{ .series = "nile", .detector = "pelt_trend", .want = "28" },
	{ .series = "nile", .detector = "potts_l1", .want = "28" },
	{ .series = "quality_control_1", .detector = "seeded_mw", .want = "87 144 206" },
	{ .series = "quality_control_1", .detector = "pelt_mbic", .want = "144" },
	{ .series = "quality_control_1", .detector = "pelt_trend", .want = "144" },
	{ .series = "quality_control_1", .detector = "potts_l1", .want = "144" },
	{ .series = "seatbelts", .detector = "seeded_mw", .want = "10 72 169" },
	{ .series = "seatbelts", .detector = "pelt_mbic", .want = "72 169" },
	{ .series = "seatbelts", .detector = "pelt_trend", .want = "60 169" },
	{ .series = "seatbelts", .detector = "potts_l1", .want = "72 169" },
	{ .series = "tigerbeetle", .detector = "seeded_mw", .want = "15 61 71 95 131 192 260" },
	{ .series = "tigerbeetle", .detector = "pelt_mbic", .want = "71 192" },
	{ .series = "tigerbeetle", .detector = "pelt_trend", .want = "71" },
	{ .series = "tigerbeetle", .detector = "potts_l1", .want = "15 61 71 95 131 194" },
	{ .series = "tigerbeetle",
		.detector = "e_divisive",
		.want = "15 61 71 95 117 131 192 212" },
	{ .series = "tigerbeetle",
		.detector = "e_divisive",
		.window = 30,
		.p = .0001,
		.member = "otava_p0001_m0_w30" },
	{ .series = "tigerbeetle",
		.detector = "e_divisive",
		.window = 30,
		.p = .001,
		.member = "otava_p001_m0_w30" },
	{ .series = "tigerbeetle",
		.detector = "e_divisive",
		.window = 30,
		.p = .01,
		.magnitude = .05,
		.member = "otava_p01_m05_w30" },
	{ .series = "runs1", .detector = "seeded_mw", .newest = 400, .want = "111" },
	{ .series = "runs2", .detector = "seeded_mw", .newest = 400, .want = "1221 1370 1550" },
	{ .series = "runs3", .detector = "seeded_mw", .newest = 400, .want = "24 98" },
	{ .series = "runs5", .detector = "seeded_mw", .newest = 400, .want = "50 129" },
};

static const struct series *find_series(
	const struct series_list *s, const struct series_list *t, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->list[i].name, name) == 0)
			return &s->list[i];
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->list[i].name, name) == 0)
			return &t->list[i];
	return NULL;
}

static const char *indices_text(struct arena *a, const struct change_points *c)
{
	const char *text = "";

	for (size_t i = 0; i < c->n; i++)
		text = arena_printf(a, "%s%s%zu", text, i ? " " : "", c->index[i]);
	return text;
}

static const char *member_text(struct arena *a, const json_t *list)
{
	const char *text = "";
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v)
		text = arena_printf(
			a, "%s%s%lld", text, i ? " " : "", (long long)json_integer_value(v));
	return text;
}

static void check_known(
	struct evaluation *e, struct arena *a, const struct known *k, const struct series *s)
{
	const struct detector *d = detector_find(k->detector);
	struct detector_params p = d->defaults;
	struct change_points c = { 0 };
	struct error err = { 0 };
	const char *want, *got;

	p.newest = k->newest;
	if (k->window > 0) {
		p.window = k->window;
		p.p = k->p;
		p.magnitude = k->magnitude;
	}
	if (!s || change_points_detect(d, e->tails, a, s->x, s->n, &p, &c, &err) != OK) {
		target(e, false, "%s: %s", k->series, s ? err.text : "the series is missing");
		return;
	}
	want = k->member ? member_text(a, json_object_get(s->json, k->member)) : k->want;
	got = indices_text(a, &c);
	target(e, strcmp(got, want) == 0, "%-17s %-10s {%s}%s%s%s", k->series, k->detector, got,
		strcmp(got, want) ? " expected {" : "", strcmp(got, want) ? want : "",
		strcmp(got, want) ? "}" : "");
}

int evaluate_histories(struct evaluation *e, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct series_list tcpd, others;
	json_t *paper;
	size_t missed = e->n_missed;
	int r = evaldata_tcpd(a, e->folder, &tcpd, &paper, err);

	if (r == OK)
		r = evaldata_histories(a, e->folder, &others, err);
	if (r != OK)
		return r;
	printf("\nHistories whose exact answers are known (no jitter, no floor)\n");
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		check_known(e, a, &answers[i], find_series(&tcpd, &others, answers[i].series));
	summary_add(e, e->n_missed == missed, "B. exact change points of known histories",
		"all equal", NULL,
		arena_printf(a, "%zu of %zu", ARRAY_SIZE(answers) - (e->n_missed - missed),
			ARRAY_SIZE(answers)));
	return OK;
}
