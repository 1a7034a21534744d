/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scores of change point detectors as the Turing Change Point Dataset defines them (van den
 * Burg and Williams 2020, arXiv 2003.06222): F1 with a margin, and segmentation cover, each
 * against several annotators. */
#ifndef BENCH_SCORER_H
#define BENCH_SCORER_H

#include <stddef.h>
#include "base/arena.h"

struct points {
	size_t *at; /* ascending */
	size_t n;
};

struct annotations {
	struct points *by; /* one per annotator */
	size_t n;
};

enum { SCORE_MARGIN = 5 };

/* Matches: for each t of truth in order, the nearest x of found within margin that is not used
 * yet (a tie takes the smaller), which is then used up. */
size_t score_matches(
	struct arena *a, const struct points *truth, const struct points *found, size_t margin);
/* 0 is added to every set. Precision against the union of the annotators, recall as the mean
 * over them. */
double score_f1(struct arena *a, const struct annotations *truth, const struct points *found);
/* Mean over annotators of the cover of their segmentation of [0, n) by the one found. */
double score_cover(const struct annotations *truth, const struct points *found, size_t n);

#endif
