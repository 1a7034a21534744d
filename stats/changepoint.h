/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Change points of a history: where its level changed.
 *
 * A change point is the 0-based index of the first point of the new segment. Input are commit
 * values in the order of the commits (oldest first). One fixed default setting per detector,
 * from theory; reference: the comments beside each. Pure and seeded: the same input, parameters
 * and seed give the same answer. One thread per call; the tail cache belongs to one thread. */
#ifndef STATS_CHANGEPOINT_H
#define STATS_CHANGEPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/error.h"
#include "stats/mw_tails.h"

/* Every setting of every detector; each uses its own few. */
struct detector_params {
	double alpha;	    /* seeded_mw: level; threshold -log10(alpha/(2n)) */
	double jitter;	    /* seeded_mw: relative jitter against rounding ties, 0 = none */
	uint64_t seed;	    /* of the jitter */
	double penalty;	    /* pelt_*, potts_l1: factor of ln n in beta */
	size_t min_segment; /* seeded_mw 3, pelt_mbic 2, pelt_trend 3, potts_l1 3 */
	size_t window;	    /* e_divisive */
	double p;	    /* e_divisive: level of the t-test */
	double magnitude;   /* e_divisive: least magnitude */
	double min_effect; /* all: neighbouring segments closer than this are merged, 0 = off */
	size_t newest;	   /* all: look only at so many newest points, 0 = all */
	size_t min_points; /* all: fewer points give no change point */
};

struct change_points {
	size_t n;
	size_t *index; /* ascending, in the arena */
	double *score; /* seeded_mw: -log10 p of the split between its neighbours; else NaN */
};

struct detector {
	const char *name;
	const char *what; /* one sentence for people */
	struct detector_params defaults;
	size_t max_points; /* E_TOO_LARGE beyond */
	int (*detect)(struct mw_tails *tails, struct arena *a, const double *x, size_t n,
		const struct detector_params *p, struct change_points *ret);
};

/* Ends with a NULL name: seeded_mw, pelt_mbic, pelt_trend, potts_l1, e_divisive. */
extern const struct detector detectors[];
const struct detector *detector_find(const char *name); /* NULL when absent */

/* The rule of an alerting history: newest 400 points, at least 20, floor 2 %; jitter 1e-7 for
 * continuous measures, none for counts. On top of the defaults of d. */
struct detector_params detector_history_params(
	const struct detector *d, bool is_continuous, uint64_t seed);

/* Find change points; p = NULL takes the defaults. Values that are not finite are refused
 * (E_UNPROCESSABLE), as are parameters out of range (the field names them); too many points are
 * E_TOO_LARGE. */
int change_points_detect(const struct detector *d, struct mw_tails *tails, struct arena *a,
	const double *x, size_t n, const struct detector_params *p, struct change_points *ret,
	struct error *err) must_check;

/* While some neighbouring segments have |ratio of medians - 1| < min_effect, remove the change
 * point with the smallest one. */
void change_points_merge(
	struct arena *a, const double *x, size_t n, double min_effect, struct change_points *c);
/* |after/before - 1|; both 0: 0; only before 0: infinite. */
double change_effect(double before, double after);
/* The same with the sign of after - before, whatever the sign of before: higher is positive. */
double change_relative(double before, double after);

/* The segments between change points. */
struct segment {
	size_t start, end; /* [start, end) */
	double median, mean, sd;
	double change; /* change_relative of the medians; NaN for the first */
};
/* Returns n+1 segments in the arena for n change points; none for an empty history. */
struct segment *change_points_segments(struct arena *a, const double *x, size_t n,
	const struct change_points *c, size_t *ret_n);

/* --- the detectors themselves; reached through the table --- */

/* Seeded binary segmentation (Kovacs, Buhlmann, Li and Munk 2023) over the two-sided exact
 * Mann-Whitney p of the best split, narrowest interval over the threshold first, then refined
 * between neighbours. Distribution-free: quiet under heavy tails and spikes. The default. */
int seeded_mw_detect(struct mw_tails *tails, struct arena *a, const double *x, size_t n,
	const struct detector_params *p, struct change_points *ret);

#endif
